"""What an approved payment does to the account that pays: its transactions and balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.callers import ACCOUNTS, YEAR, Clock, Payer, id_of

pytestmark = pytest.mark.simulator(token_lifetime=YEAR, transactions=10)

OWN: dict[str, Any] = {"debtorAccount": {"iban": "SE2550000000000000000011"}}
EURO = {"iban": "SE6850000000000000000013"}


class Books:
    """The books of the account in kronor, or of another one, as a consent opens them."""

    def __init__(self, payer: Payer, *, position: int = 0) -> None:
        self.payer = payer
        self.consent_id = payer.valid(validUntil="9999-12-31")
        self.path = f"{ACCOUNTS}/{payer.account_ids(self.consent_id)[position]}"

    def read(self, status: str = "both", **query: Any) -> dict[str, list[dict[str, Any]]]:
        response = self.payer.read(self.consent_id, f"{self.path}/transactions", bookingStatus=status, **query)
        assert response.status_code in {200, 204}, response.text
        return dict(response.json()["transactions"]) if response.content else {}

    def paid(self, status: str) -> list[dict[str, Any]]:
        """The entries of payments, without links."""
        found = [entry for entry in self.read().get(status, []) if "paymentId" in entry]
        return [{name: value for name, value in entry.items() if name != "_links"} for entry in found]

    def balances(self) -> dict[str, Decimal]:
        balances = self.payer.read(self.consent_id, f"{self.path}/balances").json()["balances"]
        return {one["balanceType"]: Decimal(one["balanceAmount"]["amount"]) for one in balances}


@pytest.fixture
def books(payer: Payer) -> Books:
    return Books(payer)


def test_an_approved_payment_is_pending_and_then_booked(payer: Payer, books: Books, clock: Clock) -> None:
    before = books.balances()
    path = payer.new(
        **OWN,
        endToEndIdentification="20260301-0042",
        remittanceInformationUnstructured="Invoice 42",
        creditorName="Kim",
    )
    assert (books.paid("pending"), books.paid("booked")) == ([], [])
    payer.simulator.approve(id_of(path))
    entry = {
        "transactionAmount": {"currency": "SEK", "amount": "-150.00"},
        "paymentId": id_of(path),
        "endToEndId": "20260301-0042",
        "creditorName": "Kim",
        "creditorAccount": {"iban": "SE3550000000000000000025"},
        "debtorAccount": {"iban": "SE2550000000000000000011", "currency": "SEK"},
        "remittanceInformationUnstructured": "Invoice 42",
        "bankTransactionCode": "PMNT-ICDT-DMCT",
    }
    assert (books.paid("pending"), books.paid("booked")) == ([entry], [])
    after = books.balances()
    assert after["closingBooked"] == before["closingBooked"]
    assert after["interimAvailable"] == before["interimAvailable"] - 150
    clock.now += 2
    assert books.paid("pending") == []
    (booked,) = books.paid("booked")
    reference = booked.pop("entryReference")
    assert booked.pop("transactionId") == f"T{reference}"
    assert booked == {**entry, "bookingDate": "2026-03-01", "valueDate": "2026-03-01"}
    assert books.balances() == {**after, "closingBooked": before["closingBooked"] - 150}


@pytest.mark.parametrize("end", ["cancelled", "rejected"])
def test_what_is_not_paid_leaves_no_trace(payer: Payer, books: Books, clock: Clock, end: str) -> None:
    before = books.balances()
    path = payer.approved(**OWN)
    if end == "cancelled":
        payer.call("DELETE", path)
    else:
        payer.simulator.reject_payment(id_of(path))
    clock.now += 2
    assert (books.paid("pending"), books.paid("booked"), books.balances()) == ([], [], before)


def test_others_accounts_have_no_books(payer: Payer, books: Books) -> None:
    path = payer.approved()
    assert (payer.payment_status(path), books.paid("pending")) == ("ACSP", [])


def test_too_little_money_rejects_a_payment(payer: Payer, books: Books) -> None:
    available = books.balances()["interimAvailable"]
    all_of_it = payer.approved(**OWN, instructedAmount={"currency": "SEK", "amount": f"{available}"})
    one_more = payer.approved(**OWN, instructedAmount={"currency": "SEK", "amount": "0.01"})
    assert (payer.payment_status(all_of_it), payer.payment_status(one_more)) == ("ACSP", "RJCT")
    assert "too little money" in payer.get(f"{one_more}/status").json()["tppMessages"][0]["text"]
    payer.call("DELETE", all_of_it)
    assert books.balances()["interimAvailable"] == available


def test_another_currency_is_exchanged(payer: Payer, books: Books) -> None:
    payer.approved("sepa-credit-transfers", **OWN, ocrRef="RF18539007547034")
    (entry,) = books.paid("pending")
    assert entry["transactionAmount"] == {"currency": "SEK", "amount": "-140.00"}
    assert entry["remittanceInformationStructured"] == "RF18539007547034"
    unknown = payer.approved(**OWN, instructedAmount={"currency": "XTS", "amount": "1"})
    assert payer.payment_status(unknown) == "RJCT"


def test_each_account_has_books_of_its_own(payer: Payer, books: Books) -> None:
    payer.approved("sepa-credit-transfers", debtorAccount=EURO)
    assert books.paid("pending") == []
    (entry,) = Books(payer, position=2).paid("pending")
    assert entry["transactionAmount"] == {"currency": "EUR", "amount": "-12.50"}


def test_a_giro_and_an_account_number_are_named_as_transactions_name_them(swedish_payer: Payer) -> None:
    consent_id = swedish_payer.valid()
    own: dict[str, Any] = {"debtorAccount": {"iban": swedish_payer.accounts(consent_id)[0]["iban"]}}
    swedish_payer.approved("swedish-giro", **own)
    swedish_payer.approved(**own, creditorAccount={"accountNumber": "1", "clearingNumber": "6000", "currency": "SEK"})
    giro, account = Books(swedish_payer).paid("pending")
    assert (giro["creditorAccount"], giro["remittanceInformationStructured"]) == (
        {"bankGiro": "000-0000"},
        "1234567897",
    )
    assert account["creditorAccount"] == {"bban": "1", "currency": "SEK"}


def test_by_number_and_clearing_number(payer: Payer) -> None:
    handelsbanken = Payer(payer.simulator, payer.http, "HANDSESS")
    for name in ("bban", "accountNumber"):
        handelsbanken.approved(debtorAccount={name: "000000011", "clearingNumber": "6000"})
    assert len(Books(handelsbanken).paid("pending")) == 2


@pytest.mark.simulator(token_lifetime=YEAR, transactions=365, page_size=3)
def test_payments_stand_among_the_other_entries(payer: Payer, books: Books, clock: Clock) -> None:
    """In the order in which they were booked, on any page, and no entry changes its reference or its place."""

    def pages() -> list[dict[str, Any]]:
        query: dict[str, Any] = {"bookingStatus": "booked", "dateFrom": "2026-02-28"}
        report = payer.read(books.consent_id, f"{books.path}/transactions", **query).json()["transactions"]
        entries = list(report["booked"])
        while "next" in report["_links"]:
            report = payer.read(books.consent_id, report["_links"]["next"]["href"]).json()["transactions"]
            entries += report["booked"]
        return entries

    seen = pages()
    paid = []
    for days in range(4):
        later = payer.approved(**OWN, requestedExecutionDate=f"2026-03-0{days + 3}")
        sooner = payer.approved(**OWN)
        payer.simulator.settle_payment(id_of(sooner))
        paid += [id_of(sooner), id_of(later)]
        clock.next_day()
        now = pages()
        assert now[: len(seen)] == seen
        seen = now
    clock.next_day(3)
    now = pages()
    assert now[: len(seen)] == seen
    assert {entry["paymentId"] for entry in now if "paymentId" in entry} == {*paid}
    assert [entry["bookingDate"] for entry in now] == sorted(entry["bookingDate"] for entry in now)
    assert len({entry["entryReference"] for entry in now}) == len(now)
    # each leads to its details, and to what came after it
    for position, entry in enumerate(now):
        details = payer.read(books.consent_id, entry["_links"]["transactionDetails"]["href"]).json()
        assert details["entryReference"] == entry["entryReference"]
        assert details.get("paymentId") == entry.get("paymentId")
        after = books.read("booked", entryReferenceFrom=entry["entryReference"]).get("booked", [])
        assert [one["entryReference"] for one in after] == [
            one["entryReference"] for one in now[position + 1 : position + 4]
        ]


@pytest.mark.parametrize("reference", ["ESSESESS-11-P00000000000", "ESSESESS-11-P00000000002", "ESSESESS-11-P1"])
def test_references_of_payments_that_were_never_made(payer: Payer, books: Books, reference: str) -> None:
    payer.simulator.settle_payment(id_of(payer.approved(**OWN)))
    query: dict[str, Any] = {"bookingStatus": "booked", "entryReferenceFrom": reference}
    assert payer.read(books.consent_id, f"{books.path}/transactions", **query).status_code == 400


@pytest.mark.simulator(token_lifetime=YEAR, transactions=0)
def test_an_account_without_other_entries(payer: Payer, books: Books, clock: Clock) -> None:
    payer.approved(**OWN)
    clock.now += 2
    assert len(books.read("booked")["booked"]) == 1


def test_a_company_is_paid_in_lump_sums_all_the_same(payer: Payer) -> None:
    scope = "accountinformation bankgiroinformation paymentinitiation corporate"
    company = Payer(payer.simulator, payer.http, scope=scope, headers={**payer.headers, "PSU-Corporate-ID": "1"})
    company.headers["Authorization"] = f"Bearer {company.caller.token(scope)}"
    consent_id = company.valid()
    account = company.accounts(consent_id)[0]
    path = f"{account['resourceId']}/transactions"
    before = company.read(consent_id, path, bookingStatus="booked").json()["transactions"]["bankgiro"]
    payment = company.approved(debtorAccount={"iban": account["iban"]}, creditorName="Exempel Hotell")
    company.simulator.settle_payment(id_of(payment))
    after = company.read(consent_id, path, bookingStatus="booked").json()["transactions"]
    assert after["bankgiro"] == before
    assert after["booked"][-1]["paymentId"] == id_of(payment)
    assert "currencyExchange" not in after["booked"][-1]
