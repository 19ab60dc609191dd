"""Turns exceptions into exit codes, messages and advice."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from .. import errors
from ..environments import is_loopback
from .output import printable

__all__ = ["BROKEN_PIPE", "EXIT_CODES", "INTERRUPTED", "advice", "exit_code", "is_for_the_doctor", "message"]

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

EXIT_CODES: Final = """
\b
Exit codes:
  0    success
  1    any other error
  2    wrong usage: an option, an argument or the configuration
  3    not authenticated or not authorised: credentials, token, scopes or consent; or the user declined
  4    no such bank, country, city or account
  5    no answer from the network, or an unreadable one
  6    nobody authorised in time, or somebody else has to as well
  130  interrupted with Ctrl-C
  141  the other end of a pipe was closed
"""

_ABOUT_THE_APPLICATION: Final = (errors.TokenError, errors.UnauthorizedError, errors.PermissionDeniedError)
_ABOUT_THE_NETWORK: Final = (errors.ConnectionFailedError, errors.TimedOutError, errors.UnreadableResponseError)

_CODES: Final[dict[int, tuple[type[errors.OpenPaymentsError], ...]]] = {
    2: (errors.ConfigurationError, errors.InvalidArgumentError),
    3: (
        *_ABOUT_THE_APPLICATION,
        errors.MissingScopeError,
        errors.ConsentError,
        errors.AuthorisationFailedError,
    ),
    4: (errors.NotFoundError,),
    5: (*_ABOUT_THE_NETWORK, errors.OutcomeUnknownError),
    6: (errors.AuthorisationTimeoutError,),
}

# the facade's arguments, as the command line calls them
_ARGUMENTS: Final = {
    "bic_fi": "the bank",
    "countries": "--country",
    "city_ids": "--city",
    "api_scopes": "OPENPAYMENTS_API_SCOPES",
    "ip_address": "--psu-ip",
    "id": "--psu-id",
    "corporate_id": "--psu-corporate-id",
    "affiliated_aspsp": "--affiliate",
    "consent_id": "the consent's id",
    "account_id": "the account's id",
    "valid_until": "--valid-until",
    "frequency_per_day": "--frequency-per-day",
    "date_from": "--from",
    "date_to": "--to",
    "method": "--method",
}

# headers that banks name in the `path` of an error, and the options that set them
_OPTIONS: Final = {
    "PSU-IP-Address": "--psu-ip",
    "PSU-User-Agent": "--psu-ip",
    "PSU-ID": "--psu-id",
    "PSU-Corporate-ID": "--psu-corporate-id",
    "TPP-Redirect-Preferred": "the --browser or --app that the consent was created with",
}


def _is_outage(error: errors.OpenPaymentsError) -> bool:
    """Whether the server failed, rather than the request being wrong."""
    status = getattr(error, "status_code", None) or 0
    return (status == 429 or status >= 500) and not (isinstance(error, errors.TokenError) and error.code)


def exit_code(error: errors.OpenPaymentsError) -> int:
    """The exit code of a command that ended with this exception."""
    if isinstance(error, errors.TokenError) and _is_outage(error):
        return 1
    if isinstance(error, errors.BadRequestError) and error.code == "RESOURCE_UNKNOWN":
        return 4
    return next((code for code, kinds in _CODES.items() if isinstance(error, kinds)), 1)


def message(error: errors.OpenPaymentsError) -> str:
    """What went wrong, with the request id if something was sent."""
    text = str(error)
    if isinstance(error, errors.InvalidArgumentError):
        # the argument's name comes first; the underscore tells further names from other words
        text = re.sub(r"^\w+|\w+_\w+", lambda match: _ARGUMENTS.get(match[0], match[0]), text)
    return printable(text)


def advice(error: errors.OpenPaymentsError) -> str | None:
    """What to do about it, unless the message already says it."""
    options = {_OPTIONS[each.path] for each in getattr(error, "messages", ()) if each.path in _OPTIONS}
    match error:
        case errors.APIError() if options:
            return f"This bank requires {' and '.join(sorted(options))}."
        case errors.AccessExceededError():
            return "With --psu-ip, while the user is present, banks don't count accesses."
        case errors.ScaRequiredError():
            return (
                "While the user is present use --psu-ip; otherwise ask for more recent days, or for a new consent with "
                "`openpayments consent create`."
            )
        case errors.ConsentError():
            return "`openpayments consent status` shows its status; `openpayments consent create` makes a new one."
        case errors.AuthorisationFailedError(trying_again_helps=False):
            return "Trying again does not help before that has changed."
        case errors.AuthorisationFailedError() | errors.ReauthorisationRequiredError():
            return "`openpayments consent create` starts over."
        case _ if _is_outage(error):
            return "Try again later. If it persists, give the request id to the provider."
        case errors.AuthenticationError():
            return (
                "Check OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET, and that they belong to this "
                "environment: sandbox and production have different ones."
            )
        case errors.InvalidScopeError() if "leave it out" in str(error):
            return None
        case errors.InvalidScopeError():
            return (
                "Check the PSU context, and that the application has these API products in the Developer Portal: "
                "accountinformation for consents and accounts, otherwise those in OPENPAYMENTS_API_SCOPES."
            )
        case errors.UnauthorizedError() | errors.PermissionDeniedError():
            return "Check the application in the Developer Portal; production also requires a client certificate."
        case errors.NotFoundError():
            return "`openpayments banks`, `cities`, `countries` and `accounts` list what there is."
        case errors.ConnectionFailedError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "If a private CA signed it, or a proxy inspects TLS here, set SSL_CERT_FILE to a CA bundle."
        case errors.ConnectionFailedError() | errors.TimedOutError() if is_loopback(urlsplit(error.url or "").hostname):
            return "Is the simulator running? Export the lines that it printed last."
        case errors.ConnectionFailedError() | errors.TimedOutError():
            return "Check the network, and HTTPS_PROXY if you need a proxy."
        case errors.UnreadableResponseError():
            return "Check the hosts and the proxy: something else may have answered."
        case _:
            return None


def is_for_the_doctor(error: errors.OpenPaymentsError) -> bool:
    """Whether `openpayments doctor` can say more about it."""
    return isinstance(error, (errors.ConfigurationError, *_ABOUT_THE_APPLICATION, *_ABOUT_THE_NETWORK))
