"""What accounts and cards have in common: a valid consent, the accesses of a day, periods and pages of entries.

From the provider's guide of 2021; what the rules of 2026 change is from the provider's description of 2026.
"""

from __future__ import annotations

import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from ..state.book import Book
from .authorisations import links
from .consent import find_consent, read_date
from .errors import ApiError, malformed
from .operation import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..state.consents import Consent
    from .bank_call import BankCall

__all__ = [
    "OF_TRANSACTIONS",
    "Opened",
    "Page",
    "count_access",
    "listed",
    "open_books",
    "open_one",
    "read_page",
    "valid_consent",
]

OF_TRANSACTIONS: Final = ("bookingStatus", "dateFrom", "dateTo", "entryReferenceFrom", "continuationKey")
_BOOKING_STATUSES: Final = ("booked", "pending", "both")
_EVERYTHING: Final = frozenset({"accounts", "balances", "transactions"})
_FALLBACK: Final = "X-ISO-Fallback-Enabled"

B = TypeVar("B", bound=Book)


@dataclass(frozen=True)
class Opened(Generic[B]):
    """An account or card that a consent opens, and the kinds of its data that may be read. `base` begins its path."""

    book: B
    kinds: frozenset[str]
    base: str

    @property
    def path(self) -> str:
        return f"{self.base}/{quote(self.book.resource_id)}"

    def describe(self, call: BankCall, *, with_balance: bool) -> dict[str, Any]:
        hrefs = {kind: f"{self.path}/{kind}" for kind in ("balances", "transactions") if kind in self.kinds}
        balances = {"balances": self.balances(call)} if with_balance and "balances" in self.kinds else {}
        return self.book.describe() | balances | {"_links": links(**hrefs)}

    def balances(self, call: BankCall) -> list[dict[str, Any]]:
        return call.provider.ledger.balances(self.book, call.today) if "balances" in self.kinds else []


def listed(call: BankCall, name: str, items: Sequence[object]) -> Answer:
    """A list. By the rules of 2026 an empty one is a 204."""
    return Answer({name: items}) if items or not call.provider.of_2026 else Answer(status=204)


def valid_consent(call: BankCall, *, falls_back: bool = False) -> Consent:
    """The consent that the call names. Raises ApiError with the codes of the provider's description of 2026.

    With `falls_back`, one that has expired still serves calls with `X-ISO-Fallback-Enabled`, if it did so before. The
    provider's description of 2026 says that of accounts that are onboarded for ISO 20022; here all are.
    """
    consent_id = call.header("Consent-ID")
    if consent_id is None:
        raise malformed("Consent-ID", "Consent-ID is missing")
    consent = find_consent(call, consent_id, status=400, path="Consent-ID")
    fallback = falls_back and call.provider.of_2026 and call.header(_FALLBACK) == "true"
    if consent.status == "expired" and not (fallback and consent.iso_fallback):
        raise ApiError(401, "CONSENT_EXPIRED", "the consent has expired")
    if consent.status not in {"valid", "expired"}:
        raise ApiError(401, "CONSENT_INVALID", f"the consent is {consent.status}")
    consent.iso_fallback |= fallback
    return consent


def open_books(consent: Consent, books: Sequence[B], base: str) -> dict[str, Opened[B]]:
    """Those that a consent opens, by their ids."""
    opened = (Opened(book, _kinds(consent.request["access"], book), base) for book in books)
    return {one.book.resource_id: one for one in opened if "accounts" in one.kinds}


def open_one(
    call: BankCall, consent: Consent, books: Sequence[B], base: str, *, kind: str = "accounts", status: int = 404
) -> Opened[B]:
    """The one in the path, if the consent opens this kind of data. `status` is used if there is none."""
    account_id = call.path_value("account-id")
    if account_id not in {book.resource_id for book in books}:
        raise ApiError(status, "RESOURCE_UNKNOWN", "no such account", path="account-id")
    opened = open_books(consent, books, base).get(account_id)
    if opened is None or kind not in opened.kinds:
        raise ApiError(401, "CONSENT_INVALID", f"the consent does not open the {kind} of this account")
    return opened


def _kinds(access: Mapping[str, Any], book: Book) -> frozenset[str]:
    """Which of accounts, balances and transactions may be read of an account."""
    if access.get("allPsd2") is not None:
        return _EVERYTHING
    lists: dict[str, Sequence[Mapping[str, Any]]] = {
        name: access[name] for name in ("accounts", "balances", "transactions") if access.get(name) is not None
    }
    offer = access.get("availableAccounts")
    offered = {"accounts", "balances"} if offer == "allAccountsWithBalances" else {"accounts"} if offer else set()
    if any(lists.values()):
        named = {name for name, references in lists.items() if any(map(book.is_meant_by, references))}
        return frozenset(offered | named)
    if offer is not None:
        return frozenset(offered)
    # no account is named, so user and bank choose: here every account, with all data unless less was asked for
    return frozenset({"accounts", *lists}) if lists else _EVERYTHING


