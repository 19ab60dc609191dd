"""`openpayments transactions`: writes page by page to stdout, with a progress bar on stderr."""

from __future__ import annotations

import csv
import io
import re
import sys
import textwrap
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, cast

import typer

from .. import OpenPaymentsError, views
from .accounts import DAYS, AccountId, AccountRun, written
from .output import LONGEST_LINE, cell, is_interactive, json_text, printable, records, say, width, write
from .run import read_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .. import AccountReference, BookedTransaction, PendingTransaction, TransactionReport

    # with the account that the bank says they are of
    Page: TypeAlias = tuple[list[BookedTransaction | PendingTransaction], AccountReference | None]

__all__ = ["transactions"]


class BookingStatusName(StrEnum):
    """`--status`."""

    BOOKED = "booked"
    PENDING = "pending"
    BOTH = "both"


def transactions(
    run: AccountRun,
    account_id: AccountId,
    date_from: Annotated[
        date | None,
        typer.Option("--from", parser=read_date, metavar="DATE", help=f"The first day. Default: {DAYS} days ago."),
    ] = None,
    date_to: Annotated[
        date | None, typer.Option("--to", parser=read_date, metavar="DATE", help="The last day. Default: today.")
    ] = None,
    status: Annotated[
        BookingStatusName, typer.Option(help="Which transactions to list. Some banks only have booked ones.")
    ] = BookingStatusName.BOOKED,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header row, safe for spreadsheets.")] = False,
) -> None:
    """List the transactions of an account.

    They are printed page by page, as they are read; amounts keep the bank's signs. --json prints one list, with one
    transaction and its bookingStatus per line. In --csv what a spreadsheet would take for a formula is preceded by an
    apostrophe, and a line break is a blank; only --json is exactly what the bank sent.

    \b
      openpayments transactions $ACCOUNT --bank ESSESESS --consent $CONSENT
      openpayments transactions $ACCOUNT --bank ESSESESS --consent $CONSENT --status both --csv > transactions.csv
    """
    if run.as_json and as_csv:
        raise typer.BadParameter("--json and --csv can't be used together")
    today = datetime.now(UTC).date()
    first, last = date_from or today - timedelta(days=DAYS), date_to or today
    with run.accounts() as opened:
        reports = opened.transactions(account_id, booking_status=status.value, date_from=first, date_to=date_to).pages()
        pages = _reading(reports, first, last)
        for text in _json(pages) if run.as_json else _csv(pages, account_id) if as_csv else _table(pages):
            write(text)


def _json(pages: Iterable[Page]) -> Iterator[str]:
    """One list with one item per line. If it is interrupted, it is not valid JSON."""
    before = "[\n"
    for page, _ in pages:
        for each in page:
            yield before + json_text(each.to_dict())
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


# the beginning of a formula, also full-width or small; some spreadsheets take a semicolon for the end of a cell
_FORMULA: Final = re.compile("(?:^|;) *(?=[-=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9.,]*")

_HEADINGS: Final = (
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
    "day",
    "text",
    "otherParty",
    "otherAccount",
)


def _csv(pages: Iterable[Page], account_id: str) -> Iterator[str]:
    """CSV with every value in quotes. The headings are the API's names, and at the end what `views` finds."""
    header: list[dict[str, object]] = [dict(zip(_HEADINGS, _HEADINGS, strict=True))]
    for page, own in pages:
        yield _lines(header + [_row(each, own, account_id) for each in page])
        header = []
    if header:
        yield _lines(header)


def _row(
    transaction: BookedTransaction | PendingTransaction, own: AccountReference | None, account_id: str
) -> dict[str, object]:
    sent, party = transaction.to_dict(), views.other_party(transaction, own=own)
    amount, currency = written(transaction.transaction_amount, views.amount(transaction))
    return {
        "bookingStatus": transaction.booking_status,
        **sent,
        "amount": amount,
        "currency": currency,
        "creditorAccount": views.account_number(sent.get("creditorAccount")),
        "debtorAccount": views.account_number(sent.get("debtorAccount")),
        "resourceId": account_id,
        "day": views.day(transaction).value,
        "text": views.text(transaction).value,
        "otherParty": party.name,
        "otherAccount": party.account,
    }


