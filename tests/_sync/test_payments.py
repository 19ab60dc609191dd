# Written by `make unasync` from tests/_async/test_payments.py; do not edit.
"""Payments from their creation to their entry in the account, and what else may become of them, over real HTTP."""

from __future__ import annotations

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
    Authorisation,
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
    OpenPayments,
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
    from collections.abc import Callable

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


def approved(op: OpenPayments, simulator: Simulator, bic: str = "ESSESESS") -> CreatedPayment:
    """A payment that the user has approved."""
    created = op.at_bank(bic, SOMEBODY).payments.create(order())
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
    sleep = time.sleep

    def note(seconds: float) -> None:
        # the event loop's own parts sleep, too, and so do other threads
        if sys._getframe(1).f_globals["__name__"].endswith(".waiting"):
            found.append(seconds)
            clock.now += seconds
        else:
            sleep(seconds)

    monkeypatch.setattr("time.sleep", note)
    return found


# from creation to the account


@pytest.mark.parametrize("user", [SOMEBODY, COMPANY], ids=["private", "corporate"])
@pytest.mark.parametrize("approach", ["redirect", "decoupled"])
@pytest.mark.parametrize("kind", ORDERS)
def test_a_payment_from_its_creation_to_its_entry_in_the_account(
    op: OpenPayments, simulator: Simulator, kind: str, approach: str, user: Psu
) -> None:
    bic = "ESSESESS" if kind in ("domestic", "sepa") else "SWEDSESS"
    bank = op.at_bank(bic, user, redirect_preferred=approach == "redirect")
    consent = bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    account = bank.accounts(consent).list()[0]

    quote = None
    if kind == "cross-border":
        quote = bank.fx_quotes.create(
            source_currency="SEK", target_currency="USD", amount=Decimal(130), country_code="US"
        )
    created = bank.payments.create(order(kind, account.iban), fx_quote=quote)
    assert created.transaction_status == "RCVD"
    assert payments.warnings(created) == []
    authorisation = bank.payments.authorise(created)
    if approach == "redirect":
        assert authorisation.approach is Approach.OAUTH_REDIRECT
        token = authorisation.complete(simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK)))
        assert token is not None
        assert token.scope == f"paymentinitiation {'private' if user is SOMEBODY else 'corporate'}"
    else:
        assert authorisation.approach is Approach.DECOUPLED
        assert authorisation.challenge is not None
    assert authorisation.wait(poll_interval=0.01) == "ACSP"
    assert (authorisation.resource_id, authorisation.consent_id) == (created.payment_id, "")

    status = bank.payments.wait(created)
    assert (status, status.is_accepted, status.is_settled) == ("ACSP", True, False)
    entries = bank.accounts(consent).transactions(account, booking_status="both")
    assert (found := payments.find([each for each in entries], created))
    assert found.booking_status == "pending"
    simulator.settle_payment(created.payment_id)
    status = bank.payments.wait(created, "settled")
    assert (status, status.is_settled, status.is_final) == ("ACSC", True, True)
    assert (found := bank.payments.find([each for each in entries], created))
    assert (found.booking_status, found.payment_id) == ("booked", created.payment_id)
    assert found.end_to_end_id == created.end_to_end_identification
    assert money(found.transaction_amount) < 0
    if quote is not None:  # with rate and fee
        assert money(found.transaction_amount) == -Decimal(quote.total_amount or 0)
    [sent] = simulator.payments
    assert (sent.product, len(sent.authorisations)) == (created.product, 1)
    assert found.creditor_name == sent.request["creditorName"]


def test_a_payment_is_read_back_without_what_its_bank_leaves_out(op: OpenPayments) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = bank.payments.create(order("giro-ocr", debtor_account_message="Power"))
    read = bank.payments.get(created)
    assert (read.transaction_status, read.creditor_name, read.creditor_account) == ("RCVD", "Example Power", None)
    assert read.instructed_amount == amount(99, "SEK")
    assert read.end_to_end_identification == created.end_to_end_identification
    assert read.debtor_account_message == "Power"
    assert read.debtor_account is not None
    assert read.debtor_account.iban == DEBTOR


# cancellation


