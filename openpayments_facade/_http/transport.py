"""What httpx has no public hook for: deadlines, bytes that no request asked for, connections for one request alone.

It works beneath httpx's transports, so that recorders, which replace their methods, see the traffic.
`tests/facade/test_transport.py` fails when httpx or httpcore change what this relies on.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

if TYPE_CHECKING:
    from .._protocol.exchange import Exchange

T = TypeVar("T")

ALONE: Final = "openpayments_alone"
"""The extension of a request that gets a connection of its own: nothing can be left over there from another one."""

_SLICE: Final = 16 * 1024

current: ContextVar[Exchange | None] = ContextVar("openpayments_exchange", default=None)
"""The exchange that is being carried out."""


class _Scrubbing(logging.Filter):
    """Makes records of our exchanges fit for a log. Those of others stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        exchange = current.get()
        if exchange is not None:
            record.msg, record.args = exchange.shown(record.getMessage()), ()
        return True


_SCRUBBING: Final = _Scrubbing()
for _name in ("httpx", *(f"httpcore.{name}" for name in ("connection", "http11", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_SCRUBBING)


def _note_sending(*, has_left: bool) -> None:
    exchange = current.get()
    if exchange is not None:
        exchange.has_left = has_left


def is_ours(response: httpx.Response) -> bool:
    """Whether an answer came over a connection of ours, and not from a user's transport or a recording."""
    return isinstance(response.extensions.get("network_stream"), _Watched)


def _connection_of(response: httpx.Response) -> Any:
    """The connection of httpcore that an answer comes over; None if there is none, as for one from a recording."""
    found: Any = response.stream
    for name in ("_httpcore_stream", "_stream", "_connection"):
        found = getattr(found, name, None)
    return found


def _check(connection: Any) -> None:
    """After the last byte of an answer: a connection that has received more is not used again."""
    if connection is not None and (connection._h11_state.trailing_data[0] or _holds(connection._network_stream)):
        connection._network_stream.is_spoilt = True


def _holds(stream: Any) -> bool:
    """Whether what lies between the socket and h11 has received more than was read, such as another TLS record."""
    if isinstance(stream.ssl_object, ssl.SSLObject):
        try:
            return bool(stream.ssl_object.read(1)) or _queues(stream)
        except ssl.SSLWantReadError:  # no whole record
            return _queues(stream)
        except ssl.SSLError:
            return True
    return _queues(stream)


def _queues(stream: Any) -> bool:
    while stream is not None:
        held = getattr(stream, "_read_bio", None) or getattr(stream, "_incoming", None)
        if getattr(held, "pending", 0) or getattr(getattr(stream, "_protocol", None), "read_queue", None):
            return True
        stream = getattr(stream, "_stream", None) or getattr(stream, "transport_stream", None)
    return False


class _Watched:
    """A stream of httpcore, which asks whether an idle connection is readable, and drops it if it is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_spoilt = False

    @cached_property
    def ssl_object(self) -> object:
        return self._stream.get_extra_info("ssl_object")

    def get_extra_info(self, info: str) -> Any:
        return (self.is_spoilt and info == "is_readable") or self._stream.get_extra_info(info)


def _left(timeout: float | None, kind: str) -> float | None:
    """The seconds that one step may take. Raises an exception of httpcore after the deadline."""
    exchange = current.get()
    if exchange is None:
        return timeout
    left = exchange.left()
    if not left:
        import httpcore

        raise getattr(httpcore, kind)("total_timeout ran out")
    return left if timeout is None else min(timeout, left)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        connection.shutdown(socket.SHUT_RDWR)


class _Stream(_Watched):
    """A blocking stream that ends at the deadline of the exchange."""

    def __init__(self, stream: Any, *, is_nested: bool = False) -> None:
        super().__init__(stream)
        self._is_nested = is_nested

    def _in_time(self, kind: str, timeout: float | None, step: Callable[..., T], *arguments: Any) -> T:
        left = _left(timeout, kind)
        if left is None or not self._is_nested:
            return step(*arguments, timeout=left)
        # TLS within the TLS of a proxy waits anew for each piece of a record
        end = threading.Timer(left, _shut, [self._stream.get_extra_info("socket")])
        end.daemon = True
        end.start()
        try:
            return step(*arguments, timeout=left)
        except Exception:
            _left(None, kind)
            raise
        finally:
            end.cancel()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = self._in_time("ReadTimeout", timeout, self._stream.read, max_bytes)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _note_sending(has_left=True)
        for start in range(0, len(buffer), _SLICE):
            self._in_time("WriteTimeout", timeout, self._stream.write, buffer[start : start + _SLICE])

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        self._is_nested = self._is_nested or self._stream.get_extra_info("ssl_object") is not None
        start = self._stream.start_tls
        stream = self._in_time("ConnectTimeout", timeout, start, ssl_context, server_hostname)
        return _Stream(stream, is_nested=self._is_nested)


class _Backend:
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **rest: Any) -> _Stream:
        import httpcore

        problem: Exception | None = None
        for address in _addresses(host, port):
            try:
                left = _left(timeout, "ConnectTimeout")
                return _Stream(self._backend.connect_tcp(address, port, timeout=left, **rest))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        assert problem is not None
        raise problem

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host: each may take what is left of the time, and no more."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [host]  # connecting says what is wrong
    # a link-local address has a scope, as the fourth part of its sockaddr
    return [*dict.fromkeys("%".join(map(str, (at[0], *filter(None, at[3:])))) for *_, at in found)]


class _AsyncStream(_Watched):
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = await self._stream.read(max_bytes, timeout)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _note_sending(has_left=True)
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *arguments: Any, **rest: Any) -> _AsyncStream:
        return _AsyncStream(await self._stream.start_tls(*arguments, **rest))


class _AsyncBackend:
    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._last: _AsyncStream | None = None

    async def connect_tcp(self, *arguments: Any, **rest: Any) -> _AsyncStream:
        self._last = stream = _AsyncStream(await self._backend.connect_tcp(*arguments, **rest))
        return stream

    async def aclose(self) -> None:
        if self._last is not None:
            await self._last.aclose()

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class _Checked(httpx.SyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._stream, self._connection = response.stream, _connection_of(response)

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._stream, httpx.SyncByteStream)
        yield from self._stream
        _check(self._connection)

    def close(self) -> None:
        assert isinstance(self._stream, httpx.SyncByteStream)
        self._stream.close()


class _AsyncChecked(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._stream, self._connection = response.stream, _connection_of(response)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        async for chunk in self._stream:
            yield chunk
        _check(self._connection)

    async def aclose(self) -> None:
        assert isinstance(self._stream, httpx.AsyncByteStream)
        await self._stream.aclose()


def _is_connected(connection: Any) -> bool:
    """Whether a connection through a proxy has reached the host."""
    return bool(getattr(connection, "_connected", connection._connection is not None))


def _watch_proxy(pool: Any) -> None:
    """Closes connections that did not get through a proxy: httpcore would count some of them as taken for ever."""
    create = pool.create_connection

    def create_connection(origin: Any) -> Any:
        connection = create(origin)
        send = connection.handle_request

        def handle_request(request: Any) -> Any:
            try:
                return send(request)
            except BaseException:
                if not _is_connected(connection):
                    _note_sending(has_left=False)
                    connection.close()
                raise

        connection.handle_request = handle_request
        return connection

    pool.create_connection = create_connection


def _watch_proxy_async(pool: Any) -> None:
    create = pool.create_connection

    def create_connection(origin: Any) -> Any:
        connection = create(origin)
        send = connection.handle_async_request
        if connection._connection is None:  # SOCKS: nobody else knows the stream before the host is reached
            connection._network_backend = backend = _AsyncBackend(connection._network_backend)

        async def handle_async_request(request: Any) -> Any:
            try:
                return await send(request)
            except BaseException:
                if not _is_connected(connection):
                    import anyio

                    _note_sending(has_left=False)
                    with anyio.CancelScope(shield=True):
                        if connection._connection is None:
                            connection._connect_failed = True
                            await backend.aclose()
                        await connection.aclose()
                raise

        connection.handle_async_request = handle_async_request
        return connection

    pool.create_connection = create_connection


def _alone(limits: httpx.Limits) -> httpx.Limits:
    return httpx.Limits(max_connections=limits.max_connections, max_keepalive_connections=0)


class Transport(httpx.HTTPTransport):
    """The connections of a sync client."""

    def __init__(self, *, limits: httpx.Limits, **options: Any) -> None:
        super().__init__(limits=limits, **options)
        self._others = httpx.HTTPTransport(limits=_alone(limits), **options)
        for transport in (self, self._others):
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend)
            if hasattr(pool, "_proxy_url"):
                _watch_proxy(pool)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        send = self._others.handle_request if request.extensions.get(ALONE) else super().handle_request
        _note_sending(has_left=False)
        response = send(request)
        response.stream = _Checked(response)
        return response

    def close(self) -> None:
        super().close()
        self._others.close()


class AsyncTransport(httpx.AsyncHTTPTransport):
    """The connections of an async client."""

    def __init__(self, *, limits: httpx.Limits, **options: Any) -> None:
        super().__init__(limits=limits, **options)
        self._others = httpx.AsyncHTTPTransport(limits=_alone(limits), **options)
        for transport in (self, self._others):
            pool: Any = transport._pool
            pool._network_backend = _AsyncBackend(pool._network_backend)
            if hasattr(pool, "_proxy_url"):
                _watch_proxy_async(pool)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        send = self._others.handle_async_request if request.extensions.get(ALONE) else super().handle_async_request
        _note_sending(has_left=False)
        response = await send(request)
        response.stream = _AsyncChecked(response)
        return response

    async def aclose(self) -> None:
        await super().aclose()
        await self._others.aclose()
