"""Records the cassettes: `make record` from the simulator, `make record FROM=sandbox` from the provider's sandbox.

    python scripts/record.py [simulator|sandbox] [--into FOLDER]

The tests marked `vcr` run against the chosen host and record into a temporary folder. Then both the sync and the async
half replay the recordings, with the network blocked. The cassettes are only replaced if all of that succeeds, and
nothing in them looks like a secret. Recording from the simulator contacts only loopback, and the same code writes the
same bytes. The sandbox requires OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET; answers that it can't be made to
give keep their old cassettes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).parent.parent
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CREDENTIALS = ("OPENPAYMENTS_CLIENT_ID", "OPENPAYMENTS_CLIENT_SECRET")

README = """\
# Cassettes

Recorded HTTP traffic ([vcrpy](https://vcrpy.readthedocs.io)). The tests marked `vcr` replay it with the network
blocked, and `make contract` holds each interaction against `openapi/openpayments.yaml`. One cassette serves the async
test and its sync twin; it has the test's name.

All cassettes name the provider's sandbox hosts, whatever they were recorded from. **A cassette recorded from the
simulator shows what this project believes about the API, not what the provider was seen to do.** The table says which
is which, by what the cassettes say of themselves.

Client id, client secret, tokens, codes and the ids of users are replaced by placeholders, headers that change from run
to run are left out, and request ids are made from the name of the test. The simulator's clock stands still and its seed
is fixed (`tests/conftest.py`), so consents, accounts and transactions are the same each time. The page where a user
approves is not recorded: between a redirect link and the exchange of its code a test calls `provider.visit(url)`.

- `make record` records all of them from the simulator, without leaving this machine. Without a change in the code it
  writes the same bytes.
- `make record FROM=sandbox` records from the provider's sandbox, with `OPENPAYMENTS_CLIENT_ID` and
  `OPENPAYMENTS_CLIENT_SECRET` from the environment. Answers that the sandbox can't be asked for (a revoked token, an
  outage, all that wants a person who approves) stay from the simulator. Read the difference before you commit it, and
  run `make contract`.
- Both of them refuse what looks like a secret, with its file and line, and `make record` then replaces nothing.

This page is written by `make record`.

| cassette | recorded from | interactions |
|---|---|---|
"""


def readme(folder: Path) -> str:
    """The README.md of a folder of cassettes."""
    rows = []
    for file in sorted(folder.glob("*.yaml")):
        cassette = yaml.safe_load(file.read_text("utf-8"))
        steps = ", ".join(
            step if (times := len(list(same))) == 1 else f"{step} ({times} times)"
            for step, same in groupby(map(_step, cassette["interactions"]))
        )
        rows.append(f"| `{file.name}` | {cassette['recorded_from']} | {steps} |\n")
    return README + "".join(rows)


def _step(interaction: dict[str, dict[str, dict[str, str]]]) -> str:
    request, response = interaction["request"], interaction["response"]
    path = re.sub(r"^/(psd2/\w+/v1/)?", "", urlsplit(str(request["uri"])).path)
    return f"{request['method']} {_UUID.sub('{id}', path)} {response['status']['code']}"


def record(source: str, into: Path) -> bool:
    """Records into a folder, which only changes if everything succeeds. Returns whether it did."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        if not _pytest("_async", "--record-mode=once", f"--record-from={source}", "--exitfirst", cassettes=fresh):
            return False
        if source == "sandbox":
            for file in into.glob("*.yaml"):
                if not (fresh / file.name).exists():
                    shutil.copy(file, fresh)
        if not _pytest("_*sync", cassettes=fresh) or not _has_no_secrets(fresh):
            return False
        (fresh / "README.md").write_text(readme(fresh), "utf-8")
        for file in into.glob("*.yaml"):
            if not (fresh / file.name).exists():
                file.unlink()
        shutil.copytree(fresh, into, dirs_exist_ok=True)
    return True


def _has_no_secrets(cassettes: Path) -> bool:
    contract = [sys.executable, "-m", "scripts.contract", "--secrets-only", "--cassettes", str(cassettes)]
    return subprocess.run(contract, cwd=ROOT, check=False).returncode == 0


def _pytest(halves: str, *arguments: str, cassettes: Path) -> bool:
    """Runs the recorded tests of one half or both. Returns whether all passed."""
    tests = [file for file in (ROOT / "tests").glob(f"{halves}/test_*.py") if "mark.vcr" in file.read_text("utf-8")]
    # no captured logs and no argument values: vcrpy logs whole answers
    options = ["-m", "vcr", f"--cassettes={cassettes}", "--quiet", "--tb=short", "--show-capture=no"]
    # these plugins are not needed here, and slow to load
    plugins = [f"-pno:{name}" for name in ("cacheprovider", "randomly", "schemathesis")]
    command = [sys.executable, "-m", "pytest", *map(str, sorted(tests)), *arguments, *options, *plugins]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make record",
        usage="make record [FROM=sandbox], or python scripts/record.py [simulator|sandbox] [--into FOLDER]",
        description="Records the cassettes anew.",
    )
    parser.add_argument("source", metavar="FROM", nargs="?", default="simulator", choices=["simulator", "sandbox"])
    parser.add_argument("--into", type=Path, default=ROOT / "cassettes", help="folder of the cassettes")
    arguments = parser.parse_args()
    missing = [name for name in CREDENTIALS if not os.environ.get(name)]
    if arguments.source == "sandbox" and missing:
        parser.error(f"the sandbox wants credentials: set {' and '.join(missing)}")
    if not record(arguments.source, arguments.into):
        print("The recording failed; the cassettes are as they were.", file=sys.stderr)
        return 1
    print(f"Recorded from the {arguments.source} into {arguments.into}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
