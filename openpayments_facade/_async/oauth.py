"""OAuth with a user in it: the link, the callback, the code, the refresh (facts 10-auth, sections 1.2 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec

from openpayments_client.operations import OPERATIONS

from .. import request_ids
from .._checks import check
from .._protocol.options import merge_headers
from .._protocol.redirect import Callback, RedirectUrl, fill_redirect_url, read_callback, read_code, read_redirect_uri
from .._redaction import Secret, hiding_arguments
from ..errors import InvalidArgumentError, OutcomeUnknownError
from ..scopes import ApiScope, check_scope, compose
from ..tokens.fetcher import Limits
from ..tokens.user import UserToken, exchange_code, refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..tokens import TokenFetcher
    from .sender import AsyncSender

P = ParamSpec("P")


class AsyncOAuth:
    """`op.oauth`. The tokens that it gives belong to you: they are not kept, and not used for later calls."""

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    @hiding_arguments
    def redirect_url(self, template: str, *, redirect_uri: str, state: str | None = None) -> RedirectUrl:
        """The address to send the user's browser to, from the link that the API gave (`_links.scaOAuth`).

            url = op.oauth.redirect_url(link, redirect_uri="https://app.example.com/callback")
            session["state"] = url.state

        Without a `state` an unguessable one is made. Nothing is sent. Raises InvalidArgumentError, which names the
        argument, if the link is not on the environment's auth host or can't be filled.
        """
        settings = self._sender.session.settings
        return fill_redirect_url(
            template,
            environment=settings.environment,
            client_id=settings.client_id,
            redirect_uri=redirect_uri,
            state=state,
        )

    def read_callback(self, url: str, *, state: str) -> Callback:
        """Reads the address that the browser came back to: `code` is None after a plain redirect.

        Nothing is sent. Raises InvalidArgumentError if the state is not the one that went out, and
        AuthorisationFailedError if the callback brings an error.
        """
        hidden_url, hidden_state = Secret(url), Secret(state)
        del url, state  # no frame that an error leads to shall show them
        return read_callback(hidden_url.reveal(), state=hidden_state.reveal())

    async def exchange_code(
        self,
        *,
        code: str,
        redirect_uri: str,
        authorisation_id: str,
        consent_id: str | None = None,
        payment_id: str | None = None,
    ) -> UserToken:
        """Completes an OAuth redirect: exchanges the code for the authorisation of a consent or of a payment.

        `redirect_uri` is the one that the browser was sent to. Name the consent or the payment, not both. A code can be
        used once, so this is never sent twice. Raises InvalidArgumentError or MissingScopeError before anything is
        sent, ReauthorisationRequiredError if the code is wrong, used or too old, OutcomeUnknownError if no answer came,
        TokenError, ConnectionFailedError, TimedOutError, UnreadableResponseError.
        """
        secret_code = read_code(code)
        del code  # no frame that an error leads to shall show it
        if isinstance(secret_code, InvalidArgumentError):
            raise secret_code
        if (consent_id is None) == (payment_id is None):
            raise InvalidArgumentError("give consent_id or payment_id, one of them", argument="consent_id")
        kind, id_ = ("consent", consent_id) if consent_id is not None else ("payment", payment_id)
        scope = ApiScope.ACCOUNT_INFORMATION if kind == "consent" else ApiScope.PAYMENT_INITIATION
        ids = {f"{kind}_id": id_, f"{kind}_authorisation_id": authorisation_id}
        headers: dict[str, str] = {}
        for name, value in ids.items():
            rule = OPERATIONS["create_token"].arguments[f"x_{name}"]
            check(rule, value, name if name.startswith(f"{kind}_id") else "authorisation_id")
            headers[rule.name] = str(value)
        session, options = self._sender.session, self._sender.options
        check_scope([[scope]], session.settings.api_scopes, "exchange_code")
        return await self._ask(
            exchange_code,
            code=secret_code,
            redirect_uri=read_redirect_uri(redirect_uri),
            # sources differ on the scope here; API scope plus context (facts 10-auth, section 1.2)
            scope=compose([scope], options.psu_context),
            headers=merge_headers(options.headers, headers),
        )

    async def refresh(self, token: UserToken) -> UserToken:
        """A new token for an old one's refresh token (RFC 6749, section 6; document 004).

        A refresh token may be good for one use, so this is never sent twice: keep the new token at once. Raises
        InvalidArgumentError if the token has no refresh token, ReauthorisationRequiredError if it is refused for good,
        OutcomeUnknownError if no answer came, TokenError, ConnectionFailedError, TimedOutError,
        UnreadableResponseError.
        """
        if not isinstance(token, UserToken):
            del token
            raise InvalidArgumentError("token must be a UserToken", argument="token")
        return await self._ask(refresh, token, headers=self._sender.options.headers)

    async def _ask(
        self, grant: Callable[Concatenate[TokenFetcher, Limits, P], UserToken], *args: P.args, **kwargs: P.kwargs
    ) -> UserToken:
        session, options = self._sender.session, self._sender.options
        session.check_open()
        limits = Limits(options.timeout, options.total_timeout, request_ids.new_request_id())
        token = await session.pool.in_thread(
            options.total_timeout, lambda: grant(session.fetcher, limits, *args, **kwargs)
        )
        if token is None:
            raise OutcomeUnknownError(
                f"No answer came within the total_timeout of {options.total_timeout:g} s, so nobody knows whether it "
                "was used up",
                request_id=limits.request_id,
                method="POST",
                url=session.fetcher.token_url,
            )
        return token
