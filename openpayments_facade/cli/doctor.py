"""`openpayments doctor`: checks the configuration, the hosts and the token, and says how to fix problems."""

from __future__ import annotations

import difflib
import os
import platform
import shlex
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from attrs import asdict, evolve

from .. import __version__, errors
from .. import _environ as config
from .._attrs import frozen
from .._redaction import masked_url
from ..environments import is_loopback, read_environment
from ..request_ids import new_request_id
from ..scopes import ApiScope
from . import failures
from .output import cell, cell_len, describe, fits, render, write, write_json
from .run import PSU_CORPORATE_ID, PSU_ID, PSU_IP, SIMULATOR_SECRET, EnvironmentName

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    from .. import ClientCert, ClientOptions, OpenPayments
    from ..simulator import Simulator
    from .run import Run

__all__ = ["examine"]

TIMEOUT: Final = 10.0
"""Seconds for each check."""

_CREDENTIALS: Final = (config.CLIENT_ID, config.CLIENT_SECRET)
_HOSTS: Final = (config.ENVIRONMENT, config.AUTH_URL, config.API_URL)
_SECRETS: Final = (config.CLIENT_SECRET, config.CLIENT_KEY_PASSWORD)
_ALWAYS: Final = (*_CREDENTIALS, *_HOSTS, config.API_SCOPES, config.PSU_CONTEXT)
_IF_SET: Final = (config.CLIENT_CERT, config.CLIENT_KEY, config.CLIENT_KEY_PASSWORD, config.TOKEN_STORE)
# the variables about the user are known, but never shown
_KNOWN: Final = {*_ALWAYS, *_IF_SET, PSU_ID, PSU_CORPORATE_ID, PSU_IP, SIMULATOR_SECRET}
# httpx and OpenSSL read these themselves
_OF_OTHERS: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")

_CERTIFICATE: Final = (
    f"Download it from the Developer Portal and set {config.CLIENT_CERT} to its file: .p12 or .pfx (its password in "
    f"{config.CLIENT_KEY_PASSWORD}), or PEM (the key's file in {config.CLIENT_KEY})."
)


@frozen
class Setting:
    """One setting: its variable, its value, and where that came from. A secret's value is None."""

    variable: str
    value: str | None
    source: str


@frozen
class Check:
    """The result of one check. `exit_code` is the command's exit code if this is the first failure."""

    check: str
    state: Literal["ok", "failed", "skipped", "note"]
    detail: str
    advice: str | None = None
    milliseconds: int | None = None
    exit_code: int = 0


def examine(run: Run) -> int:
    """Runs all checks, prints the results, and returns the exit code of the first failure."""
    environ = {} if run.simulator else {name: text.strip() for name, text in os.environ.items() if text.strip()}
    missing = [] if run.simulator else [name for name in _CREDENTIALS if name not in environ]
    options: ClientOptions = {"timeout": TIMEOUT, "total_timeout": TIMEOUT, "max_retries": 0}
    if config.TOKEN_STORE not in environ:
        # the check is whether a new token can be fetched, not whether the last run left one
        options |= {"token_store": "memory"}
    configuration = Check("configuration", "ok", "complete")
    if missing:
        # the hosts can be checked without credentials
        options |= {"client_id": "missing", "client_secret": "missing"}
        advice = (
            "Create an application in the Developer Portal (https://developer.openpayments.io) and export its "
            "credentials; --simulator needs no account."
        )
        configuration = Check("configuration", "failed", f"not set: {', '.join(missing)}", advice, exit_code=2)
    op, simulator = None, None
    with ExitStack() as stack:
        try:
            op, simulator = stack.enter_context(run.client(**options))
        except (errors.ConfigurationError, errors.InvalidArgumentError) as error:
            configuration = _failure("configuration", error)
        settings = _settings(run, environ, op, simulator)
        if not run.as_json:
            _show_settings(settings)
        checks = []
        for check in _checks(run, options, op, configuration, environ):
            checks.append(check)
            if not run.as_json:
                _show(check)
    failed = [check for check in checks if check.state == "failed"]
    if run.as_json:
        found = [asdict(check, filter=lambda attribute, _: attribute.name != "exit_code") for check in checks]
        write_json(
            {
                "ok": not failed,
                "version": __version__,
                "configuration": [asdict(setting) for setting in settings],
                "checks": found,
            }
        )
    return failed[0].exit_code if failed else 0


