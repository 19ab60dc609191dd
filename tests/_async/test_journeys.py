"""Journeys of document 001 as recorded traffic: each test replays its cassette, with the network blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openpayments_facade import (
    AccessExceededError,
    ApiScope,
    AsyncOpenPayments,
    AuthenticationError,
    InvalidScopeError,
    NotFoundError,
    PsuContext,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from tests.conftest import Provider

pytestmark = [pytest.mark.vcr, pytest.mark.block_network]

STOCKHOLM = "37efa883-c8ad-4ff7-927b-b11b02beb923"
HELSINKI = "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"


async def test_from_countries_to_the_details_of_a_bank(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        assert await op.access_token()
        sweden = next(country for country in await op.countries.list() if country.name == "Sweden")
        banks = await op.aspsps.list(countries=[sweden.iso_country_code])
        seb = next(bank for bank in banks if bank.name and bank.name.startswith("Skandinaviska"))
        details = await op.aspsps.get(seb.bic_fi)
    assert (details.bic_fi, details.city, details.country) == ("ESSESESS", "Stockholm", "Sweden")
    assert "domestic" in (details.global_payment_products or [])
    assert "OAuth2" in {method.name for method in details.supported_authorization_methods or []}


async def test_countries(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        everywhere = await op.countries.list()
        north = await op.countries.list(countries=["SE", "FI"])
        sweden = await op.countries.get("SE")
    assert {country.iso_country_code for country in north} == {"SE", "FI"}
    assert sweden in north
    assert all(country in everywhere for country in north)


async def test_cities(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        everywhere = await op.cities.list()
        in_sweden = await op.cities.list(countries=["SE"])
        in_sweden_or_helsinki = await op.cities.list(countries=["SE"], city_ids=[HELSINKI])
        helsinki = await op.cities.get(HELSINKI)
    assert {city.iso_country_code for city in in_sweden} == {"SE"}
    assert helsinki.name == "Helsinki"
    assert in_sweden_or_helsinki == [*in_sweden, helsinki]
    assert all(city in everywhere for city in in_sweden_or_helsinki)


async def test_banks(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        everywhere = await op.aspsps.list()
        in_stockholm = await op.aspsps.list(city_ids=[STOCKHOLM])
        in_sweden_or_helsinki = await op.aspsps.list(countries=["SE"], city_ids=[HELSINKI])
        answer = await op.with_raw_response.aspsps.get("NDEASESS")
    assert "ESSESESS" in {bank.bic_fi for bank in in_stockholm}
    assert {"ESSESESS", "NDEASESS", "HANDSESS"} <= {bank.bic_fi for bank in in_sweden_or_helsinki}
    assert all(bank in everywhere for bank in [*in_stockholm, *in_sweden_or_helsinki])
    assert (answer.status_code, answer.parsed.bic_fi) == (200, "NDEASESS")
    assert answer.headers["X-Request-ID"] == answer.request_id


async def test_one_token_for_each_psu_context(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        business = op.with_options(psu_context=PsuContext.CORPORATE)
        for client in (op, business, op, business):
            assert (await client.countries.get("SE")).name == "Sweden"
        assert await op.access_token() != await business.access_token()


async def test_wrong_secret(provider: Provider) -> None:
    async with AsyncOpenPayments(**{**provider.arguments, "client_secret": "not-the-secret"}) as op:
        with pytest.raises(AuthenticationError) as caught:
            await op.countries.list()
    assert (caught.value.status_code, caught.value.code) == (400, "invalid_client")


@pytest.mark.simulator_only(api_scopes=[ApiScope.ASPSP_INFORMATION])
async def test_scope_that_the_application_does_not_have(provider: Provider) -> None:
    scopes = [ApiScope.ASPSP_INFORMATION, ApiScope.PAYMENT_INITIATION]
    async with AsyncOpenPayments(**provider.arguments, api_scopes=scopes) as op:
        with pytest.raises(InvalidScopeError, match="paymentinitiation") as caught:
            await op.countries.list()
    assert (caught.value.status_code, caught.value.code) == (400, "invalid_scope")


async def test_unknown_bank(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        with pytest.raises(NotFoundError) as caught:
            await op.aspsps.get("DEUTDEFF")
    error = caught.value
    assert (error.status_code, error.code) == (404, "RESOURCE_UNKNOWN")
    assert error.request_id is not None
    assert error.request_id in str(error)


@pytest.mark.simulator_only
async def test_revoked_token_is_replaced(provider: Provider) -> None:
    async with AsyncOpenPayments(**provider.arguments) as op:
        before = await op.access_token()
        provider.simulate(lambda simulator: simulator.revoke_tokens())
        assert (await op.countries.get("SE")).name == "Sweden"
        assert await op.access_token() != before


@pytest.mark.simulator_only
async def test_token_that_is_refused_twice(provider: Provider) -> None:
    provider.simulate(lambda simulator: simulator.misbehave("/psd2", times=2, code="TOKEN_EXPIRED"))
    async with AsyncOpenPayments(**provider.arguments) as op:
        with pytest.raises(UnauthorizedError) as caught:
            await op.countries.get("SE")
    assert (caught.value.status_code, caught.value.code) == (401, "TOKEN_EXPIRED")


@pytest.mark.simulator_only
async def test_accesses_used_up(provider: Provider) -> None:
    headers = {"Retry-After": "3600"}
    provider.simulate(lambda simulator: simulator.misbehave("/psd2", code="ACCESS_EXCEEDED", headers=headers))
    async with AsyncOpenPayments(**provider.arguments) as op:
        with pytest.raises(AccessExceededError) as caught:
            await op.countries.get("SE")
    assert (caught.value.status_code, caught.value.retry_after) == (429, 3600)


@pytest.mark.simulator_only
async def test_unavailable_service_is_asked_again(provider: Provider) -> None:
    provider.simulate(lambda simulator: simulator.misbehave("/psd2", status=503, headers={"Retry-After": "0"}))
    async with AsyncOpenPayments(**provider.arguments) as op:
        assert (await op.countries.get("SE")).name == "Sweden"
