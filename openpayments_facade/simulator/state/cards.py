"""The card accounts of a user, and what their entries tell (the provider's description of 2026)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from .book import Book, Kind, Template
from .identifiers import derived_uuid
from .users import NO_CARDS

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from .banks import Bank

__all__ = ["CardAccount", "cards"]

_HOME: Final = {"country": "SE", "city": "Exempelstad"}
_ABROAD: Final = {"country": "FI", "city": "Esimerkki"}
# Invented names, and numbers that are all zeros.
_PURCHASES: Final = (
    Kind(
        2_000,
        90_000,
        {"transactionDetails": "Exempel Livs", "merchantCategoryCode": "5411", "cardAcceptorAddress": _HOME},
    ),
    Kind(
        5_000,
        60_000,
        {"transactionDetails": "Exempel Hotell", "merchantCategoryCode": "7011", "cardAcceptorAddress": _ABROAD},
    ),
    Kind(
        3_000,
        40_000,
        {"transactionDetails": "Exempel Resor AB", "merchantCategoryCode": "4112", "cardAcceptorAddress": _HOME},
    ),
)
_PURCHASE: Final = {
    "terminalId": "00000000",
    "cardAcceptorId": "000000000000000",
    "proprietaryBankTransactionCode": "PURCHASE",
}
_PAYMENT: Final = {"transactionDetails": "Payment of the invoice", "proprietaryBankTransactionCode": "PAYMENT"}
_MARKUP: Final = ("1.5", 15)
_LIMIT: Final = "100000.00"


@dataclass(frozen=True)
class CardAccount(Book):
    """A credit card, in Swedish crowns."""

    @property
    def masked_pan(self) -> str:
        return f"000000******{self.number:04d}"

    def reference(self) -> dict[str, str]:
        return {"maskedPan": self.masked_pan, "currency": self.currency}

    def is_meant_by(self, reference: Mapping[str, Any]) -> bool:
        own = self.reference()
        return all(own.get(name) == value for name, value in reference.items() if value is not None)

    def describe(self) -> dict[str, Any]:
        return {
            "resourceId": self.resource_id,
            "maskedPan": self.masked_pan,
            "currency": self.currency,
            "ownerName": self.owner,
            "name": self.name,
            "displayName": f"{self.name} {self.owner}",
            "product": self.name,
            "debitAccounting": self.bank.debits_are_positive,
            "status": "enabled",
            "usage": self.usage,
            "creditLimit": {"currency": self.currency, "amount": _LIMIT},
        }

    def draw(self, chance: random.Random, count: int) -> tuple[int, tuple[Template, ...]]:
        purchases = []
        for _ in range(count - 1):
            kind = chance.choice(_PURCHASES)
            purchases.append((-chance.randint(kind.least, kind.most), {**kind.fields, **_PURCHASE}))
        # one payment settles a round of purchases
        owed = sum(amount for amount, _ in purchases)
        return owed, ((-owed, _PAYMENT), *purchases)

    def booked(self, reference: str, day: date, template: Template) -> dict[str, Any]:
        return {
            "cardTransactionId": reference,
            "transactionDate": (day - timedelta(days=1)).isoformat(),
            "bookingDate": day.isoformat(),
            **self._entry(template),
            **self._exchange(day, template),
        }

    def pending(self, template: Template) -> dict[str, Any]:
        return {**self._entry(template), "invoiced": False}

    def amount(self, hundredths: int) -> str:
        return super().amount(-hundredths if self.bank.debits_are_positive else hundredths)

    def _entry(self, template: Template) -> dict[str, Any]:
        amount, fields = template
        return {"transactionAmount": self.money(amount), "maskedPAN": self.masked_pan, **fields}

    def _exchange(self, day: date, template: Template) -> dict[str, Any]:
        amount, fields = template
        if fields.get("cardAcceptorAddress") is not _ABROAD:
            return {}
        rate = 8_000 + -amount % 4_000
        percentage, tenths = _MARKUP
        fee = amount * tenths // 1000
        return {
            "originalAmount": {"currency": "EUR", "amount": self.amount((amount - fee) * 1000 // rate)},
            "currencyExchange": [
                {
                    "sourceCurrency": "EUR",
                    "exchangeRate": f"{rate // 1000}.{rate % 1000:03d}",
                    "unitCurrency": "EUR",
                    "targetCurrency": self.currency,
                    "quotationDate": day.isoformat(),
                }
            ],
            "markupFee": self.money(fee),
            "markupFeePercentage": percentage,
        }


def cards(seed: int, bank: Bank, context: str | None, psu_id: str | None) -> list[CardAccount]:
    """A user's cards at a bank. All users but one have the same; businesses have others."""
    if not bank.cards or psu_id == NO_CARDS:
        return []
    usage, number, name = ("ORGA", 91, "Företagskort") if context == "corporate" else ("PRIV", 71, "Kreditkort")
    resource_id = derived_uuid(seed, "card", bank.bic, number)
    return [CardAccount(bank=bank, number=number, usage=usage, currency="SEK", name=name, resource_id=resource_id)]
