"""One call: its request id, its deadline, and whether a failure is worth a retry. Pure except for the clock."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import TimedOutError
from ..request_ids import current_request_id, new_request_id, read_request_id
from .exchange import Exchange
from .options import merge_headers

if TYPE_CHECKING:
    from .._redaction import Secret
    from .operation import Operation
    from .options import Options

LONGEST_RETRY_AFTER: Final = 30.0
"""Seconds. If a server asks for a longer wait, there is no retry; the caller can read `error.retry_after`."""

WAIT_INITIAL: Final = 0.2
WAIT_MAX: Final = 5.0
WAIT_JITTER: Final = 0.5
"""The pause between attempts, in seconds: it begins at WAIT_INITIAL and doubles up to WAIT_MAX, plus a random part up
to WAIT_JITTER."""

# without logging set up, Python would print stamina's warnings; our own log records already say the same
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Call:
    """The state of one call during its attempts."""

    def __init__(self, operation: Operation[Any], options: Options, api_url: str) -> None:
        self.operation = operation
        self.options = options
        self._api_url = api_url
        self.shown_url = api_url + operation.shown_path if operation.shown_path else ""
        passed_on = operation.request_id or options.request_id or current_request_id.get()
        self.request_id = read_request_id(passed_on) if passed_on else new_request_id()
        self.replayed = False
        self._deadline = time.monotonic() + options.total_timeout
        self._last: Exchange | None = None

    def remaining(self) -> float:
        """The seconds until the deadline. Raises TimedOutError after it."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            said = f"the call took longer than its total_timeout of {self.options.total_timeout:g} s"
            url = self.shown_url or self._api_url + self.operation.path
            raise TimedOutError(said, request_id=self.request_id, method=self.operation.method, url=url)
        return left

    def next_attempt(self, token: Secret) -> Exchange:
        """The next attempt, with this token. Raises TimedOutError after the deadline."""
        self.remaining()
        self._last = Exchange(
            peer="the API",
            method=self.operation.method,
            url=self._api_url + self.operation.path,
            request_id=self.request_id,
            request=lambda: {**self.operation.request, "headers": self._headers(token)},
            secrets=(token,),
            resendable=self.operation.resendable,
            timeout=self.options.timeout,
            deadline=self._deadline,
            max_size=self.options.max_response_size,
            attempt=self._last.attempt + 1 if self._last else 1,
            shown_url=self.shown_url,
        )
        return self._last

    def _headers(self, token: Secret) -> dict[str, str]:
        operation = self.operation
        # headers from the options win, in upper or lower case, but for those of this very call
        headers = merge_headers(operation.request.get("headers", {}), self.options.headers, operation.headers)
        return {**headers, "Authorization": f"Bearer {token.reveal()}"}  # document 001

    def retries(self) -> dict[str, Any]:
        """The arguments of stamina's loop besides `on`. Its time begins with it, and ours has begun before."""
        return {
            "attempts": self.options.max_retries + 1,
            "timeout": self._deadline - time.monotonic(),
            "wait_initial": WAIT_INITIAL,
            "wait_max": WAIT_MAX,
            "wait_jitter": WAIT_JITTER,
        }

    def wait_before_retry(self, error: Exception) -> bool | float:
        """Whether to retry: False, True (after stamina's pause), or the seconds to wait first."""
        last, left = self._last, self._deadline - time.monotonic()
        if last is None or not self.options.max_retries or not last.is_worth_retrying_after(error):
            return False
        wait: float | None = getattr(error, "retry_after", None)
        if not wait:
            # waiting beyond the deadline would only replace this error with a less helpful one
            return min(WAIT_MAX, WAIT_INITIAL * 2.0 ** min(last.attempt - 1, 10) + WAIT_JITTER) < left
        return wait if wait <= LONGEST_RETRY_AFTER and wait < left else False
