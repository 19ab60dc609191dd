from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpayments_facade.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidScopeError,
    OpenPaymentsError,
    TokenError,
)
from openpayments_facade.tokens.token import (
    BUDGET,
    DEFAULT_LIFETIME,
    LONGEST_BEARER,
    LONGEST_LIFETIME,
    AccessToken,
    Now,
    State,
    Step,
    decide,
    is_bearer,
    is_usable,
    pause_after,
    read_lifetime,
)

SCOPE = "aspspinformation private"
START = Now(wall=1_900_000_000.0, monotonic=500.0)


def after(seconds: float) -> Now:
    return Now(START.wall + seconds, START.monotonic + seconds)


def token(value: str = "abc", **changes: Any) -> AccessToken:
    arguments = {"scope": SCOPE, "lifetime": 3600.0, "issued": START, "jitter": 0.0, **changes}
    return AccessToken.issue(value, **arguments)


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600.0),
        (59.5, 59.5),
        ("3600", 3600.0),
        (" 60 ", 60.0),
        (7776000, LONGEST_LIFETIME),  # document 001
        (float("inf"), LONGEST_LIFETIME),
        (10**400, None),
        (0, None),
        (0.2, None),
        (-3600, None),
        (float("nan"), None),
        ("soon", None),
        ("", None),
        (True, None),
        (None, None),
        ([3600], None),
        ({}, None),
    ],
)
def test_a_lifetime_is_a_sensible_number_of_seconds_or_nothing(expires_in: object, seconds: float | None) -> None:
    assert read_lifetime(expires_in) == seconds


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_no_lifetime_is_for_ever(expires_in: object) -> None:
    seconds = read_lifetime(expires_in)
    assert seconds is None or 1 <= seconds <= LONGEST_LIFETIME


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER ", None])
def test_bearer_in_any_case(token_type: object) -> None:
    assert is_bearer(token_type)


@pytest.mark.parametrize("token_type", ["", "mac", "DPoP", "Bearer token", 5, ["Bearer"]])
def test_other_token_types_are_not_bearer(token_type: object) -> None:
    assert not is_bearer(token_type)


@pytest.mark.parametrize("value", ["", "a b", "a\r\nX-Evil: 1", "\N{SNOWMAN}", "a\x00", None, 5, ["a"]])
def test_what_no_header_can_carry_is_not_usable(value: object) -> None:
    assert not is_usable(value)


@pytest.mark.parametrize(
    ("lifetime", "jitter", "lead"),
    [(3600.0, 0.0, 120.0), (3600.0, 1.0, 150.0), (600.0, 0.0, 120.0), (500.0, 1.0, 100.0), (10.0, 0.5, 2.0)],
)
def test_the_refresh_is_due_ahead_of_the_end(lifetime: float, jitter: float, lead: float) -> None:
    it = token(lifetime=lifetime, jitter=jitter)
    assert it.is_fresh(after(lifetime - lead - 0.01))
    assert not it.is_fresh(after(lifetime - lead))
    assert it.is_alive(after(lifetime - 0.01))
    assert not it.is_alive(after(lifetime))


