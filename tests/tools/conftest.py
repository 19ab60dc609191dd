"""What is built once for several files: the distributions, and an environment that has the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def build(project: Path, into: Path, *, umask: int = -1) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    subprocess.run(command, check=True, cwd=project, env=environ, umask=umask, capture_output=True)


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="session")
def python(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and the dependencies of this one without our editable install."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (wheel,) = dist.glob("*.whl")
    install = [sys.executable, "-m", "uv", "pip", "install", "--python", str(python), "--offline", "--no-deps"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    paths = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    (Path(paths.stdout.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def plain() -> dict[str, str]:
    """The environment's variables, without those that say something to Python or to us."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENPAYMENTS_", "PYTHON"))}
