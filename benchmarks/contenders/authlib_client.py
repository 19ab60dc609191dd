"""Authlib's client: tokens, without models. It uses httpx2 where that is installed, as here, and otherwise httpx."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call


def _options(hosts: Hosts) -> dict[str, Any]:
    return {
        "client_id": "a",
        "client_secret": "b",
        "scope": "aspspinformation private",
        "token_endpoint": f"{hosts.auth}/connect/token",
        "grant_type": "client_credentials",
        "token_endpoint_auth_method": "client_secret_post",
    }


def sync(hosts: Hosts) -> Call:
    from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped]

    from benchmarks.contenders.plain import BANKS

    client = OAuth2Client(**_options(hosts))
    client.fetch_token()
    return lambda: client.get(hosts.api + BANKS).json()["aspsps"]


async def concurrent(hosts: Hosts) -> AsyncCall:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    from benchmarks.contenders.plain import BANKS

    client = AsyncOAuth2Client(**_options(hosts))
    await client.fetch_token()

    async def call() -> Any:
        return (await client.get(hosts.api + BANKS)).json()["aspsps"]

    return call


def fetching(hosts: Hosts) -> Call:
    from authlib.integrations.httpx_client import OAuth2Client

    from benchmarks.contenders.plain import BANKS

    # the context that httpx and httpx2 make by default
    context = OAuth2Client()._transport._pool._ssl_context

    def call() -> Any:
        with OAuth2Client(**_options(hosts), verify=context) as client:
            client.fetch_token()
            return client.get(hosts.api + BANKS).json()["aspsps"]

    return call
