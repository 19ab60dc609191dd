"""Asks the token endpoint. OAuth bodies are written and read by oauthlib, loaded at the first request.

Sources: documents 000 and 003; facts 10-auth, section 1; RFC 6749, sections 4.4 and 5.
"""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

import httpx
from attrs import field, frozen

from .. import request_ids
from ..call import NEVER_SENT, log_attempt
from ..errors import (
    AuthenticationError,
    ConnectionFailedError,
    InvalidScopeError,
    OpenPaymentsError,
    OutcomeUnknownError,
    TimedOutError,
    TokenError,
    UnreadableResponseError,
)
from ..operation import retry_after
from ..secret import Secret
from .token import DEFAULT_LIFETIME, SYSTEM_CLOCK, AccessToken, Clock, is_bearer, is_usable, read_lifetime

if TYPE_CHECKING:
    from oauthlib.oauth2 import Client

__all__ = ["Grant", "Post", "TokenFetcher"]

Post = Callable[..., httpx.Response]
"""`post(url, *, headers, content, timeout)`: blocks, follows no redirect, raises httpx exceptions."""

_log = logging.getLogger("openpayments_facade")

_BY_CODE: Final[dict[str, type[TokenError]]] = {
    "invalid_client": AuthenticationError,
    "unauthorized_client": AuthenticationError,
    "unsupported_grant_type": AuthenticationError,
    "access_denied": AuthenticationError,
    "invalid_scope": InvalidScopeError,
}


@frozen
class Grant:
    """What a token endpoint granted (RFC 6749, section 5.1), checked. `fields` is everything that it sent."""

    access_token: Secret
    token_type: str
    lifetime: float | None
    scopes: tuple[str, ...]
    fields: Mapping[str, Any] = field(repr=False)


