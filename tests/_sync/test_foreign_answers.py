# Written by `make unasync` from tests/_async/test_foreign_answers.py; do not edit.
"""What came over a connection is not always the answer to the request, and not always an answer."""

from __future__ import annotations

import logging
import re
import zlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import (
    APIError,
    ConnectionFailedError,
    Environment,
    InvalidArgumentError,
    OutcomeUnknownError,
    RequestError,
    ServerError,
    TimedOutError,
    TokenError,
    UnreadableResponseError,
)
from tests.raw_server import Send, answering, talking

from .test_broken_answers import dripping, head, once
from .test_retries import _no_waiting  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_facade.simulator import Simulator

ACCOUNT = b"SE4550000000058398257466"


def at(simulator: Simulator, url: str) -> Environment:
    return Environment("odd", auth_url=simulator.auth_url, api_url=url)


def countries(name: bytes, *headers: bytes) -> bytes:
    body = b'{"countries": [{"isoCountryCode": "SE", "name": "%s"}]}' % name
    return head(200, b"Content-Length: %d" % len(body), *headers) + body


def request_id(request: bytes) -> bytes:
    found = re.search(rb"(?i)x-request-id: *(\S+)", request)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "leftover",
    [
        countries(b"Mordor"),
        head(204),
        ACCOUNT,
        b"\r\n",
    ],
    ids=["an answer", "an empty answer", "anything", "a line break"],
)
def test_what_is_left_on_a_connection_is_nobodys_answer(simulator: Simulator, leftover: bytes) -> None:
    with talking(lambda _: countries(b"Sweden") + leftover) as (url, connections):
        with simulator.client(environment=at(simulator, url), max_retries=0) as op:
            for _ in range(3):
                assert [each.name for each in op.countries.list()] == ["Sweden"]
    assert connections == [1, 2, 3]


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_where_there_is_none_costs_nobody_anything(simulator: Simulator, status: int) -> None:
    answers = iter([head(status, b"Content-Length: 2") + b"{}", countries(b"Sweden")])
    with talking(lambda _: next(answers)) as (url, connections):
        with simulator.client(environment=at(simulator, url), max_retries=0) as op:
            with pytest.raises(APIError) if status == 304 else nullcontext():
                assert op.countries.list() == []
            assert [each.name for each in op.countries.list()] == ["Sweden"]
    assert connections == [1, 2]


def test_a_connection_with_nothing_left_on_it_is_used_again(simulator: Simulator) -> None:
    with talking(lambda _: countries(b"Sweden")) as (url, connections):
        with simulator.client(environment=at(simulator, url)) as op:
            for _ in range(3):
                op.countries.list()
    assert connections == [1, 1, 1]


def test_what_may_not_be_sent_twice_gets_a_connection_of_its_own(simulator: Simulator) -> None:
    with talking(lambda _: countries(b"Sweden")) as (url, connections):
        with simulator.client(environment=at(simulator, url)) as op:
            op.countries.list()
            for _ in range(2):
                op.request("POST", "/psd2/anything")
            op.countries.list()
    assert connections == [1, 2, 3, 1]


def own(request: bytes) -> bytes:
    return countries(b"Sweden", b"x-request-id: " + request_id(request).upper())


def foreign(request: bytes) -> bytes:
    return countries(b"Mordor", b"X-Request-ID: 00000000-0000-4000-8000-000000000000")


def test_the_answer_to_another_request_is_never_handed_out(simulator: Simulator) -> None:
    answers: Iterator[Callable[[bytes], bytes]] = iter([foreign, own])
    with talking(lambda request: next(answers)(request)) as (url, connections):
        with simulator.client(environment=at(simulator, url)) as op:
            assert [each.name for each in op.countries.list()] == ["Sweden"]
    assert connections == [1, 2]


def test_a_foreign_answer_is_a_failure_of_the_connection(simulator: Simulator) -> None:
    with talking(foreign) as (url, connections):
        with simulator.client(environment=at(simulator, url), max_retries=0) as op:
            with pytest.raises(ConnectionFailedError, match="X-Request-ID of another request"):
                op.countries.list()
            with pytest.raises(OutcomeUnknownError, match="X-Request-ID of another request"):
                op.request("POST", "/psd2/anything")
        assert connections == [1, 2]
        with simulator.client(environment=at(simulator, url), check_request_ids=False) as op:
            assert [each.name for each in op.countries.list()] == ["Mordor"]
    with pytest.raises(InvalidArgumentError, match="check_request_ids must be True or False"):
        simulator.client(check_request_ids="no")  # type: ignore[arg-type]


def test_a_foreign_token_is_not_used(simulator: Simulator) -> None:
    body = b'{"access_token": "another", "token_type": "Bearer", "expires_in": 3600}'
    answer = head(200, b"Content-Length: %d" % len(body), b"X-Request-ID: 1") + body
    with talking(lambda _: answer) as (url, _):
        with simulator.client(environment=Environment("odd", url, url), max_retries=0) as op:
            with pytest.raises(ConnectionFailedError, match="X-Request-ID of another request"):
                op.token()


