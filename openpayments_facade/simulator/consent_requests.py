"""Whether the body of a request for a consent is in order (facts 30, section 2)."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_consent_request", "read_date"]

_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LISTS = ("accounts", "balances", "transactions")
_OFFERS = {"availableAccounts": ("allAccounts", "allAccountsWithBalances"), "allPsd2": ("allAccounts",)}
_UP_TO_35 = re.compile(".{1,35}", re.DOTALL)
_IDENTIFIERS: Final[Mapping[str, re.Pattern[str]]] = {
    "iban": re.compile("[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}"),
    "bban": re.compile("[a-zA-Z0-9]{1,30}"),
    "pan": _UP_TO_35,
    "maskedPan": _UP_TO_35,
    "msisdn": _UP_TO_35,
}
_ADDITIONS: Final[Mapping[str, re.Pattern[str]]] = {
    "clearingNumber": re.compile("[0-9]{1,5}"),
    "currency": re.compile("[A-Z]{3}"),
}


def check_consent_request(body: Any, today: date) -> date:
    """Returns the date in `validUntil`. Raises ApiError 400."""
    if not isinstance(body, dict):
        raise _malformed("", "the body is not a JSON object")
    for name in ("access", "recurringIndicator", "validUntil", "frequencyPerDay", "combinedServiceIndicator"):
        if body.get(name) is None:
            raise _malformed(name, f"{name} is missing")
    for name in ("recurringIndicator", "combinedServiceIndicator"):
        if not isinstance(body[name], bool):
            raise _malformed(name, f"{name} is true or false")
    frequency = body["frequencyPerDay"]
    # 1.0 is an integer to a JSON Schema
    if isinstance(frequency, bool) or not isinstance(frequency, (int, float)) or frequency % 1 or frequency < 1:
        raise _malformed("frequencyPerDay", "frequencyPerDay is 1 or more")
    _check_access(body["access"])
    valid_until = read_date(body["validUntil"], "validUntil")
    if valid_until < today:
        raise ApiError(400, "PERIOD_INVALID", "validUntil is in the past", path="validUntil")
    return valid_until


def read_date(value: object, name: str) -> date:
    """A date as `yyyy-MM-dd`. Raises ApiError 400."""
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _malformed(name, f"{name} is no date in the form yyyy-MM-dd")


def _check_access(access: Any) -> None:
    if not isinstance(access, dict):
        raise _malformed("access", "access is a JSON object")
    for name, offers in _OFFERS.items():
        if access.get(name) is not None and access[name] not in offers:
            raise ApiError(
                400, "PARAMETER_NOT_SUPPORTED", f"{name} is one of: {', '.join(offers)}", path=f"access.{name}"
            )
    lists = {name: access[name] for name in _LISTS if access.get(name) is not None}
    for name, references in lists.items():
        _check_references(references, f"access.{name}")
    if any(lists.values()) and not all(lists.values()):
        raise ApiError(400, "PARAMETER_NOT_CONSISTENT", "if one list is empty, the others are too", path="access")
    for name in ("balances", "transactions"):
        for reference in lists.get(name, ()):
            if reference not in lists.get("accounts", ()):
                raise ApiError(
                    400,
                    "PARAMETER_NOT_CONSISTENT",
                    f"{name} has an account that accounts has not",
                    path=f"access.{name}",
                )


def _check_references(references: Any, path: str) -> None:
    if not isinstance(references, list):
        raise _malformed(path, f"{path} is a list")
    for position, reference in enumerate(references):
        where = f"{path}[{position}]"
        if not isinstance(reference, dict):
            raise _malformed(where, f"{where} is no account reference")
        given = {name: value for name, value in reference.items() if value is not None}
        if len(given.keys() & _IDENTIFIERS.keys()) != 1:
            raise _malformed(where, f"{where} has exactly one of: {', '.join(_IDENTIFIERS)}")
        for name, form in (*_IDENTIFIERS.items(), *_ADDITIONS.items()):
            if name in given and not (isinstance(given[name], str) and form.fullmatch(given[name])):
                raise _malformed(f"{where}.{name}", f"{where}.{name} is malformed")


def _malformed(path: str, text: str) -> ApiError:
    return ApiError(400, "FORMAT_ERROR", text, path=path or None)
