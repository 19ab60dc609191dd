"""Transactions on stdout, a page at a time, and the bar on stderr while pages are read."""

from __future__ import annotations

import csv
import io
import sys
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from .._redaction import printable
from .output import account_number, cell, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpayments_client.models import TransactionReport

    from .._protocol.pages import BookedTransaction, PendingTransaction

    Listed = BookedTransaction | PendingTransaction

__all__ = ["Csv", "Form", "Json", "Table", "reading"]


class Form(Protocol):
    """How transactions are printed."""

    def text(self, transactions: Sequence[Listed]) -> str:
        """The text of one more page."""

    def end(self) -> str:
        """What comes after the last page."""


class Json:
    """One JSON list with an item a line. Broken off, it is no JSON."""

    def __init__(self) -> None:
        self._before = "[\n"

    def text(self, transactions: Sequence[Listed]) -> str:
        text = ""
        for each in transactions:
            text += self._before + json_text({"bookingStatus": each.booking_status, **each.to_dict()})
            self._before = ",\n"
        return text

    def end(self) -> str:
        return "\n]\n" if self._before == ",\n" else "[]\n"


class Csv:
    """CSV with every value in quotes, whatever is in it. Headings are the API's names."""

    HEADINGS: Final = (
        "bookingStatus",
        "bookingDate",
        "valueDate",
        "amount",
        "currency",
        "creditorName",
        "creditorAccount",
        "debtorName",
        "debtorAccount",
        "remittanceInformationUnstructured",
        "remittanceInformationStructured",
        "additionalInformation",
        "endToEndId",
        "purposeCode",
        "bankTransactionCode",
        "entryReference",
        "transactionId",
        "resourceId",
    )

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id
        self._rows: list[Sequence[object]] = [self.HEADINGS]

    def text(self, transactions: Sequence[Listed]) -> str:
        written = io.StringIO()
        writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([*self._rows, *map(self._row, transactions)])
        self._rows = []
        text = written.getvalue()
        # in a file it is what the bank sent; here it would steer the terminal
        return "\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text

    def end(self) -> str:
        return ""

    def _row(self, transaction: Listed) -> list[object]:
        sent = {
            "bookingStatus": transaction.booking_status,
            **transaction.to_dict(),
            "amount": transaction.transaction_amount.amount,
            "currency": transaction.transaction_amount.currency,
            "creditorAccount": account_number(transaction.creditor_account),
            "debtorAccount": account_number(transaction.debtor_account),
            "resourceId": self._account_id,
        }
        return [sent.get(name) for name in self.HEADINGS]


class Table:
    """Lines for people, as they come: the text, which may be long, is last."""

    def __init__(self) -> None:
        self._heading = f"{'DAY':<10}   {'AMOUNT':>14}   {'CUR':<3}   {'STATUS':<7}   TEXT\n"

    def text(self, transactions: Sequence[Listed]) -> str:
        if not transactions:
            return ""
        heading, self._heading = self._heading, ""
        return heading + "".join(map(self._line, transactions))

    def end(self) -> str:
        return ""

    def _line(self, transaction: Listed) -> str:
        amount, currency = map(cell, (transaction.transaction_amount.amount, transaction.transaction_amount.currency))
        name = transaction.debtor_name or transaction.ultimate_debtor
        if amount.startswith("-") or name is None:
            name = transaction.creditor_name or transaction.ultimate_creditor or name
        information = (
            transaction.remittance_information_unstructured
            or transaction.remittance_information_structured
            or transaction.additional_information
        )
        text = ", ".join(filter(None, map(cell, (name, information))))
        day = str(transaction.booking_date or transaction.value_date or "")
        line = f"{day:<10}   {amount:>14}   {currency:<3}   {transaction.booking_status:<7}   {text}"
        return f"{line.rstrip()}\n"


def reading(pages: Iterator[TransactionReport], first: date, last: date) -> Iterator[TransactionReport]:
    """The pages. While each is waited for, a bar shows how many of the days there are, if stderr is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from .._protocol.pages import listed

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} % of the days"))
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    days = max(1, (last - first).days + 1)
    task, read, seen = bar.add_task("Reading transactions", total=days), 0, set[date]()
    if not bar.console.is_terminal or bar.console.is_dumb_terminal:
        yield from pages
        return
    while True:
        # off the screen while the page is written: that may be the same terminal
        with bar:
            page = next(pages, None)
        if page is None:
            return
        yield page
        transactions = list(listed(page))
        read += len(transactions)
        # whether they come with the oldest or the newest first
        seen |= {each.booking_date for each in transactions if each.booking_date is not None}
        seen = {min(seen), max(seen)} if seen else seen
        passed = (max(seen) - min(seen)).days if seen else 0
        bar.update(task, description=f"Read {read:,} transactions", completed=min(passed, days))
