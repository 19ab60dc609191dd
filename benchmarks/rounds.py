"""Takes the figures: each is that of a fresh process, and the contenders take turns in a random order."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import server
from benchmarks.rows import OURS, Row

if TYPE_CHECKING:
    from benchmarks.figures import Found
    from benchmarks.hosts import Hosts

UNWANTED = ("click", "rich", "pygments")
"""httpx loads its own command line where these are installed."""


def refuse_unfair(python: str | Path) -> None:
    """Ends the program if an import of httpx would be slower in this environment than in that of most users."""
    program = f"import importlib.util as u; print(*[each for each in {UNWANTED} if u.find_spec(each)])"
    done = subprocess.run([python, "-P", "-c", program], stdout=subprocess.PIPE, text=True, check=True, env={})
    if found := done.stdout.split():
        raise SystemExit(f"{', '.join(found)} must not be installed: httpx would load its own command line")


def environment(tree: Path, variables: int) -> dict[str, str]:
    """That of a measured process: no proxies, and nothing that changes Python but the path of the tree.

    It has as many variables wherever it is measured, since HTTP clients look at each, in search of proxies.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    kept["PYTHONPATH"] = os.pathsep.join([str(tree), str(tree / "generated")])
    return kept | {f"SERVICE_{number}_ADDRESS": f"10.0.0.{number}:8080" for number in range(variables - len(kept))}


def measured(python: str | Path, tree: Path, row: Row, contender: str, hosts: Hosts) -> dict[str, float]:
    """The figures of one process. Ends the program if it fails, or did not do the work that it counted."""
    before = server.asked(hosts)
    program, function = str(tree / "benchmarks" / "measure.py"), row.contenders[contender]
    command = [python, "-P", program, row.method, function, hosts.api, hosts.auth]
    done = subprocess.run(
        command, env=environment(tree, row.variables), capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise SystemExit(f"{row.title}: {contender} failed\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    asked = server.asked(hosts) - before
    for kind in ("lists", "pages"):
        if asked[kind] != figures.pop(kind, 0):
            raise SystemExit(f"{row.title}: {contender} asked for {asked[kind]} {kind}, which is not what it measured")
    figures["tokens"] = asked["tokens"]
    return figures


def taken(
    rows: list[Row],
    trees: Mapping[str, Path],
    *,
    rounds: int,
    seed: int,
    python: str | Path = sys.executable,
    tell: Callable[[str], object] = lambda _: None,
) -> dict[str, Found]:
    """The figures of all rounds, by row and contender. `trees` has this tree under OURS; others are measured, too."""
    chance = random.Random(seed)
    found: dict[str, Found] = {row.key: defaultdict(list) for row in rows}
    with server.running() as hosts:
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for row in chance.sample(rows, len(rows)):
                if number >= row.most_rounds:
                    continue
                turns = [(name, OURS, name) for name in row.contenders]
                turns += [(other, other, OURS) for other in trees if other != OURS and OURS in row.contenders]
                for name, tree, contender in chance.sample(turns, len(turns)):
                    found[row.key][name].append(measured(python, trees[tree], row, contender, hosts))
    return found
