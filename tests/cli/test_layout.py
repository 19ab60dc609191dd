"""What people copy from a terminal, whatever its width, and what programs read from a pipe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from openpayments_facade.cli.app import app
from tests.cli.people import IP, PSU_ID, SCRIPT, TODAY, USER, run, terminal

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

WIDTHS = [40, 60, 80, 120, 200]
# what is as long as it is, and no line break may be in it
LONG = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|SE[0-9]{22}|https?://\S+|[a-z]+(?:-[a-z]+){3,}")


@pytest.fixture
def things(simulator: Simulator) -> dict[str, str]:
    """What commands are about."""
    with simulator.client() as op:
        bank = op.at_bank("ESSESESS", USER)
        consent_id = bank.consents.create(valid_until=TODAY + timedelta(days=90)).consent_id
        simulator.approve(consent_id)
        account_id = bank.accounts(consent_id).list()[0].resource_id or ""
    return {"CONSENT": consent_id, "ACCOUNT": account_id}


COMMANDS = [
    "countries",
    "cities",
    "banks",
    "bank ESSESESS",
    "accounts --bank ESSESESS --consent CONSENT",
    "accounts --bank ESSESESS --consent CONSENT --with-balance",
    "balances ACCOUNT --bank ESSESESS --consent CONSENT",
    "transactions ACCOUNT --bank ESSESESS --consent CONSENT --status both",
    "transactions ACCOUNT --bank ESSESESS --consent CONSENT --csv",
    "transactions ACCOUNT --bank ESSESESS --consent CONSENT --json",
    "consent show CONSENT --bank ESSESESS",
    "consent create --bank ESSESESS",
    "quote SWEDSESS --from SEK --to USD --amount 130 --country US",
    "kyc start 556677-8899 --country SE",
    "token",
    "doctor",
    "pay ESSESESS --yes --amount 1 --name Shop --from SE4550000000058398257466 --to SE3550000000054910000003",
]


def words(command: str, things: dict[str, str]) -> list[str]:
    return [things.get(word, word) for word in command.split()]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_is_copied_is_broken_on_a_terminal(
    simulator: Simulator, things: dict[str, str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name, value in {"OPENPAYMENTS_PSU_ID": PSU_ID, "OPENPAYMENTS_PSU_IP": IP}.items():
        monkeypatch.setenv(name, value)
    wanted = set(LONG.findall(run(*words(command, things)).stdout))
    for columns, kind in [*((each, "xterm-256color") for each in WIDTHS), (40, "dumb"), (200, "unknown")]:
        monkeypatch.setenv("TERM", kind)
        with terminal(columns) as (screen, written), monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            app(words(command, things), standalone_mode=False)
            shown = written()
        found = set(LONG.findall(shown))
        # what each run makes anew
        is_new = command.startswith(("consent create", "quote", "pay", "kyc", "token"))
        assert len(found) == len(wanted) if is_new else found == wanted, shown
        for line in shown.splitlines():
            is_one_value = len(line.split()) == 1 or line.startswith(("  ", " " * 46, '"', "{"))
            assert len(line) <= columns or is_one_value or command == "doctor", line


def test_a_row_that_does_not_fit_is_a_record(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    pages = []
    for columns in (40, 48, 80):
        with terminal(columns) as (screen, written), monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            app(["cities", "--country", "SE", "--country", "FI"], standalone_mode=False)
            pages.append(written())
    stockholm, helsinki = "37efa883-c8ad-4ff7-927b-b11b02beb923", "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"
    assert pages == [
        f"CITY ID:\n  {stockholm}\nCITY: Stockholm\nCOUNTRY: SE\n\n"
        f"CITY ID:\n  {helsinki}\nCITY: Helsinki\nCOUNTRY: FI\n",
        f"CITY ID: {stockholm}\nCITY: Stockholm\nCOUNTRY: SE\n\nCITY ID: {helsinki}\nCITY: Helsinki\nCOUNTRY: FI\n",
        "CITY ID                                CITY        COUNTRY\n"
        f"{stockholm}   Stockholm   SE\n{helsinki}   Helsinki    FI\n",
    ]


def test_a_text_goes_on_below_itself(
    simulator: Simulator, things: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    iban = "SE3550000000054910000003"
    sent = {
        "transactionAmount": {"currency": "SEK", "amount": "-1.00"},
        "remittanceInformationUnstructured": "to " + iban,
    }
    simulator.misbehave(
        "/psd2/accountinformation", status=200, body={"transactions": {"booked": [sent, sent]}}, times=2
    )
    at = ["transactions", things["ACCOUNT"], "--bank", "ESSESESS", "--consent", things["CONSENT"], "--psu-ip", IP]
    with terminal(80) as (screen, written), monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        app(at, standalone_mode=False)
        lines = written().splitlines()
    assert [line.strip() for line in lines if iban in line] == [f"-1.00   SEK   booked    to {iban}"] * 2
    with terminal(60) as (screen, written), monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        app(at, standalone_mode=False)
        assert written() == "\n".join([f"AMOUNT: -1.00\nCUR: SEK\nSTATUS: booked\nTEXT: to {iban}\n"] * 2)


def test_what_is_to_be_paid_has_one_layout(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"OPENPAYMENTS_PSU_ID": PSU_ID, "OPENPAYMENTS_PSU_IP": IP}.items():
        monkeypatch.setenv(name, value)
    for columns in (40, 80):
        with terminal(columns) as (screen, written), monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", screen)
            app(words(COMMANDS[-1], {}), standalone_mode=False)
            facts = re.search(r"created:\n(.*?Bank[^\n]*)", written(), re.DOTALL)
        assert facts is not None
        assert len(re.findall(r"^(?:  )?(?:Pay|To|Account|From|Bank)(?=: |  )", facts[1], re.M)) == 5
        assert ("\n  Bank   " in facts[0]) == ("\n  To   " in facts[0]) == (columns == 80)


@pytest.mark.parametrize(("columns", "is_drawn"), [(40, False), (100, True)])
def test_a_code_that_is_wider_than_the_terminal_is_not_drawn(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, columns: int, is_drawn: bool
) -> None:
    for name, value in {"OPENPAYMENTS_PSU_ID": PSU_ID, "OPENPAYMENTS_PSU_IP": IP, "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    with terminal(columns) as (screen, written), monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", screen)
        app(["consent", "create", "--bank", "SWEDSESS", "--app"], standalone_mode=False)
        shown = written()
    assert bool(re.search("[▀▄█ ]{30}", shown)) is is_drawn
    assert ("can't be drawn here" in shown) is not is_drawn


def test_a_pipe_gets_one_record_a_line_whatever_the_terminal(simulator: Simulator, things: dict[str, str]) -> None:
    for command in COMMANDS[:9]:
        plain = run(*words(command, things), OPENPAYMENTS_PSU_IP=IP).stdout
        dumb = {"TERM": "dumb", "FORCE_COLOR": "1"}
        for environment in ({"COLUMNS": "40"}, {"COLUMNS": "200", "TERM": "dumb"}, {"COLUMNS": "40", **dumb}):
            assert run(*words(command, things), OPENPAYMENTS_PSU_IP=IP, **environment).stdout == plain
    accounts = run(*words(COMMANDS[4], things)).stdout.splitlines()
    listed = json.loads(run(*words(COMMANDS[4], things), "--json").stdout)
    assert [line.split()[0] for line in accounts] == ["ACCOUNT", *(each["resourceId"] for each in listed)]


def test_a_process_asks_its_terminal(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    with terminal(44) as (screen, written):
        done = subprocess.run([SCRIPT, "banks", "--country", "SE"], stdout=screen, stderr=subprocess.PIPE, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "ESSESESS   Skandinaviska Enskilda Banken AB\n" in written()
    with terminal(40) as (screen, written):
        subprocess.run([SCRIPT, "banks", "--country", "SE"], stdout=screen, stderr=subprocess.PIPE, check=True)
        assert "\n\nBIC: NDEASESS\nBANK: Nordea Bank AB\n\n" in written()


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_help_breaks_no_option_and_no_command(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in ([], ["pay"], ["consent", "create"], ["simulator"]):
        shown = run(*command, "--help").stdout
        assert not re.search(r"\w-\n", shown)
        assert all(line.count("`") % 2 == 0 for line in shown.splitlines())
        assert "\u00a0" not in shown
        assert "\u2011" not in shown
