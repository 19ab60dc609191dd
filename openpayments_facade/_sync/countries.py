# Written by `make unasync` from openpayments_facade/_async/countries.py; do not edit.
"""Countries that have banks (document 001, "Get countries"; facts 20-aspsp-information)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api.aspsp_information import get_countries_list, get_country_details

from .._protocol.arguments import read_country_code, read_list
from .._protocol.operation import Operation
from .service import RawService, Service, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpayments_client.models import Country


class Countries(Service):
    """`op.countries`. Needs the API scope `aspspinformation`."""

    def get(self, iso_country_code: str) -> Country:
        """One country by its ISO 3166-1 alpha-2 code.

            op.countries.get("SE").name            # 'Sweden'

        Raises InvalidArgumentError if it is no such code, NotFoundError if the API does not offer the country.
        """
        return self._run(Operation.of(get_country_details, read_country_code(iso_country_code)))

    def list(self, *, countries: Iterable[str] | None = None) -> list[Country]:
        """The countries that the API offers, or those of `countries` (ISO 3166-1 alpha-2 codes) that it offers.

        Raises InvalidArgumentError if `countries` is empty or has something else than codes.
        """
        codes = read_list(countries, "countries", read_country_code)
        return (self._run(Operation.of(get_countries_list, iso_country_codes=codes))).countries


class RawCountries(RawService[Countries]):
    """`op.with_raw_response.countries`."""

    _service = Countries
    get = raw(Countries.get)
    list = raw(Countries.list)
