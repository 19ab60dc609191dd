"""The choice of a country and of a bank: `/`, `/banks`, `/banks/{bic_fi}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..people import PEOPLE

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..journey import Journey


def bank_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""

    async def countries(request: Request) -> Response:
        return journey.page(request, "countries.html", countries=await journey.directory.countries())

    async def banks(request: Request) -> Response:
        code, text = request.query_params.get("country", "").upper(), request.query_params.get("q", "")[:100]
        country = next((each for each in await journey.directory.countries() if each.iso_country_code == code), None)
        if country is None:
            return RedirectResponse("/", 303)
        found = await journey.directory.banks(code, text)
        return journey.page(request, "banks.html", country=country, banks=found, q=text)

    async def bank(request: Request) -> Response:
        found = await journey.directory.bank(request.path_params["bic_fi"])
        return show_bank(journey, request, found)

    return [
        Route("/", countries, name="countries"),
        Route("/banks", banks, name="banks"),
        Route("/banks/{bic_fi}", bank, name="bank"),
    ]


def show_bank(journey: Journey, request: Request, bank: object, *, problem: str | None = None, **form: str) -> Response:
    """The page with the ways to approve, with what was typed before and what is wrong with it."""
    way = "app" if _is_phone(request) else "qr"
    values = {"user_id": PEOPLE[0].id if journey.simulated else "", "way": way, **form}
    status = 422 if problem else 200
    return journey.page(request, "bank.html", status=status, bank=bank, people=PEOPLE, form=values, problem=problem)


def _is_phone(request: Request) -> bool:
    """Whether the browser says that it runs on a phone, which can't scan what it shows itself."""
    return request.headers.get("sec-ch-ua-mobile") == "?1" or "Mobi" in request.headers.get("user-agent", "")
