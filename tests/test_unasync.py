"""`make unasync`, and what the other targets of the Makefile refuse."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of make, without setting anything up."""
    command = ["make", "--old-file=.venv/.dev", f"BIN={Path(sys.executable).parent}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("planted", "text", "told"),
    [
        ("index.md", "[Gone](gone.md)", "'gone.md', but the target is not found"),
        ("index.md", "[Gone](tokens.md#gone)", "does not contain an anchor '#gone'"),
        ("stray.md", "", 'not included in the "nav" configuration'),
    ],
)
def test_the_docs_have_no_broken_link_and_no_page_outside_the_nav(
    planted: str, text: str, told: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "docs" / planted).write_text(text)
    status, output = make("docs", f"ARGS=--config-file {tmp_path / 'mkdocs.yml'}")
    assert status == 2
    assert told in output
