"""Payment initiation: the request that creates a payment, and what its status means for who waits. Pure.

Sources: the provider's description of 2026; observed in 2026 (which statuses end a wait).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from attrs import evolve
from openpayments_client.api import payment_initiation as api
from openpayments_client.operations import OPERATIONS

from .. import errors
from .._checks import check, refuse
from .._redaction import printable
from ..scopes import ApiScope
from . import arguments
from .operation import Operation
from .payment_orders import PRODUCTS, is_product
from .request import read_request

if TYPE_CHECKING:
    from openpayments_client import models

    from ..payments import PaymentStatus
    from .binding import BankBinding
    from .payment_orders import Order

LONGEST_REASON: Final = 512
"""The number of characters of a bank's text that the message of an exception keeps."""
SERVICE: Final = "payments"
"""The one payment service that the API has since 2026."""


def reason_of(messages: Iterable[errors.TppMessage]) -> tuple[errors.TppMessage, str]:
    """The first of a bank's messages that says why, and what it says; what is no warning comes before the others."""
    ranked = sorted(messages, key=lambda each: (each.category or "").upper() in {"WARNING", "INFORMATION"})
    first = next((each for each in ranked if each.code), errors.TppMessage())
    text = first.text or next((each.text for each in ranked if each.text), None)
    return evolve(first, text=text), printable(": ".join(filter(None, (first.code, text))))[:LONGEST_REASON]


def failure_of(payment_id: str, status: PaymentStatus) -> errors.OpenPaymentsError | None:
    """The error for a payment that was rejected or cancelled; None for any other status."""
    if not status.is_failed:
        return None
    first, why = reason_of(status.messages)
    kind = errors.PaymentCancelledError if status.code == "CANC" else errors.PaymentRejectedError
    about = {"payment_id": payment_id, "status": status, "code": first.code, "messages": status.messages}
    return kind(f"payment {payment_id} is {printable(status)}{f': {why}' if why else ''}", **about)


def creation_of(bank: BankBinding, order: Order, fx_quote: str | None) -> Operation[models.PaymentCreated]:
    """The request that creates a payment."""
    body, product = order.body, order.product
    if fx_quote is not None and PRODUCTS.get(type(body), "cross-border") != "cross-border":
        raise refuse("fx_quote", f"goes with cross-border payments, and this one is for {product}")
    if not isinstance(body, dict):
        return Operation.at_bank(bank, api.initiate_payment, SERVICE, product, body=body, fx_quote_id=fx_quote)
    path = f"/psd2/paymentinitiation/v1/{SERVICE}/{quote(product, safe='')}"
    headers = {} if fx_quote is None else {"FX-Quote-Id": fx_quote}
    request = read_request("POST", path, json=body, headers=headers, scope=ApiScope.PAYMENT_INITIATION, bank=bank)
    return evolve(request, endpoint=api.initiate_payment)


def content_of(bank: BankBinding, order: Order, payment: object, fx_quote: str | None) -> object:
    """What two payments have in common that are the same for their sender. A reference that was made differs."""
    body = {**order.body} if isinstance(order.body, dict) else order.body.to_dict()
    name = "endToEndIdentification"
    given = payment.get(name) if isinstance(payment, Mapping) else getattr(payment, "end_to_end_identification", None)
    about = bank.bic_fi, bank.affiliated_aspsp, bank.psu.id, bank.psu.corporate_id, order.product, fx_quote
    body[name] = str(given or "").strip()
    return sha256(json.dumps([about, body], sort_keys=True).encode()).digest()


def is_reached(payment_id: str, status: PaymentStatus, until: str) -> bool:
    """Whether a wait is over.

    Raises PaymentRejectedError, PaymentCancelledError, and errors.AnotherSignatureNeededError with what is missing.
    """
    if failure := failure_of(payment_id, status):
        raise failure
    if status.needs_another_signature:
        missing = reason_of(status.messages)[1] or "another signature"
        why = f"payment {payment_id} is {printable(status)} ({missing}): others have to sign"
        ids = dict.fromkeys(("resource_id", "payment_id"), payment_id)
        raise errors.AnotherSignatureNeededError(why, messages=status.messages, **ids)
    return status.is_final or (until == "accepted" and status.is_accepted)


def check_offer(details: models.AspspDetails, product: str) -> None:
    """Raises InvalidArgumentError if the bank says that it does not have a product."""
    offered = details.global_payment_products or [product]
    if product.lower() not in map(str.lower, offered):
        raise refuse("product", f"is {product}, and {details.bic_fi} offers {', '.join(offered)}")


def basket_limit(details: models.AspspDetails) -> int | None:
    """The number of payments that a basket may have; 0 if the bank has none, None if it does not say."""
    found = details.payment_initiation
    return None if found is None else 0 if found.signing_baskets_supported is False else found.signing_basket_limit


def payment_of(payment: Any, product: object) -> tuple[str, str]:
    """The id and the product of a payment. Raises InvalidArgumentError."""
    known = getattr(payment, "product", None) or product
    if not is_product(known) or product not in (None, known):
        raise refuse("product", "must be that of the payment, such as domestic; an id alone does not say it")
    return arguments.id_of(payment, "payment_id"), known


def quote_of(quote: Any, argument: str = "fx_quote") -> Any:
    """The id of a quote. Raises InvalidArgumentError if it can't be used any more."""
    last = _moment(getattr(quote, "valid_to", None))
    if last is not None and last < arguments.today():
        raise refuse(argument, f"was valid until {last:%Y-%m-%d %H:%M} UTC; create a new one")
    id_ = arguments.id_of(quote, "fx_quote_id", argument)
    check(OPERATIONS["initiate_payment"].arguments["fx_quote_id"], id_, argument)
    return id_


def _moment(text: object) -> datetime | None:
    """A time, or the end of a day wherever on earth, in UTC. None if it is neither."""
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(str(text).strip())
        found += timedelta(days=1, hours=12) if len(str(text).strip()) <= len("2026-01-31") else timedelta()
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None
