"""The six ASPSP Information operations (document 001; facts 20-aspsp-information)."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .api import operation, path_value, query_list
from .data import ASPSP_CITY_IDS, ASPSP_DETAILS, ASPSPS, CITIES, COUNTRIES
from .errors import ApiError
from .request_ids import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import Route

    from .provider import Provider

__all__ = ["aspsp_information_routes"]

_BASE = "/psd2/aspspinformation/v1"
# both cases: facts 20, section 1
_COUNTRY_CODE = re.compile("[a-zA-Z]{2}")
_BIC = re.compile("[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")

T = TypeVar("T")


def aspsp_information_routes(provider: Provider) -> list[Route]:
    get = partial(operation, provider, api_scope="aspspinformation")
    return [
        get(f"{_BASE}/countries", _list_countries, query=["isoCountryCodes"]),
        get(f"{_BASE}/countries/{{isoCountryCode}}", _get_country),
        get(f"{_BASE}/cities", _list_cities, query=["isoCountryCodes", "cityIds"]),
        get(f"{_BASE}/cities/{{city_id}}", _get_city),
        get(f"{_BASE}/aspsps", _list_aspsps, query=["isoCountryCodes", "cityIds"]),
        get(f"{_BASE}/aspsps/{{bicFi}}", _get_aspsp),
    ]


def _list_countries(request: Request) -> dict[str, Any]:
    return {"countries": _select(request, COUNTRIES, country=lambda country: country["isoCountryCode"])}


def _get_country(request: Request) -> dict[str, Any]:
    code = path_value(request, "isoCountryCode", _COUNTRY_CODE).upper()
    return _find(COUNTRIES, "isoCountryCode", code)


def _list_cities(request: Request) -> dict[str, Any]:
    return {
        "cities": _select(
            request, CITIES, country=lambda city: city["isoCountryCode"], city_id=lambda city: city["cityId"]
        )
    }


def _get_city(request: Request) -> dict[str, Any]:
    city_id = path_value(request, "city-id", UUID).lower()
    return _find(CITIES, "cityId", city_id)


def _list_aspsps(request: Request) -> dict[str, Any]:
    return {
        "aspsps": _select(
            request,
            ASPSPS,
            country=lambda aspsp: aspsp["bicFi"][4:6],
            city_id=lambda aspsp: ASPSP_CITY_IDS.get(aspsp["bicFi"]),
        )
    }


def _get_aspsp(request: Request) -> dict[str, Any]:
    bic = path_value(request, "bicFi", _BIC)
    return _find(list(ASPSP_DETAILS.values()), "bicFi", bic)


def _select(
    request: Request,
    items: Sequence[T],
    *,
    country: Callable[[T], str],
    city_id: Callable[[T], str | None] = lambda _: None,
) -> list[T]:
    """Filters are a union; no filter lets everything through (document 001, "Get cities")."""
    countries = query_list(request, "isoCountryCodes", _COUNTRY_CODE)
    city_ids = query_list(request, "cityIds", UUID)
    if countries is None and city_ids is None:
        return list(items)
    wanted = {code.upper() for code in countries or ()} | {value.lower() for value in city_ids or ()}
    return [item for item in items if country(item) in wanted or city_id(item) in wanted]


def _find(items: Sequence[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    for item in items:
        if item[key] == value:
            return item
    raise ApiError(404, "RESOURCE_UNKNOWN", f"no such {key}: {value}", path=key)
