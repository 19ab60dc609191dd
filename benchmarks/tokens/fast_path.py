"""What it costs to find that a token is fresh."""

from __future__ import annotations

import time
import timeit
from collections.abc import Iterator

from httpx_auth import OAuth2

from benchmarks.tokens.libraries import Authlib, HttpxAuth, Ours
from benchmarks.tokens.provider import Provider


def fast_path() -> Iterator[tuple[str, float]]:
    """Each library's time, in multiples of two clock reads and two comparisons."""
    provider = Provider()
    clocks = {"wall": time.time, "monotonic": time.monotonic, "late": 1e18}

    def measure(statement: str, **names: object) -> float:
        return min(timeit.repeat(statement, globals={**clocks, **names}, number=10_000, repeat=30))

    baseline = measure("monotonic() < late and wall() < late")
    ours = Ours(provider)
    ours.call()
    manager = next(iter(ours._op._sender.session._tokens.values()))
    coroutine = """
try:
    aget().send(None)
except StopIteration:
    pass
"""
    authlib = Authlib(provider)
    authlib.call()
    httpx_auth = HttpxAuth(provider)
    httpx_auth.call()
    for name, seconds in (
        ("openpayments-facade, sync", measure("get()", get=manager.get)),
        ("openpayments-facade, async", measure(coroutine, aget=manager.aget)),
        ("Authlib, sync", measure("check()", check=authlib._client.ensure_active_token)),
        (
            "httpx-auth",
            measure("get(key)", get=OAuth2.token_cache.get_token, key=httpx_auth._auth.state),
        ),
    ):
        yield name, seconds / baseline
    for library in (ours, authlib, httpx_auth):
        library.close()
    provider.close()
