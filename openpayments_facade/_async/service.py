"""What services have in common, and how each of their methods gets its raw twin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from ..operation import Operation, RawResponse

if TYPE_CHECKING:
    from .executor import AsyncExecutor

P = ParamSpec("P")
T = TypeVar("T")


class AsyncRunner(Protocol):
    """Carries out operations."""

    async def run(self, operation: Operation[T]) -> T: ...


class AsyncRecorder:
    """Carries out operations for one raw call, and keeps the last answer."""

    last: RawResponse[Any]

    def __init__(self, executor: AsyncExecutor) -> None:
        self._executor = executor

    async def run(self, operation: Operation[T]) -> T:
        answer = await self._executor.run_raw(operation)
        self.last = answer
        return answer.parsed


class AsyncService:
    """Base of the services: one noun of the API each."""

    def __init__(self, runner: AsyncRunner) -> None:
        self._run = runner.run


S = TypeVar("S", bound=AsyncService)


class AsyncRawService(Generic[S]):
    """Base of the raw services: the same methods, each giving a RawResponse."""

    _service: type[S]

    def __init__(self, executor: AsyncExecutor) -> None:
        self._executor = executor


class raw(Generic[P, T]):  # noqa: N801 - read as a word in `get = raw(AsyncAspsps.get)`
    """A method of a raw service, made from the service's own."""

    def __init__(self, method: Callable[Concatenate[Any, P], Awaitable[T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, raw_service: AsyncRawService[Any], _: object = None) -> Callable[P, Awaitable[RawResponse[T]]]:
        async def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
            recorder = AsyncRecorder(raw_service._executor)
            parsed = await self._method(raw_service._service(recorder), *args, **kwargs)
            last = recorder.last
            return RawResponse(parsed, last.status_code, last.headers, last.request_id)

        return call
