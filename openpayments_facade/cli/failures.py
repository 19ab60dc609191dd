"""Turns exceptions into exit codes, messages and advice."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from .. import errors
from .._environ import CLIENT_ID, ENVIRONMENT
from ..environments import is_loopback
from .again import again, given, program
from .output import cell

__all__ = [
    "BROKEN_PIPE",
    "DECLINED",
    "EXIT_CODES",
    "INTERRUPTED",
    "advice",
    "exit_code",
    "in_options",
    "is_for_the_doctor",
    "message",
]

DECLINED: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

EXIT_CODES: Final = """
\b
Exit codes:
  0    success
  1    any other error
  2    wrong usage: an option, an argument or the configuration
  3    not authenticated or not authorised: credentials, token, scopes, consent or KYC; or the user declined
  4    no such bank, country, city, account or payment
  5    no answer from the network, or an unreadable one
  6    not in time: nobody authorised, the bank is slow, or somebody else has to sign as well
  7    the bank refuses: a payment was rejected or cancelled, or can't be cancelled
  8    unknown outcome: no usable answer to a request that may have taken effect, and is not repeated
  130  interrupted with Ctrl-C
  141  the other end of a pipe was closed
  143  ended by SIGTERM
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
        errors.KycRequiredError,
    ),
    4: (errors.NotFoundError,),
    5: _ABOUT_THE_NETWORK,
    6: (errors.AuthorisationTimeoutError, errors.PaymentTimeoutError),
    7: (errors.PaymentRejectedError, errors.PaymentCancelledError, errors.CancellationRefusedError),
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
    "value": "--amount",
    "amount": "--amount",
    "currency": "--currency",
    "source_currency": "--from",
    "target_currency": "--to",
    "country_code": "--country",
    "requested_execution_date": "--date",
    "psu_corporate_id": "the organisation's number",
    "payment_id": "the payment's id",
    "product": "--product",
    "fx_quote": "--quote",
    "payment.instructed_amount": "--amount",
    "payment.instructed_amount.currency": "--currency",
    "payment.debtor_account": "--from",
    "payment.creditor_account": "--to",
    "payment.creditor_giro": "--bankgiro or --plusgiro",
    "payment.creditor_name": "--name",
    "payment.creditor_agent": "--bic",
    "payment.creditor_agent_name": "--bank-name",
    "payment.creditor_address": "the address (--country, --street, --postal-code, --city)",
    "payment.creditor_address.country": "--country",
    "payment.creditor_address.street": "--street",
    "payment.creditor_address.building_number": "--building",
    "payment.creditor_address.postal_code": "--postal-code",
    "payment.creditor_address.city": "--city",
    "payment.creditor_address.state": "--state",
    "payment.remittance_information_unstructured": "--message",
    "payment.ocr_ref": "--ocr",
    "payment.invoice_ref": "--invoice",
    "payment.end_to_end_identification": "--reference",
    "payment.requested_execution_date": "--date",
}

# headers that banks name in the `path` of an error, and the options that set them
_OPTIONS: Final = {
    "PSU-IP-Address": "--psu-ip (or OPENPAYMENTS_PSU_IP)",
    "PSU-User-Agent": "--psu-ip (or OPENPAYMENTS_PSU_IP)",
    "PSU-ID": "--psu-id (or OPENPAYMENTS_PSU_ID)",
    "PSU-Corporate-ID": "--psu-corporate-id (or OPENPAYMENTS_PSU_CORPORATE_ID)",
    "TPP-Redirect-Preferred": "the --browser or --app that the consent or payment was created with",
}


def _is_outage(error: errors.OpenPaymentsError) -> bool:
    """Whether the server failed, rather than the request being wrong."""
    status = getattr(error, "status_code", None) or 0
    return (status == 429 or status >= 500) and not (isinstance(error, errors.TokenError) and error.code)


def _lacking(error: errors.OpenPaymentsError) -> list[str]:
    """The options that the bank misses."""
    paths = {each.path for each in getattr(error, "messages", ()) if each.path}
    return sorted({option for header, option in _OPTIONS.items() if header in paths})


def exit_code(error: errors.OpenPaymentsError) -> int:
    """The exit code of a command that ended with this exception."""
    if isinstance(error, errors.TokenError) and _is_outage(error):
        return 1
    if getattr(error, "may_have_taken_effect", False):
        return 8
    if isinstance(error, errors.BadRequestError) and error.code == "RESOURCE_UNKNOWN":
        return 4
    if isinstance(error, errors.BadRequestError) and _lacking(error):
        return 2
    return next((code for code, kinds in _CODES.items() if isinstance(error, kinds)), 1)


def message(error: errors.OpenPaymentsError) -> str:
    """What went wrong, with the request id if something was sent."""
    text = str(error)
    return cell(in_options(text) if isinstance(error, errors.InvalidArgumentError) else text)


def in_options(text: str) -> str:
    """What the facade says about an argument or a field of a payment, with the names that the command line has."""
    # the argument's name comes first; the underscore tells further names from other words
    text = re.sub(r"^[\w.]+|\w+_\w+", lambda match: _option(match[0]), text)
    return text.replace("the invoice reference", "--invoice")


