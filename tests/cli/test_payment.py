"""The command line pays: what people and programs meet, from the question to the end of a payment."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade.cli import payment
from tests.child_processes import child
from tests.cli.people import FAILS, IP, NEVER_ENDS, PSU_ID, SCRIPT, TODAY, person, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

    from openpayments_facade.simulator import Simulator

PAYER, PAYEE = "SE4550000000058398257466", "SE35 5000 0000 0549 1000 0003"
TO_PAYEE = ["--amount", "125.5", "--name", "Example Shop", "--from", PAYER, "--to", PAYEE]
SECOND_SIGNER, HOPELESS, REJECTED = "99990101002", "99990101005", "example-payment-rejected"
AUTHORISATIONS = "/psd2/paymentinitiation/v1/payments/*/*/authorisations"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpayments_facade._sync.payments.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("openpayments_facade._sync.authorisation.GRACE", 0.1)


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 2, "settlement": 3600.0}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody can be asked."""
    monkeypatch.setattr(payment, "can_ask", lambda: True)


def pay(
    *more: str, bank: str = "ESSESESS", order: list[str] = TO_PAYEE, typed: str = "", psu_id: str = PSU_ID
) -> Result:
    arguments = ["pay", bank, *order, "--psu-ip", IP, *more]
    return run(*arguments, typed=typed, OPENPAYMENTS_PSU_ID=psu_id)


def created(simulator: Simulator, *, psu_id: str = PSU_ID, bank: str = "ESSESESS", status: str = "RCVD") -> list[str]:
    """A payment on the command line."""
    declined = status == "RCVD"
    done = pay("--yes", *(["--method", "imagined"] if declined else []), bank=bank, psu_id=psu_id)
    made = simulator.payments[-1]
    assert made.status == status, done.stderr
    return [bank, made.id, "--product", made.product, "--psu-ip", IP]


def posts(simulator: Simulator) -> list[str]:
    return [f"{each.method} {each.path}" for each in simulator.requests if each.method != "GET" and each.host == "api"]


def told(result: Result, simulator: Simulator) -> str:
    """The status that --json tells of the payment."""
    made, found = simulator.payments[-1], json.loads(result.stdout)
    names = ("paymentId", "paymentProduct", "endToEndIdentification")
    assert [found[name] for name in names] == [made.id, made.product, made.request["endToEndIdentification"]]
    return str(found["transactionStatus"])


# paying


def test_a_payment_is_confirmed_approved_and_accepted(simulator: Simulator, terminal: None) -> None:
    result = pay("--message", "Order 17", "--reference", "order-17", typed="y\n")
    assert result.exit_code == 0, result.stderr
    [made] = simulator.payments
    assert made.status in {"ACSP", "ACSC"}
    assert made.request["remittanceInformationUnstructured"] == "Order 17"
    shown = dict(re.split("   +", line.strip()) for line in result.stdout.splitlines())
    assert shown == {"Payment": made.id, "Product": "domestic", "Reference": "order-17", "Status": "ACSP"}
    asked = result.stderr.partition("Approve this payment? [y/N]")[0]
    for words in ("125.50 SEK", "Example Shop", "SE3550000000054910000003", PAYER, "at once", "ESSESESS", "Order 17"):
        assert words in asked
    assert re.search(r"Reference +order-17\n", asked)
    assert "accepted: the bank carries it out" in result.stderr
    assert PSU_ID not in result.output


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n"])
def test_everything_but_yes_approves_nothing(simulator: Simulator, terminal: None, answer: str) -> None:
    result = pay(typed=answer)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no money moves" in result.stderr
    assert len(posts(simulator)) == 1
    assert simulator.payments[0].status == "RCVD"


def test_without_a_terminal_nothing_is_sent_unless_a_program_says_yes(simulator: Simulator) -> None:
    for arguments in (["pay", "ESSESESS", *TO_PAYEE], ["payment", "cancel", "ESSESESS", "x", "--product", "domestic"]):
        refused = run(*arguments, "--psu-ip", IP)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "there is no terminal" in refused.stderr
        assert "--yes" in refused.stderr
    assert simulator.requests == []
    result = pay("--yes", "--json")
    assert result.exit_code == 0
    assert told(result, simulator) == "ACSP"


