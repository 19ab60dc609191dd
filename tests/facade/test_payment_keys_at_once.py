"""One key, one payment, for threads and tasks that all ask at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from openpayments_facade import (
    BadRequestError,
    CreatedPayment,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    OutcomeUnknownError,
)
from tests.orders import CREATIONS, PAYMENT, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from openpayments_facade.simulator import Simulator


def sent(simulator: Simulator) -> int:
    """How many creations have come in."""
    return sum(request.path == CREATIONS for request in simulator.requests)


async def until(happens: Callable[[], object]) -> None:
    for _ in range(4000):  # it happens in another thread
        if happens():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it has not happened")


def test_20_threads(simulator: Simulator, openpayments_client: OpenPayments) -> None:
    simulator.misbehave(CREATIONS, delay=0.1)
    at, together = openpayments_client.at_bank("ESSESESS", USER).payments, Barrier(20)

    def create(_: int) -> CreatedPayment:
        together.wait()
        return at.create(PAYMENT, key="order-1")

    with ThreadPoolExecutor(20) as threads:
        made = list(threads.map(create, range(20)))
    assert all(each is made[0] for each in made)
    assert sent(simulator) == len(simulator.payments) == 1


def test_20_threads_with_two_payments(simulator: Simulator, openpayments_client: OpenPayments) -> None:
    at, together = openpayments_client.at_bank("ESSESESS", USER).payments, Barrier(20)

    def create(number: int) -> CreatedPayment | InvalidArgumentError:
        together.wait()
        try:
            return at.create(evolve(PAYMENT, creditor_name=f"Shop {number % 2}"), key="order-1")
        except InvalidArgumentError as refused:
            return refused

    with ThreadPoolExecutor(20) as threads:
        made = list(threads.map(create, range(20)))
    assert len({each.payment_id for each in made if isinstance(each, CreatedPayment)}) == 1
    assert [each.argument for each in made if isinstance(each, InvalidArgumentError)] == ["key"] * 10
    assert sent(simulator) == 1


async def test_20_tasks(simulator: Simulator) -> None:
    async with simulator.async_client() as op:
        at = op.at_bank("ESSESESS", USER).payments
        made = await asyncio.gather(*(at.create(PAYMENT, key="order-1") for _ in range(20)))
    assert all(each is made[0] for each in made)
    assert sent(simulator) == len(simulator.payments) == 1


async def test_20_tasks_whose_payment_is_refused(simulator: Simulator) -> None:
    simulator.misbehave(CREATIONS, code="FORMAT_ERROR")
    async with simulator.async_client() as op:
        at = op.at_bank("ESSESESS", USER).payments
        failed = await asyncio.gather(*(at.create(PAYMENT, key="order-1") for _ in range(20)), return_exceptions=True)
        assert {type(each) for each in failed} == {BadRequestError}
        assert len({id(each) for each in failed}) == 20  # who raises one adds to its traceback
        assert sent(simulator) == 1
        assert await at.create(PAYMENT, key="order-1")


async def test_a_creation_that_is_cancelled_may_have_taken_effect(simulator: Simulator) -> None:
    fault = simulator.misbehave(CREATIONS, delay=0.5)
    async with simulator.async_client() as op:
        at = op.at_bank("ESSESESS", USER).payments
        first, waiting = (asyncio.create_task(at.create(PAYMENT, key="order-1")) for _ in range(2))
        await until(lambda: fault.used)
        first.cancel()
        errors: list[OpenPaymentsError] = []
        for later in (waiting, at.create(PAYMENT, key="order-1")):
            with pytest.raises(OutcomeUnknownError, match="interrupted") as caught:
                await later
            errors.append(caught.value)
        with pytest.raises(asyncio.CancelledError):
            await first
        await until(lambda: simulator.payments)  # it was carried out all the same
    assert sent(simulator) == 1
    (made,) = simulator.payments
    for error in errors:
        assert isinstance(error, OutcomeUnknownError)
        assert "create it again, with another key" in error.advice
        assert error.sent["creditorName"] == "***"
        assert error.end_to_end_identification == made.request["endToEndIdentification"]


async def test_who_waits_may_be_cancelled(simulator: Simulator) -> None:
    fault = simulator.misbehave(CREATIONS, delay=0.1)
    async with simulator.async_client() as op:
        at = op.at_bank("ESSESESS", USER).payments
        first, second, third = (asyncio.create_task(at.create(PAYMENT, key="order-1")) for _ in range(3))
        await until(lambda: fault.used)
        second.cancel()
        assert await third is await first
    assert second.cancelled()
    assert sent(simulator) == 1
