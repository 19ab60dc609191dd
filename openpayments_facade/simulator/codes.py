"""Authorization codes: each stands for one approval by a user, is good once, and not for long."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Approval", "IssuedCodes"]

# no source says how long a code lives; this is the longest that RFC 6749, section 4.1.2, recommends
_LIFETIME = 600.0


@dataclass(frozen=True)
class Approval:
    """What a user approved: an authorisation of a consent or of a payment."""

    kind: Literal["consent", "payment"]
    resource_id: str
    authorisation_id: str


@dataclass(frozen=True)
class _IssuedCode:
    approval: Approval
    redirect_uri: str
    scope: str
    expires_at: float


class IssuedCodes:
    """Thread-safe. `clock` counts seconds; `factory` makes the codes."""

    def __init__(self, *, clock: Callable[[], float], factory: Callable[[], str]) -> None:
        self._clock = clock
        self._factory = factory
        self._codes: dict[str, _IssuedCode] = {}
        self._lock = threading.Lock()

    def issue(self, approval: Approval, *, redirect_uri: str, scope: str) -> str:
        code = self._factory()
        with self._lock:
            self._codes[code] = _IssuedCode(approval, redirect_uri, scope, self._clock() + _LIFETIME)
        return code

    def redeem(self, code: str, approval: Approval, *, redirect_uri: str) -> str | None:
        """The scope that the code is good for; None if it is not good. Whatever comes of it, the code is spent."""
        with self._lock:
            issued = self._codes.pop(code, None)
        if issued is None or self._clock() >= issued.expires_at:
            return None
        return issued.scope if (issued.approval, issued.redirect_uri) == (approval, redirect_uri) else None
