# Written by `make unasync` from tests/_async/test_broken_answers.py; do not edit.
"""Answers that break off, drip or can't be decoded, from a server other than the simulator."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import pytest

from openpayments_facade import (
    APIError,
    ConnectionFailedError,
    Environment,
    NotFoundError,
    OpenPaymentsError,
    OutcomeUnknownError,
    ServerError,
    TimedOutError,
    UnreadableResponseError,
)
from tests.raw_server import Send, answering

from .test_retries import POST

if TYPE_CHECKING:
    from collections.abc import Callable

    from openpayments_facade.simulator import Simulator

JSON = b"Content-Type: application/json\r\n"


def head(status: int, *headers: bytes) -> bytes:
    return b"HTTP/1.1 %d Whatever\r\n" % status + JSON + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def once(answer: bytes) -> Callable[[Send], None]:
    return lambda send: send(answer)


def dripping(begin: bytes, drop: bytes) -> Callable[[Send], None]:
    def drip(send: Send) -> None:
        send(begin)
        while True:
            send(drop)
            time.sleep(0.02)

    return drip


BREAKS = {
    "broken off": (b"Content-Length: 50", b'{"countries": ['),
    "broken chunk": (b"Transfer-Encoding: chunked", b'5\r\n{"cou\r\nnonsense\r\n'),
    "no gzip": (b"Content-Encoding: gzip\r\nContent-Length: 5", b"hello"),
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize(
    ("status", "kind"), [(200, OpenPaymentsError), (404, NotFoundError), (500, ServerError), (599, ServerError)]
)
def test_the_status_is_kept_when_the_body_breaks_off(
    simulator: Simulator, status: int, kind: type[OpenPaymentsError], broken: tuple[bytes, bytes]
) -> None:
    header, body = broken
    with answering(once(head(status, header) + body)) as (url, _):
        environment = Environment("broken", auth_url=simulator.auth_url, api_url=url)
        with simulator.client(environment=environment, max_retries=0) as op:
            with pytest.raises(kind) as caught:
                op.countries.list()
    assert isinstance(caught.value, APIError | ConnectionFailedError | UnreadableResponseError)
    assert caught.value.status_code == status
    assert caught.value.request_id


def test_headers_may_be_of_any_bytes(simulator: Simulator) -> None:
    answer = head(404, "X-Reason: förfrågan".encode("latin-1"), b"Content-Length: 2") + b"{}"
    with answering(once(answer)) as (url, _):
        environment = Environment("odd", auth_url=simulator.auth_url, api_url=url)
        with simulator.client(environment=environment) as op:
            with pytest.raises(NotFoundError) as caught:
                op.countries.list()
    assert caught.value.headers["x-reason"] == "förfrågan"
    assert caught.value.request_id


@pytest.mark.parametrize(
    "answer",
    [
        dripping(head(200, b"Content-Length: 1000000"), b" "),
        # a compressed body of which nothing ever comes out
        dripping(
            head(200, b"Content-Encoding: gzip", b"Transfer-Encoding: chunked")
            + b"a\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff\r\n",
            b"5\r\n\0\0\0\xff\xff\r\n",
        ),
    ],
    ids=["plain", "gzip"],
)
def test_a_body_that_drips_ends_with_the_total_time(simulator: Simulator, answer: Callable[[Send], None]) -> None:
    with answering(answer) as (url, requests):
        environment = Environment("dripping", auth_url=simulator.auth_url, api_url=url)
        with simulator.client(environment=environment) as op:
            op.access_token()
            with pytest.raises(TimedOutError, match="total_timeout"):
                op.with_options(total_timeout=0.4).countries.list()
        assert requests() == 1


def test_a_compressed_body_is_read(simulator: Simulator) -> None:
    packed = zlib.compressobj(wbits=31)
    body = packed.compress(b'{"countries": [{"isoCountryCode": "SE", "name": "Sweden"}]}') + packed.flush()
    answer = once(head(200, b"Content-Encoding: gzip", b"Content-Length: %d" % len(body)) + body)
    with answering(answer) as (url, _):
        environment = Environment("gzip", auth_url=simulator.auth_url, api_url=url)
        with simulator.client(environment=environment) as op:
            assert [country.name for country in op.countries.list()] == ["Sweden"]


def test_what_may_have_been_done_is_not_done_again_when_the_answer_breaks(simulator: Simulator) -> None:
    with answering(once(b"")) as (url, requests):
        environment = Environment("broken", auth_url=simulator.auth_url, api_url=url)
        with simulator.client(environment=environment) as op:
            with pytest.raises(OutcomeUnknownError):
                op.call(POST)
        assert requests() == 1