def test_a_program_learns_of_a_payment_that_nobody_approves(simulator: Simulator, terminal: None) -> None:
    result = pay("--json", "--reference", "order-17", typed="n\n")
    assert result.exit_code == 3
    assert told(result, simulator) == "RCVD"
    assert json.loads(result.stdout)["endToEndIdentification"] == "order-17"


def test_a_question_on_a_real_terminal(simulator: Simulator) -> None:
    master, slave = os.openpty()
    environment = {**os.environ, "OPENPAYMENTS_PSU_ID": PSU_ID, "TERM": "dumb"}
    command = [str(SCRIPT), "pay", "ESSESESS", *TO_PAYEE, "--psu-ip", IP]
    with child(command, stdin=slave, stderr=slave, stdout=subprocess.PIPE, env=environment) as paying:
        os.close(slave)
        assert "Example Shop" in "".join(_until(master, "[y/N]"))
        os.write(master, b"n\n")
        assert "no money moves" in "".join(_until(master, "moves."))
        assert paying.wait(20) == 3
        assert paying.stdout is not None
        assert paying.stdout.read() == ""
    os.close(master)
    assert len(posts(simulator)) == 1


def _until(terminal: int, wanted: str) -> Iterator[str]:
    read, deadline = "", time.monotonic() + 20
    while wanted not in read:
        assert select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0], f"no {wanted} in: {read}"
        read += os.read(terminal, 10_000).decode()
    yield read


