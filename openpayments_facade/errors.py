"""Every exception that the SDK raises, each with what a program needs to decide what to do next.

    OpenPaymentsError
    ├── ConfigurationError              a setting or an environment variable is missing or wrong
    ├── InvalidArgumentError            an argument is wrong; nothing was sent (also a ValueError)
    ├── ClientStateError                the client is closed, or belongs to another event loop (also a RuntimeError)
    ├── MissingScopeError               the client was not given the API scope that the call needs; nothing was sent
    ├── ConnectionFailedError           no connection, or it broke
    ├── TimedOutError                   a time limit ran out
    ├── UnreadableResponseError         an answer came, but not one that the API describes
    ├── OutcomeUnknownError             something that must not be sent twice may or may not have been carried out
    ├── TokenError                      the token endpoint said no
    │   ├── AuthenticationError             client id or secret are wrong, or the client may not do this
    │   ├── InvalidScopeError               a scope is unknown, malformed or not granted to the application
    │   └── ReauthorisationRequiredError    the user has to authorise again
    ├── APIError                        the API answered with an error status
    │   ├── BadRequestError                 400
    │   ├── UnauthorizedError               401
    │   ├── PermissionDeniedError           403
    │   ├── NotFoundError                   404
    │   ├── ConflictError                   409
    │   ├── RateLimitedError                429
    │   │   └── AccessExceededError             429 ACCESS_EXCEEDED: the consented accesses of the day are used up
    │   ├── ServerError                     500 to 599
    │   └── ConsentError                    the consent stands in the way, whatever the status
    │       ├── ConsentInvalidError             CONSENT_INVALID, CONSENT_UNKNOWN
    │       ├── ConsentExpiredError             CONSENT_EXPIRED
    │       └── ScaRequiredError                the bank wants the user to authenticate again
    ├── AuthorisationFailedError        the user declined, or the bank ended the authorisation
    └── AuthorisationTimeoutError       nobody finished the authorisation in time

An exception never holds a token or a secret; the body of an error is an attribute, and in no text. All of them can be
copied and pickled.
Sources: the provider's guide of 2021; RFC 6749, section 5.2.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


class OpenPaymentsError(Exception):
    """Base of every exception of this SDK. What one carries is in its attributes."""

    def __init__(self, message: str = "", **about: Any) -> None:
        super().__init__(message)
        for name, value in about.items():
            if not hasattr(self, name):
                raise TypeError(f"{type(self).__name__} has no {name}")
            setattr(self, name, value)


class ConfigurationError(OpenPaymentsError):
    """A setting is missing or wrong. The text names the argument or the environment variable."""


class InvalidArgumentError(OpenPaymentsError, ValueError):
    """An argument is wrong. Nothing was sent."""

    argument: str = ""
    """The argument's name, as the caller wrote it."""


class ClientStateError(OpenPaymentsError, RuntimeError):
    """The client is closed, or an AsyncOpenPayments was used on another event loop than its own. Nothing was sent."""


class MissingScopeError(OpenPaymentsError):
    """The client was not given the API scope that this call needs. Nothing was sent."""

    scope: str = ""
    """The API scope that is missing."""


class _CallError(OpenPaymentsError):
    """What every exception about one HTTP exchange carries."""

    request_id: str | None = None
    """The X-Request-ID that was sent; quote it to the provider."""
    method: str | None = None
    url: str | None = None
    """What was called."""
    status_code: int | None = None
    """The HTTP status, None where no answer came."""

    def __str__(self) -> str:
        about = f"{self.method} {self.url}" if self.method and self.url else ""
        about += f"{', ' if about else ''}request id {self.request_id}" if self.request_id else ""
        return f"{self.args[0]} ({about})" if about else str(self.args[0])


class ConnectionFailedError(_CallError):
    """No connection to the host could be made, or it broke before an answer was complete."""


class TimedOutError(_CallError):
    """A time limit ran out: that of one request (`timeout`) or that of the whole call (`total_timeout`)."""


