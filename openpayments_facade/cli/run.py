"""The common part of all commands: options, client, error handling."""

from __future__ import annotations

import functools
import inspect
import itertools
import logging
import os
import signal
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Unpack, get_type_hints

import typer
from attrs import NOTHING, fields, has

from .._attrs import frozen
from .._environ import API_SCOPES, TOKEN_STORE
from ..errors import OpenPaymentsError
from ..scopes import ApiScope
from . import failures
from .again import again, running
from .help import Command
from .output import discard_stdout, say, say_unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .. import Bank, ClientOptions, OpenPayments
    from ..simulator import Simulator

__all__ = [
    "Affiliate",
    "BankArgument",
    "BankRun",
    "PsuContextName",
    "Run",
    "command",
    "ending",
    "interruption",
    "left",
    "read_date",
]

# the user's variables, for the command line alone
PSU_ID: Final = "OPENPAYMENTS_PSU_ID"
PSU_CORPORATE_ID: Final = "OPENPAYMENTS_PSU_CORPORATE_ID"
PSU_IP: Final = "OPENPAYMENTS_PSU_IP"
# of `openpayments simulator`: other users of the machine can see options
SIMULATOR_SECRET: Final = "OPENPAYMENTS_SIMULATOR_SECRET"  # noqa: S105 - a variable's name
# the user of a simulator
EXAMPLE_ID: Final = "example-user"
EXAMPLE_IP: Final = "127.0.0.1"


class EnvironmentName(StrEnum):
    """`--environment`."""

    SANDBOX = "sandbox"
    SANDBOX_OAUTH = "sandbox-oauth"
    PRODUCTION = "production"


class PsuContextName(StrEnum):
    """`--psu-context`."""

    PRIVATE = "private"
    CORPORATE = "corporate"
    NONE = "none"


def read_date(text: str) -> date:
    """A date such as 2026-01-31. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-01-31") from None


@frozen(kw_only=True)
class Run:
    """One run of a command, with the options of all commands that call the API."""

    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with the API's field names.")] = False
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Use a simulator inside this command: no account, no network.")
    ] = False
    environment: Annotated[
        EnvironmentName | None,
        typer.Option(help="The provider's hosts. Default: those of the environment variables, or else the sandbox."),
    ] = None
    psu_context: Annotated[
        PsuContextName | None,
        typer.Option(help="Personal or business accounts. Default: OPENPAYMENTS_PSU_CONTEXT, or else private."),
    ] = None
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Get a token for this run only. By default it is kept for the next.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log each request with its request id to stderr.")
    ] = False

    @contextmanager
    def client(self, **options: Unpack[ClientOptions]) -> Iterator[tuple[OpenPayments, Simulator | None]]:
        """The client that the options and the environment variables describe, and its simulator, if any.

        Args:
            options: Further arguments of `OpenPayments`.

        Raises:
            ConfigurationError: Variables are missing or contradict each other; the message names them.
        """
        if self.environment:
            options["environment"] = self.environment.value
        if self.psu_context:
            options["psu_context"] = None if self.psu_context is PsuContextName.NONE else self.psu_context.value
        if self.simulator:
            if self.environment:
                raise typer.BadParameter("--simulator and --environment can't be used together")
            from ..simulator import Simulator

            with Simulator() as simulator, simulator.client(**options) as op:
                yield op, simulator
        else:
            from .. import OpenPayments

            if "token_store" not in options and (store := self._token_store()):
                options["token_store"] = store
            with OpenPayments.from_env(**options) as op:
                yield op, None

    def scopes(self, needed: ApiScope) -> list[str]:
        """The API scopes to ask for: that which the command needs, and those of the environment variable."""
        others = [] if self.simulator else os.environ.get(API_SCOPES, "").split()
        return [*others, needed]

    def _token_store(self) -> str | None:
        """Where to keep the token for the next run: the user's cache folder, unless configured otherwise."""
        if self.no_cache:
            return "memory"
        if os.environ.get(TOKEN_STORE, "").strip():
            return None
        from platformdirs import user_cache_path

        return f"file:{user_cache_path('openpayments') / 'tokens.json'}"


BankArgument = Annotated[str, typer.Argument(metavar="BANK", help="The bank's BIC, such as ESSESESS.")]
Affiliate = Annotated[
    str | None,
    typer.Option("--affiliate", metavar="ID", help="The id of an affiliated bank; the command bank lists them."),
]