def test_ctrl_c_says_how_to_go_on(simulator: Simulator) -> None:
    # a process that does not ignore it, as those in the background may
    start = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", f"{start}from openpayments_facade.cli import main; sys.exit(main())"]
    environment = {**os.environ, "OPENPAYMENTS_PSU_ID": NEVER_ENDS}
    arguments = ["pay", "ESSESESS", *TO_PAYEE, "--psu-ip", IP, "--yes", "--app", "--json"]
    with child([*command, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as paying:
        deadline = time.monotonic() + 20
        while not any("/authorisations/" in each.path for each in simulator.requests) and time.monotonic() < deadline:
            time.sleep(0.01)
        paying.send_signal(signal.SIGINT)
        out, error = paying.communicate(timeout=20)
    made = simulator.payments[0]
    assert paying.returncode == -signal.SIGINT
    known = json.loads(out)
    assert (known["paymentId"], known["transactionStatus"]) == (made.id, "RCVD")
    at = f"ESSESESS {made.id} --psu-ip {IP} --app --product domestic"
    assert f"`openpayments payment status {at}` shows what" in error
    assert f"If the status is still RCVD, run `openpayments payment authorise {at}`; approving both pays once." in error
    assert "Traceback" not in error


@pytest.mark.openpayments_simulator(settlement=0.2)
def test_the_browser_approves(simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = person(monkeypatch, simulator.visit)
    uri = f"http://127.0.0.1:{port}/callback"
    result = pay("--yes", "--browser", "--redirect-uri", uri, "--wait", "settled")
    assert result.exit_code == 0, result.stderr
    assert [page.status_code for page in pages] == [200]
    assert re.search(r"Status +ACSC\n", result.stdout)
    assert "settled: the money has left the account" in result.stderr


def test_nothing_is_waited_for_after_the_approval(simulator: Simulator) -> None:
    result = pay("--yes", "--wait", "none")
    assert result.exit_code == 0
    assert [each.path.rpartition("/")[2] for each in simulator.requests].count("status") == 1


def test_a_payment_of_the_simulator_inside_the_command(simulator: Simulator) -> None:
    result = run("pay", "HANDSESS", *TO_PAYEE, "--simulator", "--yes")
    assert result.exit_code == 0
    assert "the payment with it" in result.stderr
    assert run("payment", "status", "HANDSESS", "x", "--product", "domestic", "--simulator").exit_code == 2
    assert simulator.requests == []


# what is paid


GIRO = ["--amount", "1200", "--name", "Example Energy", "--from", PAYER]
ABROAD = [*GIRO, "--currency", "USD", "--to", PAYEE, "--bic", "CHASUS33", "--bank-name", "Example Bank"]
ADDRESS = ["--country", "us", "--street", "Example Street", "--postal-code", "10001", "--city", "Example City"]


@pytest.mark.parametrize(
    ("order", "product", "sent"),
    [
        (
            [*GIRO, "--bankgiro", "5050-1055", "--ocr", "1234567897", "--date", str(TODAY + timedelta(days=2))],
            "swedish-giro",
            {
                "creditorGiro": {"giroNumber": "5050-1055", "giroType": "BANKGIRO"},
                "ocrRef": "1234567897",
                "requestedExecutionDate": str(TODAY + timedelta(days=2)),
            },
        ),
        (
            [*GIRO, "--plusgiro", "28 65 43-4", "--invoice", "A 17"],
            "swedish-giro",
            {"creditorGiro": {"giroNumber": "286543-4", "giroType": "PLUSGIRO"}, "invoiceRef": "A 17"},
        ),
        (
            [*GIRO, "--currency", "eur", "--to", PAYEE, "--bic", "esseseSS", "--bank-name", "SEB", "--country", "SE"],
            "sepa-credit-transfers",
            {"creditorAgent": "ESSESESS", "creditorAddress": {"country": "SE"}},
        ),
        (
            [*GIRO[:4], "--from", "PlusGiro: 28 65 43-4", "--to", "6000-000 000 017"],
            "domestic",
            {
                "debtorAccount": {"plusgiroNumber": "286543-4"},
                "creditorAccount": {"bban": "000000017", "clearingNumber": "6000"},
            },
        ),
        (
            [*GIRO[:4], "--from", f"\u200biban: {PAYER.lower()}", "--to", "8327-9, 123 456"],
            "domestic",
            {
                "debtorAccount": {"iban": PAYER},
                "creditorAccount": {"bban": "123456", "clearingNumber": "83279"},
            },
        ),
        (
            [*GIRO[:4], "--from", "60000 00000 17", "--to", f"IBAN {PAYEE}\u00a0"],
            "domestic",
            {"debtorAccount": {"bban": "600000000017"}, "creditorAccount": {"iban": PAYEE.replace(" ", "")}},
        ),
    ],
)
def test_the_options_make_the_payment(
    simulator: Simulator, terminal: None, order: list[str], product: str, sent: dict[str, Any]
) -> None:
    result = pay(order=order, bank="NDEASESS", typed="n\n")
    assert result.exit_code == 3, result.stderr
    [made] = simulator.payments
    assert made.product == product
    assert {name: made.request[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--amount", "1.005"], "--amount must not have more than 2 decimals in SEK"),
        (["--amount", "-5"], "--amount must be above zero"),
        (["--amount", "1,50"], "--amount must be a plain number"),
        (["--currency", "kronor"], "--currency must be an ISO 4217 currency code"),
        (["--to", "SE3550000000054910000004"], "--to is not a valid IBAN"),
        (["--from", "SE4550000000058398257467"], "--from is not a valid IBAN"),
        (["--to", "5E3550000000054910000003"], "'--to': must be an IBAN, or a national number"),
        (["--to", "5050-1055"], "A giro number goes with --bankgiro or --plusgiro."),
        (["--to", "28 65 43-4"], "A giro number goes with --bankgiro or --plusgiro."),
        (["--to", "bankgiro:5050-1055"], "A giro number goes with --bankgiro or --plusgiro."),
        (["--from", "5050-1055"], "A giro number is written bankgiro:NUMBER or plusgiro:NUMBER."),
        (["--from", "-123456"], "'--from': must be an IBAN"),
        (["--from", "abc def"], "'--from': must be an IBAN"),
        (["--from", ""], "'--from': must be an IBAN"),
        (["--from", "bankgiro:5050-1056"], "--from is not a valid giro number"),
        (["--name", "x" * 71], "--name must"),
        (["--message", "x" * 141], "--message must"),
        (["--reference", "x" * 36], "--reference must"),
        (["--date", "2026-01-01"], "--date is 2026-01-01, which is in the past"),
        (["--date", "tomorrow"], "not a date"),
        (["--bic", "SEB"], "--bic must be a BIC"),
        (["--currency", "EUR"], "--bic is missing"),
        (["--ocr", "1234567897"], "--ocr does not go with a domestic payment, which this is by"),
        (["--bankgiro", "5050-1055", "--ocr", "1234567897"], "--to and --bankgiro can't be used together"),
        (["--product", "swedish-giro", "--ocr", "1234567897"], "--to does not go with --product swedish-giro"),
        (["--country", "SE", "--state", "Skåne"], "--state does not go with a domestic payment"),
        (["--quote", "Q1", "--ocr", "1234567897"], "--ocr does not go with --quote"),
        (["--currency", "EUR", "--state", "Skåne"], "--state does not go with --currency EUR"),
        (["--quote", "Q1", "--product", "domestic"], "--quote does not go with --product domestic"),
        (["--product", "instant"], "'--product'"),
        (["--psu-ip", "203.0.113.777"], "--psu-ip must be"),
    ],
)
def test_what_is_wrong_is_not_sent(simulator: Simulator, more: list[str], said: str) -> None:
    result = pay("--yes", *more)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([*GIRO, "--bankgiro", "5050-1056", "--ocr", "1234567897"], "Error: --bankgiro is not a valid BANKGIRO"),
        ([*GIRO, "--plusgiro", "286543-5", "--ocr", "1234567897"], "Error: --plusgiro is not a valid PLUSGIRO"),
        ([*GIRO, "--bankgiro", "x", "--ocr", "1234567897"], "Error: --bankgiro must be"),
        ([*GIRO, "--product", "swedish-giro", "--ocr", "1234567897"], "--bankgiro or --plusgiro is missing"),
        ([*GIRO, "--bankgiro", "5050-1055"], "--ocr and --invoice: give one of them"),
        ([*GIRO, "--bankgiro", "5050-1055", "--plusgiro", "286543-4"], "--bankgiro and --plusgiro can't be used"),
        ([*GIRO, "--bankgiro", "5050-1055", "--quote", "Q1"], "--quote does not go with --bankgiro"),
        ([*GIRO, "--bankgiro", "5050-1055", "--ocr", "17", "--message", "x"], "--message does not go with --bankgiro"),
        (GIRO, "--to is missing"),
        ([*ABROAD, "--product", "cross-border"], "the address (--country, --street, --postal-code, --city) is missing"),
        ([*ABROAD, "--quote", "Q1", *ADDRESS[:4]], "--postal-code is missing"),
    ],
)
def test_what_a_product_does_not_have_is_not_sent(simulator: Simulator, order: list[str], said: str) -> None:
    result = pay("--yes", order=order)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())
    assert simulator.requests == []


