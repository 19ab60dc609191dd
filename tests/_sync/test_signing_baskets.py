# Written by `make unasync` from tests/_async/test_signing_baskets.py; do not edit.
"""Signing baskets: many payments that a user approves at once, over real HTTP."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
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
    ConflictError,
    CreatedPayment,
    DebtorAccountReference,
    DomesticPayment,
    InvalidArgumentError,
    NotFoundError,
    OpenPayments,
    OutcomeUnknownError,
    PaymentRejectedError,
    Psu,
    SigningBasketCreated,
    amount,
    payments,
)
from openpayments_facade._protocol.arguments import today

if TYPE_CHECKING:
    from openpayments_facade import Bank
    from openpayments_facade.simulator import Simulator

CALLBACK = "https://app.example.com/callback"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
TOMORROW = today().date() + timedelta(days=1)
BASKETS = "/psd2/paymentinitiation/v1/signing-baskets"
DEBTOR = "SE4550000000058398257466"  # of nobody at the simulator

pytestmark = pytest.mark.openpayments_simulator(decoupled_reads=1, settlement=3600)


def orders(bank: Bank, number: int = 2, iban: str | None = DEBTOR, value: str = "12.50") -> list[CreatedPayment]:
    """New payments to different payees."""
    payer, payee = DebtorAccountReference(iban=iban), AccountReference(iban="SE3550000000054910000003")
    sek = amount(value, "SEK")
    return [bank.payments.create(DomesticPayment(sek, payer, payee, f"Example Payee {each}")) for each in range(number)]


def asked(simulator: Simulator) -> list[str]:
    """What was asked about baskets, without ids: `POST`, `GET status`, `POST authorisations`, ..."""
    found = []
    for request in simulator.requests:
        _, _, rest = request.path.removeprefix(BASKETS).strip("/").partition("/")
        if request.path.startswith(BASKETS):
            found.append(f"{request.method} {rest.partition('/')[0]}".strip())
    return found


@pytest.mark.parametrize("user", [SOMEBODY, COMPANY], ids=["private", "corporate"])
@pytest.mark.parametrize("approach", ["redirect", "decoupled"])
def test_twenty_payments_with_one_signature(op: OpenPayments, simulator: Simulator, approach: str, user: Psu) -> None:
    bank = op.at_bank("ESSESESS", user, redirect_preferred=approach == "redirect")
    consent = bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    account = bank.accounts(consent).list()[0]
    created = orders(bank, 20, account.iban)
    basket = bank.signing_baskets.create(created, check_limit=True)
    assert basket.transaction_status == "RCVD"
    authorisation = bank.signing_baskets.authorise(basket)
    if approach == "redirect":
        assert authorisation.approach is Approach.REDIRECT
        # no source says how the code of a basket is exchanged
        assert authorisation.complete(simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))) is None
    else:
        assert authorisation.challenge is not None
    signed = authorisation.wait(poll_interval=0.01)
    assert (signed.transaction_status, len(signed.payment_ids or [])) == ("ACTC", 20)
    assert [bank.payments.wait(each) for each in created] == ["ACSP"] * 20
    both = bank.accounts(consent).transactions(account, booking_status="both")
    entries = [each for each in both]
    found = [payments.find(entries, each) for each in created]
    assert [each and each.creditor_name for each in found] == [f"Example Payee {each}" for each in range(20)]
    assert asked(simulator)[:3] == ["POST", "POST authorisations", "PUT authorisations"]
    assert sum(len(each.authorisations) for each in simulator.payments) == 0
    assert len(simulator.signing_baskets[-1].authorisations) == 1
    bank.signing_baskets.create(orders(bank, 1), check_limit=True)
    assert len([each for each in simulator.requests if "/aspsps/" in each.path]) == 1


def test_what_becomes_of_each_payment_is_said_by_the_payment(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    simulator.approve(consent.consent_id)
    iban = bank.accounts(consent).list()[0].iban
    small, large = [orders(bank, 1, iban, value)[0] for value in ("1.00", "99999999.00")]
    basket = bank.signing_baskets.create([small, large])
    authorisation = bank.signing_baskets.authorise(basket)
    assert authorisation.wait(poll_interval=0.01).transaction_status == "ACTC"
    assert bank.signing_baskets.status(basket) == "ACTC"
    assert bank.payments.wait(small) == "ACSP"
    with pytest.raises(PaymentRejectedError, match="too little money"):
        bank.payments.wait(large)


def test_a_payment_in_a_basket_can_not_be_approved_alone(op: OpenPayments) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=False)
    created = orders(bank)
    basket = bank.signing_baskets.create(created)
    with pytest.raises(APIError, match="RESOURCE_BLOCKED"):
        bank.payments.authorise(created[0])
    assert bank.signing_baskets.delete(basket) is None
    assert bank.signing_baskets.status(basket) == "CANC"
    assert bank.payments.authorise(created[0]).wait(poll_interval=0.01) == "ACSP"
    assert bank.payments.status(created[1]) == "RCVD"


def test_a_basket_that_is_being_approved_can_not_be_deleted(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    basket = bank.signing_baskets.create(orders(bank))
    authorisation = bank.signing_baskets.authorise(basket)
    with pytest.raises(ConflictError, match="STATUS_INVALID") as caught:
        bank.signing_baskets.delete(basket)
    assert not caught.value.may_have_taken_effect
    # declined, it can be approved again
    simulator.decline(authorisation.authorisation_id)
    with pytest.raises(AuthorisationFailedError) as failed:
        authorisation.wait(poll_interval=0.01)
    assert (failed.value.code, failed.value.resource_id) == ("USER_CANCEL", basket.basket_id)
    assert (failed.value.consent_id, failed.value.payment_id) == (None, None)
    assert bank.signing_baskets.status(basket) == "RCVD"
    again = bank.signing_baskets.authorise(basket)
    assert again.wait(poll_interval=0.01).transaction_status == "ACTC"


def test_a_basket_that_needs_two_signatures(op: OpenPayments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Authorisation.__module__], "GRACE", 0.0)
    first = op.at_bank("ESSESESS", evolve(COMPANY, id="99990101002"), redirect_preferred=False)
    created = orders(first)
    basket = first.signing_baskets.create(created)
    authorisation = first.signing_baskets.authorise(basket)
    with pytest.raises(AnotherSignatureNeededError, match=f"basket {basket.basket_id} is PATC") as caught:
        authorisation.wait(poll_interval=0.01)
    assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]
    with pytest.raises(AnotherSignatureNeededError):
        first.payments.wait(created[0])
    second = op.at_bank("ESSESESS", evolve(COMPANY, id="99990101000"), redirect_preferred=False)
    theirs = second.signing_baskets.authorise(basket)
    assert theirs.wait(poll_interval=0.01).transaction_status == "ACTC"
    assert authorisation.wait(poll_interval=0.01).transaction_status == "ACTC"
    assert [first.payments.wait(each) for each in created] == ["ACSP", "ACSP"]


def test_a_basket_that_is_lost(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    basket = bank.signing_baskets.create(orders(bank))
    authorisation = bank.signing_baskets.authorise(basket)
    why = {"tppMessages": [{"category": "ERROR", "code": "RAW", "text": "a reason"}]}
    simulator.misbehave(f"{BASKETS}/{basket.basket_id}", change={"scaStatus": "finalised"})
    simulator.misbehave(f"{BASKETS}/{basket.basket_id}", change={"transactionStatus": "RJCT", **why})
    with pytest.raises(AuthorisationFailedError, match=f"basket {basket.basket_id} is RJCT: RAW: a reason") as caught:
        authorisation.wait(poll_interval=0.01)
    assert caught.value.code == "RAW"


def test_payments_that_do_not_go_together(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    [one] = orders(bank, 1)
    [other] = orders(bank, 1, "SE3550000000054910000003")
    with pytest.raises(APIError, match="REFERENCE_MIX_INVALID"):
        bank.signing_baskets.create([one, other])
    simulator.approve(one.payment_id)
    with pytest.raises(ConflictError, match="REFERENCE_STATUS_INVALID"):
        bank.signing_baskets.create([one])
    with pytest.raises(APIError, match="RESOURCE_UNKNOWN"):
        bank.signing_baskets.create(["nobody-has-this-id"])
    assert simulator.signing_baskets == []


@pytest.mark.parametrize(
    ("ids", "problem"),
    [
        ([], "^payment_ids must"),
        (["p", "p"], "^payment_ids must have at least one payment, and none twice"),
        ([CreatedPayment("p", product="domestic"), "p"], "^payment_ids must have at least one payment, and none twice"),
        ("p", "^payment_ids must be a list"),
        (None, "^payment_ids must"),
        (["p", ""], r"^payment_ids"),
        (["p", None], r"^payment_ids"),
        (["p", 5], r"^payment_ids"),
        (["p", "a\nb"], r"^payment_ids"),
    ],
)
def test_what_is_no_list_of_payments_is_refused(op: OpenPayments, simulator: Simulator, ids: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem) as caught:
        op.at_bank("ESSESESS", SOMEBODY).signing_baskets.create(ids, check_limit=True)
    assert caught.value.argument == "payment_ids"
    assert simulator.requests == []


def test_a_basket_with_more_than_the_bank_takes_is_refused(op: OpenPayments, simulator: Simulator) -> None:
    ids = [f"p-{number}" for number in range(101)]
    for bic, most in (("ESSESESS", 100), ("SWEDSESS", 100), ("NDEASESS", None)):
        assert op.at_bank(bic, SOMEBODY).signing_baskets.limit() == most
    asked_before = len(simulator.requests)
    with pytest.raises(InvalidArgumentError, match="must have at most 100 payments at ESSESESS"):
        op.at_bank("ESSESESS", SOMEBODY).signing_baskets.create(ids, check_limit=True)
    assert len(simulator.requests) == asked_before
    # a bank that does not say is asked
    with pytest.raises(APIError, match="RESOURCE_UNKNOWN"):
        op.at_bank("NDEASESS", SOMEBODY).signing_baskets.create(ids, check_limit=True)


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ({"signingBasketsSupported": False, "signingBasketLimit": 50}, 0),
        ({"signingBasketsSupported": True}, None),
        ({"signingBasketLimit": 50}, 50),
        ({}, None),
        (None, None),
    ],
)
def test_what_a_bank_says_about_its_baskets(
    op: OpenPayments, simulator: Simulator, said: Any, limit: int | None
) -> None:
    simulator.misbehave("/psd2/aspspinformation", change={"paymentInitiation": said})
    baskets = op.at_bank("ESSESESS", SOMEBODY).signing_baskets
    assert baskets.limit() == limit
    if limit == 0:
        with pytest.raises(InvalidArgumentError, match="payment_ids must have at most 0 payments"):
            baskets.create(["p"], check_limit=True)
        assert asked(simulator) == []


def test_every_step_of_a_basket(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    raw, baskets = bank.with_raw_response.signing_baskets, bank.signing_baskets
    assert {*dir(baskets)} - {*dir(raw)} == {"authorise", "limit", "resume"}
    created = orders(bank)
    answer = raw.create(each.payment_id for each in created)
    basket = answer.parsed
    assert (type(basket), answer.status_code) == (SigningBasketCreated, 201)
    assert answer.headers["location"] == f"{BASKETS}/{basket.basket_id}"
    for form in (basket, basket.basket_id):
        assert baskets.get(form).payment_ids == [each.payment_id for each in created]
        assert baskets.status(form) == "RCVD"
    assert raw.get(basket).parsed.transaction_status == "RCVD"
    assert raw.status(basket).parsed == "RCVD"
    deleted = raw.delete(basket)
    assert (deleted.status_code, deleted.parsed) == (204, None)
    with pytest.raises(NotFoundError):
        baskets.get("nobody-has-this-id")
    simulator.misbehave(BASKETS, method="POST", close=True, carried_out=True)
    with pytest.raises(OutcomeUnknownError, match="create it again") as caught:
        baskets.create(created)
    assert caught.value.sent == {"paymentIds": [each.payment_id for each in created]}
    assert len(simulator.signing_baskets) == 2


@pytest.mark.parametrize("id_", ["", "..", "../x", None, 5, CreatedPayment("p")])
def test_what_is_no_basket_is_refused(op: OpenPayments, simulator: Simulator, id_: Any) -> None:
    baskets = op.at_bank("ESSESESS", SOMEBODY).signing_baskets
    for call in (baskets.get, baskets.status, baskets.delete, baskets.authorise):
        with pytest.raises(InvalidArgumentError, match=r"^basket_id ") as caught:
            call(id_)
        assert caught.value.argument == "basket_id"
    assert simulator.requests == []


def test_another_process_finishes_the_authorisation_of_a_basket(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", COMPANY, redirect_preferred=True)
    basket = bank.signing_baskets.create(orders(bank))
    authorisation = bank.signing_baskets.authorise(basket)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    saved = json.loads(json.dumps(authorisation.to_dict()))
    assert (saved["kind"], saved["basket_id"], "product" in saved) == ("basket", basket.basket_id, False)
    with simulator.client() as another:
        bank = another.at_bank("SWEDSESS", COMPANY)
        resumed = bank.signing_baskets.resume(saved)
        assert (resumed.resource_id, resumed.to_dict()) == (basket.basket_id, saved)
        resumed.complete(callback)
        assert resumed.wait(poll_interval=0.01).transaction_status == "ACTC"
        broken = [
            {**saved, "bic_fi": "ESSESESS"},
            {**saved, "kind": "payment"},
            {**saved, "basket_id": None},
            {**saved, "basket_id": "../x"},
        ]
        for each in broken:
            with pytest.raises(InvalidArgumentError, match=r"saved|basket_id"):
                bank.signing_baskets.resume(each)
