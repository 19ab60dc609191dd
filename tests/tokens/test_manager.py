"""One token for any number of callers. The endpoint counts requests; threads, tasks, loops and HTTP are real."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import signal
import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
from blockbuster import blockbuster_ctx

from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.errors import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    OpenPaymentsError,
    RequestError,
    TimedOutError,
    TokenError,
)
from openpayments_facade.tokens import AccessToken, MemoryStore
from openpayments_facade.tokens import manager as manager_module
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import LONGEST_FLIGHT, TokenManager
from openpayments_facade.tokens.token import BUDGET, BUDGET_REFILL, SYSTEM_CLOCK, Clock

from .endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE, Answer, Endpoint, answer, granted, token_value
from .leaks import texts_of

if TYPE_CHECKING:
    from openpayments_facade.tokens import TokenEvent

    from .conftest import FakeClock, NewFetcher, NewManager

T = TypeVar("T")


def down(_: int) -> Answer:
    return answer({"error": "temporarily_unavailable"}, 503)


def at_once(count: int, do: Callable[[int], T]) -> list[T | OpenPaymentsError]:
    """Runs `do` in so many threads that start together."""
    barrier = threading.Barrier(count)

    def one(number: int) -> T | OpenPaymentsError:
        barrier.wait(10)
        try:
            return do(number)
        except OpenPaymentsError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def values(tokens: list[AccessToken | OpenPaymentsError]) -> set[str]:
    assert all(isinstance(token, AccessToken) for token in tokens), tokens
    return {token.value.reveal() for token in tokens if isinstance(token, AccessToken)}


def landed(manager: TokenManager) -> None:
    """Waits for a refresh in the background."""
    for flight in manager._under_way():
        flight.thread.join(10)


# threads


@pytest.mark.parametrize("age", [None, 3600, 3480, 3599])
def test_64_threads_make_one_request(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock, age: float | None
) -> None:
    manager = new_manager()
    if age is not None:
        manager.get()
        time.advance(age)
    before = endpoint.count
    endpoint.delay = 0.03
    tokens = at_once(64, lambda _: manager.get())
    landed(manager)
    assert endpoint.count == before + 1
    assert len(tokens) == 64
    in_the_window = age is not None and age < 3600
    assert (
        values(tokens) <= {token_value(before), token_value(before + 1)} if in_the_window else {token_value(before + 1)}
    )
    assert manager.get().value == Secret(token_value(before + 1))


def test_a_fresh_token_is_served_without_asking(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    manager = new_manager()
    token = manager.get()
    time.advance(3479)
    assert all(manager.get() is token for _ in range(100))
    assert endpoint.count == 1


def test_inside_the_window_the_old_token_is_served_while_one_refresh_runs(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    old = manager.get()
    time.advance(3500)
    endpoint.gate.clear()
    assert {manager.get() for _ in range(20)} == {old}
    endpoint.gate.set()
    landed(manager)
    assert manager.get().value == Secret(token_value(2))
    assert endpoint.count == 2


def test_one_client_a_request(new_fetcher: NewFetcher, endpoint: Endpoint, time: FakeClock) -> None:
    for _ in range(50):
        manager = TokenManager(new_fetcher(), SCOPE, clock=time.clock)
        assert manager.get().value == Secret(token_value(1))
        manager.close()
        del manager
    gc.collect()
    TokenManager(new_fetcher(), SCOPE, clock=time.clock).get()
    assert endpoint.count == 1


def test_other_applications_scopes_and_secrets_do_not_share(
    new_manager: NewManager, new_fetcher: NewFetcher, endpoint: Endpoint
) -> None:
    with Endpoint() as other_environment:
        new_manager().get()
        new_manager("private aspspinformation").get()  # the same scopes
        assert endpoint.count == 1
        new_manager("aspspinformation corporate").get()
        new_manager(fetcher=new_fetcher(client_id="other")).get()
        new_manager(fetcher=new_fetcher(secret="wrong")).get()
        new_manager(fetcher=new_fetcher(url=other_environment.url)).get()
        assert (endpoint.count, other_environment.count) == (4, 1)


# tasks


async def test_200_tasks_make_one_request_and_block_nothing(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    endpoint.delay = 0.03
    with blockbuster_ctx():
        for expected in (1, 2):
            tokens = await asyncio.gather(*(manager.aget() for _ in range(200)))
            assert {token.value.reveal() for token in tokens} == {token_value(expected)}
            assert endpoint.count == expected
            time.advance(3600)
        await manager.aclose()


def test_four_loops_and_twenty_threads(new_manager: NewManager, endpoint: Endpoint) -> None:
    endpoint.delay = 0.03
    manager = new_manager()

    async def several() -> list[AccessToken]:
        own = new_manager()
        return await asyncio.gather(*(own.aget() for _ in range(10)))

    def one(number: int) -> AccessToken:
        return manager.get() if number < 20 else asyncio.run(several())[-1]

    assert values(at_once(24, one)) == {token_value(1)}
    assert endpoint.count == 1


async def test_a_cancelled_waiter_leaves_the_fetch_to_the_others(new_manager: NewManager, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    manager = new_manager()
    first = asyncio.create_task(manager.aget())
    others = [asyncio.create_task(manager.aget()) for _ in range(10)]
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    endpoint.gate.set()
    assert {token.value.reveal() for token in await asyncio.gather(*others)} == {token_value(1)}
    assert endpoint.count == 1


def test_a_loop_that_ends_leaves_the_fetch_to_the_others(
    new_manager: NewManager, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.gate.clear()
    manager = new_manager()

    async def impatient() -> None:
        await asyncio.wait_for(manager.aget(), 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    endpoint.gate.set()
    assert manager.get().value == Secret(token_value(1))
    assert endpoint.count == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_sync_call_on_the_loops_own_thread(new_manager: NewManager, endpoint: Endpoint) -> None:
    manager = new_manager()
    waiting = asyncio.create_task(manager.aget())
    await asyncio.sleep(0)
    token = manager.get()
    assert await waiting is token
    assert endpoint.count == 1


# time limits


def test_a_waiter_gives_up_alone(new_manager: NewManager, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    manager = new_manager()
    with pytest.raises(TimedOutError, match=r"no token within 0\.01 s"):
        manager.get(timeout=0.01)
    assert endpoint.arrived.wait(10)
    told = []
    with pytest.raises(TimedOutError) as raised:
        manager.get(timeout=0)
    told.append(raised.value.request_id)
    with pytest.raises(TimedOutError) as raised:
        asyncio.run(new_manager().aget(timeout=0.01))
    told.append(raised.value.request_id)
    assert told == [endpoint.seen[0].headers["x-request-id"]] * 2
    endpoint.gate.set()
    manager.get()
    assert endpoint.count == 1


def test_who_gives_up_before_the_request_hears_of_no_request(new_manager: NewManager, endpoint: Endpoint) -> None:
    store = MemoryStore()
    manager = new_manager(store=store)
    with store.lock(manager._store_key), pytest.raises(TimedOutError) as raised:
        manager.get(timeout=0.05)
    assert (raised.value.request_id, raised.value.url) == (None, endpoint.url)


def test_a_fetch_that_never_ends_is_given_up(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    endpoint.gate.clear()
    manager = new_manager()
    with pytest.raises(TimedOutError):
        manager.get(timeout=0.01)
    time.advance(LONGEST_FLIGHT + 1)
    with pytest.raises(TimedOutError):
        manager.get(timeout=0.01)
    endpoint.gate.set()
    token = manager.get()
    landed(manager)
    assert endpoint.count == 2
    assert manager.get() is token


# failures


def test_the_endpoint_is_down_but_the_old_token_lives(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    old = manager.get()
    time.advance(3500)
    endpoint.answer = down
    assert at_once(64, lambda _: manager.get()) == [old] * 64
    landed(manager)
    assert at_once(64, lambda _: manager.get(retries=2)) == [old] * 64
    landed(manager)
    assert endpoint.count == 2

    time.advance(1)  # the pause is over
    endpoint.answer = granted
    assert manager.get() is old
    landed(manager)
    assert manager.get().value == Secret(token_value(3))
    assert endpoint.count == 3


def test_the_endpoint_is_down_and_there_is_no_token(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    endpoint.answer = down
    endpoint.delay = 0.5
    errors = at_once(64, lambda _: manager.get())
    assert endpoint.count == 1
    assert {(type(error), str(error)) for error in errors} == {(TokenError, str(errors[0]))}
    assert "503 temporarily_unavailable" in str(errors[0])
    assert len({id(error) for error in errors}) == 64

    time.advance(0.25)
    with pytest.raises(TokenError, match="503") as raised:
        manager.get(0.2)
    assert raised.value.retry_after == 0.25
    assert endpoint.count == 1
    time.advance(0.25)
    endpoint.answer = granted
    assert manager.get().value == Secret(token_value(2))


async def test_the_endpoint_is_down_for_200_tasks(new_manager: NewManager, endpoint: Endpoint) -> None:
    manager = new_manager()
    endpoint.answer = down
    endpoint.delay = 0.5
    errors = await asyncio.gather(*(manager.aget() for _ in range(200)), return_exceptions=True)
    assert {type(error) for error in errors} == {TokenError}
    assert endpoint.count == 1


def test_no_exception_collects_the_frames_of_other_waiters(new_manager: NewManager, endpoint: Endpoint) -> None:
    endpoint.answer = down
    manager = new_manager()
    errors = [error for error in at_once(20, lambda _: manager.get()) if isinstance(error, OpenPaymentsError)]
    lengths = set()
    for error in errors:
        traceback, length = error.__traceback__, 0
        while traceback:
            traceback, length = traceback.tb_next, length + 1
        lengths.add(length)
        assert not [text for text in texts_of(error) if "s3cr3t" in text or "t0ken" in text]
    assert len(errors) == 20
    assert max(lengths) <= 4


def test_what_waiting_cannot_mend_pauses_longer(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    endpoint.answer = lambda _: answer({"error": "invalid_client"}, 401)
    manager = new_manager()
    for _ in range(29):
        with pytest.raises(AuthenticationError, match="invalid_client"):
            manager.get()
        time.advance(1)
    assert endpoint.count == 1
    time.advance(1)
    endpoint.answer = granted
    manager.get()
    assert endpoint.count == 2


def test_who_refuses_without_a_code_is_not_hammered(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager_module, "LONGEST_WAIT", 0)
    endpoint.answer = lambda _: answer(b"", 400)  # no source shows what is sent for a wrong scope
    manager = new_manager()
    for _ in range(600):
        with pytest.raises(TokenError, match="400"):
            manager.get()
        time.advance(1)
    assert endpoint.count <= 17


def test_retry_after_is_respected(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    manager = new_manager()
    old = manager.get()
    time.advance(3490)
    endpoint.answer = lambda _: answer(b"", 429, {"Retry-After": "60"})
    manager.get()
    landed(manager)
    for _ in range(59):
        time.advance(1)
        assert manager.get() is old
    landed(manager)
    assert endpoint.count == 2
    time.advance(1)
    manager.get()
    landed(manager)
    assert endpoint.count == 3


def test_a_transport_that_breaks_reaches_the_waiter(new_manager: NewManager, time: FakeClock) -> None:
    def blocked(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("network is blocked")

    fetcher = TokenFetcher(
        token_url="https://auth.example/connect/token",
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=partial(pools.send, httpx.Client(transport=httpx.MockTransport(blocked))),
        clock=time.clock,
    )
    with pytest.raises(ConnectionFailedError, match="network is blocked"):
        new_manager(fetcher=fetcher).get()


class Broken(TokenFetcher):
    def fetch(self, scope: str, *, request_id: str | None = None, replacements: float = 0) -> AccessToken:
        raise KeyError(CLIENT_SECRET)


def test_a_mistake_of_ours_leaves_nobody_waiting(new_manager: NewManager) -> None:
    broken = Broken(token_url="x", client_id="x", client_secret=Secret("x"), send=print)
    with pytest.raises(RequestError, match="KeyError") as raised:
        new_manager(fetcher=broken).get()
    assert CLIENT_SECRET not in str(raised.value)
    assert raised.value.request_id


class Interrupted(TokenFetcher):
    def fetch(self, scope: str, *, request_id: str | None = None, replacements: float = 0) -> AccessToken:
        raise KeyboardInterrupt(CLIENT_SECRET)


def test_whatever_ends_a_fetch_leaves_nobody_waiting(new_manager: NewManager) -> None:
    broken = Interrupted(token_url="x", client_id="x", client_secret=Secret("x"), send=print)
    manager = new_manager(fetcher=broken)
    with pytest.raises(OpenPaymentsError, match="KeyboardInterrupt") as raised:
        manager.get(timeout=5)
    assert CLIENT_SECRET not in str(raised.value)
    assert manager._entry.flight is None


def test_who_is_refused_later_gets_an_exception_of_its_own(new_manager: NewManager, endpoint: Endpoint) -> None:
    endpoint.answer = lambda _: answer({"error": "invalid_client"}, 401)
    manager = new_manager()
    errors = [error for _ in range(3) for error in at_once(1, lambda _: manager.get())]
    assert len({id(error) for error in errors}) == 3
    assert endpoint.count == 1


def test_a_fetch_that_was_given_up_does_not_undo_a_later_one(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    first_may_answer = threading.Event()

    def slow_first(number: int) -> Answer:
        if number == 1:
            first_may_answer.wait(10)
        return granted(number)

    endpoint.answer = slow_first
    manager = new_manager()
    with pytest.raises(TimedOutError):
        manager.get(timeout=0.01)
    assert endpoint.arrived.wait(10)
    [given_up] = manager._under_way()
    time.advance(LONGEST_FLIGHT + 1)
    token = manager.get()
    first_may_answer.set()
    given_up.thread.join(10)
    assert manager.get() is token
    assert manager._entry.state.failure is None
    assert token.value == Secret(token_value(2))
    assert endpoint.count == 2


def test_no_thread_to_be_had(new_manager: NewManager, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(ConnectionFailedError, match="can't start new thread"):
            new_manager().get()
    assert endpoint.count == 0


@pytest.mark.parametrize("when", ["making", "before", "after", "late"])
def test_an_interrupt_while_a_fetch_begins_leaves_nobody_waiting(
    new_manager: NewManager, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    start, make = threading.Thread.start, threading.Thread.__init__
    late: list[Callable[[], None]] = []

    def made(thread: threading.Thread, *args: Any, **kwargs: Any) -> None:
        make(thread, *args, **kwargs)
        if when == "making" and thread.name == "openpayments-token":
            signal.raise_signal(signal.SIGINT)

    def interrupted(thread: threading.Thread) -> None:
        if when == "after" or thread.name != "openpayments-token":
            start(thread)
        if when == "late":  # the system has made it, but it has not run yet
            late.append(lambda: start(thread))
        if thread.name == "openpayments-token":
            signal.raise_signal(signal.SIGINT)

    manager = new_manager()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "__init__", made)
        patched.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            manager.get()
    landed(manager)
    for begin in late:
        begin()
    assert manager.get(timeout=5).value == Secret(token_value(1))
    manager.close()
    assert endpoint.count == 1
    assert not manager._under_way()


def test_who_waits_for_a_fetch_that_an_interrupt_kept_from_beginning_begins_another(
    new_manager: NewManager, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = new_manager()
    with ThreadPoolExecutor(1) as pool:
        others: list[futures.Future[AccessToken]] = []

        def start(_: threading.Thread) -> None:
            patched.undo()
            others.append(pool.submit(manager.get, 5))
            futures.wait(others, 0.1)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            with pytest.raises(KeyboardInterrupt):
                manager.get()
        assert others[0].result(5).value == Secret(token_value(1))
    assert endpoint.count == 1


# rejected by the API


def test_a_revoked_token_is_replaced_once(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    manager = new_manager()
    revoked = manager.get()
    time.advance(600)
    endpoint.delay = 0.03

    def replay(_: int) -> AccessToken:
        manager.reject(revoked)
        return manager.get()

    assert values(at_once(64, replay)) == {token_value(2)}
    assert endpoint.count == 2


def test_a_rejection_of_an_older_token_changes_nothing(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    old = manager.get()
    time.advance(3600)
    new = manager.get()
    manager.reject(old)
    assert manager.get() is new
    assert endpoint.count == 2


@pytest.mark.parametrize("works", [1, 2, 10])
def test_a_bank_that_rejects_every_token_costs_the_budget(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock, works: int
) -> None:
    """Also one that only rejects each second call, or each tenth."""
    manager = new_manager()
    for second in range(3400):
        token = manager.get()
        if second % works == 0:
            manager.reject(token)
        time.advance(1)
    assert endpoint.count <= 1 + BUDGET + 3400 // BUDGET_REFILL


def test_a_revocation_is_believed_at_once_after_a_stray_refusal(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    for count in range(2, 10):
        manager.reject(manager.get())
        assert manager.get().value == Secret(token_value(count))
        time.advance(20 if count == 2 else BUDGET_REFILL)
    assert endpoint.count == 9


def test_what_the_budget_does_not_allow_is_believed_two_minutes_later(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    for _ in range(BUDGET):
        manager.reject(manager.get())
    last = manager.get()
    for _ in range(int(BUDGET_REFILL)):
        manager.reject(last)
        assert manager.get() is last  # so a caller knows not to replay
        time.advance(1)
    manager.reject(last)
    assert manager.get() is not last
    assert endpoint.count == BUDGET + 2


# the life of a handle


def test_closing_waits_for_the_fetch(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    manager = new_manager()
    manager.get()
    time.advance(3500)
    endpoint.delay = 0.03
    manager.get()
    assert "openpayments-token" in {thread.name for thread in threading.enumerate()}
    manager.close()
    assert "openpayments-token" not in {thread.name for thread in threading.enumerate()}
    assert endpoint.count == 2


async def test_closing_on_a_loop_waits_without_blocking(
    new_manager: NewManager, endpoint: Endpoint, time: FakeClock
) -> None:
    manager = new_manager()
    await manager.aget()
    time.advance(3500)
    endpoint.delay = 0.03
    with blockbuster_ctx():
        await manager.aget()
        await manager.aclose()
    assert manager._entry.flight is None
    assert endpoint.count == 2


async def test_once_it_is_closed_on_a_loop_all_has_been_told(new_manager: NewManager) -> None:
    told: list[str] = []

    def listen(event: TokenEvent) -> None:
        sleep(0.05)
        told.append(event.kind)

    manager = new_manager(on_event=listen)
    await manager.aget()
    await manager.aclose()
    assert told == ["fetched"]


def test_a_closed_handle_asks_no_more(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    manager = new_manager()
    manager.close()
    with pytest.raises(ClientStateError, match="closed"):
        manager.get()
    new_manager().get()
    assert endpoint.count == 1
    time.advance(3500)
    manager.get()  # would refresh
    assert endpoint.count == 1


def test_the_fetch_sees_nothing_of_the_callers_context(new_manager: NewManager) -> None:
    variable = contextvars.ContextVar("variable", default="nobody")
    seen = []

    def answer(_: httpx.Request) -> httpx.Response:
        seen.append(variable.get())
        return httpx.Response(200, json={"access_token": "abc", "expires_in": 3600})

    fetcher = TokenFetcher(
        token_url="https://auth.example/connect/token",
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=partial(pools.send, httpx.Client(transport=httpx.MockTransport(answer))),
    )
    variable.set("somebody")
    new_manager(fetcher=fetcher).get()
    assert seen == ["nobody"]


def test_what_a_forked_child_sets_right(new_manager: NewManager, endpoint: Endpoint, time: FakeClock) -> None:
    """What is called in a child, but of these tokens alone; test_processes.py has real ones."""
    manager = new_manager()
    token = manager.get()
    time.advance(3500)
    endpoint.gate.clear()
    manager.get()  # a refresh is under way
    assert endpoint.arrived.wait(10)
    with manager._entry.lock:
        manager._memory.reset()
        assert at_once(1, lambda _: manager.get()) == [token]  # the lock that is held here is another's
    assert endpoint.seen
    endpoint.gate.set()
    landed(manager)
    assert manager.get() is not token


def test_a_fresh_token_costs_one_reading_of_each_clock_and_no_lock(new_manager: NewManager) -> None:
    readings: list[str] = []

    def read(name: str, clock: Callable[[], float]) -> Callable[[], float]:
        def reading() -> float:
            readings.append(name)
            return clock()

        return reading

    clock = Clock(wall=read("wall", SYSTEM_CLOCK.wall), monotonic=read("monotonic", SYSTEM_CLOCK.monotonic))
    manager = new_manager(clock=clock, fetcher=None)
    token = AccessToken.issue("abc", scope=SCOPE, lifetime=3600, issued=SYSTEM_CLOCK.now(), jitter=0)
    manager._entry.state = manager._entry.state.succeeded(token)
    readings.clear()
    with manager._entry.lock:
        assert at_once(1, lambda _: manager.get()) == [token]
    assert sorted(readings) == ["monotonic", "wall"]


def test_entries_that_are_over_are_forgotten(new_fetcher: NewFetcher, time: FakeClock) -> None:
    from openpayments_facade.tokens.memory import Memory

    memory = Memory()
    for number in range(10):
        TokenManager(new_fetcher(client_id=str(number)), SCOPE, clock=time.clock, memory=memory).get()
    assert len(memory._kept) == 10
    time.advance(3600)
    TokenManager(new_fetcher(), SCOPE, clock=time.clock, memory=memory)
    assert len(memory._kept) == 1
