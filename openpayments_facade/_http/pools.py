"""httpx clients: TLS and client certificate, proxy, pool. One pool serves the API calls and the token fetch.

Redirects are never followed: the token endpoint's would carry the secret to another host, the API has none.
"""

from __future__ import annotations

import asyncio
import functools
import os
import platform
import ssl
import threading
import weakref
from concurrent import futures
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx

from .. import _threads as threads
from .._version import __version__
from ..environments import is_loopback
from ..errors import ClientStateError, ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from .._settings import Settings

__all__ = ["AsyncPool", "Pool", "user_agent"]


@functools.cache
def user_agent() -> str:
    """Who calls: us, httpx and Python, each with its version."""
    return f"openpayments-facade/{__version__} httpx/{httpx.__version__} python/{platform.python_version()}"


def _new_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(f"SSL_CERT_FILE or SSL_CERT_DIR can't be read as a CA bundle ({error})") from None


@functools.cache
def _default_context(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    # shared by all clients of the process: reading the CA bundle is most of what making a client costs
    return _new_context()


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    verify, cert = settings.verify, settings.client_cert
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            raise InvalidArgumentError(
                "client_cert and an SSL context in verify exclude each other: load the certificate into the context",
                argument="client_cert",
            )
        return verify
    if verify is None:
        if cert is None:
            return _default_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        context = _new_context()
    elif isinstance(verify, str | os.PathLike) and str(verify):
        path = Path(verify)
        try:
            context = ssl.create_default_context(**{"capath" if path.is_dir() else "cafile": str(path)})  # type: ignore[arg-type]
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"verify: {str(path)!r} can't be read as a CA bundle ({error})") from None
    else:
        raise InvalidArgumentError(
            "verify takes the path of a CA bundle or an SSL context; checking the server can't be switched off",
            argument="verify",
        )
    if cert is not None:
        parts: tuple[Any, ...] = (*cert,) if isinstance(cert, tuple | list) else (cert,)
        if not 1 <= len(parts) <= 3 or not all(isinstance(part, str | os.PathLike) and str(part) for part in parts[:2]):
            raise InvalidArgumentError(
                "client_cert must be a path, (certificate, key) or (certificate, key, password)", argument="client_cert"
            )
        certfile, keyfile, password = (*parts, None, None)[:3]
        try:
            # an empty password rather than None: OpenSSL would ask for one on the terminal
            context.load_cert_chain(str(certfile), str(keyfile) if keyfile else None, password or "")
        except (OSError, ValueError, TypeError) as error:
            said = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"client_cert: certificate or key can't be loaded ({type(error).__name__}: {said})"
            ) from None
    return context


def _arguments(settings: Settings) -> dict[str, Any]:
    hosts = {urlsplit(url).hostname for url in (settings.environment.auth_url, settings.environment.api_url)}
    loopback = {host for host in hosts if is_loopback(host)}
    proxy, limits = settings.proxy, settings.limits
    if limits is not None and not isinstance(limits, httpx.Limits):
        raise InvalidArgumentError("limits must be an httpx.Limits", argument="limits")
    if proxy is not None and not isinstance(proxy, str | httpx.Proxy):
        raise InvalidArgumentError("proxy must be a URL or an httpx.Proxy", argument="proxy")
    try:
        proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
    except (ValueError, httpx.InvalidURL):
        raise ConfigurationError("proxy is not a URL such as http://proxy.example.com:3128") from None
    return {
        "verify": _ssl_context(settings),
        "limits": limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
        # None: straight to the host, whatever the environment says
        "mounts": {f"all://[{host}]" if ":" in str(host) else f"all://{host}": None for host in loopback},
        # who only talks to this machine needs no proxy, and nothing that one would need
        "proxy": None if loopback == hosts else proxy,
        "trust_env": loopback != hosts,
        "headers": {"Accept": "application/json", "User-Agent": user_agent()},
        "follow_redirects": False,
        # a cookie of one end user's answer must not go out with another's request
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


T = TypeVar("T")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)


