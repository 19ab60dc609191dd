# Written by `make unasync` from tests/_async/test_bank_journeys.py; do not edit.
"""From a bank to its transactions as recorded traffic: each test replays its cassette, with the network blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from dateutil.relativedelta import relativedelta

from openpayments_facade import (
    AccountReference,
    ApiScope,
    Approach,
    AuthorisationFailedError,
    BadRequestError,
    ConsentAccess,
    ConsentExpiredError,
    ConsentInvalidError,
    NotFoundError,
    OpenPayments,
    PendingTransaction,
    Psu,
    ReauthorisationRequiredError,
    money,
)

if TYPE_CHECKING:
    from tests.conftest import Provider

# a person has to approve, or a bank to misbehave: the sandbox does neither by itself
pytestmark = [pytest.mark.vcr, pytest.mark.block_network, pytest.mark.simulator_only]

CALLBACK = "https://app.example.com/callback"
STATE = "the-state-of-a-session"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
A_COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
WHO_FAILS = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-fails")
WHO_IS_EXEMPTED = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-exempted")


def client(provider: Provider) -> OpenPayments:
    return OpenPayments(**provider.arguments, api_scopes=[ApiScope.ACCOUNT_INFORMATION])


def consented(op: OpenPayments, provider: Provider, bic: str = "ESSESESS", **terms: Any) -> str:
    """The id of a consent that is valid already."""
    consents = op.at_bank(bic, SOMEBODY).consents
    consent = consents.create(valid_until=provider.today + relativedelta(days=90), **terms)
    provider.simulate(lambda simulator: simulator.approve(consent.consent_id))
    return consent.consent_id


@pytest.mark.simulator_only(transactions=12, page_size=5)
def test_from_a_bank_to_its_transactions_by_redirect(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = bank.consents.create(valid_until=provider.today + relativedelta(days=90))
        authorisation = bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.OAUTH_REDIRECT
        url = authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)
        token = authorisation.complete(provider.visit(url))
        assert token is not None
        assert token.scope == "accountinformation private"
        consent = authorisation.wait(poll_interval=0.01)
        assert (consent.consent_id, consent.consent_status) == (created.consent_id, "valid")
        assert bank.consents.authorisations(created.consent_id) == [authorisation.authorisation_id]

        accounts = bank.accounts(created.consent_id)
        listed = accounts.list(with_balance=True)
        assert [account.name for account in listed] == ["Lönekonto", "Sparkonto", "Valutakonto"]
        account = accounts.get(listed[0])
        assert account.iban == listed[0].iban
        balances = accounts.balances(account)
        assert [money(balance.balance_amount) for balance in balances]

        history = accounts.transactions(account, booking_status="both", date_from=relativedelta(months=-13))
        found = [transaction for transaction in history]
        booked = [transaction for transaction in found if transaction.booking_status == "booked"]
        assert (len(booked), len(found)) == (12, 14)
        assert len({transaction.entry_reference for transaction in booked}) == 12
        assert [transaction.booking_date for transaction in booked] == sorted(
            transaction.booking_date for transaction in booked if transaction.booking_date
        )
        assert isinstance(found[-1], PendingTransaction)
        details = accounts.transaction(account, transaction_id=booked[0])
        assert details.transaction_amount == booked[0].transaction_amount

        bank.consents.delete(created.consent_id)
        assert bank.consents.status(created.consent_id) == "terminatedByTpp"


@pytest.mark.simulator_only(transactions=5, decoupled_reads=4)
def test_from_a_bank_to_its_transactions_with_a_qr_code(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = bank.consents.create(valid_until=provider.today + relativedelta(days=90))
        authorisation = bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.DECOUPLED
        updates = [update for update in authorisation.updates(poll_interval=0.01)]
        shown = [update.challenge.qr_image for update in updates if update.challenge]
        assert len(set(shown)) == len(shown) > 1
        assert all(str(image).startswith("data:image/png;base64,") for image in shown)
        assert updates[-1].sca_status == "finalised"
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        account = accounts.list()[0]
        assert len([entry for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]) == 5


def test_decoupled_on_the_same_device(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id, same_device=True)
        assert authorisation.challenge is not None
        assert authorisation.challenge.method == "mbid_same_device"
        assert authorisation.challenge.qr_content is None
        assert "autostarttoken=" in str(authorisation.challenge.app_link())
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"


def test_decoupled_with_the_text_of_a_qr_code(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id, "mbid_animated_qr_token")
        updates = [update for update in authorisation.updates(poll_interval=0.01)]
        assert len({update.challenge.qr_content for update in updates if update.challenge}) > 1
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"


@pytest.mark.simulator_only(transactions=5)
def test_decoupled_at_a_bank_that_approves_at_once(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("HANDSESS", SOMEBODY)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.DECOUPLED
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        account = accounts.get(accounts.list()[0], with_balance=True)
        assert (account.iban, account.clearing_number) == (None, "6000")
        assert account.bban
        assert account.balances
        assert [entry for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]


@pytest.mark.simulator_only(plain_redirect=True)
def test_redirect_without_a_code(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("NDEASESS", SOMEBODY)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.REDIRECT
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        assert authorisation.complete(callback) is None
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"


def test_redirect_for_a_company(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY, redirect_preferred=True)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        token = authorisation.complete(callback)
        assert token is not None
        assert token.scope == "accountinformation corporate"
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        assert {account.usage for account in accounts.list()} == {"ORGA"}


def test_consent_for_one_account(provider: Provider) -> None:
    with client(provider) as op:
        everything = op.at_bank("ESSESESS", SOMEBODY).accounts(consented(op, provider))
        first, second, *_ = everything.list()
        named = [AccountReference(iban=first.iban)]
        access = ConsentAccess(accounts=named, balances=named)
        once = consented(op, provider, access=access, recurring_indicator=False, frequency_per_day=1)
        only_one = op.at_bank("ESSESESS", SOMEBODY).accounts(once)
        assert [account.resource_id for account in only_one.list()] == [first.resource_id]
        with pytest.raises(ConsentInvalidError) as caught:
            only_one.balances(second)
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_INVALID")


@pytest.mark.simulator_only(transactions=10, rules="2021")
def test_transactions_since_the_last_time(provider: Provider) -> None:
    with client(provider) as op:
        accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(consented(op, provider))
        account = accounts.list()[0]
        year = accounts.transactions(account, date_from=relativedelta(years=-1), date_to=provider.today)
        known = [entry for entry in year]
        since = accounts.transactions(account, entry_reference_from=known[-3].entry_reference)
        assert [entry for entry in since] == known[-2:]
        nothing_new = [report for report in accounts.transactions(account, delta_list=True).pages()]
        assert [report.transactions.booked for report in nothing_new if report.transactions] == [[]]


def test_user_who_is_exempted(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", WHO_IS_EXEMPTED)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        assert authorisation.sca_status == "exempted"
        assert authorisation.wait(poll_interval=0.01).consent_status == "valid"


def test_user_who_declines(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        url = authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)
        callback = provider.visit(url, approve=False)
        with pytest.raises(AuthorisationFailedError) as caught:
            authorisation.complete(callback)
        assert caught.value.code == "access_denied"
        with pytest.raises(AuthorisationFailedError) as caught:
            authorisation.wait(poll_interval=0.01)
        assert (caught.value.code, caught.value.sca_status) == ("USER_CANCEL", "failed")
        assert caught.value.trying_again_helps
        assert bank.consents.status(created.consent_id) == "rejected"


def test_decoupled_that_fails(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", WHO_FAILS, redirect_preferred=False)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        with pytest.raises(AuthorisationFailedError) as caught:
            authorisation.wait(poll_interval=0.01)
        assert caught.value.code == "failed"


def test_user_without_a_usable_bankid(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("SWEDSESS", evolve(SOMEBODY, id="99990101005"), redirect_preferred=False)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        with pytest.raises(AuthorisationFailedError, match="BANKID_NOT_ACTIVATED: the user has no usable") as caught:
            authorisation.wait(poll_interval=0.01)
        assert caught.value.code == "BANKID_NOT_ACTIVATED"
        assert caught.value.trying_again_helps is False


def test_code_that_was_used(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        assert authorisation.complete(callback)
        with pytest.raises(ReauthorisationRequiredError) as caught:
            authorisation.complete(callback)
        assert (caught.value.status_code, caught.value.code) == (400, "invalid_grant")


@pytest.mark.simulator_only(refresh_tokens=True)
def test_refreshed_token_of_a_user(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = bank.consents.create(valid_until=provider.today)
        authorisation = bank.consents.authorise(created.consent_id)
        token = authorisation.complete(provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)))
        assert token is not None
        refreshed = op.oauth.refresh(token)
        assert refreshed.access_token != token.access_token
        provider.simulate(lambda simulator: simulator.revoke_tokens())
        with pytest.raises(ReauthorisationRequiredError):
            op.oauth.refresh(refreshed)


def test_unknown_consent(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(ConsentInvalidError) as caught:
            bank.consents.get("of-nobody")
        assert (caught.value.status_code, caught.value.code) == (403, "CONSENT_UNKNOWN")
        with pytest.raises(ConsentInvalidError) as caught:
            bank.accounts("of-nobody").list()
        assert (caught.value.status_code, caught.value.code) == (400, "CONSENT_UNKNOWN")


def test_consent_that_nobody_authorised(provider: Provider) -> None:
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        created = bank.consents.create(valid_until=provider.today)
        with pytest.raises(ConsentInvalidError) as caught:
            bank.accounts(created.consent_id).list()
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_INVALID")


def test_expired_consent(provider: Provider) -> None:
    with client(provider) as op:
        consent_id = consented(op, provider)
        provider.simulate(lambda simulator: simulator.expire_consent(consent_id))
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(ConsentExpiredError) as caught:
            bank.accounts(consent_id).list()
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_EXPIRED")
        assert bank.consents.status(consent_id) == "expired"


def test_unknown_account(provider: Provider) -> None:
    with client(provider) as op:
        accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(consented(op, provider))
        with pytest.raises(NotFoundError) as caught:
            accounts.balances("of-nobody")
        assert (caught.value.status_code, caught.value.code) == (404, "RESOURCE_UNKNOWN")


@pytest.mark.simulator_only(transactions=1)
def test_details_of_a_bank_without_them(provider: Provider) -> None:
    with client(provider) as op:
        accounts = op.at_bank("NDEASESS", SOMEBODY).accounts(consented(op, provider, "NDEASESS"))
        account = accounts.list()[0]
        (entry,) = [entry for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]
        assert entry.transaction_id is None
        assert entry.entry_reference
        with pytest.raises(NotFoundError):
            accounts.transaction(account, transaction_id=entry.entry_reference)


def test_unknown_bank_of_a_consent(provider: Provider) -> None:
    with client(provider) as op:
        with pytest.raises(BadRequestError) as caught:
            op.at_bank("DEUTDEFF", SOMEBODY).consents.create(valid_until=provider.today)
        assert (caught.value.status_code, caught.value.code) == (400, "RESOURCE_UNKNOWN")


def test_cards(provider: Provider) -> None:
    with client(provider) as op:
        cards = op.at_bank("ESSESESS", SOMEBODY).cards(consented(op, provider))
        [card, *_] = cards.list(with_balance=True)
        assert card.masked_pan
        assert cards.get(card).masked_pan == card.masked_pan
        assert [money(balance.balance_amount) for balance in cards.balances(card)]
        uses = [use for use in cards.transactions(card, booking_status="both", date_from=relativedelta(months=-3))]
        assert {use.booking_status for use in uses} == {"booked", "pending"}
        assert all(money(use.transaction_amount) for use in uses)


def test_two_people_who_have_to_sign(provider: Provider) -> None:
    first = evolve(A_COMPANY, id="99990101002", corporate_id="9999999990")  # a test user of the sandbox
    second = evolve(first, id="99990101000")
    with client(provider) as op:
        bank = op.at_bank("ESSESESS", first)
        consent = bank.consents.create(valid_until=provider.today)
        one = bank.consents.authorise(consent)
        updates = [update for update in one.updates(poll_interval=0.01)]
        assert updates[-1].sca_status == "finalised"
        assert bank.consents.status(consent) == "partiallyAuthorised"
        another = op.at_bank("ESSESESS", second).consents.authorise(consent)
        assert another.wait(poll_interval=0.01).consent_status == "valid"
        assert bank.accounts(consent).list()
