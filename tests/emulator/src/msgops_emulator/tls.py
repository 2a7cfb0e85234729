# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS for the server, with a certificate of the user's or a self-signed one."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path


def server_context(certfile: str | os.PathLike[str], keyfile: str | os.PathLike[str]) -> ssl.SSLContext:
    """Return a server's context with a certificate and its key (PEM).

    If neither file exists, write a self-signed certificate for localhost and its key there; raise RuntimeError if
    openssl can't.
    """
    if not Path(certfile).exists() and not Path(keyfile).exists():
        make_certificate(certfile, keyfile)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    return context


def make_certificate(certfile: str | os.PathLike[str], keyfile: str | os.PathLike[str], days: int = 30) -> None:
    """Have openssl write a self-signed certificate for localhost and the loopback addresses, and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
    command += ["-keyout", os.fspath(keyfile), "-out", os.fspath(certfile)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise RuntimeError(
            "there is no openssl command to make a certificate: give --certfile and --keyfile of files that exist"
        ) from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"openssl could not make a certificate: {error.stderr.strip()}") from None
