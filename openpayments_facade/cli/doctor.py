"""`openpayments doctor`: what is configured, what answers, and what to do about the rest."""

from __future__ import annotations

import difflib
import os
import platform
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from attrs import asdict, evolve, frozen

from .. import __version__
from .. import _environ as config
from .._redaction import printable
from ..environments import is_loopback
from ..errors import ConfigurationError, InvalidArgumentError, OpenPaymentsError
from ..request_ids import new_request_id
from ..scopes import ApiScope, compose
from . import failures
from .output import describe, render, write, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from .. import OpenPayments
    from ..tokens import AccessToken
    from .run import Run

__all__ = ["examine"]

TIMEOUT: Final = 10.0
"""Seconds for each check."""

_CREDENTIALS: Final = (config.CLIENT_ID, config.CLIENT_SECRET)
_HOSTS: Final = (config.ENVIRONMENT, config.AUTH_URL, config.API_URL)
_SECRETS: Final = (config.CLIENT_SECRET, config.CLIENT_KEY_PASSWORD)
_ALWAYS: Final = (*_CREDENTIALS, *_HOSTS, config.API_SCOPES, config.PSU_CONTEXT)
_IF_SET: Final = (config.CLIENT_CERT, config.CLIENT_KEY, config.CLIENT_KEY_PASSWORD, config.TOKEN_STORE)
# who the user is stays unsaid
_KNOWN: Final = {*_ALWAYS, *_IF_SET, config.PSU_ID, config.PSU_CORPORATE_ID, config.PSU_IP}
# httpx and OpenSSL read these by themselves
_OF_OTHERS: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@frozen
class Setting:
    """One setting: the variable that can hold it, its value, and where that came from. A secret's value is None."""

    variable: str
    value: str | None
    source: str


@frozen
class Check:
    """What was found out about one thing. `exit_code` is the command's if this is the first failure."""

    check: str
    state: Literal["ok", "failed", "skipped", "note"]
    detail: str
    advice: str | None = None
    milliseconds: int | None = None
    exit_code: int = 0

    @classmethod
    def failure(cls, name: str, error: OpenPaymentsError) -> Check:
        """A check that ended with an exception."""
        code = failures.exit_code(error)
        return cls(name, "failed", failures.message(error), failures.advice(error), exit_code=code)


def examine(run: Run) -> int:
    """Checks everything, prints what was found, and returns the exit code of the first failure."""
    environ = {} if run.simulator else {name: text for name, text in os.environ.items() if text.strip()}
    with ExitStack() as stack:
        op, configuration = _open(run, environ, stack)
        settings = _settings(run, environ, op)
        if not run.as_json:
            _show_settings(settings)
        checks = []
        for check in _checks(op, configuration, environ):
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


def _open(run: Run, environ: Mapping[str, str], stack: ExitStack) -> tuple[OpenPayments | None, Check]:
    """The client, if the configuration makes one, and what is to say about the configuration."""
    arguments: dict[str, object] = {"timeout": TIMEOUT, "total_timeout": TIMEOUT, "max_retries": 0}
    missing = [] if run.simulator else [name for name in _CREDENTIALS if name not in environ]
    if missing:
        # the hosts can be tried without
        arguments |= {"client_id": "missing", "client_secret": "missing"}
    if not environ.get(config.TOKEN_STORE, "").strip():
        # whether a token can be had is the question, not whether the last run left one
        arguments |= {"token_store": "memory"}
    try:
        op = stack.enter_context(run.client(**arguments))
    except (ConfigurationError, InvalidArgumentError) as error:
        return None, Check.failure("configuration", error)
    if not missing:
        return op, Check("configuration", "ok", "complete")
    return op, Check(
        "configuration",
        "failed",
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
        "Create an application in the Developer Portal (https://developer.openpayments.io) and export what it shows; "
        "--simulator needs no account.",
        exit_code=2,
    )


def _settings(run: Run, environ: Mapping[str, str], op: OpenPayments | None) -> list[Setting]:
    effective = {}
    if op is not None:
        settings = op._sender.session.settings
        effective = {
            config.ENVIRONMENT: settings.environment.name,
            config.AUTH_URL: settings.environment.auth_url,
            config.API_URL: settings.environment.api_url,
            config.API_SCOPES: " ".join(settings.api_scopes),
            config.PSU_CONTEXT: op._sender.options.psu_context or "none",
        }
        if run.simulator:
            effective |= {config.CLIENT_ID: settings.client_id, config.CLIENT_SECRET: ""}
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
        # proxies are usual in small letters too
        variable = name.lower() if name.lower() in environ else name
        if variable in environ or name in effective:
            value = None if name in _SECRETS else effective.get(name) or _masked(environ[variable])
            source = sources.get(name) or ("environment variable" if variable in environ else "default")
            found.append(Setting(variable, value, source))
        elif name in _CREDENTIALS:
            found.append(Setting(name, None, "not set"))
    return found


def _masked(value: str) -> str:
    """A value without the credentials that a URL may carry."""
    return printable(re.sub(r"\?.*", "?***", re.sub(r"//.*@", "//***@", value)))


