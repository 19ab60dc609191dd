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
    AsyncOpenPayments,
    AuthorisationFailedError,
    BadRequestError,
    ConsentAccess,
    ConsentExpiredError,
    ConsentInvalidError,
    NotFoundError,
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


def client(provider: Provider) -> AsyncOpenPayments:
    return AsyncOpenPayments(**provider.arguments, api_scopes=[ApiScope.ACCOUNT_INFORMATION])


async def consented(op: AsyncOpenPayments, provider: Provider, bic: str = "ESSESESS", **terms: Any) -> str:
    """The id of a consent that is valid already."""
    consents = op.at_bank(bic, SOMEBODY).consents
    consent = await consents.create(valid_until=provider.today + relativedelta(days=90), **terms)
    provider.simulate(lambda simulator: simulator.approve(consent.consent_id))
    return consent.consent_id


@pytest.mark.simulator_only(transactions=12, page_size=5)
async def test_from_a_bank_to_its_transactions_by_redirect(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = await bank.consents.create(valid_until=provider.today + relativedelta(days=90))
        authorisation = await bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.OAUTH_REDIRECT
        url = authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)
        token = await authorisation.complete(provider.visit(url))
        assert token is not None
        assert token.scope == "accountinformation private"
        consent = await authorisation.wait(poll_interval=0.01)
        assert (consent.consent_id, consent.consent_status) == (created.consent_id, "valid")
        assert await bank.consents.authorisations(created.consent_id) == [authorisation.authorisation_id]

        accounts = bank.accounts(created.consent_id)
        listed = await accounts.list(with_balance=True)
        assert [account.name for account in listed] == ["Lönekonto", "Sparkonto", "Valutakonto"]
        account = await accounts.get(listed[0])
        assert account.iban == listed[0].iban
        balances = await accounts.balances(account)
        assert [money(balance.balance_amount) for balance in balances]

        history = accounts.transactions(account, booking_status="both", date_from=relativedelta(months=-13))
        found = [transaction async for transaction in history]
        booked = [transaction for transaction in found if transaction.booking_status == "booked"]
        assert (len(booked), len(found)) == (12, 14)
        assert len({transaction.entry_reference for transaction in booked}) == 12
        assert [transaction.booking_date for transaction in booked] == sorted(
            transaction.booking_date for transaction in booked if transaction.booking_date
        )
        assert isinstance(found[-1], PendingTransaction)
        details = await accounts.transaction(account, transaction_id=booked[0])
        assert details.transaction_amount == booked[0].transaction_amount

        await bank.consents.delete(created.consent_id)
        assert await bank.consents.status(created.consent_id) == "terminatedByTpp"


