"""Where the browser comes back to: a web server on the loopback interface for one callback (RFC 8252, section 7.3)."""

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
from urllib.parse import SplitResult, parse_qs, urlsplit

import typer

from .._protocol.redirect import read_redirect_uri
from ..environments import is_loopback
from ..errors import AuthorisationTimeoutError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Callback", "listening"]

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Open Payments</title><p>{}</p></html>
"""


class Callback:
    """The redirect URI, and what comes to it."""

    def __init__(self, uri: str, path: str) -> None:
        self.uri = uri
        self.path = path
        self.problem: str | None = None
        self._state: str | None = None
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()

    def expect(self, state: str) -> None:
        """From now on a callback with this state is let in, and no other."""
        self._state = state

    def is_expected(self, query: str) -> bool:
        """Whether the query of a request has the state; `Authorisation.complete` checks it again."""
        states = parse_qs(query).get("state", [])
        return self._state is not None and any(hmac.compare_digest(x.encode(), self._state.encode()) for x in states)

    def arrive(self, query: str) -> None:
        """Hands the first callback to who waits."""
        self._arrived.put(f"{self.uri}?{query}")

    def wait(self, timeout: float) -> str:
        """The address that the browser came to. `timeout` is in seconds. Raises AuthorisationTimeoutError."""
        try:
            return self._arrived.get(timeout=max(0.0, timeout))
        except queue.Empty:
            raise AuthorisationTimeoutError(f"no browser came back to {self.uri} in time") from None


@contextmanager
def listening(redirect_uri: str) -> Iterator[Callback]:
    """Listens on exactly the host and port of the redirect URI.

    Raises BadParameter if that is not on this machine. If the port is taken `problem` says so: not every bank needs it.
    """
    url, port = _read(redirect_uri)
    callback = Callback(redirect_uri, url.path or "/")
    try:
        server = _Server(url.hostname or "", port, callback)
    except OSError as error:
        callback.problem = f"can't listen on port {port} of --redirect-uri {redirect_uri}: {error.strerror or error}."
        yield callback
        return
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield callback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _read(redirect_uri: str) -> tuple[SplitResult, int]:
    try:
        url = urlsplit(read_redirect_uri(redirect_uri))
        port = 80 if url.port is None else url.port
        # without user names, and without a query: the bank's answer has a place of its own
        right = url.scheme == "http" and is_loopback(url.hostname) and port and not url.query and not url.fragment
    except (ValueError, InvalidArgumentError):
        right = False
    if not right or "@" in url.netloc:
        raise typer.BadParameter(
            "--redirect-uri must lead to this machine, as http://127.0.0.1:8765/callback does: the command waits "
            "there for your browser"
        )
    return url, port


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # elsewhere it lets two programs have the same port
    allow_reuse_address = os.name != "nt"

    def __init__(self, host: str, port: int, callback: Callback) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.callback = callback
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "openpayments"
    sys_version = ""
    timeout = 10

    def do_GET(self) -> None:
        callback = self.server.callback
        path, _, query = self.path.partition("?")
        if path != callback.path:
            self._answer(HTTPStatus.NOT_FOUND, "There is nothing here.")
        elif not callback.is_expected(query):
            self._answer(HTTPStatus.BAD_REQUEST, "Nobody waits for this answer.")
        else:
            self._answer(HTTPStatus.OK, "You can close this window and go back to the terminal.")
            callback.arrive(query)

    def log_message(self, *args: Any) -> None:
        """The address has the code in it."""

    def _answer(self, status: HTTPStatus, text: str) -> None:
        page = _PAGE.format(text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", "default-src 'none'")
        self.end_headers()
        self.wfile.write(page)
