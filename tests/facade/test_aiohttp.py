"""The recipe of docs/speed.md for many calls at once, as it stands there, over real HTTP; and why it is needed."""

from __future__ import annotations

import ast
import asyncio
import gc
import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import trustme
from httpx_aiohttp import AiohttpTransport

from openpayments_facade import (
    AsyncOpenPayments,
    ClientStateError,
    ConnectionFailedError,
    Environment,
    NotFoundError,
    OutcomeUnknownError,
    ServerError,
    TimedOutError,
    UnreadableResponseError,
)
from openpayments_facade.simulator import Simulator
from scripts.docs_blocks import blocks
from tests.canned_server import Given, canned
from tests.orders import CREATIONS, PAYMENT, USER
from tests.raw_server import answering, talking

if TYPE_CHECKING:
    from pathlib import Path

COUNTRIES = "/psd2/aspspinformation/v1/countries"
SWEDEN = b'{"countries": [{"isoCountryCode": "SE", "name": "Sweden"}]}'


def recipe() -> Callable[..., Any]:
    """The class that the page has, without the program around it."""
    [block] = [block for block in blocks("docs/speed.md") if "ManyReads" in block.code]
    program = ast.parse(block.code)
    program.body.pop()  # it runs main
    names: dict[str, Any] = {}
    exec(compile(program, "docs/speed.md", "exec"), names)
    found: Callable[..., Any] = names["ManyReads"]
    return found


ManyReads = recipe()


@pytest.fixture
def transport() -> Any:
    return ManyReads(ssl.create_default_context())


@pytest.fixture
async def op(simulator: Simulator, transport: Any) -> AsyncIterator[AsyncOpenPayments]:
    async with simulator.async_client(transport=transport) as op:
        yield op


def count(simulator: Simulator, path: str = COUNTRIES, method: str | None = None) -> int:
    return sum(each.path.startswith(path) and method in (None, each.method) for each in simulator.requests)


async def until(happens: Callable[[], bool]) -> None:
    for _ in range(4000):  # it happens in another thread
        if happens():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it has not happened")


def elsewhere(simulator: Simulator, url: str, **options: Any) -> AsyncOpenPayments:
    """A client whose API host is another one."""
    environment = Environment("elsewhere", simulator.auth_url, url)
    transport = ManyReads(ssl.create_default_context())
    return simulator.async_client(environment=environment, transport=transport, **options)


def http(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


async def test_200_calls_at_once_make_one_token_request(simulator: Simulator, op: AsyncOpenPayments) -> None:
    answers = await asyncio.gather(*(op.countries.get("SE") for _ in range(200)))
    assert [answer.name for answer in answers] == ["Sweden"] * 200
    assert simulator.token_requests == 1
    assert count(simulator) == 200


async def test_reads_share_connections_and_the_rest_has_new_ones(simulator: Simulator) -> None:
    answer = http(b"{}", b"X-Y: z")
    with talking(lambda _: answer) as (url, used):
        async with elsewhere(simulator, url) as op:
            for method in ("GET", "GET", "POST", "DELETE", "GET", "POST"):
                await op.request(method, "/psd2/x")
    assert used == [1, 1, 2, 3, 1, 4]


async def test_a_pool_has_as_many_connections_as_it_was_told(simulator: Simulator) -> None:
    def answer(_: bytes) -> bytes:
        time.sleep(0.01)
        return http(SWEDEN)

    with talking(answer) as (url, used):
        environment = Environment("elsewhere", simulator.auth_url, url)
        transport = ManyReads(ssl.create_default_context(), connections=3)
        async with simulator.async_client(environment=environment, transport=transport) as op:
            await asyncio.gather(*(op.countries.list() for _ in range(30)))
    assert len(used) == 30
    assert len(set(used)) <= 3


async def test_who_waits_too_long_for_a_connection_is_told(simulator: Simulator) -> None:
    transport = ManyReads(ssl.create_default_context(), connections=1)
    async with simulator.async_client(transport=transport, max_retries=0) as op:
        await op.countries.list()
        before = count(simulator)
        simulator.misbehave(COUNTRIES, delay=1)
        first = asyncio.create_task(op.countries.list())
        await until(lambda: count(simulator) > before)
        with pytest.raises(TimedOutError):
            await op.with_options(timeout=0.05).countries.list()
        assert len(await first) == 4
        assert count(simulator) == before + 1


@pytest.mark.parametrize("by", ["caller", "total_timeout"])
async def test_calls_that_are_cut_off_leave_their_connection_to_others(by: str, simulator: Simulator) -> None:
    transport = ManyReads(ssl.create_default_context(), connections=2)
    async with simulator.async_client(transport=transport, timeout=5, max_retries=0) as op:
        await op.countries.list()
        for number in range(200):
            # at each point of a call
            seconds = 0.0002 + number % 50 * 0.0001
            with suppress(TimeoutError, TimedOutError):
                if by == "caller":
                    await asyncio.wait_for(op.countries.list(), seconds)
                else:
                    await op.with_options(total_timeout=seconds).countries.list()
        assert len(await asyncio.gather(*[op.countries.list() for _ in range(5)])) == 5


@pytest.mark.parametrize("limit", ["timeout", "total_timeout"])
async def test_a_slow_answer_is_a_timeout(limit: str, simulator: Simulator, op: AsyncOpenPayments) -> None:
    await op.token()
    simulator.misbehave(COUNTRIES, delay=2)
    with pytest.raises(TimedOutError):
        await op.with_options(**{"max_retries": 0, limit: 0.1}).countries.list()  # type: ignore[arg-type]
    assert len(await op.countries.list()) == 4


async def test_a_refused_connection(simulator: Simulator) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}"
        async with elsewhere(simulator, url, max_retries=0) as op:
            with pytest.raises(ConnectionFailedError):
                await op.countries.list()
            with pytest.raises(OutcomeUnknownError):  # of a transport that is not httpx's it is not believed
                await op.at_bank("ESSESESS", USER).payments.create(PAYMENT)
        environment = Environment("no tokens", url, simulator.api_url)
        transport = ManyReads(ssl.create_default_context())
        async with simulator.async_client(environment=environment, transport=transport, max_retries=0) as op:
            with pytest.raises(ConnectionFailedError, match="token endpoint"):
                await op.countries.list()


