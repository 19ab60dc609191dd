"""TLS: the CAs to trust, and the client certificate to present."""

from __future__ import annotations

import functools
import os
import secrets
import ssl
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx

from .._checks import refuse
from .._settings import is_pkcs12
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
        add_client_cert(cert, context)
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


def add_client_cert(cert: ClientCert, context: ssl.SSLContext) -> None:
    """Loads a client certificate and its key into an SSL context, which keeps them: the files may be gone afterwards.

    Raises:
        InvalidArgumentError, ConfigurationError: `client_cert` is wrong, or can't be read.
    """
    parts: tuple[Any, ...] = (*cert,) if isinstance(cert, tuple | list) else (cert,)
    if parts and _is_path(parts[0]) and is_pkcs12(parts[0]):
        return _load_pkcs12(parts, context)
    if not 1 <= len(parts) <= 3 or not all(map(_is_path, parts[:2])):
        raise refuse("client_cert", "must be a path, or a tuple (certificate, key) or (certificate, key, password)")
    certificate, key, password = (*parts, None, None)[:3]
    return _load_pem(context, str(certificate), str(key) if key else None, password)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike) and str(value) != ""


def _load_pem(context: ssl.SSLContext, certificate: str, key: str | None, password: Any) -> None:
    try:
        # not None as the password: OpenSSL would ask for one on the terminal
        context.load_cert_chain(certificate, key, password or "")
    except (OSError, ValueError, TypeError) as error:
        said = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
        raise ConfigurationError(f"client_cert: certificate or key can't be loaded ({said})") from None


def _load_pkcs12(parts: tuple[Any, ...], context: ssl.SSLContext) -> None:
    path, password = (*parts, None)[:2]
    if len(parts) > 2 or not isinstance(password, str | None):
        raise refuse("client_cert", "with a PKCS#12 file must be its path, or a tuple (path, password)")
    passphrase = secrets.token_urlsafe()
    pem = _pem_of(path, password, passphrase)
    try:
        # the ssl module loads files alone: so the key goes into one, under a passphrase that is written nowhere
        with TemporaryDirectory() as folder, NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(pem)
            file.close()
            _load_pem(context, file.name, None, passphrase)
    except OSError as error:
        raise ConfigurationError(f"client_cert: PKCS#12 needs a temporary folder ({error.strerror})") from None


def _pem_of(path: str | os.PathLike[str], password: str | None, passphrase: str) -> bytes:
    """Key, certificate and chain of a PKCS#12 file as PEM, the key encrypted under the passphrase."""
    try:
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
    except ImportError:
        needed = "a PKCS#12 file needs cryptography: pip install cryptography (the extra pkcs12)"
        raise ConfigurationError(f"client_cert: {needed}") from None
    try:
        if "\0" in (password or ""):
            raise ValueError  # the parser would panic, and show the password
        plain = password.encode() if password else None
        key, certificate, others = load_key_and_certificates(Path(path).read_bytes(), plain)
    except OSError as error:
        raise ConfigurationError(f"client_cert: the PKCS#12 file can't be read ({error.strerror})") from None
    except Exception:  # whatever the parser makes of a file that is something else
        problem = "the file is not PKCS#12, or its password is missing or wrong"
        raise ConfigurationError(f"client_cert: {problem}") from None
    if key is None or certificate is None:
        missing = "key" if key is None else "certificate"
        raise ConfigurationError(f"client_cert: the PKCS#12 file has no {missing}")
    chain = [certificate]
    while issuer := next((each for each in others if each.subject == chain[-1].issuer and each not in chain), None):
        chain.append(issuer)  # TLS wants this order, and PKCS#12 has none
    chain += [each for each in others if each not in chain]
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    return b"".join([encrypted, *(each.public_bytes(Encoding.PEM) for each in chain)])
