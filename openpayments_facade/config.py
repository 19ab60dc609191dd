"""Settings of a client: arguments of the constructor, or environment variables. Each variable is named here only."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict

from attrs import evolve, field, frozen

from .environments import SANDBOX, Environment, read_environment
from .errors import ConfigurationError, InvalidArgumentError
from .request_ids import read_request_id
from .scopes import ApiScope, PsuContext, read_api_scopes, read_psu_context
from .secret import Secret

if TYPE_CHECKING:
    import ssl
    import uuid

    import httpx

    from .tokens import OnTokenEvent, TokenStore

__all__ = [
    "CallOptions",
    "ClientCert",
    "ClientOptions",
    "Options",
    "Settings",
    "merge_headers",
    "read_seconds",
    "settings_from_env",
]

CLIENT_ID: Final = "OPENPAYMENTS_CLIENT_ID"
CLIENT_SECRET: Final = "OPENPAYMENTS_CLIENT_SECRET"  # noqa: S105 - the name of the variable
ENVIRONMENT: Final = "OPENPAYMENTS_ENVIRONMENT"
AUTH_URL: Final = "OPENPAYMENTS_AUTH_URL"
API_URL: Final = "OPENPAYMENTS_API_URL"
API_SCOPES: Final = "OPENPAYMENTS_API_SCOPES"
PSU_CONTEXT: Final = "OPENPAYMENTS_PSU_CONTEXT"
CLIENT_CERT: Final = "OPENPAYMENTS_CLIENT_CERT"
CLIENT_KEY: Final = "OPENPAYMENTS_CLIENT_KEY"
CLIENT_KEY_PASSWORD: Final = "OPENPAYMENTS_CLIENT_KEY_PASSWORD"  # noqa: S105 - the name of the variable
TOKEN_STORE: Final = "OPENPAYMENTS_TOKEN_STORE"  # noqa: S105 - the name of the variable
# the user, for the command line alone
PSU_ID: Final = "OPENPAYMENTS_PSU_ID"
PSU_CORPORATE_ID: Final = "OPENPAYMENTS_PSU_CORPORATE_ID"
PSU_IP: Final = "OPENPAYMENTS_PSU_IP"

_Path = str | os.PathLike[str]
ClientCert = _Path | tuple[_Path, _Path] | tuple[_Path, _Path, str]
"""A PEM file with certificate and key, or (certificate, key), or (certificate, key, password of the key)."""


class CallOptions(TypedDict, total=False):
    """What `with_options(...)` takes."""

    timeout: float | httpx.Timeout
    total_timeout: float
    max_retries: int
    psu_context: PsuContext | str | None
    request_id: str | uuid.UUID
    headers: Mapping[str, str]


class ClientOptions(TypedDict, total=False):
    """What a client's constructor takes, and `from_env(...)` as overrides."""

    client_id: str
    client_secret: str
    environment: Environment | str
    api_scopes: list[ApiScope] | tuple[ApiScope, ...] | list[str] | tuple[str, ...]
    psu_context: PsuContext | str | None
    timeout: float | httpx.Timeout
    total_timeout: float
    max_retries: int
    limits: httpx.Limits
    proxy: str | httpx.Proxy
    verify: str | os.PathLike[str] | ssl.SSLContext
    client_cert: ClientCert
    transport: Any
    token_store: TokenStore | str | None
    on_token_event: OnTokenEvent | None


_RESERVED_HEADERS = {
    "authorization",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
}


_MOST_SECONDS: Final = 2_000_000
"""Sockets and locks overflow at a little more."""


def read_seconds(value: object, argument: str) -> float:
    """A time limit. Raises InvalidArgumentError, which names the argument, unless it is a number above 0 and not beyond
    what a socket can wait (23 days).
    """
    # NaN compares as False
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST_SECONDS:
        # Python refuses to write down a very long number
        said = "so much" if isinstance(value, int) and abs(value) > _MOST_SECONDS else repr(value)
        raise InvalidArgumentError(
            f"{argument} must be a number of seconds above 0, {_MOST_SECONDS} at most, not {said}", argument=argument
        )
    return float(value)