@pytest.mark.simulator_only(transactions=5, decoupled_reads=4)
async def test_from_a_bank_to_its_transactions_with_a_qr_code(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = await bank.consents.create(valid_until=provider.today + relativedelta(days=90))
        authorisation = await bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.DECOUPLED
        updates = [update async for update in authorisation.updates(poll_interval=0.01)]
        shown = [update.challenge.qr_image for update in updates if update.challenge]
        assert len(set(shown)) == len(shown) > 1
        assert all(str(image).startswith("data:image/png;base64,") for image in shown)
        assert updates[-1].sca_status == "finalised"
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        account = (await accounts.list())[0]
        assert len([entry async for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]) == 5


async def test_decoupled_on_the_same_device(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id, same_device=True)
        assert authorisation.challenge is not None
        assert authorisation.challenge.method == "mbid_same_device"
        assert authorisation.challenge.qr_content is None
        assert "autostarttoken=" in str(authorisation.challenge.app_link())
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


async def test_decoupled_with_the_text_of_a_qr_code(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id, "mbid_animated_qr_token")
        updates = [update async for update in authorisation.updates(poll_interval=0.01)]
        assert len({update.challenge.qr_content for update in updates if update.challenge}) > 1
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


@pytest.mark.simulator_only(transactions=5)
async def test_decoupled_at_a_bank_that_approves_at_once(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("HANDSESS", SOMEBODY)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.DECOUPLED
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        account = await accounts.get((await accounts.list())[0], with_balance=True)
        assert (account.iban, account.clearing_number) == (None, "6000")
        assert account.bban
        assert account.balances
        assert [entry async for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]


@pytest.mark.simulator_only(plain_redirect=True)
async def test_redirect_without_a_code(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("NDEASESS", SOMEBODY)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        assert authorisation.approach is Approach.REDIRECT
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        assert await authorisation.complete(callback) is None
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


async def test_redirect_for_a_company(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", A_COMPANY, redirect_preferred=True)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        token = await authorisation.complete(callback)
        assert token is not None
        assert token.scope == "accountinformation corporate"
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
        accounts = bank.accounts(created.consent_id)
        assert {account.usage for account in await accounts.list()} == {"ORGA"}


async def test_consent_for_one_account(provider: Provider) -> None:
    async with client(provider) as op:
        everything = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, provider))
        first, second, *_ = await everything.list()
        named = [AccountReference(iban=first.iban)]
        access = ConsentAccess(accounts=named, balances=named)
        once = await consented(op, provider, access=access, recurring_indicator=False, frequency_per_day=1)
        only_one = op.at_bank("ESSESESS", SOMEBODY).accounts(once)
        assert [account.resource_id for account in await only_one.list()] == [first.resource_id]
        with pytest.raises(ConsentInvalidError) as caught:
            await only_one.balances(second)
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_INVALID")


@pytest.mark.simulator_only(transactions=10, rules="2021")
async def test_transactions_since_the_last_time(provider: Provider) -> None:
    async with client(provider) as op:
        accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, provider))
        account = (await accounts.list())[0]
        year = accounts.transactions(account, date_from=relativedelta(years=-1), date_to=provider.today)
        known = [entry async for entry in year]
        since = accounts.transactions(account, entry_reference_from=known[-3].entry_reference)
        assert [entry async for entry in since] == known[-2:]
        nothing_new = [report async for report in accounts.transactions(account, delta_list=True).pages()]
        assert [report.transactions.booked for report in nothing_new if report.transactions] == [[]]


