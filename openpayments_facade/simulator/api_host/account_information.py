"""Account Information: accounts, balances and transactions, with a valid consent (the provider's guide of 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from .authorisations import links
from .bank_call import BankCall, bank_operation
from .consent import find_consent, read_date
from .errors import ApiError, malformed
from .operation import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import Route

    from ..state import Provider
    from ..state.consents import Consent
    from ..state.ledger import Account

__all__ = ["account_information_routes"]

_ACCOUNTS = "/psd2/accountinformation/v1/accounts"
_ACCOUNT = f"{_ACCOUNTS}/{{account_id}}"
_TRANSACTIONS = f"{_ACCOUNT}/transactions"
_BOOKING_STATUSES = ("booked", "pending", "both")
_EVERYTHING = frozenset({"accounts", "balances", "transactions"})
_OF_TRANSACTIONS = ("bookingStatus", "withBalance", "dateFrom", "dateTo", "entryReferenceFrom", "deltaList")


def account_information_routes(provider: Provider) -> list[Route]:
    on = partial(bank_operation, provider, api_scopes=["accountinformation"])
    return [
        on("getAccountList", "GET", _ACCOUNTS, _list, query=["withBalance"]),
        on("readAccountDetails", "GET", _ACCOUNT, _get, query=["withBalance"]),
        on("getBalances", "GET", f"{_ACCOUNT}/balances", _get_balances),
        on("getTransactionList", "GET", _TRANSACTIONS, _list_transactions, query=_OF_TRANSACTIONS),
        on("getTransactionDetails", "GET", f"{_TRANSACTIONS}/{{transactionId}}", _get_transaction),
    ]


@dataclass(frozen=True)
class _Opened:
    """An account that a consent opens, and the kinds of its data that may be read."""

    account: Account
    kinds: frozenset[str]

    def describe(self, call: BankCall, *, with_balance: bool) -> dict[str, Any]:
        path = _path(self.account)
        hrefs = {kind: f"{path}/{kind}" for kind in ("balances", "transactions") if kind in self.kinds}
        balances = {"balances": self.balances(call)} if with_balance and "balances" in self.kinds else {}
        return self.account.describe() | balances | {"_links": links(**hrefs)}

    def balances(self, call: BankCall) -> list[dict[str, Any]]:
        return call.provider.ledger.balances(self.account, call.today) if "balances" in self.kinds else []


def _list(call: BankCall) -> Answer:
    consent = _valid_consent(call)
    with_balance = call.flag("withBalance")
    _count_access(call, consent, "getAccountList")
    opened = _open(call, consent).values()
    return Answer({"accounts": [one.describe(call, with_balance=with_balance) for one in opened]})


def _get(call: BankCall) -> Answer:
    consent = _valid_consent(call)
    with_balance = call.flag("withBalance")
    opened = _open_one(call, consent, kind="accounts", status=404)
    _count_access(call, consent, "readAccountDetails", opened.account)
    return Answer(opened.describe(call, with_balance=with_balance))


def _get_balances(call: BankCall) -> Answer:
    consent = _valid_consent(call)
    opened = _open_one(call, consent, kind="balances", status=404)
    _count_access(call, consent, "getBalances", opened.account)
    return Answer({"account": opened.account.reference(), "balances": opened.balances(call)})


def _list_transactions(call: BankCall) -> Answer:
    consent = _valid_consent(call)
    booking_status = call.query("bookingStatus")
    if booking_status not in _BOOKING_STATUSES:
        raise malformed("bookingStatus", f"bookingStatus must be one of: {', '.join(_BOOKING_STATUSES)}")
    with_balance = call.flag("withBalance")
    opened = _open_one(call, consent, kind="transactions", status=404)
    account, ledger = opened.account, call.provider.ledger
    period = _read_period(call)
    numbers = _select(call, consent, account, period)
    query = tuple(sorted(call.request.query_params.items()))
    if (account.resource_id, query) not in consent.next_pages:
        # a further page counts as the same access
        _count_access(call, consent, "getTransactionList", account)
    path = _path(account)
    hrefs = {"account": path}
    transactions: dict[str, Any] = {}
    more = False
    if booking_status != "pending":
        page = numbers[: call.provider.page_size]
        more = len(page) < len(numbers)
        transactions["booked"] = [_describe_booked(call, account, number) for number in page]
        consent.reported[account.resource_id] = max(consent.reported.get(account.resource_id, 0), numbers.stop)
    if booking_status != "booked":
        pending = ledger.pending(call.today) if period.includes(call.today) and not more else ()
        transactions["pending"] = [ledger.pending_entry(account, number) for number in pending]
    if more:
        # The next page begins after the last entry of this one, since no source mentions a parameter for pages.
        rest = {name: value for name, value in query if name not in {"deltaList", "entryReferenceFrom"}}
        rest["entryReferenceFrom"] = transactions["booked"][-1]["entryReference"]
        consent.next_pages.append((account.resource_id, tuple(sorted(rest.items()))))
        hrefs["next"] = f"{path}/transactions?{urlencode(rest)}"
    return Answer(
        {
            "account": account.reference(),
            "transactions": transactions | {"_links": links(**hrefs)},
            "balances": opened.balances(call) if with_balance else [],
        }
    )


def _get_transaction(call: BankCall) -> Answer:
    consent = _valid_consent(call)
    account = _open_one(call, consent, kind="transactions", status=403).account
    ledger, transaction_id = call.provider.ledger, call.path_value("transactionId")
    number = ledger.number_of(account, transaction_id.removeprefix("T"))
    known = number is not None and number < ledger.booked_until(call.today)
    # a bank without details gives no transactionId, so it knows none
    if number is None or not known or not call.bank.transaction_details or transaction_id[:1] != "T":
        raise ApiError(404, "RESOURCE_UNKNOWN", "no such transaction", path="transactionId")
    _count_access(call, consent, "getTransactionDetails", account)
    return Answer(ledger.entry(account, number) | {"additionalInformation": "Made by the simulator"})


def _valid_consent(call: BankCall) -> Consent:
    """The consent that the call names. Raises ApiError with the codes of the provider's description of 2026."""
    consent_id = call.header("Consent-ID")
    if consent_id is None:
        raise malformed("Consent-ID", "Consent-ID is missing")
    consent = find_consent(call, consent_id, status=400, path="Consent-ID")
    if consent.status == "expired":
        raise ApiError(401, "CONSENT_EXPIRED", "the consent has expired")
    if consent.status != "valid":
        raise ApiError(401, "CONSENT_INVALID", f"the consent is {consent.status}")
    return consent


