"""Card accounts, their balances and transactions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.callers import CARDS, OF_A_COMPANY, UNATTENDED, YEAR, BankCaller, Clock, refused
from tests.simulator.rules import of_2021

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.simulator(page_size=10, token_lifetime=YEAR)

EVERYTHING = {"bookingStatus": "booked", "dateFrom": "2020-01-01"}


class Card:
    """The card of a valid consent."""

    def __init__(self, bank: BankCaller, **consent: Any) -> None:
        self.bank = bank
        self.consent_id = bank.valid(**consent)
        self.path = f"{CARDS}/{bank.card_ids(self.consent_id)[0]}"

    def ask(self, path: str | None = None, **arguments: Any) -> httpx.Response:
        return self.bank.read(self.consent_id, path or f"{self.path}/transactions", **arguments)

    def pages(self, path: str | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        while True:
            report = self.ask(path, **query).json()
            yield report["cardTransactions"]
            if "next" not in report["cardTransactions"]["_links"]:
                return
            path, query = report["cardTransactions"]["_links"]["next"]["href"], {}

    def booked(self, **query: Any) -> list[dict[str, Any]]:
        return [one for page in self.pages(**{**EVERYTHING, **query}) for one in page["booked"]]

    def balance(self) -> Decimal:
        balances = self.ask(f"{self.path}/balances").json()["balances"]
        return next(
            Decimal(one["balanceAmount"]["amount"]) for one in balances if one["balanceType"] == "closingBooked"
        )


@pytest.fixture
def card(seb: BankCaller) -> Card:
    return Card(seb)


def test_the_card_of_a_user(card: Card) -> None:
    (found,) = card.ask(CARDS).json()["cardAccounts"]
    resource_id = found.pop("resourceId")
    assert found == {
        "maskedPan": "000000******0071",
        "currency": "SEK",
        "ownerName": "Kim Exempel",
        "name": "Kreditkort",
        "displayName": "Kreditkort Kim Exempel",
        "product": "Kreditkort",
        "debitAccounting": True,
        "status": "enabled",
        "usage": "PRIV",
        "creditLimit": {"currency": "SEK", "amount": "100000.00"},
        "_links": {
            "balances": {"href": f"{CARDS}/{resource_id}/balances"},
            "transactions": {"href": f"{CARDS}/{resource_id}/transactions"},
        },
    }
    assert card.ask(card.path).json() == found | {"resourceId": resource_id}


def test_companies_have_other_cards(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="accountinformation corporate", headers=OF_A_COMPANY)
    consent_id = corporate.valid()
    (found,) = corporate.read(consent_id, CARDS).json()["cardAccounts"]
    assert (found["maskedPan"], found["usage"], found["ownerName"]) == ("000000******0091", "ORGA", "Exempel AB")
    assert found["resourceId"] not in seb.card_ids(seb.valid())


def test_banks_and_users_without_cards(seb: BankCaller, handelsbanken: BankCaller) -> None:
    without = {"PSU-ID": "example-without-cards"}
    for bank, headers in ((handelsbanken, {}), (seb, without)):
        consent_id = bank.valid(headers=headers)
        response = bank.read(consent_id, CARDS)
        assert (response.status_code, response.content) == (204, b"")
        refused(bank.read(consent_id, f"{CARDS}/1"), 404, "RESOURCE_UNKNOWN", "account-id")


def test_a_card_with_balances(card: Card) -> None:
    answer = card.ask(f"{card.path}/balances").json()
    assert answer["cardAccount"] == {"maskedPan": "000000******0071", "currency": "SEK"}
    assert {one["balanceType"] for one in answer["balances"]} == {"closingBooked", "interimAvailable"}
    assert card.ask(card.path, withBalance="true").json()["balances"] == answer["balances"]
    assert card.ask(CARDS, withBalance="true").json()["cardAccounts"][0]["balances"] == answer["balances"]
    assert "balances" not in card.ask(card.path).json()
    refused(card.ask(card.path, withBalance="yes"), 400, "FORMAT_ERROR", "withBalance")


def test_a_card_transaction(card: Card) -> None:
    transactions = card.booked()
    assert [int(one["cardTransactionId"].rpartition("-")[2]) for one in transactions] == list(range(1, 101))
    fields = {name for one in transactions for name in one}
    assert fields == {
        "cardTransactionId",
        "terminalId",
        "transactionDate",
        "bookingDate",
        "transactionAmount",
        "currencyExchange",
        "originalAmount",
        "markupFee",
        "markupFeePercentage",
        "cardAcceptorId",
        "cardAcceptorAddress",
        "merchantCategoryCode",
        "maskedPAN",
        "transactionDetails",
        "proprietaryBankTransactionCode",
    }
    for one in transactions:
        assert one["maskedPAN"] == "000000******0071"
        assert one["transactionDate"] < one["bookingDate"]
        assert re.fullmatch("[0-9]{4}", one.get("merchantCategoryCode", "0000"))


@pytest.mark.parametrize(("bic", "positive"), [("ESSESESS", True), ("SWEDSESS", False)])
def test_a_bank_says_which_sign_its_debits_have(
    simulator: Simulator, http: httpx.Client, bic: str, positive: bool
) -> None:
    card = Card(BankCaller(simulator, http, bic))
    assert card.ask(card.path).json()["debitAccounting"] is positive
    for one in card.booked():
        purchase = one["proprietaryBankTransactionCode"] == "PURCHASE"
        for name in {"transactionAmount", "originalAmount", "markupFee"} & set(one):
            assert (Decimal(one[name]["amount"]) > 0) is (purchase is positive)
    assert (card.balance() > 0) is positive
    assert Decimal(card.ask(card.path).json()["creditLimit"]["amount"]) > abs(card.balance())


def test_the_balance_is_the_sum_of_the_transactions(card: Card, clock: Clock) -> None:
    before = card.balance()
    clock.next_day(20)
    new = card.booked(dateFrom="2026-03-02")
    assert len(new) > 1
    assert card.balance() == before + sum(Decimal(one["transactionAmount"]["amount"]) for one in new)


@pytest.mark.parametrize("status", ["booked", "pending", "both"])
def test_booking_status(card: Card, status: str) -> None:
    pages = list(card.pages(bookingStatus=status))
    for page in pages:
        # always there, since it is required
        assert isinstance(page["booked"], list)
        assert page["_links"]["cardAccount"] == {"href": card.path}
        assert ("pending" in page) == (status != "booked")
    assert sum(len(page["booked"]) for page in pages) == (0 if status == "pending" else 100)
    for one in pages[-1].get("pending", ()):
        assert one["invoiced"] is False
        assert {"bookingDate", "cardTransactionId"}.isdisjoint(one)


def test_a_report_names_its_card(card: Card) -> None:
    report = card.ask(**EVERYTHING).json()
    assert set(report) == {"cardAccount", "cardTransactions"}
    assert report["cardAccount"] == {"maskedPan": "000000******0071", "currency": "SEK"}


def test_pages_and_periods(card: Card) -> None:
    everything = card.booked()
    assert card.booked(dateFrom="2025-06-01", dateTo="2025-06-30") == [
        one for one in everything if "2025-06-01" <= one["bookingDate"] <= "2025-06-30"
    ]
    after = everything[41]["cardTransactionId"]
    assert card.booked(entryReferenceFrom=after) == everything[42:]
    response = card.ask(bookingStatus="both", dateFrom="2020-01-01", dateTo="2020-02-01")
    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({}, "FORMAT_ERROR", "bookingStatus"),
        ({"bookingStatus": "all"}, "FORMAT_ERROR", "bookingStatus"),
        ({"bookingStatus": "booked", "dateFrom": "2026-02-30"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "dateFrom": "2026-03-02"}, "PERIOD_INVALID", "dateFrom"),
        ({"bookingStatus": "booked", "entryReferenceFrom": "x"}, "RESOURCE_UNKNOWN", "entryReferenceFrom"),
        ({"bookingStatus": "booked", "continuationKey": "x"}, "RESOURCE_UNKNOWN", "continuationKey"),
    ],
)
def test_questions_that_are_refused(card: Card, query: dict[str, str], code: str, path: str) -> None:
    refused(card.ask(**query), 400, code, path)


PAN = {"maskedPan": "000000******0071"}
IBAN = {"iban": "SE2550000000000000000011"}


@pytest.mark.parametrize(
    ("access", "kinds"),
    [
        ({}, {"balances", "transactions"}),
        ({"allPsd2": "allAccounts"}, {"balances", "transactions"}),
        ({"accounts": [], "balances": []}, {"balances"}),
        ({"availableAccounts": "selectAccounts"}, set()),
        ({"accounts": [PAN, IBAN], "balances": [IBAN], "transactions": [PAN]}, {"transactions"}),
    ],
)
def test_what_a_consent_opens(seb: BankCaller, access: dict[str, Any], kinds: set[str]) -> None:
    card = Card(seb, access=access)
    assert set(card.ask(card.path).json()["_links"]) == kinds
    for kind in ("balances", "transactions"):
        response = card.ask(f"{card.path}/{kind}?bookingStatus=booked")
        if kind in kinds:
            assert response.status_code == 200
        else:
            refused(response, 401, "CONSENT_INVALID")


def test_a_card_that_the_consent_leaves_out(seb: BankCaller, card: Card) -> None:
    consent_id = seb.valid(access={"accounts": [IBAN]}, recurringIndicator=False)
    assert seb.read(consent_id, CARDS).status_code == 204
    for path in (card.path, f"{card.path}/balances", f"{card.path}/transactions"):
        refused(seb.read(consent_id, path), 401, "CONSENT_INVALID")


def test_accesses_without_the_user_are_counted(seb: BankCaller) -> None:
    card = Card(seb, frequencyPerDay=1)
    transactions = f"{card.path}/transactions?bookingStatus=booked"
    for path in (CARDS, card.path, f"{card.path}/balances", transactions):
        response = card.ask(path, headers=UNATTENDED)
        assert response.status_code == 200
        if path == transactions:
            following = response.json()["cardTransactions"]["_links"]["next"]["href"]
            assert card.ask(following, headers=UNATTENDED).status_code == 200
        refused(card.ask(path, headers=UNATTENDED), 429, "ACCESS_EXCEEDED")


def test_single_card_transactions_can_not_be_read(card: Card) -> None:
    transaction_id = card.booked()[0]["cardTransactionId"]
    refused(card.ask(f"{card.path}/transactions/{transaction_id}"), 404, "RESOURCE_UNKNOWN")


def test_cards_follow_from_the_seed(http: httpx.Client, clock: Clock) -> None:
    def look(seed: int) -> Any:
        with Simulator(clock=clock, seed=seed) as simulator:
            return Card(BankCaller(simulator, http)).booked()

    assert look(1) == look(1) != look(2)


@of_2021
def test_in_2021_there_were_no_cards(seb: BankCaller) -> None:
    refused(seb.read(seb.valid(), CARDS), 404, "RESOURCE_UNKNOWN")
