"""A token and all decisions about it: pure functions of clock readings, without network, threads or locks.

    issued ────────── fresh ──────────▶ due ──── due ────▶ expired
                 served as it is         served, while one     not served:
                                         refresh runs          everybody waits for one fetch

Sources: document 000 (one active token per PSU context, valid for one hour), document 001, RFC 6749, section 5.
"""

from __future__ import annotations

import copy
import json
import math
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import Any, ClassVar, Final, NamedTuple

from attrs import evolve, field

from .._attrs import frozen
from .._protocol.answer import is_busy
from .._redaction import Secret
from ..errors import AuthenticationError, InvalidArgumentError, InvalidScopeError, OpenPaymentsError, TokenError

DEFAULT_LIFETIME: Final = 3600.0
"""Seconds; used if the server sends no valid lifetime (document 000: one hour)."""
LONGEST_LIFETIME: Final = 86_400.0
"""Seconds; longer lifetimes are cut to this. Document 001 shows 90 days, all later sources one hour."""
SHORTEST_LIFETIME: Final = 1.0
"""Seconds; anything shorter counts as a mistake: it would mean a token request for every call."""

LEAD_TIME: Final = 120.0
LEAD_JITTER: Final = 30.0
LEAD_SHARE: Final = 0.2

CLOCK_SKEW: Final = 300.0
"""Seconds that another machine's clock may be ahead. Tokens from further in the future are ignored."""

LONGEST_NUMBER: Final = 1000
"""Digits; Python refuses to read much longer numbers."""
LONGEST_BEARER: Final = 16_384
"""Characters. A usual server takes a header of 8 to 16 KiB, and refuses every call that has a longer one."""

BUDGET: Final = 3
"""How many refused tokens, for one PSU context, are replaced at once. Enough for one that is refused by mistake and one
that is really revoked soon after, with one to spare. Few, because document 000 asks to reuse the one active token (it
gives no number: a client that does makes a request an hour)."""
BUDGET_REFILL: Final = 120.0
"""Seconds after which one more may be replaced. So this is the longest time for which calls fail because a token that
is really revoked is not replaced yet; and a bank that refuses every token costs 30 token requests an hour."""

_BEARER = re.compile(r"[\x21-\x7e]+")  # the characters that a header can carry


class Now(NamedTuple):
    """One reading of both clocks, in seconds: `wall` since the epoch, `monotonic` since an arbitrary moment."""

    wall: float
    monotonic: float

    def later(self, seconds: float) -> Now:
        """The reading so many seconds later."""
        return Now(self.wall + seconds, self.monotonic + seconds)

    def is_before(self, end: Now) -> bool:
        """Whether both clocks say so. The wall clock may be set; the monotonic one may stop during sleep."""
        return self.monotonic < end.monotonic and self.wall < end.wall


