"""What is installed with the SDK: its floors, its locks, its papers, and what is said about installing it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.tools.test_makefile import make

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = PROJECT["name"]
LOCKS = ["requirements.txt", "requirements-dev.txt"]
PAGE = (ROOT / "docs" / "dependencies.md").read_text()


def needed(lines: list[str]) -> set[str]:
    """The packages of some requirements, with those of our own extras that they name."""
    requirements = [Requirement(line) for line in lines]
    extras = {extra for each in requirements if each.name == NAME for extra in each.extras}
    return {each.name for each in requirements if each.name != NAME}.union(
        *(needed(PROJECT["optional-dependencies"][extra]) for extra in extras)
    )


EXTRAS = {extra: needed(lines) for extra, lines in PROJECT["optional-dependencies"].items()}
REQUIREMENTS = [
    requirement
    for line in (
        *PROJECT["dependencies"],
        *(line for each in PROJECT["optional-dependencies"].values() for line in each),
    )
    if (requirement := Requirement(line)).name != NAME
]


def entries(lock: str) -> list[str]:
    """The entries of a lock file, each on one line."""
    return [line for line in (ROOT / lock).read_text().replace("\\\n", "").splitlines() if not line.startswith("#")]


def locked(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        requirement = Requirement(entry.partition(" --hash")[0])
        found.setdefault(requirement.name, set()).add(str(requirement.specifier).removeprefix("=="))
    return found


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table below a heading of docs/dependencies.md, by package."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if "|" in line]
    return {cells[0]: cells[1:] for cells in table[2:]}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_a_version_and_hashes_for_everything_and_names_no_index(lock: str) -> None:
    for entry in entries(lock):
        assert re.fullmatch(r"[\w.\[\]-]+==[\w.]+ (; [^#]+ )?( *--hash=sha256:[0-9a-f]{64})+", entry), entry
    assert needed(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["all"]) <= set(locked(lock))


def test_what_runs_is_locked_as_it_is_developed_with() -> None:
    development = locked("requirements-dev.txt")
    assert {
        name: versions for name, versions in locked("requirements.txt").items() if versions != development[name]
    } == {}


@pytest.mark.parametrize(("package", "cells"), rows("Flaws that the floors keep out").items())
def test_no_floor_and_no_lock_lets_a_known_flaw_in(package: str, cells: list[str]) -> None:
    floors = [
        Version(each.version)
        for requirement in REQUIREMENTS
        if requirement.name == package
        for each in requirement.specifier
        if each.operator == ">="
    ]
    safe = Version(cells[0])
    assert floors
    assert min(floors) >= safe
    for lock in LOCKS:
        assert min(map(Version, locked(lock)[package])) >= safe


def test_every_dependency_has_its_line_with_the_version_that_is_locked() -> None:
    versions = locked("requirements.txt")
    always, extras = rows("Always installed"), rows("Extras")
    assert set(always) == needed(PROJECT["dependencies"])
    said = {name: set(re.findall(r"`(\w+)`", cells[0])) for name, cells in extras.items()}
    assert said == {
        name: {extra for extra, names in EXTRAS.items() if name in names and extra != "all"} for name in EXTRAS["all"]
    }
    cells = {name: row[0] for name, row in always.items()} | {name: row[1] for name, row in extras.items()}
    stale = {name: cell for name, cell in cells.items() if {cell.partition(",")[0]} != versions[name]}
    assert not stale, "the locks have other versions: look at what is new, and say so in docs/dependencies.md"


def texts() -> dict[str, str]:
    """Everything that somebody may read to learn how to install it."""
    paths = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    for folder in ("openpayments_facade", "generated", "docs", "examples", "openapi", "scripts"):
        paths += [path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".yaml", ".jinja"}]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def test_nothing_advises_to_install_a_name_that_somebody_else_could_register() -> None:
    installs = rf"\b(?:pipx?|uvx?|poetry|pdm|conda)\b[^\n]*\b{NAME.replace('-', '[-_.]')}\b"
    assert {path: found for path, text in texts().items() if (found := re.findall(installs, text))} == {}


def test_what_is_advised_instead_is_all_that_the_extra_needs() -> None:
    advised = {
        extra: set(packages.split())
        for path, text in texts().items()
        if path.startswith("openpayments_facade")
        for packages, extra in re.findall(r"pip install ([\w -]+) \(the extra (\w+)\)", text)
    }
    assert advised == {extra: names for extra, names in EXTRAS.items() if extra in advised}
    assert set(advised) == set(EXTRAS) - {"all", "file", "redis"}  # these two are in tests/tokens/test_stores.py


def test_the_audit_is_of_every_locked_version(tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\nfor last; do :; done; cat "$last"\n')
    uv.chmod(0o755)
    status, output = make("audit", f"BIN={tmp_path}", f"VENV={tmp_path}", f"--old-file={tmp_path}/.dev")
    assert status == 0, output
    script = re.sub(r"^# ?", "", re.split(r"^# ///.*\n", output, flags=re.MULTILINE)[1], flags=re.MULTILINE)
    audited = tomllib.loads(script)["dependencies"]
    assert audited == [entry.partition(" --hash")[0].strip() for entry in entries("requirements-dev.txt")]
