"""The settings of mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_no_run_of_mypy_remembers_the_modules_of_another(tmp_path: Path) -> None:
    """With its cache mypy goes on saying, once the module is back, that a function of it returns Any."""
    things = tmp_path / "api" / "things.py"
    things.parent.mkdir()
    (tmp_path / "api" / "__init__.py").touch()
    things.write_text("def size() -> int:\n    return 1\n")
    use = tmp_path / "use.py"
    use.write_text("from api import things\n\n\ndef size() -> int:\n    return things.size()\n")

    def check() -> str:
        command = [
            sys.executable,
            "-m",
            "mypy",
            f"--config-file={ROOT / 'pyproject.toml'}",
            "--cache-dir=cache",
            "use.py",
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout

    assert "no issues" in check()
    things = things.rename(tmp_path / "elsewhere.py")
    assert "has no attribute" in check()
    things.rename(tmp_path / "api" / "things.py")
    assert "no issues" in check()
