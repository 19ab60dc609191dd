"""Refresh tokens as document 002 lists them (RFC 6749, section 6). No source shows the provider giving any."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RefreshTokens"]

# no source gives a figure
_LIFETIME = 30 * 86400


@dataclass(frozen=True)
class _RefreshToken:
    scope: str
    refresh_count: int
    issued_at: int


class RefreshTokens:
    """Each is good once and then replaced. Thread-safe. `clock` counts seconds; `factory` makes the token strings."""

    def __init__(self, *, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self._clock = clock
        self._factory = factory
        self._tokens: dict[str, _RefreshToken] = {}
        self._lock = threading.Lock()

    def issue(self, scope: str, *, refresh_count: int = 0) -> dict[str, Any]:
        """The fields that document 002 adds to a token's answer."""
        value, issued_at = self._factory(), int(self._clock())
        with self._lock:
            self._tokens[value] = _RefreshToken(scope, refresh_count, issued_at)
        return {
            "status": "approved",
            "refresh_token": value,
            "refresh_token_expires_in": _LIFETIME,
            "refresh_token_issued_at": issued_at,
            "refresh_count": refresh_count,
        }

    def scope_of(self, value: str) -> str | None:
        """None if the token is not known, spent or too old."""
        with self._lock:
            token = self._tokens.get(value)
        return None if token is None or self._clock() >= token.issued_at + _LIFETIME else token.scope

    def replace(self, value: str) -> dict[str, Any] | None:
        """The same as `issue` for the token that comes after this one; None if this one is not good."""
        if self.scope_of(value) is None:
            return None
        with self._lock:
            token = self._tokens.pop(value, None)
        return None if token is None else self.issue(token.scope, refresh_count=token.refresh_count + 1)

    def revoke_all(self) -> None:
        with self._lock:
            self._tokens.clear()
