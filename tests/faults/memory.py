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
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from openpayments_facade import ApiScope, AsyncOpenPayments, Environment, OpenPayments

from .operations import call, driven, settled
from .wire import Got, Line, Wire

MIB: Final = 1 << 20
ALLOWED: Final = 64
"""Mebibytes above the limit."""
LONGEST_STOP: Final = 0.1
"""Seconds for which the event loop may stand still."""
BOMBS: Final = ("1 GB in gzip", "1 GB in gzip, status 500", "1 GB in gzip, for a token", "200 MB", "200 MB, status 500")
_GZIP: Final = b"Content-Encoding: gzip"


def _bomb() -> list[bytes]:
    """Pieces of gzip, which is never finished: each is the same mebibyte."""
    packer = zlib.compressobj(9, wbits=31)
    first, next_one = (packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return [first] + [next_one] * 1023


def _fault(bomb: str) -> Any:
    pieces = _bomb() if "gzip" in bomb else [b" " * MIB] * 200
    status = 500 if "500" in bomb else 200

    def does(line: Line, got: Got) -> None:
        line.send(line.answer(got).but(status=status).head(*([_GZIP] if "gzip" in bomb else [])))
        for piece in pieces:
            line.send(piece)
        line.close()

    return does


def host(bomb: str) -> None:
    """Answers well, and with the bomb once a line has come in; until standard input ends."""
    with Wire(1) as wire:
        print(wire.port, flush=True)  # noqa: T201
        fault = _fault(bomb)
        while sys.stdin.readline():
            wire.arm(fault)
            print("armed", flush=True)  # noqa: T201


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def forget_peak() -> None:
    with suppress(OSError):  # without the right to, an earlier peak may hide a smaller one
        Path("/proc/self/clear_refs").write_text("5")


class _Stops:
    """How long the event loop has stood still at most: a task that wakes every few milliseconds."""

    longest = 0.0

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            self.longest = max(self.longest, time.perf_counter() - before - 0.002)


async def _show(bomb: str, half: str, port: int, arm: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}"
    kind: Any = OpenPayments if half == "sync" else AsyncOpenPayments
    op = kind(
        client_id="app", client_secret="secret", environment=Environment("faults", url, url),
        api_scopes=list(ApiScope)[:3], max_retries=0,
    )  # fmt: skip
    operation = "token" if "token" in bomb else "read"
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
    above, longest = peak() - before, stops.longest
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
