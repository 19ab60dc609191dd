"""Turns amounts, which are kept as the strings that the bank sent, into numbers (the provider's guide of 2021)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ._checks import refuse
from .errors import UnreadableAmountError

if TYPE_CHECKING:
    from openpayments_client.models import MonetaryAmount

__all__ = ["money"]

_BLANK_OF_THOUSANDS: Final = re.compile(r"(?<=[0-9])(?:[^\S\r\n]|['\u2019])(?=[0-9]{3}(?![0-9]))")
_CURRENCY: Final = re.compile(r"^(?:[A-Za-z]{3}\b|kr\b|[€$£])\s*|\s*(?:\b[A-Za-z]{3}|\bkr|[€$£])$")
_MINUS: Final = re.compile(r"^[\u2010-\u2013\u2212\ufe63\uff0d-]\s*|\s*[\u2010-\u2013\u2212\ufe63\uff0d-]$")
_NO_CENTS: Final = re.compile(r"(?<=[0-9])[.,:][-\u2010-\u2015]{1,2}$")
_AMBIGUOUS: Final = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]*))?")
_NUMBER: Final = re.compile(r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_LONGEST: Final = 100


def money(amount: MonetaryAmount | str | None) -> Decimal:
    """The exact value of an amount, with the sign that the bank sent.

        money(transaction.transaction_amount)          # Decimal('-125.50')

    The API has a dot before the decimals. What else banks send is read where it has one meaning: a comma before the
    decimals, groups of thousands, a minus of another kind or at the end, an exponent, blanks, the currency beside the
    number. Banks differ in their signs: some send debits without a minus.

    Args:
        amount: An amount from a model, or its string, such as "-125.50". What the bank left out is None.

    Raises:
        UnreadableAmountError: It is no number, is missing, or may mean two numbers, such as "1,234".
        InvalidArgumentError: It is neither an amount nor a string.
    """
    text = amount if isinstance(amount, str) else getattr(amount, "amount", amount)
    if text is None:
        raise UnreadableAmountError("the bank sent no amount that can be read")
    if not isinstance(text, str):
        raise refuse("amount", "must be an amount, or a string such as 125.50", text)
    value = _read(text) if len(text) <= _LONGEST else None
    if value is None:
        raise UnreadableAmountError(f"{text[:_LONGEST]!r} can't be read as an amount such as 125.50")
    return value


def _read(text: str) -> Decimal | None:
    said = _NO_CENTS.sub("", _CURRENCY.sub("", _BLANK_OF_THOUSANDS.sub("", text.strip())))
    said, minus = _MINUS.subn("", said)
    if said.count(",") + said.count(".") > 1:
        grouped = _GROUPED.fullmatch(said)
        said = f"{grouped[1].replace(grouped[2], '')}.{grouped[3] or ''}" if grouped else ""
    elif not _AMBIGUOUS.fullmatch(said):  # a thousand or a thousandth
        said = said.replace(",", ".")
    if minus > 1 or (minus and said.startswith("+")) or not _NUMBER.fullmatch(said):
        return None
    return Decimal(format(Decimal("-" * minus + said), "f"))
