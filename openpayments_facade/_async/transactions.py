"""Lists, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from openpayments_client import models

from .._protocol.pages import Pages, listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation
    from .service import AsyncRawService

P = ParamSpec("P")
Report = TypeVar("Report")
Item = TypeVar("Item")


async def read_pages(
    send: Callable[[Operation[Report]], Awaitable[RawResponse[Report]]], first: Operation[Report]
) -> AsyncIterator[RawResponse[Report]]:
    """The pages of a list, each read when it is asked for."""
    pages = Pages(first)
    operation: Operation[Report] | None = first
    while operation is not None:
        answer = await send(operation)
        yield answer
        operation = pages.after(answer)


class AsyncListing(Generic[Report, Item]):
    """What `transactions(...)` gives: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that the service lists.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read.
    """

    def __init__(self, send: Callable[[Operation[Any]], Awaitable[RawResponse[Any]]], first: Operation[Any]) -> None:
        self._send = send
        self._operation = first

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self._answers():
            for transaction in listed(page.parsed):  # type: ignore[arg-type]
                yield transaction

    async def pages(self) -> AsyncIterator[Report]:
        """Iterates over the pages instead: the reports as the bank sent them, with their balances if any."""
        async for answer in self._answers():
            if answer.parsed is not None:
                yield answer.parsed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.path}>"

    def _answers(self) -> AsyncIterator[RawResponse[Report]]:
        return read_pages(self._send, self._operation)


class AsyncTransactions(AsyncListing[models.TransactionReport, models.BookedTransaction | models.PendingTransaction]):
    """`accounts.transactions(...)`: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that `AsyncAccounts` lists. With the API scope `bankgiroinformation`, a page's `transactions.bankgiro` has
    single payments taken out of lump sums; the iteration leaves them out, since their sums are in the list already.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read.
    """


class AsyncCardTransactions(
    AsyncListing[models.CardTransactionReport, models.BookedCardTransaction | models.PendingCardTransaction]
):
    """`cards.transactions(...)`: as `AsyncTransactions`, for card transactions."""


class AsyncRawTransactions(Generic[Report]):
    """`bank.with_raw_response.accounts(consent).transactions(...)`, and of cards: pages as raw responses."""

    def __init__(self, transactions: AsyncListing[Report, Any]) -> None:
        self.pages = transactions._answers
        """Iterates over the pages, each a `RawResponse`."""


def raw_pages(
    method: Callable[Concatenate[Any, P], AsyncListing[Report, Any]],
) -> Callable[Concatenate[AsyncRawService[Any], P], AsyncRawTransactions[Report]]:
    """The raw twin of a method that gives transactions."""

    def transactions(self: AsyncRawService[Any], /, *args: P.args, **kwargs: P.kwargs) -> AsyncRawTransactions[Report]:
        return AsyncRawTransactions(method(self._plain, *args, **kwargs))

    transactions.__doc__ = method.__doc__
    return transactions
