"""httpx with httpx-auth's authentication: tokens, without models."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call


def _auth(hosts: Hosts, **options: Any) -> Any:
    from httpx_auth import OAuth2ClientCredentials

    return OAuth2ClientCredentials(f"{hosts.auth}/connect/token", "a", "b", scope="aspspinformation private", **options)


def sync(hosts: Hosts) -> Call:
    import httpx

    from benchmarks.contenders.plain import BANKS

    client = httpx.Client(auth=_auth(hosts))
    return lambda: client.get(hosts.api + BANKS).json()["aspsps"]


async def concurrent(hosts: Hosts) -> AsyncCall:
    import httpx

    from benchmarks.contenders.plain import BANKS

    client = httpx.AsyncClient(auth=_auth(hosts))

    async def call() -> Any:
        return (await client.get(hosts.api + BANKS)).json()["aspsps"]

    return call


def fetching(hosts: Hosts) -> Call:
    import httpx
    from httpx_auth import OAuth2

    from benchmarks.contenders.plain import BANKS

    context = httpx.create_ssl_context()

    def call() -> Any:
        OAuth2.token_cache.clear()
        # the same client for both requests
        with httpx.Client(verify=context) as client:
            return client.get(hosts.api + BANKS, auth=_auth(hosts, client=client)).json()["aspsps"]

    return call
