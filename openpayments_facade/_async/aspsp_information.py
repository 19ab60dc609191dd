"""Countries, cities and ASPSPs: which banks can be reached (document 001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api import aspsp_information as api

from .._protocol.arguments import as_country, as_list, as_text
from .service import AsyncRawService, AsyncService, raw

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from openpayments_client import models


class AsyncCountries(AsyncService):
    """`op.countries`. Needs the API scope `aspspinformation`."""

    async def get(self, iso_country_code: str) -> models.Country:
        """One country.

        Args:
            iso_country_code: Its ISO 3166-1 alpha-2 code, in capitals or small letters.

        Raises:
            InvalidArgumentError: It is not such a code.
            NotFoundError: There are no banks in that country.
        """
        return await self._call(api.get_country_details, as_country(iso_country_code))

    async def list(self, *, countries: Iterable[str] | None = None) -> list[models.Country]:
        """Countries that have banks.

        Args:
            countries: The ISO 3166-1 alpha-2 codes of those to list; all if left out.

        Raises:
            InvalidArgumentError: The list is empty, or contains something other than codes.
        """
        codes = as_list(countries, "countries", as_country)
        return (await self._call(api.get_countries_list, iso_country_codes=codes)).countries


class AsyncCities(AsyncService):
    """`op.cities`. Needs the API scope `aspspinformation`."""

    async def get(self, city_id: str | uuid.UUID) -> models.City:
        """One city.

        Args:
            city_id: Its id, as the list of cities gives it: 8-4-4-4-12 hexadecimal digits.

        Raises:
            InvalidArgumentError: It is not such an id.
            NotFoundError: There is no such city.
        """
        return await self._call(api.get_city_details, as_text(city_id))

    async def list(
        self, *, countries: Iterable[str] | None = None, city_ids: Iterable[str | uuid.UUID] | None = None
    ) -> list[models.City]:
        """Cities that lie in one of the countries or have one of the ids; all without either.

        The filters add up (document 001): `countries=["SE"]` and the id of Helsinki give Stockholm and Helsinki.

        Args:
            countries: ISO 3166-1 alpha-2 codes.
            city_ids: Ids of cities.

        Raises:
            InvalidArgumentError: A list is empty, or contains something other than codes or ids.
        """
        codes, ids = as_list(countries, "countries", as_country), as_list(city_ids, "city_ids", as_text)
        return (await self._call(api.get_city_list, iso_country_codes=codes, city_ids=ids)).cities


class AsyncAspsps(AsyncService):
    """`op.aspsps`: the banks. Needs the API scope `aspspinformation`. New banks come without notice."""

    async def get(self, bic_fi: str) -> models.AspspDetails:
        """One bank: its address, payment products, and ways to authorise.

            (await op.aspsps.get("ESSESESS")).global_payment_products   # ['sepa-credit-transfers', 'domestic']

        Args:
            bic_fi: Its BIC, in capitals.

        Raises:
            InvalidArgumentError: It is not a BIC.
            NotFoundError: The API does not know the bank.
        """
        return await self._call(api.get_aspsp_details, bic_fi)

    async def list(
        self, *, countries: Iterable[str] | None = None, city_ids: Iterable[str | uuid.UUID] | None = None
    ) -> list[models.Aspsp]:
        """Banks in one of the countries or in one of the cities; all without either.

        The filters add up (document 001): `countries=["SE"]` and the id of Helsinki give the banks of both.

        Args:
            countries: ISO 3166-1 alpha-2 codes.
            city_ids: Ids of cities.

        Raises:
            InvalidArgumentError: A list is empty, or contains something other than codes or ids.
        """
        codes, ids = as_list(countries, "countries", as_country), as_list(city_ids, "city_ids", as_text)
        return (await self._call(api.get_aspsp_list, iso_country_codes=codes, city_ids=ids)).aspsps


class AsyncRawCountries(AsyncRawService[AsyncCountries]):
    """`op.with_raw_response.countries`."""

    get = raw(AsyncCountries.get)
    list = raw(AsyncCountries.list)


class AsyncRawCities(AsyncRawService[AsyncCities]):
    """`op.with_raw_response.cities`."""

    get = raw(AsyncCities.get)
    list = raw(AsyncCities.list)


class AsyncRawAspsps(AsyncRawService[AsyncAspsps]):
    """`op.with_raw_response.aspsps`."""

    get = raw(AsyncAspsps.get)
    list = raw(AsyncAspsps.list)
