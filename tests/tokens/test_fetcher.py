from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from openpayments_facade import request_ids
from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidScopeError,
    OpenPaymentsError,
    TimedOutError,
    TokenError,
    UnreadableResponseError,
)
from openpayments_facade.tokens.fetcher import TokenFetcher

from .endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE, Answer, Endpoint, answer, granted, token_value
from .leaks import texts_of

if TYPE_CHECKING:
    from openpayments_facade.tokens import AccessToken

    from .conftest import FakeClock, NewFetcher

REQUEST_ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"


@pytest.fixture(autouse=True)
def _one_request_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_ids, "new_request_id", lambda: REQUEST_ID)


def test_the_request_is_the_one_of_the_documents(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    new_fetcher().fetch(SCOPE)
    [seen] = endpoint.seen
    assert sorted(seen.form) == [
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
    ]
    assert {name: seen.headers[name] for name in ("accept", "content-type", "user-agent", "x-request-id")} == {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "test/1",
        "x-request-id": REQUEST_ID,
    }
    assert "authorization" not in seen.headers


def test_a_token_counts_from_when_it_was_asked_for(
    new_fetcher: NewFetcher, endpoint: Endpoint, time: FakeClock
) -> None:
    def slow(number: int) -> Answer:
        time.advance(10)
        return granted(number, expires_in=600)

    endpoint.answer = slow
    asked = time.wall
    token = new_fetcher().fetch(SCOPE)
    assert token.value == Secret(token_value(1))
    assert (token.scope, token.token_type, token.lifetime, token.missing) == (SCOPE, "Bearer", 600.0, ())
    assert (token.issued.wall, token.expires_at) == (asked, asked + 600)
    assert "t0ken" not in repr(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": ...},
        {"scope": ""},
        {"scope": SCOPE.split()},
        {"scope": 5},
        {"scope": {}},
        {"token_type": ...},
        {"token_type": ""},
        {"token_type": "bearer"},
        {"token_type": ["Bearer"]},
        {"token_type": []},
        {"access_token": f" {token_value(1)}\n"},
        {"odd": 10**4000},
    ],
)
def test_fields_that_may_differ(new_fetcher: NewFetcher, endpoint: Endpoint, changes: dict[str, object]) -> None:
    endpoint.answer = lambda number: granted(number, **changes)
    token = new_fetcher().fetch(SCOPE)
    assert (token.value, token.token_type, token.missing) == (Secret(token_value(1)), "Bearer", ())


@pytest.mark.parametrize(
    ("expires_in", "lifetime", "warns"),
    [
        (7776000, 86400.0, False),
        ("1800", 1800.0, False),
        (..., 3600.0, True),
        (None, 3600.0, True),
        (0, 3600.0, True),
        (-1, 3600.0, True),
        ("soon", 3600.0, True),
        (1e308, 86400.0, False),
    ],
)
def test_no_token_is_for_ever(
    new_fetcher: NewFetcher,
    endpoint: Endpoint,
    caplog: pytest.LogCaptureFixture,
    expires_in: object,
    lifetime: float,
    warns: bool,
) -> None:
    endpoint.answer = lambda number: granted(number, expires_in=expires_in, expires_at="never")
    assert new_fetcher().fetch(SCOPE).lifetime == lifetime
    warnings = [record for record in caplog.records if "expires_in" in record.getMessage()]
    assert [vars(record).get("request_id") for record in warnings] == [REQUEST_ID] * warns


def test_a_narrower_scope_is_noticed_and_named(
    new_fetcher: NewFetcher, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer = lambda number: granted(number, scope="private  aspspinformation")
    token = new_fetcher().fetch("aspspinformation accountinformation private")
    assert token.missing == ("accountinformation",)
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "did not grant accountinformation" in warning.getMessage()
    assert vars(warning).get("request_id") == REQUEST_ID == endpoint.seen[0].headers["x-request-id"]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"access_token": "t0ken-1", "expires_in": 60}]',
        b'{"access_token": "t0ken-1", "expires_in": 60, "note": "a\tb\nc\0d"}',
        b'{"access_token": "t0ken-1", "expires_in": 60}\0',
        b'\xef\xbb\xbf\xef\xbb\xbf{"access_token": "t0ken-1", "expires_in": 60}',
        '{"access_token": "t0ken-1", "expires_in": 60, "name": "Åsa"}'.encode("latin-1"),
        '{"access_token": "t0ken-1", "expires_in": 60, "name": "Åsa"}'.encode("utf-16"),
    ],
)
def test_however_it_is_written(new_fetcher: NewFetcher, endpoint: Endpoint, body: bytes) -> None:
    endpoint.answer = lambda _: answer(body)
    token = new_fetcher().fetch(SCOPE)
    assert (token.value, token.lifetime) == (Secret(token_value(1)), 60.0)


