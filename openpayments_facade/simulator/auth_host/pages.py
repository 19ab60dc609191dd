"""What the pages of the auth host look like."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from starlette.responses import HTMLResponse, Response

__all__ = ["show_message", "show_page"]

_STYLE: Final = """
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }
button { font: inherit; padding: .5rem 1.5rem; margin-right: 1rem }
"""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


# Browsers hold form-action against the redirects that follow a form, too, here to the application and on from there.
_HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
        "form-action http: https:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # with no-referrer the page's own form would come with `Origin: null` (Fetch standard)
    "Referrer-Policy": "same-origin",
}


def show_page(title: str, markup: str, *, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), style=_STYLE, body=markup), status, _HEADERS)


def show_message(title: str, text: str, *, status: int = 200) -> Response:
    return show_page(title, f"<p>{escape(text)}</p>", status=status)
