"""Whatever a payer or a bank writes: the command's table, CSV and JSON can be shown, opened and parsed."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.canned_server import Canned, Given, canned
from tests.cli.people import run
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import texts

FORMULAS = [
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    '"=1',
    "'=1",
]
FORMULAS += [
    ";=1",
    ",=1",
    "\u200e=1",
    "\ufeff=1",
    "\x1b[31m=1",
    "\u202e=1",
    "a\n=1",
    '",=1',
    "-12.50",
    "%0A=1",
    "\u2066=1",
]
hostile = texts | st.sampled_from(FORMULAS) | st.builds(lambda one, two: one + two, st.sampled_from(FORMULAS), texts)
NAMES = ["creditorName", "debtorName", "remittanceInformationUnstructured", "additionalInformation", "endToEndId"]
NAMES += ["purposeCode", "bankTransactionCode"]
booked = st.fixed_dictionaries(
    {"transactionAmount": st.just({"currency": "SEK", "amount": "-12.50"})},
    optional=dict.fromkeys(NAMES, hostile),
)
NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canned]:
    cache: Path = tmp_path_factory.mktemp("cache")
    with canned() as server, pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if any(part in name.upper() for part in ("PROXY", "COLUMNS", "OPENPAYMENTS", "NO_COLOR", "FORCE_COLOR")):
                patch.delenv(name)
        patch.setattr("platformdirs.user_cache_path", lambda name: cache / name)
        for name, value in {"CLIENT_ID": "id", "CLIENT_SECRET": "secret", "API_SCOPES": "accountinformation"}.items():
            patch.setenv(f"OPENPAYMENTS_{name}", value)
        for host in ("API", "AUTH"):
            patch.setenv(f"OPENPAYMENTS_{host}_URL", server.url)
        yield server


@fuzzed(
    "outputs", 60, 3_000, sent=st.lists(booked, min_size=1, max_size=4), form=st.sampled_from(["--csv", "--json", ""])
)
def test_what_is_shown_controls_nothing(server: Canned, sent: list[dict[str, Any]], form: str) -> None:
    content = json.dumps({"transactions": {"booked": sent}}).encode()
    server.given = Given(200, {"Content-Type": "application/json"}, content)
    server.interactions.clear()
    chosen = [form] if form else []
    result = run("transactions", "an-account", "--bank", "ESSESESS", "--consent", "c", *chosen)
    assert result.exit_code == 0, result.stderr
    written = result.stdout_bytes.decode()
    assert [c for c in written + result.stderr if not c.isprintable() and c != "\n"] == []
    if form == "--json":
        read = json.loads(written)
        assert [{name: each.get(name) for name in NAMES} for each in read] == [
            {name: each.get(name) for name in NAMES} for each in sent
        ]
        return
    assert len(written.splitlines()) == len(sent) + 1
    for row in csv.reader(io.StringIO(written, newline="")) if form == "--csv" else ():
        for cell in row:
            is_formula = cell.lstrip().startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20"))
            assert not is_formula or NUMBER.fullmatch(cell)