def test_a_lifetime_beyond_all_numbers(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    endpoint.answer = lambda _: answer(b'{"access_token": "t0ken-1", "expires_in": %s}' % (b"9" * 5000))
    assert new_fetcher().fetch(SCOPE).lifetime == 86400.0


@pytest.mark.parametrize("nothing", [None, "", False, 0, []])
def test_an_error_of_nothing_is_none(new_fetcher: NewFetcher, endpoint: Endpoint, nothing: object) -> None:
    """Serialisers write the fields that they have no value for, too."""
    empty = dict.fromkeys(("error", "error_description", "error_uri"), nothing)
    endpoint.answer = lambda number: granted(number, scope=nothing, refresh_token=nothing, **empty)
    token = new_fetcher().fetch(SCOPE)
    assert (token.value, token.missing) == (Secret(token_value(1)), ())


NOT_A_TOKEN = [
    (b"", "is not a JSON object"),
    (b"<html><body>Sign in</body></html>", "is not a JSON object"),
    (b'{"access_token": "x', "is not a JSON object"),
    (b"[1, 2]", "is not a JSON object"),
    (b'"token"', "is not a JSON object"),
    (b"\xff\xfe\x00", "is not a JSON object"),
    (b"[" * 60_000, "is not a JSON object"),
    (b"{}", "has no access_token"),
    (b'{"access_token": null}', "has no access_token"),
    (b'{"access_token": " "}', "has no access_token"),
    (b'{"access_token": 5}', "has an access_token that can't be sent in a header"),
    (b'{"access_token": "a\\r\\nb"}', "has an access_token that can't be sent in a header"),
    (b'{"access_token": "abc", "token_type": "mac"}', "has a token_type other than Bearer"),
    (b'{"access_token": "abc", "token_type": 5}', "has a token_type other than Bearer"),
    (b'{"access_token": "%s"}' % (b"a" * 16_385), "has an access_token of 16385 characters, which is too long"),
    (b'[{"access_token": "abc"}, {"access_token": "abd"}]', "is not a JSON object"),
]


@pytest.mark.parametrize(("body", "problem"), NOT_A_TOKEN)
def test_a_success_without_a_usable_token(
    new_fetcher: NewFetcher, endpoint: Endpoint, body: bytes, problem: str
) -> None:
    endpoint.answer = lambda _: answer(body, 201)
    with pytest.raises(UnreadableResponseError, match=problem) as raised:
        new_fetcher().fetch(SCOPE)
    assert (raised.value.status_code, raised.value.request_id) == (201, REQUEST_ID)
    assert (raised.value.method, raised.value.url) == ("POST", endpoint.url)


@pytest.mark.parametrize("status", [400, 401, 418, 499, 500, 599])
def test_an_error_status_without_an_oauth_error(new_fetcher: NewFetcher, endpoint: Endpoint, status: int) -> None:
    fetcher = new_fetcher()
    for body in [*(body for body, _ in NOT_A_TOKEN), b'{"access_token": "abc"}', b'{"error": 5}']:
        endpoint.answer = lambda _, body=body: answer(body, status)  # type: ignore[misc]
        with pytest.raises(TokenError, match=f"answered {status} ") as raised:
            fetcher.fetch(SCOPE)
        assert type(raised.value) is TokenError
        assert (raised.value.code, raised.value.status_code, raised.value.request_id) == (None, status, REQUEST_ID)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_client", AuthenticationError),
        ("unauthorized_client", AuthenticationError),
        ("unsupported_grant_type", AuthenticationError),
        ("access_denied", AuthenticationError),
        ("invalid_scope", InvalidScopeError),
        ("invalid_request", TokenError),
        ("invalid_grant", TokenError),
        ("server_error", TokenError),
        ("something_new", TokenError),
        ("INVALID_CLIENT", AuthenticationError),
        ("Invalid_Grant", TokenError),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_oauth_errors(
    new_fetcher: NewFetcher, endpoint: Endpoint, code: str, kind: type[TokenError], status: int
) -> None:
    endpoint.answer = lambda _: answer({"error": code, "error_description": "be\ncause"}, status)
    code = code.lower()
    with pytest.raises(TokenError, match=f"answered {status} {code}: be cause") as raised:
        new_fetcher().fetch(SCOPE)
    assert type(raised.value) is kind
    assert (raised.value.code, raised.value.description, raised.value.status_code) == (code, "be cause", status)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=iso-8859-1"])
def test_an_oauth_error_in_latin_1(new_fetcher: NewFetcher, endpoint: Endpoint, content_type: str) -> None:
    body = '{"error": "invalid_client", "error_description": "Ungültig\t!"}'.encode("latin-1")
    endpoint.answer = lambda _: answer(body, 401, {"Content-Type": content_type})
    with pytest.raises(AuthenticationError) as raised:
        new_fetcher().fetch(SCOPE)
    assert raised.value.description == "Ungültig !"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(new_fetcher: NewFetcher, endpoint: Endpoint, status: int) -> None:
    with Endpoint() as elsewhere:
        endpoint.answer = lambda _: answer(b"", status, {"Location": elsewhere.url})
        with pytest.raises(TokenError, match=f"{status} with a redirect, which is not followed"):
            new_fetcher().fetch(SCOPE)
        assert (endpoint.count, elsewhere.count) == (1, 0)


def test_retry_after_as_seconds_or_date(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for sent, least, most in (("7", 7.0, 7.0), (later, 60.0, 90.0), ("soon", 5.0, 5.0)):
        endpoint.answer = lambda _, sent=sent: answer({}, 503, {"Retry-After": sent})  # type: ignore[misc]
        with pytest.raises(TokenError) as raised:
            new_fetcher().fetch(SCOPE)
        assert least <= (raised.value.retry_after or 0) <= most


# when there is no answer


def test_nobody_listens(new_fetcher: NewFetcher) -> None:
    with Endpoint() as gone:
        url = gone.url
    with pytest.raises(ConnectionFailedError, match="ConnectError") as raised:
        new_fetcher(url=url).fetch(SCOPE)
    assert (raised.value.request_id, raised.value.status_code) == (REQUEST_ID, None)


def test_the_connection_is_closed_without_an_answer(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    endpoint.answer = lambda _: Answer(status=0)
    with pytest.raises(ConnectionFailedError, match="disconnected"):
        new_fetcher().fetch(SCOPE)


def test_the_answer_breaks_off(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    endpoint.answer = lambda _: Answer(body=b"{", content_length=1000)
    with pytest.raises(ConnectionFailedError):
        new_fetcher().fetch(SCOPE)


def test_the_answer_is_not_what_its_encoding_says(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    endpoint.answer = lambda _: answer(b"not gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(UnreadableResponseError, match="decoded"):
        new_fetcher().fetch(SCOPE)


def test_the_answer_does_not_come(new_fetcher: NewFetcher, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    with pytest.raises(TimedOutError, match="ReadTimeout"):
        new_fetcher(timeout=0.02).fetch(SCOPE)


def test_what_a_transport_raises_is_told_without_the_body() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise RuntimeError(f"network is blocked: {request.content.decode()}")

    fetcher = TokenFetcher(
        token_url="https://auth.example/connect/token",
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=partial(pools.send, httpx.Client(transport=httpx.MockTransport(broken))),
    )
    with pytest.raises(ConnectionFailedError, match=r"RuntimeError: network is blocked: .*client_secret=\*\*\*"):
        fetcher.fetch(SCOPE)


# what is seen of it


def quoting_the_secret(_: int) -> Answer:
    return answer({"error": f"code {CLIENT_SECRET}", "error_description": f"{CLIENT_SECRET} is wrong"}, 401)


@pytest.mark.parametrize(
    "misbehaviour",
    [
        quoting_the_secret,
        lambda number: granted(number, token_type="mac"),
        lambda number: granted(number, access_token=token_value(number) + "\n" + token_value(2)),
        lambda number: granted(number, error=5),
        lambda number: Answer(status=0),
        lambda number: Answer(status=599, body=CLIENT_SECRET.encode()),
        lambda number: answer(b"x", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_no_exception_shows_secret_or_token(
    new_fetcher: NewFetcher, endpoint: Endpoint, misbehaviour: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint.answer = misbehaviour  # type: ignore[assignment]
    with pytest.raises(OpenPaymentsError) as raised:
        new_fetcher().fetch(SCOPE)
    everything = [*texts_of(raised.value), *map(str, map(vars, caplog.records))]
    assert not [text for text in everything if "s3cr3t" in text or "t0ken" in text]
    assert len(everything) > 5
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


def test_one_log_record_a_request(
    new_fetcher: NewFetcher, endpoint: Endpoint, time: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    def slow(number: int) -> Answer:
        time.advance(0.25)
        return granted(number)

    caplog.set_level(logging.INFO, "openpayments_facade")
    endpoint.answer = slow
    new_fetcher().fetch(SCOPE)
    [record] = [record for record in caplog.records if record.name == "openpayments_facade"]
    assert record.levelno == logging.INFO
    told = {name: vars(record)[name] for name in ("method", "url", "status", "duration", "request_id", "attempt")}
    assert told == {
        "method": "POST",
        "url": endpoint.url,
        "status": 200,
        "duration": 0.25,
        "request_id": REQUEST_ID,
        "attempt": 1,
    }


def test_an_answer_that_never_came_is_logged_too(
    new_fetcher: NewFetcher, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    endpoint.answer = lambda _: Answer(status=0)
    with pytest.raises(ConnectionFailedError):
        new_fetcher().fetch(SCOPE)
    [record] = [record for record in caplog.records if record.name == "openpayments_facade"]
    assert (vars(record)["status"], vars(record)["request_id"]) == (None, REQUEST_ID)


def test_replacements_travel_with_the_token(new_fetcher: NewFetcher) -> None:
    token: AccessToken = new_fetcher().fetch(SCOPE, replacements=3)
    assert token.replacements == 3


def test_oauthlib_is_loaded_by_the_first_request_only() -> None:
    program = "import sys, openpayments_facade.tokens; sys.exit('oauthlib' in sys.modules or 'redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
