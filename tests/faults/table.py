"""The page docs/fault-matrix.md: what became of each fault, without times. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from . import memory
from .catalogue import FAULTS, Fault
from .matrix import HALVES, Result
from .operations import CREATIONS, READS

_HEAD: Final = "| fault | a token | a read | a page | a creation | sent | holds |\n|---|---|---|---|---|---|---|\n"
_ABOUT: Final = """\
<!-- Written by `make faults`; do not edit. -->
# Fault matrix

How a call ends for each fault of a host, a proxy or a connection that the tests can produce.
[Reliability](reliability.md) sums it up and has the rules that each cell is held against.

**{total}.** A cell is one fault, one kind of call, and the sync or the async client.

| column | what it says |
|---|---|
| a token, a read, a page, a creation | how the call ended: with the answer, or with which exception |
| sent | how often the whole request reached the host at most: a read, then a creation |
| holds | whether every rule held |

A creation is a consent, a payment, or the start of an authorisation. `A / B` means that the sync client ended with A
and the async client with B. `(?)` marks an error whose `may_have_taken_effect` is True, as it always is for an
OutcomeUnknownError. `-` was not tried. Faults that end alike share a row.

"""


def _end(result: Result) -> str:
    seen = result.seen
    doubt = seen.may_have_taken_effect and seen.outcome != "OutcomeUnknownError"
    return seen.outcome + (" (?)" if doubt else "")


def _ends(results: Iterable[Result]) -> str:
    """How an operation ended; both halves, if they differ."""
    by_half: defaultdict[str, list[str]] = defaultdict(list)
    for each in results:
        if _end(each) not in by_half[each.cell.half]:
            by_half[each.cell.half].append(_end(each))
    said = {half: " or ".join(sorted(by_half[half])) for half in HALVES if by_half[half]}
    return " / ".join(dict.fromkeys(said.values())) or "-"


def _sent(results: Iterable[Result], operations: Iterable[str]) -> str:
    times = [each.seen.times for each in results if each.cell.operation in operations]
    return str(max(times)) if times else "-"


def _row(results: list[Result]) -> str:
    columns = [_ends(each for each in results if each.cell.operation == name) for name in READS]
    columns.append(_ends(each for each in results if each.cell.operation in CREATIONS))
    columns.append(f"{_sent(results, READS)}, {_sent(results, CREATIONS)}")
    good = sum(not each.broken for each in results)
    columns.append("yes" if good == len(results) else f"{good} of {len(results)}")
    return " | ".join(columns)


def page(total: str, tables: Iterable[str]) -> str:
    """The whole page: how many cells hold, and a table for each kind of fault."""
    return _ABOUT.format(total=total) + "".join(tables).rstrip() + "\n"


def faults_of(kind: str) -> list[Fault]:
    return [fault for fault in FAULTS.values() if fault.kind == kind]


def matrix_table(results: Iterable[Result]) -> Iterator[str]:
    """A table for each kind of fault. Faults that end alike share a line."""
    by_fault: defaultdict[str, list[Result]] = defaultdict(list)
    for each in results:
        by_fault[each.cell.fault].append(each)
    for kind in dict.fromkeys(FAULTS[name].kind for name in by_fault):
        lines: defaultdict[str, list[str]] = defaultdict(list)
        for fault in faults_of(kind):
            lines[_row(by_fault[fault.name])].append(fault.name.removeprefix(f"{kind}: "))
        rows = "".join(f"| {'; '.join(names)} | {row} |\n" for row, names in lines.items())
        yield f"## {kind[0].upper()}{kind[1:]}\n\n{_HEAD}{rows}\n"


def names_in(page: str) -> list[str]:
    """The faults that a page's table has, each with its kind."""
    found, kind = [], ""
    for line in page.splitlines():
        if line.startswith("## "):
            kind = line[3:]
        elif kind and line.startswith("| ") and not line.startswith("| fault |"):
            found += [f"{kind}: {name}" for name in line.split(" | ")[0][2:].split("; ")]
    return found


def names_of(faults: Iterable[Fault], more: Mapping[str, Iterable[str]]) -> list[str]:
    """The faults of the code, in the same form."""
    found = [f"{each.kind[0].upper()}{each.kind[1:]}: {each.name.removeprefix(f'{each.kind}: ')}" for each in faults]
    return found + [f"{kind}: {name}" for kind, names in more.items() for name in names]


def memory_table(shown: Mapping[tuple[str, str], Mapping[str, Any]]) -> str:
    rows = ""
    for bomb in dict.fromkeys(bomb for bomb, _ in shown):
        ends = " / ".join(dict.fromkeys(shown[bomb, half]["ended"] for half in HALVES))
        holds = all(is_held(bomb, shown[bomb, half]) for half in HALVES)
        rows += f"| {bomb} | {ends} | {'yes' if holds else 'no'} |\n"
    return f"## Memory\n\n| fault | what the caller gets | holds |\n|---|---|---|\n{rows}\n"


def is_held(bomb: str, shown: Mapping[str, Any]) -> bool:
    """Whether it was refused, at little cost."""
    about = memory.BOMBS[bomb]
    is_refused = shown["ended"] != "answer" or about.may_be_read
    is_small = shown["mebibytes"] <= memory.ALLOWED + about.limit / memory.MIB
    return bool(is_refused and is_small and shown["stood still"] <= memory.LONGEST_STOP)


def fork_table(shown: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ""
    for way, each in shown.items():
        ends = each["ends"]
        told = "; ".join(f"{who}: {how}" for who, how in ends.items())
        rows += f"| {way} | {told} | {each['shared connections']} | {'yes' if is_safe(way, each) else 'no'} |\n"
    head = "| fault | calls before, in the child, after | shared connections | holds |\n|---|---|---|---|\n"
    return f"## Fork\n\n{head}{rows}\n"


def is_safe(way: str, shown: Mapping[str, Any]) -> bool:
    """Whether parent and children got their own answers on connections of their own, or knew why not."""
    wanted = "ClientStateError" if way == "transport of the user" else "answer"
    children = [how for who, how in shown["ends"].items() if who.startswith("child")]
    parent = [how for who, how in shown["ends"].items() if not who.startswith("child")]
    return not shown["shared connections"] and {*children} == {wanted} and {*parent} == {"answer"}
