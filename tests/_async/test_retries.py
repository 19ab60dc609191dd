"""What is retried, how often, and what never is."""

from __future__ import annotations

import logging
import time
from traceback import walk_tb
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stamina
from openpayments_client.api.aspsp_information import get_countries_list

from openpayments_facade import (
    AccessExceededError,
    AsyncOpenPayments,
    ConnectionFailedError,
    Environment,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    TokenError,
    UnauthorizedError,
)
from tests.raw_server import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade.simulator import Simulator

POST: Any = SimpleNamespace(
    __name__=get_countries_list.__name__,
    _get_kwargs=lambda **_: {"method": "post", "url": "/psd2/aspspinformation/v1/countries"},
    _parse_response=lambda **_: None,
)


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"status": 408}, {"status": 429}, {"close": True}])
async def test_what_may_pass_is_tried_again_with_the_same_request_id(
    op: AsyncOpenPayments, simulator: Simulator, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "openpayments_facade")
    simulator.misbehave("/psd2", times=2, **fault)
    assert await op.countries.list()
    calls = [request for request in simulator.requests if request.path != "/connect/token"]
    assert len(calls) == 3
    assert len({request.headers["x-request-id"] for request in calls}) == 1
    records = [record for record in caplog.records if getattr(record, "method", "") == "GET"]
    assert [record.__dict__["attempt"] for record in records] == [1, 2, 3]
    assert {record.__dict__["request_id"] for record in records} == {calls[0].headers["x-request-id"]}
    assert records[-1].__dict__["status"] == 200
    assert records[-1].__dict__["url"].endswith("/psd2/aspspinformation/v1/countries")
    assert records[-1].__dict__["duration"] > 0


