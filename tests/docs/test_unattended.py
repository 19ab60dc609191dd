"""The nightly job of docs/unattended.md goes on when one consent can't be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Reader


@pytest.mark.openpayments_simulator(transactions=20)
@pytest.mark.parametrize(
    ("fault", "note", "went_well"),
    [
        ({"code": "CONSENT_EXPIRED"}, "connect again", True),
        ({"status": 429, "code": "ACCESS_EXCEEDED"}, "no more today", True),
        ({"status": 403}, "403 Forbidden", False),
    ],
    ids=str,
)
def test_a_nightly_job(
    fault: dict[str, Any], note: str, went_well: bool, reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    code = reader.block("docs/unattended.md", "A nightly job").code
    names: dict[str, Any] = {"__name__": "job"}
    exec(compile(code[: code.index("\nwith OpenPayments")], "job", "exec"), names)
    with reader.simulator.client() as op:
        for user in ("one", "two"):
            names["connect"](op, user)
        reader.simulator.misbehave("/psd2/accountinformation", **fault)
        assert names["nightly"](op) is went_well
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"one - {note}")
    assert second.startswith("two - ")
    assert second.endswith(" new transactions")
    notes = [row[0] for row in names["db"].execute("SELECT note FROM consents ORDER BY rowid")]
    assert notes[0].startswith(note)
    assert notes[1] == "ok"
