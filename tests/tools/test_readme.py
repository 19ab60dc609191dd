"""The lines of the README and the documentation do what they say. (The first ones run in test_wheel.py.)"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dateutil.relativedelta import relativedelta

from openpayments_facade import (
    Approach,
    Psu,
    money,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_facade import OpenPayments
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
ROOT = Path(__file__).parent.parent.parent


def lines(page: str, heading: str) -> str:
    """The first Python code under a heading."""
    code = re.search(rf"^#+ {heading}$.*?^```python\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    assert code is not None
    return code[1]


@pytest.fixture
def quick(openpayments_env: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pauses for long."""
    for half in ("_sync", "_async"):
        where = f"openpayments_facade.{half}"
        monkeypatch.setattr(f"{where}.authorisation.POLL_INTERVAL", dict.fromkeys(Approach, 0.01))
        monkeypatch.setattr(f"{where}.authorisation.GRACE", 0.01)
        monkeypatch.setattr(f"{where}.payments.FIRST_PAUSE", 0.05)


@pytest.mark.openpayments_simulator(transactions=10)
def test_from_a_bank_to_transactions(
    openpayments_simulator: Simulator, quick: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = lines("README.md", "From a bank to transactions")
    assert len(code.strip().splitlines()) <= 20

    def browse(_: str) -> str:
        return openpayments_simulator.visit(capsys.readouterr().out.removeprefix("Open ").strip())

    exec(compile(code, "README.md", "exec"), {"input": browse})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 3 * 10
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d -?\d+\.\d\d", line) for line in printed)


@pytest.mark.parametrize(
    ("page", "before"),
    [
        ("README.md", "## More calls"),
        ("README.md", "Errors that you will meet:"),
        ("README.md", "## Testing your application"),
        ("docs/index.md", "# openpayments-facade"),
    ],
)
def test_a_block_runs_as_it_stands(page: str, before: str, openpayments_env: None) -> None:
    text = (ROOT / page).read_text()
    code = text[text.index(f"{before}\n") :].split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(code, page, "exec"), names)
    if "op" in names:
        names["op"].close()


@pytest.mark.parametrize("user", ["example-user", "example-exempted"])
def test_an_authorisation_in_the_browser(
    user: str, openpayments_simulator: Simulator, openpayments_client: OpenPayments, quick: None
) -> None:
    psu = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id=user)
    bank = openpayments_client.at_bank("ESSESESS", psu)
    consent = bank.consents.create(valid_until=relativedelta(days=90))

    class Request:
        @property
        def url(self) -> str:
            return openpayments_simulator.visit(names["url"])

    names: dict[str, Any] = {"op": openpayments_client, "psu": psu, "bank": bank, "consent": consent}
    names |= {"Approach": Approach, "session": {}, "request": Request()}
    exec(compile(lines("docs/accounts.md", "In the browser"), "docs/accounts.md", "exec"), names)
    assert names["valid"].consent_status == "valid"
    assert names["accounts"].list()


@pytest.fixture
def authorising(quick: None) -> Iterator[dict[str, Any]]:
    """The names that the examples of the page have."""
    names: dict[str, Any] = {"session": {}}
    exec(compile(lines("docs/authorising.md", "How a user authorises"), "docs/authorising.md", "exec"), names)
    yield names
    names["op"].close()


@pytest.mark.parametrize("heading", ["The device", "What to show", "A page that asks"])
def test_an_authorisation_in_an_app(
    heading: str, authorising: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    names = authorising
    exec(compile(lines("docs/authorising.md", heading), "docs/authorising.md", "exec"), names)
    printed = capsys.readouterr().out
    if heading == "The device":
        assert printed.startswith("https://app.bankid.com/?autostarttoken=")
    elif heading == "What to show":
        assert printed.startswith("started data:image/png;base64,")
        assert names["valid"].consent_status == "valid"
    else:
        assert names["answer"]["picture"].startswith("data:image/png;base64,")
        assert not names["answer"]["over"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda callback: callback, "The consent is valid."),
        (lambda callback: callback.partition("?")[0], "That is not the page that we wait for."),
        (lambda callback: re.sub("code=[^&]*", "error=access_denied", callback), "It did not work out: access_denied"),
        (lambda callback: re.sub("code=[^&]*", "", callback), "It did not work out: no reason given"),
    ],
)
def test_how_it_ends_in_the_browser(
    change: Callable[[str], str], said: str, openpayments_simulator: Simulator, authorising: dict[str, Any]
) -> None:
    class Request:
        @property
        def url(self) -> str:
            return change(openpayments_simulator.visit(authorising["url"]))

    authorising["request"] = Request()
    exec(compile(lines("docs/authorising.md", "In the browser"), "docs/authorising.md", "exec"), authorising)
    assert authorising["answer"] == said


