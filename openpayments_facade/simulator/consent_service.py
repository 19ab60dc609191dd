"""The eight operations of the Consent Service (facts 30)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .authorise import authorise_template
from .bank_api import Answer, BankCall, bank_operation, check_preference
from .challenges import challenge
from .consent_requests import check_consent_request
from .errors import ApiError

if TYPE_CHECKING:
    from starlette.routing import Route

    from .banks import Approach, Bank
    from .consents import Authorisation, Consent
    from .provider import Provider

__all__ = ["consent_routes"]

_CONSENTS = "/psd2/consent/v1/consents"
_CONSENT = f"{_CONSENTS}/{{consentId}}"
_AUTHORISATIONS = f"{_CONSENT}/authorisations"
_AUTHORISATION = f"{_AUTHORISATIONS}/{{authorisationId}}"
_LONGEST_METHOD_ID = 35


def consent_routes(provider: Provider) -> list[Route]:
    on = partial(bank_operation, provider)
    return [
        on("createConsent", "POST", _CONSENTS, _create, json_body=True),
        on("getConsentInformation", "GET", _CONSENT, _get),
        on("deleteConsent", "DELETE", _CONSENT, _delete),
        on("getConsentStatus", "GET", f"{_CONSENT}/status", _get_status),
        on("startConsentAuthorisation", "POST", _AUTHORISATIONS, _start_authorisation),
        on("getConsentAuthorisation", "GET", _AUTHORISATIONS, _list_authorisations),
        on("getConsentScaStatus", "GET", _AUTHORISATION, _get_sca_status),
        on("updateConsentsPsuData", "PUT", _AUTHORISATION, _select_method, json_body=True),
    ]


def _create(provider: Provider, call: BankCall) -> Answer:
    valid_until = check_consent_request(call.body, provider.consents.now().date())
    consent = provider.consents.create(
        call.bank,
        call.body,
        valid_until=valid_until,
        context=call.context,
        redirect_preferred=call.header("TPP-Redirect-Preferred"),
        psu_id=call.header("PSU-ID"),
    )
    path = _path(consent)
    return Answer(
        {
            "consentStatus": consent.status,
            "consentId": consent.id,
            "scaMethods": _methods(call.bank, consent.approach),
            "_links": _links(self=path, status=f"{path}/status", startAuthorisation=f"{path}/authorisations"),
        },
        201,
        {"Location": path},
    )


def _get(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    return Answer(
        {
            "consentId": consent.id,
            "access": consent.request["access"],
            "recurringIndicator": consent.request["recurringIndicator"],
            "validUntil": consent.valid_until.isoformat(),
            "frequencyPerDay": consent.request["frequencyPerDay"],
            "lastActionDate": consent.last_action.isoformat(),
            "consentStatus": consent.status,
        }
    )


def _delete(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    # a consent that came to another end keeps it; deleting is idempotent, so that is no error
    if consent.status in {"received", "valid"}:
        provider.consents.end(consent, "terminatedByTpp")
    return Answer(status=204)


def _get_status(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    # a simpler guide asks for nothing but this while the user approves (facts 60, section 3)
    for authorisation in list(consent.authorisations.values()):
        provider.consents.let_app_proceed(consent, authorisation)
    return Answer({"consentStatus": consent.status})


def _start_authorisation(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    if consent.status != "received":
        raise _wrong_state(f"the consent is {consent.status}")
    authorisation = provider.consents.start_authorisation(consent, call.header("PSU-ID"))
    path = _path(consent, authorisation)
    answer = Answer(
        {
            "authorisationId": authorisation.id,
            "scaStatus": authorisation.sca_status,
            "scaMethods": _methods(call.bank, authorisation.approach),
            "_links": _links(scaStatus=path, selectAuthenticationMethod=path),
        },
        201,
        # no ASPSP-SCA-Approach: optional here, and the sample client waits for that of the next step
        {"Location": path},
    )
    if call.bank.at_once:
        provider.consents.approve_at_once(consent, authorisation)
    return answer


def _list_authorisations(provider: Provider, call: BankCall) -> Answer:
    return Answer({"authorisationIds": list(_consent(provider, call).authorisations)})


def _get_sca_status(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    authorisation = _authorisation(call, consent)
    provider.consents.let_app_proceed(consent, authorisation)
    return Answer({"scaStatus": authorisation.sca_status, **_challenge(authorisation)})


def _select_method(provider: Provider, call: BankCall) -> Answer:
    consent = _consent(provider, call)
    authorisation = _authorisation(call, consent)
    method = call.body.get("authenticationMethodId") if isinstance(call.body, dict) else None
    if not isinstance(method, str) or not 0 < len(method) <= _LONGEST_METHOD_ID:
        name = "authenticationMethodId"
        raise ApiError(400, "FORMAT_ERROR", f"{name} is missing or malformed", path=name)
    if method not in call.bank.offers(authorisation.approach):
        raise ApiError(400, "SCA_METHOD_UNKNOWN", "no such method", path="authenticationMethodId")
    if authorisation.is_open:
        provider.consents.select_method(consent, authorisation, method, call.header("PSU-ID"))
    elif not call.bank.at_once:
        raise _wrong_state(f"the authorisation is {authorisation.sca_status}")
    chosen = next(one for one in _methods(call.bank, authorisation.approach) if one["authenticationMethodId"] == method)
    links = {"scaStatus": _path(consent, authorisation)}
    if authorisation.approach == "redirect" and authorisation.is_open:
        links["scaRedirect" if provider.plain_redirect else "scaOAuth"] = authorise_template(
            provider, consent, authorisation
        )
    return Answer(
        {
            "scaStatus": authorisation.sca_status,
            "chosenScaMethod": chosen,
            **_challenge(authorisation),
            "_links": _links(**links),
        },
        headers={"ASPSP-SCA-Approach": authorisation.approach.upper()},
    )


def _consent(provider: Provider, call: BankCall) -> Consent:
    consent = provider.consents.find(str(call.request.path_params["consentId"]))
    if consent is None or consent.bank is not call.bank:
        raise ApiError(403, "CONSENT_UNKNOWN", f"{call.bank.name} knows no such consent", path="consentId")
    check_preference(call, consent)
    return consent


def _authorisation(call: BankCall, consent: Consent) -> Authorisation:
    authorisation = consent.authorisations.get(str(call.request.path_params["authorisationId"]))
    if authorisation is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "no such authorisation", path="authorisationId")
    return authorisation


def _challenge(authorisation: Authorisation) -> dict[str, Any]:
    if not authorisation.waits_for_app:
        return {}
    assert authorisation.method is not None
    return {"challengeData": challenge(authorisation.method, authorisation.id, authorisation.reads)}


def _methods(bank: Bank, approach: Approach) -> list[dict[str, str]]:
    return [
        {"authenticationType": "PUSH_OTP", "authenticationMethodId": method, "name": name}
        for method, name in bank.offers(approach).items()
    ]


def _path(consent: Consent, authorisation: Authorisation | None = None) -> str:
    path = f"{_CONSENTS}/{quote(consent.id)}"
    return path if authorisation is None else f"{path}/authorisations/{quote(authorisation.id)}"


def _links(**hrefs: str) -> dict[str, dict[str, str]]:
    return {name: {"href": href} for name, href in hrefs.items()}


def _wrong_state(text: str) -> ApiError:
    return ApiError(409, "STATUS_INVALID", text)
