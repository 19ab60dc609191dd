"""What a token is, and every decision about it: pure functions of clock readings, without network, threads or locks.

    issued ────────── fresh ──────────▶ due ──── due ────▶ expired
                 served as it is         served, while one     not served:
                                         refresh runs          everybody waits for one fetch

Sources: document 000 (one active token per PSU context, valid for one hour), document 001, RFC 6749, section 5.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import Any, ClassVar, Final, NamedTuple

from attrs import evolve, field, frozen

from .._redaction import Secret
from ..errors import AuthenticationError, InvalidScopeError, OpenPaymentsError, TokenError

DEFAULT_LIFETIME: Final = 3600.0
"""Seconds; for a token whose server gives no sensible lifetime (document 000: one hour)."""
LONGEST_LIFETIME: Final = 86_400.0
"""Seconds; a longer one is cut to this. Document 001 shows 90 days, every later source one hour."""
SHORTEST_LIFETIME: Final = 1.0
"""Seconds; anything shorter is taken for a mistake: it would mean a token request for every call."""

LEAD_TIME: Final = 120.0
LEAD_JITTER: Final = 30.0
LEAD_SHARE: Final = 0.2

CLOCK_SKEW: Final = 300.0
"""Seconds by which another machine's clock may be ahead before its stored token is not believed."""

_BEARER = re.compile(r"[\x21-\x7e]+")  # what a header can carry without quoting


class Now(NamedTuple):
    """One reading of both clocks, in seconds: `wall` since the epoch, `monotonic` since an arbitrary moment."""

    wall: float
    monotonic: float

    def later(self, seconds: float) -> Now:
        """So many seconds later."""
        return Now(self.wall + seconds, self.monotonic + seconds)

    def is_before(self, end: Now) -> bool:
        """Whether both clocks say so: one jumps, the other sleeps."""
        return self.monotonic < end.monotonic and self.wall < end.wall


@frozen
class Clock:
    """Where the time comes from."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> Now:
        """Reads both."""
        return Now(self.wall(), self.monotonic())


SYSTEM_CLOCK: Final = Clock()


def read_json(content: Any) -> Any:
    """Parses JSON; None if it is invalid."""
    try:
        return json.loads(content)
    except (TypeError, ValueError, RecursionError):
        return None


def is_usable(value: object) -> bool:
    """Whether this can be sent as `Authorization: Bearer ...`."""
    return isinstance(value, str) and _BEARER.fullmatch(value) is not None


def is_bearer(token_type: object) -> bool:
    """Whether a token type is Bearer, in any case; a server that leaves it out means Bearer."""
    return token_type is None or (isinstance(token_type, str) and token_type.strip().lower() == "bearer")


def read_number(value: object) -> float:
    """A number; servers send them as strings too. NaN for anything else."""
    try:
        return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def read_lifetime(expires_in: object) -> float | None:
    """The seconds that `expires_in` grants, at most LONGEST_LIFETIME; None if it makes no sense."""
    seconds = read_number(expires_in)
    return min(seconds, LONGEST_LIFETIME) if seconds >= SHORTEST_LIFETIME else None  # NaN compares as False


@frozen(kw_only=True)
class AccessToken:
    """An application's token. Masked in every repr; can't be pickled.

    `scope` is what was asked for, `missing` what of it was not granted. `lifetime` is in seconds and counts from
    `issued`, when the token was asked for; `expires_at` is in seconds since the epoch. `jitter`, from 0 to 1, spreads
    the refreshes of a fleet. `replacements` counts the tokens in a row that the API rejected before this one.
    """

    token_type: ClassVar = "Bearer"  # noqa: S105
    value: Secret
    scope: str
    missing: tuple[str, ...] = ()
    lifetime: float
    issued: Now = field(repr=False)
    jitter: float = field(repr=False, eq=False)
    replacements: int = 0
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
        """A token in the clear, as it came. An empty `granted` means everything (RFC 6749, section 5.1)."""
        granted = set(granted)
        missing = tuple(word for word in scope.split() if granted and word not in granted)
        return cls(value=Secret(value), scope=scope, missing=missing, **rest)

    def is_fresh(self, now: Now) -> bool:
        """Neither expired nor due for a refresh."""
        return now.is_before(self.due)

    def is_alive(self, now: Now) -> bool:
        """Not expired."""
        return now.is_before(self.expires)

    def is_the_same(self, other: AccessToken | None) -> bool:
        """Whether both are one token of the server's, whenever and wherever they were read."""
        return other is not None and self.value == other.value

    def believes_rejection(self, now: Now) -> bool:
        """Whether a 401 that blames this token may drop it.

        The first always may. A token that already replaces a rejected one has to reach an age first, longer each
        time; otherwise a bank that answers 401 for reasons of its own would cost a token request for every call.
        """
        if not self.replacements:
            return True
        needed = min(60.0 * 4.0 ** min(self.replacements - 1, 10), self.lifetime / 2)
        return now.monotonic - self.issued.monotonic >= needed

    def to_dict(self) -> dict[str, Any]:
        """What a token store keeps. Holds the token in the clear."""
        kept = {name: getattr(self, name) for name in ("token_type", "scope", "lifetime", "replacements")}
        missing, issued_at = list(self.missing), self.issued.wall
        return {**kept, "access_token": self.value.reveal(), "missing": missing, "issued_at": issued_at}

    @classmethod
    def from_dict(cls, stored: object, *, scope: str, now: Now, jitter: float) -> AccessToken | None:
        """Reads what `to_dict` wrote, maybe on another machine. None if it is anything else, or for another scope."""
        asked = set(scope.split())
        with suppress(OverflowError, TypeError):  # a number beyond all floats, a list in a list
            match stored:
                case {
                    "access_token": str(value),
                    "token_type": str(token_type),
                    "scope": str(words),
                    "missing": list(missing),
                    "issued_at": int() | float() as issued_at,
                    "lifetime": int() | float() as lifetime,
                    "replacements": int(replacements),
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
                            # a clock that is ahead must not make the token live longer
                            issued=Now(min(issued_at, now.wall), now.monotonic - max(age, 0.0)),
                            jitter=jitter,
                            replacements=replacements,
                        )
        return None


