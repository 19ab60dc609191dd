"""Transactions, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import httpx

from ..errors import UnreadableResponseError
from ..transactions import BookedTransaction, PendingTransaction, listed, next_query

if TYPE_CHECKING:
    from openpayments_client.models import TransactionReport

    from ..operation import Operation, RawResponse

T = TypeVar("T")


class AsyncRun(Protocol):
    """Sends an operation."""

    async def __call__(self, operation: Operation[T]) -> RawResponse[T]: ...


class AsyncTransactions:
    """Iterates over transactions, reading a page when it is needed; each knows its `booking_status`.

    A page that is done with is forgotten. Iterating again reads again. Raises what `AsyncAccounts` says, and
    UnreadableResponseError if the bank's link to the next page leads to another host or in a circle.
    """

    def __init__(self, run: AsyncRun, operation: Operation[TransactionReport], api_url: str) -> None:
        self._send = run
        self._operation = operation
        self._api_url = api_url

    async def __aiter__(self) -> AsyncIterator[BookedTransaction | PendingTransaction]:
        async for page in self.pages():
            for transaction in listed(page):
                yield transaction

    async def pages(self) -> AsyncIterator[TransactionReport]:
        """The reports themselves, with their balances."""
        operation = self._operation
        seen = {tuple(httpx.QueryParams(operation.request["params"]).multi_items())}
        while True:
            answer = await self._send(operation)
            yield answer.parsed
            try:
                query = next_query(answer.parsed, self._api_url)
            except ValueError as error:
                problem = str(error)
            else:
                if query is None:
                    return
                if query not in seen:
                    seen.add(query)
                    operation = self._operation.with_query(query)
                    continue
                problem = "the link to the next page leads back to a page that was read"
            raise UnreadableResponseError(
                problem,
                request_id=answer.request_id,
                method=operation.method,
                url=operation.path,
                status_code=answer.status_code,
            )
