# Written by `make unasync` from openpayments_facade/_async/client.py; do not edit.
"""The client: what an application imports."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Self, TypeVar, Unpack

from .._protocol.sizes import LONGEST_ANSWER
from .._redaction import careful, hiding_arguments

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Iterable, Mapping

    import httpx
    from openpayments_client import models

    from .._protocol.answer import RawResponse
    from .._protocol.arguments import AnyAspsp
    from .._protocol.operation import Endpoint
    from .._protocol.options import CallOptions
    from .._settings import ClientCert, ClientOptions
    from ..environments import Environment
    from ..psu import Psu
    from ..scopes import ApiScope, PsuContext
    from ..tokens import AccessToken, OnTokenEvent, TokenStore
    from .aspsp_information import (
        Aspsps,
        Cities,
        Countries,
        RawAspsps,
        RawCities,
        RawCountries,
    )
    from .bank import Bank
    from .kyc import Kyc, RawKyc
    from .oauth import OAuth

P = ParamSpec("P")
T = TypeVar("T")


class OpenPayments:
    """A client for Open Payments. Create one per application, share it, and close it at the end.

        with OpenPayments(client_id="...", client_secret="...") as op:
            banks = op.aspsps.list(countries=["SE"])

    Its services are `countries`, `cities` and `aspsps`; `at_bank(...)` has those of one bank, `oauth` is for tokens of
    users, and `call(...)` reaches everything else.

    The connection settings also apply to token requests. The constructor does not read environment variables;
    `from_env` does.

    Args:
        client_id: The application's client id, from the Developer Portal.
        client_secret: Its client secret, from the Developer Portal.
        environment: "sandbox" (the default), "sandbox-oauth" (the same with its newer auth host), "production", or an
            `Environment` with hosts of your own.
        api_scopes: What the application may use. By default ASPSP information; in "sandbox-oauth" account information,
            which reads banks there.
        psu_context: Personal (`PsuContext.PRIVATE`, the default) or business accounts. None requests the API scopes
            alone. A call that is possible in one context alone takes a token with that one.
        timeout: Seconds for each step of a request (connecting, sending, waiting for data), or an `httpx.Timeout`.
        total_timeout: Seconds for a whole call, including the token, retries and the pauses between them. Looking up a
            host's name and a `transport` of your own are not cut off in a sync call.
        max_retries: How many times a failed request is retried, if it is safe to send twice. The same for the token.
        max_response_size: The bytes that a successful answer may have, decoded; by default 32 MiB. A longer one is an
            UnreadableResponseError (after a creation an OutcomeUnknownError), and is not read to its end.
        limits: The size of the connection pool, as an `httpx.Limits`. What must not be sent twice goes over connections
            beside the pool, each for one request; there are as many of them at most.
        proxy: A proxy's URL, or an `httpx.Proxy`.
        verify: The path of a CA bundle, or an SSL context.
        client_cert: A PEM file, or (certificate, key), or (certificate, key, password); or PKCS#12: a file that ends in
            `.p12` or `.pfx`, or (that file, password), with the extra `pkcs12`. Production requires one (the provider's
            guide of 2021). It is offered to both hosts.
        transport: An httpx transport to send with. With your own, proxies from the environment are ignored, and what
            the SDK does about leftovers on a connection and about request ids is left to it. Only of httpx's own
            transports is it believed that a connection was never made: with another one, a payment is not sent again
            then, but an OutcomeUnknownError.
        check_request_ids: Whether an answer that repeats another X-Request-ID than was sent is refused, because it
            belongs to another request. False for a gateway that writes ids of its own.
        token_store: Where tokens are shared: "memory" (the default: within this process), "file:PATH", "redis://...",
            or a `TokenStore`.
        on_token_event: Called with a `TokenEvent` when a token is fetched, adopted from the store or rejected, and
            when fetching one fails.

    Raises:
        InvalidArgumentError: An argument is wrong; the message names it.
        ConfigurationError: A setting is wrong; the message names it.
    """

    @hiding_arguments
    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        environment: Environment | str | None = None,
        api_scopes: Iterable[ApiScope | str] | None = None,
        psu_context: PsuContext | str | None = "private",
        timeout: float | httpx.Timeout = 30.0,
        total_timeout: float = 90.0,
        max_retries: int = 2,
        max_response_size: int = LONGEST_ANSWER,
        limits: httpx.Limits | None = None,
        proxy: str | httpx.Proxy | None = None,
        verify: str | os.PathLike[str] | ssl.SSLContext | None = None,
        client_cert: ClientCert | None = None,
        transport: httpx.BaseTransport | None = None,
        check_request_ids: bool = True,
        token_store: TokenStore | str | None = None,
        on_token_event: OnTokenEvent | None = None,
    ) -> None:
        given = dict(locals())
        from .sender import Sender

        self._sender = Sender.of(given)
        self._is_view = False

    @classmethod
    @hiding_arguments
    def from_env(cls, **overrides: Unpack[ClientOptions]) -> Self:
        """Creates a client from the OPENPAYMENTS_* environment variables.

        Args:
            overrides: Arguments of the constructor. They win over the variables.

        Returns:
            The client.

        Raises:
            ConfigurationError: Variables are missing, wrong, or contradict each other; the message names them.
            InvalidArgumentError: An override is wrong; the message names it.
        """
        from .._environ import arguments_from_env

        return cls(**arguments_from_env(overrides))

    @property
    def environment(self) -> Environment:
        """The hosts that calls go to."""
        return self._sender.session.settings.environment

    @property
    def api_scopes(self) -> tuple[ApiScope, ...]:
        """What the application may use."""
        return self._sender.session.settings.api_scopes

    @property
    def psu_context(self) -> PsuContext | None:
        """Personal or business accounts; None if the API scopes are requested alone."""
        return self._sender.options.psu_context

    @cached_property
    def countries(self) -> Countries:
        """Countries that have banks."""
        from .aspsp_information import Countries

        return Countries(self._sender)

    @cached_property
    def cities(self) -> Cities:
        """Cities that have banks."""
        from .aspsp_information import Cities

        return Cities(self._sender)

    @cached_property
    def aspsps(self) -> Aspsps:
        """ASPSPs: the banks."""
        from .aspsp_information import Aspsps

        return Aspsps(self._sender)

    @cached_property
    def kyc(self) -> Kyc:
        """KYC: what an organisation has to prove before it pays."""
        from .kyc import Kyc

        return Kyc(self._sender)

    @cached_property
    def oauth(self) -> OAuth:
        """OAuth that involves the user: redirect link, callback, code exchange, refresh."""
        from .oauth import OAuth

        return OAuth(self._sender)

    @hiding_arguments
    def at_bank(
        self,
        bic_fi: AnyAspsp,
        psu: Psu | None = None,
        *,
        affiliated_aspsp: str | models.AffiliatedAspsp | None = None,
        redirect_preferred: bool | None = None,
    ) -> Bank:
        """One bank for one user: `.consents`, `.accounts(consent)`, `.cards(consent)`, `.call` and `.request`.

            user = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
            bank = op.at_bank("ESSESESS", user)

        Sends nothing. Every call made with it carries all of the arguments.

        Args:
            bic_fi: The bank's BIC (ISO 9362; small letters and blanks are put right), or the bank from `aspsps`.
            psu: The user. Without `psu`, access is unattended and anonymous.
            affiliated_aspsp: A bank that shares the BIC, from `aspsps.get(bic_fi).affiliated_aspsps`, or its id.
            redirect_preferred: True to have the user authorise in the browser, False in an app. None sends the same as
                False: the provider requires the header. Keep it the same for the life of a consent.

        Returns:
            The bank.

        Raises:
            InvalidArgumentError: An argument is wrong; the message names it. A missing API scope is only reported by
                the first call.
        """
        from .._protocol.binding import bind
        from .bank import Bank

        return Bank(self._sender, bind(bic_fi, psu, affiliated_aspsp, redirect_preferred))

    @hiding_arguments
    def call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls any operation of the API host, including those that no service wraps.

            from openpayments_client.api.aspsp_information import get_countries_list
            op.call(get_countries_list, iso_country_codes=["SE"]).countries

        Token, request id, retries and errors work as for every other call.

        Args:
            endpoint: The operation, a module of `openpayments_client.api`.
            args: The operation's positional arguments.
            kwargs: Its other arguments.

        Returns:
            The model that the description gives for a successful answer; None for one without a body.

        Raises:
            InvalidArgumentError: An argument is missing or breaks a rule of the description; the message names it.
            MissingScopeError: The client lacks the API scope; nothing was sent.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            RequestError: The API or the token endpoint answered with an error, or there is no usable answer.
        """
        from .._protocol.operation import Operation

        return self._sender.run(Operation.of(endpoint, *args, **kwargs))

    @hiding_arguments
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        scope: str | None = None,
    ) -> RawResponse[Any]:
        """Sends a request that the SDK does not know, such as an operation that is newer than the SDK.

            answer = op.request("GET", "/psd2/aspspinformation/v1/aspsps", params={"isoCountryCodes": ["SE"]})
            answer.json["aspsps"]

        Token, request id, retries, logs and errors work as for every other call; only GET and HEAD are sent twice.

        Args:
            method: The HTTP method.
            path: The path on the API host, quoted, such as "/psd2/...".
            params: The query. A list goes comma-separated, and None is left out.
            json: The body: a model, or what JSON can hold.
            headers: Further headers.
            scope: The API scopes that the token must have, separated by spaces, such as "paymentinitiation"; with a PSU
                context, such as "paymentinitiation corporate", the token of that context is sent. By default nothing
                is checked.

        Returns:
            The answer, with `.content`, `.json`, status and headers. `.parsed` is its JSON, if it is JSON.

        Raises:
            InvalidArgumentError: An argument is wrong; the message names it.
            MissingScopeError: The client lacks an API scope; nothing was sent.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            RequestError: The API or the token endpoint answered with an error, or there is no usable answer.
        """
        from .._protocol.request import read_request

        operation = read_request(method, path, params=params, json=json, headers=headers, scope=scope)
        return self._sender.run_raw(operation)

    @property
    def with_raw_response(self) -> RawOpenPayments:
        """The same calls, each giving a `RawResponse`: parsed answer, status, headers, request id."""
        return RawOpenPayments(self)

    @hiding_arguments
    def with_options(self, **options: Unpack[CallOptions]) -> Self:
        """This client with other options for some calls. It shares connections and tokens; closing it does nothing.

            op.with_options(timeout=5, max_retries=0).countries.list()

        Args:
            options: `timeout` and `total_timeout` (seconds), `max_retries`, `max_response_size` (bytes) and
                `psu_context` as in the constructor, `request_id` (a UUID), and `headers`, which are added to those set
                before.

        Returns:
            The client with these options.

        Raises:
            InvalidArgumentError: An option is unknown or wrong; the message names it.
        """
        view = object.__new__(type(self))
        view._sender = self._sender.replace(**options)
        view._is_view = True
        return view

    @hiding_arguments
    def access_token(self) -> str:
        """The bearer token that calls carry, for requests that you make yourself. Treat it as a secret.

        Returns:
            The token in the clear.

        Raises:
            TokenError: The token endpoint refused; AuthenticationError and InvalidScopeError say why.
            ConnectionFailedError: The token endpoint can't be reached.
            TimedOutError: It did not answer in time.
            UnreadableResponseError: Its answer is not a token.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        """
        return self.token().value.reveal()

    @hiding_arguments
    def token(self) -> AccessToken:
        """The token that calls carry, masked. It is fetched if there is none.

        Returns:
            Its scope, the scopes that were not granted (`missing`), and when it expires (`expires_at`, in seconds
            since the epoch).

        Raises:
            TokenError: The token endpoint refused; AuthenticationError and InvalidScopeError say why.
            ConnectionFailedError: The token endpoint can't be reached.
            TimedOutError: It did not answer in time.
            UnreadableResponseError: Its answer is not a token.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        """
        options = self._sender.options
        tokens = self._sender.session.tokens(options.psu_context)
        return tokens.get(options.total_timeout, options.max_retries)

    def close(self) -> None:
        """Closes the connections; later calls raise ClientStateError. Closing twice does no harm."""
        if not self._is_view:
            self._sender.session.close()

    def __enter__(self) -> Self:
        self._sender.session.pool.client()  # raises if the client is closed
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @careful
    def __repr__(self) -> str:
        settings = self._sender.session.settings
        return f"<{type(self).__name__} {settings.environment.name} client_id={settings.client_id!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can't be pickled or copied: it has connections and secrets; create one per process")


class RawOpenPayments:
    """`op.with_raw_response`: the same calls, each giving a `RawResponse`."""

    def __init__(self, client: OpenPayments) -> None:
        self._client = client

    @cached_property
    def countries(self) -> RawCountries:
        """Countries that have banks."""
        from .aspsp_information import RawCountries

        return RawCountries(self._client.countries)

    @cached_property
    def cities(self) -> RawCities:
        """Cities that have banks."""
        from .aspsp_information import RawCities

        return RawCities(self._client.cities)

    @cached_property
    def aspsps(self) -> RawAspsps:
        """ASPSPs: the banks."""
        from .aspsp_information import RawAspsps

        return RawAspsps(self._client.aspsps)

    @cached_property
    def kyc(self) -> RawKyc:
        """KYC: what an organisation has to prove before it pays."""
        from .kyc import RawKyc

        return RawKyc(self._client.kyc)

    @hiding_arguments
    def call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        """Calls any operation of the API host, as `op.call` does."""
        from .._protocol.operation import Operation

        return self._client._sender.run_raw(Operation.of(endpoint, *args, **kwargs))
