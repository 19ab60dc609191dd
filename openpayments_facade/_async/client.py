"""The client: what an application imports."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, Unpack, overload

from .._environ import settings_from_env
from .._protocol.operation import Operation
from .._protocol.options import CallOptions, Options
from .._redaction import hiding_arguments
from .._settings import ClientOptions, Settings
from ..scopes import PsuContext
from .sender import AsyncSender
from .session import AsyncSession

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Iterable
    from types import TracebackType
    from typing import NoReturn

    import httpx

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Endpoint, Failure
    from .._settings import ClientCert
    from ..environments import Environment
    from ..psu import Psu
    from ..scopes import ApiScope
    from ..tokens import OnTokenEvent, TokenStore
    from .aspsps import AsyncAspsps, AsyncRawAspsps
    from .bank import AsyncBank
    from .cities import AsyncCities, AsyncRawCities
    from .countries import AsyncCountries, AsyncRawCountries
    from .oauth import AsyncOAuth

P = ParamSpec("P")
T = TypeVar("T")


class AsyncOpenPayments:
    """A client of Open Payments. Make one for an application, share it, close it at the end.

        async with AsyncOpenPayments(client_id="...", client_secret="...") as op:
            banks = await op.aspsps.list(countries=["SE"])

    Arguments
        client_id, client_secret: from the Developer Portal.
        environment: "sandbox" (the default), "production", or an `Environment` with hosts of your own.
        api_scopes: what the application may use; ASPSP information if left out.
        psu_context: personal (`PsuContext.PRIVATE`, the default) or business accounts; None sends API scopes alone.
        timeout: seconds for each step of a request (connect, send, wait for bytes), or an `httpx.Timeout`.
        total_timeout: seconds for a whole call with token, retries and the waits between them. An async call is cut off
            then, a sync one when the read that it is in ends (`timeout`).
        max_retries: how often a request that may be sent twice is tried again after a failure.
        limits, proxy, transport: as httpx has them. A transport of your own switches proxies of the environment off.
        verify: path of a CA bundle, or an SSL context.
        client_cert: a PEM file, or (certificate, key), or (certificate, key, password); production asks for one
            (facts 00-overview, section 3). It is offered to both hosts.
        token_store: where tokens are shared: "memory" (the default: this process), "file:PATH", "redis://...", or a
            `TokenStore`.
        on_token_event: called with a `TokenEvent` when a token is fetched, adopted from the store, refused, or can't
            be had.

    The connection settings serve the token fetch too. The constructor does not read the environment; `from_env` does.
    Raises InvalidArgumentError or ConfigurationError, which name the argument.
    """

    @hiding_arguments
    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        environment: Environment | str | None = None,
        api_scopes: Iterable[ApiScope | str] | None = None,
        psu_context: PsuContext | str | None = PsuContext.PRIVATE,
        timeout: float | httpx.Timeout = 30.0,
        total_timeout: float = 90.0,
        max_retries: int = 2,
        limits: httpx.Limits | None = None,
        proxy: str | httpx.Proxy | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        client_cert: ClientCert | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        token_store: TokenStore | str | None = None,
        on_token_event: OnTokenEvent | None = None,
    ) -> None:
        settings = Settings.read(
            client_id=client_id,
            client_secret=client_secret,
            environment=environment,
            api_scopes=api_scopes,
            limits=limits,
            proxy=proxy,
            verify=verify,
            client_cert=client_cert,
            transport=transport,
            token_store=token_store,
            on_token_event=on_token_event,
        )
        options = Options.read(
            timeout=timeout, total_timeout=total_timeout, max_retries=max_retries, psu_context=psu_context
        )
        self._sender = AsyncSender(AsyncSession(settings, options), options)
        self._is_view = False

    @classmethod
    @hiding_arguments
    def from_env(cls, **overrides: Unpack[ClientOptions]) -> Self:
        """A client from the OPENPAYMENTS_* environment variables; arguments given here win.

        Raises ConfigurationError, which names the variables that are missing or contradict each other.
        """
        return cls(**settings_from_env(overrides))

    @cached_property
    def countries(self) -> AsyncCountries:
        """Countries that have banks."""
        from .countries import AsyncCountries

        return AsyncCountries(self._sender)

    @cached_property
    def cities(self) -> AsyncCities:
        """Cities."""
        from .cities import AsyncCities

        return AsyncCities(self._sender)

    @cached_property
    def aspsps(self) -> AsyncAspsps:
        """ASPSPs: the banks."""
        from .aspsps import AsyncAspsps

        return AsyncAspsps(self._sender)

    @cached_property
    def oauth(self) -> AsyncOAuth:
        """OAuth with a user in it."""
        from .oauth import AsyncOAuth

        return AsyncOAuth(self._sender)

    def at_bank(
        self,
        bic_fi: str,
        psu: Psu | None = None,
        *,
        affiliated_aspsp: str | None = None,
        redirect_preferred: bool | None = None,
    ) -> AsyncBank:
        """One bank for one user: `.consents` and `.accounts(consent_id)`. A value; sends nothing.

            bank = op.at_bank("ESSESESS", Psu(ip_address="203.0.113.7", id="example-user"))

        `psu` None is unattended access by nobody known. `affiliated_aspsp` is the id of a bank below the BIC,
        `redirect_preferred` whether the user shall authorise in the browser (True), in an app (False), or as the bank
        likes; banks want it the same for the life of a consent. Raises InvalidArgumentError, which names the argument;
        a missing scope is told by the first call.
        """
        from .._protocol.binding import bind
        from .bank import AsyncBank

        return AsyncBank(self._sender, bind(bic_fi, psu, affiliated_aspsp, redirect_preferred))

    @overload
    async def call(self, endpoint: Endpoint[P, Failure], *args: P.args, **kwargs: P.kwargs) -> None: ...

    @overload
    async def call(self, endpoint: Endpoint[P, T | Failure], *args: P.args, **kwargs: P.kwargs) -> T: ...

    async def call(self, endpoint: Endpoint[P, Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        """Any operation of the description, as a module of `openpayments_client.api` with its arguments.

            from openpayments_client.api.aspsp_information import get_countries_list
            (await op.call(get_countries_list, iso_country_codes=["SE"])).countries

        Token, request id, retries and errors are as everywhere. Raises InvalidArgumentError if an argument can't be
        sent; the endpoint's own arguments are not checked further.
        """
        return await self._sender.run(Operation.of(endpoint, *args, **kwargs))

    @property
    def with_raw_response(self) -> AsyncRawOpenPayments:
        """The same calls, each giving a `RawResponse`: parsed answer, status, headers, request id."""
        return AsyncRawOpenPayments(self._sender)

    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """This client with other options for some calls: timeout, total_timeout (seconds), max_retries, psu_context,
        request_id (a UUID), headers (added to those of earlier views).

            await op.with_options(timeout=5, max_retries=0).countries.list()

        It shares pool and tokens and has no life of its own: closing it does nothing.
        Raises InvalidArgumentError, which names the option.
        """
        view = object.__new__(type(self))
        view._sender = AsyncSender(self._sender.session, self._sender.options.but(**options))
        view._is_view = True
        return view

    async def access_token(self) -> str:
        """The bearer token that calls carry, for requests that you make yourself. Treat it as a secret.

        Raises AuthenticationError, InvalidScopeError, TokenError, ConnectionFailedError, TimedOutError.
        """
        options = self._sender.options
        token = await self._sender.session.tokens(options.psu_context).aget(options.total_timeout)
        return token.value.reveal()

    async def aclose(self) -> None:
        """Closes the connections; calls after it raise ClientStateError. May be called again."""
        if not self._is_view:
            await self._sender.session.aclose()

    async def __aenter__(self) -> Self:
        self._sender.session.pool.client()  # a closed one says so here
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        settings = self._sender.session.settings
        return f"<{type(self).__name__} {settings.environment.name} client_id={settings.client_id!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds connections and secrets and can't be pickled; make one in each process")


class AsyncRawOpenPayments:
    """`op.with_raw_response`."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    @property
    def countries(self) -> AsyncRawCountries:
        """Countries that have banks."""
        from .countries import AsyncRawCountries

        return AsyncRawCountries(self._sender)

    @property
    def cities(self) -> AsyncRawCities:
        """Cities."""
        from .cities import AsyncRawCities

        return AsyncRawCities(self._sender)

    @property
    def aspsps(self) -> AsyncRawAspsps:
        """ASPSPs: the banks."""
        from .aspsps import AsyncRawAspsps

        return AsyncRawAspsps(self._sender)

    @overload
    async def call(self, endpoint: Endpoint[P, Failure], *args: P.args, **kwargs: P.kwargs) -> RawResponse[None]: ...

    @overload
    async def call(self, endpoint: Endpoint[P, T | Failure], *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]: ...

    async def call(self, endpoint: Endpoint[P, Any], *args: P.args, **kwargs: P.kwargs) -> RawResponse[Any]:
        """Any operation of the description, as a module of `openpayments_client.api` with its arguments."""
        return await self._sender.run_raw(Operation.of(endpoint, *args, **kwargs))
