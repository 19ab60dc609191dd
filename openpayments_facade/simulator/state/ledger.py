"""Balances and entries of accounts and cards: made up from a seed on demand, and never stored, but for payments.

Made-up entry number k, counted from the oldest, is one of a cycle of templates with a date of its own. So everything
about it follows without the entries before it: which entries lie between two dates, and their sum. A payment that is
booked comes after those of its day. Entries never change places, since the next one is never booked on an earlier day.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .accounts import Account, accounts
from .cards import CardAccount, cards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .banks import Bank
    from .book import Book, Template

__all__ = ["Ledger"]

# all entries are within the last 13 months, the shortest history of a bank in the provider's guide of 2021
_DAYS = 365
_CYCLE = 97
_PENDING = 2
# begins the number in the reference of a payment
_PAYMENT = "P"


@dataclass(frozen=True)
class _Cycle:
    """Templates of entries, with amounts in hundredths, and the sums of the first 0, 1, ... of them."""

    opening: int
    templates: tuple[Template, ...]
    sums: tuple[int, ...]


@dataclass(frozen=True)
class _Payments:
    """The payments from a book: the booked ones with their days and, by id, those that are yet to be booked.

    `before` says of each booked one how many made-up entries come before it.
    """

    booked: list[Template] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    pending: dict[str, Template] = field(default_factory=dict)

    def position(self, number: int) -> int:
        """How many payments come before entry number `number` of the book."""
        return bisect_left(range(len(self.before)), number, key=lambda position: self.before[position] + position)

    def has(self, number: int, position: int) -> bool:
        """Whether that entry is a payment."""
        return position < len(self.before) and self.before[position] + position == number


class Ledger:
    """All users' books. Each has `transactions` booked entries on `today`; later days add more at the same rate."""

    def __init__(self, *, seed: int, transactions: int, today: date) -> None:
        self._seed = seed
        self._transactions = transactions
        self._first_day = today - timedelta(days=_DAYS - 1)
        self._cycle = lru_cache(maxsize=64)(self._make_cycle)
        self._payments: defaultdict[str, _Payments] = defaultdict(_Payments)

    def accounts(self, bank: Bank, context: str | None) -> list[Account]:
        return accounts(self._seed, bank, context)

    def cards(self, bank: Bank, context: str | None, psu_id: str | None) -> list[CardAccount]:
        return cards(self._seed, bank, context, psu_id)

    def account(self, bank: Bank, context: str | None, reference: Mapping[str, Any]) -> Account | None:
        """The account of a user that is meant by a reference."""
        return next((account for account in self.accounts(bank, context) if account.is_meant_by(reference)), None)

    def hold(self, book: Book, payment_id: str, template: Template) -> None:
        """A payment is pending from now on."""
        self._payments[book.resource_id].pending[payment_id] = template

    def release(self, book: Book, payment_id: str) -> None:
        """It is not pending any more."""
        self._payments[book.resource_id].pending.pop(payment_id, None)

    def book(self, book: Book, payment_id: str, day: date) -> None:
        """It is booked, on a day that is not before that of the payment that was booked last."""
        payments = self._payments[book.resource_id]
        payments.booked.append(payments.pending.pop(payment_id))
        payments.days.append(day)
        payments.before.append(self._made_until(day))

    def booked_until(self, book: Book, day: date) -> int:
        """How many entries are booked by the end of that day. Their numbers are below that."""
        return self._made_until(day) + bisect_right(self._payments[book.resource_id].days, day)

    def pending(self, book: Book, today: date) -> list[dict[str, Any]]:
        """The entries that are yet to be booked."""
        return [book.pending(template) for template in self._pending(book, today)]

    def number_of(self, book: Book, reference: str) -> int | None:
        """The number of an entry; None if there is none with this reference."""
        prefix, _, rest = reference.rpartition("-")
        digits = rest.removeprefix(_PAYMENT)
        if prefix != book.prefix or not (digits.isascii() and digits.isdigit() and len(digits) < 100):
            return None
        place, before = int(digits) - 1, self._payments[book.resource_id].before
        if not rest.startswith(_PAYMENT):
            number = place + bisect_right(before, place)
        elif place < len(before):
            number = before[place] + place
        else:
            return None
        return number if number >= 0 and reference == self.reference(book, number) else None

    def reference(self, book: Book, number: int) -> str:
        payments = self._payments[book.resource_id]
        position = payments.position(number)
        if payments.has(number, position):
            return f"{book.prefix}-{_PAYMENT}{position + 1:011d}"
        return f"{book.prefix}-{number - position + 1:012d}"

    def entry(self, book: Book, number: int) -> dict[str, Any]:
        """A booked entry, without links."""
        payments, reference = self._payments[book.resource_id], self.reference(book, number)
        position = payments.position(number)
        if payments.has(number, position):
            return book.booked(reference, payments.days[position], payments.booked[position])
        made = number - position
        day = self._first_day + timedelta(days=made * _DAYS // self._transactions)
        return book.booked(reference, day, self._template(book, made))

    def single_payments(self, account: Account, number: int) -> list[dict[str, Any]]:
        """The payments in a booked entry that is a lump sum; none if it is another entry."""
        payments = self._payments[account.resource_id]
        position = payments.position(number)
        made = number - position
        template = self._template(account, made)
        if payments.has(number, position) or not account.is_lump_sum(template):
            return []
        return account.single_payments(self.entry(account, number), template, made)

    def available(self, book: Book, today: date) -> int:
        """What can be spent, in hundredths."""
        return self._booked(book, today) + sum(amount for amount, _ in self._pending(book, today))

    def balances(self, book: Book, today: date) -> list[dict[str, Any]]:
        count = self.booked_until(book, today)
        last = {"lastCommittedTransaction": self.reference(book, count - 1)} if count else {}
        amounts = {"closingBooked": self._booked(book, today), "interimAvailable": self.available(book, today)}
        return [
            {
                "balanceAmount": book.money(amount),
                "balanceType": kind,
                "creditLimitIncluded": False,
                "referenceDate": today.isoformat(),
                **last,
            }
            for kind, amount in amounts.items()
        ]

    def _made_until(self, day: date) -> int:
        """How many made-up entries are booked by the end of that day."""
        days = (day - self._first_day).days + 1
        return max(0, -(-days * self._transactions // _DAYS))

    def _pending(self, book: Book, today: date) -> list[Template]:
        count = self._made_until(today)
        made = range(count, count + _PENDING if self._transactions else count)
        return [*(self._template(book, number) for number in made), *self._payments[book.resource_id].pending.values()]

    def _booked(self, book: Book, today: date) -> int:
        payments = self._payments[book.resource_id]
        booked = payments.booked[: bisect_right(payments.days, today)]
        return self._balance(book, self._made_until(today)) + sum(amount for amount, _ in booked)

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
