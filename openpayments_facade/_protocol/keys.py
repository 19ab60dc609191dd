"""Remembers what was created for a caller's key (an idempotency key), so that it does not create a second one. Pure."""

from __future__ import annotations

import copy
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from .._checks import refuse
from ..errors import OpenPaymentsError, OutcomeUnknownError
from .unknown import explain

if TYPE_CHECKING:
    from .operation import Operation

MOST: Final = 10_000
"""How many keys are remembered; the oldest is forgotten first."""


class Keys:
    """The keys of one client, and what came of each. Safe to use from several threads and tasks, and after a fork."""

    def __init__(self) -> None:
        # no lock, which a forked child could inherit closed: each step is one operation of a dict
        self._known: dict[str, tuple[object, Future[Any]]] = {}

    def claim(self, key: str | None, content: object) -> tuple[Future[Any], bool]:
        """What comes of the creation for a key, and whether it is this caller who has to create.

        Without a key it always is. Raises InvalidArgumentError if the key is no text, or was used for other content.
        """
        mine = content, Future[Any]()
        if key is None:
            return mine[1], True
        if not isinstance(key, str) or not 0 < len(key) <= 255:
            raise refuse("key", "must be a string of 1 to 255 characters")
        known, outcome = found = self._known.setdefault(key, mine)
        for oldest in [*self._known][:-MOST]:
            self._known.pop(oldest, None)
        if known != content:
            raise refuse("key", "was used for another payment")
        return outcome, found is mine

    def fail(self, key: str | None, outcome: Future[Any], error: BaseException, operation: Operation[Any]) -> None:
        """Notes that there is none. The key is free again, unless the request may have taken effect."""
        if not isinstance(error, OpenPaymentsError):  # it was interrupted, nobody knows when
            error = explain(OutcomeUnknownError("the creation for this key was interrupted"), operation)
        if not getattr(error, "may_have_taken_effect", False) and self._known.get(key or "", (0, 0))[1] is outcome:
            self._known.pop(key or "", None)
        with suppress(InvalidStateError):  # it was interrupted once it was known
            outcome.set_exception(copy.copy(error))


def result_of(outcome: Future[Any]) -> Any:
    """What was created. Raises the error that came instead: a copy, since it collects the frames of who raises it."""
    if error := outcome.exception():
        raise copy.copy(error)
    return outcome.result()
