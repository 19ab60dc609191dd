"""Managers that share a store, each with a memory of its own, as the processes of a fleet have."""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import pytest

from openpayments_facade._redaction import Secret
from openpayments_facade.errors import OpenPaymentsError
from openpayments_facade.tokens import MemoryStore, TokenEvent
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.memory import Memory
from openpayments_facade.tokens.token import BUDGET, BUDGET_REFILL

from .endpoint import CLIENT_SECRET, SCOPE, Answer, Endpoint, answer, granted, token_value
from .test_manager import at_once, down, landed, values

if TYPE_CHECKING:
    from .conftest import FakeClock, NewFetcher, NewManager


class Spying(MemoryStore):
    """Remembers what was done to it, in order."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.done: list[str] = []
        self.written: list[tuple[str, str, float]] = []

    def get(self, key: str) -> str | None:
        self.done.append("get")
        return super().get(key)

    def set(self, key: str, value: str, seconds: float) -> None:
        self.done.append("set")
        self.written.append((key, value, seconds))
        super().set(key, value, seconds)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        with super().lock(key):
            self.done.append("lock")
            yield
            self.done.append("unlock")


@pytest.fixture
def store(time: FakeClock) -> Spying:
    return Spying(lambda: time.wall)


NewProcess = Callable[..., TokenManager]


@pytest.fixture
def new_process(new_manager: NewManager, store: Spying) -> NewProcess:
    def new(scope: str = SCOPE, **options: object) -> TokenManager:
        return new_manager(scope, **{"store": store, "memory": Memory(), **options})

    return new


def test_memory_store_lock_store_again_fetch_store(new_process: NewProcess, store: Spying) -> None:
    first, second = new_process(), new_process()
    token = first.get()
    assert store.done == ["get", "lock", "get", "set", "unlock"]
    store.done.clear()
    assert first.get() is token
    assert store.done == []
    assert second.get().value == token.value
    assert store.done == ["get"]


def test_what_is_stored(new_process: NewProcess, store: Spying, endpoint: Endpoint) -> None:
    endpoint.answer = lambda number: granted(number, expires_in=600)
    new_process().get()
    [(key, value, seconds)] = store.written
    assert seconds == 600
    assert json.loads(value)["access_token"] == token_value(1)
    assert CLIENT_SECRET not in value
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


def test_applications_environments_and_scope_sets_share_no_entry(
    new_process: NewProcess, new_fetcher: NewFetcher, store: Spying
) -> None:
    with Endpoint() as other:
        new_process().get()
        new_process("private aspspinformation").get()  # the same set: adopted
        new_process("aspspinformation corporate").get()
        new_process("aspspinformation").get()
        new_process(fetcher=new_fetcher(client_id="other")).get()
        new_process(fetcher=new_fetcher(url=other.url)).get()
    assert len({key for key, _, _ in store.written}) == len(store.written) == 5


def test_many_cold_processes_make_one_request(new_process: NewProcess, endpoint: Endpoint) -> None:
    endpoint.delay = 0.03
    processes = [new_process() for _ in range(16)]
    assert values(at_once(16, lambda number: processes[number].get())) == {token_value(1)}
    assert endpoint.count == 1


def test_a_process_that_starts_inside_the_window_serves_at_once(
    new_process: NewProcess, endpoint: Endpoint, time: FakeClock
) -> None:
    new_process().get()
    time.advance(3500)
    endpoint.gate.clear()
    late = new_process()
    assert late.get().value == Secret(token_value(1))
    assert late.get().value == Secret(token_value(1))
    endpoint.gate.set()
    landed(late)
    assert late.get().value == Secret(token_value(2))
    assert endpoint.count == 2


def test_a_refresh_by_one_serves_all(new_process: NewProcess, endpoint: Endpoint, time: FakeClock) -> None:
    processes = [new_process() for _ in range(5)]
    for process in processes:
        process.get()
    time.advance(3500)
    for process in processes:
        process.get()
        landed(process)
    assert {process.get().value for process in processes} == {Secret(token_value(2))}
    assert endpoint.count == 2


def test_a_revoked_token_is_replaced_once_for_all(new_process: NewProcess, endpoint: Endpoint, time: FakeClock) -> None:
    processes = [new_process() for _ in range(8)]
    revoked = [process.get() for process in processes]
    time.advance(600)

    def replay(number: int) -> object:
        processes[number].reject(revoked[number])
        return processes[number].get()

    assert values(at_once(8, replay)) == {token_value(2)}  # type: ignore[arg-type]
    assert endpoint.count == 2


def test_a_bank_that_rejects_every_token_costs_the_fleet_one_budget(
    new_process: NewProcess, endpoint: Endpoint, time: FakeClock
) -> None:
    processes = [new_process() for _ in range(10)]
    for _ in range(300):
        for process in processes:
            process.reject(process.get())
        time.advance(10)
    assert endpoint.count <= 1 + BUDGET + 3000 // BUDGET_REFILL


def test_a_process_that_adopts_a_token_believes_that_it_is_revoked(new_process: NewProcess, endpoint: Endpoint) -> None:
    first, second, third = new_process(), new_process(), new_process()
    first.reject(first.get())
    first.get()
    second.reject(second.get())
    assert second.get().value == Secret(token_value(3))
    assert third.get().value == Secret(token_value(3))
    third.reject(third.get())
    assert third.get().value == Secret(token_value(4))
    third.reject(third.get())
    assert third.get().value == Secret(token_value(4))  # the three have used up the budget together
    assert endpoint.count == 1 + BUDGET


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "[]", "token", '{"access_token": "abc"}', '{"access_token": ["\\ud800"]}', "[" * 100_000],
)
def test_contents_that_are_not_ours_are_overwritten(
    new_process: NewProcess, store: Spying, endpoint: Endpoint, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    new_process().get()
    [(key, *_)] = store.written
    store.set(key, content, 3600)
    assert new_process().get().value == Secret(token_value(2))
    said = "The token store (Spying) contains something that is not a token of ours; it will be overwritten"
    assert said in caplog.messages
    assert new_process().get().value == Secret(token_value(2))
    assert endpoint.count == 2


# a store that does not work


class Breaking(MemoryStore):
    """Fails in the operations in `broken`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.broken: set[str] = set()
        self.tried: list[str] = []

    def _try(self, name: str, said: str = "") -> None:
        self.tried.append(name)
        if name in self.broken:
            raise ConnectionError(f"no {name} {said}")

    def get(self, key: str) -> str | None:
        self._try("get")
        return super().get(key)

    def set(self, key: str, value: str, seconds: float) -> None:
        self._try("set", value)
        super().set(key, value, seconds)

    def lock(self, key: str) -> AbstractContextManager[None]:  # type: ignore[override]
        self._try("lock")
        return self._locked(key)

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        self._try("enter")
        with super().lock(key):
            yield
        self._try("exit")


