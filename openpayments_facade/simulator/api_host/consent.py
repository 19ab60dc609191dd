"""Consent: create, read and delete consents, and their authorisations.

From the provider's guide of 2021; what the rules of 2026 add is from the provider's description of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..state.aspsps import aspsp_details
from .authorisations import authorisation_routes, describe_methods, links
from .bank_call import BankCall, bank_operation
from .errors import ApiError, malformed
from .operation import Answer
from .references import IDENTIFIERS, IDENTIFIERS_OF_2026, check_reference

if TYPE_CHECKING:
    from starlette.routing import Route

    from ..state import Provider
    from ..state.consents import Consent

__all__ = ["ACCOUNTS", "CARD_ACCOUNTS", "check_affiliate", "consent_routes", "find_consent", "read_date"]

ACCOUNTS = "/psd2/accountinformation/v1/accounts"
CARD_ACCOUNTS = "/psd2/accountinformation/v1/card-accounts"
_CONSENTS = "/psd2/consent/v1/consents"
_CONSENT = f"{_CONSENTS}/{{consentId}}"

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LISTS = ("accounts", "balances", "transactions")
_OFFERS: Final[Mapping[str, tuple[str, ...]]] = {
    "availableAccounts": ("allAccounts", "allAccountsWithBalances"),
    "allPsd2": ("allAccounts",),
}
_OFFERS_OF_2026: Final = {**_OFFERS, "availableAccounts": (*_OFFERS["availableAccounts"], "selectAccounts")}


def consent_routes(provider: Provider) -> list[Route]:
    on = partial(bank_operation, provider, api_scopes=["accountinformation"])
    return [
        on(
            "createConsent",
            "POST",
            _CONSENTS,
            _create,
            headers=["X-AffiliatedASPSP-ID", "X-Consent-Type"],
            json_body=True,
        ),
        on("getConsentInformation", "GET", _CONSENT, _get),
        on("deleteConsent", "DELETE", _CONSENT, _delete),
        on("getConsentStatus", "GET", f"{_CONSENT}/status", _get_status),
        *authorisation_routes(
            on,
            f"{_CONSENT}/authorisations",
            _find,
            start="startConsentAuthorisation",
            list_all="getConsentAuthorisation",
            get_sca_status="getConsentScaStatus",
            select_method="updateConsentsPsuData",
        ),
    ]


def find_consent(call: BankCall, consent_id: str, *, status: int, path: str) -> Consent:
    """A consent of the call's bank. Raises ApiError with this status and path if there is none."""
    unknown = ApiError(status, "CONSENT_UNKNOWN", f"{call.bank.name} knows no such consent", path=path)
    return call.check(call.provider.consents.find(consent_id), otherwise=unknown)


