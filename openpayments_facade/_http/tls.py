"""TLS: the CAs to trust, and the client certificate to present."""

from __future__ import annotations

import functools
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from .._checks import refuse
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .._settings import ClientCert, Settings


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """The SSL context of a client's connections.

    Raises:
        InvalidArgumentError, ConfigurationError: `verify` or `client_cert` is wrong, or can't be read.
    """
    verify, cert = settings.verify, settings.client_cert
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            raise refuse("client_cert", "can't be combined with an SSL context in verify; load it into that context")
        return verify
    if verify is not None and (not isinstance(verify, str | os.PathLike) or not str(verify)):
        raise refuse("verify", "must be the path of a CA bundle or an SSL context; verification can't be switched off")
    # shared by all clients of the process: reading the CA bundle is the slowest part of creating a client
    load = _load if verify is None and cert is None else _load.__wrapped__
    path = None if verify is None else os.fspath(verify)
    context = load(path, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    if cert is not None:
        _add(cert, context)
    return context


@functools.cache
def _load(verify: str | None, *_environment: str | None) -> ssl.SSLContext:
    try:
        if verify is None:
            return httpx.create_ssl_context()
        where: Any = {"capath" if Path(verify).is_dir() else "cafile": verify}
        return ssl.create_default_context(**where)
    except (OSError, ValueError) as error:
        what = "SSL_CERT_FILE or SSL_CERT_DIR" if verify is None else f"verify: {verify!r}"
        raise ConfigurationError(f"{what} can't be read as a CA bundle ({error})") from None


def _add(cert: ClientCert, context: ssl.SSLContext) -> None:
    parts: tuple[Any, ...] = (*cert,) if isinstance(cert, tuple | list) else (cert,)
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, str | os.PathLike) and str(part) for part in parts[:2]):
        raise refuse("client_cert", "must be a path, or a tuple (certificate, key) or (certificate, key, password)")
    certificate, key, password = (*parts, None, None)[:3]
    try:
        # not None as the password: OpenSSL would ask for one on the terminal
        context.load_cert_chain(str(certificate), str(key) if key else None, password or "")
    except (OSError, ValueError, TypeError) as error:
        said = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
        raise ConfigurationError(f"client_cert: certificate or key can't be loaded ({said})") from None
