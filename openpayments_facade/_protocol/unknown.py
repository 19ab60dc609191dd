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
    "initiate_payment": "unapproved, it moves no money: create it again, with another key and quote if it had any",
    "create_consent": "it has no effect until somebody approves it, and its id is unknown: create it again",
    "create_signing_basket": "nobody has approved it: create it again, with new payments if the bank refuses these",
    "create_fx_quote": "a quote costs nothing: create another",
    "create_kyc": "the form is empty: create it again",
    "confirm_cross_border_payment_intent": "a quote does not tell, and moves no money: confirm it again, or another",
    "cancel_payment": "read the payment's status: CANC means that it is cancelled; else cancel it again",
}


def explain(error: Any, operation: Operation[Any]) -> Any:
    """The same error, which says what was sent and what to do if the request may have taken effect."""
    if getattr(error, "may_have_taken_effect", False):
        body, name = operation.request.get("json"), operation.name
        advice = _ADVICE.get(name, OutcomeUnknownError.advice)
        if name.startswith("start_") or name.endswith("_psu_data"):
            advice = "a user approves only what they see: start another" if "basket" in name else _LOOK_FIRST
        reference = body.get("endToEndIdentification") if isinstance(body, Mapping) else None
        vars(error).update(advice=advice, sent=masked(body) or {}, end_to_end_identification=reference)
        error.args = (f"{error.args[0]}; {advice}",)
    return error
