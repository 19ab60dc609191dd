"""The tests that docs/testing.md shows pass, as pytest runs them in a folder of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts.docs_blocks import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_the_tests_of_the_page(tmp_path: Path) -> None:
    page = "docs/testing.md"
    text = (ROOT / page).read_text("utf-8")
    titles = {}
    for found in re.finditer(r'^```python title="([^"]+)"$', text, re.MULTILINE):
        titles[text.count("\n", 0, found.start()) + 1] = found[1]
    shown = {block.line: block for block in blocks(page)}
    assert len(titles) == 5
    for line, title in titles.items():
        block = shown[line]
        (tmp_path / title).write_text(block.code, "utf-8")
        if block.has_async_half:
            (tmp_path / title.replace("test_", "test_async_")).write_text(block.async_code(), "utf-8")
    # no matter how the tests around it run: reports, parallel workers, variables of a simulator
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "OPENPAY"))
    }
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'generated'}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto", "."],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^10 passed", done.stdout, re.MULTILINE), done.stdout