@frozen(kw_only=True)
class BankRun(Run):
    """One run of a command that calls a bank for a user."""

    bank: Annotated[str, typer.Option("--bank", metavar="BIC", help="The bank's BIC, such as ESSESESS.")]
    psu_id: Annotated[
        str | None,
        typer.Option(
            "--psu-id",
            metavar="ID",
            envvar=PSU_ID,
            help="The user's id at the bank; at Swedish banks the personal identity number. The variable is safer: "
            "other users of this machine can see options. Default with --simulator: example-user.",
        ),
    ] = None
    psu_corporate_id: Annotated[
        str | None,
        typer.Option(
            "--psu-corporate-id",
            metavar="ID",
            envvar=PSU_CORPORATE_ID,
            help="The id of the user's company, for business accounts; the same in every command about a consent "
            "or payment.",
        ),
    ] = None
    psu_ip: Annotated[
        str | None,
        typer.Option(
            "--psu-ip",
            metavar="ADDRESS",
            envvar=PSU_IP,
            help="The user's own IP address, if the user is present. Without it access is unattended, and the bank "
            "counts it. Default with --simulator: 127.0.0.1.",
        ),
    ] = None
    redirect_preferred: Annotated[
        bool | None,
        typer.Option(
            "--browser/--app",
            help="Where the user prefers to authorise, if the bank offers a choice; by default in an app. Some banks "
            "require the same choice in every command about a consent or payment.",
        ),
    ] = None

    def refuse_simulator(self, things: str) -> None:
        """Raises BadParameter if the command, which is about things that exist, has a simulator of its own."""
        if self.simulator:
            raise typer.BadParameter(
                f"--simulator starts afresh with each command, so it has no {things} yet; run {again('simulator')} "
                "in another shell, and paste here the lines that it prints: that one stays"
            )

    @contextmanager
    def at_bank(
        self, *, affiliate: str | None = None, scope: ApiScope = ApiScope.ACCOUNT_INFORMATION
    ) -> Iterator[tuple[Bank, Simulator | None]]:
        """The bank for the user, and the simulator that plays it, if any. `scope` is what the command needs."""
        from .. import Psu, __version__

        ip_address = self.psu_ip or (EXAMPLE_IP if self.simulator else None)
        # this command is the program that the user sees
        user_agent = f"openpayments-facade/{__version__}" if ip_address else None
        id_, company = self.psu_id, self.psu_corporate_id
        if self.simulator:
            id_ = id_ or EXAMPLE_ID
            company = company or ("example-company" if self.psu_context is PsuContextName.CORPORATE else None)
        psu = Psu(ip_address=ip_address, id=id_, corporate_id=company, user_agent=user_agent)
        with self.client(api_scopes=self.scopes(scope)) as (op, simulator):
            preferred = self.redirect_preferred
            yield (
                op.at_bank(self.bank, psu, affiliated_aspsp=affiliate, redirect_preferred=preferred),
                simulator,
            )


def command(app: typer.Typer) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function as a command. Its first parameter is a `Run`, or a subclass of it.

    The command has the options of that class, and the function's other parameters, which may be classes of options too.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        first, *own = inspect.signature(function, eval_str=True).parameters.values()
        groups = {each.name: each.annotation for each in (*own, first) if has(each.annotation)}
        single = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own if each.name not in groups]
        grouped = {name: _options(kind) for name, kind in groups.items()}
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [context, *single, *itertools.chain(*grouped.values())]

        @functools.wraps(function)
        def run(*, context: typer.Context, **arguments: Any) -> None:
            running.set(context)
            for name, kind in groups.items():
                arguments[name] = kind(**{each.name: arguments.pop(each.name) for each in grouped[name]})
            with ending(verbose=arguments[first.name].verbose):
                function(**arguments)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return app.command(cls=Command)(run)

    return register


def _options(kind: type[Any]) -> list[inspect.Parameter]:
    """The options of a class, such as a `Run`. Those that all commands share come last."""
    hints = get_type_hints(kind, include_extras=True)
    shared = {each.name for each in fields(Run)}
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is NOTHING else each.default,
            annotation=hints[each.name],
        )
        for each in sorted(fields(kind), key=lambda each: each.name in shared)
    ]


@contextmanager
def ending(*, verbose: bool = False) -> Iterator[None]:
    """Turns an exception that ends a command into a message on stderr and an exit code."""
    try:
        with _interruptible(), _log_on_stderr() if verbose else _without_missing_headers():
            yield
    except OpenPaymentsError as error:
        say(f"Error: {failures.message(error)}")
        doctor = f"{again('doctor')} can tell more." if failures.is_for_the_doctor(error) else None
        if advice := [line for line in (failures.advice(error), *getattr(error, "__notes__", ()), doctor) if line]:
            say(" ".join(advice))
        raise typer.Exit(failures.exit_code(error)) from None
    except BrokenPipeError:
        discard_stdout()
        raise typer.Exit(failures.BROKEN_PIPE) from None
    except OSError as error:
        say_unwritable(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(interruption() or failures.INTERRUPTED) from None
    except ImportError as error:
        if "pip install" not in str(error):
            raise
        say(f"Error: {error}")
        raise typer.Exit(1) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turns Ctrl-C or SIGTERM into one KeyboardInterrupt: a second one ends the process. Ignored signals stay so."""
    ours = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) is signal.SIG_DFL]

    def let_go() -> None:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)

    def interrupt(number: int, _: object) -> None:
        let_go()
        _interruptions.append(number)
        raise KeyboardInterrupt

    try:
        for each in ours:
            signal.signal(each, interrupt)
        yield
    finally:
        let_go()


_interruptions: Final[list[int]] = []


def interruption() -> int:
    """The exit code of a command that Ctrl-C or SIGTERM has interrupted; 0 if none has.

    Python turns a KeyboardInterrupt into another exception in a few places.
    """
    return 128 + _interruptions[-1] if _interruptions else 0


@contextmanager
def left(*said: str | None) -> Iterator[None]:
    """When Ctrl-C or SIGTERM ends a command, says what it leaves behind."""
    try:
        yield
    except KeyboardInterrupt:
        say("\n" + " ".join(filter(None, said)))
        raise


class _Log(logging.Handler):
    """Writes to the current `sys.stderr`, which live output replaces for a while."""

    def emit(self, record: logging.LogRecord) -> None:
        say(self.format(record))


@contextmanager
def _without_missing_headers() -> Iterator[None]:
    """Does not log that a header is missing: if the bank refuses because of it, our message says so."""
    log = logging.getLogger("openpayments_facade")

    def is_news(record: logging.LogRecord) -> bool:
        return record.msg != "%s lacks %s"

    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    handler = _Log()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("openpayments_facade")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
