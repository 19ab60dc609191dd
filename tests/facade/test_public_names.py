"""The names and arguments that programs rely on are those of the listing beside this file."""

from __future__ import annotations

from scripts.public_names import LISTING, listing


def test_the_public_names_are_the_listed_ones() -> None:
    listed = LISTING.read_text("utf-8").splitlines()
    assert listing() == listed, "`python -m scripts.public_names` lists them anew; a line that goes breaks programs"
