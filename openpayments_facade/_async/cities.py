"""Cities (document 001, "Get cities"; facts 20-aspsp-information)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api.aspsp_information import get_city_details, get_city_list

from .._protocol.arguments import read_city_id, read_country_code, read_list
from .._protocol.operation import Operation
from .service import AsyncRawService, AsyncService, raw

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from openpayments_client.models import City


class AsyncCities(AsyncService):
    """`op.cities`. Needs the API scope `aspspinformation`."""

    async def get(self, city_id: str | uuid.UUID) -> City:
        """One city by its id (8-4-4-4-12 hexadecimal digits, as the list gives it).

        Raises InvalidArgumentError if it is no such id, NotFoundError if there is no such city.
        """
        return await self._run(Operation.of(get_city_details, read_city_id(city_id)))

    async def list(
        self, *, countries: Iterable[str] | None = None, city_ids: Iterable[str | uuid.UUID] | None = None
    ) -> list[City]:
        """Cities that lie in one of `countries` or are one of `city_ids`; without either, all.

        The filters are a union (document 001): countries ["SE"] and the id of Helsinki give Stockholm and Helsinki.
        Raises InvalidArgumentError if a list is empty or has something else than codes or ids.
        """
        operation = Operation.of(
            get_city_list,
            iso_country_codes=read_list(countries, "countries", read_country_code),
            city_ids=read_list(city_ids, "city_ids", read_city_id),
        )
        return (await self._run(operation)).cities


class AsyncRawCities(AsyncRawService[AsyncCities]):
    """`op.with_raw_response.cities`."""

    _service = AsyncCities
    get = raw(AsyncCities.get)
    list = raw(AsyncCities.list)
