"""The browser's part of an authorisation: the link that the user follows, and the address they come back to.

Pure: sends nothing. Sources: the provider's guide of 2021; RFC 6749, section 4.1.
"""

from __future__ import annotations

import hmac
import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from attrs import field

from .._attrs import frozen
from .._checks import refuse
from .._redaction import Secret, hiding_arguments, quoted, scrubber
from ..environments import auth_hosts, encoded, safe_link
from ..errors import AuthorisationFailedError, CallbackRejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..environments import Environment

TRYING_AGAIN_HELPS: Final = {
    "USER_CANCEL": True,
    "AUTHENTICATION_SESSION_EXPIRED": True,
    "BANKID_NOT_ACTIVATED": False,
    "PSU_RIGHTS_MISSING": False,
}
_PLACEHOLDER: Final = re.compile(r"\[([A-Za-z_]+)\]|%5B([A-Za-z_]+)%5D", re.IGNORECASE)

_SECRET: Final = 8
"""The number of characters from which on a code or a state is masked in texts; shorter ones are parts of words."""
_SCRIPTS: Final = {"javascript", "vbscript", "data", "blob", "file", "about"}
_PORTS: Final = {"https": 443, "http": 80}


class RedirectUrl(str):
    """The address to send the user's browser to: a string with the attributes `state` and `is_elsewhere`.

    Attributes:
        state: The unguessable string that comes back with the browser. Keep it in the user's session until then.
        is_elsewhere: Whether it leads to another host than the provider's, or has no place for the state, as only a
            plain link may: see `Authorisation.redirect_url`.
    """

    __slots__ = ("is_elsewhere", "state")
    state: str
    is_elsewhere: bool

    def __new__(cls, url: str, state: str, is_elsewhere: bool = False) -> RedirectUrl:
        self = super().__new__(cls, url)
        self.state, self.is_elsewhere = state, is_elsewhere
        return self

    # web sessions copy and pickle their values
    def __getnewargs__(self) -> tuple[str, str, bool]:  # type: ignore[override]
        return str(self), self.state, self.is_elsewhere


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


def is_metadata(link: str) -> bool:
    """Whether a link leads to an OAuth server's metadata, which is no page (RFC 8414)."""
    return "/.well-known/" in re.split("[?#]", link)[0]


def _is_plain(text: str) -> bool:
    return not any(c.isspace() or not c.isprintable() for c in text)


def _placeholders(template: str) -> set[str]:
    return {_name(match) for match in _PLACEHOLDER.finditer(template)}


def _name(placeholder: re.Match[str]) -> str:
    return (placeholder[1] or placeholder[2]).upper()


_blame_template = partial(refuse, "template")


@hiding_arguments  # the state is a secret
def fill_redirect_url(
    template: str,
    *,
    environment: Environment,
    client_id: str,
    redirect_uri: str,
    state: str | None = None,
    allow_elsewhere: bool | None = None,
    bic_fi: str | None = None,
    blame: Callable[[str], Exception] = _blame_template,
) -> RedirectUrl:
    """Fills the placeholders of the API's link (`_links.scaOAuth` or `_links.scaRedirect`).

    Without a `state` it makes an unguessable one; `bic_fi` is that of the bank, if it is known. Raises what `blame`
    makes of a problem if the link leads to no auth host of the environment, has no placeholder for the state, or has an
    unknown placeholder. With `allow_elsewhere` it may lead to any host by https, and needs no placeholders; None says
    that it never may. Raises InvalidArgumentError about the other arguments.
    """
    if state is None:
        state = secrets.token_urlsafe()
    elif not _is_state(state):
        raise refuse("state", "must be an unguessable string")
    values = {"CLIENT_ID": client_id, "TPP_REDIRECT_URI": read_redirect_uri(redirect_uri), "TPP_STATE": state}
    if bic_fi is not None:
        values["BICFI"] = bic_fi
    # what banks leave unencoded, or encode for HTML
    template = template.strip().replace(" ", "%20").replace("&amp;", "&") if isinstance(template, str) else ""
    if not template or not _is_plain(template) or "\\" in template:
        raise blame("is not a link from the API")
    found = _placeholders(template)

    def fill(match: re.Match[str]) -> str:
        return quote(values[name], safe="") if (name := _name(match)) in values else match[0]

    if is_metadata(template):
        raise blame("is the address of an OAuth server's metadata, which is no page")
    hosts = auth_hosts(environment)
    try:
        url = urljoin(environment.auth_url + "/", _PLACEHOLDER.sub(fill, template))
        is_elsewhere = origin(url) not in map(origin, hosts)
    except ValueError:
        raise blame("is not a link from the API") from None
    if is_elsewhere and not allow_elsewhere:
        advice = "" if allow_elsewhere is None else "; redirect_url(..., allow_elsewhere=True) gives it all the same"
        raise blame(f"does not lead to the auth host {' or '.join(hosts)}, so it is not followed{advice}")
    if is_elsewhere and safe_link(url) is None:
        raise blame("does not lead to a host by https, or names a user, so it is not followed")
    if not is_elsewhere and (unknown := found - values.keys()):
        raise blame(f"has the unknown placeholder [{min(unknown)}]")
    # a browser does not send fragments
    has_state = "TPP_STATE" in _placeholders(template.split("#")[0])
    if not has_state and not allow_elsewhere:
        raise blame("has no placeholder [TPP_STATE], so the callback could not be matched to its user")
    return RedirectUrl(encoded(url), state, is_elsewhere or not has_state)