def _lines(rows: Iterable[dict[str, object]]) -> str:
    file = io.StringIO()
    form = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in rows:
        form.writerow(map(_for_a_spreadsheet, map(row.get, _HEADINGS)))
    return file.getvalue()


def _for_a_spreadsheet(value: object) -> str:
    """A value in one line, which no spreadsheet takes for a formula: anybody who pays can write one in their name."""
    # what was kept since it is no text
    it = json_text(value) if isinstance(value, list | dict | bool) else "" if value is None else printable(value)
    return it if _NUMBER.fullmatch(it) else _FORMULA.sub(r"\g<0>'", it)


_COLUMNS: Final = {"DATE": "<10", "AMOUNT": ">14", "CUR": "<3", "STATUS": "<7", "TEXT": ""}
_BEFORE_THE_TEXT: Final = 46
# on a narrower terminal each transaction is a record
NARROWEST: Final = 80


def _table(pages: Iterable[Page]) -> Iterator[str]:
    """Lines for people, page by page. The text comes last, since it may be long; on a narrow terminal, records."""
    columns = width(sys.stdout) or LONGEST_LINE
    is_wide = columns >= NARROWEST
    before = _line([*_COLUMNS], columns) if is_wide else ""
    for page, own in pages:
        written = ""
        for each in page:
            facts = [*_facts(each, own)]
            shown = _line(facts, columns) if is_wide else records(zip(_COLUMNS, facts, strict=True), sys.stdout)
            written += before + shown
            before = "" if is_wide else "\n"
        yield written


def _facts(transaction: BookedTransaction | PendingTransaction, own: AccountReference | None) -> Iterator[str]:
    amount, currency = written(transaction.transaction_amount, views.amount(transaction))
    other = views.other_party(transaction, own=own)
    found = (other.name or other.account, views.text(transaction).value)
    yield from map(cell, (views.day(transaction).value, amount, currency, transaction.booking_status))
    yield ", ".join(filter(None, map(cell, found)))


def _line(facts: list[str], columns: int) -> str:
    """One line. Where its text is too long for the terminal, it goes on below itself, and no word is broken."""
    *padded, text = (f"{fact:{form}}" for fact, form in zip(facts, _COLUMNS.values(), strict=True))
    room = columns - _BEFORE_THE_TEXT
    pieces = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) if len(text) > room else [text]
    return "   ".join([*padded, f"\n{' ' * _BEFORE_THE_TEXT}".join(pieces)]).rstrip() + "\n"


def _reading(reports: Iterator[TransactionReport], first: date, last: date) -> Iterator[Page]:
    """The transactions of each page. On a terminal a bar shows the progress by days. Says so if there are none."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} % of the days"))
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    task = bar.add_task("Reading transactions", total=(last - first).days + 1)
    count, dates, file, errors = 0, set[date](), False, list[str]()
    while True:
        # the bar is hidden while a page is written, maybe to the same terminal
        with bar if is_interactive() else nullcontext():
            report = next(reports, None)
        if report is None:
            break
        lists = report.transactions
        page, own = cast("Page", ([*(lists.booked or []), *(lists.pending or [])] if lists else [], report.account))
        if page:
            yield page, own
        count += len(page)
        file = file or any("download" in (each.links or ()) for each in (report, lists) if each)
        errors += [each.code or "" for each in report.tpp_messages or [] if (each.category or "").upper() == "ERROR"]
        dates |= {day for each in page if (day := views.day(each).value)}
        # whether the oldest or the newest come first
        passed = (max(dates) - min(dates)).days if dates else 0
        bar.update(task, description=f"Read {count:,} transactions", completed=passed)
    if not count and file:
        raise OpenPaymentsError(
            "the bank offers a file to download instead of transactions: ask for a shorter period, or fetch the link "
            "`download` of the reports that the library's `accounts.transactions(...).pages()` gives"
        )
    if not count and errors:
        raise OpenPaymentsError(f"the bank answered with an error instead of transactions: {', '.join(errors)}")
    if not count:
        say("No transactions in that period.")
