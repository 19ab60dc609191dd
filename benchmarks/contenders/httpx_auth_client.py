"""httpx with httpx-auth's authentication: tokens, without models."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.measure import AsyncCall, Call


def _auth(url: str, **options: Any) -> Any:
    from httpx_auth import OAuth2ClientCredentials

    return OAuth2ClientCredentials(f"{url}/connect/token", "a", "b", scope="aspspinformation private", **options)


def sync(url: str) -> Call:
    import httpx

    from benchmarks.contenders.plain import BANKS

    client = httpx.Client(auth=_auth(url))
    return lambda: client.get(url + BANKS).json()["aspsps"]


async def concurrent(url: str) -> AsyncCall:
    import httpx

    from benchmarks.contenders.plain import BANKS

    client = httpx.AsyncClient(auth=_auth(url))

    async def call() -> Any:
        return (await client.get(url + BANKS)).json()["aspsps"]

    return call


def fetching(url: str) -> Call:
    import httpx
    from httpx_auth import OAuth2

    from benchmarks.contenders.plain import BANKS

    context = httpx.create_ssl_context()

    def call() -> Any:
        OAuth2.token_cache.clear()
        # the same client for both requests
        with httpx.Client(verify=context) as client:
            return client.get(url + BANKS, auth=_auth(url, client=client)).json()["aspsps"]

    return call
