"""Those who type commands, and those who sit at the browser that a command opens."""

from __future__ import annotations

import sys
import threading
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from typer.testing import CliRunner, Result

from openpayments_facade import Psu
from openpayments_facade.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Callable

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
