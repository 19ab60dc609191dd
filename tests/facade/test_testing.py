"""The fixtures for applications that are built on the SDK."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import AsyncOpenPayments, OpenPayments

pytest_plugins = ["openpayments_facade.testing"]

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator


def test_a_client_talks_to_the_simulator(openpayments_client: OpenPayments, openpayments_simulator: Simulator) -> None:
    assert openpayments_client.aspsps.get("ESSESESS").city == "Stockholm"
    assert openpayments_simulator.token_requests == 1


@pytest.fixture
def _variables_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPAYMENTS_API_SCOPES", "accountinformation")
    monkeypatch.setenv("OPENPAYMENTS_PSU_CONTEXT", "none")
    monkeypatch.setenv("OPENPAYMENTS_ENVIRONMENT", "production")


@pytest.mark.usefixtures("_variables_of_the_developer")
def test_an_application_finds_it_in_the_environment(openpayments_env: None, openpayments_simulator: Simulator) -> None:
    with OpenPayments.from_env() as op:
        assert op.countries.list()
    assert openpayments_simulator.token_requests == 1


def test_an_async_client_is_entered_by_the_test(openpayments_async_client: AsyncOpenPayments) -> None:
    async def ask() -> int:
        async with openpayments_async_client as op:
            return len(await op.countries.list())

    assert asyncio.run(ask())


class TestOptions:
    @pytest.fixture
    def openpayments_simulator_options(self) -> dict[str, Any]:
        return {"client_id": "my-app", "api_scopes": ["aspspinformation"]}

    def test_a_test_says_what_the_simulator_is_made_with(
        self, openpayments_simulator: Simulator, openpayments_client: OpenPayments
    ) -> None:
        assert openpayments_simulator.client_id == "my-app"
        assert openpayments_client.countries.list()
