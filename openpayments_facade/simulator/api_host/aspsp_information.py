"""ASPSP Information: countries, cities and banks (document 001).

By the rules of 2026 a token for `accountinformation` will do as well, since the newer auth host of the sandbox grants
no `aspspinformation` (observed in 2026).
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..request_ids import UUID
from ..state.aspsps import ASPSP_CITY_IDS, CITIES, COUNTRIES, aspsp_details, aspsps
from ..state.banks import BIC
from .errors import ApiError, malformed
from .operation import Answer, Call, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.routing import Route

    from ..state import Provider

__all__ = ["aspsp_information_routes"]

_BASE = "/psd2/aspspinformation/v1"
# lower case too, as in the provider's guide of 2021
_COUNTRY_CODE = re.compile("[a-zA-Z]{2}")

T = TypeVar("T")


def aspsp_information_routes(provider: Provider) -> list[Route]:
    api_scopes = ["aspspinformation", "accountinformation"] if provider.of_2026 else ["aspspinformation"]
    get = partial(operation, provider, "GET", api_scopes=api_scopes, lists=["isoCountryCodes", "cityIds"])
    return [
        get(f"{_BASE}/countries", _list_countries, query=["isoCountryCodes"]),
        get(f"{_BASE}/countries/{{isoCountryCode}}", _get_country),
        get(f"{_BASE}/cities", _list_cities, query=["isoCountryCodes", "cityIds"]),
        get(f"{_BASE}/cities/{{city_id}}", _get_city),
        get(f"{_BASE}/aspsps", _list_aspsps, query=["isoCountryCodes", "cityIds"]),
        get(f"{_BASE}/aspsps/{{bicFi}}", _get_aspsp),
    ]


def _list_countries(call: Call) -> Answer:
    return Answer({"countries": _select(call, COUNTRIES, country=lambda country: country["isoCountryCode"])})


def _get_country(call: Call) -> Answer:
    return _find(COUNTRIES, "isoCountryCode", _path_value(call, "isoCountryCode", _COUNTRY_CODE).upper())


def _list_cities(call: Call) -> Answer:
    cities = _select(call, CITIES, country=lambda city: city["isoCountryCode"], city_id=lambda city: city["cityId"])
    return Answer({"cities": cities})


def _get_city(call: Call) -> Answer:
    return _find(CITIES, "cityId", _path_value(call, "city-id", UUID).lower())


def _list_aspsps(call: Call) -> Answer:
    found = _select(
        call,
        aspsps(of_2026=call.provider.of_2026),
        country=lambda aspsp: aspsp["bicFi"][4:6],
        city_id=lambda aspsp: ASPSP_CITY_IDS.get(aspsp["bicFi"]),
    )
    return Answer({"aspsps": found})


def _get_aspsp(call: Call) -> Answer:
    details = aspsp_details(of_2026=call.provider.of_2026)
    return _find(list(details.values()), "bicFi", _path_value(call, "bicFi", BIC))


def _select(
    call: Call,
    items: Sequence[T],
    *,
    country: Callable[[T], str],
    city_id: Callable[[T], str | None] = lambda _: None,
) -> list[T]:
    """Whether an item passes. Filters are a union; without filters, everything passes (document 001, "Get cities")."""
    countries = _query_list(call, "isoCountryCodes", _COUNTRY_CODE)
    city_ids = _query_list(call, "cityIds", UUID)
    if countries is None and city_ids is None:
        return list(items)
    wanted = {code.upper() for code in countries or ()} | {value.lower() for value in city_ids or ()}
    return [item for item in items if country(item) in wanted or city_id(item) in wanted]


def _find(items: Sequence[dict[str, Any]], key: str, value: str) -> Answer:
    for item in items:
        if item[key] == value:
            return Answer(item)
    raise ApiError(404, "RESOURCE_UNKNOWN", f"no such {key}: {value}", path=key)


def _path_value(call: Call, name: str, form: re.Pattern[str]) -> str:
    value = call.path_value(name)
    if not form.fullmatch(value):
        raise malformed(name, f"{name} is malformed: {value!r}")
    return value


def _query_list(call: Call, name: str, form: re.Pattern[str]) -> list[str] | None:
    """The items of a list; None if it was not sent. They are separated by commas, or their name is repeated."""
    values = call.request.query_params.getlist(name)
    items = [item for value in values for item in value.split(",")]
    for item in items:
        if not form.fullmatch(item):
            raise malformed(name, f"{name} has a malformed item: {item!r}")
    return items if values else None
