"""Those who type commands, and those who sit at the browser that a command opens."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
import termios
import threading
import webbrowser
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import httpx
from typer.testing import CliRunner, Result

from openpayments_facade import Psu
from openpayments_facade.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

SCRIPT = Path(sys.executable).with_name("openpayments")
PSU_ID, FAILS, NEVER_ENDS = "200001010101", "example-fails", "example-never-ends"
IP = "203.0.113.7"
USER = Psu(id=PSU_ID, ip_address=IP, user_agent="Mozilla/5.0")
TODAY = datetime.now(UTC).date()


def run(*arguments: str, typed: str = "", **environment: str) -> Result:
    environment = {"OPENPAYMENTS_PSU_ID": PSU_ID, **environment}
    result = CliRunner().invoke(app, list(arguments), prog_name="openpayments", env=environment, input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr
    return result


@contextmanager
def terminal(columns: int) -> Iterator[tuple[TextIO, Callable[[], str]]]:
    """A real terminal: what to write to, and what it has been written since, without colours."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    read: list[bytes] = []

    def pump() -> None:
        with suppress(OSError):  # on Linux, the end
            while piece := os.read(master, 65536):
                read.append(piece)

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()

    def written() -> str:
        screen.close()
        thread.join(10)
        os.close(master)
        return re.sub(r"\x1b\[[0-9;]*m", "", b"".join(read).decode()).replace("\r\n", "\n")

    with os.fdopen(slave, "w", encoding="utf-8") as screen:
        yield screen, written


def person(
    monkeypatch: pytest.MonkeyPatch, do: Callable[[str], str], *before: Callable[[str], httpx.Response]
) -> list[httpx.Response]:
    """Somebody at the browser that the command opens: `do` gives where the bank's page sends them in the end."""
    pages: list[httpx.Response] = []

    def browse(url: str) -> bool:
        callback = do(url)

        def follow() -> None:
            pages.extend(each(callback) for each in before)
            pages.append(httpx.get(callback))

        threading.Thread(target=follow, daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    return pages
