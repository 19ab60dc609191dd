"""A process of a fleet: makes a token manager and does what it is told through a pipe."""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection

import httpx

from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.stores import TokenStore, open_store
from openpayments_facade.tokens.token import Clock

from .endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE

PROCESSES = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else None
)
if PROCESSES.get_start_method() == "forkserver":
    # what every process needs is imported once
    PROCESSES.set_forkserver_preload(["pytest", "filelock", "redis", "oauthlib.oauth2", __name__])


class Worker:
    """The other end of the pipe."""

    def __init__(self, url: str, store: str, lock_life: float | None = None) -> None:
        self._pipe, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_work, args=(theirs, url, store, lock_life), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, threads: int) -> None:
        """Lets so many threads want a token; `answers` has what they got."""
        self._pipe.send(("ask", threads))

    def advance(self, seconds: float) -> None:
        """Moves the process's clocks."""
        self._pipe.send(("advance", seconds))

    def answers(self) -> list[str]:
        """A token, or an error's text, for each thread."""
        return list(self._pipe.recv())

    def logs(self) -> list[str]:
        """What was logged as INFO or more since the last time, without the records of requests."""
        self._pipe.send(("logs", 0))
        return list(self._pipe.recv())


@contextmanager
def workers(count: int, url: str, store: str, lock_life: float | None = None) -> Iterator[list[Worker]]:
    started = [Worker(url, store, lock_life) for _ in range(count)]
    try:
        yield started
    finally:
        for worker in started:
            worker.process.kill()
            worker.process.join()


def _open(store: str, lock_life: float | None) -> TokenStore | None:
    if lock_life is None:
        return open_store(store)
    from openpayments_facade.tokens.stores.redis import RedisStore

    return RedisStore(store, lock_life=lock_life)


def _work(pipe: Connection, url: str, store: str, lock_life: float | None) -> None:
    ahead = 0.0
    logged: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not hasattr(record, "request_id"):
                logged.append(record.getMessage())

    logger = logging.getLogger("openpayments_facade")
    logger.setLevel(logging.INFO)
    logger.addHandler(Collect())
    clock = Clock(lambda: time.time() + ahead, lambda: time.monotonic() + ahead)
    with httpx.Client(trust_env=False) as http:
        fetcher = TokenFetcher(
            token_url=url,
            client_id=CLIENT_ID,
            client_secret=Secret(CLIENT_SECRET),
            send=partial(pools.send, http),
            clock=clock,
        )
        manager = TokenManager(fetcher, SCOPE, store=_open(store, lock_life), clock=clock)

        def get(_: int) -> str:
            try:
                return manager.get(20).value.reveal()
            except Exception as error:
                return repr(error)

        while True:
            match pipe.recv():
                case ("ask", count):
                    with ThreadPoolExecutor(count) as threads:
                        pipe.send(list(threads.map(get, range(count))))
                case ("advance", seconds):
                    ahead += seconds
                case ("logs", _):
                    pipe.send(logged)
                    logged.clear()
