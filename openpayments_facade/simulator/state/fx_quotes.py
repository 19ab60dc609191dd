"""FX quotes: what a payment into another currency costs, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from .exchange import WORTH, rate
from .resource import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from .resource import Origin

__all__ = ["FxQuote", "FxQuotes", "SimulatedFxQuote"]

_CENT: Final = Decimal("0.01")
# in SEK, as in the example of the provider's description of 2026
_FEE: Final = Decimal(25)


@dataclass(frozen=True)
class SimulatedFxQuote:
    """A snapshot of an FX quote.

    Attributes:
        id: Its id.
        bic: The bank.
        context: The PSU context.
        source_currency: The currency to pay with, an ISO 4217 code.
        target_currency: The currency to pay in, an ISO 4217 code.
        amount: What the payee gets, in the target currency.
        fx_rate: What one of the target currency costs in the source currency.
        fee: The bank's fee, in the source currency.
        total_amount: What the payer pays with the fee, in the source currency.
        valid_from: When it was created.
        valid_to: Until when it can be used.
        used: Whether a payment was made with it, or it was confirmed.
    """

    id: str
    bic: str
    context: str | None
    source_currency: str
    target_currency: str
    amount: str
    fx_rate: str
    fee: str
    total_amount: str
    valid_from: datetime
    valid_to: datetime
    used: bool


@dataclass(eq=False, kw_only=True)
class FxQuote(Resource):
    """An FX quote. `execution_date` is the day of a later payment, as it was asked for."""

    kind = "quote"

    source_currency: str
    target_currency: str
    amount: Decimal
    execution_date: str | None
    valid_from: datetime
    valid_to: datetime
    used: bool = False

    @property
    def rate(self) -> Decimal:
        """What a unit of the target currency costs in the source currency."""
        return rate(self.source_currency, self.target_currency)

    @property
    def fee(self) -> Decimal:
        return _cents(_FEE / WORTH[self.source_currency])

    @property
    def total(self) -> Decimal:
        return _cents(self.amount * self.rate) + self.fee

    def view(self) -> SimulatedFxQuote:
        return SimulatedFxQuote(
            id=self.id,
            bic=self.bank.bic,
            context=self.context,
            source_currency=self.source_currency,
            target_currency=self.target_currency,
            amount=str(self.amount),
            fx_rate=f"{self.rate:f}",
            fee=str(self.fee),
            total_amount=str(self.total),
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            used=self.used,
        )


class FxQuotes:
    """All FX quotes. `new_id` makes what their ids are made of, `now` is the banks' time, `lifetime` is in seconds."""

    def __init__(self, *, new_id: Callable[[], str], now: Callable[[], datetime], lifetime: float) -> None:
        self._new_id = new_id
        self._now = now
        self._lifetime = timedelta(seconds=lifetime)
        self._quotes: dict[str, FxQuote] = {}

    def create(
        self, source_currency: str, target_currency: str, amount: Decimal, *, execution_date: str | None, origin: Origin
    ) -> FxQuote:
        now = self._now()
        quote = FxQuote(
            # a letter, digits and capitals, as in the example of the provider's description of 2026
            id=f"Q{self._new_id().replace('-', '')[:12].upper()}",
            source_currency=source_currency,
            target_currency=target_currency,
            amount=amount,
            execution_date=execution_date,
            valid_from=now,
            valid_to=now + self._lifetime,
            **origin,
        )
        self._quotes[quote.id] = quote
        return quote

    def find(self, quote_id: str) -> FxQuote | None:
        return self._quotes.get(quote_id)

    def has_expired(self, quote: FxQuote) -> bool:
        return self._now() >= quote.valid_to

    def views(self) -> list[SimulatedFxQuote]:
        """Snapshots of all quotes, in order of creation."""
        return [quote.view() for quote in self._quotes.values()]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
