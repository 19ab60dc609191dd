"""Child processes that are gone at the end, whatever they or the test do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def child(command: Sequence[str], *, grace: float = 5.0, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A running child. At the end it is asked to stop, and killed if it has not done so in `grace` seconds."""
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                process.kill()
