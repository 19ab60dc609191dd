"""No connection that breaks makes a payment twice: `python -m tests.facade.test_never_twice` prints what each ends as.

Each operation is sent once, by a client whose connections a proxy cuts. Then its caller does what the error advises.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections import Counter, deque
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
from attrs import define, evolve, field, frozen

from openpayments_facade import (
    AccountReference,
    ConnectionFailedError,
    DebtorAccountReference,
    DomesticPayment,
    Environment,
    OutcomeUnknownError,
    Psu,
    amount,
    money,
)
from openpayments_facade.simulator import Simulator
from tests.cutting_proxy import Cut, CuttingProxy

USER: Final = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
PAID: Final = Decimal("11.37")
PAYEE, PAYEE_IBAN, PAYER_IBAN = "Doris Payee", "SE3550000000054910000003", "SE4550000000058398257466"
CARRIED_OUT: Final = {Cut.NO_ANSWER, Cut.IN_THE_ANSWER}
RUNS: Final = {"sync": (1, 2), "async": (3, 4)}
LANES: Final = {"sync": 6, "async": 12}
"""How many callers there are at once."""

Tally = Counter[tuple[str, Cut, str]]


@frozen
class Break:
    """Where the connection of an operation breaks. Without `retries` a host that is not there stays away."""

    cut: Cut
    share: float
    idle: bool
    retries: bool
    after: int


@frozen
class Life:
    """One payment that somebody wants: created, then approved or cancelled, each over a connection that breaks."""

    reference: str
    bic: str
    creation: Break
    authorisation: Break | None
    cancellation: Break | None
    approved_first: bool = False


def lives(seed: int) -> list[Life]:
    """252 operations: each of the six points for 7 authorisations, 14 cancellations, and 21 creations."""
    chance = random.Random(seed)

    def breaks(times: int, *, steps: int = 1) -> list[Break]:
        found = [
            Break(cut, chance.random(), chance.random() < 0.3, chance.random() < 0.5, chance.randrange(steps))
            for cut in Cut
            for _ in range(times)
        ]
        chance.shuffle(found)
        return found

    creations = breaks(21)
    planned = [
        Life(f"{seed}-{number}", chance.choice(["ESSESESS", "ESSESESS", "HANDSESS"]), creations.pop(), each, None)
        for number, each in enumerate(breaks(7, steps=2))
    ]
    for number, each in enumerate(breaks(14), len(planned)):
        bic, approved_first = chance.choice([("ESSESESS", False), ("ESSESESS", True), ("SWEDSESS", True)])
        planned.append(Life(f"{seed}-{number}", bic, creations.pop(), None, each, approved_first))
    chance.shuffle(planned)
    return planned


@define(eq=False)
class Run:
    """Callers who share a simulator, and what became of their operations."""

    simulator: Simulator
    account: str = PAYER_IBAN
    tally: Tally = field(factory=Counter)
    unknown: list[tuple[Cut, OutcomeUnknownError]] = field(factory=list)
    failed: list[tuple[Break, ConnectionFailedError]] = field(factory=list)
    paid: set[str] = field(factory=set)
    """The ids of the payments that somebody approved."""


@define(eq=False)
class Caller:
    """One caller, sync or async, who does one thing after the other behind a proxy of its own."""

    run: Run
    op: Any
    proxy: CuttingProxy

    async def live(self, life: Life) -> None:
        """One life. Where an operation gives no result, it goes on as the error advises."""
        bank = self.op.at_bank(life.bic, USER)
        created = await self._create(life)
        if life.authorisation:
            await self._authorise(life, created, life.authorisation)
            self.run.paid.add(created.payment_id)
            assert (await done(bank.payments.status(created))).is_accepted
        if life.cancellation:
            if life.approved_first:
                self.run.simulator.approve(created.payment_id)
            await self._cancel(life, created, life.cancellation)
            assert await done(bank.payments.status(created)) == "CANC"

    async def _create(self, life: Life) -> Any:
        order = order_of(life.reference, self.run.account if life.bic == "ESSESESS" else PAYER_IBAN)
        created, error = await self._once("create", life, life.creation, lambda at: at.create(order))
        if error is None:
            return created
        if isinstance(error, OutcomeUnknownError):
            assert error.end_to_end_identification == life.reference
            assert "create it again" in error.advice
        again = evolve(order, end_to_end_identification=f"{life.reference}-again")  # so that each is told apart
        return await done(self.op.at_bank(life.bic, USER).payments.create(again))

    async def _authorise(self, life: Life, created: Any, planned: Break) -> None:
        at = self.op.at_bank(life.bic, USER).payments
        started, error = await self._once("authorise", life, planned, lambda at: at.authorise(created))
        known = [] if started is None else [started.authorisation_id]
        if error is not None:
            known = await done(at.authorisations(created))
            found = [(await done(at.sca_status(created, authorisation_id=each))).sca_status for each in known]
            if "finalised" in found:
                return
            if "SCA status: if it is received" in getattr(error, "advice", "") and found[-1] == "received":
                method = {"authorisation_id": known[-1], "authentication_method_id": "mbid"}
                await done(at.select_method(created, **method))
            else:
                known = [(await done(at.authorise(created))).authorisation_id]
        if not (await done(at.status(created))).is_accepted:  # some banks approve at once
            self.run.simulator.approve(known[-1])

    async def _cancel(self, life: Life, created: Any, planned: Break) -> None:
        at = self.op.at_bank(life.bic, USER).payments
        answer, error = await self._once("cancel", life, planned, lambda at: at.cancel(created))
        if error is not None and await done(at.status(created)) != "CANC":
            answer = await done(at.cancel(created))
        if answer is not None:
            authorisation = await done(at.authorise(created, cancellation=True))
            self.run.simulator.approve(authorisation.authorisation_id)

    async def _once(self, kind: str, life: Life, planned: Break, send: Any) -> tuple[Any, Exception | None]:
        """What it gives, or its error, while its connection breaks."""
        cut = planned.cut
        result: Any = None
        error: Exception | None = None
        back_after = 0.05 if planned.retries else None
        op = self.op if planned.retries else self.op.with_options(max_retries=0)
        self.proxy.cut(cut, after=planned.after, share=planned.share, idle=planned.idle, back_after=back_after)
        try:
            result = await done(send(op.at_bank(life.bic, USER).payments))
        except OutcomeUnknownError as unknown:
            error, outcome = unknown, "unknown"
            self.run.unknown.append((cut, unknown))
        except ConnectionFailedError as failed:
            error, outcome = failed, "not sent"
            self.run.failed.append((planned, failed))
        else:
            outcome = "result"
        finally:
            self.proxy.mend()
        self.run.tally[kind, cut, outcome] += 1
        return result, error


def order_of(reference: str, account: str) -> DomesticPayment:
    return DomesticPayment(
        instructed_amount=amount(PAID, "SEK"),
        debtor_account=DebtorAccountReference(iban=account),
        creditor_account=AccountReference(iban=PAYEE_IBAN),
        creditor_name=PAYEE,
        end_to_end_identification=reference,
    )


async def done(value: Any) -> Any:
    """What a method gave, of a sync or an async client."""
    return await value if inspect.isawaitable(value) else value


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Runs what never waits for anything: the work of a sync client."""
    with pytest.raises(StopIteration):
        work.send(None)


