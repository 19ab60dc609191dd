"""Links of README, docs and the other pages lead somewhere: on GitHub, and on the site."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from scripts.docs_blocks import ROOT
from scripts.site_check import ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?(?:\s+[\"'][^)]*)?\)|^\[[^\]]+\]:\s*(\S+)|<(https?://[^>\s]+)>", re.MULTILINE)
_HTML = re.compile(r"<(?:a|img)\s[^>]*?(?:href|src)=[\"']([^\"']+)", re.IGNORECASE)


def links(text: str) -> Iterator[str]:
    """Where a page links to. Code is left out."""
    text = re.sub(r"^[ ]*```.*?^[ ]*```|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    # code in the text of a link stays a link
    text = re.sub(r"`[^`\n]+`", "code", text)
    yield from (next(filter(None, found)) for found in _LINK.findall(text))
    yield from _HTML.findall(text)


def on_github(heading: str) -> str:
    """The anchor of a heading there: small letters, blanks as dashes, no punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def on_the_site(heading: str) -> str:
    return str(import_module("markdown.extensions.toc").slugify(heading, "-"))


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that a page has both on GitHub and on the site."""
    text = re.sub(r"^[ ]*```.*?^[ ]*```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found: dict[str, set[str]] = {}
    for where, slug in (("github", on_github), ("site", on_the_site)):
        counted: dict[str, int] = {}
        for heading in re.findall(r"^#+ +(.+?) *#*$", text, re.MULTILINE):
            name = slug(re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"\s*\{[^}]*\}$", "", heading)))
            number = counted[name] = counted.get(name, -1) + 1
            # the second of a name is name-1 here, and name_1 there
            found.setdefault(where, set()).add(f"{name}{'-' if where == 'github' else '_'}{number}" if number else name)
    by_hand = set(re.findall(r"<\w+ [^>]*\b(?:id|name)=\"([^\"]+)\"", text))
    return (found.get("github", set()) & found.get("site", set())) | by_hand


def problem(link: str, page: Path) -> str | None:
    """What is wrong with a link."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None if link.startswith(ELSEWHERE) else "is none of the public pages that are known"
    if parts.path.startswith("/"):
        return "has to be relative"
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return "leads nowhere"
    if page.is_relative_to(DOCS) and not target.is_relative_to(DOCS):
        return "leads out of the site"
    if parts.fragment and target.suffix == ".md" and parts.fragment not in anchors(target):
        return "has an anchor that is not there"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = {link: said for link in links(page.read_text("utf-8")) if (said := problem(link, page))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("tokens.md", None),
        ("http/objects.md#account", None),
        ("payments.svg", None),
        ("https://developer.openpayments.io", None),
        ("https://somebody.example", "is none of the public pages that are known"),
        ("http://semver.org", "is none of the public pages that are known"),
        ("/tokens.md", "has to be relative"),
        ("gone.md", "leads nowhere"),
        ("../../gone.md", "leads nowhere"),
        ("../README.md", "leads out of the site"),
        ("http/objects.md#gone", "has an anchor that is not there"),
    ],
)
def test_what_is_wrong_is_seen(link: str, said: str | None) -> None:
    assert problem(link, DOCS / "index.md") == said


def test_links_are_found_wherever_they_stand() -> None:
    text = "[a](b.md) [`c`](d.md#e) ![f](g.svg) [h]: x\n[i]: j.md\n<https://k.example> <a href='l.md'>\n`[m](n.md)`\n"
    text += "```sh\n[o](p.md)\n```\n<!-- [q](r.md) -->\n"
    assert [*links(text)] == ["b.md", "d.md#e", "g.svg", "j.md", "https://k.example", "l.md"]


def test_anchors_are_those_of_both() -> None:
    assert on_github("What's new: `op.call` & co.") == "whats-new-opcall--co"
    assert on_the_site("What's new: op.call & co.") == "whats-new-opcall-co"
    assert on_github("Get a consent's status") == on_the_site("Get a consent's status") == "get-a-consents-status"
