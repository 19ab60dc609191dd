"""Requests tokens from the token endpoint. oauthlib writes and reads the bodies; it is loaded at the first request.

Sources: documents 000, 001 and 003; RFC 6749, sections 4.4 and 5.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from attrs import field

from .. import errors, request_ids
from .._attrs import define, frozen
from .._protocol.answer import REDIRECTS, is_busy, is_refusal, phrase
from .._protocol.exchange import Exchange
from .._protocol.options import merge_headers
from .._protocol.retry_after import retry_after
from .._protocol.sizes import LONGEST_TOKEN
from .._protocol.text import decoded
from .._redaction import Secret, quoted, scrubber
from ..scopes import advice_on_refusal
from .token import (
    DEFAULT_LIFETIME,
    LONGEST_BEARER,
    SYSTEM_CLOCK,
    AccessToken,
    Clock,
    is_bearer,
    is_usable,
    read_json,
    read_lifetime,
)

_log = logging.getLogger("openpayments_facade")

_BY_CODE: Final[dict[str, type[errors.TokenError]]] = {
    "invalid_client": errors.AuthenticationError,
    "unauthorized_client": errors.AuthenticationError,
    "unsupported_grant_type": errors.AuthenticationError,
    "access_denied": errors.AuthenticationError,
    "invalid_scope": errors.InvalidScopeError,
}
_CODES: Final = {*_BY_CODE, "invalid_request", "invalid_grant", "server_error", "temporarily_unavailable", "slow_down"}


@frozen
class Grant:
    """What a token endpoint granted (RFC 6749, section 5.1), checked. `fields` is the whole answer."""

    access_token: Secret
    lifetime: float | None
    scopes: tuple[str, ...]
    fields: Mapping[str, Any] = field(repr=False)


@define(kw_only=True, eq=False, slots=False)
class TokenFetcher:
    """Requests tokens for one application, and turns every answer into a token or one of our exceptions.

    `send` carries out an exchange; it blocks, and notes any failure in the exchange. `timeout` limits each step of a
    request, `total_timeout` (seconds) the whole request. Nothing is retried here: that is the manager's decision.
    """

    token_url: str
    client_id: str
    client_secret: Secret
    send: Callable[[Exchange], None]
    timeout: httpx.Timeout = field(default=httpx.Timeout(30.0))
    total_timeout: float = 120.0
    clock: Clock = SYSTEM_CLOCK
    jitter: Callable[[], float] = random.random

    def fetch(self, scope: str, *, request_id: str | None = None, replacements: float = 0) -> AccessToken:
        """Requests a token with the client credentials; blocks.

        Raises:
            AuthenticationError, InvalidScopeError, TokenError: The endpoint refused.
            ConnectionFailedError, TimedOutError: The endpoint did not answer.
            UnreadableResponseError: The answer is neither a token nor an error.
        """
        asked = self.clock.now()
        exchange = self.exchange("client_credentials", {"scope": scope}, {}, request_id)
        self.send(exchange)
        grant = self.read(exchange, scope)
        about = {"request_id": exchange.request_id}
        if grant.lifetime is None:
            _log.warning("The token endpoint sent no valid expires_in; assuming %d s", DEFAULT_LIFETIME, extra=about)
        token = AccessToken.issue(
            grant.access_token.reveal(),
            scope=scope,
            lifetime=grant.lifetime or DEFAULT_LIFETIME,
            issued=asked,
            jitter=self.jitter(),
            granted=grant.scopes,
            replacements=replacements,
        )
        if token.missing:
            said = "The token endpoint did not grant %s of %r: is it an API product of the application?"
            _log.warning(said, " ".join(token.missing), scope, extra=about)
        return token

    def exchange(
        self,
        grant_type: str,
        form: Mapping[str, str | Secret],
        headers: Mapping[str, str],
        request_id: str | None = None,
    ) -> Exchange:
        """A token request, ready to send. `headers` are added, but can't replace its own."""
        own_headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}

        def request() -> dict[str, Any]:
            from oauthlib.oauth2.rfc6749.parameters import prepare_token_request

            whole = {**form, "client_id": self.client_id, "client_secret": self.client_secret}
            plain: dict[str, Any] = {
                name: value.reveal() if isinstance(value, Secret) else value for name, value in whole.items()
            }
            content = prepare_token_request(grant_type, **plain)
            return {"headers": merge_headers(headers, own_headers), "content": content}

        return Exchange(
            peer="the token endpoint",
            method="POST",
            url=self.token_url,
            request_id=request_id or request_ids.new_request_id(),
            request=request,
            secrets=(self.client_secret, *(value for value in form.values() if isinstance(value, Secret))),
            resendable=grant_type == "client_credentials",  # a code or a refresh token may work only once
            timeout=self.timeout,
            deadline=self.clock.monotonic() + self.total_timeout,
            max_size=LONGEST_TOKEN,
            monotonic=self.clock.monotonic,
        )

    def read(self, exchange: Exchange, scope: str = "") -> Grant:
        """What was granted. Raises the exceptions of `fetch`, which say what to do about the scope if that is known."""
        outcome = _judge(exchange, scope)
        if isinstance(outcome, Grant):
            return outcome
        # a code or a refresh token may be used up
        outcome.may_have_taken_effect = not exchange.resendable and not is_refusal(outcome.status_code or 0)
        raise outcome