def go(run: Run, kind: str, seed: int) -> None:
    """Lives all lives of a seed."""
    left = deque(lives(seed))

    async def work(caller: Caller) -> None:
        while left:
            await caller.live(left.popleft())

    with ExitStack() as stack:
        proxies = [stack.enter_context(CuttingProxy(run.simulator.api_url)) for _ in range(LANES[kind])]
        behind = [Environment(name="cut", auth_url=run.simulator.auth_url, api_url=each.url) for each in proxies]
        if kind == "sync":
            clients = [stack.enter_context(run.simulator.client(environment=each)) for each in behind]
            callers = [Caller(run, op, proxy) for op, proxy in zip(clients, proxies, strict=True)]
            with ThreadPoolExecutor(len(callers)) as threads:
                list(threads.map(lambda each: at_once(work(each)), callers))
        else:
            asyncio.run(go_async(run, behind, proxies, work))


async def go_async(run: Run, behind: list[Environment], proxies: list[CuttingProxy], work: Any) -> None:
    async with asyncio.TaskGroup() as tasks:
        for environment, proxy in zip(behind, proxies, strict=True):
            op = run.simulator.async_client(environment=environment)

            async def one(op: Any = op, proxy: CuttingProxy = proxy) -> None:
                async with op:
                    await work(Caller(run, op, proxy))

            tasks.create_task(one())