def _is_state(state: object) -> bool:
    return isinstance(state, str) and state != "" and Secret(state).is_text


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL. Raises ValueError if it is not a URL."""
    parts = urlsplit(url)
    # the whole netloc but the port, so that no user name or special character can send a browser elsewhere
    host = parts.netloc.lower().removesuffix(f":{parts.port}")
    return parts.scheme, host, parts.port or _PORTS.get(parts.scheme)


def read_code(code: object) -> Secret:
    """Checks a code. Raises InvalidArgumentError."""
    if not isinstance(code, str) or not code or not code.isprintable():
        raise refuse("code", "must be a non-empty string without line breaks")
    return Secret(code)


@hiding_arguments  # the URL contains the code
def read_callback(url: str, *, state: str, argument: str = "url", **about: Any) -> Callback:
    """Reads the address that the user's browser came back to: a code, or none after a plain redirect.

    `about` are attributes of the errors. Raises InvalidArgumentError if it is no string, CallbackRejectedError if it is
    no URL, its state is missing or differs from `state`, or a parameter is repeated, and AuthorisationFailedError if it
    reports an error (RFC 6749, section 4.1.2.1; the provider documents none) or its code can't be used.
    """
    if not _is_state(state):
        raise refuse("state", "must be the state of the redirect URL")
    if not isinstance(url, str):
        raise refuse(argument, f"must be a string, such as str(request.url), not {type(url).__name__}")
    try:
        query = read_query(urlsplit(url).query) if Secret(url).is_text else None
    except ValueError:
        query = None
    if query is None:
        raise _rejected("is not a URL", about)
    if repeated := [name for name in ("code", "state", "error") if len(query.get(name, [])) > 1]:
        raise _rejected(f"has {repeated[0]} more than once", about)
    found = {name: values[0] for name, values in query.items()}
    came, code = found.get("state"), found.get("code")
    scrub = scrubber(*(Secret(each) for each in (code, came, state) if each and len(each) >= _SECRET))
    error, text = (quoted(found.get(name), scrub, 300) for name in ("error", "error_description"))
    said = ": ".join(filter(None, (error, text)))
    if not came:
        raise _rejected(f"has no state{said and f', but the error {said}'}", about)
    if not hmac.compare_digest(came.encode(), state.encode()):
        raise _rejected("has a different state than the redirect URL", about)
    if error or (text and not code):
        # OAuth's own codes don't tell whether the user declined or may not approve
        helps = next((helps for name, helps in TRYING_AGAIN_HELPS.items() if name in said), None)
        said = f"the authorisation failed ({said})"
        raise AuthorisationFailedError(said, code=error, text=text, trying_again_helps=helps, **about)
    if code and not code.isprintable():
        raise AuthorisationFailedError("the callback has a code that can't be used", **about)
    return Callback(code or None, found.get("scope") or None)


def read_query(query: str) -> dict[str, list[str]]:
    """The parameters of a callback: their names in small letters, also if its `&` were encoded for HTML."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name.lower().removeprefix("amp;"), []).append(value)
    return found


def _rejected(problem: str, about: dict[str, Any]) -> CallbackRejectedError:
    said = f"the callback {problem}, so it is not accepted: it may be old or forged"
    return CallbackRejectedError(f"{said}, and the authorisation itself may still go on", **about)
