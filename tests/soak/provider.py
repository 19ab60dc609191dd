"""The other side of the soak, in a process of its own: a simulator, and proxies that spoil its traffic when told to.

It reads commands on stdin, a JSON object a line, and answers each with a line on stdout:

- `{"spoil": <kind>}` begins a window of faults, one of `KINDS`; null ends it. `{"revoke": true}` revokes all tokens.
- `{"report": true}` tells what has come in.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from openpayments_facade.simulator import Misbehaviour, Simulator
from tests.cutting_proxy import Cut, bound

KINDS: Final = ("statuses", "cuts", "slow", "garbage", "strangers", "tokens", "refused tokens", "everything")
"""What the windows are named for."""

HTML: Final = {"body": "<html>It works!</html>", "content_type": "text/html"}
BOMB: Final = gzip.compress(bytes(4 * 1024 * 1024))
SIMULATED: Final[dict[str, list[dict[str, Any]]]] = {
    "statuses": [
        {"status": 500},
        {"status": 500, "carried_out": True},
        {"status": 502, **HTML},
        {"status": 503},
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 504, "carried_out": True},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 403},
        {"code": "SERVICE_BLOCKED"},
    ],
    "cuts": [{"close": True}, {"close": True, "carried_out": True}, {"close": True, "truncate": 9}],
    "slow": [{"delay": 0.3}, {"delay": 1.5}],
    "garbage": [HTML, {**HTML, "carried_out": True}, {"truncate": 9}, {"body": b"\xff\xfe\x00"}, {"status": 302}],
    "tokens": [{"status": 503}, {"status": 500, **HTML}, {"status": 429, "headers": {"Retry-After": "1"}}, HTML],
}
FEED: Final = 20.0
"""How many requests a second the simulator spoils."""
SHARE: Final = 0.2
"""The share of requests that a proxy spoils: of those of the API."""
SHARE_OF_TOKENS: Final = 0.8
GONE: Final = 0.2
"""Seconds for which nobody listens."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID: Final = re.compile(rb"(\r\nx-request-id: *)([^\r]*)", re.IGNORECASE)


