"""Sees to it that there is one active token (document 000), however many threads, tasks, loops and clients want it.

A fetch runs in a short-lived thread of its own and lands in one Future: sync callers wait for that, async callers let
their loop be woken by it. So it survives the caller who began it, and no loop is ever blocked. While the token is
fresh, nobody takes a lock.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import hashlib
import json
import logging
import random
import sys
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Any, Final, Literal

from .._threads import landing
from ..errors import ClientStateError, ConnectionFailedError, OpenPaymentsError, TimedOutError
from ..events import TokenEvent
from .memory import PROCESS_MEMORY, Flight, Memory
from .token import SYSTEM_CLOCK, AccessToken, Clock, State, Step, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..events import OnTokenEvent
    from .fetcher import TokenFetcher
    from .fleet import Fleet
    from .stores import TokenStore

__all__ = ["TokenManager"]

_log = logging.getLogger("openpayments_facade")

LONGEST_FLIGHT: Final = 120.0
"""Seconds after which nobody waits for a fetch any more, and another may begin."""
CLOSE_PATIENCE: Final = 5.0
"""Seconds that closing waits for a fetch. It goes on after that, for whoever waits for it in other clients."""


class TokenManager:
    """One client's handle on the token of its application for one scope set.

    Handles of the same application, secret, scope set and store share everything that the process knows. `hold` keeps
    the connections of a fetch open until what it gives is called. `needs_loop` says that a fetch is sent on the loop of
    the task that began it. `clock` and `jitter` (numbers from 0 to 1) are there for tests.
    """

    def __init__(
        self,
        fetcher: TokenFetcher,
        scope: str,
        *,
        store: TokenStore | None = None,
        on_event: OnTokenEvent | None = None,
        hold: Callable[[], Callable[[], None]] = lambda: lambda: None,
        needs_loop: bool = False,
        memory: Memory = PROCESS_MEMORY,
        clock: Clock = SYSTEM_CLOCK,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.scope = scope
        self._fetcher = fetcher
        self._on_event = on_event
        self._hold = hold
        self._needs_loop = needs_loop
        self._clock = clock
        self._wall = clock.wall
        self._monotonic = clock.monotonic
        self._jitter = jitter
        scope_set = " ".join(sorted(set(scope.split())))
        self._entry = memory.entry(
            (fetcher.token_url, fetcher.client_id, fetcher.client_secret, scope_set), store, clock.now()
        )
        public = json.dumps([fetcher.token_url, fetcher.client_id, scope_set])
        self._store_key = hashlib.sha256(public.encode()).hexdigest()
        self._flights: set[Flight] = set()
        self._closed = False

    def get(self, timeout: float | None = None) -> AccessToken:
        """The token; blocks at most `timeout` seconds while one is fetched.

        Raises TimedOutError when the time is over, what `TokenFetcher.fetch` raises when the fetch fails (the same
        again, without asking, until a pause is over), and ClientStateError after `close()`.
        """
        token = self._entry.state.token
        if token is not None and self._monotonic() < token.due_at_monotonic and self._wall() < token.due_at:
            return token
        step = self._advance(blocks=True)
        if isinstance(step, AccessToken):
            return step
        futures.wait([step.landed], LONGEST_FLIGHT if timeout is None else timeout)
        return self._outcome(step, timeout)

    async def aget(self, timeout: float | None = None) -> AccessToken:
        """Like `get`, without blocking the loop. May be cancelled: the fetch goes on for the others."""
        token = self._entry.state.token
        if token is not None and self._monotonic() < token.due_at_monotonic and self._wall() < token.due_at:
            return token
        step = self._advance()
        if isinstance(step, AccessToken):
            return step
        await landing(step.landed, LONGEST_FLIGHT if timeout is None else timeout)
        return self._outcome(step, timeout)

    def reject(self, token: AccessToken) -> None:
        """Notes that the API refused this token. Does no I/O.

        Does nothing if it is not the current one any more, or not believed (`AccessToken.believes_rejection`): whoever
        gets the same token again afterwards has nothing to gain from sending it again.
        """
        entry = self._entry
        with entry.lock:
            before = entry.state
            entry.state = before.without(token, self._clock.now())
            dropped = entry.state is not before
        if dropped:
            _log.info("The API rejected the token; the next call gets another")
            self._tell("rejected", expires_at=token.expires_at)

    def close(self) -> None:
        """Waits, for a few seconds at most, for a fetch that this handle began; it begins no other."""
        self._closed = True
        for flight in self._under_way():
            assert flight.thread is not None
            flight.thread.join(CLOSE_PATIENCE)

    async def aclose(self) -> None:
        """Like `close`, without blocking the loop."""
        self._closed = True
        for flight in self._under_way():
            await landing(flight.landed, CLOSE_PATIENCE)

    def _under_way(self) -> list[Flight]:
        return [
            flight
            for flight in list(self._flights)
            if flight.thread is not None
            and flight.thread.is_alive()  # in a forked child it is not
            and flight.thread is not threading.current_thread()
        ]

    def _advance(self, *, blocks: bool = False) -> AccessToken | Flight:
        """The token to use now, or the fetch to wait for. `blocks` says that waiting for it blocks the thread."""
        now = self._clock.now()
        entry = self._entry
        loop = _running_loop()
        overtakes = False
        begun: Flight | None = None
        try:
            with entry.lock:
                state = entry.state
                flight = entry.flight
                if flight is not None and now.monotonic - flight.began > LONGEST_FLIGHT:
                    flight = None
                if blocks and flight is not None and flight.loop is not None and flight.loop is loop:
                    # it is sent on the very loop that would be blocked until it lands
                    flight, overtakes = None, True
                step = decide(state, now)
                # when the main thread is over the interpreter is about to end: no refresh ahead of time
                wanted = step is Step.FETCH or (step is Step.REFRESH and threading.main_thread().is_alive())
                if wanted and flight is None and not self._closed:
                    begun = flight = Flight(now.monotonic, loop if self._needs_loop else None, overtakes)
                    entry.flight = flight
            if begun is not None:
                self._take_off(begun)
        except BaseException:  # a signal handler may raise anywhere here, and others wait for this flight
            if begun is not None:
                # nothing is noted of it: the endpoint is not to blame, and the next caller fetches at once
                self._call_off(begun, ConnectionFailedError("The fetch of a token was interrupted before it began"))
            raise
        if step is Step.REFUSE:
            assert state.failure is not None
            raise copy.copy(state.failure.error)
        if step is not Step.FETCH:
            assert state.token is not None
            return state.token
        if flight is None:
            raise ClientStateError("this client is closed; make a new one")
        return flight

    def _take_off(self, flight: Flight) -> None:
        flight.release = self._hold()
        # an empty context: the fetch is everybody's, not only the one's who happens to begin it
        flight.thread = threading.Thread(
            target=contextvars.Context().run, args=(self._fly, flight), name="openpayments-token", daemon=True
        )
        self._flights.add(flight)
        problem = "the interpreter is shutting down" if sys.is_finalizing() else None
        if problem is None:
            try:
                flight.thread.start()
            except RuntimeError as error:
                problem = str(error)
        if problem is not None:
            said = f"No thread could be started to fetch a token: {problem}"
            self._call_off(flight, ConnectionFailedError(said), noted=True)

    def _call_off(self, flight: Flight, error: OpenPaymentsError, *, noted: bool = False) -> None:
        # not is_alive(): a thread that was interrupted while it was started may still come to run
        if flight.claim():
            self._land(flight, error, noted=noted)
            self._let_go(flight)

    def _let_go(self, flight: Flight) -> None:
        self._flights.discard(flight)
        if flight.release is not None:
            flight.release()

    def _fly(self, flight: Flight) -> None:
        if not flight.claim():
            return
        began = self._monotonic()
        try:
            outcome, source = self._outcome_of(flight)
            state = self._land(flight, outcome)
            duration = self._monotonic() - began
            if isinstance(outcome, AccessToken):
                self._tell(source, duration=duration, expires_at=outcome.expires_at, missing=outcome.missing)
            else:
                now = self._clock.now()
                retry_in = max(0.0, state.failure.until - now.monotonic) if state.failure else 0.0
                if state.token is not None and state.token.is_alive(now):
                    _log.warning("No new token; the old one goes on, next try in %.0f s: %s", retry_in, outcome)
                self._tell("failed", duration=duration, error=copy.copy(outcome), retry_in=retry_in)
        finally:
            # closing waits for what is told, too
            self._let_go(flight)

    def _outcome_of(self, flight: Flight) -> tuple[AccessToken | OpenPaymentsError, Literal["fetched", "adopted"]]:
        try:
            return self._obtain(flight)
        except OpenPaymentsError as error:
            return copy.copy(error), "fetched"  # without its traceback
        except BaseException as error:  # whatever it is: others wait for this flight
            # the text is not shown: nobody knows what it holds
            return OpenPaymentsError(f"The token could not be fetched ({type(error).__name__})"), "fetched"

    def _land(self, flight: Flight, outcome: AccessToken | OpenPaymentsError, *, noted: bool = True) -> State:
        entry = self._entry
        with entry.lock:
            if entry.flight is flight:
                entry.flight = None
                if isinstance(outcome, AccessToken):
                    entry.state = entry.state.succeeded(outcome)
                elif noted:
                    entry.state = entry.state.failed(outcome, self._clock.now(), self._jitter())
            state = entry.state
        flight.landed.set_result(outcome)
        return state

    def _tell(self, kind: Literal["fetched", "adopted", "failed", "rejected"], **about: Any) -> None:
        if self._on_event is None:
            return
        event = TokenEvent(kind=kind, client_id=self._fetcher.client_id, scope=self.scope, **about)
        try:
            self._on_event(event)
        except Exception:
            _log.exception("on_token_event failed")

    def _outcome(self, flight: Flight, timeout: float | None) -> AccessToken:
        if not flight.landed.done():
            seconds = LONGEST_FLIGHT if timeout is None else timeout
            raise TimedOutError(
                f"no token in {seconds:g} s: the token endpoint has not answered yet",
                method="POST",
                url=self._fetcher.token_url,
            )
        outcome = flight.landed.result()
        if isinstance(outcome, AccessToken):
            return outcome
        # an exception collects the frames of everybody who raises it
        raise copy.copy(outcome)

    def _obtain(self, flight: Flight) -> tuple[AccessToken, Literal["fetched", "adopted"]]:
        fleet = self._entry.fleet
        if fleet is None:
            return self._fetch(), "fetched"
        if stored := self._stored(fleet):
            return stored, "adopted"
        if fleet.is_down or flight.overtakes:  # who is overtaken may hold the lock
            return self._fetch(), "fetched"
        with fleet.locked(self._store_key):
            if stored := self._stored(fleet):
                return stored, "adopted"
            token = self._fetch()
            fleet.write(self._store_key, token)
            return token, "fetched"

    def _stored(self, fleet: Fleet) -> AccessToken | None:
        now = self._clock.now()
        stored = fleet.read(self._store_key, scope=self.scope, now=now, jitter=self._jitter())
        return stored if self._entry.state.accepts(stored, now) else None

    def _fetch(self) -> AccessToken:
        return self._fetcher.fetch(self.scope, replacements=self._entry.state.replacements)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
