"""Payments from their creation to their entry in the account, and what else may become of them, over real HTTP."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import sys
import time
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from openpayments_facade import (
    AccountReference,
    AnotherSignatureNeededError,
    APIError,
    Approach,
    AsyncAuthorisation,
    AsyncOpenPayments,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    CancellationRefusedError,
    CreatedPayment,
    CrossBorderPayment,
    DebtorAccountReference,
    DomesticPayment,
    GiroReference,
    InternationalAddress,
    InvalidArgumentError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
    Payment,
    PaymentCancelled,
    PaymentCancelledError,
    PaymentError,
    PaymentRejectedError,
    PaymentStatus,
    PaymentTimeoutError,
    Psu,
    SepaCreditTransfer,
    ServerError,
    SwedishGiroPayment,
    UnreadableResponseError,
    amount,
    money,
    payments,
)
from openpayments_facade._protocol.arguments import today
from openpayments_facade._protocol.patience import PATIENCE
from openpayments_facade.models import PaymentCreated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from openpayments_facade.simulator import Simulator

CALLBACK = "https://app.example.com/callback"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
TOMORROW = today().date() + timedelta(days=1)
PAYMENTS, TOKENS = "/psd2/paymentinitiation/v1/payments", "/connect/token"
STATUSES = f"{PAYMENTS}/*/*/status"
DEBTOR = "SE4550000000058398257466"  # of nobody at the simulator
PAYEE = AccountReference(iban="SE3550000000054910000003")
ORDERS = ["domestic", "sepa", "giro-ocr", "giro-invoice", "cross-border"]


def order(kind: str = "domestic", iban: str | None = DEBTOR, **more: Any) -> Any:
    """A payment of one of the ORDERS."""
    payer = DebtorAccountReference(iban=iban)
    if kind == "domestic":
        fields = {"creditor_account": PAYEE, "creditor_name": "Example Shop"}
        return DomesticPayment(amount(Decimal("125.50"), "SEK"), payer, **{**fields, **more})
    if kind == "sepa":
        fields = {
            "creditor_account": AccountReference(iban="DE75512108001245126199"),
            "creditor_name": "Beispiel GmbH",
            "creditor_agent": "DEUTDEFF",
            "creditor_agent_name": "Beispielbank",
        }
        return SepaCreditTransfer(amount("12.30", "EUR"), payer, **{**fields, **more})
    if kind == "cross-border":
        fields = {
            "creditor_account": AccountReference(bban="123456789"),
            "creditor_name": "Example Inc",
            "creditor_agent": "CHASUS33",
            "creditor_agent_name": "Example Bank",
            "creditor_address": InternationalAddress("US", "New York", "10001", "1 Example Street"),
        }
        return CrossBorderPayment(amount(130, "USD"), payer, **{**fields, **more})
    reference = {"ocr_ref": "12344"} if kind == "giro-ocr" else {"invoice_ref": "Invoice 7"}
    fields = {"creditor_giro": GiroReference("5050-1055", "BANKGIRO"), "creditor_name": "Example Power", **reference}
    return SwedishGiroPayment(amount(99, "SEK"), payer, **{**fields, **more})


def requests(simulator: Simulator, path: str = PAYMENTS) -> list[str]:
    """What was sent about payments, without ids: `POST domestic`, `GET domestic/status`, ..."""
    found = []
    for request in simulator.requests:
        parts = request.path.removeprefix(path).strip("/").split("/")
        if request.path.startswith(path):
            found.append(f"{request.method} {'/'.join([parts[0], *parts[2:3]])}")
    return found


async def approved(op: AsyncOpenPayments, simulator: Simulator, bic: str = "ESSESESS") -> CreatedPayment:
    """A payment that the user has approved."""
    created = await op.at_bank(bic, SOMEBODY).payments.create(order())
    simulator.approve(created.payment_id)
    return created


class Clock:
    """Time at the banks, which only passes while somebody would sleep."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def openpayments_simulator_options(clock: Clock) -> dict[str, Any]:
    return {"clock": clock, "decoupled_reads": 1, "settlement": 100}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[float]:
    """How long was waited between two reads; the time passes at the banks alone."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        # the event loop's own parts sleep, too, and so do other threads
        if sys._getframe(1).f_globals["__name__"].endswith(".waiting"):
            found.append(seconds)
            clock.now += seconds
        else:
            await sleep(seconds)

    monkeypatch.setattr("asyncio.sleep", note)
    return found


# from creation to the account


@pytest.mark.parametrize("user", [SOMEBODY, COMPANY], ids=["private", "corporate"])
@pytest.mark.parametrize("approach", ["redirect", "decoupled"])
@pytest.mark.parametrize("kind", ORDERS)
async def test_a_payment_from_its_creation_to_its_entry_in_the_account(
    op: AsyncOpenPayments, simulator: Simulator, kind: str, approach: str, user: Psu
) -> None:
    bic = "ESSESESS" if kind in ("domestic", "sepa") else "SWEDSESS"
    bank = op.at_bank(bic, user, redirect_preferred=approach == "redirect")
    consent = await bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    account = (await bank.accounts(consent).list())[0]

    quote = None
    if kind == "cross-border":
        quote = await bank.fx_quotes.create(
            source_currency="SEK", target_currency="USD", amount=Decimal(130), country_code="US"
        )
    created = await bank.payments.create(order(kind, account.iban), fx_quote=quote)
    assert created.transaction_status == "RCVD"
    assert payments.warnings(created) == []
    authorisation = await bank.payments.authorise(created)
    if approach == "redirect":
        assert authorisation.approach is Approach.OAUTH_REDIRECT
        token = await authorisation.complete(simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK)))
        assert token is not None
        assert token.scope == f"paymentinitiation {'private' if user is SOMEBODY else 'corporate'}"
    else:
        assert authorisation.approach is Approach.DECOUPLED
        assert authorisation.challenge is not None
    assert await authorisation.wait(poll_interval=0.01) == "ACSP"
    assert (authorisation.resource_id, authorisation.consent_id) == (created.payment_id, "")

    status = await bank.payments.wait(created)
    assert (status, status.is_accepted, status.is_settled) == ("ACSP", True, False)
    entries = bank.accounts(consent).transactions(account, booking_status="both")
    assert (found := payments.find([each async for each in entries], created))
    assert found.booking_status == "pending"
    simulator.settle_payment(created.payment_id)
    status = await bank.payments.wait(created, "settled")
    assert (status, status.is_settled, status.is_final) == ("ACSC", True, True)
    assert (found := bank.payments.find([each async for each in entries], created))
    assert (found.booking_status, found.payment_id) == ("booked", created.payment_id)
    assert found.end_to_end_id == created.end_to_end_identification
    assert money(found.transaction_amount) < 0
    if quote is not None:  # with rate and fee
        assert money(found.transaction_amount) == -Decimal(quote.total_amount or 0)
    [sent] = simulator.payments
    assert (sent.product, len(sent.authorisations)) == (created.product, 1)
    assert found.creditor_name == sent.request["creditorName"]


async def test_a_payment_is_read_back_without_what_its_bank_leaves_out(op: AsyncOpenPayments) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await bank.payments.create(order("giro-ocr", debtor_account_message="Power"))
    read = await bank.payments.get(created)
    assert (read.transaction_status, read.creditor_name, read.creditor_account) == ("RCVD", "Example Power", None)
    assert read.instructed_amount == amount(99, "SEK")
    assert read.end_to_end_identification == created.end_to_end_identification
    assert read.debtor_account_message == "Power"
    assert read.debtor_account is not None
    assert read.debtor_account.iban == DEBTOR


# cancellation


async def test_a_payment_is_cancelled_before_and_after_its_approval(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    unsigned = await bank.payments.create(order())
    assert await bank.payments.cancel(unsigned) is None
    consent = await bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    account = (await bank.accounts(consent).list())[0]
    signed = await bank.payments.create(order(iban=account.iban))
    simulator.approve(signed.payment_id)
    assert await bank.payments.status(signed) == "ACSP"
    assert await bank.payments.cancel(signed) is None
    for created in (unsigned, signed):
        status = await bank.payments.status(created)
        assert (status, status.is_failed, status.is_final) == ("CANC", True, True)
        with pytest.raises(PaymentCancelledError, match=created.payment_id) as caught:
            await bank.payments.wait(created)
        assert (caught.value.payment_id, caught.value.status) == (created.payment_id, "CANC")
        assert isinstance(caught.value, PaymentError)
        with pytest.raises(CancellationRefusedError):
            await bank.payments.cancel(created)
    both = bank.accounts(consent).transactions(account, booking_status="both")
    entries = [each async for each in both]
    assert payments.find(entries, signed) is None


async def test_a_bank_refuses_to_cancel(op: AsyncOpenPayments, simulator: Simulator) -> None:
    settled = await approved(op, simulator)
    simulator.settle_payment(settled.payment_id)
    unsigned = await op.at_bank("HANDSESS", SOMEBODY).payments.create(order())
    for bic, created, status in (("ESSESESS", settled, "ACSC"), ("HANDSESS", unsigned, "RCVD")):
        bank = op.at_bank(bic, SOMEBODY)
        with pytest.raises(CancellationRefusedError, match="CANCELLATION_INVALID") as caught:
            await bank.payments.cancel(created)
        assert (caught.value.status_code, caught.value.may_have_taken_effect) == (405, False)
        assert caught.value.messages[0].path == "paymentId"
        assert await bank.payments.status(created) == status
    assert [each for each in requests(simulator) if each.startswith("DELETE")] == ["DELETE domestic"] * 2


async def test_a_cancellation_that_the_user_has_to_approve(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await approved(op, simulator, "SWEDSESS")
    answer = await bank.payments.cancel(created)
    assert answer is not None
    assert answer.links is not None
    assert (answer.transaction_status, "startAuthorisation" in answer.links) == ("ACSP", True)

    declined = await bank.payments.authorise(created, cancellation=True)
    simulator.decline(declined.authorisation_id)
    with pytest.raises(AuthorisationFailedError) as caught:
        await declined.wait(poll_interval=0.01)
    assert (caught.value.code, caught.value.payment_id) == ("USER_CANCEL", created.payment_id)
    assert await bank.payments.status(created) == "ACSP"

    second = await bank.payments.authorise(created, cancellation=True)
    saved = json.loads(json.dumps(second.to_dict()))
    assert (saved["kind"], saved["payment_id"], saved["product"]) == ("cancellation", created.payment_id, "domestic")
    async with simulator.async_client() as another:
        resumed = another.at_bank("SWEDSESS", SOMEBODY).payments.resume(saved)
        status = await resumed.wait(poll_interval=0.01)
        assert (status, status.is_failed) == ("CANC", True)
    ids = [declined.authorisation_id, second.authorisation_id]
    assert await bank.payments.authorisations(created, cancellation=True) == ids
    assert await bank.payments.authorisations(created) == []
    with pytest.raises(PaymentCancelledError):
        await bank.payments.wait(created)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", ["", {}])
async def test_only_one_answer_says_that_a_payment_is_cancelled(
    op: AsyncOpenPayments, simulator: Simulator, status: int, body: Any
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await bank.payments.create(order())
    simulator.misbehave(PAYMENTS, method="DELETE", status=status, body=body)
    assert await bank.payments.cancel(created) == PaymentCancelled()
    simulator.misbehave(PAYMENTS, method="DELETE", status=204)
    assert await bank.payments.cancel(created) is None


async def test_a_cancellation_in_the_browser(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=True)
    created = await bank.payments.create(order())
    simulator.approve(created.payment_id)
    assert await bank.payments.cancel(created)
    authorisation = await bank.payments.authorise(created, cancellation=True)
    assert authorisation.approach is Approach.OAUTH_REDIRECT
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    assert await authorisation.complete(callback)
    assert await authorisation.wait(poll_interval=0.01) == "CANC"


async def test_a_payment_that_is_settled_before_its_cancellation_is_approved(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await approved(op, simulator, "SWEDSESS")
    await bank.payments.cancel(created)
    authorisation = await bank.payments.authorise(created, cancellation=True)
    simulator.settle_payment(created.payment_id)
    with pytest.raises(AuthorisationFailedError, match="cancellation"):
        await authorisation.wait(poll_interval=0.01)
    # and where the authorisation knows nothing of it
    simulator.misbehave(f"{PAYMENTS}/*/*/cancellation-authorisations/*", change={"scaStatus": "finalised"})
    with pytest.raises(AuthorisationFailedError, match="ACSC") as caught:
        await bank.payments.resume(authorisation.to_dict()).wait(poll_interval=0.01)
    assert caught.value.code == "ACSC"


# what else may become of a payment


async def test_a_bank_that_rejects_a_payment(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", evolve(SOMEBODY, id="example-payment-rejected"), redirect_preferred=False)
    created = await bank.payments.create(order())
    authorisation = await bank.payments.authorise(created)
    waits: list[Callable[[], Awaitable[PaymentStatus]]] = [
        lambda: authorisation.wait(poll_interval=0.01),
        lambda: bank.payments.wait(created),
        lambda: bank.payments.wait(created, "settled"),
    ]
    for wait in waits:
        with pytest.raises(PaymentRejectedError, match=f"payment {created.payment_id} is RJCT: RAW") as caught:
            await wait()
        assert (caught.value.payment_id, caught.value.status, caught.value.code) == (created.payment_id, "RJCT", "RAW")
        assert [each.text for each in caught.value.messages] == ["the bank rejected the payment"]
    assert authorisation.sca_status == "finalised"
    status = await bank.payments.status(created)
    assert (status.is_failed, status.is_final, status.is_accepted) == (True, True, False)
    assert [each.code for each in status.messages] == ["RAW"]


@pytest.mark.parametrize(("status", "error"), [("RJCT", PaymentRejectedError), ("CANC", PaymentCancelledError)])
async def test_a_payment_that_ends_while_it_is_waited_for(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float], status: str, error: type[PaymentError]
) -> None:
    created = await approved(op, simulator)
    message = {"tppMessages": [{"category": "ERROR", "code": "RAW", "text": "a reason"}]}
    simulator.misbehave(STATUSES, times=2, change={"transactionStatus": "ACSP"})
    simulator.misbehave(STATUSES, change={"transactionStatus": status, **message})
    with pytest.raises(error, match=f"{created.payment_id} is {status}: RAW: a reason") as caught:
        await op.at_bank("ESSESESS", SOMEBODY).payments.wait(created, "settled")
    assert (caught.value.payment_id, caught.value.status, caught.value.code) == (created.payment_id, status, "RAW")
    assert waits == [1, 1.5]


LONGEST_PAUSE = 30
FIRST_OF_TWO, SECOND = evolve(COMPANY, id="99990101002"), evolve(COMPANY, id="99990101000")


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a bank that is only late."""
    monkeypatch.setattr(sys.modules[AsyncAuthorisation.__module__], "GRACE", 0.0)