def _checks(op: OpenPayments | None, configuration: Check, environ: Mapping[str, str]) -> Iterator[Check]:
    yield configuration
    for name in sorted(environ):
        if name.startswith("OPENPAYMENTS_") and name not in _KNOWN:
            similar = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.8)
            advice = f"Did you mean {similar[0]}?" if similar else None
            yield Check("configuration", "note", f"{name} is set, but no variable of this SDK", advice)
    if op is None:
        for name in ("auth host", "API host", "token", "API call"):
            yield Check(name, "skipped", "not before the configuration is right")
        return
    environment = op._sender.session.settings.environment
    auth = _host(op, "auth host", environment.auth_url)
    yield auth
    api = _host(op, "API host", environment.api_url)
    yield api
    if configuration.state != "ok" or auth.state != "ok":
        reason = "no credentials" if configuration.state != "ok" else "the auth host does not answer"
        token = Check("token", "skipped", reason)
    else:
        context = op._sender.options.psu_context
        token = _token("token", lambda: op._sender.session.tokens(context).get(TIMEOUT))
    yield token
    if token.state != "ok" or api.state != "ok":
        yield Check("API call", "skipped", "no token" if token.state != "ok" else "the API host does not answer")
    else:
        yield _api_call(op)
    if token.state == "ok" and ApiScope.ACCOUNT_INFORMATION not in op._sender.session.settings.api_scopes:
        yield _accounts(op)


def _host(op: OpenPayments, name: str, url: str) -> Check:
    """Whether a host answers at all; what it says does not matter, as long as it is no outage."""
    import httpx

    started = time.perf_counter()
    try:
        client = op._sender.session.pool.client()
        with client.stream("GET", f"{url}/", headers={"X-Request-ID": new_request_id()}, timeout=TIMEOUT) as response:
            status = response.status_code
    except httpx.HTTPError as error:
        return Check(
            name,
            "failed",
            printable(f"{url} does not answer: {str(error) or type(error).__name__}"),
            _advice(url, error),
            _milliseconds(started),
            exit_code=5,
        )
    if status >= 500:
        return Check(name, "failed", f"{url} answers {status}", "Try again later.", _milliseconds(started), exit_code=5)
    return Check(name, "ok", f"{url} answers", None, _milliseconds(started))


def _advice(url: str, error: httpx.HTTPError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "If its certificate is of a private CA, or a proxy opens TLS here, let SSL_CERT_FILE name the CA bundle."
    if is_loopback(urlsplit(url).hostname):
        return "Is the simulator running? Export the lines that it printed last."
    return "Check the network, and HTTPS_PROXY if it takes a proxy."


def _token(name: str, get: Callable[[], AccessToken]) -> Check:
    started = time.perf_counter()
    try:
        token = get()
    except OpenPaymentsError as error:
        return Check.failure(name, error)
    if token.missing:
        return Check(
            name,
            "failed",
            f"{' '.join(token.missing)} was not granted",
            "Check the application's API products in the Developer Portal.",
            _milliseconds(started),
            exit_code=3,
        )
    return Check(name, "ok", f"for {token.scope}, {token.lifetime:.0f} s", None, _milliseconds(started))


def _accounts(op: OpenPayments) -> Check:
    """Whether the commands that read accounts will get the token that they ask for by themselves."""
    scope = compose([ApiScope.ACCOUNT_INFORMATION], op._sender.options.psu_context)
    check = _token("accounts", lambda: op._sender.session.fetcher.fetch(scope))
    if check.state == "ok":
        return check
    advice = "To read accounts, add the API product of accountinformation to the application in the Developer Portal."
    return evolve(check, state="note", detail=f"not available: {check.detail}", advice=advice, exit_code=0)


def _api_call(op: OpenPayments) -> Check:
    if ApiScope.ASPSP_INFORMATION not in op._sender.session.settings.api_scopes:
        return Check("API call", "skipped", "it takes the API scope aspspinformation")
    started = time.perf_counter()
    try:
        countries = op.countries.list()
    except OpenPaymentsError as error:
        return Check.failure("API call", error)
    return Check("API call", "ok", f"{len(countries)} countries", None, _milliseconds(started))


def _milliseconds(started: float) -> int:
    return round(1000 * (time.perf_counter() - started))


def _show_settings(settings: list[Setting]) -> None:
    facts = [("openpayments-facade", f"{__version__}, Python {platform.python_version()}")]
    for setting in settings:
        if setting.source == "not set":
            facts.append((setting.variable, "not set"))
        else:
            value = "hidden" if setting.value is None else setting.value
            facts.append((setting.variable, f"{value}  ({setting.source})"))
    describe(facts)
    write("\n")


_STYLES: Final = {"ok": "green", "failed": "bold red", "skipped": "dim", "note": "yellow"}


def _show(check: Check) -> None:
    from rich.table import Table
    from rich.text import Text

    time_taken = "" if check.milliseconds is None else f" ({check.milliseconds} ms)"
    line = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    line.add_column(width=13)
    line.add_column(width=7)
    line.add_column(overflow="fold")
    line.add_row(check.check, Text(check.state, _STYLES[check.state]), f"{check.detail}{time_taken}")
    if check.advice:
        line.add_row("", "", check.advice)
    render(line)
