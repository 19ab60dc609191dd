"""The documentation site, as a browser shows it: built anew, or taken from the folder that SITE names."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from mkdocs.commands.build import build
from mkdocs.config import load_config
from playwright.sync_api import Browser

from tests.browser.chromium import DESK, PHONE, Device
from tests.browser.visitor import Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
# of each kind one
FILES = [
    *(ROOT / "docs" / f"{name}.md" for name in ("index", "transactions", "bank-journey")),
    *sorted((ROOT / "docs" / "reference").glob("*.md"))[:1],
    *sorted((ROOT / "docs" / "commands").glob("*.md"))[:1],
]
PAGES = [f"{each.relative_to(ROOT / 'docs').with_suffix('')}/".removeprefix("index/") for each in FILES]
# code that a reader has to push aside to read its end
OVERFLOWING = """() => [...document.querySelectorAll("pre > code")]
  .filter(each => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .map(each => `${each.scrollWidth} px in ${each.clientWidth}: ${each.textContent.split("\\n", 1)[0].slice(0, 60)}`)"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    if built := os.environ.get("SITE"):
        folder = ROOT / built
    else:
        with FileLock(f"{folder}.lock"):  # one worker builds it for all
            if not folder.exists():
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
