"""Copies of this tree and of other commits, compiled, so that they differ in nothing but what they contain."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PACKAGES = ("openpayments_facade", "generated")


def copy(into: Path, revision: str | None = None) -> Path:
    """Puts the packages of this tree, or of another commit, into a folder; the benchmarks are always this tree's."""
    if revision is None:
        for name in _PACKAGES:
            shutil.copytree(ROOT / name, into / name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        command = ["git", "-C", str(ROOT), "archive", "--format=tar", revision, *_PACKAGES]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise SystemExit(f"BASE={revision}: git has no such commit, or it lacks the packages")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(into, filter="data")
    (into / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "speed.md", into / "docs")  # its transport is measured
    shutil.copytree(ROOT / "benchmarks", into / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    return into


def compile_all(python: str | Path, *trees: Path) -> None:
    subprocess.run([python, "-m", "compileall", "-q", *map(str, trees)], check=True)


def commit() -> str:
    """This tree's commit, with a word if it has changes."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=10", "--dirty= with changes", "--exclude=*"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown"


def machine() -> str:
    """Cores, processor, system."""
    import os
    import platform

    model = platform.processor()
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} cores, {model or platform.machine()}, {platform.system()} {platform.release()}"
