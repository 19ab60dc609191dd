"""One HTTP request and its answer, of an API call or a token request: time limits, failure, log record.

Pure except for the clock: `_http` sends the request, and notes here what came back.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import httpx
from attrs import evolve, field

from .. import errors, request_ids
from .._attrs import define
from .._redaction import Secret, printable, scrubber
from .answer import Answer, is_worth_retrying, scrubbed
from .body import Body, TooLongError
from .sizes import LONGEST_ERROR

_log = logging.getLogger("openpayments_facade")

_REFUSED_HERE: Final = (httpx.InvalidURL, httpx.LocalProtocolError)
_NEVER_SENT: Final = (*_REFUSED_HERE, httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Errors after which no byte of the request has reached the server."""
_NOT_PRIVATE: Final = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
}
_QUOTED: Final = (
    r"(?s)(exception=\w*(?:Protocol|Proxy)Error|\bauth=)\(.*"
    r"|(return_value=\(b'HTTP/[\d.]+', \d+),.*"
    r"|(\"HTTP/[\d.]+ \d+) .*"
)
"""What libraries quote in their logs: a line of an answer, a proxy's password, headers, the phrase of a status."""


class ForeignAnswerError(httpx.RemoteProtocolError):
    """An answer that belongs to another request."""


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
    max_size: int
    """The bytes that an answer may have."""
    attempt: int = 1
    shown_url: str = ""
    """What logs and exceptions show instead of the URL, if that says who somebody is."""
    monotonic: Callable[[], float] = time.monotonic
    has_left: bool | None = field(default=None, init=False)
    """Whether a byte of the request may have left; None if a user's transport alone knows."""
    is_foreign: bool = field(default=False, init=False)
    """Whether a transport that is not httpx's sends it. Of a connection that broke off, some say that it was never made
    (httpx-aiohttp 0.2), and a payment would be created twice."""
    status_code: int | None = field(default=None, init=False)
    _headers: httpx.Headers = field(factory=httpx.Headers, init=False, repr=False)
    _body: Body | None = field(default=None, init=False, repr=False)
    _sent: Callable[[], Iterable[tuple[str, str]]] = field(default=tuple, init=False, repr=False)
    _sent_url: str = field(default="", init=False, repr=False)
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

    def build(self, client: httpx.Client | httpx.AsyncClient, **extensions: Any) -> httpx.Request:
        """The request. No step may take longer than the time left."""
        left, limits = self.left(), self.timeout.as_dict().items()
        extensions["timeout"] = {step: left if limit is None else min(limit, left) for step, limit in limits}
        arguments = {**self.request()}
        arguments["headers"] = {**arguments["headers"], "X-Request-ID": self.request_id}
        url = getattr(client, "parsed", httpx.URL)(self.url)
        request = client.build_request(self.method, url, extensions=extensions, **arguments)
        self._sent, self._sent_url = request.headers.items, str(request.url)
        self.url, self._started = self.shown_url or self._sent_url, self.monotonic()
        return request

    def shown(self, text: str) -> str:
        """A text of a library, fit for a log or an exception: without what the request carried."""
        if self._sent_url:
            text = text.replace(self._sent_url, self.url)
        text = re.sub(_QUOTED, r"\1\2\3", text)
        values = (Secret(value) for name, value in self._sent() if name not in _NOT_PRIVATE and len(value) > 5)
        return printable(scrubber(*self.secrets, *values)(text))

    def begin(self, response: httpx.Response, *, checks_id: bool) -> None:
        """Notes status and headers. Raises ForeignAnswerError."""
        ids = {each.strip() for each in response.headers.get("x-request-id", "").lower().split(",")} - {""}
        if checks_id and ids and self.request_id.lower() not in ids:
            advice = "check_request_ids=False is for gateways that write their own"
            raise ForeignAnswerError(f"an answer with the X-Request-ID of another request; {advice}")
        self.status_code, self._headers = response.status_code, response.headers
        self._body = Body(response.headers, self.max_size if self._is_success else LONGEST_ERROR)

    @property
    def _is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    def receive(self, chunk: bytes) -> Iterator[None]:
        """Notes a piece of the body, still encoded. Yields now and then, so that an event loop can do something else.

        Raises TimeoutError after the deadline, httpx.DecodingError if the body is too long or can't be decoded.
        """
        assert self._body is not None
        for _ in self._body.add(chunk):
            self._check_time()
            yield
        self._check_time()

    def _check_time(self) -> None:
        if not self.left():
            raise TimeoutError

    def fail(self, error: BaseException) -> None:
        """Notes a failure as one of our exceptions, without cause and traceback: their frames show secrets."""
        if self.status_code is not None and not self._is_success:
            return  # an error status is enough, even without its body
        name = type(error).__name__
        if self._started is None and isinstance(error, ValueError | TypeError | httpx.InvalidURL):
            self._failure = errors.InvalidArgumentError(f"an argument can't be put into a request ({name})")
            return
        # a protocol error may quote anything: a header that was sent, a line of an answer
        is_quoting = isinstance(error, httpx.ProtocolError) and not isinstance(error, ForeignAnswerError)
        known = str(error).startswith(("Server disconnected", "peer closed connection"))
        text = "" if is_quoting and not known else self.shown(str(error))[:300]
        if isinstance(error, httpx.ProxyError) and text[:3].isdigit():
            text = text[:3]  # the rest is the proxy's own phrase
        is_plain = text == "" or text.endswith("timed out")
        if isinstance(error, TimeoutError | httpx.TimeoutException) and is_plain and not self.left():
            text = "total_timeout ran out"
        never_sent = _REFUSED_HERE if self.is_foreign else _NEVER_SENT
        was_never_sent = self._started is None or self.has_left is False or isinstance(error, never_sent)
        may_resend = self.resendable or was_never_sent
        self._may_pass = (
            may_resend and isinstance(error, httpx.TransportError) and not isinstance(error, httpx.LocalProtocolError)
        )
        if isinstance(error, TooLongError) and self.peer == "the API":
            text += "; max_response_size allows more"
        said, about = f"{name}: {text}" if text else name, self.about
        if not may_resend:
            said = f"no complete answer, but the request may have taken effect ({said})"
            self._failure = errors.OutcomeUnknownError(said, **about)
        elif isinstance(error, httpx.TimeoutException | TimeoutError):
            self._failure = errors.TimedOutError(f"{self.peer} did not answer in time ({said})", **about)
        elif isinstance(error, httpx.DecodingError):
            said = text if isinstance(error, TooLongError) else f"the answer can't be decoded ({said})"
            self._failure = errors.UnreadableResponseError(said, **about)
        else:
            self._failure = errors.ConnectionFailedError(f"the connection to {self.peer} failed ({said})", **about)

    def log(self) -> None:
        """Writes one log record about the attempt, with its values as attributes; `duration` is in seconds."""
        if self._started is None or not _log.isEnabledFor(logging.INFO):
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
        content = self._body.content if self._body else b""
        return Answer(self.method, self.url, self.request_id, self.status_code, self._headers, content, self.secrets)

    def is_worth_retrying_after(self, error: Exception) -> bool:
        """Whether another attempt may succeed, and does no harm."""
        if isinstance(error, errors.APIError):
            return self.resendable and is_worth_retrying(error)
        return error is self._failure and self._may_pass

    def scrubbed_answer(self) -> Answer:
        """Like `answer`. In an answer with an error status, the secrets of the request are masked."""
        answer = self.answer()
        if self._is_success:
            return answer
        scrub = scrubber(*self.secrets)
        headers = [(name, scrub(value)) for name, value in answer.headers.multi_items()]
        return evolve(
            answer,
            headers=httpx.Headers(headers, encoding=answer.headers.encoding),
            content=scrubbed(answer).encode(errors="replace"),
        )
