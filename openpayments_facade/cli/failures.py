"""What the command line makes of an exception: an exit code, and a sentence about what to do."""

from __future__ import annotations

import re
from typing import Final

from .._redaction import printable
from ..errors import (
    AccessExceededError,
    APIError,
    AuthenticationError,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    BadRequestError,
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
    ReauthorisationRequiredError,
    ScaRequiredError,
    ServerError,
    TimedOutError,
    TokenError,
    UnauthorizedError,
    UnreadableResponseError,
)

__all__ = ["BROKEN_PIPE", "EXIT_CODES", "INTERRUPTED", "advice", "exit_code", "is_for_the_doctor", "message"]

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

EXIT_CODES: Final = """
\b
Exit codes:
  0    it worked
  1    any other error
  2    wrong usage: an option, an argument, or the configuration
  3    not authenticated or not authorised: credentials, token, scopes, consent; the user declined
  4    there is no such bank, country, city or account
  5    no answer from the network, or none that can be read
  6    nobody authorised in time
  130  ended by Ctrl-C
  141  the reader of a pipe went away
"""

_CODES: Final[tuple[tuple[int, tuple[type[OpenPaymentsError], ...]], ...]] = (
    (2, (ConfigurationError, InvalidArgumentError)),
    (
        3,
        (
            TokenError,
            MissingScopeError,
            UnauthorizedError,
            PermissionDeniedError,
            ConsentError,
            AuthorisationFailedError,
        ),
    ),
    (4, (NotFoundError,)),
    (5, (ConnectionFailedError, TimedOutError, UnreadableResponseError, OutcomeUnknownError)),
    (6, (AuthorisationTimeoutError,)),
)

# what the command line calls the arguments of the facade
_ARGUMENTS: Final = {
    "bic_fi": "the bank",
    "countries": "--country",
    "city_ids": "--city",
    "api_scopes": "OPENPAYMENTS_API_SCOPES",
    "ip_address": "--psu-ip",
    "corporate_id": "--psu-corporate-id",
    "affiliated_aspsp": "--affiliate",
    "consent_id": "the consent's id",
    "account_id": "the account's id",
    "valid_until": "--valid-until",
    "frequency_per_day": "--frequency-per-day",
    "redirect_uri": "--redirect-uri",
    "date_from": "--from",
    "date_to": "--to",
    "method": "--method",
}

# what banks complain about in `path`: headers that come from these options
_OPTIONS: Final = {
    "PSU-IP-Address": "--psu-ip",
    "PSU-User-Agent": "--psu-ip",
    "PSU-ID": "--psu-id",
    "PSU-Corporate-ID": "--psu-corporate-id",
    "TPP-Redirect-Preferred": "--browser or --app",
}


def _is_outage(error: OpenPaymentsError) -> bool:
    """Whether the token endpoint failed by itself: nothing is wrong with the credentials."""
    return isinstance(error, TokenError) and error.code is None and (error.status_code or 0) in {429, *range(500, 600)}


def exit_code(error: OpenPaymentsError) -> int:
    """The exit code of a command that ended with this exception."""
    if _is_outage(error):
        return 1
    if isinstance(error, BadRequestError) and error.code == "RESOURCE_UNKNOWN":
        return 4
    return next((code for code, kinds in _CODES if isinstance(error, kinds)), 1)


def message(error: OpenPaymentsError) -> str:
    """What went wrong, with the request id if something was sent."""
    text = str(error)
    if isinstance(error, InvalidArgumentError):
        if error.argument == "id":
            text = text.replace("id", "--psu-id", 1)
        text = re.sub(
            "|".join(rf"\b{re.escape(name)}(?!\w)" for name in _ARGUMENTS), lambda match: _ARGUMENTS[match[0]], text
        )
    return printable(text)


def advice(error: OpenPaymentsError) -> str | None:
    """What to do about it, where the message does not say it already."""
    options = {_OPTIONS[each.path] for each in getattr(error, "messages", ()) if each.path in _OPTIONS}
    match error:
        case APIError() if options:
            return f"This bank insists on {' and '.join(sorted(options))}."
        case AccessExceededError():
            return "With --psu-ip, while the user is here, a bank does not count."
        case ScaRequiredError():
            return "With --psu-ip, while the user is here, or for later days; otherwise `openpayments consent create`."
        case ConsentError():
            return "`openpayments consent status` shows how it is; `openpayments consent create` makes another."
        case AuthorisationFailedError() | ReauthorisationRequiredError():
            return "`openpayments consent create` begins anew."
        case AuthorisationTimeoutError():
            return "`openpayments consent authorise` tries again with the same consent."
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
                "Check the PSU context, and that the application has these API products in the Developer Portal: "
                "accountinformation for consents and accounts, otherwise those of OPENPAYMENTS_API_SCOPES."
            )
        case UnauthorizedError() | PermissionDeniedError():
            return "Check the application in the Developer Portal; production also asks for a client certificate."
        case NotFoundError():
            return "`openpayments banks`, `cities`, `countries` and `accounts` list what there is."
        case ConnectionFailedError() | TimedOutError() | UnreadableResponseError():
            return "Check network, proxy and hosts."
        case _:
            return None


def is_for_the_doctor(error: OpenPaymentsError) -> bool:
    """Whether `openpayments doctor` knows more about it."""
    about_the_application = (ConfigurationError, TokenError, UnauthorizedError, PermissionDeniedError)
    about_the_network = (ConnectionFailedError, TimedOutError, UnreadableResponseError)
    return isinstance(error, about_the_application + about_the_network)
