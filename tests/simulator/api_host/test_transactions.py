"""Transactions: periods, deltas, pages and details."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.simulator.callers import ACCOUNTS, OF_A_COMPANY, UNATTENDED, YEAR, BankCaller, Clock, refused
from tests.simulator.rules import BOTH, of_2021

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

pytestmark = pytest.mark.simulator(page_size=10, token_lifetime=YEAR)

EVERYTHING = {"bookingStatus": "booked", "dateFrom": "2020-01-01"}
AMOUNT = re.compile(r"-?[0-9]{1,14}\.[0-9]{2}")


class Account:
    """The first account of a valid consent."""

    def __init__(self, bank: BankCaller, **consent: Any) -> None:
        self.bank = bank
        self.consent_id = bank.valid(**consent)
        self.id = bank.account_ids(self.consent_id)[0]
        self.path = f"{ACCOUNTS}/{self.id}/transactions"

    def ask(self, path: str | None = None, *, unattended: bool = False, **query: Any) -> httpx.Response:
        headers = UNATTENDED if unattended else {}
        return self.bank.read(self.consent_id, path or self.path, headers=headers, **query)

    def page(self, **query: Any) -> dict[str, Any]:
        response = self.ask(**query)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def pages(self, *, unattended: bool = False, **query: Any) -> Iterator[dict[str, Any]]:
        """Follows `next` as it is."""
        response = self.ask(unattended=unattended, **query)
        while True:
            if response.status_code == 204:
                return
            assert response.status_code == 200, response.text
            report = response.json()
            yield report["transactions"]
            if "next" not in report["transactions"]["_links"]:
                return
            response = self.ask(report["transactions"]["_links"]["next"]["href"], unattended=unattended)

    def booked(self, **query: Any) -> list[dict[str, Any]]:
        pages = self.pages(**{"bookingStatus": "booked", **query})
        return [transaction for page in pages for transaction in page["booked"]]

    def numbers(self, **query: Any) -> list[int]:
        """The serial numbers in the entry references, which begin at 1."""
        return [number_of(transaction) for transaction in self.booked(**query)]


def number_of(transaction: dict[str, Any]) -> int:
    return int(transaction["entryReference"].rpartition("-")[2])


@pytest.fixture
def account(seb: BankCaller) -> Account:
    return Account(seb)


def test_a_hundred_transactions_in_the_order_of_their_booking(account: Account) -> None:
    transactions = account.booked(dateFrom="2020-01-01")
    assert [number_of(transaction) for transaction in transactions] == list(range(1, 101))
    dates = [transaction["bookingDate"] for transaction in transactions]
    assert dates == sorted(dates)
    assert (dates[0], dates[-1]) == ("2025-03-02", "2026-02-26")


def test_a_transaction(account: Account) -> None:
    transaction = account.page(**EVERYTHING)["transactions"]["booked"][1]
    assert re.fullmatch("-[0-9.]+", transaction["transactionAmount"].pop("amount"))
    assert transaction["transactionAmount"] == {"currency": "SEK"}
    assert transaction["debtorAccount"] == {"iban": "SE2550000000000000000011", "currency": "SEK"}
    assert transaction["entryReference"] == "ESSESESS-11-000000000002"
    assert transaction["bookingDate"] == transaction["valueDate"] == "2025-03-05"
    details = f"{account.path}/{transaction['transactionId']}"
    assert transaction["_links"] == {"transactionDetails": {"href": details}}


def test_debits_have_a_minus_and_a_creditor(account: Account) -> None:
    transactions = account.booked(dateFrom="2020-01-01")
    for transaction in transactions:
        amount = transaction["transactionAmount"]["amount"]
        assert AMOUNT.fullmatch(amount)
        assert amount.startswith("-") == ("creditorName" in transaction) == ("debtorAccount" in transaction)
        assert amount.startswith("-") != ("debtorName" in transaction)
    fields = {name for transaction in transactions for name in transaction}
    assert fields >= {"currencyExchange", "mandateId", "remittanceInformationStructured", "creditorAccount"}
    accounts = [transaction.get("creditorAccount", {}) for transaction in transactions]
    assert {name for one in accounts for name in one} == {"bankGiro", "plusGiro", "iban", "currency"}


@pytest.mark.parametrize(
    ("status", "lists"), [("booked", {"booked"}), ("pending", {"pending"}), ("both", {"booked", "pending"})]
)
def test_booking_status(account: Account, status: str, lists: set[str]) -> None:
    pages = list(account.pages(bookingStatus=status, dateFrom="2020-01-01"))
    assert len(pages) == (1 if status == "pending" else 10)
    for page in pages:
        assert set(page) == lists | {"_links"}
    # the pending ones come last, as they will be booked
    assert [len(page.get("pending", ())) for page in pages[:-1]] == [0] * (len(pages) - 1)
    assert len(pages[-1].get("pending", ())) == (0 if status == "booked" else 2)


def test_what_is_pending_gets_booked(account: Account, clock: Clock) -> None:
    pending = account.page(bookingStatus="pending", dateFrom="2026-03-01")["transactions"]["pending"]
    for transaction in pending:
        assert {"bookingDate", "entryReference", "transactionId", "_links"}.isdisjoint(transaction)
    clock.next_day(7)
    booked = account.booked(dateFrom="2026-03-02")
    assert [transaction["transactionAmount"] for transaction in booked] == [
        transaction["transactionAmount"] for transaction in pending
    ]


def test_a_report_names_its_account(account: Account) -> None:
    report = account.page(**EVERYTHING)
    assert set(report) == {"account", "transactions"}
    assert report["account"] == {"iban": "SE2550000000000000000011", "currency": "SEK"}
    assert report["transactions"]["_links"]["account"] == {"href": f"{ACCOUNTS}/{account.id}"}


@pytest.mark.parametrize("query", [{"withBalance": "true"}, {"withBalance": "?"}, {"deltaList": "true"}])
def test_what_2026_has_no_longer_is_not_looked_at(account: Account, query: dict[str, str]) -> None:
    report = account.page(**EVERYTHING)
    following = report["transactions"]["_links"].pop("next")["href"]
    again = account.page(**EVERYTHING, **query)
    assert httpx.QueryParams(urlsplit(again["transactions"]["_links"].pop("next")["href"]).query) == httpx.QueryParams(
        urlsplit(following).query
    ).merge(query)
    assert again == report


@of_2021
def test_in_2021_a_report_had_the_balances(account: Account) -> None:
    assert account.page(**EVERYTHING)["balances"] == []
    balances = account.bank.read(account.consent_id, f"{account.id}/balances").json()["balances"]
    assert account.page(**EVERYTHING, withBalance="true")["balances"] == balances


def test_a_period_includes_both_of_its_days(account: Account) -> None:
    everything = account.booked(dateFrom="2020-01-01")
    first, last = everything[40]["bookingDate"], everything[60]["bookingDate"]
    expected = [number_of(one) for one in everything if first <= one["bookingDate"] <= last]
    assert account.numbers(dateFrom=first, dateTo=last) == expected == list(range(41, 62))
    after = (date.fromisoformat(first) + timedelta(days=1)).isoformat()
    before = (date.fromisoformat(last) - timedelta(days=1)).isoformat()
    assert account.numbers(dateFrom=after, dateTo=before) == list(range(42, 61))
    assert account.numbers(dateFrom=first, dateTo=first) == [41]


@pytest.mark.parametrize("query", [{"dateFrom": "0001-01-01"}, {"dateFrom": "2025-03-02", "dateTo": "9999-12-31"}])
def test_periods_that_are_wider_than_history(account: Account, query: dict[str, str]) -> None:
    assert account.numbers(**query) == list(range(1, 101))


def test_a_period_before_history(account: Account) -> None:
    for status in ("booked", "both"):
        response = account.ask(bookingStatus=status, dateFrom="2020-01-01", dateTo="2025-03-01")
        assert (response.status_code, response.content) == (204, b"")


@of_2021
def test_in_2021_a_period_before_history_was_an_empty_report(account: Account) -> None:
    report = account.page(bookingStatus="both", dateFrom="2020-01-01", dateTo="2025-03-01")
    assert report["transactions"]["booked"] == report["transactions"]["pending"] == []


def test_without_a_period_everything_is_listed(account: Account) -> None:
    assert account.numbers() == list(range(1, 101))
    assert account.numbers(dateTo="2025-03-10") == [1, 2, 3]


@of_2021
@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"bookingStatus": "booked"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "dateTo": "2026-01-01"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "deltaList": "false"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "deltaList": "yes"}, "FORMAT_ERROR", "deltaList"),
        ({"bookingStatus": "booked", "dateFrom": "2026-01-01", "withBalance": "yes"}, "FORMAT_ERROR", "withBalance"),
        ({"bookingStatus": "booked", "dateFrom": "2026-02-01", "page": "2"}, "PARAMETER_NOT_SUPPORTED", "page"),
        (
            {"bookingStatus": "booked", "dateFrom": "2026-02-01", "continuationKey": "x"},
            "PARAMETER_NOT_SUPPORTED",
            "continuationKey",
        ),
    ],
)
def test_questions_that_were_refused_in_2021(account: Account, query: dict[str, Any], code: str, path: str) -> None:
    refused(account.ask(**query), 400, code, path)


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"dateFrom": "2026-01-01"}, "FORMAT_ERROR", "bookingStatus"),
        ({"bookingStatus": "", "dateFrom": "2026-01-01"}, "FORMAT_ERROR", "bookingStatus"),
        ({"bookingStatus": "all", "dateFrom": "2026-01-01"}, "FORMAT_ERROR", "bookingStatus"),
        ({"bookingStatus": "booked", "dateFrom": "2026-02-30"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "dateFrom": "20260201"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "dateFrom": "2026-02-01T00:00:00Z"}, "FORMAT_ERROR", "dateFrom"),
        ({"bookingStatus": "booked", "dateFrom": "2026-02-01", "dateTo": "x"}, "FORMAT_ERROR", "dateTo"),
        (
            {"bookingStatus": "booked", "dateFrom": "2026-02-02", "dateTo": "2026-02-01"},
            "PARAMETER_NOT_CONSISTENT",
            "dateFrom",
        ),
        ({"bookingStatus": "booked", "dateFrom": "2026-03-02"}, "PERIOD_INVALID", "dateFrom"),
        ({"bookingStatus": "booked", "entryReferenceFrom": "x"}, "RESOURCE_UNKNOWN", "entryReferenceFrom"),
        (
            {"bookingStatus": "booked", "entryReferenceFrom": "ESSESESS-12-000000000001"},
            "RESOURCE_UNKNOWN",
            "entryReferenceFrom",
        ),
        (
            {"bookingStatus": "booked", "entryReferenceFrom": "ESSESESS-11-000000000101"},
            "RESOURCE_UNKNOWN",
            "entryReferenceFrom",
        ),
        ({"bookingStatus": "booked", "entryReferenceFrom": "ESSESESS-11-1"}, "RESOURCE_UNKNOWN", "entryReferenceFrom"),
        ({"bookingStatus": "booked", "continuationKey": "x"}, "RESOURCE_UNKNOWN", "continuationKey"),
        ({"bookingStatus": "booked", "continuationKey": "ö"}, "RESOURCE_UNKNOWN", "continuationKey"),
        ({"bookingStatus": "booked", "continuationKey": ""}, "RESOURCE_UNKNOWN", "continuationKey"),
    ],
)
def test_questions_that_are_refused(account: Account, query: dict[str, Any], code: str, path: str) -> None:
    refused(account.ask(**query), 400, code, path)


@pytest.mark.parametrize("rules", BOTH)
def test_everything_after_an_entry(account: Account, rules: str) -> None:
    reference = account.page(**EVERYTHING)["transactions"]["booked"][6]["entryReference"]
    assert account.numbers(entryReferenceFrom=reference) == list(range(8, 101))
    newest = account.booked(dateFrom="2026-01-01")[-1]["entryReference"]
    assert account.numbers(entryReferenceFrom=newest) == []


@of_2021
def test_everything_since_the_last_report(account: Account, clock: Clock) -> None:
    assert account.numbers(deltaList="true") == list(range(1, 101))
    assert account.numbers(deltaList="true") == []
    # a look into the past changes nothing
    assert account.numbers(dateFrom="2025-04-01", dateTo="2025-04-30")
    clock.next_day(30)
    new = account.numbers(deltaList="true")
    assert new == list(range(101, 101 + len(new)))
    assert len(new) == 9
    assert account.numbers(deltaList="true") == []


@of_2021
def test_other_consents_and_accounts_have_deltas_of_their_own(account: Account) -> None:
    assert account.numbers(deltaList="true")
    other = Account(account.bank, headers={"PSU-ID": "someone-else"})
    assert (other.id, len(other.numbers(deltaList="true"))) == (account.id, 100)


def test_the_next_page_has_the_same_query_and_a_key(account: Account) -> None:
    query = {"bookingStatus": "both", "dateFrom": "2025-04-01", "dateTo": "2026-02-01", "something": "å&1"}
    keys = []
    report = account.page(**query)["transactions"]
    while "next" in report["_links"]:
        parts = urlsplit(report["_links"]["next"]["href"])
        assert (parts.scheme, parts.netloc, parts.path) == ("", "", account.path)
        rest = dict(parse_qsl(parts.query))
        keys.append(rest.pop("continuationKey"))
        assert rest == query
        before, report = report, account.page(**rest, continuationKey=keys[-1])["transactions"]
        assert number_of(report["booked"][0]) == number_of(before["booked"][-1]) + 1
    assert len(set(keys)) == len(keys) == 8


@pytest.mark.simulator(newest_first=True, page_size=30)
def test_a_list_may_begin_with_the_newest(account: Account, clock: Clock) -> None:
    pages = account.pages(bookingStatus="both", dateFrom="2020-01-01")
    found = [next(pages)]
    clock.next_day(4)  # what is booked meanwhile comes before the first page
    found += pages
    numbers = [number_of(one) for page in found for one in page["booked"]]
    assert numbers == list(range(100, 0, -1))
    assert [len(page["pending"]) for page in found] == [0, 0, 0, 2]
    assert account.numbers(entryReferenceFrom="ESSESESS-11-000000000098")[-1] == 99


def test_pages_after_an_entry(account: Account) -> None:
    reference = account.page(**EVERYTHING)["transactions"]["booked"][6]["entryReference"]
    pages = list(account.pages(bookingStatus="booked", entryReferenceFrom=reference))
    assert [number_of(one) for page in pages for one in page["booked"]] == list(range(8, 101))


def test_the_key_of_another_account(account: Account) -> None:
    following = account.page(**EVERYTHING)["transactions"]["_links"]["next"]["href"]
    other = account.bank.account_ids(account.consent_id)[1]
    refused(account.ask(following.replace(account.id, other)), 400, "RESOURCE_UNKNOWN", "continuationKey")


@of_2021
def test_in_2021_the_next_page_was_named_by_documented_parameters(account: Account) -> None:
    query = {"bookingStatus": "both", "dateFrom": "2025-04-01", "dateTo": "2026-02-01", "withBalance": "true"}
    report = account.page(**query)
    parts = urlsplit(report["transactions"]["_links"]["next"]["href"])
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", account.path)
    last = report["transactions"]["booked"][-1]["entryReference"]
    assert dict(parse_qsl(parts.query)) == {**query, "entryReferenceFrom": last}
    after = account.page(**query, entryReferenceFrom=last)
    assert after["transactions"]["booked"][0]["bookingDate"] > report["transactions"]["booked"][-1]["bookingDate"]
    assert after["balances"]


def test_a_page_may_be_turned_back_and_the_rest_stays_the_same(account: Account) -> None:
    following = account.page(**EVERYTHING)["transactions"]["_links"]["next"]["href"]
    first, again = account.ask(following).json(), account.ask(following).json()
    assert first == again
    assert first["transactions"]["booked"][0]["entryReference"].endswith("11")


def test_turning_pages_is_one_access(account: Account) -> None:
    once = Account(account.bank, frequencyPerDay=1, recurringIndicator=False)
    assert len(list(once.pages(unattended=True, **EVERYTHING))) == 10
    refused(once.ask(unattended=True, **EVERYTHING), 429, "ACCESS_EXCEEDED")


def test_details(account: Account) -> None:
    transaction = account.page(**EVERYTHING)["transactions"]["booked"][4]
    details = account.ask(transaction["_links"]["transactionDetails"]["href"]).json()
    assert details.pop("additionalInformation")
    assert details == {name: value for name, value in transaction.items() if name != "_links"}


@pytest.mark.parametrize("transaction_id", ["TESSESESS-11-000000000101", "ESSESESS-11-000000000001", "T", "x"])
def test_details_of_nothing(account: Account, transaction_id: str) -> None:
    refused(account.ask(f"{account.path}/{transaction_id}"), 404, "RESOURCE_UNKNOWN", "transactionId")


@pytest.mark.parametrize("bic", ["NDEASESS", "HANDSESS", "SWEDSESS"])
def test_other_banks_have_no_details(simulator: Simulator, http: httpx.Client, bic: str) -> None:
    account = Account(BankCaller(simulator, http, bic))
    transactions = account.booked(dateFrom="2020-01-01")
    assert len(transactions) == 100
    assert all({"transactionId", "_links"}.isdisjoint(transaction) for transaction in transactions)
    assert account.ask(f"{account.path}/T{transactions[0]['entryReference']}").status_code == 404


@pytest.mark.parametrize(
    ("transactions", "pages"),
    [
        pytest.param(number, pages, marks=pytest.mark.simulator(transactions=number, page_size=page_size))
        for number, page_size, pages in ((0, 10, 1), (1, 1, 1), (7, 3, 3), (9, 3, 3))
    ],
)
def test_any_number_in_pages_of_any_size(account: Account, transactions: int, pages: int) -> None:
    found = list(account.pages(bookingStatus="both", dateFrom="2020-01-01"))
    assert len(found) == (pages if transactions else 0)
    numbers = [number_of(one) for page in found for one in page["booked"]]
    assert numbers == list(range(1, transactions + 1))
    assert [len(page["pending"]) for page in found[-1:]] == [2] * (transactions > 0)
    balances = account.bank.read(account.consent_id, f"{account.id}/balances").json()["balances"]
    assert ("lastCommittedTransaction" in balances[0]) == (transactions > 0)


@pytest.mark.simulator(transactions=100_000, page_size=2)
def test_a_hundred_thousand_are_there_at_once(account: Account) -> None:
    day = account.page(bookingStatus="booked", dateFrom="2026-03-01")["transactions"]
    assert [number_of(one) for one in day["booked"]] == [99_728, 99_729]
    assert {one["bookingDate"] for one in day["booked"]} == {"2026-03-01"}
    last = account.page(bookingStatus="both", entryReferenceFrom="ESSESESS-11-000000099998")["transactions"]
    assert [number_of(one) for one in last["booked"]] == [99_999, 100_000]
    assert "next" not in last["_links"]


@pytest.mark.simulator(transactions=1000, page_size=500)
def test_many_transactions_lie_within_a_year(account: Account) -> None:
    dates = [one["bookingDate"] for one in account.booked(dateFrom="2020-01-01")]
    assert (len(dates), min(dates), max(dates)) == (1000, "2025-03-02", "2026-03-01")
    # each day has its share
    assert {dates.count(day) for day in set(dates)} == {2, 3}


COMPANY = "accountinformation bankgiroinformation corporate"


def company(simulator: Simulator, http: httpx.Client, bic: str, scope: str) -> Account:
    return Account(BankCaller(simulator, http, bic, scope=scope, headers=OF_A_COMPANY))


def test_a_lump_sum_and_its_payments(simulator: Simulator, http: httpx.Client) -> None:
    account = company(simulator, http, "ESSESESS", COMPANY)
    lump_sums: dict[str, dict[str, Any]] = {}
    payments: list[dict[str, Any]] = []
    for page in account.pages(bookingStatus="both", dateFrom="2020-01-01"):
        lump_sums |= {one["transactionId"]: one for one in page["booked"] if "transactionListId" in one}
        payments += page["bankgiro"]
        # those of a page are of its lump sums
        assert {one["aggregateTransactionId"] for one in page["bankgiro"]} <= set(lump_sums)
    assert len(lump_sums) == 2
    for transaction_id, lump_sum in lump_sums.items():
        parts = [one for one in payments if one["aggregateTransactionId"] == transaction_id]
        assert len(parts) == 3
        amount = lump_sum["transactionAmount"]["amount"]
        assert sum(Decimal(one["transactionAmount"]["amount"]) for one in parts) == Decimal(amount)
        assert {
            (
                one["aggregateAmount"],
                one["aggregateTransactionListId"],
                one["aggregateRemittanceInformationUnstructured"],
                one["bookingDate"],
                one["isAliasPayin"],
                one["isEnriched"],
            )
            for one in parts
        } == {
            (
                amount,
                lump_sum["transactionListId"],
                lump_sum["remittanceInformationUnstructured"],
                lump_sum["bookingDate"],
                True,
                True,
            )
        }
        assert len({one["aggregateId"] for one in parts}) == 1
        for one in parts:
            assert one["debtorName"]
            assert one["debtorOrganisationId"]
            assert one["debtorAddress"]["country"] == "SE"
    assert len({one["aggregateId"] for one in payments}) == 2
    assert len({one["entryReference"] for one in payments}) == len(payments) == 6


@pytest.mark.parametrize(
    ("bic", "scope"),
    [
        ("ESSESESS", "accountinformation corporate"),
        ("ESSESESS", "accountinformation bankgiroinformation private"),
        ("SWEDSESS", COMPANY),
        pytest.param("ESSESESS", COMPANY, marks=of_2021),
    ],
)
def test_who_has_no_bankgiro_entries(simulator: Simulator, http: httpx.Client, bic: str, scope: str) -> None:
    account = company(simulator, http, bic, scope)
    assert "bankgiro" not in account.page(**EVERYTHING)["transactions"]


def test_what_is_pending_has_no_bankgiro_entries(simulator: Simulator, http: httpx.Client) -> None:
    account = company(simulator, http, "ESSESESS", COMPANY)
    assert set(account.page(bookingStatus="pending")["transactions"]) == {"pending", "_links"}