def test_accounts_are_shown_as_they_were_understood(simulator: Simulator, terminal: None) -> None:
    order = [*GIRO[:4], "--from", "bankgiro:5050-1055", "--to", "8327-9-123456"]
    asked = pay(order=order, typed="n\n").stderr.partition("[y/N]")[0]
    assert re.search(r"Account +clearing 83279, account 123456\n +From +Bankgiro 5050-1055\n", asked)


def test_warnings_come_before_the_question(simulator: Simulator, terminal: None) -> None:
    flagged = pay("--name", "Example Flagged", typed="n\n").stderr.partition("[y/N]")[0]
    assert flagged.count("CREDITOR_ACCOUNT_FLAGGED") == 1
    sepa = ["--currency", "EUR", "--bic", "ESSESESS", "--bank-name", "SEB"]
    for name, said in {
        "Example Close Match": "the name is close to that of the account's holder (Example Close Match AB)",
        "Example No Match": "the account belongs to somebody of another name",
        "Example Shop": "the account belongs to the payee",
    }.items():
        assert said in pay(*sepa, "--name", name, typed="n\n").stderr.partition("[y/N]")[0]
    mistyped = pay(order=[*GIRO, "--bankgiro", "5050-1055", "--ocr", "1234567890"], bank="NDEASESS", typed="n\n")
    assert "Warning: --ocr has wrong check digits" in mistyped.stderr.partition("[y/N]")[0]


def test_what_a_bank_says_does_not_steer_the_terminal(simulator: Simulator, terminal: None) -> None:
    sent = {
        "psuMessage": "\x1b[2Jhello\nApprove this payment?",
        "tppMessages": [{"category": "WARNING", "code": "X\x1b"}],
    }
    simulator.misbehave("/psd2/paymentinitiation", change=sent)
    result = pay(typed="n\n")
    assert "The bank says: [2Jhello Approve this payment?" in result.stderr
    assert "\x1b" not in result.output


