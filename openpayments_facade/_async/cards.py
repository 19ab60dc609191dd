"""Card accounts, their balances and transactions that a consent opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api import account_information as api

from .._protocol.arguments import as_period, id_of
from .._protocol.operation import Operation
from .._protocol.pages import Pages
from .accounts import AsyncConsentService
from .service import AsyncRawService, raw
from .transactions import AsyncCardTransactions, raw_pages, read_pages

if TYPE_CHECKING:
    from openpayments_client import models

    from .._protocol.arguments import Day


class AsyncCards(AsyncConsentService):
    """`bank.cards(consent)`. Needs the API scope `accountinformation` and a valid consent.

    Every method takes a card account's `resource_id`, or the card account itself, as `account_id`. There are no details
    of a single card transaction.

    Raises:
        OpenPaymentsError: Every method can raise the errors that `AsyncAccounts` lists.
    """

    async def get(
        self, account_id: str | models.CardAccount, *, with_balance: bool | None = None
    ) -> models.CardAccount:
        """Reads one card account.

        Args:
            account_id: The card account's `resource_id`, or the card account itself.
            with_balance: Whether to include balances. Not every bank does.

        Returns:
            The card account: its masked number, currency and names, and its `balances`, if they were asked for and
            sent.

        Raises:
            NotFoundError: The consent opens no such card account.
        """
        id_ = id_of(account_id, "resource_id", "account_id")
        return await self._call(
            api.read_card_account_details, id_, consent_id=self._consent_id, with_balance=with_balance
        )

    async def balances(self, account_id: str | models.CardAccount) -> list[models.Balance]:
        """Reads the balances of a card account. `money(balance.balance_amount)` gives one as a Decimal.

        Args:
            account_id: The card account's `resource_id`, or the card account itself.

        Returns:
            All that the bank tells, as `AsyncAccounts.balances`.

        Raises:
            NotFoundError: The consent opens no such card account.
        """
        id_ = id_of(account_id, "resource_id", "account_id")
        return (await self._call(api.get_card_balances, id_, consent_id=self._consent_id)).balances

    def transactions(
        self,
        account_id: str | models.CardAccount,
        *,
        booking_status: models.BookingStatus = "booked",
        date_from: Day | None = None,
        date_to: Day | None = None,
        entry_reference_from: str | None = None,
        cursor: str | None = None,
    ) -> AsyncCardTransactions:
        """The transactions of a card account, read page by page as you iterate. Sends nothing until then.

        Debits are positive where the card account's `debit_accounting` is True.

        Args:
            account_id: The card account's `resource_id`, or the card account itself.
            booking_status: "booked", "pending" or "both". Some banks support only "booked".
            date_from: The first day, inclusive, in the forms that `AsyncAccounts.transactions` takes.
            date_to: The last day, inclusive. It may be still to come.
            entry_reference_from: Lists only what came after this entry.
            cursor: Goes on where `.cursor` of an earlier list of this card account stood, as in
                `AsyncAccounts.transactions`.

        Returns:
            What to iterate over: `BookedCardTransaction`s and `PendingCardTransaction`s, in the order of the bank's
            pages.

        Raises:
            InvalidArgumentError: The days are in the wrong order, the cursor is of another list, or another argument is
                wrong; the message names it. Whether days to come can be asked for is for the bank to say.
        """
        first, last = as_period(date_from, date_to)
        operation = Operation.at_bank(
            self._bank,
            api.get_card_transaction_list,
            id_of(account_id, "resource_id", "account_id"),
            consent_id=self._consent_id,
            booking_status=booking_status,
            date_from=first,
            date_to=last,
            entry_reference_from=entry_reference_from,
        )
        return AsyncCardTransactions(self._run, operation, cursor)

    async def list(self, *, with_balance: bool | None = None) -> list[models.CardAccount]:
        """Lists the card accounts that the consent opens. Pass one, or its `resource_id`, to the other methods.

        Args:
            with_balance: Whether to include balances. Not every bank does.

        Returns:
            The card accounts of all pages; an empty list if there are none.

        Raises:
            OpenPaymentsError: See the class.
        """
        operation = Operation.at_bank(
            self._bank, api.get_card_account_list, consent_id=self._consent_id, with_balance=with_balance
        )
        pages = read_pages(self._run, Pages(operation, at_once=True))
        return [card async for page in pages for card in page.card_accounts]


class AsyncRawCards(AsyncRawService[AsyncCards]):
    """`bank.with_raw_response.cards(consent)`: the same methods, each giving a `RawResponse`.

    `transactions(...).pages()` gives one for each page.
    """

    get = raw(AsyncCards.get)
    balances = raw(AsyncCards.balances)
    transactions = raw_pages(AsyncCards.transactions)
    list = raw(AsyncCards.list)