class Clock(NamedTuple):
    """The sources of time. Tests replace them."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> Now:
        """Reads both clocks."""
        return Now(self.wall(), self.monotonic())


SYSTEM_CLOCK: Final = Clock()


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= LONGEST_NUMBER else float(digits)


def read_json(content: Any) -> Any:
    """Parses JSON; None if it is invalid. Numbers that are too long for Python are infinite."""
    try:
        return json.loads(content, strict=False, parse_int=_integer)
    except (TypeError, ValueError, RecursionError):
        return None


def is_usable(value: object) -> bool:
    """Whether it can be sent as `Authorization: Bearer ...`."""
    return isinstance(value, str) and len(value) <= LONGEST_BEARER and _BEARER.fullmatch(value) is not None


def is_bearer(token_type: object) -> bool:
    """Whether a token type is Bearer, ignoring case. A missing one counts as Bearer."""
    return token_type is None or (isinstance(token_type, str) and token_type.strip().lower() == "bearer")


def read_number(value: object) -> float:
    """A number, also from a string, as some servers send it. NaN for anything else."""
    try:
        return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def read_lifetime(expires_in: object) -> float | None:
    """The seconds of `expires_in`, at most LONGEST_LIFETIME; None if it is not a valid lifetime."""
    seconds = read_number(expires_in)
    return min(seconds, LONGEST_LIFETIME) if seconds >= SHORTEST_LIFETIME else None  # NaN compares as False


@frozen(kw_only=True)
class AccessToken:
    """An application's token, from `op.token()`. Its repr masks the token. It can't be pickled.

    Attributes:
        token_type: Always "Bearer".
        value: The token itself, masked; `value.reveal()` returns it.
        scope: The scope that was requested.
        missing: The scopes that were requested but not granted.
        lifetime: Seconds from the request (`issued`) until it expires.
        expires_at: When it expires, in seconds since the epoch.
        issued: When it was requested, by both clocks.
        due: When a refresh is due, by both clocks.
        expires: When it expires, by both clocks.
        jitter: A number from 0 to 1 that spreads the refreshes of many processes.
        replacements: How much of the budget for replacing refused tokens was used up when it was issued, this one
            included.
    """

    token_type: ClassVar = "Bearer"  # noqa: S105
    value: Secret
    scope: str
    missing: tuple[str, ...] = ()
    lifetime: float
    issued: Now = field(repr=False)
    jitter: float = field(repr=False, eq=False)
    replacements: float = 0
    due: Now = field(init=False, repr=False)
    expires: Now = field(init=False, repr=False)
    expires_at: float = field(init=False)

    @due.default
    def _due(self) -> Now:
        lead = min(LEAD_TIME + LEAD_JITTER * self.jitter, LEAD_SHARE * self.lifetime)
        return self.issued.later(self.lifetime - lead)

    @expires.default
    def _expires(self) -> Now:
        return self.issued.later(self.lifetime)

    @expires_at.default
    def _expires_at(self) -> float:
        return self.expires.wall

    @classmethod
    def issue(cls, value: str, *, scope: str, granted: Iterable[str] = (), **rest: Any) -> AccessToken:
        """Makes a token from its plain value.

        Args:
            value: The token in the clear.
            scope: The scope that was requested.
            granted: The granted scopes; empty if all were granted (RFC 6749, section 5.1).
            rest: Other attributes.
        """
        granted = set(granted)
        missing = tuple(word for word in scope.split() if granted and word not in granted)
        return cls(value=Secret(value), scope=scope, missing=missing, **rest)

    def is_fresh(self, now: Now) -> bool:
        """Whether it is neither expired nor due for a refresh."""
        return now.is_before(self.due)

    def is_alive(self, now: Now) -> bool:
        """Whether it has not expired."""
        return now.is_before(self.expires)

    def lasts(self, seconds: float, now: Now) -> bool:
        """Whether it is valid for some seconds more, or for nearly its whole lifetime if that is shorter."""
        return now.later(min(seconds, self.lifetime * (1 - LEAD_SHARE))).is_before(self.expires)

    def is_the_same(self, other: AccessToken | None) -> bool:
        """Whether both are the same token of the server, even if they were read at different times or places."""
        return other is not None and self.value == other.value

    def used(self, now: Now) -> float:
        """How much of the budget for replacing refused tokens is used up. It goes where the token goes, so a fleet that
        shares a token shares its budget.
        """
        return max(0, self.replacements - (now.monotonic - self.issued.monotonic) / BUDGET_REFILL)

    def believes_rejection(self, now: Now) -> bool:
        """Whether a 401 that blames this token drops it: while there is budget for another.

        So that of a token older than BUDGET_REFILL is always believed, and that of a new one nearly always. Otherwise a
        bank that keeps answering 401 would cause a token request for every call.
        """
        return self.used(now) <= BUDGET - 1

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict for a token store. It contains the token in the clear."""
        kept = {name: getattr(self, name) for name in ("token_type", "scope", "lifetime", "replacements")}
        missing, issued_at = list(self.missing), self.issued.wall
        return {**kept, "access_token": self.value.reveal(), "missing": missing, "issued_at": issued_at}

    @classmethod
    def from_dict(cls, stored: object, *, scope: str, now: Now, jitter: float) -> AccessToken | None:
        """Reads a dict from `to_dict`, maybe of another machine. None if it is anything else, or for another scope."""
        asked = set(scope.split())
        with suppress(OverflowError, TypeError):  # a number too large for a float, a list within a list
            match stored:
                case {
                    "access_token": str(value),
                    "token_type": str(token_type),
                    "scope": str(words),
                    "missing": list(missing),
                    "issued_at": int() | float() as issued_at,
                    "lifetime": int() | float() as lifetime,
                    "replacements": int() | float() as replacements,
                }:
                    age = now.wall - issued_at
                    is_ours = is_usable(value) and is_bearer(token_type) and asked == set(words.split()) >= set(missing)
                    makes_sense = read_lifetime(lifetime) == lifetime and -CLOCK_SKEW <= age < math.inf
                    if is_ours and makes_sense and replacements >= 0:
                        return cls(
                            value=Secret(value),
                            scope=scope,
                            missing=tuple(word for word in scope.split() if word in missing),
                            lifetime=lifetime,
                            # another clock that is ahead must not prolong the token's life
                            issued=Now(min(issued_at, now.wall), now.monotonic - max(age, 0.0)),
                            jitter=jitter,
                            replacements=min(replacements, BUDGET),
                        )
        return None


