"""What servers say, made fit for logs and terminals."""

from __future__ import annotations

__all__ = ["printable"]


def printable(value: object) -> str:
    """A server's text, or what it sent instead, without what would steer the terminal or begin a line in a log."""
    return "".join(character if character.isprintable() else " " for character in str(value))
