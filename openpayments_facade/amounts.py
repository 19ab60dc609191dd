"""Turns amounts, which are kept as the strings that the bank sent, into numbers (the provider's guide of 2021)."""

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
    """The exact value of an amount, with the sign that the bank sent.

        money(transaction.transaction_amount)          # Decimal('-125.50')

    Banks differ in their signs: some send debits without a minus.

    Args:
        amount: An amount from a model, or its string, such as "-125.50".

    Raises:
        InvalidArgumentError: It is not a decimal number.
    """
    text = getattr(amount, "amount", amount)
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise refuse("amount", "must be a decimal number such as 125.50", text)
    return Decimal(text)
