"""Accounts, balances and transactions that a consent opens, over real HTTP against the simulator."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest
from dateutil.relativedelta import relativedelta

from openpayments_facade import (
    AccessExceededError,
    Account,
    AsyncOpenPayments,
    BadRequestError,
    BookedTransaction,
    Consent,
    ConsentExpiredError,
    ConsentInvalidError,
    Environment,
    InvalidArgumentError,
    MonetaryAmount,
    NotFoundError,
    PendingTransaction,
    Psu,
    Transaction,
    UnreadableResponseError,
    money,
)
from openpayments_facade._protocol.arguments import today

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
ABSENT = Psu(id="example-user")
TODAY = today().date()
ACCOUNTS = "/psd2/accountinformation"


async def consented(op: AsyncOpenPayments, simulator: Simulator, bic: str = "ESSESESS", **terms: Any) -> str:
    consents = op.at_bank(bic, SOMEBODY).consents
    consent = await consents.create(valid_until=TODAY + timedelta(days=9), **terms)
    simulator.approve(consent.consent_id)
    return consent.consent_id


async def test_accounts_and_balances_are_read(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, simulator))
    first = (await accounts.list())[0]
    assert first.resource_id is not None
    assert first.balances is None
    assert (await accounts.list(with_balance=True))[0].balances
    detailed = await accounts.get(first.resource_id, with_balance=True)
    assert detailed.iban == first.iban
    balances = await accounts.balances(first.resource_id)
    assert balances
    assert money(balances[0].balance_amount) == money(str(balances[0].balance_amount.amount))
    headers = simulator.requests[-1].headers
    assert headers["consent-id"]
    assert (headers["psu-ip-address"], headers["psu-id"]) == ("203.0.113.7", "example-user")


@pytest.mark.openpayments_simulator(transactions=25, page_size=4)
async def test_transactions_come_from_all_pages_in_order(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, simulator))
    id_ = (await accounts.list())[0].resource_id or ""
    listed = accounts.transactions(id_, booking_status="both", date_from=relativedelta(months=-13))
    before = len(simulator.requests)
    found = [transaction async for transaction in listed]
    assert len(simulator.requests) - before == 7
    booked = [transaction for transaction in found if transaction.booking_status == "booked"]
    assert (len(booked), len(found)) == (25, 27)
    assert all(isinstance(transaction, BookedTransaction) for transaction in booked)
    assert isinstance(found[-1], PendingTransaction)
    assert len({transaction.entry_reference for transaction in booked}) == 25
    days = [transaction.booking_date for transaction in booked]
    assert all(type(day) is date for day in days)
    assert len([page async for page in listed.pages()]) == 7
    one = booked[0]
    assert one.transaction_id is not None
    details = await accounts.transaction(id_, transaction_id=one.transaction_id)
    assert details.transaction_amount == one.transaction_amount


@pytest.mark.openpayments_simulator(transactions=200)
async def test_days_and_deltas_are_asked_for(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, simulator))
    id_ = (await accounts.list())[0].resource_id or ""
    week = [t async for t in accounts.transactions(id_, date_from=relativedelta(days=-7), date_to=TODAY)]
    assert week
    assert all(t.booking_date and t.booking_date >= TODAY - timedelta(days=7) for t in week)
    query = simulator.requests[-1].query
    assert f"dateFrom={TODAY - timedelta(days=7)}" in query
    assert f"dateTo={TODAY}" in query
    reference = week[-3].entry_reference
    later = [t async for t in accounts.transactions(id_, entry_reference_from=reference)]
    assert [t.entry_reference for t in later] == [t.entry_reference for t in week[-2:]]
    delta = accounts.transactions(id_, delta_list=True, with_balance=True)
    assert [page async for page in delta.pages()]
    assert "deltaList=true" in simulator.requests[-1].query
    assert "withBalance=true" in simulator.requests[-1].query


async def test_details_of_a_bank_without_them(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("NDEASESS", SOMEBODY).accounts(await consented(op, simulator, "NDEASESS"))
    id_ = (await accounts.list())[0].resource_id or ""
    with pytest.raises(NotFoundError):
        await accounts.transaction(id_, transaction_id="t")


async def test_a_consent_that_does_not_do(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=TODAY)
    with pytest.raises(ConsentInvalidError):
        await bank.accounts(consent.consent_id).list()
    id_ = await consented(op, simulator)
    simulator.expire_consent(id_)
    with pytest.raises(ConsentExpiredError):
        await bank.accounts(id_).list()
    with pytest.raises(ConsentInvalidError):
        await bank.accounts("nobody-has-this-id").list()
    assert simulator.token_requests == 1


async def test_the_accesses_of_a_day_are_remembered(op: AsyncOpenPayments, simulator: Simulator) -> None:
    id_ = await consented(op, simulator, frequency_per_day=1)
    unattended = op.at_bank("ESSESESS", ABSENT).accounts(id_)
    assert await unattended.list()
    with pytest.raises(AccessExceededError) as caught:
        await unattended.list()
    assert caught.value.retry_after
    sent = len(simulator.requests)
    again = op.at_bank("ESSESESS", ABSENT).accounts(id_)
    with pytest.raises(AccessExceededError) as caught:
        await again.list()
    assert 0 < (caught.value.retry_after or 0) <= 86_400
    assert caught.value.status_code == 429
    assert "not sent again for" in str(caught.value)
    assert len(simulator.requests) == sent
    assert await op.at_bank("ESSESESS", SOMEBODY).accounts(id_).list()
    assert await again.balances((await op.at_bank("ESSESESS", SOMEBODY).accounts(id_).list())[0].resource_id or "")


async def test_what_is_remembered_is_of_one_account_and_runs_out(op: AsyncOpenPayments, simulator: Simulator) -> None:
    id_ = await consented(op, simulator, frequency_per_day=1)
    one, another, *_ = await op.at_bank("ESSESESS", SOMEBODY).accounts(id_).list()
    unattended = op.at_bank("ESSESESS", ABSENT).accounts(id_)
    assert await unattended.balances(one)
    seconds = []
    for _ in range(3):
        with pytest.raises(AccessExceededError) as caught:
            await unattended.balances(one)
        seconds.append(caught.value.retry_after or 0)
    assert seconds[0] > seconds[1] > seconds[2] > 0
    assert await unattended.balances(another)
    days = {"date_from": relativedelta(months=-12)}
    for account in (one, another):
        transactions = unattended.transactions(account, **days)  # type: ignore[arg-type]
        assert [page async for page in transactions.pages()]
        with pytest.raises(AccessExceededError):
            assert [page async for page in transactions.pages()]


async def test_what_is_over_is_forgotten(op: AsyncOpenPayments, simulator: Simulator) -> None:
    for consent_id, seconds in (("a", 1), ("b", 1), ("c", 9)):
        body = {"tppMessages": [{"category": "ERROR", "code": "ACCESS_EXCEEDED"}]}
        simulator.misbehave(ACCOUNTS, status=429, body=body, headers={"Retry-After": str(seconds)})
        if consent_id == "c":
            await asyncio.sleep(1.1)
        with pytest.raises(AccessExceededError):
            await op.at_bank("ESSESESS", ABSENT).accounts(consent_id).list()
    remembered = op._sender.session.quota.exceeded
    assert [consent_id for consent_id, *_ in remembered] == ["c"]


class Vanishing(dict[Any, Any]):
    """Whose entry another thread takes away just after it was seen."""

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        self.pop(key, None)
        return found


async def test_what_is_remembered_may_be_forgotten_by_another_thread(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    op._sender.session.quota.exceeded = Vanishing()
    unattended = op.at_bank("ESSESESS", ABSENT).accounts(await consented(op, simulator, frequency_per_day=1))
    assert await unattended.list()
    for _ in range(2):
        with pytest.raises(AccessExceededError):
            await unattended.list()


async def test_a_refusal_with_the_user_there_says_nothing_about_later(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    id_ = await consented(op, simulator)
    simulator.misbehave(ACCOUNTS, status=429, code="ACCESS_EXCEEDED", headers={"Retry-After": "60"})
    with pytest.raises(AccessExceededError):
        await op.at_bank("ESSESESS", SOMEBODY).accounts(id_).list()
    assert await op.at_bank("ESSESESS", ABSENT).accounts(id_).list()


async def test_without_a_retry_after_nothing_is_remembered(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", ABSENT).accounts(await consented(op, simulator))
    simulator.misbehave(ACCOUNTS, status=429, code="ACCESS_EXCEEDED")
    with pytest.raises(AccessExceededError):
        await accounts.list()
    assert await accounts.list()


AMOUNT = {"currency": "SEK", "amount": "1.00"}
EMPTY = {"transactions": {"booked": [], "_links": {"account": "/a"}}}


async def test_odd_but_honest_answers_are_read(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", ABSENT).accounts("c")
    simulator.misbehave(ACCOUNTS, body={"account": {"currency": "SEK", "status": "frozen", "iban": None}})
    account = await accounts.get("a")
    assert (account.currency, account.status, account.iban) == ("SEK", "frozen", None)
    odd = {
        "transactionAmount": AMOUNT,
        "bookingDate": "2026-03-01T10:00:00Z",
        "creditorAccount": {"bankgiroNumber": "123-4567", "bankGiro": "765-4321"},
        "unheardOf": 1,
    }
    simulator.misbehave(ACCOUNTS, body={"transactionsDetails": odd})
    transaction = await accounts.transaction("a", transaction_id="t")
    assert transaction.booking_date == date(2026, 3, 1)
    assert transaction.creditor_account is not None
    assert transaction.creditor_account.bank_giro == "765-4321"
    assert transaction.creditor_account.additional_properties == {"bankgiroNumber": "123-4567"}
    assert transaction.additional_properties == {"unheardOf": 1}
    for body in ({}, {"transactions": None}, {"transactions": {"booked": None, "pending": None}}, EMPTY):
        simulator.misbehave(ACCOUNTS, body=body)
        assert [t async for t in accounts.transactions("a", date_from=TODAY)] == []


@pytest.mark.parametrize(
    ("next_", "problem"),
    [
        ("https://evil.example/psd2/x?page=2", "another host"),
        ("//evil.example?page=2", "another host"),
        ("http://127.0.0.1:1/psd2/x?page=2", "another host"),
        ("http://127.0.0.1:x/psd2/x?page=2", "another host"),
        ("/psd2/accountinformation/v1/accounts/a/transactions", "no query"),
        ({"href": "?page=2"}, "back to a page"),
        ({"href": 5}, "no query"),
        (["?page=2"], "back to a page"),
        (["?page=2", "?page=3"], "not a string"),
        ({"href": ["?page=2", "?page=3"]}, "not a string"),
        ("?continuationKey=" + 59_990 * "2", "can't be sent"),
        (True, "not a string"),
        ("?page=\x00", "can't be sent"),
        ("?page=" + 70_000 * "2", "can't be sent"),
        (f"?bookingStatus=booked&dateFrom={TODAY}", "back to a page"),
        (f"?dateFrom={TODAY}&bookingStatus=booked", "back to a page"),
    ],
)
async def test_a_next_link_that_leads_astray_ends_in_an_error(
    op: AsyncOpenPayments, simulator: Simulator, next_: Any, problem: str
) -> None:
    page = {"transactions": {"booked": [{"transactionAmount": AMOUNT}], "_links": {"next": next_}}}
    simulator.misbehave(ACCOUNTS, times=None, body=page)
    transactions = op.at_bank("ESSESESS", ABSENT).accounts("c").transactions("a", date_from=TODAY)
    with pytest.raises(UnreadableResponseError, match=problem):
        assert [t async for t in transactions]
    calls = [request for request in simulator.requests if request.path.startswith(ACCOUNTS)]
    assert {request.path for request in calls} == {"/psd2/accountinformation/v1/accounts/a/transactions"}
    assert len(calls) == (2 if next_ in ({"href": "?page=2"}, ["?page=2"]) else 1)


def page_with(next_: str | None) -> dict[str, Any]:
    return {"transactions": {"booked": [{"transactionAmount": AMOUNT}], "_links": {"next": next_}}}


@pytest.mark.parametrize("query", ["name=%E5%E4&page=2", "flag&page=2", "page=2&blank=", "a=x%20y&a=x+y"])
async def test_the_query_of_a_next_link_is_left_as_it_is(
    op: AsyncOpenPayments, simulator: Simulator, query: str
) -> None:
    simulator.misbehave(ACCOUNTS, body=page_with(f"?{query}"))
    simulator.misbehave(ACCOUNTS, body=page_with(None))
    found = [t async for t in op.at_bank("ESSESESS", ABSENT).accounts("c").transactions("a", date_from=TODAY)]
    assert len(found) == 2
    assert simulator.requests[-1].path == "/psd2/accountinformation/v1/accounts/a/transactions"
    assert simulator.requests[-1].query == query


async def test_next_links_that_differ_in_what_is_not_utf_8_are_two(op: AsyncOpenPayments, simulator: Simulator) -> None:
    for next_ in ("?page=%E5", "?page=%E4", "?page", "?other", None):
        simulator.misbehave(ACCOUNTS, body=page_with(next_))
    found = [t async for t in op.at_bank("ESSESESS", ABSENT).accounts("c").transactions("a", date_from=TODAY)]
    assert len(found) == 5


@pytest.mark.parametrize(
    "next_",
    [
        "https://api.example.com:443/psd2?page=2",
        "https://API.example.com/psd2?page=2",
        "//api.example.com?page=2",
    ],
)
@pytest.mark.parametrize("api_url", ["https://api.example.com", "https://api.example.com:443"])
async def test_the_usual_port_may_be_said(api_url: str, next_: str) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/connect/token"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        asked.append(request.url.query.decode())
        return httpx.Response(200, json=page_with(None if len(asked) == 2 else next_))

    async with AsyncOpenPayments(
        client_id="id-of-the-usual-port",
        client_secret="secret",
        environment=Environment(name="usual", auth_url="https://auth.example.com", api_url=api_url),
        api_scopes=["accountinformation"],
        transport=httpx.MockTransport(answer),
    ) as op:
        found = [t async for t in op.at_bank("ESSESESS", ABSENT).accounts("c").transactions("a", date_from=TODAY)]
    assert len(found) == 2
    assert asked[1:] == ["page=2"]


@pytest.mark.openpayments_simulator(transactions=5, page_size=3)
async def test_raw_pages_have_their_headers(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    accounts = bank.with_raw_response.accounts(await consented(op, simulator))
    account = (await accounts.list()).parsed[0]
    pages = [page async for page in accounts.transactions(account, date_from=relativedelta(years=-1)).pages()]
    assert [page.status_code for page in pages] == [200, 200]
    assert len({page.request_id for page in pages}) == 2
    assert {page.headers["x-request-id"] for page in pages} == {page.request_id for page in pages}
    assert all(page.parsed.transactions for page in pages)


@pytest.mark.parametrize("id_", ["a/b", "a b", "a%2Fb", "a?b#c", "å", "..b"])
async def test_the_id_of_a_transaction_may_be_odd(op: AsyncOpenPayments, simulator: Simulator, id_: str) -> None:
    simulator.misbehave(ACCOUNTS, body={"transactionAmount": AMOUNT, "transactionId": id_})
    found = await op.at_bank("ESSESESS", ABSENT).accounts("c").transaction("a", transaction_id=id_)
    assert found.transaction_id == id_
    assert simulator.requests[-1].path == f"{ACCOUNTS}/v1/accounts/a/transactions/{id_}"


async def test_days_to_come_are_for_the_bank_to_refuse(op: AsyncOpenPayments, simulator: Simulator) -> None:
    """Some banks book card transactions on the last day of a month that has only begun."""
    bank = op.at_bank("ESSESESS", SOMEBODY)
    consent_id = await consented(op, simulator)
    last = TODAY + timedelta(days=45)
    service: Any
    for service in (bank.accounts(consent_id), bank.cards(consent_id)):
        [account, *_] = await service.list()
        listed = service.transactions(account, date_from=TODAY - timedelta(days=9), date_to=last)
        assert [t async for t in listed]
        assert f"dateTo={last}" in simulator.requests[-1].query
        listed = service.transactions(account, date_from=timedelta(days=3))
        with pytest.raises(BadRequestError) as caught:
            assert [t async for t in listed]
        assert caught.value.code == "PERIOD_INVALID"
    for first in (last, relativedelta(months=2)):
        with pytest.raises(InvalidArgumentError, match=r"^date_from is .* after date_to"):
            bank.cards(consent_id).transactions("a", date_from=first, date_to=TODAY + timedelta(days=3))


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("date_from", {"date_from": "2026-02-30"}),
        ("date_from", {"date_from": datetime(2026, 1, 1)}),  # noqa: DTZ001
        ("date_from", {"date_from": TODAY, "date_to": TODAY - timedelta(days=1)}),
        ("date_from", {"date_from": timedelta(hours=-1)}),
        ("date_from", {"date_from": relativedelta(hours=-1)}),
        ("date_from", {"date_from": relativedelta(years=-9999)}),
        ("date_to", {"date_from": TODAY, "date_to": "2030-02-30"}),
        ("booking_status", {"date_from": TODAY, "booking_status": "all"}),
        ("entry_reference_from", {"entry_reference_from": ""}),
        ("delta_list", {"delta_list": "yes"}),
        ("with_balance", {"date_from": TODAY, "with_balance": 1}),
        ("account_id", {"date_from": TODAY, "account_id": ""}),
        ("account_id", {"date_from": TODAY, "account_id": ".."}),
        ("account_id", {"date_from": TODAY, "account_id": "a/../b"}),
    ],
)
async def test_bad_arguments_are_refused_before_anything_is_sent(
    op: AsyncOpenPayments, simulator: Simulator, argument: str, values: dict[str, Any]
) -> None:
    bank = op.at_bank("ESSESESS")
    with pytest.raises(InvalidArgumentError, match=argument) as caught:
        bank.accounts("c").transactions(**{"account_id": "a", **values})
    assert caught.value.argument == argument
    bad: Any
    for bad in ("", " ", "é", "a\r\nb", None, 5):
        with pytest.raises(InvalidArgumentError, match="consent_id"):
            bank.accounts(bad)
    for bad in ("", "..", "a/../b", "..\\b", None, 5):
        with pytest.raises(InvalidArgumentError, match="account_id"):
            await bank.accounts("c").balances(bad)
        with pytest.raises(InvalidArgumentError, match="account_id"):
            await bank.accounts("c").get(bad)
    for bad in ("", "..", "a/../b", "..\\b", "a\r\nb", None, 5):
        with pytest.raises(InvalidArgumentError, match="transaction_id"):
            await bank.accounts("c").transaction("a", transaction_id=bad)
    assert simulator.requests == []


NAMELESS: Any = Transaction(MonetaryAmount("SEK", "1.00"))


@pytest.mark.parametrize("id_", [None, "", " ", "..", "a/../b", "a\nb", 5, ["a"]])
async def test_an_object_without_a_usable_id_is_no_mistake_of_the_caller(
    op: AsyncOpenPayments, simulator: Simulator, id_: Any
) -> None:
    account: Any = Account.from_dict({"currency": "SEK"})
    account.resource_id = NAMELESS.transaction_id = id_
    bank = op.at_bank("ESSESESS", SOMEBODY)
    accounts, cards = bank.accounts("c"), bank.cards("c")
    said = "the bank gave this Account no usable resource_id"
    for reading in (accounts.get, accounts.balances, cards.get, cards.balances):
        with pytest.raises(UnreadableResponseError, match=said):
            await reading(account)
    for listing in (accounts.transactions, cards.transactions):
        with pytest.raises(UnreadableResponseError, match=said):
            listing(account)
    with pytest.raises(UnreadableResponseError, match="the bank gave this Transaction no usable transaction_id"):
        await accounts.transaction("a", transaction_id=NAMELESS)
    consent: Any = Consent.from_dict({"consentStatus": "valid"})
    consent.consent_id = id_
    with pytest.raises(UnreadableResponseError, match="the bank gave this Consent no usable consent_id"):
        bank.accounts(consent)
    reference: Any = Transaction(MonetaryAmount("SEK", "1.00"))
    reference.entry_reference = id_
    # which goes into the query, where dots mean nothing
    if id_ not in ("..", "a/../b"):
        with pytest.raises(UnreadableResponseError, match="the bank gave this Transaction no usable entry_reference"):
            accounts.transactions("a", entry_reference_from=reference)
    assert simulator.requests == []


@pytest.mark.parametrize("kind", [dict, list, tuple, set, bytes])
async def test_what_is_no_id_is_refused_without_showing_it(
    op: AsyncOpenPayments, simulator: Simulator, kind: type[Any]
) -> None:
    account = {"resourceId": "a", "iban": "SE5750000000000000000017", "currency": "SEK"}
    given: Any = repr(account).encode() if kind is bytes else kind(account.items())
    bank = op.at_bank("ESSESESS", SOMEBODY)
    for argument, call in {
        "account_id": bank.accounts("c").balances,
        "consent_id": bank.consents.get,
        "bic_fi": op.aspsps.get,
        "iso_country_code": op.countries.get,
        "city_id": op.cities.get,
    }.items():
        with pytest.raises(InvalidArgumentError, match=f"^{argument} must be a string or an object") as caught:
            await call(given)
        assert str(caught.value).endswith(f"not a {kind.__name__}")
        assert caught.value.argument == argument
    for said in (json.dumps(account, indent=2), f"{account}\n"):
        with pytest.raises(InvalidArgumentError, match="account_id must be printable") as caught:
            await bank.accounts("c").balances(said)
        assert "SE57" not in str(caught.value)
    assert simulator.requests == []


@pytest.mark.openpayments_simulator(transactions=12)
async def test_bankgiro_payments_are_not_mixed_with_their_sums(op: AsyncOpenPayments, simulator: Simulator) -> None:
    company = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
    bank = op.at_bank("ESSESESS", company)
    consent = await bank.consents.create(valid_until=TODAY)
    simulator.approve(consent.consent_id)
    accounts = bank.accounts(consent)
    account = next(each for each in await accounts.list() if each.currency == "SEK")
    listed = accounts.transactions(account, date_from=relativedelta(years=-1))
    [page] = [page async for page in listed.pages()]
    assert page.transactions
    single = page.transactions.bankgiro or []
    [lump_sum] = {money(entry.aggregate_amount) for entry in single if entry.aggregate_amount}
    assert sum(money(entry.transaction_amount) for entry in single) == lump_sum
    found = [money(entry.transaction_amount) async for entry in listed]
    assert (len(found), found.count(lump_sum)) == (12, 1)


async def test_the_sandbox_is_not_asked_for_what_it_does_not_have() -> None:
    """The provider's description of 2026: its scheme for the sandbox has no `bankgiroinformation`."""
    asked: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked[request.url.host] = dict(parse_qsl(request.content.decode()))["scope"]
        return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})

    for environment in ("sandbox", "sandbox-oauth", "production"):
        async with AsyncOpenPayments(
            client_id=f"id-of-{environment}",
            client_secret="secret",
            environment=environment,
            api_scopes=["accountinformation", "bankgiroinformation"],
            psu_context="corporate",
            transport=httpx.MockTransport(answer),
        ) as op:
            await op.token()
    assert asked == {
        "auth.sandbox.openbankingplatform.com": "accountinformation corporate",
        "oauth.sandbox.openbankingplatform.com": "accountinformation corporate",
        "auth.openbankingplatform.com": "accountinformation bankgiroinformation corporate",
    }
