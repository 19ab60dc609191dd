"""Lists, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

from attrs import evolve
from openpayments_client import models

from .._protocol.pages import Pages, listed, read_cursor
from .._redaction import careful, hiding_arguments
from ..scopes import ApiScope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation
    from .service import AsyncRawService

P = ParamSpec("P")
Report = TypeVar("Report")
Item = TypeVar("Item")
Page = TypeVar("Page")


def read_pages(
    send: Callable[[Operation[Any]], Awaitable[RawResponse[Any]]], pages: Pages[Report | None]
) -> AsyncIterator[Report]:
    """The pages of a list that are not empty, each read when it is asked for."""
    return _read(send, pages, lambda answer: answer.parsed)


async def _read(
    send: Callable[[Operation[Report]], Awaitable[RawResponse[Report]]],
    pages: Pages[Report],
    read: Callable[[RawResponse[Report]], Page | None],
) -> AsyncIterator[Page]:
    while (operation := pages.operation) is not None:
        answer = await send(operation)
        page = None if pages.is_behind else read(answer)
        pages.turn(answer)
        if page is not None:
            yield page


class AsyncListing(Generic[Report, Item]):
    """What `transactions(...)` gives: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that the service lists.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read. Or the bank offers a file to download instead of transactions; `pages()` gives such a report.
    """

    _lists: ClassVar[tuple[str, ...]] = ("booked", "pending")

    def __init__(
        self,
        send: Callable[[Operation[Any]], Awaitable[RawResponse[Any]]],
        first: Operation[Any],
        cursor: str | None = None,
    ) -> None:
        self._send, self._first, self._cursor = send, first, cursor
        self._begin()

    async def __aiter__(self) -> AsyncIterator[Item]:
        pages = self._begin(" and ".join(self._lists))
        while (operation := pages.operation) is not None:
            answer = await self._send(operation)
            for transaction in pages.rest(answer, listed(answer, *self._lists)):
                yield transaction

    async def pages(self) -> AsyncIterator[Report]:
        """Iterates over the pages instead: the reports as the bank sent them, with their balances if any.

        It begins with the whole page in which the cursor stands.

        Yields:
            A report for each page that is not empty.

        Raises:
            OpenPaymentsError: The same as iterating over the transactions, except for a file to download, which is a
                report as well.
        """
        async for report in read_pages(self._send, self._begin()):
            yield report

    @property
    def cursor(self) -> str | None:
        """Where the newest iteration stands; None once everything was read. Safe as a part of JSON and of a URL.

        The same method with this `cursor=`, in any process, goes on after the last transaction that was given, or the
        last page of `pages()`. Nothing is lost if a call for a page failed. A page that was given in part is read
        again; its first transactions are then left out, as many as were given.

        It holds the query of a page, as the bank wrote it, and nothing about the user; keep it where the user can't
        change it.
        """
        return self._pages.cursor

    @careful
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._first.path}>"

    def _begin(self, counted: str = "") -> Pages[Any]:
        place = None if self._cursor is None else read_cursor(self._cursor, self._first)
        self._pages: Pages[Any] = Pages(self._first, place, counted)
        return self._pages

    def _answers(self) -> AsyncIterator[RawResponse[Report]]:
        return _read(self._send, self._begin(), lambda answer: answer)


class AsyncTransactions(AsyncListing[models.TransactionReport, models.BookedTransaction | models.PendingTransaction]):
    """`accounts.transactions(...)`: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that `AsyncAccounts` lists. The payments that `bankgiro()` gives are not among them.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read. Or the bank offers a file to download instead of transactions; `pages()` gives such a report.
    """

    def bankgiro(self) -> AsyncBankgiroTransactions:
        """The single Bankgiro payments of lump sums, from the same pages, for companies.

        Iterating raises MissingScopeError if the client lacks the API scope `bankgiroinformation`, without which
        banks send none.

        Don't add their amounts to those of the transactions: by all appearance, the lump sums are among them (the
        provider's description of 2026).

        Returns:
            What to iterate over: `BankgiroTransaction`s. Sends nothing until then.
        """
        scopes = tuple(each for each in self._first.scopes if ApiScope.BANKGIRO_INFORMATION in each)
        return AsyncBankgiroTransactions(self._send, evolve(self._first, scopes=scopes), self._cursor)


class AsyncBankgiroTransactions(AsyncListing[models.TransactionReport, models.BankgiroTransaction]):
    """`accounts.transactions(...).bankgiro()`: as `AsyncTransactions`, for the single payments of lump sums.

    It has a cursor of its own: `accounts.transactions(account, cursor=...).bankgiro()` goes on with it.
    """

    _lists = ("bankgiro",)


class AsyncCardTransactions(
    AsyncListing[models.CardTransactionReport, models.BookedCardTransaction | models.PendingCardTransaction]
):
    """`cards.transactions(...)`: as `AsyncTransactions`, for card transactions."""


class AsyncRawTransactions(Generic[Report]):
    """`bank.with_raw_response.accounts(consent).transactions(...)`, and of cards: pages as raw responses."""

    def __init__(self, transactions: AsyncListing[Report, Any]) -> None:
        self._transactions = transactions
        self.pages = transactions._answers
        """Iterates over the pages, each a `RawResponse`."""

    @property
    def cursor(self) -> str | None:
        """Where the newest iteration stands, as `AsyncListing.cursor`."""
        return self._transactions.cursor


def raw_pages(
    method: Callable[Concatenate[Any, P], AsyncListing[Report, Any]],
) -> Callable[Concatenate[AsyncRawService[Any], P], AsyncRawTransactions[Report]]:
    """The raw twin of a method that gives transactions."""

    @hiding_arguments
    def transactions(self: AsyncRawService[Any], /, *args: P.args, **kwargs: P.kwargs) -> AsyncRawTransactions[Report]:
        return AsyncRawTransactions(method(self._plain, *args, **kwargs))

    transactions.__doc__ = method.__doc__
    return transactions
