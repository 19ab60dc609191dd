# Written by `make unasync` from openpayments_facade/_async/accounts.py; do not edit.
"""Accounts, balances and transactions that a consent opens (facts 40-account-information)."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from openpayments_client.api.account_information import (
    get_account_list,
    get_balances,
    get_transaction_details,
    get_transaction_list,
    read_account_details,
)

from .._protocol.arguments import read_choice, read_flag, read_id, read_period, read_text, read_transaction_id
from .._protocol.operation import Operation
from ..errors import AccessExceededError, InvalidArgumentError
from .service import RawService, Service, raw
from .transactions import RawTransactions, Transactions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from dateutil.relativedelta import relativedelta
    from openpayments_client.models import Account, Balance, BookingStatus, Transaction, TransactionReport

    from .._protocol.answer import RawResponse
    from .._protocol.binding import BankBinding
    from .service import Runner
    from .session import Session

P = ParamSpec("P")
T = TypeVar("T")


class Accounts(Service):
    """`bank.accounts(consent_id)`. Needs the API scope `accountinformation`, and a valid consent.

    `account_id` is an account's `resource_id`, or the account itself.

    Every method raises ConsentInvalidError, ConsentExpiredError or ScaRequiredError when the user has to do something,
    AccessExceededError when the accesses of a day without the user are used up (with a Retry-After it is remembered for
    that operation and account, and a repetition refused without asking), and otherwise APIError,
    ConnectionFailedError, TimedOutError and UnreadableResponseError.
    """

    def __init__(
        self,
        runner: Runner,
        session: Session,
        bank: BankBinding,
        consent_id: str,
    ) -> None:
        super().__init__(runner)
        self._api_url = session.settings.environment.api_url
        self._exceeded = session.exceeded
        self._bank = bank
        self._consent_id = read_id(consent_id, "consent_id")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of consent {self._consent_id!r} at {self._bank.bic_fi}>"

    def get(self, account_id: str | Account, *, with_balance: bool | None = None) -> Account:
        """One account by its `resource_id`, with its balances if asked for and the bank gives them here."""
        id_ = _read_account_id(account_id)
        operation = Operation.of(
            read_account_details,
            id_,
            consent_id=self._consent_id,
            x_bic_fi=self._bank.bic_fi,
            with_balance=None if with_balance is None else read_flag(with_balance, "with_balance"),
        )
        return (self._run_raw(operation.unwrapping("account"), id_)).parsed

    def balances(self, account_id: str | Account) -> list[Balance]:
        """The balances of an account; `money(balance.balance_amount)` reads one."""
        id_ = _read_account_id(account_id)
        operation = Operation.of(get_balances, id_, consent_id=self._consent_id, x_bic_fi=self._bank.bic_fi)
        return self._run_raw(operation, id_).parsed.balances

    def transaction(self, account_id: str | Account, *, transaction_id: str | Transaction) -> Transaction:
        """One transaction with its details, by the `transaction_id` of the list, or the listed transaction itself.

        Few banks support it (facts 40, 7), and some give no ids: InvalidArgumentError then.
        """
        id_ = _read_account_id(account_id)
        operation = Operation.of(
            get_transaction_details,
            id_,
            _read_transaction_id(transaction_id),
            consent_id=self._consent_id,
            x_bic_fi=self._bank.bic_fi,
        )
        return (self._run_raw(operation.unwrapping("transactionsDetails"), id_)).parsed

    def transactions(
        self,
        account_id: str | Account,
        *,
        booking_status: BookingStatus = "booked",
        date_from: date | relativedelta | None = None,
        date_to: date | relativedelta | None = None,
        entry_reference_from: str | None = None,
        delta_list: bool | None = None,
        with_balance: bool | None = None,
    ) -> Transactions:
        """The transactions of an account, read page by page while you iterate. Sends nothing yet.

            for transaction in accounts.transactions(account, date_from=relativedelta(months=-13)):
                print(transaction.booking_date, money(transaction.transaction_amount))

        Both days are inclusive; a relativedelta counts from today. `date_from` is needed unless a delta is asked for
        with `entry_reference_from` or `delta_list`. `booking_status` is "booked", "pending" or "both"; banks need not
        support more than "booked". Raises InvalidArgumentError, which names the argument.
        """
        days = read_period(date_from, date_to)
        if days[0] is None and entry_reference_from is None and not delta_list:
            raise InvalidArgumentError(
                "date_from is needed, unless entry_reference_from or delta_list asks for a delta", argument="date_from"
            )
        read_choice(booking_status, "booking_status", ("booked", "pending", "both"))
        id_ = _read_account_id(account_id)
        operation = Operation.of(
            get_transaction_list,
            id_,
            consent_id=self._consent_id,
            x_bic_fi=self._bank.bic_fi,
            booking_status=booking_status,
            date_from=days[0],
            date_to=days[1],
            entry_reference_from=(
                None if entry_reference_from is None else read_text(entry_reference_from, "entry_reference_from")
            ),
            delta_list=None if delta_list is None else read_flag(delta_list, "delta_list"),
            with_balance=None if with_balance is None else read_flag(with_balance, "with_balance"),
        )

        def send(page: Operation[TransactionReport]) -> RawResponse[TransactionReport]:
            return self._run_raw(page, id_)

        return Transactions(send, operation, self._api_url)

    def list(self, *, with_balance: bool | None = None) -> list[Account]:
        """The accounts that the consent opens; `resource_id` is what the other methods take as `account_id`."""
        operation = Operation.of(
            get_account_list,
            consent_id=self._consent_id,
            x_bic_fi=self._bank.bic_fi,
            with_balance=None if with_balance is None else read_flag(with_balance, "with_balance"),
        )
        return self._run_raw(operation).parsed.accounts

    def _run_raw(self, operation: Operation[T], account_id: str = "") -> RawResponse[T]:
        # a bank counts each operation, and each account, for itself
        key = (self._consent_id, f"{operation.name} {account_id}")
        attended = self._bank.psu.is_attended
        remembered = None if attended else self._exceeded.get(key)
        if remembered is not None:
            until, known = remembered
            left = until - time.monotonic()
            if left > 0:
                error = copy.copy(known)
                error.retry_after = left
                error.args = (f"{known.args[0]}, known from an earlier call: not sent for another {left:.0f} s",)
                raise error
            self._exceeded.pop(key, None)
        try:
            return self._runner.run_raw(operation.with_headers(self._bank.headers()))
        except AccessExceededError as error:
            if not attended and error.retry_after:
                slim = copy.copy(error)
                slim.body, slim.headers = "", {}
                now = time.monotonic()
                for old, (until, _) in [*self._exceeded.items()]:
                    if until <= now:
                        self._exceeded.pop(old, None)
                self._exceeded[key] = (now + error.retry_after, slim)
            raise


def _read_account_id(account_id: object) -> str:
    return read_id(getattr(account_id, "resource_id", account_id), "account_id")


def _read_transaction_id(transaction_id: object) -> str:
    id_ = getattr(transaction_id, "transaction_id", transaction_id)
    if id_ is None and id_ is not transaction_id:
        raise InvalidArgumentError(
            "transaction_id: the bank gave this transaction none, so there are no details to ask for",
            argument="transaction_id",
        )
    return read_transaction_id(id_)


def _raw_pages(
    method: Callable[Concatenate[Accounts, P], Transactions],
) -> Callable[Concatenate[RawAccounts, P], RawTransactions]:
    def transactions(self: RawAccounts, /, *args: P.args, **kwargs: P.kwargs) -> RawTransactions:
        return RawTransactions(method(self._plain, *args, **kwargs))

    transactions.__doc__ = method.__doc__
    return transactions


class RawAccounts(RawService[Accounts]):
    """`bank.with_raw_response.accounts(consent_id)`; pages of transactions come from `transactions(...).pages()`."""

    _service = Accounts
    get = raw(Accounts.get)
    balances = raw(Accounts.balances)
    transaction = raw(Accounts.transaction)
    transactions = _raw_pages(Accounts.transactions)
    list = raw(Accounts.list)
