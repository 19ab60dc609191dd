"""A day of tokens, and the end of a process."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from benchmarks.tokens.libraries import Library, Ours
from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens import MemoryStore
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.memory import Memory
from openpayments_facade.tokens.token import Clock
from tests.child_processes import child
from tests.tokens.endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE

ROOT = Path(__file__).parent.parent.parent


def day(library: Library) -> str:
    """The shortest time between two token requests of one context, as a share of a token's lifetime."""
    if not isinstance(library, Ours):
        return "-"
    ahead = 0.0
    clock = Clock(lambda: 1.9e9 + ahead, lambda: ahead)
    asked: dict[str, list[float]] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.setdefault(dict(parse_qsl(request.content.decode()))["scope"], []).append(ahead)
        return httpx.Response(200, json={"access_token": f"token-{ahead}", "expires_in": 3600})

    chance = random.Random(7)
    store = MemoryStore(clock=clock.wall)
    fetcher = TokenFetcher(
        token_url=library.provider.token_url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=partial(pools.send, httpx.Client(transport=httpx.MockTransport(answer))),
        clock=clock,
        jitter=chance.random,
    )
    managers = [
        TokenManager(fetcher, scope, store=store, memory=Memory(), clock=clock, jitter=chance.random)
        for scope in ("aspspinformation private", "aspspinformation corporate")
        for _ in range(50)
    ]
    while ahead < 86_400:
        for manager in managers:
            manager.get()
        for manager in managers:
            while manager._under_way():
                time.sleep(0.0001)
        ahead += 60
    shortest = min(later - earlier for times in asked.values() for earlier, later in itertools.pairwise(times))
    return f"{' + '.join(str(len(times)) for times in asked.values())}, {shortest / 3600:.0%} apart"


def shutdown(library: Library) -> str:
    """A refresh is due while the interpreter ends, and the token endpoint does not answer."""
    if not isinstance(library, Ours):
        return "-"
    program = f"""
import atexit, functools, httpx, time
from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.token import Clock
ahead = 0.0
clock = Clock(lambda: time.time() + ahead, lambda: time.monotonic() + ahead)
fetcher = TokenFetcher(
    token_url={library.provider.token_url!r}, client_id="a", client_secret=Secret("b"),
    send=functools.partial(pools.send, httpx.Client(trust_env=False)), clock=clock)
manager = TokenManager(fetcher, {SCOPE!r}, clock=clock)
manager.get()
print("ready", flush=True)
input()
ahead = 3500.0
atexit.register(manager.get)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "generated")])}
    command = [sys.executable, "-c", program]
    with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        process.stdout.readline()
        library.provider.hold.clear()
        before, began = library.provider.count, time.perf_counter()
        process.communicate("\n")
        seconds = time.perf_counter() - began
        library.provider.hold.set()
    return f"{library.provider.count - before}, exit after {seconds:.1f} s"
