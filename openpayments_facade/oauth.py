"""The browser's part of an authorisation: the link that the user follows, and the address that they come back to.

Pure: nothing is sent. Sources: facts 10-auth section 3, facts 60-errors-and-flows section 4.4, RFC 6749 section 4.1.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from attrs import field, frozen

from .errors import AuthorisationFailedError, InvalidArgumentError

if TYPE_CHECKING:
    from .environments import Environment

__all__ = ["Callback", "RedirectUrl", "fill_redirect_url", "read_callback", "read_redirect_uri"]

_PLACEHOLDER: Final = re.compile(r"\[([A-Za-z_]+)\]|%5B([A-Za-z_]+)%5D", re.IGNORECASE)


class RedirectUrl(str):
    """The address to send the user's browser to. `state` has to be kept until they come back."""

    __slots__ = ("state",)
    state: str

    def __new__(cls, url: str, state: str) -> RedirectUrl:
        self = super().__new__(cls, url)
        self.state = state
        return self


@frozen
class Callback:
    """What the browser brought back. `code` is None after a plain redirect, which needs no exchange."""

    code: str | None = field(repr=False)
    scope: str | None = None


def read_redirect_uri(value: object) -> str:
    """Checks a redirect URI: absolute, without a fragment. Raises InvalidArgumentError otherwise."""
    problem = "must be an absolute URL without a fragment, whitelisted on the application"
    if not isinstance(value, str) or any(c.isspace() or not c.isprintable() for c in value):
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    try:
        url = urlsplit(value)
    except ValueError:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri") from None
    if not url.scheme or not (url.netloc or url.path) or url.fragment or "#" in value:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    if url.scheme in {"http", "https"} and not url.hostname:
        raise InvalidArgumentError(f"redirect_uri {problem}", argument="redirect_uri")
    return value


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
    elif not isinstance(state, str) or not state:
        raise InvalidArgumentError("state must be a text that nobody can guess", argument="state")
    values = {"CLIENT_ID": client_id, "TPP_REDIRECT_URI": read_redirect_uri(redirect_uri), "TPP_STATE": state}
    found = {(match[1] or match[2]).upper() for match in _PLACEHOLDER.finditer(template)}
    if unknown := found - values.keys():
        raise InvalidArgumentError(f"template has the unknown placeholder [{min(unknown)}]", argument="template")
    if "TPP_STATE" not in found:
        raise InvalidArgumentError(
            "template has no [TPP_STATE]: nobody could tell whose callback comes back", argument="template"
        )
    filled = _PLACEHOLDER.sub(lambda match: quote(values[(match[1] or match[2]).upper()], safe=""), template)
    try:
        url = urljoin(environment.auth_url + "/", filled)
        there, here = urlsplit(url), urlsplit(environment.auth_url)
    except ValueError:
        raise InvalidArgumentError("template must be the link that the API gave", argument="template") from None
    # the netloc as a whole, so that no user name or odd sign in it can make a browser go elsewhere
    if (there.scheme, there.netloc.lower()) != (here.scheme, here.netloc.lower()):
        raise InvalidArgumentError(
            f"template does not lead to the auth host {environment.auth_url}: not followed", argument="template"
        )
    return RedirectUrl(url, state)


def read_callback(url: str, *, state: str, argument: str = "url") -> Callback:
    """Reads the address that the user's browser came back to: a code, or none after a plain redirect.

    Raises InvalidArgumentError if the state is missing or another than `state`, or a parameter is repeated, and
    AuthorisationFailedError if it brings an error (what the provider sends then is undocumented; RFC 6749, section
    4.1.2.1, is assumed).
    """
    if not isinstance(state, str) or not state:
        raise InvalidArgumentError("state must be the one that went out", argument="state")
    try:
        query: Mapping[str, list[str]] = parse_qs(urlsplit(url).query, keep_blank_values=True)
    except (AttributeError, TypeError, ValueError):
        raise InvalidArgumentError(f"{argument} is not a URL", argument=argument) from None
    for name in ("code", "state", "error"):
        if len(query.get(name, [])) > 1:
            raise InvalidArgumentError(f"{argument} has {name} more than once", argument=argument)
    came = query.get("state", [""])[0]
    if not hmac.compare_digest(came.encode(), state.encode()):
        raise InvalidArgumentError(
            f"{argument} has {'another' if came else 'no'} state than the one that went out: not accepted",
            argument=argument,
        )
    if "error" in query:
        code = "".join(filter(str.isprintable, query["error"][0]))[:100]
        description = "".join(filter(str.isprintable, query.get("error_description", [""])[0]))[:300]
        said = f"{code}: {description}" if description else code or "no reason given"
        raise AuthorisationFailedError(f"the authorisation failed ({said})", code=code or None)
    return Callback(query.get("code", [""])[0] or None, query.get("scope", [""])[0] or None)
