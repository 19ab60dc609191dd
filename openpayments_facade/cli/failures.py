"""What the command line makes of an exception: an exit code, and a sentence about what to do."""

from __future__ import annotations

from typing import Final

from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    ConsentError,
    InvalidArgumentError,
    InvalidScopeError,
    MissingScopeError,
    NotFoundError,
    OpenPaymentsError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TimedOutError,
    TokenError,
    UnauthorizedError,
    UnreadableResponseError,
)
from .output import printable

__all__ = ["BROKEN_PIPE", "EXIT_CODES", "INTERRUPTED", "advice", "exit_code", "is_for_the_doctor", "message"]

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

EXIT_CODES: Final = """
\b
Exit codes:
  0    it worked
  1    any other error
  2    wrong usage: an option, an argument, or the configuration
  3    not authenticated or not authorised: credentials, token, scopes
  4    there is no such bank, country or city
  5    no answer from the network, or none that can be read
  130  ended by Ctrl-C
  141  the reader of a pipe went away
"""

_CODES: Final[tuple[tuple[int, tuple[type[OpenPaymentsError], ...]], ...]] = (
    (2, (ConfigurationError, InvalidArgumentError)),
    (3, (TokenError, MissingScopeError, UnauthorizedError, PermissionDeniedError, ConsentError)),
    (4, (NotFoundError,)),
    (5, (ConnectionFailedError, TimedOutError, UnreadableResponseError, OutcomeUnknownError)),
)

# what the command line calls the arguments of the facade
_ARGUMENTS: Final = {"bic_fi": "the bank", "countries": "--country", "city_ids": "--city"}


def _is_outage(error: OpenPaymentsError) -> bool:
    """Whether the token endpoint failed by itself: nothing is wrong with the credentials."""
    return isinstance(error, TokenError) and error.code is None and (error.status_code or 0) in {429, *range(500, 600)}


def exit_code(error: OpenPaymentsError) -> int:
    """The exit code of a command that ended with this exception."""
    if _is_outage(error):
        return 1
    return next((code for code, kinds in _CODES if isinstance(error, kinds)), 1)


def message(error: OpenPaymentsError) -> str:
    """What went wrong, with the request id if something was sent."""
    text = str(error)
    if isinstance(error, InvalidArgumentError) and error.argument:
        text = text.replace(error.argument, _ARGUMENTS.get(error.argument, error.argument), 1)
    return printable(text)


def advice(error: OpenPaymentsError) -> str | None:
    """What to do about it, where the message does not say it already."""
    match error:
        case RateLimitedError() | ServerError():
            return "Try again later; if it stays, give the request id to the provider."
        case TokenError() if _is_outage(error):
            return "Try again later; if it stays, give the request id to the provider."
        case AuthenticationError():
            return (
                "Check OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET, and that they belong to this "
                "environment: sandbox and production have different ones."
            )
        case InvalidScopeError():
            return (
                "Check the PSU context, and that the application has the API products of OPENPAYMENTS_API_SCOPES in "
                "the Developer Portal."
            )
        case UnauthorizedError() | PermissionDeniedError():
            return "Check the application in the Developer Portal; production also asks for a client certificate."
        case NotFoundError():
            return "`openpayments banks`, `cities` and `countries` list what there is."
        case ConnectionFailedError() | TimedOutError() | UnreadableResponseError():
            return "Check network, proxy and hosts."
        case _:
            return None


def is_for_the_doctor(error: OpenPaymentsError) -> bool:
    """Whether `openpayments doctor` knows more about it."""
    about_the_application = (ConfigurationError, TokenError, UnauthorizedError, PermissionDeniedError)
    about_the_network = (ConnectionFailedError, TimedOutError, UnreadableResponseError)
    return isinstance(error, about_the_application + about_the_network)