@pytest.mark.usefixtures("no_grace")
async def test_a_payment_that_needs_two_signatures(op: AsyncOpenPayments, simulator: Simulator) -> None:
    first = op.at_bank("ESSESESS", FIRST_OF_TWO, redirect_preferred=False)
    created = await first.payments.create(order())
    authorisation = await first.payments.authorise(created)
    with pytest.raises(AnotherSignatureNeededError, match=r"PATC \(AUTHORISATION_PENDING_API: ") as caught:
        await authorisation.wait(poll_interval=0.01)
    assert (caught.value.payment_id, caught.value.authorisation_id) == (
        created.payment_id,
        authorisation.authorisation_id,
    )
    assert isinstance(caught.value, AuthorisationTimeoutError)
    sent = len(simulator.requests)
    with pytest.raises(AnotherSignatureNeededError, match="AUTHORISATION_PENDING_API") as caught:
        await first.payments.wait(created)
    assert len(simulator.requests) == sent + 1  # it may take days, so nobody waits for it
    assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]
    status = await first.payments.status(created)
    assert (status.needs_another_signature, status.is_final, status.is_accepted) == (True, False, False)

    second = op.at_bank("ESSESESS", SECOND, redirect_preferred=False)
    theirs = await second.payments.authorise(created)
    assert await theirs.wait(poll_interval=0.01) == "ACSP"
    assert await first.payments.wait(created) == "ACSP"
    assert await authorisation.wait(poll_interval=0.01) == "ACSP"
    ids = [authorisation.authorisation_id, theirs.authorisation_id]
    assert await first.payments.authorisations(created) == ids