# how payments end


@pytest.mark.parametrize(
    ("psu_id", "code", "status", "said", "goes_on"),
    [
        (FAILS, 3, "RCVD", "ended as failed", "payment authorise"),
        (HOPELESS, 3, "RCVD", "BANKID_NOT_ACTIVATED", "The payment is not approved, so no money moves."),
        (NEVER_ENDS, 6, "RCVD", "not", "payment authorise"),
        (
            SECOND_SIGNER,
            6,
            "PATC",
            "is PATC (AUTHORISATION_PENDING_API: another",
            "with the --psu-id of whoever is to approve",
        ),
        (REJECTED, 7, "RJCT", "RJCT", "No money moves."),
    ],
)
def test_a_payment_that_is_not_accepted(
    simulator: Simulator, psu_id: str, code: int, status: str, said: str, goes_on: str
) -> None:
    result = pay("--yes", "--json", "--timeout", "1", psu_id=psu_id)
    assert (result.exit_code, told(result, simulator)) == (code, status)
    assert said in result.stderr
    assert goes_on in result.stderr
    assert "consent" not in result.stderr
    assert len(simulator.payments) == 1
    assert psu_id not in result.output


@pytest.mark.parametrize("method", ["nope", "x" * 500])
def test_a_method_that_the_bank_does_not_have(simulator: Simulator, method: str) -> None:
    result = pay("--yes", "--method", method)
    assert result.exit_code in {1, 2}
    at = f"ESSESESS {simulator.payments[0].id} --psu-ip {IP} --product domestic"
    said = f"The payment exists. `openpayments payment authorise {at}`, with another --method or none, goes on."
    assert said in result.stderr


def test_a_payment_that_was_cancelled_meanwhile(simulator: Simulator) -> None:
    simulator.misbehave(
        "/psd2/paymentinitiation/v1/payments/*/*/status", times=None, change={"transactionStatus": "CANC"}
    )
    result = pay("--yes")
    assert (result.exit_code, result.stdout) == (7, "")
    assert "is CANC" in result.stderr
    assert "No money moves." in result.stderr


def test_a_slow_bank(simulator: Simulator) -> None:
    result = pay("--yes", "--json", "--wait", "settled", "--timeout", "1")
    assert (result.exit_code, told(result, simulator)) == (6, "ACSP")
    assert "its status is ACSP" in result.stderr
    at = result.stderr.partition("`openpayments ")[2].partition("`")[0].split()
    assert run(*at).stdout == "ACSP\n"
    waited = run(*at, "--wait", "settled", "--timeout", "1", "--json")
    known = {"paymentId": simulator.payments[0].id, "paymentProduct": "domestic", "transactionStatus": "ACSP"}
    assert (waited.exit_code, json.loads(waited.stdout)) == (6, known)
    simulator.settle_payment(simulator.payments[0].id)
    assert run(*at, "--wait", "settled").stdout == "ACSC\n"


@pytest.mark.openpayments_simulator(require_kyc=True)
def test_an_organisation_whose_kyc_is_missing(simulator: Simulator) -> None:
    company = ["--yes", "--psu-context", "corporate", "--psu-corporate-id", "556677-8899"]
    missing = pay(*company)
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "before it can pay" in missing.stderr
    assert run("kyc", "status", "556677-8899", "--json").stdout
    started = run("kyc", "start", "556677-8899", "--country", "se")
    assert started.exit_code == 0, started.stderr
    assert re.fullmatch(r"http\S+instanceId=\S+\n", started.stdout)
    assert json.loads(run("kyc", "start", "556677-8899", "--country", "SE", "--json").stdout)["kycUrl"]
    simulator.complete_kyc("556677-8899")
    assert re.search(r"Status +Valid\nValid until +20", run("kyc", "status", "556677-8899").stdout)
    assert pay(*company).exit_code == 0


def test_the_form_that_the_bank_names(simulator: Simulator) -> None:
    for links, said in (
        (
            {"_links": {"kycRedirect": {"href": "https://kyc.example/form?instanceId=1"}}},
            "https://kyc.example/form?inst",
        ),
        ({}, "`openpayments kyc --help` says how"),
    ):
        body = {"tppMessages": [{"category": "ERROR", "code": "TPP_KYC_INVALID"}], **links}
        simulator.misbehave("/psd2/paymentinitiation", status=403, body=body)
        result = pay("--yes")
        assert result.exit_code == 3
        assert said in result.stderr


