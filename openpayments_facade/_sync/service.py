# Written by `make unasync` from openpayments_facade/_async/service.py; do not edit.
"""What services have in common, and how each of their methods gets its raw twin."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from .._protocol.answer import RawResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._protocol.operation import Operation
    from .sender import Sender

P = ParamSpec("P")
T = TypeVar("T")


class Runner(Protocol):
    """Carries out operations."""

    def run(self, operation: Operation[T]) -> T: ...

    def run_raw(self, operation: Operation[T]) -> RawResponse[T]: ...


class Recorder:
    """Carries out operations for one raw call, and keeps the last answer."""

    last: RawResponse[Any]

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def run(self, operation: Operation[T]) -> T:
        return self.run_raw(operation).parsed

    def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        answer = self._sender.run_raw(operation)
        self.last = answer
        return answer


class Service:
    """Base of the services: one noun of the API each."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def _run(self, operation: Operation[T]) -> T:
        return self._runner.run(operation)


S = TypeVar("S", bound=Service)


class RawService(Generic[S]):
    """Base of the raw services: the same methods, each giving a RawResponse."""

    _service: type[S]

    def __init__(self, sender: Sender, service: S | None = None) -> None:
        self._sender = sender
        self._plain = self._service(sender) if service is None else service


class raw(Generic[P, T]):  # noqa: N801 - read as a word in `get = raw(Aspsps.get)`
    """A method of a raw service, made from the service's own."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, raw_service: RawService[Any], _: object = None) -> Callable[P, RawResponse[T]]:
        def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
            recorder = Recorder(raw_service._sender)
            service = copy.copy(raw_service._plain)
            service._runner = recorder
            parsed = self._method(service, *args, **kwargs)
            last = recorder.last
            return RawResponse(parsed, last.status_code, last.headers, last.request_id)

        return call