def test_a_payment_is_cancelled_before_and_after_its_approval(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    unsigned = bank.payments.create(order())
    assert bank.payments.cancel(unsigned) is None
    consent = bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    account = bank.accounts(consent).list()[0]
    signed = bank.payments.create(order(iban=account.iban))
    simulator.approve(signed.payment_id)
    assert bank.payments.status(signed) == "ACSP"
    assert bank.payments.cancel(signed) is None
    for created in (unsigned, signed):
        status = bank.payments.status(created)
        assert (status, status.is_failed, status.is_final) == ("CANC", True, True)
        with pytest.raises(PaymentCancelledError, match=created.payment_id) as caught:
            bank.payments.wait(created)
        assert (caught.value.payment_id, caught.value.status) == (created.payment_id, "CANC")
        assert isinstance(caught.value, PaymentError)
        with pytest.raises(CancellationRefusedError):
            bank.payments.cancel(created)
    both = bank.accounts(consent).transactions(account, booking_status="both")
    entries = [each for each in both]
    assert payments.find(entries, signed) is None


def test_a_bank_refuses_to_cancel(op: OpenPayments, simulator: Simulator) -> None:
    settled = approved(op, simulator)
    simulator.settle_payment(settled.payment_id)
    unsigned = op.at_bank("HANDSESS", SOMEBODY).payments.create(order())
    for bic, created, status in (("ESSESESS", settled, "ACSC"), ("HANDSESS", unsigned, "RCVD")):
        bank = op.at_bank(bic, SOMEBODY)
        with pytest.raises(CancellationRefusedError, match="CANCELLATION_INVALID") as caught:
            bank.payments.cancel(created)
        assert (caught.value.status_code, caught.value.may_have_taken_effect) == (405, False)
        assert caught.value.messages[0].path == "paymentId"
        assert bank.payments.status(created) == status
    assert [each for each in requests(simulator) if each.startswith("DELETE")] == ["DELETE domestic"] * 2


def test_a_cancellation_that_the_user_has_to_approve(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = approved(op, simulator, "SWEDSESS")
    answer = bank.payments.cancel(created)
    assert answer is not None
    assert answer.links is not None
    assert (answer.transaction_status, "startAuthorisation" in answer.links) == ("ACSP", True)

    declined = bank.payments.authorise(created, cancellation=True)
    simulator.decline(declined.authorisation_id)
    with pytest.raises(AuthorisationFailedError) as caught:
        declined.wait(poll_interval=0.01)
    assert (caught.value.code, caught.value.payment_id) == ("USER_CANCEL", created.payment_id)
    assert bank.payments.status(created) == "ACSP"

    second = bank.payments.authorise(created, cancellation=True)
    saved = json.loads(json.dumps(second.to_dict()))
    assert (saved["kind"], saved["payment_id"], saved["product"]) == ("cancellation", created.payment_id, "domestic")
    with simulator.client() as another:
        resumed = another.at_bank("SWEDSESS", SOMEBODY).payments.resume(saved)
        status = resumed.wait(poll_interval=0.01)
        assert (status, status.is_failed) == ("CANC", True)
    ids = [declined.authorisation_id, second.authorisation_id]
    assert bank.payments.authorisations(created, cancellation=True) == ids
    assert bank.payments.authorisations(created) == []
    with pytest.raises(PaymentCancelledError):
        bank.payments.wait(created)


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", ["", {}])
def test_only_one_answer_says_that_a_payment_is_cancelled(
    op: OpenPayments, simulator: Simulator, status: int, body: Any
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = bank.payments.create(order())
    simulator.misbehave(PAYMENTS, method="DELETE", status=status, body=body)
    assert bank.payments.cancel(created) == PaymentCancelled()
    simulator.misbehave(PAYMENTS, method="DELETE", status=204)
    assert bank.payments.cancel(created) is None


def test_a_cancellation_in_the_browser(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=True)
    created = bank.payments.create(order())
    simulator.approve(created.payment_id)
    assert bank.payments.cancel(created)
    authorisation = bank.payments.authorise(created, cancellation=True)
    assert authorisation.approach is Approach.OAUTH_REDIRECT
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    assert authorisation.complete(callback)
    assert authorisation.wait(poll_interval=0.01) == "CANC"


def test_a_payment_that_is_settled_before_its_cancellation_is_approved(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = approved(op, simulator, "SWEDSESS")
    bank.payments.cancel(created)
    authorisation = bank.payments.authorise(created, cancellation=True)
    simulator.settle_payment(created.payment_id)
    with pytest.raises(AuthorisationFailedError, match="cancellation"):
        authorisation.wait(poll_interval=0.01)
    # and where the authorisation knows nothing of it
    simulator.misbehave(f"{PAYMENTS}/*/*/cancellation-authorisations/*", change={"scaStatus": "finalised"})
    with pytest.raises(AuthorisationFailedError, match="ACSC") as caught:
        bank.payments.resume(authorisation.to_dict()).wait(poll_interval=0.01)
    assert caught.value.code == "ACSC"


# what else may become of a payment


def test_a_bank_that_rejects_a_payment(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", evolve(SOMEBODY, id="example-payment-rejected"), redirect_preferred=False)
    created = bank.payments.create(order())
    authorisation = bank.payments.authorise(created)
    waits: list[Callable[[], PaymentStatus]] = [
        lambda: authorisation.wait(poll_interval=0.01),
        lambda: bank.payments.wait(created),
        lambda: bank.payments.wait(created, "settled"),
    ]
    for wait in waits:
        with pytest.raises(PaymentRejectedError, match=f"payment {created.payment_id} is RJCT: RAW") as caught:
            wait()
        assert (caught.value.payment_id, caught.value.status, caught.value.code) == (created.payment_id, "RJCT", "RAW")
        assert [each.text for each in caught.value.messages] == ["the bank rejected the payment"]
    assert authorisation.sca_status == "finalised"
    status = bank.payments.status(created)
    assert (status.is_failed, status.is_final, status.is_accepted) == (True, True, False)
    assert [each.code for each in status.messages] == ["RAW"]


@pytest.mark.parametrize(("status", "error"), [("RJCT", PaymentRejectedError), ("CANC", PaymentCancelledError)])
def test_a_payment_that_ends_while_it_is_waited_for(
    op: OpenPayments, simulator: Simulator, waits: list[float], status: str, error: type[PaymentError]
) -> None:
    created = approved(op, simulator)
    message = {"tppMessages": [{"category": "ERROR", "code": "RAW", "text": "a reason"}]}
    simulator.misbehave(STATUSES, times=2, change={"transactionStatus": "ACSP"})
    simulator.misbehave(STATUSES, change={"transactionStatus": status, **message})
    with pytest.raises(error, match=f"{created.payment_id} is {status}: RAW: a reason") as caught:
        op.at_bank("ESSESESS", SOMEBODY).payments.wait(created, "settled")
    assert (caught.value.payment_id, caught.value.status, caught.value.code) == (created.payment_id, status, "RAW")
    assert waits == [1, 1.5]


LONGEST_PAUSE = 30
FIRST_OF_TWO, SECOND = evolve(COMPANY, id="99990101002"), evolve(COMPANY, id="99990101000")


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a bank that is only late."""
    monkeypatch.setattr(sys.modules[Authorisation.__module__], "GRACE", 0.0)


@pytest.mark.usefixtures("no_grace")
def test_a_payment_that_needs_two_signatures(op: OpenPayments, simulator: Simulator) -> None:
    first = op.at_bank("ESSESESS", FIRST_OF_TWO, redirect_preferred=False)
    created = first.payments.create(order())
    authorisation = first.payments.authorise(created)
    with pytest.raises(AnotherSignatureNeededError, match=r"PATC \(AUTHORISATION_PENDING_API: ") as caught:
        authorisation.wait(poll_interval=0.01)
    assert (caught.value.payment_id, caught.value.authorisation_id) == (
        created.payment_id,
        authorisation.authorisation_id,
    )
    assert isinstance(caught.value, AuthorisationTimeoutError)
    sent = len(simulator.requests)
    with pytest.raises(AnotherSignatureNeededError, match="AUTHORISATION_PENDING_API") as caught:
        first.payments.wait(created)
    assert len(simulator.requests) == sent + 1  # it may take days, so nobody waits for it
    assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]
    status = first.payments.status(created)
    assert (status.needs_another_signature, status.is_final, status.is_accepted) == (True, False, False)

    second = op.at_bank("ESSESESS", SECOND, redirect_preferred=False)
    theirs = second.payments.authorise(created)
    assert theirs.wait(poll_interval=0.01) == "ACSP"
    assert first.payments.wait(created) == "ACSP"
    assert authorisation.wait(poll_interval=0.01) == "ACSP"
    ids = [authorisation.authorisation_id, theirs.authorisation_id]
    assert first.payments.authorisations(created) == ids


@pytest.mark.usefixtures("no_grace")
def test_what_is_missing_is_said_by_the_authorisation_too(op: OpenPayments) -> None:
    bank = op.at_bank("ESSESESS", FIRST_OF_TWO, redirect_preferred=False)
    authorisation = bank.payments.authorise(bank.payments.create(order()))
    with pytest.raises(AnotherSignatureNeededError) as caught:
        authorisation.wait(poll_interval=0.01)
    assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]


@pytest.mark.parametrize("sandbox_flaws", [False, True])
@pytest.mark.parametrize(
    ("psu_id", "code"), [("99990101005", "BANKID_NOT_ACTIVATED"), ("99990101004", "AUTHENTICATION_SESSION_EXPIRED")]
)
def test_a_failed_authorisation_has_failed_whatever_the_payment_says(
    clock: Clock, psu_id: str, code: str, sandbox_flaws: bool
) -> None:
    from openpayments_facade.simulator import Simulator

    with Simulator(sandbox_flaws=sandbox_flaws, decoupled_reads=1, clock=clock) as simulator:
        with simulator.client() as op:
            bank = op.at_bank("ESSESESS", evolve(COMPANY, id=psu_id), redirect_preferred=False)
            created = bank.payments.create(order())
            authorisation = bank.payments.authorise(created)
            saved = authorisation.to_dict()
            for journey in (authorisation, bank.payments.resume(saved)):
                with pytest.raises(AuthorisationFailedError, match=code) as caught:
                    journey.wait(poll_interval=0.01)
                assert (caught.value.code, caught.value.sca_status) == (code, "failed")
                assert caught.value.payment_id == created.payment_id
                assert caught.value.trying_again_helps == (psu_id == "99990101004")
            assert bank.payments.status(created) == ("ACSP" if sandbox_flaws else "RCVD")


def test_a_second_authorisation_after_a_failed_one(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    created = bank.payments.create(order())
    failed = bank.payments.authorise(created)
    callback = simulator.visit(failed.redirect_url(redirect_uri=CALLBACK), approve=False)
    with pytest.raises(AuthorisationFailedError) as caught:
        failed.complete(callback)
    assert (caught.value.code, caught.value.payment_id) == ("access_denied", created.payment_id)
    with pytest.raises(AuthorisationFailedError):
        failed.wait(poll_interval=0.01)
    assert bank.payments.status(created) == "RCVD"
    second = bank.payments.authorise(created)
    second.complete(simulator.visit(second.redirect_url(redirect_uri=CALLBACK)))
    assert second.wait(poll_interval=0.01) == "ACSP"
    statuses = [
        bank.payments.sca_status(created, authorisation_id=each).sca_status
        for each in bank.payments.authorisations(created)
    ]
    assert statuses == ["failed", "finalised"]
    # the outcome of the first one stays what it was
    with pytest.raises(AuthorisationFailedError):
        failed.wait(poll_interval=0.01)


def test_banks_and_users_with_whom_nothing_is_left_to_do(op: OpenPayments) -> None:
    exempted = evolve(SOMEBODY, id="example-exempted")
    for bic, user, ends_as in (("HANDSESS", SOMEBODY, "finalised"), ("ESSESESS", exempted, "exempted")):
        bank = op.at_bank(bic, user, redirect_preferred=False)
        authorisation = bank.payments.authorise(bank.payments.create(order()))
        assert (authorisation.sca_status, authorisation.challenge) == (ends_as, None)
        assert authorisation.poll().is_over
        assert authorisation.wait(poll_interval=0.01) == "ACSP"


@pytest.mark.openpayments_simulator(plain_redirect=True)
def test_a_plain_redirect_needs_no_exchange(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    created = bank.payments.create(order())
    authorisation = bank.payments.authorise(created)
    assert authorisation.approach is Approach.REDIRECT
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    assert authorisation.complete(callback) is None
    assert authorisation.wait(poll_interval=0.01) == "ACSP"
    assert simulator.token_requests == 1


@pytest.mark.parametrize("status", ["RCVD", "ACTC", "XYZ9"])
def test_the_authorisation_alone_says_that_the_user_has_approved(
    op: OpenPayments, simulator: Simulator, status: str
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    created = bank.payments.create(order())
    authorisation = bank.payments.authorise(created)
    simulator.misbehave(STATUSES, change={"transactionStatus": status})
    assert authorisation.wait(poll_interval=0.01) == status
    # and accepted it is later
    assert bank.payments.wait(created) == "ACSP"


def test_a_payment_that_is_accepted_does_not_end_its_authorisation(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    authorisation = bank.payments.authorise(bank.payments.create(order()))
    silent = simulator.misbehave(f"{PAYMENTS}/*/*/authorisations/*", method="GET", times=None, body={})
    accepted = simulator.misbehave(STATUSES, times=None, body={"transactionStatus": "ACSP"})
    assert not authorisation.poll().is_over
    with pytest.raises(AuthorisationTimeoutError):
        authorisation.wait(timeout=0.5, poll_interval=0.01)
    assert silent.used > 1
    assert accepted.used > 0
    # but what is rejected is over
    simulator.behave()
    simulator.misbehave(f"{PAYMENTS}/*/*/authorisations/*", method="GET", body={})
    simulator.misbehave(STATUSES, change={"transactionStatus": "RJCT"})
    with pytest.raises(PaymentRejectedError):
        bank.payments.resume(authorisation.to_dict()).wait(poll_interval=0.01)


def test_a_user_who_never_ends(op: OpenPayments) -> None:
    bank = op.at_bank("ESSESESS", evolve(SOMEBODY, id="example-never-ends"), redirect_preferred=False)
    created = bank.payments.create(order())
    authorisation = bank.payments.authorise(created)
    with pytest.raises(AuthorisationTimeoutError, match=created.payment_id) as caught:
        authorisation.wait(timeout=0.05, poll_interval=0.02)
    assert not isinstance(caught.value, AnotherSignatureNeededError)
    assert caught.value.payment_id == created.payment_id


# waiting


def test_it_is_read_at_growing_intervals_until_it_is_settled(
    op: OpenPayments, simulator: Simulator, waits: list[float]
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = bank.payments.create(order())
    simulator.misbehave(STATUSES, times=8, change={"transactionStatus": "ACTC"})
    simulator.approve(created.payment_id)
    assert bank.payments.wait(created, timeout=3600) == "ACSP"
    assert waits[:4] == [1, 1.5, 2.25, 3.375]
    assert waits == sorted(waits)
    assert len(waits) == 8
    # the next wait begins anew, and the longest pause is half a minute
    waits.clear()
    simulator.settle_payment(created.payment_id)
    simulator.misbehave(STATUSES, times=11, change={"transactionStatus": "ACWP"})
    assert (bank.payments.wait(created, "settled", timeout=3600)) == "ACSC"
    assert waits[0] == 1
    assert waits[-2:] == [30, 30]
    assert len(waits) == 11


def test_a_settlement_that_takes_its_time(
    op: OpenPayments, simulator: Simulator, clock: Clock, waits: list[float]
) -> None:
    created = approved(op, simulator)
    payments_ = op.at_bank("ESSESESS", SOMEBODY).payments
    assert payments_.wait(created, timeout=3600) == "ACSP"
    assert waits == []
    begin = clock.now
    assert payments_.wait(created, "settled", timeout=3600) == "ACSC"
    assert 100 <= clock.now - begin < 100 + LONGEST_PAUSE


@pytest.mark.parametrize("until", ["accepted", "settled"])
def test_a_payment_that_is_not_in_time(op: OpenPayments, simulator: Simulator, until: Any) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = bank.payments.create(order())
    if until == "settled":
        simulator.approve(created.payment_id)
    status = "RCVD" if until == "accepted" else "ACSP"
    sent = len(simulator.requests)
    with pytest.raises(PaymentTimeoutError, match=f"not {until} within 0.05 s; its status is {status}") as caught:
        bank.payments.wait(created, until, timeout=0.05)
    assert (caught.value.payment_id, caught.value.status) == (created.payment_id, status)
    assert len(simulator.requests) - sent in {1, 2}  # a slow machine has no time for the last look
    # it can be called again
    if until == "accepted":
        simulator.approve(created.payment_id)
    else:
        simulator.settle_payment(created.payment_id)
    assert bank.payments.wait(created, until).is_accepted


def test_a_bank_says_why_it_takes_so_long(op: OpenPayments, simulator: Simulator) -> None:
    created = op.at_bank("ESSESESS", SOMEBODY).payments.create(order())
    simulator.misbehave(STATUSES, times=None, change={"tppMessages": [{"category": "WARNING", "text": "on Monday"}]})
    with pytest.raises(PaymentTimeoutError) as caught:
        op.at_bank("ESSESESS", SOMEBODY).payments.wait(created, timeout=0.05)
    assert isinstance(caught.value.status, PaymentStatus)
    assert [each.text for each in caught.value.messages] == ["on Monday"]


def test_failures_that_may_pass_while_waiting(op: OpenPayments, simulator: Simulator, waits: list[float]) -> None:
    created = approved(op, simulator)
    payments_ = op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    fault = simulator.misbehave(STATUSES, times=PATIENCE - 1, status=503)
    assert payments_.wait(created).is_accepted
    assert (fault.used, len(waits)) == (PATIENCE - 1, PATIENCE - 1)
    fault = simulator.misbehave(STATUSES, times=PATIENCE, status=503)
    with pytest.raises(ServerError) as caught:
        payments_.wait(created)
    assert fault.used == PATIENCE
    assert not caught.value.may_have_taken_effect  # it only reads
    # a read that succeeds makes the next failures the first ones
    waits.clear()
    for _ in range(2):
        simulator.misbehave(STATUSES, times=PATIENCE - 1, close=True)
        simulator.misbehave(STATUSES, change={"transactionStatus": "ACFC"})
    assert payments_.wait(created).is_accepted
    assert len(waits) == 2 * PATIENCE
    with pytest.raises(NotFoundError):
        payments_.wait("nobody-has-this-id", product="domestic")


@pytest.mark.parametrize("odd", [{}, {"transactionStatus": None}, [], "", "<h1>Soon</h1>"])
def test_a_status_that_can_not_be_read_is_read_again(
    op: OpenPayments, simulator: Simulator, waits: list[float], odd: Any
) -> None:
    created = approved(op, simulator)
    bank = op.at_bank("ESSESESS", SOMEBODY)
    simulator.misbehave(STATUSES, body=odd, times=2)
    with pytest.raises(UnreadableResponseError):
        bank.payments.status(created)
    assert bank.payments.wait(created) == "ACSP"
    assert waits == [1]


def test_a_server_may_say_how_long_to_wait(op: OpenPayments, simulator: Simulator, waits: list[float]) -> None:
    created = approved(op, simulator)
    payments_ = op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    for seconds in ("7", "600", "0"):
        simulator.misbehave(STATUSES, status=429, headers={"Retry-After": seconds})
    assert payments_.wait(created) == "ACSP"
    assert waits == [7, 10, 2.25]


# creation


def test_a_product_that_the_bank_lacks_is_refused_after_asking_once(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    for _ in range(2):
        with pytest.raises(InvalidArgumentError, match="offers sepa-credit-transfers, domestic") as caught:
            bank.payments.create(order("giro-ocr"), check_product=True)
        assert caught.value.argument == "product"
    assert requests(simulator) == []
    assert (bank.payments.create(order(), check_product=True)).product == "domestic"
    # a bank that does not say is asked for it
    op.at_bank("NDEASESS", SOMEBODY).payments.create(order("giro-ocr"), check_product=True)
    asked = [each.path for each in simulator.requests if "/aspsps/" in each.path]
    assert [path.rpartition("/")[2] for path in asked] == ["ESSESESS", "NDEASESS"]
    # without the check, the bank refuses it
    with pytest.raises(NotFoundError, match="PRODUCT_UNKNOWN"):
        bank.payments.create(order("giro-ocr"))
    with simulator.client(api_scopes=["paymentinitiation"]) as less:
        with pytest.raises(MissingScopeError):
            less.at_bank("ESSESESS", SOMEBODY).payments.create(order(), check_product=True)


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
def test_warnings_are_there_before_the_user_signs(
    op: OpenPayments, simulator: Simulator, kind: str, payee: str, codes: list[str], match: str | None
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = bank.payments.create(order(kind, creditor_name=payee))
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
def test_a_warning_in_another_form_is_none_the_less(
    op: OpenPayments, simulator: Simulator, sent: Any, expected: tuple[str | None, str]
) -> None:
    simulator.misbehave(PAYMENTS, method="POST", change={"tppMessages": sent})
    created = op.at_bank("ESSESESS", SOMEBODY).payments.create(order())
    assert [(each.code, each.text) for each in payments.warnings(created)] == [expected]


def test_a_payment_can_be_kept_as_json(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = bank.payments.create(order())
    kept = json.loads(json.dumps(created.to_dict()))
    assert kept["product"] == "domestic"
    again = CreatedPayment.from_dict(kept)
    assert (again.payment_id, again.end_to_end_identification) == (
        created.payment_id,
        simulator.payments[0].request["endToEndIdentification"],
    )
    assert bank.payments.status(again) == "RCVD"
    assert again.to_dict() == kept


def test_reads_that_time_out_while_waiting(op: OpenPayments, simulator: Simulator, waits: list[float]) -> None:
    created = approved(op, simulator)
    hasty = op.with_options(timeout=0.1, max_retries=0).at_bank("ESSESESS", SOMEBODY).payments
    fault = simulator.misbehave(STATUSES, times=2, delay=0.5)
    assert hasty.wait(created).is_accepted
    assert fault.used == len(waits) == 2


@pytest.mark.parametrize("kind", ["domestic", "sepa", "giro-ocr"])
def test_a_quote_for_another_payment_is_refused(op: OpenPayments, simulator: Simulator, kind: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^fx_quote goes with cross-border payments"):
        op.at_bank("SWEDSESS", SOMEBODY).payments.create(order(kind), fx_quote="q")
    assert not simulator.requests


@pytest.mark.parametrize("status", ["CANC", " canc "])
def test_a_body_may_say_that_a_payment_is_cancelled(op: OpenPayments, simulator: Simulator, status: str) -> None:
    created = approved(op, simulator, "SWEDSESS")
    simulator.misbehave(PAYMENTS, method="DELETE", status=200, body={"transactionStatus": status})
    assert op.at_bank("SWEDSESS", SOMEBODY).payments.cancel(created) is None


def test_a_list_of_cancellations_as_it_was_until_2026(op: OpenPayments, simulator: Simulator) -> None:
    created = approved(op, simulator, "SWEDSESS")
    simulator.misbehave("*/cancellation-authorisations", method="GET", body=["a1", "a2"])
    at = op.at_bank("SWEDSESS", SOMEBODY).payments
    assert at.authorisations(created, cancellation=True) == ["a1", "a2"]


def test_what_the_sdk_itself_has_noticed_is_a_warning_too(op: OpenPayments) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = bank.payments.create(order("giro-ocr", ocr_ref="12345", creditor_name="Example Flagged"))
    flagged, own = payments.warnings(created)
    assert (flagged.code, own.code, own.category) == ("CREDITOR_ACCOUNT_FLAGGED", None, "WARNING")
    assert "payment.ocr_ref has wrong check digits" in str(own.text)
    assert payments.warnings(pickle.loads(pickle.dumps(created))) == [flagged, own]


def test_whether_a_failure_may_have_taken_effect(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    op.access_token()
    for status in (500, 502, 503, 504, 408, 499, 303, 400, 403, 409, 429):
        simulator.misbehave(PAYMENTS, method="POST", status=status)
        with pytest.raises(APIError) as caught:
            bank.payments.create(order())
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
            bank.payments.create(order())
        assert (unreadable.value.status_code, unreadable.value.may_have_taken_effect) == (201, True)
    simulator.misbehave(PAYMENTS, method="POST", close=True)
    with pytest.raises(OutcomeUnknownError) as unknown:
        bank.payments.create(order())
    assert unknown.value.may_have_taken_effect
    created = bank.payments.create(order())
    simulator.misbehave(PAYMENTS, method="DELETE", status=500)
    simulator.misbehave(f"{PAYMENTS}/*/*/authorisations", method="POST", status=500)
    simulator.misbehave(PAYMENTS, method="GET", status=500)
    failing: list[tuple[Callable[[], Any], bool]] = [
        (lambda: bank.payments.cancel(created), True),
        (lambda: bank.payments.authorise(created), True),
        (lambda: op.with_options(max_retries=0).at_bank("ESSESESS", SOMEBODY).payments.get(created), False),
    ]
    for call, may_have in failing:
        with pytest.raises(ServerError) as error:
            call()
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
def test_what_is_no_payment_is_refused_by_every_method(
    op: OpenPayments, simulator: Simulator, payment: Any, product: Any, argument: str
) -> None:
    payments_ = op.at_bank("ESSESESS", SOMEBODY).payments
    for name, more in MORE.items():
        with pytest.raises(InvalidArgumentError, match=f"^{argument} ") as caught:
            getattr(payments_, name)(payment, product=product, **more)
        assert caught.value.argument == argument
    assert simulator.requests == []


@pytest.mark.parametrize("form", ["created", "answer", "id"])
def test_every_method_takes_a_payment_in_each_form(op: OpenPayments, simulator: Simulator, form: str) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    created = bank.payments.create(order())
    forms = {"created": created, "answer": PaymentCreated(created.payment_id), "id": created.payment_id}
    payment, more = forms[form], dict[str, Any]() if form == "created" else {"product": "domestic"}
    payments_: Any = bank.payments
    assert payments_.get(payment, **more).creditor_name == "Example Shop"
    assert payments_.status(payment, **more) == "RCVD"
    for cancellation in (False, True):
        more |= {"cancellation": cancellation}
        started = payments_.start_authorisation(payment, **more)
        id_ = {"authorisation_id": started.authorisation_id}
        payments_.select_method(payment, **id_, authentication_method_id="mbid", **more)
        assert payments_.sca_status(payment, **id_, **more).sca_status == "finalised"
        again = {"authorisation_id": started}
        assert payments_.sca_status(payment, **again, **more).sca_status == "finalised"
        assert payments_.authorisations(payment, **more) == [started.authorisation_id]
        if not cancellation:
            del more["cancellation"]
            assert payments_.wait(payment, **more) == "ACSP"
            assert payments_.cancel(payment, **more)
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


def test_wrong_arguments_are_refused_before_anything_is_sent(op: OpenPayments, simulator: Simulator) -> None:
    payments_: Any = op.at_bank("ESSESESS", SOMEBODY).payments
    created = CreatedPayment("p", product="domestic")
    calls: list[tuple[str, Callable[[], Any]]] = [
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
            call()
        assert caught.value.argument.split(".")[0] == argument
    assert simulator.requests == []


@pytest.mark.openpayments_simulator(rules="2021")
def test_a_product_of_a_banks_own_is_sent_as_it_is(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    body = {
        "instructedAmount": {"currency": "USD", "amount": "17.5"},
        "debtorAccount": {"iban": DEBTOR},
        "creditorAccount": {"bban": "123456"},
        "creditorName": "Example Inc",
        "somethingNew": {"deep": [1, True, None]},
    }
    created = bank.payments.create(body, product="international")
    assert created.product == "international"
    assert len(created.end_to_end_identification or "") == 32
    assert simulator.payments[-1].request == {**body, "endToEndIdentification": created.end_to_end_identification}
    assert "endToEndIdentification" not in body
    bank.payments.create({**body, "endToEndIdentification": "mine"}, product="international")
    assert simulator.payments[-1].request["endToEndIdentification"] == "mine"
    simulator.approve(created.payment_id)
    assert bank.payments.wait(created) == "ACSP"
    assert requests(simulator)[-1] == "GET international/status"


def test_a_mapping_is_checked_and_sent_as_a_model_is(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    for kind in ORDERS:
        if kind != "sepa" and kind != "cross-border":
            model = order(kind, end_to_end_identification="same")
            product = bank.payments.create(model).product
            created = bank.payments.create(model.to_dict(), product=product)
            assert created.end_to_end_identification == "same"
            first, second = simulator.payments[-2:]
            assert (first.product, first.request) == (second.product, second.request)


def test_a_reference_is_made_for_each_payment(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    mine = order()
    made = [bank.payments.create(mine).end_to_end_identification for _ in range(3)]
    assert len({*made}) == 3
    assert [each.request["endToEndIdentification"] for each in simulator.payments] == made
    assert mine.end_to_end_identification is None


@pytest.mark.parametrize("kind", ["domestic", "giro-ocr"])
def test_nothing_personal_is_written_to_the_log(
    op: OpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    caplog.set_level("DEBUG")
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    more = {"ocr_ref": "12345"} if kind == "giro-ocr" else {}
    created = bank.payments.create(order(kind, creditor_name="Example Person", **more))
    authorisation = bank.payments.authorise(created)
    authorisation.wait(poll_interval=0.01)
    simulator.misbehave(PAYMENTS, method="POST", close=True)
    with pytest.raises(OutcomeUnknownError) as caught:
        bank.payments.create(order(kind, creditor_name="Example Person", **more))
    shown = f"{caplog.text} {created!r} {authorisation!r} {caught.value} {vars(caught.value)}"
    assert created.payment_id in shown
    for secret in (DEBTOR, PAYEE.iban, "Example Person", "125.50", "99.00", "5050-1055", "50501055", "'12345'"):
        assert secret is None or secret not in shown


# raw answers


def test_raw_answers_of_every_step(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    raw = bank.with_raw_response.payments
    assert {*dir(bank.payments)} - {*dir(raw)} == {"authorise", "find", "resume", "wait"}
    answer = raw.create(order())
    created = answer.parsed
    assert isinstance(created, CreatedPayment)
    assert (answer.status_code, created.product) == (201, "domestic")
    assert answer.headers["location"].endswith(created.payment_id)
    assert answer.json["paymentId"] == created.payment_id
    assert answer.request_id == simulator.requests[-1].headers["x-request-id"]
    started = raw.start_authorisation(created)
    ids: dict[str, Any] = {"authorisation_id": started.parsed.authorisation_id}
    selected = raw.select_method(created, authentication_method_id="mbid", **ids)
    assert selected.headers["aspsp-sca-approach"] == "DECOUPLED"
    assert raw.sca_status(created, **ids).json["scaStatus"] == "finalised"
    assert raw.authorisations(created).parsed == [ids["authorisation_id"]]
    assert raw.authorisations(created, cancellation=True).parsed == []
    status = raw.status(created)
    assert (type(status.parsed), status.parsed, status.status_code) == (PaymentStatus, "ACSP", 200)
    assert raw.get(created).parsed.creditor_name == "Example Shop"
    cancelled = raw.cancel(created)
    assert (cancelled.status_code, cancelled.parsed and cancelled.parsed.transaction_status) == (202, "ACSP")
    unsigned = bank.payments.create(order())
    cancelled = raw.cancel(unsigned)
    assert (cancelled.status_code, cancelled.parsed, cancelled.content) == (204, None, b"")
    # what can't be read is there to be looked at
    simulator.misbehave(PAYMENTS, method="POST", status=201, body=[])
    unreadable = raw.create(order())
    assert (unreadable.status_code, unreadable.content) == (201, b"[]")
    with pytest.raises(UnreadableResponseError):
        _ = unreadable.parsed


# another process


def test_another_process_finishes_an_authorisation(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", COMPANY, redirect_preferred=True)
    created = bank.payments.create(order())
    authorisation = bank.payments.authorise(created)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    saved = json.loads(json.dumps(authorisation.to_dict()))
    assert (saved["kind"], saved["payment_id"], saved["product"]) == ("payment", created.payment_id, "domestic")
    for secret in ("example-user", "example-company", "203.0.113.7", DEBTOR, "Example Shop", "125.5"):
        assert secret not in str(saved)
    with simulator.client() as another:
        resumed = another.at_bank("SWEDSESS", COMPANY).payments.resume(saved)
        assert (resumed.resource_id, resumed.to_dict()) == (created.payment_id, saved)
        token = resumed.complete(callback)
        assert token is not None
        assert token.scope == "paymentinitiation corporate"
        assert resumed.wait(poll_interval=0.01) == "ACSP"
        status = resumed.bank.payments.wait(resumed.resource_id, product=saved["product"])
        assert status == "ACSP"
    # whoever looks again later sees the same
    assert bank.payments.resume(saved).wait(poll_interval=0.01) == "ACSP"


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
def test_a_dict_of_something_else_can_not_be_resumed(
    op: OpenPayments, simulator: Simulator, change: dict[str, Any], problem: str
) -> None:
    payments_ = op.at_bank("SWEDSESS", SOMEBODY).payments
    assert payments_.resume(SAVED).resource_id == "p"
    with pytest.raises(InvalidArgumentError, match=problem):
        payments_.resume({**SAVED, **change})
    assert simulator.requests == []


def test_the_dicts_of_the_kinds_are_not_mixed_up(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    payment = bank.payments.create(order())
    basket = bank.signing_baskets.create([bank.payments.create(order())])
    services: list[Any] = [bank.consents, bank.payments, bank.signing_baskets]
    authorisations: list[Any] = [
        bank.consents.authorise(bank.consents.create(valid_until=TOMORROW)),
        bank.payments.authorise(payment),
        bank.signing_baskets.authorise(basket),
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


def test_copies_of_a_payment_are_as_good(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    simulator.misbehave(PAYMENTS, method="POST", change={"somethingNew": 1})
    created = bank.payments.create(order("giro-ocr", ocr_ref="12345", creditor_name="Example Flagged"))
    for twin in (copy.copy(created), copy.deepcopy(created), pickle.loads(pickle.dumps(created))):
        assert twin == created
        assert (twin.product, twin.end_to_end_identification) == (created.product, created.end_to_end_identification)
        assert payments.warnings(twin) == payments.warnings(created)
        assert bank.payments.status(twin) == "RCVD"
    assert created["somethingNew"] == 1
    assert "somethingNew" in created.to_dict()
