"""Writes docs/operations.md: every operation of the description, and the headers that calls to banks carry.

`make generate` runs it. `--check` writes nothing, and fails if the page is out of date.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openapi_python_client.strings import PythonIdentifier
from openpayments_client.operations import OPERATIONS, Rule

from openpayments_facade import Psu
from openpayments_facade._protocol.binding import BankBinding
from scripts.generate import DESCRIPTION, load
from scripts.pages import ROOT, keep

PAGE = ROOT / "docs" / "operations.md"

# what the facade calls an operation; all others go with op.call or, at a bank, bank.call
WORDS: Final[Mapping[str, str]] = {
    "getCountriesList": "op.countries.list",
    "getCountryDetails": "op.countries.get",
    "getCityList": "op.cities.list",
    "getCityDetails": "op.cities.get",
    "getASPSPList": "op.aspsps.list",
    "getASPSPDetails": "op.aspsps.get",
    "createConsent": "bank.consents.create",
    "getConsentInformation": "bank.consents.get",
    "deleteConsent": "bank.consents.delete",
    "getConsentStatus": "bank.consents.status",
    "startConsentAuthorisation": "bank.consents.start_authorisation",
    "getConsentAuthorisation": "bank.consents.authorisations",
    "getConsentScaStatus": "bank.consents.sca_status",
    "updateConsentsPsuData": "bank.consents.select_method",
    "getAccountList": "bank.accounts(consent).list",
    "readAccountDetails": "bank.accounts(consent).get",
    "getBalances": "bank.accounts(consent).balances",
    "getTransactionList": "bank.accounts(consent).transactions",
    "getTransactionDetails": "bank.accounts(consent).transaction",
    "getCardAccountList": "bank.cards(consent).list",
    "readCardAccountDetails": "bank.cards(consent).get",
    "getCardBalances": "bank.cards(consent).balances",
    "getCardTransactionList": "bank.cards(consent).transactions",
    "createSigningBasket": "bank.signing_baskets.create",
    "getSigningBasket": "bank.signing_baskets.get",
    "deleteSigningBasket": "bank.signing_baskets.delete",
    "getSigningBasketStatus": "bank.signing_baskets.status",
    "startSigningBasketAuthorisation": "bank.signing_baskets.authorise",
    "updateSigningBasketPsuData": "bank.signing_baskets.authorise",
    "createFxQuote": "bank.fx_quotes.create",
    "getFxQuote": "bank.fx_quotes.get",
    "confirmCrossBorderPaymentIntent": "bank.fx_quotes.confirm",
    "initiatePayment": "bank.payments.create",
    "getPaymentInformation": "bank.payments.get",
    "cancelPayment": "bank.payments.cancel",
    "getPaymentInitiationStatus": "bank.payments.status",
    "startPaymentAuthorisation": "bank.payments.start_authorisation",
    "getPaymentInitiationAuthorisation": "bank.payments.authorisations",
    "getPaymentInitiationScaStatus": "bank.payments.sca_status",
    "updatePaymentPsuData": "bank.payments.select_method",
    "startPaymentInitiationCancellationAuthorisation": "bank.payments.start_authorisation(cancellation=True)",
    "getPaymentInitiationCancellationAuthorisationInformation": "bank.payments.authorisations(cancellation=True)",
    "getPaymentCancellationScaStatus": "bank.payments.sca_status(cancellation=True)",
    "updatePaymentCancellationPsuData": "bank.payments.select_method(cancellation=True)",
    "createKyc": "op.kyc.create",
    "getKycStatus": "op.kyc.status",
}

_TITLES: Final = {"oauth": "Access tokens"}

_HEAD: Final = """\
<!-- Written by `make generate` from openapi/openpayments.yaml; do not edit. -->
# Operations

Every operation that the API is publicly known to have, and how to call it. For most there is a method, in the column
*call*. The others go through `op.call` or, at a bank, through `bank.call`, which adds the bank and the user. Both are
typed, check their arguments before anything is sent, and handle token, request id, retries and errors like every other
call:

```python
from datetime import timedelta

from openpayments_client.api.consent import get_consent_authorisation
from openpayments_facade import OpenPayments, Psu

user = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
with OpenPayments.from_env() as op:
    bank = op.at_bank("ESSESESS", user)
    consent = bank.consents.create(valid_until=timedelta(days=90))
    bank.consents.authorise(consent)
    started = bank.call(get_consent_authorisation, consent.consent_id)
    print(len(started.authorisation_ids), "authorisation")
```

```text
1 authorisation
```

- The module of an operation is in the package named after its section: `openpayments_client.api.payment_initiation`.
- Arguments in the path are positional, all others are keywords. Bodies are models of `openpayments_facade.models`.
- A call that creates or changes something is sent once. Calling it again makes a second payment:
  [When the network fails](network-failures.md).
- An operation without a bank that needs to know the user takes `psu_id=...` and `psu_corporate_id=...`. Through
  `bank.call` it takes them from the bank.

For a path that is not in this list, use `op.request` or `bank.request`:

```python
from openpayments_facade import OpenPayments

with OpenPayments.from_env() as op:
    answer = op.request("GET", "/psd2/aspspinformation/v1/countries")
    print(answer.status_code, answer.json["countries"][0])
```

```text
200 {'isoCountryCode': 'SE', 'name': 'Sweden'}
```

