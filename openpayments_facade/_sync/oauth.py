# Written by `make unasync` from openpayments_facade/_async/oauth.py; do not edit.
"""OAuth that involves the user: redirect link, callback, code exchange, refresh (the provider's guide of 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from openpayments_client.operations import OPERATIONS

from .._checks import check, refuse
from .._protocol.arguments import id_of
from .._protocol.options import merge_headers
from .._protocol.redirect import Callback, RedirectUrl, fill_redirect_url, read_callback, read_code, read_redirect_uri
from ..scopes import ApiScope, check_scope, compose
from ..tokens.user import UserToken, read_user_token
from .service import Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._protocol.arguments import AnyAuthorisation, AnyConsent


class OAuth(Service):
    """`op.oauth`. Its tokens belong to you: the SDK neither keeps them nor uses them for later calls."""

    def redirect_url(self, template: str, *, redirect_uri: str, state: str | None = None) -> RedirectUrl:
        """The address to send the user's browser to, made from the API's link (`_links.scaOAuth`). Sends nothing.

            url = op.oauth.redirect_url(link, redirect_uri="https://app.example.com/callback")
            session["state"] = url.state

        Args:
            template: The link as the API gave it, with its placeholders.
            redirect_uri: The address the browser comes back to, whitelisted on the application.
            state: An unguessable string that comes back with the browser. By default one is made.

        Returns:
            The address, a string with the attribute `state`.

        Raises:
            InvalidArgumentError: The link leads to no auth host of the environment (the sandbox has two), or has an
                unknown placeholder.
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
        """Reads the address the browser came back to. Sends nothing.

        Args:
            url: The whole address, with its query.
            state: The `state` of the redirect URL.

        Returns:
            The callback; its `code` is None after a plain redirect.

        Raises:
            InvalidArgumentError: This is no string, or no state.
            CallbackRejectedError: This is no address, or it has no state or a different one, or a parameter twice.
            AuthorisationFailedError: The callback reports an error.
        """
        return read_callback(url, state=state)

    def exchange_code(
        self,
        *,
        code: str,
        redirect_uri: str,
        authorisation_id: AnyAuthorisation,
        consent_id: AnyConsent | None = None,
        payment_id: str | None = None,
    ) -> UserToken:
        """Completes an OAuth redirect: exchanges the callback's code for a token of the user's.

        A code can be used only once, so the request is never repeated.

        Args:
            code: The code from the callback.
            redirect_uri: The redirect URI that the browser came back to.
            authorisation_id: The id of the authorisation, or what `start_authorisation` returned.
            consent_id: The authorised consent, or its id.
            payment_id: The id of the authorised payment, instead of `consent_id`.

        Returns:
            The token of the user's approval.

        Raises:
            InvalidArgumentError: An argument is wrong; nothing was sent.
            MissingScopeError: The client lacks the API scope; nothing was sent.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            ReauthorisationRequiredError: The code is wrong, has been used or has expired.
            OutcomeUnknownError: There is no answer; the code may have been used.
            TokenError: The token endpoint refused for another reason.
            ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        """
        secret_code = read_code(code)
        if (consent_id is None) == (payment_id is None):
            raise refuse("consent_id", "or payment_id is required, but not both")
        kind, id_ = ("consent", consent_id) if consent_id is not None else ("payment", payment_id)
        scope = ApiScope.ACCOUNT_INFORMATION if kind == "consent" else ApiScope.PAYMENT_INITIATION
        headers = {}
        given = {"id": (f"{kind}_id", id_), "authorisation_id": ("authorisation_id", authorisation_id)}
        for name, (argument, value) in given.items():
            rule = OPERATIONS["create_token"].arguments[f"x_{kind}_{name}"]
            headers[rule.name] = id_of(value, argument)
            check(rule, headers[rule.name], argument)
        session, options = self._sender.session, self._sender.options
        check_scope([[scope]], session.settings.api_scopes, "exchange_code")
        form = {
            "code": secret_code,
            "redirect_uri": read_redirect_uri(redirect_uri),
            # as in the provider's samples of 2022; tutorials in the provider's guide of 2021 send the API scope alone
            "scope": compose([scope], options.psu_context),
        }
        return self._ask("authorization_code", form, merge_headers(options.headers, headers))

    def refresh(self, token: UserToken) -> UserToken:
        """Exchanges a token's refresh token for a new token (RFC 6749, section 6; document 004).

        A refresh token may work only once, so the request is never repeated. Store the new token at once.

        Args:
            token: The token to replace.

        Returns:
            The new token.

        Raises:
            InvalidArgumentError: The token has no refresh token.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            ReauthorisationRequiredError: The refresh token is not accepted: the user has to authorise again.
            OutcomeUnknownError: There is no answer; the refresh token may have been used.
            TokenError: The token endpoint refused for another reason.
            ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        """
        if not isinstance(token, UserToken):
            raise refuse("token", "must be a UserToken")
        if token.refresh_token is None:
            raise refuse("token", "has no refresh token; the user has to authorise again")
        form = {"refresh_token": token.refresh_token}
        return self._ask("refresh_token", form, self._sender.options.headers, token)

    def _ask(
        self, grant_type: str, form: Mapping[str, Any], headers: Mapping[str, str], old: UserToken | None = None
    ) -> UserToken:
        session, options = self._sender.session, self._sender.options
        fetcher = evolve(session.fetcher, timeout=options.timeout, total_timeout=options.total_timeout)
        exchange = fetcher.exchange(grant_type, form, headers)
        session.pool.send(exchange)
        return read_user_token(fetcher, exchange, old)