def _settings(
    run: Run, environ: Mapping[str, str], op: OpenPayments | None, simulator: Simulator | None
) -> list[Setting]:
    effective = {}
    if op is not None:
        effective = {
            config.ENVIRONMENT: op.environment.name,
            config.AUTH_URL: op.environment.auth_url,
            config.API_URL: op.environment.api_url,
            config.API_SCOPES: " ".join(op.api_scopes),
            config.PSU_CONTEXT: op.psu_context or "none",
        }
    if simulator is not None:
        effective |= {config.CLIENT_ID: simulator.client_id, config.CLIENT_SECRET: ""}
    sources: dict[str, str] = {}
    if run.simulator:
        sources |= dict.fromkeys((*_CREDENTIALS, *_HOSTS), "--simulator")
    elif run.environment:
        sources |= dict.fromkeys(_HOSTS, "--environment")
    elif config.ENVIRONMENT in environ:
        sources |= dict.fromkeys((config.AUTH_URL, config.API_URL), f"from {config.ENVIRONMENT}")
    elif config.AUTH_URL in environ:
        sources[config.ENVIRONMENT] = "from the URLs"
    if run.psu_context:
        sources[config.PSU_CONTEXT] = "--psu-context"
    found = []
    for name in (*_ALWAYS, *_IF_SET, *_OF_OTHERS):
        # proxy variables are often lower case
        variable = name.lower() if name.lower() in environ else name
        if variable in environ or name in effective:
            value = None if name in _SECRETS else effective.get(name) or masked_url(environ[variable])
            source = sources.get(name) or ("environment variable" if variable in environ else "default")
            found.append(Setting(variable, value, source))
        elif name in _CREDENTIALS:
            found.append(Setting(name, None, "not set"))
    return found


def _checks(
    run: Run, options: ClientOptions, op: OpenPayments | None, configuration: Check, environ: Mapping[str, str]
) -> Iterator[Check]:
    yield configuration
    for name in sorted(environ):
        if name.startswith("OPENPAYMENTS_") and name not in _KNOWN:
            similar = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.8)
            advice = f"Did you mean {similar[0]}?" if similar else None
            yield Check("configuration", "note", f"unknown variable {name}", advice)
    if op is None:
        for name in ("auth host", "API host", "token", "API call"):
            yield Check(name, "skipped", "needs a valid configuration")
        return
    client_cert = None if run.simulator else config.client_cert_from_env()
    if op.environment == read_environment("production") and client_cert is None:
        yield Check("certificate", "note", "production requires a client certificate, and none is set", _CERTIFICATE)
    tls = _tls(client_cert)
    yield (auth := _try("auth host", lambda: _reach(op.environment.auth_url, tls)))
    yield (api := _try("API host", lambda: _reach(op.environment.api_url, tls)))
    if configuration.state != "ok":
        token = Check("token", "skipped", "no credentials")
    elif auth.state != "ok":
        token = Check("token", "skipped", "the auth host does not answer")
    else:
        token = _try("token", lambda: _fetch_token(op))
    yield token
    # 3: refused; 5: no answer
    is_refused = (
        token.exit_code in {3, 5} and "leave it out" not in token.detail
    )  # a scope that this host does not grant
    if is_refused or (auth.state == "failed" and configuration.state == "ok"):
        yield from _at_the_other_sandbox(run, options, op, environ)
    if token.state != "ok":
        yield Check("API call", "skipped", "no token")
    elif api.state != "ok":
        yield Check("API call", "skipped", "the API host does not answer")
    else:
        yield _try("API call", lambda: f"{len(op.countries.list())} countries")
    if token.state == "ok" and ApiScope.ACCOUNT_INFORMATION not in op.api_scopes:
        yield _accounts(run, options)


def _try(name: str, ask: Callable[[], str]) -> Check:
    """Runs a check. An exception means that it failed."""
    started = time.perf_counter()
    try:
        check = Check(name, "ok", ask())
    except errors.MissingScopeError as error:
        return Check(name, "skipped", failures.message(error))
    except errors.OpenPaymentsError as error:
        check = _failure(name, error)
    return evolve(check, milliseconds=round(1000 * (time.perf_counter() - started)))


def _failure(name: str, error: errors.OpenPaymentsError) -> Check:
    return Check(name, "failed", failures.message(error), failures.advice(error), exit_code=failures.exit_code(error))


