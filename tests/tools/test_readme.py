"""The lines of the README and the documentation do what they say. (The first ones run in test_wheel.py.)"""

from __future__ import annotations

import re
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import (
    Approach,
    PaymentStatus,
    Psu,
    RequestError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.mark.parametrize(
    ("page", "before"),
    [
        ("docs/operations.md", "# Operations"),
        ("docs/tokens.md", "# Tokens"),
        ("docs/tokens.md", "## Watching"),
        ("docs/testing.md", "## What goes wrong"),
    ],
)
def test_a_block_runs_as_it_stands(page: str, before: str, openpayments_env: None) -> None:
    text = (ROOT / page).read_text()
    code = text[text.index(f"{before}\n") :].split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(code, page, "exec"), names)
    if "op" in names:
        names["op"].close()


def blocks(page: str) -> dict[str, list[str]]:
    """The Python code of a page, by the heading above it."""
    found: dict[str, list[str]] = {}
    parts = re.finditer(r"^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    for heading, language, code in (part.groups() for part in parts):
        if heading:
            found[heading] = []
        elif language == "python":
            found[[*found][-1]].append(code)
    return {heading: codes for heading, codes in found.items() if codes}


def run(page: str, code: str, names: dict[str, Any]) -> None:
    exec(compile(code, page, "exec"), names)


PAYMENTS, FAILURES = blocks("docs/payments.md"), blocks("docs/network-failures.md")


@pytest.fixture
def paying(openpayments_simulator: Simulator, quick: None) -> Iterator[dict[str, Any]]:
    """The names that all blocks of the page about payments go on from."""

    class Request:
        @cached_property
        def url(self) -> str:
            return openpayments_simulator.visit(names["url"])

    names: dict[str, Any] = {"session": {}, "request": Request()}
    run("docs/payments.md", PAYMENTS["Payments"][0], names)
    yield names
    names["op"].close()


def test_a_payment(capsys: pytest.CaptureFixture[str], paying: dict[str, Any]) -> None:
    shown, *_, last = capsys.readouterr().out.splitlines()
    assert shown.startswith("Show to the user: ")
    assert re.fullmatch("ACS[PC] accepted", last)
    for code in PAYMENTS["Payments"][1:]:
        del paying["status"]
        run("docs/payments.md", code, paying)
        assert paying["status"].is_accepted


OF_PAYMENTS = {
    "What to keep": "",
    "Which product": r"\['domestic', 'swedish-giro', .*\]\npayment.creditor_account.iban is not a valid IBAN: .*",
    "Amounts": "",
    "Before the user approves": "CREDITOR_NAME_CLOSE_MATCH .*\nCMTC Example Close Match AB",
    "Approving": "",
    "Waiting": "settled",
    "Several signatures": ".*AUTHORISATION_PENDING_API.*",
    "Cancelling": "",
    "Many payments, one signature": r"salary-0 RJCT\nsalary-1 ACS[PC]\nsalary-2 ACS[PC]",
    "Other currencies": r"\d+\.\d\d SEK at .*\nPay .*",
    "KYC": "Complete the form: http.*",
    "Its entry in the account": r"-125\.50 .*",
}
"""What the blocks under each heading print."""


@pytest.mark.parametrize("heading", OF_PAYMENTS)
def test_what_else_there_is_to_payments(
    heading: str, openpayments_simulator: Simulator, capsys: pytest.CaptureFixture[str], paying: dict[str, Any]
) -> None:
    if heading == "Waiting":
        openpayments_simulator.settle_payment(paying["created"].payment_id)
    if heading == "Many payments, one signature":
        openpayments_simulator.misbehave("*/payments/domestic/*/status", change={"transactionStatus": "RJCT"})
    capsys.readouterr()
    for code in PAYMENTS[heading]:
        run("docs/payments.md", code, paying)
    assert re.fullmatch(OF_PAYMENTS[heading], capsys.readouterr().out.strip())
    if heading in ("What to keep", "Approving", "Several signatures"):
        assert paying["status"].is_accepted
    if heading == "Approving":  # the browser loads the page again
        before = openpayments_simulator.token_requests
        del paying["status"]
        run("docs/payments.md", PAYMENTS[heading][-1], paying)
        assert paying["status"].is_accepted
        assert openpayments_simulator.token_requests == before + 1
    if heading == "Cancelling":
        assert paying["status"] == "CANC"


def test_every_status_is_as_the_page_says() -> None:
    rows = re.findall(
        r"^\| `([A-Z]{4})` \| .* \| (yes|no) \| (yes|no) \| (yes|no) \|",
        (ROOT / "docs/payments.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) == 14
    for code, *said in rows:
        status = PaymentStatus(code)
        assert said == ["yes" if each else "no" for each in (status.is_final, status.is_accepted, status.is_failed)]


@pytest.fixture
def failing(quick: None) -> Iterator[dict[str, Any]]:
    """The names that all blocks of the page about failures go on from, with a payment."""
    names: dict[str, Any] = {}
    for heading in ("What happens when the network fails", "Creating a payment"):
        [code] = FAILURES[heading]
        run("docs/network-failures.md", code, names)
    yield names
    names["op"].close()


CREATE = ("POST", "/psd2/paymentinitiation/v1/payments/domestic")
LOST = {
    "What the errors say": [CREATE],
    "Creating a payment": [CREATE],
    "Authorising": [("POST", "*/authorisations"), ("PUT", "*/authorisations/*")],
    "Cancelling": [("DELETE", "/psd2/paymentinitiation/v1/payments")],
    "Baskets": [("POST", "/psd2/paymentinitiation/v1/signing-baskets"), CREATE],
    "Quotes and KYC": [("POST", "/psd2/paymentinitiation/v1/fx")],
    "A key against doing it twice": [],
}
"""What the blocks under each heading live through."""


@pytest.mark.openpayments_simulator(settlement=600)
@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"close": True, "carried_out": True},
        {"close": True, "truncate": 20},
        {"status": 502, "carried_out": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("heading", "method", "path"), [(heading, *each) for heading in LOST for each in LOST[heading]]
)
def test_a_lost_answer(
    heading: str,
    method: str,
    path: str,
    fault: dict[str, Any],
    openpayments_simulator: Simulator,
    failing: dict[str, Any],
) -> None:
    if heading == "Cancelling":
        run("docs/network-failures.md", FAILURES["Authorising"][0], failing)
    lost = openpayments_simulator.misbehave(path, method=method, **fault)
    run("docs/network-failures.md", FAILURES[heading][0], failing)
    assert lost.used == 1
    statuses = [payment.status for payment in openpayments_simulator.payments]
    assert statuses.count("ACSP") == (heading == "Authorising")
    assert statuses.count("CANC") == (heading == "Cancelling")
    if heading == "Baskets":
        assert failing["bank"].signing_baskets.get(failing["basket"]).payment_ids == [
            each.payment_id for each in failing["created"]
        ]


class Clock:
    """The simulator's time, in which pauses take as long as they do for users, and nobody waits."""

    ahead = 0.0
    monotonic = staticmethod(time.monotonic)

    def __call__(self) -> float:
        return time.time() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds


CLOCK = Clock()


@pytest.mark.openpayments_simulator(clock=CLOCK)
@pytest.mark.parametrize(
    ("page", "blocks", "headings"),
    [
        ("docs/payments.md", PAYMENTS, ["Payments", "Cancelling"]),
        (
            "docs/network-failures.md",
            FAILURES,
            ["What happens when the network fails", "Creating a payment", "Authorising", "Cancelling"],
        ),
    ],
)
def test_a_cancellation_is_in_time(
    page: str,
    blocks: dict[str, list[str]],
    headings: list[str],
    openpayments_env: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("openpayments_facade._sync.waiting.time", CLOCK)
    names: dict[str, Any] = {}
    before = CLOCK.ahead
    try:
        for heading in headings:
            run(page, blocks[heading][0], names)
        assert names["bank"].payments.status(names["created"]) == "CANC"
    finally:
        names["op"].close()
    assert CLOCK.ahead - before > 2  # a payment would be settled


def test_an_approval_whose_start_was_lost(openpayments_simulator: Simulator, failing: dict[str, Any]) -> None:
    [code] = FAILURES["Authorising"]
    run("docs/network-failures.md", code, failing)
    openpayments_simulator.misbehave(method="POST", close=True)
    run("docs/network-failures.md", code, failing)
    assert failing["authorisation"] is None
    assert failing["status"].is_accepted


def test_a_key(openpayments_simulator: Simulator, failing: dict[str, Any]) -> None:
    before = len(openpayments_simulator.payments)
    once, in_a_handler = FAILURES["A key against doing it twice"]
    run("docs/network-failures.md", once, failing)
    assert len(openpayments_simulator.payments) == before + 1
    run("docs/network-failures.md", in_a_handler, failing)
    row = {"order": "order-1235", "attempt": 1}
    openpayments_simulator.misbehave(method="POST", close=True)
    with pytest.raises(RequestError):
        failing["create_once"](row)
    assert row["attempt"] == 2
    created = [failing["create_once"](row).payment_id for _ in range(2)]
    assert created == [openpayments_simulator.payments[-1].id] * 2


def test_all_blocks_about_payments_run() -> None:
    assert {"Payments", *OF_PAYMENTS} == {*PAYMENTS}
    assert {"What happens when the network fails", *LOST} == {*FAILURES}
