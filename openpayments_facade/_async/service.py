"""What services have in common, and how each of their methods gets its raw twin."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from .._protocol.answer import RawResponse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._protocol.operation import Operation
    from .sender import AsyncSender

P = ParamSpec("P")
T = TypeVar("T")


class AsyncRunner(Protocol):
    """Carries out operations."""

    async def run(self, operation: Operation[T]) -> T: ...

    async def run_raw(self, operation: Operation[T]) -> RawResponse[T]: ...


class AsyncRecorder:
    """Carries out operations for one raw call, and keeps the last answer."""

    last: RawResponse[Any]

    def __init__(self, sender: AsyncSender) -> None:
        self._sender = sender

    async def run(self, operation: Operation[T]) -> T:
        return (await self.run_raw(operation)).parsed

    async def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        answer = await self._sender.run_raw(operation)
        self.last = answer
        return answer


class AsyncService:
    """Base of the services: one noun of the API each."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._runner = runner

    async def _run(self, operation: Operation[T]) -> T:
        return await self._runner.run(operation)


S = TypeVar("S", bound=AsyncService)


class AsyncRawService(Generic[S]):
    """Base of the raw services: the same methods, each giving a RawResponse."""

    _service: type[S]

    def __init__(self, sender: AsyncSender, service: S | None = None) -> None:
        self._sender = sender
        self._plain = self._service(sender) if service is None else service


class raw(Generic[P, T]):  # noqa: N801 - read as a word in `get = raw(AsyncAspsps.get)`
    """A method of a raw service, made from the service's own."""

    def __init__(self, method: Callable[Concatenate[Any, P], Awaitable[T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, raw_service: AsyncRawService[Any], _: object = None) -> Callable[P, Awaitable[RawResponse[T]]]:
        async def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
            recorder = AsyncRecorder(raw_service._sender)
            service = copy.copy(raw_service._plain)
            service._runner = recorder
            parsed = await self._method(service, *args, **kwargs)
            last = recorder.last
            return RawResponse(parsed, last.status_code, last.headers, last.request_id)

        return call
