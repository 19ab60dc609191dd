"""Plain httpx, the reference of most rows: no models, no checks, a token that is fetched once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import httpx

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call

IMPORT = "import httpx"
BANKS = "/psd2/aspspinformation/v1/aspsps"
GRANT = {
    "grant_type": "client_credentials",
    "client_id": "a",
    "client_secret": "b",
    "scope": "aspspinformation private",
}


def token(client: httpx.Client, hosts: Hosts) -> str:
    answer: dict[str, str] = client.post(f"{hosts.auth}/connect/token", data=GRANT).json()
    return answer["access_token"]


async def async_token(client: httpx.AsyncClient, hosts: Hosts) -> str:
    answer: dict[str, str] = (await client.post(f"{hosts.auth}/connect/token", data=GRANT)).json()
    return answer["access_token"]


def sync(hosts: Hosts) -> Call:
    from uuid import uuid4

    import httpx

    client = httpx.Client()
    bearer = "Bearer " + token(client, hosts)

    def call() -> Any:
        headers = {"Authorization": bearer, "X-Request-ID": str(uuid4())}
        return client.get(hosts.api + BANKS, headers=headers).json()["aspsps"]

    return call


async def concurrent(hosts: Hosts, transport: Any = None) -> AsyncCall:
    from uuid import uuid4

    import httpx

    client = httpx.AsyncClient(transport=transport)
    bearer = "Bearer " + await async_token(client, hosts)

    async def call() -> Any:
        headers = {"Authorization": bearer, "X-Request-ID": str(uuid4())}
        return (await client.get(hosts.api + BANKS, headers=headers)).json()["aspsps"]

    return call


async def over_aiohttp(hosts: Hosts) -> AsyncCall:
    import httpx_aiohttp

    return await concurrent(hosts, httpx_aiohttp.AiohttpTransport())


def fetching(hosts: Hosts) -> Call:
    import httpx

    context = httpx.create_ssl_context()

    def call() -> Any:
        with httpx.Client(verify=context) as client:
            bearer = "Bearer " + token(client, hosts)
            return client.get(hosts.api + BANKS, headers={"Authorization": bearer}).json()["aspsps"]

    return call


def making() -> Call:
    import httpx

    context = httpx.create_ssl_context()
    return lambda: httpx.Client(verify=context)


def making_async() -> Call:
    import httpx

    context = httpx.create_ssl_context()
    return lambda: httpx.AsyncClient(verify=context)
