"""`make unasync`: what it refuses, and how it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import unasync


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one async file, whose sync half is written."""
    monkeypatch.setattr(unasync, "ROOT", tmp_path)
    monkeypatch.setattr(unasync, "FOLDERS", {tmp_path / "_async": tmp_path / "_sync"})
    monkeypatch.setattr(unasync, "SUBSTITUTIONS", [(r"\basync (def|for)\b", r"\1"), (r"\bawait ", "")])
    monkeypatch.setattr("sys.argv", ["unasync.py"])
    (tmp_path / "_async").mkdir()
    (tmp_path / "_async" / "x.py").write_text('async def f() -> str:\n    return await g("await asyncio")  # async\n')
    assert unasync.main() == 0
    monkeypatch.setattr("sys.argv", ["unasync.py", "--check"])
    assert unasync.main() == 0
    return tmp_path


def test_text_about_async_code_may_stay(halves: Path) -> None:
    assert (halves / "_sync" / "x.py").read_text().endswith('def f() -> str:\n    return g("asyncio")  # async\n')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\nasync def f(:\n", "_async/x.py, line 2: "),
        ("x = 1\nfrom asyncio import sleep\n", "_async/x.py, line 2: asyncio would stay"),
        ("async def f():\n    return await\\\n g()\n", "_async/x.py, line 2: await would stay"),
        ("f = [x async  for x in y]\n", "_async/x.py, line 1: async would stay"),
    ],
)
def test_what_has_no_sync_half_is_named_where_it_is_written(
    text: str, told: str, halves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (halves / "_async" / "x.py").write_text(text)
    assert unasync.main() == 1
    captured = capsys.readouterr()
    assert told in captured.err
    assert "_sync" not in captured.err
    assert captured.out == ""


def test_ruffs_own_words_are_shown(
    halves: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unasync, "SUBSTITUTIONS", [("async def", "def(")])
    assert unasync.main() == 1
    assert "_async/x.py: ruff failed on its sync text:\ninvalid-syntax" in capsys.readouterr().err


@pytest.mark.parametrize("stray", ["x.py", "stray.py", "deeper/stray.py"])
def test_the_check_sees_every_file_and_says_what_to_do(
    stray: str, halves: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = halves / "_sync" / stray
    file.parent.mkdir(exist_ok=True)
    file.write_text("x = 1\n")
    assert unasync.main() == 1
    assert capsys.readouterr().out.splitlines() == [
        f"_sync/{stray} is not what make unasync writes",
        "Edit _async/, never _sync/, and run `make unasync`.",
    ]
    monkeypatch.setattr("sys.argv", ["unasync.py"])
    assert unasync.main() == 0
    assert [path.name for path in (halves / "_sync").rglob("*.py")] == ["x.py"]


def test_a_substitution_that_no_file_needs_fails_the_check(
    halves: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unasync, "SUBSTITUTIONS", [*unasync.SUBSTITUTIONS, ("AsyncSpoon", "Spoon")])
    assert unasync.main() == 1
    assert capsys.readouterr().out == "Substitutions in scripts/unasync.py that are unused:\n  AsyncSpoon\n"
    monkeypatch.setattr("sys.argv", ["unasync.py"])
    assert unasync.main() == 0
