"""The lines of the README and the documentation do what they say. (The first ones run in test_wheel.py.)"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from openpayments_facade.simulator import Simulator

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent.parent


def lines(page: str, heading: str) -> str:
    """The first Python code under a heading."""
    code = re.search(rf"^##+ {heading}$.*?^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    assert code is not None
    return code[1]


def test_from_a_bank_to_transactions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code = lines("README.md", "From a bank to transactions")
    assert len(code.strip().splitlines()) <= 20
    with Simulator(transactions=10) as simulator:
        for line in simulator.exports():
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value)

        def browse(_: str) -> str:
            return simulator.visit(capsys.readouterr().out.removeprefix("Open ").strip())

        exec(compile(code, "README.md", "exec"), {"input": browse})
        printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3 * 10
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d -?\d+\.\d\d", line) for line in printed)
