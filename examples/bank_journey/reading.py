"""Accounts and transactions as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from openpayments_facade import APIError, BookedTransaction, views

from . import chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpayments_facade import Account, AsyncAccounts, Balance, PendingTransaction

HISTORY = timedelta(days=90)
"""How far back pages go. Most banks give that much without another approval."""
PAGE = 20
"""The transactions of a page."""
LOOKED_THROUGH = 500
"""The transactions that one search reads at most, before it asks whether to go on."""
DRAWN = 5000
"""The transactions up to which the balance is drawn."""


@dataclass(frozen=True)
class Money:
    """An amount with its currency."""

    value: Decimal
    currency: str


@dataclass(frozen=True)
class Row:
    """One transaction."""

    day: date | None
    title: str
    text: str
    amount: views.Amount
    is_pending: bool

    def mentions(self, wanted: str) -> bool:
        """Whether a search for this, in small letters, finds it."""
        return wanted in f"{self.title} {self.text} {self.amount.value} {self.day or ''}".casefold()


@dataclass(frozen=True)
class List:
    """A part of an account's transactions, and where the next part begins."""

    rows: Sequence[Row]
    cursor: str | None


def row_of(transaction: BookedTransaction | PendingTransaction, own: Account) -> Row:
    """What the SDK finds in a transaction, wherever the bank has put it."""
    text, name = views.text(transaction).value or "", views.other_party(transaction, own=own).name
    return Row(
        day=views.day(transaction).value,
        title=name or text or "Transaction",
        text=text if name else "",
        amount=views.amount(transaction, own=own, signed=True),
        is_pending=transaction.booking_status == "pending",
    )


async def booked(accounts: AsyncAccounts, account: Account, *, cursor: str | None = None, search: str = "") -> List:
    """The next page of the booked transactions, in the order of the bank, which most begin with the newest."""
    found = accounts.transactions(account, date_from=-HISTORY, cursor=cursor)
    wanted, rows, count = search.strip().casefold(), list[Row](), 0
    async for transaction in found:
        count += 1
        row = row_of(transaction, account)
        if row.mentions(wanted):
            rows.append(row)
        if len(rows) == PAGE or count == LOOKED_THROUGH:
            break
    # it stands behind the transaction that came last; None once everything was read
    return List(rows, found.cursor)


async def pending(accounts: AsyncAccounts, account: Account) -> list[Row]:
    """What is not booked yet. Some banks don't say."""
    try:
        found = accounts.transactions(account, booking_status="pending", date_from=-HISTORY)
        return [row_of(each, account) async for each in found]
    except APIError as error:
        if error.status_code != 400:
            raise
        return []


async def history(accounts: AsyncAccounts, account: Account) -> list[BookedTransaction] | None:
    """All booked transactions, for a picture; None if they are too many."""
    found = list[BookedTransaction]()
    async for each in accounts.transactions(account, date_from=-HISTORY):
        if len(found) == DRAWN:
            return None
        if isinstance(each, BookedTransaction):
            found.append(each)
    return found


def drawn(account: Account, found: list[BookedTransaction] | None) -> list[chart.Chart]:
    """The balance over time, for a desk and for a phone; nothing if it can't be known."""
    balance = booked_balance(account)
    if balance is None or found is None:
        return []
    today = datetime.now(UTC).date()
    days = chart.balances_by_day(
        account, balance.value, found, currency=balance.currency, first=today - HISTORY, today=today
    )
    return [picture for size in (chart.WIDE, chart.SMALL) if (picture := chart.draw(days, size))]


def available(account: Account) -> Money | None:
    """What can be spent, or else what is booked."""
    return _money(views.available_balance(account.balances) or views.booked_balance(account.balances))


def booked_balance(account: Account) -> Money | None:
    """What is booked."""
    return _money(views.booked_balance(account.balances))


def _money(balance: Balance | None) -> Money | None:
    found = balance and views.balance_amount(balance)
    return Money(found.value, found.currency) if found and found.value is not None and found.currency else None