class Line:
    """A connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, window: asyncio.Event) -> None:
        self.reader, self._writer, self.is_quiet = reader, writer, window
        """Its event is set outside windows."""

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Byte by byte, until the window is over."""
        for byte in data:
            await self.send(bytes([byte]))
            if not self.is_quiet.is_set():
                await asyncio.sleep(pause)

    async def reset(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()


Spoil = Callable[[Line, bytes, bytes], Awaitable[object]]
"""Gets the right answer, and the last one to somebody else. Whether the connection goes on."""


async def _no_answer(line: Line, answer: bytes, former: bytes) -> None:
    await line.reset()


async def _half_an_answer(line: Line, answer: bytes, former: bytes) -> None:
    await line.send(answer[: len(answer) // 2])


async def _idle_end(line: Line, answer: bytes, former: bytes) -> None:
    await line.send(answer)


async def _silence(line: Line, answer: bytes, former: bytes) -> None:
    await line.is_quiet.wait()


async def _dripping(line: Line, answer: bytes, former: bytes) -> bool:
    await line.drip(answer)
    return True


async def _early_hints(line: Line, answer: bytes, former: bytes) -> None:
    while not line.is_quiet.is_set():
        await line.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.01)


async def _banner(line: Line, answer: bytes, former: bytes) -> None:
    await line.send(b"SSH-2.0-OpenSSH_9.6\r\n")


async def _noise(line: Line, answer: bytes, former: bytes) -> None:
    await line.send(random.Random(len(answer)).randbytes(3000))


async def _long_header(line: Line, answer: bytes, former: bytes) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 150_000 + b"\r\n\r\n")


async def _bomb(line: Line, answer: bytes, former: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/json\r\n"
    await line.send(head + b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB)


async def _broken_gzip(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")
    return True


async def _another_answer(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(former or answer)
    return True


async def _two_answers(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(answer + former)
    return True


async def _late_answer(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(answer)
    await asyncio.sleep(0.02)
    await line.send(former)
    return True


async def _leftovers(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(answer + b'{"iban": "SE4550000000058398257466"}')
    return True


async def _another_id(line: Line, answer: bytes, former: bytes) -> bool:
    await line.send(_ID.sub(rb"\g<1>" + str(uuid.uuid4()).encode(), answer))
    return True


SPOILT: Final[dict[str, list[Spoil | Cut]]] = {
    "cuts": [
        Cut.NOTHING_SENT,
        Cut.IN_THE_REQUEST,
        Cut.NOT_CARRIED_OUT,
        _no_answer,
        _half_an_answer,
        _idle_end,
    ],
    "slow": [_silence, _dripping, _early_hints],
    "garbage": [_banner, _noise, _long_header, _bomb, _broken_gzip],
    "strangers": [_another_answer, _two_answers, _late_answer, _leftovers, _another_id],
    "tokens": [Cut.NOTHING_SENT, Cut.NOT_CARRIED_OUT, _half_an_answer, _silence, _banner, _another_answer],
}


class Proxy:
    """Stands before one host. `share` of the requests are spoilt during a window."""

    def __init__(self, upstream: str, share: float, chance: random.Random) -> None:
        self._upstream, self._share, self._chance = urlsplit(upstream), share, chance
        self._placeholder = bound(0)  # keeps the port while nobody listens
        self._port: int = self._placeholder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: asyncio.Server | None = None
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._kinds: list[Spoil | Cut] = []
        self._former = b""
        self.spoilt: Counter[str] = Counter()
        """How often it has done what."""
        self.ids: Counter[str] = Counter()
        """How often each request has come that must not come twice, by its id."""
        self.tokens = 0
        """How many tokens have reached a client."""
        self.requests = 0
        self._serving: set[asyncio.Task[None] | None] = set()  # asyncio forgets those whose client is gone

    async def listen(self) -> None:
        listener = bound(self._port)
        self._server = await asyncio.start_server(self._serve, sock=listener, backlog=2048)

    async def be_gone(self) -> None:
        """Refuses connections for a moment."""
        assert self._server is not None
        self._server.close()
        self.spoilt[Cut.REFUSED.value] += 1
        await asyncio.sleep(GONE)
        await self.listen()

    def spoil(self, kinds: list[Spoil | Cut]) -> None:
        """Begins a window; without kinds it ends one."""
        self._kinds = kinds
        if kinds:
            self._quiet.clear()
        else:
            self._quiet.set()

    def _take(self) -> Spoil | Cut | None:
        if not self._kinds or self._chance.random() > self._share:
            return None
        taken = self._chance.choice(self._kinds)
        self.spoilt[taken.value if isinstance(taken, Cut) else taken.__name__.strip("_").replace("_", " ")] += 1
        return taken

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            with suppress(asyncio.CancelledError):  # at the end of the soak
                await self._talk(reader, writer)
        finally:
            self._serving.discard(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer, self._quiet)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            back, there = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
            try:
                while (first := await reader.read(1)) and await self._pass_on(line, first, back, there):
                    pass
            finally:
                there.close()
        with suppress(OSError):
            await line.close()

    async def _pass_on(self, line: Line, first: bytes, back: asyncio.StreamReader, there: asyncio.StreamWriter) -> bool:
        """One request and its answer. Whether the connection goes on."""
        taken = self._take()
        if taken is Cut.NOTHING_SENT or taken is Cut.IN_THE_REQUEST:
            if taken is Cut.IN_THE_REQUEST:
                await line.reader.read(200)
            await line.reset()
            return False
        request, _ = await _message(line.reader, first)
        self._note(request)
        if taken is Cut.NOT_CARRIED_OUT:
            await line.reset()
            return False
        there.write(request)
        answer, is_whole = await _message(back)
        if not is_whole:
            await line.send(answer)
            return False
        former, self._former = self._former, answer
        if isinstance(taken, Cut) or taken is None:
            self.tokens += b'"access_token"' in answer
            await line.send(answer)
            return True
        return bool(await taken(line, answer, former))

    def _note(self, request: bytes) -> None:
        self.requests += 1
        if not request.startswith((b"GET ", b"HEAD ")) and (found := _ID.search(request)):
            self.ids[found[2].decode()] += 1


async def _message(reader: asyncio.StreamReader, first: bytes = b"") -> tuple[bytes, bool]:
    """A request or an answer, and whether it is all of it."""
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        return first + error.partial, False
    found = None if head.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304")) else _LENGTH.search(head)
    try:
        return head + await reader.readexactly(int(found[1]) if found else 0), True
    except asyncio.IncompleteReadError as error:
        return head + error.partial, False


class Provider:
    """A simulator behind its proxies."""

    def __init__(self, simulator: Simulator, chance: random.Random) -> None:
        self._simulator, self._chance = simulator, chance
        self.api = Proxy(simulator.api_url, SHARE, chance)
        self.auth = Proxy(simulator.auth_url, SHARE_OF_TOKENS, chance)
        self._feeding: asyncio.Task[None] | None = None
        self._fed: list[Misbehaviour] = []
        self.spoilt: Counter[str] = Counter()
        """What the simulator was told to do wrong."""

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carries out one command."""
        if "spoil" in command:
            await self._end()
            if command["spoil"]:
                self._begin(command["spoil"])
        if command.get("revoke"):
            self._simulator.revoke_tokens()
        if command.get("refuse"):
            self._fed.append(self._simulator.misbehave("/psd2/*", method="GET", code="TOKEN_INVALID"))
        return self._report() if command.get("report") else {}

    def _begin(self, kind: str) -> None:
        every = [each for each in SPOILT if each != "tokens"]
        kinds = every if kind == "everything" else [kind]
        self.api.spoil([each for name in kinds for each in SPOILT.get(name, []) if kind != "tokens"])
        if kind in {"tokens", "everything"}:
            self.auth.spoil(SPOILT["tokens"])
        names = SIMULATED.keys() if kind == "everything" else SIMULATED.keys() & {kind}
        choices = [
            ("/connect/token" if name == "tokens" else "/psd2/*", each) for name in names for each in SIMULATED[name]
        ]
        self._feeding = asyncio.create_task(self._feed(choices, goes=kind in {"cuts", "everything"}))

    async def _feed(self, choices: list[tuple[str, dict[str, Any]]], *, goes: bool) -> None:
        while True:
            await asyncio.sleep(1 / FEED)
            self._fed = [each for each in self._fed if each.remaining]
            path, fault = self._chance.choice(choices or [("", {})])
            if fault and sum(each.fault.path == path for each in self._fed) < 4:
                self._fed.append(self._simulator.misbehave(path, **fault))
                self.spoilt[str(fault.get("status") or fault.get("code") or next(iter(fault)))] += 1
            if goes and self._chance.random() < 0.05:
                await asyncio.shield(asyncio.ensure_future(self.api.be_gone()))

    async def _end(self) -> None:
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.wait([self._feeding])
            if not self._feeding.cancelled():
                self._feeding.result()  # raises what ended it
            self._feeding = None
            await asyncio.sleep(GONE)
        while self._fed:
            self._fed.pop().cancel()
        for proxy in (self.api, self.auth):
            proxy.spoil([])

    def _report(self) -> dict[str, Any]:
        references = Counter(each.request["endToEndIdentification"] for each in self._simulator.payments)
        return {
            "requests": self.api.requests,
            "spoilt": dict(self.api.spoilt + self.auth.spoilt + self.spoilt),
            "payments": references.total(),
            "paid twice": sum(each > 1 for each in references.values()),
            "sent twice": sum(each > 1 for each in self.api.ids.values()),
            "sent once": len(self.api.ids),
            "token requests": self.auth.requests,
            "tokens": self.auth.tokens,
        }


async def main(seed: int, lifetime: int) -> None:
    """Runs until stdin ends."""
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    simulator = Simulator(token_lifetime=lifetime, decoupled_reads=1, transactions=60, page_size=25, seed=seed)
    with simulator:
        provider = Provider(simulator, random.Random(seed))
        await provider.api.listen()
        await provider.auth.listen()
        found: dict[str, Any] = {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "auth_url": provider.auth.url,
            "api_url": provider.api.url,
        }
        while True:
            print(json.dumps(found), flush=True)  # noqa: T201
            line = await commands.readline()
            if not line:
                return
            found = await provider.obey(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
