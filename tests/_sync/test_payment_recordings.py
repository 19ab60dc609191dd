# Written by `make unasync` from tests/_async/test_payment_recordings.py; do not edit.
"""Payments as recorded traffic: each test replays its cassette, with the network blocked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from openpayments_client.api.payment_initiation import initiate_payment

from openpayments_facade import (
    AccountReference,
    Address,
    AnotherSignatureNeededError,
    ApiScope,
    Approach,
    AuthorisationFailedError,
    BadRequestError,
    Bank,
    CancellationRefusedError,
    ConflictError,
    CreatedPayment,
    CrossBorderPayment,
    DebtorAccountReference,
    DomesticPayment,
    GiroReference,
    InternationalAddress,
    KycRequiredError,
    NotFoundError,
    OpenPayments,
    PaymentRejectedError,
    Psu,
    PsuContext,
    SepaCreditTransfer,
    SwedishGiroPayment,
    amount,
    payments,
)

if TYPE_CHECKING:
    from tests.conftest import Provider

# a person has to approve, or a bank to misbehave: the sandbox does neither by itself
pytestmark = [pytest.mark.vcr, pytest.mark.block_network, pytest.mark.simulator_only(decoupled_reads=2)]

CALLBACK = "https://app.example.com/callback"
STATE = "the-state-of-a-session"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
A_COMPANY = evolve(SOMEBODY, corporate_id="example-company", context=PsuContext.CORPORATE)
FIRST_SIGNER = evolve(A_COMPANY, id="99990101002")
OF_THE_SANDBOX = "SE4550000000058398257466"
TO_SOMEBODY = AccountReference(iban="SE3550000000054910000003")


def client(provider: Provider) -> OpenPayments:
    return OpenPayments(**provider.arguments, api_scopes=[ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION])


def domestic(**changes: Any) -> DomesticPayment:
    payment = DomesticPayment(
        instructed_amount=amount(Decimal("125.50"), "SEK"),
        debtor_account=DebtorAccountReference(iban=OF_THE_SANDBOX),
        creditor_account=TO_SOMEBODY,
        creditor_name="Example Shop",
        remittance_information_unstructured="Order 1001",
        end_to_end_identification="order-1001",
    )
    return evolve(payment, **changes)


def approved(bank: Bank, created: CreatedPayment) -> str:
    """The status of a payment, once its user has approved it in the app."""
    authorisation = bank.payments.authorise(created)
    assert authorisation.approach is Approach.DECOUPLED
    return authorisation.wait(poll_interval=0.01)


def test_payment_by_redirect_and_its_entry_in_the_account(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=True)
        consent = bank.consents.create(valid_until=provider.today)
        provider.simulate(lambda simulator: simulator.approve(consent.consent_id))
        account, *_ = bank.accounts(consent).list()

        created = bank.payments.create(domestic(debtor_account=DebtorAccountReference(iban=account.iban)))
        assert (created.product, created.transaction_status) == ("domestic", "RCVD")
        authorisation = bank.payments.authorise(created)
        assert authorisation.approach is Approach.OAUTH_REDIRECT
        url = authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)
        token = authorisation.complete(provider.visit(url))
        assert token is not None
        assert token.scope == "paymentinitiation private"
        assert authorisation.wait(poll_interval=0.01) == "ACSP"
        assert bank.payments.authorisations(created) == [authorisation.authorisation_id]

        provider.simulate(lambda simulator: simulator.settle_payment(created.payment_id))
        assert bank.payments.wait(created, "settled") == "ACSC"
        read = bank.payments.get(created)
        assert (read.creditor_name, read.end_to_end_identification) == ("Example Shop", "order-1001")
        entries = [entry for entry in bank.accounts(consent).transactions(account, date_from=provider.today)]
        entry = payments.find(entries, created)
        assert entry is not None
        assert (entry.payment_id, entry.end_to_end_id) == (created.payment_id, "order-1001")


def test_sepa_payment_with_a_qr_code(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        created = bank.payments.create(
            SepaCreditTransfer(
                instructed_amount=amount("40", "EUR"),
                debtor_account=DebtorAccountReference(iban=OF_THE_SANDBOX),
                creditor_account=AccountReference(iban="DE89370400440532013000"),
                creditor_name="Example Close Match",
                creditor_agent="COBADEFFXXX",
                creditor_agent_name="Commerzbank",
                creditor_address=Address(country="DE", city="Frankfurt"),
                end_to_end_identification="invoice-7",
            )
        )
        payee = payments.payee_match(created)
        assert payee is not None
        assert payee.party_name_match == "CMTC"
        assert [each.code for each in payments.warnings(created)] == ["CREDITOR_NAME_CLOSE_MATCH"]
        authorisation = bank.payments.authorise(created)
        updates = [update for update in authorisation.updates(poll_interval=0.01)]
        assert len({update.challenge.qr_content for update in updates if update.challenge}) > 1
        assert authorisation.wait(poll_interval=0.01) == "ACSP"


def test_giro_payment_of_a_company(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", A_COMPANY)
        created = bank.payments.create(
            SwedishGiroPayment(
                instructed_amount=amount(1500, "SEK"),
                debtor_account=DebtorAccountReference(iban=OF_THE_SANDBOX),
                creditor_name="Example Energy",
                creditor_giro=GiroReference(giro_number="5050-1055", giro_type="BANKGIRO"),
                ocr_ref="1234567897",
                end_to_end_identification="invoice-8",
            )
        )
        assert approved(bank, created) == "ACSP"
        read = bank.payments.get(created.payment_id, product="swedish-giro")
        assert read.end_to_end_identification == "invoice-8"


def abroad() -> CrossBorderPayment:
    return CrossBorderPayment(
        instructed_amount=amount(Decimal("130.00"), "USD"),
        debtor_account=DebtorAccountReference(iban=OF_THE_SANDBOX),
        creditor_account=AccountReference(account_number="1234567890"),
        creditor_name="Example Books Inc",
        creditor_agent="CHASUS33",
        creditor_agent_name="Example Bank",
        creditor_address=InternationalAddress(
            country="US", postal_code="10001", street="Example Street 1", city="New York"
        ),
        end_to_end_identification="invoice-9",
    )


def test_cross_border_payment_with_its_quote(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", A_COMPANY)
        quote = bank.fx_quotes.create(
            source_currency="SEK", target_currency="USD", amount=Decimal("130.00"), country_code="US"
        )
        assert quote.total_amount is not None
        assert bank.fx_quotes.get(quote).fx_rate == quote.fx_rate
        created = bank.payments.create(abroad(), fx_quote=quote)
        assert approved(bank, created) == "ACSP"


def test_quote_that_is_confirmed_and_paid_by_own_means(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", A_COMPANY)
        quote = bank.fx_quotes.create(source_currency="SEK", target_currency="USD", amount="130.00", country_code="US")
        intent = bank.fx_quotes.confirm(quote, abroad())
        assert intent.instructed_amount is not None
        assert intent.instructed_amount.currency == "SEK"
        with pytest.raises(BadRequestError):  # it is used up
            bank.payments.create(abroad(), fx_quote=quote.fx_quote_id)


@pytest.mark.simulator_only(quote_lifetime=0)
def test_quote_that_has_expired(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", A_COMPANY)
        quote = bank.fx_quotes.create(source_currency="SEK", target_currency="USD", amount="130.00", country_code="US")
        with pytest.raises(BadRequestError) as caught:
            bank.payments.create(abroad(), fx_quote=quote.fx_quote_id)
        assert caught.value.code == "RESOURCE_EXPIRED"


def test_payment_that_is_rejected(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", evolve(SOMEBODY, id="example-payment-rejected"))
        created = bank.payments.create(domestic())
        with pytest.raises(PaymentRejectedError) as caught:
            approved(bank, created)
        assert (caught.value.payment_id, caught.value.status) == (created.payment_id, "RJCT")
        with pytest.raises(PaymentRejectedError):
            bank.payments.wait(created)


def test_payment_that_two_people_sign(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", FIRST_SIGNER)
        created = bank.payments.create(domestic())
        authorisation = bank.payments.authorise(created)
        assert [update.sca_status for update in authorisation.updates(poll_interval=0.01)][-1] == "finalised"
        with pytest.raises(AnotherSignatureNeededError) as caught:
            bank.payments.wait(created)
        assert [each.code for each in caught.value.messages] == ["AUTHORISATION_PENDING_API"]
        assert approved(op.at_bank("ESSESESS", evolve(A_COMPANY, id="example-colleague")), created) == "ACSP"


def test_payment_that_is_approved_at_the_second_attempt(provider: Provider) -> None:
    with client(provider) as op:
        created = op.at_bank("ESSESESS", evolve(A_COMPANY, id="99990101004")).payments.create(domestic())
        with pytest.raises(AuthorisationFailedError) as caught:
            approved(op.at_bank("ESSESESS", evolve(A_COMPANY, id="99990101004")), created)
        assert (caught.value.code, caught.value.trying_again_helps) == ("AUTHENTICATION_SESSION_EXPIRED", True)
        assert approved(op.at_bank("ESSESESS", A_COMPANY), created) == "ACSP"


def test_payment_that_the_user_declines(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        created = bank.payments.create(domestic())
        authorisation = bank.payments.authorise(created)
        provider.simulate(lambda simulator: simulator.decline(authorisation.authorisation_id))
        with pytest.raises(AuthorisationFailedError) as caught:
            authorisation.wait(poll_interval=0.01)
        assert (caught.value.code, caught.value.trying_again_helps) == ("USER_CANCEL", True)
        assert bank.payments.status(created) == "RCVD"


def test_payment_of_a_user_without_a_usable_bankid(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", evolve(A_COMPANY, id="99990101005"))
        created = bank.payments.create(domestic())
        with pytest.raises(AuthorisationFailedError) as caught:
            approved(bank, created)
        assert (caught.value.code, caught.value.trying_again_helps) == ("BANKID_NOT_ACTIVATED", False)


def test_payment_that_is_cancelled(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        for is_approved in (False, True):
            created = bank.payments.create(domestic())
            if is_approved:
                assert approved(bank, created) == "ACSP"
            assert bank.payments.cancel(created) is None
            status = bank.payments.status(created)
            assert (status, status.is_failed) == ("CANC", True)


def test_cancellation_that_the_user_approves(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY)
        created = bank.payments.create(domestic())
        assert approved(bank, created) == "ACSP"
        cancelled = bank.payments.cancel(created)
        assert cancelled is not None
        authorisation = bank.payments.authorise(created, cancellation=True)
        assert authorisation.wait(poll_interval=0.01) == "CANC"
        assert bank.payments.authorisations(created, cancellation=True) == [authorisation.authorisation_id]


def test_cancellation_that_is_refused(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("HANDSESS", SOMEBODY)
        created = bank.payments.create(domestic())
        with pytest.raises(CancellationRefusedError):
            bank.payments.cancel(created)


def test_payment_to_a_flagged_payee(provider: Provider) -> None:
    with client(provider) as op:
        created = op.at_bank("ESSESESS", SOMEBODY).payments.create(domestic(creditor_name="Example Flagged"))
        assert [(each.category, each.code) for each in payments.warnings(created)] == [
            ("WARNING", "CREDITOR_ACCOUNT_FLAGGED")
        ]


def test_payment_to_an_account_of_another_name(provider: Provider) -> None:
    with client(provider) as op:
        created = op.at_bank("ESSESESS", SOMEBODY).payments.create(
            SepaCreditTransfer(
                instructed_amount=amount("40", "EUR"),
                debtor_account=DebtorAccountReference(iban=OF_THE_SANDBOX),
                creditor_account=AccountReference(iban="DE89370400440532013000"),
                creditor_name="Example No Match",
                creditor_agent="COBADEFFXXX",
                creditor_agent_name="Commerzbank",
                end_to_end_identification="invoice-10",
            )
        )
        payee = payments.payee_match(created)
        assert payee is not None
        assert payee.party_name_match == "NMTC"
        assert [each.code for each in payments.warnings(created)] == ["CREDITOR_NAME_MISMATCH"]


def test_product_that_the_bank_does_not_have(provider: Provider) -> None:
    with client(provider) as op:
        with pytest.raises(NotFoundError) as caught:
            op.at_bank("ESSESESS", A_COMPANY).payments.create(abroad())
        assert caught.value.code == "PRODUCT_UNKNOWN"


def test_day_that_the_bank_refuses(provider: Provider) -> None:
    with client(provider) as op:
        order = domestic(requested_execution_date=provider.today - timedelta(days=1))
        with pytest.raises(BadRequestError) as caught:  # `bank.call` does not look at days
            op.at_bank("ESSESESS", SOMEBODY).call(initiate_payment, "payments", "domestic", body=order)
        assert caught.value.code == "EXECUTION_DATE_INVALID"


def test_unknown_payment(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(NotFoundError):
            bank.payments.status("65b41d08-5bb4-4243-96d8-4049971b6287", product="domestic")


def test_basket_of_payments(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY)
        created = [bank.payments.create(domestic(end_to_end_identification=f"order-{n}")) for n in range(3)]
        basket = bank.signing_baskets.create(created)
        assert bank.signing_baskets.status(basket) == "RCVD"
        authorisation = bank.signing_baskets.authorise(basket)
        signed = authorisation.wait(poll_interval=0.01)
        assert signed.payment_ids == [each.payment_id for each in created]
        assert [bank.payments.wait(each) for each in created] == ["ACSP"] * 3
        with pytest.raises(ConflictError):
            bank.signing_baskets.delete(basket)


def test_basket_that_two_people_sign(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", FIRST_SIGNER)
        created = bank.payments.create(domestic())
        basket = bank.signing_baskets.create([created])
        authorisation = bank.signing_baskets.authorise(basket)
        assert [update.sca_status for update in authorisation.updates(poll_interval=0.01)][-1] == "finalised"
        assert bank.signing_baskets.status(basket) == "PATC"
        assert bank.payments.status(created).needs_another_signature
        colleague = op.at_bank("ESSESESS", evolve(A_COMPANY, id="example-colleague"))
        authorisation = colleague.signing_baskets.authorise(basket)
        assert authorisation.wait(poll_interval=0.01).transaction_status == "ACTC"
        assert bank.payments.wait(created) == "ACSP"


def test_basket_of_an_approved_payment(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY)
        created = bank.payments.create(domestic())
        assert approved(bank, created) == "ACSP"
        with pytest.raises(ConflictError) as caught:
            bank.signing_baskets.create([created])
        assert caught.value.code == "REFERENCE_STATUS_INVALID"


def test_basket_that_is_deleted(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY)
        created = bank.payments.create(domestic())
        basket = bank.signing_baskets.create([created.payment_id])
        assert bank.signing_baskets.get(basket).payment_ids == [created.payment_id]
        with pytest.raises(BadRequestError) as caught:
            bank.payments.authorise(created)
        assert caught.value.code == "RESOURCE_BLOCKED"
        assert bank.signing_baskets.delete(basket) is None
        assert approved(bank, created) == "ACSP"


@pytest.mark.simulator_only(decoupled_reads=2, require_kyc=True)
def test_payment_that_waits_for_the_kyc_of_a_company(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY)
        with pytest.raises(KycRequiredError) as caught:
            bank.payments.create(domestic())
        assert caught.value.kyc_url is not None
        assert op.kyc.create(A_COMPANY, country_code="SE").kyc_url
        assert op.kyc.status(A_COMPANY).kyc_status == "Invalid"
        provider.simulate(lambda simulator: simulator.complete_kyc("example-company"))
        assert op.kyc.status(A_COMPANY).kyc_status == "Valid"
        assert (bank.payments.create(domestic())).transaction_status == "RCVD"
