"""The pages of a list, the way to the next one, and the cursor that goes on from it later.

Source: the provider's description of 2026.
"""

from __future__ import annotations

import itertools
import json
import logging
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
from attrs import evolve
from openpayments_client.reading import alone

from .._attrs import frozen
from .._checks import refuse
from ..errors import UnreadableResponseError
from .answer import unreadable
from .redirect import origin
from .wire import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .answer import RawResponse
    from .operation import Operation

_log = logging.getLogger("openpayments_facade")

T = TypeVar("T")
Item = TypeVar("Item")

_LONGEST_QUERY: Final = 60_000  # httpx refuses URLs that are slightly longer
_LISTS: Final = ("booked", "pending", "bankgiro")
_KEY: Final = "continuationKey="


def listed(answer: RawResponse[Any], *names: str) -> list[Any]:
    """The entries of a page that are in these lists, in the bank's order.

    Raises UnreadableResponseError if there are none, and the bank offers a file, or tells of an error, instead.
    """
    page = answer.parsed
    part = getattr(page, "transactions", None) or getattr(page, "card_transactions", None)
    lists = {name: getattr(part, name, None) for name in _LISTS}
    if not any(lists.values()):
        _check_emptiness(answer, page, part)
    return [entry for name in names for entry in lists[name] or ()]


def _check_emptiness(answer: RawResponse[Any], page: object, part: object) -> None:
    """Raises UnreadableResponseError if a page without entries has transactions elsewhere, or a file, or an error."""
    for holder in (page, part):
        for name, kept in _kept(holder).items():
            if _has_transactions(kept):
                raise unreadable(answer, "transactions in another place than described", name)
    for message in answer.messages:
        if (message.category or "").upper() == "ERROR":
            raise unreadable(answer, f"an error instead of transactions: {message.code}", "tppMessages")
    path, href = _link(page, "download")
    if href:
        # the address is not shown: it may let anybody read the file
        where = "`.pages()` gives the report, whose link `download` leads to it"
        raise unreadable(answer, f"a file to download instead of transactions; {where}", path)


def _has_transactions(value: object, depth: int = 4) -> bool:
    if isinstance(value, Mapping):
        inner: Iterable[object] = value.values()
        return "transactionAmount" in value or (depth > 0 and any(_has_transactions(each, depth - 1) for each in inner))
    return isinstance(value, list) and depth > 0 and any(_has_transactions(each, depth - 1) for each in value)


@frozen
class Place:
    """A place in a list: before a page, or behind some of its items."""

    query: str
    """The query of the page, as the bank wrote it."""
    given: int | None = 0
    """How many of the page's items are behind; None for the whole page, if its link to the next one leads astray."""
    counted: str = ""
    """Which of the page's items were counted, if any."""

    def cursor(self, first: Operation[Any]) -> str:
        """The place as a text that is good for this list alone, and can be part of JSON and of a URL."""
        said = [self.query, self.given, self.counted]
        about = json.dumps([first.request["headers"]["X-BicFi"], first.path, *said])
        text = json.dumps([sha256(about.encode()).hexdigest()[:16], *said])
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: object, first: Operation[Any]) -> Place:
    """The place that a cursor stands for. Raises InvalidArgumentError if it is none of this list's."""
    with suppress(ValueError, RecursionError):
        text = cursor if isinstance(cursor, str) else ""
        match json.loads(b64decode(text + "=" * (-len(text) % 4), b"-_")):
            case [_, str(query), int() | None as given, str(counted)] if _is_sendable(query):
                place = Place(query, given, counted)
                if place.cursor(first) == cursor:
                    return place
    raise refuse("cursor", "must be that of a list of the same kind, of the same account at the same bank")