async def test_user_who_is_exempted(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", WHO_IS_EXEMPTED)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        assert authorisation.sca_status == "exempted"
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


async def test_user_who_declines(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        url = authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE)
        callback = provider.visit(url, approve=False)
        with pytest.raises(AuthorisationFailedError) as caught:
            await authorisation.complete(callback)
        assert caught.value.code == "access_denied"
        with pytest.raises(AuthorisationFailedError) as caught:
            await authorisation.wait(poll_interval=0.01)
        assert (caught.value.code, caught.value.sca_status) == ("USER_CANCEL", "failed")
        assert caught.value.trying_again_helps
        assert await bank.consents.status(created.consent_id) == "rejected"


async def test_decoupled_that_fails(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("SWEDSESS", WHO_FAILS, redirect_preferred=False)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        with pytest.raises(AuthorisationFailedError) as caught:
            await authorisation.wait(poll_interval=0.01)
        assert caught.value.code == "failed"


async def test_user_without_a_usable_bankid(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("SWEDSESS", evolve(SOMEBODY, id="99990101005"), redirect_preferred=False)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        with pytest.raises(AuthorisationFailedError, match="BANKID_NOT_ACTIVATED: the user has no usable") as caught:
            await authorisation.wait(poll_interval=0.01)
        assert caught.value.code == "BANKID_NOT_ACTIVATED"
        assert caught.value.trying_again_helps is False


async def test_code_that_was_used(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        callback = provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        assert await authorisation.complete(callback)
        with pytest.raises(ReauthorisationRequiredError) as caught:
            await authorisation.complete(callback)
        assert (caught.value.status_code, caught.value.code) == (400, "invalid_grant")


@pytest.mark.simulator_only(refresh_tokens=True)
async def test_refreshed_token_of_a_user(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
        created = await bank.consents.create(valid_until=provider.today)
        authorisation = await bank.consents.authorise(created.consent_id)
        token = await authorisation.complete(
            provider.visit(authorisation.redirect_url(redirect_uri=CALLBACK, state=STATE))
        )
        assert token is not None
        refreshed = await op.oauth.refresh(token)
        assert refreshed.access_token != token.access_token
        provider.simulate(lambda simulator: simulator.revoke_tokens())
        with pytest.raises(ReauthorisationRequiredError):
            await op.oauth.refresh(refreshed)


async def test_unknown_consent(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(ConsentInvalidError) as caught:
            await bank.consents.get("of-nobody")
        assert (caught.value.status_code, caught.value.code) == (403, "CONSENT_UNKNOWN")
        with pytest.raises(ConsentInvalidError) as caught:
            await bank.accounts("of-nobody").list()
        assert (caught.value.status_code, caught.value.code) == (400, "CONSENT_UNKNOWN")


async def test_consent_that_nobody_authorised(provider: Provider) -> None:
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        created = await bank.consents.create(valid_until=provider.today)
        with pytest.raises(ConsentInvalidError) as caught:
            await bank.accounts(created.consent_id).list()
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_INVALID")


async def test_expired_consent(provider: Provider) -> None:
    async with client(provider) as op:
        consent_id = await consented(op, provider)
        provider.simulate(lambda simulator: simulator.expire_consent(consent_id))
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(ConsentExpiredError) as caught:
            await bank.accounts(consent_id).list()
        assert (caught.value.status_code, caught.value.code) == (401, "CONSENT_EXPIRED")
        assert await bank.consents.status(consent_id) == "expired"


async def test_unknown_account(provider: Provider) -> None:
    async with client(provider) as op:
        accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, provider))
        with pytest.raises(NotFoundError) as caught:
            await accounts.balances("of-nobody")
        assert (caught.value.status_code, caught.value.code) == (404, "RESOURCE_UNKNOWN")


@pytest.mark.simulator_only(transactions=1)
async def test_details_of_a_bank_without_them(provider: Provider) -> None:
    async with client(provider) as op:
        accounts = op.at_bank("NDEASESS", SOMEBODY).accounts(await consented(op, provider, "NDEASESS"))
        account = (await accounts.list())[0]
        (entry,) = [entry async for entry in accounts.transactions(account, date_from=relativedelta(years=-1))]
        assert entry.transaction_id is None
        assert entry.entry_reference
        with pytest.raises(NotFoundError):
            await accounts.transaction(account, transaction_id=entry.entry_reference)


async def test_unknown_bank_of_a_consent(provider: Provider) -> None:
    async with client(provider) as op:
        with pytest.raises(BadRequestError) as caught:
            await op.at_bank("DEUTDEFF", SOMEBODY).consents.create(valid_until=provider.today)
        assert (caught.value.status_code, caught.value.code) == (400, "RESOURCE_UNKNOWN")


async def test_cards(provider: Provider) -> None:
    async with client(provider) as op:
        cards = op.at_bank("ESSESESS", SOMEBODY).cards(await consented(op, provider))
        [card, *_] = await cards.list(with_balance=True)
        assert card.masked_pan
        assert (await cards.get(card)).masked_pan == card.masked_pan
        assert [money(balance.balance_amount) for balance in await cards.balances(card)]
        uses = [
            use async for use in cards.transactions(card, booking_status="both", date_from=relativedelta(months=-3))
        ]
        assert {use.booking_status for use in uses} == {"booked", "pending"}
        assert all(money(use.transaction_amount) for use in uses)


async def test_two_people_who_have_to_sign(provider: Provider) -> None:
    first = evolve(A_COMPANY, id="99990101002", corporate_id="9999999990")  # a test user of the sandbox
    second = evolve(first, id="99990101000")
    async with client(provider) as op:
        bank = op.at_bank("ESSESESS", first)
        consent = await bank.consents.create(valid_until=provider.today)
        one = await bank.consents.authorise(consent)
        updates = [update async for update in one.updates(poll_interval=0.01)]
        assert updates[-1].sca_status == "finalised"
        assert await bank.consents.status(consent) == "partiallyAuthorised"
        another = await op.at_bank("ESSESESS", second).consents.authorise(consent)
        assert (await another.wait(poll_interval=0.01)).consent_status == "valid"
        assert await bank.accounts(consent).list()