def _make(kind: type[C], settings: Settings, transport: Any) -> C:
    arguments = _arguments(settings)
    try:
        client = kind(transport=transport, **arguments)
    except (ValueError, httpx.InvalidURL):
        # the value is not shown: it may carry a password
        raise ConfigurationError("a proxy of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) is no URL") from None
    except ImportError:
        raise ConfigurationError('a SOCKS proxy needs socksio: pip install "httpx[socks]"') from None
    hook = _forget_redirect if kind is httpx.Client else _forget_redirect_async
    client.event_hooks = {"response": [hook]}
    return client


def _forget_redirect(response: httpx.Response) -> None:
    # httpx reads it though it is not followed: one that is no URL would cost the status
    if response.has_redirect_location:
        del response.headers["Location"]


async def _forget_redirect_async(response: httpx.Response) -> None:
    _forget_redirect(response)


class _Shared:
    """A sync HTTP client that is closed when its owner and all others who hold it have let go."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._holders = 1

    def hold(self) -> Callable[[], None]:
        """Keeps the connections open until what this gives is called."""
        with self._lock:
            self._holders += 1
        return self.release

    def release(self) -> None:
        """Closes the connections, unless somebody else holds them."""
        with self._lock:
            self._holders -= 1
            last = self._holders == 0
        if last:
            self.client.close()

    def post(
        self, url: str, *, headers: dict[str, str], content: str | bytes, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Sends a token request; the answer's body is still to be read."""
        request = self.client.build_request("POST", url, headers=headers, content=content, timeout=timeout)
        return self.client.send(request, stream=True)


