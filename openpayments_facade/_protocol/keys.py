"""Remembers what was created for a caller's key, so that the same key does not create a second one. Pure."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

from attrs import define, field

from .._checks import refuse
from ..errors import OpenPaymentsError, OutcomeUnknownError

MOST: Final = 10_000
"""How many keys are remembered; the oldest is forgotten first."""


@define(eq=False)
class Keys:
    """The keys of one client, and what came of each. Safe to use from several threads and tasks."""

    _known: OrderedDict[str, tuple[object, Future[Any]]] = field(factory=OrderedDict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def claim(self, key: str | None, content: object) -> tuple[Future[Any], bool]:
        """What comes of the creation for a key, and whether it is this caller who has to create.

        Without a key it always is. Raises InvalidArgumentError if the key is no text, or was used for other content.
        """
        mine = content, Future[Any]()
        if key is None:
            return mine[1], True
        if not isinstance(key, str) or not 0 < len(key) <= 255:
            raise refuse("key", "must be a string of 1 to 255 characters")
        with self._lock:
            known, outcome = found = self._known.setdefault(key, mine)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        if known != content:
            raise refuse("key", "was used for another payment")
        return outcome, found is mine

    def fail(self, key: str | None, outcome: Future[Any], error: BaseException, about: Mapping[str, Any]) -> None:
        """Notes that there is none. The key is free again, unless the request may have taken effect.

        `about` has the attributes of an OutcomeUnknownError about it.
        """
        if not isinstance(error, OpenPaymentsError):  # it was interrupted, nobody knows when
            error = OutcomeUnknownError(f"the creation for this key was interrupted; {about['advice']}", **about)
        if key is not None and not getattr(error, "may_have_taken_effect", False):
            with self._lock:
                self._known.pop(key, None)
        outcome.set_exception(copy.copy(error))


def result_of(outcome: Future[Any]) -> Any:
    """What was created. Raises the error that came instead: a copy, since it collects the frames of who raises it."""
    if error := outcome.exception():
        raise copy.copy(error)
    return outcome.result()
