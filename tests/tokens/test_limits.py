"""Time limits, broken answers and lives of clients, through the public face."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from openpayments_facade import (
    ApiScope,
    AsyncOpenPayments,
    ClientStateError,
    ConnectionFailedError,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    OutcomeUnknownError,
    ReauthorisationRequiredError,
    TimedOutError,
    TokenError,
    UnreadableResponseError,
    UserToken,
)
from openpayments_facade.tokens import MemoryStore, forget_all, manager

from .endpoint import CLIENT_ID, CLIENT_SECRET, Answer, Endpoint, Raw, answer, granted, token_value
from .leaks import texts_of

CREDENTIALS: dict[str, Any] = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "api_scopes": [ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION],
}
CODE: dict[str, Any] = {
    "code": "k0de",
    "redirect_uri": "https://app.example.com/callback",
    "consent_id": "c",
    "authorisation_id": "a",
}
USER_TOKEN = UserToken.from_dict({"access_token": "an-t0ken", "refresh_token": "r3fresh"})
BODY = granted(1).body
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)

Write = Callable[[bytes], object]


@pytest.fixture
def op(endpoint: Endpoint) -> Iterator[OpenPayments]:
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
        yield op


# each comes to a good answer in the end, long after the time is over
pause = threading.Event()


def silent(write: Write) -> None:
    pause.wait(2)
    write(HEAD + BODY)


def dripping_headers(write: Write) -> None:
    for byte in HEAD:
        write(bytes([byte]))
        pause.wait(0.03)
    write(BODY)


def dripping_body(write: Write) -> None:
    write(HEAD)
    for byte in BODY:
        write(bytes([byte]))
        pause.wait(0.03)


@pytest.mark.parametrize("slow", [silent, dripping_headers, dripping_body])
@pytest.mark.parametrize("view", [False, True])
def test_a_user_grant_ends_with_its_total_time(slow: Callable[[Write], None], view: bool) -> None:
    limits: dict[str, Any] = {"total_timeout": 0.5}
    with Raw(slow) as server:
        with OpenPayments(**CREDENTIALS, environment=server.environment, **({} if view else limits)) as op:
            limited = op.with_options(**limits) if view else op
            asks: list[Callable[[], UserToken]] = [
                lambda: limited.oauth.exchange_code(**CODE),
                lambda: limited.oauth.refresh(USER_TOKEN),
            ]
            for ask in asks:
                with pytest.raises(OutcomeUnknownError) as raised:
                    ask()
                assert raised.value.request_id
                assert not [text for text in texts_of(raised.value) if "k0de" in text or "r3fresh" in text]
        assert server.count <= 2  # none was sent twice


ODD: list[Answer] = [
    granted(1, access_token=" t0ken-1\n", token_type=["Bearer"], scope=5, error=False),
    granted(1, token_type="", scope={}, error=[], odd=10**4000),
    answer(b'\xef\xbb\xbf[{"access_token": "t0ken-1", "name": "\xc5sa\t"}]\0'),
]


@pytest.mark.parametrize("odd", ODD)
def test_no_code_is_spent_for_a_value_beside_the_token(endpoint: Endpoint, op: OpenPayments, odd: Answer) -> None:
    endpoint.answer = lambda _: odd
    for token in (op.oauth.exchange_code(**CODE), op.oauth.refresh(USER_TOKEN)):
        assert (token.access_token.reveal(), token.token_type, token.scope) == (token_value(1), "Bearer", None)
    assert endpoint.count == 2


def test_only_a_refusal_sends_the_user_back(endpoint: Endpoint, op: OpenPayments) -> None:
    latin_1 = '{"error": "Invalid_Grant", "error_description": "Ungültig"}'.encode("latin-1")
    for status, kind in ((400, ReauthorisationRequiredError), (401, ReauthorisationRequiredError), (503, TokenError)):
        endpoint.answer = lambda _, status=status: answer(latin_1, status, {"Retry-After": "1"})  # type: ignore[misc]
        asks: list[Callable[[], UserToken]] = [
            lambda: op.oauth.exchange_code(**CODE),
            lambda: op.oauth.refresh(USER_TOKEN),
        ]
        for ask in asks:
            with pytest.raises(TokenError, match="invalid_grant: Ungültig") as raised:
                ask()
            assert type(raised.value) is kind
            assert raised.value.code == "invalid_grant"


@pytest.mark.parametrize("slow", [silent, dripping_headers, dripping_body])
async def test_that_of_an_async_client_too(slow: Callable[[Write], None]) -> None:
    with Raw(slow) as server:
        async with AsyncOpenPayments(**CREDENTIALS, environment=server.environment, total_timeout=0.5) as op:
            with pytest.raises(OutcomeUnknownError):
                await op.oauth.exchange_code(**CODE)
        assert server.count <= 1


def test_the_end_of_a_loop_does_not_wait_for_a_cancelled_grant(endpoint: Endpoint) -> None:
    endpoint.gate.clear()

    async def impatient() -> None:
        op = AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment)
        asking = asyncio.create_task(op.oauth.exchange_code(**CODE))
        await asyncio.to_thread(endpoint.arrived.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    opened = threading.Timer(3, endpoint.gate.set)
    opened.start()
    asyncio.run(impatient())
    assert not endpoint.gate.is_set()
    opened.cancel()
    assert endpoint.count == 1


def test_the_token_fetch_has_the_clients_timeout() -> None:
    with Raw(silent) as server, OpenPayments(**CREDENTIALS, environment=server.environment, timeout=0.3) as op:
        with pytest.raises(TimedOutError, match="Timeout"):
            op.with_options(max_retries=0).access_token()
        with pytest.raises(OutcomeUnknownError, match="Timeout"):
            op.with_options(timeout=0.2).oauth.refresh(USER_TOKEN)


def test_a_dripping_answer_ends_with_the_clients_time() -> None:
    with Raw(dripping_body) as server:
        limits: dict[str, Any] = {"environment": server.environment, "total_timeout": 0.2, "max_retries": 0}
        with OpenPayments(**CREDENTIALS, **limits) as op, pytest.raises(TimedOutError, match="total_timeout"):
            op.with_options(total_timeout=5).access_token()


def test_a_fetch_that_would_never_end_leaves_nothing_behind() -> None:
    left = threading.Event()

    def endless(write: Write) -> None:
        write(b"HTTP/1.1 200 OK\r\n")
        try:
            while not pause.wait(0.01):
                write(b"X-Drip: 1\r\n")
        finally:
            left.set()

    with Raw(endless) as server:
        limits: dict[str, Any] = {"environment": server.environment, "total_timeout": 0.2, "max_retries": 0}
        with OpenPayments(**CREDENTIALS, **limits) as op, pytest.raises(TimedOutError) as raised:
            op.access_token()
        assert raised.value.request_id
        assert "openpayments-token" not in {thread.name for thread in threading.enumerate()}
        assert left.wait(5)
        assert server.count == 1


# broken answers


def cut(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def broken_chunk(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")


def broken_gzip(write: Write) -> None:
    write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd")


@pytest.mark.parametrize(
    ("broken", "kind"),
    [(cut, ConnectionFailedError), (broken_chunk, ConnectionFailedError), (broken_gzip, UnreadableResponseError)],
)
def test_a_broken_body_leaves_status_and_request_id(
    broken: Callable[[Write], None], kind: type[ConnectionFailedError]
) -> None:
    with Raw(broken) as server, OpenPayments(**CREDENTIALS, environment=server.environment) as op:
        with pytest.raises(kind) as raised:
            op.with_options(max_retries=0).access_token()
        assert raised.value.status_code == 200
        assert raised.value.request_id
        with pytest.raises(OutcomeUnknownError) as unknown:
            op.oauth.exchange_code(**CODE)
        assert unknown.value.status_code == 200


@pytest.mark.parametrize("location", ["https://[", "http://x:port/", "//\x7f"])
def test_a_redirect_to_nowhere_leaves_its_status(location: str, endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = lambda _: answer(b"", 302, {"Location": location})
    with pytest.raises(TokenError, match="302 with a redirect") as raised:
        op.with_options(max_retries=0).access_token()
    assert raised.value.status_code == 302


def nowhere(_: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"Location": "http://x:port/"})


async def test_a_redirect_to_nowhere_leaves_its_status_on_a_loop_too() -> None:
    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return nowhere(request)

    for transport in (httpx.MockTransport(nowhere), Transport()):
        forget_all()
        async with AsyncOpenPayments(**CREDENTIALS, transport=transport) as op:
            with pytest.raises(TokenError, match="302 with a redirect"):
                await op.with_options(max_retries=0).access_token()


def test_not_modified_is_no_redirect(endpoint: Endpoint, op: OpenPayments) -> None:
    endpoint.answer = lambda _: Answer(304)
    with pytest.raises(TokenError, match="304 Not Modified"):
        op.with_options(max_retries=0).access_token()


def test_a_header_that_breaks_our_reading_leads_to_no_secret(endpoint: Endpoint, op: OpenPayments) -> None:
    date = "Thu, 01 Jan 2026 00:00:00 +99999999999999999999"
    endpoint.answer = lambda _: answer({}, 503, {"Retry-After": date})
    for ask in (op.with_options(max_retries=0).access_token, lambda: op.oauth.exchange_code(**CODE)):
        with pytest.raises(OpenPaymentsError) as raised:
            ask()
        assert getattr(raised.value, "status_code", None) == 503
        assert not [text for text in texts_of(raised.value) if "s3cr3t" in text or "k0de" in text]


# one client and another


class OnLoop(httpx.AsyncBaseTransport):
    """A transport that only knows its loop, and answers when `gate` is open."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.gate = asyncio.Event()
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        self.arrived.set()
        await self.gate.wait()
        return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 3600})


