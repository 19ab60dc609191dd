"""What make says if something is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def make(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of make, without setting anything up."""
    # this may run under make itself, which tells its children about it
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--old-file=.venv/.dev", f"BIN={Path(sys.executable).parent}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_docs_have_no_broken_link_and_no_page_outside_the_nav(tmp_path: Path) -> None:
    # a site of two pages, held to what is asked of the whole one
    config = (ROOT / "mkdocs.yml").read_text("utf-8")
    asked = re.search(r"^validation:\n(?:  .*\n)+", config, re.MULTILINE)
    assert asked is not None
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nplugins: []\nnav: [index.md, other.md]\n{asked[0]}")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[Gone](gone.md) [Gone](other.md#gone)")
    (tmp_path / "docs" / "other.md").write_text("")
    (tmp_path / "docs" / "stray.md").write_text("")
    status, output = make("docs", f"ARGS=--config-file {tmp_path / 'mkdocs.yml'}")
    assert status == 2
    assert "'gone.md', but the target is not found" in output
    assert "does not contain an anchor '#gone'" in output
    assert 'not included in the "nav" configuration:\n  - stray.md' in output


@pytest.mark.parametrize(
    ("arguments", "usage", "error"),
    [
        (["record", "FROM=sandbix"], "usage: make record [FROM=sandbox]", "make record: error: argument FROM: invalid"),
        (["spec-diff"], "usage: make spec-diff BASE=<git rev>", "make spec-diff: error: the following arguments are"),
    ],
)
def test_what_is_missing_or_misspelt_is_said_in_the_words_of_make(arguments: list[str], usage: str, error: str) -> None:
    status, output = make(*arguments)
    assert status == 2
    assert output.startswith(usage)
    assert error in output


def test_no_unknown_part_is_fuzzed_and_no_unknown_kind_of_fault_is_met() -> None:
    status, output = make("fuzz", "PART=inputs input")
    assert status == 2
    assert "the parts are answers callbacks" in output
    assert "simulator" in output
    status, output = make("faults", "ARGS=tsl")
    assert status == 2
    assert "no such KIND: tsl; there are closed, reset" in output


@pytest.mark.parametrize("target", ["test-browser", "screenshots"])
def test_who_has_no_browser_is_told_how_to_get_one(target: str) -> None:
    status, output = make(target, "CHROMIUM=")
    assert status == 2
    assert "on Debian 'apt-get install chromium'" in output


@pytest.mark.parametrize("name", ["simulator", "schemathesis"])
def test_a_part_is_fuzzed_by_the_name_that_the_table_has(name: str) -> None:
    status, output = make("--dry-run", "fuzz", f"PART=inputs {name}")
    assert status == 0
    assert "tests/fuzz/test_inputs.py tests/simulator/test_schemathesis.py" in " ".join(output.split())
