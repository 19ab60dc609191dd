"""What a client is made with, checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypedDict

from attrs import field, frozen

from ._redaction import Secret
from .environments import SANDBOX, Environment, read_environment
from .errors import InvalidArgumentError
from .scopes import ApiScope, PsuContext, read_api_scopes

if TYPE_CHECKING:
    import ssl

    import httpx

    from .events import OnTokenEvent
    from .tokens import TokenStore

__all__ = ["ClientCert", "ClientOptions", "Settings"]

_Path = str | os.PathLike[str]
ClientCert = _Path | tuple[_Path, _Path] | tuple[_Path, _Path, str]
"""A PEM file with certificate and key, or (certificate, key), or (certificate, key, password of the key)."""


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
