"""Keeps one active token (document 000) for any number of threads, tasks, event loops and clients.

A flight is one fetch for everybody. It runs in a short-lived thread of its own, and publishes its outcome in a Future.
Sync callers block on that, async callers are woken by it. So a flight survives the caller who started it, and never
blocks an event loop. While the token is fresh, no lock is taken.

After a failure there is a pause. Who may try again joins the next flight at once, which waits for the end of the pause
before its request: so one thread waits, and everybody keeps time limits and retries of their own.
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final, Literal

from attrs import field

from .. import request_ids
from .._attrs import define
from ..errors import ClientStateError, ConnectionFailedError, OpenPaymentsError, RequestError, TimedOutError
from .memory import PROCESS_MEMORY, Entry, Flight, Memory, running_loop
from .token import SYSTEM_CLOCK, AccessToken, Clock, Failure, Now, State, Step, decide

if TYPE_CHECKING:
    from ..events import OnTokenEvent
    from .fetcher import TokenFetcher
    from .fleet import Fleet
    from .stores import TokenStore

_log = logging.getLogger("openpayments_facade")

LONGEST_FLIGHT: Final = 120.0
"""Seconds after which nobody waits for a flight any longer, and another may start."""
CLOSE_PATIENCE: Final = 5.0
"""Seconds that closing waits for a flight. After that the flight continues for other clients."""
LONGEST_WAIT: Final = 10.0
"""Seconds that a call waits for the end of a pause."""


@define(eq=False, repr=False)
class TokenManager:
    """One client's access to the token of its application for one set of scopes.

    Managers with the same application, secret, set of scopes and store share all that the process knows. With
    `needs_loop` a fetch is sent on the event loop of the task that started it. `memory`, `clock` and `jitter` (numbers
    from 0 to 1) are for tests.
    """

    _fetcher: TokenFetcher
    scope: str
    _store: TokenStore | None = field(default=None, kw_only=True)
    _on_event: OnTokenEvent | None = field(default=None, kw_only=True)
    _needs_loop: bool = field(default=False, kw_only=True)
    _memory: Memory = field(default=PROCESS_MEMORY, kw_only=True)
    _clock: Clock = field(default=SYSTEM_CLOCK, kw_only=True)
    _jitter: Callable[[], float] = field(default=random.random, kw_only=True)
    _entry: Entry = field(init=False)
    _store_key: str = field(init=False)
    _flights: list[Flight] = field(factory=list, init=False)
    _closed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        if self._on_event is not None:
            from .. import events as events  # not after a request, when it might fail
        public = (self._fetcher.token_url, self._fetcher.client_id, " ".join(sorted(set(self.scope.split()))))
        self._entry = self._memory.entry((*public, self._fetcher.client_secret), self._store, self._clock.now())
        self._store_key = hashlib.sha256(json.dumps(public).encode()).hexdigest()

    def get(self, timeout: float = LONGEST_FLIGHT, retries: int = 0, lasting: float = 0.0) -> AccessToken:
        """The token. Blocks at most `timeout` seconds while one is fetched.

        It is valid for `lasting` more seconds at least, or for most of its lifetime if that is shorter. A fetch that
        fails in a way that may pass is tried again, `retries` times. When a pause is too long to wait for, the error of
        the last request is raised.

        Raises:
            TimedOutError: The fetch took longer.
            ClientStateError: It was called after `close()`, or the client was closed while it waited.
            OpenPaymentsError: The fetch failed, as `TokenFetcher.fetch` describes. `retry_after` is the number of
                seconds until the next request; before that, the same error is raised without one, and says so.
        """
        token, clock = self._entry.state.token, self._clock
        is_fresh = token is not None and clock.monotonic() < token.due.monotonic and clock.wall() < token.due.wall
        if token is not None and is_fresh and (not lasting or token.lasts(lasting, clock.now())):
            return token
        steps = self._steps(timeout, retries, lasting, blocks=True)
        while not isinstance(step := next(steps), AccessToken):
            flight, seconds = step
            futures.wait([flight.published], seconds)
        return step

    async def aget(self, timeout: float = LONGEST_FLIGHT, retries: int = 0, lasting: float = 0.0) -> AccessToken:
        """Like `get`, without blocking the event loop. If it is cancelled, the fetch continues for other callers."""
        token, clock = self._entry.state.token, self._clock
        is_fresh = token is not None and clock.monotonic() < token.due.monotonic and clock.wall() < token.due.wall
        if token is not None and is_fresh and (not lasting or token.lasts(lasting, clock.now())):
            return token
        steps = self._steps(timeout, retries, lasting)
        while not isinstance(step := next(steps), AccessToken):
            flight, seconds = step
            await flight.wait(seconds)
        return step

    def reject(self, token: AccessToken) -> None:
        """Drops a token that the API rejected. Does no I/O.

        Does nothing if the token is no longer the current one, or the rejection is not believed
        (`AccessToken.believes_rejection`). A caller who then gets the same token again should not resend it.
        """
        entry = self._entry
        with entry.lock:
            before = entry.state
            entry.state = before.without(token, self._clock.now())
            dropped = entry.state is not before
        if dropped:
            _log.info("The API rejected the token; the next call gets a new one")
            self._notify("rejected", expires_at=token.expires_at)

    def close(self) -> None:
        """Waits a few seconds for a flight that this manager started; not for a pause. It starts no more."""
        for flight in self._end():
            flight.thread.join(CLOSE_PATIENCE)

    async def aclose(self) -> None:
        """Like `close`, without blocking the event loop."""
        import asyncio

        for flight in self._end():
            await flight.wait(CLOSE_PATIENCE)
            for _ in range(int(CLOSE_PATIENCE / 0.01)):  # it may still have to tell what happened
                if not flight.thread.is_alive():
                    break
                await asyncio.sleep(0.01)

    def _end(self) -> list[Flight]:
        self._closed = True
        flights = self._under_way()
        for flight in flights:
            if flight.pause:  # other clients that wait for it start another
                self._abandon(flight, None)
        return flights

    def _under_way(self) -> list[Flight]:
        mine = threading.current_thread()
        # in a forked child, no thread of its parent is alive
        return [flight for flight in self._flights if flight.thread.is_alive() and flight.thread is not mine]

    def _steps(
        self, timeout: float, retries: int, lasting: float, *, blocks: bool = False
    ) -> Iterator[AccessToken | tuple[Flight, float]]:
        """What one caller waits for, and for how long, one after the other; in the end the token. Raises as `get` does.

        `blocks`: the caller waits by blocking its thread.
        """
        now, failed = self._clock.now(), None
        deadline = now.monotonic + timeout
        plan: AccessToken | Flight | Failure | OpenPaymentsError | None
        while True:
            left = deadline - now.monotonic
            plan = self._plan(now, min(LONGEST_WAIT, left), lasting, blocks=blocks)
            if isinstance(plan, Failure):
                # a shared exception would collect the frames of everybody who raises it
                raise copy.copy(plan.error) if plan.error is failed else plan.told(now)
            if isinstance(plan, Flight):
                yield plan, left
                if not plan.published.done():
                    said = f"no token within {timeout:.3g} s: the token endpoint has not answered yet"
                    said += f"; before that: {failed.args[0]}" if failed else ""
                    raise TimedOutError(said, **self._about(plan))
                needed, plan, now = plan.lasting, plan.published.result(), self._clock.now()
                if isinstance(plan, AccessToken) and needed < lasting and not plan.lasts(lasting, now):
                    continue  # it is from the store, for somebody who needs it for less time
            if isinstance(plan, AccessToken):
                yield plan
            elif plan is not None:
                failed = plan
                if not retries:
                    raise copy.copy(failed)
                retries -= 1

    def _plan(self, now: Now, patience: float, lasting: float, *, blocks: bool) -> AccessToken | Flight | Failure:
        """The token to use now, the flight to wait for, or why there is none."""
        entry, loop, started = self._entry, running_loop(), None
        try:
            with entry.lock:
                state, flight = entry.state, entry.flight
                step = decide(state, now, patience, lasting)
                # once the main thread has ended, the interpreter is about to exit: no more early refreshes
                wanted = step is Step.FETCH or (step is Step.REFRESH and threading.main_thread().is_alive())
                # waiting would block the event loop that the flight needs
                overtakes = blocks and flight is not None and flight.loop is not None and flight.loop is loop
                if flight is not None and (overtakes or now.monotonic - flight.started_at > LONGEST_FLIGHT):
                    flight = None
                if wanted and flight is None and not self._closed:
                    needed = loop if self._needs_loop else None
                    pause = state.pause(now)
                    flight = Flight(self._run, now.monotonic + pause, pause, needed, overtakes, lasting)
                    started = entry.flight = flight
            if started is not None:
                self._start(started)
        except BaseException:  # a signal handler may raise anywhere here, while others wait for this flight
            if started is not None:
                self._abandon(started, None)  # the endpoint is not to blame, so others fetch at once
            raise
        if step in {Step.SERVE, Step.REFRESH} and state.token is not None:
            return state.token
        if step is Step.REFUSE and state.failure is not None:
            return state.failure
        if flight is None or self._closed:
            raise ClientStateError("this client is closed; create a new one")
        return flight

    def _start(self, flight: Flight) -> None:
        self._flights = [*self._under_way(), flight]
        try:
            if sys.is_finalizing():
                raise RuntimeError("the interpreter is shutting down")
            flight.thread.start()
        except RuntimeError as error:
            problem = f"no thread could be started to fetch a token: {error}"
            self._abandon(flight, ConnectionFailedError(problem))

    def _abandon(self, flight: Flight, outcome: OpenPaymentsError | None) -> None:
        # not is_alive(): a thread whose start was interrupted may still run later
        if flight.claim():
            self._publish(flight, outcome)

    def _run(self, flight: Flight) -> None:
        if flight.pause:
            _log.info("The last token request failed; the next is in %.1f s", flight.pause)
            futures.wait([flight.published], flight.pause)  # abandoning it ends the pause
        if not flight.claim():
            return
        started = self._clock.monotonic()
        outcome: AccessToken | OpenPaymentsError
        source: Literal["fetched", "adopted"] = "fetched"
        try:
            outcome, source = self._obtain(flight)
        except OpenPaymentsError as error:
            outcome = copy.copy(error)  # without its traceback
        except BaseException as error:  # any exception at all: others wait for this flight
            # its text is not shown, since it may contain anything
            outcome = RequestError(f"the token could not be fetched ({type(error).__name__})", **self._about(flight))
        if isinstance(outcome, OpenPaymentsError) and flight.loop is not None and flight.loop.is_closed():
            self._publish(flight, None)  # its loop has ended, the endpoint is not to blame: others fetch at once
            return
        state = self._publish(flight, outcome)
        now = self._clock.now()
        duration = now.monotonic - started
        if isinstance(outcome, AccessToken):
            self._notify(source, duration=duration, expires_at=outcome.expires_at, missing=outcome.missing)
            return
        retry_in = state.pause(now)
        if state.token is not None and state.token.is_alive(now):
            _log.warning("No new token; using the old one, next attempt in %.0f s: %s", retry_in, outcome)
        self._notify("failed", duration=duration, error=copy.copy(outcome), retry_in=retry_in)

    def _publish(self, flight: Flight, outcome: AccessToken | OpenPaymentsError | None) -> State:
        entry, now = self._entry, self._clock.now()
        with entry.lock:
            if entry.flight is flight:
                entry.flight = None
                if isinstance(outcome, AccessToken):
                    entry.state = entry.state.succeeded(outcome)
                elif outcome is not None:
                    entry.state = entry.state.failed(outcome, now, self._jitter())
                    vars(outcome).update(retry_after=entry.state.pause(now))
            state = entry.state
        flight.published.set_result(outcome)
        return state

    def _notify(self, kind: Literal["fetched", "adopted", "failed", "rejected"], **about: Any) -> None:
        if self._on_event is None:
            return
        from ..events import TokenEvent

        event = TokenEvent(kind=kind, client_id=self._fetcher.client_id, scope=self.scope, **about)
        try:
            self._on_event(event)
        except Exception:
            _log.exception("on_token_event failed")

    def _obtain(self, flight: Flight) -> tuple[AccessToken, Literal["fetched", "adopted"]]:
        fleet = self._entry.fleet
        if fleet is not None and (stored := self._stored(fleet, flight.lasting)):
            return stored, "adopted"
        if fleet is None or fleet.is_down or flight.overtakes:  # the overtaken flight may hold the lock
            return self._fetch(flight), "fetched"
        with fleet.locked(self._store_key):
            if stored := self._stored(fleet, flight.lasting):
                return stored, "adopted"
            token = self._fetch(flight)
            fleet.write(self._store_key, token)
            return token, "fetched"

    def _stored(self, fleet: Fleet, lasting: float) -> AccessToken | None:
        now = self._clock.now()
        stored = fleet.read(self._store_key, scope=self.scope, now=now, jitter=self._jitter())
        return stored if self._entry.state.accepts(stored, now, lasting) else None

    def _fetch(self, flight: Flight) -> AccessToken:
        flight.request_id = request_ids.new_request_id()
        replacements = self._entry.state.replacements(self._clock.now())
        return self._fetcher.fetch(self.scope, request_id=flight.request_id, replacements=replacements)

    def _about(self, flight: Flight) -> dict[str, Any]:
        return {"method": "POST", "url": self._fetcher.token_url, "request_id": flight.request_id}
