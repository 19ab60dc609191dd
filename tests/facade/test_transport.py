"""What `_http/transport.py` relies on: it looks where httpx and httpcore have no public face. When this fails after an
update of theirs, look there first: without it, leftovers and drips are not noticed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest

from openpayments_facade._http.transport import ALONE, AsyncTransport, Transport, _connection_of, is_ours
from tests.raw_server import talking

if TYPE_CHECKING:
    from collections.abc import Iterator

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
