"""Checks of what callers pass in: ids and codes never leave the machine unless they are well formed.

Patterns: facts 20-aspsp-information, sections 1 and 2. Every function returns the value as it is sent, and raises
InvalidArgumentError, which names the argument.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta
    from openpayments_client.models import AccountReference, ConsentAccess

__all__ = [
    "check_access",
    "read_bic",
    "read_choice",
    "read_city_id",
    "read_country_code",
    "read_flag",
    "read_frequency",
    "read_id",
    "read_list",
    "read_period",
    "read_text",
    "read_valid_until",
    "today",
]

_BIC: Final = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")
_COUNTRY: Final = re.compile(r"[a-zA-Z]{2}")
# not RFC 4122: three of the four ids in document 001 have another variant
_CITY: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_bic(value: object, argument: str = "bic_fi") -> str:
    """A BIC of 8 or 11 characters, such as ESSESESS."""
    if not isinstance(value, str) or not _BIC.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument} must be a BIC of 8 or 11 capitals and digits such as ESSESESS, not {value!r}",
            argument=argument,
        )
    return value


def read_country_code(value: object, argument: str = "iso_country_code") -> str:
    """An ISO 3166-1 alpha-2 code, such as SE; small letters are turned into capitals."""
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument} must be an ISO 3166-1 alpha-2 code such as SE, not {value!r}", argument=argument
        )
    return value.upper()


def read_city_id(value: object, argument: str = "city_id") -> str:
    """A city id as the list of cities gives it: 8-4-4-4-12 hexadecimal digits (str or `uuid.UUID`)."""
    text = str(value) if isinstance(value, uuid.UUID) else value
    if not isinstance(text, str) or not _CITY.fullmatch(text):
        raise InvalidArgumentError(
            f"{argument} must be 8-4-4-4-12 hexadecimal digits such as 37efa883-c8ad-4ff7-927b-b11b02beb923, "
            f"not {value!r}",
            argument=argument,
        )
    return text


def read_list(value: object, argument: str, read: Callable[[object, str], str]) -> list[str] | None:
    """A list whose items `read` checks; None stays None. An empty list is refused: it would ask for everything."""
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{argument} must be a list, not {value!r}", argument=argument)
    items = [read(item, argument) for item in value]
    if not items:
        raise InvalidArgumentError(f"{argument} is empty; leave it out to ask for everything", argument=argument)
    return items


def read_id(value: object, argument: str) -> str:
    """An id that the API gave; it goes into a path or a header as it is."""
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or value in {"", ".", ".."}
        or any(c in value for c in "/\\ ?#%")
    ):
        raise InvalidArgumentError(f"{argument} must be an id as the API gave it, not {value!r}", argument=argument)
    return value


def read_text(value: object, argument: str) -> str:
    """A text that is not empty. It may be a secret: a refusal does not show it."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise InvalidArgumentError(f"{argument} must be a text without line breaks", argument=argument)
    return value


def read_flag(value: object, argument: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{argument} must be True or False, not {value!r}", argument=argument)
    return value


def read_choice(value: object, argument: str, choices: tuple[str, ...]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgumentError(f"{argument} must be one of {', '.join(choices)}, not {value!r}", argument=argument)
    return value


def read_frequency(value: object, argument: str = "frequency_per_day") -> int:
    """How often a day the accounts may be read without the user: 1 or more (facts 30-consent, section 2)."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"{argument} must be a whole number from 1, not {value!r}", argument=argument)
    return value


def today() -> datetime:
    """Now, in UTC. Banks have days of their own, so checks against it leave a day's room."""
    return datetime.now(UTC)


def read_valid_until(value: object, argument: str = "valid_until") -> date:
    """The last day of a consent; not past anywhere on earth. date(9999, 12, 31) asks for the longest."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidArgumentError(f"{argument} must be a date, not {value!r}", argument=argument)
    if value < (today() - timedelta(hours=12)).date():
        raise InvalidArgumentError(f"{argument} is {value}, which is past", argument=argument)
    return value


def read_period(
    date_from: date | relativedelta | None, date_to: date | relativedelta | None
) -> tuple[date | None, date | None]:
    """The days of a list of transactions, both inclusive; a relativedelta counts from today.

    Refuses days in the wrong order, and days that have not begun anywhere on earth.
    """
    latest = (today() + timedelta(hours=14)).date()
    days = []
    for argument, value in (("date_from", date_from), ("date_to", date_to)):
        day = value
        if day is not None and not isinstance(day, date):
            try:
                day = today().date() + day
            except (TypeError, ValueError, OverflowError):
                day = None
        if isinstance(day, datetime) or (value is not None and not isinstance(day, date)):
            raise InvalidArgumentError(
                f"{argument} must be a date, or a relativedelta from today, not {value!r}", argument=argument
            )
        if day is not None and day > latest:
            raise InvalidArgumentError(f"{argument} is {day}, which is yet to come", argument=argument)
        days.append(day)
    if days[0] is not None and days[1] is not None and days[0] > days[1]:
        raise InvalidArgumentError(f"date_from {days[0]} is after date_to {days[1]}", argument="date_from")
    return days[0], days[1]


def check_access(access: ConsentAccess) -> None:
    """Checks what a consent asks for (facts 30-consent, section 2): one identifier an account, right IBANs, and
    balances and transactions of no other accounts than those in `accounts`.
    """
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    lists = {name: getattr(access, name) or [] for name in ("accounts", "balances", "transactions")}
    for name, accounts in lists.items():
        for account in accounts:
            if len(_identity(account)) != 1:
                raise InvalidArgumentError(
                    f"access.{name}: an account is named by one of iban, bban, pan, masked_pan, msisdn",
                    argument="access",
                )
            try:
                if account.iban is not None:
                    iban.validate(account.iban, check_country=False)
            except (ValidationError, TypeError):
                # the number is not shown: it is somebody's
                raise InvalidArgumentError(
                    f"access.{name} has an IBAN that is none: length or check digits are wrong", argument="access"
                ) from None
    named = [_identity(account) for account in lists["accounts"]]
    for name in ("balances", "transactions"):
        if any(_identity(account) not in named for account in lists[name]):
            raise InvalidArgumentError(
                f"access.{name} has an account that is not in access.accounts", argument="access"
            )


def _identity(account: AccountReference) -> dict[str, str]:
    names = ("iban", "bban", "pan", "masked_pan", "msisdn")
    return {name: value for name in names if (value := getattr(account, name)) is not None}
