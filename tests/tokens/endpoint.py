"""A token endpoint on loopback that counts, and answers what a test wants."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from openpayments_facade import Environment

CLIENT_ID = "0f3a2a3c-7f0e-4b5e-9d8c-000000000001"
CLIENT_SECRET = "s3cr3t/+ &=%"  # what a form has to encode
SCOPE = "aspspinformation private"


def token_value(number: int) -> str:
    return f"t0ken-{number}"


@frozen
class Seen:
    headers: dict[str, str]
    form: list[tuple[str, str]]


@frozen
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(factory=dict)
    content_length: int | None = None


def granted(number: int, **changes: Any) -> Answer:
    body = {"access_token": token_value(number), "expires_in": 3600, "token_type": "Bearer", "scope": SCOPE, **changes}
    return answer({name: value for name, value in body.items() if value is not ...})


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, encoded, {"Content-Type": "application/json", **(headers or {})})


@define(eq=False)
class Endpoint:
    """`answer` makes the answer to the n-th request (from 1); it waits until `gate` is set."""

    answer: Callable[[int], Answer] = granted
    delay: float = 0.0
    gate: threading.Event = field(factory=threading.Event)
    arrived: threading.Event = field(factory=threading.Event)
    seen: list[Seen] = field(factory=list, repr=False)
    _server: ThreadingHTTPServer = field(init=False)
    _lock: threading.Lock = field(factory=threading.Lock)

    def __enter__(self) -> Endpoint:
        self.gate.set()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                endpoint._handle(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_: object) -> None:
                pass  # who asked has gone

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/connect/token"

    @property
    def environment(self) -> Environment:
        url = self.url.removesuffix("/connect/token")
        return Environment(name="endpoint", auth_url=url, api_url=url)

    @property
    def count(self) -> int:
        return len(self.seen)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        seen = Seen({name.lower(): value for name, value in handler.headers.items()}, parse_qsl(body.decode()))
        with self._lock:
            self.seen.append(seen)
            number = len(self.seen)
        self.arrived.set()
        self.gate.wait(30)
        time.sleep(self.delay)
        answer = self.answer(number)
        handler.close_connection = True
        if not answer.status:  # closes the connection without a word
            return
        handler.send_response(answer.status, "Whatever")
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.send_header(
            "Content-Length", str(len(answer.body) if answer.content_length is None else answer.content_length)
        )
        handler.end_headers()
        handler.wfile.write(answer.body)


@define(eq=False)
class Raw:
    """A server on loopback whose every byte a test writes: `answer` is called for each request, in a thread of its own,
    and given what writes to the connection. `over` is set at the end.
    """

    answer: Callable[[Callable[[bytes], object]], object]
    count: int = 0
    over: threading.Event = field(factory=threading.Event)
    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Raw:
        raw = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                raw.count += 1
                self.close_connection = True
                with suppress(OSError):  # who asked has gone
                    raw.answer(self.connection.sendall)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> Environment:
        url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return Environment(name="raw", auth_url=url, api_url=url)
