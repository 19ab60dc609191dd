"""The five operations of the Account Information Service (facts 40)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from .bank_api import Answer, BankCall, bank_operation, check_preference
from .consent_requests import read_date
from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import Route

    from .consents import Consent
    from .ledger import Account
    from .provider import Provider

__all__ = ["account_information_routes"]

_ACCOUNTS = "/psd2/accountinformation/v1/accounts"
_ACCOUNT = f"{_ACCOUNTS}/{{account_id}}"
_BOOKING_STATUSES = ("booked", "pending", "both")
_EVERYTHING = frozenset({"accounts", "balances", "transactions"})
_PERIOD_AND_DELTA = ("dateFrom", "dateTo", "entryReferenceFrom", "deltaList")


def account_information_routes(provider: Provider) -> list[Route]:
    on = partial(bank_operation, provider)
    transactions = f"{_ACCOUNT}/transactions"
    return [
        on("getAccountList", "GET", _ACCOUNTS, _list, query=["withBalance"]),
        on("readAccountDetails", "GET", _ACCOUNT, _get, query=["withBalance"]),
        on("getBalances", "GET", f"{_ACCOUNT}/balances", _get_balances),
        on(
            "getTransactionList",
            "GET",
            transactions,
            _list_transactions,
            query=["bookingStatus", "withBalance", *_PERIOD_AND_DELTA],
        ),
        on("getTransactionDetails", "GET", f"{transactions}/{{transactionId}}", _get_transaction),
    ]


@dataclass(frozen=True)
class _Opened:
    """What a consent opens: each account with the kinds of data that may be read of it."""

    consent: Consent
    accounts: Mapping[str, tuple[Account, frozenset[str]]]

    def account(self, provider: Provider, call: BankCall, *, kind: str, otherwise: int) -> Account:
        """The account of the path. `otherwise` is the status if there is none (facts 60, section 2)."""
        account_id = str(call.request.path_params["account_id"])
        known = {account.resource_id for account in provider.ledger.accounts(call.bank, self.consent.context)}
        if account_id not in known:
            raise ApiError(otherwise, "RESOURCE_UNKNOWN", "no such account", path="account-id")
        account, kinds = self.accounts.get(account_id, (None, frozenset()))
        if account is None or kind not in kinds:
            raise ApiError(401, "CONSENT_INVALID", f"the consent does not open the {kind} of this account")
        return account


def _list(provider: Provider, call: BankCall) -> Answer:
    opened = _open(provider, call)
    with_balance = _boolean(call, "withBalance")
    _count(provider, call, opened.consent, "getAccountList")
    accounts = [_account(provider, *one, with_balance) for one in opened.accounts.values()]
    return Answer({"accounts": accounts})


def _get(provider: Provider, call: BankCall) -> Answer:
    opened = _open(provider, call)
    with_balance = _boolean(call, "withBalance")
    account = opened.account(provider, call, kind="accounts", otherwise=404)
    _count(provider, call, opened.consent, "readAccountDetails", account)
    return Answer(_account(provider, *opened.accounts[account.resource_id], with_balance))


def _get_balances(provider: Provider, call: BankCall) -> Answer:
    opened = _open(provider, call)
    account = opened.account(provider, call, kind="balances", otherwise=404)
    _count(provider, call, opened.consent, "getBalances", account)
    return Answer({"account": account.reference(), "balances": provider.ledger.balances(account, _today(provider))})


def _list_transactions(provider: Provider, call: BankCall) -> Answer:
    opened = _open(provider, call)
    booking_status = call.request.query_params.get("bookingStatus")
    if booking_status not in _BOOKING_STATUSES:
        raise _malformed("bookingStatus", f"bookingStatus is one of: {', '.join(_BOOKING_STATUSES)}")
    with_balance = _boolean(call, "withBalance")
    account = opened.account(provider, call, kind="transactions", otherwise=404)
    numbers, first, last = _selection(provider, call, opened.consent, account)
    query = tuple(sorted(call.request.query_params.items()))
    if (account.resource_id, query) not in opened.consent.next_pages:
        # turning the page is the same access
        _count(provider, call, opened.consent, "getTransactionList", account)
    page = numbers[: provider.page_size] if booking_status != "pending" else numbers[:0]
    more = booking_status != "pending" and len(page) < len(numbers)
    path = _path(account)
    links = {"account": {"href": path}}
    transactions: dict[str, Any] = {}
    if booking_status != "pending":
        transactions["booked"] = [_booked(provider, account, number) for number in page]
        reported = opened.consent.reported
        reported[account.resource_id] = max(reported.get(account.resource_id, 0), numbers.stop)
    if booking_status != "booked":
        today = _today(provider)
        waiting = [] if more or not first <= today <= last else provider.ledger.pending(today)
        transactions["pending"] = [provider.ledger.pending_entry(account, number) for number in waiting]
    if more:
        # The last entry of this page is what the next one begins after: no source knows a parameter for pages.
        rest = {name: value for name, value in query if name not in {"deltaList", "entryReferenceFrom"}}
        rest["entryReferenceFrom"] = transactions["booked"][-1]["entryReference"]
        opened.consent.next_pages.append((account.resource_id, tuple(sorted(rest.items()))))
        links["next"] = {"href": f"{path}/transactions?{urlencode(rest)}"}
    return Answer(
        {
            "account": account.reference(),
            "transactions": transactions | {"_links": links},
            "balances": _balances(provider, *opened.accounts[account.resource_id]) if with_balance else [],
        }
    )


def _get_transaction(provider: Provider, call: BankCall) -> Answer:
    opened = _open(provider, call)
    account = opened.account(provider, call, kind="transactions", otherwise=403)
    transaction_id = str(call.request.path_params["transactionId"])
    number = provider.ledger.number_of(account, transaction_id.removeprefix("T"))
    known = number is not None and number < provider.ledger.booked_until(_today(provider))
    # a bank without details gives no transactionId, so it knows none
    if number is None or not known or not call.bank.transaction_details or transaction_id[:1] != "T":
        raise ApiError(404, "RESOURCE_UNKNOWN", "no such transaction", path="transactionId")
    _count(provider, call, opened.consent, "getTransactionDetails", account)
    return Answer(provider.ledger.entry(account, number) | {"additionalInformation": "Made by the simulator"})


def _open(provider: Provider, call: BankCall) -> _Opened:
    """What the call's consent opens. Raises ApiError as facts 60, section 2, have it."""
    consent_id = call.header("Consent-ID")
    if consent_id is None:
        raise _malformed("Consent-ID", "Consent-ID is missing")
    consent = provider.consents.find(consent_id)
    if consent is None or consent.bank is not call.bank:
        raise ApiError(400, "CONSENT_UNKNOWN", f"{call.bank.name} knows no such consent", path="Consent-ID")
    check_preference(call, consent)
    if consent.status == "expired":
        raise ApiError(401, "CONSENT_EXPIRED", "the consent has expired")
    if consent.status != "valid":
        raise ApiError(401, "CONSENT_INVALID", f"the consent is {consent.status}")
    accounts = provider.ledger.accounts(call.bank, consent.context)
    opened = ((account, _kinds(consent.request["access"], account)) for account in accounts)
    return _Opened(consent, {account.resource_id: (account, kinds) for account, kinds in opened if "accounts" in kinds})


