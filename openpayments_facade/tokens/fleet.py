"""A token store as the manager uses it: one that never raises, and says once when it stops and when it comes back."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from .token import AccessToken, Now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._redaction import Secret
    from .stores import TokenStore

__all__ = ["Fleet"]

_Operation: TypeAlias = Literal["read", "write", "lock"]

_log = logging.getLogger("openpayments_facade")


class Fleet:
    """The processes that share one store, seen from one of them."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._failing: set[_Operation] = set()

    @property
    def is_down(self) -> bool:
        """Whether the store could not be read when it was last tried."""
        return "read" in self._failing

    def read(self, key: str, *, scope: str, now: Now, jitter: float) -> AccessToken | None:
        """The stored token. Contents that are not ours count as absent, and are logged."""
        try:
            text = self._store.get(key)
        except Exception as error:
            self._failed("read", error)
            return None
        self._worked("read")
        if text is None:
            return None
        try:
            token = AccessToken.from_dict(json.loads(text), scope=scope, now=now, jitter=jitter)
        except (ValueError, TypeError, RecursionError):
            token = None
        if token is None:
            _log.warning("There is something in %s that is not a token of ours; it will be overwritten", self._name)
        return token

    def write(self, key: str, token: AccessToken) -> None:
        """Stores a token until it expires."""
        try:
            self._store.set(key, json.dumps(token.to_dict()), token.lifetime)
        except Exception as error:
            self._failed("write", error, token.value)
        else:
            self._worked("write")

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Inside, this process is the only one that fetches this token, as far as the store can see to it."""
        lock = None
        try:
            lock = self._store.lock(key)
            lock.__enter__()
        except TimeoutError:
            lock = None
            _log.info("The lock of %s could not be had in its time; going on without", self._name)
        except Exception as error:
            lock = None
            self._failed("lock", error)
        try:
            yield
        finally:
            if lock is not None:
                try:
                    lock.__exit__(None, None, None)
                except Exception as error:
                    self._failed("lock", error)
                else:
                    self._worked("lock")

    @property
    def _name(self) -> str:
        return f"the token store ({type(self._store).__name__})"

    def _failed(self, operation: _Operation, error: Exception, token: Secret | None = None) -> None:
        if not self._failing:
            said = str(error).replace(token.reveal(), "***") if token else str(error)
            _log.warning(
                "Trouble with %s, going on with this process's own memory: %s: %s",
                self._name,
                type(error).__name__,
                said,
            )
        self._failing.add(operation)

    def _worked(self, operation: _Operation) -> None:
        if self._failing == {operation}:
            _log.info("No more trouble with %s", self._name)
        self._failing.discard(operation)