def _open(call: BankCall, consent: Consent) -> dict[str, _Opened]:
    """The accounts that a consent opens, by their ids."""
    accounts = call.provider.ledger.accounts(call.bank, consent.context)
    opened = (_Opened(account, _kinds(consent.request["access"], account)) for account in accounts)
    return {one.account.resource_id: one for one in opened if "accounts" in one.kinds}


def _open_one(call: BankCall, consent: Consent, *, kind: str, status: int) -> _Opened:
    """The account in the path, if the consent opens this kind of data. `status` is used if there is no such account."""
    account_id = call.path_value("account-id")
    known = {account.resource_id for account in call.provider.ledger.accounts(call.bank, consent.context)}
    if account_id not in known:
        raise ApiError(status, "RESOURCE_UNKNOWN", "no such account", path="account-id")
    opened = _open(call, consent).get(account_id)
    if opened is None or kind not in opened.kinds:
        raise ApiError(401, "CONSENT_INVALID", f"the consent does not open the {kind} of this account")
    return opened


def _kinds(access: Mapping[str, Any], account: Account) -> frozenset[str]:
    """Which of accounts, balances and transactions may be read of an account."""
    if access.get("allPsd2") is not None:
        return _EVERYTHING
    lists: dict[str, Sequence[Mapping[str, Any]]] = {
        name: access[name] for name in ("accounts", "balances", "transactions") if access.get(name) is not None
    }
    offer = access.get("availableAccounts")
    offered = {"accounts", "balances"} if offer == "allAccountsWithBalances" else {"accounts"} if offer else set()
    if any(lists.values()):
        named = {name for name, references in lists.items() if any(map(account.is_meant_by, references))}
        return frozenset(offered | named)
    if offer is not None:
        return frozenset(offered)
    # no account is named, so user and bank choose: here every account, with all data unless less was asked for
    return frozenset({"accounts", *lists}) if lists else _EVERYTHING


def _count_access(call: BankCall, consent: Consent, operation_id: str, account: Account | None = None) -> None:
    """Counts an access without the user; the daily limit is for each operation and account."""
    consent.touch()
    if call.header("PSU-IP-Address") is not None:
        return
    now = call.provider.now()
    access = (now.date(), operation_id, account and account.resource_id)
    allowed = int(consent.request["frequencyPerDay"])
    if consent.accesses[access] >= allowed:
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
        raise ApiError(
            429,
            "ACCESS_EXCEEDED",
            f"the consent allows {allowed} accesses a day without the user",
            headers={"Retry-After": str(math.ceil((tomorrow - now).total_seconds()))},
        )
    consent.accesses[access] += 1


@dataclass(frozen=True)
class _Period:
    """The first and the last day, both inclusive."""

    first: date
    last: date

    def includes(self, day: date) -> bool:
        return self.first <= day <= self.last


def _read_period(call: BankCall) -> _Period:
    date_from, date_to, delta = call.query("dateFrom"), call.query("dateTo"), call.flag("deltaList")
    if date_from is None and not delta and call.query("entryReferenceFrom") is None:
        raise malformed("dateFrom", "dateFrom is missing, and so are entryReferenceFrom and deltaList")
    first = date.min if date_from is None else read_date(date_from, "dateFrom")
    last = call.today if date_to is None else read_date(date_to, "dateTo")
    if first > last or first > call.today:
        raise ApiError(400, "PERIOD_INVALID", "dateFrom is after dateTo or today", path="dateFrom")
    return _Period(first, last)


def _select(call: BankCall, consent: Consent, account: Account, period: _Period) -> range:
    """The numbers of the requested booked entries."""
    ledger, after = call.provider.ledger, call.query("entryReferenceFrom")
    begin = ledger.booked_until(period.first - timedelta(days=1)) if period.first > date.min else 0
    end = ledger.booked_until(min(period.last, call.today))
    if after is not None:
        number = ledger.number_of(account, after)
        if number is None or number >= ledger.booked_until(call.today):
            raise ApiError(400, "RESOURCE_UNKNOWN", "no such entry", path="entryReferenceFrom")
        begin = max(begin, number + 1)
    elif call.flag("deltaList"):
        begin = max(begin, consent.reported.get(account.resource_id, 0))
    return range(begin, max(begin, end))


def _describe_booked(call: BankCall, account: Account, number: int) -> dict[str, Any]:
    entry = call.provider.ledger.entry(account, number)
    if "transactionId" in entry:
        details = f"{_path(account)}/transactions/{quote(entry['transactionId'])}"
        entry["_links"] = links(transactionDetails=details)
    return entry


def _path(account: Account) -> str:
    return f"{_ACCOUNTS}/{quote(account.resource_id)}"
