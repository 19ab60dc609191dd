"""Help texts in which what can be copied is never broken at the end of a line."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from .again import program

__all__ = ["Command", "Group"]

# as wide as what they stand for, and lines are not broken at them
_BLANK, _HYPHEN = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"


def _glued(text: str) -> str:
    text = re.sub("`[^`]+`", lambda found: " ".join(found[0].split()).replace(" ", _BLANK), text)
    return text.replace("-", _HYPHEN)


class _Whole:
    """What Typer's classes for commands and for groups of them lack."""

    def format_help(self, context: Any, formatter: Any) -> None:
        """Writes the help."""
        write_text, write_list = formatter.write_text, formatter.write_dl
        typed = f"{program(context)} "
        formatter.write_text = lambda text: write_text(_glued(re.sub(r"\bopenpayments (?=[a-z])", typed, text)))
        formatter.write_dl = lambda rows, *more, **options: write_list(
            [(name, _glued(text)) for name, text in rows], *more, **options
        )
        super().format_help(context, formatter)  # type: ignore[misc]
        formatter.buffer[:] = [each.replace(_BLANK, " ").replace(_HYPHEN, "-") for each in formatter.buffer]

    def collect_usage_pieces(self, context: Any) -> list[str]:
        """The words of the usage: a name in capitals is an argument, and one that is needed has no brackets."""
        pieces: list[str] = super().collect_usage_pieces(context)  # type: ignore[misc]
        return [piece.strip("{}") for piece in pieces]


class Command(_Whole, TyperCommand):
    """A command."""


class Group(_Whole, TyperGroup):
    """Several commands."""
