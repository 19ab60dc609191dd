"""The clients that a simulator hands out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from openpayments_facade import AuthenticationError, PsuContext

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator


def test_a_client(simulator: Simulator) -> None:
    with simulator.client() as op:
        assert op.aspsps.get("ESSESESS").name == "Skandinaviska Enskilda Banken AB "
        assert [country.iso_country_code for country in op.countries.list()] == ["SE", "FI", "DE", "DK"]
    assert simulator.token_requests == 1


async def test_an_async_client(simulator: Simulator) -> None:
    async with simulator.async_client() as op:
        assert (await op.cities.list(countries=["SE"]))[0].name == "Stockholm"


def test_overrides_win(simulator: Simulator) -> None:
    wrong = simulator.client(psu_context=PsuContext.CORPORATE, client_secret="wrong")
    with wrong as op, pytest.raises(AuthenticationError):
        op.countries.list()


def test_the_environment(simulator: Simulator) -> None:
    environment = simulator.environment
    assert (environment.name, environment.auth_url, environment.api_url) == (
        "simulator",
        simulator.auth_url,
        simulator.api_url,
    )


def test_the_exports_are_what_from_env_reads(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpayments_facade import OpenPayments

    for line in simulator.exports():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)
    with OpenPayments.from_env() as op:
        assert op.countries.get("SE").name == "Sweden"


def test_the_query_is_on_the_wire_as_sent(simulator: Simulator) -> None:
    with simulator.client() as op:
        op.aspsps.list(countries=["SE", "FI"])
    assert httpx.QueryParams(simulator.requests[-1].query)["isoCountryCodes"] == "SE,FI"
