"""A server that gives tokens, and to every other request the answer that is set."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from openpayments_facade import ApiScope, Environment, OpenPayments

API = "https://api.openbankingplatform.com"
TOKEN = {"access_token": "DUMMY_ACCESS_TOKEN_1", "expires_in": 3600, "token_type": "Bearer"}


class Given(NamedTuple):
    """An answer of the canned server."""

    status: int
    headers: dict[str, str]
    content: bytes


class Canned(ThreadingHTTPServer):
    """Gives tokens, and to every other request the answer that is set; remembers both as a cassette does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = Given(200, {"Content-Type": "application/json"}, json.dumps(TOKEN).encode())
        self.given: Given | Callable[[str, str], Given] = Given(204, {}, b"")
        """The answer, or what finds it from a method and a path with its query."""
        self.interactions: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def client(self, **options: Any) -> OpenPayments:
        scopes = [ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION]
        environment = Environment("canned", self.url, self.url)
        return OpenPayments(
            client_id="id", client_secret="secret", environment=environment, api_scopes=scopes, **options
        )


class Handler(BaseHTTPRequestHandler):
    server: Canned

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given = self.server.given
        if self.path == "/connect/token":
            given = self.server.token
        elif callable(given):
            given = given(self.command, self.path)
        headers = {**given.headers, "X-Request-ID": self.headers.get("X-Request-ID", "")}
        if self.path != "/connect/token":
            self.server.interactions.append(
                {
                    "request": {
                        "method": self.command,
                        "uri": API + self.path,
                        "body": body.decode() or None,
                        "headers": {name.lower(): [value] for name, value in self.headers.items()},
                    },
                    "response": {
                        "status": {"code": given.status, "message": ""},
                        "headers": {name.lower(): [value] for name, value in headers.items()},
                        "body": {"string": given.content.decode(errors="replace")},
                    },
                }
            )
        self.send_response(given.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if given.status != 204:
            self.send_header("Content-Length", str(len(given.content)))
        self.end_headers()
        self.wfile.write(given.content)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


@contextmanager
def canned() -> Iterator[Canned]:
    with Canned() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
