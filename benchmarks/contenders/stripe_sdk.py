"""stripe: customers.list. It has a key instead of a token. Sync it uses requests, async httpx."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call

IMPORT = "from stripe import StripeClient"


def _client(hosts: Hosts) -> Any:
    from stripe import StripeClient

    return StripeClient("sk_test_example", base_addresses={"api": hosts.api})


def sync(hosts: Hosts) -> Call:
    client = _client(hosts)
    return lambda: client.v1.customers.list(params={"limit": 50}).data


async def concurrent(hosts: Hosts) -> AsyncCall:
    client = _client(hosts)

    async def call() -> Any:
        return (await client.v1.customers.list_async(params={"limit": 50})).data

    return call