class UnreadableResponseError(_CallError):
    """An answer came with a success status, but it is not one that the API describes (HTML, truncated JSON, ...)."""


class OutcomeUnknownError(_CallError):
    """A request that must not be sent twice may have reached the API, but no answer came.

    Read the resource's status before doing it again.
    """


class TokenError(_CallError):
    """The token endpoint answered with an error."""

    code: str | None = None
    """The OAuth error code (RFC 6749, section 5.2), None where the body had none."""
    description: str | None = None
    """The server's own explanation."""
    retry_after: float | None = None
    """The seconds that the server asked to wait."""


class AuthenticationError(TokenError):
    """The client id or the client secret is wrong, or the client may not use this grant.

    OAuth codes `invalid_client`, `unauthorized_client`, `unsupported_grant_type` and `access_denied`.
    """


class InvalidScopeError(TokenError):
    """OAuth code `invalid_scope`: a scope is unknown, malformed, or not among the application's API products."""


class ReauthorisationRequiredError(TokenError):
    """`invalid_grant`: a code or refresh token is no good any more: the user has to authorise again (document 004)."""


@frozen
class TppMessage:
    """One message of an error body (the provider's guide of 2021). Unknown codes stay as they came."""

    code: str | None = None
    text: str | None = None
    category: str | None = None
    path: str | None = None


class APIError(_CallError):
    """The API answered with an error status."""

    status_code: int = 0
    code: str | None = None
    """The first message's code (an open set: `FORMAT_ERROR`, `RESOURCE_UNKNOWN`, ...), None where the body had none."""
    messages: tuple[TppMessage, ...] = ()
    retry_after: float | None = None
    """The seconds that the server asked to wait."""
    headers: Mapping[str, str] = MappingProxyType({})
    """The answer's, without the token should they quote it."""
    body: str = ""
    """The first 10,000 bytes of the answer as a string, without the token should it quote it."""


class BadRequestError(APIError):
    """400: the request is malformed or contradicts itself."""


class UnauthorizedError(APIError):
    """401: token, certificate, signature or the user's credentials at the bank were refused."""


class PermissionDeniedError(APIError):
    """403: the application or the user may not do this."""


class NotFoundError(APIError):
    """404: there is no such resource."""


class ConflictError(APIError):
    """409: the resource's status does not allow this."""


class RateLimitedError(APIError):
    """429: too many requests."""


class AccessExceededError(RateLimitedError):
    """429 `ACCESS_EXCEEDED`: the accesses without the user that the consent allows a day are used up."""


class ServerError(APIError):
    """500 to 599: the provider or the bank failed."""


class ConsentError(APIError):
    """The consent stands in the way."""


class ConsentInvalidError(ConsentError):
    """`CONSENT_INVALID` or `CONSENT_UNKNOWN`: not valid for this account or not yet valid, or there is none."""


class ConsentExpiredError(ConsentError):
    """`CONSENT_EXPIRED`: the consent has to be renewed."""


class ScaRequiredError(ConsentError):
    """The bank wants strong customer authentication for this call (the provider's guide of 2021)."""


class _AuthorisationError(OpenPaymentsError):
    """What every exception about one authorisation carries."""

    resource_id: str | None = None
    """What was to be authorised."""
    consent_id: str | None = None
    """The same, where it is a consent."""
    authorisation_id: str | None = None


class AuthorisationFailedError(_AuthorisationError):
    """The user declined, or the bank ended the authorisation."""

    code: str | None = None
    """The OAuth error of the callback (`access_denied`, ...), the SCA status (`failed`), or the status of what was to
    be authorised (`rejected`, `expired`, `revokedByPsu`, `terminatedByTpp`), where one is known."""


class AuthorisationTimeoutError(_AuthorisationError):
    """Nobody finished the authorisation in time. It may still happen: `authorisation.wait()` can be called again."""


_classes = [value for value in globals().values() if isinstance(value, type) and value.__module__ == __name__]
__all__ = [each.__name__ for each in _classes if not each.__name__.startswith("_")]
