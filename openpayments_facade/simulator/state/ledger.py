"""Accounts, balances and transactions: made up from a seed on demand, and never stored.

Entry number k of an account, counted from the oldest, is one of a cycle of templates with a date of its own. So
everything about it follows without the entries before it: which entries lie between two dates, and their sum.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from .identifiers import derived_uuid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .banks import Bank

__all__ = ["Account", "Ledger"]

# all entries are within the last 13 months, the shortest history of a bank in the provider's guide of 2021
_DAYS = 365
_CYCLE = 97
_PENDING = 2


@dataclass(frozen=True)
class _Kind:
    """A kind of entry: its lowest and highest amount, in hundredths, and its other fields."""

    least: int
    most: int
    fields: Mapping[str, Any]


# Invented names and numbers: the giro numbers are all zeros.
_SPENDING: Final = (
    _Kind(
        2_000,
        90_000,
        {
            "creditorName": "Exempel Livs",
            "remittanceInformationUnstructured": "Card purchase",
            "purposeCode": "GDDS",
            "bankTransactionCode": "PMNT-CCRD-POSD",
        },
    ),
    _Kind(
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
    _Kind(
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
    _Kind(
        5_000,
        60_000,
        {
            "creditorName": "Exempel Hotell",
            "remittanceInformationUnstructured": "Card purchase abroad",
            "bankTransactionCode": "PMNT-CCRD-POSD",
        },
    ),
    _Kind(
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
_PRODUCTS: Final = (("Lönekonto", "SEK", "CACC"), ("Sparkonto", "SEK", "SVGS"), ("Valutakonto", "EUR", "CACC"))


@dataclass(frozen=True)
class Account:
    bank: Bank
    number: int
    usage: str
    currency: str
    name: str
    kind: str
    resource_id: str

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
            "currency": self.currency,
        }
        return all(own.get(name) == value for name, value in reference.items() if value is not None)

    def describe(self) -> dict[str, Any]:
        """The account as in the list and the details, without balances and links."""
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
            "ownerName": "Exempel AB" if self.usage == "ORGA" else "Kim Exempel",
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class _Cycle:
    """Templates of entries, with amounts in hundredths, and the sums of the first 0, 1, ... of them."""

    opening: int
    templates: tuple[tuple[int, Mapping[str, Any]], ...]
    sums: tuple[int, ...]


class Ledger:
    """All users' accounts. Each has `transactions` booked entries on `today`; later days add more at the same rate."""

    def __init__(self, *, seed: int, transactions: int, today: date) -> None:
        self._seed = seed
        self._transactions = transactions
        self._first_day = today - timedelta(days=_DAYS - 1)
        self._cycle = lru_cache(maxsize=64)(self._make_cycle)

    def accounts(self, bank: Bank, context: str | None) -> list[Account]:
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
                resource_id=derived_uuid(self._seed, "account", bank.bic, base + position),
            )
            for position, (name, currency, kind) in enumerate(_PRODUCTS)
        ]

    def booked_until(self, day: date) -> int:
        """How many entries are booked by the end of that day. Their numbers are below that."""
        days = (day - self._first_day).days + 1
        return max(0, -(-days * self._transactions // _DAYS))

    def pending(self, today: date) -> range:
        """The numbers of the entries that will be booked next."""
        count = self.booked_until(today)
        return range(count, count + _PENDING if self._transactions else count)

    def number_of(self, account: Account, entry_reference: str) -> int | None:
        """The number of an entry of this account; None if there is none with this reference."""
        prefix, _, digits = entry_reference.rpartition("-")
        if prefix != _prefix(account) or not (digits.isascii() and digits.isdigit()):
            return None
        number = int(digits) - 1
        return number if number >= 0 and entry_reference == _reference(account, number) else None

    def entry(self, account: Account, number: int) -> dict[str, Any]:
        """A booked entry, without links."""
        day = (self._first_day + timedelta(days=number * _DAYS // self._transactions)).isoformat()
        reference = _reference(account, number)
        identity = {"transactionId": f"T{reference}"} if account.bank.transaction_details else {}
        amount, fields = self._template(account, number)
        exchange = self._exchange(account, amount, day) if fields.get("creditorName") == "Exempel Hotell" else {}
        return {
            **identity,
            "entryReference": reference,
            "bookingDate": day,
            "valueDate": day,
            "transactionAmount": _money(account, amount),
            **fields,
            **exchange,
        }

    def pending_entry(self, account: Account, number: int) -> dict[str, Any]:
        amount, fields = self._template(account, number)
        return {"transactionAmount": _money(account, amount), **fields}

    def balances(self, account: Account, today: date) -> list[dict[str, Any]]:
        count = self.booked_until(today)
        booked = self._balance(account, count)
        last = {"lastCommittedTransaction": _reference(account, count - 1)} if count else {}
        pending = sum(self._template(account, number)[0] for number in self.pending(today))
        return [
            {
                "balanceAmount": _money(account, amount),
                "balanceType": kind,
                "creditLimitIncluded": False,
                "referenceDate": today.isoformat(),
                **last,
            }
            for kind, amount in (("closingBooked", booked), ("interimAvailable", booked + pending))
        ]

    def _balance(self, account: Account, count: int) -> int:
        cycle = self._cycle(account)
        rounds, rest = divmod(count, _CYCLE)
        return cycle.opening + rounds * cycle.sums[-1] + cycle.sums[rest]

    def _template(self, account: Account, number: int) -> tuple[int, Mapping[str, Any]]:
        return self._cycle(account).templates[number % _CYCLE]

    def _make_cycle(self, account: Account) -> _Cycle:
        chance = random.Random(f"{self._seed} {account.resource_id}")  # noqa: S311
        reference = account.reference()
        spending = []
        for _ in range(_CYCLE - 1):
            kind = chance.choice(_SPENDING)
            spending.append((-chance.randint(kind.least, kind.most), {**kind.fields, "debtorAccount": reference}))
        # one income covers a round of spending, and a little more
        income = chance.randint(10_000, 200_000) - sum(amount for amount, _ in spending)
        templates = ((income, {**_INCOME[account.usage], "creditorAccount": _payee(reference)}), *spending)
        sums = (0, *accumulate(amount for amount, _ in templates))
        return _Cycle(chance.randint(100_000, 5_000_000), templates, sums)

    def _exchange(self, account: Account, amount: int, day: str) -> dict[str, Any]:
        source = "USD" if account.currency == "EUR" else "EUR"
        rate = 8_000 + -amount % 4_000
        return {
            "currencyExchange": [
                {
                    "sourceCurrency": source,
                    "exchangeRate": f"{rate // 1000}.{rate % 1000:03d}",
                    "unitCurrency": source,
                    "targetCurrency": account.currency,
                    "quotationDate": day,
                }
            ]
        }


def _prefix(account: Account) -> str:
    return f"{account.bank.bic}-{account.number}"


def _reference(account: Account, number: int) -> str:
    return f"{_prefix(account)}-{number + 1:012d}"


def _payee(reference: Mapping[str, str]) -> dict[str, str]:
    """A transaction's creditor account has no clearing number (the provider's description of 2026)."""
    return {name: value for name, value in reference.items() if name != "clearingNumber"}


def _money(account: Account, hundredths: int) -> dict[str, str]:
    sign = "-" if hundredths < 0 else ""
    whole, rest = divmod(abs(hundredths), 100)
    return {"currency": account.currency, "amount": f"{sign}{whole}.{rest:02d}"}
