"""Normalises arguments, and checks what no pattern in the description can express."""

from __future__ import annotations

import copy
import functools
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from openpayments_client import models
from openpayments_client.types import with_article

from .._checks import refuse
from ..errors import UnreadableResponseError

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta
    from openpayments_client.operations import Rule

    Day: TypeAlias = date | timedelta | relativedelta | str
    AnyCountry: TypeAlias = str | models.Country
    AnyCity: TypeAlias = str | uuid.UUID | models.City
    AnyAspsp: TypeAlias = str | models.Aspsp | models.AspspDetails
    AnyConsent: TypeAlias = str | uuid.UUID | models.Consent | models.ConsentCreated
    AnyAuthorisation: TypeAlias = str | uuid.UUID | models.AuthorisationStarted
    AnyMethod: TypeAlias = str | models.AuthenticationMethod
    AnyMethods: TypeAlias = AnyMethod | Sequence[AnyMethod] | None
    AnyPayment: TypeAlias = str | uuid.UUID | models.PaymentCreated
    AnyBasket: TypeAlias = str | uuid.UUID | models.SigningBasketCreated
    AnyQuote: TypeAlias = str | uuid.UUID | models.FxQuote

_ARGUMENTS: Final = {
    "resource_id": "account_id",
    "entry_reference": "entry_reference_from",
    "id": "x_affiliated_aspsp_id",
}
"""What operations call the ids of objects, where they call them otherwise."""
_IDENTIFIERS: Final = (
    *("iban", "bban", "account_number", "pan", "masked_pan", "msisdn"),
    *("bankgiro_number", "plusgiro_number"),  # a payer's alone
)


class Named(list[Any]):
    """A list that remembers the name of the caller's argument."""

    def __init__(self, items: Iterable[object], argument: str) -> None:
        super().__init__(items)
        self.argument = argument


def as_list(values: object, argument: str, put_right: Callable[[Any, str], Any]) -> Any:
    """A list of an iterable's items, each normalised by `put_right`. None stays None."""
    if values is None:
        return None
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise refuse(argument, "must be a list", values)
    return Named((put_right(value, argument) for value in values), argument)


def as_code(text: str) -> str:
    """A code as it is sent: in capitals, without blanks and without characters that nobody sees."""
    seen = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return seen.upper() if seen.isascii() else seen


def as_bic(bank: Any, argument: str = "bic_fi") -> Any:
    """The BIC of a bank as it is sent."""
    return id_of(bank, "bic_fi", argument, as_code)


def as_country(country: Any, argument: str = "iso_country_code") -> Any:
    """A country code as it is sent."""
    return id_of(country, "iso_country_code", argument, as_code)


def as_city(city: Any, argument: str = "city_id") -> Any:
    """A city's id as a string."""
    return id_of(city, "city_id", argument)


def id_of(
    value: Any, attribute: str, argument: str | None = None, put_right: Callable[[str], str] = str.__str__
) -> Any:
    """The id that was passed, or that of the object that was passed, normalised by `put_right`. None stays None.

    Raises InvalidArgumentError, without showing the value, if it is neither; UnreadableResponseError if the bank gave
    the object no id that can be sent.
    """
    if value is None:
        return None
    if isinstance(value, str | uuid.UUID):
        text = value if isinstance(value, str) else str(value)
        right = put_right(text)
        return right if _is_usable(right, attribute) else text  # which is shown as it was written
    kind = type(value).__name__
    if isinstance(value, type) or not hasattr(value, attribute):
        raise refuse(
            argument or attribute, f"must be a string or an object with a {attribute}, not {with_article(kind)}"
        )
    found = getattr(value, attribute)
    found = put_right(found) if isinstance(found, str) else found
    if not _is_usable(found, attribute):
        raise UnreadableResponseError(f"the bank gave this {kind} no usable {attribute}")
    return found


def _is_usable(value: object, attribute: str) -> bool:
    return not any([*rule.problems(value, "")] for rule in _rules_of(attribute))


@functools.cache
def _rules_of(attribute: str) -> tuple[Rule, ...]:
    """What the description says about an id, wherever it is sent."""
    from openpayments_client.operations import MODELS, OPERATIONS  # large tables, not needed before the first call

    name = _ARGUMENTS.get(attribute, attribute)
    tables = (*(operation.arguments for operation in OPERATIONS.values()), *MODELS.values())
    rules = [table[name] for table in tables if name in table]
    return tuple(rule for number, rule in enumerate(rules) if rule not in rules[:number])


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


def is_past(day: date) -> bool:
    """Whether a day is in the past everywhere on earth."""
    return day < (today() - timedelta(hours=12)).date()