def test_a_creation_without_an_answer(simulator: Simulator) -> None:
    for fault in ({"close": True, "carried_out": True}, {"status": 502, "carried_out": True}):
        simulator.reset()
        simulator.misbehave("/psd2/paymentinitiation", **fault)
        result = pay("--yes", "--reference", "order-17")
        assert (result.exit_code, result.stdout) == (8, "")
        assert "Try again" not in result.stderr
        assert "nobody has approved it: no money moves, and the same command can be run again" in result.stderr
        assert len(posts(simulator)) == 1
        assert "Example Shop" not in result.stderr
    assert [each.status for each in simulator.payments] == ["RCVD", "RCVD"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_authorisation_without_an_answer(simulator: Simulator, method: str) -> None:
    path = AUTHORISATIONS if method == "POST" else f"{AUTHORISATIONS}/*"
    simulator.misbehave(path, method=method, close=True, carried_out=True)
    result = pay("--yes", "--json")
    assert (result.exit_code, told(result, simulator)) == (8, "RCVD")
    assert "the request may have taken effect" in result.stderr
    assert "SCA status" not in result.stderr
    assert "Look there before you pay again" in result.stderr
    at = f"ESSESESS {simulator.payments[0].id} --psu-ip {IP} --product domestic"
    assert f"`openpayments payment status {at}` shows what has become of the payment" in result.stderr
    again = f"payment authorise {at}"
    assert f"If the status is still RCVD, run `openpayments {again}`; approving both pays once." in result.stderr
    assert sum(each.startswith(method) for each in posts(simulator)) == (2 if method == "POST" else 1)


# payments that exist


def test_a_payment_is_read(simulator: Simulator) -> None:
    at = created(simulator)
    plain = run("payment", "status", *at)
    assert plain.stdout == "RCVD\n"
    assert "waiting for the user's approval" in plain.stderr
    known = {"paymentId": at[1], "paymentProduct": "domestic"}
    assert json.loads(run("payment", "status", *at, "--json").stdout) == {**known, "transactionStatus": "RCVD"}
    simulator.reject_payment(at[1])
    rejected = run("payment", "status", *at)
    assert (rejected.exit_code, rejected.stdout) == (0, "RJCT\n")
    read = json.loads(run("payment", "status", *at, "--json").stdout)
    assert read["tppMessages"][0]["text"] in rejected.stderr
    waited = run("payment", "status", *at, "--wait", "accepted")
    assert (waited.exit_code, waited.stdout) == (7, "")
    assert json.loads(run("payment", "status", *at, "--wait", "accepted", "--json").stdout) == read


def test_a_product_that_the_bank_does_not_have(simulator: Simulator) -> None:
    result = pay("--yes", order=[*GIRO, "--bankgiro", "5050-1055", "--ocr", "1234567897"])
    assert (result.exit_code, result.stdout) == (4, "")
    assert "`openpayments bank ESSESESS` lists the payment products" in result.stderr


def test_a_payment_that_nobody_knows(simulator: Simulator) -> None:
    bank, id_, *_ = created(simulator)
    for name, product in ((id_, "swedish-giro"), ("unknown", "domestic")):
        result = run("payment", "status", bank, name, "--product", product, "--psu-ip", IP)
        assert (result.exit_code, result.stdout) == (4, "")
        assert "that --product is that of the payment" in result.stderr
    assert run("payment", "status", bank, "..", "--product", "domestic", "--psu-ip", IP).exit_code == 2
    assert run("payment", "status", bank, id_).exit_code == 2
    assert "Error: --product must" in run("payment", "status", bank, id_, "--product", "", "--psu-ip", IP).stderr


def test_the_next_person_signs(simulator: Simulator, terminal: None) -> None:
    assert pay("--yes", psu_id=SECOND_SIGNER).exit_code == 6
    [made] = simulator.payments
    assert made.status == "PATC"
    at = ["ESSESESS", made.id, "--product", "domestic", "--psu-ip", IP]
    declined = run("payment", "authorise", *at, typed="n\n")
    assert declined.exit_code == 3
    for words in ("125.50 SEK", "Example Shop", PAYER, "PATC"):
        assert words in declined.stderr.partition("[y/N]")[0]
    signed = run("payment", "authorise", *at, typed="y\n")
    assert signed.exit_code == 0, signed.stderr
    assert re.search(r"Status +ACSP\n", signed.stdout)
    assert len(simulator.payments) == 1


def test_a_bank_that_does_not_show_payments(simulator: Simulator) -> None:
    at = created(simulator)
    simulator.misbehave("/psd2/paymentinitiation", method="GET", status=405, code="SERVICE_INVALID")
    result = run("payment", "authorise", *at, "--yes", "--json")
    assert (result.exit_code, json.loads(result.stdout)["transactionStatus"]) == (0, "ACSP")
    assert "The bank does not show the payment: SERVICE_INVALID." in result.stderr


def test_a_payment_is_cancelled_once_that_is_confirmed(simulator: Simulator, terminal: None) -> None:
    at = created(simulator)
    simulator.reset()
    declined = run("payment", "cancel", *at, typed="n\n")
    assert (declined.exit_code, posts(simulator)) == (3, [])
    for words in ("125.50 SEK", "Example Shop", PAYER, "RCVD"):
        assert words in declined.stderr.partition("[y/N]")[0]
    cancelled = run("payment", "cancel", *at, typed="y\n")
    assert (cancelled.exit_code, cancelled.stdout) == (0, "")
    assert "is cancelled" in cancelled.stderr
    assert simulator.payments[0].status == "CANC"
    again = run("payment", "cancel", *at, "--yes", "--json")
    assert (again.exit_code, told(again, simulator)) == (0, "CANC")
    assert "is cancelled. No money moves." in again.stderr
    assert "carried out" not in again.stderr


@pytest.mark.parametrize(
    ("become", "status", "said"),
    [
        ("settle_payment", "ACSC", "It has been carried out."),
        ("reject_payment", "RJCT", "It was rejected: no money moves."),
        (None, "ACSP", "It may still be carried out."),
    ],
)
def test_a_payment_that_is_not_cancelled(simulator: Simulator, become: str | None, status: str, said: str) -> None:
    at = created(simulator, status="ACSP")
    if become:
        getattr(simulator, become)(at[1])
    else:
        simulator.misbehave("/psd2/paymentinitiation", method="DELETE", status=405, code="SERVICE_INVALID")
    result = run("payment", "cancel", *at, "--yes", "--json")
    assert (result.exit_code, told(result, simulator)) == (7, status)
    assert f"does not cancel the payment, or not any more. {said}" in result.stderr
    assert ("`openpayments payment status" in result.stderr) is (become is None)


def test_a_refused_cancellation_of_a_payment_whose_status_nobody_knows(simulator: Simulator) -> None:
    at = created(simulator, status="ACSP")
    simulator.misbehave("/psd2/paymentinitiation", method="DELETE", status=405, code="SERVICE_INVALID")
    simulator.misbehave("/psd2/paymentinitiation", method="GET", times=None, status=403, code="SERVICE_BLOCKED")
    result = run("payment", "cancel", *at, "--yes", "--json")
    assert (result.exit_code, result.stdout) == (7, "")
    assert "It may still be carried out." in result.stderr


def test_a_cancellation_that_the_user_approves(simulator: Simulator) -> None:
    assert pay("--yes", "--app", bank="SWEDSESS").exit_code == 0
    at = ["SWEDSESS", simulator.payments[0].id, "--product", "domestic", "--psu-ip", IP, "--app"]
    simulator.reset()
    result = run("payment", "cancel", *at, "--yes", "--json")
    assert result.exit_code == 0, result.stderr
    assert told(result, simulator) == "CANC"
    assert "wants the user to approve that" in result.stderr
    assert [each.partition(" ")[0] for each in posts(simulator)] == ["DELETE", "POST", "PUT"]


@pytest.mark.parametrize(
    ("psu_id", "said"), [(FAILS, "`openpayments payment cancel SWEDSESS "), (HOPELESS, "The payment is not cancelled.")]
)
def test_a_cancellation_that_the_user_does_not_approve(simulator: Simulator, psu_id: str, said: str) -> None:
    assert pay("--yes", "--app", bank="SWEDSESS").exit_code == 0
    at = ["SWEDSESS", simulator.payments[0].id, "--product", "domestic", "--psu-ip", IP, "--app"]
    result = run("payment", "cancel", *at, "--yes", OPENPAYMENTS_PSU_ID=psu_id)
    assert (result.exit_code, result.stdout) == (3, "")
    assert said in result.stderr
    # that would be to approve the payment
    assert "payment authorise" not in result.stderr


def test_a_cancellation_without_an_answer(simulator: Simulator) -> None:
    at = created(simulator)
    simulator.misbehave("/psd2/paymentinitiation", method="DELETE", close=True, carried_out=True)
    result = run("payment", "cancel", *at, "--yes")
    assert (result.exit_code, result.stdout) == (8, "")
    assert "CANC means that it is cancelled" in result.stderr
    assert run("payment", "status", *at).stdout == "CANC\n"


def test_an_approved_cancellation_without_an_answer(simulator: Simulator) -> None:
    assert pay("--yes", "--app", bank="SWEDSESS").exit_code == 0
    at = ["SWEDSESS", simulator.payments[0].id, "--psu-ip", IP, "--app", "--product", "domestic"]
    simulator.misbehave("/psd2/paymentinitiation", method="POST", close=True, carried_out=True)
    result = run("payment", "cancel", *at, "--yes")
    assert (result.exit_code, result.stdout) == (8, "")
    assert "SCA status" not in result.stderr
    assert f"CANC means that it is cancelled; otherwise `openpayments payment cancel {' '.join(at)}`" in result.stderr
    assert "payment authorise" not in result.stderr


# quotes


def test_a_payment_abroad_at_the_rate_of_a_quote(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ["--psu-ip", IP, "--psu-context", "corporate", "--psu-corporate-id", "556677-8899"]
    asked = ["quote", "NDEASESS", "--from", "sek", "--to", "usd", "--amount", "130", "--country", "us", *who]
    shown = run(*asked)
    assert shown.exit_code == 0, shown.stderr
    assert re.search(r"Quote +\S+\nRate +10\.\d+ \(SEK to USD\)\nFee +\d+\.\d\d SEK\n", shown.stdout)
    assert re.search(r"\nTotal +\d+\.\d\d SEK for 130.00 USD\nValid from", shown.stdout)
    quote = json.loads(run(*asked, "--date", str(TODAY + timedelta(days=1)), "--json").stdout)["fxQuoteId"]
    order = ["--amount", "130", *ABROAD[2:], *ADDRESS, "--building", "5", "--state", "New York", "--quote", quote]
    person(monkeypatch, simulator.visit)
    result = pay("--yes", *who, "--redirect-uri", f"http://127.0.0.1:{port}/callback", bank="NDEASESS", order=order)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"Rate +10\.\d+\n +Fee +\d+\.\d\d in the currency to pay with\n", result.stderr)
    assert re.search(r"Total +as the quote was shown.*\n +Until ", result.stderr)
    [made] = simulator.payments
    assert made.product == "cross-border"
    assert made.request["creditorAddress"] == {
        "country": "US",
        "street": "Example Street",
        "buildingNumber": "5",
        "postalCode": "10001",
        "city": "Example City",
        "state": "New York",
    }
    assert (
        next(each for each in simulator.requests if each.path.endswith("/cross-border")).headers["fx-quote-id"] == quote
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--from", "kronor"], "--from must be an ISO 4217"),
        (["--to", "$"], "--to must be an ISO 4217"),
        (["--amount", "0"], "--amount must be above zero"),
    ],
)
def test_a_quote_that_nobody_gives(simulator: Simulator, more: list[str], said: str) -> None:
    asked = ["quote", "ESSESESS", "--from", "SEK", "--to", "USD", "--amount", "130", "--country", "US"]
    result = run(*asked, *more, "--psu-ip", IP)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert simulator.requests == []


def test_the_number_of_an_organisation(simulator: Simulator) -> None:
    result = run("kyc", "status", "..")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the organisation's number must" in result.stderr
    assert run("kyc", "start", "556677-8899").exit_code == 2
    assert simulator.requests == []
    assert "ends with this command" in run("kyc", "start", "556677-8899", "--country", "SE", "--simulator").stderr
