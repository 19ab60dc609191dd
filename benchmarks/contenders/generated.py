"""The bare generated client of this project, without the facade: models, but no tokens, checks or retries."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call

IMPORT = "from openpayments_client import AuthenticatedClient; from openpayments_client.api import aspsp_information"


def sync(hosts: Hosts) -> Call:
    from openpayments_client import AuthenticatedClient
    from openpayments_client.api.aspsp_information import get_aspsp_list

    from benchmarks.contenders.plain import token

    client = AuthenticatedClient(base_url=hosts.api, token="none-yet")
    http = client.get_httpx_client()
    http.headers["Authorization"] = "Bearer " + token(http, hosts)

    def call() -> Any:
        answer: Any = get_aspsp_list.sync(client=client)
        return answer.aspsps

    return call


async def concurrent(hosts: Hosts) -> AsyncCall:
    from openpayments_client import AuthenticatedClient
    from openpayments_client.api.aspsp_information import get_aspsp_list

    from benchmarks.contenders.plain import async_token

    client = AuthenticatedClient(base_url=hosts.api, token="none-yet")
    http = client.get_async_httpx_client()
    http.headers["Authorization"] = "Bearer " + await async_token(http, hosts)

    async def call() -> Any:
        answer: Any = await get_aspsp_list.asyncio(client=client)
        return answer.aspsps

    return call


def parser(body: bytes) -> Call:
    from json import loads

    from openpayments_client.models import TransactionReport

    def parse() -> Any:
        page = TransactionReport.from_dict(loads(body))
        assert page.transactions is not None
        return page.transactions.booked

    return parse
