"""Resets, in a forked child, what it can't share with its parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class _Resettable(Protocol):
    def reset(self) -> None: ...


_inherited: weakref.WeakSet[_Resettable] = weakref.WeakSet()


def reset_after_fork(thing: _Resettable) -> None:
    """Calls `thing.reset()` in every forked child, as long as the thing exists."""
    _inherited.add(thing)


def _reset() -> None:
    for thing in list(_inherited):
        thing.reset()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset)
