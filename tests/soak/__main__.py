"""A soak: tasks and threads that call for minutes, while faults come and go.

`python -m tests.soak` runs it, says what is judged with its figure, and ends with 1 if something grows or fails.

After each window of faults there is some grace, and then quiet, in which no call may fail. At the end of the quiet the
callers rest, and what the process holds is counted. A first round of all windows is the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import logging
import os
import random
import socket
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import define, field

from openpayments_facade import ApiScope, AsyncOpenPayments, Environment, OpenPayments
from openpayments_facade.tokens import forget_all
from openpayments_facade.tokens.token import BUDGET, BUDGET_REFILL
from tests.soak.callers import Book, Caller, Gate, Known, Plants, at_once, learn
from tests.soak.judges import MIB, Sample, Verdict, judge_growth, most_failures, most_tokens
from tests.soak.provider import KINDS

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PLANTS: Final = {
    "memory": ("objects", "blocks"),
    "pages": ("memory, MiB",),
    "thread": ("threads",),
    "task": ("tasks",),
    "socket": ("sockets", "file descriptors"),
    "failure": ("failed calls in quiet",),
    "surprise": ("undocumented exceptions", "failed calls in quiet"),
    "endless": ("calls that did not end",),
    "stranger": ("answers of others", "failed calls in quiet"),
    "double": ("payments made twice", "requests sent twice that must not be", "payments at the bank"),
    "tokens": ("tokens fetched", "token requests that failed"),
}
"""Flaws that can be planted, and who has to find them."""
SMALL: Final = [
    *("--seconds", "0", "--tasks", "30", "--threads", "4", "--task-pause", "0.6", "--thread-pause", "0.3"),
    *("--kinds", "everything", "--window", "0.3", "--grace", "0.3", "--quiet", "0.4", "--keepalive", "0.1"),
]
"""A soak of a few seconds."""
TIMEOUT, TOTAL_TIMEOUT = 4.0, 12.0
CONTEXTS: Final = 2
"""The PSU contexts that calls are made in: each has a token."""
M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3  # of malloc.h
PLANTED: Final = 8 * MIB
WIDTH: Final = 38
"""Of the first column."""


@define(eq=False)
class Soak:
    """One run."""

    options: argparse.Namespace
    say: Callable[[str], None]
    book: Book = field(factory=Book, init=False)
    gate: Gate = field(init=False)
    plants: Plants = field(init=False)
    is_over: threading.Event = field(factory=threading.Event, init=False)
    samples: list[Sample] = field(factory=list, init=False)
    windows: Counter[str] = field(factory=Counter, init=False)
    stuck: int = field(default=0, init=False)
    """Calls that did not end."""
    replaced: int = field(default=0, init=False)
    """Tokens that were refused."""
    begun: float = field(factory=time.monotonic, init=False)
    _chance: random.Random = field(init=False)
    _snapshots: list[tracemalloc.Snapshot] = field(factory=list, init=False)

    async def run(self) -> list[Verdict]:
        """Runs it, and judges."""
        options = self.options
        self.gate, self.plants = Gate(), Plants(frozenset(options.plant))
        self._chance = random.Random(options.seed)
        async with _provider(options.seed, options.lifetime) as (tell, found):
            arguments: dict[str, Any] = {
                "client_id": found["client_id"],
                "client_secret": found["client_secret"],
                "environment": Environment("soak", auth_url=found["auth_url"], api_url=found["api_url"]),
                "api_scopes": [ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION],
                "timeout": TIMEOUT,
                "total_timeout": TOTAL_TIMEOUT,
                "max_response_size": MIB,
                "limits": httpx.Limits(keepalive_expiry=options.keepalive, max_keepalive_connections=40),
            }
            with OpenPayments(**arguments) as sync_op:
                async with AsyncOpenPayments(**arguments) as op:
                    known = await learn(op)
                    self.begun = time.monotonic()
                    with self._threads(sync_op, known, arguments):
                        async with self._tasks(op, known, arguments):
                            await self._conduct(tell, op, sync_op, arguments)
            seconds = time.monotonic() - self.begun
            return self._judge(await tell(report=True), seconds)

    def _caller(self, number: int, op: Any, known: Known, arguments: dict[str, Any], *, is_async: bool) -> Caller:
        kind: Any = AsyncOpenPayments if is_async else OpenPayments
        return Caller(
            op=op,
            fresh=lambda: kind(**arguments),
            is_async=is_async,
            pause=self.options.task_pause if is_async else self.options.thread_pause,
            number=number,
            known=known,
            book=self.book,
            gate=self.gate,
            plants=self.plants,
            chance=random.Random(f"{self.options.seed}-{number}"),
            is_over=self.is_over,
        )

    @contextmanager
    def _threads(self, op: OpenPayments, known: Known, arguments: dict[str, Any]) -> Iterator[None]:
        callers = [self._caller(number, op, known, arguments, is_async=False) for number in range(self.options.threads)]
        threads = [threading.Thread(target=at_once, args=(each.live(),), daemon=True) for each in callers]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self.is_over.set()
            self.gate.open()
            for each in threads:
                each.join(TOTAL_TIMEOUT)

    @asynccontextmanager
    async def _tasks(self, op: AsyncOpenPayments, known: Known, arguments: dict[str, Any]) -> AsyncIterator[None]:
        first = self.options.threads
        callers = [
            self._caller(first + number, op, known, arguments, is_async=True) for number in range(self.options.tasks)
        ]
        tasks = [asyncio.create_task(each.live()) for each in callers]
        try:
            yield
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.wait(tasks)

    async def _conduct(
        self, tell: Any, op: AsyncOpenPayments, sync_op: OpenPayments, arguments: dict[str, Any]
    ) -> None:
        options, kinds = self.options, list[str]()
        least = len(options.kinds) + 3  # the warm-up, and what makes thirds
        while time.monotonic() - self.begun < options.seconds or len(self.samples) < least:
            if not kinds:
                kinds = self._chance.sample(options.kinds, len(options.kinds))
            kind = self.book.phase = kinds.pop()
            self.gate.open()
            self.windows[kind] += 1
            await tell(spoil=kind)
            await self._spoil_more(tell, kind)
            await tell(spoil=None)
            self.book.phase = "grace"
            await asyncio.sleep(options.grace)
            self.book.phase = "quiet"
            await asyncio.sleep(options.quiet)
            self._plant(arguments)
            await self._rest(op, sync_op, kind)

    async def _spoil_more(self, tell: Any, kind: str) -> None:
        if kind == "refused tokens":
            left = BUDGET + (time.monotonic() - self.begun) // BUDGET_REFILL - self.replaced
            # as much as the client replaces at once: what is beyond fails for a while, as documented
            for command in ["revoke", "refuse"][: max(0, int(left) - 1)]:
                await asyncio.sleep(self.options.window / 4)
                await tell(**{command: True})
                self.replaced += 1
        await asyncio.sleep(self.options.window)

    async def _rest(self, op: AsyncOpenPayments, sync_op: OpenPayments, kind: str) -> None:
        """Has everybody wait, and counts what is there."""
        self.gate.close()
        await self._until(lambda: not self.gate.busy)
        self.stuck = max(self.stuck, self.gate.busy)
        await asyncio.sleep(1.2 * self.options.keepalive)
        # a pool closes its expired connections when it is used
        await op.countries.get("SE")
        sync_op.countries.get("SE")
        await self._until(lambda: not _fetches())
        gc.collect()
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)  # gives free memory back, where the C library can
        sockets, descriptors = _descriptors()
        self.samples.append(
            Sample(
                after=kind,
                calls=self.book.calls.total(),
                memory=_memory(),
                objects=len(gc.get_objects()),
                blocks=sys.getallocatedblocks(),
                threads=threading.active_count(),
                tasks=len(asyncio.all_tasks()),
                sockets=sockets,
                descriptors=descriptors,
            )
        )
        if tracemalloc.is_tracing():
            self._snapshots = [*self._snapshots[:1], tracemalloc.take_snapshot()]

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Waits for it, as long as a call may take."""
        for _ in range(int(self.options.patience / 0.02)):
            if holds():
                break
            await asyncio.sleep(0.02)

    def _plant(self, arguments: dict[str, Any]) -> None:
        names, kept = self.plants.names, self.plants.kept
        if "pages" in names:
            kept.append(bytearray(b"x") * PLANTED)
        if "task" in names:
            kept.append(asyncio.create_task(asyncio.sleep(3600)))
        if "thread" in names:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        if "socket" in names:
            kept.append(socket.socket())
        if "tokens" in names:
            for _ in range(4):
                forget_all()
                with OpenPayments(**arguments) as op:
                    op.token()
            with httpx.Client(trust_env=False) as client:
                for _ in range(20):
                    client.post(f"{arguments['environment'].auth_url}/connect/token")

    def _judge(self, report: dict[str, Any], seconds: float) -> list[Verdict]:
        options, book = self.options, self.book
        warm = self.samples[len(options.kinds) :]
        self.say(_table(self, report, seconds))
        quiet = sum(count for (is_quiet, _), count in book.errors.items() if is_quiet)
        spoilt = sum(self.windows[each] for each in ("tokens", "everything"))
        tokens = most_tokens(seconds, options.lifetime, self.replaced)
        failed, failures = (
            report["token requests"] - report["tokens"],
            most_failures(spoilt, options.window + options.grace, CONTEXTS),
        )
        payments, made, most = report["payments"], book.made, book.made + book.unknown
        return [
            *judge_growth(warm),
            Verdict(
                "failed calls in quiet",
                f"{quiet} of {book.calls['quiet']}",
                "0",
                not quiet and bool(book.calls["quiet"]),
            ),
            Verdict(
                "undocumented exceptions", f"{book.undocumented} of {book.errors.total()}", "0", not book.undocumented
            ),
            Verdict("calls that did not end", f"{self.stuck}", "0", not self.stuck),
            Verdict(
                "answers of others", f"{book.foreign} of {book.checked}", "0", not book.foreign and bool(book.checked)
            ),
            Verdict("payments made twice", f"{report['paid twice']} of {payments}", "0", not report["paid twice"]),
            Verdict(
                "requests sent twice that must not be",
                f"{report['sent twice']} of {report['sent once']}",
                "0",
                not report["sent twice"] and bool(report["sent once"]),
            ),
            Verdict("payments at the bank", f"{payments}", f"{made} to {most}", made <= payments <= most),
            Verdict("tokens fetched", f"{report['tokens']}", f"{tokens}", 0 < report["tokens"] <= tokens),
            Verdict("token requests that failed", f"{failed}", f"{failures}", failed <= failures),
        ]

    def growth(self) -> list[str]:
        """Where memory has grown, if it was traced."""
        if len(self._snapshots) < 2:
            return []
        first, last = self._snapshots
        return [str(each) for each in last.compare_to(first, "traceback")[:10]]


