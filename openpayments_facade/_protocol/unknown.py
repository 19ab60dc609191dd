"""What to say when nobody knows whether a request was carried out: what was sent, and what to do. Pure.

No source promises that a repeated request is recognised, so none is repeated (the provider's description of 2026;
observed in 2026: a repeated creation makes a second payment).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .._redaction import masked
from ..errors import OutcomeUnknownError

if TYPE_CHECKING:
    from .operation import Operation

_LOOK_FIRST: Final = "read the SCA status of each authorisation: if one is finalised, it is approved; else start one"
_ADVICE: Final = {
    "initiate_payment": "nobody has approved it, so it moves no money: create it again, with a new quote if it had one",
    "create_consent": "it has no effect until somebody approves it, and its id is unknown: create it again",
    "create_signing_basket": "nobody has approved it: create it again, with new payments if the bank refuses these",
    "create_fx_quote": "a quote costs nothing: create another",
    "create_kyc": "the form is empty: create it again",
    "confirm_cross_border_payment_intent": "confirming moves no money: read the quote, and confirm it again or another",
    "cancel_payment": "read the payment's status: CANC means that it is cancelled; else cancel it again",
}


def about_unknown(operation: Operation[Any]) -> dict[str, Any]:
    """The attributes of an OutcomeUnknownError."""
    body, name = operation.request.get("json"), operation.name
    advice = _ADVICE.get(name, OutcomeUnknownError.advice)
    if name.startswith("start_"):
        advice = _LOOK_FIRST if "basket" not in name else "a user approves only what they see: start another"
    elif name.endswith("_psu_data"):
        advice = "read the SCA status: if it is received, select the method again; else go on"
    reference = body.get("endToEndIdentification") if isinstance(body, Mapping) else None
    return {"advice": advice, "sent": masked(body) or {}, "end_to_end_identification": reference}
