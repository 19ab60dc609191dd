"""Account references in bodies of requests: one identifier, and what may stand beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .errors import malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GIRO_NUMBER", "IDENTIFIERS", "IDENTIFIERS_OF_2026", "IDENTIFIERS_OF_A_PAYER", "check_reference"]

_UP_TO_35 = re.compile(".{1,35}", re.DOTALL)
GIRO_NUMBER: Final = re.compile("[0-9-]{5,35}")
IDENTIFIERS: Final[Mapping[str, re.Pattern[str]]] = {
    "iban": re.compile("[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}"),
    "bban": re.compile("[a-zA-Z0-9]{1,30}"),
    "pan": _UP_TO_35,
    "maskedPan": _UP_TO_35,
    "msisdn": _UP_TO_35,
}
IDENTIFIERS_OF_2026: Final[Mapping[str, re.Pattern[str]]] = {
    **IDENTIFIERS,
    "accountNumber": re.compile("[a-zA-Z0-9]{1,30}"),
}
IDENTIFIERS_OF_A_PAYER: Final[Mapping[str, re.Pattern[str]]] = {
    **IDENTIFIERS_OF_2026,
    "bankgiroNumber": GIRO_NUMBER,
    "plusgiroNumber": GIRO_NUMBER,
}
_ADDITIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "clearingNumber": re.compile("[0-9]{1,5}"),
    "currency": re.compile("[A-Z]{3}"),
}


def check_reference(reference: Any, where: str, identifiers: Mapping[str, re.Pattern[str]]) -> None:
    """Raises ApiError 400 with the path `where`, or with that of a field below it."""
    if not isinstance(reference, dict):
        raise malformed(where, f"{where} must be an account reference")
    given = {name: value for name, value in reference.items() if value is not None}
    if len(given.keys() & identifiers.keys()) != 1:
        raise malformed(where, f"{where} needs exactly one of: {', '.join(identifiers)}")
    for name, form in (*identifiers.items(), *_ADDITIONS.items()):
        if name in given and not (isinstance(given[name], str) and form.fullmatch(given[name])):
            raise malformed(f"{where}.{name}", f"{where}.{name} is malformed")
