"""`make bench`: everything side by side in one run."""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import rounds, trees
from benchmarks.results import page
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


def _counts() -> str:
    command = [sys.executable, "-m", "benchmarks.tokens"]
    # this tree's, wherever the package is installed from
    path = os.pathsep.join([str(trees.ROOT), str(trees.ROOT / "generated")])
    environ = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=trees.ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit("token requests could not be counted")
    return done.stdout


def main() -> None:
    usage = "make bench [ROWS=import,calls] [ROUNDS=9] [SEED=1] [BASE=<git rev>]"
    parser = argparse.ArgumentParser("make bench", usage=usage)
    parser.add_argument(
        "--rows", metavar="ROWS", default="", help="some rows or groups of them; 'counts' for token requests"
    )
    parser.add_argument("--rounds", metavar="ROUNDS", type=int, default=9)
    parser.add_argument("--seed", metavar="SEED", type=int, default=None)
    parser.add_argument("--base", metavar="BASE", default="", help="another commit of this project, measured as well")
    wanted = parser.parse_args()
    try:
        rows, counting = chosen(wanted.rows)
    except ValueError as error:
        parser.error(str(error))
    if wanted.rounds < 1:
        parser.error("ROUNDS must be 1 or more")
    seed = random.SystemRandom().randrange(10_000) if wanted.seed is None else wanted.seed
    rounds.refuse_unfair(PYTHON)

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    began, load = time.monotonic(), os.getloadavg()[0]
    tell(f"the seed of the random order is {seed}")
    if counting:
        tell("counting token requests")
    counts = _counts() if counting else ""
    with tempfile.TemporaryDirectory() as folder:
        places = {OURS: trees.copy(Path(folder) / "this")}
        if wanted.base:
            places[f"{OURS} at {wanted.base}"] = trees.copy(Path(folder) / "base", wanted.base)
        trees.compile_all(PYTHON, *places.values())
        commit = trees.commit()
        found = rounds.taken(rows, places, rounds=wanted.rounds, seed=seed, python=PYTHON, tell=tell) if rows else {}
    arguments = {"ROWS": wanted.rows, "ROUNDS": wanted.rounds, "SEED": seed, "BASE": wanted.base}
    command = [f"{name}={shlex.quote(str(value))}" for name, value in arguments.items() if value != ""]
    facts = {
        "command": f"`make bench {' '.join(command)}`",
        "commit": commit,
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "duration": f"{(time.monotonic() - began) / 60:.1f} minutes",
        "rounds": str(wanted.rounds),
        "seed": str(seed),
        "machine": trees.machine(),
        "load": f"{load:.1f} processes before the run: above 0.5, others were at work, and spreads are wide",
        "Python": sys.version.split()[0],
        "packages": _versions(PYTHON),
    }
    written = page(rows, found, facts=facts, notes=NOTES.read_text("utf-8") if NOTES.exists() else "", counts=counts)
    if wanted.rows:
        print(written)
    else:
        RESULTS.write_text(written, "utf-8")
        tell(f"written: {RESULTS.relative_to(trees.ROOT)}")


if __name__ == "__main__":
    main()
