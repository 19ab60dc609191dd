"""A part of the fault matrix, the rules it goes by, and bugs that it finds. `make faults` runs all of it."""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from attrs import evolve

from openpayments_facade._http import pools, transport
from openpayments_facade._protocol import body, exchange
from openpayments_facade._protocol.sizes import LONGEST_ANSWER

from . import forked, memory, table
from .__main__ import KINDS, PAGE, in_a_process
from .catalogue import FAULTS
from .matrix import HALVES, Cell, Result, cells, run
from .operations import CREATIONS, READS
from .rules import Seen, broken

LANES = 24


def some(kind: str) -> list[Cell]:
    """One read and one creation for each fault: one sync, one async, and each class of operation in turn."""
    found = []
    for number, fault in enumerate(table.faults_of(kind)):
        for names, half in ((READS, HALVES[number % 2]), (CREATIONS, HALVES[1 - number % 2])):
            possible = [name for name in names if name in fault.operations]
            found += [Cell(fault.name, possible[number // 2 % len(possible)], half)] if possible else []
    return found


def broken_cells(wanted: list[Cell]) -> list[Result]:
    """The cells that don't hold. On a busy machine anything may be late: those are run again, one after the other."""
    first, left = run(wanted, LANES)
    assert not left
    again = [each.cell for each in first if each.broken]
    return [each for each in run(again, lanes=1)[0] if each.broken] if again else []


# Python's own `SSLContext.wrap_socket` leaves a socket to the garbage collector if it was reset just before; what we
# leave, the hosts of the matrix see
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sizes"])
def test_what_the_wire_does_hurts_nobody(kind: str) -> None:
    assert not broken_cells(some(kind))


def test_sizes_are_bounded() -> None:
    assert not broken_cells(some("sizes")[:12])


HEAVY = [fault.name for fault in FAULTS.values() if fault.is_heavy]


@pytest.mark.parametrize(
    ("bomb", "half"),
    [*zip([*memory.BOMBS][:3], ("sync", "async", "sync"), strict=True), *((each, "async") for each in HEAVY[::2])],
)
@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_memory_is_bounded(bomb: str, half: str) -> None:
    shown = in_a_process("memory", bomb, half)
    # seconds are for `make faults`: here anything may hold the loop up
    assert table.is_held(bomb, {**shown, "stood still": 0.0}), shown


@pytest.mark.parametrize(
    ("bomb", "ended", "mebibytes", "stood_still", "is_held"),
    [
        ("1 GB in gzip", "UnreadableResponseError", 95.0, 0.0, True),
        ("1 GB in gzip", "UnreadableResponseError", 97.0, 0.0, False),
        ("1 GB in gzip", "UnreadableResponseError", 1.0, 0.2, False),
        ("1 GB in gzip", "answer", 1.0, 0.0, False),
        ("1 GB in gzip, status 500", "ServerError", 65.0, 0.0, False),
        ("1 GB in gzip, for a token", "UnreadableResponseError", 65.0, 0.0, False),
        ("30,000 chunks of a byte", "answer", 1.0, 0.0, True),
    ],
)
def test_a_bomb_has_the_limit_of_its_answer(
    bomb: str, ended: str, mebibytes: float, stood_still: float, *, is_held: bool
) -> None:
    assert table.is_held(bomb, {"ended": ended, "mebibytes": mebibytes, "stood still": stood_still}) is is_held


@pytest.mark.parametrize(
    ("encoding", "chunks", "turns"),
    [
        ("gzip", [zlib.compress(b" " * 30_000_000, wbits=31)], 25),
        ("deflate", [zlib.compress(b" " * 30_000_000)], 25),
        ("identity", [b"a"] * 30_000, 100),
        ("gzip", [bytes([each]) for each in zlib.compress(random.Random(1).randbytes(30_000), wbits=31)], 100),
    ],
    ids=["a bomb", "another", "many chunks", "many chunks in gzip"],
)
def test_a_body_lets_the_event_loop_have_its_turn(encoding: str, chunks: list[bytes], turns: int) -> None:
    taken = body.Body(httpx.Headers({"Content-Encoding": encoding}), LONGEST_ANSWER)
    assert sum(1 for chunk in chunks for _ in taken.add(chunk)) >= turns


@pytest.mark.parametrize("way", forked.WAYS)
@pytest.mark.skipif(sys.platform == "win32", reason="it can't fork")
def test_a_forked_child_uses_nothing_of_its_parent(way: str) -> None:
    assert table.is_safe(way, in_a_process("forked", way))


GOOD = Seen(
    outcome="answer",
    is_creation=True,
    is_ours=False,
    is_right=True,
    has_request_id=False,
    may_have_taken_effect=False,
    status=None,
    times=1,
    strangers=0,
    seconds=0.1,
    limit=1.0,
    quoted=(),
    next_calls=(),
    left=(),
)
UNKNOWN = evolve(GOOD, outcome="OutcomeUnknownError", is_ours=True, has_request_id=True, may_have_taken_effect=True)


@pytest.mark.parametrize(
    ("seen", "known", "rule"),
    [
        (evolve(GOOD, is_right=False), {}, "another request"),
        (GOOD, {"is_own": False}, "believed"),
        (evolve(UNKNOWN, status=404), {"is_own": False}, "believed"),
        (GOOD, {"gets": "error"}, "broken answer"),
        (UNKNOWN, {"gets": "answer"}, "refused"),
        (evolve(GOOD, times=2), {}, "reached the host 2 times"),
        (evolve(GOOD, times=3, is_creation=False), {}, "reached the host 3 times"),
        (evolve(GOOD, strangers=1), {}, "another place"),
        (UNKNOWN, {"has_status": True}, "another place"),
        (evolve(GOOD, seconds=2.1), {}, "it took"),
        (evolve(UNKNOWN, is_ours=False), {}, "none of the SDK's"),
        (evolve(UNKNOWN, has_request_id=False), {}, "no request id"),
        (UNKNOWN, {"connects": False}, "doubts"),
        (evolve(UNKNOWN, is_creation=False), {}, "doubts"),
        (evolve(UNKNOWN, may_have_taken_effect=False), {}, "which nobody knows"),
        (evolve(UNKNOWN, may_have_taken_effect=False, status=503), {}, "which nobody knows"),
        (evolve(GOOD, quoted=("a log",)), {}, "quoted: a log"),
        (evolve(GOOD, next_calls=("late",)), {}, "next call: late"),
        (evolve(GOOD, left=("1 task",)), {}, "left: 1 task"),
    ],
)
def test_each_rule_can_be_broken(seen: Seen, known: dict[str, Any], rule: str) -> None:
    [found] = broken(seen, **{"gets": "any", **known})
    assert rule in found


@pytest.mark.parametrize(
    "seen", [GOOD, UNKNOWN, evolve(UNKNOWN, may_have_taken_effect=False, status=400), evolve(UNKNOWN, times=0)]
)
def test_what_is_right_breaks_no_rule(seen: Seen) -> None:
    assert not [*broken(seen, "any")]


def _without_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = exchange.Exchange.begin
    monkeypatch.setattr(
        exchange.Exchange, "begin", lambda self, response, *, checks_id: begin(self, response, checks_id=False)
    )


def _with_leftovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_check", lambda connection: None)


def _without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_left", lambda timeout, kind: timeout)


def _quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange.Exchange, "shown", lambda self, text: text)


def _following(monkeypatch: pytest.MonkeyPatch) -> None:
    send = httpx.Client.send
    monkeypatch.setattr(httpx.Client, "send", lambda *args, **more: send(*args, **{**more, "follow_redirects": True}))
    monkeypatch.setattr(pools, "_forget_redirect", lambda response: None)


@pytest.mark.parametrize(
    ("plant", "cell", "rule"),
    [
        (_without_ids, Cell("another's answer", "payment", "async"), "the answer of another request"),
        (_with_leftovers, Cell("two answers in one segment, without an id", "read", "sync"), "next call"),
        (_without_end, Cell("drips headers", "consent", "sync"), "it took"),
        (_following, Cell("301 to another host", "read", "sync"), "to another place"),
        (_following, Cell("303 to another path", "payment", "sync"), "to another place"),
        (_following, Cell("308 to a file", "read", "sync"), "to another place"),
        (_quoting, Cell("account number and token in the status line", "read", "async"), "quoted"),
    ],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], cell: Cell, rule: str
) -> None:
    assert not broken_cells([cell])
    plant(monkeypatch)
    [found], _ = run([cell])
    assert rule in "; ".join(found.broken)


def test_the_page_has_the_faults_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    more = {"Memory": memory.BOMBS, "Fork": forked.WAYS}
    assert sorted(table.names_in(page)) == sorted(table.names_of(FAULTS.values(), more))
    total = f"{len(cells())} of {len(cells())} cells hold, of {len(FAULTS)} faults"
    assert page.startswith(table.page(total, []).rstrip())
