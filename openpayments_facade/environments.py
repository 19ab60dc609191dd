"""Sandbox, production and custom hosts. An auth host and an API host always belong together (document 001)."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import quote, urlsplit

from attrs import Attribute, field

from ._attrs import frozen
from ._redaction import masked_url
from .errors import ConfigurationError

__all__ = ["PRODUCTION", "SANDBOX", "SANDBOX_OAUTH", "Environment", "auth_hosts", "is_loopback", "read_environment"]


def is_loopback(host: str | None) -> bool:
    """Whether a host name is this machine: localhost, 127.0.0.0/8 or ::1.

    Args:
        host: The name or the address of a host.

    Returns:
        Whether it is. False for None.
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def encoded(link: str) -> str:
    """A link in which everything that could end it, in a page or a line of text, is percent-encoded."""
    return "".join(c if c.isprintable() and c not in " \"'<>`" else quote(c, errors="replace") for c in link)


def safe_link(value: object) -> str | None:
    """A link from the wire that may stand in a page: by https, or by http to this machine, without a user's name.

    Returns:
        The link, percent-encoded; None for any other value.
    """
    link = value.strip() if isinstance(value, str) else ""
    # browsers leave out line breaks, and take a backslash for a slash
    if "\\" in link or not link.isprintable():
        return None
    try:
        url = urlsplit(link)
        host, _port = url.hostname, url.port
    except ValueError:
        return None
    is_secure = url.scheme == "https" or (url.scheme == "http" and is_loopback(host))
    return encoded(link) if is_secure and host and "@" not in url.netloc else None


def _read_url(value: object) -> str:
    # of anything else the type alone is shown
    return value.rstrip("/") if isinstance(value, str) else type(value).__name__


def _check_url(_: Environment, attribute: Attribute[str], value: str) -> None:
    name = attribute.name
    try:
        url = urlsplit(value)
        host, _port = url.hostname, url.port
    except ValueError:
        raise ConfigurationError(f"{name} is not a URL") from None
    if "@" in url.netloc or "?" in value or "#" in value:
        # the value is not shown: credentials in a URL would end up in a log
        raise ConfigurationError(f"{name} must be a plain https://host without credentials, query or fragment")
    if url.scheme not in {"http", "https"} or not host or any(c.isspace() or not c.isprintable() for c in value):
        raise ConfigurationError(f"{name} must be like https://host, not {masked_url(value)!r}")
    if url.scheme == "http" and not is_loopback(host):
        where = "it is only allowed for this machine (localhost, 127.0.0.0/8, ::1)"
        raise ConfigurationError(
            f"{name} is {masked_url(value)!r}: plain http would expose tokens to the network; {where}"
        )


@frozen
class Environment:
    """A pair of hosts that belong together, with a name.

    Attributes:
        name: A name of your choice.
        auth_url: The auth host, such as `https://auth.example.com`, optionally with a path prefix.
        api_url: The API host, in the same form.

    Raises:
        ConfigurationError: A URL is malformed, has credentials, a query or a fragment, or is plain http to another
            machine.
    """

    name: str
    auth_url: str = field(converter=_read_url, validator=_check_url)
    api_url: str = field(converter=_read_url, validator=_check_url)


SANDBOX = Environment(
    name="sandbox",
    auth_url="https://auth.sandbox.openbankingplatform.com",
    api_url="https://api.sandbox.openbankingplatform.com",
)
"""The provider's sandbox (document 001), the default."""
SANDBOX_OAUTH = Environment(
    name="sandbox-oauth",
    auth_url="https://oauth.sandbox.openbankingplatform.com",
    api_url=SANDBOX.api_url,
)
"""The sandbox with its newer auth host (observed in 2026)."""
PRODUCTION = Environment(
    name="production",
    auth_url="https://auth.openbankingplatform.com",
    api_url="https://api.openbankingplatform.com",
)
"""Real banks. Always to be named; the provider requires a client certificate (the provider's guide of 2021)."""

_BY_NAME: Final = {each.name: each for each in (SANDBOX, SANDBOX_OAUTH, PRODUCTION)}


def auth_hosts(environment: Environment) -> tuple[str, ...]:
    """The URLs of the auth hosts that a link from the API may lead to.

    The sandbox has two (observed in 2026), and no source says which of them its links lead to.
    """
    sandboxes = (SANDBOX.auth_url, SANDBOX_OAUTH.auth_url)
    return sandboxes if is_sandbox(environment) else (environment.auth_url,)


def is_sandbox(environment: Environment) -> bool:
    """Whether it is the provider's sandbox, by either of its auth hosts."""
    return environment.auth_url in (SANDBOX.auth_url, SANDBOX_OAUTH.auth_url)


def read_environment(value: object, *, name: str = "environment") -> Environment:
    """The environment that a setting means.

    Args:
        value: "sandbox", "sandbox-oauth" or "production"; None for the sandbox; or an Environment.
        name: What the message calls the setting.

    Raises:
        ConfigurationError: It is anything else.
    """
    if isinstance(value, Environment):
        return value
    known = SANDBOX.name if value is None else value
    if not isinstance(known, str) or known not in _BY_NAME:
        names = ", ".join(map(repr, _BY_NAME))
        said = repr(masked_url(value)) if isinstance(value, str) else type(value).__name__
        raise ConfigurationError(f"{name} must be {names} or an Environment(...), not {said}")
    return _BY_NAME[known]
