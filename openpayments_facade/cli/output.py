"""Writes data to stdout and messages to stderr. What comes from a server is made safe for a terminal here."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import typer

from .._redaction import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

__all__ = [
    "can_ask",
    "cell",
    "cell_len",
    "confirmed",
    "describe",
    "discard_stdout",
    "fits",
    "is_interactive",
    "json_text",
    "lines",
    "printable",
    "records",
    "render",
    "say",
    "say_facts",
    "say_unwritable",
    "shell",
    "show",
    "width",
    "write",
    "write_json",
]

LONGEST_CELL: Final = 2000
"""The number of characters that people see of one value. --json has all."""

LONGEST_LINE: Final = 100_000
"""In columns. Wider than any table of cells, so that Rich wraps and cuts nothing."""

_HEIGHT: Final = 100
"""Without one Rich ignores the width on a dumb terminal."""


def show(
    models: Sequence[Any], columns: Mapping[str, str | Callable[[Any], object]], *, as_json: bool, nothing: str
) -> None:
    """Prints models as a table or as a JSON list. `columns` are headings, each with an attribute or a function.

    Where the terminal is too narrow for the table, each model is a record: a line for each field, and a blank line
    between two records. What goes elsewhere is always a table. Instead of an empty one it writes `nothing` to stderr.
    """
    if as_json:
        write_json([model.to_dict() for model in models])
    elif models:
        rows = [
            [cell(each(one) if callable(each) else getattr(one, each)) for each in columns.values()] for one in models
        ]
        table, needed = _table(rows, *columns)
        if fits(needed, sys.stdout):
            render(table)
        else:
            write("\n".join(records(zip(columns, row, strict=True), sys.stdout) for row in rows))
    else:
        say(nothing)


def describe(facts: Iterable[tuple[str, object]]) -> None:
    """Prints names with their values, and a line for each item of a list. Leaves out None and empty lists."""
    known = [(name, value) for name, value in facts if value is not None and value != []]
    table, needed = _table([[name, "\n".join(_items(value))] for name, value in known])
    if fits(needed, sys.stdout):
        render(table)
    else:
        write(records(known, sys.stdout))


def render(content: RenderableType) -> None:
    """Prints Rich content. It breaks no line: whoever copies an id, an IBAN or a command gets it whole."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False, width=LONGEST_LINE, height=_HEIGHT)
    with console.capture() as capture:
        console.print(content, soft_wrap=True)
    write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def records(facts: Iterable[tuple[str, object]], stream: TextIO) -> str:
    """A line for each name and its value, or two where the terminal is too narrow for one. Leaves out what is empty."""
    text = ""
    for name, value in facts:
        first, *others = _items(value) or [""]
        if others or not fits(cell_len(line := f"{name}: {first}"), stream):
            line = "\n  ".join([f"{name}:", first, *others])
        text += f"{line}\n" if first else ""
    return text


def fits(columns: int, stream: TextIO) -> bool:
    """Whether a terminal has so many columns. What is no terminal has as many as are needed."""
    return columns <= (width(stream) or columns)


def width(stream: TextIO) -> int | None:
    """How many columns a terminal has. None for what is no terminal."""
    if not stream.isatty():
        return None
    try:
        wanted = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        wanted = 0
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        found = 0
    return wanted if wanted > 0 else found or 80


def cell_len(text: str) -> int:
    """How many columns a text takes."""
    from rich import cells

    return cells.cell_len(text)


def _items(value: object) -> list[str]:
    return [cell(each) for each in value] if isinstance(value, list) else [cell(value)]


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
    _discard(sys.stdout)


def say(text: str) -> None:
    """A line for people, or several, on stderr. If nobody can read it, the command goes on all the same."""
    try:
        typer.echo(lines(text), err=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
    """Names with their values for people, on stderr: all in columns, if they fit. Leaves out None."""
    known = [(name, value) for name, value in facts if value is not None]
    rows = [f"  {name:<12}{cell(value)}" for name, value in known]
    is_wide = fits(max(map(cell_len, rows), default=0), sys.stderr)
    say("\n".join(rows) if is_wide else records(known, sys.stderr).rstrip("\n"))


def can_ask() -> bool:
    """Whether there is somebody who reads a question on stderr and can answer it."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def confirmed(question: str) -> bool:
    """Asks on stderr, once. Everything but yes is no."""
    sys.stderr.write(f"{lines(question)} [y/N] ")
    sys.stderr.flush()
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


def _table(rows: Iterable[Sequence[str]], *headings: str) -> tuple[Table, int]:
    """A table, and how many columns of the terminal it needs. Without headings the first column is names."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=bool(headings), header_style="bold")
    for number, heading in enumerate(headings or ("", "")):
        table.add_column(heading, no_wrap=True, style="" if headings or number else "bold")
    for row in rows:
        table.add_row(*row)
    console = Console(width=LONGEST_LINE, height=_HEIGHT)
    return table, console.measure(table).maximum
