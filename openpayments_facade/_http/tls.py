"""Whom to trust, and by which certificate we are known."""

from __future__ import annotations

import functools
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from ..errors import ConfigurationError, InvalidArgumentError

if TYPE_CHECKING:
    from .._settings import ClientCert, Settings

__all__ = ["ssl_context"]


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """The context of all connections of a client.

    Raises:
        InvalidArgumentError, ConfigurationError: `verify` or `client_cert` is wrong or can't be read.
    """
    verify, cert = settings.verify, settings.client_cert
    if isinstance(verify, ssl.SSLContext):
        if cert is not None:
            raise InvalidArgumentError(
                "client_cert can't be combined with an SSL context in verify: load the certificate into the context",
                argument="client_cert",
            )
        return verify
    if verify is None and cert is None:
        return _shared_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    context = _default_context() if verify is None else _context_of(verify)
    if cert is not None:
        _load(context, cert)
    return context


def _default_context() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(f"SSL_CERT_FILE or SSL_CERT_DIR can't be read as a CA bundle ({error})") from None


@functools.cache
def _shared_context(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    # one for all clients of the process: reading the CA bundle is most of what making a client costs
    return _default_context()


def _context_of(verify: str | os.PathLike[str]) -> ssl.SSLContext:
    if not isinstance(verify, str | os.PathLike) or not str(verify):
        raise InvalidArgumentError(
            "verify must be the path of a CA bundle or an SSL context; checking the server can't be switched off",
            argument="verify",
        )
    path = Path(verify)
    where: Any = {"capath" if path.is_dir() else "cafile": str(path)}
    try:
        return ssl.create_default_context(**where)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"verify: {str(path)!r} can't be read as a CA bundle ({error})") from None


def _load(context: ssl.SSLContext, cert: ClientCert) -> None:
    parts: tuple[Any, ...] = (*cert,) if isinstance(cert, tuple | list) else (cert,)
    if not 1 <= len(parts) <= 3 or not all(isinstance(part, str | os.PathLike) and str(part) for part in parts[:2]):
        raise InvalidArgumentError(
            "client_cert must be a path, (certificate, key) or (certificate, key, password)", argument="client_cert"
        )
    certificate, key, password = (*parts, None, None)[:3]
    try:
        # an empty password rather than None: OpenSSL would ask for one on the terminal
        context.load_cert_chain(str(certificate), str(key) if key else None, password or "")
    except (OSError, ValueError, TypeError) as error:
        said = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"client_cert: certificate or key can't be loaded ({type(error).__name__}: {said})"
        ) from None
