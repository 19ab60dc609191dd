"""Many callers at once, and what they cost in token requests."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.tokens.libraries import Library

Scenario = Callable[[Library], str]
"""Starts with a fresh library, and says how many token requests were made and how many callers got an answer."""


def threads(call: Callable[[], object], count: int) -> int:
    barrier = threading.Barrier(count)

    def one(_: int) -> bool:
        barrier.wait()
        try:
            call()
        except Exception:
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(one, range(count)))


async def tasks(call: Callable[[], Awaitable[object]], count: int) -> int:
    answers = await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)
    return sum(not isinstance(answer, BaseException) for answer in answers)


def counted(library: Library, answered: Callable[[], int]) -> str:
    before = library.provider.count
    number = answered()
    time.sleep(0.15)  # a refresh in the background counts too
    return f"{library.provider.count - before}, {number}"