@frozen
class Failure:
    """The last token request went wrong: why, how many in a row, and until when (monotonic) nobody asks again."""

    error: OpenPaymentsError
    count: int
    until: float


@frozen
class State:
    """What all managers of one application and scope in a process know together."""

    token: AccessToken | None = None
    rejected: AccessToken | None = None
    failure: Failure | None = None

    def succeeded(self, token: AccessToken) -> State:
        """There is a token."""
        return State(token=token, rejected=self.rejected)

    def failed(self, error: OpenPaymentsError, now: Now, jitter: float) -> State:
        """There is no new token; a live one stays. `jitter` from 0 to 1."""
        count = self.failure.count + 1 if self.failure else 1
        return evolve(self, failure=Failure(error, count, now.monotonic + pause_after(error, count, jitter)))

    def without(self, token: AccessToken, now: Now) -> State:
        """The API rejected this token: dropped if it is still the current one and the rejection is believed."""
        if token.is_the_same(self.token) and token.believes_rejection(now):
            return State(rejected=token, failure=self.failure)
        return self

    @property
    def replacements(self) -> int:
        """How many rejected tokens in a row the next one replaces."""
        return self.rejected.replacements + 1 if self.rejected and self.token is None else 0

    def accepts(self, stored: AccessToken | None, now: Now) -> bool:
        """Whether a token from a store does, so that none has to be fetched.

        While an old one lives only a fresh one is of use; without one, any that lives.
        """
        if stored is None or stored.is_the_same(self.rejected):
            return False
        has_token = self.token is not None and self.token.is_alive(now)
        return stored.is_fresh(now) if has_token else stored.is_alive(now)


class Step(Enum):
    """What a caller who wants a token does next."""

    SERVE = auto()  # take the current one
    REFRESH = auto()  # take the current one, and start a refresh if none is under way
    FETCH = auto()  # wait for a fetch
    REFUSE = auto()  # fail with the last error, without asking again


def decide(state: State, now: Now) -> Step:
    """The next step of a caller."""
    paused = state.failure is not None and now.monotonic < state.failure.until
    if state.token is not None and state.token.is_alive(now):
        return Step.SERVE if paused or state.token.is_fresh(now) else Step.REFRESH
    return Step.REFUSE if paused else Step.FETCH


LONGEST_RETRY_AFTER: Final = 3600.0


def pause_after(error: OpenPaymentsError, count: int, jitter: float) -> float:
    """The seconds before the token endpoint is asked again after `count` failures in a row.

    From one second to one minute for what may pass, from half a minute to five for what waiting does not cure. A
    Retry-After that is longer is respected, up to an hour.
    """
    is_lasting = isinstance(error, AuthenticationError | InvalidScopeError) or (
        isinstance(error, TokenError)
        and 300 <= (error.status_code or 0) < 500
        and error.status_code not in {408, 425, 429}
    )
    first, longest = (30.0, 300.0) if is_lasting else (1.0, 60.0)
    pause = min(first * 2.0 ** min(count - 1, 20), longest) * (1 + jitter / 4)
    asked = getattr(error, "retry_after", None) or 0.0
    return max(pause, min(asked, LONGEST_RETRY_AFTER))