def _kinds(access: Mapping[str, Any], account: Account) -> frozenset[str]:
    """Which of accounts, balances and transactions may be read of an account (facts 30, section 2)."""
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
    # no account is named: user and bank choose, here every account, with all there is unless less was asked for
    return frozenset({"accounts", *lists}) if lists else _EVERYTHING


def _count(
    provider: Provider, call: BankCall, consent: Consent, operation_id: str, account: Account | None = None
) -> None:
    """Counts an access without the user: so many a day for each operation and account."""
    provider.consents.use(consent)
    if call.header("PSU-IP-Address") is not None:
        return
    now = provider.consents.now()
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


def _selection(provider: Provider, call: BankCall, consent: Consent, account: Account) -> tuple[range, date, date]:
    """The numbers of the booked entries that are asked for, and the first and the last day of the period."""
    query, today = call.request.query_params, _today(provider)
    delta = _boolean(call, "deltaList")
    after = query.get("entryReferenceFrom")
    if "dateFrom" not in query and not delta and after is None:
        raise _malformed("dateFrom", "dateFrom is missing, and neither entryReferenceFrom nor deltaList is there")
    first = read_date(query["dateFrom"], "dateFrom") if "dateFrom" in query else date.min
    last = read_date(query["dateTo"], "dateTo") if "dateTo" in query else today
    if first > last or first > today:
        raise ApiError(400, "PERIOD_INVALID", "dateFrom is after dateTo or today", path="dateFrom")
    begin = provider.ledger.booked_until(first - timedelta(days=1)) if first > date.min else 0
    end = provider.ledger.booked_until(min(last, today))
    if after is not None:
        number = provider.ledger.number_of(account, after)
        if number is None or number >= provider.ledger.booked_until(today):
            raise ApiError(400, "RESOURCE_UNKNOWN", "no such entry", path="entryReferenceFrom")
        begin = max(begin, number + 1)
    elif delta:
        begin = max(begin, consent.reported.get(account.resource_id, 0))
    return range(begin, max(begin, end)), first, last


def _booked(provider: Provider, account: Account, number: int) -> dict[str, Any]:
    entry = provider.ledger.entry(account, number)
    if "transactionId" in entry:
        details = f"{_path(account)}/transactions/{quote(entry['transactionId'])}"
        entry["_links"] = {"transactionDetails": {"href": details}}
    return entry


def _account(provider: Provider, account: Account, kinds: frozenset[str], with_balance: bool) -> dict[str, Any]:
    links = {name: {"href": f"{_path(account)}/{name}"} for name in ("balances", "transactions") if name in kinds}
    balances = {"balances": _balances(provider, account, kinds)} if with_balance and "balances" in kinds else {}
    return account.describe() | balances | {"_links": links}


def _balances(provider: Provider, account: Account, kinds: frozenset[str]) -> list[dict[str, Any]]:
    return provider.ledger.balances(account, _today(provider)) if "balances" in kinds else []


def _boolean(call: BankCall, name: str) -> bool:
    value = call.request.query_params.get(name, "false")
    if value not in {"true", "false"}:
        raise _malformed(name, f"{name} is true or false")
    return bool(value == "true")


def _path(account: Account) -> str:
    return f"{_ACCOUNTS}/{quote(account.resource_id)}"


def _today(provider: Provider) -> date:
    return provider.consents.now().date()


def _malformed(name: str, text: str) -> ApiError:
    return ApiError(400, "FORMAT_ERROR", text, path=name)
