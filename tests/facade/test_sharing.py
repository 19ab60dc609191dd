"""One token request, however many ask, through the public face."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from openpayments_facade import ClientStateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from openpayments_facade import OpenPayments
    from openpayments_facade.simulator import Simulator


@pytest.fixture
def op(openpayments_client: OpenPayments) -> OpenPayments:
    return openpayments_client


def test_64_threads_on_one_cold_client(simulator: Simulator, op: OpenPayments) -> None:
    with ThreadPoolExecutor(64) as threads:
        simulator.misbehave("/connect/token", delay=0.1)  # all of them are waiting by then
        answers = list(threads.map(lambda _: op.countries.get("SE").name, range(64)))
        assert answers == ["Sweden"] * 64
        assert simulator.token_requests == 1


async def test_200_tasks_on_one_cold_client(simulator: Simulator) -> None:
    async with simulator.async_client() as op:
        answers = await asyncio.gather(*(op.countries.get("SE") for _ in range(200)))
    assert [answer.name for answer in answers] == ["Sweden"] * 200
    assert simulator.token_requests == 1


def test_one_client_a_request(simulator: Simulator) -> None:
    for _ in range(50):
        with simulator.client() as op:
            assert op.countries.get("SE").name == "Sweden"
    assert simulator.token_requests == 1


def test_sync_and_async_clients_and_loops_share(simulator: Simulator) -> None:

    async def work() -> str | None:
        async with simulator.async_client() as op:
            return (await op.countries.get("SE")).name

    assert {asyncio.run(work()) for _ in range(3)} == {"Sweden"}
    with simulator.client() as op:
        op.countries.list()
    assert simulator.token_requests == 1


def test_another_secret_does_not_get_at_the_token(simulator: Simulator, op: OpenPayments) -> None:
    with simulator.client(client_secret="wrong") as other:
        op.countries.list()
        with pytest.raises(Exception, match="invalid_client"):
            other.countries.list()


def test_an_async_client_belongs_to_its_loop(simulator: Simulator) -> None:
    op = simulator.async_client()

    async def use() -> None:
        await op.countries.list()

    with asyncio.Runner() as its_own, asyncio.Runner() as another:
        its_own.run(use())
        sent = len(simulator.requests)
        with pytest.raises(ClientStateError, match="another event loop"):
            another.run(use())
        with pytest.raises(ClientStateError, match="another event loop"):
            another.run(op.aclose())
        assert len(simulator.requests) == sent
        its_own.run(op.aclose())


forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
quietly = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@forking
@quietly
def test_a_forked_child_has_a_pool_of_its_own(simulator: Simulator, op: OpenPayments) -> None:
    op.countries.list()
    assert _in_a_child(lambda: op.countries.get("SE").name == "Sweden") == 0
    assert op.countries.get("FI").name == "Finland"
    assert simulator.token_requests == 1


def _in_a_child(check: Callable[[], bool]) -> int:
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os._exit(0 if check() else 1)
        os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@forking
@quietly
def test_a_forked_child_does_not_send_with_its_parents_transport(simulator: Simulator) -> None:
    with simulator.client(transport=httpx.HTTPTransport(), max_retries=0) as op:
        op.countries.list()

        def check() -> bool:
            sent = len(simulator.requests)
            with pytest.raises(ClientStateError, match="create a client after a fork"):
                op.countries.list()
            op.close()  # it leaves the transport to the parent
            return len(simulator.requests) == sent

        assert _in_a_child(check) == 0
        assert op.countries.get("SE").name == "Sweden"
