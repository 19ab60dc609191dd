"""`openpayments accounts`, `balances`, `transactions`: what a consent opens."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from attrs import frozen

from .dates import read_day, today
from .output import account_number, say, show, write
from .run import BankRun, PsuContextName, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._sync.accounts import Accounts

__all__ = ["register"]

DAYS: Final = 90

AccountId = Annotated[
    str, typer.Argument(metavar="ACCOUNT_ID", help="The account's id, as `openpayments accounts` has it.")
]


class BookingStatus(StrEnum):
    """`--status`."""

    BOOKED = "booked"
    PENDING = "pending"
    BOTH = "both"


@frozen(kw_only=True)
class AccountRun(BankRun):
    """One run of a command that needs a valid consent."""

    consent: Annotated[
        str | None,
        typer.Option(
            "--consent",
            metavar="ID",
            help="A valid consent's id, as `openpayments consent create` prints it. With --simulator one is made.",
        ),
    ] = None

    @contextmanager
    def accounts(self) -> Iterator[Accounts]:
        """The accounts that the consent opens; in a simulator those of a consent that is made and approved here."""
        if self.simulator and self.consent is not None:
            raise typer.BadParameter("--simulator makes a consent of its own: leave --consent out")
        if not self.simulator and self.consent is None:
            raise typer.BadParameter(
                "--consent is missing: `openpayments consent create` makes one, and --simulator needs none"
            )
        company = "example-company" if self.simulator and self.psu_context is PsuContextName.CORPORATE else None
        user = "example-user" if self.simulator else None
        with self.at_bank(psu_id=user, psu_corporate_id=company) as (bank, simulator):
            consent_id = self.consent or ""
            if simulator is not None:
                consent_id = bank.consents.create(valid_until=today() + timedelta(days=DAYS)).consent_id
                simulator.approve(consent_id)
            yield bank.accounts(consent_id)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for function in (accounts, balances, transactions):
        command(app)(function)


def accounts(
    run: AccountRun,
    with_balance: Annotated[bool, typer.Option("--with-balance", help="Ask for balances, too.")] = False,
) -> None:
    """List the accounts that a consent opens."""
    with run.accounts() as opened:
        found = opened.list(with_balance=with_balance or None)
    columns: dict[str, Any] = {
        "ACCOUNT ID": "resource_id",
        "NUMBER": account_number,
        "NAME": lambda account: account.name or account.product,
        "CURRENCY": "currency",
    }
    if with_balance:
        columns["BALANCES"] = lambda account: ", ".join(
            f"{each.balance_type} {each.balance_amount.amount}" for each in account.balances or []
        )
    show(found, columns, as_json=run.as_json, nothing="The consent opens no account.")


def balances(run: AccountRun, account_id: AccountId) -> None:
    """Show the balances of an account."""
    with run.accounts() as opened:
        found = opened.balances(account_id)
    columns: dict[str, Any] = {
        "BALANCE": "balance_type",
        "AMOUNT": lambda balance: balance.balance_amount.amount,
        "CURRENCY": lambda balance: balance.balance_amount.currency,
        "DAY": "reference_date",
    }
    show(found, columns, as_json=run.as_json, nothing="The bank gives no balances.")


def transactions(
    run: AccountRun,
    account_id: AccountId,
    date_from: Annotated[
        date | None,
        typer.Option("--from", parser=read_day, metavar="DATE", help=f"The first day; {DAYS} days ago if left out."),
    ] = None,
    date_to: Annotated[
        date | None, typer.Option("--to", parser=read_day, metavar="DATE", help="The last day; today if left out.")
    ] = None,
    status: Annotated[
        BookingStatus, typer.Option(help="Which ones; banks need not have more than booked ones.")
    ] = BookingStatus.BOOKED,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a heading.")] = False,
) -> None:
    """List the transactions of an account.

    They are printed as they are read, page by page; signs are the bank's. With --json it is one list, with a
    transaction a line and its bookingStatus.
    """
    if run.as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    from .._protocol.pages import listed
    from .transactions import Csv, Json, Table, reading

    first = date_from or today() - timedelta(days=DAYS)
    form = Json() if run.as_json else Csv(account_id) if as_csv else Table()
    found = False
    with run.accounts() as opened:
        pages = opened.transactions(account_id, booking_status=status.value, date_from=first, date_to=date_to).pages()
        for page in reading(pages, first, date_to or today()):
            transactions = list(listed(page))
            write(form.text(transactions))
            found = found or bool(transactions)
        write(form.end())
    if not found:
        say("No transactions then.")
