"""A reference to a source leads somewhere: docs/sources.md explains it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "sources.md"
EXPLAINED = {*re.findall(r"^\| \*\*(.+?)\*\* \|", PAGE.read_text("utf-8"), re.MULTILINE)}
PLACES = ["openpayments_facade", "generated", "openapi", "scripts", "tests", "benchmarks", "examples", "docs"]
SUFFIXES = {".py", ".md", ".yaml", ".jinja", ".txt"}
FILES = [
    *ROOT.glob("*.md"),
    *(file for place in PLACES for file in sorted((ROOT / place).rglob("*")) if file.suffix in SUFFIXES),
]


def references(text: str) -> Iterator[str]:
    """Every reference of a text in the words of the page. One may go on in the next line, or in the next comment."""
    text = re.sub(r"\s*\n[\s#>*]*", " ", text)
    for numbers in re.findall(r"\bdocuments? (\d\d\d(?:(?:, | and |, and | or | to )\d\d\d)*)", text, re.IGNORECASE):
        yield from (f"document {number}" for number in re.findall(r"\d+", numbers))
    for kind in re.findall(r"\b(?:the provider's|its) ([a-z]+ of \d{4})\b", text, re.IGNORECASE):
        yield f"the provider's {kind}"
    yield from (found.lower() for found in re.findall(r"\bobserved in \d{4}\b", text, re.IGNORECASE))
    yield from re.findall(r"\bBerlin Group\b", text)
    # what nobody who has this project can look up
    yield from re.findall(r"\bfacts? (?:sheet|\d\d)\b|\bseed \d\d\d\b|\bRFC\b(?! ?\d)", text, re.IGNORECASE)


def test_the_page_explains_what_is_referred_to() -> None:
    assert len(EXPLAINED) >= 11
    assert len(FILES) > 200
    unexplained = {
        file.relative_to(ROOT).as_posix(): sorted(left)
        for file in FILES
        if file not in (PAGE, Path(__file__)) and (left := {*references(file.read_text("utf-8"))} - EXPLAINED)
    }
    assert unexplained == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(documents 000, 001 and 005)", ["document 000", "document 001", "document 005"]),
        ("# as the provider's\n    # guide of 2022 says", ["the provider's guide of 2022"]),
        ("and its samples of 2021", ["the provider's samples of 2021"]),
        ("Observed in 2025.", ["observed in 2025"]),
        ("facts 30-consent, section 1", ["facts 30"]),
        ("see the facts sheet", ["facts sheet"]),
        ("an RFC of 2012, and RFC 6749", ["RFC"]),
        ("the facts of life and 30 documents", []),
    ],
)
def test_references_are_seen(text: str, found: list[str]) -> None:
    assert [*references(text)] == found
