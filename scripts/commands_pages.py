"""Writes docs/commands/: a page for each command of the command line, from its help, and an index.

`make generate` runs it. `--check` writes nothing, and fails if a page is out of date. What the help has no room for,
such as output, is written by hand in scripts/commands_examples.md: a section for each command that has some. A block of
text at its beginning is the output of the first example that is run.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import typer

from openpayments_facade.cli.app import app
from openpayments_facade.cli.failures import EXIT_CODES
from scripts.pages import ROOT, keep

PAGES: Final = ROOT / "docs" / "commands"
BY_HAND: Final = ROOT / "scripts" / "commands_examples.md"

_WRITTEN: Final = "<!-- Written by `make generate` from the command's help; do not edit. -->\n"
# an example of the help that can't be run by a test as it stands, and why
_NOT_RUN: Final = {
    r"openpayments (pay|payment authorise|payment cancel)\b(?!.*--yes)": "it asks, on a terminal",
    r"openpayments consent authorise": "the consent of the tests is approved already",
}
# the commands that can end with an exit code that not all have
_FINDS_NOTHING: Final = "bank$|accounts|balances|transactions|consent|pay|quote|kyc"
_WAITS: Final = "pay|consent (create|authorise)"
_IS_REFUSED: Final = "pay"
_WRITES: Final = "pay$|payment (authorise|cancel)|consent (create|authorise|delete)|quote|kyc start"


def commands() -> Iterator[tuple[str, Any]]:
    """The names of all commands, and the commands, in the order of the help."""
    for name, command in _root().commands.items():
        if subcommands := getattr(command, "commands", None):
            for subname, subcommand in subcommands.items():
                yield f"{name} {subname}", subcommand
        else:
            yield name, command


def examples(command: Any) -> list[str]:
    """The blocks of examples in a command's help, to be copied as they are."""
    return [text for is_example, text in _parts(command.help) if is_example]


def pages() -> dict[str, str]:
    """The text of each page, by its file's name."""
    by_hand = dict(re.findall(r"^# ([^\n]+)\n(.*?)(?=^# |\Z)", BY_HAND.read_text("utf-8"), re.M | re.S))
    written = {f"{name.replace(' ', '-')}.md": _page(name, command, by_hand.get(name)) for name, command in commands()}
    if unknown := by_hand.keys() - {name for name, _ in commands()} - {"index"}:
        raise SystemExit(f"{BY_HAND.name} has examples of {', '.join(unknown)}, and there is no such command")
    return {"index.md": _index(by_hand["index"]), **written}


def _root() -> Any:
    return typer.main.get_command(app)


def _index(by_hand: str) -> str:
    lines = [_WRITTEN + "# Command line", by_hand.strip(), "## Commands", "| command | |\n|---|---|"]
    for name, command in commands():
        lines[-1] += f"\n| [`{name}`]({name.replace(' ', '-')}.md) | {_first_line(command)} |"
    lines += [
        "## Exit codes",
        "| code | |\n|---|---|\n" + "\n".join(f"| {code} | {text} |" for code, text in _codes()),
        "After Ctrl-C or SIGTERM a command ends by the signal, so that a loop of the shell ends, too; the shell calls "
        "that 130 or 143. `openpayments simulator`, which runs until it is stopped, then ends with 0.",
    ]
    return "\n\n".join(lines) + "\n"


def _page(name: str, command: Any, by_hand: str | None) -> str:
    context = command.make_context(f"openpayments {name}", [], resilient_parsing=True)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [_WRITTEN + f"# openpayments {name}"]
    output, more = re.fullmatch(r"\s*(```text\n.*?\n```)?(.*)", by_hand or "", re.S).groups()  # type: ignore[union-attr]
    for is_example, text in _parts(command.help):
        lines.append(_block(text) if is_example else text)
        if is_example and output and "<!-- not run" not in lines[-1]:
            lines.append(output)
            output = None
    if output:
        raise SystemExit(f"{BY_HAND.name} has the output of {name}, whose help has no example that is run")
    if more.strip():
        lines.append(more.strip())
    lines += ["## Usage", f"```text\n{usage}\n```"]
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    if arguments:
        rows = [f"| `{each.metavar}` | {_cell(each.help)} |" for each in arguments]
        lines.append("\n".join(["| argument | |", "|---|---|", *rows]))
    lines.append("\n".join(["| option | |", "|---|---|", *(_row(each, context) for each in options)]))
    lines.append("## Exit codes")
    lines.append("\n".join(["| code | |", "|---|---|", *(f"| {code} | {text} |" for code, text in _codes(name))]))
    return "\n\n".join(lines) + "\n"


def _codes(name: str | None = None) -> list[tuple[str, str]]:
    """The exit codes of a command with their meanings; those of all if none is named."""
    found = re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.M)
    rare = {"4": _FINDS_NOTHING, "6": _WAITS, "7": _IS_REFUSED, "8": _WRITES}
    if name == "simulator":
        return [(code, text) for code, text in found if code in {"0", "1", "2"}]
    return [(code, text) for code, text in found if name is None or code not in rare or re.match(rare[code], name)]


def _row(option: Any, context: Any) -> str:
    names, text = option.get_help_record(context)
    return f"| `{names.replace('|', ', ')}` | {_cell(text)} |"


def _cell(text: str) -> str:
    """A text as a cell of a Markdown table: in one line, with what would end the cell or begin a tag escaped."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()


def _first_line(command: Any) -> str:
    return inspect.cleandoc(command.help).partition("\n")[0]


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """The paragraphs of a help text, and whether each is an example."""
    for paragraph in re.split(r"\n{2,}", inspect.cleandoc(text)):
        if paragraph.startswith("\b\n"):
            yield True, textwrap.dedent(paragraph.removeprefix("\b\n"))
        else:
            yield False, " ".join(paragraph.split())


def _block(example: str) -> str:
    lines = example.replace("\\\n", " ").splitlines()
    reasons = [reason for line in lines for pattern, reason in _NOT_RUN.items() if re.match(pattern, line)]
    mark = f"<!-- not run: {reasons[0]} -->\n" if reasons else ""
    return f"{mark}```sh\n{example}\n```"


def main() -> int:
    """Writes the pages, or with --check compares them. The exit code is 1 if one differs."""
    return keep({PAGES / name: text for name, text in pages().items()}, PAGES.glob("*.md"))


if __name__ == "__main__":
    sys.exit(main())
