"""Misbehaviour on demand: what the simulator can be told to do wrong, and for which requests."""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Mapping
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

# The status that goes with a code when none is said (the provider's description of 2026; RFC 6749, section 5.2). A code
# that goes with several is not in here.
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
    """One way to misbehave. Raises ValueError, which names the field, for a value that makes no sense.

    Which requests: `path` is a path and all below it (`/` is every path), or a pattern with `*`; `method` narrows it;
    `times` is how many requests it hits, None for all until it is taken away.

    What happens: `delay` waits that many seconds first. `status`, `body` and `code` answer instead of the provider:
    a status alone has an empty body; `code` has the documented error body of the host (`tppMessages`, or OAuth's on
    the auth host) with the status that goes with it; a `body` is sent as it is, an object or list as JSON, with
    status 200 and `application/json` unless told otherwise. `headers` and `content_type` replace those of the answer,
    also of the provider's own. `truncate` cuts the answer after that many bytes. `close` closes the connection without
    an answer or, with `truncate`, in the middle of one.
    """

    path: str = "/"
    method: str | None = None
    times: int | None = 1
    delay: float = 0.0
    status: int | None = None
    body: str | bytes | JSONBody | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None
    code: str | None = None
    close: bool = False
    truncate: int | None = None

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
            "can't set Content-Length or Transfer-Encoding; a cut answer is made by truncate",
        )
        _check(self.code is None or _is_token(self.code), "code", "must be an error code such as TOKEN_EXPIRED")
        _check(self.code is None or self.body is None, "code", "and body exclude each other")
        _check(
            self.code is None or self.status is not None or self.code in _USUAL_STATUS,
            "code",
            f"{self.code} has no usual status: give status too",
        )
        _check(isinstance(self.close, bool), "close", "must be true or false")
        _check(
            self.truncate is None or (_is_int(self.truncate) and self.truncate >= 0),
            "truncate",
            "must be a number of bytes, 0 or more",
        )
        _check(
            self.status not in _NO_BODY or (self.body is None and self.code is None and self.truncate is None),
            "status",
            f"{self.status} has no body",
        )
        _check(self._does_something(), "status", "or another field must say what to do: this fault changes nothing")
        self._content()

    @classmethod
    def from_json(cls, value: Any) -> Fault:
        """Reads what the control path is sent. Raises ValueError."""
        if not isinstance(value, dict):
            raise ValueError("a fault must be a JSON object")
        known = [field.name for field in fields(cls)]
        if unknown := [str(name) for name in value if name not in known]:
            raise ValueError(f"unknown field: {', '.join(unknown)}; the fields of a fault are {', '.join(known)}")
        return cls(**value)

    def matches(self, method: str, path: str) -> bool:
        if self.method is not None and self.method.upper() != method:
            return False
        return path == self.path or path.startswith(self.path.rstrip("/") + "/") or fnmatchcase(path, self.path)

    @property
    def answers(self) -> bool:
        """Whether the provider is not asked at all."""
        return self.status is not None or self.body is not None or self.code is not None

    def answer(self, host: str) -> Response:
        """The answer instead of the provider's; `host` is "auth" or "api"."""
        if self.code is not None:
            status = self.status or _USUAL_STATUS[self.code]
            text = "the simulator was told to answer this"
            error = OAuthError(self.code, text, status=status) if host == "auth" else ApiError(status, self.code, text)
            return error.response()
        media_type = None if self.body is None else "application/json"
        return Response(self._content(), self.status or 200, media_type=media_type)

    def spoil(self, response: Response) -> None:
        """Changes an answer in place as far as this fault says."""
        for name, value in (self.headers or {}).items():
            response.headers[name] = value
        if self.content_type is not None:
            response.headers["content-type"] = self.content_type
        if self.truncate is not None and not self.close:
            response.body = bytes(response.body)[: self.truncate]
            response.headers["content-length"] = str(len(response.body))

    def _does_something(self) -> bool:
        changes = (self.content_type, self.headers, self.truncate)
        return self.answers or self.close or self.delay > 0 or any(change is not None for change in changes)

    def _content(self) -> bytes:
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        try:
            return (self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)).encode()
        except (TypeError, ValueError):
            raise ValueError("body can't be written as UTF-8 text or JSON") from None


class Misbehaviour:
    """A fault at work. Cancel it with `cancel()`, or by leaving a `with` block. `used` counts the requests it met."""

    def __init__(self, fault: Fault, owner: Faults) -> None:
        self.fault = fault
        self.remaining = fault.times
        self.used = 0
        self._owner = owner

    def cancel(self) -> None:
        """The requests that come behave again, as far as this fault goes."""
        self._owner.remove(self)

    def __enter__(self) -> Misbehaviour:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()


class Faults:
    """The faults at work, oldest first. One request meets the first fault that matches. Thread-safe."""

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
        """The fault that this request meets; counts it."""
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
