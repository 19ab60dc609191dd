"""Writes docs/operations.md: every operation of the description, and the headers that calls to banks carry.

`make generate` runs it. `--check` writes nothing, and fails if the page is out of date.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from openapi_python_client.strings import PythonIdentifier
from openpayments_client.operations import OPERATIONS, Rule

from openpayments_facade import Psu
from openpayments_facade._protocol.binding import BankBinding
from scripts.generate import DESCRIPTION, load

PAGE = Path(__file__).parent.parent / "docs" / "operations.md"

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

_HEAD: Final = """\
<!-- Written by `make generate` from openapi/openpayments.yaml; do not edit. -->
# Operations

Every operation of the API host that is publicly known, as `openapi/openpayments.yaml` describes it. An
operation without a word of its own goes with `op.call`, or at a bank with `bank.call`, which adds what every call to
that bank carries; both are typed, and check their arguments before anything is sent:

```python
from openpayments_client.api.consent import get_consent_authorisation

from openpayments_facade import OpenPayments, Psu

with OpenPayments.from_env(api_scopes=["accountinformation"]) as op:
    bank = op.at_bank("ESSESESS", Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0"))
    consent = bank.consents.create(valid_until="9999-12-31")
    print(bank.call(get_consent_authorisation, consent.consent_id).authorisation_ids)
```

An operation is a module of the package that is named as its section: `openpayments_client.api.payment_initiation`.
What is in its path goes by position, all else by name; bodies are models: `from openpayments_facade import models`.
What creates or changes something is sent once; a second call makes a second payment
([What happens when the network fails](network-failures.md)). Operations without a bank that need the user's id take it
as `psu_id=...`, and `psu_corporate_id=...`, or from `bank.call`.

What the description does not have yet goes with `op.request` and `bank.request`.

**Not here: Bulk Payments.** They are another product of the provider, with a host of their own
(`bulkpayment.openbankingplatform.com`), for production alone; no source says which token they take. Several payments
that are approved together are [signing baskets](#signing-baskets). The page where users are sent
(`/connect/authorize`) and the discovery document are no operations of this API; `op.oauth` makes the links.

Scopes are alternatives, and one of them has to be complete; document 001 has them without `private` or `corporate`.
*Production* means that the provider's sandbox has no such operation, *older* that the provider's description of 2026 no
longer has it.
"""

_HEADERS: Final = """
## Headers of calls to banks

All calls carry a fresh `X-Request-ID`. A call to a bank carries what `op.at_bank(bic, psu, ...)` binds:

- **a private user**: `Psu(id=..., ip_address=..., user_agent=...)`, where several people sign also `authoriser_id=...`;
- **a company**: the same with `corporate_id=...` and, if the bank asks for it, `corporate_id_type=...`;
- **nobody**: `Psu()`. A nightly run for a known user has the ids: `Psu(id=...)`.

`redirect_preferred=True` sends `TPP-Redirect-Preferred: true`, False sends `false`. None, the default, sends `false` as
well: the provider requires the header since 2026, so the choice can't be left to the bank any more, and `false` is what
the provider's samples of 2022 send on every call.

What is required and missing is logged once, and the call is sent all the same: the standard knows access without the
user, and nobody has tried what the provider does about it. Older headers of `Psu` (`ip_port`, `accept`, ...) go where
the provider's guide of 2021 had them, and `X-AffiliatedASPSP-ID` goes where it is declared, if `affiliated_aspsp` is
given. `bank.request`, which knows no declaration, sends all of it.
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
    request = f"`{method.upper()} {path}`"
    return f"| {operation['summary']}{''.join(notes)} | {request} | `{_word(name)}` | {', '.join(scopes)} |"


def _word(name: str) -> str:
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
    wanted = page()
    if PAGE.is_file() and PAGE.read_text("utf-8") == wanted:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"docs/{PAGE.name} is not what `make generate` writes")
        return 1
    PAGE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
