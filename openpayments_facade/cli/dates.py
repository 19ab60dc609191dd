"""Days on the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import typer

__all__ = ["read_day", "today"]


def read_day(text: str) -> date:
    """A day such as 2026-01-31. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day such as 2026-01-31") from None


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()
