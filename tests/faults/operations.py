"""One operation of each class, sync and async at once."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar

from attrs import frozen

from openpayments_facade import AccountReference, DebtorAccountReference, DomesticPayment, Psu, amount

T = TypeVar("T")
USER: Final = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")


async def settled(value: Any) -> Any:
    """A result, awaited if it has to be. What only awaits this can be driven to its end without an event loop."""
    return await value if inspect.isawaitable(value) else value


def driven(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that awaits nothing but `settled` results."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    raise AssertionError("a sync client gave something to await")


@frozen
class Call:
    """One call: `begin` does what comes before the fault; `go` gives the id that the answer was made for."""

    op: Any
    request_id: str
    begin: Callable[[Call], Awaitable[Any]]
    finish: Callable[[Call, Any], Awaitable[str]]

    @property
    def bank(self) -> Any:
        return self.op.with_options(request_id=self.request_id).at_bank("ESSESESS", USER)


async def _nothing(call: Call) -> None:
    return None


async def _token(call: Call, _: Any) -> str:
    return str(await settled(call.op.access_token()))


async def _read(call: Call, _: Any) -> str:
    countries = await settled(call.op.with_options(request_id=call.request_id).countries.list())
    # a 204 has no countries
    return ",".join(str(country.name) for country in countries) or call.request_id


def _pages(call: Call) -> Any:
    return call.bank.accounts("a-consent").transactions("an-account")


async def _first_page(call: Call) -> Any:
    listing = _pages(call)
    entries = aiter(listing) if hasattr(listing, "__aiter__") else iter(listing)
    await _next(entries)
    return entries


async def _next(entries: Any) -> Any:
    """The next entry; None at the end of the list."""
    return await anext(entries, None) if hasattr(entries, "__anext__") else next(entries, None)


async def _second_page(call: Call, entries: Any) -> str:
    entry = await _next(entries)
    # some banks have nothing to say where others send an empty list
    return call.request_id if entry is None else str(entry.entry_reference).removesuffix("-2")


async def _consent(call: Call, _: Any) -> str:
    return str((await settled(call.bank.consents.create(valid_until=date(9999, 12, 31)))).consent_id)


async def _payment(call: Call, _: Any) -> str:
    order = DomesticPayment(
        instructed_amount=amount(Decimal("125.50"), "SEK"),
        debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
        creditor_account=AccountReference(iban="SE3550000000054910000003"),
        creditor_name="Example Shop",
    )
    return str((await settled(call.bank.payments.create(order))).payment_id)


async def _authorisation(call: Call, _: Any) -> str:
    return str((await settled(call.bank.consents.start_authorisation("a-consent"))).authorisation_id)


READS: Final = ("token", "read", "page")
CREATIONS: Final = ("consent", "payment", "authorisation")
OPERATIONS: Final[dict[str, tuple[Any, Any]]] = {
    "token": (_nothing, _token),
    "read": (_nothing, _read),
    "page": (_first_page, _second_page),
    "consent": (_nothing, _consent),
    "payment": (_nothing, _payment),
    "authorisation": (_nothing, _authorisation),
}


def call(operation: str, op: Any, request_id: str) -> Call:
    return Call(op, request_id, *OPERATIONS[operation])
