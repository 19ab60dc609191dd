"""What a bank sent, wherever and in whatever shape, read without ever raising."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from ..amounts import money

__all__ = ["NUMBERS", "account_number_of", "bare", "currency_of", "day_of", "number_of", "text_of", "value_of"]

_GIROS: Final = ("bankGiro", "plusGiro", "bankgiroNumber", "plusgiroNumber", "giroNumber")
NUMBERS: Final = ("iban", "bban", "accountNumber", *_GIROS, "maskedPan", "pan", "msisdn")
"""What an account may be named by; the first one counts."""

# what is text in a structured remittance; the rest of it are codes, issuers, amounts and days
_STRUCTURED: Final = (
    "creditorReferenceInformation",
    "reference",
    "referredDocumentInformation",
    "number",
    "additionalRemittanceInformation",
)
# the longest line that the description allows: a full one was cut, and goes on in the next one
_FULL_LINE: Final = 140


@lru_cache
def _attribute(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower().lstrip("_")


def value_of(thing: object, name: str) -> Any:
    """What a model or an object of JSON has under a name on the wire; what was kept as it came has more in it."""
    if isinstance(thing, dict):
        return thing.get(name)
    kept = getattr(thing, "additional_properties", {}).get(name)
    return getattr(thing, _attribute(name), None) if kept is None else kept


def text_of(value: object) -> str:
    """A text, or whatever stands where one belongs, as lines; empty if it says nothing."""
    if value is None:
        return ""
    return "".join(line if len(line) >= _FULL_LINE else f"{line}\n" for line in _lines(value)).strip()


def _lines(value: object, depth: int = 9) -> Iterator[str]:
    if isinstance(value, str):
        seen = value if value.isprintable() else "".join(filter(str.isprintable, value))
        if seen.replace(" ", "").upper() not in ("", "NOTPROVIDED"):
            yield value
    elif isinstance(value, int | float | Decimal):
        # Python refuses to write numbers of thousands of digits
        with suppress(OverflowError, ValueError):
            if not isinstance(value, bool) and math.isfinite(value):
                yield str(value)
    elif depth and isinstance(value, list | tuple):
        for each in value:
            yield from _lines(each, depth - 1)
    elif depth and value is not None:
        known = [line for name in _STRUCTURED for line in _lines(value_of(value, name), depth - 1)]
        yield from known or _lines([*value.values()] if isinstance(value, dict) else None, depth)


def bare(text: str) -> str:
    """A text for comparing: without blanks, and in small letters."""
    return "".join(text.casefold().split())


def day_of(value: object) -> date | None:
    """A day, or that of a time as it was written."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    from openpayments_client.reading import Unreadable, day  # loads httpx, which the command line's help does without

    with suppress(Unreadable):
        return day(value)
    return None


def number_of(sent: object) -> Decimal | None:
    """An amount."""
    try:
        return money(_amount(sent))
    except ValueError:
        return None


def currency_of(sent: object) -> str:
    """The currency of an amount in capitals, also if it stands beside the number; empty if there is none."""
    said = text_of(value_of(sent, "currency"))
    if not said and number_of(sent) is not None:
        said = "".join(re.findall("[A-Za-z]{3}", _amount(sent)))
    return said.upper()


def account_number_of(account: object, *, grouped: bool = False, masked: bool = False) -> str | None:
    """The number that identifies an account; None if there is none. See `views.account_number`."""
    name, number = "iban", text_of(account) if isinstance(account, str) else ""
    if account is not None and not isinstance(account, str):
        found = ((name, text_of(value_of(account, name))) for name in NUMBERS)
        name, number = next((each for each in found if each[1]), ("", ""))
    compact = "".join((number.upper() if name == "iban" else number).split())
    signs = "".join(filter(str.isalnum, number))
    # it is called masked, and nothing makes a bank mask it
    if (name == "pan" and len(compact) > 4) or (name == "maskedPan" and len(signs) > 12 and signs.isdecimal()):
        number = compact = f"{'*' * (len(compact) - 4)}{compact[-4:]}"
    if masked and number:
        return f"**** {signs[-4:]}" if len(compact) > 8 else "****"
    if name in ("bban", "accountNumber") and (clearing := text_of(value_of(account, "clearingNumber"))):
        return f"{clearing}-{number}"
    if grouped and (_IBAN.fullmatch(compact) if name == "iban" else name in ("pan", "maskedPan")):
        return " ".join(compact[at : at + 4] for at in range(0, len(compact), 4))
    return number or None


_IBAN: Final = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{8,30}", re.ASCII)


def _amount(sent: object) -> str:
    said = value_of(sent, "amount")
    return text_of(sent if said is None else said)
