"""Turns an answer into a model, or into the exception that says what went wrong.

Source: the provider's guide of 2021 (error bodies, codes, statuses).
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from attrs import evolve, field
from openpayments_client.reading import Unreadable, alone, loads, noticing

from .. import errors
from .._attrs import frozen
from .._redaction import Secret, quoted, scrubber
from ..environments import safe_link
from .operation import is_resendable
from .retry_after import retry_after
from .text import decoded
from .unknown import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from .operation import Operation

_log = logging.getLogger("openpayments_facade")

Secrets: TypeAlias = tuple[Secret, ...]

T = TypeVar("T")


@frozen
class Answer:
    """An HTTP answer, without its request (which holds the token)."""

    method: str
    url: str
    request_id: str
    status_code: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)
    secrets: Secrets = field(default=(), repr=False)
    """What the request carried, and the answer may quote."""


class _NotPickled(tuple[Secret, ...]):
    """The secrets of an answer. A copy that leaves the process has none."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type[tuple[Any, ...]], tuple[()]]:
        return tuple, ()


def _not_pickled(secrets: Secrets) -> Secrets:  # a class would do, but attrs would take it apart, at a millisecond
    return _NotPickled(secrets)


def _described(parsed: object) -> str:
    """Models mask what is personal; the JSON of an answer that nobody has described can't."""
    is_safe = parsed is None or hasattr(parsed, "__attrs_attrs__") or isinstance(parsed, Exception)
    return repr(parsed) if is_safe else f"<{type(parsed).__name__}>"


@frozen
class RawResponse(Generic[T]):
    """An answer with its status and headers.

    There is one for each answer with a success status, also if it can't be read: `parsed` says so when it is asked for.

    Attributes:
        status_code: The HTTP status.
        headers: The headers of the answer, as an `httpx.Headers`.
        request_id: The X-Request-ID that was sent. What the server echoed is in `headers`.
        method: The HTTP method of the request.
        url: The URL of the request.
        content: The body as it came, in bytes. The repr does not show it.
        messages: What the provider or the bank had to say (`tppMessages`), as `TppMessage`s.
        odd: The fields with values that can't be read, such as `Transaction.valueDate`, once for each such value. They
            are None, and what came is in `additional_properties` under its name on the wire; an element of a list is
            left out, and the whole list kept.
        secrets: What errors about this answer must not quote. For the SDK alone.
    """

    _parsed: T | errors.UnreadableResponseError = field(repr=_described)
    status_code: int
    headers: httpx.Headers = field(repr=False)  # a server may repeat there what the request carried
    request_id: str
    method: str = ""
    url: str = ""
    content: bytes = field(default=b"", repr=False)
    messages: tuple[errors.TppMessage, ...] = ()
    odd: tuple[str, ...] = ()
    secrets: Secrets = field(default=(), repr=False, eq=False, converter=_not_pickled)

    @property
    def parsed(self) -> T:
        """What the method returns without `with_raw_response`.

        Of `request(...)`: the JSON of the answer as Python objects; None if it is empty or something else than JSON.

        Raises:
            UnreadableResponseError: The answer is not what the description says.
        """
        if isinstance(self._parsed, errors.UnreadableResponseError):
            raise copy.copy(self._parsed)  # one exception would collect the frames of everybody who asks
        return self._parsed

    @property
    def json(self) -> Any:
        """The body as Python objects; None if it is empty.

        Raises:
            ValueError: It is not JSON.
        """
        return _read_json(self) if self.content.strip() else None


def about(answer: Answer | RawResponse[Any]) -> dict[str, Any]:
    """The attributes of every exception about an answer."""
    return {name: getattr(answer, name) for name in ("method", "url", "request_id", "status_code")}


def unreadable(answer: Answer | RawResponse[Any], problem: str, path: str = "") -> errors.UnreadableResponseError:
    """The error for a successful answer that can't be used. `path` is the place in its JSON."""
    # a secret at the end is cut in two: as much is left out as it may take, in whichever form
    margin = 24 * max((len(secret.reveal()) for secret in answer.secrets), default=0)
    content = answer.content[: 4 * LONGEST_BODY + margin]
    text = scrubbed(evolve(answer, content=content))
    body = _clipped(text if len(content) == len(answer.content) else text[: max(0, len(text) - margin)])
    said, is_change = f"{answer.status_code} with {problem}", not is_resendable(answer.method)
    return errors.UnreadableResponseError(said, path=path, body=body, may_have_taken_effect=is_change, **about(answer))


_SAFE_TYPES: Final = {"text/html", "text/plain", "text/xml", "application/xml", "application/octet-stream"}


