"""Judges an answer: a model, or the exception that says what went wrong.

Sources: facts 20-aspsp-information, facts 60-errors-and-flows sections 1 and 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import httpx
from attrs import field, frozen
from openpayments_client import Client
from openpayments_client.errors import UnexpectedStatus

from .._redaction import printable
from ..errors import (
    AccessExceededError,
    APIError,
    BadRequestError,
    ConflictError,
    ConsentExpiredError,
    ConsentInvalidError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ScaRequiredError,
    ServerError,
    TppMessage,
    UnauthorizedError,
    UnreadableResponseError,
)

if TYPE_CHECKING:
    from .operation import Operation

__all__ = ["Answer", "RawResponse", "blames_token", "judge", "may_help_to_retry", "retry_after"]

T = TypeVar("T")


@frozen
class RawResponse(Generic[T]):
    """An answer with everything around it.

    `parsed` is what the plain call returns, `request_id` the X-Request-ID that was sent; what the server echoed is
    in `headers`.
    """

    parsed: T
    status_code: int
    headers: httpx.Headers
    request_id: str


@frozen
class Answer:
    """What came back, without the request (which holds the token)."""

    status_code: int
    headers: httpx.Headers
    content: bytes = field(repr=False)
    url: str
    request_id: str


class _Response(httpx.Response):
    """A response for generated parsers whose body is decoded once."""

    _data: Any = None

    def json(self, **_: Any) -> Any:
        if self._data is None:
            self._data = json.loads(self.content)
        return self._data

    def unwrap(self, envelope: str) -> None:
        if isinstance(inner := self.json().get(envelope), dict):
            self._data = inner


_client = Client(base_url="", raise_on_unexpected_status=True)


def judge(operation: Operation[T], answer: Answer) -> T:
    """Turns an answer into a model, or raises: status first, then content type, then the generated parser.

    Raises APIError (by status and code), or UnreadableResponseError for a success that is not what the description
    says.
    """
    about: dict[str, Any] = {
        "request_id": answer.request_id,
        "method": operation.method,
        "url": answer.url,
        "status_code": answer.status_code,
    }
    if not 200 <= answer.status_code < 300:
        raise _api_error(answer, about)
    try:
        return _parse(operation, answer)
    except _Unreadable as error:
        problem = f"{answer.status_code} with an answer that can't be read: {error}"
    raise UnreadableResponseError(problem, **about)


_SAFE_TYPES: Final = {"text/html", "text/plain", "text/xml", "application/xml", "application/octet-stream"}


class _Unreadable(Exception):
    pass


def _parse(operation: Operation[T], answer: Answer) -> T:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.content and media_type != "application/json" and not media_type.endswith("+json"):
        # any other is not quoted: a server that echoes the token would have it shown
        said = media_type if media_type in _SAFE_TYPES else "of another kind" if media_type else "missing"
        raise _Unreadable(f"content type {said} instead of JSON")
    response = _Response(answer.status_code, content=answer.content)
    try:
        if answer.content and not isinstance(response.json(), dict):
            raise _Unreadable("not a JSON object")
        if operation.unwrap:
            response.unwrap(operation.unwrap)
        return operation.endpoint._parse_response(client=_client, response=response)  # type: ignore[no-any-return]
    except UnexpectedStatus:
        raise _Unreadable("this operation has no such status") from None
    except json.JSONDecodeError as error:
        raise _Unreadable(f"JSON broken off at {error.pos}" if answer.content else "an empty body") from None
    except KeyError as error:
        raise _Unreadable(f"{error} is missing") from None
    except (AttributeError, RecursionError, TypeError, ValueError) as error:  # what generated parsers stumble with
        # not its text, which may quote the body
        raise _Unreadable(f"a value is not of its type ({type(error).__name__})") from None


def _messages(content: bytes) -> tuple[TppMessage, ...]:
    """Every message of an error body in any of its three forms; anything else gives none."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    found: object = body
    if isinstance(body, Mapping):
        found = body.get("tppMessages")
        if found is None:  # application/problem+json
            more = body.get("additionalErrors")
            found = [body, *(more if isinstance(more, list) else [])]
    return tuple(
        TppMessage(
            code=_text(entry.get("code")),
            text=_text(entry.get("text") or entry.get("detail") or entry.get("title")),
            category=_text(entry.get("category")),
            path=_text(entry.get("path")),
        )
        for entry in (found if isinstance(found, list) else [])
        if isinstance(entry, Mapping) and ("code" in entry or "text" in entry or "detail" in entry)
    )


def _text(value: object) -> str | None:
    return value[:512] if isinstance(value, str) else None


LONGEST_BODY: Final = 10_000
"""Bytes of an error's body that its exception keeps."""

_BY_CODE: Final[dict[str, type[APIError]]] = {
    "CONSENT_INVALID": ConsentInvalidError,
    "CONSENT_UNKNOWN": ConsentInvalidError,
    "CONSENT_EXPIRED": ConsentExpiredError,
}
_BY_STATUS: Final[dict[int, type[APIError]]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def _api_error(answer: Answer, about: dict[str, Any]) -> APIError:
    status = answer.status_code
    messages = _messages(answer.content)
    first = next((each for each in messages if (each.category or "").upper() != "WARNING"), TppMessage())
    code, text = first.code, first.text
    kind: type[APIError] = _BY_CODE.get(code or "", _BY_STATUS.get(status, ServerError if status >= 500 else APIError))
    if status == 429 and code == "ACCESS_EXCEEDED":
        kind = AccessExceededError
    elif status == 401 and "requires sca" in (text or "").lower():  # Swedbank; facts 60-errors-and-flows, section 2
        kind = ScaRequiredError
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    said = printable(": ".join(filter(None, (code, text)))) or phrase or "no explanation"
    if status in {301, 302, 303, 307, 308}:
        said += ", a redirect, which is not followed"
    return kind(
        f"{status} {said}",
        code=code,
        messages=messages,
        retry_after=retry_after(answer.headers),
        headers=answer.headers,
        body=answer.content[:LONGEST_BODY].decode(errors="replace"),
        **about,
    )


def retry_after(headers: httpx.Headers, now: datetime | None = None) -> float | None:
    """The seconds that a Retry-After header asks to wait (a number or a date), None without a readable one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):
        return None


def blames_token(error: APIError) -> bool:
    """Whether a 401 says that the token is at fault: a code `TOKEN_*`, or no readable code.

    Consent, certificate, signature and the user's credentials answer 401 too (facts 60-errors-and-flows, section 2).
    """
    codes = [message.code for message in error.messages if message.code]
    return type(error) is UnauthorizedError and (not codes or any(code.startswith("TOKEN_") for code in codes))


def may_help_to_retry(error: APIError) -> bool:
    """Whether the same request may fare better later. The consented accesses of a day don't come back by waiting."""
    return error.status_code in {408, 429, 500, 502, 503, 504} and not isinstance(error, AccessExceededError)