async def test_a_call_that_is_not_retried_has_our_frames_alone(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", status=404)
    with pytest.raises(NotFoundError) as caught:
        await op.countries.list()
    packages = {str(frame.f_globals["__name__"]).partition(".")[0] for frame, _ in walk_tb(caught.value.__traceback__)}
    assert packages == {"openpayments_facade", __name__.partition(".")[0]}


async def test_in_the_end_the_last_error_is_raised(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, status=503)
    with pytest.raises(ServerError):
        await op.countries.list()
    with pytest.raises(ServerError):
        await op.with_options(max_retries=0).countries.list()
    assert len(simulator.requests) == 1 + 3 + 1


async def test_no_connection_is_tried_again(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, close=True)
    with pytest.raises(ConnectionFailedError):
        await op.countries.list()
    assert len(simulator.requests) == 1 + 3


@pytest.mark.parametrize("status", [400, 403, 404, 501])
async def test_what_will_not_pass_is_not_tried_again(op: AsyncOpenPayments, simulator: Simulator, status: int) -> None:
    simulator.misbehave("/psd2", times=None, status=status)
    with pytest.raises(Exception, match=str(status)):
        await op.countries.list()
    assert len(simulator.requests) == 2


async def test_the_consented_accesses_do_not_come_back_by_trying(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, status=429, code="ACCESS_EXCEEDED")
    with pytest.raises(AccessExceededError):
        await op.countries.list()
    assert len(simulator.requests) == 2


@pytest.mark.parametrize(("seconds", "attempts"), [("0", 2), ("1", 2), ("31", 1), ("86400", 1)])
async def test_retry_after_is_honoured_up_to_a_cap(simulator: Simulator, seconds: str, attempts: int) -> None:
    simulator.misbehave("/psd2", times=None, status=429, headers={"Retry-After": seconds})
    async with simulator.async_client(max_retries=1) as op:
        with pytest.raises(RateLimitedError) as caught:
            await op.countries.list()
    assert caught.value.retry_after == float(seconds)
    assert len(simulator.requests) == 1 + attempts


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("1.5", 1.5),
        ("271.35", 271.35),
        ("271,35", 271.35),
        ("1,5", 5),  # a fraction, or a list: no retry may come too early
        ("120s", 120),
        ("90 Seconds", 90),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("2 days", 172_800),
        ('"120"', 120),
        ("-5", 0),
        ("5, 120, 30", 120),
        ("9" * 400, 1e9),
        ("soon", 5),
        ("NaN", 5),
        ("1e3", 1000),
        ("1 000", 1000),
        ("1,000", 1000),
        ("120, 60", 120),
        ("60.", 60),
        ("1:30", 90),
        ("0:02:00", 120),
        ("PT8S", 8),
        ("PT1M30S", 90),
        ("P1DT1H", 90_000),
        ("120; burst", 120),
        ("max-age=30, 60", 60),
        ("retry in 60 seconds", 60),
        ("retry in 2 minutes", 120),
        ("in 2 seconds", 5),  # no sooner than what has no number at all
        ("30 Feb 2030 00:00:00 GMT", 2030),
        ("Thu, 01 Jan 2026 00:00:00 +99999999999999999999", 2026),
        ("", None),
    ],
)
async def test_a_wait_is_read_however_it_is_written(
    op: AsyncOpenPayments, simulator: Simulator, said: str, seconds: float | None
) -> None:
    simulator.misbehave("/psd2", status=429, headers={"Retry-After": said})
    with pytest.raises(RateLimitedError) as caught:
        await op.with_options(max_retries=0).countries.list()
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    "said",
    [
        "Wed, 21 Oct 2015 07:30:00 GMT",
        "Wednesday, 21-Oct-15 07:30:00 GMT",
        "Wed Oct 21 07:30:00 2015",
        "21 Oct 2015 09:30 +0200",
        "2015-10-21T07:30:00Z",
        "2015-10-21 07:30:00",
        "2015-10-21T09:30:00.000+02:00",
        "1445412600",
        "1445412600000",
        "1445412600000000",
        "Wed, 21 Oct 2015 07:30:00 GMT, 30",
        "Wed, 21 Oct 2015 07:29:00 GMT, Wed, 21 Oct 2015 07:30:00 GMT",
        "30\r\nRetry-After: 120\r\nretry-after: 60",
    ],
)
async def test_a_moment_counts_by_the_clock_of_who_names_it(said: str) -> None:
    head = (
        f"HTTP/1.1 503 Busy\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n"
    )
    with answering(lambda send: send(head.encode())) as (url, requests):
        environment = Environment(name="of 2015", auth_url=url, api_url=url)
        async with AsyncOpenPayments(client_id="of 2015", client_secret="secret", environment=environment) as op:
            with pytest.raises(TokenError) as caught:
                await op.access_token()
    assert caught.value.retry_after == pytest.approx(120)
    assert requests() == 1


@pytest.mark.parametrize(("said", "least"), [("-5", 0.2), ("0.9", 0.9)])
async def test_no_retry_comes_at_once_or_too_early(simulator: Simulator, said: str, least: float) -> None:
    simulator.misbehave("/psd2", status=429, headers={"Retry-After": said})
    async with simulator.async_client() as op:
        await op.access_token()
        began = time.monotonic()
        stamina.set_testing(False)
        assert await op.countries.list()
        assert time.monotonic() - began >= least


async def test_no_retry_begins_that_the_total_time_does_not_allow(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, status=429, headers={"Retry-After": "20"})
    async with simulator.async_client(total_timeout=10) as op:
        with pytest.raises(RateLimitedError):
            await op.countries.list()
    assert len(simulator.requests) == 2


async def test_what_may_not_be_sent_twice_is_sent_once(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, close=True)
    with pytest.raises(OutcomeUnknownError) as caught:
        await op.call(POST)
    assert caught.value.request_id == simulator.requests[-1].headers["x-request-id"]
    simulator.behave()
    simulator.misbehave("/psd2", times=None, status=503)
    with pytest.raises(ServerError):
        await op.call(POST)
    assert len(simulator.requests) == 1 + 2


async def test_what_never_left_is_sent_again_whatever_it_is(simulator: Simulator) -> None:
    client = simulator.async_client(max_retries=1)
    await client.access_token()
    simulator.stop()
    async with client as op:
        with pytest.raises(ConnectionFailedError):
            await op.call(POST)


