"""Writes data to stdout and messages to stderr. What comes from a server is made safe for a terminal here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import typer

from .._redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

__all__ = [
    "can_ask",
    "cell",
    "confirmed",
    "describe",
    "discard_stdout",
    "is_interactive",
    "json_text",
    "lines",
    "printable",
    "render",
    "say",
    "say_facts",
    "say_unwritable",
    "shell",
    "show",
    "write",
    "write_json",
]

LONGEST_CELL: Final = 2000
"""The number of characters that people see of one value. --json has all."""


def show(
    models: Sequence[Any], columns: Mapping[str, str | Callable[[Any], object]], *, as_json: bool, nothing: str
) -> None:
    """Prints models as a table or as a JSON list. `columns` are headings, each with an attribute or a function.

    Instead of an empty table it writes `nothing` to stderr.
    """
    if as_json:
        write_json([model.to_dict() for model in models])
    elif models:
        table = _table(*columns)
        for model in models:
            table.add_row(*(cell(each(model) if callable(each) else getattr(model, each)) for each in columns.values()))
        render(table)
    else:
        say(nothing)


def describe(facts: Iterable[tuple[str, object]]) -> None:
    """Prints names with their values, and a line for each item of a list. Leaves out None and empty lists."""
    table = _table()
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        if value is not None and value != []:
            table.add_row(name, "\n".join(map(cell, value)) if isinstance(value, list) else cell(value))
    render(table)


def render(content: RenderableType) -> None:
    """Prints Rich content, as wide as the terminal; in a pipe as wide as necessary, so that nothing is cut off."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = console.measure(content, options=console.options.update(width=100_000)).maximum
    with console.capture() as capture:
        console.print(content)
    write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def write_json(value: object) -> None:
    """Prints JSON for people."""
    write(json_text(value, indent=2) + "\n")


def json_text(value: object, *, indent: int | None = None) -> str:
    """JSON. Characters beyond ASCII are only written as they are if stdout is UTF-8, and if they can be seen."""
    is_utf8 = (sys.stdout.encoding or "").lower() in {"utf-8", "utf8"}
    text = json.dumps(value, indent=indent, ensure_ascii=not is_utf8)
    # JSON does not escape these, but terminals and editors obey them
    return re.sub("[^\n -~]", lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text)


def write(text: str) -> None:
    """Writes text to stdout at once. Raises BrokenPipeError if the reader has gone, OSError if writing fails."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say_unwritable(error: OSError) -> None:
    """Says why stdout can't be written."""
    say(f"Error: {error.strerror or error}.")
    discard_stdout()


def discard_stdout() -> None:
    """Discards what is left to write: Python would flush it at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """A line for people, or several, on stderr."""
    typer.echo(lines(text), err=True)


def lines(text: str) -> str:
    """Lines for people, none of which can control the terminal."""
    return "\n".join(map(printable, text.split("\n")))


def shell(command: str, *arguments: str, options: Sequence[str] = ()) -> str:
    """A command to copy into a shell: what a server or the user has called something is quoted, and is no option."""
    words = [*arguments, *options]
    if any(argument.startswith("-") for argument in arguments):
        words = [*options, "--", *arguments]
    return shlex.join([*command.split(), *map(printable, words)])


def say_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Names with their values for people, on stderr. Leaves out None."""
    for name, value in facts:
        if value is not None:
            say(f"  {name:<12}{cell(value)}")


def can_ask() -> bool:
    """Whether there is somebody who reads a question on stderr and can answer it."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def confirmed(question: str) -> bool:
    """Asks on stderr, once. Everything but yes is no."""
    typer.echo(f"{lines(question)} [y/N] ", err=True, nl=False)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def is_interactive() -> bool:
    """Whether stderr is a terminal on which something can be redrawn."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.is_terminal and not console.is_dumb_terminal


def cell(value: object) -> str:
    """A server's value for people, cut if it would flood the terminal; empty for None."""
    text = "" if value is None else printable(value).strip()
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}..."


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=bool(headings), header_style="bold")
    # the first column is an id to copy, so it is not wrapped if there is room
    wide = shutil.get_terminal_size().columns >= 80
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=wide and heading == headings[0])
    return table
