"""The settings of a client, checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from attrs import field
from attrs.converters import optional

from ._attrs import frozen
from ._checks import refuse
from ._protocol.options import CommonOptions
from ._redaction import Secret
from .environments import Environment, is_sandbox, read_environment
from .scopes import ApiScope, default_api_scopes, read_api_scopes

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    import httpx

    from .events import OnTokenEvent
    from .tokens import TokenStore

_Path = str | os.PathLike[str]
ClientCert = _Path | tuple[_Path, _Path] | tuple[_Path, _Path, str]
"""A PEM file with certificate and key, or the paths (certificate, key), or (certificate, key, the key's password).

Or PKCS#12: a path that ends in `.p12` or `.pfx`, or (that path, its password).
"""


def is_pkcs12(path: _Path) -> bool:
    """Whether a file has certificate and key as PKCS#12, by its name."""
    return os.fsdecode(path).lower().endswith((".p12", ".pfx"))


class ClientOptions(CommonOptions, total=False):
    """The arguments of a client's constructor, and the overrides of `from_env(...)`. `OpenPayments` describes them."""

    client_id: str
    client_secret: str
    environment: Environment | str
    api_scopes: Iterable[ApiScope | str]
    limits: httpx.Limits
    proxy: str | httpx.Proxy
    verify: str | os.PathLike[str] | ssl.SSLContext
    client_cert: ClientCert
    transport: Any
    check_request_ids: bool
    token_store: TokenStore | str | None
    on_token_event: OnTokenEvent | None


def _read_client_id(value: object, argument: str = "client_id") -> str:
    if not isinstance(value, str) or not value or not value.isprintable() or value != value.strip():
        # the value is not shown: it may be the secret
        raise refuse(argument, "must be a non-empty string without line breaks or surrounding spaces")
    return value


def _read_secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(_read_client_id(value, "client_secret"))


def _read_store(value: object) -> TokenStore | None:
    from .tokens.stores import open_store

    return open_store(value)


def _read_callback(value: object) -> OnTokenEvent | None:
    if value is None or callable(value):
        return value
    raise refuse("on_token_event", "must be callable")


def _read_check(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise refuse("check_request_ids", "must be True or False", value)


@frozen(kw_only=True)
class Settings:
    """The settings of a client. Creating them checks them.

    Raises InvalidArgumentError or ConfigurationError, whose messages name the argument.
    """

    client_id: str = field(converter=_read_client_id)
    client_secret: Secret = field(converter=_read_secret)
    environment: Environment = field(converter=read_environment)
    api_scopes: tuple[ApiScope, ...] = field(converter=optional(read_api_scopes))
    limits: httpx.Limits | None = None
    proxy: str | httpx.Proxy | None = field(default=None, repr=False)  # may carry a password
    verify: str | os.PathLike[str] | ssl.SSLContext | None = None
    client_cert: ClientCert | None = field(default=None, repr=False)  # may carry a password
    transport: Any = None
    check_request_ids: bool = field(default=True, converter=_read_check)
    # may carry a password
    token_store: TokenStore | None = field(default=None, converter=optional(_read_store), repr=False)
    on_token_event: OnTokenEvent | None = field(default=None, converter=_read_callback)

    def __attrs_post_init__(self) -> None:
        if self.api_scopes is None:
            object.__setattr__(self, "api_scopes", default_api_scopes(self.environment.auth_url))

    @property
    def token_scopes(self) -> tuple[ApiScope, ...]:
        """The API scopes that tokens are requested for: the sandbox has no `bankgiroinformation`."""
        unknown = {ApiScope.BANKGIRO_INFORMATION} if is_sandbox(self.environment) else set()
        return tuple(scope for scope in self.api_scopes if scope not in unknown)