def judge(operation: Operation[T], answer: Answer) -> RawResponse[T]:
    """Turns an answer with any success status into a model, as far as it can be read.

    Raises:
        APIError: The status is not a success; the class depends on status and code.
    """
    if not 200 <= answer.status_code < 300:
        raise _api_error(answer, operation.name)
    parsed: Any = None
    messages: tuple[errors.TppMessage, ...] = ()
    bodies = operation.endpoint._bodies if operation.endpoint else {}
    with noticing() as odd:
        try:
            data = _read_json(answer)
            messages = _messages_of_success(data, answer.secrets)
            parsed = _model(operation, bodies, answer, data) if bodies else data
        except Unreadable as error:
            parsed = unreadable(answer, f"an answer that can't be read: {error}", error.path)
        except (ValueError, RecursionError) as error:
            if any(bodies.values()):
                parsed = unreadable(answer, f"an answer that can't be read: {_not_json(answer, error)}")
    return RawResponse(
        explain(parsed, operation),
        headers=answer.headers,
        content=answer.content,
        messages=messages,
        odd=tuple(odd),
        **about(answer),
        secrets=answer.secrets,
    )


def _model(operation: Operation[Any], bodies: Mapping[int, Callable[[], Any] | None], answer: Answer, data: Any) -> Any:
    """The model of an answer, whichever of the described success statuses it has. Raises Unreadable."""
    give = bodies.get(answer.status_code) or next(filter(None, bodies.values()), None)
    model: Any = give and give()
    # what was deleted may leave nothing to say, whatever the status
    may_be_empty = None in bodies.values() and (answer.status_code == 204 or operation.method == "DELETE")
    if model is None or (data is None and may_be_empty):
        return None
    if data is None and answer.status_code == 204 and model._fields.lists:
        return model.from_dict(dict.fromkeys(model._fields.lists))
    if data is None:
        raise Unreadable("an empty body")
    if isinstance(data, list) and "cancellationIds" in model._fields.table:  # described as that until 2026
        data = {"cancellationIds": data}
    data = alone(data)
    if not isinstance(data, dict):
        raise Unreadable("not a JSON object")
    if isinstance(inner := alone(data.get(operation.envelope)), dict):
        data = inner
    if data and data.keys().isdisjoint(model._fields.table):
        raise Unreadable("none of its fields is described")
    return model.from_dict(data)


def _read_json(answer: Answer | RawResponse[Any]) -> Any:
    """The JSON of a body, whatever its content type; None for an empty one. Raises ValueError, RecursionError."""
    content = answer.content
    if len(content) > _SMALL and sum(map(content.count, _MARKS)) * _SHORTEST > len(content):
        raise Unreadable("far more values than an answer of its length has")
    text = decoded(content, answer.headers.get("content-type", ""))
    return loads(text) if text.strip() else None


_SMALL: Final = 1024 * 1024
_MARKS: Final = (b"[", b"{", b",")
_SHORTEST: Final = 8
"""Bytes of JSON that a value has on average, at least, in a long answer: shorter ones take up far more memory than they
have bytes, as empty lists do."""


def _not_json(answer: Answer, error: Exception) -> str:
    # the body is not quoted: it may contain the token
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        said = media_type if media_type in _SAFE_TYPES else "of another kind" if media_type else "missing"
        return f"content type {said} instead of JSON"
    return f"invalid JSON at position {error.pos}" if isinstance(error, json.JSONDecodeError) else "invalid JSON"


_ESCAPE: Final = r"(?is)\\(?:u(?!d[89a-f])([\da-f]{4})|.)"


def scrubbed(answer: Answer | RawResponse[Any]) -> str:
    """A body as it came, but without what the request carried. Escapes of JSON are only read if they hide some."""
    scrub = scrubber(*answer.secrets)
    masked = scrub(decoded(answer.content, answer.headers.get("content-type", "")))
    plain = re.sub(_ESCAPE, _unescaped, masked)
    return masked if scrub(plain) == plain else scrub(plain)


def _unescaped(escape: re.Match[str]) -> str:
    return json.dumps(chr(int(escape[1], 16)), ensure_ascii=False)[1:-1] if escape[1] else escape[0].replace("\\/", "/")


def _clipped(text: str) -> str:
    return text.encode(errors="replace")[:LONGEST_BODY].decode(errors="replace")


def log_findings(answer: RawResponse[Any], name: str) -> None:
    """Logs what a successful answer had to say, and what of it can't be read: names of fields, never values."""
    about_it = {"request_id": answer.request_id}
    for each in answer.messages:
        level = logging.WARNING if (each.category or "").upper() in {"WARNING", "ERROR"} else logging.INFO
        said = ": ".join(filter(None, (each.code, each.text)))
        _log.log(level, "%s: %s (request id %s)", name, said, answer.request_id, extra=about_it)
    if answer.odd:
        said = ", ".join(f"{field} ({count})" for field, count in Counter(answer.odd).most_common(10))
        _log.warning("%s: values can't be read: %s (request id %s)", name, said, answer.request_id, extra=about_it)


def _messages_of_success(data: Any, secrets: Secrets) -> tuple[errors.TppMessage, ...]:
    data = alone(data)
    if not isinstance(data, dict):
        return ()
    found = data.get("tppMessages") or data.get("tppMessage")
    is_one = found is None and {"category", "code"} <= data.keys()
    return _read_messages(data if is_one else found, scrubber(*secrets)) if is_one or found else ()


