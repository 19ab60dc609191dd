"""Commands to copy: they work as they are printed, in the shell that ran this one."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from .output import shell

if TYPE_CHECKING:
    import typer

__all__ = ["again", "given", "program", "running"]

running: Final[ContextVar[typer.Context | None]] = ContextVar("running", default=None)
"""The command that is running."""

# what the next command needs as well, if it was typed; what came from a variable is still in the shell
_KEPT: Final = (
    "bank",
    "consent",
    "affiliate",
    "psu_id",
    "psu_corporate_id",
    "psu_ip",
    "redirect_preferred",
    "redirect_uri",
    "simulator",
    "environment",
    "psu_context",
    "no_cache",
)


def again(name: str, **values: str | None) -> str:
    """A command in backticks, with the arguments and options that the running one was given, as far as it has them.

    `values` are further ones, or others, by the names of their parameters; None leaves one out.
    """
    context = running.get()
    if context is None:
        return f"`{program()} {name}`"
    command: Any = context.find_root().command
    for word in name.split():
        command = command.commands[word]
    wanted = {kept: context.params[kept] for kept in _KEPT if _is_typed(context, kept)} | values
    arguments, options = list[str](), list[str]()
    for each in command.params:
        value = wanted.get(each.name)
        if value is None:
            continue
        if each.param_type_name == "argument":
            arguments.append(value)
        elif isinstance(value, bool):
            options += (each.opts if value else each.secondary_opts)[:1]
        else:
            options += [each.opts[0], str(value)]
    return f"`{shell(f'{program()} {name}', *arguments, options=options)}`"


def program(context: typer.Context | None = None) -> str:
    """What runs these commands, as it was typed: the script, or Python with the package."""
    context = context or running.get()
    typed = context and context.find_root().info_name
    return typed if typed == "python -m openpayments_facade" else "openpayments"


def given(name: str) -> Any:
    """What the running command has for a parameter, typed or from a variable. None if it has nothing."""
    context = running.get()
    return context.params.get(name) if context else None


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
