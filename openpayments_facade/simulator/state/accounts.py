"""The accounts of a user, and what their entries tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .book import Book, Kind, Template
from .identifiers import derived_uuid

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from .banks import Bank

__all__ = ["Account", "accounts"]

# Invented names and numbers: the giro numbers are all zeros.
_SPENDING: Final = (
    Kind(
        2_000,
        90_000,
        {
            "creditorName": "Exempel Livs",
            "remittanceInformationUnstructured": "Card purchase",
            "purposeCode": "GDDS",
            "bankTransactionCode": "PMNT-CCRD-POSD",
        },
    ),
    Kind(
        500_000,
        900_000,
        {
            "creditorName": "Exempel Bostad AB",
            "creditorAccount": {"bankGiro": "000-0000"},
            "remittanceInformationUnstructured": "Rent",
            "purposeCode": "RENT",
            "bankTransactionCode": "PMNT-ICDT-DMCT",
        },
    ),
    Kind(
        30_000,
        150_000,
        {
            "creditorName": "Exempel Energi AB",
            "creditorAccount": {"plusGiro": "0000-0"},
            "remittanceInformationStructured": "0000000000",
            "purposeCode": "ELEC",
            "bankTransactionCode": "PMNT-ICDT-DMCT",
        },
    ),
    Kind(
        5_000,
        60_000,
        {
            "creditorName": "Exempel Hotell",
            "remittanceInformationUnstructured": "Card purchase abroad",
            "bankTransactionCode": "PMNT-CCRD-POSD",
        },
    ),
    Kind(
        5_000,
        40_000,
        {
            "creditorName": "Exempel Telefon AB",
            "mandateId": "MANDATE-0000",
            "creditorId": "SE00ZZZ0000000000",
            "remittanceInformationUnstructured": "Telephone",
            "purposeCode": "PHON",
            "bankTransactionCode": "PMNT-IDDT-ESDD",
        },
    ),
)
_INCOME: Final[Mapping[str, Mapping[str, Any]]] = {
    "PRIV": {
        "debtorName": "Exempel Arbetsgivare AB",
        "remittanceInformationUnstructured": "Salary",
        "purposeCode": "SALA",
        "bankTransactionCode": "PMNT-RCDT-ESCT",
    },
    "ORGA": {
        "debtorName": "Exempel Kund AB",
        "endToEndId": "INVOICE-0000",
        "remittanceInformationUnstructured": "Invoice 0000",
        "purposeCode": "SUPP",
        "bankTransactionCode": "PMNT-RCDT-ESCT",
    },
}
# what a company is paid by Bankgiro comes in one sum
_LUMP_SUM: Final[Mapping[str, Any]] = {
    "debtorName": "Bankgiro",
    "remittanceInformationUnstructured": "Bankgiro deposit",
    "bankTransactionCode": "PMNT-RCDT-DMCT",
}
_PAYERS: Final = (("Exempel Kund AB", 5), ("Exempel Handel AB", 3), ("Exempel Bygg AB", 2))
_PRODUCTS: Final = (("Lönekonto", "SEK", "CACC"), ("Sparkonto", "SEK", "SVGS"), ("Valutakonto", "EUR", "CACC"))


@dataclass(frozen=True)
class Account(Book):
    kind: str

    @property
    def bban(self) -> str:
        if self.bank.clearing_number is not None:
            return f"{self.number:09d}"
        return f"{self.bank.code}{self.number:017d}"

    @property
    def iban(self) -> str | None:
        if self.bank.clearing_number is not None:
            return None
        # ISO 7064, MOD 97-10; letters count from A = 10
        digits = int(f"{self.bban}{ord('S') - 55}{ord('E') - 55}00")
        return f"SE{98 - digits % 97:02d}{self.bban}"

    @property
    def gets_lump_sums(self) -> bool:
        return self.bank.bankgiro and self.usage == "ORGA" and self.currency == "SEK"

    def reference(self) -> dict[str, str]:
        """The account's reference: the identifier that its bank prefers, and its currency."""
        if self.iban is not None:
            return {"iban": self.iban, "currency": self.currency}
        assert self.bank.clearing_number is not None
        return {"bban": self.bban, "clearingNumber": self.bank.clearing_number, "currency": self.currency}

    def is_meant_by(self, reference: Mapping[str, Any]) -> bool:
        own = {
            "iban": self.iban,
            "bban": self.bban,
            "clearingNumber": self.bank.clearing_number,
            # without the clearing number the two are the same
            "accountNumber": self.bank.clearing_number and self.bban,
            "currency": self.currency,
        }
        return all(own.get(name) == value for name, value in reference.items() if value is not None)

    def describe(self) -> dict[str, Any]:
        fields = {
            "resourceId": self.resource_id,
            "iban": self.iban,
            "bban": self.bban,
            "clearingNumber": self.bank.clearing_number,
            "currency": self.currency,
            "name": self.name,
            "product": self.name,
            "cashAccountType": self.kind,
            "status": "enabled",
            "bic": self.bank.bic,
            "usage": self.usage,
            "ownerName": self.owner,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def draw(self, chance: random.Random, count: int) -> tuple[int, tuple[Template, ...]]:
        reference = self.reference()
        spending = []
        for _ in range(count - 1):
            kind = chance.choice(_SPENDING)
            spending.append((-chance.randint(kind.least, kind.most), {**kind.fields, "debtorAccount": reference}))
        # one income covers a round of spending, and a little more
        income = chance.randint(10_000, 200_000) - sum(amount for amount, _ in spending)
        fields = _LUMP_SUM if self.gets_lump_sums else _INCOME[self.usage]
        templates = ((income, {**fields, "creditorAccount": _payee(reference)}), *spending)
        return chance.randint(100_000, 5_000_000), templates

    def booked(self, reference: str, day: date, template: Template) -> dict[str, Any]:
        identity = {"transactionId": f"T{reference}"} if self.bank.transaction_details else {}
        amount, fields = template
        list_id = {"transactionListId": derived_uuid("list", reference)} if self.is_lump_sum(template) else {}
        abroad = fields.get("creditorName") == "Exempel Hotell" and "paymentId" not in fields
        exchange = self._exchange(amount, day) if abroad else {}
        return {
            **identity,
            "entryReference": reference,
            "bookingDate": day.isoformat(),
            "valueDate": day.isoformat(),
            "transactionAmount": self.money(amount),
            **fields,
            **list_id,
            **exchange,
        }

    def pending(self, template: Template) -> dict[str, Any]:
        amount, fields = template
        return {"transactionAmount": self.money(amount), **fields}

    def is_lump_sum(self, template: Template) -> bool:
        return self.gets_lump_sums and template[0] > 0

    def single_payments(self, entry: Mapping[str, Any], template: Template, number: int) -> list[dict[str, Any]]:
        """The payments in a booked lump sum (the provider's description of 2026). Their amounts add up to its own."""
        amount, fields = template
        shares = [amount * share // 10 for _, share in _PAYERS[1:]]
        return [
            {
                "entryReference": f"{entry['entryReference']}-{position}",
                "bookingDate": entry["bookingDate"],
                "valueDate": entry["valueDate"],
                "transactionAmount": self.money(part),
                "debtorName": name,
                "debtorOrganisationId": f"000000-000{position}",
                "debtorAddress": {"country": "SE", "city": "Exempelstad", "postalCode": "000 00", "street": "Gatan 1"},
                "creditorAccount": {"bankGiro": "000-0000"},
                "remittanceInformationStructured": f"{number:09d}{position}",
                "isEnriched": True,
                "isAliasPayin": True,
                "aggregateTransactionId": entry["transactionId"],
                "aggregateTransactionListId": entry["transactionListId"],
                "aggregateId": number + 1,
                "aggregateAmount": self.amount(amount),
                "aggregateRemittanceInformationUnstructured": fields["remittanceInformationUnstructured"],
            }
            for position, ((name, _), part) in enumerate(
                zip(_PAYERS, (amount - sum(shares), *shares), strict=True), start=1
            )
        ]

    def _exchange(self, amount: int, day: date) -> dict[str, Any]:
        source = "USD" if self.currency == "EUR" else "EUR"
        rate = 8_000 + -amount % 4_000
        return {
            "currencyExchange": [
                {
                    "sourceCurrency": source,
                    "exchangeRate": f"{rate // 1000}.{rate % 1000:03d}",
                    "unitCurrency": source,
                    "targetCurrency": self.currency,
                    "quotationDate": day.isoformat(),
                }
            ]
        }


def accounts(seed: int, bank: Bank, context: str | None) -> list[Account]:
    """A user's accounts at a bank. All users have the same ones; businesses have others."""
    usage, base = ("ORGA", 51) if context == "corporate" else ("PRIV", 11)
    return [
        Account(
            bank=bank,
            number=base + position,
            usage=usage,
            currency=currency,
            name=name,
            kind=kind,
            resource_id=derived_uuid(seed, "account", bank.bic, base + position),
        )
        for position, (name, currency, kind) in enumerate(_PRODUCTS)
    ]


def _payee(reference: Mapping[str, str]) -> dict[str, str]:
    """A transaction's creditor account has no clearing number (the provider's description of 2026)."""
    return {name: value for name, value in reference.items() if name != "clearingNumber"}
