"""The accesses of a day without the user that a consent allows: which are used up, and until when."""

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
    """Remembers what a bank has refused with AccessExceededError and a Retry-After.

    A bank counts each operation, and each account, for itself; so does this.
    """

    def __init__(self) -> None:
        self.exceeded: dict[tuple[str, str, str], tuple[float, AccessExceededError]] = {}

    @contextmanager
    def watching(self, operation: Operation[Any], consent_id: str) -> Iterator[None]:
        """Inside, an unattended operation is sent. Raises AccessExceededError if it is known to be refused."""
        key, now = (consent_id, operation.name, operation.resource), time.monotonic()
        until, known = self.exceeded.get(key, (now, None))
        if known is not None and until > now:
            error = copy.copy(known)
            error.retry_after = until - now
            error.args = (f"{known.args[0]}, known from an earlier call: not sent for another {until - now:.0f} s",)
            raise error
        try:
            yield
        except AccessExceededError as error:
            if error.retry_after:
                slim = copy.copy(error)
                slim.body, slim.headers = "", {}
                # pop, not a new dictionary: other threads write too
                for old in [old for old, (until, _) in [*self.exceeded.items()] if until <= now]:
                    self.exceeded.pop(old, None)
                self.exceeded[key] = (time.monotonic() + error.retry_after, slim)
            raise
