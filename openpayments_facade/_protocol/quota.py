"""The accesses without the user that a consent allows per day: which are used up, and until when."""

from __future__ import annotations

import copy
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import AccessExceededError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .operation import Operation


class Quota:
    """Remembers which calls a bank has refused with AccessExceededError and a Retry-After.

    Banks count each operation and each account separately, and so does this.
    """

    def __init__(self) -> None:
        self.exceeded: dict[tuple[str, str, str], tuple[float, AccessExceededError]] = {}

    @contextmanager
    def watching(self, operation: Operation[Any], consent_id: str) -> Iterator[None]:
        """Wraps the sending of an unattended operation. Raises AccessExceededError if the bank would refuse it."""
        key, now = (consent_id, operation.name, operation.resource), time.monotonic()
        until, known = self.exceeded.get(key, (now, None))
        if known is not None and until > now:
            error = copy.copy(known)
            error.retry_after = until - now
            error.args = (f"{known.args[0]} (from an earlier call; not sent again for {until - now:.0f} s)",)
            raise error
        try:
            yield
        except AccessExceededError as error:
            if error.retry_after:
                slim = copy.copy(error)
                slim.body, slim.headers = "", {}
                # pop, instead of a new dictionary: other threads write too
                for old in [old for old, (until, _) in [*self.exceeded.items()] if until <= now]:
                    self.exceeded.pop(old, None)
                self.exceeded[key] = (time.monotonic() + error.retry_after, slim)
            raise