def test_several_signatures(authorising: dict[str, Any]) -> None:
    exec(compile(lines("docs/authorising.md", "Several signatures"), "docs/authorising.md", "exec"), authorising)
    assert authorising["valid"].consent_status == "valid"


def test_what_banks_leave_out(openpayments_simulator: Simulator, openpayments_client: OpenPayments) -> None:
    code = lines("docs/authorising.md", "Trying it out")
    exec(compile(code, "docs/authorising.md", "exec"), {"simulator": openpayments_simulator})
    bank = openpayments_client.at_bank("SWEDSESS", SOMEBODY)
    authorisation = bank.consents.authorise(bank.consents.create(valid_until="2999-12-31"))
    assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
    assert (authorisation.sca_status, openpayments_simulator.consents[-1].authorisations[-1].method) == (
        "started",
        "mbid",
    )


def test_cards_and_a_nightly_job(
    openpayments_simulator: Simulator, openpayments_client: OpenPayments, capsys: pytest.CaptureFixture[str]
) -> None:
    bank = openpayments_client.at_bank("ESSESESS", SOMEBODY)
    consent = bank.consents.create(valid_until=relativedelta(days=90))
    authorisation = bank.consents.authorise(consent)
    openpayments_simulator.approve(consent.consent_id)
    names: dict[str, Any] = {"op": openpayments_client, "bank": bank, "consent": consent, "money": money, "Psu": Psu}
    names["authorisation"] = authorisation
    openpayments_simulator.misbehave("/psd2/accountinformation", change={"currency": ["SEK", "EUR"]})
    exec(compile(lines("docs/accounts.md", "Odd values"), "docs/accounts.md", "exec"), names)
    assert re.match(r"\('Account.currency',.*\)\n\(\)\nNone \['SEK', 'EUR'\]\n", capsys.readouterr().out)
    exec(compile(lines("docs/accounts.md", "Cards"), "docs/accounts.md", "exec"), names)
    assert re.search(r"^booked \d{4}-\d\d-\d\d -?\d+\.\d\d ", capsys.readouterr().out, re.MULTILINE)
    exec(compile(lines("docs/accounts.md", "Without the user"), "docs/accounts.md", "exec"), names)
    assert re.fullmatch(r"(SE\d+ \w{3}\n)+", capsys.readouterr().out)
    last = openpayments_simulator.requests[-1]
    assert last.headers["psu-id"] == "example-user"
    assert "psu-ip-address" not in last.headers


def run(page: str, code: str, names: dict[str, Any]) -> None:
    exec(compile(code, page, "exec"), names)


def test_a_payment_of_the_readme(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    code = lines("README.md", "A payment")
    assert len(code.strip().splitlines()) <= 20
    run("README.md", code, {})
    assert re.fullmatch(r"\[\]\nShow to the user bankid\..*\nACS[PC]\n", capsys.readouterr().out)


TRANSACTIONS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/transactions.md").read_text(), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("code", [code for code in TRANSACTIONS if "accounts." not in code])
def test_views_print_what_the_page_says(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "docs/transactions.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)


def test_two_readings_of_an_account(
    openpayments_simulator: Simulator, openpayments_client: OpenPayments, capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = [code for code in TRANSACTIONS if "accounts." in code]
    bank = openpayments_client.at_bank("ESSESESS", SOMEBODY)
    consent = bank.consents.create(valid_until=relativedelta(days=90))
    bank.consents.authorise(consent)
    openpayments_simulator.approve(consent.consent_id)
    accounts = bank.accounts(consent)
    names = {"accounts": accounts, "account": accounts.list()[0]}
    transaction = {"transactionAmount": {"amount": "-1.00", "currency": "SEK"}}
    for status, day in (("pending", "2026-01-05"), ("booked", "2026-01-06")):
        report = {"transactions": {status: [{**transaction, "bookingDate": day}]}}
        openpayments_simulator.misbehave("/psd2/accountinformation", status=200, body=report)
    exec(compile(code, "docs/transactions.md", "exec"), names)
    assert re.fullmatch(
        r"booked PendingTransaction\(.*\) BookedTransaction\(.*\) likeness \('day',\)\n", capsys.readouterr().out
    )