def read_date(value: object, name: str) -> date:
    """A date as `yyyy-MM-dd`. Raises ApiError 400."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise malformed(name, f"{name} must be a date in the form yyyy-MM-dd")


def check_affiliate(call: BankCall) -> None:
    """By the rules of 2026, a bank knows the banks that are reached through it. Raises ApiError 400."""
    name = "X-AffiliatedASPSP-ID"
    affiliate = call.header(name)
    if affiliate is None or not call.provider.of_2026:
        return
    known = aspsp_details(of_2026=True)[call.bank.bic].get("affiliatedAspsps", ())
    if affiliate not in [each["id"] for each in known]:
        raise ApiError(400, "RESOURCE_UNKNOWN", f"{call.bank.name} has no such affiliated bank", path=name)


def _create(call: BankCall) -> Answer:
    check_affiliate(call)
    valid_until = _check_request(call)
    consent = call.provider.consents.create(
        call.body, origin=call.origin, valid_until=valid_until, affiliate=call.header("X-AffiliatedASPSP-ID")
    )
    path = f"{_CONSENTS}/{consent.id}"
    return Answer(
        {
            "consentStatus": consent.status,
            "consentId": consent.id,
            "scaMethods": describe_methods(call.bank, consent.approach),
            "_links": links(self=path, status=f"{path}/status", startAuthorisation=f"{path}/authorisations"),
        },
        201,
        {"Location": path},
    )


def _get(call: BankCall) -> Answer:
    consent = _find(call)
    return Answer(
        {
            **({} if call.provider.of_2026 else {"consentId": consent.id}),
            "access": consent.request["access"],
            "recurringIndicator": consent.request["recurringIndicator"],
            "validUntil": consent.valid_until.isoformat(),
            "frequencyPerDay": consent.request["frequencyPerDay"],
            "lastActionDate": consent.last_action.isoformat(),
            "consentStatus": consent.status,
            **_links(call, consent),
        }
    )


def _links(call: BankCall, consent: Consent) -> dict[str, Any]:
    """Where a valid consent leads, by the rules of 2026."""
    if consent.status != "valid" or not call.provider.of_2026:
        return {}
    hrefs = {"account": ACCOUNTS}
    if call.provider.ledger.cards(call.bank, consent.context, consent.psu_id):
        hrefs["card-account"] = CARD_ACCOUNTS
    return {"_links": links(**hrefs)}


def _delete(call: BankCall) -> Answer:
    consent = _find(call)
    # a consent that has already ended stays as it is; deleting is idempotent, so that is not an error
    if consent.is_alive:
        consent.settle("terminatedByTpp")
    return Answer(status=204)


def _get_status(call: BankCall) -> Answer:
    consent = _find(call)
    # in the simpler flow of the provider's guide of 2021, only this is polled while the user approves
    for authorisation in consent.authorisations.values():
        authorisation.let_app_proceed()
    return Answer({"consentStatus": consent.status})


def _find(call: BankCall) -> Consent:
    return find_consent(call, call.path_value("consentId"), status=403, path="consentId")


def _check_request(call: BankCall) -> date:
    """Checks a request, and returns the date in its `validUntil`. Raises ApiError 400."""
    body = call.body
    if not isinstance(body, dict):
        raise malformed(None, "the body is not a JSON object")
    for name in ("access", "recurringIndicator", "validUntil", "frequencyPerDay", "combinedServiceIndicator"):
        if body.get(name) is None:
            raise malformed(name, f"{name} is missing")
    for name in ("recurringIndicator", "combinedServiceIndicator"):
        if not isinstance(body[name], bool):
            raise malformed(name, f"{name} must be true or false")
    frequency = body["frequencyPerDay"]
    # 1.0 is an integer to a JSON Schema
    if isinstance(frequency, bool) or not isinstance(frequency, (int, float)) or frequency % 1 or frequency < 1:
        raise malformed("frequencyPerDay", "frequencyPerDay must be 1 or more")
    _check_access(body["access"], of_2026=call.provider.of_2026)
    valid_until = read_date(body["validUntil"], "validUntil")
    if valid_until < call.today:
        raise ApiError(400, "PERIOD_INVALID", "validUntil is in the past", path="validUntil")
    return valid_until


def _check_access(access: Any, *, of_2026: bool) -> None:
    if not isinstance(access, dict):
        raise malformed("access", "access must be a JSON object")
    for name, offers in (_OFFERS_OF_2026 if of_2026 else _OFFERS).items():
        if access.get(name) is not None and access[name] not in offers:
            raise ApiError(
                400, "PARAMETER_NOT_SUPPORTED", f"{name} must be one of: {', '.join(offers)}", path=f"access.{name}"
            )
    lists = {name: access[name] for name in _LISTS if access.get(name) is not None}
    for name, references in lists.items():
        _check_references(references, f"access.{name}", IDENTIFIERS_OF_2026 if of_2026 else IDENTIFIERS)
    if any(lists.values()) and not all(lists.values()):
        raise _inconsistent("access", "if one list is empty, the others are too")
    for name in ("balances", "transactions"):
        if any(reference not in lists.get("accounts", ()) for reference in lists.get(name, ())):
            raise _inconsistent(f"access.{name}", f"{name} has an account that is not in accounts")


def _check_references(references: Any, path: str, identifiers: Mapping[str, re.Pattern[str]]) -> None:
    if not isinstance(references, list):
        raise malformed(path, f"{path} must be a list")
    for position, reference in enumerate(references):
        check_reference(reference, f"{path}[{position}]", identifiers)


def _inconsistent(path: str, text: str) -> ApiError:
    return ApiError(400, "PARAMETER_NOT_CONSISTENT", text, path=path)
