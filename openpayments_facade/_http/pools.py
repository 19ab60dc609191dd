"""The HTTP clients of one facade client, and how they carry out an exchange.

Redirects are never followed: one from the token endpoint would carry the secret to another host, and the API has none.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
import os
import sys
from concurrent import futures
from contextlib import aclosing, closing, suppress
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from .._checks import refuse
from .._forks import reset_after_fork
from .._protocol.body import ACCEPT_ENCODING
from .._version import __version__
from ..environments import is_loopback
from ..errors import ClientStateError, ConfigurationError
from .tls import ssl_context
from .transport import ALONE, AsyncTransport, Transport, current, is_ours

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Collection, Mapping

    from .._protocol.exchange import Exchange
    from .._settings import Settings
    from ..environments import Environment

C = TypeVar("C", httpx.Client, httpx.AsyncClient)

_log = logging.getLogger("openpayments_facade")
_PYTHON: Final = ".".join(map(str, sys.version_info[:3]))
_USER_AGENT: Final = f"openpayments-facade/{__version__} httpx/{httpx.__version__} python/{_PYTHON}"
_HEADERS: Final = httpx.Headers(
    {
        "Accept": "application/json",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "keep-alive",
        "User-Agent": _USER_AGENT,
    }
)


class _NoCookies(httpx.Cookies):
    """Takes none from answers: one of an end user's must not go out with another's request."""

    def extract_cookies(self, response: httpx.Response) -> None:
        pass


class _Kept:
    """What httpx would make anew for each client, answer or request."""

    cookies = _NoCookies()
    headers = property(lambda _: _HEADERS, lambda *_: None)

    @functools.cached_property
    def parsed(self) -> Callable[[str], httpx.URL]:
        """Parses a URL. Programs ask for the same list or status again and again."""
        return functools.lru_cache(httpx.URL)


class _Client(_Kept, httpx.Client):  # type: ignore[misc]
    pass


class _AsyncClient(_Kept, httpx.AsyncClient):  # type: ignore[misc]
    pass


class _Way(NamedTuple):
    """How all HTTP clients of one facade client connect."""

    verify: ssl.SSLContext
    limits: httpx.Limits
    proxies: Mapping[str, httpx.Proxy | None]
    """By the patterns of httpx; None connects directly to the host."""


def _way(settings: Settings) -> _Way:
    hosts, loopback = _hosts(settings.environment)
    proxy, limits = settings.proxy, settings.limits
    if limits is not None and not isinstance(limits, httpx.Limits):
        raise refuse("limits", "must be an httpx.Limits")
    if proxy is not None and not isinstance(proxy, str | httpx.Proxy):
        raise refuse("proxy", "must be a URL or an httpx.Proxy")
    if proxy is not None and settings.transport is not None:
        raise refuse("proxy", "can't be combined with a transport, which makes the connections; give it to that")
    try:
        proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
    except (ValueError, httpx.InvalidURL):
        raise ConfigurationError("proxy is not a URL such as http://proxy.example.com:3128") from None
    proxies: dict[str, httpx.Proxy | None] = {}
    # a client that only talks to this machine needs no proxy
    if hosts != loopback and settings.transport is None:
        proxies = _proxies_of_environment(hosts - loopback) if proxy is None else {"all://": proxy}
    return _Way(
        ssl_context(settings),
        limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
        {**proxies, **dict.fromkeys(map(_pattern, loopback))},
    )


@functools.lru_cache
def _hosts(environment: Environment) -> tuple[frozenset[str], frozenset[str]]:
    """The hosts of an environment, and those of them that are this machine."""
    hosts = frozenset(str(urlsplit(url).hostname) for url in (environment.auth_url, environment.api_url))
    return hosts, frozenset(filter(is_loopback, hosts))


def _new(kind: type[C], transport: Any, way: _Way) -> C:
    is_sync = issubclass(kind, _Client)
    carrier: Any = Transport if is_sync else AsyncTransport
    using: dict[str, Any] = {"verify": way.verify, "limits": way.limits}
    try:
        mounts: Any = {pattern: proxy and carrier(proxy=proxy, **using) for pattern, proxy in way.proxies.items()}
    except ImportError:
        raise ConfigurationError("a SOCKS proxy needs socksio: pip install socksio") from None
    return kind(
        transport=carrier(**using) if transport is None else transport,
        mounts=mounts,
        # httpx refuses to work if NO_PROXY has something that it does not understand
        trust_env=False,
        event_hooks={"response": [_forget_redirect if is_sync else _forget_redirect_async]},
    )


def _proxies_of_environment(hosts: Collection[str]) -> dict[str, httpx.Proxy | None]:
    """What the environment says of the way to these hosts: proxies by the patterns of httpx, None for no proxy.

    As httpx reads its variables, with two differences: NO_PROXY may name networks, and an entry that is not understood
    is left out instead of refused. Raises ConfigurationError.
    """
    variables = getproxies()
    proxies: dict[str, httpx.Proxy | None] = {}
    for scheme in ("http", "https", "all"):
        if url := variables.get(scheme):
            try:
                proxies[f"{scheme}://"] = httpx.Proxy(url if "://" in url else f"http://{url}")
            except (ValueError, httpx.InvalidURL):
                # the value is not shown: it may carry a password
                raise ConfigurationError(f"{scheme.upper()}_PROXY is not a URL") from None
    entries = [entry.strip() for entry in variables.get("no", "").split(",")]
    if not proxies or "*" in entries:
        return {}
    for number, entry in enumerate((each.removeprefix("*") for each in entries), 1):
        if (network := _network(entry)) is not None:
            inside = (host for host in hosts if (address := _network(host)) is not None and address[0] in network)
            proxies.update(dict.fromkeys(map(_pattern, inside)))
            continue
        if not entry:
            continue
        pattern = entry if "://" in entry else f"all://{'' if entry.lower() == 'localhost' else '*'}{entry}"
        try:
            httpx.URL(pattern)
        except (ValueError, httpx.InvalidURL):
            _tell_of(number)
        else:
            proxies[pattern] = None
    return proxies


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _pattern(host: str) -> str:
    return f"all://[{host}]" if ":" in host else f"all://{host}"


@functools.cache
def _tell_of(number: int) -> None:
    """Once for each entry: HTTP clients are made often. It is not shown: it may be a URL with a password."""
    _log.warning("NO_PROXY: entry %d is not understood, and has no effect", number)


def _forget_redirect(response: httpx.Response) -> None:
    # httpx parses the address although it does not follow it; an invalid one would hide the status
    if response.has_redirect_location:
        del response.headers["Location"]


async def _forget_redirect_async(response: httpx.Response) -> None:
    _forget_redirect(response)


def send(client: httpx.Client, exchange: Exchange, *, checks_ids: bool = True) -> None:
    """Sends the request and reads the answer. Notes any failure in the exchange."""
    before = current.set(exchange)
    try:
        with closing(client.send(_built(client, exchange), stream=True)) as response:
            exchange.begin(response, checks_id=checks_ids and is_ours(response))
            assert isinstance(response.stream, httpx.SyncByteStream)
            for chunk in response.stream:
                for _ in exchange.receive(chunk):
                    pass
    except BaseException as error:  # a user's transport or a recorder may raise anything
        exchange.fail(error)
        if not isinstance(error, Exception):
            raise error.with_traceback(None) from None  # the frames of httpx hold what was sent
    finally:
        current.reset(before)
        exchange.log()


def _built(client: httpx.Client | httpx.AsyncClient, exchange: Exchange) -> httpx.Request:
    return exchange.build(client, **{ALONE: not exchange.resendable})


class _Lent(httpx.BaseTransport):
    """A user's transport, lent to a client that must not close it."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


