"""Countries and banks. They hardly ever change, so they are asked for once an hour, and not for each letter typed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.exceptions import HTTPException

from openpayments_facade import InvalidArgumentError

if TYPE_CHECKING:
    from openpayments_facade import Aspsp, AspspDetails, AsyncOpenPayments, Country

T = TypeVar("T")
HOUR = 3600.0


class Directory:
    """What the API knows of countries and banks."""

    def __init__(self, op: AsyncOpenPayments) -> None:
        self._op = op
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}

    async def countries(self) -> list[Country]:
        """The countries that have banks, by name."""
        found = await self._keep(("countries", ""), self._op.countries.list)
        return sorted(found, key=lambda country: country.name or country.iso_country_code)

    async def banks(self, country: str, text: str = "") -> list[Aspsp]:
        """The banks of a country, by name; of them those with this text in their name or BIC."""
        found = await self._keep(("banks", country), lambda: self._op.aspsps.list(countries=[country]))
        wanted = text.strip().casefold()
        fitting = [bank for bank in found if wanted in f"{bank.name} {bank.bic_fi}".casefold()]
        return sorted(fitting, key=lambda bank: (bank.name or bank.bic_fi).casefold())

    async def bank(self, bic_fi: str) -> AspspDetails:
        """One bank.

        Raises:
            HTTPException: No bank can have that BIC.
        """
        try:
            return await self._keep(("bank", bic_fi), lambda: self._op.aspsps.get(bic_fi))
        except InvalidArgumentError:  # it is from the address of a page
            raise HTTPException(404) from None

    async def _keep(self, key: tuple[str, str], read: Callable[[], Awaitable[T]]) -> T:
        if key in self._kept and time.monotonic() - self._kept[key][0] < HOUR:
            kept: T = self._kept[key][1]
            return kept
        found = await read()
        if len(self._kept) > 1000:  # keys come from the address of a page
            self._kept.clear()
        self._kept[key] = time.monotonic(), found
        return found
