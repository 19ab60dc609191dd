"""Who may know whom: the contracts in pyproject.toml fail when a wrong import is planted in either half."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
IGNORED = shutil.ignore_patterns("__pycache__")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of both packages, and of the contracts."""
    for package in ("openpayments_facade", "generated/openpayments_client"):
        shutil.copytree(ROOT / package, tmp_path / Path(package).name, ignore=IGNORED)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(tree: Path, file: str, line: str) -> None:
    """Adds an import where only a type checker runs it: those count as well."""
    assert (tree / file).exists()
    with (tree / file).open("a") as module:
        module.write(f"\nif TYPE_CHECKING:\n    {line}\n")


def broken(tree: Path) -> list[str]:
    """The names of the contracts that do not hold."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    environ = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True, check=False)
    names = [line.removesuffix(" BROKEN") for line in re.findall(r".+ BROKEN", done.stdout)]
    assert bool(names) == bool(done.returncode), done.stdout + done.stderr
    return names


def test_the_contracts_hold(tree: Path) -> None:
    assert broken(tree) == []


@pytest.mark.parametrize("half", ["_async", "_sync"])
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("{half}/service.py", "from ..cli import app", "Layers, top to bottom"),
        ("{half}/service.py", "from . import client", "No circles"),
        ("{half}/service.py", "from .. import Bank", "Programs and the simulator import the face, the core does not"),
        ("{half}/service.py", "from ..tokens import Token", "Services don't know tokens: the session wires them"),
        ("errors.py", "from .{half} import client", "Layers, top to bottom"),
        ("_settings.py", "from .{half} import bank", "Layers, top to bottom"),
        ("simulator/server.py", "from ..{half} import bank", "The simulator is the other side of the wire"),
    ],
)
def test_a_wrong_import_breaks_a_contract(half: str, file: str, line: str, contract: str, tree: Path) -> None:
    plant(tree, f"openpayments_facade/{file}".format(half=half), line.format(half=half))
    assert contract in broken(tree)


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("openpayments_client/client.py", "import openpayments_facade.errors", "The generated client stands alone"),
        ("openpayments_facade/__init__.py", "from . import testing", "Nobody imports what stands beside the core"),
        (
            "openpayments_facade/environments.py",
            "import openpayments_client",
            "The generated client has few users",
        ),
        (
            "openpayments_facade/simulator/server.py",
            "from ..psu import Psu",
            "The simulator is the other side of the wire",
        ),
        (
            "openpayments_facade/cli/output.py",
            "from .._checks import refuse",
            "The command line uses the public face, and little beside it",
        ),
    ],
)
def test_a_wrong_import_beside_the_halves_breaks_a_contract(file: str, line: str, contract: str, tree: Path) -> None:
    plant(tree, file, line)
    assert contract in broken(tree)


def test_a_new_module_needs_a_layer(tree: Path) -> None:
    (tree / "openpayments_facade" / "stray.py").touch()
    assert broken(tree) == ["Layers, top to bottom"]
