"""Those who call, and what they do. Each call checks that its answer is its own."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import define, field, frozen

from openpayments_facade import (
    AccountReference,
    AuthorisationFailedError,
    DebtorAccountReference,
    DomesticPayment,
    Psu,
    PsuContext,
    RequestError,
    TimedOutError,
    amount,
)

BANK: Final = "ESSESESS"
PAYEE, PAYER = (
    AccountReference(iban="SE3550000000054910000003"),
    DebtorAccountReference(iban="SE4550000000058398257466"),
)
MOST_TEXTS: Final = 5

Make = Callable[[], Any]


def user(name: object) -> Psu:
    """Somebody at the bank. A consent ends the one that the same user gave before."""
    return Psu(id=f"soak-{name}", ip_address="203.0.113.7", user_agent="Mozilla/5.0")


READER: Final = user("reader")


class Abandoned(Exception):
    """A call has failed, and the rest of the journey with it."""


class Wrong(Exception):
    """An answer that is another's."""


class Gate:
    """Lets calls begin while it is open, and knows how many have not ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_open, self._is_open_here = threading.Event(), asyncio.Event()
        self.busy = 0

    def open(self) -> None:
        self._is_open.set()
        self._is_open_here.set()

    def close(self) -> None:
        with self._lock:
            self._is_open.clear()
            self._is_open_here.clear()

    async def wait(self, *, blocks: bool) -> None:
        """Waits until it is open. `blocks`: by blocking the thread, instead of on the event loop."""
        if blocks:
            self._is_open.wait()
        else:
            await self._is_open_here.wait()

    def enter(self) -> bool:
        """Whether a call may begin."""
        with self._lock:
            self.busy += self._is_open.is_set()
            return self._is_open.is_set()

    def leave(self) -> None:
        with self._lock:
            self.busy -= 1


@define(eq=False)
class Book:
    """What the callers have seen. It keeps numbers, and a few texts."""

    phase: str = "start"
    """A window's kind, `grace` after it, or `quiet`."""
    calls: Counter[str] = field(factory=Counter)
    """By phase."""
    errors: Counter[tuple[bool, str]] = field(factory=Counter)
    """By whether it was quiet when the call began, and by name."""
    undocumented: int = 0
    foreign: int = 0
    checked: int = 0
    """How many answers were compared with what was asked for."""
    made: int = 0
    """Payments whose creation has given a result."""
    unknown: int = 0
    """Payments of which their callers can't know."""
    longest: tuple[float, str] = (0.0, "")
    """Seconds and name of the longest call."""
    texts: list[str] = field(factory=list)
    """Of the first unexpected ones."""
    lock: threading.Lock = field(factory=threading.Lock)

    def begin(self) -> str:
        with self.lock:
            self.calls[self.phase] += 1
            return self.phase

    def end(self, name: str, seconds: float) -> None:
        with self.lock:
            self.longest = max(self.longest, (seconds, name))

    def fail(self, name: str, phase: str, error: BaseException) -> None:
        is_quiet, is_wrong = phase == "quiet", isinstance(error, Wrong)
        is_documented = isinstance(error, RequestError | AuthorisationFailedError)
        with self.lock:
            self.errors[is_quiet, type(error).__name__] += 1
            self.foreign += is_wrong
            self.undocumented += not is_wrong and not is_documented
            if (is_quiet or not is_documented) and len(self.texts) < MOST_TEXTS:
                self.texts.append(f"{name} ({phase}): {type(error).__name__}: {error}")


@frozen(eq=False)
class Plants:
    """Flaws to plant, so that the judges have something to find."""

    names: frozenset[str]
    kept: list[Any] = field(factory=list)


@frozen(eq=False)
class Known:
    """What answers are compared with, read before the first fault."""

    consent_id: str
    accounts: list[str]
    transactions: dict[str, list[str]]
    """The ids of the transactions of each account, in order."""
    cities: list[str]


def at_once(work: Awaitable[None]) -> None:
    """Runs what never waits on an event loop: the work of a thread."""
    step = work.__await__()
    try:
        next(step)
    except StopIteration:
        return
    raise AssertionError("it waits")


async def done(value: Any) -> Any:
    """What a method gave, of a sync or an async client."""
    return await value if inspect.isawaitable(value) else value


async def all_of(listed: Any) -> list[Any]:
    """All elements, page by page."""
    return [each async for each in listed] if hasattr(listed, "__aiter__") else list(listed)


