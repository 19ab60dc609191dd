"""This project."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from benchmarks.hosts import Hosts
    from benchmarks.measure import AsyncCall, Call
    from openpayments_facade import AsyncOpenPayments, OpenPayments

IMPORT = "from openpayments_facade import OpenPayments"


def _client(hosts: Hosts, **options: Any) -> OpenPayments:
    from openpayments_facade import Environment, OpenPayments

    environment = Environment("benchmark", hosts.auth, hosts.api)
    return OpenPayments(client_id="a", client_secret="b", environment=environment, **options)


def _async_client(hosts: Hosts, **options: Any) -> AsyncOpenPayments:
    from openpayments_facade import AsyncOpenPayments, Environment

    environment = Environment("benchmark", hosts.auth, hosts.api)
    return AsyncOpenPayments(client_id="a", client_secret="b", environment=environment, **options)


def sync(hosts: Hosts) -> Call:
    op = _client(hosts)
    return lambda: op.aspsps.list()


async def concurrent(hosts: Hosts) -> AsyncCall:
    op = _async_client(hosts)
    return lambda: op.aspsps.list()


async def over_aiohttp(hosts: Hosts) -> AsyncCall:
    import httpx_aiohttp

    op = _async_client(hosts, transport=httpx_aiohttp.AiohttpTransport())
    return lambda: op.aspsps.list()


async def many_reads(hosts: Hosts) -> AsyncCall:
    import ast
    import ssl

    page = f"{__file__.rpartition('benchmarks')[0]}docs/speed.md"
    with open(page, encoding="utf-8") as file:  # noqa: ASYNC230, PTH123
        program = ast.parse(file.read().partition('title="many_reads.py"\n')[2].partition("```")[0])
    program.body.pop()  # it runs main
    names: dict[str, Any] = {}
    exec(compile(program, page, "exec"), names)
    op = _async_client(hosts, transport=names["ManyReads"](ssl.create_default_context()))
    return lambda: op.aspsps.list()


def fetching(hosts: Hosts) -> Call:
    from openpayments_facade.tokens import forget_all

    def call() -> Any:
        forget_all()
        with _client(hosts) as op:
            return op.aspsps.list()

    return call


def making() -> Call:
    from openpayments_facade import OpenPayments

    return lambda: OpenPayments(client_id="a", client_secret="b")


def making_async() -> Call:
    from openpayments_facade import AsyncOpenPayments

    return lambda: AsyncOpenPayments(client_id="a", client_secret="b")


def parser(body: bytes) -> Call:
    """As an application reads a page: the public method, over a transport that has the bytes at hand."""
    import httpx

    from benchmarks.hosts import Hosts
    from openpayments_facade import ApiScope, Psu

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(200, json={"access_token": "x", "token_type": "Bearer", "expires_in": 3600})
        kept = {"Content-Type": "application/json", "X-Request-ID": request.headers["X-Request-ID"]}
        return httpx.Response(200, headers=kept, content=body)

    scopes = [ApiScope.ACCOUNT_INFORMATION]
    op = _client(
        Hosts("http://127.0.0.1:1", "http://127.0.0.1:1"), transport=httpx.MockTransport(answer), api_scopes=scopes
    )
    accounts = op.at_bank("ESSESESS", Psu(ip_address="127.0.0.1")).accounts(_CONSENT)

    def parse() -> Any:
        (page,) = accounts.transactions(_CONSENT).pages()
        assert page.transactions is not None
        return page.transactions.booked

    return parse


_CONSENT = "7f3c1a52-9d0e-4c5b-8a11-000000000001"


def _iterated(hosts: Hosts, total: int, on_a_page: int) -> int:
    """The number of pages that it took."""
    from benchmarks.bodies import account
    from openpayments_facade import ApiScope, Psu

    op = _client(hosts, api_scopes=[ApiScope.ACCOUNT_INFORMATION])
    accounts = op.at_bank("ESSESESS", Psu(ip_address="127.0.0.1")).accounts(_CONSENT)
    assert sum(1 for _ in accounts.transactions(account(total, on_a_page))) == total
    return total // on_a_page


def iterated_1000(hosts: Hosts) -> int:
    return _iterated(hosts, 1_000, 100)


def iterated_100000(hosts: Hosts) -> int:
    return _iterated(hosts, 100_000, 100)


def iterated_long_pages(hosts: Hosts) -> int:
    return _iterated(hosts, 100_000, 1_000)