def _reach(url: str, tls: ssl.SSLContext) -> str:
    """Checks that a host answers. Any answer will do, except for an outage."""
    import httpx

    is_here, request_id = is_loopback(urlsplit(url).hostname), new_request_id()
    try:
        with (
            # never use a proxy for this machine
            httpx.Client(verify=tls, timeout=TIMEOUT, trust_env=not is_here) as client,
            client.stream("GET", f"{url}/", headers={"X-Request-ID": request_id}) as response,
        ):
            status = response.status_code
    except httpx.InvalidURL:
        # it is not quoted: it may be a URL with a password
        raise errors.ConfigurationError("NO_PROXY has an entry that is not understood") from None
    except httpx.HTTPError as error:
        problem = f"{url} does not answer: {str(error) or type(error).__name__}"
        raise errors.ConnectionFailedError(problem, url=url) from None
    if status >= 500:
        raise errors.UnreadableResponseError(f"{url} answers {status}", status_code=status, request_id=request_id)
    return f"{url} answers"


def _tls(client_cert: ClientCert | None) -> ssl.SSLContext:
    """An SSL context like the client's."""
    import httpx

    from .._http.tls import add_client_cert

    context = httpx.create_ssl_context()
    if client_cert is not None:
        add_client_cert(client_cert, context)
    return context


def _fetch_token(op: OpenPayments) -> str:
    token = op.token()
    if token.missing:
        raise errors.InvalidScopeError(f"{' '.join(token.missing)} was not granted")
    return f"for {token.scope}, {token.lifetime:.0f} s"


def _at_the_other_sandbox(
    run: Run, options: ClientOptions, op: OpenPayments, environ: Mapping[str, str]
) -> Iterator[Check]:
    """If the client is one of the provider's sandbox: asks its other auth host for a token."""
    names = [EnvironmentName.SANDBOX, EnvironmentName.SANDBOX_OAUTH]
    here = [name for name in names if op.environment == read_environment(name.value)]
    if not here:
        return
    (other,) = set(names) - set(here)
    advice = f"`export {config.ENVIRONMENT}={other.value}` (or --environment {other.value})"
    if other is EnvironmentName.SANDBOX_OAUTH and ApiScope.ASPSP_INFORMATION in op.api_scopes:
        # that host does not grant it
        others = [scope for scope in op.api_scopes if scope is not ApiScope.ASPSP_INFORMATION]
        options = {**options, "api_scopes": others or [ApiScope.ACCOUNT_INFORMATION]}
        if config.API_SCOPES in environ:
            scopes = shlex.quote(" ".join(options["api_scopes"]))
            advice += f" and `export {config.API_SCOPES}={scopes}`, for aspspinformation is not granted there"
    url = read_environment(other.value).auth_url
    with evolve(run, environment=other).client(**options) as (there, _):
        check = _try("other sandbox", lambda: f"{url} gives a token {_fetch_token(there)}")
    if check.state == "failed":
        check = evolve(check, detail=f"{url} gives no token either: {check.detail}")
    yield evolve(check, state="note", advice=f"{advice}." if check.state == "ok" else None, exit_code=0)


def _accounts(run: Run, options: ClientOptions) -> Check:
    """Checks that the commands that read accounts can get their token. They add its scope themselves."""
    options["api_scopes"] = [ApiScope.ACCOUNT_INFORMATION]
    with run.client(**options) as (op, _):
        check = _try("accounts", lambda: _fetch_token(op))
    if check.state == "ok":
        return check
    advice = "To read accounts, add the API product accountinformation to the application in the Developer Portal."
    return evolve(check, state="note", detail=f"not available: {check.detail}", advice=advice, exit_code=0)


def _show_settings(settings: list[Setting]) -> None:
    facts = [("openpayments-facade", f"{__version__}, Python {platform.python_version()}")]
    for setting in settings:
        value = "hidden" if setting.value is None else setting.value
        facts.append((setting.variable, "not set" if setting.source == "not set" else f"{value}  ({setting.source})"))
    describe(facts)
    write("\n")


_STYLES: Final = {"ok": "green", "failed": "bold red", "skipped": "dim", "note": "yellow"}


def _show(check: Check) -> None:
    from rich.text import Text

    time_taken = "" if check.milliseconds is None else f" ({check.milliseconds} ms)"
    said = [f"{cell(check.detail)}{time_taken}", *([cell(check.advice)] if check.advice else [])]
    head = f"{check.check:<13}  {check.state:<7}"
    if fits(len(head) + 2 + max(map(cell_len, said)), sys.stdout):
        rest = "  " + f"\n{' ' * len(head)}  ".join(said)
    else:
        rest = "\n  " + "\n  ".join(said)
    render(Text.assemble(head[:15], (head[15:], _STYLES[check.state]), rest))
