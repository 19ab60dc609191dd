"""The journey of document 001, "Flows of usage", against an embedded simulator: `make demo`.

Countries, a country, its banks, a bank; then a consent, accounts, a payment and its entry in the account. Nothing here
knows of tokens, hosts or request ids; the log lines show them.
"""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from decimal import Decimal

import segno

from openpayments_facade import (
    AccountReference,
    DebtorAccountReference,
    DomesticPayment,
    Psu,
    amount,
    payments,
    views,
)
from openpayments_facade.simulator import Simulator


def step(number: int, text: str) -> None:
    print(f"\n{number}. {text}", flush=True)


def main() -> None:
    # the SDK logs every request under this name, with its X-Request-ID
    logging.basicConfig(stream=sys.stdout, format="   [log] %(message)s")
    logging.getLogger("openpayments_facade").setLevel(logging.INFO)

    print("Open Payments, played by a local simulator over real HTTP: no account, no network.")
    with Simulator() as simulator, simulator.client() as op:
        print(f"   auth host {simulator.auth_url}, API host {simulator.api_url}")

        step(1, "A token with client credentials. The SDK fetches it once and keeps it for the calls below.")
        token = op.access_token()
        print(f"   got one of {len(token)} characters; it is never printed or logged")

        step(2, "The countries that have banks: op.countries.list()")
        for country in op.countries.list():
            print(f"   {country.iso_country_code}  {country.name}")

        step(3, 'The user picks Sweden: op.countries.get("SE")')
        sweden = op.countries.get("SE")
        print(f"   {sweden.iso_country_code}  {sweden.name}")

        step(4, 'Its banks: op.aspsps.list(countries=["SE"])')
        banks = op.aspsps.list(countries=[sweden.iso_country_code])
        for bank in banks:
            print(f"   {bank.bic_fi}  {bank.name}")

        step(5, 'The user picks SEB: op.aspsps.get("ESSESESS")')
        seb = op.aspsps.get("ESSESESS")
        print(f"   {seb.name}")
        print(f"   {seb.street_address}, {seb.postal_code} {seb.city}, {seb.country}")
        print(f"   company number  {seb.company_number}, phone {seb.phone}, {seb.website_url}")
        print(f"   same API everywhere  {', '.join(seb.global_payment_products or [])}")
        print(f"   in the bank's format {', '.join(seb.payment_products or [])}")
        print(f"   authorisation by     {', '.join(m.name or '?' for m in seb.supported_authorization_methods or [])}")

        step(6, "The user lets the application see accounts, and approves that in an app: at_seb.consents")
        user = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
        at_seb = op.at_bank(seb, user)
        consent = at_seb.consents.create(valid_until=timedelta(days=90))
        authorisation = at_seb.consents.authorise(consent, "mbid")
        if challenge := authorisation.challenge:
            print(f"   the link for the user's phone: {challenge.app_link()}")
        simulator.approve(consent.consent_id)  # instead of a person with a phone
        print(f"   the consent is {authorisation.wait().consent_status}")

        step(7, "The accounts: at_seb.accounts(consent).list(with_balance=True)")
        accounts = at_seb.accounts(consent)
        found = accounts.list(with_balance=True)
        for account in found:
            available = views.available_balance(account.balances)
            balance = views.balance_amount(available) if available else None
            print(f"   {account.iban}  {balance and balance.value} {account.currency}  {account.name}")

        step(8, "A payment from the first one: at_seb.payments.create(...). No money moves yet")
        created = at_seb.payments.create(
            DomesticPayment(
                instructed_amount=amount(Decimal("125.50"), "SEK"),
                debtor_account=DebtorAccountReference(iban=found[0].iban),
                creditor_account=AccountReference(iban="SE3550000000054910000003"),
                creditor_name="Example Shop",
            )
        )
        print(f"   its status is {created.transaction_status}")
        for warning in payments.warnings(created):
            print(f"   to know before it is approved: {warning.text}")

        step(9, "The user scans a QR code and approves it: at_seb.payments.authorise(created), then wait(created)")
        approval = at_seb.payments.authorise(created)
        if approval.challenge and approval.challenge.qr_content:
            segno.make_qr(approval.challenge.qr_content, error="l").terminal(compact=True, border=1)
        simulator.approve(created.payment_id)
        approval.wait()
        status = at_seb.payments.wait(created, "settled")
        print(f"   its status is {status}: {'settled' if status.is_settled else 'not settled'}")

        step(10, "Its entry in the account: payments.find(accounts.transactions(account), created)")
        entry = payments.find(accounts.transactions(found[0]), created)
        if entry:
            paid = views.amount(entry)
            print(f"   {views.day(entry).value}  {paid.value} {paid.currency}  {views.other_party(entry).name}")

        print(f"\nDone: {len(simulator.requests)} requests, {simulator.token_requests} of them for a token.")


if __name__ == "__main__":
    main()
