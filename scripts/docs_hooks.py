"""What the site adds to the pages: a tab with the async half of each example. MkDocs calls it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scripts.docs_blocks import with_tabs

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

# by the text, since `mkdocs serve` asks for all pages at each change
_DONE: dict[str, str] = {}


# long and wide tables: they would come before what people search for, and need the width of the page
_TABLES = {"fault-matrix.md"}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The text of a page with its tabs."""
    if page.file.src_uri in _TABLES:
        page.meta.update(search={"exclude": True}, hide=["navigation"])
    if markdown not in _DONE:
        # a comment before the heading would hide the page's title from MkDocs
        _DONE[markdown] = with_tabs(page.file.src_uri, re.sub(r"\A(<!--.*?-->\s*)+", "", markdown, flags=re.DOTALL))
    return _DONE[markdown]


def on_post_page(output: str, **_: Any) -> str:
    """The page, with a name for the dialog of the search, which the theme leaves out."""
    return output.replace('<div class="md-search"', '<div class="md-search" aria-label="Search"', 1)
