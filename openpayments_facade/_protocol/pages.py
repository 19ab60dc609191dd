"""Booked and pending transactions, and how to get to the next page (facts 40-account-information, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from openpayments_client.models import Links, Transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_client.models import TransactionReport

__all__ = ["BookedTransaction", "PendingTransaction", "listed", "next_query", "page_asked"]


_LONGEST_QUERY: Final = 60_000  # httpx refuses a URL that is a little longer


class BookedTransaction(Transaction):
    """A transaction of a list that is booked."""

    __slots__ = ()
    booking_status: ClassVar[Literal["booked", "pending"]] = "booked"


class PendingTransaction(Transaction):
    """A transaction of a list that is announced but not booked."""

    __slots__ = ()
    booking_status: ClassVar[Literal["booked", "pending"]] = "pending"


C = TypeVar("C", BookedTransaction, PendingTransaction)


def listed(report: TransactionReport) -> Iterator[BookedTransaction | PendingTransaction]:
    """The transactions of a page, booked ones first, in the bank's order."""
    lists = report.transactions
    if lists is not None:
        yield from _as(BookedTransaction, lists.booked)
        yield from _as(PendingTransaction, lists.pending)


def _as(kind: type[C], transactions: list[Transaction] | None) -> Iterator[C]:
    for transaction in transactions or []:
        # same slots: the parsed object becomes one that knows its list, without a copy
        transaction.__class__ = kind
        assert isinstance(transaction, kind)
        yield transaction


def next_query(report: TransactionReport, api_url: str) -> str | None:
    """The query of the next page as the bank wrote it, None on the last one.

    Of the link only the query counts. Raises ValueError if it leads to another host or has no query.
    """
    links = report.transactions.links if report.transactions else None
    found = links.additional_properties.get("next") if isinstance(links, Links) else links
    href = getattr(found, "href", found)
    if href is None or href == "":
        return None
    if not isinstance(href, str):
        raise ValueError("the link to the next page is no text")
    here = urlsplit(api_url)
    try:
        url = urlsplit(href, scheme=here.scheme)
        is_here = not url.netloc or _host(url) == _host(here)
    except ValueError:
        is_here = False
    if not is_here:
        raise ValueError("the link to the next page leads to another host")
    if not url.query:
        raise ValueError("the link to the next page has no query")
    if len(url.query) > _LONGEST_QUERY or not url.query.isprintable():
        raise ValueError("the link to the next page has a query that can't be sent")
    return url.query


def _host(url: SplitResult) -> tuple[str | None, int | None]:
    return url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


def page_asked(query: str) -> int:
    """What a query asks for, to compare it with others: the order of its parameters does not matter."""
    # Latin-1 keeps apart what is not UTF-8; a number, since the texts of a thousand pages are a megabyte
    return hash(tuple(sorted(parse_qsl(query, keep_blank_values=True, encoding="latin-1"))))
