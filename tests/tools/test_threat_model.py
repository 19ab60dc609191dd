"""What the threat model says is shown by a test, and there is that test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
NAMED = re.compile(r"`(tests/[^`]*?)(?:::(\w+))?`")


def is_there(file: str, test: str) -> bool:
    path = ROOT / file
    if not test:
        return path.exists()
    return path.is_file() and re.search(rf"^(async )?def {test}\(", path.read_text(), re.MULTILINE) is not None


def test_what_is_named_is_there() -> None:
    assert [each for each in NAMED.findall(PAGE) if not is_there(*each)] == []
    assert not is_there("tests/nowhere.py", "")
    assert not is_there("tests/tools/test_threat_model.py", "test_nothing")


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.endswith("| shown by |")]
    assert len(rows) > 50
    assert [row for row in rows if not NAMED.search(row.rpartition(" | ")[2])] == []