async def learn(op: Any) -> Known:
    """Reads what is there, and has a consent for it."""
    bank = op.at_bank(BANK, READER)
    consent = await bank.consents.create(valid_until=timedelta(days=90))
    started = await bank.consents.authorise(consent)
    await bank.consents.sca_status(consent, authorisation_id=started.authorisation_id)
    accounts = bank.accounts(consent)
    found = [each.resource_id for each in await accounts.list()]
    transactions = {each: [one.transaction_id async for one in accounts.transactions(each)] for each in found}
    return Known(consent.consent_id, found, transactions, [each.city_id for each in await op.cities.list()])


@define(eq=False)
class Caller:
    """One task or thread, which makes one call after the other."""

    op: Any
    fresh: Callable[[], Any]
    """Makes another client of the same kind."""
    is_async: bool
    pause: float
    """Seconds between two journeys, on average."""
    number: int
    known: Known
    book: Book
    gate: Gate
    plants: Plants
    chance: random.Random
    is_over: threading.Event
    _count: Any = field(factory=itertools.count, init=False)

    @property
    def _bank(self) -> Any:
        return self.op.at_bank(BANK, user(self.number))

    @property
    def _accounts(self) -> Any:
        return self.op.at_bank(BANK, READER).accounts(self.known.consent_id)

    async def live(self) -> None:
        """One journey after the other, until it is over."""
        journeys = [*self._weighted()]
        if "endless" in self.plants.names and self.number == 0:
            await self._call("endless", lambda: self.is_over.wait())
        while not self.is_over.is_set():
            await self._sleep(self.pause)
            await self.gate.wait(blocks=not self.is_async)
            try:
                await self.chance.choice(journeys)()
            except Abandoned:
                pass
            except Exception as error:  # outside a call: an answer is not what it should be
                self.book.fail("a journey", self.book.phase, error)

    def _weighted(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            *4 * [self._aspsp],
            *2 * [self._city],
            *3 * [self._account],
            *2 * [self._pages],
            *3 * [self._consent],
            *4 * [self._payment],
            *2 * [self._cancelled_payment],
            *2 * [self._view],
            *2 * [self._impatient],
            self._fresh,
        ]

    async def _call(self, name: str, make: Make) -> Any:
        """The result of a call. Raises Abandoned."""
        await self._sleep(self.pause / 50)
        # who rests gives up the rest of the journey: what that holds would count as growth
        if self.is_over.is_set() or not self.gate.enter():
            raise Abandoned
        phase, begun = self.book.begin(), time.monotonic()
        if "memory" in self.plants.names:
            self.plants.kept.extend([None] for _ in range(50))
        try:
            return await done(make())
        except Exception as error:
            if name == "payments.create" and getattr(error, "may_have_taken_effect", True):
                with self.book.lock:
                    self.book.unknown += 1
            self.book.fail(name, phase, error)
            raise Abandoned from None
        finally:
            self.book.end(name, time.monotonic() - begun)
            self.gate.leave()

    async def _sleep(self, mean: float) -> None:
        seconds = self.chance.expovariate(1 / mean)
        if self.is_async:
            await asyncio.sleep(seconds)
        else:
            self.is_over.wait(seconds)

    def _check(self, name: str, found: object, wanted: object) -> None:
        with self.book.lock:
            self.book.checked += 1
        if found != wanted:
            self.book.fail(name, self.book.phase, Wrong(f"{found!r} instead of {wanted!r}"))
            raise Abandoned

    async def _aspsp(self) -> None:
        bic = self.chance.choice([BANK, "NDEASESS", "HANDSESS", "SWEDSESS"])
        if "failure" in self.plants.names:
            await self._call("failure", lambda: self.op.aspsps.get("AAAASESS"))
        found = await self._call("aspsps.get", lambda: self.op.aspsps.get(bic))
        self._check("aspsps.get", found.bic_fi, bic)

    async def _city(self) -> None:
        city = self.chance.choice(self.known.cities)
        asked = self.known.cities[0] if "stranger" in self.plants.names else city
        found = await self._call("cities.get", lambda: self.op.cities.get(asked))
        self._check("cities.get", found.city_id, city)

    async def _account(self) -> None:
        accounts, account = self._accounts, self.chance.choice(self.known.accounts)
        found = await self._call("accounts.get", lambda: accounts.get(account))
        self._check("accounts.get", found.resource_id, account)
        listed = await self._call("accounts.list", lambda: accounts.list())
        self._check("accounts.list", [each.resource_id for each in listed], self.known.accounts)

    async def _pages(self) -> None:
        accounts, account = self._accounts, self.chance.choice(self.known.accounts)
        found = await self._call("transactions", lambda: all_of(accounts.transactions(account)))
        self._check("transactions", [each.transaction_id for each in found], self.known.transactions[account])

    async def _consent(self) -> None:
        # a day and a frequency that no other consent of these minutes has
        number = self.number * 1000 + next(self._count) % 1000
        day = datetime.now(UTC).date() + timedelta(days=2 + number % 89)
        consents = self._bank.consents
        created = await self._call(
            "consents.create", lambda: consents.create(valid_until=day, frequency_per_day=1 + number)
        )
        started = await self._call("consents.authorise", lambda: consents.authorise(created))
        status = await self._call(
            "consents.sca_status", lambda: consents.sca_status(created, authorisation_id=started.authorisation_id)
        )
        self._check("consents.sca_status", status.sca_status, "finalised")
        found = await self._call("consents.get", lambda: consents.get(created))
        self._check("consents.get", (found.valid_until, found.frequency_per_day), (day, 1 + number))
        await self._call("consents.delete", lambda: consents.delete(created))

    def _order(self) -> DomesticPayment:
        return DomesticPayment(
            instructed_amount=amount("11.37", "SEK"),
            debtor_account=PAYER,
            creditor_account=PAYEE,
            creditor_name="Doris Payee",
            end_to_end_identification=f"{self.number}-{next(self._count)}",
        )

    async def _create(self) -> Any:
        order, op, payments = self._order(), self.op, self._bank.payments
        if "double" in self.plants.names:
            op = op.with_options(request_id=str(uuid.UUID(int=self.chance.getrandbits(128), version=4)))
        creating = op.at_bank(BANK, user(self.number)).payments
        if "double" in self.plants.names:
            await self._call("payments.create", lambda: creating.create(order))
        created = await self._call("payments.create", lambda: creating.create(order))
        with self.book.lock:
            self.book.made += 1
        found = await self._call("payments.get", lambda: payments.get(created))
        self._check("payments.get", found.end_to_end_identification, order.end_to_end_identification)
        return created

    async def _payment(self) -> None:
        created, payments = await self._create(), self._bank.payments
        started = await self._call("payments.authorise", lambda: payments.authorise(created))
        id_ = {"authorisation_id": started.authorisation_id}
        status = await self._call("payments.sca_status", lambda: payments.sca_status(created, **id_))
        self._check("payments.sca_status", status.sca_status, "finalised")
        found = await self._call("payments.status", lambda: payments.status(created))
        self._check("payments.status", found.is_accepted, True)

    async def _cancelled_payment(self) -> None:
        created, payments = await self._create(), self._bank.payments
        self._check("payments.cancel", await self._call("payments.cancel", lambda: payments.cancel(created)), None)
        self._check(
            "payments.status", (await self._call("payments.status", lambda: payments.status(created))).code, "CANC"
        )

    async def _view(self) -> None:
        if "surprise" in self.plants.names:
            await self._call("surprise", lambda: [][0])
        id_ = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        view = self.op.with_options(request_id=id_, timeout=3, psu_context=PsuContext.CORPORATE)
        code, given = await self._call("with_options", lambda: self._with_id(view))
        self._check("with_options", (code, given), ("SE", id_))

    async def _with_id(self, view: Any) -> tuple[str, str]:
        answer = await done(view.with_raw_response.countries.get("SE"))
        return answer.parsed.iso_country_code, answer.headers["x-request-id"]

    async def _impatient(self) -> None:
        """Somebody who does not wait: a task that is cancelled, or a short time limit."""
        seconds = self.chance.uniform(0.001, 0.1)
        if not self.is_async:
            await self._call("short", lambda: self._hurry(seconds))
        elif self.chance.random() < 0.5:
            await self._call("cancelled", lambda: _give_up(lambda: self.op.aspsps.get(BANK), seconds))
        else:
            with self.book.lock:
                self.book.unknown += 1
            payments, order = self._bank.payments, self._order()
            await self._call("cancelled", lambda: _give_up(lambda: payments.create(order), seconds))

    def _hurry(self, seconds: float) -> None:
        with suppress(TimedOutError):
            self.op.with_options(total_timeout=seconds).aspsps.get(BANK)

    async def _fresh(self) -> None:
        """A client of its own, made and closed."""
        bic = self.chance.choice([BANK, "NDEASESS"])
        found = await self._call("another client", lambda: self._with_another(bic))
        self._check("another client", found.bic_fi, bic)

    async def _with_another(self, bic: str) -> Any:
        op = self.fresh()
        try:
            return await done(op.aspsps.get(bic))
        finally:
            await done(op.aclose() if self.is_async else op.close())


async def _give_up(make: Make, seconds: float) -> None:
    """Makes a call, and cancels it after so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await make()
