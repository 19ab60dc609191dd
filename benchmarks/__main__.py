"""`make bench`: everything side by side in one run."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import rounds, trees
from benchmarks.results import INTRODUCTION, page
from benchmarks.rows import OURS, chosen

RESULTS, NOTES = trees.ROOT / "benchmarks" / "RESULTS.md", trees.ROOT / "benchmarks" / "NOTES.md"
PYTHON = trees.ROOT / ".bench" / "bin" / "python"


def _versions(python: str | Path) -> str:
    program = (
        "import json, sys, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )
    done = subprocess.run([python, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    found: Mapping[str, str] = json.loads(done.stdout)
    return ", ".join(
        f"{name} {found[name]}" for name in sorted(found, key=str.lower) if name not in ("pip", "setuptools")
    )


def _counts(folder: str) -> str:
    command = [sys.executable, "-m", "benchmarks.tokens"]
    # this tree's, wherever the package is installed from
    path = os.pathsep.join([str(trees.ROOT), str(trees.ROOT / "generated")])
    environ = {**os.environ, "PYTHONPATH": path, "TMPDIR": folder}
    with subprocess.Popen(
        command, cwd=trees.ROOT, env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            table, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # its Valkey and its workers, too
            raise
    if process.returncode:
        raise SystemExit("token requests could not be counted")
    return table


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _bench()
    except KeyboardInterrupt:
        print("interrupted: nothing is written", file=sys.stderr)
        sys.exit(130)


def _bench() -> None:
    usage = "make bench [ROWS=import,calls] [ROUNDS=9] [SEED=1] [BASE=<git rev>]"
    parser = argparse.ArgumentParser("make bench", usage=usage)
    parser.add_argument(
        "--rows", metavar="ROWS", default="", help="some rows or groups of them; 'counts' for token requests"
    )
    parser.add_argument("--rounds", metavar="ROUNDS", default="9")
    parser.add_argument("--seed", metavar="SEED", default=str(random.SystemRandom().randrange(1, 10_000)))
    parser.add_argument("--base", metavar="BASE", default="", help="another commit of this project, measured as well")
    wanted = parser.parse_args()
    try:
        rows, counting = chosen(wanted.rows)
    except ValueError as error:
        parser.error(f"ROWS: {error}")
    for name, text in {"ROUNDS": wanted.rounds, "SEED": wanted.seed}.items():
        if not re.fullmatch("[1-9][0-9]*", text):
            parser.error(f"{name} must be a whole number from 1 on, and is {text!r}")
    number, seed, writes = int(wanted.rounds), int(wanted.seed), not (wanted.rows or wanted.base)
    rounds.refuse_unfair(PYTHON)

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    began, load = time.monotonic(), os.getloadavg()[0]
    tell(f"the seed of the random order is {seed}")
    if not Path("/proc/self/status").exists() and (left_out := [row.key for row in rows if row.unit == "MiB"]):
        rows = [row for row in rows if row.key not in left_out]
        tell(f"not measured, for memory is read from /proc: {', '.join(left_out)}")
    with tempfile.TemporaryDirectory() as folder:
        places = {OURS: trees.copy(Path(folder) / "this")}
        if wanted.base:
            places[f"{OURS} at {wanted.base}"] = trees.copy(Path(folder) / "base", wanted.base)
        trees.compile_all(PYTHON, *places.values())
        commit = trees.commit()
        if counting:
            tell("counting token requests")
        counts = _counts(folder) if counting else ""
        found = rounds.taken(rows, places, rounds=number, seed=seed, python=PYTHON, tell=tell) if rows else {}
    arguments = {"ROWS": wanted.rows, "ROUNDS": number, "SEED": seed, "BASE": wanted.base}
    command = [f"{name}={shlex.quote(str(value))}" for name, value in arguments.items() if value != ""]
    facts = {
        "command": f"`make bench {' '.join(command)}`",
        "commit": commit,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "duration": f"{(time.monotonic() - began) / 60:.1f} minutes",
        "rounds": str(number),
        "seed": str(seed),
        "machine": trees.machine(),
        "load": f"{load:.1f} processes before the run: above 0.5, others were at work, and spreads are wide",
        "Python": sys.version.split()[0],
        "packages": _versions(PYTHON),
    }
    if writes:
        notes = NOTES.read_text("utf-8")
        text = page(rows, found, facts=facts, introduction=INTRODUCTION, notes=notes, counts=counts)
        RESULTS.write_text(text, "utf-8")
        tell(f"written: {RESULTS}")
    else:
        print(page(rows, found, facts=facts, counts=counts))


if __name__ == "__main__":
    main()
