"""The journey of document 001, "Flows of usage", against an embedded simulator: `make demo`.

Countries, a country, its banks, a bank. Nothing here knows of tokens, hosts or request ids; the log lines show them.
"""

from __future__ import annotations

import logging
import sys

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

        print(f"\nDone: {len(simulator.requests)} requests, {simulator.token_requests} of them for a token.")


if __name__ == "__main__":
    main()
