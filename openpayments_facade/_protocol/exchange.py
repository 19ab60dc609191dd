"""One HTTP request and its answer, of an API call or a token request: time limits, failure, log record.

Pure except for the clock: `_http` sends the request, and notes here what came back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from attrs import define, evolve, field

from .. import errors, request_ids
from .._redaction import Secret, scrubber
from .answer import Answer, is_worth_retrying, scrubbed

_log = logging.getLogger("openpayments_facade")

_NOT_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_SENT: Final = (*_NOT_CONNECTED, httpx.InvalidURL, httpx.LocalProtocolError)
"""Errors after which no byte of the request has reached the server."""


@define(eq=False, kw_only=True)
class Exchange:
    """One attempt at a request. Neither its repr nor a traceback shows what it carries."""

    peer: str
    """What messages call the server, such as "the API"."""
    method: str
    url: str
    request_id: str = field(factory=lambda: request_ids.new_request_id())
    request: Callable[[], Mapping[str, Any]] = field(repr=False)
    """Returns the other arguments of `httpx.Client.build_request`. Called as late as possible: it reveals secrets."""
    secrets: tuple[Secret, ...]
    """The secrets that the request carries, and that an answer may quote."""
    resendable: bool
    """Whether it is safe to send twice."""
    timeout: httpx.Timeout
    """The limit for each step: connecting, writing, reading."""
    deadline: float
    """When the whole exchange must be over, by `monotonic`."""
    attempt: int = 1
    shown_url: str = ""
    """What logs and exceptions show instead of the URL, if that says who somebody is."""
    monotonic: Callable[[], float] = time.monotonic
    status_code: int | None = field(default=None, init=False)
    _headers: httpx.Headers = field(factory=httpx.Headers, init=False, repr=False)
    _received: bytearray = field(factory=bytearray, init=False, repr=False)
    _content: bytes = field(default=b"", init=False, repr=False)
    _failure: errors.OpenPaymentsError | None = field(default=None, init=False)
    _may_pass: bool = field(default=False, init=False)
    _started: float | None = field(default=None, init=False)

    @property
    def about(self) -> dict[str, Any]:
        """The attributes of every exception about this exchange."""
        return {"request_id": self.request_id, "method": self.method, "url": self.url, "status_code": self.status_code}

    def left(self) -> float:
        """The seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - self.monotonic())

    def build(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request. No step may take longer than the time left."""
        left, limits = self.left(), self.timeout.as_dict().items()
        timeout = httpx.Timeout(**{step: left if limit is None else min(limit, left) for step, limit in limits})
        request = client.build_request(self.method, self.url, timeout=timeout, **self.request())
        request.headers["X-Request-ID"] = self.request_id
        self.url, self._started = self.shown_url or str(request.url), self.monotonic()
        return request

    def begin(self, response: httpx.Response) -> None:
        """Notes status and headers."""
        self.status_code, self._headers = response.status_code, response.headers

    def receive(self, chunk: bytes) -> None:
        """Notes a piece of the body, still encoded. Raises TimeoutError after the deadline."""
        self._received += chunk
        if not self.left():
            raise TimeoutError

    def end(self) -> None:
        """Decodes the body. Not while receiving: a compressed body can keep the decoder busy beyond the deadline."""
        body = bytes(self._received)
        is_encoded = "content-encoding" in self._headers
        self._content = httpx.Response(200, headers=self._headers, content=body).content if is_encoded else body

    def fail(self, error: BaseException) -> None:
        """Notes a failure as one of our exceptions, without cause and traceback: their frames show secrets."""
        if self.status_code is not None and self.status_code >= 400:
            return  # an error status is enough, even without its body
        name = type(error).__name__
        if self._started is None and isinstance(error, ValueError | TypeError | httpx.InvalidURL):
            self._failure = errors.InvalidArgumentError(f"an argument can't be put into a request ({name})")
            return
        # a protocol error may quote a header
        is_protocol_error = isinstance(error, httpx.LocalProtocolError)
        text = "" if is_protocol_error else scrubber(*self.secrets)(str(error))
        if isinstance(error, TimeoutError):
            text = text or "total_timeout ran out"
        may_resend = self.resendable or self._started is None or isinstance(error, _NEVER_SENT)
        self._may_pass = may_resend and isinstance(error, httpx.TransportError) and not is_protocol_error
        said, about = f"{name}: {text}" if text else name, self.about
        if not may_resend:
            said = f"no complete answer, but the request may have taken effect ({said})"
            self._failure = errors.OutcomeUnknownError(said, **about)
        elif isinstance(error, httpx.TimeoutException | TimeoutError):
            self._failure = errors.TimedOutError(f"{self.peer} did not answer in time ({said})", **about)
        elif isinstance(error, httpx.DecodingError):
            self._failure = errors.UnreadableResponseError(f"the answer can't be decoded ({said})", **about)
        else:
            self._failure = errors.ConnectionFailedError(f"the connection to {self.peer} failed ({said})", **about)

    def log(self) -> None:
        """Writes one log record about the attempt, with its values as attributes; `duration` is in seconds."""
        if self._started is None:
            return
        duration, status = self.monotonic() - self._started, self.status_code
        values = {**self.about, "status": status, "duration": duration, "attempt": self.attempt}
        _log.info(
            "%(method)s %(url)s -> %(answer)s in %(duration).3f s (attempt %(attempt)d, request id %(request_id)s)",
            {**values, "answer": "no answer" if status is None else status},
            extra=values,
        )

    def answer(self) -> Answer:
        """The answer. Raises the noted failure."""
        if self._failure is not None:
            raise self._failure
        assert self.status_code is not None
        return Answer(
            self.method, self.url, self.request_id, self.status_code, self._headers, self._content, self.secrets
        )

    def is_worth_retrying_after(self, error: Exception) -> bool:
        """Whether another attempt may succeed, and does no harm."""
        if isinstance(error, errors.APIError):
            return self.resendable and is_worth_retrying(error)
        return error is self._failure and self._may_pass

    def scrubbed_answer(self) -> Answer:
        """Like `answer`. In an answer with an error status, the secrets of the request are masked."""
        answer = self.answer()
        if 200 <= answer.status_code < 300:
            return answer
        scrub = scrubber(*self.secrets)
        headers = [(name, scrub(value)) for name, value in answer.headers.multi_items()]
        return evolve(
            answer,
            headers=httpx.Headers(headers, encoding=answer.headers.encoding),
            content=scrubbed(answer).encode(errors="replace"),
        )
