"""A transport without sockets that keeps what is sent, and what a request says, place by place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import httpx

from openpayments_facade import ApiScope, Environment, OpenPayments, OpenPaymentsError
from tests.canned_server import TOKEN, Given
from tests.tools.inventory import INVENTORY, Known

AT: Final = Environment("fuzzed", "https://auth.fuzzed.example", "https://api.fuzzed.example/prefix")
REQUEST: Final[dict[str, Any]] = {
    "method": "GET",
    "path": "/psd2/x",
    "params": {"a": "b"},
    "json": {"a": "b"},
    "headers": {"X-A": "b"},
    "scope": "accountinformation",
}
"""Good arguments of `op.request`."""
CLIENT_ID, CLIENT_SECRET = "fuzzing-client", "fuzzing-s3cret/+ &=%"
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
ROUTES: Final = [
    (each, each.route.split()[0], re.compile(re.sub(r"\{[^}]*\}", "[^/]+", each.route.split()[1])))
    for each in INVENTORY.values()
]


class Carrier(httpx.BaseTransport):
    """Answers token requests with a token, and all others as it is told."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.token: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200, json=TOKEN)
        self.tokens: list[httpx.Request] = []
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path.endswith("/connect/token"):
            self.tokens.append(request)
            return self.token(request)
        self.requests.append(request)
        return self.answer(request)

    def client(self, **options: Any) -> OpenPayments:
        given: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "environment": AT,
            "api_scopes": [*ApiScope],
            "transport": self,
            "max_retries": 0,
        }
        return OpenPayments(**given | options)


def response(given: Given) -> httpx.Response:
    return httpx.Response(given.status, headers=given.headers, content=given.content)


def known_of(request: httpx.Request) -> Known | None:
    """The operation that a request is for."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/prefix")
    return next((each for each, method, route in ROUTES if method == request.method and route.fullmatch(path)), None)


Place = tuple[Any, ...]


def leaves(value: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Each value of a JSON with its place; of empty lists and objects, themselves."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not inner:
        yield path, value
    for key, each in inner:
        yield from leaves(each, (*path, key))


def said(request: httpx.Request, *, with_id: bool = False) -> dict[Place, Any]:
    """All that a request says by the place where it says it, decoded. A header or parameter that comes twice fails."""
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    segments = [unquote(each, errors="strict") for each in path.split("/")]
    parameters = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    headers = [(name.decode().lower(), value.decode("ascii")) for name, value in request.headers.raw]
    assert len(headers) == len(dict(headers))
    assert len(parameters) == len(dict(parameters))
    assert all(" " <= c <= "~" or c == "\t" for _, value in headers for c in value)
    assert UUID.fullmatch(dict(headers)["x-request-id"])
    assert dict(headers)["host"] == request.url.netloc.decode()
    own = {"content-length", *([] if with_id else ["x-request-id"])}
    return {
        ("to",): (request.method, request.url.scheme, request.url.netloc.decode(), len(segments)),
        **{("path", number): each for number, each in enumerate(segments)},
        **{("query", name): value for name, value in parameters},
        **{("header", name): value for name, value in headers if name not in own},
        **{("body", *place): value for place, value in leaves(json.loads(request.content or b"null"))},
    }


def is_at_home(request: httpx.Request) -> bool:
    """Whether a request goes to the API host, beneath its path, whatever a server makes of encoded slashes."""
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    parts = re.split(r"[/\\]", unquote(path))
    return str(request.url).startswith(f"{AT.api_url}/") and {".", ".."}.isdisjoint(parts)


def check_text(error: OpenPaymentsError, value: object = None) -> None:
    """Checks that a message can be shown, and does not show the value of an argument."""
    text = str(error)
    assert text.isprintable()
    assert len(text) < 4_200  # with method, URL and request id
    if isinstance(value, str) and len(value) >= 8:
        assert value not in text.partition("such as ")[0]  # a rule's own example is no secret
