"""What happens to tokens, for metrics, traces and alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from .errors import OpenPaymentsError

__all__ = ["OnTokenEvent", "TokenEvent"]


@frozen(kw_only=True)
class TokenEvent:
    """Something happened to the token of an application and scope. Holds neither token nor secret.

    `kind` is `fetched` (the token endpoint gave one), `adopted` (another process had put one into the store),
    `failed` (there is no new one; `error` says why, and `retry_in` how long nobody asks again) or `rejected` (the API
    refused it with a 401 that blames it, and it was dropped). `duration` is what it took and `retry_in` what is waited,
    both in seconds; `expires_at` is in seconds since the epoch; `missing` names scopes that were not granted.
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
"""Called in the thread of the fetch, for `rejected` in the caller's; what it raises is logged and goes no further."""
