"""Accounts and balances, and what a consent opens of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.callers import ACCOUNTS, CARDS, OF_A_COMPANY, UNATTENDED, YEAR, BankCaller, Clock, refused
from tests.simulator.description import BANK_OPERATIONS
from tests.simulator.rules import BOTH, of_2021

if TYPE_CHECKING:
    import httpx

PATHS = [one.address() for one in BANK_OPERATIONS if one.tag == "Account Information"]

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)


@pytest.mark.parametrize("rules", BOTH)
def test_the_accounts_of_a_user(seb: BankCaller, rules: str) -> None:
    accounts = seb.read(seb.valid()).json()["accounts"]
    assert [(account["iban"], account["currency"]) for account in accounts] == [
        ("SE2550000000000000000011", "SEK"),
        ("SE9550000000000000000012", "SEK"),
        ("SE6850000000000000000013", "EUR"),
    ]
    first = accounts[0]
    resource_id = first.pop("resourceId")
    assert first == {
        "iban": "SE2550000000000000000011",
        "bban": "50000000000000000011",
        "currency": "SEK",
        "name": "Lönekonto",
        "product": "Lönekonto",
        "cashAccountType": "CACC",
        "status": "enabled",
        "bic": "ESSESESS",
        "usage": "PRIV",
        "ownerName": "Kim Exempel",
        "_links": {
            "balances": {"href": f"{ACCOUNTS}/{resource_id}/balances"},
            "transactions": {"href": f"{ACCOUNTS}/{resource_id}/transactions"},
        },
    }


@pytest.mark.parametrize("bic", ["ESSESESS", "NDEASESS", "SWEDSESS"])
def test_ibans_have_a_valid_checksum(simulator: Simulator, http: httpx.Client, bic: str) -> None:
    bank = BankCaller(simulator, http, bic)
    for account in bank.read(bank.valid()).json()["accounts"]:
        rearranged = account["iban"][4:] + account["iban"][:4]
        assert int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1
        assert account["iban"].endswith(account["bban"])


def test_handelsbanken_knows_its_accounts_by_clearing_number(handelsbanken: BankCaller) -> None:
    consent_id = handelsbanken.valid()
    account = handelsbanken.read(consent_id).json()["accounts"][0]
    assert (account["clearingNumber"], account["bban"]) == ("6000", "000000011")
    assert "iban" not in account
    balances = handelsbanken.read(consent_id, f"{account['resourceId']}/balances").json()
    assert balances["account"] == {"bban": "000000011", "clearingNumber": "6000", "currency": "SEK"}


def test_businesses_have_other_accounts(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="accountinformation corporate", headers=OF_A_COMPANY)
    private, business = seb.read(seb.valid()).json()["accounts"], corporate.read(corporate.valid()).json()["accounts"]
    assert {account["usage"] for account in business} == {"ORGA"}
    for name in ("resourceId", "iban", "bban"):
        assert {account[name] for account in private}.isdisjoint(account[name] for account in business)


def test_everything_follows_from_the_seed(http: httpx.Client, clock: Clock) -> None:
    def look(seed: int) -> Any:
        with Simulator(clock=clock, seed=seed) as simulator:
            bank = BankCaller(simulator, http)
            consent_id = bank.valid()
            accounts = bank.read(consent_id, withBalance="true").json()
            path = f"{bank.account_ids(consent_id)[0]}/transactions"
            return [
                consent_id,
                accounts,
                bank.read(consent_id, path, bookingStatus="both", dateFrom="2020-01-01").json(),
            ]

    first, again, other = look(1), look(1), look(2)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_one_account(seb: BankCaller) -> None:
    consent_id = seb.valid()
    listed = seb.read(consent_id).json()["accounts"][1]
    assert seb.read(consent_id, listed["resourceId"]).json() == listed


@pytest.mark.parametrize("path", ["", "account"])
def test_accounts_with_balances(seb: BankCaller, path: str) -> None:
    consent_id = seb.valid()
    account_id = seb.account_ids(consent_id)[0]
    answers = [
        seb.read(consent_id, (account_id if path else "") + query).json()
        for query in ("?withBalance=true", "?withBalance=false", "")
    ]
    accounts = [answer if path else answer["accounts"][0] for answer in answers]
    assert accounts[0]["balances"] == seb.read(consent_id, f"{account_id}/balances").json()["balances"]
    assert not any("balances" in account for account in accounts[1:])


def test_the_balances_are_the_sum_of_the_transactions(seb: BankCaller, clock: Clock) -> None:
    consent_id = seb.valid()
    for account_id in seb.account_ids(consent_id):

        def balances(account_id: str = account_id) -> dict[str, Decimal]:
            body = seb.read(consent_id, f"{account_id}/balances").json()
            return {one["balanceType"]: Decimal(one["balanceAmount"]["amount"]) for one in body["balances"]}

        def amounts(status: str, date_from: str, account_id: str = account_id) -> Decimal:
            path = f"{account_id}/transactions"
            body = seb.read(consent_id, path, bookingStatus=status, dateFrom=date_from).json()
            return sum((Decimal(one["transactionAmount"]["amount"]) for one in body["transactions"][status]), Decimal())

        before = balances()
        assert set(before) == {"closingBooked", "interimAvailable"}
        assert before["interimAvailable"] == before["closingBooked"] + amounts("pending", "2026-03-01")
        clock.next_day(20)
        assert balances()["closingBooked"] == before["closingBooked"] + amounts("booked", "2026-03-02")
        clock.next_day(-20)


def test_a_balance_says_what_it_is_of(seb: BankCaller) -> None:
    consent_id = seb.valid()
    account_id = seb.account_ids(consent_id)[0]
    body = seb.read(consent_id, f"{account_id}/balances").json()
    assert body["account"] == {"iban": "SE2550000000000000000011", "currency": "SEK"}
    for balance in body["balances"]:
        assert balance["balanceAmount"]["currency"] == "SEK"
        assert balance["creditLimitIncluded"] is False
        assert balance["referenceDate"] == "2026-03-01"
    page = seb.read(consent_id, f"{account_id}/transactions", bookingStatus="booked", dateFrom="2026-02-20").json()
    last = page["transactions"]["booked"][-1]["entryReference"]
    assert [balance["lastCommittedTransaction"] for balance in body["balances"]] == [last, last]


FIRST, SECOND = {"iban": "SE2550000000000000000011"}, {"iban": "SE9550000000000000000012", "currency": "SEK"}


@pytest.mark.parametrize(
    ("access", "opened"),
    [
        ({}, [{"balances", "transactions"}] * 3),
        ({"allPsd2": "allAccounts"}, [{"balances", "transactions"}] * 3),
        ({"accounts": []}, [set()] * 3),
        ({"accounts": [], "transactions": []}, [{"transactions"}] * 3),
        ({"availableAccounts": "allAccounts"}, [set()] * 3),
        ({"availableAccounts": "allAccountsWithBalances"}, [{"balances"}] * 3),
        (
            {"accounts": [FIRST, SECOND], "balances": [FIRST], "transactions": [SECOND]},
            [{"balances"}, {"transactions"}],
        ),
        ({"accounts": [FIRST], "availableAccounts": "allAccounts"}, [set()] * 3),
        ({"accounts": [{"bban": "50000000000000000013"}]}, [set()]),
        ({"accounts": [FIRST | {"currency": "EUR"}]}, []),
        ({"accounts": [{"iban": "SE5750000000000000000017"}]}, []),
        ({"accounts": [{"maskedPan": "000000******0071"}]}, []),
    ],
)
def test_what_a_consent_opens(seb: BankCaller, access: dict[str, Any], opened: list[set[str]]) -> None:
    consent_id = seb.valid(access=access)
    accounts = seb.accounts(consent_id, withBalance="true")
    assert [set(account["_links"]) for account in accounts] == opened
    assert ["balances" in account for account in accounts] == ["balances" in kinds for kinds in opened]
    for account, kinds in zip(accounts, opened, strict=True):
        path = account["resourceId"]
        assert seb.read(consent_id, path).status_code == 200
        responses = {
            "balances": seb.read(consent_id, f"{path}/balances"),
            "transactions": seb.read(consent_id, f"{path}/transactions", bookingStatus="booked", dateFrom="2026-01-01"),
        }
        for kind, response in responses.items():
            if kind in kinds:
                assert response.status_code == 200
            else:
                refused(response, 401, "CONSENT_INVALID")


@pytest.mark.parametrize("number", ["bban", "accountNumber"])
def test_a_consent_may_name_handelsbankens_accounts_either_way(handelsbanken: BankCaller, number: str) -> None:
    reference = {number: "000000012", "clearingNumber": "6000"}
    accounts = handelsbanken.accounts(handelsbanken.valid(access={"accounts": [reference]}))
    assert [account["bban"] for account in accounts] == ["000000012"]


def test_no_accounts_are_no_content(seb: BankCaller) -> None:
    response = seb.read(seb.valid(access={"accounts": [{"iban": "SE5750000000000000000017"}]}))
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers


@of_2021
def test_in_2021_no_accounts_were_an_empty_list(seb: BankCaller) -> None:
    response = seb.read(seb.valid(access={"accounts": [{"iban": "SE5750000000000000000017"}]}))
    assert (response.status_code, response.json()) == (200, {"accounts": []})


def test_an_account_that_the_consent_leaves_out(seb: BankCaller) -> None:
    left_out = seb.account_ids(seb.valid())[1]
    consent_id = seb.valid(access={"accounts": [FIRST], "balances": [FIRST], "transactions": [FIRST]})
    for path in ("", "/balances", "/transactions?bookingStatus=booked&dateFrom=2026-01-01", "/transactions/1"):
        refused(seb.read(consent_id, f"{left_out}{path}"), 401, "CONSENT_INVALID")


@pytest.mark.parametrize(
    ("path", "status"),
    [("", 404), ("/balances", 404), ("/transactions?bookingStatus=booked", 404), ("/transactions/1", 403)],
)
def test_an_account_that_does_not_exist(seb: BankCaller, path: str, status: int) -> None:
    refused(seb.read(seb.valid(), f"nothing{path}"), status, "RESOURCE_UNKNOWN", "account-id")


@pytest.mark.parametrize("path", PATHS)
def test_a_call_needs_a_consent_that_the_bank_knows(seb: BankCaller, path: str) -> None:
    refused(seb.get(path), 400, "FORMAT_ERROR", "Consent-ID")
    refused(seb.read("", path), 400, "FORMAT_ERROR", "Consent-ID")
    refused(seb.read("nobody's", path), 400, "CONSENT_UNKNOWN", "Consent-ID")
    refused(seb.read(seb.valid(), path, headers={"X-BicFi": "NDEASESS"}), 400, "CONSENT_UNKNOWN", "Consent-ID")


@pytest.mark.parametrize("path", PATHS)
def test_a_consent_that_is_not_valid(seb: BankCaller, clock: Clock, path: str) -> None:
    received, declined, revoked, deleted = (seb.create() for _ in range(4))
    refused(seb.read(received, path), 401, "CONSENT_INVALID")
    seb.simulator.decline(declined)
    refused(seb.read(declined, path), 401, "CONSENT_INVALID")
    seb.simulator.approve(revoked)
    seb.simulator.revoke_consent(revoked)
    refused(seb.read(revoked, path), 401, "CONSENT_INVALID")
    seb.call("DELETE", deleted)
    refused(seb.read(deleted, path), 401, "CONSENT_INVALID")
    expired = seb.valid(validUntil="2026-03-01")
    clock.next_day()
    refused(seb.read(expired, path), 401, "CONSENT_EXPIRED")


FALLBACK = {"X-ISO-Fallback-Enabled": "true"}


def test_accounts_can_be_read_after_the_end_if_that_was_said_before(seb: BankCaller, clock: Clock) -> None:
    consent_id = seb.valid(validUntil="2026-03-01")
    account_id = seb.account_ids(consent_id)[0]
    assert seb.read(consent_id, headers=FALLBACK).status_code == 200
    clock.next_day()
    assert seb.status(consent_id) == "expired"
    for path in ("", account_id, f"{account_id}/balances", f"{account_id}/transactions?bookingStatus=booked"):
        assert seb.read(consent_id, path, headers=FALLBACK).status_code == 200
        refused(seb.read(consent_id, path), 401, "CONSENT_EXPIRED")
        refused(seb.read(consent_id, path, headers={"X-ISO-Fallback-Enabled": "false"}), 401, "CONSENT_EXPIRED")
    # cards have no such header
    refused(seb.read(consent_id, CARDS, headers=FALLBACK), 401, "CONSENT_EXPIRED")


@pytest.mark.parametrize("before", [{}, pytest.param(FALLBACK, marks=of_2021)])
def test_it_has_to_be_said_before_and_was_unknown_in_2021(
    seb: BankCaller, clock: Clock, before: dict[str, str | None]
) -> None:
    consent_id = seb.valid(validUntil="2026-03-01")
    assert seb.read(consent_id, headers=before).status_code == 200
    clock.next_day()
    refused(seb.read(consent_id, headers=FALLBACK), 401, "CONSENT_EXPIRED")


def test_only_an_end_by_time_is_forgiven(seb: BankCaller) -> None:
    consent_id = seb.valid()
    assert seb.read(consent_id, headers=FALLBACK).status_code == 200
    seb.simulator.revoke_consent(consent_id)
    refused(seb.read(consent_id, headers=FALLBACK), 401, "CONSENT_INVALID")


@pytest.mark.parametrize("value", ["yes", "True", "1", ""])
def test_with_balance_is_true_or_false(seb: BankCaller, value: str) -> None:
    refused(seb.read(seb.valid(), withBalance=value), 400, "FORMAT_ERROR", "withBalance")


def test_accesses_without_the_user_are_counted(seb: BankCaller, clock: Clock) -> None:
    consent_id = seb.valid(frequencyPerDay=2)
    first, second = seb.account_ids(consent_id)[:2]
    clock.now += 1800.25
    for _ in range(2):
        assert seb.read(consent_id, headers=UNATTENDED).status_code == 200
    response = seb.read(consent_id, headers=UNATTENDED)
    refused(response, 429, "ACCESS_EXCEEDED")
    assert response.headers["Retry-After"] == str(11 * 3600 + 1800)
    # each kind of access and each account has its own count, and a user who is there is not counted
    assert seb.read(consent_id).status_code == 200
    for _ in range(2):
        assert seb.read(consent_id, f"{first}/balances", headers=UNATTENDED).status_code == 200
    refused(seb.read(consent_id, f"{first}/balances", headers=UNATTENDED), 429, "ACCESS_EXCEEDED")
    assert seb.read(consent_id, f"{second}/balances", headers=UNATTENDED).status_code == 200
    assert seb.read(consent_id, first, headers=UNATTENDED).status_code == 200
    clock.next_day()
    assert seb.read(consent_id, headers=UNATTENDED).status_code == 200


def test_other_consents_have_counts_of_their_own(seb: BankCaller) -> None:
    for _ in range(2):
        consent_id = seb.valid(frequencyPerDay=1)
        assert seb.read(consent_id, headers=UNATTENDED).status_code == 200
        refused(seb.read(consent_id, headers=UNATTENDED), 429, "ACCESS_EXCEEDED")


def test_calls_that_fail_are_not_counted(seb: BankCaller) -> None:
    consent_id = seb.valid(frequencyPerDay=1)
    account_id = seb.account_ids(consent_id)[0]
    for _ in range(3):
        response = seb.read(consent_id, f"{account_id}/transactions", headers=UNATTENDED)
        refused(response, 400, "FORMAT_ERROR", "bookingStatus")
    query = {"bookingStatus": "booked", "dateFrom": "2026-01-01"}
    assert seb.read(consent_id, f"{account_id}/transactions", headers=UNATTENDED, **query).status_code == 200
