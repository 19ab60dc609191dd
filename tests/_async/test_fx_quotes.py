"""FX quotes, and the cross-border payments that are made with them, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from openpayments_facade import (
    AccountReference,
    APIError,
    AsyncOpenPayments,
    CrossBorderPayment,
    DebtorAccountReference,
    FxQuote,
    InternationalAddress,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    Psu,
    ServerError,
    amount,
)
from openpayments_facade._protocol import arguments

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
QUOTES, PAYMENTS = "/psd2/paymentinitiation/v1/fx", "/psd2/paymentinitiation/v1/payments"
ASKED: dict[str, Any] = {
    "source_currency": "SEK",
    "target_currency": "USD",
    "amount": Decimal("130.00"),
    "country_code": "US",
}
ORDER = CrossBorderPayment(
    instructed_amount=amount(130, "USD"),
    debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
    creditor_account=AccountReference(bban="123456789"),
    creditor_name="Example Inc",
    creditor_agent="CHASUS33",
    creditor_agent_name="Example Bank",
    creditor_address=InternationalAddress("US", "10001", "New York", "1 Example Street"),
)


def sent(simulator: Simulator, path: str) -> list[str]:
    return [each.method for each in simulator.requests if each.path.startswith(path)]


async def test_a_quote_is_made_read_and_used_once(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    quote = await bank.fx_quotes.create(**ASKED)
    assert Decimal(quote.total_amount or 0) == Decimal(quote.fee or 0) + round(130 * Decimal(quote.fx_rate or 0), 2)
    for form in (quote, quote.fx_quote_id):
        assert await bank.fx_quotes.get(form) == evolve(quote, total_amount=None)
    created = await bank.payments.create(ORDER, fx_quote=quote)
    assert created.product == "cross-border"
    assert simulator.requests[-1].headers["fx-quote-id"] == quote.fx_quote_id
    assert simulator.fx_quotes[-1].used
    with pytest.raises(APIError, match="RESOURCE_EXPIRED"):
        await bank.payments.create(ORDER, fx_quote=quote)
    other, more = await bank.fx_quotes.create(**ASKED), evolve(ORDER, instructed_amount=amount(131, "USD"))
    with pytest.raises(APIError, match="PARAMETER_NOT_CONSISTENT"):
        await bank.payments.create(more, fx_quote=other)
    with pytest.raises(APIError, match="FX-Quote-Id is missing"):
        await bank.payments.create(ORDER)
    with pytest.raises(APIError, match="RESOURCE_UNKNOWN"):
        await bank.payments.create(ORDER, fx_quote="nobody-has-this-id")
    with pytest.raises(NotFoundError):
        await bank.fx_quotes.get("nobody-has-this-id")
    assert len(simulator.payments) == 1


async def test_a_quote_is_confirmed_for_a_payment_by_own_means(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    forms: list[Callable[[FxQuote], Awaitable[Any]]] = [
        lambda quote: bank.fx_quotes.confirm(quote, ORDER),
        lambda quote: bank.fx_quotes.confirm(quote.fx_quote_id, ORDER.to_dict()),
    ]
    for confirm in forms:
        quote = await bank.fx_quotes.create(**ASKED)
        intent = await confirm(quote)
        assert intent.instructed_amount == amount(quote.total_amount or "", "SEK")
        assert intent.remittance_information_unstructured == quote.fx_quote_id
        assert intent.creditor_account is not None
        assert intent.creditor_account.iban
    assert simulator.payments == []
    with pytest.raises(APIError, match="RESOURCE_EXPIRED"):
        await bank.payments.create(ORDER, fx_quote=quote)


@pytest.mark.openpayments_simulator(quote_lifetime=0)
async def test_a_quote_that_has_expired_is_refused(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    quote = await bank.fx_quotes.create(**ASKED)
    calls: list[tuple[str, Callable[[Any], Awaitable[Any]]]] = [
        ("fx_quote", lambda given: bank.payments.create(ORDER, fx_quote=given)),
        ("fx_quote_id", lambda given: bank.fx_quotes.confirm(given, ORDER)),
    ]
    before = len(simulator.requests)
    for argument, call in calls:
        with pytest.raises(
            InvalidArgumentError, match=f"^{argument} was valid until .* UTC; create a new one"
        ) as caught:
            await call(quote)
        assert caught.value.argument == argument
    assert len(simulator.requests) == before
    # it can still be read; and of an id alone only the bank knows
    assert (await bank.fx_quotes.get(quote)).valid_to == quote.valid_to
    for _, call in calls:
        with pytest.raises(APIError, match="RESOURCE_EXPIRED"):
            await call(quote.fx_quote_id)


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("valid_to", "is_past"),
    [
        ("2026-03-02T12:00:01.0000000Z", False),
        ("2026-03-02T11:59:59.9999999Z", True),
        ("2026-03-02T12:30:00", False),
        ("2026-03-02T11:30:00", True),
        ("2026-03-02T13:30:00+01:00", False),
        ("2026-03-02T12:30:00+01:00", True),
        ("2026-03-02", False),  # a day ends last in the west
        ("2026-03-01", False),
        ("2026-02-28", True),
        (" 2026-03-02T11:30:00Z ", True),
        # what nobody can read is for the bank to judge
        (None, False),
        ("", False),
        ("soon", False),
        ("02/03/2026", False),
    ],
)
async def test_until_when_a_quote_can_be_used(
    op: AsyncOpenPayments, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, valid_to: Any, is_past: bool
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    quote = evolve(await bank.fx_quotes.create(**ASKED), valid_to=valid_to)
    monkeypatch.setattr(arguments, "today", lambda: NOON)
    if is_past:
        with pytest.raises(InvalidArgumentError, match="fx_quote was valid until"):
            await bank.payments.create(ORDER, fx_quote=quote)
        assert sent(simulator, PAYMENTS) == []
    else:
        await bank.payments.create(ORDER, fx_quote=quote)


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("amount", {"amount": 130.0}),
        ("amount", {"amount": Decimal(0)}),
        ("amount", {"amount": Decimal("-1")}),
        ("amount", {"amount": Decimal("1.001")}),
        ("amount", {"amount": "a lot"}),
        ("amount", {"amount": True}),
        ("target_currency", {"target_currency": "dollars"}),
        ("target_currency", {"target_currency": ""}),
        ("source_currency", {"source_currency": "S3K"}),
        ("source_currency", {"source_currency": None}),
        ("country_code", {"country_code": "USA"}),
        ("country_code", {"country_code": None}),
        ("requested_execution_date", {"requested_execution_date": "tomorrow"}),
        ("requested_execution_date", {"requested_execution_date": timedelta(hours=36)}),
        ("requested_execution_date", {"requested_execution_date": timedelta(days=-3)}),
    ],
)
async def test_a_bad_quote_is_refused_before_anything_is_sent(
    op: AsyncOpenPayments, simulator: Simulator, argument: str, change: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument} ") as caught:
        await op.at_bank("SWEDSESS", SOMEBODY).fx_quotes.create(**{**ASKED, **change})
    assert caught.value.argument == argument
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("given", "amount_"),
    [(Decimal(130), "130.00"), (130, "130.00"), ("130.5", "130.50")],
)
async def test_amounts_and_codes_are_put_right(
    op: AsyncOpenPayments, simulator: Simulator, given: Any, amount_: str
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    day = arguments.today().date() + timedelta(days=7)
    codes = {"source_currency": " sek", "target_currency": "usd", "country_code": "us"}
    for when in (None, timedelta(days=7), day, day.isoformat()):
        await bank.fx_quotes.create(**codes, amount=given, requested_execution_date=when)
    assert {(each.source_currency, each.target_currency, each.amount) for each in simulator.fx_quotes} == {
        ("SEK", "USD", amount_)
    }


async def test_raw_answers_about_quotes(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    raw = bank.with_raw_response.fx_quotes
    assert dir(raw) == dir(bank.fx_quotes) == ["confirm", "create", "get"]
    answer = await raw.create(**ASKED)
    quote = answer.parsed
    assert (answer.status_code, answer.headers["location"]) == (201, f"{QUOTES}/{quote.fx_quote_id}")
    assert (await raw.get(quote)).parsed.fx_rate == quote.fx_rate
    assert (await raw.confirm(quote, ORDER)).json["remittanceInformationUnstructured"] == quote.fx_quote_id
    assert sent(simulator, QUOTES) == ["POST", "GET", "PUT"]


@pytest.mark.parametrize("id_", ["a\nb", "", None, 5])
async def test_what_is_no_quote_is_refused(op: AsyncOpenPayments, simulator: Simulator, id_: Any) -> None:
    quotes = op.at_bank("SWEDSESS", SOMEBODY).fx_quotes
    calls: list[Callable[[], Awaitable[Any]]] = [lambda: quotes.get(id_), lambda: quotes.confirm(id_, ORDER)]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match=r"^fx_quote_id ") as caught:
            await call()
        assert caught.value.argument == "fx_quote_id"
    assert simulator.requests == []


async def test_nothing_about_a_quote_is_sent_twice(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    quote = await bank.fx_quotes.create(**ASKED)
    calls: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("create another", lambda: bank.fx_quotes.create(**ASKED)),
        ("a quote does not tell", lambda: bank.fx_quotes.confirm(quote, ORDER)),
    ]
    for advice, call in calls:
        before = len(simulator.requests)
        simulator.misbehave(QUOTES, close=True, carried_out=True)
        with pytest.raises(OutcomeUnknownError, match=advice) as lost:
            await call()
        assert lost.value.advice in str(lost.value)
        assert "130.00" not in f"{lost.value} {lost.value.sent}"
        assert len(simulator.requests) == before + 1
        simulator.misbehave(QUOTES, status=503)
        with pytest.raises(ServerError) as failed:
            await call()
        assert failed.value.may_have_taken_effect
        assert len(simulator.requests) == before + 2
    assert [each.used for each in simulator.fx_quotes] == [True, False]


async def test_the_order_of_a_confirmation_is_checked(op: AsyncOpenPayments, simulator: Simulator) -> None:
    quotes: Any = op.at_bank("SWEDSESS", SOMEBODY).fx_quotes
    wrong: list[tuple[Any, str]] = [
        (evolve(ORDER, creditor_agent="no bank"), "payment.creditor_agent"),
        ({**ORDER.to_dict(), "creditorAgent": "no bank"}, "payment.creditorAgent"),
        (evolve(ORDER, instructed_amount=amount(1, "USD"), creditor_name=""), "payment.creditor_name"),
        ({}, "payment.instructedAmount"),
        (None, "payment"),
    ]
    for order, place in wrong:
        with pytest.raises(InvalidArgumentError, match=f"^{place} ") as caught:
            await quotes.confirm("q", order)
        assert caught.value.argument == "payment"
    assert simulator.requests == []


@pytest.mark.parametrize("until", ["9999-12-31", "9999-12-31T23:00:00-05:00", "0001-01-01T00:00:00+05:00"])
async def test_a_time_beyond_the_calendar_is_no_reason_to_refuse(
    op: AsyncOpenPayments, simulator: Simulator, until: str
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    quote = await bank.fx_quotes.create(source_currency="SEK", target_currency="USD", amount=130, country_code="US")
    quote.valid_to = until
    simulator.misbehave("/psd2/paymentinitiation/v1/fx", method="PUT", body={"creditorName": "Example Books"})
    assert (await bank.fx_quotes.confirm(quote, ORDER)).creditor_name == "Example Books"