@pytest.mark.parametrize("store", [None, MemoryStore(patience=30)])
async def test_a_sync_call_on_the_loop_that_the_fetch_needs(store: MemoryStore | None, endpoint: Endpoint) -> None:
    transport = OnLoop()
    shared: dict[str, Any] = {**CREDENTIALS, "environment": endpoint.environment, "token_store": store}
    async with AsyncOpenPayments(**shared, transport=transport) as op:
        asking = asyncio.create_task(op.access_token())
        await transport.arrived.wait()
        with OpenPayments(**shared, total_timeout=2) as blocking:
            assert blocking.access_token() == token_value(1)
        transport.gate.set()
        assert await asking == "t"
        assert await op.access_token() == token_value(1)  # the later one stays
    assert endpoint.count == len(transport.paths) == 1


def test_a_loop_that_stops_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch, endpoint: Endpoint) -> None:
    with asyncio.Runner() as runner:
        shared: dict[str, Any] = {**CREDENTIALS, "environment": endpoint.environment}
        op = AsyncOpenPayments(**shared, transport=OnLoop())
        monkeypatch.setattr(op._sender.session.fetcher, "total_timeout", 0.1)
        with pytest.raises(TimedOutError):
            runner.run(op.with_options(total_timeout=0.01).access_token())
        with OpenPayments(**shared) as other:
            with pytest.raises(TimedOutError, match="event loop is busy or has stopped"):
                other.with_options(max_retries=0).access_token()
            assert other.access_token() == token_value(1)


