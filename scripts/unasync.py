"""Writes the sync half of the code from the async half: `make unasync`; `--check` fails where the two differ.

    openpayments_facade/_async -> openpayments_facade/_sync
    tests/_async               -> tests/_sync

The substitutions go over the whole text, so that the examples in docstrings are right too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = {
    ROOT / "openpayments_facade" / "_async": ROOT / "openpayments_facade" / "_sync",
    ROOT / "tests" / "_async": ROOT / "tests" / "_sync",
}
SUBSTITUTIONS = [
    (r"\(await ([^()]*(?:\([^()]*\)[^()]*)*)\)(?=[.)\[])", r"\1"),  # (await f(x)).y -> f(x).y
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAwaitable\[(T|None)\]", r"\1"),
    (r"\bAwaitable\[RawResponse\[T\]\]", "RawResponse[T]"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\bAsyncIterable\b", "Iterable"),
    (r"\bAsyncGenerator\b", "Generator"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__a(enter|exit|iter|next)__", r"__\1__"),
    (r"\ba(close|get|iter_raw|client)\b", r"\1"),
    (r"\basync_client\b", "client"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bimport asyncio\b", "import time"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\b_async\b", "_sync"),
    (r", written once, as async; `make unasync` writes the sync half", ": the sync half, written by `make unasync`"),
]
NOTE = "# Written by `make unasync` from {}; do not edit.\n"


def sync(source: Path) -> str:
    """The sync text of an async file."""
    text = source.read_text("utf-8")
    for pattern, replacement in SUBSTITUTIONS:
        text = re.sub(pattern, replacement, text)
    text = NOTE.format(source.relative_to(ROOT)) + text
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
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


def main() -> int:
    """Writes, or with --check compares. The exit code is 1 where they differ."""
    checking = "--check" in sys.argv[1:]
    stale = []
    for folder, target in FOLDERS.items():
        wanted = {target / source.name: sync(source) for source in sorted(folder.glob("*.py"))}
        present = {path: path.read_text("utf-8") for path in target.glob("*.py")} if target.exists() else {}
        stale += [path for path in {*wanted, *present} if wanted.get(path) != present.get(path)]
        if not checking:
            target.mkdir(exist_ok=True)
            for path in present.keys() - wanted.keys():
                path.unlink()
            for path, text in wanted.items():
                path.write_text(text, "utf-8")
    for path in sorted(stale):
        print(f"{path.relative_to(ROOT)} {'is not what make unasync writes' if checking else 'written'}")
    return int(checking and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