**Missing: Bulk Payments.** They are another product of the provider, on a host of their own
(`bulkpayment.openbankingplatform.com`), in production only, and no source says which token they take. To have several
payments approved together, use [signing baskets](#signing-baskets).

The links in the column *request* lead to parameters, bodies and answers in the [HTTP reference](http.md).

Of the scopes in a row, one combination must be granted completely (document 001 lists them without `private` and
`corporate`). *Production* marks operations that the sandbox does not have, *older* those that are no longer in the
provider's description of 2026.
"""

_HEADERS: Final = """
## Headers of calls to banks

Every call has a fresh `X-Request-ID`. A call to a bank also carries what you gave to `op.at_bank(bic, psu, ...)`. The
table at the end of this page lists the headers for three kinds of users:

- **a private user**: `Psu(id=..., ip_address=..., user_agent=...)`, with `authoriser_id=...` where several people sign;
- **a company**: the same with `corporate_id=...` and, if the bank asks for it, `corporate_id_type=...`;
- **nobody**: `Psu()`. A nightly job that works for a known user gives the ids only: `Psu(id=...)`.

`redirect_preferred=True` sends `TPP-Redirect-Preferred: true`. False and None, the default, send `false`: the provider
has required the header since 2026, and its samples of 2022 send `false` with every call.

If a required header is missing, the SDK logs that once and sends the call all the same: the standard allows access
without the user, and nobody has tried what the provider does then. `Psu` also has the older headers (`ip_port`,
`accept`, ...); they go to the operations that had them in the provider's guide of 2021. `X-AffiliatedASPSP-ID` goes
to every operation that declares it, if you gave `affiliated_aspsp`. `bank.request` can't know what an operation
declares, and sends everything.

"""


def page() -> str:
    """The text of the page."""
    content = load(DESCRIPTION)
    by_tag: dict[str, list[str]] = defaultdict(list)
    for path, item in content["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and operation["tags"] != ["oauth"]:
                by_tag[operation["tags"][0]].append(_row(method, path, operation))
    lines = [_HEAD]
    for tag in content["tags"]:
        if rows := by_tag[tag["name"]]:
            lines += [
                f"\n## {tag['name']}\n",
                " ".join(tag.get("description", "").split()),
                "\n| operation | request | call | scopes |",
            ]
            lines += ["|---|---|---|---|", *rows]
    lines += [
        _HEADERS,
        "| calls | with a private user | with a company, besides | with nobody | required, and missing with nobody |",
    ]
    lines += ["|---|---|---|---|---|", *_header_rows(content)]
    return "\n".join(lines) + "\n"


def _row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    name = operation["operationId"]
    notes = [" *older*"] * bool(operation.get("deprecated")) + [" *production*"] * ("servers" in operation)
    scopes = [" ".join(each) for wanted in operation["security"] for each in wanted.values() if len(each) > 1]
    link = f"http/{file_of(operation['tags'][0])}#{anchor(operation['summary'])}"
    request = f"[`{method.upper()} {path}`]({link})"
    return f"| {operation['summary']}{''.join(notes)} | {request} | `{call_of(name)}` | {', '.join(scopes)} |"


def title_of(tag: str) -> str:
    return _TITLES.get(tag, tag)


def file_of(tag: str) -> str:
    return f"{anchor(title_of(tag))}.md"


def anchor(heading: str) -> str:
    """The id of a heading, the same on GitHub and on the site."""
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def call_of(name: str) -> str:
    """What the facade calls an operation, or how to call it."""
    arguments = OPERATIONS[_python_name(name)].arguments
    caller = "bank" if "x_bic_fi" in arguments else "op"
    user = "psu_id=..., " if "psu_id" in arguments and caller == "op" else ""
    return WORDS.get(name, f"{caller}.call({_python_name(name)}, {user}...)")


def _header_rows(content: Mapping[str, Any]) -> Iterator[str]:
    values: dict[str, Any] = {"id": "1", "ip_address": "203.0.113.7", "user_agent": "1", "authoriser_id": "1"}
    users = Psu(**values), Psu(**values, corporate_id="1", corporate_id_type="1"), Psu()
    grouped: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for item in content["paths"].values():
        for name in (each["operationId"] for each in item.values() if isinstance(each, dict)):
            rules = OPERATIONS[_python_name(name)].arguments
            if "psu_id" in rules:
                private, company, nobody = (_sent(psu, rules) for psu in users)
                required = [rule.name for rule in rules.values() if rule.is_wanted and rule.required]
                missing = [header for header in required if header not in nobody]
                more = [header for header in company if header not in private]
                grouped[tuple(map(_code, (private, more, nobody, missing)))].append(WORDS.get(name, _python_name(name)))
    for columns, calls in sorted(grouped.items(), key=lambda row: -len(row[1])):
        yield f"| {_code(calls)} | {' | '.join(columns)} |"


def _sent(psu: Psu, rules: Mapping[str, Rule]) -> list[str]:
    return [rules[name].name for name in BankBinding("ESSESESS", psu).arguments(rules)]


def _code(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "-"


def _python_name(name: str) -> str:
    return PythonIdentifier(name, "")


def main() -> int:
    """Writes the page, or with --check compares it. The exit code is 1 if it differs."""
    return keep({PAGE: page()})


if __name__ == "__main__":
    sys.exit(main())
