"""Amounts: strings with a dot, exactly as they are sent and were sent (the provider's guide of 2021), and numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ._checks import refuse
from ._redaction import hiding_arguments
from .errors import UnreadableAmountError

if TYPE_CHECKING:
    from openpayments_client.models import MonetaryAmount

__all__ = ["amount", "money"]

_BLANK_OF_THOUSANDS: Final = re.compile(r"(?<=[0-9])(?:[^\S\r\n]|['\u2019])(?=[0-9]{3}(?![0-9]))")
_CURRENCY: Final = re.compile(r"^(?:[A-Za-z]{3}\b|kr\b|[€$£])\s*|\s*(?:\b[A-Za-z]{3}|\bkr|[€$£])$")
_MINUS: Final = re.compile(r"^[\u2010-\u2013\u2212\ufe63\uff0d-]\s*|\s*[\u2010-\u2013\u2212\ufe63\uff0d-]$")
_NO_CENTS: Final = re.compile(r"(?<=[0-9])[.,:][-\u2010-\u2015]{1,2}$")
_AMBIGUOUS: Final = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:([.,])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]*))?")
_NUMBER: Final = re.compile(r"\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_LONGEST: Final = 100
_PLAIN: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")
# ISO 4217, list one: the currencies without two decimals. CLF and UYW have four, more than the API takes.
_EXCEPTIONS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD CLF IQD JOD KWD LYD OMR TND UYW",
}
_MOST_DIGITS: Final = 14  # before the dot, in the provider's description of 2026


@hiding_arguments
def amount(value: Decimal | int | str, currency: str) -> MonetaryAmount:
    """An amount to pay, exactly as it is given.

        amount(Decimal("1.50"), "SEK")          # its amount is '1.50'
        amount("1.5", "SEK")                    # the same

    Zeros are added up to the decimals of the currency, since the examples of banks have them: "1" becomes "1.00" in
    SEK, "1" in JPY and "1.000" in KWD (ISO 4217). Nothing is ever rounded.

    Args:
        value: The number, above zero, with at most the decimals of the currency. A text is digits, and a dot before
            decimals. A float is refused, because it can't hold most amounts: 1.10 is not 1.10 in it.
        currency: An ISO 4217 code. Small letters, and blanks around it, are put right.

    Returns:
        The amount, for the model of a payment.

    Raises:
        InvalidArgumentError: One of them is something else.
    """
    from openpayments_client.models import MonetaryAmount

    number, code = as_sent(value, currency)
    return MonetaryAmount(currency=code, amount=number)


def as_sent(value: object, currency: object, argument: str = "value", of: str = "currency") -> tuple[str, str]:
    """An amount to pay and its currency as they are sent. Raises InvalidArgumentError about either of the names."""
    code = currency.strip() if isinstance(currency, str) else ""
    if not re.fullmatch(r"[A-Za-z]{3}", code):
        raise refuse(of, "must be an ISO 4217 currency code of three letters, such as SEK")
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        advice = 'such as Decimal("1.50") or "1.50", and no float, which does not hold it exactly'
        raise refuse(argument, f"must be a Decimal, an int or a text, {advice}")
    number = Decimal("NaN" if isinstance(value, str) and not _PLAIN.fullmatch(value) else value)
    if not number.is_finite():
        raise refuse(argument, "must be a plain number with a dot before its decimals, such as 1.50")
    if number <= 0:
        raise refuse(argument, "must be above zero")
    if number.adjusted() >= _MOST_DIGITS:
        raise refuse(argument, f"must not have more than {_MOST_DIGITS} digits before its decimals")
    code = code.upper()
    decimals = next((number for number, codes in _EXCEPTIONS.items() if code in codes), 2)
    if len(f"{number:f}".partition(".")[2].rstrip("0")) > decimals:
        raise refuse(argument, f"must not have more than {decimals} decimals in {code}")
    return f"{number:.{decimals}f}", code


@hiding_arguments
def money(amount: MonetaryAmount | str | None) -> Decimal:
    """The exact value of an amount, with the sign that the bank sent.

        money(transaction.transaction_amount)          # Decimal('-125.50')

    The API has a dot before the decimals. What else banks send is read where it has one meaning: a comma before the
    decimals, groups of thousands, a minus of another kind or at the end, an exponent, blanks, the currency beside the
    number. Banks differ in their signs: some send debits without a minus.

    Args:
        amount: An amount from a model, or its string, such as "-125.50". What the bank left out is None.

    Returns:
        The number, exactly.

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
        raise UnreadableAmountError("it can't be read as an amount such as 125.50")
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
