"""Signing baskets: payments that are approved together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .authorisations import SimulatedAuthorisation, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .payments import Payment
    from .resource import Origin

__all__ = ["BasketStatus", "SigningBasket", "SigningBaskets", "SimulatedSigningBasket"]

BasketStatus = Literal["RCVD", "PATC", "ACTC", "CANC"]


@dataclass(frozen=True)
class SimulatedSigningBasket:
    """A snapshot of a signing basket.

    Attributes:
        id: Its id.
        bic: The bank.
        status: Its status: "RCVD", "PATC", "ACTC" or "CANC".
        context: The PSU context.
        payment_ids: Its payments, in the order of the request.
        authorisations: In the order in which they started.
    """

    id: str
    bic: str
    status: BasketStatus
    context: str | None
    payment_ids: tuple[str, ...]
    authorisations: tuple[SimulatedAuthorisation, ...]


@dataclass(eq=False, kw_only=True)
class SigningBasket(Subject):
    """A signing basket. Its status says nothing about its payments: the bank may still reject some."""

    kind = "basket"

    payments: Sequence[Payment] = field(repr=False)
    status: BasketStatus = "RCVD"

    def __post_init__(self) -> None:
        for payment in self.payments:
            payment.close_authorisations()
            payment.basket = self

    @property
    def waits_for_user(self) -> bool:
        return self.status in {"RCVD", "PATC"}

    @property
    def request_to_user(self) -> str:
        summaries = "; ".join(payment.summary for payment in self._open_payments())
        return f"An application asks to make {len(self._open_payments())} payments: {summaries}."

    def approve(self, psu_id: str | None, *, alone: bool) -> None:
        for payment in self._open_payments():
            payment.approve(psu_id, alone=alone)
        if self.sign(psu_id, alone=alone, partly="PATC"):
            self._settle("ACTC")

    def reject(self) -> None:
        """As with payments, another authorisation can follow."""

    def cancel(self) -> None:
        self._settle("CANC")

    def view(self) -> SimulatedSigningBasket:
        return SimulatedSigningBasket(
            id=self.id,
            bic=self.bank.bic,
            status=self.status,
            context=self.context,
            payment_ids=tuple(payment.id for payment in self.payments),
            authorisations=tuple(one.view() for one in self.authorisations.values()),
        )

    def _open_payments(self) -> list[Payment]:
        """Those that were not cancelled or rejected one by one."""
        return [payment for payment in self.payments if payment.status in {"RCVD", "PATC"}]

    def _settle(self, status: BasketStatus) -> None:
        self.status = status
        self.close_authorisations()
        for payment in self.payments:
            payment.basket = None


class SigningBaskets:
    """All signing baskets. `new_id` makes their ids."""

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._baskets: dict[str, SigningBasket] = {}

    def create(self, payments: Sequence[Payment], *, origin: Origin) -> SigningBasket:
        basket = SigningBasket(id=self._new_id(), payments=payments, **origin)
        self._baskets[basket.id] = basket
        return basket

    def find(self, basket_id: str) -> SigningBasket | None:
        return self._baskets.get(basket_id)

    def views(self) -> list[SimulatedSigningBasket]:
        """Snapshots of all baskets, in order of creation."""
        return [basket.view() for basket in self._baskets.values()]
