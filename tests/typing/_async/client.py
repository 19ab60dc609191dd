"""What type checkers see of `AsyncOpenPayments`. Checked by `make check`, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_type

import httpx
from dateutil.relativedelta import relativedelta
from openpayments_client.api.account_information import get_account_list, get_balances
from openpayments_client.api.aspsp_information import get_aspsp_details, get_countries_list
from openpayments_client.api.consent import delete_consent
from openpayments_client.api.payment_initiation import cancel_payment, initiate_payment
from openpayments_client.models import AccountList, BalancesAnswer, CountryList, PayeeMatch, PaymentCreated

from openpayments_facade import (
    AccessToken,
    Account,
    AccountReference,
    ApiScope,
    Approach,
    Aspsp,
    AspspDetails,
    AsyncAccounts,
    AsyncAuthorisation,
    AsyncBank,
    AsyncConsents,
    AsyncFxQuotes,
    AsyncKyc,
    AsyncOpenPayments,
    AsyncPayments,
    AsyncSigningBaskets,
    AsyncTransactions,
    AuthorisationStarted,
    AuthorisationUpdate,
    Balance,
    BankgiroTransaction,
    BookedTransaction,
    Callback,
    Challenge,
    City,
    Consent,
    ConsentAccess,
    ConsentCreated,
    Country,
    CreatedPayment,
    CrossBorderPaymentIntent,
    DebtorAccountReference,
    DomesticPayment,
    Environment,
    FxQuote,
    KycCreated,
    KycStatusAnswer,
    MonetaryAmount,
    Payment,
    PaymentCancelled,
    PaymentStatus,
    PendingTransaction,
    Psu,
    PsuContext,
    RawResponse,
    RedirectUrl,
    ScaStatusAnswer,
    SigningBasket,
    SigningBasketCreated,
    Transaction,
    TransactionReport,
    UserToken,
    money,
    payments,
)


async def clients() -> None:
    async with AsyncOpenPayments(client_id="id", client_secret="secret") as op:
        assert_type(op, AsyncOpenPayments)
    assert_type(AsyncOpenPayments.from_env(timeout=5, psu_context=None), AsyncOpenPayments)
    assert_type(op.with_options(timeout=5, max_retries=0, psu_context=PsuContext.CORPORATE), AsyncOpenPayments)
    AsyncOpenPayments.from_env(api_scopes={"aspspinformation"})
    assert_type(await op.access_token(), str)
    token = await op.token()
    assert_type(token, AccessToken)
    assert_type(token.missing, tuple[str, ...])
    assert_type(op.environment, Environment)
    assert_type(op.api_scopes, tuple[ApiScope, ...])
    assert_type(op.psu_context, PsuContext | None)
    assert_type(await op.aclose(), None)


async def banks(op: AsyncOpenPayments) -> None:
    assert_type(await op.countries.list(), list[Country])
    assert_type(await op.countries.get("SE"), Country)
    assert_type(await op.cities.list(countries=["SE"]), list[City])
    assert_type(await op.cities.get("ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"), City)
    assert_type(await op.aspsps.list(countries=("SE", "FI"), city_ids=None), list[Aspsp])
    details = await op.aspsps.get("ESSESESS")
    assert_type(details, AspspDetails)
    assert_type(details.bic_fi, str)
    assert_type(details.name, str | None)
    assert_type(details.city, str | None)
    [country] = await op.countries.list()
    assert_type(await op.countries.get(country), Country)
    assert_type(await op.cities.list(countries=[country], city_ids=await op.cities.list()), list[City])
    assert_type(await op.aspsps.get((await op.aspsps.list(countries=[country]))[0]), AspspDetails)
    assert_type(op.at_bank(details, affiliated_aspsp=(details.affiliated_aspsps or [])[0]), AsyncBank)


async def calls(op: AsyncOpenPayments) -> None:
    assert_type(await op.call(get_countries_list, iso_country_codes=["SE"]), CountryList)
    assert_type(await op.call(get_aspsp_details, "ESSESESS"), AspspDetails)
    assert_type(await op.call(delete_consent, "c1", x_bic_fi="ESSESESS"), None)
    # successes with and without a body
    assert_type(await op.call(get_account_list, x_bic_fi="ESSESESS", consent_id="c1"), AccountList | None)
    assert_type(await op.call(cancel_payment, "payments", "domestic", "p1"), PaymentCancelled | None)


async def bank_calls(bank: AsyncBank) -> None:
    assert_type(await bank.call(delete_consent, "c1"), None)
    assert_type(await bank.call(get_account_list, consent_id="c1"), AccountList | None)
    assert_type(await bank.call(get_balances, "a1", consent_id="c1"), BalancesAnswer)
    body = DomesticPayment(MonetaryAmount("SEK", "1.50"), DebtorAccountReference(), AccountReference(), "Ada")
    assert_type(await bank.call(initiate_payment, "payments", "domestic", body=body), PaymentCreated)


async def raw_responses(op: AsyncOpenPayments, bank: AsyncBank) -> None:
    raw = op.with_raw_response
    answer = await raw.aspsps.get("ESSESESS")
    assert_type(answer, RawResponse[AspspDetails])
    assert_type(answer.parsed, AspspDetails)
    assert_type(answer.status_code, int)
    assert_type(answer.headers, httpx.Headers)
    assert_type(answer.request_id, str)
    assert_type((await raw.countries.list()).parsed, list[Country])
    assert_type(await raw.call(get_countries_list), RawResponse[CountryList])
    assert_type(await raw.call(delete_consent, "c1", x_bic_fi="ESSESESS"), RawResponse[None])
    assert_type(await raw.call(cancel_payment, "payments", "domestic", "p1"), RawResponse[PaymentCancelled | None])
    assert_type(await bank.with_raw_response.consents.status("c1"), RawResponse[str])
    assert_type(await bank.with_raw_response.consents.delete("c1"), RawResponse[None])
    accounts = bank.with_raw_response.accounts("c1")
    assert_type(await accounts.list(), RawResponse[list[Account]])
    pages = accounts.transactions("a1", date_from=date(2026, 1, 1)).pages()
    assert_type(pages, AsyncIterator[RawResponse[TransactionReport]])
    assert_type(accounts.transactions("a1", cursor="c").cursor, str | None)


async def consents(op: AsyncOpenPayments) -> None:
    bank = op.at_bank("ESSESESS", Psu(ip_address="203.0.113.7", id="example-user"), redirect_preferred=True)
    assert_type(bank, AsyncBank)
    assert_type(bank.consents, AsyncConsents)
    assert_type(await bank.consents.create(valid_until=date(2026, 12, 31)), ConsentCreated)
    created = await bank.consents.create(valid_until=relativedelta(days=90), access=ConsentAccess(accounts=[]))
    assert_type(created.consent_id, str)
    await bank.consents.create(valid_until=timedelta(days=90))
    await bank.consents.create(valid_until="2026-12-31")
    assert_type(await bank.consents.get(created), Consent)
    assert_type(await bank.consents.get(created.consent_id), Consent)
    assert_type(bank.accounts(created), AsyncAccounts)
    assert_type(await bank.consents.status("c1"), str)
    assert_type(await bank.consents.delete("c1"), None)
    assert_type(await bank.consents.authorisations("c1"), list[str])
    assert_type(await bank.consents.start_authorisation("c1"), AuthorisationStarted)
    assert_type(await bank.consents.sca_status("c1", authorisation_id="a1"), ScaStatusAnswer)


async def authorisations(op: AsyncOpenPayments, bank: AsyncBank) -> None:
    authorisation = await bank.consents.authorise("c1")
    assert_type(authorisation, AsyncAuthorisation)
    assert_type(await bank.consents.authorise("c1", same_device=True), AsyncAuthorisation)
    assert_type(authorisation.approach, Approach)
    assert_type(authorisation.challenge, Challenge | None)
    async for update in authorisation.updates(timeout=300):
        assert_type(update, AuthorisationUpdate)
    assert_type(await authorisation.poll(), AuthorisationUpdate)
    assert_type((await authorisation.poll()).is_over, bool)
    if authorisation.challenge is not None:
        assert_type(authorisation.challenge.qr_svg(), str | None)
    assert_type(await authorisation.complete("https://app.example.com/callback"), UserToken | None)
    assert_type(authorisation.redirect_url(redirect_uri="https://app.example.com/callback"), RedirectUrl)
    url = authorisation.redirect_url(redirect_uri="https://app.example.com/callback", allow_elsewhere=True)
    assert_type(url.is_elsewhere, bool)
    assert_type(url.state, str)
    assert_type(await authorisation.wait(timeout=300), Consent)
    assert_type(bank.consents.resume(authorisation.to_dict()), AsyncAuthorisation)
    assert_type(authorisation.to_json(), str)
    callback = op.oauth.read_callback("https://app.example.com/callback?code=c&state=s", state="s")
    assert_type(callback, Callback)
    token = await op.oauth.exchange_code(code="c", redirect_uri="https://app.example.com/", authorisation_id="a1")
    assert_type(token, UserToken)


async def accounts(bank: AsyncBank) -> None:
    accounts = bank.accounts("c1")
    assert_type(accounts, AsyncAccounts)
    assert_type(await accounts.list(with_balance=True), list[Account])
    (account,) = await accounts.list()
    assert_type(await accounts.get(account), Account)
    assert_type(await accounts.balances(account), list[Balance])
    transactions = accounts.transactions(account, date_from=relativedelta(months=-13), booking_status="both")
    assert_type(transactions, AsyncTransactions)
    assert_type(transactions.pages(), AsyncIterator[TransactionReport])
    assert_type(transactions.cursor, str | None)
    assert_type(accounts.transactions(account, cursor=transactions.cursor), AsyncTransactions)
    async for payment in transactions.bankgiro():
        assert_type(payment, BankgiroTransaction)
    async for transaction in transactions:
        assert_type(transaction, BookedTransaction | PendingTransaction)
        assert_type(transaction.booking_date, date | None)
        assert_type(money(transaction.transaction_amount), Decimal)
        assert_type(await accounts.transaction(account, transaction_id=transaction), Transaction)


async def paying(bank: AsyncBank, body: DomesticPayment) -> None:
    assert_type(bank.payments, AsyncPayments)
    created = await bank.payments.create(body)
    assert_type(created, CreatedPayment)
    assert_type(created.product, str)
    assert_type(created.end_to_end_identification, str | None)
    await bank.payments.create({"creditorName": "Ada"}, product="international", check_product=True, key="order 7")
    assert_type(await bank.payments.get(created), Payment)
    assert_type(await bank.payments.get("p1", product="domestic"), Payment)
    status = await bank.payments.status(created)
    assert_type(status, PaymentStatus)
    assert_type(status.is_accepted, bool)
    assert_type(await bank.payments.wait(created, "settled", timeout=60), PaymentStatus)
    assert_type(await bank.payments.cancel(created), PaymentCancelled | None)
    authorisation = await bank.payments.authorise(created, same_device=True, cancellation=True)
    assert_type(authorisation, AsyncAuthorisation[PaymentStatus])
    assert_type(await authorisation.wait(), PaymentStatus)
    assert_type(await bank.payments.resume(authorisation.to_dict()).wait(), PaymentStatus)
    assert_type(await bank.payments.authorisations(created, cancellation=True), list[str])
    assert_type(await bank.payments.start_authorisation(created), AuthorisationStarted)
    assert_type(await bank.payments.sca_status(created, authorisation_id="a1"), ScaStatusAnswer)
    raw = bank.with_raw_response.payments
    assert_type(await raw.create(body), RawResponse[CreatedPayment])
    assert_type(await raw.status(created), RawResponse[PaymentStatus])
    assert_type(await raw.cancel("p1", product="domestic"), RawResponse[PaymentCancelled | None])


async def what_became_of_it(bank: AsyncBank, created: CreatedPayment) -> None:
    transactions = [each async for each in bank.accounts("c1").transactions("a1", booking_status="both")]
    assert_type(payments.find(transactions, created), BookedTransaction | PendingTransaction | None)
    assert_type(bank.payments.find(transactions, created), BookedTransaction | PendingTransaction | None)
    assert_type([each.code for each in payments.warnings(created)], list[str | None])
    assert_type(payments.payee_match(created), PayeeMatch | None)


async def baskets(bank: AsyncBank, created: CreatedPayment) -> None:
    assert_type(bank.signing_baskets, AsyncSigningBaskets)
    assert_type(await bank.signing_baskets.limit(), int | None)
    basket = await bank.signing_baskets.create([created, "p2"], check_limit=True)
    assert_type(basket, SigningBasketCreated)
    assert_type(await bank.signing_baskets.get(basket), SigningBasket)
    assert_type(await bank.signing_baskets.status("b1"), str)
    assert_type(await (await bank.signing_baskets.authorise(basket)).wait(), SigningBasket)
    await bank.signing_baskets.delete(basket)
    assert_type(await bank.with_raw_response.signing_baskets.status("b1"), RawResponse[str])


async def quotes(bank: AsyncBank, body: DomesticPayment) -> None:
    assert_type(bank.fx_quotes, AsyncFxQuotes)
    quote = await bank.fx_quotes.create(
        source_currency="SEK", target_currency="USD", amount=Decimal(130), country_code="US"
    )
    assert_type(quote, FxQuote)
    assert_type(await bank.fx_quotes.get(quote), FxQuote)
    assert_type(await bank.fx_quotes.confirm(quote.fx_quote_id, {"creditorName": "Ada"}), CrossBorderPaymentIntent)
    await bank.payments.create(body, fx_quote=quote)
    assert_type(await bank.with_raw_response.fx_quotes.get(quote), RawResponse[FxQuote])


async def kyc(op: AsyncOpenPayments) -> None:
    assert_type(op.kyc, AsyncKyc)
    assert_type(await op.kyc.create("556677-8899", country_code="SE"), KycCreated)
    assert_type(await op.kyc.status(Psu(corporate_id="556677-8899")), KycStatusAnswer)
    assert_type(await op.with_raw_response.kyc.status("556677-8899"), RawResponse[KycStatusAnswer])
