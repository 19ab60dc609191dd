"""The system's Chromium, driven by Playwright. Nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Playwright

FLAGS: Final = [
    # what a browser says to its maker, and looks for without being asked
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # what machines of tests lack
    "--disable-gpu",
    "--disable-quic",
    # letters and colours are the same on all machines
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    # no name is looked up
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@dataclass(frozen=True)
class Device:
    """Where a page is looked at."""

    name: str
    width: int
    height: int
    is_phone: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """For a context of the browser."""
        size = {"width": self.width, "height": self.height}
        agent = {"user_agent": "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0 Mobile Safari/537.36"}
        mobile = {"has_touch": self.is_phone, "is_mobile": self.is_phone}
        return {"viewport": size, **mobile, **(agent if self.is_phone else {})}


PHONE: Final = Device("phone", 390, 844, is_phone=True)
DESK: Final = Device("desk", 1280, 900)


@contextmanager
def started(playwright: Playwright) -> Iterator[Browser]:
    """The browser, from `CHROMIUM`, which `make test-browser` sets."""
    path = os.environ.get("CHROMIUM")
    if not path:
        pytest.exit("CHROMIUM is not set: `make test-browser` finds the browser", 1)
    # as root there is no sandbox for it
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    browser = playwright.chromium.launch(executable_path=path, args=flags)
    yield browser
    browser.close()
