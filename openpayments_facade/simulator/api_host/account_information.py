"""Account Information: accounts, balances and transactions, with a valid consent.

From the provider's guide of 2021; what the rules of 2026 change is from the provider's description of 2026.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .authorisations import links
from .bank_call import BankCall, bank_operation
from .consent import ACCOUNTS
from .errors import ApiError
from .operation import Answer
from .reading import OF_TRANSACTIONS, Opened, count_access, listed, open_books, open_one, read_page, valid_consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import Route

    from ..state import Provider
    from ..state.accounts import Account
    from ..state.consents import Consent

__all__ = ["account_information_routes"]

_OF_TRANSACTIONS_IN_2021: Final = (
    "bookingStatus",
    "withBalance",
    "dateFrom",
    "dateTo",
    "entryReferenceFrom",
    "deltaList",
)
_ACCOUNT = f"{ACCOUNTS}/{{account_id}}"
_TRANSACTIONS = f"{_ACCOUNT}/transactions"


def account_information_routes(provider: Provider) -> list[Route]:
    on = partial(
        bank_operation,
        provider,
        api_scopes=["accountinformation"],
        headers=["Consent-ID", "X-ISO-Fallback-Enabled"],
    )
    of_transactions = OF_TRANSACTIONS if provider.of_2026 else _OF_TRANSACTIONS_IN_2021
    return [
        on("getAccountList", "GET", ACCOUNTS, _list, query=["withBalance"]),
        on("readAccountDetails", "GET", _ACCOUNT, _get, query=["withBalance"]),
        on("getBalances", "GET", f"{_ACCOUNT}/balances", _get_balances),
        on("getTransactionList", "GET", _TRANSACTIONS, _list_transactions, query=of_transactions),
        on("getTransactionDetails", "GET", f"{_TRANSACTIONS}/{{transactionId}}", _get_transaction),
    ]


def _list(call: BankCall) -> Answer:
    consent = valid_consent(call, falls_back=True)
    with_balance = call.flag("withBalance")
    count_access(call, consent, "getAccountList")
    opened = open_books(consent, _accounts(call, consent), ACCOUNTS).values()
    return listed(call, "accounts", [one.describe(call, with_balance=with_balance) for one in opened])


def _get(call: BankCall) -> Answer:
    consent = valid_consent(call, falls_back=True)
    with_balance = call.flag("withBalance")
    opened = _open(call, consent)
    count_access(call, consent, "readAccountDetails", opened.book)
    return Answer(opened.describe(call, with_balance=with_balance))


def _get_balances(call: BankCall) -> Answer:
    consent = valid_consent(call, falls_back=True)
    opened = _open(call, consent, kind="balances")
    count_access(call, consent, "getBalances", opened.book)
    return Answer({"account": opened.book.reference(), "balances": opened.balances(call)})


def _list_transactions(call: BankCall) -> Answer:
    consent = valid_consent(call, falls_back=True)
    # the provider's description of 2026 has it for accounts alone
    with_balance = not call.provider.of_2026 and call.flag("withBalance")
    opened = _open(call, consent, kind="transactions")
    page = read_page(call, consent, "getTransactionList", opened)
    if page.is_empty and call.provider.of_2026:
        return Answer(status=204)
    entries = page.describe(partial(_describe_booked, call, opened))
    report: dict[str, Any] = {
        "account": opened.book.reference(),
        "transactions": entries
        | _bankgiro(call, opened, page.booked)
        | {"_links": links(account=opened.path, **page.hrefs)},
    }
    if not call.provider.of_2026:
        report["balances"] = opened.balances(call) if with_balance else []
    return Answer(report)


def _get_transaction(call: BankCall) -> Answer:
    consent = valid_consent(call, falls_back=True)
    account = _open(call, consent, kind="transactions", status=403).book
    ledger, transaction_id = call.provider.ledger, call.path_value("transactionId")
    number = ledger.number_of(account, transaction_id.removeprefix("T"))
    known = number is not None and number < ledger.booked_until(account, call.today)
    # a bank without details gives no transactionId, so it knows none
    if number is None or not known or not call.bank.transaction_details or transaction_id[:1] != "T":
        raise ApiError(404, "RESOURCE_UNKNOWN", "no such transaction", path="transactionId")
    count_access(call, consent, "getTransactionDetails", account)
    return Answer(ledger.entry(account, number) | {"additionalInformation": "Made by the simulator"})


def _accounts(call: BankCall, consent: Consent) -> list[Account]:
    return call.provider.ledger.accounts(call.bank, consent.context)


def _open(call: BankCall, consent: Consent, *, kind: str = "accounts", status: int = 404) -> Opened[Account]:
    return open_one(call, consent, _accounts(call, consent), ACCOUNTS, kind=kind, status=status)


def _describe_booked(call: BankCall, opened: Opened[Account], number: int) -> dict[str, Any]:
    entry = call.provider.ledger.entry(opened.book, number)
    if "transactionId" in entry:
        entry["_links"] = links(transactionDetails=f"{opened.path}/transactions/{quote(entry['transactionId'])}")
    return entry


def _bankgiro(call: BankCall, opened: Opened[Account], booked: Sequence[int] | None) -> dict[str, Any]:
    """The single payments of the lump sums among these entries, for a token that has the scope."""
    if booked is None or not opened.book.gets_lump_sums or "bankgiroinformation" not in call.scopes:
        return {}
    ledger = call.provider.ledger
    return {"bankgiro": [one for number in booked for one in ledger.single_payments(opened.book, number)]}
