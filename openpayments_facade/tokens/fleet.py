"""Wraps a token store for the manager: never raises, but logs once when it fails and once when it works again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from .._redaction import Secret, printable, scrubber
from .token import AccessToken, Now, read_json

if TYPE_CHECKING:
    from .stores import TokenStore

_log = logging.getLogger("openpayments_facade")

LONGEST_TEXT: Final = 300
"""Characters of a store's own words that are logged."""


class Fleet:
    """The processes that share one token store, as seen by one of them."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._name = f"The token store ({type(store).__name__})"
        self._failing: set[str] = set()

    @property
    def is_down(self) -> bool:
        """Whether the last attempt to read the store failed."""
        return "read" in self._failing

    def read(self, key: str, *, scope: str, now: Now, jitter: float) -> AccessToken | None:
        """The stored token. Content that is not a token of ours is logged, and counts as absent."""
        stored = None
        with self._trying("read"):
            stored = self._store.get(key)
        if stored is None:
            return None
        token = AccessToken.from_dict(read_json(stored), scope=scope, now=now, jitter=jitter)
        if token is None:
            _log.warning("%s contains something that is not a token of ours; it will be overwritten", self._name)
        return token

    def write(self, key: str, token: AccessToken) -> None:
        """Stores a token until it expires."""
        with self._trying("write", token.value):
            self._store.set(key, json.dumps(token.to_dict()), token.lifetime)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Lets only one process at a time fetch this token, as far as the store can guarantee that."""
        held = None
        with self._trying("lock"):
            lock = self._store.lock(key)
            try:
                lock.__enter__()
            except TimeoutError:
                _log.info("%s did not grant its lock in time; going on without it", self._name)
            else:
                held = lock
        try:
            yield
        finally:
            if held is not None:
                with self._trying("unlock"):
                    held.__exit__(None, None, None)

    @contextmanager
    def _trying(self, operation: str, *secrets: Secret) -> Iterator[None]:
        """Logs the first failure of the store, and its recovery. Never raises."""
        try:
            yield
        except Exception as error:
            if not self._failing:
                said = printable(scrubber(*secrets)(f"{type(error).__name__}: {error}"))[:LONGEST_TEXT]
                _log.warning("%s failed; going on with this process's own memory: %s", self._name, said)
            self._failing.add(operation)
        else:
            if self._failing == {operation}:
                _log.info("%s works again", self._name)
            self._failing.discard(operation)
