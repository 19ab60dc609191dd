"""What it costs to find that a token is fresh."""

from __future__ import annotations

import timeit
from collections.abc import Iterator

from httpx_auth import OAuth2

from benchmarks.tokens.libraries import Authlib, HttpxAuth, Ours
from benchmarks.tokens.provider import Provider


def fast_path() -> Iterator[tuple[str, float]]:
    """Each library's seconds."""
    provider = Provider()

    def measure(statement: str, **names: object) -> float:
        return min(timeit.repeat(statement, globals=names, number=10_000, repeat=30)) / 10_000

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
    yield from (
        ("openpayments-facade, sync", measure("get()", get=manager.get)),
        ("openpayments-facade, async", measure(coroutine, aget=manager.aget)),
        ("Authlib, sync", measure("check()", check=authlib._client.ensure_active_token)),
        (
            "httpx-auth",
            measure("get(key)", get=OAuth2.token_cache.get_token, key=httpx_auth._auth.state),
        ),
    )
    for library in (ours, authlib, httpx_auth):
        library.close()
    provider.close()
