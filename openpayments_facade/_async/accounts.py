"""Accounts, balances and transactions that a consent opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from openpayments_client.api import account_information as api
from openpayments_client.operations import OPERATIONS

from .._checks import check
from .._protocol.arguments import as_period, id_of
from .._protocol.operation import Operation
from .._protocol.pages import Pages
from .._redaction import careful
from .service import AsyncBankService, AsyncRawService, raw
from .transactions import AsyncTransactions, raw_pages, read_pages

if TYPE_CHECKING:
    from openpayments_client import models

    from .._protocol.answer import RawResponse
    from .._protocol.arguments import AnyConsent, Day
    from .._protocol.binding import BankBinding
    from .sender import AsyncSender

T = TypeVar("T")


class AsyncConsentService(AsyncBankService):
    """Base of the services that a consent opens."""

    def __init__(self, sender: AsyncSender, bank: BankBinding, consent: AnyConsent) -> None:
        super().__init__(sender, bank)
        self._consent_id: str = id_of(consent, "consent_id")
        check(OPERATIONS["get_account_list"].arguments["consent_id"], self._consent_id, "consent_id")

    @careful
    def __repr__(self) -> str:
        return f"<{type(self).__name__} of consent {self._consent_id!r} at {self._bank.bic_fi}>"

    async def _run(self, operation: Operation[T]) -> RawResponse[T]:
        if self._bank.psu.is_attended:
            return await super()._run(operation)
        with self._sender.session.quota.watching(operation, self._consent_id):
            return await super()._run(operation)


class AsyncAccounts(AsyncConsentService):
    """`bank.accounts(consent)`. Needs the API scope `accountinformation` and a valid consent.

    Every method takes an account's `resource_id`, or the account itself, as `account_id`. Every method can raise the
    errors below.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        ConsentInvalidError, ConsentExpiredError, ScaRequiredError: The user has to give a new consent or authorise
            again.
        AccessExceededError: The day's accesses without the user are used up. If the bank says for how long
            (Retry-After), the same call for the same account is refused until then without asking the bank.
        APIError: The API answered with another error.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
    """

    async def get(self, account_id: str | models.Account, *, with_balance: bool | None = None) -> models.Account:
        """Reads one account.

        Args:
            account_id: The account's `resource_id`, or the account itself.
            with_balance: Whether to include balances. Not every bank does.

        Returns:
            The account: its numbers, currency and names, and its `balances`, if they were asked for and sent.

        Raises:
            NotFoundError: The consent opens no such account.
        """
        id_ = id_of(account_id, "resource_id", "account_id")
        return await self._call(api.read_account_details, id_, consent_id=self._consent_id, with_balance=with_balance)

    async def balances(self, account_id: str | models.Account) -> list[models.Balance]:
        """Reads the balances of an account. `money(balance.balance_amount)` gives one as a Decimal.

        Args:
            account_id: The account's `resource_id`, or the account itself.

        Returns:
            All that the bank tells, each with its `balance_type`; `views.booked_balance` and `views.available_balance`
            choose one.

        Raises:
            NotFoundError: The consent opens no such account.
        """
        id_ = id_of(account_id, "resource_id", "account_id")
        return (await self._call(api.get_balances, id_, consent_id=self._consent_id)).balances

    async def transaction(
        self, account_id: str | models.Account, *, transaction_id: str | models.Transaction
    ) -> models.Transaction:
        """Reads one transaction with its details. Few banks support it (the provider's guide of 2021).

        Args:
            account_id: The account's `resource_id`, or the account itself.
            transaction_id: The transaction's `transaction_id`, or a transaction from the list.

        Returns:
            The transaction. Whether it is booked is not said in this answer.

        Raises:
            InvalidArgumentError: The id is malformed.
            UnreadableResponseError: The bank gave the listed transaction no usable id; nothing was sent.
            NotFoundError: There is no such account or transaction.
        """
        ids = id_of(account_id, "resource_id", "account_id"), id_of(transaction_id, "transaction_id")
        return await self._call(api.get_transaction_details, *ids, consent_id=self._consent_id)

    def transactions(
        self,
        account_id: str | models.Account,
        *,
        booking_status: models.BookingStatus = "booked",
        date_from: Day | None = None,
        date_to: Day | None = None,
        entry_reference_from: str | models.Transaction | None = None,
        delta_list: bool | None = None,
        with_balance: bool | None = None,
        cursor: str | None = None,
    ) -> AsyncTransactions:
        """The transactions of an account, read page by page as you iterate. Sends nothing until then.

            async for transaction in accounts.transactions(account, date_from=relativedelta(months=-13)):
                print(transaction.booking_date, money(transaction.transaction_amount))

        Args:
            account_id: The account's `resource_id`, or the account itself.
            booking_status: "booked", "pending" or "both". Some banks support only "booked".
            date_from: The first day, inclusive: a date, an ISO date such as "2026-01-31", or a timedelta or
                relativedelta from today (UTC). By default the bank decides; `account_information` of the bank's
                details says how far back it goes.
            date_to: The last day, inclusive, in the same forms. By default there is no end. It may be still to come.
            entry_reference_from: Lists only what came after this transaction, or the one with this `entry_reference`.
            delta_list: Lists only what is new since the list was last read. Only in the provider's guide of 2021.
            with_balance: Whether to include balances in the pages. Only in the provider's guide of 2021.
            cursor: Goes on where `.cursor` of an earlier list of this account stood, with what that one was asked for.
                The other filters may be given again, and have no effect.

        Returns:
            What to iterate over: `BookedTransaction`s and `PendingTransaction`s, in the order of the bank's pages.

        Raises:
            InvalidArgumentError: The days are in the wrong order, the cursor is of another list, or another argument is
                wrong; the message names it. Whether days to come can be asked for is for the bank to say.
        """
        first, last = as_period(date_from, date_to)
        operation = Operation.at_bank(
            self._bank,
            api.get_transaction_list,
            id_of(account_id, "resource_id", "account_id"),
            consent_id=self._consent_id,
            booking_status=booking_status,
            date_from=first,
            date_to=last,
            entry_reference_from=id_of(entry_reference_from, "entry_reference", "entry_reference_from"),
            delta_list=delta_list,
            with_balance=with_balance,
        )
        return AsyncTransactions(self._run, operation, cursor)

    async def list(self, *, with_balance: bool | None = None) -> list[models.Account]:
        """Lists the accounts that the consent opens. Pass one, or its `resource_id`, to the other methods.

        Args:
            with_balance: Whether to include balances. Not every bank does.

        Returns:
            The accounts of all pages; an empty list if there are none.

        Raises:
            OpenPaymentsError: See the class.
        """
        operation = Operation.at_bank(
            self._bank, api.get_account_list, consent_id=self._consent_id, with_balance=with_balance
        )
        pages = read_pages(self._run, Pages(operation, at_once=True))
        return [account async for page in pages for account in page.accounts]


class AsyncRawAccounts(AsyncRawService[AsyncAccounts]):
    """`bank.with_raw_response.accounts(consent)`: the same methods, each giving a `RawResponse`.

    `transactions(...).pages()` gives one for each page.
    """

    get = raw(AsyncAccounts.get)
    balances = raw(AsyncAccounts.balances)
    transaction = raw(AsyncAccounts.transaction)
    transactions = raw_pages(AsyncAccounts.transactions)
    list = raw(AsyncAccounts.list)
