"""The environment variables of a client. Their names stand here and nowhere else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ._redaction import masked_url
from .environments import Environment, read_environment
from .errors import ConfigurationError, InvalidArgumentError
from .scopes import read_api_scopes, read_psu_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._settings import ClientCert

CLIENT_ID: Final = "OPENPAYMENTS_CLIENT_ID"
CLIENT_SECRET: Final = "OPENPAYMENTS_CLIENT_SECRET"  # noqa: S105 - a variable's name
ENVIRONMENT: Final = "OPENPAYMENTS_ENVIRONMENT"
AUTH_URL: Final = "OPENPAYMENTS_AUTH_URL"
API_URL: Final = "OPENPAYMENTS_API_URL"
API_SCOPES: Final = "OPENPAYMENTS_API_SCOPES"
PSU_CONTEXT: Final = "OPENPAYMENTS_PSU_CONTEXT"
CLIENT_CERT: Final = "OPENPAYMENTS_CLIENT_CERT"
CLIENT_KEY: Final = "OPENPAYMENTS_CLIENT_KEY"
CLIENT_KEY_PASSWORD: Final = "OPENPAYMENTS_CLIENT_KEY_PASSWORD"  # noqa: S105 - a variable's name
TOKEN_STORE: Final = "OPENPAYMENTS_TOKEN_STORE"  # noqa: S105 - a variable's name
CHECK_REQUEST_IDS: Final = "OPENPAYMENTS_CHECK_REQUEST_IDS"


def arguments_from_env(overrides: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The constructor's arguments from environment variables. `overrides` win; an empty variable counts as absent.

    Raises ConfigurationError, whose message names variables that are missing, wrong, or contradict each other.
    """
    from .tokens.stores import open_store

    found = _found(environ)
    credentials = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    if missing := [name for argument, name in credentials.items() if name not in found and argument not in overrides]:
        raise ConfigurationError(
            f"set {' and '.join(missing)}; the credentials are shown once when you create an application in the "
            "Developer Portal (https://developer.openpayments.io)"
        )
    arguments: dict[str, Any] = {name: found[variable] for name, variable in credentials.items() if variable in found}
    # a variable that is overridden is not read: it may be wrong
    wanted = {
        "environment",
        "api_scopes",
        "psu_context",
        "client_cert",
        "token_store",
        "check_request_ids",
    } - overrides.keys()
    if "environment" in wanted and (environment := _environment(found)):
        arguments["environment"] = environment
    if "api_scopes" in wanted and API_SCOPES in found:
        arguments["api_scopes"] = _reading(API_SCOPES, read_api_scopes, found[API_SCOPES].split())
    if "psu_context" in wanted and PSU_CONTEXT in found:
        given = None if found[PSU_CONTEXT] == "none" else found[PSU_CONTEXT]
        arguments["psu_context"] = _reading(PSU_CONTEXT, read_psu_context, given)
    if "client_cert" in wanted and (cert := _client_cert(found)):
        arguments["client_cert"] = cert
    if "token_store" in wanted and TOKEN_STORE in found:
        arguments["token_store"] = _reading(TOKEN_STORE, open_store, found[TOKEN_STORE])
    if "check_request_ids" in wanted and CHECK_REQUEST_IDS in found:
        if found[CHECK_REQUEST_IDS].lower() not in {"true", "false"}:
            raise ConfigurationError(f"{CHECK_REQUEST_IDS} must be true or false")
        arguments["check_request_ids"] = found[CHECK_REQUEST_IDS].lower() == "true"
    return {**arguments, **overrides}


def client_cert_from_env(environ: Mapping[str, str] = os.environ) -> ClientCert | None:
    """The client certificate from environment variables. Raises ConfigurationError, as `arguments_from_env` does."""
    return _client_cert(_found(environ))


def _found(environ: Mapping[str, str]) -> dict[str, str]:
    # files and shells leave line breaks and spaces at the ends; a password may begin or end with spaces of its own
    return {
        name: value.strip("\r\n" if name == CLIENT_KEY_PASSWORD else None)
        for name, value in environ.items()
        if name.startswith("OPENPAYMENTS_") and value.strip()
    }


def _reading(variable: str, read: Callable[..., Any], value: object) -> Any:
    try:
        return read(value, argument=variable)
    except InvalidArgumentError as error:
        raise ConfigurationError(str(error)) from None


def _environment(found: Mapping[str, str]) -> Environment | None:
    urls = [variable for variable in (AUTH_URL, API_URL) if variable in found]
    if ENVIRONMENT in found and urls:
        raise ConfigurationError(f"{ENVIRONMENT} and {' and '.join(urls)} contradict each other: set one or the other")
    if ENVIRONMENT in found:
        return read_environment(found[ENVIRONMENT], name=ENVIRONMENT)
    if len(urls) == 1:
        other = API_URL if urls == [AUTH_URL] else AUTH_URL
        raise ConfigurationError(f"{urls[0]} is set but {other} is not: auth host and API host belong together")
    try:
        return Environment("custom", found[AUTH_URL], found[API_URL]) if urls else None
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace("auth_url", AUTH_URL).replace("api_url", API_URL)) from None


def _client_cert(found: Mapping[str, str]) -> ClientCert | None:
    from ._settings import is_pkcs12  # loads httpx, which the command line's help does without

    names = [variable for variable in (CLIENT_CERT, CLIENT_KEY, CLIENT_KEY_PASSWORD) if variable in found]
    if names and CLIENT_CERT not in names:
        raise ConfigurationError(f"{names[0]} is set but {CLIENT_CERT} is not")
    for variable in names:
        if variable != CLIENT_KEY_PASSWORD and not os.path.isfile(found[variable]):  # noqa: PTH113 - never raises
            # it may be the key itself
            raise ConfigurationError(f"{variable} must be an existing file, not {masked_url(found[variable])!r}")
    if not names:
        return None
    cert, password = found[CLIENT_CERT], found.get(CLIENT_KEY_PASSWORD)
    if is_pkcs12(cert):
        if CLIENT_KEY in names:
            raise ConfigurationError(f"{CLIENT_KEY} is set, but {CLIENT_CERT} is a PKCS#12 file, which has its own key")
        return (cert, password) if password else cert
    key = found.get(CLIENT_KEY, cert)
    return (cert, key, password) if password else (cert, key)
