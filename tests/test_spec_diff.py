"""`make spec-diff`, in a git repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.spec_diff import DESCRIPTION, main

BEFORE = """\
openapi: 3.1.0
info: {title: Banks, version: "1"}
paths:
  /banks:
    get:
      parameters:
        - {$ref: "#/components/parameters/Countries"}
        - {name: limit, in: query, schema: {type: integer}}
      responses: {"200": {description: Banks.}}
components:
  parameters:
    Countries: {name: countries, in: query, explode: false, schema: {type: array, items: {type: string}}}
"""


@pytest.fixture
def description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The description in a repository whose only commit has it as it was before."""
    monkeypatch.chdir(tmp_path)
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set when a hook of git runs the tests
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / DESCRIPTION
    file.parent.mkdir()
    file.write_text(BEFORE)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message=Before"]):
        subprocess.run(["git", *command], check=True)
    return file


@pytest.mark.parametrize(
    ("old", "new", "status", "told"),
    [
        ("", "", 0, "No differences found"),
        ("description: Banks.", "description: All banks.", 0, "0 breaking"),
        ("name: limit, in: query,", "name: limit, in: query, required: true,", 1, "Parameter 'limit' is now required"),
        ("/banks:", "/aspsps:", 1, "[BREAKING] /banks"),
        ("explode: false", "explode: true", 1, "style form, explode false became style form, explode true"),
        ("explode: false", "style: spaceDelimited", 1, "became style spaceDelimited, explode false"),
    ],
)
def test_what_changed_and_what_of_it_breaks_users(
    old: str,
    new: str,
    status: int,
    told: str,
    description: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    description.write_text(BEFORE.replace(old, new))
    monkeypatch.setattr("sys.argv", ["spec_diff.py", "HEAD"])
    assert main() == status
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: BASE"),
        (["v0"], "'v0' is no revision of this git repository"),
        (["--", "--all"], "'--all' is no revision of this git repository"),
        (["HEAD"], "openapi/openpayments.yaml"),
    ],
)
def test_without_anything_to_compare_with(
    arguments: list[str],
    told: str,
    description: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    description.unlink()
    monkeypatch.setattr("sys.argv", ["spec_diff.py", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert told in capsys.readouterr().err
