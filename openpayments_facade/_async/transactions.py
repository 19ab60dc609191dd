"""Transactions, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .._protocol.pages import Pages, listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from openpayments_client import models

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation

    Asked: TypeAlias = Operation[models.TransactionReport]
    Page: TypeAlias = RawResponse[models.TransactionReport]


class AsyncTransactions:
    """Iterates over transactions, reading a page when it is needed; each knows its `booking_status`.

    A page that is done with is forgotten. Iterating again reads again. Raises what `AsyncAccounts` says, and
    UnreadableResponseError if the bank's link to the next page leads to another host or in a circle.
    """

    def __init__(self, send: Callable[[Asked], Awaitable[Page]], first: Asked) -> None:
        self._send = send
        self._operation = first

    async def __aiter__(self) -> AsyncIterator[models.BookedTransaction | models.PendingTransaction]:
        async for page in self.pages():
            for transaction in listed(page):
                yield transaction

    async def pages(self) -> AsyncIterator[models.TransactionReport]:
        """The reports themselves, with their balances."""
        async for answer in self._answers():
            yield answer.parsed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation.path}>"

    async def _answers(self) -> AsyncIterator[Page]:
        pages = Pages(self._operation)
        operation: Asked | None = self._operation
        while operation is not None:
            answer = await self._send(operation)
            yield answer
            operation = pages.after(answer)


class AsyncRawTransactions:
    """`bank.with_raw_response.accounts(consent).transactions(...)`."""

    def __init__(self, transactions: AsyncTransactions) -> None:
        self.pages = transactions._answers
        """Gives the answers with the reports, one a page."""
