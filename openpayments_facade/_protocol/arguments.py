"""Checks of what callers pass in: ids and codes never leave the machine unless they are well formed.

Patterns: facts 20-aspsp-information, sections 1 and 2. Every function returns the value as it is sent, and raises
InvalidArgumentError, which names the argument.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ..errors import InvalidArgumentError

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta
    from openpayments_client.models import AccountReference, ConsentAccess

__all__ = [
    "read_access",
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
    "read_transaction_id",
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


def read_transaction_id(value: object, argument: str = "transaction_id") -> str:
    """A transaction's id: banks make them of what they like, and it is quoted in the path. No dot segments."""
    if (
        not isinstance(value, str)
        or not value
        or not value.isprintable()
        or not {".", ".."}.isdisjoint(re.split(r"[/\\]", value))
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


def _read_day(value: object, argument: str) -> date:
    """A day; a relativedelta counts from today."""
    from dateutil.relativedelta import relativedelta

    day: object = value
    if isinstance(value, relativedelta):
        try:
            day = today().date() + value
        except (ValueError, TypeError, OverflowError):
            day = None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidArgumentError(
            f"{argument} must be a date, or a relativedelta from today, not {value!r}", argument=argument
        )
    return day


def read_valid_until(value: object, argument: str = "valid_until") -> date:
    """The last day of a consent; not past anywhere on earth. date(9999, 12, 31) asks for the longest.

    A relativedelta counts from today.
    """
    day = _read_day(value, argument)
    if day < (today() - timedelta(hours=12)).date():
        raise InvalidArgumentError(f"{argument} is {day}, which is past", argument=argument)
    return day


def read_period(
    date_from: date | relativedelta | None, date_to: date | relativedelta | None
) -> tuple[date | None, date | None]:
    """The days of a list of transactions, both inclusive; a relativedelta counts from today.

    Refuses days in the wrong order, and days that have not begun anywhere on earth.
    """
    latest = (today() + timedelta(hours=14)).date()
    days = []
    for argument, value in (("date_from", date_from), ("date_to", date_to)):
        day = None if value is None else _read_day(value, argument)
        if day is not None and day > latest:
            raise InvalidArgumentError(f"{argument} is {day}, which is yet to come", argument=argument)
        days.append(day)
    if days[0] is not None and days[1] is not None and days[0] > days[1]:
        raise InvalidArgumentError(f"date_from {days[0]} is after date_to {days[1]}", argument="date_from")
    return days[0], days[1]


def read_access(value: object) -> ConsentAccess:
    """What a consent asks for (facts 30-consent, section 2): one identifier an account, right IBANs, and balances and
    transactions of no other accounts than those in `accounts`.

    The copy that it gives has IBANs as they are sent: without spaces.
    """
    from openpayments_client.models import ConsentAccess

    if not isinstance(value, ConsentAccess):
        raise InvalidArgumentError("access must be a ConsentAccess", argument="access")
    access = copy.copy(value)
    access.accounts = _read_accounts(value.accounts, "accounts")
    access.balances = _read_accounts(value.balances, "balances")
    access.transactions = _read_accounts(value.transactions, "transactions")
    named = access.accounts or []
    for name in ("balances", "transactions"):
        if not all(any(_is_same(account, other) for other in named) for account in getattr(access, name) or []):
            raise InvalidArgumentError(
                f"access.{name} has an account that is not in access.accounts", argument="access"
            )
    return access


def _read_accounts(value: object, name: str) -> list[AccountReference] | None:
    # the numbers are not shown: they are somebody's
    from openpayments_client.models import AccountReference
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(each, AccountReference) for each in value):
        raise InvalidArgumentError(f"access.{name} must be a list of AccountReference", argument="access")
    accounts = [copy.copy(account) for account in value]
    for account in accounts:
        identity = _identity(account)
        if len(identity) != 1 or not all(isinstance(each, str) and each.strip() for each in identity.values()):
            raise InvalidArgumentError(
                f"access.{name}: an account is named by one of iban, bban, pan, masked_pan, msisdn",
                argument="access",
            )
        if account.iban is not None:
            try:
                account.iban = iban.validate(account.iban, check_country=False)
            except ValidationError:
                account.iban = None
            if account.iban is None:
                raise InvalidArgumentError(
                    f"access.{name} has an IBAN that is none: length or check digits are wrong", argument="access"
                )
    return accounts


def _is_same(one: AccountReference, other: AccountReference) -> bool:
    """Whether two references may mean the same account: a clearing number or a currency may be left out."""
    return _identity(one) == _identity(other) and all(
        None in (mine := getattr(one, name), yours := getattr(other, name)) or mine == yours
        for name in ("clearing_number", "currency")
    )


def _identity(account: AccountReference) -> dict[str, str]:
    names = ("iban", "bban", "pan", "masked_pan", "msisdn")
    return {name: value for name in names if (value := getattr(account, name)) is not None}
