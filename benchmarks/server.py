"""The canned server: answers every contender from memory, in a process of its own, and counts what it is asked.

It reads no more of a request than it has to, so that little of what is measured is its own work.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import bodies
from benchmarks.hosts import Hosts

_REQUEST_ID = re.compile(rb"\r\nx-request-id: *([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class _Canned:
    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._lists = {path: json.dumps(body, ensure_ascii=False).encode() for path, body in bodies.LISTS.items()}
        self._tokens = {path: json.dumps(body).encode() for path, body in bodies.TOKENS.items()}

    def answer(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        if path in self._lists:
            self.counts["lists"] += 1
            return self._lists[path]
        if path in self._tokens:
            self.counts["tokens"] += 1
            return self._tokens[path]
        if path == "/counts":
            return json.dumps(self.counts).encode()
        self.counts["pages"] += 1
        return bodies.page(path, query)


class _Connection(asyncio.Protocol):
    def __init__(self, canned: _Canned) -> None:
        self._canned, self._received = canned, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + int(length[1] if length else 0)
            if len(self._received) < whole:
                return
            self._received = self._received[whole:]
            body = self._canned.answer(head.split(b" ", 2)[1].decode())
            echoed = _REQUEST_ID.search(head)
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b"
                % (b"X-Request-ID: %b\r\n" % echoed[1] if echoed else b"", len(body), body)
            )


async def _serve() -> None:
    canned = _Canned()
    loop, ports = asyncio.get_running_loop(), []
    for _ in range(2):
        server = await loop.create_server(lambda: _Connection(canned), "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
    print(*ports, flush=True)
    await server.serve_forever()


@contextmanager
def running() -> Iterator[Hosts]:
    """A canned server that runs meanwhile. Ctrl-C in a terminal does not reach it: who started it ends it."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(
        command, cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Hosts(*(f"http://127.0.0.1:{int(port)}" for port in process.stdout.readline().split()))
        finally:
            process.kill()


def asked(hosts: Hosts) -> Counter[str]:
    """How often a canned server was asked for a token, for a list, for a page of transactions."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{hosts.api}/counts") as answer:
        return Counter(json.load(answer))


if __name__ == "__main__":
    asyncio.run(_serve())