async def test_a_read_that_breaks_off_is_read_again(simulator: Simulator, op: AsyncOpenPayments) -> None:
    simulator.misbehave(COUNTRIES, close=True)
    assert len(await op.countries.list()) == 4
    assert count(simulator) == 2
    simulator.misbehave(COUNTRIES, close=True, truncate=20, times=None)
    with pytest.raises(ConnectionFailedError):
        await op.with_options(max_retries=0).countries.list()


async def test_an_error_status(simulator: Simulator, op: AsyncOpenPayments) -> None:
    simulator.misbehave(COUNTRIES, status=404)
    with pytest.raises(NotFoundError):
        await op.countries.list()
    simulator.misbehave(COUNTRIES, status=503)
    assert len(await op.countries.list()) == 4
    assert count(simulator) == 3
    simulator.misbehave(COUNTRIES, status=500)
    with pytest.raises(ServerError):
        await op.with_options(max_retries=0).countries.list()


async def test_a_token_that_is_refused_is_replaced(simulator: Simulator, op: AsyncOpenPayments) -> None:
    await op.countries.list()
    simulator.misbehave(COUNTRIES, code="TOKEN_EXPIRED")
    assert len(await op.countries.list()) == 4
    assert simulator.token_requests == 2


async def test_a_compressed_answer(simulator: Simulator) -> None:
    with canned() as server:
        server.given = Given(200, {"Content-Encoding": "gzip"}, gzip.compress(SWEDEN))
        async with elsewhere(simulator, server.url) as op:
            assert (await op.countries.list())[0].name == "Sweden"


async def test_an_answer_that_is_too_long(simulator: Simulator) -> None:
    with canned() as server:
        server.given = Given(200, {}, json.dumps({"countries": [], "more": "x" * 1_000_000}).encode())
        async with elsewhere(simulator, server.url, max_response_size=1000) as op:
            with pytest.raises(UnreadableResponseError, match="max_response_size"):
                await op.countries.list()
            server.given = Given(200, {}, SWEDEN)
            assert (await op.countries.list())[0].name == "Sweden"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nSomebody's secret\r\n\r\n", b"Somebody's secret\r\n\r\n"])
async def test_an_answer_that_is_no_http_is_not_quoted(answer: bytes, simulator: Simulator) -> None:
    with answering(lambda send: send(answer)) as (url, _):
        async with elsewhere(simulator, url, max_retries=0) as op:
            with pytest.raises(ConnectionFailedError) as caught:
                await op.countries.list()
    assert "secret" not in str(caught.value)


async def test_the_answer_to_another_request_is_not_taken(simulator: Simulator) -> None:
    others = http(SWEDEN, b"X-Request-ID: 6ff9e7ee-2ac2-42d3-a188-c7314d434b9c")
    with talking(lambda _: others) as (url, used):
        async with elsewhere(simulator, url, max_retries=1) as op:
            with pytest.raises(ConnectionFailedError):
                await op.countries.list()
    assert len(used) == 2  # another attempt may get the right one


