"""What a process knows about its tokens. All its clients share it, and it outlives them."""

from __future__ import annotations

import contextvars
import sys
import threading
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from attrs import field

from .._attrs import define
from .._forks import reset_after_fork
from .token import AccessToken, Now, State

if TYPE_CHECKING:
    import asyncio

    from ..errors import OpenPaymentsError
    from .fleet import Fleet
    from .stores import TokenStore


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop of this thread, if any. There is none unless asyncio is loaded; to load it here would be slow."""
    # another thread may be loading it
    get = getattr(sys.modules.get("asyncio.events"), "_get_running_loop", None)
    return get and get()


@define(eq=False)
class Flight:
    """One fetch for everybody who waits. A published exception is never raised itself: each waiter raises a copy."""

    _run: Callable[[Flight], None]
    started_at: float
    """When its request begins."""
    pause: float
    """Seconds that it waits before its request."""
    loop: asyncio.AbstractEventLoop | None
    """The event loop that sends the request, if the transport needs one."""
    overtakes: bool
    """Whether it was started while another flight was stuck."""
    lasting: float
    """Seconds for which a token from the store has to be valid."""
    request_id: str | None = field(default=None, init=False)
    """The X-Request-ID of its request, once that is under way."""
    published: Future[AccessToken | OpenPaymentsError | None] = field(factory=Future, init=False)
    """The outcome; None if there was no request."""
    thread: threading.Thread = field(init=False)
    _claimed: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        self.published.set_running_or_notify_cancel()  # from here on it can't be cancelled
        # an empty context: the fetch belongs to everybody, not to the caller who happens to start it
        run, arguments = contextvars.Context().run, (self._run, self)
        self.thread = threading.Thread(target=run, args=arguments, name="openpayments-token", daemon=True)

    def claim(self) -> bool:
        """Whether the caller is the first, and so has to publish: the flight's thread, or who failed to start it."""
        return self._claimed.acquire(blocking=False)

    async def wait(self, seconds: float) -> None:
        """Waits until the outcome is published, or for so many seconds, without blocking the event loop."""
        import asyncio

        waiting = asyncio.wrap_future(self.published)
        try:
            await asyncio.wait([waiting], timeout=seconds)
        finally:
            waiting.cancel()  # otherwise publishing would try to wake a loop that may be closed


@define(eq=False)
class Entry:
    """One application and set of scopes. The lock is only held for moments, never during I/O."""

    fleet: Fleet | None
    state: State = field(factory=State, init=False)
    flight: Flight | None = field(default=None, init=False)
    # reentrant: a signal handler or a finalizer may need a token at any moment
    lock: threading.RLock = field(factory=threading.RLock, init=False)

    def is_worth_keeping(self, now: Now) -> bool:
        """Whether a client that is created later would need it."""
        token, failure = self.state.token, self.state.failure
        return (
            self.flight is not None
            or (token is not None and token.is_alive(now))
            or (failure is not None and now.monotonic < failure.until)
        )


class Memory:
    """Entries by application, secret, set of scopes and store."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.forget()
        reset_after_fork(self)

    def forget(self) -> None:
        """Makes clients that are created from now on share nothing with earlier ones. For tests."""
        with self._lock:
            self._in_use: weakref.WeakValueDictionary[Hashable, Entry] = weakref.WeakValueDictionary()
            self._kept: dict[Hashable, Entry] = {}
            self._fleets: weakref.WeakValueDictionary[int, Fleet] = weakref.WeakValueDictionary()

    def entry(self, key: Hashable, store: TokenStore | None, now: Now) -> Entry:
        """The entry of a key: the same for everybody who asks."""
        whole_key = (key, id(store))  # the entry keeps the store alive, so its id is not reused
        with self._lock:
            entry = self._in_use.get(whole_key)
            if entry is None:
                self._kept = {old: known for old, known in self._kept.items() if known.is_worth_keeping(now)}
                entry = self._in_use[whole_key] = Entry(None if store is None else self._fleet(store))
            self._kept[whole_key] = entry
            return entry

    def _fleet(self, store: TokenStore) -> Fleet:
        from .fleet import Fleet

        return self._fleets.setdefault(id(store), Fleet(store))

    def reset(self) -> None:
        """After a fork: keeps the tokens, but not locks and running fetches, which are the parent's."""
        self._lock = threading.RLock()
        for entry in list(self._in_use.values()):
            entry.lock = threading.RLock()
            entry.flight = None


PROCESS_MEMORY = Memory()
