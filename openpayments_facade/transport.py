"""httpx clients: TLS and client certificate, proxy, pool. One pool serves the API calls and the token fetch.

Redirects are never followed: the token endpoint's would carry the secret to another host, the API has none.
"""

from __future__ import annotations

import asyncio
import functools
import os
import platform
import ssl
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import httpx

from .environments import is_loopback
from .errors import ClientStateError, ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from .config import Settings

__all__ = ["AsyncPool", "Pool", "user_agent"]


@functools.cache
def user_agent() -> str:
    """Who calls: us, httpx and Python, each with its version."""
    from . import __version__

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
    elif isinstance(verify, str | os.PathLike):
        path = Path(verify)
        try:
            context = ssl.create_default_context(**{"capath" if path.is_dir() else "cafile": str(path)})  # type: ignore[arg-type]
        except OSError as error:
            raise ConfigurationError(f"verify: {str(path)!r} can't be read as a CA bundle ({error})") from None
    else:
        raise InvalidArgumentError(
            "verify takes the path of a CA bundle or an SSL context; checking the server can't be switched off",
            argument="verify",
        )
    if cert is not None:
        certfile, keyfile, password = (*((cert,) if isinstance(cert, str | os.PathLike) else cert), None, None)[:3]
        try:
            # an empty password rather than None: OpenSSL would ask for one on the terminal
            context.load_cert_chain(str(certfile), str(keyfile) if keyfile else None, password or "")
        except OSError as error:
            raise ConfigurationError(
                f"client_cert: certificate or key can't be loaded ({type(error).__name__}: {error.strerror or error})"
            ) from None
    return context


def _arguments(settings: Settings) -> dict[str, Any]:
    hosts = {urlsplit(url).hostname for url in (settings.environment.auth_url, settings.environment.api_url)}
    try:
        proxy = httpx.Proxy(settings.proxy) if isinstance(settings.proxy, str) else settings.proxy
    except (ValueError, httpx.InvalidURL):
        raise ConfigurationError("proxy is not a URL such as http://proxy.example.com:3128") from None
    return {
        "verify": _ssl_context(settings),
        "limits": settings.limits or httpx.Limits(max_connections=100, max_keepalive_connections=20),
        "proxy": proxy,
        # None: straight to the host, whatever the environment says
        "mounts": {f"all://{host}": None for host in hosts if is_loopback(host)},
        "headers": {"Accept": "application/json", "User-Agent": user_agent()},
        "follow_redirects": False,
        # a cookie of one end user's answer must not go out with another's request
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    }


P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", httpx.Client, httpx.AsyncClient)


def _make(kind: type[C], settings: Settings, transport: Any) -> C:
    arguments = _arguments(settings)
    try:
        return kind(transport=transport, **arguments)
    except (ValueError, httpx.InvalidURL):
        # the value is not shown: it may carry a password
        raise ConfigurationError("a proxy of the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) is no URL") from None


class Pool:
    """The sync HTTP client of one facade client and the views made from it; new in a forked child."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closed = False
        if settings.transport is not None and not isinstance(settings.transport, httpx.BaseTransport):
            raise InvalidArgumentError("transport must be an httpx.BaseTransport", argument="transport")
        self._client = self._open()
        _pools.add(self)

    def _open(self) -> httpx.Client:
        return _make(httpx.Client, self._settings, self._settings.transport)

    def reopen(self) -> None:
        """Leaves the connections as they are, unclosed: after a fork they still belong to the parent."""
        self._inherited = self._client
        self._client = self._open()

    def client(self) -> httpx.Client:
        """The HTTP client. Raises ClientStateError after `close()`."""
        if self._closed:
            raise ClientStateError("this client is closed; make a new one")
        return self._client

    def post(self, url: str, *, headers: dict[str, str], content: str | bytes, timeout: float | None) -> httpx.Response:
        """Sends a token request; called from the token fetch's own thread. Raises httpx exceptions."""
        # not through client(): a fetch that is under way may end while its client is being closed
        return self._client.post(url, headers=headers, content=content, timeout=timeout)

    def within(self, _: float) -> AbstractContextManager[None]:
        """Nothing: what blocks can't be cut off. The time is looked at between two reads."""
        return nullcontext()

    def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does blocking work; here just so, where the caller is."""
        return work(*args, **kwargs)

    def close(self) -> None:
        """Closes every connection. May be called again."""
        self._closed = True
        self._client.close()


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
        self._sync: httpx.Client | None = None
        if transport is None or isinstance(transport, httpx.BaseTransport):
            self._sync = _make(httpx.Client, self._settings, transport)

    def reopen(self) -> None:
        """Leaves loop and connections as they are, unclosed: after a fork they still belong to the parent."""
        self._inherited = (self._loop, self._client, self._sync)
        self._loop = None
        self._open()

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

    def post(self, url: str, *, headers: dict[str, str], content: str | bytes, timeout: float | None) -> httpx.Response:
        """Sends a token request; called from the token fetch's own thread. Raises httpx exceptions."""
        if self._sync is not None:
            return self._sync.post(url, headers=headers, content=content, timeout=timeout)
        assert self._loop is not None  # client() comes first
        sending = self._client.post(url, headers=headers, content=content, timeout=timeout)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def within(self, seconds: float) -> asyncio.Timeout:
        """Ends what takes longer with TimeoutError, however slowly bytes drip in."""
        return asyncio.timeout(seconds)

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does blocking work without blocking the loop."""
        return await asyncio.to_thread(work, *args, **kwargs)

    async def aclose(self) -> None:
        """Closes every connection. May be called again. Raises ClientStateError on another loop than the first."""
        if self._closed:
            return
        client = self.client()
        self._closed = True
        if self._sync is not None:
            self._sync.close()
        await client.aclose()


_pools: weakref.WeakSet[Pool | AsyncPool] = weakref.WeakSet()


def _reopen_pools() -> None:
    for pool in list(_pools):
        pool.reopen()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reopen_pools)
