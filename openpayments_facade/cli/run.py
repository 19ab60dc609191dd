"""What all commands have in common: their options, the client, and how they end."""

from __future__ import annotations

import enum
import functools
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import frozen

from ..config import TOKEN_STORE
from ..errors import OpenPaymentsError
from . import failures
from .output import say

if TYPE_CHECKING:
    from .. import OpenPayments
    from ..config import ClientOptions

__all__ = ["Run", "command", "ending"]


class EnvironmentName(enum.StrEnum):
    """`--environment`."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class PsuContextName(enum.StrEnum):
    """`--psu-context`."""

    PRIVATE = "private"
    CORPORATE = "corporate"
    NONE = "none"


@frozen(kw_only=True)
class Run:
    """One run of a command: the options that all commands of the API share."""

    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with the API's own names.")] = False
    simulator: Annotated[
        bool, typer.Option("--simulator", help="Ask a simulator inside this command: no account, no network.")
    ] = False
    environment: Annotated[
        EnvironmentName | None,
        typer.Option(help="The provider's hosts; without it, what the environment variables say, or the sandbox."),
    ] = None
    psu_context: Annotated[
        PsuContextName | None,
        typer.Option(help="Personal or business accounts; without it, OPENPAYMENTS_PSU_CONTEXT, or private."),
    ] = None
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Fetch a token for this run alone; otherwise it is kept for the next.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log each request with its request id to stderr.")
    ] = False

    def overrides(self) -> ClientOptions:
        """What the options say about the client; they win over environment variables."""
        overrides: ClientOptions = {}
        if self.environment:
            overrides["environment"] = self.environment.value
        if self.psu_context:
            overrides["psu_context"] = None if self.psu_context is PsuContextName.NONE else self.psu_context.value
        return overrides

    def token_store(self) -> str | None:
        """Where the next run finds this one's token: the user's cache folder, unless something else was said."""
        if self.no_cache:
            return "memory"
        if os.environ.get(TOKEN_STORE, "").strip():
            return None
        from platformdirs import user_cache_path

        return f"file:{user_cache_path('openpayments') / 'tokens.json'}"

    @contextmanager
    def client(self, **more: Any) -> Iterator[OpenPayments]:
        """The client that the options and the environment describe; `more` are further arguments of it.

        Raises ConfigurationError, which names the variables that are missing or contradict each other.
        """
        arguments: Any = {**self.overrides(), **more}
        if self.simulator:
            if self.environment:
                raise typer.BadParameter("--simulator and --environment exclude each other")
            from ..simulator import Simulator

            with Simulator() as simulator, simulator.client(**arguments) as op:
                yield op
        else:
            from .. import OpenPayments

            if "token_store" not in arguments and (store := self.token_store()):
                arguments["token_store"] = store
            with OpenPayments.from_env(**arguments) as op:
                yield op


def command(app: typer.Typer) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Registers a function that takes a `Run` first as a command with its other parameters and the options of `Run`."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        common = inspect.signature(Run, eval_str=True).parameters
        _, *own = inspect.signature(function, eval_str=True).parameters.values()
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in [*own, *common.values()]]

        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            options = Run(**{name: arguments.pop(name) for name in common})
            with ending(verbose=options.verbose):
                function(options, **arguments)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return app.command()(run)

    return register


@contextmanager
def ending(*, verbose: bool = False) -> Iterator[None]:
    """Turns what ends a command early into a message on stderr and an exit code."""
    try:
        with _log_on_stderr() if verbose else nullcontext():
            yield
    except OpenPaymentsError as error:
        say(f"Error: {failures.message(error)}")
        doctor = "`openpayments doctor` tells more." if failures.is_for_the_doctor(error) else None
        if advice := " ".join(filter(None, (failures.advice(error), doctor))):
            say(advice)
        raise typer.Exit(failures.exit_code(error)) from None
    except BrokenPipeError:
        # Python would flush the rest at exit, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(failures.BROKEN_PIPE) from None
    except KeyboardInterrupt:
        raise typer.Exit(failures.INTERRUPTED) from None
    except ImportError as error:
        if "pip install" not in str(error):
            raise
        say(f"Error: {error}")
        raise typer.Exit(1) from None


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    handler = logging.StreamHandler()
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
