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
    """Iterates over transactions, reading a page when it is needed; each knows its `booking_status`.

    A page that is done with is forgotten. Iterating again reads again. Raises what `Accounts` says, and
    UnreadableResponseError if the bank's link to the next page leads to another host or in a circle.
    """

    def __init__(self, send: Callable[[Asked], Page], first: Asked) -> None:
        self._send = send
        self._operation = first

    def __iter__(self) -> Iterator[models.BookedTransaction | models.PendingTransaction]:
        for page in self.pages():
            for transaction in listed(page):
                yield transaction

    def pages(self) -> Iterator[models.TransactionReport]:
        """The reports themselves, with their balances."""
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
    """`bank.with_raw_response.accounts(consent).transactions(...)`."""

    def __init__(self, transactions: Transactions) -> None:
        self.pages = transactions._answers
        """Gives the answers with the reports, one a page."""
