"""A stranger's five minutes: the wheel in an empty environment, the simulator, the README's lines, the application."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from scripts.docs_blocks import Block, blocks
from tests.child_processes import child
from tests.docs.conftest import same

from .conftest import ROOT
from .person import Person

ALLOWED = 45.0
"""Seconds that an approval and a payment may take on a busy machine."""


def wait_for(process: subprocess.Popen[str], pattern: str) -> tuple[list[str], re.Match[str]]:
    """What a program prints until a line matches, and that line."""
    assert process.stdout is not None
    printed: list[str] = []
    for line in process.stdout:
        if found := re.search(pattern, line):
            return printed, found
        printed.append(line)
    raise AssertionError(f"it ended, and has printed {printed}")


@pytest.fixture
def stranger(python: Path, plain: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of somebody in an empty folder, who has activated the environment."""
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    return {**plain, **home, "PATH": f"{python.parent}:{plain['PATH']}", "COLUMNS": "100"}


@pytest.fixture
def pasted(stranger: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """The same in the second shell, with the lines of a running simulator."""
    command = [shutil.which("openpayments", path=stranger["PATH"]) or "", "simulator"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with child(command, cwd=tmp_path, env=stranger, **pipes) as simulator:
        lines, _ = wait_for(simulator, "The simulator is running")
        exports = [line.removeprefix("export ") for line in lines if line.startswith("export ")]
        yield stranger | dict(word.split("=", 1) for line in exports for word in shlex.split(line))


@pytest.mark.timeout(120)
def test_the_readme_does_what_it_says(python: Path, pasted: dict[str, str], tmp_path: Path) -> None:
    def run(block: Block) -> str:
        start = [str(python), "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run([*start, block.code], env=pasted, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"README.md:{block.line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    where = [str(python), "-c", "import openpayments_facade; print(openpayments_facade.__file__)"]
    installed = subprocess.run(where, env=pasted, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert installed.startswith(str(python.parent.parent))
    runnable = [block for block in blocks("README.md") if not block.not_run]
    # once a consent is valid, older ones of the same user expire: those follow one another
    consents = [block for block in runnable if "consent" in block.code]
    others = [block for block in runnable if block not in consents]
    with ThreadPoolExecutor() as pool:
        halves = pool.map(lambda half: [(block, run(block)) for block in half], (consents, others))
        printed = dict(pair for half in halves for pair in half)
    assert len(printed) == len(runnable)
    for block, said in printed.items():
        assert block.output is None or same(said, block.output), f"README.md:{block.line} prints\n{said}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["qr", "browser"])
def test_the_application_takes_somebody_from_a_country_to_a_payment(
    way: str, python: Path, stranger: dict[str, str], tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")  # beside it would be the SDK of the checkout
    command = [str(python), "-m", "examples.bank_journey", "--port", "0", "--database", str(tmp_path / "journey.db")]
    with child(command, stdout=subprocess.PIPE, cwd=tmp_path, env=stranger) as server:
        _, address = wait_for(server, r"Open (http://\S+)")
        with httpx.Client(follow_redirects=True, timeout=30, trust_env=False) as client:
            person = Person(client, address[1])
            person.follow("Sweden")
            person.press("Search", q="skandi")
            person.follow("Skandinaviska")
            person.press("Continue", user_id="example-user", way=way)
            approve(person)
            assert httpx.URL(person.page.url).path == "/accounts"
            person.follow("Lönekonto")
            assert "Salary" in person.page.text

            person.follow("Pay")
            person.press(
                "Continue", creditor_name="Example Shop", creditor_iban="SE3550000000054910000003", amount="125.50"
            )
            assert "Example Shop" in person.page.text
            person.press("Approve")
            approve(person)
            assert re.search(r"\bACS[CP]\b", person.page.text)
            assert until_over(person)["status"] == "ACSC"


def approve(person: Person) -> None:
    """Approves at the bank's page, or in an app; there the simulator's user does it after some looks."""
    if person.link_elsewhere:
        person.go(person.link_elsewhere)
        return person.press("Approve")
    return person.go(urljoin(person.page.url, str(until_over(person)["next"])))


def until_over(person: Person) -> dict[str, object]:
    """Waits as the page's script does, but more often."""
    end = time.monotonic() + ALLOWED
    while not (answer := person.ask())["over"]:
        assert time.monotonic() < end, answer
        time.sleep(0.2)
    return answer
