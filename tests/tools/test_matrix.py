"""`make test-matrix`: which Pythons there are, and which of them are here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import matrix

if TYPE_CHECKING:
    import pytest

PROJECT = tomllib.loads((matrix.ROOT / "pyproject.toml").read_text())["project"]


def test_every_version_that_is_promised_is_looked_for() -> None:
    promised = re.findall(r":: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    assert PROJECT["requires-python"] == f">={promised[0]}"
    known = matrix.versions()
    assert known[: len(promised)] == promised


def test_what_is_not_there_is_named_and_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(matrix, "FOLDER", tmp_path / ".matrix")
    monkeypatch.setattr("sys.argv", ["matrix.py", "-p", "3.99"])
    assert matrix.main() == 0
    assert capsys.readouterr().out == "---\nnot found: 3.99\n"
