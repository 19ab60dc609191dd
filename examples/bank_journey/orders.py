"""The form of a payment, and the order that it describes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from openpayments_facade import (
    Account,
    AccountReference,
    DebtorAccountReference,
    DomesticPayment,
    InvalidArgumentError,
    SepaCreditTransfer,
    amount,
)

from .rendering import grouped
from .store import Connection, SavedAccount, SavedPayment

Order = DomesticPayment | SepaCreditTransfer
FIELDS = ("account", "creditor_name", "creditor_iban", "amount", "message", "creditor_agent", "creditor_agent_name")
PRODUCTS: dict[str, type[Order]] = {
    "domestic": DomesticPayment,
    "sepa-credit-transfers": SepaCreditTransfer,
}
# the SDK names the field of the payment that is wrong: what the form calls it
_PATHS = {
    "payment.creditor_account": "creditor_iban",
    "payment.creditor_agent_name": "creditor_agent_name",
    "payment.creditor_agent": "creditor_agent",
    "payment.creditor_name": "creditor_name",
    "payment.remittance_information_unstructured": "message",
    "payment.instructed_amount": "amount",
    "value": "amount",
}


_NEEDED = {
    "creditor_name": "Enter the name of the payee.",
    "creditor_iban": "Enter the account of the payee.",
    "amount": "Enter an amount, such as 125.50.",
}
_NEEDED_IN_EURO = {
    "creditor_agent": "Enter the BIC of the payee's bank.",
    "creditor_agent_name": "Enter the name of the payee's bank.",
}


def missing(form: dict[str, str], account: SavedAccount | None) -> dict[str, str]:
    """What a form lacks, by field: all at once, before the SDK looks at what is there."""
    needed = _NEEDED | (_NEEDED_IN_EURO if account and account.currency == "EUR" else {})
    no_account = {} if account else {"account": "Choose the account to pay from."}
    return no_account | {field: text for field, text in needed.items() if not form[field]}


def order_of(form: dict[str, str], account: SavedAccount) -> Order:
    """The payment that a form describes, which lacks nothing. The SDK checks it before it is sent."""
    own = Account.from_dict(account.data)
    debtor = (
        DebtorAccountReference(iban=own.iban)
        if own.iban
        else DebtorAccountReference(bban=own.bban, clearing_number=own.clearing_number)
    )
    common: dict[str, Any] = {
        "instructed_amount": amount(form["amount"].replace(" ", "").replace(",", "."), account.currency),
        "debtor_account": debtor,
        "creditor_account": AccountReference(iban=form["creditor_iban"].replace(" ", "").upper()),
        "creditor_name": form["creditor_name"],
        "remittance_information_unstructured": form["message"] or None,
        # ours: it is saved with the order, and finds the entry if the bank's answer is lost
        "end_to_end_identification": _new_reference(),
    }
    if account.currency != "EUR":
        return DomesticPayment(**common)
    return SepaCreditTransfer(
        **common, creditor_agent=form["creditor_agent"].upper(), creditor_agent_name=form["creditor_agent_name"]
    )


def _new_reference() -> str:
    """A name for a payment that people can read out: no letter in it looks like a digit."""
    return "BJ" + "".join(secrets.choice("ACDEFHJKLMNPRTUVWXY3479") for _ in range(12))


def form_of(payment: SavedPayment) -> dict[str, str]:
    """The form with the values of a saved payment, to change them."""
    order = PRODUCTS[payment.sent["product"]].from_dict(payment.sent["order"])
    is_euro = isinstance(order, SepaCreditTransfer)
    values = {
        "account": payment.account,
        "creditor_name": order.creditor_name,
        "creditor_iban": grouped(order.creditor_account.iban or ""),
        "amount": order.instructed_amount.amount,
        "message": order.remittance_information_unstructured,
        "creditor_agent": order.creditor_agent if is_euro else None,
        "creditor_agent_name": order.creditor_agent_name if is_euro else None,
    }
    return {name: values[name] or "" for name in FIELDS}


def saved(id_: str, connection: Connection, account: SavedAccount, order: Order) -> SavedPayment:
    """The row of a payment that has not been sent yet."""
    product = "domestic" if isinstance(order, DomesticPayment) else "sepa-credit-transfers"
    return SavedPayment(
        id=id_,
        session=connection.session,
        connection=connection.id,
        account=account.id,
        bic_fi=connection.bic_fi,
        bank_name=connection.bank_name,
        user_id=connection.user_id,
        way=connection.way,
        sent={"product": product, "order": order.to_dict()},
        started=datetime.now(UTC).isoformat(),
    )


def is_same(payment: SavedPayment, order: Order) -> bool:
    """Whether a saved payment is for this order, whatever its reference."""
    both = (payment.sent["order"], order.to_dict())
    one, other = ({name: value for name, value in each.items() if name != "endToEndIdentification"} for each in both)
    return one == other


def field_of(error: InvalidArgumentError) -> tuple[str, str]:
    """The field of the form that an error is about, and a sentence. Without one it is about the account."""
    said = str(error)
    for path, field in _PATHS.items():
        if said.startswith(path):
            rest = said.partition(" ")[2]
            return field, f"This {rest}."
    return "account", said
