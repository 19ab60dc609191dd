# Written by `make unasync` from openpayments_facade/_async/aspsp_information.py; do not edit.
"""Countries, cities and ASPSPs: which banks can be reached (document 001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api import aspsp_information as api

from .._protocol.arguments import as_bic, as_city, as_country, as_list
from .service import RawService, Service, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpayments_client import models

    from .._protocol.arguments import AnyAspsp, AnyCity, AnyCountry
    from .sender import Sender


class Countries(Service):
    """`op.countries`. Needs the API scope `aspspinformation`, or `accountinformation`.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
    """

    def get(self, iso_country_code: AnyCountry) -> models.Country:
        """Reads one country.

        Args:
            iso_country_code: Its ISO 3166-1 alpha-2 code, such as "SE", in upper or lower case, or the country itself.

        Returns:
            The country: its code and its name.

        Raises:
            InvalidArgumentError: It is not such a code.
            NotFoundError: There are no banks in that country.
        """
        return self._call(api.get_country_details, as_country(iso_country_code))

    def list(self, *, countries: Iterable[AnyCountry] | None = None) -> list[models.Country]:
        """Lists the countries that have banks.

        Args:
            countries: The countries to list, or their ISO 3166-1 alpha-2 codes; all by default.

        Returns:
            The countries: their codes and names.

        Raises:
            InvalidArgumentError: The list is empty or contains an invalid code.
        """
        codes = as_list(countries, "countries", as_country)
        return self._call(api.get_countries_list, iso_country_codes=codes).countries


class Cities(Service):
    """`op.cities`. Needs the API scope `aspspinformation`, or `accountinformation`.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
    """

    def get(self, city_id: AnyCity) -> models.City:
        """Reads one city.

        Args:
            city_id: Its id from the list of cities: 8-4-4-4-12 hexadecimal digits, as a string or a `uuid.UUID`. Or
                the city itself.

        Returns:
            The city: its id, its name, and the code of its country.

        Raises:
            InvalidArgumentError: It is not such an id.
            NotFoundError: There is no such city.
        """
        return self._call(api.get_city_details, as_city(city_id))

    def list(
        self, *, countries: Iterable[AnyCountry] | None = None, city_ids: Iterable[AnyCity] | None = None
    ) -> list[models.City]:
        """Lists the cities that lie in one of the countries or have one of the ids; without filters, all cities.

        The filters add up (document 001): `countries=["SE"]` with the id of Helsinki gives Stockholm and Helsinki.

        Args:
            countries: Countries, or their ISO 3166-1 alpha-2 codes.
            city_ids: Cities, or their ids as strings or `uuid.UUID`.

        Returns:
            The cities: their ids and names, and the codes of their countries.

        Raises:
            InvalidArgumentError: A list is empty or contains an invalid code or id.
        """
        codes, ids = as_list(countries, "countries", as_country), as_list(city_ids, "city_ids", as_city)
        return self._call(api.get_city_list, iso_country_codes=codes, city_ids=ids).cities


class Aspsps(Service):
    """`op.aspsps`: the banks. Needs the API scope `aspspinformation`, or `accountinformation`.

    Banks are added without notice.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
    """

    def get(self, bic_fi: AnyAspsp) -> models.AspspDetails:
        """Reads one bank: its address, its payment products, and how users can authorise there.

            op.aspsps.get("ESSESESS").global_payment_products   # ['sepa-credit-transfers', 'domestic']

        Args:
            bic_fi: Its BIC (ISO 9362; small letters and blanks are put right), or the bank from the list.

        Returns:
            The bank with its details; what it does not say of itself is None.

        Raises:
            InvalidArgumentError: It is not a BIC.
            NotFoundError: There is no such bank.
        """
        return self._call(api.get_aspsp_details, as_bic(bic_fi))

    def list(
        self, *, countries: Iterable[AnyCountry] | None = None, city_ids: Iterable[AnyCity] | None = None
    ) -> list[models.Aspsp]:
        """Lists the banks in one of the countries or cities; without filters, all banks.

        The filters add up (document 001): `countries=["SE"]` with the id of Helsinki gives the banks of both.

        Args:
            countries: Countries, or their ISO 3166-1 alpha-2 codes.
            city_ids: Cities, or their ids as strings or `uuid.UUID`.

        Returns:
            The banks: their BICs, names and logos. `get` has the rest.

        Raises:
            InvalidArgumentError: A list is empty or contains an invalid code or id.
        """
        codes, ids = as_list(countries, "countries", as_country), as_list(city_ids, "city_ids", as_city)
        return self._call(api.get_aspsp_list, iso_country_codes=codes, city_ids=ids).aspsps


def details_of(sender: Sender, bic_fi: str) -> models.AspspDetails:
    """What a bank says about itself. A client asks once."""
    known = sender.session.aspsps.get(bic_fi)
    if known is None:
        known = sender.session.aspsps[bic_fi] = Aspsps(sender.replace()).get(bic_fi)
    return known


class RawCountries(RawService[Countries]):
    """`op.with_raw_response.countries`: the same methods, each giving a `RawResponse`."""

    get = raw(Countries.get)
    list = raw(Countries.list)


class RawCities(RawService[Cities]):
    """`op.with_raw_response.cities`: the same methods, each giving a `RawResponse`."""

    get = raw(Cities.get)
    list = raw(Cities.list)


class RawAspsps(RawService[Aspsps]):
    """`op.with_raw_response.aspsps`: the same methods, each giving a `RawResponse`."""

    get = raw(Aspsps.get)
    list = raw(Aspsps.list)