class _Pool(Generic[C]):
    """The common part of both halves: the HTTP client of one facade client and its views."""

    _kind: type[C]
    _transport_kind: type
    _client: C | None
    _inherited: object = None  # kept alive, so that it is not closed
    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, settings: Settings) -> None:
        transport, kind = settings.transport, self._transport_kind
        if transport is not None and not isinstance(transport, kind):
            raise refuse("transport", f"must be an httpx.{kind.__name__}")
        self._transport, self._process = transport, os.getpid()
        self.needs_loop = transport is not None and not isinstance(transport, httpx.BaseTransport)
        """Whether token requests are sent on the event loop, because the user's transport is async only."""
        self._is_foreign = transport is not None and type(transport).__module__.partition(".")[0] != "httpx"
        self._checks_ids = settings.check_request_ids
        self._way = _way(settings)
        self._client = _new(self._kind, transport, self._way)
        self._closed = False
        reset_after_fork(self)

    def reset(self) -> None:
        """After a fork: gives up loop and connections without closing them, for they are the parent's."""
        self._inherited = self._inherited, self._client, self._loop
        self._client = self._loop = None

    def client(self) -> C:
        """The HTTP client. Raises ClientStateError after `refuse()`, and where only a parent process may send."""
        if self._closed:
            raise ClientStateError("this client is closed; create a new one")
        if self._client is None:
            self._refuse_inherited()
            self._client = _new(self._kind, self._transport, self._way)
        return self._client

    def _refuse_inherited(self) -> None:
        if self._transport is not None and os.getpid() != self._process:
            raise ClientStateError(
                "this client's transport belongs to the parent process; create a client after a fork"
            )

    def refuse(self) -> None:
        """Refuses new exchanges; running ones continue. Raises ClientStateError on another loop."""
        if not self._closed and self._client is not None:
            self.client()
        self._closed = True

    def send_blocking(self, exchange: Exchange) -> None:
        """Carries out a token request, in a thread made for it. Notes any failure in the exchange.

        It uses its own HTTP client: token requests are rare, belong to no loop, and may outlive the facade client.
        """
        transport = _Lent(self._transport) if isinstance(self._transport, httpx.BaseTransport) else None
        exchange.is_foreign = self._is_foreign and transport is not None
        try:
            self._refuse_inherited()
        except ClientStateError as error:
            return exchange.fail(error)
        # the exchange has any failure, and this thread has no caller
        with _new(_Client, transport, self._way) as client, suppress(BaseException):
            send(client, exchange, checks_ids=self._checks_ids)
        return None


