"""stripe: customers.list. It has a key instead of a token. Sync it uses requests, async httpx."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.measure import AsyncCall, Call

IMPORT = "from stripe import StripeClient"


def _client(url: str) -> Any:
    from stripe import StripeClient

    return StripeClient("sk_test_example", base_addresses={"api": url})


def sync(url: str) -> Call:
    client = _client(url)
    return lambda: client.v1.customers.list(params={"limit": 50}).data


async def concurrent(url: str) -> AsyncCall:
    client = _client(url)

    async def call() -> Any:
        return (await client.v1.customers.list_async(params={"limit": 50})).data

    return call
