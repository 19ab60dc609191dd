"""Values that nobody should pass, and some that are nearly right."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from openpayments_facade import PsuContext

SNIPPETS = [
    "\r\nX-Evil: 1", "\n", "\r", "\0", "\t", " ", "\x7f", "\x85", "\xa0", "\xad", "\u2028", "\u202e", "\ufeff",
    "..", ".", "/", "//", "\\", "/../", "..\\", "%2e%2e%2f", "%2F", "%5c", "%00", "%0d%0a", "%", "%zz", "%25",
    "?x=1", "#x", "&x=1", ";x=1", "=", "+", ",", ":", "@evil.example", "//evil.example/", "https://evil.example/",
    "\ud800", "\uff0e\uff0e\uff0f", "\xe9", "\xdf", "\u0130", "\ufb00", "\u0661", "\U0001d7cf", "\U0001f600",
    "[x]", "{x}", "'", '"', "`", "$(x)", "<script>", "Bearer x", "null", "x" * 5000,
]  # fmt: skip


class Word(enum.StrEnum):
    """A string that is a member of an enum."""

    A_WORD = "a-word"


pieces = st.sampled_from(SNIPPETS) | st.text(max_size=6)
texts = st.text(max_size=20) | st.lists(pieces, max_size=4).map("".join)
odd = (
    st.sampled_from(
        [
            Word.A_WORD,
            PsuContext.PRIVATE,
            b"bytes",
            bytearray(b"x"),
            0,
            1,
            -1,
            1.5,
            float("nan"),
            float("inf"),
            True,
            False,
        ]
    )
    | st.sampled_from(
        [
            object(),
            object,
            len,
            ...,
            Decimal("1.10"),
            uuid.UUID(int=0),
            {1, 2},
            1j,
            range(3),
            timedelta(days=1),
            date.max,
        ]
    )
    | st.sampled_from(
        [date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2)]  # noqa: DTZ001
    )
    | st.just(5000).map(lambda digits: 10**digits)
)  # whose repr would fail where strategies are shown
things: st.SearchStrategy[Any] = st.recursive(
    texts | odd | st.none() | st.integers() | st.floats() | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=4,
)


def spliced(example: str) -> st.SearchStrategy[str]:
    """An example with something put in, or written over, or itself."""

    def put(at: int, piece: str, over: int) -> str:
        return example[:at] + piece + example[at + over :]

    return st.builds(put, st.integers(0, len(example)), pieces | st.just(""), st.integers(0, 1))


def like(example: Any) -> st.SearchStrategy[Any]:
    """What could be passed instead of an example."""
    if isinstance(example, str):
        return spliced(example) | texts | things
    if isinstance(example, list | tuple) and example:
        return st.lists(like(example[0]), max_size=3) | things
    return st.just(example) | things


def cases_of(strategies: Mapping[Any, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
    """One of the keys, and what its strategy makes. Strategies are slow to make, so they are made beforehand."""
    found = [*strategies.items()]
    return st.integers(0, len(found) - 1).flatmap(lambda number: st.tuples(st.just(found[number][0]), found[number][1]))
