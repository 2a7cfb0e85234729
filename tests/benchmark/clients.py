# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python scripts that send the same requests as the modules, without Ansible and without the collection.

``python clients.py CLIENT URL FILE WORKERS`` reads a file with ``fleet`` (instances with id and token) or ``phones``
(ids), sends the requests, and prints as JSON how many it sent (``requests``) and in which time (``seconds``).
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

BATCH_SIZE = 32


@dataclass(frozen=True)
class Request:
    """A GET, or a POST of ``body``."""

    url: str
    body: bytes | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.body is None else {"Content-Type": "application/json", "X-Auth-Token": "token"}


def build_requests(url: str, content: dict[str, Any]) -> list[Request]:
    """Return a request for each instance of ``fleet``, or for each batch of ``phones``."""
    if "fleet" in content:
        return [
            Request(f"{url}/waInstance{item['id']}/getStateInstance/{quote(item['token'], safe='')}")
            for item in content["fleet"]
        ]
    phones = content["phones"]
    return [
        Request(
            f"{url}/v1/instances/batch-query-status",
            json.dumps({"instance_ids": phones[start : start + BATCH_SIZE]}).encode(),
        )
        for start in range(0, len(phones), BATCH_SIZE)
    ]


def with_requests(todo: list[Request], workers: int, *, trust_env: bool = True) -> list[Any]:
    """Send by requests, the collection's library: one session, with as many connections as workers.

    With ``trust_env`` requests looks up proxies and ``.netrc`` for each request.
    """
    import requests

    session = requests.Session()
    session.trust_env = trust_env
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=workers))

    def send(request: Request) -> Any:
        response = session.request(request.method, request.url, data=request.body, headers=request.headers, timeout=30)
        response.raise_for_status()
        return response.json()

    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(send, todo))


def with_requests_alone(todo: list[Request], workers: int) -> list[Any]:
    """Send by requests, without looking up proxies and ``.netrc``."""
    return with_requests(todo, workers, trust_env=False)


def with_urllib3(todo: list[Request], workers: int) -> list[Any]:
    """Send by urllib3, on which requests is built."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=workers)

    def send(request: Request) -> Any:
        return pool.request(request.method, request.url, body=request.body, headers=request.headers).json()

    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(send, todo))


def with_sockets(todo: list[Request], workers: int) -> list[Any]:
    """Send bytes over as many connections as workers, in one thread and without a library."""

    async def work(pending: Iterator[tuple[int, bytes]], responses: list[Any], host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for index, data in pending:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            responses[index] = json.loads(await reader.readexactly(length))
        writer.close()

    async def work_all() -> list[Any]:
        parts = urlsplit(todo[0].url)
        responses: list[Any] = [None] * len(todo)
        pending = enumerate(map(_bytes, todo))
        await asyncio.gather(
            *(work(pending, responses, parts.hostname or "", parts.port or 80) for _n in range(min(workers, len(todo))))
        )
        return responses

    return asyncio.run(work_all())


def _bytes(request: Request) -> bytes:
    parts = urlsplit(request.url)
    lines = [f"{request.method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (request.body or b"")


# Each client with its library, which is imported before the measurement.
CLIENTS: dict[str, tuple[str, Callable[[list[Request], int], list[Any]]]] = {
    "requests": ("requests", with_requests),
    "requests-alone": ("requests", with_requests_alone),
    "urllib3": ("urllib3", with_urllib3),
    "sockets": ("asyncio", with_sockets),
}


def main() -> None:
    """Send, and print what was done."""
    client, url, file, workers = sys.argv[1:]
    todo = build_requests(url, json.loads(Path(file).read_text(encoding="utf-8")))
    library, send_all = CLIENTS[client]
    importlib.import_module(library)
    started = time.perf_counter()
    responses = send_all(todo, int(workers))
    seconds = time.perf_counter() - started
    if not all(response.get("stateInstance") == "authorized" or "data" in response for response in responses):
        sys.exit("some responses are wrong")
    print(json.dumps({"requests": len(responses), "seconds": seconds}))


if __name__ == "__main__":
    main()
