"""Generated pages of docs/: written, or with --check compared."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent


def keep(wanted: Mapping[Path, str], present: Iterable[Path] = ()) -> int:
    """Writes the pages that differ, and removes those present that are not wanted. With --check it only names them.

    The exit code is 1 if there is something to name.
    """
    found = {path: path.read_text("utf-8") for path in {*wanted, *present} if path.is_file()}
    stale = sorted(path for path in {*wanted, *found} if wanted.get(path) != found.get(path))
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what `make generate` writes")
        return int(bool(stale))
    for path in stale:
        if path in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()
    return 0
