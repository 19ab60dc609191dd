"""The wheel, installed where nothing else of ours is: the README's lines run, and check under mypy strict."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.child_processes import child

ROOT = Path(__file__).parent.parent.parent


def build(project: Path, into: Path, *, umask: int = -1) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]
    subprocess.run(command, check=True, cwd=project, env=environ, umask=umask, capture_output=True)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
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


def _readme() -> str:
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert code is not None
    return code.group(1)


def test_wheel_and_sdist_carry_both_packages_and_their_types(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("openpayments_facade", "openpayments_client"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
    assert any(name.startswith("openpayments_facade/_sync/") for name in names)
    assert any(name.startswith("openpayments_facade/simulator/") for name in names)
    assert not any(name.startswith(("tests", "generated", "scripts")) for name in names)
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"generated/openpayments_client/py.typed", "openpayments_facade/py.typed"} <= inside
    assert {"LICENSE", "README.md", "SECURITY.md", "docs/dependencies.md"} <= inside


def test_another_build_elsewhere_has_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """Another folder, times, permissions and umask: what is published can be built again, and compared."""
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    for name in (*targets["sdist"]["only-include"], "pyproject.toml", ".gitignore"):
        copied = tmp_path / "project" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copied, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, copied)
    for path in (tmp_path / "project").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1, 1_000_000_000))
    build(tmp_path / "project", tmp_path / "again", umask=0o077)
    for built in dist.iterdir():
        assert (tmp_path / "again" / built.name).read_bytes() == built.read_bytes(), built.name


def test_the_lines_of_the_readme_run_against_the_simulator(python: Path, tmp_path: Path) -> None:
    command = [str(python.parent / "openpayments"), "simulator"]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OPENPAYMENTS_", "PYTHON"))}
    with child(command, stdout=subprocess.PIPE, cwd=tmp_path, env=plain) as simulator:
        assert simulator.stdout is not None
        exports: dict[str, str] = {}
        while len(exports) < 4:
            line = simulator.stdout.readline()
            assert line, "the simulator ended before it printed its lines"
            if found := re.search(r"export (OPENPAYMENTS_\w+)=(\S+)", line):
                exports[found[1]] = found[2]
        lines = subprocess.run(
            [python, "-c", "import openpayments_facade; print(openpayments_facade.__file__)\n" + _readme()],
            env={**plain, **exports},
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
        ).stdout.splitlines()
    assert lines[0].startswith(str(python.parent.parent))
    assert lines[1] == "SE Sweden"
    assert lines[-1] == "Skandinaviska Enskilda Banken AB  Stockholm ['sepa-credit-transfers', 'domestic']"


def test_a_script_that_uses_it_passes_mypy_strict(python: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        _readme()
        + """
from openpayments_client.api.aspsp_information import get_countries_list

from openpayments_facade import AspspDetails, AsyncOpenPayments, Country, NotFoundError, RawResponse


def sync(op: OpenPayments) -> list[Country]:
    raw: RawResponse[AspspDetails] = op.with_raw_response.aspsps.get("ESSESESS")
    names: str = raw.parsed.bic_fi
    try:
        return op.with_options(timeout=5).call(get_countries_list, iso_country_codes=[names]).countries
    except NotFoundError as error:
        print(error.request_id, error.code)
        return []


async def asynchronous() -> None:
    async with AsyncOpenPayments.from_env(psu_context="corporate") as op:
        countries: list[Country] = await op.countries.list()
        raw = await op.with_raw_response.call(get_countries_list)
        countries = raw.parsed.countries
        print(countries[0].iso_country_code.upper())


def wrong(op: OpenPayments) -> None:
    op.aspsps.get(5)  # type: ignore[arg-type]
    op.call(get_countries_list, countries=["SE"])  # type: ignore[call-arg]
    op.with_options(colour="blue")  # type: ignore[call-arg]
    print(op.countries.get("SE").nmae)  # type: ignore[attr-defined]
"""
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python), "--cache-dir", str(tmp_path)]
    outcome = subprocess.run(
        [*mypy, "--config-file", os.devnull, str(script)], capture_output=True, text=True, cwd=tmp_path
    )
    assert outcome.stdout.startswith("Success"), outcome.stdout
