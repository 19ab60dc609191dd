"""What the pages of the auth host look like."""

from __future__ import annotations

from html import escape
from typing import Final

from starlette.responses import HTMLResponse, Response

__all__ = ["show_message", "show_page"]

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: 1rem }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def show_page(title: str, markup: str) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=markup))


def show_message(title: str, text: str, *, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=f"<p>{escape(text)}</p>"), status)
