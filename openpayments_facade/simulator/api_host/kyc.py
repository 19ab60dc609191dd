"""KYC: start it for an organisation, and read its status (the provider's description of 2026).

No source says when an organisation is not found (404); here one that was never heard of is `Invalid`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..auth_host.kyc_page import kyc_url
from .errors import ApiError, malformed
from .operation import Answer, Call, operation
from .payment_bodies import COUNTRY

if TYPE_CHECKING:
    from starlette.routing import Route

    from ..state import Provider
    from .bank_call import BankCall

__all__ = ["check_kyc", "kyc_routes"]

_KYC = "/kyc/integration/v1"


def kyc_routes(provider: Provider) -> list[Route]:
    if not provider.of_2026:
        return []
    on = partial(operation, provider, api_scopes=["paymentinitiation"], error_details=True)
    return [
        on("POST", f"{_KYC}/new/{{PSU_Corporate_ID}}", _create, query=["countryCode"]),
        on("GET", f"{_KYC}/status/{{PSU_Corporate_ID}}", _get_status),
    ]


def check_kyc(call: BankCall) -> None:
    """Raises ApiError 403 if an organisation may not pay yet; its code was observed in 2026."""
    provider, corporate_id = call.provider, call.header("PSU-Corporate-ID") or ""
    if not provider.require_kyc or call.context != "corporate" or provider.kyc.valid_until(corporate_id) is not None:
        return
    raise ApiError(
        403,
        "TPP_KYC_INVALID",
        "the KYC of the organisation is missing",
        further={
            "psuMessage": "Complete the KYC of your organisation first.",
            "_links": {"kycRedirect": {"href": kyc_url(provider, provider.kyc.start(corporate_id))}},
        },
    )


def _create(call: Call) -> Answer:
    corporate_id = _corporate_id(call)
    country = call.query("countryCode")
    if country is None or not COUNTRY.fullmatch(country):
        raise malformed("countryCode", "countryCode is missing or malformed")
    return Answer({"kycUrl": kyc_url(call.provider, call.provider.kyc.start(corporate_id))}, 201)


def _get_status(call: Call) -> Answer:
    corporate_id = _corporate_id(call)
    last = call.provider.kyc.valid_until(corporate_id)
    return Answer(
        {
            "psuCorporateId": corporate_id,
            "kycStatus": "Invalid" if last is None else "Valid",
            "kycValidUntil": last and last.isoformat(),
        }
    )


def _corporate_id(call: Call) -> str:
    if "corporate" not in call.scopes:
        raise ApiError(401, "TOKEN_INVALID", "the access token has no scope corporate")
    return call.path_value("PSU-Corporate-ID")
