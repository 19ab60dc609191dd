# Written by `make unasync` from openpayments_facade/_async/transactions.py; do not edit.
"""Transactions, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .._protocol.pages import Pages, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_client import models

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation

    Asked: TypeAlias = Operation[models.TransactionReport]
    Page: TypeAlias = RawResponse[models.TransactionReport]


class Transactions:
    """`accounts.transactions(...)`: iterates over transactions, and reads each page when it is needed.

    Each transaction has a `booking_status`. Pages are not kept: iterating again reads them again. Iterating raises the
    errors that `Accounts` lists.

    Raises:
        UnreadableResponseError: The bank's link to the next page leads to another host, or to a page that was
            already read.
    """

    def __init__(self, send: Callable[[Asked], Page], first: Asked) -> None:
        self._send = send
        self._operation = first

    def __iter__(self) -> Iterator[models.BookedTransaction | models.PendingTransaction]:
        for page in self.pages():
            for transaction in listed(page):
                yield transaction

    def pages(self) -> Iterator[models.TransactionReport]:
        """Iterates over the pages instead: the reports as the bank sent them, with their balances if any."""
        for answer in self._answers():
            yield answer.parsed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.path}>"

    def _answers(self) -> Iterator[Page]:
        pages = Pages(self._operation)
        operation: Asked | None = self._operation
        while operation is not None:
            answer = self._send(operation)
            yield answer
            operation = pages.after(answer)


class RawTransactions:
    """`bank.with_raw_response.accounts(consent).transactions(...)`: pages as raw responses."""

    def __init__(self, transactions: Transactions) -> None:
        self.pages = transactions._answers
        """Iterates over the pages, each a `RawResponse`."""