@pytest.mark.parametrize(
    "answer",
    [
        dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
        dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50),
        dripping(b"HTTP/1.1 2", b""),
    ],
    ids=["headers that drip", "hints without end", "silence"],
)
def test_headers_that_never_end_end_with_the_total_time(simulator: Simulator, answer: Callable[[Send], None]) -> None:
    with answering(answer) as (url, requests):
        with simulator.client(environment=at(simulator, url)) as op:
            op.token()
            with pytest.raises(TimedOutError, match="total_timeout"):
                op.with_options(total_timeout=0.3).countries.list()
            with pytest.raises(OutcomeUnknownError, match="total_timeout"):
                op.with_options(total_timeout=0.3).request("POST", "/psd2/anything")
        assert requests() == 2


BOMB = zlib.compress(b" " * 3_000_000)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b"Content-Encoding: deflate", BOMB),
        (b"Content-Encoding: identity", b" " * 3_000_000),
        (b"Content-Encoding: gzip", zlib.compress(b"", 0, 31)[:10] + b"\0\0\0\xff\xff" * 500_000),
    ],
    ids=["deflate", "plain", "nothing"],
)
def test_an_answer_has_a_limit(simulator: Simulator, header: bytes, body: bytes) -> None:
    statuses = iter([200, 200, 500])

    def answer(_: bytes) -> bytes:
        return head(next(statuses), header, b"Content-Length: %d" % len(body)) + body

    with talking(answer) as (url, connections):
        with simulator.client(environment=at(simulator, url), max_response_size=2_000_000) as op:
            op = op.with_options(max_retries=0)
            with pytest.raises(UnreadableResponseError, match="more than 2000000 bytes"):
                op.countries.list()
            with pytest.raises(OutcomeUnknownError, match="more than 2000000 bytes"):
                op.request("POST", "/psd2/anything")
            with pytest.raises(ServerError):
                op.countries.list()
    assert connections == [1, 2, 3]


def test_a_longer_answer_can_be_allowed(simulator: Simulator) -> None:
    with simulator.client(max_response_size=10) as op:
        with pytest.raises(UnreadableResponseError, match="more than 10 bytes"):
            op.countries.list()
        assert op.with_options(max_response_size=100_000).countries.list()
        with pytest.raises(InvalidArgumentError, match="max_response_size must be a whole number"):
            op.with_options(max_response_size=0)


def test_a_token_answer_has_a_limit(simulator: Simulator) -> None:
    answer = once(head(200) + b'{"access_token": "' + b"a" * 100_000 + b'"}')
    with answering(answer) as (url, _):
        with simulator.client(environment=Environment("odd", url, url)) as op:
            with pytest.raises((UnreadableResponseError, TokenError), match="more than 65536 bytes"):
                op.token()


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, nonsense", b"gzip, gzip", b"gzip," * 10_000])
def test_an_encoding_that_nobody_asked_for(simulator: Simulator, encoding: bytes) -> None:
    with answering(once(head(200, b"Content-Encoding: " + encoding) + b"{}")) as (url, _):
        with simulator.client(environment=at(simulator, url)) as op:
            with pytest.raises(UnreadableResponseError, match="not asked for"):
                op.countries.list()
    with pytest.raises(InvalidArgumentError, match="accept-encoding"):
        op.with_options(headers={"accept-encoding": "br"})


def echoing(request: bytes) -> bytes:
    token = re.search(rb"Authorization: (.*)", request)
    assert token
    return b"HTTP/1.1 " + ACCOUNT + b" " + token[1] + b"\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        echoing,
        lambda request: b"HTTP/1.1 200 OK\r\n" + echoing(request)[9:],
        lambda request: b"HTTP/1.1 200 " + echoing(request)[9:],
        lambda request: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + echoing(request)[9:],
        lambda request: b"HTTP/1.1 200 OK\r\nX-Echo: " + echoing(request)[9:-2] + b"Content-Length: x\r\n\r\n",
    ],
    ids=["status line", "header", "phrase", "chunk", "header's value"],
)
def test_what_breaks_the_protocol_is_not_quoted(
    simulator: Simulator, answer: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with talking(answer) as (url, _):
        with simulator.client(environment=at(simulator, url), max_retries=0, timeout=0.3) as op:
            token = op.access_token()
            caplog.clear()
            errors: list[Any] = []
            for method in ("GET", "POST"):
                with pytest.raises(RequestError) as caught:
                    op.request(method, "/psd2/anything")
                errors.append(caught.value)
    said = "".join([*map(str, errors), *map(repr, errors), *(record.getMessage() for record in caplog.records)])
    assert "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
    assert token not in said
    assert ACCOUNT.decode() not in "".join(map(str, errors))


@pytest.mark.parametrize(
    ("content_type", "body", "problem"),
    [
        (b"application/json", b"[" + b"[]," * 500_000 + b"1]", "far more values"),
        (b"text/plain; charset=punycode", b"\xe9-" + b"a" * 400_000, "content type text/plain"),
        (b"text/plain; charset=unicode_escape", b"\xe9" + rb"\S", "content type text/plain"),
    ],
    ids=["empty lists", "a slow codec", "a codec that warns"],
)
def test_what_would_take_long_to_read_is_not_read(
    simulator: Simulator, content_type: bytes, body: bytes, problem: str
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (content_type, len(body))
    with talking(lambda _: answer + body) as (url, _):
        with simulator.client(environment=at(simulator, url)) as op:
            with pytest.raises(UnreadableResponseError, match=problem):
                op.countries.list()
