"""Records the requests that came in, so that tests can check them."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from .auth_host.token_endpoint import TOKEN_PATH

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["Host", "Journal", "RecordedRequest"]

Host = Literal["auth", "api"]

_MOST_ENTRIES = 10_000
_CREDENTIALS = {"authorization", "proxy-authorization", "cookie"}


@dataclass
class RecordedRequest:
    """A request that came in, without its credentials and its body.

    Attributes:
        method: The HTTP method.
        host: "auth" or "api".
        path: The path, decoded.
        query: The query as it was sent, with `client_secret` masked.
        headers: The headers, with lower-case names.
        status: The status of the answer; None if there is none yet, or the connection was closed instead.
    """

    method: str
    host: Host
    path: str
    query: str
    headers: dict[str, str]
    status: int | None = None


class Journal:
    """Remembers the last 10,000 requests in order of arrival, and counts token requests. Thread-safe."""

    def __init__(self) -> None:
        self._entries: deque[RecordedRequest] = deque(maxlen=_MOST_ENTRIES)
        self._token_requests = 0
        self._lock = threading.Lock()

    def begin(self, request: Request, host: Host) -> RecordedRequest:
        names = dict.fromkeys(name for name in request.headers if name not in _CREDENTIALS)
        entry = RecordedRequest(
            method=request.method,
            host=host,
            path=request.scope["path"],
            query=re.sub(r"(?<![^&])(client_secret=)[^&]*", r"\1***", request.scope["query_string"].decode("latin-1")),
            headers={name: ", ".join(request.headers.getlist(name)) for name in names},
        )
        with self._lock:
            self._entries.append(entry)
            if host == "auth" and entry.method == "POST" and entry.path == TOKEN_PATH:
                self._token_requests += 1
        return entry

    @property
    def requests(self) -> list[RecordedRequest]:
        with self._lock:
            return [replace(entry) for entry in self._entries]

    @property
    def token_requests(self) -> int:
        with self._lock:
            return self._token_requests

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._token_requests = 0
