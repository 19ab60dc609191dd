"""Turns an answer into a model, or into the exception that says what went wrong.

Source: the provider's guide of 2021 (error bodies, codes, statuses).
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from attrs import field, frozen
from openpayments_client.errors import UnexpectedStatus

from .. import errors
from .._redaction import printable

if TYPE_CHECKING:
    import httpx

    from .operation import Endpoint, Operation

T = TypeVar("T")


@frozen
class Answer:
    """An HTTP answer, without its request (which holds the token)."""

    method: str
    url: str
    request_id: str
    status_code: int
    headers: httpx.Headers
    content: bytes = field(repr=False)


@frozen
class RawResponse(Generic[T]):
    """An answer with its status and headers.

    Attributes:
        parsed: What the method returns without `with_raw_response`. Of `request(...)`: the JSON of the answer as Python
            objects; None if it is empty or something else than JSON.
        status_code: The HTTP status.
        headers: The headers of the answer, as an `httpx.Headers`.
        request_id: The X-Request-ID that was sent. What the server echoed is in `headers`.
        method: The HTTP method of the request.
        url: The URL of the request.
        content: The body as it came, in bytes. The repr does not show it.
    """

    parsed: T
    status_code: int
    headers: httpx.Headers
    request_id: str
    method: str = ""
    url: str = ""
    content: bytes = field(default=b"", repr=False)

    @property
    def json(self) -> Any:
        """The body as Python objects; None if it is empty.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.content) if self.content else None


def about(answer: Answer | RawResponse[Any]) -> dict[str, Any]:
    """The attributes of every exception about an answer."""
    return {name: getattr(answer, name) for name in ("method", "url", "request_id", "status_code")}


def unreadable(answer: Answer | RawResponse[Any], problem: str) -> errors.UnreadableResponseError:
    """The error for a successful answer that can't be used."""
    return errors.UnreadableResponseError(f"{answer.status_code} with {problem}", **about(answer))


# the only attribute of a client that generated parsers use
_CLIENT: Final = SimpleNamespace(raise_on_unexpected_status=True)
_SAFE_TYPES: Final = {"text/html", "text/plain", "text/xml", "application/xml", "application/octet-stream"}


def judge(operation: Operation[T], answer: Answer) -> RawResponse[T]:
    """Turns an answer into a model: checks the status, then the content type, then runs the generated parser.

    Raises:
        APIError: The status is not a success; the class depends on status and code.
        UnreadableResponseError: A successful answer does not fit the description.
    """
    if not 200 <= answer.status_code < 300:
        raise _api_error(answer)
    parsed, problem = _parse(operation, operation.endpoint, answer)
    if problem is not None:
        raise unreadable(answer, f"an answer that can't be read: {problem}")
    return RawResponse(
        parsed, answer.status_code, answer.headers, answer.request_id, answer.method, answer.url, answer.content
    )


def _parse(operation: Operation[Any], endpoint: Endpoint[Any, Any] | None, answer: Answer) -> tuple[Any, str | None]:
    """The model, or what is wrong. The body is never quoted: it may contain the token."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type == "application/json" or media_type.endswith("+json")
    if endpoint is None:
        with suppress(ValueError, RecursionError):
            return json.loads(answer.content) if is_json else None, None
        return None, None
    if answer.content and not is_json:
        said = media_type if media_type in _SAFE_TYPES else "of another kind" if media_type else "missing"
        return None, f"content type {said} instead of JSON"
    try:
        data = json.loads(answer.content) if answer.content else None
        if answer.content and not isinstance(data, dict):
            return None, "not a JSON object"
        if data and isinstance(inner := data.get(operation.envelope), dict):
            data = inner
        # the only attributes of a response that generated parsers use
        response = SimpleNamespace(status_code=answer.status_code, content=answer.content, json=lambda: data)
        return endpoint._parse_response(client=_CLIENT, response=response), None
    except UnexpectedStatus:
        return None, "the description has no such status"
    except json.JSONDecodeError as error:
        return None, f"invalid JSON at position {error.pos}"
    except KeyError as error:
        return None, f"{error} is missing"
    except (AttributeError, RecursionError, TypeError, ValueError) as error:  # what generated parsers fail with
        return None, f"a value has the wrong type ({type(error).__name__})" if answer.content else "an empty body"


def _messages(content: bytes) -> tuple[errors.TppMessage, ...]:
    """All messages of an error body, in any of its forms. None from any other body."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    if isinstance(found, dict):
        # a body without tppMessages is a problem, with a code or, from KYC, without
        more = found.get("additionalErrors")
        found = found.get("tppMessages") or [found, *(more if isinstance(more, list) else [])]
    return tuple(
        errors.TppMessage(
            code=_clip(entry.get("code")),
            text=_clip(entry.get("text") or entry.get("detail") or entry.get("title")),
            category=_clip(entry.get("category")),
            path=_clip(entry.get("path")),
        )
        for entry in (found if isinstance(found, list) else [])
        if isinstance(entry, dict) and not entry.keys().isdisjoint({"code", "text", "detail", "title"})
    )


