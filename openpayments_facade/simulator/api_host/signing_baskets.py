"""Signing Baskets: create, read and delete them, and their authorisations (the provider's description of 2026)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..state.aspsps import aspsp_details
from .authorisations import authorisation_routes, describe_methods, links
from .bank_call import BankCall, bank_operation
from .errors import ApiError, malformed
from .operation import Answer
from .payment_initiation import PENDING
from .reading import valid_consent

if TYPE_CHECKING:
    from starlette.routing import Route

    from ..state import Provider
    from ..state.payments import Payment
    from ..state.signing_baskets import SigningBasket

__all__ = ["signing_basket_routes"]

_BASKETS = "/psd2/paymentinitiation/v1/signing-baskets"
_BASKET = f"{_BASKETS}/{{basketId}}"
_PREFERENCE = "TPP-Redirect-Preferred"


def signing_basket_routes(provider: Provider) -> list[Route]:
    if not provider.of_2026:
        return []
    on = partial(bank_operation, provider, api_scopes=["paymentinitiation"], silent=[406])
    on_one = partial(on, optional=[_PREFERENCE])
    return [
        on("createSigningBasket", "POST", _BASKETS, _create, headers=["Consent-ID"], json_body=True),
        on_one("getSigningBasket", "GET", _BASKET, _get),
        on_one("deleteSigningBasket", "DELETE", _BASKET, _delete),
        on_one("getSigningBasketStatus", "GET", f"{_BASKET}/status", _get_status),
        *authorisation_routes(
            on,
            f"{_BASKET}/authorisations",
            _find,
            start="startSigningBasketAuthorisation",
            list_all=None,
            get_sca_status="getSigningBasketScaStatus",
            select_method="updateSigningBasketPsuData",
            optional_on_one=[_PREFERENCE],
        ),
    ]


def _create(call: BankCall) -> Answer:
    if call.header("Consent-ID") is not None:
        valid_consent(call)
    payments = _read_payments(call)
    basket = call.provider.signing_baskets.create(payments, origin=call.origin)
    return Answer(
        {
            "transactionStatus": basket.status,
            "basketId": basket.id,
            "scaMethods": describe_methods(call.bank, basket.approach),
            "_links": _links(basket),
        },
        201,
        {"Location": _path(basket)},
    )


def _get(call: BankCall) -> Answer:
    basket = _find(call)
    return Answer(
        {
            "transactionStatus": basket.status,
            "paymentIds": [payment.id for payment in basket.payments],
            "_links": _links(basket),
            **_messages(basket),
        }
    )


def _get_status(call: BankCall) -> Answer:
    basket = _find(call)
    for authorisation in [*basket.authorisations.values()]:
        authorisation.let_app_proceed()
    return Answer({"transactionStatus": basket.status, **_messages(basket)})


def _delete(call: BankCall) -> Answer:
    basket = _find(call)
    if basket.authorisations or basket.status != "RCVD":
        text = "an authorisation has started" if basket.authorisations else f"the basket is {basket.status}"
        raise ApiError(409, "STATUS_INVALID", text, path="basketId")
    basket.cancel()
    return Answer(status=204)


def _find(call: BankCall) -> SigningBasket:
    unknown = call.unknown("basketId", "no such signing basket")
    return call.check(call.provider.signing_baskets.find(call.path_value("basketId")), otherwise=unknown)


def _read_payments(call: BankCall) -> list[Payment]:
    """The payments that the call puts together. Raises ApiError."""
    name = "paymentIds"
    ids = call.body.get(name) if isinstance(call.body, dict) else None
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each for each in ids):
        raise malformed(name, f"{name} must be a list of ids")
    if len({*ids}) < len(ids):
        raise malformed(name, f"{name} has a payment more than once")
    details = aspsp_details(of_2026=True).get(call.bank.bic, {})
    limit = details.get("paymentInitiation", {}).get("signingBasketLimit")
    if limit is not None and len(ids) > limit:
        raise malformed(name, f"{call.bank.name} takes {limit} payments")
    found = [call.provider.payments.find(each) for each in ids]
    payments = [payment for payment in found if payment is not None and payment.bank is call.bank]
    if len(payments) < len(ids):
        raise ApiError(400, "RESOURCE_UNKNOWN", f"{call.bank.name} does not know one of the payments", path=name)
    # one product ships it that way
    if len({_user(payment) for payment in payments}) > 1 or _company(payments[0]) != _company(call):
        raise ApiError(400, "REFERENCE_MIX_INVALID", "the payments are of several users or accounts", path=name)
    if any(payment.status != "RCVD" or payment.basket is not None for payment in payments):
        text = "one of the payments is approved, has ended or is in another basket"
        raise ApiError(409, "REFERENCE_STATUS_INVALID", text, path=name)
    return payments


def _user(payment: Payment) -> object:
    account = {name: value for name, value in payment.order["debtorAccount"].items() if value is not None}
    return payment.psu_id, _company(payment), frozenset(account.items() - {("currency", account.get("currency"))})


def _company(subject: Payment | BankCall) -> object:
    origin = subject.origin if isinstance(subject, BankCall) else vars(subject)
    return origin["context"], origin["corporate_id"]


def _path(basket: SigningBasket) -> str:
    return f"{_BASKETS}/{basket.id}"


def _links(basket: SigningBasket) -> Mapping[str, Any]:
    path = _path(basket)
    return links(self=path, status=f"{path}/status", startAuthorisation=f"{path}/authorisations")


def _messages(basket: SigningBasket) -> Mapping[str, Any]:
    return PENDING if basket.status == "PATC" else {}