def test_a_loop_that_is_closed_costs_nobody_else_a_call(endpoint: Endpoint) -> None:
    class Slow(MemoryStore):
        gate = threading.Event()

        def get(self, key: str) -> str | None:
            self.gate.wait(10)
            return super().get(key)

    shared: dict[str, Any] = {**CREDENTIALS, "environment": endpoint.environment, "token_store": Slow()}

    async def impatient() -> None:
        op = AsyncOpenPayments(**shared, transport=OnLoop(), total_timeout=0.01)
        with pytest.raises(TimedOutError):
            await op.access_token()

    asyncio.run(impatient())
    with OpenPayments(**shared) as other, ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(other.with_options(max_retries=0).access_token)
        Slow.gate.set()
        assert waiting.result(10) == token_value(1)


async def test_an_answer_that_breaks_off_on_a_loop_keeps_its_status() -> None:
    class Breaking(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            yield b"{"
            raise httpx.ReadError("broken off")

    async def send(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Breaking())

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await send(request)

    async with AsyncOpenPayments(**CREDENTIALS, transport=Transport(), max_retries=0) as op:
        with pytest.raises(ConnectionFailedError, match="broken off") as raised:
            await op.access_token()
        assert raised.value.status_code == 200


@pytest.mark.parametrize("on_loop", [False, True])
def test_closing_one_client_leaves_the_fetch_to_another(
    monkeypatch: pytest.MonkeyPatch, on_loop: bool, endpoint: Endpoint
) -> None:
    monkeypatch.setattr(manager, "CLOSE_PATIENCE", 0.05)

    def impatient(endpoint: Endpoint) -> None:
        with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as op, pytest.raises(TimedOutError):
            op.with_options(total_timeout=0.05).access_token()

    async def impatient_on_a_loop(endpoint: Endpoint) -> None:
        async with AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment) as op:
            with pytest.raises(TimedOutError):
                await op.with_options(total_timeout=0.05).access_token()

    with ThreadPoolExecutor(1) as thread:
        endpoint.gate.clear()
        if on_loop:
            asyncio.run(impatient_on_a_loop(endpoint))
        else:
            impatient(endpoint)
        with OpenPayments(**CREDENTIALS, environment=endpoint.environment) as other:
            waiting = thread.submit(other.access_token)
            endpoint.gate.set()
            assert waiting.result(10) == token_value(1)
        assert endpoint.count == 1