def _option(name: str) -> str:
    known = name
    while known not in _ARGUMENTS and "." in known:
        known = known.rpartition(".")[0]
    return _ARGUMENTS.get(known, name)


def advice(error: errors.OpenPaymentsError) -> str | None:
    """What to do about it, unless the message already says it."""
    match error:
        case errors.APIError() if options := _lacking(error):
            return f"This bank requires {' and '.join(options)}."
        case errors.AccessExceededError():
            return "With --psu-ip, while the user is present, banks don't count accesses."
        case errors.ScaRequiredError():
            return (
                "While the user is present use --psu-ip; otherwise ask for more recent days, or for a new consent with "
                f"{again('consent create')}."
            )
        case errors.ConsentError():
            return f"{_status_of_the_consent(error)}{again('consent create')} makes a new one."
        case errors.AnotherSignatureNeededError():
            return None
        case errors.AuthorisationFailedError(trying_again_helps=False):
            return "Trying again does not help before that has changed."
        case errors.AuthorisationFailedError(payment_id=str()):
            return None
        case errors.AuthorisationFailedError() | errors.ReauthorisationRequiredError():
            return f"{again('consent create')} starts over."
        case errors.PaymentRejectedError() | errors.PaymentCancelledError():
            return "No money moves."
        case errors.CancellationRefusedError():
            return "This bank does not cancel the payment, or not any more."
        case errors.KycRequiredError(kyc_url=str(url)):
            return f"The organisation has to complete this form before it can pay: {cell(url)}"
        case errors.KycRequiredError():
            return f"The organisation has to prove who it is before it can pay: {_kyc()}"
        case errors.OutcomeUnknownError(end_to_end_identification=str(reference)):
            return f"Its reference is {cell(reference)}."
        case errors.APIError(may_have_taken_effect=True):
            return "The request may have taken effect."
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
                "accountinformation for consents and accounts, paymentinitiation for payments, quotes and KYC, "
                "otherwise those in OPENPAYMENTS_API_SCOPES."
            )
        case errors.UnauthorizedError() | errors.PermissionDeniedError():
            return "Check the application in the Developer Portal; production also requires a client certificate."
        case errors.BadRequestError(code="RESOURCE_UNKNOWN"):
            return f"{again('banks')} lists the banks that there are."
        case errors.ConfigurationError() if CLIENT_ID in str(error):
            return "With --simulator the command needs no account."
        case errors.ConfigurationError() if "contradict" in str(error):
            return f"For the hosts of the URLs `unset {ENVIRONMENT}`; for that environment unset them."
        case errors.NotFoundError(code="PRODUCT_UNKNOWN"):
            return f"{again('bank', bic=given('bank'))} lists the payment products that it has."
        case errors.NotFoundError() if "/payments/" in (error.url or ""):
            return "Check the payment's id, and that --product is that of the payment."
        case errors.NotFoundError() if "/accounts/" in (error.url or ""):
            return f"{again('accounts')} lists those of the consent."
        case errors.NotFoundError() if "/aspsps/" in (error.url or ""):
            return f"{again('banks')} lists the banks that there are."
        case errors.NotFoundError():
            return f"{again('banks')}, {again('cities')} and {again('countries')} list what there is."
        case errors.ConnectionFailedError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "If a private CA signed it, or a proxy inspects TLS here, set SSL_CERT_FILE to a CA bundle."
        case errors.ConnectionFailedError() if "check_request_ids" in str(error):
            return "If it does: `export OPENPAYMENTS_CHECK_REQUEST_IDS=false`."
        case errors.ConnectionFailedError() | errors.TimedOutError() if is_loopback(urlsplit(error.url or "").hostname):
            return "Is the simulator running? Paste here the lines that it printed last."
        case errors.ConnectionFailedError() | errors.TimedOutError():
            return "Check the network, and HTTPS_PROXY if you need a proxy."
        case errors.UnreadableResponseError():
            return "Check the hosts and the proxy: something else may have answered."
        case _:
            return None


def _kyc() -> str:
    number, country = given("psu_corporate_id"), str(given("bank"))[4:6].upper()
    if not number:
        return f"`{program()} kyc --help` says how."
    form, state = again("kyc start", organisation=number, country=country), again("kyc status", organisation=number)
    return f"{form} gets the form, if {country} is its country; {state} says how far it is."


def _status_of_the_consent(error: errors.ConsentError) -> str:
    id_ = given("consent_id") or given("consent")
    if not id_ or error.code == "CONSENT_UNKNOWN" or (error.url or "").endswith("/status"):
        return ""
    return f"{again('consent status', consent_id=id_)} shows its status; "


def is_for_the_doctor(error: errors.OpenPaymentsError) -> bool:
    """Whether `openpayments doctor` can say more about it."""
    return isinstance(error, (errors.ConfigurationError, *_ABOUT_THE_APPLICATION, *_ABOUT_THE_NETWORK))
