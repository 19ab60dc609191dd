# Written by `make unasync` from openpayments_facade/_async/transactions.py; do not edit.
"""Lists, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from openpayments_client import models

from .._protocol.pages import Pages, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation
    from .service import RawService

P = ParamSpec("P")
Report = TypeVar("Report")
Item = TypeVar("Item")


def read_pages(
    send: Callable[[Operation[Report]], RawResponse[Report]], first: Operation[Report]
) -> Iterator[RawResponse[Report]]:
    """The pages of a list, each read when it is asked for."""
    pages = Pages(first)
    operation: Operation[Report] | None = first
    while operation is not None:
        answer = send(operation)
        yield answer
        operation = pages.after(answer)


class Listing(Generic[Report, Item]):
    """What `transactions(...)` gives: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that the service lists.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read.
    """

    def __init__(self, send: Callable[[Operation[Any]], RawResponse[Any]], first: Operation[Any]) -> None:
        self._send = send
        self._operation = first

    def __iter__(self) -> Iterator[Item]:
        for page in self._answers():
            for transaction in listed(page.parsed):  # type: ignore[arg-type]
                yield transaction

    def pages(self) -> Iterator[Report]:
        """Iterates over the pages instead: the reports as the bank sent them, with their balances if any."""
        for answer in self._answers():
            if answer.parsed is not None:
                yield answer.parsed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.path}>"

    def _answers(self) -> Iterator[RawResponse[Report]]:
        return read_pages(self._send, self._operation)


class Transactions(Listing[models.TransactionReport, models.BookedTransaction | models.PendingTransaction]):
    """`accounts.transactions(...)`: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that `Accounts` lists. With the API scope `bankgiroinformation`, a page's `transactions.bankgiro` has
    single payments taken out of lump sums; the iteration leaves them out, since their sums are in the list already.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read.
    """


class CardTransactions(
    Listing[models.CardTransactionReport, models.BookedCardTransaction | models.PendingCardTransaction]
):
    """`cards.transactions(...)`: as `Transactions`, for card transactions."""


class RawTransactions(Generic[Report]):
    """`bank.with_raw_response.accounts(consent).transactions(...)`, and of cards: pages as raw responses."""

    def __init__(self, transactions: Listing[Report, Any]) -> None:
        self.pages = transactions._answers
        """Iterates over the pages, each a `RawResponse`."""


def raw_pages(
    method: Callable[Concatenate[Any, P], Listing[Report, Any]],
) -> Callable[Concatenate[RawService[Any], P], RawTransactions[Report]]:
    """The raw twin of a method that gives transactions."""

    def transactions(self: RawService[Any], /, *args: P.args, **kwargs: P.kwargs) -> RawTransactions[Report]:
        return RawTransactions(method(self._plain, *args, **kwargs))

    transactions.__doc__ = method.__doc__
    return transactions