@pytest.mark.parametrize("outcome", [SystemExit, pytest.fail.Exception])
def test_what_ends_a_grant_leads_to_no_secret(outcome: type[BaseException]) -> None:
    def end(_: httpx.Request) -> httpx.Response:
        raise outcome("a test's own way to say no")

    with OpenPayments(**CREDENTIALS, transport=httpx.MockTransport(end)) as op, pytest.raises(outcome) as raised:
        op.oauth.exchange_code(**CODE)
    assert not any("httpx" in str(entry.path) for entry in raised.traceback)


def test_a_transport_of_the_users_lives_as_long_as_the_client(endpoint: Endpoint) -> None:
    class Watched(httpx.HTTPTransport):
        is_closed = False

        def close(self) -> None:
            self.is_closed = True
            super().close()

    transport = Watched()
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment, transport=transport) as op:
        assert op.access_token()
        assert not transport.is_closed
    assert transport.is_closed


def test_a_token_request_outlives_its_client_and_leaves_no_connection_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "CLOSE_PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        environment = Environment(name="slow", auth_url=url, api_url=url)
        with OpenPayments(**CREDENTIALS, environment=environment) as op, pytest.raises(TimedOutError):
            op.with_options(total_timeout=0.05).access_token()
        connection, _ = server.accept()
        with connection, OpenPayments(**CREDENTIALS, environment=environment) as other:
            connection.settimeout(10)
            connection.sendall(HEAD + BODY)
            assert other.access_token() == token_value(1)
            while connection.recv(65536):
                pass


async def test_closing_that_is_cancelled_closes_all_the_same(endpoint: Endpoint) -> None:
    op = AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment)
    asks: list[Callable[[], Awaitable[Any]]] = [
        op.countries.list,
        op.access_token,
        lambda: op.oauth.refresh(USER_TOKEN),
    ]
    endpoint.gate.clear()
    with pytest.raises(TimedOutError):
        await op.with_options(total_timeout=0.05).access_token()
    http = op._sender.session.pool.client()
    closing = asyncio.create_task(op.aclose())
    await asyncio.sleep(0.05)
    assert not closing.done()
    for ask in asks:
        with pytest.raises(ClientStateError, match="closed"):
            await ask()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert http.is_closed
    for ask in asks:
        with pytest.raises(ClientStateError, match="closed"):
            await ask()
    endpoint.gate.set()
    await op.aclose()
    assert endpoint.count == 1