def check(run: Run, seed: int) -> None:
    """Nothing was sent twice, nothing was paid twice, and every error knows what it is about."""
    sent = Counter(
        request.headers["x-request-id"]
        for request in run.simulator.requests
        if request.host == "api" and request.method != "GET"
    )
    assert {*sent.values()} == {1}
    for planned, failed in run.failed:
        assert planned.cut in {Cut.REFUSED, Cut.NOTHING_SENT}
        assert not (planned.cut is Cut.REFUSED and planned.retries)
        assert not failed.may_have_taken_effect
        assert failed.request_id not in sent
    for cut, error in run.unknown:
        assert sent[error.request_id or ""] == (cut in CARRIED_OUT)
        assert error.may_have_taken_effect
        assert error.advice
        said = f"{error} {error!r} {error.sent}"
        assert not [secret for secret in (str(PAID), PAYEE, PAYEE_IBAN, PAYER_IBAN, run.account) if secret in said]
    made = {each.id: each for each in run.simulator.payments}
    references = Counter(each.request["endToEndIdentification"] for each in made.values())
    assert {*references.values()} == {1}
    assert {each.id for each in made.values() if each.status in {"ACSP", "ACSC"}} == run.paid
    wanted = Counter(life.reference for life in lives(seed) if life.authorisation)
    assert Counter(made[each].request["endToEndIdentification"].removesuffix("-again") for each in run.paid) == wanted
    signed = [one for each in made.values() if each.id in run.paid for one in each.authorisations]
    assert sum(one.sca_status == "finalised" for one in signed) == len(run.paid)


def live_all(kind: str, seed: int) -> Tally:
    """Lives all lives of a seed, on a simulator of their own, and checks what is left of them."""
    with Simulator(decoupled_reads=None, settlement=3600) as simulator, simulator.client() as op:
        bank = op.at_bank("ESSESESS", USER)
        consent = bank.consents.create(valid_until=timedelta(days=1))
        simulator.approve(consent.consent_id)
        account = bank.accounts(consent).list()[0]
        run = Run(simulator, account.iban or "")
        go(run, kind, seed)
        check(run, seed)
        paid = {each.id for each in simulator.payments if each.id in run.paid and each.bic == "ESSESESS"}
        for each in paid:
            simulator.settle_payment(each)
        entries = [each for each in bank.accounts(consent).transactions(account) if each.payment_id]
        # the account was debited once for each payment that somebody approved
        assert Counter(each.payment_id for each in entries) == Counter(paid)
        assert {money(each.transaction_amount) for each in entries} == {-PAID}
    return run.tally


def table(tally: Tally) -> str:
    """How many operations ended how, by kind and by where their connection broke."""
    ends = ("result", "unknown", "not sent")
    rows = [f"{'the connection broke':28}", *(f"{each.value:28}" for each in Cut)]
    for kind in ("create", "authorise", "cancel"):
        rows[0] += f"  {kind + ': ' + ' / '.join(ends):>37}"
        for number, cut in enumerate(Cut, 1):
            rows[number] += f"  {' / '.join(str(tally[kind, cut, end]) for end in ends):>37}"
    return "\n".join(each.rstrip() for each in rows)


@pytest.mark.parametrize(("kind", "seed"), [(kind, seed) for kind, seeds in RUNS.items() for seed in seeds])
def test_a_connection_that_breaks_makes_no_second_payment(kind: str, seed: int) -> None:
    tally = live_all(kind, seed)
    for operation, times in (("create", 21), ("authorise", 7), ("cancel", 14)):
        for cut in Cut:
            ends = {end: tally[operation, cut, end] for end in ("result", "unknown", "not sent")}
            assert sum(ends.values()) == times
            if cut is Cut.REFUSED:  # half of the hosts came back
                assert min(ends["result"], ends["not sent"]) > 0 == ends["unknown"]
            elif cut is not Cut.NOTHING_SENT:
                assert ends["unknown"] == times


def main() -> None:
    """Prints what all operations end as."""
    begun, tally = time.monotonic(), Counter[tuple[str, Cut, str]]()
    for kind, seeds in RUNS.items():
        for seed in seeds:
            tally += live_all(kind, seed)
    print(table(tally))  # noqa: T201
    print(  # noqa: T201
        f"{tally.total()} operations in {time.monotonic() - begun:.0f} s, and no payment twice"
    )


if __name__ == "__main__":
    main()