@asynccontextmanager
async def _provider(seed: int, lifetime: int) -> AsyncIterator[tuple[Callable[..., Any], dict[str, Any]]]:
    """The other side: how to tell it something, and where it is."""
    command = [sys.executable, "-m", "tests.soak.provider", str(seed), str(lifetime)]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes)  # type: ignore[arg-type]
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    async def tell(**words: object) -> dict[str, Any]:
        stdin.write(json.dumps(words).encode() + b"\n")
        found: dict[str, Any] = json.loads(await stdout.readline())
        return found

    try:
        yield tell, json.loads(await stdout.readline())
    finally:
        stdin.close()
        await process.wait()


def _keep_nothing_free() -> None:
    """Has the C library give free memory back, where it can: what it keeps for each thread would look like growth."""
    with suppress(OSError, AttributeError):
        for option, value in ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, 128 * 1024)):
            ctypes.CDLL(None).mallopt(option, value)


def _fetches() -> bool:
    return any(each.name == "openpayments-token" for each in threading.enumerate())


def _memory() -> float:
    """MiB that are resident."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MIB, 1)


def _descriptors() -> tuple[int, int]:
    """How many sockets and how many file descriptors are open."""
    modes = []
    for each in os.listdir("/proc/self/fd"):  # noqa: PTH208 - `Path.iterdir` gives no more
        with suppress(OSError):  # that of the list itself
            modes.append(os.fstat(int(each)).st_mode)
    return sum(map(stat.S_ISSOCK, modes)), len(modes)


def _table(soak: Soak, report: dict[str, Any], seconds: float) -> str:
    options, book = soak.options, soak.book
    calls = book.calls.total()
    rows = [
        f"seed {options.seed}: {options.tasks} tasks and {options.threads} threads for {seconds:.0f} s, load "
        f"{os.getloadavg()[0]:.1f}; {calls} calls ({calls / seconds:.0f} a second), {report['requests']} requests at "
        f"the API, {report['token requests']} for tokens; the longest call took {book.longest[0]:.1f} s "
        f"({book.longest[1]})",
        f"windows: {_listed(soak.windows)}; {soak.replaced} tokens refused",
        f"faults: {_listed(report['spoilt'])}",
    ]
    for is_quiet, when in ((False, "within windows and grace"), (True, "in quiet")):
        failed = Counter({name: count for (quiet, name), count in book.errors.items() if quiet is is_quiet})
        rows.append(f"failed {when}: {_listed(failed) or 'none'}")
    rows += [f"  {each}" for each in book.texts]
    return "\n".join(rows)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda each: -each[1]))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--task-pause", type=float, default=7.0)
    parser.add_argument("--thread-pause", type=float, default=1.2)
    parser.add_argument("--window", type=float, default=4.0)
    parser.add_argument("--grace", type=float, default=2.0)
    parser.add_argument("--quiet", type=float, default=3.0)
    parser.add_argument("--lifetime", type=int, default=20)
    parser.add_argument("--keepalive", type=float, default=0.5)
    parser.add_argument("--patience", type=float, default=TOTAL_TIMEOUT + 5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--trace", action="store_true", help="say where memory grows; slow")
    parser.add_argument("--samples", action="store_true", help="print all samples")
    parser.add_argument("--self-test", action="store_true", help="plant flaws, and see whether they are found")
    parser.add_argument("--plant", nargs="+", choices=[*PLANTS], default=[], help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def small(*plants: str) -> tuple[int, set[str], str]:
    """A soak of a few seconds, with flaws: the exit code, what does not hold, and all that it prints."""
    planted = ["--plant", *plants] if plants else []
    planted += ["--patience", "0.5"] if "endless" in plants else []
    command = [sys.executable, "-m", "tests.soak", *SMALL, *planted]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    failed = {line[:WIDTH].strip() for line in done.stdout.splitlines() if line.endswith("  FAILED")}
    return done.returncode, failed, done.stdout


def self_test() -> int:
    """Plants one flaw after the other. The exit code says whether each was found, and nothing else."""
    is_right = True
    for plant, wanted in PLANTS.items():
        status, failed, _ = small(plant)
        said = "found" if status == 1 and failed == {*wanted} else "MISSED"
        is_right &= said == "found"
        print(f"{plant}: {said}: {', '.join(sorted(failed))}", flush=True)  # noqa: T201
    return 0 if is_right else 1


def main(arguments: list[str]) -> int:
    """Prints the table. The exit code says whether all holds."""
    options = _options(arguments)
    if options.self_test:
        return self_test()
    _keep_nothing_free()
    logging.getLogger("openpayments_facade").addHandler(logging.NullHandler())
    if options.trace:
        tracemalloc.start(8)
    print(f"seed {options.seed}", flush=True)  # noqa: T201
    soak = Soak(options, say=lambda text: print(text, flush=True))  # noqa: T201
    verdicts = asyncio.run(soak.run())
    if options.samples:
        print(*soak.samples, sep="\n")  # noqa: T201
    print(*soak.growth(), sep="\n", end="")  # noqa: T201
    for each in verdicts:
        print(f"{each.what:{WIDTH}} {each.figure:>30} {each.allowed:>16}  {'ok' if each.holds else 'FAILED'}")  # noqa: T201
    return 0 if all(each.holds for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
