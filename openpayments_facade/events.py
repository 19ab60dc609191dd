"""Events about tokens, for metrics, traces and alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from ._attrs import frozen

if TYPE_CHECKING:
    from .errors import OpenPaymentsError

__all__ = ["OnTokenEvent", "TokenEvent"]


@frozen(kw_only=True)
class TokenEvent:
    """Something happened to the token of an application for a scope. Contains neither tokens nor secrets.

    Attributes:
        kind: `fetched` (from the token endpoint), `adopted` (from the store, where another process put it), `failed`
            (a fetch failed; another may follow) or `rejected` (the API answered 401 and blamed the token, which is
            dropped).
        client_id: The application.
        scope: The scope that was requested.
        duration: Seconds that it took to get the token, or to fail.
        expires_at: When the token expires, in seconds since the epoch; None for `failed`.
        missing: Scopes that were requested but not granted.
        error: Why it `failed`; None otherwise.
        retry_in: For `failed`: seconds until the token endpoint is asked again.
    """

    kind: Literal["fetched", "adopted", "failed", "rejected"]
    client_id: str
    scope: str
    duration: float = 0.0
    expires_at: float | None = None
    missing: tuple[str, ...] = ()
    error: OpenPaymentsError | None = None
    retry_in: float | None = None


OnTokenEvent: TypeAlias = Callable[[TokenEvent], object]
"""Called in the thread that fetches the token; for `rejected`, in the thread of the call. Whatever it raises is logged
and ignored."""
