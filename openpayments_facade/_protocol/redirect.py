"""The browser's part of an authorisation: the link that the user follows, and the address that they come back to.

Pure: nothing is sent. Sources: facts 10-auth section 3, facts 60-errors-and-flows section 4.4, RFC 6749 section 4.1.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from attrs import field, frozen

from .._checks import refuse
from .._redaction import Secret, hiding_arguments
from ..errors import AuthorisationFailedError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..environments import Environment

__all__ = ["Callback", "RedirectUrl", "fill_redirect_url", "read_callback", "read_code", "read_redirect_uri"]

_PLACEHOLDER: Final = re.compile(r"\[([A-Za-z_]+)\]|%5B([A-Za-z_]+)%5D", re.IGNORECASE)

_SCRIPTS: Final = {"javascript", "vbscript", "data", "blob", "file", "about"}
_PORTS: Final = {"https": 443, "http": 80}


class RedirectUrl(str):
    """The address to send the user's browser to. `state` has to be kept until they come back."""

    __slots__ = ("state",)
    state: str

    def __new__(cls, url: str, state: str) -> RedirectUrl:
        self = super().__new__(cls, url)
        self.state = state
        return self

    # web sessions copy and pickle what they keep
    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.state


@frozen
class Callback:
    """What the browser brought back. `code` is None after a plain redirect, which needs no exchange."""

    code: str | None = field(repr=False)
    scope: str | None = None


def read_redirect_uri(value: object) -> str:
    """Checks a redirect URI: absolute, without a fragment, nothing that runs as a script. Raises InvalidArgumentError
    otherwise.
    """
    problem = "must be an absolute URL without a fragment, whitelisted on the application"
    if not isinstance(value, str) or any(c.isspace() or not c.isprintable() for c in value):
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    try:
        url = urlsplit(value)
    except ValueError:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri") from None
    if not url.scheme or not (url.netloc or url.path) or "#" in value or url.scheme in _SCRIPTS:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    if url.scheme in {"http", "https"} and not url.hostname:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    return value


@hiding_arguments  # the state is a secret between us and the browser
def fill_redirect_url(
    template: str, *, environment: Environment, client_id: str, redirect_uri: str, state: str | None = None
) -> RedirectUrl:
    """Fills the placeholders of a link that the API gave (`_links.scaOAuth` or `_links.scaRedirect`).

    Without a `state` an unguessable one is made. Raises InvalidArgumentError, which names the argument, if the link is
    not on the environment's auth host, has no place for the state, or has a placeholder that nobody knows.
    """
    if not isinstance(template, str) or any(c.isspace() or not c.isprintable() or c == "\\" for c in template):
        raise InvalidArgumentError("template must be the link that the API gave", argument="template")
    if state is None:
        state = secrets.token_urlsafe()
    elif not isinstance(state, str) or not state or not Secret(state).is_text:
        raise InvalidArgumentError("state must be a text that nobody can guess", argument="state")
    values = {"CLIENT_ID": client_id, "TPP_REDIRECT_URI": read_redirect_uri(redirect_uri), "TPP_STATE": state}
    found = {(match[1] or match[2]).upper() for match in _PLACEHOLDER.finditer(template)}
    if unknown := found - values.keys():
        raise InvalidArgumentError(f"template has the unknown placeholder [{min(unknown)}]", argument="template")
    # a browser keeps a fragment to itself
    if not any(
        (match[1] or match[2]).upper() == "TPP_STATE" for match in _PLACEHOLDER.finditer(template.split("#")[0])
    ):
        raise InvalidArgumentError(
            "template has no [TPP_STATE]: nobody could tell whose callback comes back", argument="template"
        )
    filled = _PLACEHOLDER.sub(lambda match: quote(values[(match[1] or match[2]).upper()], safe=""), template)
    try:
        url = urljoin(environment.auth_url + "/", filled)
        there, here = _origin(url), _origin(environment.auth_url)
    except ValueError:
        raise InvalidArgumentError("template must be the link that the API gave", argument="template") from None
    if there != here:
        raise InvalidArgumentError(
            f"template does not lead to the auth host {environment.auth_url}: not followed", argument="template"
        )
    return RedirectUrl(url, state)


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port. Raises ValueError if it is no URL."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    # the rest of the netloc as a whole, so that no user name or odd sign in it can make a browser go elsewhere
    host = parts.netloc.lower().removesuffix(f":{parts.port}")
    return parts.scheme, host, port


def read_code(code: object) -> Secret | InvalidArgumentError:
    """Checks a code; what is wrong with it is returned, so that no frame of the refusal shows it."""
    if not isinstance(code, str) or not code or not code.isprintable():
        return refuse("code", "must be a string without line breaks")
    return Secret(code)


def read_callback(url: str, *, state: str, argument: str = "url") -> Callback:
    """Reads the address that the user's browser came back to: a code, or none after a plain redirect.

    Raises InvalidArgumentError if the state is missing or another than `state`, or a parameter is repeated, and
    AuthorisationFailedError if it brings an error (what the provider sends then is undocumented; RFC 6749, section
    4.1.2.1, is assumed).
    """
    outcome = _read_callback(url, state, argument)
    del url, state  # no frame that an error leads to shall show them: the code is among them
    if isinstance(outcome, Callback):
        return outcome
    raise outcome


def _read_callback(url: str, state: str, argument: str) -> Callback | InvalidArgumentError | AuthorisationFailedError:
    def refusal(problem: str) -> InvalidArgumentError:
        return InvalidArgumentError(f"{argument} {problem}", argument=argument)

    if not isinstance(state, str) or not state or not Secret(state).is_text:
        return InvalidArgumentError("state must be the one that went out", argument="state")
    if not isinstance(url, str):
        return refusal(f"must be a text, such as str(request.url), not {type(url).__name__}")
    if not Secret(url).is_text:
        return refusal("is not a URL")
    try:
        query: Mapping[str, list[str]] = parse_qs(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        return refusal("is not a URL")
    for name in ("code", "state", "error"):
        if len(query.get(name, [])) > 1:
            return refusal(f"has {name} more than once")
    came = query.get("state", [""])[0]
    code = "".join(filter(str.isprintable, query.get("error", [""])[0]))[:100]
    if not came:
        return refusal(f"has no state{code and f', but the error {code}'}: not accepted")
    if not hmac.compare_digest(came.encode(), state.encode()):
        return refusal("has another state than the one that went out: not accepted")
    if "error" in query:
        description = "".join(filter(str.isprintable, query.get("error_description", [""])[0]))[:300]
        said = f"{code}: {description}" if description else code or "no reason given"
        return AuthorisationFailedError(f"the authorisation failed ({said})", code=code or None)
    return Callback(query.get("code", [""])[0] or None, query.get("scope", [""])[0] or None)
