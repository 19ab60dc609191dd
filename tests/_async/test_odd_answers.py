"""Answers that are not what the description says, as banks send them: what can be read arrives, the rest is told."""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import (
    AsyncOpenPayments,
    Psu,
    UnreadableAmountError,
    UnreadableResponseError,
    money,
)

if TYPE_CHECKING:
    from openpayments_facade import Transaction
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
ACCOUNTS = "/psd2/accountinformation"
LINES = "remittanceInformationUnstructuredArray", "remittance_information_unstructured_array"
GOOD = {
    "transactionId": "good",
    "transactionAmount": {"currency": "SEK", "amount": "-1.50"},
    "bookingDate": "2026-02-27",
}


async def transactions(op: AsyncOpenPayments, simulator: Simulator, *booked: Any) -> list[Transaction]:
    simulator.misbehave(ACCOUNTS, status=200, body={"transactions": {"booked": [*booked]}})
    return [each async for each in op.at_bank("ESSESESS", SOMEBODY).accounts("consent").transactions("account")]


@pytest.mark.parametrize(
    ("name", "came", "attribute", "read"),
    [
        ("valueDate", "2026-02-30", "value_date", None),  # months of 30 days, at German banks
        ("valueDate", "0000-00-00", "value_date", None),
        ("valueDate", "2026-03", "value_date", None),
        ("valueDate", "", "value_date", None),
        ("valueDate", 20260302, "value_date", date(2026, 3, 2)),
        ("valueDate", "2026-03-02T23:30:00-05:00", "value_date", date(2026, 3, 2)),
        ("valueDate", "2026-03-02+01:00", "value_date", date(2026, 3, 2)),
        ("entryReference", 815, "entry_reference", "815"),
        ("entryReference", ["815"], "entry_reference", "815"),
        ("entryReference", {"id": 815}, "entry_reference", None),
        ("entryReference", True, "entry_reference", None),
        ("debtorAccount", "SE3550000000054910000003", "debtor_account", None),
        (LINES[0], "one line", LINES[1], ["one line"]),
        (LINES[0], None, LINES[1], None),
        (LINES[0], {}, LINES[1], []),
    ],
)  # fmt: skip
async def test_an_odd_value_costs_itself_alone(
    op: AsyncOpenPayments, simulator: Simulator, name: str, came: Any, attribute: str, read: Any
) -> None:
    found = await transactions(op, simulator, GOOD, {**GOOD, "transactionId": "odd", name: came}, GOOD)
    assert [each.transaction_id for each in found] == ["good", "odd", "good"]
    odd = found[1]
    assert getattr(odd, attribute) == read
    assert odd.booking_date == date(2026, 2, 27)
    if read is None and came is not None:
        assert odd.additional_properties == {name: came}
        assert odd.to_dict()[name] == came


async def test_one_exchange_rate_is_a_list_of_one(op: AsyncOpenPayments, simulator: Simulator) -> None:
    rate = {"sourceCurrency": "EUR", "exchangeRate": 11.2345, "targetCurrency": "SEK"}
    [odd] = await transactions(op, simulator, {**GOOD, "currencyExchange": rate})
    assert odd.currency_exchange
    assert [each.exchange_rate for each in odd.currency_exchange] == ["11.2345"]


async def test_what_cannot_be_an_element_is_left_out_and_the_list_kept(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body={"transactions": {"booked": [GOOD, "gone", None, 5, GOOD]}})
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    [page] = [each async for each in accounts.transactions("account").pages()]
    assert page.transactions
    assert page.transactions.booked
    assert len(page.transactions.booked) == 2
    assert page.transactions.to_dict()["booked"] == [GOOD, "gone", None, 5, GOOD]


async def test_an_account_may_lack_what_the_standard_requires(op: AsyncOpenPayments, simulator: Simulator) -> None:
    listed = [{"resourceId": "savings", "currency": None}, {"resourceId": 7, "currency": "SEK", "iban": 12}]
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": listed})
    found = await op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert [(each.resource_id, each.currency, each.iban) for each in found] == [
        ("savings", None, None),
        ("7", "SEK", "12"),
    ]


@pytest.mark.parametrize(
    ("came", "amount"),
    [
        (-81.35, "-81.35"),
        (260, "260"),
        ("1e2", "100"),
        ("+1.5", "1.5"),
        ("1 234,50", "1234.50"),
        ("1.234.567,89", "1234567.89"),
        ("12.50-", "-12.50"),
        ("\u221212.50", "-12.50"),
        ("12.50 SEK", "12.50"),
    ],
)
async def test_an_amount_in_another_form_is_read_exactly(
    op: AsyncOpenPayments, simulator: Simulator, came: Any, amount: str
) -> None:
    [odd] = await transactions(op, simulator, {**GOOD, "transactionAmount": {"currency": "SEK", "amount": came}})
    assert money(odd.transaction_amount) == Decimal(amount)