async def test_a_rejected_token_is_replaced_once(op: AsyncOpenPayments, simulator: Simulator) -> None:
    await op.countries.list()
    simulator.revoke_tokens()
    assert await op.countries.list()
    calls = [request for request in simulator.requests if request.path != "/connect/token"]
    assert [request.status for request in calls] == [200, 401, 200]
    assert calls[1].headers["x-request-id"] == calls[2].headers["x-request-id"]
    assert simulator.token_requests == 2


async def test_a_server_that_rejects_every_token_costs_the_budget(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave("/psd2", times=None, code="TOKEN_INVALID")
    for _ in range(5):
        with pytest.raises(UnauthorizedError):
            await op.countries.list()
    assert simulator.token_requests == 4


async def test_a_rejected_token_does_not_send_twice_what_may_not_be(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    await op.access_token()
    simulator.misbehave("/psd2", code="TOKEN_EXPIRED")
    with pytest.raises(UnauthorizedError):
        await op.call(POST)
    assert [request.path for request in simulator.requests][1:] == ["/psd2/aspspinformation/v1/countries"]


@pytest.mark.parametrize("code", ["CONSENT_INVALID", "CERTIFICATE_MISSING", "PSU_CREDENTIALS_INVALID"])
async def test_a_401_for_another_reason_keeps_the_token(op: AsyncOpenPayments, simulator: Simulator, code: str) -> None:
    simulator.misbehave("/psd2", times=None, status=401, code=code)
    for _ in range(20):
        with pytest.raises(Exception, match=code):
            await op.countries.list()
    assert simulator.token_requests == 1
    assert len(simulator.requests) == 21


async def test_what_was_not_sent_is_tried_again_whatever_it_is_and_what_was_is_not(simulator: Simulator) -> None:
    attempts: list[str] = []
    failures: list[type[httpx.TransportError]] = []

    async def fail(request: httpx.Request) -> httpx.Response:
        attempts.append(request.url.path)
        raise failures[0]("no luck", request=request)

    async with simulator.async_client() as op:
        await op.access_token()
    options: Any = {"transport": httpx.MockTransport(fail)}
    async with simulator.async_client(**options) as op:
        for failure, kind, wanted in (
            (httpx.ConnectError, ConnectionFailedError, 3),
            (httpx.ConnectTimeout, TimedOutError, 3),
            (httpx.PoolTimeout, TimedOutError, 3),
            (httpx.ReadError, OutcomeUnknownError, 1),
            (httpx.WriteError, OutcomeUnknownError, 1),
            (httpx.ReadTimeout, OutcomeUnknownError, 1),
            (httpx.LocalProtocolError, ConnectionFailedError, 1),
        ):
            failures[:], attempts[:] = [failure], []
            with pytest.raises(kind):
                await op.call(POST)
            assert len(attempts) == wanted, failure


async def test_a_failure_of_a_transport_of_ones_own_shows_no_token(simulator: Simulator) -> None:
    async def fail(request: httpx.Request) -> httpx.Response:
        raise RuntimeError(f"sent {request.headers['authorization']}")

    async with simulator.async_client() as op:
        token = await op.access_token()
    options: Any = {"transport": httpx.MockTransport(fail)}
    async with simulator.async_client(**options) as op:
        with pytest.raises(ConnectionFailedError, match=r"RuntimeError: sent Bearer \*\*\*") as caught:
            await op.countries.list()
    assert token not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


async def test_a_token_is_replayed_once_in_a_call(op: AsyncOpenPayments, simulator: Simulator) -> None:
    """Each new token is refused, and each refusal is of a kind that may pass."""
    simulator.misbehave("/psd2", times=None, status=401)
    with pytest.raises(UnauthorizedError):
        await op.countries.list()
    assert [request.path for request in simulator.requests].count("/connect/token") == 2
    assert len(simulator.requests) == 4
