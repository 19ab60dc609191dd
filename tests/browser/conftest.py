"""The browser, the simulator and the bank journey: one of each for a worker. Each test is another visitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from openpayments_facade.simulator import Simulator
from tests.browser.application import Application
from tests.browser.chromium import DESK, PHONE, Device, started
from tests.browser.visitor import Visitor


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, started(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    # nothing is approved or settled before the test says so
    options: dict[str, Any] = {"decoupled_reads": None, "settlement": 3600}
    with Simulator(seed=7, transactions=400, page_size=50, newest_first=True, **options) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def _application(running: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    application = Application(running, tmp_path_factory.mktemp("journey"))
    application.start()
    yield application
    application.stop()


@pytest.fixture
def simulator(running: Simulator) -> Iterator[Simulator]:  # instead of the one of tests/conftest.py
    yield running
    running.reset()


@pytest.fixture
def application(_application: Application, simulator: Simulator) -> Iterator[Application]:
    yield _application
    assert not _application.crashes()


@pytest.fixture
def mortal(simulator: Simulator, tmp_path: Path) -> Iterator[Application]:
    """An application that a test may kill."""
    application = Application(simulator, tmp_path)
    application.start()
    yield application
    application.stop()
    assert not application.crashes()


@pytest.fixture
def visit(chromium: Browser, application: Application) -> Iterator[Callable[..., Visitor]]:
    """Opens a window of another visitor. At the end, all are asked what was wrong."""
    with ExitStack() as stack:

        def open_window(
            device: Device | None = None, *, javascript: bool = True, path: str = "/", url: str = application.url
        ) -> Visitor:
            # who has no device of their own looks at a desk's window of several widths
            window = Visitor(chromium, device or DESK, url=url, javascript=javascript, is_resized=device is None)
            stack.callback(window.close)
            window.go(path)
            return window

        yield open_window


@pytest.fixture(params=[DESK, PHONE], ids=lambda device: device.name)
def device(request: pytest.FixtureRequest) -> Device:
    found: Device = request.param
    return found
