"""What a bank warns of when a payment is created: by the name of the payee, which is one of these or any other.

| `creditorName` | answer |
|---|---|
| `Example Flagged` | the warning `CREDITOR_ACCOUNT_FLAGGED` (observed in 2026) |
| `Example No Match` | in euro: `verificationOfPayee` with `NMTC` and `CREDITOR_NAME_MISMATCH` |
| `Example Close Match` | in euro: with `CMTC`, `CREDITOR_NAME_CLOSE_MATCH` and a `matchedName` |
| `Example Unverified` | in euro: with `NOAP` and `CREDITOR_NAME_UNVERIFIED` |
| any other | in euro: with `MTCH` |

Payees are verified for `sepa-credit-transfers` alone, since the European scheme is about payments in euro.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..state.payments import Payment

__all__ = ["message", "warnings"]

_FLAGGED: Final = "Example Flagged"
_MATCHES: Final = {
    "Example No Match": ("NMTC", "CREDITOR_NAME_MISMATCH", "the account belongs to somebody of another name"),
    "Example Close Match": ("CMTC", "CREDITOR_NAME_CLOSE_MATCH", "the name is close to that of the account's holder"),
    "Example Unverified": ("NOAP", "CREDITOR_NAME_UNVERIFIED", "the name could not be verified"),
}


def message(category: str, code: str, text: str) -> dict[str, Any]:
    return {"tppMessages": [{"category": category, "code": code, "text": text}]}


def warnings(payment: Payment) -> dict[str, Any]:
    """The fields of the answer that tell them."""
    name = payment.order["creditorName"]
    fields = message("WARNING", "CREDITOR_ACCOUNT_FLAGGED", "the payee is on a list of warnings")
    return (fields if name == _FLAGGED else {}) | _verification(payment, name)


def _verification(payment: Payment, name: str) -> dict[str, Any]:
    if payment.product != "sepa-credit-transfers":
        return {}
    match, *why = _MATCHES.get(name, ("MTCH",))
    verification = {"partyNameMatch": match, **(message("WARNING", *why) if why else {})}
    if match == "CMTC":
        verification["matchedName"] = f"{name} AB"
    return {"verificationOfPayee": verification}
