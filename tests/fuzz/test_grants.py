"""Answers of the token endpoint: a token or a documented exception, no secret told, and the next good answer works."""

from __future__ import annotations

import functools
import html
import json
import math
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
from hypothesis import strategies as st

from openpayments_facade import (
    ConnectionFailedError,
    OpenPayments,
    OpenPaymentsError,
    OutcomeUnknownError,
    TimedOutError,
    TokenError,
    UnreadableResponseError,
    UserToken,
)
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.memory import Memory
from tests.fuzz.carrier import CLIENT_ID, CLIENT_SECRET, Carrier
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import texts
from tests.fuzz.test_answers import changes, headers
from tests.tokens.conftest import FakeClock

CODE = "c0de-that+is/secret=1"
SCOPE = "aspspinformation private"
GOOD = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600, "scope": SCOPE}
FORMS = [CLIENT_SECRET, quote(CLIENT_SECRET), quote_plus(CLIENT_SECRET), html.escape(CLIENT_SECRET)]
FORMS += [json.dumps(CLIENT_SECRET)[1:-1], CLIENT_SECRET.upper(), repr(CLIENT_SECRET)]
CODES = [CODE, quote_plus(CODE)]
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -1, 0, 0.5, 1e300])
quoting = st.builds(lambda one, form, two: one + form + two, texts, st.sampled_from(FORMS + CODES), texts)
codes = [
    "invalid_client",
    "invalid_scope",
    "invalid_grant",
    "INVALID_REQUEST",
    "server_error",
    "Bearer",
    "bearer",
    "mac",
]
codes += ["3600", "1e9", "1" * 2000, "nan", "a" * 70_000, SCOPE]
words = texts | quoting | st.sampled_from(codes)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)
fields = st.dictionaries(
    st.sampled_from([*GOOD, *GOOD, "error", "error_description", "refresh_token", "status", "expires_at"]) | texts,
    json_values,
    max_size=4,
)
objects = st.builds(lambda start, more: {**start, **more}, st.sampled_from([GOOD, GOOD, {}, {"error": "x"}]), fields)
bodies = (objects | json_values).map(lambda value: json.dumps(value).encode())
contents = st.builds(
    lambda body, changes: functools.reduce(lambda data, change: change(data), changes, body) or b"",
    bodies | st.binary(max_size=50) | quoting.map(lambda text: text.encode("utf-8", "replace")),
    st.just([]) | st.lists(changes, max_size=2),
)
statuses = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 400, 401, 403, 404, 429, 500, 503]) | st.integers(
    100, 999
)
answers = st.builds(
    lambda status, more, content: httpx.Response(
        status,
        headers=[(name.encode(), value.encode("latin-1")) for name, value in more],
        stream=httpx.ByteStream(content),
    ),
    statuses,
    headers,
    contents,
)
broken = st.sampled_from(
    [
        httpx.ConnectError,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        OSError,
    ]
).flatmap(lambda kind: quoting.map(lambda text: kind(text)))
DOCUMENTED = (TokenError, UnreadableResponseError, ConnectionFailedError, TimedOutError)


def check_silent(error: OpenPaymentsError, *codes: str) -> None:
    for text in (str(error), repr(error), *map(str, vars(error).values())):
        assert all(form.casefold() not in text.casefold() for form in (*FORMS, *codes))
    assert str(error).isprintable()
    assert len(str(error)) < 2000


def good(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={**GOOD, "access_token": "g00d"})


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(good)
    return carrier, carrier.client()


def give(answer: httpx.Response | Exception) -> Any:
    def answering(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return answering


@fuzzed("grants", 300, 30_000, answer=answers | answers | broken)
def test_an_answer_is_a_token_or_a_documented_exception_and_the_next_one_works(answer: Any) -> None:
    carrier, op = carried()
    time = FakeClock()
    fetcher = TokenFetcher(
        token_url="https://auth.fuzzed.example/connect/token",
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=op._sender.session.pool.send_blocking,
        clock=time.clock,
        jitter=lambda: 0.0,
    )
    manager = TokenManager(fetcher, SCOPE, clock=time.clock, jitter=lambda: 0.0, memory=Memory())
    carrier.token = give(answer)
    pause = 0.0
    try:
        token = manager.get()
    except DOCUMENTED as error:
        check_silent(error)
        pause = error.retry_after or 0.0
        assert 0 <= pause < math.inf
    else:
        value = token.value.reveal()
        assert value
        assert all("!" <= c <= "~" for c in value)
        assert 1 <= token.expires_at - time.wall <= 86_400
        assert value not in repr(token) or len(value) < 8
        assert manager.get() is token
        time.advance(token.expires_at - time.wall + 1)
    carrier.token = good
    time.advance(pause + 3_700)
    assert manager.get().value == Secret("g00d")
    manager.close()


@fuzzed("grants", 150, 20_000, answer=answers | answers | broken)
def test_an_answer_to_a_code_is_a_token_or_a_documented_exception(answer: Any) -> None:
    carrier, op = carried()
    carrier.token = give(answer)
    carrier.tokens.clear()
    try:
        token = op.oauth.exchange_code(
            code=CODE, redirect_uri="https://shop.example/back", authorisation_id="x", consent_id="y"
        )
    except (*DOCUMENTED, OutcomeUnknownError) as error:
        check_silent(error, *CODES)
    else:
        assert UserToken.from_dict(token.to_dict()) == token
        repr(token)
    assert len(carrier.tokens) == 1  # never twice
