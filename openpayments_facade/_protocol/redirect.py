"""The browser's part of an authorisation: the link that the user follows, and the address they come back to.

Pure: sends nothing. Sources: the provider's guide of 2021; RFC 6749, section 4.1.
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from attrs import field, frozen

from .._checks import refuse
from .._redaction import Secret, hiding_arguments, printable
from ..environments import auth_hosts
from ..errors import AuthorisationFailedError, InvalidArgumentError

if TYPE_CHECKING:
    from ..environments import Environment

_PLACEHOLDER: Final = re.compile(r"\[([A-Za-z_]+)\]|%5B([A-Za-z_]+)%5D", re.IGNORECASE)

_SCRIPTS: Final = {"javascript", "vbscript", "data", "blob", "file", "about"}
_PORTS: Final = {"https": 443, "http": 80}


class RedirectUrl(str):
    """The address to send the user's browser to: a string with the attribute `state`.

    Attributes:
        state: The unguessable string that comes back with the browser. Keep it in the user's session until then.
    """

    __slots__ = ("state",)
    state: str

    def __new__(cls, url: str, state: str) -> RedirectUrl:
        self = super().__new__(cls, url)
        self.state = state
        return self

    # web sessions copy and pickle their values
    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.state


@frozen
class Callback:
    """What the browser brought back.

    Attributes:
        code: The code to exchange; None after a plain redirect, which needs no exchange.
        scope: The scope that the code is for; None if the callback has none.
    """

    code: str | None = field(repr=False)
    scope: str | None = None


def read_redirect_uri(value: object) -> str:
    """Checks a redirect URI: it must be absolute, without a fragment, and not run as a script.

    Raises InvalidArgumentError.
    """
    try:
        url = urlsplit(value) if isinstance(value, str) and _is_plain(value) and "#" not in value else urlsplit("")
    except ValueError:
        url = urlsplit("")
    has_host = bool(url.hostname) if url.scheme in _PORTS else bool(url.netloc or url.path)
    if not url.scheme or not has_host or url.scheme in _SCRIPTS:
        raise refuse("redirect_uri", "must be an absolute URL without a fragment, whitelisted on the application")
    return str(value)


def _is_plain(text: str) -> bool:
    return not any(c.isspace() or not c.isprintable() for c in text)


def _placeholders(template: str) -> set[str]:
    return {(match[1] or match[2]).upper() for match in _PLACEHOLDER.finditer(template)}


@hiding_arguments  # the state is a secret
def fill_redirect_url(
    template: str, *, environment: Environment, client_id: str, redirect_uri: str, state: str | None = None
) -> RedirectUrl:
    """Fills the placeholders of the API's link (`_links.scaOAuth` or `_links.scaRedirect`).

    Without a `state` it makes an unguessable one. Raises InvalidArgumentError, whose message names the argument, if the
    link leads to no auth host of the environment, has no placeholder for the state, or has an unknown placeholder.
    """
    if not isinstance(template, str) or not _is_plain(template) or "\\" in template:
        raise refuse("template", "must be a link from the API")
    if state is None:
        state = secrets.token_urlsafe()
    elif not _is_state(state):
        raise refuse("state", "must be an unguessable string")
    values = {"CLIENT_ID": client_id, "TPP_REDIRECT_URI": read_redirect_uri(redirect_uri), "TPP_STATE": state}
    if unknown := _placeholders(template) - values.keys():
        raise refuse("template", f"has the unknown placeholder [{min(unknown)}]")
    # a browser does not send fragments
    if "TPP_STATE" not in _placeholders(template.split("#")[0]):
        raise refuse("template", "has no placeholder [TPP_STATE], so the callback could not be matched to its user")
    filled = _PLACEHOLDER.sub(lambda match: quote(values[(match[1] or match[2]).upper()], safe=""), template)
    hosts = auth_hosts(environment)
    try:
        url = urljoin(environment.auth_url + "/", filled)
        is_there = origin(url) in map(origin, hosts)
    except ValueError:
        raise refuse("template", "must be a link from the API") from None
    if not is_there:
        raise refuse("template", f"does not lead to the auth host {' or '.join(hosts)}, so it is not followed")
    return RedirectUrl(url, state)


def _is_state(state: object) -> bool:
    return isinstance(state, str) and state != "" and Secret(state).is_text


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL. Raises ValueError if it is not a URL."""
    parts = urlsplit(url)
    # the whole netloc but the port, so that no user name or special character can send a browser elsewhere
    host = parts.netloc.lower().removesuffix(f":{parts.port}")
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme)


def read_code(code: object) -> Secret | InvalidArgumentError:
    """Checks a code. Returns the error instead of raising it, so that no traceback shows the code."""
    if not isinstance(code, str) or not code or not code.isprintable():
        return refuse("code", "must be a non-empty string without line breaks")
    return Secret(code)


@hiding_arguments  # the URL contains the code
def read_callback(url: str, *, state: str, argument: str = "url") -> Callback:
    """Reads the address that the user's browser came back to: a code, or none after a plain redirect.

    Raises InvalidArgumentError if its state is missing or differs from `state`, or a parameter is repeated, and
    AuthorisationFailedError if it reports an error (RFC 6749, section 4.1.2.1; the provider documents none).
    """
    if not _is_state(state):
        raise refuse("state", "must be the state of the redirect URL")
    if not isinstance(url, str):
        raise refuse(argument, f"must be a string, such as str(request.url), not {type(url).__name__}")
    try:
        query = parse_qs(urlsplit(url).query, keep_blank_values=True) if Secret(url).is_text else None
    except ValueError:
        query = None
    if query is None:
        raise refuse(argument, "is not a URL")
    if repeated := [name for name in ("code", "state", "error") if len(query.get(name, [])) > 1]:
        raise refuse(argument, f"has {repeated[0]} more than once")
    found = {name: values[0] for name, values in query.items()}
    error = printable(found.get("error", ""))[:100]
    came = found.get("state")
    if not came:
        raise refuse(argument, f"has no state{error and f', but the error {error}'}, so it is not accepted")
    if not hmac.compare_digest(came.encode(), state.encode()):
        raise refuse(argument, "has a different state than the redirect URL, so it is not accepted")
    if "error" in found:
        said = ": ".join(filter(None, (error, printable(found.get("error_description", ""))[:300])))
        raise AuthorisationFailedError(f"the authorisation failed ({said or 'no reason given'})", code=error or None)
    return Callback(found.get("code") or None, found.get("scope") or None)
