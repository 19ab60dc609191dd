"""A payment's status in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openpayments_facade import PaymentStatus

if TYPE_CHECKING:
    from .store import SavedPayment


@dataclass(frozen=True)
class Progress:
    """What a payment's status means to the user."""

    status: str
    title: str
    text: str
    step: int
    is_final: bool


def has_begun(payment: SavedPayment) -> bool:
    """Whether it needs this user no more: the bank carries it out, it has ended, or others have to approve.

    Banks begin with different statuses, so that it waits for its user is what is left.
    """
    status = PaymentStatus(payment.status or "")
    return status.is_accepted or status.is_final or status.needs_another_signature


def moves_nothing(status: str | None) -> bool:
    """Whether the bank says that it carries nothing out: it was received and no more, or has failed."""
    found = PaymentStatus(status or "")
    return found.is_failed or found.code == "RCVD"


def progress_of(payment: SavedPayment) -> Progress:
    """A payment's status in words, and how many of the three steps are done: made, approved, paid."""
    status = PaymentStatus(payment.status or "RCVD")
    if status.is_settled:
        title, text, step = "Paid", f"The money has left your account at {payment.bank_name}.", 3
    elif status.is_accepted:
        title, text, step = "On its way", f"{payment.bank_name} has accepted the payment and carries it out.", 2
    elif status.is_failed:
        title, text, step = "Not paid", f"{payment.bank_name} did not carry it out. No money moves.", 1
    elif status.needs_another_signature:
        title, text, step = "Somebody else has to approve as well", "Your own approval counts.", 1
    elif payment.approval is None:
        title, text, step = "Ready to approve", "No money moves before you have approved.", 1
    else:
        title, text, step = "Not decided yet", f"{payment.bank_name} waits for your approval, or is checking it.", 1
    return Progress(status.code, title, text, step, status.is_final)