def as_coming_day(value: Day, argument: str) -> date:
    """A day that is not in the past everywhere on earth."""
    day = as_day(value, argument)
    if is_past(day):
        raise refuse(argument, f"is {day}, which is in the past")
    return day


def as_period(date_from: Day | None, date_to: Day | None) -> tuple[date | None, date | None]:
    """The first and the last day of a list of transactions. Refuses days in the wrong order.

    Days to come are the bank's to refuse: cards are booked on some.
    """
    first = None if date_from is None else as_day(date_from, "date_from")
    last = None if date_to is None else as_day(date_to, "date_to")
    if first is not None and last is not None and first > last:
        raise refuse("date_from", f"is {first}, which is after date_to {last}")
    return first, last


def as_access(value: Any) -> Any:
    """A copy of a consent's access, with IBANs in the form in which they are sent.

    Balances and transactions are only allowed for accounts that are in `accounts` (the provider's guide of 2021). What
    each account must be, `problems_of_account` says. Raises InvalidArgumentError, without showing the account numbers.
    Values of a wrong type are left to the description's rules.
    """
    if not isinstance(value, models.ConsentAccess):
        return models.ConsentAccess() if value is None else value
    access, named = copy.copy(value), list[models.AccountReference]()
    for name in ("accounts", "balances", "transactions"):
        given = getattr(access, name)
        if not isinstance(given, list | tuple):
            continue
        accounts = [_as_reference(account, f"access.{name}[{number}]") for number, account in enumerate(given)]
        setattr(access, name, accounts)
        references = [account for account in accounts if isinstance(account, models.AccountReference)]
        if name == "accounts":
            named = references
        elif not all(any(_is_same(one, other) for other in named) for one in references):
            raise refuse(f"access.{name}", "contains an account that is not in access.accounts")
    return access


def _as_reference(account: Any, argument: str) -> Any:
    if not isinstance(account, models.AccountReference):
        return account
    account = copy.copy(account)
    account.iban = as_iban(account.iban)
    for field, problem in problems_of_account(account):
        raise refuse(f"{argument}{field}", problem)
    return account


def as_iban(value: Any) -> Any:
    """An IBAN as it is sent."""
    from stdnum import iban

    return iban.compact(as_code(value)) if isinstance(value, str) else value


def is_giro(number: str, kind: str) -> bool:
    """Whether a Swedish giro number is as long as its kind is, and its last digit a right check digit.

    Lengths are those of the manuals of Bankgirot and Plusgirot. Numbers of another kind are taken as they are.
    """
    from stdnum import luhn

    digits, shortest = number.replace("-", ""), {"BANKGIRO": 7, "PLUSGIRO": 2}.get(kind)
    return shortest is None or (shortest <= len(digits) <= 8 and luhn.is_valid(digits))


def problems_of_account(account: models.AccountReference | models.DebtorAccountReference) -> Iterator[tuple[str, str]]:
    """What is wrong with the reference to an account: pairs of the field, with a dot, and what to say after it.

    It must have exactly one identifier. An IBAN must have the form that its country has registered, where that is
    known, and correct check digits (ISO 13616). A clearing number goes with a national number (the provider's
    description of 2026). Giro numbers have a check digit. Values of a wrong type are left to the description's rules.
    """
    from stdnum import iban
    from stdnum.exceptions import InvalidComponent, ValidationError

    numbers = _identity(account)
    if len(numbers) != 1:
        yield "", "must name an account by exactly one number, such as iban or bban"
    if account.clearing_number is not None and not numbers.keys() & {"bban", "account_number"}:
        yield ".clearing_number", "goes with a BBAN or another national account number alone"
    for name, number in numbers.items():
        if isinstance(number, str) and not is_giro(number, name.removesuffix("_number").upper()):
            yield f".{name}", "is not a valid giro number: its length or its check digit is wrong"
    try:
        if isinstance(account.iban, str):
            iban.validate(account.iban, check_country=False)
    except InvalidComponent:
        pass  # of a country that has joined since; its check digits are right
    except ValidationError:
        yield ".iban", "is not a valid IBAN: its length or its check digits are wrong"


def _is_same(one: models.AccountReference, other: models.AccountReference) -> bool:
    """Whether two references can mean the same account. Either may leave out clearing number and currency."""
    return _identity(one) == _identity(other) and all(
        None in (mine := getattr(one, name), yours := getattr(other, name)) or mine == yours
        for name in ("clearing_number", "currency")
    )


def _identity(account: models.AccountReference | models.DebtorAccountReference) -> dict[str, str]:
    return {name: value for name in _IDENTIFIERS if (value := getattr(account, name, None)) is not None}
