"""Card accounts, their balances and transactions, with a valid consent (the provider's description of 2026).

The rules of 2021 have none of them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .authorisations import links
from .bank_call import BankCall, bank_operation
from .consent import CARD_ACCOUNTS
from .operation import Answer
from .reading import OF_TRANSACTIONS, Opened, count_access, listed, open_books, open_one, read_page, valid_consent

if TYPE_CHECKING:
    from starlette.routing import Route

    from ..state import Provider
    from ..state.cards import CardAccount
    from ..state.consents import Consent

__all__ = ["card_account_routes"]

_CARD = f"{CARD_ACCOUNTS}/{{account_id}}"


def card_account_routes(provider: Provider) -> list[Route]:
    if not provider.of_2026:
        return []
    on = partial(bank_operation, provider, api_scopes=["accountinformation"], headers=["Consent-ID"])
    return [
        on("getCardAccountList", "GET", CARD_ACCOUNTS, _list, query=["withBalance"]),
        on("readCardAccountDetails", "GET", _CARD, _get, query=["withBalance"]),
        on("getCardBalances", "GET", f"{_CARD}/balances", _get_balances),
        on("getCardTransactionList", "GET", f"{_CARD}/transactions", _list_transactions, query=OF_TRANSACTIONS),
    ]


def _list(call: BankCall) -> Answer:
    consent = valid_consent(call)
    with_balance = call.flag("withBalance")
    count_access(call, consent, "getCardAccountList")
    opened = open_books(consent, _cards(call, consent), CARD_ACCOUNTS).values()
    return listed(call, "cardAccounts", [one.describe(call, with_balance=with_balance) for one in opened])


def _get(call: BankCall) -> Answer:
    consent = valid_consent(call)
    with_balance = call.flag("withBalance")
    opened = _open(call, consent)
    count_access(call, consent, "readCardAccountDetails", opened.book)
    return Answer(opened.describe(call, with_balance=with_balance))


def _get_balances(call: BankCall) -> Answer:
    consent = valid_consent(call)
    opened = _open(call, consent, kind="balances")
    count_access(call, consent, "getCardBalances", opened.book)
    return Answer({"cardAccount": opened.book.reference(), "balances": opened.balances(call)})


def _list_transactions(call: BankCall) -> Answer:
    consent = valid_consent(call)
    opened = _open(call, consent, kind="transactions")
    page = read_page(call, consent, "getCardTransactionList", opened)
    if page.is_empty:
        return Answer(status=204)
    entries = page.describe(partial(call.provider.ledger.entry, opened.book))
    hrefs = {"cardAccount": opened.path, **page.hrefs}
    return Answer(
        {
            "cardAccount": opened.book.reference(),
            # required, even by a call for the pending ones
            "cardTransactions": {"booked": [], **entries, "_links": links(**hrefs)},
        }
    )


def _cards(call: BankCall, consent: Consent) -> list[CardAccount]:
    return call.provider.ledger.cards(call.bank, consent.context, consent.psu_id)


def _open(call: BankCall, consent: Consent, *, kind: str = "accounts") -> Opened[CardAccount]:
    return open_one(call, consent, _cards(call, consent), CARD_ACCOUNTS, kind=kind)
