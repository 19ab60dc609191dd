"""What the command line tells people to run, works as it is printed, in the shell that it was printed in."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import environments
from openpayments_facade.cli import payment
from openpayments_facade.environments import Environment
from openpayments_facade.simulator import Simulator
from tests.cli.people import FAILS, IP, NEVER_ENDS, PSU_ID, TODAY, USER, run

if TYPE_CHECKING:
    from typer.testing import Result

BANK = ["--bank", "ESSESESS"]
ORDER = ["--amount", "125.50", "--name", "Example Shop", "--from", "SE4550000000058398257466"]
PAY = ["pay", "ESSESESS", *ORDER, "--to", "SE3550000000054910000003", "--psu-ip", IP, "--yes"]
COMPANY = ["--psu-context", "corporate", "--psu-corporate-id", "556677-8899"]
AUTHORISATIONS = "/psd2/paymentinitiation/v1/payments/*/*/authorisations"
CLOSED = "http://127.0.0.1:1"


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 1, "settlement": 3600.0}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpayments_facade._sync.payments.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("openpayments_facade._sync.authorisation.GRACE", 0.1)
    monkeypatch.setattr(payment, "can_ask", lambda: True)
    monkeypatch.setattr(Simulator, "wait", lambda _: None)


def advised(result: Result) -> list[str]:
    """The lines to copy."""
    return re.findall(r"`((?:openpayments|export) [^`]+(?:`[^`]+)??)`(?=[ ,.;]|$)", result.output, re.MULTILINE)


def follow(result: Result, *expected: str, codes: tuple[int, ...] = (0,), **environment: str) -> None:
    """Runs all that a command told to run."""
    lines = advised(result)
    assert [" ".join(line.split()[1 : len(each.split()) + 1]) for line, each in zip(lines, expected, strict=True)] == [
        *expected
    ], result.output
    for line in lines:
        name, *words = shlex.split(line)
        if name == "export":
            assert re.fullmatch("[A-Z_]+=[a-z-]+", words[0])
            continue
        done = run(*words, typed="y\n", **environment)
        assert done.exit_code in codes, f"{line}\n{done.output}"


def consent(simulator: Simulator, *, bank: str = "ESSESESS", approved: bool = True) -> str:
    with simulator.client() as op:
        id_ = op.at_bank(bank, USER).consents.create(valid_until=TODAY + timedelta(days=90)).consent_id
    if approved:
        simulator.approve(id_)
    return id_


# about consents


def test_a_consent_is_missing_or_over(simulator: Simulator) -> None:
    missing = run("accounts", *BANK, "--psu-ip", IP)
    follow(missing, "consent create")
    id_ = consent(simulator)
    simulator.revoke_consent(id_)
    for command in (["accounts"], ["balances", "x"], ["transactions", "x"]):
        over = run(*command, *BANK, "--consent", id_, "--psu-ip", IP)
        assert over.exit_code == 3
        follow(over, "consent status", "consent create")
    follow(run("consent", "show", "nope", *BANK, "--psu-ip", IP), "consent create")


def test_who_the_user_is_and_where_comes_along_if_it_was_typed(simulator: Simulator) -> None:
    typed = ["--psu-ip", IP, "--psu-id", PSU_ID, *COMPANY, "--app", "--no-cache"]
    [line] = advised(run("accounts", *BANK, *typed, OPENPAYMENTS_PSU_ID=""))
    assert set(shlex.split(line)) == {"openpayments", "consent", "create", *BANK, *typed}
    [line] = advised(run("accounts", *BANK, OPENPAYMENTS_PSU_IP=IP))
    assert line == "openpayments consent create --bank ESSESESS"


def test_a_consent_that_is_authorised_later(simulator: Simulator) -> None:
    late = run("consent", "create", *BANK, "--psu-ip", IP, "--timeout", "1", OPENPAYMENTS_PSU_ID=NEVER_ENDS)
    assert late.exit_code == 6
    follow(late, "consent authorise")
    failed = run("consent", "create", *BANK, "--psu-ip", IP, OPENPAYMENTS_PSU_ID=FAILS)
    assert failed.exit_code == 3
    follow(failed, "consent create")
    signed = run("consent", "create", "--bank", "SWEDSESS", "--psu-ip", IP, OPENPAYMENTS_PSU_ID="99990101002")
    assert signed.exit_code == 6
    follow(signed, "consent authorise")
    over = run("consent", "authorise", consent(simulator), *BANK, "--psu-ip", IP)
    assert over.exit_code == 1
    assert advised(over) == []


def test_a_simulator_that_ends_with_its_command_is_not_asked_again(simulator: Simulator) -> None:
    failed = run("consent", "create", *BANK, "--simulator", OPENPAYMENTS_PSU_ID=FAILS)
    assert [*map(shlex.split, advised(failed))] == [["openpayments", "consent", "create", *BANK, "--simulator"]]
    late = run("consent", "create", *BANK, "--simulator", "--timeout", "1", OPENPAYMENTS_PSU_ID=NEVER_ENDS)
    assert (late.exit_code, advised(late)) == (6, [])
    for command in (["consent", "status", "x", *BANK], ["payment", "status", "ESSESESS", "x", "--product", "domestic"]):
        follow(run(*command, "--simulator"), "simulator")
    assert simulator.requests == []


# about what there is


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["bank", "ABCDEFGH"], ["banks"]),
        (["bank", "ABCDEFGH", "--simulator"], ["banks"]),
        (["consent", "create", "--bank", "ABCDEFGH"], ["banks"]),
        (["banks", "--country", "SE", "--environment", "production"], ["doctor"]),
    ],
)
def test_what_there_is(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, command: list[str], expected: list[str]
) -> None:
    elsewhere = Environment("production", simulator.auth_url, CLOSED)
    monkeypatch.setitem(environments._BY_NAME, "production", elsewhere)
    result = run(*command, OPENPAYMENTS_PSU_IP=IP)
    follow(result, *expected, codes=(0, 5))
    kept = [each for each in ("--simulator", "--environment") if each in command]
    assert all(each in line for each in kept for line in advised(result))


def test_an_account_that_is_not_there(simulator: Simulator) -> None:
    unknown = run("balances", "x", *BANK, "--consent", consent(simulator), "--psu-ip", IP)
    assert unknown.exit_code == 4
    follow(unknown, "accounts")


# about payments


@pytest.mark.parametrize(
    "fault", [{"method": "POST", "close": True, "carried_out": True}, {"method": "PUT", "close": True}]
)
def test_an_approval_that_is_lost(simulator: Simulator, fault: dict[str, Any]) -> None:
    simulator.misbehave(AUTHORISATIONS if fault["method"] == "POST" else f"{AUTHORISATIONS}/*", **fault)
    lost = run(*PAY)
    assert lost.exit_code == 8
    follow(lost, "payment status", "payment authorise")
    assert simulator.payments[0].status == "ACSP"


def test_a_payment_that_nobody_approves(simulator: Simulator) -> None:
    late = run(*PAY, "--timeout", "1", OPENPAYMENTS_PSU_ID=NEVER_ENDS)
    assert late.exit_code == 6
    follow(late, "payment status", "payment authorise")
    slow = run(*PAY, "--wait", "settled", "--timeout", "1")
    assert slow.exit_code == 6
    follow(slow, "payment status")


def test_a_method_or_a_product_that_the_bank_does_not_have(simulator: Simulator) -> None:
    follow(run(*PAY, "--method", "imagined"), "payment authorise")
    giro = ["pay", "ESSESESS", *ORDER, "--bankgiro", "5050-1055", "--ocr", "1234567897", "--psu-ip", IP, "--yes"]
    result = run(*giro)
    assert result.exit_code == 4
    follow(result, "bank")


def test_a_cancellation_that_is_lost(simulator: Simulator) -> None:
    run(*PAY, "--method", "imagined")
    at = ["ESSESESS", simulator.payments[0].id, "--product", "domestic", "--psu-ip", IP]
    simulator.misbehave("/psd2/paymentinitiation", method="DELETE", close=True)
    lost = run("payment", "cancel", *at, "--yes")
    assert lost.exit_code == 8
    follow(lost, "payment status", "payment cancel")
    assert simulator.payments[0].status == "CANC"


@pytest.mark.openpayments_simulator(require_kyc=True)
def test_an_organisation_that_has_to_prove_who_it_is(simulator: Simulator) -> None:
    simulator.misbehave("/psd2/paymentinitiation", status=403, body={"tppMessages": [{"code": "TPP_KYC_INVALID"}]})
    refused = run(*PAY, *COMPANY)
    assert refused.exit_code == 3
    follow(refused, "kyc start 556677-8899 --country SE", "kyc status 556677-8899")


# about the set-up


@pytest.mark.parametrize(
    ("environment", "codes"),
    [
        ({"OPENPAYMENTS_CLIENT_ID": ""}, (2,)),
        ({"OPENPAYMENTS_CLIENT_SECRET": "mistyped"}, (3,)),
        ({"OPENPAYMENTS_API_URL": CLOSED}, (5,)),
    ],
)
def test_the_doctor_is_asked_with_the_same_environment(
    simulator: Simulator, environment: dict[str, str], codes: tuple[int, ...]
) -> None:
    follow(run("banks", "--psu-context", "corporate", **environment), "doctor", codes=codes, **environment)


def test_another_request_id_came_back(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", headers={"X-Request-ID": "another"}, times=None)
    assert "export OPENPAYMENTS_CHECK_REQUEST_IDS=false" in advised(run("banks"))
    assert run("banks", OPENPAYMENTS_CHECK_REQUEST_IDS="false").exit_code == 0
