"""The documentation site, as a browser shows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from playwright.sync_api import Browser

from tests.browser.chromium import DESK, PHONE, Device
from tests.browser.visitor import Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ["", "transactions/", "testing/"]
# code that a reader has to push aside to read its end
OVERFLOWING = """() => [...document.querySelectorAll("pre > code")]
  .filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map(each => `${each.scrollWidth} px in ${each.clientWidth}: ${each.textContent.split("\\n", 1)[0].slice(0, 60)}`)"""

# one worker builds the site for all of them
pytestmark = pytest.mark.xdist_group("site")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("device", [DESK, PHONE], ids=lambda device: device.name)
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.strip("/") or "index")
def test_a_page_is_readable_and_cuts_no_code(chromium: Browser, site: str, path: str, device: Device) -> None:
    visitor = Visitor(chromium, device, url=site)
    visitor.go(path)
    visitor.look(path or "index")
    assert visitor.page.evaluate(OVERFLOWING) == []
    visitor.close()
