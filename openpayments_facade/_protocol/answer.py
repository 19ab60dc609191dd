"""Judges an answer: a model, or the exception that says what went wrong.

Sources: the provider's guide of 2021 (error bodies, codes, statuses); "observed in 2026" where a bank is named.
"""

from __future__ import annotations

import json
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

    from .operation import Operation

T = TypeVar("T")


@frozen
class Answer:
    """What came back, without the request (which holds the token)."""

    method: str
    url: str
    request_id: str
    status_code: int
    headers: httpx.Headers
    content: bytes = field(repr=False)


@frozen
class RawResponse(Generic[T]):
    """An answer with everything around it.

    `parsed` is what the plain call returns, `request_id` the X-Request-ID that was sent; what the server echoed is
    in `headers`. `method` and `url` say what was called.
    """

    parsed: T
    status_code: int
    headers: httpx.Headers
    request_id: str
    method: str = ""
    url: str = ""


def about(answer: Answer | RawResponse[Any]) -> dict[str, Any]:
    """What every exception about an answer carries."""
    return {name: getattr(answer, name) for name in ("method", "url", "request_id", "status_code")}


def unreadable(answer: Answer | RawResponse[Any], problem: str) -> errors.UnreadableResponseError:
    """The error of a success that can't be used."""
    return errors.UnreadableResponseError(f"{answer.status_code} with {problem}", **about(answer))


# all that a generated parser asks of a client
_CLIENT: Final = SimpleNamespace(raise_on_unexpected_status=True)
_SAFE_TYPES: Final = {"text/html", "text/plain", "text/xml", "application/xml", "application/octet-stream"}


def judge(operation: Operation[T], answer: Answer) -> RawResponse[T]:
    """Turns an answer into a model: status first, then content type, then the generated parser.

    Raises:
        APIError: By status and code.
        UnreadableResponseError: A success that is not what the description says.
    """
    if not 200 <= answer.status_code < 300:
        raise _api_error(answer)
    parsed, problem = _parse(operation, answer)
    if problem is not None:
        raise unreadable(answer, f"an answer that can't be read: {problem}")
    return RawResponse(parsed, answer.status_code, answer.headers, answer.request_id, answer.method, answer.url)


def _parse(operation: Operation[Any], answer: Answer) -> tuple[Any, str | None]:
    """The model, or what is wrong. The body is not quoted: a server that echoes the token would have it shown."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.content and media_type != "application/json" and not media_type.endswith("+json"):
        said = media_type if media_type in _SAFE_TYPES else "of another kind" if media_type else "missing"
        return None, f"content type {said} instead of JSON"
    try:
        data = json.loads(answer.content) if answer.content else None
        if answer.content and not isinstance(data, dict):
            return None, "not a JSON object"
        if data and isinstance(inner := data.get(operation.envelope), dict):
            data = inner
        # all that it asks of a response
        response = SimpleNamespace(status_code=answer.status_code, content=answer.content, json=lambda: data)
        return operation.endpoint._parse_response(client=_CLIENT, response=response), None
    except UnexpectedStatus:
        return None, "this operation has no such status"
    except json.JSONDecodeError as error:
        return None, f"JSON broken off at {error.pos}"
    except KeyError as error:
        return None, f"{error} is missing"
    except (AttributeError, RecursionError, TypeError, ValueError) as error:  # what generated parsers stumble with
        return None, f"a value is not of its type ({type(error).__name__})" if answer.content else "an empty body"


def _messages(content: bytes) -> tuple[errors.TppMessage, ...]:
    """Every message of an error body in any of its three forms; anything else gives none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    if isinstance(found, dict):
        # without tppMessages it is application/problem+json
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
        if isinstance(entry, dict) and not entry.keys().isdisjoint({"code", "text", "detail"})
    )


def _clip(value: object) -> str | None:
    return value[:512] if isinstance(value, str) else None


REDIRECTS: Final = {301, 302, 303, 307, 308}
LONGEST_BODY: Final = 10_000
"""Bytes of an error's body that its exception keeps."""

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
    first = next((each for each in messages if (each.category or "").upper() != "WARNING"), errors.TppMessage())
    said = printable(": ".join(filter(None, (first.code, first.text)))) or phrase(status) or "no explanation"
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
    """The words that go with a status; none for one that is not in HTTP."""
    return HTTPStatus(status).phrase if status in {*HTTPStatus} else ""


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


def blames_token(error: errors.APIError) -> bool:
    """Whether a 401 says that the token is at fault: a code `TOKEN_*`, or no readable code.

    Consent, certificate, signature and the user's credentials answer 401 too (the provider's guide of 2021).
    """
    codes = [message.code for message in error.messages if message.code]
    return type(error) is errors.UnauthorizedError and (not codes or any(code.startswith("TOKEN_") for code in codes))


def may_help_to_retry(error: errors.APIError) -> bool:
    """Whether the same request may fare better later. The consented accesses of a day don't come back by waiting."""
    return error.status_code in {408, 429, 500, 502, 503, 504} and not isinstance(error, errors.AccessExceededError)
