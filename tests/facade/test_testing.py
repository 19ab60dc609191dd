"""The fixtures for applications that are built on the SDK."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import AsyncOpenPayments, MissingScopeError, OpenPayments

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


@pytest.mark.openpayments_simulator(client_id="of-the-class", api_scopes=["aspspinformation"], page_size=2)
class TestMarker:
    @pytest.fixture
    def openpayments_simulator_options(self) -> dict[str, Any]:
        return {"client_id": "of-the-fixture", "client_secret": "secret-of-the-fixture"}

    @pytest.mark.openpayments_simulator(api_scopes=["paymentinitiation"])
    def test_the_closest_marker_wins_then_other_markers_then_the_fixture(
        self, openpayments_simulator: Simulator, openpayments_client: OpenPayments
    ) -> None:
        assert openpayments_simulator.client_id == "of-the-class"
        assert openpayments_simulator.client_secret == "secret-of-the-fixture"
        with pytest.raises(MissingScopeError, match="aspspinformation"):
            openpayments_client.countries.list()

    def test_a_marker_of_a_class_is_the_tests_own(self, openpayments_client: OpenPayments) -> None:
        assert openpayments_client.countries.list()


@pytest.mark.openpayments_simulator(pages=2)
def test_an_argument_that_a_simulator_does_not_have_is_an_error(request: pytest.FixtureRequest) -> None:
    with pytest.raises(TypeError, match="pages"):
        request.getfixturevalue("openpayments_simulator")
