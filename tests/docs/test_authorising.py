"""Other users than the one of docs/authorising.md, and browsers that come back otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Reader

PAGE = "docs/authorising.md"


def test_who_is_exempted_sees_nothing(reader: Reader) -> None:
    code = reader.block(PAGE, "How a user authorises").code
    assert reader.python(code.replace("example-user", "example-exempted")) == "valid\n"


def test_a_bank_that_wants_the_browser_gets_it(reader: Reader) -> None:
    code = reader.block(PAGE, "How a user authorises").code.replace("ESSESESS", "NDEASESS")
    approve = "    authorisation.complete(input())\n    print(authorisation.wait()"
    printed = reader.python(code.replace("    print(authorisation.wait()", approve))
    assert re.fullmatch(r"Send the browser to http://\S+\n\nvalid\n", printed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda callback: callback.partition("?")[0], "That is not the page that we wait for."),
        (lambda callback: re.sub("code=[^&]*", "error=access_denied", callback), "It did not work out: access_denied"),
        (lambda callback: re.sub("code=[^&]*", "", callback), "It did not work out: no reason given"),
    ],
)
def test_how_it_ends_in_the_browser(
    change: Callable[[str], str], said: str, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = reader.simulator.visit
    monkeypatch.setattr(reader.simulator, "visit", lambda url: change(visit(url)))
    block = reader.block(PAGE, "In the browser")
    for code in (block.code, block.async_code()):
        assert reader.python(code).splitlines()[-1] == said


def test_a_page_that_asks_hears_of_a_user_who_declines(reader: Reader) -> None:
    code = reader.block(PAGE, "Across requests").code.replace("example-user", "example-has-no-rights")
    assert reader.python(code).splitlines()[-1] == "failed; trying again helps: False"
