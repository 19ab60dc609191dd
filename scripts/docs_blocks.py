"""The code in README and docs: what runs, what it prints, and its async half.

Every Python and shell block stands alone and runs as it stands: `tests/docs/test_blocks.py` does it. The marks, each on
the line before a block:

    <!-- not run: REASON -->   it is not run, and counted
    <!-- async -->             the async half of the block before, where `to_async` can't write it

A `text` block directly after another one is its output, in which `...` stands for anything.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

from .async_blocks import to_async, waits

ROOT: Final = Path(__file__).parent.parent
LANGUAGES: Final = ("python", "sh")
# a block may stand in a list or an admonition, indented
_BLOCK: Final = re.compile(
    r"(?:^[ ]*<!-- (?P<mark>async|not run: [^\n]+) -->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w+)(?P<rest>[^\n]*)\n(?P<code>.*?)^(?P=indent)```[ ]*\n"
    r"(?:\n*^(?P=indent)```text[^\n]*\n(?P<output>.*?)^(?P=indent)```[ ]*\n)?",
    re.DOTALL | re.MULTILINE,
)


@frozen
class Block:
    """One block of a page: `start` to `end` of its text."""

    page: str
    line: int
    heading: str
    language: str
    code: str
    output: str | None
    not_run: str | None
    indent: str
    start: int
    end: int
    rest: str = ""
    """What stands behind the language, such as a title."""
    by_hand: Block | None = None
    """The async half that the page has."""

    @property
    def has_async_half(self) -> bool:
        return self.by_hand is not None or (self.language == "python" and waits(self.code))

    def async_code(self) -> str:
        """The async half."""
        return self.by_hand.code if self.by_hand else to_async(self.code)


def pages() -> list[str]:
    """All pages with code for users, from the root of the repository."""
    return ["README.md", *sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]


def blocks(page: str, text: str | None = None) -> list[Block]:
    """The Python and shell blocks of a page, in order."""
    if text is None:
        text = (ROOT / page).read_text("utf-8")
    every: list[Block] = []
    for found in _BLOCK.finditer(text):
        if found["language"] not in LANGUAGES:
            continue
        above = re.findall(r"^#+ ([^\n]+)$", re.sub(r"^```.*?^```", "", text[: found.start()], flags=re.S | re.M), re.M)
        mark = found["mark"] or ""
        block = Block(
            page=page,
            line=text[: found.start("code")].count("\n"),
            heading=above[-1] if above else "",
            language=found["language"],
            code=textwrap.dedent(found["code"]),
            output=None if found["output"] is None else textwrap.dedent(found["output"]),
            not_run=mark.removeprefix("not run: ") if mark.startswith("not run") else None,
            indent=found["indent"],
            start=found.start(),
            end=found.end(),
            rest=found["rest"],
        )
        if mark == "async":
            block = evolve(every.pop(), by_hand=block)
        every.append(block)
    return every


def with_tabs(page: str, text: str) -> str:
    """The text of a page with a tab for sync and one for async code, for the site."""
    result, position = "", 0
    for block in blocks(page, text):
        if not block.has_async_half:
            continue
        tabs = "\n".join(
            f'=== "{name}"\n\n{textwrap.indent(_fenced(code, block.rest), "    ")}'
            for name, code in (("Sync", block.code), ("Async", block.async_code()))
        )
        output = "" if block.output is None else f"\n```text\n{block.output}```\n"
        result += text[position : block.start] + textwrap.indent(f"{tabs}{output}", block.indent)
        position = (block.by_hand or block).end
    return result + text[position:]


def _fenced(code: str, rest: str) -> str:
    return f"```python{rest}\n{code}```\n"
