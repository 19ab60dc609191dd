"""Token requests of whole calls, on the simulator."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from openpayments_facade import ConsentInvalidError, OpenPayments, UnauthorizedError

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator


@pytest.fixture
def op(openpayments_client: OpenPayments) -> OpenPayments:
    return openpayments_client


def test_a_token_revoked_in_mid_life_is_replaced_once_for_64_threads(simulator: Simulator, op: OpenPayments) -> None:
    with ThreadPoolExecutor(64) as threads:
        op.countries.list()
        simulator.revoke_tokens()
        answers = list(threads.map(lambda _: op.countries.get("SE").name, range(64)))
        assert answers == ["Sweden"] * 64
        assert simulator.token_requests == 2


async def test_a_token_revoked_in_mid_life_is_replaced_once_for_64_tasks(simulator: Simulator) -> None:
    async with simulator.async_client() as op:
        await op.countries.list()
        simulator.revoke_tokens()
        answers = await asyncio.gather(*(op.countries.get("SE") for _ in range(64)))
    assert [answer.name for answer in answers] == ["Sweden"] * 64
    assert simulator.token_requests == 2


def answering(status: int, body: object) -> tuple[OpenPayments, list[str]]:
    """A client whose API always answers this, and the paths that were asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/connect/token":
            return httpx.Response(
                200, json={"access_token": f"t{len(asked)}", "token_type": "Bearer", "expires_in": 3600}
            )
        return httpx.Response(status, json=body)

    client = OpenPayments(client_id="id", client_secret="secret", transport=httpx.MockTransport(answer))
    return client, asked


def test_a_thousand_answers_about_the_consent_cost_no_token() -> None:
    op, asked = answering(401, {"tppMessages": [{"category": "ERROR", "code": "CONSENT_INVALID"}]})
    with op:
        for _ in range(1000):
            with pytest.raises(ConsentInvalidError):
                op.countries.list()
    assert asked.count("/connect/token") == 1
    assert len(asked) == 1001  # and nothing was replayed


@pytest.mark.parametrize("body", [{"tppMessages": [{"category": "ERROR", "code": "TOKEN_INVALID"}]}, {}])
def test_a_bank_that_blames_every_token_costs_the_budget(body: object) -> None:
    op, asked = answering(401, body)
    with op:
        for _ in range(300):
            with pytest.raises(UnauthorizedError):
                op.countries.list()
    assert asked.count("/connect/token") == 4
    assert len(asked) == 306  # two replays
