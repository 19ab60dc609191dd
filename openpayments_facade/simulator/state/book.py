"""What has entries: the interface that the ledger uses of an account and of a card."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from .banks import Bank

__all__ = ["Book", "Kind", "Template"]

Template = tuple[int, "Mapping[str, Any]"]


@dataclass(frozen=True)
class Kind:
    """A kind of entry: its lowest and highest amount, in hundredths, and its other fields."""

    least: int
    most: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Book(ABC):
    """What entries are about. `number` tells apart those of a bank, `resource_id` is the `account-id` of paths."""

    bank: Bank
    number: int
    usage: str
    currency: str
    name: str
    resource_id: str

    @abstractmethod
    def is_meant_by(self, reference: Mapping[str, Any]) -> bool:
        """Whether a consent that names this account reference opens it."""

    @abstractmethod
    def reference(self) -> dict[str, str]:
        """How an answer names it."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """It as in the list and the details, without balances and links."""

    @abstractmethod
    def draw(self, chance: random.Random, count: int) -> tuple[int, tuple[Template, ...]]:
        """The balance before the first entry, and the templates of so many entries.

        Amounts are in hundredths, and a debit is negative. The first entry balances the others.
        """

    @abstractmethod
    def booked(self, reference: str, day: date, template: Template) -> dict[str, Any]:
        """A booked entry, without links."""

    @abstractmethod
    def pending(self, template: Template) -> dict[str, Any]:
        """An entry that is yet to be booked."""

    @property
    def prefix(self) -> str:
        """What the references of its entries begin with."""
        return f"{self.bank.bic}-{self.number}"

    @property
    def owner(self) -> str:
        return "Exempel AB" if self.usage == "ORGA" else "Kim Exempel"

    def amount(self, hundredths: int) -> str:
        sign = "-" if hundredths < 0 else ""
        whole, rest = divmod(abs(hundredths), 100)
        return f"{sign}{whole}.{rest:02d}"

    def money(self, hundredths: int) -> dict[str, str]:
        return {"currency": self.currency, "amount": self.amount(hundredths)}
