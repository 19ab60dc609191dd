"""The nightly job: what is new in every connected account, while no user is there.

    python -m examples.bank_journey.nightly --database bank_journey.db

Each consent has so many accesses a day without the user, and may have ended meanwhile. What goes wrong with one is a
sentence and a mark that the web page shows, and never stops the others. The exit code is 0 if all were read, 3 as long
as a user has to connect again, and 1 if anything else went wrong. The credentials come from the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openpayments_facade import (
    Account,
    ApiScope,
    AsyncOpenPayments,
    BookedTransaction,
    ConfigurationError,
    OpenPaymentsError,
    PendingTransaction,
    Psu,
    views,
)

from .journey import prefers_redirect
from .pages.accounts import mark, opened_by
from .reading import HISTORY
from .sentences import CONNECT, say
from .store import Connection, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade import AsyncAccounts

    from .sentences import Sentence

log = logging.getLogger(__name__)
AT_ONCE = 5
"""The connections that are read at the same time: the provider limits how fast requests may come."""

Transaction = BookedTransaction | PendingTransaction


@dataclass
class Report:
    """What the job has to tell about one connection."""

    connection: Connection
    accounts: int = 0
    changes: Counter[str] = field(default_factory=Counter[str])
    problem: Sentence | None = None

    def __str__(self) -> str:
        who = f"{self.connection.bank_name} of {self.connection.user_id}"
        if self.problem:
            return f"{who}: {self.problem.title}. {self.problem.advice} (reference {self.problem.reference})"
        changes = ", ".join(f"{count} {kind}" for kind, count in sorted(self.changes.items()) if kind != "same")
        return f"{who}: {_several(self.accounts, 'account')}, {changes or 'nothing new'}"


async def run(op: AsyncOpenPayments, store: Store) -> list[Report]:
    """Reads all connections that are valid."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(connection: Connection) -> Report:
        async with limit:
            return await read_connection(op, store, connection)

    return await asyncio.gather(*(one(each) for each in store.all(Connection, status="valid")))


async def read_connection(op: AsyncOpenPayments, store: Store, connection: Connection) -> Report:
    """Reads the accounts of one connection, and saves what is new, and how it went."""
    report = Report(connection)
    # neither address nor browser: nobody is there, and the bank may know that
    nobody = Psu(id=connection.user_id)
    bank = op.at_bank(connection.bic_fi, nobody, redirect_preferred=prefers_redirect(connection.way))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        opened = opened_by(bank, connection)
        for account in await opened.list():
            report.changes += await _read_account(store, connection, opened, account)
            report.accounts += 1
    except Exception as error:  # whatever it is, the others go on
        if not isinstance(error, OpenPaymentsError):
            log.exception("%s", connection.id)
        report.problem = say(error, connection.bank_name)
        # what was read before stays: the next night goes on from there
        note = f"The last nightly reading stopped: {report.problem.title}. {report.problem.advice}"
        if report.problem.details:
            note += f" The bank says: {report.problem.details}"
        done: dict[str, str | None] = {"note": note, "noted_at": now}
        met: Exception | None = error
    else:
        done, met = {"note": None, "noted_at": now, "read_at": now}, None
    try:
        await mark(bank, store, connection, met)
        if not store.change_if(connection, {"status": ("valid", "expired")}, **done):
            report.problem = None  # it was disconnected meanwhile
    except sqlite3.Error as error:
        log.exception("%s", connection.id)
        report.problem = report.problem or say(error, connection.bank_name)
    return report


async def _read_account(store: Store, connection: Connection, opened: AsyncAccounts, account: Account) -> Counter[str]:
    """Tells a fresh reading from the one before, and puts it in its place."""
    name = account.resource_id or ""
    listed = opened.transactions(account, booking_status="both", date_from=-HISTORY)
    fresh = [transaction async for transaction in listed]
    first = (datetime.now(UTC).date() - HISTORY).isoformat()
    with store.saving(connection) as now:
        if now is None:  # disconnected meanwhile
            return Counter()
        # read in the transaction that saves: of two jobs at once one finds what the other has found
        past, known = list[Transaction](), list[Transaction]()
        for each in _saved(store, connection.id, name):
            # those from before the period are not missing, only past
            (past if (_day(each) or first) < first else known).append(each)
        found = views.reconcile(known, fresh)
        # what the bank lists twice is kept once, and what it leaves out is no reason to forget it
        kept = [*past, *(each.known for each in found if each.kind == "missing" and each.known is not None)]
        kept += [each.fresh for each in found if each.fresh is not None and each.kind != "repeated"]
        store.keep_transactions(
            connection.id,
            name,
            [
                (key, each.booking_status == "booked", _day(each), each.to_dict())
                for key, each in zip(views.keys(kept), kept, strict=True)
            ],
        )
    return Counter(each.kind for each in found if each.kind != "repeated")


def _saved(store: Store, connection: str, account: str) -> Iterator[Transaction]:
    """What the readings before have found."""
    for row in store.known_transactions(connection, account):
        kind = BookedTransaction if row["booked"] else PendingTransaction
        yield kind.from_dict(row["data"])


def _day(transaction: Transaction) -> str | None:
    day = views.day(transaction).value
    return day.isoformat() if day else None


async def read_all(op: AsyncOpenPayments, store: Store) -> int:
    """Reads everything, prints a line for each connection and a summary, and returns the exit code."""
    async with op:
        reports = await run(op, store)
    for report in reports:
        # texts of banks, without what controls a terminal
        text = "".join(letter if letter.isprintable() else " " for letter in str(report))
        print(text, file=sys.stderr if report.problem else sys.stdout)
    problems = [report.problem for report in reports if report.problem]
    new = sum(report.changes["new"] for report in reports)
    print(
        f"{_several(len(reports), 'connection')}, {_several(len(problems), 'problem')}, "
        f"{_several(new, 'new transaction')}."
    )
    # those that ended in nights before as well, which are not read any more
    waiting = {each.id for each in store.all(Connection, status="expired")}
    waiting |= {each.connection.id for each in reports if each.problem and each.problem.helps == CONNECT}
    if waiting:
        print(f"{_several(len(waiting), 'connection')} to be made again by the user.")
    if any(problem.helps != CONNECT for problem in problems):
        return 1
    return 3 if waiting else 0


def _several(count: int, noun: str) -> str:
    """2 and "account" as "2 accounts"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def main() -> int:
    """Runs the job once. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.bank_journey.nightly", description="Reads what is new in all connected accounts."
    )
    parser.add_argument("--database", metavar="PATH", default="bank_journey.db", help="default: %(default)s")
    database = parser.parse_args().database
    logging.basicConfig(level=logging.ERROR)  # what went wrong is told below, in sentences
    os.umask(0o077)
    if not Path(database).is_file():
        print(f"There is no database {database}: the web application makes it.", file=sys.stderr)
        return 2
    try:
        op = AsyncOpenPayments.from_env(api_scopes=[ApiScope.ACCOUNT_INFORMATION])
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with closing(Store(database)) as store:
            return asyncio.run(read_all(op, store))
    except sqlite3.Error as error:
        print(f"The database {database} can't be used: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
