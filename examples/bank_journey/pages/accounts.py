"""What a connection opens: `/accounts`, `/accounts/{account_id}`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import (
    Account,
    AnotherSignatureNeededError,
    APIError,
    ConsentError,
    ConsentExpiredError,
    NotFoundError,
    OpenPaymentsError,
    views,
)

from .. import reading
from ..progress import progress_of
from ..sentences import Sentence, say
from ..store import Connection, Cursor, SavedAccount, SavedPayment, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from openpayments_facade import AsyncAccounts, AsyncBank

    from ..journey import Journey
    from ..reading import Money
    from ..store import Store

SHOWN = ("valid", "partly", "expired")


@dataclass(frozen=True)
class Line:
    """An account in the list."""

    saved: SavedAccount
    balance: Money | None
    trouble: Sentence | None = None


@dataclass(frozen=True)
class Group:
    """A connection with its accounts, or with what is wrong with it."""

    connection: Connection
    lines: list[Line]
    problem: Sentence | None = None


def account_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""
    store = journey.store

    async def accounts(request: Request) -> Response:
        session = journey.session(request)
        connections = [each for each in store.all(Connection, session=session) if each.status in SHOWN]
        # all banks at once, and one that fails stands beside the others
        read = await asyncio.gather(*(_read(journey, request, each) for each in connections))
        groups = [group for group in read if group]
        lines = [line for group in groups for line in group.lines]
        totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        for balance in _counted(lines):
            totals[balance.currency] += balance.value
        missing = [group.connection.bank_name for group in groups if group.problem]
        return journey.page(
            request,
            "accounts.html",
            groups=groups,
            totals=sorted(totals.items(), reverse=True),
            missing=missing + [line.saved.name for line in lines if line.balance is None],
            payments=[(each, progress_of(each)) for each in store.all(SavedPayment, session=session)[:-6:-1]],
        )

    async def account(request: Request) -> Response:
        saved = store.find(SavedAccount, id=request.path_params["account_id"], session=journey.owner(request))
        if saved is None:
            raise HTTPException(404)
        connection = store.find(Connection, id=saved.connection)
        if connection is None or connection.status not in SHOWN:
            return RedirectResponse("/accounts", 303)
        text, key = request.query_params.get("q", "")[:100], request.query_params.get("cursor", "")
        cursor = store.find(Cursor, id=key, account=saved.id)
        if key and cursor is None:
            return RedirectResponse(f"/accounts/{saved.id}", 303)
        opened = opened_by(journey.bank(request, connection), connection)
        own = Account.from_dict(saved.data)
        is_part = request.headers.get("x-part") == "results"  # the script asks for the list alone
        is_first = cursor is None and not text
        try:
            # at once, since a bank may take seconds for each
            found, pending, past, own.balances = await asyncio.gather(
                reading.booked(opened, own, cursor=cursor.cursor if cursor else None, search=text),
                reading.pending(opened, own) if is_first else _nothing(),
                reading.history(opened, own) if is_first and not is_part else _nothing(),
                opened.balances(own) if not is_part else _nothing(),
            )
        except OpenPaymentsError as error:
            await mark(journey.bank(request, connection), store, connection, error)
            return journey.problem(request, say(error, connection.bank_name), connect=f"/banks/{connection.bic_fi}")
        following = None
        if found.cursor:
            following = store.add(Cursor(id=new_id(), session=saved.session, account=saved.id, cursor=found.cursor))
        return journey.page(
            request,
            "transactions.html" if is_part else "account.html",
            account=saved,
            connection=connection,
            rows=[*(pending or ()), *found.rows],
            q=text,
            is_first=cursor is None,
            following=following and following.id,
            available=reading.available(own),
            booked=reading.booked_balance(own),
            charts=reading.drawn(own, past),
        )

    return [
        Route("/accounts", accounts, name="accounts"),
        Route("/accounts/{account_id}", account, name="account"),
    ]


def opened_by(bank: AsyncBank, connection: Connection) -> AsyncAccounts:
    """The accounts of a connection: `resume` has all that the consent was created with, but for the user."""
    authorisation = bank.consents.resume(connection.saved or {})
    return authorisation.bank.accounts(authorisation.consent_id)


async def _nothing() -> None:
    """In the place of a call that this page does not need."""


def _counted(lines: list[Line]) -> Iterator[Money]:
    """The balances to add up. An account that two connections show counts once."""
    seen = set[tuple[str, str]]()
    for line in lines:
        if line.balance:
            account = (line.saved.number or line.saved.id, line.balance.currency)
            if account not in seen:
                seen.add(account)
                yield line.balance


async def _read(journey: Journey, request: Request, connection: Connection) -> Group | None:
    """The accounts of a connection; None if it was disconnected meanwhile."""
    store, bank = journey.store, journey.bank(request, connection)
    if connection.status == "expired":
        why = Sentence(**connection.said) if connection.said else say(ConsentExpiredError(), connection.bank_name)
        return Group(connection, [], why)
    opened = opened_by(bank, connection)
    refused: dict[str | None, Sentence] = {}
    try:
        if connection.status == "partly":
            if await bank.consents.status(connection.consent_id or "") != "valid":
                return Group(connection, [], say(AnotherSignatureNeededError(), connection.bank_name))
            store.change_if(connection, {"status": "partly"}, status="valid")
        found = await opened.list(with_balance=True)
        for each in found:
            if each.balances is None:  # not every bank has them in the list
                try:
                    each.balances = await opened.balances(each)
                except APIError as error:  # the other accounts are no worse for that
                    refused[each.resource_id] = say(error, connection.bank_name)
    except OpenPaymentsError as error:
        await mark(bank, store, connection, error)
        now = store.find(Connection, id=connection.id, status=SHOWN)
        return None if now is None else Group(now, [], say(error, connection.bank_name))
    saved = _save_all(store, connection, found)
    if saved is None:
        return None
    lines = [
        Line(own, reading.available(each), refused.get(each.resource_id))
        for own, each in zip(saved, found, strict=True)
    ]
    return Group(store.find(Connection, id=connection.id) or connection, lines)


def _save_all(store: Store, connection: Connection, found: list[Account]) -> list[SavedAccount] | None:
    """The rows of accounts, written only if one has changed; None if the connection was ended meanwhile."""
    known = {each.resource_id: each for each in store.all(SavedAccount, connection=connection.id)}
    same = [known.get(each.resource_id or "") for each in found]
    kept = [row for row, each in zip(same, found, strict=True) if row and row.data == each.to_dict()]
    if len(kept) == len(found):
        return kept
    with store.saving(connection) as now:
        return None if now is None else [_save(store, now, each) for each in found]


def _save(store: Store, connection: Connection, account: Account) -> SavedAccount:
    """Links and forms name an account by an id of ours, which stays the same."""
    resource_id, name = account.resource_id or "", (account.name or account.product or "Account").strip()
    known = store.find(SavedAccount, connection=connection.id, resource_id=resource_id)
    if known:
        return store.change(known, name=name, data=account.to_dict())
    return store.add(
        SavedAccount(
            id=new_id(),
            session=connection.session,
            connection=connection.id,
            resource_id=resource_id,
            name=name,
            number=views.account_number(account) or "",
            currency=account.currency or "",
            data=account.to_dict(),
        )
    )


async def mark(bank: AsyncBank, store: Store, connection: Connection, error: Exception | None) -> None:
    """Saves that a consent is over, and why, so that nobody asks the bank again.

    An error at one account alone does not tell: the status of the consent does.
    """
    if not isinstance(error, ConsentError):
        return
    try:
        if await bank.consents.status(connection.consent_id or "") in ("valid", "partiallyAuthorised"):
            return
    except (ConsentError, NotFoundError):
        pass  # the bank does not know it any more
    except OpenPaymentsError:
        return  # the next one who meets the error asks again
    said = say(error, connection.bank_name).to_dict()
    store.change_if(connection, {"status": ("valid", "partly")}, status="expired", said=said)
