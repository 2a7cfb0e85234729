# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests cost without Ansible and without us, in bare Python.

``python clients.py CLIENT URL FILE WORKERS`` reads a file with ``fleet`` (instances with id and token) or ``phones``
(IDs), sends the requests that the modules would send, and prints how many there were and how many seconds they took.
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


def requests_of(url: str, content: dict[str, Any]) -> list[Request]:
    """One request for each instance of ``fleet``, or one for each batch of ``phones``."""
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
    """The library that the collection uses, as one uses it who knows it well: one session, a pool that is large enough.

    Without ``trust_env`` it doesn't look up proxies and ``.netrc`` for each request.
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
    """The same without the environment."""
    return with_requests(todo, workers, trust_env=False)


def with_urllib3(todo: list[Request], workers: int) -> list[Any]:
    """The next library down."""
    import urllib3

    pool = urllib3.PoolManager(maxsize=workers)

    def send(request: Request) -> Any:
        return pool.request(request.method, request.url, body=request.body, headers=request.headers).json()

    with ThreadPoolExecutor(workers) as executor:
        return list(executor.map(send, todo))


def with_sockets(todo: list[Request], workers: int) -> list[Any]:
    """No library: bytes over as many connections, in one thread."""

    async def work(pending: Iterator[tuple[int, bytes]], answers: list[Any], host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for index, data in pending:
            writer.write(data)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            answers[index] = json.loads(await reader.readexactly(length))
        writer.close()

    async def work_all() -> list[Any]:
        parts = urlsplit(todo[0].url)
        answers: list[Any] = [None] * len(todo)
        pending = enumerate(map(_bytes, todo))
        await asyncio.gather(
            *(work(pending, answers, parts.hostname or "", parts.port or 80) for _n in range(min(workers, len(todo))))
        )
        return answers

    return asyncio.run(work_all())


def _bytes(request: Request) -> bytes:
    parts = urlsplit(request.url)
    lines = [f"{request.method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body is not None:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (request.body or b"")


# Each client's library, which is imported before the time is taken.
CLIENTS: dict[str, tuple[str, Callable[[list[Request], int], list[Any]]]] = {
    "requests": ("requests", with_requests),
    "requests-alone": ("requests", with_requests_alone),
    "urllib3": ("urllib3", with_urllib3),
    "sockets": ("asyncio", with_sockets),
}


def main() -> None:
    """Send, and print what was done."""
    client, url, file, workers = sys.argv[1:]
    todo = requests_of(url, json.loads(Path(file).read_text(encoding="utf-8")))
    library, send_all = CLIENTS[client]
    importlib.import_module(library)
    started = time.perf_counter()
    answers = send_all(todo, int(workers))
    seconds = time.perf_counter() - started
    if not all(answer.get("stateInstance") == "authorized" or "data" in answer for answer in answers):
        sys.exit("some answers are wrong")
    print(json.dumps({"requests": len(answers), "seconds": seconds}))


if __name__ == "__main__":
    main()
