"""Runs the fault matrix: `make faults`. `make faults ARGS="TLS 'mixed up'"` runs some kinds, and writes no table."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from . import forked, memory, table
from .catalogue import FAULTS
from .matrix import HALVES, Result, run_kind

PAGE: Final = Path(__file__).parents[2] / "docs" / "fault-matrix.md"
KINDS: Final = list(dict.fromkeys(fault.kind for fault in FAULTS.values()))


def _matrix(kinds: list[str], threads: list[str]) -> Iterator[Result]:
    """What each cell showed. The names of threads that stay come to `threads`."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for kind, (found, left) in zip(kinds, pool.map(run_kind, kinds), strict=True):
            for each in found:
                if each.broken:
                    cell, why = each.cell, "; ".join(each.broken)
                    print(f"{cell.fault} | {cell.operation} {cell.half} | {each.seen.outcome} | {why}")  # noqa: T201
            good = sum(not each.broken for each in found)
            print(f"{kind}: {good} of {len(found)} cells hold; threads left: {left or 'none'}", flush=True)  # noqa: T201
            threads += left
            yield from found


def in_a_process(module: str, *arguments: str) -> dict[str, Any]:
    """What a module of this folder prints, as JSON."""
    command = [sys.executable, "-m", f"tests.faults.{module}", *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main(wanted: list[str]) -> int:
    started = time.monotonic()
    threads: list[str] = []
    results = list(_matrix(wanted or KINDS, threads))
    good = sum(not each.broken for each in results)
    faults = len({each.cell.fault for each in results})
    total = f"{good} of {len(results)} cells hold, of {faults} faults"
    is_held = good == len(results) and not threads
    if not wanted:
        bombs = {(bomb, half): in_a_process("memory", bomb, half) for bomb in memory.BOMBS for half in HALVES}
        for (bomb, half), each in bombs.items():
            still = f", the loop stood still for {each['stood still'] * 1000:.0f} ms" if half == "async" else ""
            print(f"{bomb}, {half}: {each['ended']}, {each['mebibytes']} MiB more{still}")  # noqa: T201
        forks = {way: in_a_process("forked", way) for way in forked.WAYS}
        tables = [*table.matrix_table(results), table.memory_table(bombs)]
        tables.append(table.fork_table(forks))
        is_held &= all(table.is_held(bomb, each) for (bomb, _), each in bombs.items())
        is_held &= all(table.is_safe(way, each) for way, each in forks.items())
        PAGE.write_text(table.page(total, tables), "utf-8")
    print(f"{total}; in {time.monotonic() - started:.0f} s")  # noqa: T201
    return not is_held


if __name__ == "__main__":
    parser = argparse.ArgumentParser("make faults", usage="make faults [ARGS=KIND...]", description=__doc__)
    parser.add_argument("kinds", metavar="KIND", nargs="*", help=", ".join(KINDS))
    wanted = parser.parse_args().kinds
    if unknown := [kind for kind in wanted if kind not in KINDS]:
        parser.error(f"no such KIND: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    sys.exit(main(wanted))
