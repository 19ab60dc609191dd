"""Checks the built site: every link leads somewhere, and nothing is loaded from elsewhere.

`make docs` runs it on `site/` after the build. It prints what is wrong, and ends with 1 if anything is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

ELSEWHERE: Final = (
    "https://developer.openpayments.io",
    "https://semver.org",
    "https://stamina.hynek.me",
    "https://vcrpy.readthedocs.io",
    # the theme's own, at the foot of each page
    "https://squidfunk.github.io/mkdocs-material/",
)
"""The public pages that links may lead to."""

# attributes from which a browser loads something by itself
_LOADED: Final = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "src"),
    ("source", "srcset"),
    ("iframe", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("track", "src"),
    ("input", "src"),
    ("image", "href"),
    ("use", "href"),
    ("body", "background"),
}
# relations of <link> that load nothing
_NAMED_ONLY: Final = {"next", "prev", "canonical", "edit", "alternate", "search"}


class _Page(HTMLParser):
    """What a page loads, where it links to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.drawn_by_script = False
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        # the theme would load a library for these
        self.drawn_by_script |= "mermaid" in given.get("class", "").split()
        self._in_style = tag == "style"
        self.loads += _loaded_by_css(given.get("style", ""))
        for name, value in given.items():
            if (tag, name) in _LOADED:
                self.loads += [each.split()[0] for each in value.split(",")] if name == "srcset" else [value]
        if tag == "link" and not _NAMED_ONLY & {*given.get("rel", "").split()}:
            self.loads.append(given.get("href", ""))
        elif tag in ("a", "area", "link") and "href" in given:
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += _loaded_by_css(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"


def _loaded_by_css(text: str) -> list[str]:
    found = re.findall(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", text)
    return [url or imported for url, imported in found]


@cache
def _read(path: Path) -> _Page:
    return _Page(path.read_text("utf-8"))


def problems(site: Path) -> Iterator[str]:
    """What is wrong with a site, one line each."""
    _read.cache_clear()
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        # a server shows 404.html at any address, so its links begin at the root
        if path.suffix == ".html" and name != "404.html":
            page = _read(path)
            yield from (f"{name}: {each}" for each in _problems_of(page, path, site))
        elif path.suffix in (".css", ".svg"):
            text = path.read_text("utf-8")
            loads = _loaded_by_css(text) if path.suffix == ".css" else _Page(text).loads
            yield from (f"{name}: {each}" for url in loads for each in _not_loaded(url, path, site))


def _problems_of(page: _Page, path: Path, site: Path) -> Iterator[str]:
    if page.drawn_by_script:
        yield "has a diagram that a script from elsewhere would draw"
    for url in page.loads:
        yield from _not_loaded(url, path, site)
    for link in dict.fromkeys(page.links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if not link.startswith(ELSEWHERE):
                yield f"links to {link}, which is none of the public pages that are known"
            continue
        target = _target(parts.path, path, site)
        if target is None:
            yield f"links to {link}, which is not there"
        elif parts.fragment and target.suffix == ".html":
            anchor = unquote(parts.fragment)
            if anchor not in _read(target).anchors:
                yield f"links to {link}, where there is no such anchor"


def _not_loaded(url: str, path: Path, site: Path) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.scheme == "data" or not url.partition("#")[0]:
        return
    if parts.scheme or parts.netloc:
        yield f"loads {url} from elsewhere"
    elif _target(parts.path, path, site) is None:
        yield f"loads {url}, which is not there"


def _target(relative: str, path: Path, site: Path) -> Path | None:
    """The file that a relative address leads to in a browser that opened the page as a file. None if there is none."""
    target = (path.parent / unquote(relative)).resolve() if relative else path
    is_inside = target.is_relative_to(site.resolve()) or target == path
    return target if is_inside and not relative.startswith("/") and target.is_file() else None


def main(arguments: list[str]) -> int:
    found = [*problems(Path(arguments[0]))]
    for each in found:
        print(each)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
