"""One call: its request id, its time limits, and whether a failure is worth another attempt. Pure but for the clock."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from ..errors import (
    APIError,
    ConnectionFailedError,
    OpenPaymentsError,
    OutcomeUnknownError,
    TimedOutError,
    UnreadableResponseError,
)
from ..request_ids import current_request_id, new_request_id, read_request_id
from .answer import may_help_to_retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from .operation import Operation
    from .options import Options

__all__ = ["LONGEST_RETRY_AFTER", "NEVER_SENT", "WAIT_INITIAL", "WAIT_JITTER", "WAIT_MAX", "Call", "log_attempt"]

NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""After these no byte of the request has reached the server."""

LONGEST_RETRY_AFTER: Final = 30.0
"""Seconds. A server that asks to wait longer gets no retry: the caller decides, with `error.retry_after`."""

WAIT_INITIAL: Final = 0.2
WAIT_MAX: Final = 5.0
WAIT_JITTER: Final = 0.5
"""Seconds between two attempts: stamina doubles the first one up to the second, and adds up to the third."""

_log = logging.getLogger("openpayments_facade")
# a program without logging would have stamina's bare warnings printed; what they mean is in our records
logging.getLogger("stamina").addHandler(logging.NullHandler())


def log_attempt(*, method: str, url: str, status: int | None, duration: float, request_id: str, attempt: int) -> None:
    """One record an attempt, the values as its attributes; `duration` in seconds, `status` None without an answer."""
    _log.info(
        "%s %s -> %s in %.3f s (attempt %d, request id %s)",
        method,
        url,
        "no answer" if status is None else status,
        duration,
        attempt,
        request_id,
        extra={
            "method": method,
            "url": url,
            "status": status,
            "duration": duration,
            "request_id": request_id,
            "attempt": attempt,
        },
    )


class Call:
    """The state of one call while its attempts are made."""

    def __init__(self, operation: Operation[Any], options: Options, api_url: str) -> None:
        self.operation = operation
        self.url = api_url + operation.path
        self.options = options
        passed_on = operation.request_id or options.request_id or current_request_id.get()
        self.request_id = read_request_id(passed_on) if passed_on else new_request_id()
        self.attempt = 0
        self.replayed = False
        self._deadline = time.monotonic() + options.total_timeout
        self._failure: Exception | None = None

    def remaining(self) -> float:
        """Seconds until the total time is over. Raises TimedOutError when it is."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimedOutError(
                f"the call took longer than its total_timeout of {self.options.total_timeout:g} s",
                request_id=self.request_id,
                method=self.operation.method,
                url=self.url,
            )
        return left

    def over(self) -> bool:
        """Whether the total time is over."""
        return time.monotonic() >= self._deadline

    def timeout(self) -> httpx.Timeout:
        """The limits of the next attempt: those of the options, but none beyond the total time."""
        left = self.remaining()
        limits = self.options.timeout.as_dict().items()
        return httpx.Timeout(**{name: left if limit is None else min(limit, left) for name, limit in limits})

    def headers(self) -> httpx.Headers:
        """The headers of a request, except the token. What the options have wins, in whatever case it is written."""
        headers = httpx.Headers(self.operation.request.get("headers"))
        headers.update(self.options.headers)
        headers["X-Request-ID"] = self.request_id
        return headers

    def failed(
        self, error: Exception, url: str, response: httpx.Response | None, scrub: Callable[[str], str]
    ) -> OpenPaymentsError:
        """Our exception for one of httpx or of a transport, without a cause: its frames hold the token."""
        about: dict[str, Any] = {
            "request_id": self.request_id,
            "method": self.operation.method,
            "url": url,
            "status_code": response.status_code if response else None,
        }
        # the text of a protocol error may quote a header
        text = "" if isinstance(error, httpx.LocalProtocolError) else scrub(str(error))
        if isinstance(error, TimeoutError):
            text = text or "total_timeout is over"
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        never_sent = isinstance(error, (*NEVER_SENT, httpx.LocalProtocolError, httpx.InvalidURL))
        failure: OpenPaymentsError
        if not self.operation.resendable and not never_sent:
            failure = OutcomeUnknownError(
                f"no whole answer came, so nobody knows whether it was carried out ({said})", **about
            )
        elif isinstance(error, httpx.TimeoutException | TimeoutError):
            failure = TimedOutError(f"no answer in time ({said})", **about)
        elif isinstance(error, httpx.DecodingError):
            failure = UnreadableResponseError(f"the answer can't be decoded ({said})", **about)
        else:
            failure = ConnectionFailedError(f"the connection failed ({said})", **about)
        may_fare_better = isinstance(error, httpx.TransportError) and not isinstance(error, httpx.LocalProtocolError)
        if may_fare_better and (self.operation.resendable or never_sent):
            self._failure = failure
        return failure

    def refused(self, error: APIError) -> APIError:
        """Notes that the API answered with an error, which decides about the next attempt."""
        if self.operation.resendable and may_help_to_retry(error):
            self._failure = error
        return error

    def wait_before_retry(self, error: Exception) -> bool | float:
        """Whether to try again: False, True (with stamina's back-off), or after so many seconds."""
        if error is not self._failure or self.over():
            return False
        wait: float | None = getattr(error, "retry_after", None)
        if wait is None:
            # a wait that ends after the total time would only replace this error by a less telling one
            wait_at_most = min(WAIT_MAX, WAIT_INITIAL * 2.0 ** min(self.attempt - 1, 10) + WAIT_JITTER)
            return wait_at_most < self.remaining()
        return wait if wait <= LONGEST_RETRY_AFTER and wait < self.remaining() else False