class Pages(Generic[T]):
    """One reading of a list, page by page. Refuses a link to a page that it has already read."""

    def __init__(
        self, first: Operation[T], place: Place | None = None, counted: str = "", *, at_once: bool = False
    ) -> None:
        """Begins at a place in the list that `first` begins. `counted` names the items that are asked for.

        If the list is read at once, a page that links to itself is the last one: an error would lose all the others.

        Raises InvalidArgumentError if the place is behind some items of another kind.
        """
        self._first, self._counted, self._at_once = first, counted, at_once
        self._own_query = str(httpx.QueryParams(first.request.get("params")))
        self._place: Place | None = place or Place(self._own_query)
        self._asked = {*map(_fingerprint, (self._own_query, self._place.query))}
        self._astray: UnreadableResponseError | None = None
        if counted and self._place.given and self._place.counted != counted:
            raise refuse("cursor", f"stands among other entries than these, {counted}")

    @property
    def cursor(self) -> str | None:
        """From where to go on; None at the end of the list."""
        return None if self._place is None else self._place.cursor(self._first)

    @property
    def operation(self) -> Operation[T] | None:
        """Reads the next page; None at the end of the list.

        Raises UnreadableResponseError if the bank's link leads to another host, or to a page that was already read.
        """
        if self._astray is not None:
            raise copy(self._astray)
        if self._place is None:
            return None
        if self._place.query == self._own_query:
            return self._first
        # in the path, not in params, which httpx would decode and encode again
        rest = {name: value for name, value in self._first.request.items() if name != "params"}
        return evolve(self._first, path=f"{self._first.path}?{self._place.query}", request=rest)

    @property
    def is_behind(self) -> bool:
        """Whether the whole page was given before, and is read for its link alone."""
        return self._place is not None and self._place.given is None

    def turn(self, answer: RawResponse[T]) -> None:
        """Goes on to the page after this answer."""
        assert self._place is not None
        this = self._place.query
        try:
            query = self._after(answer, this)
            self._place = None if query is None else Place(query)
        except UnreadableResponseError as error:
            self._astray, self._place = error, Place(this, None)

    def rest(self, answer: RawResponse[T], items: Sequence[Item]) -> Iterator[Item]:
        """Those of the page's items that are still ahead. Each is behind as soon as it is given."""
        assert self._place is not None
        behind = len(items) if self._place.given is None else self._place.given
        for number, item in enumerate(items[behind:], behind + 1):
            if number < len(items):
                self._place = Place(self._place.query, number, self._counted)
            else:
                self.turn(answer)
            yield item
        if behind >= len(items):
            self.turn(answer)

    def _after(self, answer: RawResponse[T], this: str) -> str | None:
        """The query of the page after this one; None after the last page."""
        path, href = _link(answer.parsed, "next")
        try:
            query = _next_query(answer, href or _link_of_headers(answer.headers))
            if query is None:
                return None
            if query.startswith(_KEY) and "&" not in query:
                # the query of the request goes with it, as in the provider's example
                kept = [each for each in this.split("&") if each and not each.startswith(_KEY)]
                query = "&".join([*kept, query])
            if not _is_sendable(query):
                raise ValueError("has a query that can't be sent")
            if self._at_once and _fingerprint(query) == _fingerprint(this):
                _log.warning(
                    "A page links to itself as the next one: taken as the last (request id %s)", answer.request_id
                )
                return None
            if _fingerprint(query) in self._asked:
                raise ValueError("leads back to a page that was already read")
        except ValueError as error:
            raise unreadable(answer, f"a link to the next page that {error}", path) from None
        self._asked.add(_fingerprint(query))
        return query


def _next_query(answer: RawResponse[Any], href: object) -> str | None:
    """The query of the next page as the bank wrote it in this link; None without one, on the last page.

    Only the query of the link is used. Raises ValueError if it leads to another host or has no query.
    """
    if href is None:
        return None
    if not isinstance(href, str):
        raise ValueError("is not a string")
    try:
        url = urljoin(answer.url, href)
        # the scheme may be that behind a gateway
        is_elsewhere = origin(urlsplit(url)._replace(scheme=urlsplit(answer.url).scheme).geturl()) != origin(answer.url)
    except ValueError:
        is_elsewhere = True
    if is_elsewhere:
        raise ValueError("leads to another host")
    query = urlsplit(url).query
    if not query:
        raise ValueError("has no query")
    return query


def _link(page: object, name: str) -> tuple[str, object]:
    """Where a link of a page stands, wherever the bank put it, and its address; None if there is none."""
    holders = itertools.product(("transactions", "cardTransactions", "account", ""), ("_links", "links", ""))
    for where, holder in holders:
        part = _field(page, where) if where else page
        found = _field(part, holder) if holder else part
        for links in found if isinstance(found, list) else [found]:
            # some write a list of links, each with its name in `rel`
            link = links if _field(links, "rel") == name else _named(links, name)
            is_object = isinstance(link, Mapping) or hasattr(link, "additional_properties")
            href = (_named(link, "href") or _named(link, "url")) if is_object else link
            if href or (is_object and _is_filled(link)):
                return ".".join(filter(None, (where, holder, name))), href or link
    return "", None


def _named(part: object, name: str) -> object:
    """A field by its name in any case; a list of one counts as what is in it."""
    found = next((value for key, value in _kept(part).items() if key.lower() == name and value is not None), None)
    return _field(part, name) if found is None else alone(found)


def _is_filled(link: object) -> bool:
    return any(value is not None for value in _kept(link).values())


def _kept(part: object) -> Mapping[str, object]:
    """The fields of an object of JSON, or those of a model that are not described or can't be read."""
    return part if isinstance(part, Mapping) else getattr(part, "additional_properties", {})


def _field(part: object, name: str) -> object:
    """A field by its name on the wire, of a model or of JSON that no model could read. A list of one counts as it."""
    found: object = alone(value_of(part, name))
    return found


def _link_of_headers(headers: httpx.Headers) -> str | None:
    given = [(name, value) for name, value in headers.raw if name.lower() == b"link"]
    links = httpx.Response(200, headers=given).links.values()
    return next((link["url"] for link in links if "next" in link.get("rel", "").lower().split()), None) or None


def _is_sendable(query: str) -> bool:
    return len(query) <= _LONGEST_QUERY and query.isprintable() and "#" not in query


def _fingerprint(query: str) -> int:
    # sorted, since the order of parameters does not matter; Latin-1, to tell apart what is not UTF-8; a hash, since the
    # queries of a thousand pages take a megabyte
    return hash(tuple(sorted(parse_qsl(query, keep_blank_values=True, encoding="latin-1"))))