class Pool(_Pool[httpx.Client]):
    """The HTTP client of an `OpenPayments`."""

    _kind = _Client
    _transport_kind = httpx.BaseTransport

    def send(self, exchange: Exchange) -> None:
        """Carries out an exchange. Notes any failure in it. Raises ClientStateError if closed."""
        exchange.is_foreign = self._is_foreign
        send(self.client(), exchange, checks_ids=self._checks_ids)

    def close(self) -> None:
        """Closes all connections. Closing twice does no harm."""
        if self._client is not None:
            self._client.close()


class AsyncPool(_Pool[httpx.AsyncClient]):
    """The HTTP client of an `AsyncOpenPayments`. It belongs to the event loop that first uses it."""

    _kind = _AsyncClient
    _transport_kind = httpx.AsyncBaseTransport

    def client(self) -> httpx.AsyncClient:
        """The HTTP client. Raises ClientStateError after `refuse()`, and on any loop but the first."""
        import asyncio

        client = super().client()
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientStateError(
                "this client belongs to another event loop; create one for each loop (they share their tokens)"
            )
        return client

    async def send(self, exchange: Exchange) -> None:
        """Carries out an exchange. Notes any failure in it. Raises ClientStateError."""
        await self._send(self.client(), exchange)

    async def _send(self, client: httpx.AsyncClient, exchange: Exchange) -> None:
        import asyncio

        import anyio

        exchange.is_foreign = self._is_foreign
        scope = anyio.CancelScope(deadline=anyio.current_time() + exchange.left())

        async def working() -> None:
            current.set(exchange)  # of this task alone
            try:
                with scope:
                    async with aclosing(await client.send(_built(client, exchange), stream=True)) as response:
                        exchange.begin(response, checks_id=self._checks_ids and is_ours(response))
                        assert isinstance(response.stream, httpx.AsyncByteStream)
                        async for chunk in response.stream:
                            for _ in exchange.receive(chunk):
                                await anyio.lowlevel.checkpoint()
                    return
                raise TimeoutError
            except Exception as error:
                exchange.fail(error)

        # httpcore cleans up after a cancellation by anyio only; one by asyncio would lose connections for good. So the
        # request runs in a task that only anyio cancels.
        task = asyncio.ensure_future(working())
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            scope.cancel()
            await asyncio.wait([task])
            raise
        finally:
            exchange.log()

    def send_blocking(self, exchange: Exchange) -> None:
        """Carries out a token request, in a thread made for it, or on the loop if the transport needs it."""
        if not self.needs_loop:
            return super().send_blocking(exchange)
        import asyncio

        assert self._loop is not None  # client() comes first
        assert self._client is not None
        if self._loop.is_closed():
            return exchange.fail(RuntimeError("the event loop is closed"))
        sent = asyncio.run_coroutine_threadsafe(self._send(self._client, exchange), self._loop)
        futures.wait([sent], exchange.left() + 1)  # a running loop keeps the deadline by itself
        if not sent.done():
            sent.cancel()
            exchange.fail(httpx.ReadTimeout("the event loop is busy or has stopped"))
        return None

    async def aclose(self) -> None:
        """Closes all connections. Closing twice does no harm."""
        if self._client is not None:
            await self._client.aclose()
