"""Threads that nobody has to wait for, and how a loop waits for what they do."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["landing", "start"]

T = TypeVar("T")


def start(work: Callable[[], T], *, name: str) -> Future[T]:
    """Does blocking work in a thread of its own, in a copy of the caller's context.

    A daemon: neither the end of a loop nor that of the interpreter waits for it, as they do for an executor's threads.
    """
    landed: Future[T] = Future()
    landed.set_running_or_notify_cancel()  # from here on nobody can cancel it

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            landed.set_exception(error)
        else:
            landed.set_result(result)

    threading.Thread(target=contextvars.copy_context().run, args=(run,), name=name, daemon=True).start()
    return landed


async def landing(future: Future[Any], seconds: float) -> None:
    """Waits, without blocking the loop, until a thread's work is done or the time is over."""
    loop = asyncio.get_running_loop()
    landed: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not landed.done():
            landed.set_result(None)

    def wake(_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
            loop.call_soon_threadsafe(finish)

    future.add_done_callback(wake)
    await asyncio.wait([landed], timeout=seconds)
