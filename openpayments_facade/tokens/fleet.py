"""A token store as the manager uses it: it never raises, and logs once when it fails and once when it works again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .._redaction import Secret, scrubber
from .token import AccessToken, Now, read_json

if TYPE_CHECKING:
    from .stores import TokenStore

_log = logging.getLogger("openpayments_facade")


class Fleet:
    """The processes that share one store, seen from one of them."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._name = f"the token store ({type(store).__name__})"
        self._failing: set[str] = set()

    @property
    def is_down(self) -> bool:
        """Whether the store could not be read when it was last tried."""
        return "read" in self._failing

    def read(self, key: str, *, scope: str, now: Now, jitter: float) -> AccessToken | None:
        """The stored token. Contents that are not ours count as absent, and are logged."""
        stored = None
        with self._trying("read"):
            stored = self._store.get(key)
        if stored is None:
            return None
        token = AccessToken.from_dict(read_json(stored), scope=scope, now=now, jitter=jitter)
        if token is None:
            _log.warning("There is something in %s that is not a token of ours; it will be overwritten", self._name)
        return token

    def write(self, key: str, token: AccessToken) -> None:
        """Stores a token until it expires."""
        with self._trying("write", token.value):
            self._store.set(key, json.dumps(token.to_dict()), token.lifetime)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Inside, this process is the only one that fetches this token, as far as the store can guarantee it."""
        held = None
        with self._trying("lock"):
            lock = self._store.lock(key)
            try:
                lock.__enter__()
            except TimeoutError:
                _log.info("The lock of %s could not be had in its time; going on without", self._name)
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
        """Logs the first failure of a store, and the end of the last one; goes on in any case."""
        try:
            yield
        except Exception as error:
            if not self._failing:
                said = scrubber(*secrets)(f"{type(error).__name__}: {error}")
                _log.warning("Trouble with %s, going on with this process's own memory: %s", self._name, said)
            self._failing.add(operation)
        else:
            if self._failing == {operation}:
                _log.info("No more trouble with %s", self._name)
            self._failing.discard(operation)