@pytest.mark.usefixtures("no_grace")
async def test_what_is_missing_is_said_by_the_authorisation_too(op: AsyncOpenPayments) -> None:
    bank = op.at_bank("ESSESESS", FIRST_OF_TWO, redirect_preferred=False)
    authorisation = await bank.payments.authorise(await bank.payments.create(order()))
    with pytest.raises(AnotherSignatureNeededError) as caught:
        await authorisation.wait(poll_interval=0.01)
    assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]


@pytest.mark.parametrize("sandbox_flaws", [False, True])
@pytest.mark.parametrize(
    ("psu_id", "code"), [("99990101005", "BANKID_NOT_ACTIVATED"), ("99990101004", "AUTHENTICATION_SESSION_EXPIRED")]
)
async def test_a_failed_authorisation_has_failed_whatever_the_payment_says(
    clock: Clock, psu_id: str, code: str, sandbox_flaws: bool
) -> None:
    from openpayments_facade.simulator import Simulator

    with Simulator(sandbox_flaws=sandbox_flaws, decoupled_reads=1, clock=clock) as simulator:
        async with simulator.async_client() as op:
            bank = op.at_bank("ESSESESS", evolve(COMPANY, id=psu_id), redirect_preferred=False)
            created = await bank.payments.create(order())
            authorisation = await bank.payments.authorise(created)
            saved = authorisation.to_dict()
            for journey in (authorisation, bank.payments.resume(saved)):
                with pytest.raises(AuthorisationFailedError, match=code) as caught:
                    await journey.wait(poll_interval=0.01)
                assert (caught.value.code, caught.value.sca_status) == (code, "failed")
                assert caught.value.payment_id == created.payment_id
                assert caught.value.trying_again_helps == (psu_id == "99990101004")
            assert await bank.payments.status(created) == ("ACSP" if sandbox_flaws else "RCVD")


