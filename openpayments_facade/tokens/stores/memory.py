"""A token store in the memory of a process."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..._forks import reset_after_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class MemoryStore:
    """Shared only by the clients that it is passed to. For tests that must not see old tokens.

    Without a store, all clients of a process share their tokens anyway.

    Args:
        clock: Returns the time in seconds.
        patience: Seconds to wait for a lock.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, patience: float = 20.0) -> None:
        self._clock = clock
        self._patience = patience
        self._values: dict[str, tuple[str, float]] = {}
        self.reset()
        reset_after_fork(self)

    def reset(self) -> None:
        """After a fork: gives up locks that were held, for they are the parent's."""
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: str) -> str | None:
        """Reads a value, as `TokenStore.get`.

        Args:
            key: A hexadecimal string.

        Returns:
            The value; None if there is none, or it has expired.
        """
        value, until = self._values.get(key, (None, 0.0))
        return value if self._clock() < until else None

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keeps a value, as `TokenStore.set`.

        Args:
            key: A hexadecimal string.
            value: The value.
            seconds: How long to keep it.
        """
        self._values[key] = (value, self._clock() + seconds)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Lets one thread at a time inside.

        Args:
            key: A hexadecimal string.

        Yields:
            Nothing.

        Raises:
            TimeoutError: On entering, after `patience` seconds.
        """
        lock = self._locks[key]
        if not lock.acquire(timeout=self._patience):
            raise TimeoutError
        try:
            yield
        finally:
            lock.release()
