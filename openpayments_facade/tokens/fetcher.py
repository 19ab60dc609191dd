"""Asks the token endpoint. OAuth bodies are written and read by oauthlib, loaded at the first request.

Sources: documents 000 and 003; facts 10-auth, section 1; RFC 6749, sections 4.4 and 5.
"""

from __future__ import annotations

import html
import json
import logging
import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, quote_plus

import httpx
from attrs import field, frozen

from .. import request_ids
from .._protocol.answer import retry_after
from .._protocol.call import NEVER_SENT, log_attempt
from .._protocol.options import merge_headers
from .._redaction import Secret
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
from .token import DEFAULT_LIFETIME, SYSTEM_CLOCK, AccessToken, Clock, is_bearer, is_usable, read_lifetime

__all__ = ["Grant", "Limits", "Post", "TokenFetcher"]

Post = Callable[..., httpx.Response]
"""`post(url, *, headers, content, timeout)`: blocks, follows no redirect, raises httpx exceptions.

The body of the response may still have to be read.
"""

_log = logging.getLogger("openpayments_facade")

_BY_CODE: Final[dict[str, type[TokenError]]] = {
    "invalid_client": AuthenticationError,
    "unauthorized_client": AuthenticationError,
    "unsupported_grant_type": AuthenticationError,
    "access_denied": AuthenticationError,
    "invalid_scope": InvalidScopeError,
}
_CODES: Final = {*_BY_CODE, "invalid_request", "invalid_grant", "server_error", "temporarily_unavailable"}
_ABOUT_ERRORS: Final = {"error", "error_description", "error_uri"}
_REDIRECTS: Final = {301, 302, 303, 307, 308}


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

    `timeout` (seconds, or an `httpx.Timeout`) is for each of connecting, writing and reading; `total_timeout` (seconds)
    for a whole request, however slowly its answer drips in. No request is repeated here: when to ask again is the
    manager's decision.
    """

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: Secret,
        post: Post,
        user_agent: str,
        timeout: httpx.Timeout | float = 30.0,
        total_timeout: float = 120.0,
        clock: Clock = SYSTEM_CLOCK,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.token_url = token_url
        self.client_id = client_id
        self.client_secret = client_secret
        self._post = post
        self._user_agent = user_agent
        self._timeout = httpx.Timeout(timeout)
        self._total_timeout = total_timeout
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
        limits = Limits(self._timeout, self._total_timeout, request_ids.new_request_id())
        about = {"request_id": limits.request_id}
        grant = self.exchange(lambda secret: client.prepare_request_body(scope=scope, **secret), limits=limits)
        if isinstance(grant, OpenPaymentsError):
            raise grant
        if grant.lifetime is None:
            _log.warning("The token endpoint gave no sensible expires_in; taken as %d s", DEFAULT_LIFETIME, extra=about)
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
                extra=about,
            )
        return token

    def exchange(
        self,
        write_body: Callable[[dict[str, Any]], str],
        headers: Mapping[str, str] | None = None,
        *,
        secrets: tuple[Secret, ...] = (),
        resendable: bool = True,
        limits: Limits,
    ) -> Grant | OpenPaymentsError:
        """One token request; blocks. `secrets` are those that the body holds besides the client secret; `resendable`
        says whether they can be used twice.

        Returns what was granted, or one of our exceptions.
        """
        # failures are returned, not raised: a traceback through here would hold the body, and it the secret
        about: dict[str, Any] = {"request_id": limits.request_id, "method": "POST", "url": self.token_url}
        secret = self.client_secret.reveal()
        scrub = _Scrubber(secret, *(each.reveal() for each in secrets))
        status = None
        started = self._clock.monotonic()
        try:
            response = self._post(
                self.token_url,
                headers=merge_headers(
                    headers or {},
                    {
                        "Accept": "application/json",
                        "Content-Type": "application/x-www-form-urlencoded",
                        "User-Agent": self._user_agent,
                        "X-Request-ID": limits.request_id,
                    },
                ),
                content=write_body({"include_client_id": True, "client_secret": secret}),
                timeout=limits.of_one_step(),
            )
            status = response.status_code
            content = self._read(response, started + limits.total_timeout)
        except BaseException as error:  # whatever a transport of the user's or a recorder raises
            return _failure(error, scrub, {**about, "status_code": status}, resendable)
        finally:
            duration = self._clock.monotonic() - started
            log_attempt(**about, status=status, duration=duration, attempt=1)
        about["status_code"] = status
        now = datetime.fromtimestamp(self._clock.wall(), UTC)
        try:
            return _judge(self.client_id, response, content, about, scrub, now)
        except Exception as error:  # a mistake of ours; its text is not shown, as nobody knows what it holds
            return UnreadableResponseError(
                f"The token endpoint's answer ({status}) is not understood ({type(error).__name__})", **about
            )

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        try:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if self._clock.monotonic() >= deadline:
                    raise httpx.ReadTimeout("the answer was still coming in when its time was over")
            return bytes(content)
        finally:
            response.close()


@frozen
class Limits:
    """How one request is made: `timeout` for each step, `total_timeout` (seconds) for the whole, and its id."""

    timeout: httpx.Timeout
    total_timeout: float
    request_id: str

    def of_one_step(self) -> httpx.Timeout:
        """The limits of each step, none beyond the total time."""
        most, limits = self.total_timeout, self.timeout.as_dict().items()
        return httpx.Timeout(**{name: most if limit is None else min(limit, most) for name, limit in limits})


class _Scrubber:
    """Takes secrets out of what servers and transports say, in every form in which they may quote a body."""

    def __init__(self, *secrets: str) -> None:
        forms = {
            form
            for secret in secrets
            for plain in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1])
            for form in (
                plain,
                plain.replace("/", "\\/"),
                # what can't be encoded is never sent, but must not fail here, where the frames hold it
                quote_plus(plain, errors="surrogatepass"),
                quote(plain, errors="surrogatepass"),
                quote(plain, safe="", errors="surrogatepass"),
                html.escape(plain),
            )
        }
        # the longest first: one may begin with another; in any case: "%2f" is "%2F"
        self._pattern = re.compile(
            "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)), re.IGNORECASE
        )

    def __call__(self, text: str) -> str:
        return self._pattern.sub("***", text)


def _failure(error: BaseException, scrub: _Scrubber, about: dict[str, Any], resendable: bool) -> OpenPaymentsError:
    said = ": ".join(filter(None, (type(error).__name__, scrub(str(error)))))
    if not resendable and not isinstance(error, NEVER_SENT):
        return OutcomeUnknownError(f"No answer came, so nobody knows whether it was used up ({said})", **about)
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(f"The token endpoint did not answer in time ({said})", **about)
    if isinstance(error, httpx.DecodingError):
        return UnreadableResponseError(f"The token endpoint's answer can't be decoded ({said})", **about)
    if about["status_code"] is not None:
        return ConnectionFailedError(f"The token endpoint's answer broke off ({said})", **about)
    return ConnectionFailedError(f"The token endpoint can't be reached ({said})", **about)


def _judge(
    client_id: str, response: httpx.Response, content: bytes, about: dict[str, Any], scrub: _Scrubber, now: datetime
) -> Grant | TokenError | UnreadableResponseError:
    """Status first, then the body."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    found = _parse(client_id, body, scrub) if isinstance(body, dict) else "is not a JSON object"
    if response.is_success and isinstance(found, Grant):
        return found
    if response.is_success and isinstance(found, str):
        return UnreadableResponseError(f"The token endpoint's answer ({response.status_code}) {found}", **about)
    code, description = (found.code, found.description) if isinstance(found, _Refusal) else (None, None)
    if response.status_code in _REDIRECTS:
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