def _clip(value: object) -> str | None:
    return value[:512] if isinstance(value, str) else None


REDIRECTS: Final = {301, 302, 303, 307, 308}
LONGEST_BODY: Final = 10_000
"""The number of bytes of an error's body that its exception keeps."""

_BY_CODE: Final[dict[str | None, type[errors.APIError]]] = {
    "CONSENT_INVALID": errors.ConsentInvalidError,
    "CONSENT_UNKNOWN": errors.ConsentInvalidError,
    "CONSENT_EXPIRED": errors.ConsentExpiredError,
}
_BY_STATUS: Final[dict[int, type[errors.APIError]]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitedError,
}


def _kind(status: int, code: str | None, text: str | None) -> type[errors.APIError]:
    if status == 429 and code == "ACCESS_EXCEEDED":
        return errors.AccessExceededError
    if status == 401 and "requires sca" in (text or "").lower():  # Swedbank; the provider's guide of 2021
        return errors.ScaRequiredError
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or (errors.ServerError if status >= 500 else errors.APIError)


def _api_error(answer: Answer) -> errors.APIError:
    status, messages = answer.status_code, _messages(answer.content)
    errors_first = sorted(messages, key=lambda each: (each.category or "").upper() == "WARNING")
    first = next(iter(errors_first), errors.TppMessage())
    said = printable(": ".join(filter(None, (first.code, first.text)))) or phrase(status) or "without explanation"
    if status in REDIRECTS:
        said += ", a redirect, which is not followed"
    return _kind(status, first.code, first.text)(
        f"{status} {said}",
        code=first.code,
        messages=messages,
        retry_after=retry_after(answer.headers),
        headers=answer.headers,
        body=answer.content[:LONGEST_BODY].decode(errors="replace"),
        **about(answer),
    )


def phrase(status: int) -> str:
    """The standard phrase of a status; empty for an unknown status."""
    return HTTPStatus(status).phrase if status in {*HTTPStatus} else ""


UNREADABLE_RETRY_AFTER: Final = 5.0
"""Seconds that a Retry-After means that can't be read."""
_SPAN: Final = re.compile(r"(\d*\.?\d+)\s*(MS|[SMHD]?)(?:ECOND|EC|INUTE|IN|OUR|R|AY)?S?\s*", re.ASCII)
_UNITS: Final = {"": 1, "MS": 0.001, "S": 1, "M": 60, "H": 3600, "D": 86_400}
_SINCE_EPOCH: Final = 1e9
"""From here on a number is a moment, in seconds since the epoch: no span is that long."""


def retry_after(headers: httpx.Headers) -> float | None:
    """The seconds that Retry-After asks to wait: the longest of all that it can mean. None without the header.

    Beside whole numbers and dates (RFC 9110, section 10.2.3) gateways send fractions, units and lists.
    """
    value = headers.get("retry-after", "")
    if not value.strip():
        return None
    # a date counts from when the server sent it: its clock is not ours
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    # a comma is that of a date, of a list or of a fraction
    found = [_seconds(wish.strip(" \t\"'").upper(), now) for wish in (*value.split(","), value.replace(",", "."))]
    return max((seconds for seconds in found if seconds is not None), default=UNREADABLE_RETRY_AFTER)


def _seconds(wish: str, now: datetime) -> float | None:
    span = wish.lstrip("+-")
    if span and not _SPAN.sub("", span):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(span))
        seconds -= now.timestamp() if seconds >= _SINCE_EPOCH else 0.0
        return 0.0 if wish.startswith("-") else min(max(0.0, seconds), _SINCE_EPOCH)
    at = _moment(wish)
    return max(0.0, (at - now).total_seconds()) if at else None


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, OverflowError):
            at = read(text)
            return at.replace(tzinfo=at.tzinfo or UTC)
    return None


def blames_token(error: errors.APIError) -> bool:
    """Whether a 401 says that the token is to blame: its code is `TOKEN_*`, or it has no readable code.

    Consents, certificates, signatures and the user's credentials can also cause a 401 (the provider's guide of 2021).
    """
    codes = [message.code for message in error.messages if message.code]
    return type(error) is errors.UnauthorizedError and (not codes or any(code.startswith("TOKEN_") for code in codes))


def is_worth_retrying(error: errors.APIError) -> bool:
    """Whether the same request may succeed a moment later. Used-up accesses of a day don't come back so soon."""
    return error.status_code in {408, 429, 500, 502, 503, 504} and not isinstance(error, errors.AccessExceededError)
