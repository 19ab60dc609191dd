"""Amounts are the strings that the bank sent; here they become numbers (the provider's guide of 2021)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ._checks import refuse

if TYPE_CHECKING:
    from openpayments_client.models import MonetaryAmount

__all__ = ["money"]

_AMOUNT: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def money(amount: MonetaryAmount | str) -> Decimal:
    """The exact number of an amount, with the sign that the bank sent.

        money(transaction.transaction_amount)          # Decimal('-125.50')

    Banks differ in signs: some send debits without a minus.

    Args:
        amount: An amount, or its text.

    Raises:
        InvalidArgumentError: It is not a number.
    """
    text = getattr(amount, "amount", amount)
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise refuse("amount", f"must be digits with a dot, not {text!r}")
    return Decimal(text)
