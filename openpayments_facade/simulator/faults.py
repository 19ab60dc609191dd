"""Faults on demand: what the simulator can be told to do wrong, and for which requests."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .api_host.errors import ApiError
from .auth_host.errors import OAuthError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Fault", "Faults", "JSONBody", "Misbehaviour"]

JSONBody = dict[str, Any] | list[Any]

# The usual status of each code (the provider's description of 2026; RFC 6749, section 5.2). Codes that come with more
# than one are not listed.
_USUAL_STATUS = {
    "FORMAT_ERROR": 400,
    "PARAMETER_NOT_CONSISTENT": 400,
    "PARAMETER_NOT_SUPPORTED": 400,
    "TIMESTAMP_INVALID": 400,
    "PERIOD_INVALID": 400,
    "TOKEN_UNKNOWN": 401,
    "TOKEN_INVALID": 401,
    "TOKEN_EXPIRED": 401,
    "CERTIFICATE_MISSING": 401,
    "CERTIFICATE_INVALID": 401,
    "PSU_CREDENTIALS_INVALID": 401,
    "CONSENT_INVALID": 401,
    "CONSENT_EXPIRED": 401,
    "SERVICE_BLOCKED": 403,
    "REQUESTED_FORMATS_INVALID": 406,
    "CONFLICT": 409,
    "STATUS_INVALID": 409,
    "ACCESS_EXCEEDED": 429,
    "invalid_request": 400,
    "invalid_client": 400,
    "invalid_grant": 400,
    "invalid_scope": 400,
    "unauthorized_client": 400,
    "unsupported_grant_type": 400,
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = {"content-length", "transfer-encoding"}
_NO_BODY = {204, 304}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: which requests go wrong, and how.

    `status`, `body` and `code` replace the provider's answer. The other fields also change the provider's own answers.

    Attributes:
        path: A path, which includes all paths below it (`/` is every path), or a pattern with `*`.
        method: The HTTP method; None for any.
        times: How many requests go wrong; None for all until the fault is cancelled.
        delay: Seconds to wait first.
        status: The status of the answer, 200 by default. Without `body` and `code` the body is empty.
        body: The body of the answer: a string or bytes as they are, an object or a list as JSON.
        content_type: The Content-Type of the answer, `application/json` by default.
        headers: Headers to set in the answer.
        change: Fields of the answer, a JSON object, with the values to set: wherever one of that name stands, and at
            the top if there is none.
        without: Fields of the answer, a JSON object, to leave out, wherever they stand.
        code: An error code. The answer has the host's documented error body (`tppMessages`, or OAuth's on the auth
            host) and the usual status of the code.
        close: Whether to close the connection without an answer or, with `truncate`, in the middle of one.
        truncate: The number of bytes after which the body is cut.
        carried_out: Whether the provider carries the request out, though its answer is lost (`close`) or replaced
            (`status`, `body`, `code`). Where part of its own answer is sent, it always does.

    Raises:
        ValueError: A field is wrong; the message names it.
    """

    path: str = "/"
    method: str | None = None
    times: int | None = 1
    delay: float = 0.0
    status: int | None = None
    body: str | bytes | JSONBody | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None
    change: Mapping[str, Any] | None = None
    without: Collection[str] | None = None
    code: str | None = None
    close: bool = False
    truncate: int | None = None
    carried_out: bool = False

    def __post_init__(self) -> None:
        _check(isinstance(self.path, str) and self.path[:1] in {"/", "*"}, "path", "must begin with / or *")
        _check(self.method is None or _is_token(self.method), "method", "must be an HTTP method such as GET")
        _check(self.times is None or (_is_int(self.times) and self.times >= 1), "times", "must be 1 or more, or null")
        _check(_is_number(self.delay) and 0 <= self.delay < math.inf, "delay", "must be a number of seconds, 0 or more")
        _check(
            self.status is None or (_is_int(self.status) and 200 <= self.status <= 599),
            "status",
            "must be from 200 to 599",
        )
        _check(
            self.body is None or isinstance(self.body, (str, bytes, dict, list)),
            "body",
            "must be a string, bytes, a JSON object or a JSON list",
        )
        _check(
            self.content_type is None or _is_header_value(self.content_type),
            "content_type",
            "must be a media type on one line",
        )
        _check(
            self.headers is None or _are_headers(self.headers), "headers", "must map header names to one-line values"
        )
        _check(
            not self.headers or _FRAMING.isdisjoint(name.lower() for name in self.headers),
            "headers",
            "must not set Content-Length or Transfer-Encoding; truncate cuts an answer short",
        )
        _check(
            self.change is None
            or (isinstance(self.change, Mapping) and all(isinstance(each, str) for each in self.change)),
            "change",
            "must map names of fields to values",
        )
        _check(
            self.without is None
            or (isinstance(self.without, (list, tuple, set)) and all(isinstance(each, str) for each in self.without)),
            "without",
            "must be a list of names of fields",
        )
        _check(self.code is None or _is_token(self.code), "code", "must be an error code such as TOKEN_EXPIRED")
        _check(self.code is None or self.body is None, "code", "and body can't be used together")
        _check(
            self.code is None or self.status is not None or self.code in _USUAL_STATUS,
            "code",
            f"{self.code} has no usual status; set status too",
        )
        _check(isinstance(self.close, bool), "close", "must be true or false")
        _check(
            self.truncate is None or (_is_int(self.truncate) and self.truncate >= 0),
            "truncate",
            "must be a number of bytes, 0 or more",
        )
        _check(isinstance(self.carried_out, bool), "carried_out", "must be true or false")
        _check(
            not self.carried_out or self.close or self.answers,
            "carried_out",
            "goes with close, or with status, body or code; otherwise it is true anyway",
        )
        _check(
            self.status not in _NO_BODY or (self.body is None and self.code is None and self.truncate is None),
            "status",
            f"{self.status} can't have a body",
        )
        _check(self._does_something(), "status", "or another field must be set; this fault changes nothing")
        self._content()

    @classmethod
    def from_json(cls, value: Any) -> Fault:
        """Reads a fault from the JSON that was sent to the control path, `/simulator/faults`.

        Args:
            value: A JSON object with the names of the fields.

        Returns:
            The fault.

        Raises:
            ValueError: It is no object, or a field is unknown or wrong; the message names it.
        """
        if not isinstance(value, dict):
            raise ValueError("a fault must be a JSON object")
        known = [field.name for field in fields(cls)]
        if unknown := [str(name) for name in value if name not in known]:
            raise ValueError(f"unknown field: {', '.join(unknown)}; the fields of a fault are {', '.join(known)}")
        return cls(**value)

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is one that goes wrong.

        Args:
            method: Its HTTP method, in capitals.
            path: Its path, decoded.

        Returns:
            Whether it is.
        """
        if self.method is not None and self.method.upper() != method:
            return False
        return path == self.path or path.startswith(self.path.rstrip("/") + "/") or fnmatchcase(path, self.path)

    @property
    def answers(self) -> bool:
        """Whether it replaces the provider's answer."""
        return self.status is not None or self.body is not None or self.code is not None

    @property
    def carries_out(self) -> bool:
        """Whether the provider carries the request out."""
        return self.carried_out or not (self.answers or (self.close and self.truncate is None))

    def answer(self, host: str) -> Response:
        """Makes the answer that replaces the provider's.

        Args:
            host: "auth" or "api".

        Returns:
            The answer.
        """
        if self.code is not None:
            status = self.status or _USUAL_STATUS[self.code]
            text = "the simulator was told to answer this"
            error = OAuthError(self.code, text, status=status) if host == "auth" else ApiError(status, self.code, text)
            return error.response()
        media_type = None if self.body is None else "application/json"
        return Response(self._content(), self.status or 200, media_type=media_type)

    def spoil(self, response: Response) -> None:
        """Changes an answer in place.

        Args:
            response: The answer.
        """
        for name, value in (self.headers or {}).items():
            response.headers[name] = value
        if self.content_type is not None:
            response.headers["content-type"] = self.content_type
        if self.change is not None or self.without is not None:
            self._change_fields(response)
        if self.truncate is not None and not self.close:
            _replace_body(response, bytes(response.body)[: self.truncate])

    def _change_fields(self, response: Response) -> None:
        """Changes the fields of a JSON object. Anything else stays as it is."""
        try:
            found = json.loads(bytes(response.body))
        except ValueError:
            return
        if isinstance(found, dict):
            change, seen = dict(self.change or {}), set[str]()
            changed = _changed(found, change, self.without or (), seen)
            missing = {name: value for name, value in change.items() if name not in seen}
            _replace_body(response, json.dumps({**changed, **missing}, ensure_ascii=False).encode())

    def _does_something(self) -> bool:
        changes = (self.content_type, self.headers, self.change, self.without, self.truncate)
        return self.answers or self.close or self.delay > 0 or any(change is not None for change in changes)

    def _content(self) -> bytes:
        try:
            json.dumps(dict(self.change or {}), ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise ValueError("change can't be encoded as JSON") from None
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        try:
            return (self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)).encode()
        except (TypeError, ValueError, RecursionError):
            raise ValueError("body can't be encoded as UTF-8 or JSON") from None


