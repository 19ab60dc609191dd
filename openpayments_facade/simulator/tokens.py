"""The tokens that were issued: opaque strings, of which the simulator remembers scope and end."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["IssuedTokens"]


@dataclass(frozen=True)
class _IssuedToken:
    scopes: frozenset[str]
    expires_at: float


class IssuedTokens:
    """Thread-safe. `lifetime` and `clock` count seconds; `factory` makes the token strings."""

    def __init__(self, *, lifetime: int, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self.lifetime = lifetime
        self._clock = clock
        self._factory = factory
        self._tokens: dict[str, _IssuedToken] = {}
        self._lock = threading.Lock()

    def issue(self, scope: str) -> str:
        token = self._factory()
        with self._lock:
            self._tokens[token] = _IssuedToken(frozenset(scope.split()), self._clock() + self.lifetime)
        return token

    def answer(self, scope: str) -> dict[str, Any]:
        """A new token as the token endpoint tells of it (facts 10-auth, section 1.3)."""
        return {
            "access_token": self.issue(scope),
            "expires_in": self.lifetime,
            "token_type": "Bearer",
            "scope": scope,
        }

    def check(self, token: str, api_scope: str) -> frozenset[str]:
        """The token's scopes. Raises ApiError 401 with the code of facts 60, section 2."""
        with self._lock:
            issued = self._tokens.get(token)
        if issued is None:
            raise _refused("TOKEN_UNKNOWN", "the access token is not known")
        if self._clock() >= issued.expires_at:
            raise _refused("TOKEN_EXPIRED", "the access token has expired")
        if api_scope not in issued.scopes:
            raise _refused("TOKEN_INVALID", f"the access token has no scope {api_scope}")
        return issued.scopes

    def revoke_all(self) -> None:
        with self._lock:
            self._tokens.clear()


def _refused(code: str, text: str) -> ApiError:
    return ApiError(401, code, text, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
