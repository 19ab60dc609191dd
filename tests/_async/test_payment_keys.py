"""`payments.create(..., key=...)`: one key, one payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from openpayments_facade import (
    AccountReference,
    AsyncOpenPayments,
    BadRequestError,
    ConnectionFailedError,
    DomesticPayment,
    Environment,
    InvalidArgumentError,
    OutcomeUnknownError,
    Psu,
    ServerError,
    UnreadableResponseError,
    amount,
)
from openpayments_facade._protocol import initiation, keys
from openpayments_facade._protocol.payment_orders import as_order
from tests.orders import CREATIONS, PAYMENT, USER

if TYPE_CHECKING:
    from openpayments_facade import AsyncBank
    from openpayments_facade.simulator import Simulator


@pytest.fixture
def bank(op: AsyncOpenPayments) -> AsyncBank:
    return op.at_bank("ESSESESS", USER)


def sent(simulator: Simulator) -> int:
    """How many creations have come in."""
    return sum(request.path == CREATIONS for request in simulator.requests)


async def test_the_same_key_gives_the_same_payment(bank: AsyncBank, simulator: Simulator) -> None:
    first = await bank.payments.create(PAYMENT, key="order-1")
    assert await bank.payments.create(evolve(PAYMENT), key="order-1") is first
    as_mapping = await bank.payments.create(PAYMENT.to_dict(), product="domestic", key="order-1")
    assert as_mapping is first
    assert sent(simulator) == 1
    assert (await bank.payments.create(PAYMENT, key="order-2")).payment_id != first.payment_id
    assert (await bank.payments.create(PAYMENT)).payment_id != (await bank.payments.create(PAYMENT)).payment_id
    assert sent(simulator) == 4


async def test_all_views_of_a_client_share_their_keys(op: AsyncOpenPayments, simulator: Simulator) -> None:
    first = await op.at_bank("ESSESESS", USER).payments.create(PAYMENT, key="order-1")
    later = op.with_options(max_retries=0).at_bank("ESSESESS", evolve(USER, ip_address="203.0.113.8"))
    assert await later.payments.create(PAYMENT, key="order-1") is first
    async with simulator.async_client() as another:
        assert await another.at_bank("ESSESESS", USER).payments.create(PAYMENT, key="order-1") is not first


@pytest.mark.parametrize(
    "change",
    [
        {"instructed_amount": amount("125.51", "SEK")},
        {"instructed_amount": amount("125.50", "EUR")},
        {"creditor_account": AccountReference(iban="SE4550000000058398257466")},
        {"creditor_name": "Another Shop"},
        {"end_to_end_identification": "order-1"},
    ],
)
async def test_a_key_of_another_payment_is_refused(
    bank: AsyncBank, simulator: Simulator, change: dict[str, Any]
) -> None:
    first = await bank.payments.create(PAYMENT, key="order-1")
    with pytest.raises(InvalidArgumentError) as caught:
        await bank.payments.create(evolve(PAYMENT, **change), key="order-1")
    assert caught.value.argument == "key"
    assert sent(simulator) == 1
    assert await bank.payments.create(PAYMENT, key="order-1") is first


@pytest.mark.parametrize(
    ("bic", "user", "product"),
    [
        ("SWEDSESS", USER, None),
        ("ESSESESS", evolve(USER, id="another-user"), None),
        ("ESSESESS", evolve(USER, corporate_id="example-company"), None),
        ("ESSESESS", USER, "domestic-urgent"),
    ],
)
async def test_a_key_of_another_bank_user_or_product_is_refused(
    op: AsyncOpenPayments, simulator: Simulator, bic: str, user: Psu, product: str | None
) -> None:
    await op.at_bank("ESSESESS", USER).payments.create(PAYMENT, key="order-1")
    with pytest.raises(InvalidArgumentError, match="key was used for another payment"):
        await op.at_bank(bic, user).payments.create(PAYMENT, product=product, key="order-1")
    assert sent(simulator) == 1
    assert len(simulator.payments) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, 17, b"order-1", ["order-1"]])
async def test_what_is_no_key(bank: AsyncBank, simulator: Simulator, key: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await bank.payments.create(PAYMENT, key=key)
    assert caught.value.argument == "key"
    assert not simulator.requests


async def test_a_payment_that_was_refused_frees_its_key(bank: AsyncBank, simulator: Simulator) -> None:
    simulator.misbehave(CREATIONS, code="FORMAT_ERROR")
    with pytest.raises(BadRequestError):
        await bank.payments.create(PAYMENT, key="order-1")
    with pytest.raises(InvalidArgumentError):
        await bank.payments.create(evolve(PAYMENT, creditor_name=""), key="order-1")
    other = evolve(PAYMENT, creditor_name="Another Shop")
    first = await bank.payments.create(other, key="order-1")
    assert await bank.payments.create(other, key="order-1") is first
    assert (sent(simulator), len(simulator.payments)) == (2, 1)


async def test_a_host_that_was_not_reached_frees_the_key(simulator: Simulator) -> None:
    nowhere = Environment(name="nowhere", auth_url=simulator.auth_url, api_url="http://127.0.0.1:1")
    async with simulator.async_client(environment=nowhere, max_retries=0) as op:
        for _ in range(2):
            with pytest.raises(ConnectionFailedError):
                await op.at_bank("ESSESESS", USER).payments.create(PAYMENT, key="order-1")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"close": True, "carried_out": True}, OutcomeUnknownError),
        ({"close": True}, OutcomeUnknownError),
        ({"status": 502, "carried_out": True}, ServerError),
        ({"body": "<h1>Welcome</h1>", "content_type": "text/html", "carried_out": True}, UnreadableResponseError),
    ],
)
async def test_a_key_stays_with_what_may_have_taken_effect(
    bank: AsyncBank, simulator: Simulator, fault: dict[str, Any], error: type[ServerError]
) -> None:
    simulator.misbehave(CREATIONS, **fault)
    with pytest.raises(error) as first:
        await bank.payments.create(PAYMENT, key="order-1")
    with pytest.raises(error) as again:
        await bank.payments.create(PAYMENT, key="order-1")
    assert again.value is not first.value
    assert again.value.may_have_taken_effect
    assert (str(again.value), again.value.request_id) == (str(first.value), first.value.request_id)
    assert sent(simulator) == 1
    assert await bank.payments.create(PAYMENT, key="order-1, again")


async def test_who_waits_for_another_call_has_a_time_limit(bank: AsyncBank, op: AsyncOpenPayments) -> None:
    unfinished, _ = op._sender.session.keys.claim("order-1", b"")  # as after a fork, or an interrupt at a bad moment
    hasty = op.with_options(total_timeout=0.1).at_bank("ESSESESS", USER)
    with pytest.raises(InvalidArgumentError, match="key was used for another payment"):
        await hasty.payments.create(PAYMENT, key="order-1")
    op._sender.session.keys._known["order-2"] = (content(bank, PAYMENT), unfinished)
    with pytest.raises(OutcomeUnknownError, match="another call creates it") as caught:
        await hasty.payments.create(PAYMENT, key="order-2")
    assert "ask again with the same key" in caught.value.advice
    # what it would have sent was not, and its reference never left
    assert (caught.value.sent, caught.value.end_to_end_identification) == ({}, None)


async def test_an_affiliated_bank_is_another_bank(op: AsyncOpenPayments, simulator: Simulator) -> None:
    await op.at_bank("SWEDSESS", USER).payments.create(PAYMENT, key="order-1")
    with pytest.raises(InvalidArgumentError, match="key was used for another payment"):
        await op.at_bank("SWEDSESS", USER, affiliated_aspsp="1").payments.create(PAYMENT, key="order-1")
    assert sent(simulator) == 1


async def test_a_blank_reference_is_none(bank: AsyncBank, simulator: Simulator) -> None:
    made = [
        await bank.payments.create(evolve(PAYMENT, end_to_end_identification=reference), key="order-1")
        for reference in (None, "", "  ")
    ]
    assert sent(simulator) == len({each.payment_id for each in made}) == 1


async def test_a_key_that_was_forgotten_is_not_freed_again(
    bank: AsyncBank, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST", 1)
    known, operation = bank._sender.session.keys, initiation.creation_of(bank._binding, as_order(PAYMENT), None)
    first, _ = known.claim("a", b"1")
    known.claim("b", b"2")
    second, is_first = known.claim("a", b"1")
    assert is_first
    known.fail("a", first, BadRequestError("?"), operation)
    assert known.claim("a", b"1") == (second, False)


def test_nobody_sees_the_payments_of_others(op: AsyncOpenPayments) -> None:
    op._sender.session.keys.claim("order-1", content(op.at_bank("ESSESESS", USER), PAYMENT))
    assert "Example Shop" not in repr(op._sender.session.keys)
    assert "Example Shop" not in repr(op._sender.session.keys._known)


def content(bank: AsyncBank, payment: DomesticPayment) -> object:
    return initiation.content_of(bank._binding, as_order(payment), payment, None)


async def test_the_advice_names_the_key(bank: AsyncBank, simulator: Simulator) -> None:
    simulator.misbehave(CREATIONS, close=True)
    with pytest.raises(OutcomeUnknownError) as caught:
        await bank.payments.create(PAYMENT, key="order-1")
    assert "create it again, with another key" in caught.value.advice
    assert caught.value.sent["instructedAmount"] == {"currency": "SEK", "amount": "***"}
    assert caught.value.end_to_end_identification == caught.value.sent["endToEndIdentification"]


async def test_the_oldest_key_is_forgotten_first(
    bank: AsyncBank, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST", 2)
    made = [await bank.payments.create(PAYMENT, key=key) for key in ("a", "b", "c")]
    assert [await bank.payments.create(PAYMENT, key=key) for key in ("b", "c")] == made[1:]
    assert sent(simulator) == 3
    assert await bank.payments.create(PAYMENT, key="a") is not made[0]
    assert sent(simulator) == 4


async def test_the_raw_answer_is_remembered_too(bank: AsyncBank, simulator: Simulator) -> None:
    at = bank.with_raw_response.payments
    first = await at.create(PAYMENT, key="order-1")
    again = await at.create(PAYMENT, key="order-1")
    assert (again.status_code, again.request_id, again.parsed) == (201, first.request_id, first.parsed)
    assert await bank.payments.create(PAYMENT, key="order-1") is first.parsed
    assert sent(simulator) == 1
