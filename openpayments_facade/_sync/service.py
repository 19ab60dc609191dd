# Written by `make unasync` from openpayments_facade/_async/service.py; do not edit.
"""The base of all services, and how each of their methods gets its raw counterpart."""

from __future__ import annotations

import copy
import inspect
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from attrs import evolve

from .._protocol.operation import Operation
from .._redaction import careful, hiding_arguments
from ..errors import UnreadableResponseError
from .sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._protocol.answer import RawResponse
    from .._protocol.binding import BankBinding
    from .._protocol.operation import Endpoint

P = ParamSpec("P")
T = TypeVar("T")


class Recorder(Sender):
    """Keeps the last answer of one raw call, with what all of its pages had to say."""

    last: RawResponse[Any] | None = None

    def remember(self, answer: RawResponse[Any]) -> None:
        self.last = answer

    def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        answer = super().run_raw(operation)
        before = self.last or evolve(answer, messages=(), odd=())
        self.last = evolve(answer, messages=(*before.messages, *answer.messages), odd=(*before.odd, *answer.odd))
        return answer


class Service:
    """Base of the services. Each covers one noun of the API."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, method in [*vars(cls).items()]:
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(cls, name, hiding_arguments(method))

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def _call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return (self._run(Operation.of(endpoint, *args, **kwargs))).parsed

    @hiding_arguments  # lists are read after their method has returned
    def _run(self, operation: Operation[T]) -> RawResponse[T]:
        return self._sender.run_raw(operation)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if not name.startswith("_")]


class BankService(Service):
    """Base of the services at a bank: each call carries the bank, the user and the redirect preference."""

    def __init__(self, sender: Sender, bank: BankBinding) -> None:
        super().__init__(sender)
        self._bank = bank

    def _call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return (self._run(Operation.at_bank(self._bank, endpoint, *args, **kwargs))).parsed

    @careful
    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._bank.bic_fi}>"


S = TypeVar("S", bound=Service)


class RawService(Generic[S]):
    """Base of the raw services: the same methods, each returning a RawResponse."""

    def __init__(self, service: S) -> None:
        self._plain = service

    __dir__ = Service.__dir__


class raw(Generic[P, T]):  # noqa: N801 - read as a word in `get = raw(Aspsps.get)`
    """A method of a raw service, made from the service's own."""

    def __init__(self, method: Callable[Concatenate[Any, P], T]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, raw_service: RawService[Any], _: object = None) -> Callable[P, RawResponse[T]]:
        @hiding_arguments
        def call(*args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
            service = copy.copy(raw_service._plain)
            sender = service._sender
            service._sender = recorder = Recorder(sender.session, sender.options)
            try:
                parsed: Any = self._method(service, *args, **kwargs)
            except UnreadableResponseError as error:
                if recorder.last is None:
                    raise
                parsed = copy.copy(error)  # `parsed` raises it
            assert recorder.last is not None
            return evolve(recorder.last, parsed=parsed)

        return call
