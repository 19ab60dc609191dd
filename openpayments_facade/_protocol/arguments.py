"""Normalises arguments, and checks what no pattern in the description can express."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from openpayments_client import models

from .._checks import refuse

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

    Day: TypeAlias = date | timedelta | relativedelta | str
    AnyCountry: TypeAlias = str | models.Country
    AnyCity: TypeAlias = str | uuid.UUID | models.City
    AnyAspsp: TypeAlias = str | models.Aspsp | models.AspspDetails
    AnyConsent: TypeAlias = str | uuid.UUID | models.Consent | models.ConsentCreated
    AnyAuthorisation: TypeAlias = str | uuid.UUID | models.AuthorisationStarted
    AnyMethod: TypeAlias = str | models.AuthenticationMethod

_IDENTIFIERS: Final = ("iban", "bban", "account_number", "pan", "masked_pan", "msisdn")


class Named(list[Any]):
    """A list that remembers the name of the caller's argument."""

    def __init__(self, items: Iterable[object], argument: str) -> None:
        super().__init__(items)
        self.argument = argument


def as_list(values: object, argument: str, put_right: Callable[[Any], Any]) -> Any:
    """A list of an iterable's items, each normalised by `put_right`. None stays None."""
    if values is None:
        return None
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise refuse(argument, "must be a list", values)
    return Named(map(put_right, values), argument)


def as_country(country: Any) -> Any:
    """A country code in capitals."""
    code = id_of(country, "iso_country_code")
    return code.upper() if isinstance(code, str) and len(code) == 2 else code


def as_city(city: Any) -> Any:
    """A city's id as a string."""
    return id_of(city, "city_id")


def id_of(value: Any, attribute: str, argument: str | None = None) -> Any:
    """The id that was passed, or that of the object that was passed."""
    if isinstance(value, str | type) or not hasattr(value, attribute):
        return str(value) if isinstance(value, uuid.UUID) else value
    found = getattr(value, attribute)
    if found is None:
        raise refuse(argument or attribute, f"is missing: the bank gave this {type(value).__name__} no {attribute}")
    return found


def today() -> datetime:
    """Now, in UTC. Banks are in other time zones, so checks against it leave some hours' room."""
    return datetime.now(UTC)


def as_day(value: Day, argument: str) -> date:
    """The day that a date, an ISO date, or a timedelta or relativedelta from today means."""
    from dateutil.relativedelta import relativedelta

    day: object = value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            day = date.fromisoformat(value)
        elif isinstance(value, relativedelta) or (isinstance(value, timedelta) and value == timedelta(value.days)):
            day = today().date() + value
    except (ValueError, TypeError, OverflowError):
        day = None
    if not isinstance(day, date) or isinstance(day, datetime):
        raise refuse(argument, "must be a date, an ISO date (2026-01-31) or a timedelta in days", value)
    return day


def as_last_day(value: Day) -> date:
    """The last day of a consent. Refuses days that are in the past everywhere on earth."""
    day = as_day(value, "valid_until")
    if day < (today() - timedelta(hours=12)).date():
        raise refuse("valid_until", f"is {day}, which is in the past")
    return day


def as_period(date_from: Day | None, date_to: Day | None) -> tuple[date | None, date | None]:
    """The first and the last day of a list of transactions.

    Refuses days in the wrong order, and days that are in the future everywhere on earth.
    """
    first = None if date_from is None else as_day(date_from, "date_from")
    last = None if date_to is None else as_day(date_to, "date_to")
    for argument, day in (("date_from", first), ("date_to", last)):
        if day is not None and day > (today() + timedelta(hours=14)).date():
            raise refuse(argument, f"is {day}, which is in the future")
    if first is not None and last is not None and first > last:
        raise refuse("date_from", f"is {first}, which is after date_to {last}")
    return first, last


def as_access(value: Any) -> Any:
    """A copy of a consent's access, with IBANs in the form in which they are sent.

    Balances and transactions are only allowed for accounts that are in `accounts` (the provider's guide of 2021). Each
    account must have exactly one identifier, and IBANs must have correct check digits. Raises InvalidArgumentError,
    without showing the account numbers. Values of a wrong type are left to the description's rules.
    """
    if not isinstance(value, models.ConsentAccess):
        return models.ConsentAccess() if value is None else value
    access, named = copy.copy(value), list[models.AccountReference]()
    for name in ("accounts", "balances", "transactions"):
        given = getattr(access, name)
        if not isinstance(given, list | tuple):
            continue
        accounts = [_as_reference(account, f"access.{name}") for account in given]
        setattr(access, name, accounts)
        references = [account for account in accounts if isinstance(account, models.AccountReference)]
        if name == "accounts":
            named = references
        elif not all(any(_is_same(one, other) for other in named) for one in references):
            raise refuse(f"access.{name}", "contains an account that is not in access.accounts")
    return access


def _as_reference(account: Any, argument: str) -> Any:
    from stdnum import iban

    if not isinstance(account, models.AccountReference):
        return account
    if len(_identity(account)) != 1:
        raise refuse(argument, f"must name each account by exactly one of {', '.join(_IDENTIFIERS)}")
    account = copy.copy(account)
    if isinstance(account.iban, str):
        account.iban = iban.compact(account.iban)
        if not iban.is_valid(account.iban, check_country=False):
            raise refuse(argument, "contains an invalid IBAN: its length or its check digits are wrong")
    return account


def _is_same(one: models.AccountReference, other: models.AccountReference) -> bool:
    """Whether two references can mean the same account. Either may leave out clearing number and currency."""
    return _identity(one) == _identity(other) and all(
        None in (mine := getattr(one, name), yours := getattr(other, name)) or mine == yours
        for name in ("clearing_number", "currency")
    )


def _identity(account: models.AccountReference) -> dict[str, str]:
    return {name: value for name in _IDENTIFIERS if (value := getattr(account, name)) is not None}
