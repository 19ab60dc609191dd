"""One request and what comes back of it, an API call's or a token request's: its limits, its failure, its log record.

Pure but for the clock: `_http` does the sending, and notes here what came.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import httpx
from attrs import define, evolve, field

from .. import errors, request_ids
from .._redaction import Secret, scrubber
from .answer import Answer, may_help_to_retry

_log = logging.getLogger("openpayments_facade")

_NOT_CONNECTED: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NEVER_SENT: Final = (*_NOT_CONNECTED, httpx.InvalidURL, httpx.LocalProtocolError)
"""After these no byte of the request has reached the server."""


@define(eq=False, kw_only=True)
class Exchange:
    """One attempt at one request. Neither its repr nor a traceback through it shows what it carries."""

    peer: str
    """Who is asked: "the API", for people."""
    method: str
    url: str
    request_id: str = field(factory=lambda: request_ids.new_request_id())
    request: Callable[[], Mapping[str, Any]] = field(repr=False)
    """Gives the other arguments of `httpx.Client.build_request`. Called as late as possible: it reveals the secrets."""
    secrets: tuple[Secret, ...]
    """What the request carries and an answer may quote."""
    resendable: bool
    """Whether sending it twice does no harm."""
    timeout: httpx.Timeout
    """The limit of each step: connecting, writing, reading."""
    deadline: float
    """When all of it has to be over, by `monotonic`."""
    attempt: int = 1
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
        """What every exception about this exchange has."""
        return {"request_id": self.request_id, "method": self.method, "url": self.url, "status_code": self.status_code}

    def left(self) -> float:
        """The seconds until the deadline, at least 0."""
        return max(0.0, self.deadline - self.monotonic())

    def build(self, client: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request; none of its steps may take longer than all of it."""
        left, limits = self.left(), self.timeout.as_dict().items()
        timeout = httpx.Timeout(**{step: left if limit is None else min(limit, left) for step, limit in limits})
        request = client.build_request(self.method, self.url, timeout=timeout, **self.request())
        request.headers["X-Request-ID"] = self.request_id
        self.url, self._started = str(request.url), self.monotonic()
        return request

    def begin(self, response: httpx.Response) -> None:
        """Notes status and headers."""
        self.status_code, self._headers = response.status_code, response.headers

    def receive(self, chunk: bytes) -> None:
        """Notes a piece of the body, as it came. Raises TimeoutError when the deadline is over."""
        self._received += chunk
        if not self.left():
            raise TimeoutError

    def end(self) -> None:
        """Decodes the body. Not earlier: of a compressed one nothing may come out for as long as the server likes."""
        body = bytes(self._received)
        is_encoded = "content-encoding" in self._headers
        self._content = httpx.Response(200, headers=self._headers, content=body).content if is_encoded else body

    def fail(self, error: BaseException) -> None:
        """Notes what went wrong, as an exception of ours without cause and traceback: their frames show secrets."""
        if self.status_code is not None and self.status_code >= 400:
            return  # an error status says enough without its body
        name = type(error).__name__
        if self._started is None and isinstance(error, ValueError | TypeError | httpx.InvalidURL):
            self._failure = errors.InvalidArgumentError(f"an argument can't be written into a request ({name})")
            return
        # the text of a protocol error may quote a header
        is_protocol_error = isinstance(error, httpx.LocalProtocolError)
        text = "" if is_protocol_error else scrubber(*self.secrets)(str(error))
        if isinstance(error, TimeoutError):
            text = text or "total_timeout is over"
        may_resend = self.resendable or self._started is None or isinstance(error, _NEVER_SENT)
        self._may_pass = may_resend and isinstance(error, httpx.TransportError) and not is_protocol_error
        said, about = f"{name}: {text}" if text else name, self.about
        if not may_resend:
            self._failure = errors.OutcomeUnknownError(
                f"no complete answer: it may have taken effect ({said})", **about
            )
        elif isinstance(error, httpx.TimeoutException | TimeoutError):
            self._failure = errors.TimedOutError(f"{self.peer} did not answer in time ({said})", **about)
        elif isinstance(error, httpx.DecodingError):
            self._failure = errors.UnreadableResponseError(f"the answer can't be decoded ({said})", **about)
        else:
            self._failure = errors.ConnectionFailedError(f"the connection to {self.peer} failed ({said})", **about)

    def log(self) -> None:
        """Writes one record about the attempt, its values as attributes; `duration` in seconds."""
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
        """What came. Raises what went wrong."""
        if self._failure is not None:
            raise self._failure
        assert self.status_code is not None
        return Answer(self.method, self.url, self.request_id, self.status_code, self._headers, self._content)

    def may_fare_better_after(self, error: Exception) -> bool:
        """Whether another attempt makes sense, and does no harm."""
        if isinstance(error, errors.APIError):
            return self.resendable and may_help_to_retry(error)
        return error is self._failure and self._may_pass

    def scrubbed_answer(self) -> Answer:
        """Like `answer`; one with an error status without the secrets of the request, however it quotes them."""
        answer = self.answer()
        if 200 <= answer.status_code < 300:
            return answer
        scrub = scrubber(*self.secrets)
        headers = [(name, scrub(value)) for name, value in answer.headers.multi_items()]
        text = answer.content.decode(errors="replace")
        with suppress(ValueError, RecursionError):  # JSON may quote by escapes
            text = json.dumps(json.loads(text), ensure_ascii=False)
        return evolve(
            answer,
            headers=httpx.Headers(headers, encoding=answer.headers.encoding),
            content=scrub(text).encode(errors="replace"),
        )