def _messages(content: bytes) -> tuple[errors.TppMessage, ...]:
    """All messages of an error body, in any of its forms. None from any other body."""
    try:
        found = loads(content)
    except (ValueError, RecursionError):
        return ()
    if isinstance(found, dict):
        # a body without tppMessages is a problem, with a code or, from KYC, without
        more = found.get("additionalErrors")
        found = (
            found.get("tppMessages") or found.get("tppMessage") or [found, *(more if isinstance(more, list) else [])]
        )
    return _read_messages(found)


def _read_messages(found: Any, scrub: Callable[[str], str] = str) -> tuple[errors.TppMessage, ...]:
    entries = found if isinstance(found, list) else [found]
    return tuple(
        errors.TppMessage(
            code=quoted(entry.get("code"), scrub),
            text=quoted(entry.get("text") or entry.get("detail") or entry.get("title"), scrub),
            category=quoted(entry.get("category"), scrub),
            path=quoted(entry.get("path"), scrub),
        )
        for entry in ({"text": each} if isinstance(each, str) else each for each in entries)
        if isinstance(entry, dict) and not entry.keys().isdisjoint({"code", "text", "detail", "title"})
    )


REDIRECTS: Final = {301, 302, 303, 307, 308}
LONGEST_BODY: Final = 10_000
"""The number of bytes of an error's body that its exception keeps."""

_BY_CODE: Final[dict[str | None, type[errors.APIError]]] = {
    "CONSENT_INVALID": errors.ConsentInvalidError,
    "CONSENT_UNKNOWN": errors.ConsentInvalidError,
    "CONSENT_EXPIRED": errors.ConsentExpiredError,
    "TPP_KYC_INVALID": errors.KycRequiredError,
}
_BY_STATUS: Final[dict[int, type[errors.APIError]]] = {
    400: errors.BadRequestError,
    401: errors.UnauthorizedError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitedError,
}


def _kind(operation: str, status: int, code: str | None, text: str | None) -> type[errors.APIError]:
    if operation == "cancel_payment" and (status == 405 or code == "CANCELLATION_INVALID"):
        return errors.CancellationRefusedError
    if status == 429 and code == "ACCESS_EXCEEDED":
        return errors.AccessExceededError
    if status == 401 and "requires sca" in (text or "").lower():  # Swedbank; the provider's guide of 2021
        return errors.ScaRequiredError
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or (errors.ServerError if status >= 500 else errors.APIError)


def _api_error(answer: Answer, operation: str) -> errors.APIError:
    status, messages = answer.status_code, _messages(answer.content)
    errors_first = sorted(messages, key=lambda each: (each.category or "").upper() == "WARNING")
    first = next(iter(errors_first), errors.TppMessage())
    said = ": ".join(filter(None, (first.code, first.text))) or phrase(status) or "without explanation"
    kyc_url = _kyc_url(answer.content)
    kind = errors.KycRequiredError if kyc_url else _kind(operation, status, first.code, first.text)
    if status in REDIRECTS:
        said += ", a redirect, which is not followed"
    return kind(
        f"{status} {said}",
        code=first.code,
        messages=messages,
        retry_after=retry_after(answer.headers),
        headers=answer.headers,
        body=_clipped(answer.content.decode(errors="replace")),
        may_have_taken_effect=not is_resendable(answer.method) and not is_refusal(status),
        **{"kyc_url": kyc_url} if kind is errors.KycRequiredError else {},
        **about(answer),
    )


def _kyc_url(content: bytes) -> str | None:
    """The address of the KYC form in an error body."""
    with suppress(AttributeError, LookupError, RecursionError, TypeError, ValueError):
        found = alone(loads(content)["_links"]["kycRedirect"])
        url = found if isinstance(found, str) else found["href"]
        return safe_link(url)
    return None


def phrase(status: int) -> str:
    """The standard phrase of a status; empty for an unknown status."""
    return HTTPStatus(status).phrase if status in {*HTTPStatus} else ""


def is_refusal(status: int) -> bool:
    """Whether a status says that nothing was carried out: 400 to 499, but for a gateway that waited in vain."""
    return status // 100 == 4 and status not in {408, 460, 499}


def is_busy(status: int | None) -> bool:
    """Whether a status says that a server, or a gateway, has a bad moment, whatever the body says."""
    return status is not None and (status in {408, 425, 429} or status >= 500)


def blames_token(error: errors.OpenPaymentsError) -> bool:
    """Whether a 401 says that the token is to blame: its code is `TOKEN_*`, or it has no readable code.

    Consents, certificates, signatures and the user's credentials can also cause a 401 (the provider's guide of 2021).
    """
    codes = [message.code for message in getattr(error, "messages", ()) if message.code]
    return type(error) is errors.UnauthorizedError and (not codes or any(code.startswith("TOKEN_") for code in codes))


def is_worth_retrying(error: errors.APIError) -> bool:
    """Whether the same request may succeed a moment later. Used-up accesses of a day don't come back so soon."""
    return error.status_code in {408, 429, 500, 502, 503, 504} and not isinstance(error, errors.AccessExceededError)
