"""What the soak is judged by: figures from which it follows whether something grows. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

from attrs import frozen

from openpayments_facade.tokens.token import LEAD_SHARE

MIB: Final = 1024 * 1024
MEMORY, OBJECTS, BLOCKS = 4.0, 1_000, 3_000
"""By how much these may grow, because their number is not quite the same at each rest: MiB, and numbers. Between the
medians of a soak of 300 seconds lie 12,000 calls, of which 300 fail: so a leak is found of 350 bytes or an eighth of an
object in each call, or of four objects in each that fails. Threads, tasks and sockets are the same each time."""


@frozen
class Sample:
    """What the process holds at rest: callers wait, idle connections have ended, the garbage is collected."""

    after: str
    """The kind of the window that went before."""
    calls: int
    """How many calls have been made so far."""
    memory: float
    """Resident, in MiB."""
    objects: int
    """What the garbage collector knows."""
    blocks: int
    """Blocks of memory of Python's allocator."""
    threads: int
    tasks: int
    sockets: int
    descriptors: int


@frozen
class Verdict:
    """One line of the table."""

    what: str
    figure: str
    allowed: str
    holds: bool


def thirds(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last third: one odd value counts for nothing, a steady growth for all."""
    third = max(1, len(values) // 3)
    return median(values[:third]), median(values[-third:])


def judge_growth(samples: Sequence[Sample]) -> list[Verdict]:
    """Whether anything grew between the first and the last third of the samples, which are those after the warm-up."""
    rows: list[tuple[str, list[float], float]] = [
        ("memory, MiB", [each.memory for each in samples], MEMORY),
        ("objects", [each.objects for each in samples], OBJECTS),
        ("blocks", [each.blocks for each in samples], BLOCKS),
        ("threads", [each.threads for each in samples], 0),
        ("tasks", [each.tasks for each in samples], 0),
        ("sockets", [each.sockets for each in samples], 0),
        ("file descriptors", [each.descriptors for each in samples], 0),
    ]
    found = []
    for what, values, allowed in rows:
        first, last = thirds(values)
        figure = f"{first:,.10g} -> {last:,.10g}"
        found.append(Verdict(what, figure, f"+{allowed:,.0f}" if allowed else "no growth", last - first <= allowed))
    return found


def most_tokens(seconds: float, lifetime: float, replaced: int) -> int:
    """How many tokens may be fetched, for a PSU context that is paid in and another one that is only read in.

    A creation needs a token that is valid for 30 more seconds, or for four fifths of its lifetime if that is shorter; a
    read asks for another one when the last fifth has begun. So there is one fetch in so many seconds at most, and one
    more at the beginning and for each token that was refused. `lifetime` is at most 600 s.
    """
    paid = lifetime - min(30.0, (1 - LEAD_SHARE) * lifetime)
    read = (1 - LEAD_SHARE) * lifetime
    return sum(1 + math.ceil(seconds / each) + replaced for each in (paid, read))


def most_failures(windows: int, seconds: float, contexts: int) -> int:
    """How many token requests may fail.

    After the n-th failure in a row there is a pause of half a second times 2 ** (n - 1); one request more ends it.
    """
    return windows * contexts * (2 + math.floor(math.log2(2 * seconds + 1)))
