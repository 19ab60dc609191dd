"""What every request passes: its X-Request-ID, where it comes from, how long it is; and the headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from openpayments_facade import InvalidArgumentError, request_ids

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_FORM = 16 * 1024
"""The bytes that a form may have."""

HEADERS = {
    # no script, style or frame but our own; pictures also from banks (logos) and in the page (QR codes).
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # pages have accounts and payments: no cache keeps them
    "Cache-Control": "no-store",
}


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with request_ids.pass_on(_request_id(headers)) as request_id:
            scope.setdefault("state", {})["request_id"] = request_id
            is_static = scope["path"].startswith("/static/")

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    sent = MutableHeaders(scope=message)
                    sent["X-Request-ID"] = request_id
                    for name, value in HEADERS.items():
                        if not (is_static and name == "Cache-Control"):
                            sent[name] = value
                await send(message)

            await _handle(self._app, scope, headers, receive, answer)


async def _handle(app: ASGIApp, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
    if scope["method"] in {"GET", "HEAD"}:
        await app(scope, receive, send)
    elif headers.get("origin") != f"{scope['scheme']}://{headers.get('host')}":
        # a browser names the page that a form stands on; a page of somebody else can't send forms in the user's name
        await PlainTextResponse("This form was not sent by our own page.", 403)(scope, receive, send)
    else:
        body = await _read(receive)
        if body is None:
            await PlainTextResponse("This form is too long.", 413)(scope, receive, send)
            return

        async def read() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await app(scope, read, send)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if it is too long, or never came."""
    body = bytearray()
    while len(body) <= LONGEST_FORM:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)
    return None


def _request_id(headers: Headers) -> str:
    """The id of the request that we serve, so that one id leads through all logs; else a new one."""
    try:
        return request_ids.read_request_id(headers.get("x-request-id", ""))
    except InvalidArgumentError:
        return request_ids.new_request_id()