@frozen
class Failure:
    """The last token request failed: why, how many in a row, and until when (monotonic) there is no other request."""

    error: OpenPaymentsError
    count: int
    until: float
    passes: bool = field(init=False)
    """Whether the next request may succeed."""

    @passes.default
    def _passes(self) -> bool:
        return may_pass(self.error)

    def told(self, now: Now) -> OpenPaymentsError:
        """The error for somebody who comes later: a copy, since it collects the frames of who raises it."""
        error, wait = copy.copy(self.error), max(0.0, self.until - now.monotonic)
        error.args = (f"{error.args[0]}; known from an earlier request, the next is possible in {wait:.1f} s",)
        vars(error).update(retry_after=wait)
        return error


@frozen
class State:
    """What all managers for one application and scope share in a process."""

    token: AccessToken | None = None
    rejected: AccessToken | None = None
    failure: Failure | None = None

    def succeeded(self, token: AccessToken) -> State:
        """The state after a successful fetch."""
        return State(token=token, rejected=self.rejected)

    def failed(self, error: OpenPaymentsError, now: Now, jitter: float) -> State:
        """The state after a failed fetch. A token that has not expired stays. `jitter` is from 0 to 1."""
        count = self.failure.count + 1 if self.failure else 1
        return evolve(self, failure=Failure(error, count, now.monotonic + pause_after(error, count, jitter)))

    def without(self, token: AccessToken, now: Now) -> State:
        """The state after a rejection: the token is dropped if it is the current one and the rejection is believed."""
        if token.is_the_same(self.token) and token.believes_rejection(now):
            return State(rejected=token, failure=self.failure)
        return self

    def replacements(self, now: Now) -> float:
        """The `replacements` of the next token. One that is only due for a refresh costs nothing."""
        if self.token is not None:
            return self.token.used(now)
        return self.rejected.used(now) + 1 if self.rejected else 0

    def accepts(self, stored: AccessToken | None, now: Now, lasting: float = 0.0) -> bool:
        """Whether a token from a store can be used for `lasting` more seconds, so that none has to be fetched.

        While the current token lives, the stored one must be fresh; otherwise it is enough that it has not expired.
        """
        if stored is None or stored.is_the_same(self.rejected) or not stored.lasts(lasting, now):
            return False
        has_token = self.token is not None and self.token.is_alive(now)
        return stored.is_fresh(now) if has_token else stored.is_alive(now)

    def pause(self, now: Now) -> float:
        """The seconds for which there is no token request, because the last one failed."""
        return max(0.0, self.failure.until - now.monotonic) if self.failure else 0.0


class Step(Enum):
    """What a caller who needs a token does next."""

    SERVE = auto()  # use the current one
    REFRESH = auto()  # use the current one, and start a refresh if none is running
    FETCH = auto()  # wait for a fetch, which begins when the pause is over
    REFUSE = auto()  # fail with the last error, without a new request


def decide(state: State, now: Now, patience: float = 0.0, lasting: float = 0.0) -> Step:
    """The next step of a caller who would wait `patience` seconds for the end of a pause.

    The token has to be valid for `lasting` more seconds.
    """
    pause = state.pause(now)
    if state.token is not None and state.token.lasts(lasting, now):
        return Step.SERVE if pause or state.token.is_fresh(now) else Step.REFRESH
    if state.failure is None or not pause:
        return Step.FETCH
    return Step.FETCH if pause <= patience and state.failure.passes else Step.REFUSE


LONGEST_RETRY_AFTER: Final = 3600.0
_REFUSALS: Final = {"invalid_request", "invalid_grant"}


def may_pass(error: OpenPaymentsError) -> bool:
    """Whether the next token request may succeed: the endpoint or the way to it failed, and did not refuse.

    Only a known code of OAuth refuses: whatever has none may be a gateway's, also with a status of success, 3xx or 4xx.
    """
    if not isinstance(error, TokenError):
        return not isinstance(error, InvalidArgumentError)
    refuses = isinstance(error, AuthenticationError | InvalidScopeError) or error.code in _REFUSALS
    return is_busy(error.status_code) or not refuses


def pause_after(error: OpenPaymentsError, count: int, jitter: float) -> float:
    """The seconds until the next token request after `count` failures in a row.

    From half a second to one minute for failures that may pass, from half a minute to five minutes for lasting ones. A
    longer Retry-After is respected, up to an hour.
    """
    first, longest = (0.5, 60.0) if may_pass(error) else (30.0, 300.0)
    pause = min(first * 2.0 ** min(count - 1, 20), longest) * (1 + jitter / 4)
    asked = getattr(error, "retry_after", None) or 0.0
    return max(pause, min(asked, LONGEST_RETRY_AFTER))
