"""Writes openpayments_facade/__init__.pyi, so that type checkers know the names that are loaded lazily.

`make unasync` runs it. `--check` writes nothing, and fails if the file is out of date.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

STUB = Path(__file__).parent.parent / "openpayments_facade" / "__init__.pyi"
NOTE = "# Written by `make unasync` from __init__.py; do not edit.\n"


def stub() -> str:
    """The text of the stub."""
    package = import_module("openpayments_facade")
    names = defaultdict(list)
    for name, module in package._HOMES.items():
        names["openpayments_client.models" if module == "models" else f".{module}"].append(name)
    lines = [NOTE, "from ._version import __version__ as __version__"]
    lines += [f"from . import {name} as {name}" for name in package._MODULES]
    lines += [f"from {module} import {name} as {name}" for module in names for name in names[module]]
    text = "\n".join([*lines, "\n__all__: list[str]\n"])
    for arguments in (["check", "--select", "I", "--fix"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--stdin-filename", str(STUB), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


def main() -> int:
    """Writes the file, or with --check compares it. The exit code is 1 if it differs."""
    wanted = stub()
    if STUB.is_file() and STUB.read_text("utf-8") == wanted:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{STUB.name} is not what `make unasync` writes")
        return 1
    STUB.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
