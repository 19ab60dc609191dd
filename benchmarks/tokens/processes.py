"""Fleets of processes, with and without a store that they share."""

from __future__ import annotations

from typing import Any

from benchmarks.tokens.counting import Scenario, counted, threads
from benchmarks.tokens.libraries import LIBRARIES, Library, Ours
from tests.tokens.worker import PROCESSES, workers


def _other(pipe: Any, name: str, url: str, token_url: str) -> None:
    place = type("Place", (), {"url": url, "token_url": token_url})()
    library = next(kind for kind in LIBRARIES if kind.name == name)(place)
    pipe.recv()
    pipe.send(threads(library.call, 8))


def processes(library: Library) -> str:
    """For libraries without a store that processes share."""
    provider, pipes = library.provider, []
    for _ in range(8):
        ours, theirs = PROCESSES.Pipe()
        PROCESSES.Process(target=_other, args=(theirs, library.name, provider.url, provider.token_url)).start()
        pipes.append(ours)

    def answered() -> int:
        for pipe in pipes:
            pipe.send("go")
        return sum(pipe.recv() for pipe in pipes)

    return counted(library, answered)


def with_store(store: str) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return processes(library)
        with workers(8, library.provider.token_url, store) as fleet:

            def answered() -> int:
                for worker in fleet:
                    worker.ask(8)
                return sum(answer.startswith("token-") for worker in fleet for answer in worker.answers())

            return counted(library, answered)

    return scenario


def holder_killed(store: str, lock_life: float | None) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return "-"
        provider = library.provider
        provider.hold.clear()
        provider.arrived.clear()
        with workers(4, provider.token_url, store, lock_life) as (holder, *others):
            holder.ask(1)
            provider.arrived.wait(10)
            holder.process.kill()
            provider.hold.set()

            def answered() -> int:
                for worker in others:
                    worker.ask(8)
                return sum(answer.startswith("token-") for worker in others for answer in worker.answers())

            return counted(library, answered)

    return scenario


def valkey_restarted(valkey: Any) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return "-"
        with workers(4, library.provider.token_url, valkey.connection_url) as fleet:

            def hour() -> int:
                for worker in fleet:
                    worker.ask(8)
                answered = sum(answer.startswith("token-") for worker in fleet for answer in worker.answers())
                for worker in fleet:
                    worker.advance(3600)
                return answered

            def run() -> int:
                answered = hour()
                valkey.stop()
                answered += hour()
                valkey.start()
                return answered + hour()

            return counted(library, run)

    return scenario
