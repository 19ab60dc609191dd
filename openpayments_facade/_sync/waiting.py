# Written by `make unasync` from openpayments_facade/_async/waiting.py; do not edit.
"""Reads again and again until something has happened, through failures that may pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from .._protocol.patience import Patience
from .._redaction import hiding_arguments
from ..errors import APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError

if TYPE_CHECKING:
    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation
    from .sender import Sender

R = TypeVar("R")

LAST_LOOK = 1.0
"""Seconds that the last read may take if it begins just before the timeout."""
LONGEST_PAUSE = 10.0
"""Seconds of a Retry-After that are waited between two reads."""


class Waiting(Patience):
    """One who waits.

    `deadline` is by `time.monotonic`, `timeout` the seconds that messages name, 0 for a single look.
    """

    _sender: Sender

    def _read_or_none(
        self, operation: Operation[R], deadline: float, timeout: float, *, is_look: bool = False
    ) -> RawResponse[R] | None:
        """An answer that can be read; None after a failure that may pass."""
        try:
            answer = self._read(operation, deadline)
            answer.parsed  # noqa: B018 - raises what can't be read
        except (APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError) as failure:
            if isinstance(failure, TimedOutError):
                if time.monotonic() >= deadline:
                    self._give_up(timeout, failure)
                if not timeout:  # a single look must not take longer than one call
                    raise
            self._note(failure, is_look=is_look)
            return None
        self._failed = 0
        return answer

    @hiding_arguments  # updates are read after their method has returned
    def _read(self, operation: Operation[R], deadline: float) -> RawResponse[R]:
        total = min(self._sender.options.total_timeout, max(deadline - time.monotonic(), LAST_LOOK))
        return self._sender.replace(total_timeout=total).run_raw(operation)

    def _pause(self, deadline: float, interval: float, timeout: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            self._give_up(timeout)
        asked: Any = getattr(self._trouble, "retry_after", None) if self._failed else None
        time.sleep(min(max(interval, min(asked or 0.0, LONGEST_PAUSE)), left))