def count_access(call: BankCall, consent: Consent, operation_id: str, book: Book | None = None) -> None:
    """Counts an access without the user; the daily limit is for each operation and account."""
    consent.touch()
    if call.header("PSU-IP-Address") is not None:
        return
    now = call.provider.now()
    access = (now.date(), operation_id, book and book.resource_id)
    allowed = int(consent.request["frequencyPerDay"])
    if consent.accesses[access] >= allowed:
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
        raise ApiError(
            429,
            "ACCESS_EXCEEDED",
            f"the consent allows {allowed} accesses a day without the user",
            headers={"Retry-After": str(math.ceil((tomorrow - now).total_seconds()))},
        )
    consent.accesses[access] += 1


@dataclass(frozen=True)
class Page:
    """A page of entries: the numbers of the booked ones, the pending ones, None if not asked for, and its links."""

    booked: Sequence[int] | None
    pending: Sequence[dict[str, Any]] | None
    hrefs: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        return not self.booked and not self.pending

    def describe(self, booked: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """The entries, and no links."""
        lists = {"booked": None if self.booked is None else [*map(booked, self.booked)], "pending": self.pending}
        return {name: entries for name, entries in lists.items() if entries is not None}


def read_page(call: BankCall, consent: Consent, operation_id: str, opened: Opened[B]) -> Page:
    """The page that a call asks for, which is counted as an access unless a link of the page before led to it."""
    booking_status = call.query("bookingStatus")
    if booking_status not in _BOOKING_STATUSES:
        raise malformed("bookingStatus", f"bookingStatus must be one of: {', '.join(_BOOKING_STATUSES)}")
    book, ledger = opened.book, call.provider.ledger
    period = _read_period(call)
    numbers = _select(call, consent, book, period)
    query = dict(call.request.query_params)
    if (book.resource_id, _key(query)) not in consent.next_pages:
        count_access(call, consent, operation_id, book)
    booked: range | None = None
    pending: list[dict[str, Any]] | None = None
    hrefs = {}
    if booking_status != "pending":
        booked = (numbers[::-1] if call.provider.newest_first else numbers)[: call.provider.page_size]
        if len(booked) < len(numbers):
            rest = _query_of_rest(call, query, ledger.reference(book, booked[-1]))
            consent.next_pages.append((book.resource_id, _key(rest)))
            hrefs["next"] = f"{opened.path}/transactions?{urlencode(rest)}"
        consent.reported[book.resource_id] = max(consent.reported.get(book.resource_id, 0), numbers.stop)
    if booking_status != "booked":
        pending = ledger.pending(book, call.today) if period.includes(call.today) and not hrefs else []
    return Page(booked, pending, hrefs)


def _key(query: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(query.items()))


def _query_of_rest(call: BankCall, query: Mapping[str, str], last: str) -> dict[str, str]:
    """The query for what comes after this entry."""
    if call.provider.of_2026:
        return {**query, "continuationKey": urlsafe_b64encode(last.encode()).decode().rstrip("=")}
    # the provider's guide of 2021 has no parameter for pages
    rest = {name: value for name, value in query.items() if name != "deltaList"}
    return {**rest, "entryReferenceFrom": last}


@dataclass(frozen=True)
class _Period:
    """The first and the last day, both inclusive."""

    first: date
    last: date

    def includes(self, day: date) -> bool:
        return self.first <= day <= self.last


def _read_period(call: BankCall) -> _Period:
    date_from, date_to = call.query("dateFrom"), call.query("dateTo")
    needed = not call.provider.of_2026 and not call.flag("deltaList") and call.query("entryReferenceFrom") is None
    if date_from is None and needed:
        raise malformed("dateFrom", "dateFrom is missing, and so are entryReferenceFrom and deltaList")
    first = date.min if date_from is None else read_date(date_from, "dateFrom")
    last = call.today if date_to is None else read_date(date_to, "dateTo")
    if first > call.today:
        raise ApiError(400, "PERIOD_INVALID", "dateFrom is after today", path="dateFrom")
    if first > last:
        raise ApiError(400, "PARAMETER_NOT_CONSISTENT", "dateFrom is after dateTo", path="dateFrom")
    return _Period(first, last)


def _select(call: BankCall, consent: Consent, book: Book, period: _Period) -> range:
    """The numbers of the requested booked entries."""
    ledger = call.provider.ledger
    begin = ledger.booked_until(book, period.first - timedelta(days=1)) if period.first > date.min else 0
    end = ledger.booked_until(book, min(period.last, call.today))
    after = {"entryReferenceFrom": call.query("entryReferenceFrom")}
    if call.provider.of_2026:
        after["continuationKey"] = _last_of_page(call.query("continuationKey"))
    for name, reference in after.items():
        if reference is not None:
            number = ledger.number_of(book, reference)
            if number is None or number >= ledger.booked_until(book, call.today):
                raise ApiError(400, "RESOURCE_UNKNOWN", "no such entry", path=name)
            if name == "continuationKey" and call.provider.newest_first:
                end = min(end, number)
            else:
                begin = max(begin, number + 1)
    if after["entryReferenceFrom"] is None and not call.provider.of_2026 and call.flag("deltaList"):
        begin = max(begin, consent.reported.get(book.resource_id, 0))
    return range(begin, max(begin, end))


def _last_of_page(continuation_key: str | None) -> str | None:
    """The entry after which a page begins; the empty string if the key is none of ours."""
    try:
        return continuation_key and urlsafe_b64decode(continuation_key + "=" * (-len(continuation_key) % 4)).decode()
    except ValueError:
        return ""