class TokenFetcher:
    """Asks one token endpoint as one application, and turns every answer into a token or one of our exceptions.

    `timeout` is in seconds, for each of connecting, writing and reading. No request is repeated here: when to ask
    again is the manager's decision.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: Secret,
        post: Post,
        user_agent: str,
        timeout: float = 30.0,
        clock: Clock = SYSTEM_CLOCK,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.token_url = token_url
        self.client_id = client_id
        self.client_secret = client_secret
        self._post = post
        self._user_agent = user_agent
        self._timeout = timeout
        self._clock = clock
        self._jitter = jitter

    def fetch(self, scope: str, *, replacements: int = 0) -> AccessToken:
        """Asks for a token with the client credentials; blocks.

        Raises AuthenticationError, InvalidScopeError or another TokenError when the endpoint says no,
        ConnectionFailedError or TimedOutError when it says nothing, UnreadableResponseError when it says something
        else. None of them has a cause, or a frame that knows the secret.
        """
        from oauthlib.oauth2 import BackendApplicationClient

        asked = self._clock.now()
        # oauthlib gets no scope of its own: it raises a builtin Warning for a narrowed grant
        client = BackendApplicationClient(self.client_id)
        grant = self.exchange(client, lambda secret: client.prepare_request_body(scope=scope, **secret))
        if isinstance(grant, OpenPaymentsError):
            raise grant
        if grant.lifetime is None:
            _log.warning("The token endpoint gave no sensible expires_in; taken as %d s", DEFAULT_LIFETIME)
        token = AccessToken.issue(
            grant.access_token.reveal(),
            scope=scope,
            lifetime=grant.lifetime or DEFAULT_LIFETIME,
            issued=asked,
            jitter=self._jitter(),
            granted=grant.scopes,
            replacements=replacements,
        )
        if token.missing:
            _log.warning(
                "The token endpoint did not grant %s: is it among the application's API products in the Developer "
                "Portal? (asked for %r)",
                " ".join(token.missing),
                scope,
            )
        return token

    def exchange(
        self,
        client: Client,
        write_body: Callable[[dict[str, Any]], str],
        headers: Mapping[str, str] | None = None,
        *,
        resendable: bool = True,
    ) -> Grant | OpenPaymentsError:
        """One token request; blocks. `resendable` says whether what the body holds can be used twice.

        Returns what was granted, or one of our exceptions.
        """
        # failures are returned, not raised: a traceback through here would hold the body, and it the secret
        request_id = request_ids.new_request_id()
        about: dict[str, Any] = {"request_id": request_id, "method": "POST", "url": self.token_url}
        secret = self.client_secret.reveal()
        status = None
        started = self._clock.monotonic()
        try:
            response = self._post(
                self.token_url,
                headers={
                    **(headers or {}),
                    "Accept": "application/json",
                    "Content-Type": "application/x-www-form-urlencoded",
                    "User-Agent": self._user_agent,
                    "X-Request-ID": request_id,
                },
                content=write_body({"include_client_id": True, "client_secret": secret}),
                timeout=self._timeout,
            )
            status = response.status_code
        except Exception as error:  # also what a transport of the user's or a recorder raises
            return _failure(error, secret, about, resendable)
        finally:
            duration = self._clock.monotonic() - started
            log_attempt(**about, status=status, duration=duration, attempt=1)
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        return _judge(client, response, {**about, "status_code": status}, secret, now)


def _failure(error: Exception, secret: str, about: dict[str, Any], resendable: bool) -> OpenPaymentsError:
    said = ": ".join(filter(None, (type(error).__name__, _scrub(str(error), secret))))
    if not resendable and not isinstance(error, NEVER_SENT):
        return OutcomeUnknownError(f"No answer came, so nobody knows whether it was used up ({said})", **about)
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"The token endpoint did not answer in time ({said})", **about)
    if isinstance(error, httpx.DecodingError):
        return UnreadableResponseError(f"The token endpoint's answer can't be decoded ({said})", **about)
    return ConnectionFailedError(f"The token endpoint can't be reached ({said})", **about)


def _judge(
    client: Client, response: httpx.Response, about: dict[str, Any], secret: str, now: datetime
) -> Grant | TokenError | UnreadableResponseError:
    """Status first, then the body."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    found = _read(client, body, secret) if isinstance(body, dict) else "is not a JSON object"
    if response.is_success and isinstance(found, Grant):
        return found
    if response.is_success and isinstance(found, str):
        return UnreadableResponseError(f"The token endpoint's answer ({response.status_code}) {found}", **about)
    code, description = (found.code, found.description) if isinstance(found, _Refusal) else (None, None)
    if response.is_redirect:
        said = "a redirect, which is not followed: it could carry the secret to another host"
    else:
        said = ": ".join(filter(None, (code, description))) or _phrase(response.status_code) or "without explanation"
    return _BY_CODE.get(code or "", TokenError)(
        f"The token endpoint answered {response.status_code} {said}",
        code=code,
        description=description,
        retry_after=retry_after(response.headers, now),
        **about,
    )


@frozen
class _Refusal:
    """An error body (RFC 6749, section 5.2)."""

    code: str | None
    description: str | None


def _read(client: Client, body: dict[str, Any], secret: str) -> Grant | _Refusal | str:
    """A grant, a refusal, or what is wrong with the body."""
    from oauthlib.oauth2 import MissingTokenError, OAuth2Error

    # oauthlib takes a missing or zero lifetime as "for ever", and a textual one as an error
    rest = {name: value for name, value in body.items() if name not in {"expires_in", "expires_at"}}
    try:
        parsed = client.parse_request_body_response(json.dumps(rest))
        scopes = tuple(word for scope in parsed.get("scope") or () for word in str(scope).split())
    except MissingTokenError:
        return "has no access_token"
    except OAuth2Error as error:
        return _Refusal(_text(error.error, secret), _text(error.description, secret))
    except Exception:  # wrong types
        return "is not a token"
    if not is_usable(parsed["access_token"]):
        return "has an access_token that no header can carry"
    if not is_bearer(parsed.get("token_type")):
        return "has a token_type other than Bearer"
    token = Secret(parsed["access_token"])
    return Grant(token, "Bearer", read_lifetime(body.get("expires_in")), scopes, body)


def _text(value: object, secret: str) -> str | None:
    """A text for people. A server may quote the secret when it explains what is wrong."""
    if not isinstance(value, str):
        return None
    return "".join(filter(str.isprintable, _scrub(value, secret)))[:300].strip() or None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _scrub(text: str, secret: str) -> str:
    for form in (secret, quote_plus(secret), quote(secret, safe="")):
        text = text.replace(form, "***")
    return text
