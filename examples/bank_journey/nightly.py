"""The nightly job: what is new in every connected account, while no user is there.

    python -m examples.bank_journey.nightly --database bank_journey.db

Each consent has so many accesses a day without the user, and may have ended meanwhile. What goes wrong with one is a
sentence and a mark that the web page shows, and never stops the others. The exit code is 0 if all were read, 3 if a
user has to connect again, and 1 if anything else went wrong. The credentials come from the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections import Counter
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
    ConsentError,
    OpenPaymentsError,
    PendingTransaction,
    Psu,
    views,
)

from .journey import prefers_redirect
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
        return f"{who}: {self.accounts} accounts, {changes or 'nothing new'}"


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
        authorisation = bank.consents.resume(connection.saved or {})
        opened = authorisation.bank.accounts(authorisation.consent_id)
        for account in await opened.list():
            report.changes += await _read_account(store, connection, opened, account)
            report.accounts += 1
    except Exception as error:  # whatever it is, the others go on
        if not isinstance(error, OpenPaymentsError):
            log.exception("%s", report.connection.id)
        report.problem = say(error, connection.bank_name)
        status = "expired" if isinstance(error, ConsentError) else connection.status
        # what was read before stays: the next night goes on from there
        note = f"The last nightly reading stopped: {report.problem.title}. {report.problem.advice}"
        if report.problem.details:
            note += f" The bank says: {report.problem.details}"
        store.change(connection, status=status, note=note, noted_at=now)
    else:
        store.change(connection, note=None, noted_at=now, read_at=now)
    return report


async def _read_account(store: Store, connection: Connection, opened: AsyncAccounts, account: Account) -> Counter[str]:
    """Tells a fresh reading from the one before, and puts it in its place."""
    name = account.resource_id or ""
    listed = opened.transactions(account, booking_status="both", date_from=-HISTORY)
    fresh = [transaction async for transaction in listed]
    first = (datetime.now(UTC).date() - HISTORY).isoformat()
    known = [*_saved(store, connection.id, name, since=first)]
    found = views.reconcile(known, fresh)
    # what the bank lists twice is kept once
    kept = [each.fresh for each in found if each.fresh is not None and each.kind != "repeated"]
    store.keep_transactions(
        connection.id,
        name,
        [
            (key, each.booking_status == "booked", _day(each), each.to_dict())
            for key, each in zip(views.keys(kept), kept, strict=True)
        ],
    )
    return Counter(each.kind for each in found if each.kind != "repeated")


def _saved(store: Store, connection: str, account: str, *, since: str) -> Iterator[Transaction]:
    """The last reading, as far as this one goes back: older ones are not missing, only past."""
    for row in store.known_transactions(connection, account):
        kind = BookedTransaction if row["booked"] else PendingTransaction
        transaction = kind.from_dict(row["data"])
        day = _day(transaction)
        if day is None or day >= since:
            yield transaction


def _day(transaction: Transaction) -> str | None:
    day = views.day(transaction).value
    return day.isoformat() if day else None


async def read_all(op: AsyncOpenPayments, store: Store) -> int:
    """Reads everything, prints a line for each connection and a summary, and returns the exit code."""
    async with op:
        reports = await run(op, store)
    for report in reports:
        print(report, file=sys.stderr if report.problem else sys.stdout)
    problems = [report.problem for report in reports if report.problem]
    new = sum(report.changes["new"] for report in reports)
    print(f"{len(reports)} connections, {len(problems)} with problems, {new} new transactions.")
    if not problems:
        return 0
    return 3 if all(problem.helps == CONNECT for problem in problems) else 1


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
    store = Store(database)
    try:
        return asyncio.run(read_all(op, store))
    except KeyboardInterrupt:
        return 130
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