def _read_headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError("headers must be a mapping of names to values", argument="headers")
    for name, content in value.items():
        if not isinstance(name, str) or not isinstance(content, str):
            raise InvalidArgumentError(f"headers: name and value of {name!r} must be strings", argument="headers")
        if name.lower() in _RESERVED_HEADERS:
            advice = "; use request_id=..." if name.lower() == "x-request-id" else ""
            raise InvalidArgumentError(f"headers must not replace {name}{advice}", argument="headers")
        if not name or not all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name) or not name.isascii():
            raise InvalidArgumentError(f"headers: {name!r} is not a header name", argument="headers")
        if not all(c == "\t" or " " <= c <= "~" for c in content):
            raise InvalidArgumentError(
                f"headers: the value of {name} may only have printable ASCII", argument="headers"
            )
    return dict(value)


def merge_headers(headers: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """Headers with others over them: a name is the same in any case, and its last value counts."""
    merged = {name.lower(): (name, value) for each in (headers, over) for name, value in each.items()}
    return dict(merged.values())


@frozen(kw_only=True)
class Options:
    """How a call is made; checked when made."""

    timeout: httpx.Timeout
    total_timeout: float
    max_retries: int
    psu_context: PsuContext | None
    request_id: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    @classmethod
    def read(cls, *, timeout: object, total_timeout: object, max_retries: object, psu_context: object) -> Options:
        """Checks a client's own options. Raises InvalidArgumentError, which names the argument."""
        return cls(
            timeout=_read_timeout(timeout),
            total_timeout=read_seconds(total_timeout, "total_timeout"),
            max_retries=_read_max_retries(max_retries),
            psu_context=read_psu_context(psu_context),
        )

    def but(self, **changes: Any) -> Options:
        """These options with some changed. Raises InvalidArgumentError, which names the argument."""
        readers: dict[str, Callable[[Any], Any]] = {
            "timeout": _read_timeout,
            "total_timeout": lambda value: read_seconds(value, "total_timeout"),
            "max_retries": _read_max_retries,
            "psu_context": read_psu_context,
            "request_id": read_request_id,
            "headers": lambda value: merge_headers(self.headers, _read_headers(value)),
        }
        if unknown := changes.keys() - readers.keys():
            name = min(unknown)
            raise InvalidArgumentError(f"{name} is no option; there are {', '.join(readers)}", argument=name)
        return evolve(self, **{name: readers[name](value) for name, value in changes.items()})


def _read_timeout(value: object) -> httpx.Timeout:
    import httpx

    if not isinstance(value, httpx.Timeout):
        return httpx.Timeout(read_seconds(value, "timeout"))
    for limit in value.as_dict().values():
        if limit is not None:
            read_seconds(limit, "timeout")
    return value


def _read_max_retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number from 0, not {value!r}", argument="max_retries")
    return value


def _read_text(value: object, argument: str) -> str:
    if not isinstance(value, str) or not value or not value.isprintable() or value != value.strip():
        # the value is not shown: it may be the secret
        raise InvalidArgumentError(
            f"{argument} must be a text without line breaks or blanks around it", argument=argument
        )
    return value


@frozen(kw_only=True)
class Settings:
    """Everything that a client was made with; checked when made."""

    client_id: str
    client_secret: Secret
    environment: Environment
    api_scopes: tuple[ApiScope, ...]
    limits: httpx.Limits | None = None
    proxy: str | httpx.Proxy | None = field(default=None, repr=False)  # may carry a password
    verify: str | os.PathLike[str] | ssl.SSLContext | None = None
    client_cert: ClientCert | None = field(default=None, repr=False)  # may carry a password
    transport: Any = None
    token_store: TokenStore | None = field(default=None, repr=False)  # may carry a password
    on_token_event: OnTokenEvent | None = None

    @classmethod
    def read(
        cls,
        *,
        client_id: object,
        client_secret: object,
        environment: object,
        api_scopes: object,
        token_store: object,
        on_token_event: Any,
        **connection: Any,
    ) -> Settings:
        """Checks the arguments. Raises InvalidArgumentError or ConfigurationError, which name the argument."""
        from .tokens import open_store

        if on_token_event is not None and not callable(on_token_event):
            raise InvalidArgumentError("on_token_event must be callable", argument="on_token_event")
        return cls(
            client_id=_read_text(client_id, "client_id"),
            client_secret=Secret(_read_text(client_secret, "client_secret")),
            environment=SANDBOX if environment is None else read_environment(environment),
            api_scopes=(ApiScope.ASPSP_INFORMATION,) if api_scopes is None else read_api_scopes(api_scopes),
            token_store=open_store(token_store),
            on_token_event=on_token_event,
            **connection,
        )


def settings_from_env(overrides: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The constructor's arguments from environment variables; `overrides` win, an empty variable counts as absent.

    Raises ConfigurationError, which names the variables that are missing or contradict each other.
    """
    # files and shells leave line breaks and blanks at the ends; a password may have blanks of its own
    found = {
        name: value.strip("\r\n" if name == CLIENT_KEY_PASSWORD else None)
        for name, value in environ.items()
        if name.startswith("OPENPAYMENTS_") and value.strip()
    }
    arguments: dict[str, Any] = {}
    missing = []
    for argument, variable in (("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)):
        if variable in found:
            arguments[argument] = found[variable]
        elif argument not in overrides:
            missing.append(variable)
    if missing:
        raise ConfigurationError(
            f"set {' and '.join(missing)}; the credentials are shown once when you create an application in the "
            "Developer Portal (https://developer.openpayments.io)"
        )
    if "environment" not in overrides and (environment := _environment(found)):
        arguments["environment"] = environment
    if "api_scopes" not in overrides and API_SCOPES in found:
        arguments["api_scopes"] = _naming(API_SCOPES, read_api_scopes, found[API_SCOPES].split())
    if "psu_context" not in overrides and PSU_CONTEXT in found:
        given = None if found[PSU_CONTEXT] == "none" else found[PSU_CONTEXT]
        arguments["psu_context"] = _naming(PSU_CONTEXT, read_psu_context, given)
    if "client_cert" not in overrides and (cert := _client_cert(found)):
        arguments["client_cert"] = cert
    if "token_store" not in overrides and TOKEN_STORE in found:
        from .tokens import open_store

        arguments["token_store"] = open_store(found[TOKEN_STORE], argument=TOKEN_STORE)
    return {**arguments, **overrides}


def _naming(variable: str, read: Callable[..., Any], value: object) -> Any:
    try:
        return read(value, argument=variable)
    except InvalidArgumentError as error:
        raise ConfigurationError(str(error)) from None


def _environment(found: Mapping[str, str]) -> Environment | None:
    urls = [variable for variable in (AUTH_URL, API_URL) if variable in found]
    if ENVIRONMENT in found:
        if urls:
            raise ConfigurationError(
                f"{ENVIRONMENT} and {' and '.join(urls)} contradict each other: set one or the other"
            )
        return read_environment(found[ENVIRONMENT], name=ENVIRONMENT)
    if not urls:
        return None
    if len(urls) == 1:
        other = API_URL if urls == [AUTH_URL] else AUTH_URL
        raise ConfigurationError(f"{urls[0]} is set but {other} is not: auth host and API host travel together")
    try:
        return Environment(name="custom", auth_url=found[AUTH_URL], api_url=found[API_URL])
    except ConfigurationError as error:
        said = str(error).replace("auth_url", AUTH_URL).replace("api_url", API_URL)
        raise ConfigurationError(said) from None


def _client_cert(found: Mapping[str, str]) -> ClientCert | None:
    if CLIENT_CERT not in found:
        if lonely := [variable for variable in (CLIENT_KEY, CLIENT_KEY_PASSWORD) if variable in found]:
            raise ConfigurationError(f"{lonely[0]} is set but {CLIENT_CERT} is not")
        return None
    cert = found[CLIENT_CERT]
    key = found.get(CLIENT_KEY, cert)
    for variable, path in ((CLIENT_CERT, cert), (CLIENT_KEY, key)):
        if not Path(path).is_file():
            raise ConfigurationError(f"{variable}: there is no file {path!r}")
    password = found.get(CLIENT_KEY_PASSWORD)
    return (cert, key, password) if password else (cert, key)
