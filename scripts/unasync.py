"""Writes the sync half of the code from the async half: `make unasync`.

`--check` writes nothing, and fails if the two differ or a substitution is unused.

    openpayments_facade/_async -> openpayments_facade/_sync
    tests/_async               -> tests/_sync
    tests/typing/_async        -> tests/typing/_sync

The substitutions apply to the whole text, so that the examples in docstrings are right too.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = {
    ROOT / "openpayments_facade" / "_async": ROOT / "openpayments_facade" / "_sync",
    ROOT / "tests" / "_async": ROOT / "tests" / "_sync",
    ROOT / "tests" / "typing" / "_async": ROOT / "tests" / "typing" / "_sync",
}
SUBSTITUTIONS = [
    (r"\(await ([^()]*(?:\([^()]*\)[^()]*)*)\)(?=[.)\[])", r"\1"),  # (await f(x)).y -> f(x).y
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAwaitable\[(\w+(?:\[\w+\])?)\]", r"\1"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__a(enter|exit|iter)__", r"__\1__"),
    (r"\ba(close|get|iter_raw)\b", r"\1"),
    (r"\b(openpayments_)?async_client\b", r"\1client"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bimport asyncio\b", "import time"),
    (r", written once, as async; `make unasync` writes the sync half", ": the sync half, written by `make unasync`"),
]
LEFT_OVER = {"async", "await", "asyncio"}
NOTE = "# Written by `make unasync` from {}; do not edit.\n"


class UnasyncError(Exception):
    """An async file that can't be converted."""


def sync(source: Path, used: set[str]) -> str:
    """The sync text of an async file. Adds the patterns that matched to `used`."""
    text, name = source.read_text("utf-8"), source.relative_to(ROOT)
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise UnasyncError(f"{name}, line {error.lineno}: {error.msg}") from None
    for pattern, replacement in SUBSTITUTIONS:
        text, times = re.subn(pattern, replacement, text)
        if times:
            used.add(pattern)
    # has the line numbers of the source, which ruff changes
    substituted = text
    text = NOTE.format(name) + text
    for arguments in (["check", "--select", "I,F401", "--fix"], ["format"]):
        ruff = [
            sys.executable,
            "-m",
            "ruff",
            *arguments,
            "--quiet",
            "--stdin-filename",
            str(FOLDERS[source.parent] / source.name),
            "-",
        ]
        done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
        if done.returncode:
            raise UnasyncError(f"{name}: ruff failed on its sync text:\n{done.stderr}".rstrip())
        text = done.stdout
    for token in tokenize.generate_tokens(io.StringIO(substituted).readline):
        if token.type == tokenize.NAME and token.string in LEFT_OVER:
            raise UnasyncError(f"{name}, line {token.start[0]}: {token.string} would stay; a substitution is missing")
    return text


def main() -> int:
    """Writes the files, or with --check compares them. The exit code is 1 if they differ."""
    checking = "--check" in sys.argv[1:]
    stale = []
    used: set[str] = set()
    for folder, target in FOLDERS.items():
        try:
            wanted = {target / source.name: sync(source, used) for source in sorted(folder.glob("*.py"))}
        except UnasyncError as error:
            print(error, file=sys.stderr)
            return 1
        present = {path: path.read_text("utf-8") for path in target.rglob("*.py")}
        stale += [path for path in {*wanted, *present} if wanted.get(path) != present.get(path)]
        if not checking:
            target.mkdir(exist_ok=True)
            for path in present.keys() - wanted.keys():
                path.unlink()
            for path, text in wanted.items():
                path.write_text(text, "utf-8")
    for path in sorted(stale):
        print(f"{path.relative_to(ROOT)} {'is not what make unasync writes' if checking else 'written'}")
    if checking and stale:
        print("Edit _async/, never _sync/, and run `make unasync`.")
    unused = [pattern for pattern, _ in SUBSTITUTIONS if pattern not in used]
    if checking and unused:
        print("Substitutions in scripts/unasync.py that are unused:", *unused, sep="\n  ")
    return int(checking and bool(stale or unused))


if __name__ == "__main__":
    sys.exit(main())
