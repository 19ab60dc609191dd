"""Both hosts of the provider, as the libraries meet them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.tokens.endpoint import SCOPE

COUNTRY = "/psd2/aspspinformation/v1/countries/SE"


class Provider:
    """Both hosts: a token endpoint that counts and takes 50 ms, and one operation that wants a token."""

    def __init__(self) -> None:
        self.count = 0
        self.down = False
        self.refusal: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Event()
        self._good: set[str] = set()
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                status, body = provider.token(form.get("scope", ""))
                self.send(status, body)

            def do_GET(self) -> None:
                self.send(*provider.country(self.headers.get("Authorization", "")))

            def send(self, status: int, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 1024
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # who asked has gone

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.token_url = f"{self.url}/connect/token"

    def token(self, scope: str) -> tuple[int, object]:
        with self._lock:
            self.count += 1
            value = f"token-{self.count}"
            self._good.add(f"Bearer {value}")
        self.arrived.set()
        self.hold.wait(30)
        time.sleep(0.05)
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        return 200, {"access_token": value, "expires_in": 3600, "token_type": "Bearer", "scope": scope or SCOPE}

    def country(self, authorization: str) -> tuple[int, object]:
        code = self.refusal or (None if authorization in self._good else "TOKEN_INVALID")
        if code:
            return 401, {"tppMessages": [{"category": "ERROR", "code": code}]}
        return 200, {"isoCountryCode": "SE", "name": "Sweden"}

    def revoke(self) -> None:
        self._good.clear()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
