"""Authlib's client over httpx, which it uses where httpx2 is missing."""

from __future__ import annotations

import sys

sys.modules["httpx2"] = None  # type: ignore[assignment]

from benchmarks.contenders.authlib_client import concurrent, fetching, sync  # noqa: E402

__all__ = ["concurrent", "fetching", "sync"]
