"""What the tests of commands at banks share."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openpayments_facade._protocol.sca import POLL_INTERVAL

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

# a proxy, a terminal's size or a wish for colours of whoever runs the tests
FOREIGN = ("PROXY", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_")


@pytest.fixture
def simulator(
    openpayments_simulator: Simulator, openpayments_env: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Simulator:
    """A simulator that the environment variables describe."""
    for name in os.environ:
        if any(part in name.upper() for part in FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    for approach in POLL_INTERVAL:
        monkeypatch.setitem(POLL_INTERVAL, approach, 0.05)
    return openpayments_simulator


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
