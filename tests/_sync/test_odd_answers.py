# Written by `make unasync` from tests/_async/test_odd_answers.py; do not edit.
"""Answers that are not what the description says, as banks send them: what can be read arrives, the rest is told."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from openpayments_client.api.payment_initiation import cancel_payment
from openpayments_client.models import CurrencyExchange

from openpayments_facade import (
    OpenPayments,
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


def transactions(op: OpenPayments, simulator: Simulator, *booked: Any) -> list[Transaction]:
    simulator.misbehave(ACCOUNTS, status=200, body={"transactions": {"booked": [*booked]}})
    return [each for each in op.at_bank("ESSESESS", SOMEBODY).accounts("consent").transactions("account")]


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
        ("valueDate", "2026-03-02T24:00:00", "value_date", date(2026, 3, 2)),
        ("valueDate", "2026-03-02T10:00:60Z", "value_date", date(2026, 3, 2)),
        ("valueDate", "2026-03-02T10:00:00[Europe/Stockholm]", "value_date", date(2026, 3, 2)),
        ("valueDate", "2026-03-02 CET", "value_date", date(2026, 3, 2)),
        ("valueDate", "0001-01-01", "value_date", None),  # what .NET writes for no date
        ("valueDate", "0001-01-01T00:00:00", "value_date", None),
        ("valueDate", "2026-W01", "value_date", None),
        ("valueDate", "2026-03-02/2026-03-05", "value_date", None),
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
def test_an_odd_value_costs_itself_alone(
    op: OpenPayments, simulator: Simulator, name: str, came: Any, attribute: str, read: Any
) -> None:
    found = transactions(op, simulator, GOOD, {**GOOD, "transactionId": "odd", name: came}, GOOD)
    assert [each.transaction_id for each in found] == ["good", "odd", "good"]
    odd = found[1]
    assert getattr(odd, attribute) == read
    assert odd.booking_date == date(2026, 2, 27)
    if read is None and came is not None:
        assert odd.additional_properties == {name: came}
        assert odd.to_dict()[name] == came


def test_one_exchange_rate_is_a_list_of_one(op: OpenPayments, simulator: Simulator) -> None:
    rate = {"sourceCurrency": "EUR", "exchangeRate": 11.2345, "targetCurrency": "SEK"}
    [odd] = transactions(op, simulator, {**GOOD, "currencyExchange": rate})
    assert odd.currency_exchange
    assert [each.exchange_rate for each in odd.currency_exchange] == ["11.2345"]


def test_what_cannot_be_an_element_is_left_out_and_the_list_kept(op: OpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body={"transactions": {"booked": [GOOD, "gone", None, 5, GOOD]}})
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    [page] = [each for each in accounts.transactions("account").pages()]
    assert page.transactions
    assert page.transactions.booked
    assert len(page.transactions.booked) == 2
    assert page.transactions.to_dict()["booked"] == [GOOD, "gone", None, 5, GOOD]


def test_wrapped_elements_are_told_and_kept(op: OpenPayments, simulator: Simulator) -> None:
    body = {"accounts": [{"account": {"resourceId": "1"}}, {"resourceId": "2"}]}
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    raw = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert [each.resource_id for each in raw.parsed] == ["2"]
    assert raw.odd == ("AccountList.accounts",)


def test_a_list_that_links_to_itself_ends(
    op: OpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    link = {"next": {"href": "/psd2/accountinformation/v1/accounts?page=1"}}
    simulator.misbehave(ACCOUNTS, times=2, status=200, body={"accounts": [{"resourceId": "1"}], "_links": link})
    found = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert [each.resource_id for each in found] == ["1", "1"]
    assert "links to itself" in caplog.text


def test_a_tab_in_a_text_costs_nothing(op: OpenPayments, simulator: Simulator) -> None:
    body = json.dumps({"accounts": [{"resourceId": "1", "name": "a-b"}]}).replace("-", "\t")
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    [account] = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert account.name == "a\tb"


def test_an_account_may_lack_what_the_standard_requires(op: OpenPayments, simulator: Simulator) -> None:
    listed = [{"resourceId": "savings", "currency": None}, {"resourceId": 7, "currency": "SEK", "iban": 12}]
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": listed})
    found = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
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
        ("kr 5,00", "5.00"),
        ("5,00 \u20ac", "5.00"),
        ("5,-", "5"),
        ("5:-", "5"),
        ("1 250.--", "1250"),
    ],
)
def test_an_amount_in_another_form_is_read_exactly(
    op: OpenPayments, simulator: Simulator, came: Any, amount: str
) -> None:
    [odd] = transactions(op, simulator, {**GOOD, "transactionAmount": {"currency": "SEK", "amount": came}})
    assert money(odd.transaction_amount) == Decimal(amount)


def test_the_digits_of_a_number_are_those_that_were_sent(op: OpenPayments, simulator: Simulator) -> None:
    body = json.dumps({"transactions": {"booked": [GOOD]}}).replace('"-1.50"', "-12345678901234567.10")
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    [odd] = [each for each in accounts.transactions("account")]
    assert money(odd.transaction_amount) == Decimal("-12345678901234567.10")


@pytest.mark.parametrize(
    "came", [{"amount": "1,234"}, {"amount": "-+5"}, {"amount": "+5-"}, {"amount": "?"}, {"amount": None}, {}, None, 5]
)
def test_an_amount_that_is_none_is_no_mistake_of_the_caller(op: OpenPayments, simulator: Simulator, came: Any) -> None:
    [odd] = transactions(op, simulator, {**GOOD, "transactionAmount": came})
    with pytest.raises(UnreadableAmountError):
        money(odd.transaction_amount)


@pytest.mark.parametrize("status", [200, 202, 207])
def test_any_success_status_makes_a_consent(op: OpenPayments, simulator: Simulator, status: int) -> None:
    body = {"consentId": "example-consent", "consentStatus": "received"}
    simulator.misbehave("/psd2/consent", status=status, body=body)
    consent = op.at_bank("ESSESESS", SOMEBODY).consents.create(valid_until=timedelta(days=9))
    assert consent.consent_id == "example-consent"
    assert len(simulator.requests) == 2  # the token and the consent


@pytest.mark.parametrize("content_type", ["json", "text/json", "text/plain; charset=utf-8", "text/html", ""])
def test_json_is_known_by_what_it_is(op: OpenPayments, simulator: Simulator, content_type: str) -> None:
    body = json.dumps({"accounts": [{"resourceId": "main", "currency": "SEK"}]})
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type=content_type)
    [account] = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert account.resource_id == "main"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_a_body_may_be_in_another_encoding(op: OpenPayments, simulator: Simulator, encoding: str) -> None:
    body = json.dumps({"accounts": [{"resourceId": "1", "name": "Lönekonto"}]}, ensure_ascii=False).encode(encoding)
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    [account] = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert account.name == "Lönekonto"


def test_an_empty_answer_is_an_empty_list(op: OpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    simulator.misbehave(ACCOUNTS, status=204, times=None)
    assert accounts.list() == []
    assert accounts.balances("account") == []
    assert [each for each in accounts.transactions("account")] == []
    assert [each for each in accounts.transactions("account", booking_status="pending")] == []
    assert op.at_bank("ESSESESS", SOMEBODY).cards("consent").list() == []


@pytest.mark.parametrize("report", [{}, {"transactions": None}, {"transactions": []}, {"transactions": {"booked": {}}}])
def test_an_empty_report_is_an_empty_list(op: OpenPayments, simulator: Simulator, report: Any) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body=report)
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    assert [each for each in accounts.transactions("account")] == []


@pytest.mark.parametrize(
    ("report", "path"),
    [
        ({"transactions": [GOOD]}, "transactions"),
        ({"transactions": [GOOD, GOOD]}, "transactions"),
        ({"transactions": {"BOOKED": [GOOD]}}, "transactions"),
        ({"transactions": "see attachment"}, "transactions"),
        ({"account": {"iban": "SE3550000000054910000003"}, "booked": [GOOD]}, "booked"),
        ({"balances": [], "data": {"items": [GOOD]}}, "data"),
        ({"transactions": {"information": [GOOD], "_links": {}}}, "information"),
        ({"transactions": {"transactions": {"booked": [GOOD]}, "_links": {}}}, "transactions"),
        ({"account": {"iban": "x"}, "cardTransactions": {"booked": [GOOD]}}, "cardTransactions"),
        ({"transactions": {"booked": ["closed for maintenance"]}}, "transactions.booked"),
        ({"transactions": {"booked": {"transaction": [GOOD]}}}, "transactions.booked"),
        ({"transactions": {"booked": [{"transaction": GOOD}, {"transaction": GOOD}]}}, "transactions.booked"),
        ({"transactions": {"booked": [], "other": [GOOD]}}, "other"),
        ({"tppMessages": [{"category": "ERROR", "code": "SERVICE_UNAVAILABLE"}]}, "tppMessages"),
    ],
)
def test_a_report_of_another_shape_is_not_an_empty_list(
    op: OpenPayments, simulator: Simulator, report: Any, path: str
) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body=report)
    with pytest.raises(UnreadableResponseError) as caught:
        [each for each in op.at_bank("ESSESESS", SOMEBODY).accounts("consent").transactions("account")]
    assert caught.value.path == path


@pytest.mark.parametrize("body", ["", " \n"])
def test_no_body_where_there_must_be_one(op: OpenPayments, simulator: Simulator, body: str) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("consent")
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    with pytest.raises(UnreadableResponseError, match="empty body"):
        accounts.list()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"accounts": "closed for maintenance until 06:00"}, "accounts"),
        ({"accounts": 5}, "accounts"),
        ({"accounts": ["main"]}, "accounts"),
        ({"accounts": [[{"resourceId": "1"}, {"resourceId": "2"}]]}, "accounts"),
        ({"accounts": {"account": [{"resourceId": "main"}]}}, "accounts"),
        ({"accounts": [{"account": {"resourceId": "1"}}, {"account": {"resourceId": "2"}}]}, "accounts"),
        ({"message": "closed until 06:00"}, ""),
        (["closed", "until", "06:00"], ""),
    ],
)
def test_another_shape_is_refused_and_shown(op: OpenPayments, simulator: Simulator, body: Any, path: str) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    with pytest.raises(UnreadableResponseError) as caught:
        op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert json.loads(caught.value.body) == body
    assert caught.value.path == path


def test_the_raw_answer_is_there_also_if_it_cannot_be_read(op: OpenPayments, simulator: Simulator) -> None:
    body = {"accounts": "closed until 06:00"}
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    raw = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert raw.status_code == 200
    assert raw.json == json.loads(raw.content) == body
    for _ in range(2):
        with pytest.raises(UnreadableResponseError) as caught:
            _ = raw.parsed
        assert caught.value.request_id == raw.request_id


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be"])
def test_a_cut_body_in_another_encoding_shows_no_token(op: OpenPayments, simulator: Simulator, encoding: str) -> None:
    token = op.access_token()
    simulator.misbehave(ACCOUNTS, status=200, body=json.dumps({"accounts": token}).encode(encoding)[:-1])
    with pytest.raises(UnreadableResponseError) as caught:
        op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert "accounts" in caught.value.body
    assert token not in caught.value.body


def test_the_body_of_the_error_has_a_limit_and_no_token(op: OpenPayments, simulator: Simulator) -> None:
    token = op.access_token()
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": f"{token} consent-id-of-the-user" + "x" * 20_000})
    with pytest.raises(UnreadableResponseError) as caught:
        op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    assert len(caught.value.body) == 10_000
    assert token not in caught.value.body


def test_what_a_success_has_to_say_is_logged_and_given(
    op: OpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    said = [
        {"category": "WARNING", "code": "SLOW", "text": "one is missing"},
        {"code": "NOTE", "text": "hello"},
    ]
    account = {"resourceId": "main", "currency": ["SEK", "EUR"]}
    simulator.misbehave(ACCOUNTS, status=200, body={"accounts": [account, account], "tppMessages": said})
    raw = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert [(each.code, each.text) for each in raw.messages] == [("SLOW", "one is missing"), ("NOTE", "hello")]
    assert raw.odd == ("Account.currency", "Account.currency")
    logged = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert ("WARNING", f"get_account_list: SLOW: one is missing (request id {raw.request_id})") in logged
    assert ("INFO", f"get_account_list: NOTE: hello (request id {raw.request_id})") in logged
    assert any(level == "WARNING" and "Account.currency (2)" in text for level, text in logged)
    assert not any("EUR" in text for _, text in logged)


def test_a_raw_answer_shows_nothing_that_the_request_carried(
    op: OpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    token = op.access_token()
    long = f"{'x' * (500 - len(token) // 2)} {token}"
    message = {"category": f"INFO {token}", "code": f"NOTE {token}", "text": long, "path": token}
    simulator.misbehave(
        ACCOUNTS, status=200, body={"accounts": [], "tppMessages": [message]}, headers={"X-Echo": token}
    )
    raw = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    assert raw.headers["X-Echo"]
    assert raw.messages[0].text
    for shown in (repr(raw), repr(raw.messages), caplog.text):
        assert token not in shown
        assert token[: len(token) // 3] not in shown


@pytest.mark.parametrize("answer", [{"status": 200, "body": "OK"}, {"status": 202, "body": ""}, {"status": 204}])
def test_what_needs_no_answer_takes_any(op: OpenPayments, simulator: Simulator, answer: Any) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    simulator.misbehave("/psd2/consent", method="DELETE", **answer)
    bank.consents.delete("consent")
    if answer.get("body") != "OK":
        simulator.misbehave("/psd2/paymentinitiation", **answer)
        arguments = {"payment_service": "payments", "payment_product": "domestic", "payment_id": "x"}
        assert bank.call(cancel_payment, **arguments) is None


@pytest.mark.parametrize("wrap", [lambda account: {"account": account}, lambda account: {"account": [account]}])
def test_one_account_may_be_wrapped(op: OpenPayments, simulator: Simulator, wrap: Any) -> None:
    simulator.misbehave(ACCOUNTS, status=200, body=wrap({"resourceId": "main", "currency": "SEK"}))
    account = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").get("main")
    assert account.resource_id == "main"


def test_what_a_program_sets_wins_over_what_was_kept(op: OpenPayments, simulator: Simulator) -> None:
    [odd] = transactions(op, simulator, {**GOOD, "currencyExchange": ["rate"], "valueDate": "2026-02-30"})
    assert odd.to_dict()["currencyExchange"] == ["rate"]
    odd.currency_exchange, odd.value_date = [], date(2026, 2, 28)
    assert odd.to_dict()["valueDate"] == "2026-02-28"
    odd.currency_exchange = [CurrencyExchange(exchange_rate="1")]
    assert odd.to_dict()["currencyExchange"] == [{"exchangeRate": "1"}]


def test_what_was_kept_is_json_to_its_last_digit(op: OpenPayments, simulator: Simulator) -> None:
    numbers = '{"a": 1.50, "b": 12345678901234567.89, "c": 1e400, "d": [1e400], "e": ' + "1" * 2000 + "}"
    body = json.dumps({"accounts": [{"resourceId": "1", "more": "x"}]}).replace('"x"', numbers)
    simulator.misbehave(ACCOUNTS, status=200, body=body, content_type="application/json")
    [account] = op.at_bank("ESSESESS", SOMEBODY).accounts("consent").list()
    written = json.loads(json.dumps(account.to_dict(), allow_nan=False))["more"]
    assert written == {"a": 1.5, "b": "12345678901234567.89", "c": "1e400", "d": ["1e400"], "e": "1" * 2000}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(account, protocol)) == account


def test_an_answer_comes_back_equal_from_a_queue(op: OpenPayments, simulator: Simulator) -> None:
    body = {"accounts": [{"resourceId": "1", "currency": ["SEK", "EUR"], "more": 1.5}], "tppMessages": [{"code": "A"}]}
    simulator.misbehave(ACCOUNTS, status=200, body=body)
    raw = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("consent").list()
    for back in (copy.deepcopy(raw), *(pickle.loads(pickle.dumps(raw, each)) for each in range(2, 6))):
        assert back == raw
        assert (back.parsed, back.content, back.odd, back.messages) == (raw.parsed, raw.content, raw.odd, raw.messages)
