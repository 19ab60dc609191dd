"""The command `openpayments`. Needs the extra `cli`. No other part of the SDK imports it."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """The script's entry point. Returns 1 if Typer, Rich or stdout is missing; otherwise it ends the process."""
    if sys.stdout is None:
        sys.stderr.write("Error: stdout is closed.\n")
        return 1
    try:
        import rich  # noqa: F401 - only needed later, but must be installed
        import typer  # noqa: F401
    except ModuleNotFoundError as error:
        needed = "pip install filelock platformdirs rich segno typer (the extra cli)"
        sys.stderr.write(f"Error: the command line needs {error.name}: {needed}\n")
        return 1
    from .app import app
    from .output import say_unwritable

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a bank's name must not break a terminal that can't write it
    try:
        app()
    except OSError as error:  # help and version come from Typer, before any command
        say_unwritable(error)
        return 1
    return 0