def test_closing_on_another_loop_leaves_the_client_open(endpoint: Endpoint) -> None:
    with asyncio.Runner() as runner:
        op = AsyncOpenPayments(**CREDENTIALS, environment=endpoint.environment)
        assert runner.run(op.access_token()) == token_value(1)
        with pytest.raises(ClientStateError, match="another event loop"):
            asyncio.run(op.aclose())
        assert runner.run(op.access_token()) == token_value(1)
        runner.run(op.aclose())


# headers and cookies


def test_a_header_of_a_view_replaces_that_of_another_in_any_case() -> None:
    sent: list[list[str]] = []

    def send(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/connect/token":
            return httpx.Response(200, content=BODY)
        sent.append(request.headers.get_list("x-a"))
        return httpx.Response(200, json={"isoCountryCode": "SE", "name": "Sweden"})

    with OpenPayments(**CREDENTIALS, transport=httpx.MockTransport(send)) as op:
        op.with_options(headers={"X-A": "1"}).with_options(headers={"x-a": "2"}).countries.get("SE")
        op.with_options(headers={"X-A": "1", "x-a": "3"}).countries.get("SE")
    assert sent == [["2"], ["3"]]


def test_the_apis_own_headers_win_over_those_of_a_view(endpoint: Endpoint, op: OpenPayments) -> None:
    mine = {"x-consentid": "other", "ACCEPT": "text/html", "content-type": "text/plain", "X-Mine": "1"}
    op.with_options(headers=mine).oauth.exchange_code(**CODE)
    headers = endpoint.seen[0].headers
    assert (headers["x-consentid"], headers["accept"], headers["x-mine"]) == ("c", "application/json", "1")
    assert headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_header_is_sent_once() -> None:
    sent: list[list[str]] = []

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get_list("x-consentid"))
        return httpx.Response(200, content=BODY)

    with OpenPayments(**CREDENTIALS, transport=httpx.MockTransport(send)) as op:
        op.with_options(headers={"x-consentid": "other"}).oauth.exchange_code(**CODE)
    assert sent == [["c"]]


async def test_no_cookie_comes_back() -> None:
    sent: list[str | None] = []

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        body = json.loads(BODY) if request.url.path == "/connect/token" else {"isoCountryCode": "SE", "name": "Sweden"}
        return httpx.Response(200, json=body, headers={"Set-Cookie": "session=1; Path=/"})

    with OpenPayments(**CREDENTIALS, transport=httpx.MockTransport(send)) as op:
        op.countries.get("SE")
        op.countries.get("SE")
    async with AsyncOpenPayments(**CREDENTIALS, transport=httpx.MockTransport(send)) as aop:
        await aop.countries.get("SE")
        await aop.countries.get("SE")
    assert sent == [None] * len(sent)
    assert len(sent) == 5


def test_a_grant_that_was_never_sent_is_not_unknown() -> None:
    with Endpoint() as gone:
        environment = gone.environment
    with OpenPayments(**CREDENTIALS, environment=environment) as op, pytest.raises(ConnectionFailedError):
        op.oauth.exchange_code(**CODE)


@pytest.mark.parametrize("seconds", [1e10, 10**400, 2_000_001, 10**5000, -(10**5000)], ids=range(5))
def test_a_time_that_no_socket_can_wait_is_refused(seconds: float) -> None:
    for argument in ("timeout", "total_timeout"):
        limits: dict[str, Any] = {argument: seconds}
        with pytest.raises(InvalidArgumentError, match=argument):
            OpenPayments(**CREDENTIALS, **limits)
        with OpenPayments(**CREDENTIALS) as op, pytest.raises(InvalidArgumentError, match=argument):
            op.with_options(**limits)


def test_a_long_time_that_a_socket_can_wait_is_one(endpoint: Endpoint) -> None:
    limits: dict[str, Any] = {"timeout": httpx.Timeout(None), "total_timeout": 2_000_000}
    with OpenPayments(**CREDENTIALS, environment=endpoint.environment, **limits) as op:
        assert op.access_token() == token_value(1)
        assert op.oauth.exchange_code(**CODE).access_token.reveal() == token_value(2)
    with pytest.raises(InvalidArgumentError, match="timeout"):
        OpenPayments(**CREDENTIALS, timeout=httpx.Timeout(1e10))
