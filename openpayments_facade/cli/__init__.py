"""The command `openpayments`. Needs the extra `cli`. No other part of the SDK imports it."""

from __future__ import annotations

# only what Python has loaded already, and `signal`: until main() is called, Ctrl-C ends in a traceback
import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["main"]


def main() -> int:
    """The script's entry point.

    Returns:
        The exit code. After Ctrl-C and SIGTERM the process ends by the signal instead, as shells expect: for them that
        is 130 or 143.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # until there is a command that has something to say
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.unraisablehook = _unraisable
    # a stream that is closed: the next file to be opened would take its place
    sys.stdin = sys.stdin or _nothing("r")
    is_closed, sys.stdout = sys.stdout is None, sys.stdout or _nothing("w")
    sys.stderr = sys.stderr or _nothing("w")
    if is_closed:
        sys.stderr.write("Error: stdout is closed.\n")
        return 1
    try:
        import rich  # noqa: F401 - only needed later, but must be installed
        import typer  # noqa: F401
    except ModuleNotFoundError as error:
        needed = "pip install filelock platformdirs rich segno typer (the extra cli)"
        sys.stderr.write(f"Error: the command line needs {error.name}: {needed}\n")
        return 1
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a bank's name must not break a terminal that can't write it
    code = _run()
    from .failures import INTERRUPTED
    from .run import interruption

    if code and code in {INTERRUPTED, interruption()} and os.name == "posix":
        signal.raise_signal(code - 128)
    return code


def _run() -> int:
    """Runs the command, and gives its exit code."""
    import typer

    from .app import app
    from .failures import BROKEN_PIPE, INTERRUPTED
    from .output import discard_stdout, say, say_unwritable
    from .run import interruption

    options = ("--install-completion", "--show-completion")
    if sys.argv[0].endswith("__main__.py") and any(each.startswith(options) for each in sys.argv[1:]):
        say("Error: a shell completes the command `openpayments`, and not what `python -m` runs.")
        return 2
    try:
        return typer.main.get_command(app).main(standalone_mode=False) or 0
    except typer.Abort:
        return INTERRUPTED
    except OSError as error:  # help and version come from Typer, before any command
        say_unwritable(error)
        return 1
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            discard_stdout()
            return BROKEN_PIPE
        raise
    except Exception as error:
        if code := interruption():
            return code
        # wrong usage: Typer's own class, or click's
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        shown = io.StringIO()
        error.show(shown)
        say(shown.getvalue().rstrip("\n"))
        return int(error.exit_code)


def _nothing(mode: str) -> TextIO:
    return open(os.devnull, mode, encoding="utf-8")  # type: ignore[return-value]  # noqa: PTH123


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Ctrl-C in a place that no exception leaves ends the process, too."""
    if unraisable.exc_type is KeyboardInterrupt:
        signal.raise_signal(signal.SIGINT)
    sys.__unraisablehook__(unraisable)
