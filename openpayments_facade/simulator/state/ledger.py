"""Balances and entries of accounts and cards: made up from a seed on demand, and never stored.

Entry number k, counted from the oldest, is one of a cycle of templates with a date of its own. So everything about it
follows without the entries before it: which entries lie between two dates, and their sum.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .accounts import Account, accounts
from .cards import CardAccount, cards

if TYPE_CHECKING:
    from .banks import Bank
    from .book import Book, Template

__all__ = ["Ledger"]

# all entries are within the last 13 months, the shortest history of a bank in the provider's guide of 2021
_DAYS = 365
_CYCLE = 97
_PENDING = 2


@dataclass(frozen=True)
class _Cycle:
    """Templates of entries, with amounts in hundredths, and the sums of the first 0, 1, ... of them."""

    opening: int
    templates: tuple[Template, ...]
    sums: tuple[int, ...]


class Ledger:
    """All users' books. Each has `transactions` booked entries on `today`; later days add more at the same rate."""

    def __init__(self, *, seed: int, transactions: int, today: date) -> None:
        self._seed = seed
        self._transactions = transactions
        self._first_day = today - timedelta(days=_DAYS - 1)
        self._cycle = lru_cache(maxsize=64)(self._make_cycle)

    def accounts(self, bank: Bank, context: str | None) -> list[Account]:
        return accounts(self._seed, bank, context)

    def cards(self, bank: Bank, context: str | None, psu_id: str | None) -> list[CardAccount]:
        return cards(self._seed, bank, context, psu_id)

    def booked_until(self, day: date) -> int:
        """How many entries are booked by the end of that day. Their numbers are below that."""
        days = (day - self._first_day).days + 1
        return max(0, -(-days * self._transactions // _DAYS))

    def pending(self, today: date) -> range:
        """The numbers of the entries that will be booked next."""
        count = self.booked_until(today)
        return range(count, count + _PENDING if self._transactions else count)

    def number_of(self, book: Book, reference: str) -> int | None:
        """The number of an entry; None if there is none with this reference."""
        prefix, _, digits = reference.rpartition("-")
        if prefix != book.prefix or not (digits.isascii() and digits.isdigit() and len(digits) < 100):
            return None
        number = int(digits) - 1
        return number if number >= 0 and reference == self.reference(book, number) else None

    def reference(self, book: Book, number: int) -> str:
        return f"{book.prefix}-{number + 1:012d}"

    def entry(self, book: Book, number: int) -> dict[str, Any]:
        """A booked entry, without links."""
        day = self._first_day + timedelta(days=number * _DAYS // self._transactions)
        return book.booked(self.reference(book, number), day, self._template(book, number))

    def pending_entry(self, book: Book, number: int) -> dict[str, Any]:
        return book.pending(self._template(book, number))

    def single_payments(self, account: Account, number: int) -> list[dict[str, Any]]:
        """The payments in a booked entry that is a lump sum; none if it is another entry."""
        template = self._template(account, number)
        if not account.is_lump_sum(template):
            return []
        return account.single_payments(self.entry(account, number), template, number)

    def balances(self, book: Book, today: date) -> list[dict[str, Any]]:
        count = self.booked_until(today)
        booked = self._balance(book, count)
        last = {"lastCommittedTransaction": self.reference(book, count - 1)} if count else {}
        pending = sum(self._template(book, number)[0] for number in self.pending(today))
        return [
            {
                "balanceAmount": book.money(amount),
                "balanceType": kind,
                "creditLimitIncluded": False,
                "referenceDate": today.isoformat(),
                **last,
            }
            for kind, amount in (("closingBooked", booked), ("interimAvailable", booked + pending))
        ]

    def _balance(self, book: Book, count: int) -> int:
        cycle = self._cycle(book)
        rounds, rest = divmod(count, _CYCLE)
        return cycle.opening + rounds * cycle.sums[-1] + cycle.sums[rest]

    def _template(self, book: Book, number: int) -> Template:
        return self._cycle(book).templates[number % _CYCLE]

    def _make_cycle(self, book: Book) -> _Cycle:
        chance = random.Random(f"{self._seed} {book.resource_id}")  # noqa: S311
        opening, templates = book.draw(chance, _CYCLE)
        return _Cycle(opening, templates, (0, *accumulate(amount for amount, _ in templates)))
