"""Receives the browser's callback: a web server on the loopback interface for one request (RFC 8252, section 7.3)."""

from __future__ import annotations

import hmac
import os
import queue
import socket
import socketserver
import threading
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ..errors import AuthorisationTimeoutError, OpenPaymentsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Callback", "listening"]

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Open Payments</title><p>{}</p></html>
"""


@contextmanager
def listening(redirect_uri: str, state: str) -> Iterator[Callback]:
    """Listens on exactly the host and port of the redirect URI, for a callback with this state.

    Raises:
        OpenPaymentsError: The port is taken.
    """
    try:
        callback = Callback(redirect_uri, state)
    except OSError as error:
        raise OpenPaymentsError(
            f"can't listen on port {urlsplit(redirect_uri).port or 80} of --redirect-uri {redirect_uri}: "
            f"{error.strerror or error}. Free the port, or choose another redirect URI that is whitelisted."
        ) from None
    with callback:
        threading.Thread(target=callback.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield callback
        finally:
            callback.shutdown()


class Callback(socketserver.ThreadingTCPServer):
    """Listens at a redirect URI. Accepts only a callback with the state, or an error without any.

    Other pages in the browser can send requests here, too, but do not know the state. What they embed or fetch says
    so (Fetch Metadata), and what reaches this machine by a name of theirs (DNS rebinding) has that name as Host.
    """

    daemon_threads = True
    # on Windows it would let two programs share the port
    allow_reuse_address = os.name != "nt"

    def __init__(self, redirect_uri: str, state: str) -> None:
        url = urlsplit(redirect_uri)
        host = url.hostname or ""
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.path = url.path or "/"
        # a browser leaves out the port that http has anyway
        self.hosts = {url.netloc.lower(), url.netloc.lower().removesuffix(":80")}
        self._uri = redirect_uri
        self._state = state
        self._has_strangers = False
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        super().__init__((host, url.port or 80), _Handler)

    def expected(self, query: str) -> str | None:
        """The query of a request, if it has the state, which `Authorisation.complete` checks again; otherwise None.

        An error may lack it, and gets it here: whoever made it up has only ended this command.
        """
        given = parse_qs(query, keep_blank_values=True)
        found = {name.lower().removeprefix("amp;"): values for name, values in given.items()}
        states = [state for state in found.pop("state", []) if state]
        if any(hmac.compare_digest(state.encode(), self._state.encode()) for state in states):
            return query
        error = [(name, found[name][0]) for name in ("error", "error_description") if name in found]
        self._has_strangers |= bool(states)
        return urlencode([*error, ("state", self._state)]) if error and not states else None

    def arrive(self, query: str) -> None:
        """Passes the callback on to `wait`."""
        self._arrived.put(f"{self._uri}?{query}")

    def wait(self, timeout: float) -> str:
        """The address that the browser came back to. `timeout` is in seconds. Raises AuthorisationTimeoutError."""
        try:
            return self._arrived.get(timeout=timeout)
        except queue.Empty:
            said = "only browsers with the state of another authorisation" if self._has_strangers else "no browser"
            raise AuthorisationTimeoutError(f"{said} came back to {self._uri} in time") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores browsers that close the connection."""


class _Handler(BaseHTTPRequestHandler):
    server: Callback
    server_version = "openpayments"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if (self.headers["Host"] or "").lower() not in self.server.hosts:
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "This is not the host that you asked for.")
        elif self.headers.get("Sec-Fetch-Dest", "document") != "document":
            self._answer(HTTPStatus.FORBIDDEN, "This is no page to embed or fetch.")
        elif path != self.server.path:
            self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
        elif (expected := self.server.expected(query)) is None:
            self._answer(HTTPStatus.BAD_REQUEST, "Nobody is waiting for this.")
        else:
            self._answer(HTTPStatus.OK, "You can close this window and go back to the terminal.")
            self.server.arrive(expected)

    def send_error(self, code: int, *_: str | None) -> None:
        # the library's own page quotes what came
        self._answer(HTTPStatus(code), "There is nothing here.")

    def log_message(self, *args: Any) -> None:
        """Logs nothing, because the address contains the code."""

    def _answer(self, status: HTTPStatus, text: str) -> None:
        page = _PAGE.format(text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(page)
