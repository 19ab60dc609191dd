"""openai: models.list. It has a key instead of a token. Its HTTP library is httpx2."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call

IMPORT = "from openai import OpenAI"


def sync(hosts: Hosts) -> Call:
    from openai import OpenAI

    client = OpenAI(api_key="sk-example", base_url=f"{hosts.api}/v1")
    return lambda: client.models.list().data


async def concurrent(hosts: Hosts, **options: Any) -> AsyncCall:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="sk-example", base_url=f"{hosts.api}/v1", **options)

    async def call() -> Any:
        return (await client.models.list()).data

    return call


async def over_aiohttp(hosts: Hosts) -> AsyncCall:
    from openai import DefaultAioHttpClient

    return await concurrent(hosts, http_client=DefaultAioHttpClient())


def making() -> Call:
    import httpx2
    from openai import DefaultHttpxClient, OpenAI

    context = httpx2.create_ssl_context()
    return lambda: OpenAI(api_key="sk-example", http_client=DefaultHttpxClient(verify=context))


def making_async() -> Call:
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    context = httpx2.create_ssl_context()
    return lambda: AsyncOpenAI(api_key="sk-example", http_client=DefaultAsyncHttpxClient(verify=context))