def _changed(value: Any, change: Mapping[str, Any], without: Collection[str], seen: set[str]) -> Any:
    if isinstance(value, list):
        return [_changed(each, change, without, seen) for each in value]
    if not isinstance(value, dict):
        return value
    seen |= (value.keys() & change.keys()) - {*without}
    return {
        name: change[name] if name in change else _changed(each, change, without, seen)
        for name, each in value.items()
        if name not in without
    }


class Misbehaviour:
    """An active fault, from `Simulator.misbehave`. End it with `cancel()`, or by using it in a `with` block.

    Attributes:
        fault: What goes wrong.
        remaining: How many more requests go wrong; None for all.
        used: How many requests have gone wrong.
    """

    def __init__(self, fault: Fault, owner: Faults) -> None:
        self.fault = fault
        self.remaining = fault.times
        self.used = 0
        self._owner = owner

    def cancel(self) -> None:
        """Removes the fault."""
        self._owner.remove(self)

    def __enter__(self) -> Misbehaviour:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()


class Faults:
    """The active faults, oldest first. The first one that matches a request applies. Thread-safe."""

    def __init__(self) -> None:
        self._active: list[Misbehaviour] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Misbehaviour:
        misbehaviour = Misbehaviour(fault, self)
        with self._lock:
            self._active.append(misbehaviour)
        return misbehaviour

    def remove(self, misbehaviour: Misbehaviour) -> None:
        with self._lock:
            self._active = [active for active in self._active if active is not misbehaviour]

    def clear(self) -> None:
        with self._lock:
            self._active.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that applies to this request, which is counted."""
        with self._lock:
            for position, active in enumerate(self._active):
                if active.fault.matches(method, path):
                    active.used += 1
                    if active.remaining is not None:
                        active.remaining -= 1
                        if active.remaining == 0:
                            del self._active[position]
                    return active.fault
        return None


def _replace_body(response: Response, body: bytes) -> None:
    response.body = body
    response.headers["content-length"] = str(len(body))


def _check(condition: bool, field: str, rule: str) -> None:
    if not condition:
        raise ValueError(f"{field} {rule}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_token(value: object) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip()


def _are_headers(value: object) -> bool:
    return isinstance(value, Mapping) and all(_is_token(name) and _is_header_value(value[name]) for name in value)
