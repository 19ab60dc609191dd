"""Many tasks, and event loops together with threads."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.tokens.counting import Scenario, counted, tasks

if TYPE_CHECKING:
    from benchmarks.tokens.libraries import Library


def many_tasks(expired: bool) -> Scenario:
    def scenario(library: Library) -> str:
        async def run() -> str:
            with library.loop() as call:
                if expired:
                    await call()
                    library.age(-1)
                before = library.provider.count
                number = await tasks(call, 200)
                return f"{library.provider.count - before}, {number}"

        return asyncio.run(run())

    return scenario


def stands_still(library: Library) -> str:
    """Whether the loop can do nothing else while one task fetches a token, which takes 50 ms."""

    async def run() -> float:
        longest, last = 0.0, time.perf_counter()
        with library.loop() as call:
            fetching = asyncio.ensure_future(call())
            while not fetching.done():
                await asyncio.sleep(0.001)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
            await fetching
        return longest

    return "yes" if asyncio.run(run()) > 0.045 else "no"


def loops_and_threads(library: Library) -> str:
    def one(number: int) -> int:
        if number < 20:
            library.call()
            return 1

        async def run() -> int:
            with library.loop() as call:
                return await tasks(call, 11)

        return asyncio.run(run())

    def all_of_them() -> int:
        with ThreadPoolExecutor(24) as pool:
            return sum(pool.map(one, range(24)))

    return counted(library, all_of_them)


def first_cancelled(library: Library) -> str:
    async def run() -> int:
        with library.loop() as call:
            first = asyncio.ensure_future(call())
            others = [asyncio.ensure_future(call()) for _ in range(20)]
            await asyncio.sleep(0.02)
            first.cancel()
            answers = await asyncio.gather(*others, return_exceptions=True)
            return sum(not isinstance(answer, BaseException) for answer in answers)

    return counted(library, lambda: asyncio.run(run()))


def sync_on_the_loops_thread(library: Library) -> str:
    async def run() -> int:
        with library.loop() as call:
            waiting = asyncio.ensure_future(call())
            await asyncio.sleep(0.02)
            library.call()
            await waiting
            return 2

    return counted(library, lambda: asyncio.run(run()))
