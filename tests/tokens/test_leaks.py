"""The walker that other tests trust finds what it should find."""

from __future__ import annotations

import pytest

from .leaks import texts_of


def deep(secret: str) -> None:
    raise KeyError("innocent")


def high() -> None:
    try:
        deep("s3cr3t")
    except KeyError:
        raise ValueError("innocent") from None


def test_it_finds_locals_along_the_chain() -> None:
    with pytest.raises(ValueError, match="innocent") as raised:
        high()
    assert any("s3cr3t" in text for text in texts_of(raised.value))
