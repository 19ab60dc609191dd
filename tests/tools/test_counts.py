"""What the SDK does is counted, and what grows is named."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from scripts import counts
from scripts.counts import Record, compare

FACADE = counts.ROOT / "openpayments_facade"
IMPORTS = ["import openpayments_facade", "from openpayments_facade import OpenPayments"]
# a module for each import, and 500 calls for each list of banks
SLOWER = """

def _slower(self, _list=Aspsps.list, **filters):
    for _ in range(500):
        abs(1)
    return _list(self, **filters)


Aspsps.list = _slower
"""


def test_what_grows_by_a_tenth_is_named_module_by_module() -> None:
    few, many = {"a": {"f": 90}, "b": {"g": 10}}, {"a": {"f": 91, "h": 1}, "b": {"g": 18}}
    assert compare({"calls": few}, {"calls": many}) == [
        "calls: 110 instead of 100 (+10 %)\n  +8      b: g +8\n  +2      a: f, h",
    ]
    assert compare({"calls": few}, {"calls": {"a": {"f": 109}}}) == []


def test_only_the_ten_largest_differences_are_shown() -> None:
    (problem,) = compare({}, {"calls": {f"module{n}": {f"f{m}": n for m in range(12)} for n in range(1, 15)}})
    assert problem.count("\n") == 10
    assert problem.splitlines()[1].endswith("module14: " + ", ".join(f"f{m} +14" for m in range(10)) + ", and 2 more")


def test_a_module_that_is_loaded_later_than_before_is_no_growth() -> None:
    def record(*steps: list[str]) -> Record:
        return {f"sync: modules after {n}": {"p": names} for n, names in enumerate(steps)}

    assert compare(record(["p.a"], ["p.b"]), record(["p.a"], ["p.b"])) == []
    assert compare(record(["p.a"], ["p.b", "p.c"]), record(["p.a", "p.b"], ["p.c"])) == [
        "sync: modules after 0: 2 instead of 1 (+100 %)\n  +1      p: p.b"
    ]
    assert compare(record(["p.a"], ["p.b"]), record(["p.a", "q"], ["p.b"])) == [
        "sync: modules after 0: 2 instead of 1 (+100 %)\n  +1      p: q",
        "sync: modules after 1: 3 instead of 2 (+50 %)\n  the same",
    ]


@pytest.mark.parametrize("step", IMPORTS)
def test_an_import_may_load_no_other_module_than_before(step: str) -> None:
    names = [f"p.m{number}" for number in range(100)]
    old, more, less, other = {"p": names}, {"p": names, "q": ["q"]}, {"p": names[1:]}, {"p": names[1:], "q": ["q"]}
    exact, rough = f"sync: modules after {step}", "sync: modules after making a client"
    assert compare({exact: old}, {exact: more}) == [f"{exact}: 101 instead of 100 (+1 %)\n  +1      q: q"]
    assert compare({exact: old}, {exact: other}) == [f"{exact}: 100 instead of 100 (+0 %)\n  +1      q: q"]
    assert compare({exact: old}, {exact: less}) == compare({rough: old}, {rough: more}) == []


@pytest.mark.parametrize(
    ("recorded", "found", "says"),
    [
        (1, 2, "requests: 2 instead of 1 (+100 %)"),
        (0, 1, "requests: 1 instead of 0"),
        (10, 8, "requests: 8 instead of 10 (-20 %): run `make counts` to record it, so that it stays"),
        (10, 9, None),
        (0, 0, None),
        (10, 10, None),
    ],
)
def test_a_number_may_neither_grow_nor_guard_nothing(recorded: int, found: int, says: str | None) -> None:
    assert compare({"requests": recorded}, {"requests": found}) == [says] * (says is not None)


def test_growth_of_the_sdk_itself_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = [("first", "sync"), ("warm", "sync")]
    before = counts.count(subjects)
    assert before["sync: token requests of a first call"] == before["sync: API requests of a first call"] == 1
    planted = tmp_path / FACADE.name
    shutil.copytree(FACADE, planted, ignore=shutil.ignore_patterns("simulator", "cli"))
    for module, text in (("__init__.py", "\nimport wave\n"), ("_sync/aspsp_information.py", SLOWER)):
        with (planted / module).open("a", encoding="utf-8") as file:
            file.write(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    *imported, called = compare(before, counts.count(subjects))
    for problem, step in zip(imported, IMPORTS, strict=True):
        first, *rest = problem.splitlines()
        assert first.startswith(f"sync: modules after {step}: ")
        assert any(line.endswith(" wave: wave") for line in rest)
    first, most, *rest = called.splitlines()
    assert first.startswith("sync: calls of a warm call: ")
    assert most == "  +501    openpayments_facade._sync.aspsp_information: abs() +500, _slower"
    assert rest == []


@pytest.mark.parametrize(
    ("records", "locked", "says"),
    [
        ({"another Python": {"requests": 1}}, "", f"counts: not checked: nothing is recorded for {counts.HERE}\n"),
        (
            {counts.HERE: {"requests": 1}},
            "attrs==1.0 \\\n",
            f"counts: not checked: attrs {version('attrs')} is installed, 1.0 is locked\n",
        ),
    ],
)
def test_another_python_or_another_dependency_is_said_and_passes(
    records: object,
    locked: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in (("FILE", json.dumps(records)), ("LOCKED", locked)):
        place = tmp_path / getattr(counts, name).name
        place.write_text(text)
        monkeypatch.setattr(counts, name, place)
    monkeypatch.setattr("sys.argv", ["counts", "--check"])
    assert counts.main() == 0
    assert capsys.readouterr().out == says


def test_growth_fails_until_it_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["counts", *arguments])
        return counts.main()

    monkeypatch.setattr(counts, "FILE", tmp_path / "counts.json")
    monkeypatch.setattr(counts, "unlocked", list)
    others = {"another Python": {"requests": 7}}
    counts.FILE.write_text(json.dumps({**others, counts.HERE: {"requests": 1}}))
    monkeypatch.setattr(counts, "count", lambda: {"requests": 2})
    assert run("--check") == 1
    assert capsys.readouterr().out.splitlines() == [
        "counts: requests: 2 instead of 1 (+100 %)",
        "counts: if it is intended, run `make counts` and commit scripts/counts.json",
    ]
    assert run() == 0
    assert capsys.readouterr().out.split() == ["2", "(1", "before)", "requests"]
    assert json.loads(counts.FILE.read_text()) == {**others, counts.HERE: {"requests": 2}}
    assert run("--check") == 0
    assert capsys.readouterr().out == ""
