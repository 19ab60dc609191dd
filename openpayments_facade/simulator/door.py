"""Who may come in: no web page but the simulator's own, and no body without an end.

A page of somebody else in a browser on this machine can send requests to loopback, and by DNS rebinding it could read
the answers. So a request needs the simulator's own `Host`: 127.0.0.1, localhost or ::1, with any port, since a browser
can't reach one port and name another. With a certificate it may have any name, because then the browser has compared
the name with the certificate. A proxy in front has to pass on such a
`Host`, too, as the browser sent it.

A browser says where a request comes from in `Origin` and `Sec-Fetch-Site` (Fetch standard; Fetch Metadata). What is not
from a page of the same origin is refused, but for opening a page as the whole of a tab, as a redirect of the
application does. A POST to the control path needs a Content-Type that a foreign page can't send without asking, and
nobody answers such a question: there is no CORS header anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["BodyTooLong", "read_body", "refusal", "turn_away"]

_OWN_NAMES = {"127.0.0.1", "localhost", "::1"}
_LONGEST_BODY = 1024 * 1024


class BodyTooLong(Exception):
    """It has more than 1 MiB."""

    def response(self) -> Response:
        return refusal("the simulator reads 1 MiB of a body at most", 413)


def refusal(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer for people, as a line of its own in a terminal."""
    return PlainTextResponse(f"{text}\n", status, headers)


async def read_body(request: Request) -> bytes:
    """The whole body. Raises BodyTooLong, or ClientDisconnect."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise BodyTooLong
    return bytes(body)


def turn_away(request: Request, *, control: bool) -> Response | None:
    """The answer to somebody who may not come in. `control` says whether it is about the control path."""
    headers, scheme = request.headers, request.scope["scheme"]
    host = headers.get("host", "")
    if scheme == "http" and _name(host) not in _OWN_NAMES:
        return refusal("the simulator answers only requests whose Host is 127.0.0.1 or localhost", 421)
    if _opens_a_page(request) and not control:
        return None
    strange = headers.get("origin", f"{scheme}://{host}").lower() != f"{scheme}://{host}".lower()
    if strange or headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return refusal("the simulator answers no requests of other web pages", 403)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if control and request.method == "POST" and media_type != "application/json":
        return refusal("a POST to the simulator needs Content-Type: application/json, even if it is empty", 415)
    return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _opens_a_page(request: Request) -> bool:
    """As the whole of a tab, not in a frame."""
    headers = request.headers
    shown = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
    return shown and request.method == "GET"
