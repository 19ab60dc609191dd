"""The six operations of the ASPSP Information Service against the simulator, which has the data of document 001."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from openpayments_facade import ApiScope, MissingScopeError, NotFoundError, PsuContext

if TYPE_CHECKING:
    from openpayments_facade import AsyncOpenPayments
    from openpayments_facade.simulator import Simulator

STOCKHOLM = "37efa883-c8ad-4ff7-927b-b11b02beb923"
HELSINKI = "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"


async def test_countries_are_listed_filtered_and_shown(op: AsyncOpenPayments) -> None:
    assert [country.iso_country_code for country in await op.countries.list()] == ["SE", "FI", "DE", "DK"]
    assert [country.name for country in await op.countries.list(countries=["DK", "se"])] == [
        "Sweden",
        "Denmark",
    ]
    assert (await op.countries.get("SE")).name == "Sweden"


async def test_filters_of_cities_are_a_union(op: AsyncOpenPayments) -> None:
    cities = await op.cities.list(countries=["SE"], city_ids=[HELSINKI])
    assert [city.name for city in cities] == ["Stockholm", "Helsinki"]
    assert len(await op.cities.list()) == 4
    assert (await op.cities.get(STOCKHOLM)).name == "Stockholm"
    assert (await op.cities.get(uuid.UUID(HELSINKI))).iso_country_code == "FI"


async def test_banks_are_listed_and_shown(op: AsyncOpenPayments) -> None:
    assert [bank.bic_fi for bank in await op.aspsps.list(countries=iter(["SE"]))] == [
        "ESSESESS",
        "NDEASESS",
        "HANDSESS",
        "SWEDSESS",
    ]
    seb = await op.aspsps.get("ESSESESS")
    assert seb.street_address == "Kungsträdgårdsgatan 8"
    assert seb.global_payment_products == ["sepa-credit-transfers", "domestic"]
    assert [method.name for method in seb.supported_authorization_methods or []] == ["OAuth2"]
    assert seb.affiliated_aspsps is None
    swedbank = await op.aspsps.get("SWEDSESS")
    assert {each.id for each in swedbank.affiliated_aspsps or []} >= {"08999"}
    assert swedbank.account_information
    assert swedbank.account_information.transaction_history_max_days == 88
    assert swedbank.payment_initiation
    assert swedbank.payment_initiation.signing_baskets_supported is True


async def test_an_unknown_bank_is_not_found_and_tells_the_request_id(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    with pytest.raises(NotFoundError) as caught:
        await op.aspsps.get("DEUTDEFF")
    error = caught.value
    assert (error.status_code, error.code, error.method) == (404, "RESOURCE_UNKNOWN", "GET")
    assert error.request_id == simulator.requests[-1].headers["x-request-id"]
    assert error.request_id in str(error)


async def test_a_missing_scope_is_refused_before_anything_is_sent(simulator: Simulator) -> None:
    async with simulator.async_client(api_scopes=[ApiScope.PAYMENT_INITIATION]) as op:
        with pytest.raises(MissingScopeError, match=r"add ApiScope.ASPSP_INFORMATION ") as caught:
            await op.countries.list()
    assert caught.value.scope == ApiScope.ASPSP_INFORMATION
    assert simulator.requests == []


async def test_each_psu_context_has_a_token_of_its_own(simulator: Simulator) -> None:
    scopes = [ApiScope.ACCOUNT_INFORMATION, ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION]
    async with simulator.async_client(api_scopes=scopes) as op:
        business = op.with_options(psu_context="corporate")
        for client in (op, business, op, business):
            await client.countries.list()
        assert await op.access_token() != await business.access_token()
    assert simulator.token_requests == 2


@pytest.mark.openpayments_simulator(require_psu_context=False)
async def test_a_context_can_be_left_out_as_document_001_does(simulator: Simulator) -> None:
    async with simulator.async_client(psu_context=None) as op:
        assert await op.countries.list()
    async with simulator.async_client(psu_context=PsuContext.CORPORATE) as op:
        assert await op.countries.list()
    assert simulator.token_requests == 2
