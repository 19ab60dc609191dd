"""The pages of a list, and the way to the next one (the provider's description of 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
from attrs import evolve
from openpayments_client import models

from .answer import unreadable
from .redirect import origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .answer import RawResponse
    from .operation import Operation


T = TypeVar("T")

_LONGEST_QUERY: Final = 60_000  # httpx refuses URLs that are slightly longer


def listed(report: models.TransactionReport | models.CardTransactionReport | None) -> Iterator[Any]:
    """The transactions of a page, booked ones first, in the bank's order. None is a page without any."""
    lists = _lists(report)
    yield from getattr(lists, "booked", None) or ()
    yield from getattr(lists, "pending", None) or ()


def _lists(page: object) -> object:
    """The part of a page that has its lists and its links."""
    return getattr(page, "transactions", None) or getattr(page, "card_transactions", None) or page


class Pages(Generic[T]):
    """The pages of one list. Refuses a link to a page that was already read."""

    def __init__(self, first: Operation[T]) -> None:
        self._first = first
        self._asked = {_fingerprint(str(httpx.QueryParams(first.request.get("params"))))}

    def after(self, answer: RawResponse[T]) -> Operation[T] | None:
        """The operation that reads the page after this answer; None after the last page.

        Raises UnreadableResponseError if the bank's link leads to another host, or to a page that was already read.
        """
        try:
            query = next_query(answer.parsed, answer.url)
            if query is None:
                return None
            if _fingerprint(query) in self._asked:
                raise ValueError("leads back to a page that was already read")
        except ValueError as error:
            raise unreadable(answer, f"a link to the next page that {error}") from None
        self._asked.add(_fingerprint(query))
        # in the path, not in params, which httpx would decode and encode again
        rest = {name: value for name, value in self._first.request.items() if name != "params"}
        return evolve(self._first, path=f"{self._first.path}?{query}", request=rest)


def next_query(page: object, page_url: str) -> str | None:
    """The query of the next page as the bank wrote it; None on the last page.

    Only the query of the link is used. Raises ValueError if it leads to another host or has no query.
    """
    links = getattr(_lists(page), "links", None)
    found = links.additional_properties.get("next") if isinstance(links, models.Links) else links
    href = getattr(found, "href", found)
    if href is None or href == "":
        return None
    if not isinstance(href, str):
        raise ValueError("is not a string")
    try:
        url = urljoin(page_url, href)
        is_elsewhere = origin(url) != origin(page_url)
    except ValueError:
        is_elsewhere = True
    if is_elsewhere:
        raise ValueError("leads to another host")
    query = urlsplit(url).query
    if not query:
        raise ValueError("has no query")
    if len(query) > _LONGEST_QUERY or not query.isprintable():
        raise ValueError("has a query that can't be sent")
    return query


def _fingerprint(query: str) -> int:
    # sorted, since the order of parameters does not matter; Latin-1, to tell apart what is not UTF-8; a hash, since the
    # queries of a thousand pages take a megabyte
    return hash(tuple(sorted(parse_qsl(query, keep_blank_values=True, encoding="latin-1"))))