async def test_a_second_authorisation_after_a_failed_one(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    created = await bank.payments.create(order())
    failed = await bank.payments.authorise(created)
    callback = simulator.visit(failed.redirect_url(redirect_uri=CALLBACK), approve=False)
    with pytest.raises(AuthorisationFailedError) as caught:
        await failed.complete(callback)
    assert (caught.value.code, caught.value.payment_id) == ("access_denied", created.payment_id)
    with pytest.raises(AuthorisationFailedError):
        await failed.wait(poll_interval=0.01)
    assert await bank.payments.status(created) == "RCVD"
    second = await bank.payments.authorise(created)
    await second.complete(simulator.visit(second.redirect_url(redirect_uri=CALLBACK)))
    assert await second.wait(poll_interval=0.01) == "ACSP"
    statuses = [
        (await bank.payments.sca_status(created, authorisation_id=each)).sca_status
        for each in await bank.payments.authorisations(created)
    ]
    assert statuses == ["failed", "finalised"]
    # the outcome of the first one stays what it was
    with pytest.raises(AuthorisationFailedError):
        await failed.wait(poll_interval=0.01)


async def test_banks_and_users_with_whom_nothing_is_left_to_do(op: AsyncOpenPayments) -> None:
    exempted = evolve(SOMEBODY, id="example-exempted")
    for bic, user, ends_as in (("HANDSESS", SOMEBODY, "finalised"), ("ESSESESS", exempted, "exempted")):
        bank = op.at_bank(bic, user, redirect_preferred=False)
        authorisation = await bank.payments.authorise(await bank.payments.create(order()))
        assert (authorisation.sca_status, authorisation.challenge) == (ends_as, None)
        assert (await authorisation.poll()).is_over
        assert await authorisation.wait(poll_interval=0.01) == "ACSP"


@pytest.mark.openpayments_simulator(plain_redirect=True)
async def test_a_plain_redirect_needs_no_exchange(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    created = await bank.payments.create(order())
    authorisation = await bank.payments.authorise(created)
    assert authorisation.approach is Approach.REDIRECT
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    assert await authorisation.complete(callback) is None
    assert await authorisation.wait(poll_interval=0.01) == "ACSP"
    assert simulator.token_requests == 1


@pytest.mark.parametrize("status", ["RCVD", "ACTC", "XYZ9"])
async def test_the_authorisation_alone_says_that_the_user_has_approved(
    op: AsyncOpenPayments, simulator: Simulator, status: str
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    created = await bank.payments.create(order())
    authorisation = await bank.payments.authorise(created)
    simulator.misbehave(STATUSES, change={"transactionStatus": status})
    assert await authorisation.wait(poll_interval=0.01) == status
    # and accepted it is later
    assert await bank.payments.wait(created) == "ACSP"


async def test_a_payment_that_is_accepted_does_not_end_its_authorisation(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    authorisation = await bank.payments.authorise(await bank.payments.create(order()))
    silent = simulator.misbehave(f"{PAYMENTS}/*/*/authorisations/*", method="GET", times=None, body={})
    accepted = simulator.misbehave(STATUSES, times=None, body={"transactionStatus": "ACSP"})
    assert not (await authorisation.poll()).is_over
    with pytest.raises(AuthorisationTimeoutError):
        await authorisation.wait(timeout=0.5, poll_interval=0.01)
    assert silent.used > 1
    assert accepted.used > 0
    # but what is rejected is over
    simulator.behave()
    simulator.misbehave(f"{PAYMENTS}/*/*/authorisations/*", method="GET", body={})
    simulator.misbehave(STATUSES, change={"transactionStatus": "RJCT"})
    with pytest.raises(PaymentRejectedError):
        await bank.payments.resume(authorisation.to_dict()).wait(poll_interval=0.01)


async def test_a_user_who_never_ends(op: AsyncOpenPayments) -> None:
    bank = op.at_bank("ESSESESS", evolve(SOMEBODY, id="example-never-ends"), redirect_preferred=False)
    created = await bank.payments.create(order())
    authorisation = await bank.payments.authorise(created)
    with pytest.raises(AuthorisationTimeoutError, match=created.payment_id) as caught:
        await authorisation.wait(timeout=0.05, poll_interval=0.02)
    assert not isinstance(caught.value, AnotherSignatureNeededError)
    assert caught.value.payment_id == created.payment_id


# waiting


async def test_it_is_read_at_growing_intervals_until_it_is_settled(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float]
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = await bank.payments.create(order())
    simulator.misbehave(STATUSES, times=8, change={"transactionStatus": "ACTC"})
    simulator.approve(created.payment_id)
    assert await bank.payments.wait(created, timeout=3600) == "ACSP"
    assert waits[:4] == [1, 1.5, 2.25, 3.375]
    assert waits == sorted(waits)
    assert len(waits) == 8
    # the next wait begins anew, and the longest pause is half a minute
    waits.clear()
    simulator.settle_payment(created.payment_id)
    simulator.misbehave(STATUSES, times=11, change={"transactionStatus": "ACWP"})
    assert (await bank.payments.wait(created, "settled", timeout=3600)) == "ACSC"
    assert waits[0] == 1
    assert waits[-2:] == [30, 30]
    assert len(waits) == 11


async def test_a_settlement_that_takes_its_time(
    op: AsyncOpenPayments, simulator: Simulator, clock: Clock, waits: list[float]
) -> None:
    created = await approved(op, simulator)
    payments_ = op.at_bank("ESSESESS", SOMEBODY).payments
    assert await payments_.wait(created, timeout=3600) == "ACSP"
    assert waits == []
    begin = clock.now
    assert await payments_.wait(created, "settled", timeout=3600) == "ACSC"
    assert 100 <= clock.now - begin < 100 + LONGEST_PAUSE


@pytest.mark.parametrize("until", ["accepted", "settled"])
async def test_a_payment_that_is_not_in_time(op: AsyncOpenPayments, simulator: Simulator, until: Any) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = await bank.payments.create(order())
    if until == "settled":
        simulator.approve(created.payment_id)
    status = "RCVD" if until == "accepted" else "ACSP"
    sent = len(simulator.requests)
    with pytest.raises(PaymentTimeoutError, match=f"not {until} within 0.05 s; its status is {status}") as caught:
        await bank.payments.wait(created, until, timeout=0.05)
    assert (caught.value.payment_id, caught.value.status) == (created.payment_id, status)
    assert len(simulator.requests) - sent in {1, 2}  # a slow machine has no time for the last look
    # it can be called again
    if until == "accepted":
        simulator.approve(created.payment_id)
    else:
        simulator.settle_payment(created.payment_id)
    assert (await bank.payments.wait(created, until)).is_accepted


async def test_a_bank_says_why_it_takes_so_long(op: AsyncOpenPayments, simulator: Simulator) -> None:
    created = await op.at_bank("ESSESESS", SOMEBODY).payments.create(order())
    simulator.misbehave(STATUSES, times=None, change={"tppMessages": [{"category": "WARNING", "text": "on Monday"}]})
    with pytest.raises(PaymentTimeoutError) as caught:
        await op.at_bank("ESSESESS", SOMEBODY).payments.wait(created, timeout=0.05)
    assert isinstance(caught.value.status, PaymentStatus)
    assert [each.text for each in caught.value.messages] == ["on Monday"]


async def test_failures_that_may_pass_while_waiting(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float]
) -> None:
    created = await approved(op, simulator)
    payments_ = op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    fault = simulator.misbehave(STATUSES, times=PATIENCE - 1, status=503)
    assert (await payments_.wait(created)).is_accepted
    assert (fault.used, len(waits)) == (PATIENCE - 1, PATIENCE - 1)
    fault = simulator.misbehave(STATUSES, times=PATIENCE, status=503)
    with pytest.raises(ServerError) as caught:
        await payments_.wait(created)
    assert fault.used == PATIENCE
    assert not caught.value.may_have_taken_effect  # it only reads
    # a read that succeeds makes the next failures the first ones
    waits.clear()
    for _ in range(2):
        simulator.misbehave(STATUSES, times=PATIENCE - 1, close=True)
        simulator.misbehave(STATUSES, change={"transactionStatus": "ACFC"})
    assert (await payments_.wait(created)).is_accepted
    assert len(waits) == 2 * PATIENCE
    with pytest.raises(NotFoundError):
        await payments_.wait("nobody-has-this-id", product="domestic")


@pytest.mark.parametrize("odd", [{}, {"transactionStatus": None}, [], "", "<h1>Soon</h1>"])
async def test_a_status_that_can_not_be_read_is_read_again(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float], odd: Any
) -> None:
    created = await approved(op, simulator)
    bank = op.at_bank("ESSESESS", SOMEBODY)
    simulator.misbehave(STATUSES, body=odd, times=2)
    with pytest.raises(UnreadableResponseError):
        await bank.payments.status(created)
    assert await bank.payments.wait(created) == "ACSP"
    assert waits == [1]


async def test_a_server_may_say_how_long_to_wait(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float]
) -> None:
    created = await approved(op, simulator)
    payments_ = op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    for seconds in ("7", "600", "0"):
        simulator.misbehave(STATUSES, status=429, headers={"Retry-After": seconds})
    assert await payments_.wait(created) == "ACSP"
    assert waits == [7, 10, 2.25]


# creation


async def test_a_product_that_the_bank_lacks_is_refused_after_asking_once(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    for _ in range(2):
        with pytest.raises(InvalidArgumentError, match="offers sepa-credit-transfers, domestic") as caught:
            await bank.payments.create(order("giro-ocr"), check_product=True)
        assert caught.value.argument == "product"
    assert requests(simulator) == []
    assert (await bank.payments.create(order(), check_product=True)).product == "domestic"
    # a bank that does not say is asked for it
    await op.at_bank("NDEASESS", SOMEBODY).payments.create(order("giro-ocr"), check_product=True)
    asked = [each.path for each in simulator.requests if "/aspsps/" in each.path]
    assert [path.rpartition("/")[2] for path in asked] == ["ESSESESS", "NDEASESS"]
    # without the check, the bank refuses it
    with pytest.raises(NotFoundError, match="PRODUCT_UNKNOWN"):
        await bank.payments.create(order("giro-ocr"))
    async with simulator.async_client(api_scopes=["paymentinitiation"]) as less:
        with pytest.raises(MissingScopeError):
            await less.at_bank("ESSESESS", SOMEBODY).payments.create(order(), check_product=True)


@pytest.mark.parametrize(
    ("kind", "payee", "codes", "match"),
    [
        ("domestic", "Example Flagged", ["CREDITOR_ACCOUNT_FLAGGED"], None),
        ("domestic", "Example No Match", [], None),
        ("sepa", "Beispiel GmbH", [], "MTCH"),
        ("sepa", "Example No Match", ["CREDITOR_NAME_MISMATCH"], "NMTC"),
        ("sepa", "Example Close Match", ["CREDITOR_NAME_CLOSE_MATCH"], "CMTC"),
        ("sepa", "Example Unverified", ["CREDITOR_NAME_UNVERIFIED"], "NOAP"),
        ("sepa", "Example Flagged", ["CREDITOR_ACCOUNT_FLAGGED"], "MTCH"),
    ],
)
async def test_warnings_are_there_before_the_user_signs(
    op: AsyncOpenPayments, simulator: Simulator, kind: str, payee: str, codes: list[str], match: str | None
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = await bank.payments.create(order(kind, creditor_name=payee))
    found = payments.warnings(created)
    assert [each.code for each in found] == codes
    assert all(each.text and each.category == "WARNING" for each in found)
    checked = payments.payee_match(created)
    assert (checked and checked.party_name_match) == match
    assert (checked and checked.matched_name) == (f"{payee} AB" if match == "CMTC" else None)
    assert requests(simulator) == [f"POST {created.product}"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (["CREDITOR_ACCOUNT_FLAGGED"], (None, "CREDITOR_ACCOUNT_FLAGGED")),
        ([{"detail": "flagged"}], (None, "flagged")),
        ({"code": "CREDITOR_ACCOUNT_FLAGGED", "text": "flagged"}, ("CREDITOR_ACCOUNT_FLAGGED", "flagged")),
    ],
)
async def test_a_warning_in_another_form_is_none_the_less(
    op: AsyncOpenPayments, simulator: Simulator, sent: Any, expected: tuple[str | None, str]
) -> None:
    simulator.misbehave(PAYMENTS, method="POST", change={"tppMessages": sent})
    created = await op.at_bank("ESSESESS", SOMEBODY).payments.create(order())
    assert [(each.code, each.text) for each in payments.warnings(created)] == [expected]


async def test_a_payment_can_be_kept_as_json(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = await bank.payments.create(order())
    kept = json.loads(json.dumps(created.to_dict()))
    assert kept["product"] == "domestic"
    again = CreatedPayment.from_dict(kept)
    assert (again.payment_id, again.end_to_end_identification) == (
        created.payment_id,
        simulator.payments[0].request["endToEndIdentification"],
    )
    assert await bank.payments.status(again) == "RCVD"
    assert again.to_dict() == kept


async def test_reads_that_time_out_while_waiting(
    op: AsyncOpenPayments, simulator: Simulator, waits: list[float]
) -> None:
    created = await approved(op, simulator)
    hasty = op.with_options(timeout=0.1, max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    fault = simulator.misbehave(STATUSES, times=2, delay=0.5)
    assert (await hasty.wait(created)).is_accepted
    assert fault.used == len(waits) == 2


@pytest.mark.parametrize("kind", ["domestic", "sepa", "giro-ocr"])
async def test_a_quote_for_another_payment_is_refused(op: AsyncOpenPayments, simulator: Simulator, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^fx_quote goes with cross-border payments"):
        await op.at_bank("SWEDSESS", SOMEBODY).payments.create(order(kind), fx_quote="q")
    assert not simulator.requests


@pytest.mark.parametrize("status", ["CANC", " canc "])
async def test_a_body_may_say_that_a_payment_is_cancelled(
    op: AsyncOpenPayments, simulator: Simulator, status: str
) -> None:
    created = await approved(op, simulator, "SWEDSESS")
    simulator.misbehave(PAYMENTS, method="DELETE", status=200, body={"transactionStatus": status})
    assert await op.at_bank("SWEDSESS", SOMEBODY).payments.cancel(created) is None


async def test_a_list_of_cancellations_as_it_was_until_2026(op: AsyncOpenPayments, simulator: Simulator) -> None:
    created = await approved(op, simulator, "SWEDSESS")
    simulator.misbehave("*/cancellation-authorisations", method="GET", body=["a1", "a2"])
    at = op.at_bank("SWEDSESS", SOMEBODY).payments
    assert await at.authorisations(created, cancellation=True) == ["a1", "a2"]


async def test_what_the_sdk_itself_has_noticed_is_a_warning_too(op: AsyncOpenPayments) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await bank.payments.create(order("giro-ocr", ocr_ref="12345", creditor_name="Example Flagged"))
    flagged, own = payments.warnings(created)
    assert (flagged.code, own.code, own.category) == ("CREDITOR_ACCOUNT_FLAGGED", None, "WARNING")
    assert "payment.ocr_ref has wrong check digits" in str(own.text)
    assert payments.warnings(pickle.loads(pickle.dumps(created))) == [flagged, own]


async def test_whether_a_failure_may_have_taken_effect(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    await op.access_token()
    for status in (500, 502, 503, 504, 408, 499, 303, 400, 403, 409, 429):
        simulator.misbehave(PAYMENTS, method="POST", status=status)
        with pytest.raises(APIError) as caught:
            await bank.payments.create(order())
        assert (caught.value.status_code, caught.value.may_have_taken_effect) == (
            status,
            status in {303, 408, 499, *range(500, 505)},
        )
        if caught.value.may_have_taken_effect:
            assert caught.value.advice in str(caught.value)
            assert caught.value.sent["creditorName"] == "***"
            assert len(str(caught.value.end_to_end_identification)) == 32
        else:
            assert (caught.value.advice, caught.value.sent, caught.value.end_to_end_identification) == ("", {}, None)
    odd: list[dict[str, Any]] = [
        {"body": "<h1>Welcome</h1>"},
        {"body": {}},
        {"body": []},
        {"body": {"paymentId": "../x"}},
        {"truncate": 20},
    ]
    for answer in odd:
        simulator.misbehave(PAYMENTS, method="POST", status=201, **answer)
        with pytest.raises(UnreadableResponseError) as unreadable:
            await bank.payments.create(order())
        assert (unreadable.value.status_code, unreadable.value.may_have_taken_effect) == (201, True)
    simulator.misbehave(PAYMENTS, method="POST", close=True)
    with pytest.raises(OutcomeUnknownError) as unknown:
        await bank.payments.create(order())
    assert unknown.value.may_have_taken_effect
    created = await bank.payments.create(order())
    simulator.misbehave(PAYMENTS, method="DELETE", status=500)
    simulator.misbehave(f"{PAYMENTS}/*/*/authorisations", method="POST", status=500)
    simulator.misbehave(PAYMENTS, method="GET", status=500)
    failing: list[tuple[Callable[[], Awaitable[Any]], bool]] = [
        (lambda: bank.payments.cancel(created), True),
        (lambda: bank.payments.authorise(created), True),
        (lambda: op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments.get(created), False),
    ]
    for call, may_have in failing:
        with pytest.raises(ServerError) as error:
            await call()
        assert error.value.may_have_taken_effect == may_have


# arguments

MORE: dict[str, dict[str, Any]] = {
    "get": {},
    "status": {},
    "start_authorisation": {},
    "select_method": {"authorisation_id": "a", "authentication_method_id": "mbid"},
    "sca_status": {"authorisation_id": "a"},
    "authorisations": {},
    "authorise": {},
    "wait": {"timeout": 0.01},
    "cancel": {},
}
"""The methods that take a payment, with the other arguments that they need."""


@pytest.mark.parametrize(
    ("payment", "product", "argument"),
    [
        ("p", None, "product"),
        (PaymentCreated("p"), None, "product"),
        (CreatedPayment("p"), None, "product"),
        ("p", "", "product"),
        ("p", "..", "product"),
        ("p", "a b", "product"),
        ("p", 5, "product"),
        (CreatedPayment("p", product="domestic"), "swedish-giro", "product"),
        ("", "domestic", "payment_id"),
        ("../x", "domestic", "payment_id"),
        (None, "domestic", "payment_id"),
        (5, "domestic", "payment_id"),
        (Payment(), "domestic", "payment_id"),
    ],
)
async def test_what_is_no_payment_is_refused_by_every_method(
    op: AsyncOpenPayments, simulator: Simulator, payment: Any, product: Any, argument: str
) -> None:
    payments_ = op.at_bank("ESSESESS", SOMEBODY).payments
    for name, more in MORE.items():
        with pytest.raises(InvalidArgumentError, match=f"^{argument} ") as caught:
            await getattr(payments_, name)(payment, product=product, **more)
        assert caught.value.argument == argument
    assert simulator.requests == []


@pytest.mark.parametrize("form", ["created", "answer", "id"])
async def test_every_method_takes_a_payment_in_each_form(
    op: AsyncOpenPayments, simulator: Simulator, form: str
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = await bank.payments.create(order())
    forms = {"created": created, "answer": PaymentCreated(created.payment_id), "id": created.payment_id}
    payment, more = forms[form], dict[str, Any]() if form == "created" else {"product": "domestic"}
    payments_: Any = bank.payments
    assert (await payments_.get(payment, **more)).creditor_name == "Example Shop"
    assert await payments_.status(payment, **more) == "RCVD"
    for cancellation in (False, True):
        more |= {"cancellation": cancellation}
        started = await payments_.start_authorisation(payment, **more)
        id_ = {"authorisation_id": started.authorisation_id}
        await payments_.select_method(payment, **id_, authentication_method_id="mbid", **more)
        assert (await payments_.sca_status(payment, **id_, **more)).sca_status == "finalised"
        again = {"authorisation_id": started}
        assert (await payments_.sca_status(payment, **again, **more)).sca_status == "finalised"
        assert await payments_.authorisations(payment, **more) == [started.authorisation_id]
        if not cancellation:
            del more["cancellation"]
            assert await payments_.wait(payment, **more) == "ACSP"
            assert await payments_.cancel(payment, **more)
    steps = ["POST {}", "PUT {}", "GET {}", "GET {}", "GET {}"]
    of_cancellation = [each.format("domestic/cancellation-authorisations") for each in steps]
    assert requests(simulator) == [
        "POST domestic",
        "GET domestic",
        "GET domestic/status",
        *[each.format("domestic/authorisations") for each in steps],
        "GET domestic/status",
        "DELETE domestic",
        *of_cancellation,
    ]


async def test_wrong_arguments_are_refused_before_anything_is_sent(op: AsyncOpenPayments, simulator: Simulator) -> None:
    payments_: Any = op.at_bank("ESSESESS", SOMEBODY).payments
    created = CreatedPayment("p", product="domestic")
    calls: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("until", lambda: payments_.wait(created, "paid")),
        ("until", lambda: payments_.wait(created, None)),
        ("timeout", lambda: payments_.wait(created, timeout=0)),
        ("timeout", lambda: payments_.wait(created, timeout="1")),
        ("cancellation", lambda: payments_.authorise(created, cancellation=1)),
        ("cancellation", lambda: payments_.authorisations(created, cancellation=None)),
        ("method", lambda: payments_.authorise(created, 5)),
        ("method", lambda: payments_.authorise(created, "mbid_animated_qr_token", same_device=True)),
        ("same_device", lambda: payments_.authorise(created, same_device="yes")),
        ("authorisation_id", lambda: payments_.sca_status(created, authorisation_id="..")),
        ("payment", lambda: payments_.create(order().to_dict() | {"instructedAmount": 1.5}, product="international")),
        ("payment", lambda: payments_.create(None)),
        ("product", lambda: payments_.create(order().to_dict())),
        ("product", lambda: payments_.create(order().to_dict(), product="..")),
        ("payment", lambda: payments_.create(order(), product="swedish-giro")),
        ("fx_quote", lambda: payments_.create(order("cross-border"), fx_quote="a\r\nb")),
        ("fx_quote", lambda: payments_.create(order("cross-border"), fx_quote=5)),
    ]
    for argument, call in calls:
        with pytest.raises(InvalidArgumentError, match=f"^{argument}") as caught:
            await call()
        assert caught.value.argument.split(".")[0] == argument
    assert simulator.requests == []


@pytest.mark.openpayments_simulator(rules="2021")
async def test_a_product_of_a_banks_own_is_sent_as_it_is(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    body = {
        "instructedAmount": {"currency": "USD", "amount": "17.5"},
        "debtorAccount": {"iban": DEBTOR},
        "creditorAccount": {"bban": "123456"},
        "creditorName": "Example Inc",
        "somethingNew": {"deep": [1, True, None]},
    }
    created = await bank.payments.create(body, product="international")
    assert created.product == "international"
    assert len(created.end_to_end_identification or "") == 32
    assert simulator.payments[-1].request == {**body, "endToEndIdentification": created.end_to_end_identification}
    assert "endToEndIdentification" not in body
    await bank.payments.create({**body, "endToEndIdentification": "mine"}, product="international")
    assert simulator.payments[-1].request["endToEndIdentification"] == "mine"
    simulator.approve(created.payment_id)
    assert await bank.payments.wait(created) == "ACSP"
    assert requests(simulator)[-1] == "GET international/status"


async def test_a_mapping_is_checked_and_sent_as_a_model_is(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    for kind in ORDERS:
        if kind != "sepa" and kind != "cross-border":
            model = order(kind, end_to_end_identification="same")
            product = (await bank.payments.create(model)).product
            created = await bank.payments.create(model.to_dict(), product=product)
            assert created.end_to_end_identification == "same"
            first, second = simulator.payments[-2:]
            assert (first.product, first.request) == (second.product, second.request)


async def test_a_reference_is_made_for_each_payment(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    mine = order()
    made = [(await bank.payments.create(mine)).end_to_end_identification for _ in range(3)]
    assert len({*made}) == 3
    assert [each.request["endToEndIdentification"] for each in simulator.payments] == made
    assert mine.end_to_end_identification is None


@pytest.mark.parametrize("kind", ["domestic", "giro-ocr"])
async def test_nothing_personal_is_written_to_the_log(
    op: AsyncOpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level("DEBUG")
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    more = {"ocr_ref": "12345"} if kind == "giro-ocr" else {}
    created = await bank.payments.create(order(kind, creditor_name="Example Person", **more))
    authorisation = await bank.payments.authorise(created)
    await authorisation.wait(poll_interval=0.01)
    simulator.misbehave(PAYMENTS, method="POST", close=True)
    with pytest.raises(OutcomeUnknownError) as caught:
        await bank.payments.create(order(kind, creditor_name="Example Person", **more))
    shown = f"{caplog.text} {created!r} {authorisation!r} {caught.value} {vars(caught.value)}"
    assert created.payment_id in shown
    for secret in (DEBTOR, PAYEE.iban, "Example Person", "125.50", "99.00", "5050-1055", "50501055", "'12345'"):
        assert secret is None or secret not in shown


# raw answers


async def test_raw_answers_of_every_step(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    raw = bank.with_raw_response.payments
    assert {*dir(bank.payments)} - {*dir(raw)} == {"authorise", "find", "resume", "wait"}
    answer = await raw.create(order())
    created = answer.parsed
    assert isinstance(created, CreatedPayment)
    assert (answer.status_code, created.product) == (201, "domestic")
    assert answer.headers["location"].endswith(created.payment_id)
    assert answer.json["paymentId"] == created.payment_id
    assert answer.request_id == simulator.requests[-1].headers["x-request-id"]
    started = await raw.start_authorisation(created)
    ids: dict[str, Any] = {"authorisation_id": started.parsed.authorisation_id}
    selected = await raw.select_method(created, authentication_method_id="mbid", **ids)
    assert selected.headers["aspsp-sca-approach"] == "DECOUPLED"
    assert (await raw.sca_status(created, **ids)).json["scaStatus"] == "finalised"
    assert (await raw.authorisations(created)).parsed == [ids["authorisation_id"]]
    assert (await raw.authorisations(created, cancellation=True)).parsed == []
    status = await raw.status(created)
    assert (type(status.parsed), status.parsed, status.status_code) == (PaymentStatus, "ACSP", 200)
    assert (await raw.get(created)).parsed.creditor_name == "Example Shop"
    cancelled = await raw.cancel(created)
    assert (cancelled.status_code, cancelled.parsed and cancelled.parsed.transaction_status) == (202, "ACSP")
    unsigned = await bank.payments.create(order())
    cancelled = await raw.cancel(unsigned)
    assert (cancelled.status_code, cancelled.parsed, cancelled.content) == (204, None, b"")
    # what can't be read is there to be looked at
    simulator.misbehave(PAYMENTS, method="POST", status=201, body=[])
    unreadable = await raw.create(order())
    assert (unreadable.status_code, unreadable.content) == (201, b"[]")
    with pytest.raises(UnreadableResponseError):
        _ = unreadable.parsed


# another process


async def test_another_process_finishes_an_authorisation(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", COMPANY, redirect_preferred=True)
    created = await bank.payments.create(order())
    authorisation = await bank.payments.authorise(created)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    saved = json.loads(json.dumps(authorisation.to_dict()))
    assert (saved["kind"], saved["payment_id"], saved["product"]) == ("payment", created.payment_id, "domestic")
    for secret in ("example-user", "example-company", "203.0.113.7", DEBTOR, "Example Shop", "125.5"):
        assert secret not in str(saved)
    async with simulator.async_client() as another:
        resumed = another.at_bank("SWEDSESS", COMPANY).payments.resume(saved)
        assert (resumed.resource_id, resumed.to_dict()) == (created.payment_id, saved)
        token = await resumed.complete(callback)
        assert token is not None
        assert token.scope == "paymentinitiation corporate"
        assert await resumed.wait(poll_interval=0.01) == "ACSP"
        status = await resumed.bank.payments.wait(resumed.resource_id, product=saved["product"])
        assert status == "ACSP"
    # whoever looks again later sees the same
    assert await bank.payments.resume(saved).wait(poll_interval=0.01) == "ACSP"


SAVED: dict[str, Any] = {
    "kind": "payment",
    "bic_fi": "SWEDSESS",
    "payment_id": "p",
    "product": "domestic",
    "authorisation_id": "a",
    "approach": "decoupled",
}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "consent"}, "saved must be a dict from to_dict.. of a payment or cancellation at SWEDSESS"),
        ({"kind": "basket"}, "saved must be a dict"),
        ({"kind": None}, "saved must be a dict"),
        ({"kind": ["payment"]}, "saved must be a dict"),
        ({"bic_fi": "ESSESESS"}, "saved must be a dict"),
        ({"product": None}, "saved must have a string for product"),
        ({"payment_id": None}, "saved must have a string for payment_id"),
        ({"approach": "pigeon"}, "saved must have a valid approach"),
        ({"payment_id": "../x"}, "payment_id"),
        ({"product": ".."}, "product"),
        ({"authorisation_id": ""}, "authorisation_id"),
    ],
)
async def test_a_dict_of_something_else_can_not_be_resumed(
    op: AsyncOpenPayments, simulator: Simulator, change: dict[str, Any], problem: str
) -> None:
    payments_ = op.at_bank("SWEDSESS", SOMEBODY).payments
    assert payments_.resume(SAVED).resource_id == "p"
    with pytest.raises(InvalidArgumentError, match=problem):
        payments_.resume({**SAVED, **change})
    assert simulator.requests == []


async def test_the_dicts_of_the_kinds_are_not_mixed_up(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    payment = await bank.payments.create(order())
    basket = await bank.signing_baskets.create([await bank.payments.create(order())])
    services: list[Any] = [bank.consents, bank.payments, bank.signing_baskets]
    authorisations: list[Any] = [
        await bank.consents.authorise(await bank.consents.create(valid_until=TOMORROW)),
        await bank.payments.authorise(payment),
        await bank.signing_baskets.authorise(basket),
    ]
    sent = len(simulator.requests)
    for service, authorisation in zip(services, authorisations, strict=True):
        for other in services:
            if other is service:
                assert other.resume(authorisation.to_dict()).resource_id == authorisation.resource_id
            else:
                with pytest.raises(InvalidArgumentError, match=r"^saved must be a dict from to_dict"):
                    other.resume(authorisation.to_dict())
    assert len(simulator.requests) == sent


async def test_copies_of_a_payment_are_as_good(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    simulator.misbehave(PAYMENTS, method="POST", change={"somethingNew": 1})
    created = await bank.payments.create(order("giro-ocr", ocr_ref="12345", creditor_name="Example Flagged"))
    for twin in (copy.copy(created), copy.deepcopy(created), pickle.loads(pickle.dumps(created))):
        assert twin == created
        assert (twin.product, twin.end_to_end_identification) == (created.product, created.end_to_end_identification)
        assert payments.warnings(twin) == payments.warnings(created)
        assert await bank.payments.status(twin) == "RCVD"
    assert created["somethingNew"] == 1
    assert "somethingNew" in created.to_dict()