class Pool:
    """The sync HTTP client of one facade client and the views made from it; new in a forked child."""

    needs_loop = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closed = False
        if settings.transport is not None and not isinstance(settings.transport, httpx.BaseTransport):
            raise InvalidArgumentError("transport must be an httpx.BaseTransport", argument="transport")
        self._shared = self._open()
        _pools.add(self)

    def _open(self) -> _Shared:
        return _Shared(_make(httpx.Client, self._settings, self._settings.transport))

    def reopen(self) -> None:
        """Leaves the connections as they are, unclosed: after a fork they still belong to the parent."""
        self._inherited = self._shared
        self._shared = self._open()

    def client(self) -> httpx.Client:
        """The HTTP client. Raises ClientStateError after `close()`."""
        if self._closed:
            raise ClientStateError("this client is closed; make a new one")
        return self._shared.client

    def hold(self) -> Callable[[], None]:
        """Keeps the connections open, also after `close()`, until what this gives is called."""
        return self._shared.hold()

    def post(
        self, url: str, *, headers: dict[str, str], content: str | bytes, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Sends a token request; called from the token fetch's own thread. Raises httpx exceptions."""
        # not through client(): a fetch that is under way goes on when its client is closed
        return self._shared.post(url, headers=headers, content=content, timeout=timeout)

    def within(self, _: float, work: Callable[[], T]) -> T:
        """Does the work: what blocks can't be cut off. The time is looked at between two reads."""
        return work()

    def in_thread(self, seconds: float, work: Callable[[], T]) -> T | None:
        """Does blocking work; waits for so many seconds, and gives None when they are over.

        In a thread of its own, because a server that sends its headers drop by drop can't be left otherwise.
        """
        landed = threads.start(work, name="openpayments-oauth")
        landed.add_done_callback(_releasing(self.hold()))
        futures.wait([landed], seconds)
        return landed.result() if landed.done() else None

    def close(self) -> None:
        """Closes every connection, as soon as no token fetch uses it. May be called again."""
        if not self._closed:
            self._closed = True
            self._shared.release()


class AsyncPool:
    """The async HTTP client of one facade client and the views made from it; belongs to the loop that used it first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        if settings.transport is not None and not isinstance(settings.transport, httpx.AsyncBaseTransport):
            raise InvalidArgumentError("transport must be an httpx.AsyncBaseTransport", argument="transport")
        self._open()
        _pools.add(self)

    def _open(self) -> None:
        transport = self._settings.transport
        self._client = _make(httpx.AsyncClient, self._settings, transport)
        # the token fetch blocks in a thread of its own, so that it survives the loop and the task that began it
        self._shared: _Shared | None = None
        if transport is None or isinstance(transport, httpx.BaseTransport):
            self._shared = _Shared(_make(httpx.Client, self._settings, transport))

    def reopen(self) -> None:
        """Leaves loop and connections as they are, unclosed: after a fork they still belong to the parent."""
        self._inherited = (self._loop, self._client, self._shared)
        self._loop = None
        self._open()

    @property
    def needs_loop(self) -> bool:
        """Whether a token request is sent on the loop too: a transport of the user's may know no other way."""
        return self._shared is None

    def client(self) -> httpx.AsyncClient:
        """The HTTP client. Raises ClientStateError after `aclose()`, and on another loop than the first."""
        if self._closed:
            raise ClientStateError("this client is closed; make a new one")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise ClientStateError(
                "this client belongs to another event loop: make an AsyncOpenPayments in each (they share their token)"
            )
        return self._client

    def hold(self) -> Callable[[], None]:
        """Keeps the connections of a token fetch open, also after `aclose()`, until what this gives is called."""
        return _nothing if self._shared is None else self._shared.hold()

    async def within(self, seconds: float, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work. Raises TimeoutError if it takes longer, however slowly bytes drip in."""
        import anyio

        # httpcore tidies up under anyio's cancellation only: under asyncio's own it would lose connections for good. So
        # the work has a task that nobody but anyio cancels.
        scope = anyio.CancelScope(deadline=anyio.current_time() + seconds)

        async def working() -> T:
            with scope:
                return await work()
            raise TimeoutError

        task = asyncio.ensure_future(working())
        # who was cancelled does not ask how it ended, and asyncio complains about that
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            scope.cancel()
            await asyncio.wait([task])
            raise

    def post(
        self, url: str, *, headers: dict[str, str], content: str | bytes, timeout: httpx.Timeout
    ) -> httpx.Response:
        """Sends a token request; called from the token fetch's own thread. Raises httpx exceptions."""
        if self._shared is not None:
            return self._shared.post(url, headers=headers, content=content, timeout=timeout)
        assert self._loop is not None  # client() comes first
        loop = _Loop(self._loop, sum(limit or 0.0 for limit in timeout.as_dict().values()))
        request = self._client.build_request("POST", url, headers=headers, content=content, timeout=timeout)
        response = loop.run(self._client.send(request, stream=True))
        # its body comes decoded
        plain = [(name, value) for name, value in response.headers.multi_items() if name not in _ENCODING]
        return httpx.Response(response.status_code, headers=plain, stream=_Body(response, loop))

    async def in_thread(self, seconds: float, work: Callable[[], T]) -> T | None:
        """Does blocking work without blocking the loop; waits for so many seconds, and gives None when they are over.

        Who is cancelled leaves it to its thread: the end of the loop does not wait for it.
        """
        landed = threads.start(work, name="openpayments-oauth")
        landed.add_done_callback(_releasing(self.hold()))
        await threads.landing(landed, seconds)
        return landed.result() if landed.done() else None

    async def aclose(self) -> None:
        """Closes every connection. May be called again. Raises ClientStateError on another loop than the first."""
        if self._closed:
            return
        client = self.client()
        self._closed = True
        if self._shared is not None:
            self._shared.release()
        await client.aclose()


_ENCODING: Final = {"content-encoding", "content-length", "transfer-encoding"}


def _nothing() -> None:
    pass


def _releasing(release: Callable[[], None]) -> Callable[[object], None]:
    return lambda _: release()


class _Loop:
    """A loop as another thread sees it, which waits at most so many seconds for each thing it does there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Waits for it. Raises what it raises, and httpx.ReadTimeout when the loop has no time for it."""
        try:
            landed = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # the loop is closed
            work.close()
            raise
        futures.wait([landed], self._seconds)
        if not landed.done():
            landed.cancel()
            raise httpx.ReadTimeout("the event loop was busy or had stopped")
        return landed.result()


class _Body(httpx.SyncByteStream):
    """The body of an answer that came on a loop, read from another thread."""

    def __init__(self, response: httpx.Response, loop: _Loop) -> None:
        self._response = response
        self._loop = loop

    def __iter__(self) -> Iterator[bytes]:
        chunks = self._response.aiter_bytes()

        async def following() -> bytes | None:
            return await anext(chunks, None)

        while (chunk := self._loop.run(following())) is not None:
            yield chunk

    def close(self) -> None:
        self._loop.run(self._response.aclose())


_pools: weakref.WeakSet[Pool | AsyncPool] = weakref.WeakSet()


def _reopen_pools() -> None:
    for pool in list(_pools):
        pool.reopen()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reopen_pools)
