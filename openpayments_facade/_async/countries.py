"""Countries that have banks (document 001, "Get countries"; facts 20-aspsp-information)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api.aspsp_information import get_countries_list, get_country_details

from .._protocol.arguments import read_country_code, read_list
from .._protocol.operation import Operation
from .service import AsyncRawService, AsyncService, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpayments_client.models import Country


class AsyncCountries(AsyncService):
    """`op.countries`. Needs the API scope `aspspinformation`."""

    async def get(self, iso_country_code: str) -> Country:
        """One country by its ISO 3166-1 alpha-2 code.

            (await op.countries.get("SE")).name            # 'Sweden'

        Raises InvalidArgumentError if it is no such code, NotFoundError if the API does not offer the country.
        """
        return await self._run(Operation.of(get_country_details, read_country_code(iso_country_code)))

    async def list(self, *, countries: Iterable[str] | None = None) -> list[Country]:
        """The countries that the API offers, or those of `countries` (ISO 3166-1 alpha-2 codes) that it offers.

        Raises InvalidArgumentError if `countries` is empty or has something else than codes.
        """
        codes = read_list(countries, "countries", read_country_code)
        return (await self._run(Operation.of(get_countries_list, iso_country_codes=codes))).countries


class AsyncRawCountries(AsyncRawService[AsyncCountries]):
    """`op.with_raw_response.countries`."""

    _service = AsyncCountries
    get = raw(AsyncCountries.get)
    list = raw(AsyncCountries.list)
