"""Payment Initiation: create, read and cancel payments, and their authorisations and those of their cancellations.

From the provider's description of 2026 and what was observed in 2026; by the rules of 2021 no bank cancels a payment.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .authorisations import authorisation_routes, describe_methods, links
from .bank_call import BankCall, bank_operation
from .consent import check_affiliate
from .errors import ApiError, malformed
from .fx_quotes import quote_for
from .kyc import check_kyc
from .operation import Answer
from .payment_bodies import check_product, debtor_account, read_order
from .payment_warnings import message, warnings
from .reading import valid_consent

if TYPE_CHECKING:
    from starlette.routing import Route

    from ..state import Provider
    from ..state.payments import Cancellation, Payment
    from ..state.users import Reason

__all__ = ["PENDING", "payment_initiation_routes"]

_PAYMENTS = "/psd2/paymentinitiation/v1/payments"
_PRODUCT = f"{_PAYMENTS}/{{payment_product}}"
_PAYMENT = f"{_PRODUCT}/{{paymentId}}"
# those of the answer's schema; what a giro payment alone has is missing (observed in 2026)
_TOLD: Final = (
    "instructedAmount",
    "creditorAccount",
    "creditorName",
    "creditorAgent",
    "creditorAddress",
    "remittanceInformationUnstructured",
    "debtorAccountMessage",
    "requestedExecutionDate",
    "endToEndIdentification",
)
PENDING: Final = message("INFORMATION", "AUTHORISATION_PENDING_API", "another person has to authorise this")


def payment_initiation_routes(provider: Provider) -> list[Route]:
    on = partial(bank_operation, provider, api_scopes=["paymentinitiation"], silent=[406])
    return [
        on(
            "initiatePayment",
            "POST",
            _PRODUCT,
            _create,
            headers=["X-AffiliatedASPSP-ID", "Consent-ID", "FX-Quote-Id"],
            json_body=True,
        ),
        on("getPaymentInformation", "GET", _PAYMENT, _get),
        on("cancelPayment", "DELETE", _PAYMENT, _cancel),
        on("getPaymentInitiationStatus", "GET", f"{_PAYMENT}/status", _get_status),
        *authorisation_routes(
            on,
            f"{_PAYMENT}/authorisations",
            _find,
            start="startPaymentAuthorisation",
            list_all="getPaymentInitiationAuthorisation",
            get_sca_status="getPaymentInitiationScaStatus",
            select_method="updatePaymentPsuData",
        ),
        *authorisation_routes(
            on,
            f"{_PAYMENT}/cancellation-authorisations",
            _find_cancellation,
            start="startPaymentInitiationCancellationAuthorisation",
            list_all="getPaymentInitiationCancellationAuthorisationInformation",
            get_sca_status="getPaymentCancellationScaStatus",
            select_method="updatePaymentCancellationPsuData",
            name="cancellationId",
        ),
    ]


def _create(call: BankCall) -> Answer:
    product = check_product(call)
    check_affiliate(call)
    if call.header("Consent-ID") is not None:
        valid_consent(call)
    check_kyc(call)
    order = read_order(call, product)
    quote = None
    if product == "cross-border":
        quote_id = call.header("FX-Quote-Id")
        if quote_id is None:
            raise malformed("FX-Quote-Id", "FX-Quote-Id is missing")
        quote = quote_for(call, order, quote_id, header="FX-Quote-Id")
    payment = call.provider.payments.create(product, call.body, order=order, quote=quote, origin=call.origin)
    path = _path(payment)
    return Answer(
        {
            "transactionStatus": payment.status,
            "paymentId": payment.id,
            "scaMethods": describe_methods(call.bank, payment.approach),
            "_links": links(self=path, status=f"{path}/status", startAuthorisation=f"{path}/authorisations"),
            **(warnings(payment) if call.provider.of_2026 else {}),
        },
        201,
        {"Location": path},
    )


def _get(call: BankCall) -> Answer:
    payment = _find(call)
    told = {name: payment.order[name] for name in _TOLD if name in payment.order}
    return Answer(
        {"transactionStatus": payment.status, **told, **debtor_account(payment.order), **_messages(call, payment)}
    )


def _get_status(call: BankCall) -> Answer:
    payment = _find(call)
    # as with consents, a client may poll this alone while the user approves
    for authorisation in [*payment.authorisations.values()]:
        authorisation.let_app_proceed()
    return Answer({"transactionStatus": payment.status, **_messages(call, payment)})


def _cancel(call: BankCall) -> Answer:
    payment = _find(call)
    if not call.provider.of_2026:
        raise ApiError(405, "SERVICE_INVALID", f"{call.bank.name} cancels no payments")
    if not call.bank.cancels or not payment.is_alive:
        text = f"the payment is {payment.status}" if call.bank.cancels else f"{call.bank.name} cancels no payments"
        raise ApiError(405, "CANCELLATION_INVALID", text, path="paymentId")
    if payment.status == "RCVD" or not call.bank.cancellation_is_signed:
        payment.settle("CANC")
        return Answer(status=204)
    payment.cancellation.ask()
    path = _path(payment)
    return Answer(
        {
            "transactionStatus": payment.status,
            "scaMethods": describe_methods(call.bank, payment.approach),
            "_links": links(
                self=path, status=f"{path}/status", startAuthorisation=f"{path}/cancellation-authorisations"
            ),
        },
        202,
    )


def _find(call: BankCall) -> Payment:
    unknown = call.unknown("paymentId", "no such payment")
    payment = call.check(call.provider.payments.find(call.path_value("paymentId")), otherwise=unknown)
    if payment.product != call.path_value("payment-product"):
        raise unknown
    return payment


def _find_cancellation(call: BankCall) -> Cancellation:
    return _find(call).cancellation


def _path(payment: Payment) -> str:
    return f"{_PAYMENTS}/{payment.product}/{payment.id}"


def _messages(call: BankCall, payment: Payment) -> dict[str, Any]:
    if not call.provider.of_2026:
        return {}
    if payment.status == "PATC":
        return {**PENDING}
    reason: Reason | None = payment.reason
    return {} if reason is None else message("ERROR", reason.code, reason.text)