async def test_the_digits_of_a_number_are_those_that_were_sent(op: AsyncOpenPayments, simulator: Simulator) -> None:
    body = json.dumps({"transactions": {"booked": [GOOD]}}).replace('"-1.50"', "-12345678901234567.10")
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    [odd] = [each async for each in accounts.transactions("account")]
    assert money(odd.transaction_amount) == Decimal("-12345678901234567.10")


@pytest.mark.parametrize("came", [{"amount": "1,234"}, {"amount": "?"}, {"amount": None}, {}, None, 5])
async def test_an_amount_that_is_none_is_no_mistake_of_the_caller(
    op: AsyncOpenPayments, simulator: Simulator, came: Any
) -> None:
    [odd] = await transactions(op, simulator, {**GOOD, "transactionAmount": came})
    with pytest.raises(UnreadableAmountError):
        money(odd.transaction_amount)


@pytest.mark.parametrize("status", [200, 202, 207])
async def test_any_success_status_makes_a_consent(op: AsyncOpenPayments, simulator: Simulator, status: int) -> None:
    body = {"consentId": "example-consent", "consentStatus": "received"}
    simulator.misbehave("/psd2/consent", status=status, body=body)
    consent = await op.at_bank("ESSESESS", SOMEBODY).consents.create(valid_until=timedelta(days=9))
    assert consent.consent_id == "example-consent"
    assert len(simulator.requests) == 2  # the token and the consent


@pytest.mark.parametrize("content_type", ["json", "text/json", "text/plain; charset=utf-8", "text/html", ""])
async def test_json_is_known_by_what_it_is(op: AsyncOpenPayments, simulator: Simulator, content_type: str) -> None:
    body = json.dumps({"accounts": [{"resourceId": "main", "currency": "SEK"}]})
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type=content_type)
    [account] = await op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert account.resource_id == "main"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
async def test_a_body_may_be_in_another_encoding(op: AsyncOpenPayments, simulator: Simulator, encoding: str) -> None:
    body = json.dumps({"accounts": [{"resourceId": "1", "name": "Lönekonto"}]}, ensure_ascii=False).encode(encoding)
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    [account] = await op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert account.name == "Lönekonto"


async def test_an_empty_answer_is_an_empty_list(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    simulator.misbehave(ACCOUNTS, status=204, times=None)
    assert await accounts.list() == []
    assert await accounts.balances("account") == []
    assert [each async for each in accounts.transactions("account")] == []
    assert [each async for each in accounts.transactions("account", booking_status="pending")] == []
    assert await op.at_bank("ESSESESS", SOMEBODY).cards("consent").list() == []


@pytest.mark.parametrize("body", ["", " \n"])
async def test_no_body_where_there_must_be_one(op: AsyncOpenPayments, simulator: Simulator, body: str) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    with pytest.raises(UnreadableResponseError, match="empty body"):
        await accounts.list()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"accounts": "closed for maintenance until 06:00"}, "accounts"),
        ({"accounts": 5}, "accounts"),
        ({"message": "closed until 06:00"}, ""),
        (["closed", "until", "06:00"], ""),
    ],
)
async def test_another_shape_is_refused_and_shown(
    op: AsyncOpenPayments, simulator: Simulator, body: Any, path: str
) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    with pytest.raises(UnreadableResponseError) as caught:
        await op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert json.loads(caught.value.body) == body
    assert caught.value.path == path


async def test_the_raw_answer_is_there_also_if_it_cannot_be_read(op: AsyncOpenPayments, simulator: Simulator) -> None:
    body = {"accounts": "closed until 06:00"}
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    raw = await op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert raw.status_code == 200
    assert raw.json == json.loads(raw.content) == body
    for _ in range(2):
        with pytest.raises(UnreadableResponseError) as caught:
            _ = raw.parsed
        assert caught.value.request_id == raw.request_id


async def test_the_body_of_the_error_has_a_limit_and_no_token(op: AsyncOpenPayments, simulator: Simulator) -> None:
    token = await op.access_token()
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": f"{token} consent-id-of-the-user" + "x" * 20_000})
    with pytest.raises(UnreadableResponseError) as caught:
        await op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert len(caught.value.body) == 10_000
    assert token not in caught.value.body


async def test_what_a_success_has_to_say_is_logged_and_given(
    op: AsyncOpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    said = [
        {"category": "WARNING", "code": "SLOW", "text": "one is missing"},
        {"code": "NOTE", "text": "hello"},
    ]
    account = {"resourceId": "main", "currency": ["SEK", "EUR"]}
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": [account, account], "tppMessages": said})
    raw = await op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert [(each.code, each.text) for each in raw.messages] == [("SLOW", "one is missing"), ("NOTE", "hello")]
    assert raw.odd == ("Account.currency", "Account.currency")
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", f"get_account_list: SLOW: one is missing (request id {raw.request_id})") in logged
    assert ("INFO", f"get_account_list: NOTE: hello (request id {raw.request_id})") in logged
    assert any(level == "WARNING" and "Account.currency (2)" in text for level, text in logged)
    assert not any("EUR" in text for _, text in logged)
