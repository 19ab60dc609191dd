"""Failures of the token endpoint that pass, through the public face, with real pauses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from blockbuster import blockbuster_ctx

from openpayments_facade import (
    AsyncOpenPayments,
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    Environment,
    OpenPayments,
    OpenPaymentsError,
    OutcomeUnknownError,
    TimedOutError,
    TokenError,
    TokenEvent,
    UserToken,
)
from openpayments_facade.tokens import MemoryStore, forget_all

from .endpoint import CLIENT_ID, CLIENT_SECRET, Answer, Endpoint, answer, granted, token_value

if TYPE_CHECKING:
    from openpayments_facade._protocol.options import CallOptions
    from openpayments_facade.simulator import Simulator

CREDENTIALS: dict[str, Any] = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@pytest.fixture
def op(endpoint: Endpoint) -> Iterator[OpenPayments]:
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
        yield op


def first(*answers: Answer) -> Callable[[int], Answer]:
    """These answers, then tokens."""
    return lambda number: answers[number - 1] if number <= len(answers) else granted(number)


def busy(status: int = 503, **headers: str) -> Answer:
    return answer(b"busy", status, {name.replace("_", "-"): value for name, value in headers.items()})


def in_the_pause(op: OpenPayments, endpoint: Endpoint, pause: str = "8") -> None:
    endpoint.answer = first(busy(429, Retry_After=pause))
    with pytest.raises(TokenError):
        op.with_options(max_retries=0).access_token()


# one failure


def test_one_503_while_200_threads_start_within_a_second(simulator: Simulator) -> None:
    simulator.misbehave("/connect/token", status=503)
    with simulator.client() as op, ThreadPoolExecutor(200) as threads:

        def call(number: int) -> str:
            time.sleep(number / 200)
            return op.countries.get("SE").name or ""

        assert list(threads.map(call, range(200))) == ["Sweden"] * 200
    assert simulator.token_requests == 2


async def test_one_503_while_200_tasks_start_within_a_second(simulator: Simulator) -> None:
    simulator.misbehave("/connect/token", status=503)
    async with simulator.async_client() as op:

        async def call(number: int) -> str:
            await asyncio.sleep(number / 200)
            return (await op.countries.get("SE")).name or ""

        with blockbuster_ctx():
            assert await asyncio.gather(*map(call, range(200))) == ["Sweden"] * 200
    assert simulator.token_requests == 2


PASSING: dict[str, Answer] = {
    "429": busy(429),
    "429 that names a short wait": busy(429, Retry_After="0.7"),
    "429 that names a moment which has gone": busy(429, Retry_After="Thu, 01 Jan 2026 00:00:00 GMT"),
    "408": busy(408),
    "425": busy(425),
    "500 with a page": answer(b"<h1>Oops</h1>", 500, {"Content-Type": "text/html"}),
    "502": busy(502),
    "504": busy(504),
    "599": busy(599),
    "429 that also refuses": answer({"error": "access_denied"}, 429, {"Retry-After": "0.7"}),
    "503 that also refuses": answer({"error": "invalid_client"}, 503),
    "403 that names a short wait": busy(403, Retry_After="0.7"),
    "400 that names a short wait": answer({"error": "too_many_requests"}, 400, {"Retry-After": "0.7"}),
    "400 slow_down": answer({"error": "slow_down"}, 400),
    "a code of OAuth": answer({"error": "temporarily_unavailable"}, 400),
    "200 with a page of a gateway": answer(b"<h1>We are back soon</h1>", 200, {"Content-Type": "text/html"}),
    "200 with nothing": answer(b""),
    "cut before the answer": Answer(status=0),
    "cut in the middle": Answer(body=b'{"access_tok', content_length=500),
    "a body that can't be decoded": answer(b"x", headers={"Content-Encoding": "gzip"}),
}


def test_whatever_passes_is_tried_again() -> None:
    def outcome(endpoint: Endpoint) -> tuple[str, int]:
        with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
            return op.access_token(), endpoint.count

    with ExitStack() as stack, ThreadPoolExecutor(len(PASSING)) as threads:
        endpoints = [stack.enter_context(Endpoint(first(each))) for each in PASSING.values()]
        outcomes = dict(zip(PASSING, threads.map(outcome, endpoints), strict=True))
    assert outcomes == dict.fromkeys(PASSING, (token_value(2), 2))


async def test_whatever_passes_is_tried_again_on_a_loop_too() -> None:
    async def outcome(endpoint: Endpoint) -> tuple[str, int]:
        async with AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
            return await op.access_token(), endpoint.count

    with ExitStack() as stack:
        endpoints = [stack.enter_context(Endpoint(first(each))) for each in PASSING.values()]
        outcomes = dict(zip(PASSING, await asyncio.gather(*map(outcome, endpoints)), strict=True))
    assert outcomes == dict.fromkeys(PASSING, (token_value(2), 2))


def test_an_endpoint_that_is_slow_once(endpoint: Endpoint) -> None:
    gone = threading.Event()

    def slow(number: int) -> Answer:
        if number == 1:
            gone.wait(10)
        return granted(number)

    endpoint.answer = slow
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment, timeout=0.3) as op:
        assert op.access_token() == token_value(2)
    gone.set()
    assert endpoint.count == 2


def test_a_host_that_does_not_listen_yet() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(granted(1).body)

        def log_message(self, *_: object) -> None:
            pass

    events: list[TokenEvent] = []

    def listen(event: TokenEvent) -> None:
        events.append(event)
        if event.kind == "failed":
            server.server_activate()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False) as server:
        server.server_bind()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with OpenPayments(
            **CREDENTIALS, environment=Environment(name="late", auth_url=url, api_url=url), on_token_event=listen
        ) as op:
            assert op.access_token() == token_value(1)
        server.shutdown()
    assert [event.kind for event in events] == ["failed", "fetched"]
    assert isinstance(events[0].error, ConnectionFailedError)
    assert events[0].error.retry_after is not None
    assert 0 < events[0].error.retry_after <= 0.625


@pytest.mark.parametrize("user_grant", ["exchange_code", "refresh"])
def test_what_works_once_is_sent_once(endpoint: Endpoint, user_grant: str) -> None:
    endpoint.answer = first(busy(), Answer(status=0))
    code = {"code": "k0de", "redirect_uri": "https://app.example.com/callback", "consent_id": "c"}
    scopes = ["aspspinformation", "accountinformation"]
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment, api_scopes=scopes) as op:
        asks: dict[str, Callable[[], UserToken]] = {
            "exchange_code": lambda: op.oauth.exchange_code(**code, authorisation_id="a"),
            "refresh": lambda: op.oauth.refresh(UserToken.from_dict({"access_token": "a", "refresh_token": "r"})),
        }
        for error, count in ((TokenError, 1), (OutcomeUnknownError, 2)):
            with pytest.raises(error):
                asks[user_grant]()
            assert endpoint.count == count


# failures that stay


def test_503_for_ever_ends_with_the_retries_of_each_call(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = lambda _: busy()

    def call(_: int) -> OpenPaymentsError:
        with pytest.raises(TokenError, match="503") as raised:
            op.access_token()
        return raised.value

    with ThreadPoolExecutor(64) as threads:
        errors = list(threads.map(call, range(64)))
    assert 3 <= endpoint.count <= 4  # who came in the first pause has all its attempts left
    assert len({id(error) for error in errors}) == 64


LIMITS: list[CallOptions] = [{"max_retries": 1}, {"max_retries": 0}, {"total_timeout": 1.1}, {}]


def test_each_caller_keeps_retries_and_time_of_its_own(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = first(busy(Retry_After="1.2"), busy(Retry_After="1.2"))
    views = [op.with_options(**limits) for limits in LIMITS]

    def call(view: OpenPayments) -> object:
        try:
            return view.access_token()
        except TokenError as error:
            return error.status_code

    endpoint.gate.clear()
    with ThreadPoolExecutor(len(views)) as threads:
        outcomes = [threads.submit(call, views[0])]
        assert endpoint.arrived.wait(10)
        outcomes += [threads.submit(call, view) for view in views[1:]]
        endpoint.gate.set()
        assert [outcome.result(10) for outcome in outcomes] == [503, 503, 503, token_value(3)]
    assert endpoint.count == 3


def test_a_wait_that_is_too_long_is_told_at_once(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = lambda _: busy(429, Retry_After="3599.5")
    with pytest.raises(TokenError) as raised:
        op.access_token()
    assert raised.value.retry_after == pytest.approx(3599.5)
    assert "earlier" not in str(raised.value)
    with pytest.raises(
        TokenError, match=r"429.*known from an earlier request, the next is possible in 3[\d.]+ s"
    ) as later:
        op.access_token()
    assert 3500 < (later.value.retry_after or 0) < 3599.5
    assert later.value.request_id == raised.value.request_id
    assert endpoint.count == 1


def test_a_wait_longer_than_the_calls_own_time_is_told_at_once(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = first(busy(429, Retry_After="9"))
    for _ in range(2):
        with pytest.raises(TokenError, match="429"):
            op.with_options(total_timeout=5).access_token()
    assert endpoint.count == 1


def test_no_request_comes_before_the_wait_is_over(endpoint: Endpoint, op: OpenPayments) -> None:
    times: list[float] = []

    def note(number: int) -> Answer:
        times.append(time.monotonic())
        return first(busy(429, Retry_After="1.5"))(number)

    endpoint.answer = note
    assert op.access_token() == token_value(2)
    assert times[1] - times[0] >= 1.5


@pytest.mark.parametrize("retries", [0, 1])
def test_the_pause_of_an_earlier_request_is_waited_out_by_who_has_the_time(
    endpoint: Endpoint, op: OpenPayments, retries: int
) -> None:
    in_the_pause(op, endpoint, "2")
    with pytest.raises(TokenError, match="known from an earlier request") as known:
        op.with_options(total_timeout=0.5).access_token()
    assert 0 < (known.value.retry_after or 0) < 2
    assert op.with_options(max_retries=retries).access_token() == token_value(2)
    assert endpoint.count == 2


@pytest.mark.parametrize(("pause", "is_waited_for"), [("9.5", True), ("13", False)])
async def test_ten_seconds_are_the_longest_wait(endpoint: Endpoint, pause: str, is_waited_for: bool) -> None:
    endpoint.answer = first(busy(429, Retry_After=pause))
    async with AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
        with pytest.raises(TokenError):
            await op.with_options(max_retries=0).access_token()
        call = asyncio.create_task(op.access_token())
        done, _ = await asyncio.wait([call], timeout=0.5)
        assert bool(done) is not is_waited_for
        if done:
            assert "known from an earlier request" in str(call.exception())
        call.cancel()
    assert endpoint.count == 1


def test_the_log_says_why_a_call_takes_so_long(
    endpoint: Endpoint, op: OpenPayments, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer = first(busy())
    with caplog.at_level("INFO", "openpayments_facade"):
        op.access_token()
    requests = [record.getMessage().partition(" in ")[0] for record in caplog.records]
    assert requests[0].endswith("/connect/token -> 503")
    assert requests[1] == "The last token request failed; the next is"
    assert requests[2].endswith("/connect/token -> 200")


def test_what_waiting_cannot_mend_is_not_waited_for(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = lambda _: answer({"error": "invalid_client"}, 400)
    for said in ("invalid_client", "known from an earlier request"):
        with pytest.raises(AuthenticationError, match=said) as raised:
            op.countries.list()
        assert 25 < (raised.value.retry_after or 0) <= 37.5
    assert endpoint.count == 1


def test_who_runs_out_of_time_hears_what_went_wrong_before(endpoint: Endpoint, op: OpenPayments) -> None:
    def slow(number: int) -> Answer:
        endpoint.gate.clear()  # for the next one
        return first(busy())(number)

    endpoint.answer = slow
    with pytest.raises(TimedOutError, match="not answered yet; before that: the token endpoint answered 503"):
        op.with_options(total_timeout=1).access_token()
    endpoint.gate.set()


# who goes, and who stays


def waiting(op: OpenPayments, threads: ThreadPoolExecutor) -> Future[str]:
    """A call that waits for the end of a pause."""
    call = threads.submit(op.access_token)
    assert not wait([call], 0.2).done
    return call


def test_closing_ends_the_wait(endpoint: Endpoint, op: OpenPayments) -> None:
    in_the_pause(op, endpoint)
    with ThreadPoolExecutor(1) as threads:
        call = waiting(op, threads)
        op.close()
        with pytest.raises(ClientStateError, match="closed"):
            call.result(4)
    assert "openpayments-token" not in {thread.name for thread in threading.enumerate()}
    assert endpoint.count == 1


async def test_closing_ends_the_wait_of_tasks(endpoint: Endpoint) -> None:
    endpoint.answer = first(busy(429, Retry_After="8"))
    op = AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment)
    with pytest.raises(TokenError):
        await op.with_options(max_retries=0).access_token()
    calls = [asyncio.create_task(op.access_token()) for _ in range(5)]
    await asyncio.sleep(0.05)
    await op.aclose()
    done, _ = await asyncio.wait(calls, timeout=4)
    assert [type(call.exception()) for call in done] == [ClientStateError] * 5
    assert endpoint.count == 1


def test_closing_leaves_the_wait_to_other_clients(endpoint: Endpoint, op: OpenPayments) -> None:
    in_the_pause(op, endpoint, "2")
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as other, ThreadPoolExecutor(2) as threads:
        mine = waiting(op, threads)
        others = threads.submit(other.access_token)
        assert not wait([others], 0.05).done
        op.close()
        with pytest.raises(ClientStateError, match="closed"):
            mine.result(4)
        assert others.result(10) == token_value(2)
    assert endpoint.count == 2


async def test_a_cancelled_call_leaves_the_wait_to_others(endpoint: Endpoint) -> None:
    endpoint.answer = first(busy())
    async with AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
        with pytest.raises(TokenError):
            await op.with_options(max_retries=0).access_token()
        began = asyncio.create_task(op.access_token())
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(op.access_token()) for _ in range(5)]
        await asyncio.sleep(0.05)
        began.cancel()
        with pytest.raises(asyncio.CancelledError):
            await began
        assert await asyncio.gather(*others) == [token_value(2)] * 5
    assert endpoint.count == 2


def test_the_stores_lock_is_free_during_a_pause(endpoint: Endpoint) -> None:
    store = MemoryStore()
    shared: dict[str, Any] = {**CREDENTIALS, "environment": endpoint.environment, "token_store": store}
    events: list[TokenEvent] = []
    with OpenPayments(**shared, on_token_event=events.append) as op, ThreadPoolExecutor(1) as threads:
        in_the_pause(op, endpoint, "2")
        call = waiting(op, threads)
        forget_all()  # as another process, which knows of no failure
        with OpenPayments(**shared) as other:
            assert other.access_token() == token_value(2)
        assert call.result(10) == token_value(2)
    assert [event.kind for event in events] == ["failed", "adopted"]
    assert endpoint.count == 2


def test_a_storm_of_calls_in_a_long_pause_is_no_storm_of_requests(endpoint: Endpoint, op: OpenPayments) -> None:
    in_the_pause(op, endpoint, "60")
    for _ in range(1000):
        with pytest.raises(TokenError, match="known from an earlier request"):
            op.access_token()
    assert endpoint.count == 1
