"""The registered application, and the tokens and codes that were issued to it.

Tokens and codes are opaque strings, made by a `factory`. This module remembers what each is valid for, and until when.
A `clock` counts seconds.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .authorisations import Approval

__all__ = [
    "API_SCOPES",
    "PSU_CONTEXTS",
    "AccessToken",
    "AccessTokens",
    "Application",
    "Codes",
    "RefreshTokens",
    "read_api_scopes",
]

API_SCOPES = ("aspspinformation", "accountinformation", "paymentinitiation", "bankgiroinformation")
PSU_CONTEXTS = ("private", "corporate")

# no source says how long a code lives; this is the longest that RFC 6749, section 4.1.2, recommends
_CODE_LIFETIME = 600.0
# no source gives a figure
_REFRESH_TOKEN_LIFETIME = 30 * 86400


def read_api_scopes(api_scopes: Iterable[str]) -> frozenset[str]:
    """The API scopes that an application is registered for. Raises ValueError for an unknown one."""
    if isinstance(api_scopes, str):
        raise ValueError(f"api_scopes must be a list of scopes, not the string {str(api_scopes)!r}")
    scopes = frozenset(str(scope) for scope in api_scopes)
    if unknown := scopes.difference(API_SCOPES):
        raise ValueError(f"api_scopes has {', '.join(sorted(unknown))}; the API scopes are {', '.join(API_SCOPES)}")
    return scopes


@dataclass(frozen=True)
class Application:
    """An application that is registered in the Developer Portal (document 001)."""

    client_id: str
    client_secret: str = field(repr=False)
    api_scopes: frozenset[str]

    def accepts(self, client_id: str, client_secret: str) -> bool:
        right_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        right_secret = hmac.compare_digest(client_secret.encode(), self.client_secret.encode())
        return right_id and right_secret


@dataclass(frozen=True)
class AccessToken:
    scopes: frozenset[str]
    expires_at: float


class AccessTokens:
    """`lifetime` is in seconds."""

    def __init__(self, *, lifetime: int, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self._lifetime = lifetime
        self._clock = clock
        self._factory = factory
        self._tokens: dict[str, AccessToken] = {}

    def issue(self, scope: str) -> dict[str, Any]:
        """A new token, as the fields of a token answer (documents 000, 001 and 003)."""
        value = self._factory()
        self._tokens[value] = AccessToken(frozenset(scope.split()), self._clock() + self._lifetime)
        return {"access_token": value, "expires_in": self._lifetime, "token_type": "Bearer", "scope": scope}

    def find(self, value: str) -> AccessToken | None:
        return self._tokens.get(value)

    def has_expired(self, token: AccessToken) -> bool:
        return self._clock() >= token.expires_at

    def revoke_all(self) -> None:
        self._tokens.clear()


@dataclass(frozen=True)
class _RefreshToken:
    scope: str
    refresh_count: int
    issued_at: int


class RefreshTokens:
    """Refresh tokens. Each works once, and is then replaced (RFC 6749, section 6)."""

    def __init__(self, *, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self._clock = clock
        self._factory = factory
        self._tokens: dict[str, _RefreshToken] = {}

    def issue(self, scope: str, *, refresh_count: int = 0) -> dict[str, Any]:
        """A new refresh token, as the fields that document 002 adds to a token answer."""
        value, issued_at = self._factory(), int(self._clock())
        self._tokens[value] = _RefreshToken(scope, refresh_count, issued_at)
        return {
            "status": "approved",
            "refresh_token": value,
            "refresh_token_expires_in": _REFRESH_TOKEN_LIFETIME,
            "refresh_token_issued_at": issued_at,
            "refresh_count": refresh_count,
        }

    def scope_of(self, value: str) -> str | None:
        """None if the token is unknown, spent or too old."""
        token = self._tokens.get(value)
        if token is None or self._clock() >= token.issued_at + _REFRESH_TOKEN_LIFETIME:
            return None
        return token.scope

    def replace(self, value: str) -> dict[str, Any]:
        """As `issue`, for the token that replaces this valid one."""
        token = self._tokens.pop(value)
        return self.issue(token.scope, refresh_count=token.refresh_count + 1)

    def revoke_all(self) -> None:
        self._tokens.clear()


@dataclass(frozen=True)
class _Code:
    approval: Approval
    redirect_uri: str
    scope: str
    expires_at: float


class Codes:
    """Authorization codes. Each stands for one approval by a user, and works once for a short time."""

    def __init__(self, *, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self._clock = clock
        self._factory = factory
        self._codes: dict[str, _Code] = {}

    def issue(self, approval: Approval, *, redirect_uri: str, scope: str) -> str:
        value = self._factory()
        self._codes[value] = _Code(approval, redirect_uri, scope, self._clock() + _CODE_LIFETIME)
        return value

    def redeem(self, value: str, approval: Approval, *, redirect_uri: str) -> str | None:
        """The scope of a code; None if the code is not valid. Either way the code is used up."""
        code = self._codes.pop(value, None)
        if code is None or self._clock() >= code.expires_at:
            return None
        return code.scope if (code.approval, code.redirect_uri) == (approval, redirect_uri) else None
