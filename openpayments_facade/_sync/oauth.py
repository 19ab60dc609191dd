# Written by `make unasync` from openpayments_facade/_async/oauth.py; do not edit.
"""OAuth with a user in it: the link, the callback, the code, the refresh (the provider's guide of 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from openpayments_client.operations import OPERATIONS

from .._checks import check, refuse
from .._protocol.options import merge_headers
from .._protocol.redirect import Callback, RedirectUrl, fill_redirect_url, read_callback, read_code, read_redirect_uri
from .._redaction import hiding_arguments
from ..errors import InvalidArgumentError
from ..scopes import ApiScope, check_scope, compose
from ..tokens.user import UserToken, read_user_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sender import Sender


class OAuth:
    """`op.oauth`. The tokens that it gives belong to you: they are not kept, and not used for later calls."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @hiding_arguments
    def redirect_url(self, template: str, *, redirect_uri: str, state: str | None = None) -> RedirectUrl:
        """The address to send the user's browser to, from the link that the API gave (`_links.scaOAuth`).

            url = op.oauth.redirect_url(link, redirect_uri="https://app.example.com/callback")
            session["state"] = url.state

        Nothing is sent.

        Args:
            template: The link as it came, with its placeholders.
            redirect_uri: Where the browser comes back to; whitelisted on the application.
            state: What tells whose callback comes back; an unguessable one is made if it is left out.

        Raises:
            InvalidArgumentError: The link is not on the environment's auth host, or can't be filled.
        """
        settings = self._sender.session.settings
        return fill_redirect_url(
            template,
            environment=settings.environment,
            client_id=settings.client_id,
            redirect_uri=redirect_uri,
            state=state,
        )

    @hiding_arguments
    @hiding_arguments
    def read_callback(self, url: str, *, state: str) -> Callback:
        """Reads the address that the browser came back to: `code` is None after a plain redirect. Nothing is sent.

        Args:
            url: The whole address, with its query.
            state: The one that went out with `redirect_url`.

        Raises:
            InvalidArgumentError: The state is not the one that went out.
            AuthorisationFailedError: The callback brings an error.
        """
        return read_callback(url, state=state)

    def exchange_code(
        self,
        *,
        code: str,
        redirect_uri: str,
        authorisation_id: str,
        consent_id: str | None = None,
        payment_id: str | None = None,
    ) -> UserToken:
        """Completes an OAuth redirect: exchanges the code for the authorisation of a consent or of a payment.

        A code can be used once, so this is never sent twice.

        Args:
            code: From the callback.
            redirect_uri: The one that the browser was sent to.
            authorisation_id: The authorisation of the consent or the payment.
            consent_id: What was authorised, unless it is a payment.
            payment_id: What was authorised, unless it is a consent.

        Raises:
            InvalidArgumentError, MissingScopeError: Before anything is sent.
            ReauthorisationRequiredError: The code is wrong, was used or has expired.
            OutcomeUnknownError: No answer came.
            TokenError, ConnectionFailedError, TimedOutError, UnreadableResponseError: As for every token.
        """
        secret_code = read_code(code)
        del code  # no frame that an error leads to shall show it
        if isinstance(secret_code, InvalidArgumentError):
            raise secret_code
        if (consent_id is None) == (payment_id is None):
            raise refuse("consent_id", "or payment_id must be given, and not both")
        kind, id_ = ("consent", consent_id) if consent_id is not None else ("payment", payment_id)
        scope = ApiScope.ACCOUNT_INFORMATION if kind == "consent" else ApiScope.PAYMENT_INITIATION
        headers = {}
        for name, argument, value in (
            (f"x_{kind}_id", f"{kind}_id", id_),
            (f"x_{kind}_authorisation_id", "authorisation_id", authorisation_id),
        ):
            rule = OPERATIONS["create_token"].arguments[name]
            check(rule, value, argument)
            headers[rule.name] = str(value)
        session, options = self._sender.session, self._sender.options
        check_scope([[scope]], session.settings.api_scopes, "exchange_code")
        form = {
            "code": secret_code,
            "redirect_uri": read_redirect_uri(redirect_uri),
            # so do the provider's samples of 2022; tutorials of the provider's guide of 2021 send the API scope alone
            "scope": compose([scope], options.psu_context),
        }
        return self._ask("authorization_code", form, merge_headers(options.headers, headers))

    def refresh(self, token: UserToken) -> UserToken:
        """A new token for an old one's refresh token (RFC 6749, section 6; document 004).

        A refresh token may be good for one use, so this is never sent twice: keep the new token at once.

        Args:
            token: The old one.

        Raises:
            InvalidArgumentError: The token has no refresh token.
            ReauthorisationRequiredError: The refresh token is refused for good.
            OutcomeUnknownError: No answer came.
            TokenError, ConnectionFailedError, TimedOutError, UnreadableResponseError: As for every token.
        """
        if not isinstance(token, UserToken):
            del token
            raise refuse("token", "must be a UserToken")
        if token.refresh_token is None:
            raise refuse("token", "has no refresh token: the user has to authorise again")
        return self._ask("refresh_token", {"refresh_token": token.refresh_token}, self._sender.options.headers, token)

    def _ask(
        self, grant_type: str, form: Mapping[str, Any], headers: Mapping[str, str], old: UserToken | None = None
    ) -> UserToken:
        session, options = self._sender.session, self._sender.options
        fetcher = evolve(session.fetcher, timeout=options.timeout, total_timeout=options.total_timeout)
        exchange = fetcher.exchange(grant_type, form, headers)
        session.pool.send_in_time(exchange)
        return read_user_token(fetcher, exchange, old)
