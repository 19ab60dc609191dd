"""What a refused bomb costs: `python -m tests.faults.memory BOMB HALF`, which prints JSON.

The host is another process. Memory is the peak of this one (VmHWM of Linux) above what it was before the call.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from openpayments_facade import ApiScope, AsyncOpenPayments, Environment, OpenPayments
from openpayments_facade._protocol.sizes import LONGEST_ANSWER, LONGEST_ERROR, LONGEST_TOKEN

from .catalogue import FAULTS, Does, sends
from .operations import call, driven, settled
from .wire import Wire

MIB: Final = 1 << 20
ALLOWED: Final = 64
"""Mebibytes above the limit."""
LONGEST_STOP: Final = 0.1
"""Seconds for which the event loop may stand still. What other processes take does not count."""


@frozen
class Bomb:
    """What is sent, and what it may cost."""

    does: Does
    limit: int = LONGEST_ANSWER
    """Bytes that such an answer may have."""
    operation: str = "read"
    may_be_read: bool = False
    """Whether it may end in an answer."""


def _gzip() -> Iterator[bytes]:
    """A gigabyte that is never finished: each piece is the same mebibyte."""
    packer = zlib.compressobj(9, wbits=31)
    first, next_one = (packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    yield first
    yield from [next_one] * 1023


def _bomb(status: int = 200) -> Does:
    return sends(lambda a: a.but(status=status).head(b"Content-Encoding: gzip"), _gzip)


def _plain(status: int = 200) -> Does:
    return sends(lambda a: a.but(status=status).head(), lambda: iter([b" " * MIB] * 200))


BOMBS: Final[dict[str, Bomb]] = {
    "1 GB in gzip": Bomb(_bomb()),
    "1 GB in gzip, status 500": Bomb(_bomb(500), LONGEST_ERROR),
    "1 GB in gzip, for a token": Bomb(_bomb(), LONGEST_TOKEN, "token"),
    "200 MB": Bomb(_plain()),
    "200 MB, status 500": Bomb(_plain(500), LONGEST_ERROR),
    **{
        fault.name: Bomb(fault.does, LONGEST_ERROR if "status 400" in fault.name else LONGEST_ANSWER,
                         may_be_read=fault.gets != "error")
        for fault in FAULTS.values() if fault.is_heavy
    },
}  # fmt: skip


def host(bomb: str) -> None:
    """Answers well, and with the bomb once a line has come in; until standard input ends."""
    with Wire(1) as wire:
        print(wire.port, flush=True)  # noqa: T201
        while sys.stdin.readline():
            wire.arm(BOMBS[bomb].does)
            print("armed", flush=True)  # noqa: T201


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    with suppress(OSError):  # without the right to, an earlier peak may hide a smaller one
        Path("/proc/self/clear_refs").write_text("5")


def _queued() -> float:
    """Seconds for which this thread could have run, but other processes had the processor."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


class _Stops:
    """How long the event loop has stood still at most: a task that wakes every few milliseconds."""

    longest = 0.0

    async def watch(self) -> None:
        while True:
            before, queued = time.perf_counter(), _queued()
            await asyncio.sleep(0.002)
            passed = time.perf_counter() - before - (_queued() - queued)
            self.longest = max(self.longest, passed - 0.002)


async def _show(bomb: str, half: str, port: int, arm: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    kind: Any = OpenPayments if half == "sync" else AsyncOpenPayments
    op = kind(
        client_id="app", client_secret="secret", environment=Environment("faults", url, url),
        api_scopes=list(ApiScope)[:3], max_retries=0,
    )  # fmt: skip
    operation = BOMBS[bomb].operation
    if operation == "read":
        await _call(op, "read")
    arm()
    stops = _Stops()
    watching = asyncio.ensure_future(stops.watch()) if half == "async" else None
    await settled(asyncio.sleep(0.02) if half == "async" else None)
    stops.longest = 0.0
    forget_peak()
    before, ended = peak(), "answer"
    try:
        await _call(op, operation)
    except Exception as error:
        ended = type(error).__name__
    above = peak() - before
    await settled(asyncio.sleep(0.005) if half == "async" else None)  # the watch sees the last stop, too
    longest = stops.longest
    if watching is not None:
        watching.cancel()
    await settled(op.close() if half == "sync" else op.aclose())
    return {"ended": ended, "mebibytes": round(above / MIB, 1), "stood still": round(longest, 3)}


async def _call(op: Any, operation: str) -> str:
    wanted = call(operation, op, str(uuid.uuid4()))
    return await wanted.finish(wanted, await wanted.begin(wanted))


def show(bomb: str, half: str) -> dict[str, Any]:
    """How a call ends that meets the bomb, with what it cost."""
    command = [sys.executable, "-m", "tests.faults.memory", "host", bomb]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        sends, says = other.stdin, other.stdout

        def arm() -> None:
            print(file=sends, flush=True)
            says.readline()

        showing = _show(bomb, half, int(says.readline()), arm)
        found = driven(showing) if half == "sync" else asyncio.run(showing)
        sends.close()
        return found


if __name__ == "__main__":
    if sys.argv[1] == "host":
        host(sys.argv[2])
    else:
        print(json.dumps(show(*sys.argv[1:])))  # noqa: T201
