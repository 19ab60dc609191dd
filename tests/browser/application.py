"""The bank journey as the tests start, kill and look into it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from openpayments_facade.simulator import Simulator
from openpayments_facade.simulator.state.credentials import API_SCOPES
from tests.child_processes import child

ROOT: Final = Path(__file__).resolve().parent.parent.parent


class Application:
    """A process, which can be killed and started anew with the same database, at the same address."""

    def __init__(self, simulator: Simulator, folder: Path, *options: str) -> None:
        self.simulator = simulator
        self.database = folder / "journey.db"
        self.url = ""
        self._log = folder / "log"
        self._seen = 0
        self._options = options
        self._stack = ExitStack()
        self._process: subprocess.Popen[str] | None = None

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that it runs with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENPAYMENTS_")}
        exports = [line.removeprefix("export ").partition("=") for line in self.simulator.exports()]
        return {
            **kept,
            **{name: value for name, _, value in exports},
            "OPENPAYMENTS_API_SCOPES": " ".join(API_SCOPES),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}",
        }

    def start(self) -> None:
        """Starts the process. When this returns, it answers."""
        port = self.url.rstrip("/").rpartition(":")[2] or "0"
        command = [sys.executable, "-m", "tests.browser.served", str(self.database), port, *self._options]
        log = self._stack.enter_context(self._log.open("a"))
        running = child(command, cwd=ROOT, env=self.environ, stdout=subprocess.PIPE, stderr=log)
        self._process = self._stack.enter_context(running)
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith("Open "), self._log.read_text()
        self.url = said.removeprefix("Open ").strip()

    def kill(self) -> None:
        """Ends the process as a power cut would: it saves nothing more."""
        assert self._process is not None
        self._process.kill()
        self._stack.close()

    def stop(self) -> None:
        """Ends the process."""
        self._stack.close()

    def crashes(self) -> str:
        """What it has logged since the last look, if an error that it did not expect is in it."""
        log = self._log.read_text()
        new, self._seen = log[self._seen :], len(log)
        return new if "Traceback" in new else ""

    def let_time_pass(self, seconds: float) -> None:
        """Makes all approvals that were begun older."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as database:
            database.execute("UPDATE approvals SET started = started - ?", (seconds,))

    def nightly(self) -> subprocess.CompletedProcess[str]:
        """Runs the nightly job."""
        command = [sys.executable, "-m", "examples.bank_journey.nightly", "--database", str(self.database)]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=50, check=False
        )
