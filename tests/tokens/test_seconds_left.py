"""What must not be sent twice goes with a token that is valid for 30 more seconds; all else with any that is valid."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import OpenPayments, Psu, TokenError, UnauthorizedError
from openpayments_facade.tokens import MemoryStore, forget_all
from openpayments_facade.tokens.memory import Memory

from .endpoint import Endpoint, granted
from .test_manager import landed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade.simulator import Simulator

    from .conftest import FakeClock, NewManager

USER = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
LEFT = 30.0
PAYMENT: dict[str, Any] = {
    "instructedAmount": {"amount": "1.50", "currency": "SEK"},
    "debtorAccount": {"iban": "SE4550000000058398257466"},
    "creditorAccount": {"iban": "SE3550000000054910000003"},
    "creditorName": "Example Shop",
}


def create(op: OpenPayments) -> str:
    return op.at_bank("ESSESESS", USER).payments.create(PAYMENT, product="domestic").payment_id


class Ageing(MemoryStore):
    """A store whose token can be made older."""

    def age(self, left: float) -> None:
        for key, (value, until) in self._values.items():
            token = json.loads(value)
            token["issued_at"] = time.time() - token["lifetime"] + left
            self._values[key] = (json.dumps(token), until)


@pytest.fixture
def op(simulator: Simulator) -> Iterator[OpenPayments]:
    """A client of a new process, and in its store a token that is valid for 20 more seconds."""
    store = Ageing()
    with simulator.client(token_store=store) as op:
        op.countries.list()
    store.age(LEFT - 10)
    forget_all()
    with simulator.client(token_store=store, max_retries=0) as op:
        yield op


def test_a_creation_waits_for_a_new_token(simulator: Simulator, op: OpenPayments) -> None:
    assert simulator.token_requests == 1
    create(op)
    assert simulator.token_requests == 2
    for _ in range(5):
        create(op)
        op.countries.list()
    assert simulator.token_requests == 2


def test_without_a_new_token_reads_go_on_and_nothing_is_created(simulator: Simulator, op: OpenPayments) -> None:
    simulator.misbehave("/connect/token", status=503, times=None)
    op.countries.list()
    with pytest.raises(TokenError):
        create(op)
    assert op.countries.list()
    assert not simulator.payments
    assert {request.method for request in simulator.requests if request.host == "api"} == {"GET"}


def test_a_creation_with_an_expired_token_is_not_sent_again(simulator: Simulator) -> None:
    with simulator.client() as op:
        create(op)
        simulator.misbehave("*/domestic", code="TOKEN_EXPIRED")
        with pytest.raises(UnauthorizedError) as caught:
            create(op)
        assert not caught.value.may_have_taken_effect
        assert (len(simulator.payments), simulator.token_requests) == (1, 1)
        create(op)
    assert (len(simulator.payments), simulator.token_requests) == (2, 2)
    sent = [request.headers["x-request-id"] for request in simulator.requests if request.method == "POST"]
    assert len(sent) == len({*sent})


@pytest.mark.parametrize("age", [3600 - LEFT - 1, 3600 - LEFT + 1])
def test_thirty_seconds_decide(new_manager: NewManager, endpoint: Endpoint, time: FakeClock, age: float) -> None:
    manager = new_manager()
    old = manager.get()
    time.advance(age)
    endpoint.gate.clear()
    assert manager.get() is old  # a read, which begins a refresh
    if age < 3600 - LEFT:
        assert manager.get(lasting=LEFT) is old
        endpoint.gate.set()
    else:
        threading.Timer(0.02, endpoint.gate.set).start()
        assert manager.get(lasting=LEFT) is not old
    landed(manager)
    assert endpoint.count == 2


@pytest.mark.parametrize("lifetime", [5, 20, 31, 40])
def test_tokens_with_a_short_life_are_used_for_a_fifth_of_it(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock, lifetime: int
) -> None:
    endpoint.answer = lambda number: granted(number, expires_in=lifetime)
    manager = new_manager()
    for _ in range(40):
        for _ in range(10):
            assert manager.get(lasting=LEFT).is_alive(time.clock.now())
        time.advance(lifetime / 20)
    # two lives of a token, each fifth of which costs one; nobody asked at the very end of a fifth
    assert endpoint.count <= 10


@pytest.mark.parametrize("lifetime", [40, 3600])
def test_a_creation_joins_a_read_that_finds_an_old_token_in_the_store(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock, lifetime: int
) -> None:
    endpoint.answer = lambda number: granted(number, expires_in=lifetime)
    asked, goes_on = threading.Event(), threading.Event()

    class Slow(MemoryStore):
        def get(self, key: str) -> str | None:
            asked.set()
            assert goes_on.wait(10)
            return super().get(key)

    store = Slow(clock=lambda: time.wall)
    goes_on.set()
    old = new_manager(store=store, memory=Memory()).get()
    time.advance(lifetime - 20)
    asked.clear()
    goes_on.clear()
    manager = new_manager(store=store, memory=Memory())
    with ThreadPoolExecutor(2) as threads:
        read = threads.submit(manager.get)
        assert asked.wait(10)
        creation = threads.submit(manager.get, lasting=LEFT)
        goes_on.set()
        assert read.result().value == old.value
        assert creation.result().value != old.value
    assert endpoint.count == 2