async def test_cookies_do_not_reach_the_next_request(simulator: Simulator) -> None:
    with canned() as server:
        server.given = Given(200, {"Set-Cookie": "session=of-one-user; Path=/"}, SWEDEN)
        url = server.url.replace("127.0.0.1", "localhost")  # no jar keeps cookies of an address
        async with elsewhere(simulator, url) as op:
            await op.countries.list()
            await op.countries.list()
        assert len(server.interactions) == 2
        assert "cookie" not in server.interactions[1]["request"]["headers"]


@pytest.mark.parametrize(
    "fault", [{"close": True, "carried_out": True}, {"close": True, "truncate": 20, "carried_out": True}, {"delay": 3}]
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_payment_that_may_have_been_created_is_not_created_again(
    fault: dict[str, Any], simulator: Simulator, op: AsyncOpenPayments, *, is_first: bool
) -> None:
    at = op.with_options(timeout=1).at_bank("ESSESESS", USER).payments
    if not is_first:
        await at.create(PAYMENT)
    before = count(simulator, CREATIONS)
    simulator.misbehave(CREATIONS, method="POST", **fault)
    with pytest.raises(OutcomeUnknownError):
        await at.create(PAYMENT)
    assert count(simulator, CREATIONS) == before + 1


async def test_a_deletion_that_may_have_taken_place_is_not_repeated(
    simulator: Simulator, op: AsyncOpenPayments
) -> None:
    consents = op.at_bank("ESSESESS", USER).consents
    consent = await consents.create(valid_until="2099-12-31")
    await consents.status(consent)
    simulator.misbehave(method="DELETE", close=True, times=None)
    with pytest.raises(OutcomeUnknownError):
        await consents.delete(consent)
    assert count(simulator, "/", "DELETE") == 1


async def test_closing_the_client_closes_the_session(
    simulator: Simulator, transport: Any, caplog: pytest.LogCaptureFixture
) -> None:
    op = simulator.async_client(transport=transport)
    await op.countries.list()
    session = transport._reads.client
    assert isinstance(session, aiohttp.ClientSession)
    assert not session.closed
    await op.aclose()
    assert session.closed
    with pytest.raises(ClientStateError):
        await op.countries.list()
    del session, op, transport
    gc.collect()  # an open session would complain
    assert "Unclosed" not in caplog.text


async def test_a_client_that_sent_nothing_can_be_closed(simulator: Simulator, transport: Any) -> None:
    async with simulator.async_client(transport=transport):
        pass


# TLS


class Tls:
    """A simulator that asks for client certificates, and who trusts it."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        certificate = self.ca.issue_cert("127.0.0.1")
        paths = [folder / name for name in ("server.pem", "server.key", "ca.pem", "client.pem")]
        certificate.cert_chain_pems[0].write_to_path(str(paths[0]))
        certificate.private_key_pem.write_to_path(str(paths[1]))
        self.ca.cert_pem.write_to_path(str(paths[2]))
        self.client = self.ca.issue_cert("client.example")
        self.client.private_key_and_cert_chain_pem.write_to_path(str(paths[3]))
        self.ca_file, self.client_file = paths[2:]
        self.simulator = Simulator(ssl_certfile=paths[0], ssl_keyfile=paths[1], ssl_ca_certs=paths[2])

    def context(self, *, with_certificate: bool) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        if with_certificate:
            context.load_cert_chain(str(self.client_file))
        return context


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    tls = Tls(tmp_path_factory.mktemp("tls"))
    with tls.simulator:
        yield tls


async def test_a_private_ca_and_a_client_certificate(tls: Tls) -> None:
    transport = ManyReads(tls.context(with_certificate=True))
    async with tls.simulator.async_client(transport=transport) as op:
        assert (await op.countries.get("SE")).name == "Sweden"
        assert (await op.at_bank("ESSESESS", USER).payments.create(PAYMENT)).payment_id


@pytest.mark.parametrize("lacks", ["certificate", "trust"])
async def test_without_them_nothing_is_sent(lacks: str, tls: Tls) -> None:
    context = ssl.create_default_context() if lacks == "trust" else tls.context(with_certificate=False)
    before = len(tls.simulator.requests)
    options: dict[str, Any] = {"client_id": f"without {lacks}", "max_retries": 0}
    # for the client's own connections: they have no effect on a transport
    options |= {"verify": tls.ca_file, "client_cert": tls.client_file}
    async with tls.simulator.async_client(transport=ManyReads(context), **options) as op:
        with pytest.raises(ConnectionFailedError):
            await op.countries.list()
    assert len(tls.simulator.requests) == before


async def test_a_read_over_tls_without_trust(tls: Tls) -> None:
    """Tokens come over the other half of the transport."""
    transport = ManyReads(ssl.create_default_context())
    async with transport:
        request = httpx.Request("GET", f"{tls.simulator.api_url}{COUNTRIES}", headers={"X-Request-ID": "1"})
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await transport.handle_async_request(request)


# What the page warns of: when one of these fails, the recipe may become simpler


@asynccontextmanager
async def as_it_is() -> AsyncIterator[Callable[..., Any]]:
    async with AiohttpTransport(verify=ssl.create_default_context()) as transport:

        async def send(method: str, url: str) -> bytes:
            response = await transport.handle_async_request(httpx.Request(method, url))
            return await response.aread()

        yield send


async def test_a_connection_that_breaks_off_counts_as_not_connected() -> None:
    with answering(lambda send: None) as (url, requests):
        async with as_it_is() as send:
            with pytest.raises(httpx.ConnectTimeout):
                await send("POST", url)
            assert requests() == 1


@pytest.mark.parametrize("retries", [0, 2])
async def test_what_it_says_of_a_payment_that_was_cut_off_is_not_believed(simulator: Simulator, retries: int) -> None:
    async with simulator.async_client(transport=AiohttpTransport(), max_retries=retries) as op:
        simulator.misbehave(CREATIONS, close=True, carried_out=True)
        with pytest.raises(OutcomeUnknownError):
            await op.at_bank("ESSESESS", USER).payments.create(PAYMENT)
    assert len(simulator.payments) == 1


async def test_aiohttp_repeats_a_deletion() -> None:
    received: list[bytes] = []

    def answer(head: bytes) -> bytes:
        received.append(head.split()[0])
        if head.startswith(b"DELETE"):
            raise ConnectionError
        return http(b"{}")

    with talking(answer) as (url, _):
        async with as_it_is() as send:
            await send("GET", url)
            with pytest.raises(httpx.ConnectTimeout):
                await send("DELETE", url)
    assert received == [b"GET", b"DELETE", b"DELETE"]


async def test_aiohttp_keeps_cookies() -> None:
    with canned() as server:
        server.given = Given(200, {"Set-Cookie": "session=of-one-user; Path=/"}, b"")
        url = server.url.replace("127.0.0.1", "localhost")
        async with as_it_is() as send:
            await send("GET", url)
            await send("GET", url)
        assert server.interactions[1]["request"]["headers"]["cookie"] == ["session=of-one-user"]


async def test_aiohttp_takes_what_arrives_unasked() -> None:
    is_sent = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(http(b"first"))
            is_sent.wait(10)
            connection.sendall(http(b"unasked"))
            with suppress(OSError):
                connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with as_it_is() as send:
            assert await send("GET", url) == b"first"
            is_sent.set()
            await asyncio.sleep(0.2)
            assert await send("GET", url) == b"unasked"
        thread.join()


# The SDK's own connections


async def test_more_calls_than_connections_wait(simulator: Simulator) -> None:
    together, most = threading.Lock(), [0, 0]

    def answer(_: bytes) -> bytes:
        with together:
            most[0] += 1
            most[1] = max(most)
        time.sleep(0.01)
        with together:
            most[0] -= 1
        return http(SWEDEN)

    with talking(answer) as (url, used):
        environment = Environment("elsewhere", simulator.auth_url, url)
        limits = httpx.Limits(max_connections=3, max_keepalive_connections=3)
        async with simulator.async_client(environment=environment, limits=limits) as op:
            await asyncio.gather(*(op.countries.list() for _ in range(30)))
    assert len(used) == 30
    assert most[1] <= 3
    assert len(set(used)) <= 3


async def test_who_waits_longer_than_the_timeout_has_sent_nothing(simulator: Simulator) -> None:
    limits = httpx.Limits(max_connections=1)
    async with simulator.async_client(limits=limits, max_retries=0) as op:
        await op.countries.list()
        before = count(simulator)
        simulator.misbehave(COUNTRIES, delay=2)
        first = asyncio.create_task(op.countries.list())
        await until(lambda: count(simulator) > before)
        with pytest.raises(TimedOutError, match="PoolTimeout"):
            await op.with_options(timeout=0.05).countries.list()
        # what must not be sent twice does not wait for the pool
        assert (await op.at_bank("ESSESESS", USER).payments.create(PAYMENT)).payment_id
        assert not first.done()
        assert len(await first) == 4
        assert count(simulator) == before + 1