@pytest.fixture
def breaking(time: FakeClock) -> Breaking:
    return Breaking(lambda: time.wall)


def hours_of(manager: TokenManager, time: FakeClock, count: int) -> None:
    for _ in range(count):
        assert manager.get().is_alive(time.clock.now())
        time.advance(3600)


@pytest.mark.parametrize("what", ["get", "set", "lock", "enter", "exit"])
def test_a_store_that_fails_fails_no_call_and_is_named_once(
    new_process: NewProcess,
    endpoint: Endpoint,
    time: FakeClock,
    breaking: Breaking,
    what: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    breaking.broken = {"get", "set", "lock", "enter", "exit"} if what == "get" else {what}
    manager = new_process(store=breaking)
    hours_of(manager, time, 3)
    said = [text for text in caplog.messages if "token store" in text]
    assert len(said) == 1
    assert said[0].startswith("The token store (Breaking) failed; going on with this process's own memory: ")
    assert f"ConnectionError: no {what}" in said[0]
    assert "t0ken" not in caplog.text

    caplog.clear()
    breaking.broken = set()
    hours_of(manager, time, 2)
    said = [text for text in caplog.messages if "token store" in text]
    assert said == ["The token store (Breaking) works again"]
    assert endpoint.count == 5


def test_a_stores_words_control_no_terminal(new_process: NewProcess, caplog: pytest.LogCaptureFixture) -> None:
    class Hostile(MemoryStore):
        def get(self, key: str) -> str | None:
            raise ConnectionError("\x1b]0;gone\x07\nforged: a line" + "!" * 1000)

    new_process(store=Hostile()).get()
    [said] = [text for text in caplog.messages if "Hostile" in text]
    assert said.isprintable()
    assert "ConnectionError:  ]0;gone  forged: a line!!" in said
    assert len(said) < 400


def test_both_contexts_of_a_process_name_it_once(
    new_process: NewProcess, breaking: Breaking, caplog: pytest.LogCaptureFixture
) -> None:
    breaking.broken = {"get"}
    memory = Memory()
    for context in ("private", "corporate"):
        new_process(f"aspspinformation {context}", store=breaking, memory=memory).get()
    assert len([text for text in caplog.messages if text.startswith("The token store (Breaking) failed")]) == 1


def test_a_store_that_is_down_is_asked_once_a_token(
    new_process: NewProcess, time: FakeClock, breaking: Breaking
) -> None:
    """Each attempt may cost its time limit, and callers wait."""
    breaking.broken = {"get", "set", "lock"}
    hours_of(new_process(store=breaking), time, 3)
    assert breaking.tried == ["get"] * 3


def test_a_lock_that_cannot_be_had_delays_only(
    new_process: NewProcess, store: Spying, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    manager = new_process()
    store._patience = 0.01
    with MemoryStore.lock(store, manager._store_key):
        assert manager.get().value == Secret(token_value(1))
    assert any("did not grant its lock in time" in text for text in caplog.messages)


# a day


def test_a_day_of_a_hundred_processes(new_process: NewProcess, endpoint: Endpoint, time: FakeClock) -> None:
    asked: defaultdict[str, list[float]] = defaultdict(list)

    def note(number: int) -> Answer:
        scope = dict(endpoint.seen[number - 1].form)["scope"]
        asked[scope].append(time.wall)
        return granted(number, scope=scope)

    endpoint.answer = note
    scopes = [f"aspspinformation {context}" for context in ("private", "corporate")]
    chance = random.Random(7)
    processes = [new_process(scope, jitter=chance.random) for scope in scopes for _ in range(50)]
    began = time.wall
    while time.wall < began + 86_400:
        for process in processes:
            assert process.get().is_alive(time.clock.now())
        for process in processes:
            landed(process)
        time.advance(75)
    assert set(asked) == set(scopes)
    for times in asked.values():
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 0.8 * 3600
        assert len(times) <= 26


# being watched


def test_events(new_process: NewProcess, endpoint: Endpoint, time: FakeClock) -> None:
    events: list[TokenEvent] = []
    fetching, adopting = new_process(on_event=events.append), new_process(on_event=events.append)
    token = fetching.get()
    landed(fetching)
    adopting.get()
    landed(adopting)
    adopting.reject(token)
    adopting.reject(token)  # not the current one any more
    endpoint.answer = down
    with pytest.raises(OpenPaymentsError):
        adopting.get()
    landed(adopting)
    assert [(event.kind, event.scope) for event in events] == [
        (kind, SCOPE) for kind in ("fetched", "adopted", "rejected", "failed")
    ]
    fetched, adopted, rejected, failed = events
    assert fetched.expires_at == adopted.expires_at == rejected.expires_at == token.expires_at
    assert "503" in str(failed.error)
    assert failed.retry_in == 0.5
    assert "t0ken" not in repr(events)
    assert "s3cr3t" not in repr(events)


def test_events_have_durations_and_what_is_missing(
    new_process: NewProcess, endpoint: Endpoint, time: FakeClock
) -> None:
    def slow(number: int) -> Answer:
        time.advance(2)
        return granted(number, scope="private")

    endpoint.answer = slow
    events: list[TokenEvent] = []
    manager = new_process(on_event=events.append)
    manager.get()
    landed(manager)
    assert [(event.duration, event.missing) for event in events] == [(2.0, ("aspspinformation",))]


def test_a_watcher_that_fails_harms_nobody(new_process: NewProcess, caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: TokenEvent) -> None:
        raise ValueError(event.kind)

    manager = new_process(on_event=fail)
    token = manager.get()
    manager.reject(token)
    assert manager.get().value == Secret(token_value(2))
    landed(manager)
    assert caplog.messages.count("on_token_event failed") == 3
    assert "t0ken" not in caplog.text


def test_a_failed_refresh_is_logged_with_what_comes_next(
    new_process: NewProcess, endpoint: Endpoint, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    manager = new_process()
    manager.get()
    time.advance(3500)
    endpoint.answer = lambda _: answer({"error": "server_error"}, 500, {"Retry-After": "20"})
    manager.get()
    landed(manager)
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (
        "using the old one, next attempt in 20 s: the token endpoint answered 500 server_error" in record.getMessage()
    )