def _judge(exchange: Exchange, scope: str) -> Grant | errors.TokenError | errors.UnreadableResponseError:
    """Judges the status, then the body. Returns errors instead of raising them: a traceback would show the body."""
    answer = exchange.answer()
    status, is_success = answer.status_code, 200 <= answer.status_code < 300
    found = _parse(decoded(answer.content, answer.headers.get("content-type", "")))
    if is_success and isinstance(found, Grant):
        return found
    if is_success and isinstance(found, str):
        return errors.UnreadableResponseError(f"the token endpoint's answer ({status}) {found}", **exchange.about)
    scrub = scrubber(*exchange.secrets)
    code, description = found if isinstance(found, tuple) else (None, None)
    # a known code is not scrubbed: a short secret could occur in it, and hide what went wrong
    known = code.lower() if isinstance(code, str) else ""
    code = known if known in _CODES else quoted(code, scrub, 300)
    description = quoted(description, scrub, 300)
    said = ": ".join(filter(None, (code, description))) or phrase(status) or "without explanation"
    if status in REDIRECTS:
        said = "with a redirect, which is not followed: it could carry the secret to another host"
    # no source shows the body of a refused scope
    if status == 400 and code in {None, "invalid_scope"} and (advice := advice_on_refusal(scope, exchange.url)):
        said += f" ({advice})"
    kind = errors.TokenError if is_busy(status) else _BY_CODE.get(code or "", errors.TokenError)
    return kind(
        f"the token endpoint answered {status} {said}",
        code=code,
        description=description,
        retry_after=retry_after(answer.headers),
        **exchange.about,
    )


def _parse(text: str) -> Grant | tuple[object, object] | str:
    """A grant, the code and description of an error (RFC 6749, section 5.2), or what is wrong with the body."""
    from oauthlib.oauth2 import MissingTokenError, OAuth2Error
    from oauthlib.oauth2.rfc6749.parameters import parse_token_response

    body = _only(read_json(text))
    if not isinstance(body, dict):
        return "is not a JSON object"
    body = {name: value.strip() if isinstance(value, str) else value for name, value in body.items()}
    body["token_type"] = _only(body.get("token_type")) or None
    # oauthlib takes a missing or zero lifetime for "forever", fails on a string, and takes an empty error for an error
    rest = {
        name: value
        for name, value in body.items()
        if value not in (None, "") and (value or not name.startswith("error")) and not name.startswith("expires_")
    }
    if not isinstance(rest.get("scope"), str | list):
        rest.pop("scope", None)
    try:
        parsed = parse_token_response(json.dumps(rest))
        scopes = tuple(word for scope in parsed.get("scope") or () for word in str(scope).split())
    except MissingTokenError:
        return "has no access_token"
    except OAuth2Error as error:
        return error.error, error.description
    except Exception:  # wrong types
        return "is not a token"
    if isinstance(value := parsed["access_token"], str) and len(value) > LONGEST_BEARER:
        return f"has an access_token of {len(value)} characters, which is too long for a header"
    if not is_usable(value):
        return "has an access_token that can't be sent in a header"
    if not is_bearer(parsed.get("token_type")):
        return "has a token_type other than Bearer"
    return Grant(Secret(value), read_lifetime(body.get("expires_in")), scopes, body)


def _only(value: Any) -> Any:
    """The element of a list of one; anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