@pytest.mark.parametrize(
    "now",
    [
        Now(START.wall, START.monotonic + 3600),  # the wall clock was set back
        Now(START.wall + 3600, START.monotonic),  # the machine slept
    ],
)
def test_either_clock_may_say_that_a_token_is_expired(now: Now) -> None:
    assert not token().is_alive(now)
    assert not token().is_fresh(now)


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ((), ()),
        (("private", "aspspinformation"), ()),
        (("aspspinformation",), ("private",)),
        (("other",), ("aspspinformation", "private")),
    ],
)
def test_what_was_not_granted_is_named(granted: tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert token(granted=granted).missing == missing


def test_a_token_shows_itself_nowhere() -> None:
    it = token("hidden-token")
    assert "hidden-token" not in f"{it!r} {it!s} {it.value}"
    with pytest.raises(TypeError):
        pickle.dumps(it)
    with pytest.raises(TypeError):
        copy.deepcopy(it)


# what to do next

DOWN = ConnectionFailedError("down")


@pytest.mark.parametrize(
    ("state", "at", "step"),
    [
        (State(), 0, Step.FETCH),
        (State(token()), 0, Step.SERVE),
        (State(token()), 3479, Step.SERVE),
        (State(token()), 3480, Step.REFRESH),
        (State(token()), 3600, Step.FETCH),
        (State().failed(DOWN, START, 0), 0.4, Step.REFUSE),
        (State().failed(DOWN, START, 0), 0.5, Step.FETCH),
        (State(token()).failed(DOWN, after(3500), 0), 3500.4, Step.SERVE),
        (State(token()).failed(DOWN, after(3500), 0), 3500.5, Step.REFRESH),
        (State(token()).failed(DOWN, after(3599.75), 0), 3600, Step.REFUSE),
    ],
)
def test_the_next_step(state: State, at: float, step: Step) -> None:
    assert decide(state, after(at)) is step


@pytest.mark.parametrize(
    ("error", "patience", "step"),
    [
        (DOWN, 0.5, Step.FETCH),
        (DOWN, 0.4, Step.REFUSE),
        (DOWN, -1, Step.REFUSE),
        (TokenError("", status_code=429, retry_after=9), 10, Step.FETCH),
        (TokenError("", status_code=429, retry_after=11), 10, Step.REFUSE),
        (TokenError("", status_code=400, code="temporarily_unavailable"), 10, Step.FETCH),
        (TokenError("", status_code=503, code="invalid_client"), 100, Step.FETCH),
        (TokenError("", status_code=403, retry_after=9), 10, Step.FETCH),
        (TokenError("", status_code=400), 10, Step.FETCH),
        (TokenError("", status_code=302), 10, Step.FETCH),
        (TokenError("", status_code=400, code="something_new"), 10, Step.FETCH),
        (TokenError("", status_code=400, retry_after=9, code="invalid_grant"), 100, Step.REFUSE),
        (AuthenticationError("", status_code=401), 100, Step.REFUSE),
        (InvalidScopeError("", status_code=400), 100, Step.REFUSE),
    ],
)
def test_who_waits_for_the_end_of_a_pause(error: OpenPaymentsError, patience: float, step: Step) -> None:
    assert decide(State().failed(error, START, 0), START, patience) is step
    assert decide(State(token()).failed(error, START, 0), START, patience) is Step.SERVE


def test_a_success_ends_the_pauses() -> None:
    state = State()
    for _ in range(5):
        state = state.failed(DOWN, START, 0)
    assert state.failure is not None
    assert state.failure.count == 5
    state = state.succeeded(token()).failed(DOWN, START, 0)
    assert state.failure is not None
    assert state.failure.count == 1


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (DOWN, [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
        (TokenError("", status_code=500), [0.5, 1, 2]),
        (TokenError("", status_code=429), [0.5, 1, 2]),
        (TokenError("", status_code=429, retry_after=3), [3, 3, 3, 4]),
        (TokenError("", status_code=503, retry_after=600), [600]),
        (TokenError("", status_code=403, retry_after=1), [1, 1, 2]),
        (TokenError("", status_code=400, code="slow_down"), [0.5, 1, 2]),
        (TokenError("", status_code=503, retry_after=1e9), [3600]),
        (TokenError("", status_code=400, code="invalid_request"), [30, 60, 120, 240, 300, 300]),
        (TokenError("", status_code=400), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),  # as a wrong scope may be answered
        (TokenError("", status_code=308), [0.5, 1, 2]),
        (TokenError("", status_code=302, retry_after=1), [1, 1, 2]),
        (AuthenticationError("", status_code=401), [30, 60, 120, 240, 300, 300]),
        (InvalidScopeError("", status_code=400), [30]),
    ],
)
def test_pauses_grow_and_end(error: OpenPaymentsError, pauses: list[float]) -> None:
    assert [pause_after(error, count, 0) for count in range(1, len(pauses) + 1)] == pauses


@given(st.integers(min_value=1), st.floats(min_value=0, max_value=1))
def test_no_pause_is_for_ever(count: int, jitter: float) -> None:
    assert 0.5 <= pause_after(DOWN, count, jitter) <= 75
    assert 30 <= pause_after(AuthenticationError(""), count, jitter) <= 375


# rejection


def test_only_the_current_token_is_dropped() -> None:
    state = State(token("new"))
    assert state.without(token("old"), START) is state
    assert State().without(token("old"), START) == State()
    dropped = state.without(token("new"), START)
    assert dropped.token is None
    assert dropped.replacements(START) == 1


def test_the_budget_fills_again() -> None:
    state = State(token("x", replacements=BUDGET))
    assert [state.replacements(after(age)) for age in (0, 60, 120, 240, 360, 3600)] == [3, 2.5, 2, 1, 0, 0]
    assert [token(replacements=BUDGET).believes_rejection(after(age)) for age in (0, 119, 120)] == [False, False, True]


def test_a_rejection_does_not_make_pauses_short_again() -> None:
    state = State(token("a"))
    for _ in range(3):
        state = state.failed(DOWN, START, 0)
    state = state.without(token("a"), START).failed(DOWN, START, 0)
    assert state.failure is not None
    assert state.failure.count == 4


def test_a_normal_refresh_costs_nothing_and_gives_nothing_back() -> None:
    state = State(token("a")).without(token("a"), START).succeeded(token("b", replacements=1))
    assert state.replacements(START) == 1
    assert State().replacements(START) == 0


# what a store keeps


def restored(stored: object, now: Now = START, scope: str = SCOPE) -> AccessToken | None:
    return AccessToken.from_dict(json.loads(json.dumps(stored)), scope=scope, now=now, jitter=0.0)


def test_a_token_survives_a_store_and_other_clocks() -> None:
    it = token("abc", granted=("private",), replacements=2)
    elsewhere = Now(START.wall + 600, monotonic=7.0)
    back = restored(it.to_dict(), elsewhere)
    assert back is not None
    assert back.to_dict() == it.to_dict()
    assert back.expires == Now(it.expires_at, 7.0 + 3000)
    assert back.due.wall == it.due.wall


def test_a_clock_that_is_ahead_makes_no_token_live_longer() -> None:
    back = restored(token().to_dict(), Now(START.wall - 100, 0.0))
    assert back is not None
    assert back.expires == Now(START.wall - 100 + 3600, 3600)
    assert restored(token().to_dict(), Now(START.wall - 301, 0.0)) is None


def test_the_budget_is_refilled_however_often_a_token_is_renewed() -> None:
    current = token("a", replacements=BUDGET)
    for minute in range(1, 13):
        now = after(10 * minute)
        left = State(current).replacements(now)
        current = token(str(minute), issued=now, replacements=left)
    assert current.replacements == pytest.approx(BUDGET - 1)


@pytest.mark.parametrize("replacements", [4, 10**400])
def test_a_budget_from_elsewhere_makes_nobody_wait_longer(replacements: int) -> None:
    back = restored({**token().to_dict(), "replacements": replacements})
    assert back is not None
    assert back.believes_rejection(after(120))


GOOD = token().to_dict()


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        "abc",
        {},
        {**GOOD, "access_token": 5},
        {**GOOD, "access_token": "a b"},
        {**GOOD, "access_token": "a" * (LONGEST_BEARER + 1)},
        {**GOOD, "token_type": "mac"},
        {**GOOD, "scope": "aspspinformation corporate"},
        {**GOOD, "missing": ["paymentinitiation"]},
        {**GOOD, "missing": [[]]},
        {**GOOD, "lifetime": 0},
        {**GOOD, "lifetime": 1e300},
        {**GOOD, "lifetime": 10**400},
        {**GOOD, "lifetime": "3600"},
        {**GOOD, "issued_at": 10**400},
        {**GOOD, "issued_at": -(10**400)},
        {**GOOD, "issued_at": float("nan")},
        {**GOOD, "issued_at": float("-inf")},
        {**GOOD, "replacements": -1},
        {name: value for name, value in GOOD.items() if name != "issued_at"},
    ],
)
def test_foreign_contents_are_no_token(stored: object) -> None:
    assert restored(GOOD) is not None
    assert restored(stored) is None


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD]), inner),
    )
)
def test_nothing_that_is_stored_breaks_the_reader(stored: object) -> None:
    assert AccessToken.from_dict(stored, scope=SCOPE, now=START, jitter=0.0) is None


def test_what_a_state_accepts_from_a_store() -> None:
    due, fresh = token("due", issued=after(-3500)), token("fresh")
    dead = token("dead", issued=after(-3600))
    assert State().accepts(due, START)
    assert State().accepts(fresh, START)
    assert not State().accepts(dead, START)
    assert not State().accepts(None, START)
    assert not State(due).accepts(due, START)
    assert State(due).accepts(fresh, START)
    assert State(dead).accepts(due, START)
    assert not State(fresh).without(fresh, START).accepts(token("fresh"), START)
    assert DEFAULT_LIFETIME == 3600
