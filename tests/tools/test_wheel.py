"""The wheel, installed where nothing else of ours is: the README's examples check under mypy strict."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

from scripts.docs_blocks import blocks

from .conftest import ROOT, build


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


def test_a_script_that_uses_it_passes_mypy_strict(python: Path, tmp_path: Path) -> None:
    for number, block in enumerate(block for block in blocks("README.md") if block.language == "python"):
        (tmp_path / f"readme_{number}.py").write_text(block.code)
    script = tmp_path / "script.py"
    script.write_text(
        """
from openpayments_client.api.aspsp_information import get_countries_list

from openpayments_facade import (
    AspspDetails,
    AsyncOpenPayments,
    Country,
    NotFoundError,
    OpenPayments,
    RawResponse,
)


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
        [*mypy, "--config-file", os.devnull, *map(str, tmp_path.glob("*.py"))],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert outcome.stdout.startswith("Success"), outcome.stdout
