"""What the pages of the auth host look like."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

from starlette.responses import HTMLResponse, Response

__all__ = ["show_message", "show_page"]

_STYLE: Final = """
:root { color-scheme: light dark; --ground: #eef1f6; --surface: #fff; --ink: #161d2b; --quiet: #55607a; --line: #dbe1ec;
  --brand: #23408e; --on-brand: #fff }
@media (prefers-color-scheme: dark) { :root { --ground: #0d111a; --surface: #161c29; --ink: #e9edf6; --quiet: #a6b0c6;
  --line: #2a3346; --brand: #a9bffb; --on-brand: #0d1530 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
header { padding: 1rem; background: var(--surface); border-bottom: 1px solid var(--line); color: var(--quiet);
  font-size: .875rem; text-align: center }
main { width: 100%; max-width: 32rem; margin: clamp(1rem, 6vh, 4rem) auto; padding: clamp(1.25rem, 5vw, 2.25rem);
  background: var(--surface); border: 1px solid var(--line); border-radius: 1.125rem }
h1 { margin: 0 0 .75rem; font-size: 1.625rem; line-height: 1.2; letter-spacing: -.02em }
p { margin: 0 0 1.25rem }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 }
button { flex: 1 1 9rem; min-height: 3rem; padding: .5rem 1.5rem; border: 1px solid var(--brand); border-radius: .75rem;
  background: var(--brand); color: var(--on-brand); font: inherit; font-weight: 600; cursor: pointer }
button[value=decline] { background: none; color: var(--brand) }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 3px }
small { color: var(--quiet); font-size: .875rem }
main > :last-child { margin-bottom: 0 }
@media (max-width: 34rem) { main { margin-block: 0; border-width: 0 0 1px; border-radius: 0 } }
"""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>Simulator of Open Payments</header>
<main>
<h1>{title}</h1>
{body}
</main>
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
