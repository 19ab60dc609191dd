"""`openpayments accounts` and `balances`: what a consent gives access to."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from .. import views
from .._attrs import frozen
from .again import again
from .output import show
from .run import BankRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .. import Accounts, Balance
    from ..models import MonetaryAmount

__all__ = ["DAYS", "AccountId", "AccountRun", "accounts", "balances", "written"]

DAYS: Final = 90

AccountId = Annotated[
    str, typer.Argument(metavar="ACCOUNT_ID", help="The account's id; the command accounts lists them.")
]


@frozen(kw_only=True)
class AccountRun(BankRun):
    """One run of a command that needs a valid consent."""

    consent: Annotated[
        str | None,
        typer.Option(
            "--consent",
            metavar="ID",
            help="The id of a valid consent; the command consent create makes one. --simulator makes its own.",
        ),
    ] = None

    @contextmanager
    def accounts(self) -> Iterator[Accounts]:
        """The accounts that the consent opens. With a simulator, the consent is created and approved here."""
        if self.simulator and self.consent is not None:
            raise typer.BadParameter("--simulator makes its own consent: leave out --consent")
        if not self.simulator and self.consent is None:
            raise typer.BadParameter(
                f"--consent is missing: {again('consent create')} makes one, and --simulator needs none"
            )
        with self.at_bank() as (bank, simulator):
            consent_id = self.consent or ""
            if simulator is not None:
                consent_id = bank.consents.create(valid_until=timedelta(days=DAYS)).consent_id
                simulator.approve(consent_id)
            yield bank.accounts(consent_id)


def accounts(
    run: AccountRun,
    with_balance: Annotated[
        bool, typer.Option("--with-balance", help="Include what is booked and what is available.")
    ] = False,
) -> None:
    """List the accounts that a consent gives access to.

    \b
      openpayments accounts --bank ESSESESS --simulator
      openpayments accounts --bank ESSESESS --consent $CONSENT --with-balance
    """
    with run.accounts() as opened:
        found = opened.list(with_balance=with_balance or None)
    columns: dict[str, Any] = {
        "ACCOUNT ID": "resource_id",
        "NUMBER": views.account_number,
        "NAME": lambda account: account.name or account.product,
        "CURRENCY": "currency",
    }
    if with_balance:
        columns["BOOKED"] = lambda account: _cell(views.booked_balance(account.balances))
        columns["AVAILABLE"] = lambda account: _cell(views.available_balance(account.balances))
    show(found, columns, as_json=run.as_json, nothing="The consent gives access to no accounts.")


def balances(run: AccountRun, account_id: AccountId) -> None:
    """Show the balances of an account.

    \b
      openpayments balances $ACCOUNT --bank ESSESESS --consent $CONSENT
    """
    with run.accounts() as opened:
        found = opened.balances(account_id)
    columns: dict[str, Any] = {
        "BALANCE": "balance_type",
        "AMOUNT": lambda balance: _amount(balance)[0],
        "CURRENCY": lambda balance: _amount(balance)[1],
        "DATE": "reference_date",
    }
    show(found, columns, as_json=run.as_json, nothing="The bank returned no balances.")


def written(sent: MonetaryAmount, read: views.Amount) -> tuple[str | None, str | None]:
    """An amount and its currency: as the bank wrote them, else as they can be read, else None."""
    number = None if read.value is None else f"{read.value:f}"
    return number if sent.amount is None else sent.amount, sent.currency or read.currency


def _amount(balance: Balance) -> tuple[str | None, str | None]:
    return written(balance.balance_amount, views.balance_amount(balance))


def _cell(balance: Balance | None) -> str | None:
    return f"{_amount(balance)[0]} ({balance.balance_type})" if balance else None
