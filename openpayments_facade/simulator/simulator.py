"""The simulator as a Python object."""

from __future__ import annotations

import secrets
import shlex
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, Unpack

from .faults import Fault, Faults, JSONBody, Misbehaviour
from .hosts import Hosts
from .journal import Journal, RecordedRequest
from .server import ADDRESS, ServerThread, Tls
from .state import RULES, Provider, Rules
from .state.authorisations import Authorisations
from .state.consents import Consents, SimulatedConsent
from .state.credentials import API_SCOPES, AccessTokens, Application, Codes, RefreshTokens, read_api_scopes
from .state.fx_quotes import FxQuotes, SimulatedFxQuote
from .state.identifiers import derived_uuids
from .state.kyc import Kyc
from .state.ledger import Ledger
from .state.payments import Payments, SimulatedPayment
from .state.signing_baskets import SigningBaskets, SimulatedSigningBasket
from .state.users import courses
from .user_actions import approve, complete, decline, expire, issue_code, reject, revoke, revoke_tokens, settle, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from os import PathLike
    from types import TracebackType

    from openpayments_facade import AsyncOpenPayments, OpenPayments
    from openpayments_facade._settings import ClientOptions
    from openpayments_facade.environments import Environment

__all__ = ["Simulator"]


class Simulator:
    """The provider's two hosts on this machine's loopback interface, over real HTTP.

        with Simulator() as simulator, simulator.client() as op:
            op.countries.list()

    It answers requests whose `Host` is 127.0.0.1 or localhost (with `ssl_certfile` any), and none of other web pages in
    a browser on this machine; a proxy in front of it has to send such a `Host`. A body may have 1 MiB.

    It runs in a thread of its own, from `start()` or the beginning of the `with` block to `stop()` or its end. Its
    methods can be called from any thread.

    The docstring of `openpayments_facade.simulator` says what the rules of 2026 and of 2021 are; that of
    `openpayments_facade.simulator.state.banks` lists the banks and the headers that each requires; that of
    `openpayments_facade.simulator.state.users` lists the users whose authorisation fails, is exempted, never ends or
    needs that of somebody else, the one whose payments are rejected, and the user without cards.

    Args:
        rules: Whether to be as strict as the API of 2026, `"2026"`, or as mild as that of 2021, `"2021"`.
        client_id: The registered application's id. By default each simulator makes up its own, so that no two share a
            token.
        client_secret: Its secret; made up by default.
        api_scopes: The API scopes that the application is registered for. Others in a token request are refused with
            `invalid_scope`: without `aspspinformation` it is the newer auth host of the provider's sandbox (observed in
            2026).
        require_psu_context: Whether a token needs `private` or `corporate` (document 000) or not (document 001).
        require_kyc: Whether creating a payment in the PSU context corporate needs the KYC of the organisation, as in
            production.
        token_lifetime: Seconds that a token is valid.
        refresh_tokens: Whether a user's token comes with a refresh token (documents 002 and 004). No source shows the
            provider sending one.
        transactions: How many booked transactions each account has at first. As the clock advances there are more, at
            the same rate. Any number costs the same: they are made on demand.
        page_size: How many booked transactions a page has.
        newest_first: Whether lists begin with the newest booked transaction, instead of the oldest. No source says
            which of the two a bank does.
        seed: Determines accounts, balances and transactions, and the ids of what is created.
        decoupled_reads: The status read at which a decoupled authorisation succeeds by itself. With None it waits for
            `approve` or `decline`.
        plain_redirect: Whether banks with a redirect give a `scaRedirect` link, which comes back without a code.
        settlement: Seconds, on the clock, from the approval of a payment to its settlement.
        quote_lifetime: Seconds, on the clock, that an FX quote is valid.
        sandbox_flaws: Whether a payment is accepted after a failed authorisation, too, as in the provider's sandbox
            (observed in 2026).
        redirect_uris: The redirect URIs that the application has registered. By default any is accepted.
        auth_port: The auth host's port; 0 picks a free one.
        api_port: The API host's port; 0 picks a free one.
        clock: Returns the time in seconds since 1970. Replace it to let time pass.
        token_factory: Makes the strings of tokens and codes.
        ssl_certfile: A certificate (PEM). With it, the hosts serve https.
        ssl_keyfile: The certificate's key (PEM), if it is not in the same file.
        ssl_ca_certs: CAs (PEM). With them, only clients with a certificate of such a CA can connect.

    Raises:
        ValueError: `rules` or a scope is unknown, a credential is empty, a number is too small, or `ssl_certfile` is
            missing.
    """

    def __init__(
        self,
        *,
        rules: Rules = "2026",
        client_id: str | None = None,
        client_secret: str | None = None,
        api_scopes: Iterable[str] = API_SCOPES,
        require_psu_context: bool = True,
        require_kyc: bool = False,
        token_lifetime: int = 3600,
        refresh_tokens: bool = False,
        transactions: int = 100,
        page_size: int = 500,
        newest_first: bool = False,
        seed: int = 0,
        decoupled_reads: int | None = 3,
        plain_redirect: bool = False,
        settlement: float = 2.0,
        quote_lifetime: float = 600.0,
        sandbox_flaws: bool = False,
        redirect_uris: Iterable[str] | None = None,
        auth_port: int = 0,
        api_port: int = 0,
        clock: Callable[[], float] = time.time,
        token_factory: Callable[[], str] = secrets.token_urlsafe,
        ssl_certfile: str | PathLike[str] | None = None,
        ssl_keyfile: str | PathLike[str] | None = None,
        ssl_ca_certs: str | PathLike[str] | None = None,
    ) -> None:
        if client_id == "" or client_secret == "":
            raise ValueError("client_id and client_secret must not be empty")
        if rules not in RULES:
            raise ValueError(f"rules must be one of: {', '.join(RULES)}, not {rules!r}")
        numbers: dict[str, tuple[float, int]] = {
            "token_lifetime": (token_lifetime, 1),
            "transactions": (transactions, 0),
            "page_size": (page_size, 1),
            "settlement": (settlement, 0),
            "quote_lifetime": (quote_lifetime, 0),
        }
        if decoupled_reads is not None:
            numbers["decoupled_reads"] = (decoupled_reads, 1)
        for name, (number, least) in numbers.items():
            if number < least:
                raise ValueError(f"{name} must be {least} or more, not {number}")
        if ssl_certfile is None and (ssl_keyfile or ssl_ca_certs):
            raise ValueError("ssl_certfile is missing; ssl_keyfile and ssl_ca_certs require it")

        def now() -> datetime:
            return datetime.fromtimestamp(clock(), UTC)

        of_2026 = rules == "2026"
        new_id = derived_uuids(seed).__next__
        ledger = Ledger(seed=seed, transactions=transactions, today=now().date())
        self._application = Application(
            client_id=client_id or str(uuid.uuid4()),
            client_secret=client_secret or secrets.token_urlsafe(),
            api_scopes=read_api_scopes(api_scopes),
        )
        self._provider = Provider(
            of_2026=of_2026,
            application=self._application,
            tokens=AccessTokens(lifetime=token_lifetime, clock=clock, factory=token_factory),
            codes=Codes(clock=clock, factory=token_factory),
            refresh_tokens=RefreshTokens(clock=clock, factory=token_factory) if refresh_tokens else None,
            authorisations=Authorisations(
                new_id=new_id,
                decoupled_reads=decoupled_reads,
                courses=courses(of_2026=of_2026),
                of_2026=of_2026,
            ),
            consents=Consents(new_id=new_id, now=now),
            payments=Payments(
                new_id=new_id, now=now, ledger=ledger, settlement=settlement, sandbox_flaws=sandbox_flaws
            ),
            signing_baskets=SigningBaskets(new_id=new_id),
            fx_quotes=FxQuotes(new_id=new_id, now=now, lifetime=quote_lifetime),
            kyc=Kyc(new_id=new_id, now=now),
            ledger=ledger,
            now=now,
            auth_url=lambda: self.auth_url,
            require_psu_context=require_psu_context,
            require_kyc=require_kyc,
            page_size=page_size,
            newest_first=newest_first,
            plain_redirect=plain_redirect,
            redirect_uris=None if redirect_uris is None else frozenset(redirect_uris),
        )
        self._faults = Faults()
        self._journal = Journal()
        self._hosts = Hosts(self._provider, self._faults, self._journal)
        self._ports = (auth_port, api_port)
        self._tls = Tls(ssl_certfile, ssl_keyfile, ssl_ca_certs)
        self._server: ServerThread | None = None
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Starts both hosts. When it returns, they answer.

        Returns:
            The simulator itself.

        Raises:
            OSError: A port is taken.
            RuntimeError: The simulator is already running.
        """
        with self._lock:
            if self._server is not None:
                raise RuntimeError("the simulator is already running")
            auth_port, api_port = self._ports
            self._server = ServerThread(self._hosts, auth_port=auth_port, api_port=api_port, tls=self._tls)
        return self

    def stop(self) -> None:
        """Stops both hosts, closes all connections. All state, journal and faults stay for a new `start()`."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.stop()

    def wait(self) -> None:
        """Blocks until Ctrl-C, or until another thread calls `stop()`.

        Raises:
            RuntimeError: The simulator is not running.
        """
        server = self._running()
        try:
            while not server.join(timeout=0.5):
                pass
        except KeyboardInterrupt:
            pass

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if not vars(self):  # error reporters also show what `__init__` has refused
            return "<Simulator, not yet made>"
        server = self._server
        state = "stopped" if server is None else f"auth_url={self._url(server.auth_port)!r}, "
        if server is not None:
            state += f"api_url={self._url(server.api_port)!r}"
        return f"<Simulator client_id={self.client_id!r}, {state}>"

    @property
    def client_id(self) -> str:
        """The registered application's id."""
        return self._application.client_id

    @property
    def client_secret(self) -> str:
        """The registered application's secret."""
        return self._application.client_secret

    @property
    def auth_url(self) -> str:
        """The auth host's origin, such as `http://127.0.0.1:40001`.

        Raises:
            RuntimeError: The simulator is not running.
        """
        return self._url(self._running().auth_port)

    @property
    def api_url(self) -> str:
        """The API host's origin, such as `http://127.0.0.1:40002`.

        Raises:
            RuntimeError: The simulator is not running.
        """
        return self._url(self._running().api_port)

    @property
    def environment(self) -> Environment:
        """Both hosts, for the `environment` of a client.

        Raises:
            RuntimeError: The simulator is not running.
        """
        from openpayments_facade.environments import Environment

        return Environment(name="simulator", auth_url=self.auth_url, api_url=self.api_url)

    def client(self, **overrides: Unpack[ClientOptions]) -> OpenPayments:
        """A client connected to this simulator, with all API scopes of the registered application.

        Args:
            overrides: Arguments of `OpenPayments`, to add or to replace.

        Returns:
            The client. Close it, or use it in a `with` block.

        Raises:
            RuntimeError: The simulator is not running.
        """
        from openpayments_facade import OpenPayments

        return OpenPayments(**self._arguments(overrides))

    def async_client(self, **overrides: Unpack[ClientOptions]) -> AsyncOpenPayments:
        """An async client connected to this simulator, with all API scopes of the registered application.

        Args:
            overrides: Arguments of `AsyncOpenPayments`, to add or to replace.

        Returns:
            The client. Close it, or use it in an `async with` block.

        Raises:
            RuntimeError: The simulator is not running.
        """
        from openpayments_facade import AsyncOpenPayments

        return AsyncOpenPayments(**self._arguments(overrides))

    def exports(self) -> list[str]:
        """Shell commands that set the variables with which `OpenPayments.from_env()` finds this simulator.

        Returns:
            Lines such as `export OPENPAYMENTS_API_URL=http://127.0.0.1:40002`. One contains the secret.

        Raises:
            RuntimeError: The simulator is not running.
        """
        variables = {
            "OPENPAYMENTS_CLIENT_ID": self.client_id,
            "OPENPAYMENTS_CLIENT_SECRET": self.client_secret,
            "OPENPAYMENTS_AUTH_URL": self.auth_url,
            "OPENPAYMENTS_API_URL": self.api_url,
        }
        return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]

    def misbehave(
        self,
        path: str = "/",
        *,
        method: str | None = None,
        times: int | None = 1,
        delay: float = 0.0,
        status: int | None = None,
        body: str | bytes | JSONBody | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        change: Mapping[str, Any] | None = None,
        without: Collection[str] | None = None,
        code: str | None = None,
        close: bool = False,
        truncate: int | None = None,
        carried_out: bool = False,
    ) -> Misbehaviour:
        """Makes the next requests go wrong. If several faults match a request, the oldest applies.

        | wanted | arguments |
        |---|---|
        | a slow answer | `delay=2.5` |
        | an expired token, as documented | `code="TOKEN_EXPIRED"` |
        | 401 without a readable reason | `status=401` |
        | too many requests | `status=429, headers={"Retry-After": "2"}` |
        | a failing provider | `status=500` |
        | HTML from a gateway | `status=502, body="<h1>Bad gateway</h1>", content_type="text/html"` |
        | an empty body, a list, JSON cut short | `body=""`, `body=[]`, `truncate=20` |
        | no answer, though the request is carried out | `close=True, carried_out=True` |
        | a failing gateway, though the request is carried out | `status=502, carried_out=True` |
        | no answer, half an answer | `close=True`, `close=True, truncate=20` |
        | an odd value, a field that is missing | `change={"scaStatus": "started"}`, `without=["scaMethods"]` |

        Args:
            path: A path, which includes all paths below it, or a pattern with `*`. Paths match whole segments:
                `/psd2/consent`, not `/psd2/con`.
            method: The HTTP method; any by default.
            times: How many requests go wrong; None for all until it is cancelled.
            delay: Seconds to wait first.
            status: The status of the answer.
            body: The body of the answer; an object or a list is sent as JSON.
            content_type: The Content-Type of the answer.
            headers: Further headers of the answer.
            change: Fields to set in the JSON object of the answer: wherever one of that name stands, and at the top if
                there is none. All else in it stays.
            without: Fields to leave out of the JSON object of the answer, wherever they stand.
            code: An error code; the answer has the documented error body and the usual status.
            close: Whether to close the connection without an answer or, with `truncate`, in the middle of one.
            truncate: The number of bytes after which the body is cut.
            carried_out: Whether the request is carried out, though its answer is lost or replaced. With half an answer
                it always is.

        Returns:
            The active fault: `used` counts its requests, `cancel()` removes it.

        Raises:
            ValueError: An argument is wrong; the message names it.
        """
        return self._faults.add(
            Fault(
                path=path,
                method=method,
                times=times,
                delay=delay,
                status=status,
                body=body,
                content_type=content_type,
                headers=headers,
                change=change,
                without=without,
                code=code,
                close=close,
                truncate=truncate,
                carried_out=carried_out,
            )
        )

    def behave(self) -> None:
        """Removes all faults."""
        self._faults.clear()

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last 10,000 requests in order of arrival, without those to `/simulator/...`."""
        return self._journal.requests

    @property
    def token_requests(self) -> int:
        """How many token requests came in, including refused ones."""
        return self._journal.token_requests

    def reset(self) -> None:
        """Empties the journal and removes all faults. Tokens, consents, payments and so on stay as they are."""
        self._faults.clear()
        self._journal.clear()

    def revoke_tokens(self) -> None:
        """Revokes all tokens that were issued so far, including refresh tokens.

        `POST /simulator/tokens/revoke` does the same.
        """
        revoke_tokens(self._provider)

    @property
    def consents(self) -> list[SimulatedConsent]:
        """The consents as they are now, in order of creation. `GET /simulator/consents` returns the same."""
        with self._provider.lock:
            return self._provider.consents.views()

    @property
    def payments(self) -> list[SimulatedPayment]:
        """The payments as they are now, in order of creation. `GET /simulator/payments` returns the same."""
        with self._provider.lock:
            return self._provider.payments.views()

    @property
    def signing_baskets(self) -> list[SimulatedSigningBasket]:
        """The signing baskets as they are now, as `GET /simulator/signing-baskets` returns them."""
        with self._provider.lock:
            return self._provider.signing_baskets.views()

    @property
    def fx_quotes(self) -> list[SimulatedFxQuote]:
        """The FX quotes as they are now, in order of creation. `GET /simulator/fx-quotes` returns the same."""
        with self._provider.lock:
            return self._provider.fx_quotes.views()

    def approve(self, identifier: str) -> None:
        """Plays the user who approves: a consent becomes valid, a payment is accepted, whatever its bank's approach is.

        If somebody else has to sign, too, a consent becomes `partiallyAuthorised` and a payment `PATC`. Another call
        with its id plays that other user. A payment whose cancellation is approved becomes `CANC`. The payments of a
        signing basket are approved with it.

        `POST /simulator/consents/{identifier}/approve` does the same, and so do `/simulator/payments/...` and
        `/simulator/signing-baskets/...`; likewise for `decline`, `expire`, `revoke`, `reject` and `settle`.

        Args:
            identifier: The id of a consent, payment or basket, or of one of its authorisations, or of one of those of a
                payment's cancellation.

        Raises:
            LookupError: There is nothing with this id.
            ValueError: It is not waiting for its user.
        """
        approve(self._provider, identifier)

    def decline(self, identifier: str) -> None:
        """Plays the user who declines: a consent is rejected; a payment stays as it is, and so does one to cancel.

        Args:
            identifier: As in `approve`.

        Raises:
            LookupError: There is nothing with this id.
            ValueError: It is not waiting for its user.
        """
        decline(self._provider, identifier)

    def reject_payment(self, payment_id: str) -> None:
        """Plays a bank that rejects a payment: it becomes `RJCT`.

        Args:
            payment_id: The payment's id.

        Raises:
            LookupError: There is no such payment.
            ValueError: It has already ended.
        """
        reject(self._provider, payment_id)

    def settle_payment(self, payment_id: str) -> None:
        """Plays a bank that settles an approved payment at once: it becomes `ACSC`.

        Args:
            payment_id: The payment's id.

        Raises:
            LookupError: There is no such payment.
            ValueError: It is not `ACSP`.
        """
        settle(self._provider, payment_id)

    def complete_kyc(self, corporate_id: str) -> None:
        """Plays the organisation that completes its KYC: it is `Valid` for a year.

        `POST /simulator/kyc/{corporate_id}/complete` does the same.

        Args:
            corporate_id: The organisation's id, with or without a hyphen.
        """
        complete(self._provider, corporate_id)

    def expire_consent(self, consent_id: str) -> None:
        """Lets a consent expire, as if its last day had passed.

        Args:
            consent_id: The consent's id.

        Raises:
            LookupError: There is no such consent.
            ValueError: It has already ended.
        """
        expire(self._provider, consent_id)

    def revoke_consent(self, consent_id: str) -> None:
        """Plays the user who withdraws a consent at the bank.

        Args:
            consent_id: The consent's id.

        Raises:
            LookupError: There is no such consent.
            ValueError: It is not valid.
        """
        revoke(self._provider, consent_id)

    def visit(self, url: str, *, approve: bool = True) -> str:
        """Plays the user and the browser: opens a redirect link, and presses a button on the page.

        Args:
            url: The link, with its placeholders filled in.
            approve: Whether to press Approve or Decline.

        Returns:
            The address that the browser is sent to: the redirect URI with `code`, `scope` and `state`, or with `error`
            and `state`.

        Raises:
            ValueError: The page refuses the link, or the bank does not answer this user.
        """
        return visit(self._provider, url, approved=approve)

    def issue_code(
        self,
        *,
        redirect_uri: str,
        authorisation_id: str,
        consent_id: str | None = None,
        payment_id: str | None = None,
        scope: str | None = None,
    ) -> str:
        """Issues an authorization code, as if a user had just approved. `POST /simulator/codes` does the same.

        It works once, within ten minutes, for a token request with this redirect URI and with headers that name this
        consent or payment and this authorisation. These need not exist.

        Args:
            redirect_uri: The redirect URI that the browser came back to.
            authorisation_id: The id of the authorisation.
            consent_id: The id of the approved consent; this or `payment_id`.
            payment_id: The id of the approved payment; this or `consent_id`.
            scope: The approved scope; by default `accountinformation private` or `paymentinitiation private`.

        Returns:
            The code.

        Raises:
            ValueError: An argument is wrong; the message names it.
        """
        return issue_code(
            self._provider,
            redirect_uri=redirect_uri,
            authorisation_id=authorisation_id,
            consent_id=consent_id,
            payment_id=payment_id,
            scope=scope,
        )

    def _running(self) -> ServerThread:
        server = self._server
        if server is None:
            raise RuntimeError("the simulator is not running; use `with Simulator() as simulator`, or start()")
        return server

    def _url(self, port: int) -> str:
        return f"{'https' if self._tls.certfile else 'http'}://{ADDRESS}:{port}"

    def _arguments(self, overrides: ClientOptions) -> Any:
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "environment": self.environment,
            "api_scopes": self._application.api_scopes,
            **overrides,
        }
