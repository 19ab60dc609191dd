"""What `_http/transport.py` relies on: it looks where httpx and httpcore have no public face. When this fails after an
update of theirs, look there first: without it, leftovers and drips are not noticed."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
import trustme

from openpayments_facade import Environment
from openpayments_facade._http.transport import ALONE, AsyncTransport, Transport, _connection_of, is_ours
from tests.raw_server import talking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_facade.simulator import Simulator

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def url() -> Iterator[str]:
    with talking(lambda _: ANSWER) as (url, _):
        yield url


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("through_a_proxy", [True, False])
def test_the_connection_of_an_answer_is_found(url: str, *, alone: bool, through_a_proxy: bool) -> None:
    proxy = httpx.Proxy(url) if through_a_proxy else None
    request = httpx.Request("GET", url, extensions={ALONE: alone})
    with Transport(limits=httpx.Limits(), proxy=proxy) as transport:
        response = transport.handle_request(request)
        checked: Any = response.stream
        assert isinstance(checked._connection, httpcore.HTTP11Connection)
        assert b"".join(checked) == b"{}"
        assert checked._connection._h11_state.trailing_data == (b"", False)
        assert is_ours(response)
        response.close()


def test_the_connection_of_an_answer_is_found_by_an_async_client(url: str) -> None:
    async def send() -> None:
        async with AsyncTransport(limits=httpx.Limits()) as transport:
            response = await transport.handle_async_request(httpx.Request("GET", url))
            checked: Any = response.stream
            assert isinstance(checked._connection, httpcore.AsyncHTTP11Connection)
            assert [chunk async for chunk in checked] == [b"{}"]
            assert checked._connection._h11_state.trailing_data == (b"", False)
            assert is_ours(response)
            await response.aclose()

    asyncio.run(send())


def test_an_answer_from_elsewhere_has_none() -> None:
    response = httpx.Response(200, content=b"{}")
    assert _connection_of(response) is None
    assert not is_ours(response)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("over_tls", [False, True])
def test_no_layer_keeps_an_answer_for_the_next_request(simulator: Simulator, *, is_async: bool, over_tls: bool) -> None:
    """Two records of TLS in one segment; and asyncio receives more at once than httpcore reads."""

    def answer(name: str, length: int = 0) -> bytes:
        body = b'{"countries": [{"isoCountryCode": "SE", "name": "%s"}]}' % name.encode()
        body += b" " * length
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    length = 0 if over_tls else 65_536 - len(answer("Sweden", 65_000)) + 65_000
    first = [answer("Sweden", length), answer("Mordor")]
    ca, connections = trustme.CA(), itertools.count(1)
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                line = _Line(connection, ca if over_tls else None)
                answers = first if next(connections) == 1 else [answer("Sweden")]
                threading.Thread(target=line.talk, args=(answers,), daemon=True).start()

    async def work(environment: Environment) -> list[str | None]:
        async with simulator.async_client(environment=environment, verify=trusting, max_retries=0) as op:
            return [(await op.countries.list())[0].name for _ in range(2)]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        url = f"http{'s' * over_tls}://127.0.0.1:{listener.getsockname()[1]}"
        environment = Environment("odd", simulator.auth_url, url)
        if is_async:
            assert asyncio.run(work(environment)) == ["Sweden", "Sweden"]
        else:
            with simulator.client(environment=environment, verify=trusting, max_retries=0) as op:
                assert [op.countries.list()[0].name for _ in range(2)] == ["Sweden", "Sweden"]
        listener.shutdown(socket.SHUT_RDWR)
    assert next(connections) == 3


class _Line:
    """One connection of a server that decides what goes out at once, also beneath TLS."""

    def __init__(self, connection: socket.socket, ca: trustme.CA | None) -> None:
        self._socket, self._tls = connection, None
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("127.0.0.1").configure_cert(context)
            self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._in, self._out, server_side=True)

    def talk(self, answers: list[bytes]) -> None:
        with self._socket, suppress(OSError):
            if self._tls is not None:
                self._waiting(self._tls.do_handshake)
            while (self._waiting(self._tls.read, 65536) if self._tls else self._socket.recv(65536)) != b"":
                if self._tls is None:
                    self._socket.sendall(b"".join(answers))
                    continue
                for each in answers:
                    self._tls.write(each)
                self._socket.sendall(self._out.read())

    def _waiting(self, step: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            try:
                done = step(*arguments)
            except ssl.SSLWantReadError:
                self._socket.sendall(self._out.read())
                data = self._socket.recv(65536)
                if not data:
                    raise OSError from None
                self._in.write(data)
            else:
                self._socket.sendall(self._out.read())
                return done
