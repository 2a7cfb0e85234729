# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP/1.1 server: a thread for each connection, keep-alive, and connections that faults end."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.http import HTTP_STATUS_CODES, http_date

from .application import Application
from .messages import Call, Response, json_response

MAX_LINE = 65536
MAX_HEADERS = 200
# KooPhone's gateway accepts 12 MB, the largest limit of the three vendors.
MAX_BODY = 16 * 1024 * 1024
IDLE_SECONDS = 300.0
LINGER_ZERO = struct.pack("ii", 1, 0)
REASONS = {
    **{status: name.encode("latin-1") for status, name in HTTP_STATUS_CODES.items()},
    466: b"Quota Exceeded",
    499: b"Client Closed Request",
}


class BadRequest(Exception):
    """The request isn't HTTP, or is too large; ``status`` is that of the response."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Aborted(Exception):
    """A fault ends the connection before the request has been read; ``how`` is ``reset`` or ``close``."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Server(socketserver.ThreadingTCPServer):
    """Listens, and serves each connection in a thread."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def __init__(
        self,
        application: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        verbose: bool = False,
    ) -> None:
        self.application = application
        self.tls = tls
        self.verbose = verbose
        self._connections: set[socket.socket] = set()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Connection)

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        host, port = self.server_address[:2]
        name = f"[{host!s}]" if self.address_family == socket.AF_INET6 else host
        return f"{'https' if self.tls else 'http'}://{name!s}:{port}"

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        fault = self.application.faults.take_connection()
        if fault is not None:
            if fault.kind == "reset":
                request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
            return
        if self.tls is not None:
            # In the connection's thread, so that a slow handshake doesn't delay other connections.
            request.settimeout(IDLE_SECONDS)
            request = self.tls.wrap_socket(request, server_side=True)
        self._connections.add(request)
        try:
            Connection(request, client_address, self)
        finally:
            self._connections.discard(request)
            if self.tls is not None:
                request.close()

    def server_close(self) -> None:
        """Stop listening, and close the open connections."""
        super().server_close()
        for connection in self._connections.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: object) -> None:
        # Only close: the shutdown of the base class would send FIN before the RST of a reset.
        self.close_request(request)  # type: ignore[arg-type]

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Connection(socketserver.StreamRequestHandler):
    """One connection, which serves its requests one after the other."""

    server: Server
    disable_nagle_algorithm = True
    rbufsize = 65536
    timeout = IDLE_SECONDS

    def handle(self) -> None:
        try:
            while self._serve_one():
                pass
        except OSError:
            return

    def _serve_one(self) -> bool:
        """Serve one request; return whether the connection stays open."""
        started = time.monotonic()
        try:
            line = self.rfile.readline(MAX_LINE + 1)
            if not line:
                return False
            if line in (b"\r\n", b"\n"):
                return True
            call, keep = self._read(line)
        except BadRequest as error:
            self._send(
                json_response({"error": REASONS[error.status].decode()}, error.status), head_only=False, keep=False
            )
            return False
        except Aborted as aborted:
            return self._abort(aborted.how)
        response = self.server.application.response(call)
        if self.server.verbose:
            spent = (time.monotonic() - started) * 1000
            path = "/".join(call.target.split("/")[:3])
            print(f"{call.method} {path} {response.abort or response.status} {spent:.1f} ms", file=sys.stderr)
        return self._send(response, head_only=call.method == "HEAD", keep=keep)

    def _read(self, line: bytes) -> tuple[Call, bool]:
        """Read the rest of a request; return it, and whether the client wants to keep the connection."""
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(400)
        method, target, version = parts
        if not target.startswith("/"):
            absolute = urlsplit(target)
            target = (absolute.path or "/") + (f"?{absolute.query}" if absolute.query else "")
        headers = Headers()
        while True:
            line = self.rfile.readline(MAX_LINE + 1)
            if line in (b"\r\n", b"\n"):
                break
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(line) > MAX_LINE or len(headers) >= MAX_HEADERS:
                raise BadRequest(431 if line else 400)
            headers.add(name.strip(), value.strip())
        if headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection = headers.get("Connection", "").lower()
        keep = connection == "keep-alive" if version == "HTTP/1.0" else connection != "close"
        prefix = self.server.application.config["server.path_prefix"].strip("/")
        call = Call(method, target, headers, prefix=prefix, gone=self._gone, inform=self._inform)
        fault = self.server.application.fault_before_body(call)
        if fault is not None:
            if fault.options["at"] == "body":
                self.rfile.read(_length(headers) // 2)
            raise Aborted(fault.kind)
        call.body = self._read_body(headers)
        return call, keep

    def _read_body(self, headers: Headers) -> bytes:
        if "chunked" in headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = _length(headers)
        if length > MAX_BODY:
            raise BadRequest(413)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError
        return body

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                length = int(self.rfile.readline(MAX_LINE).partition(b";")[0], 16)
            except ValueError:
                raise BadRequest(400) from None
            if len(body) + length > MAX_BODY:
                raise BadRequest(413)
            if length == 0:
                break
            body += self.rfile.read(length)
            self.rfile.readline(MAX_LINE)
        while self.rfile.readline(MAX_LINE) not in (b"\r\n", b"\n", b""):
            pass
        return bytes(body)

    def _gone(self) -> bool:
        """Return whether the client has closed the connection."""
        try:
            readable, _writable, _failed = select.select([self.connection], [], [], 0)
            # MSG_PEEK can't look into TLS; while a client waits for a response, readable means closed.
            return bool(readable) and (self.server.tls is not None or not self.connection.recv(1, socket.MSG_PEEK))
        except (OSError, ValueError):
            return True

    def _inform(self, status: int) -> None:
        """Send an informational response (1xx), which comes before the final one."""
        self.wfile.write(f"HTTP/1.1 {status} ".encode() + REASONS.get(status, b"Unknown") + b"\r\n\r\n")

    def _abort(self, how: str) -> bool:
        """End the connection by RST or FIN; bytes that were sent before still arrive."""
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        else:
            # Read to the end first: closing a socket with unread bytes would send RST instead of FIN.
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(MAX_LINE):
                pass
        return False

    def _send(self, response: Response, *, head_only: bool, keep: bool) -> bool:
        """Send a response; return whether the connection stays open."""
        if response.abort is not None and response.abort_at == "answer":
            return self._abort(response.abort)
        if response.flood is not None:
            self.wfile.write(response.flood.start)
            for _piece in range(response.flood.times):
                self.wfile.write(response.flood.piece)
            return False
        keep = keep and response.keep is None
        reason = REASONS.get(response.status, b"Unknown")
        lines = [f"HTTP/1.1 {response.status} ".encode() + reason, f"Date: {http_date()}".encode()]
        bodiless = response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if not bodiless:
            if response.body:
                lines.append(f"Content-Type: {response.content_type}".encode())
            lines.append(f"Content-Length: {len(response.body)}".encode())
        lines.extend(f"{name}: {value}".encode("latin-1") for name, value in response.headers)
        if not keep:
            lines.append(b"Connection: close")
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        body = b"" if head_only or bodiless else response.body[: response.keep]
        if response.abort is not None:
            part = {"answer_head": head[: len(head) // 2], "answer_body": head + body[: len(body) // 2]}
            self.wfile.write(part.get(response.abort_at, head + body))
            return self._abort(response.abort)
        if response.drip is None:
            self.wfile.write(head + body)
        else:
            size, interval = response.drip
            self.wfile.write(head)
            for start in range(0, len(body), size):
                time.sleep(interval)
                self.wfile.write(body[start : start + size])
        return keep


def _length(headers: Headers) -> int:
    """Return the Content-Length, 0 without one; raise BadRequest if it is not a number."""
    length = headers.get("Content-Length", "0")
    if not length.isdecimal():
        raise BadRequest(400)
    return int(length)


def serve(server: Server) -> threading.Thread:
    """Serve in a thread, and return the thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    return thread
