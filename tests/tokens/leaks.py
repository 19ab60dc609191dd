"""Looks for secrets where an exception could carry them."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType


def texts_of(error: BaseException) -> Iterator[str]:
    """Everything that a log or an error tracker would show: texts, attributes, frame locals, along the whole chain."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield f"{current!s} {current!r} {current.args!r} {vars(current)!r}"
        traceback: TracebackType | None = current.__traceback__
        while traceback:
            yield from map(repr, traceback.tb_frame.f_locals.values())
            traceback = traceback.tb_next
        waiting += [current.__cause__, current.__context__]