def _parse(client_id: str, body: dict[str, Any], scrub: _Scrubber) -> Grant | _Refusal | str:
    """A grant, a refusal, or what is wrong with the body."""
    from oauthlib.oauth2 import Client, MissingTokenError, OAuth2Error

    # oauthlib takes a missing or zero lifetime as "for ever", a textual one as an error, and an error of nothing as one
    rest = {
        name: value
        for name, value in body.items()
        if name not in {"expires_in", "expires_at"}
        and value is not None
        and not (value == "" and name in _ABOUT_ERRORS)
    }
    try:
        # a client for this alone: it remembers the token, also one that is refused below
        parsed = Client(client_id).parse_request_body_response(json.dumps(rest))
        scopes = tuple(word for scope in parsed.get("scope") or () for word in str(scope).split())
    except MissingTokenError:
        return "has no access_token"
    except OAuth2Error as error:
        known = isinstance(error.error, str) and error.error in _CODES  # a short secret must not hide what went wrong
        return _Refusal(error.error if known else _text(error.error, scrub), _text(error.description, scrub))
    except Exception:  # wrong types
        return "is not a token"
    if not is_usable(parsed["access_token"]):
        return "has an access_token that no header can carry"
    if not is_bearer(parsed.get("token_type")):
        return "has a token_type other than Bearer"
    token = Secret(parsed["access_token"])
    return Grant(token, "Bearer", read_lifetime(body.get("expires_in")), scopes, body)


def _text(value: object, scrub: _Scrubber) -> str | None:
    """A text for people. A server may quote a secret when it explains what is wrong."""
    if not isinstance(value, str):
        return None
    return "".join(filter(str.isprintable, scrub(value)))[:300].strip() or None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
