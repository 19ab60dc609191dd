"""Every operation of the API host that is publicly known: what the provider's description of 2026 says about it.

Written from the sources, not from openapi/openpayments.yaml, which is held against it. D1 to D3 are in older sources
alone. Bulk payments (57 to 60), which have a host of their own, are left out.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

_PAY = "/psd2/paymentinitiation/v1/{payment-service}/{payment-product}/{paymentId}"
_BASKET = "/psd2/paymentinitiation/v1/signing-baskets/{basketId}"
_CONSENT = "/psd2/consent/v1/consents/{consentId}"
_AIS = "/psd2/accountinformation/v1"

# number, operationId, method and path, scopes, required headers, optional headers, successes, errors
_TABLE: Final = f"""
1  getCountriesList GET /psd2/aspspinformation/v1/countries B - - 200 aspsp
2  getASPSPList GET /psd2/aspspinformation/v1/aspsps B - - 200 aspsp
3  getASPSPDetails GET /psd2/aspspinformation/v1/aspsps/{{bicFi}} B - - 200 aspsp
D1 getCountryDetails GET /psd2/aspspinformation/v1/countries/{{isoCountryCode}} B - - 200 aspsp
D2 getCityList GET /psd2/aspspinformation/v1/cities B - - 200 aspsp
D3 getCityDetails GET /psd2/aspspinformation/v1/cities/{{city-id}} B - - 200 aspsp
4  createConsent POST /psd2/consent/v1/consents A+ U6 C2,X-AffiliatedASPSP-ID,X-Consent-Type 201 account
5  getConsentInformation GET {_CONSENT} A+ U6 C2 200 account
6  deleteConsent DELETE {_CONSENT} A+ U6 C2 204 account
7  getConsentStatus GET {_CONSENT}/status A+ U6 C2 200 account
8  startConsentAuthorisation POST {_CONSENT}/authorisations A+ U6 C2 201 account
9  getConsentAuthorisation GET {_CONSENT}/authorisations A+ U6 C2 200 account
10 getConsentScaStatus GET {_CONSENT}/authorisations/{{authorisationId}} A+ U6 C2 200 account
11 updateConsentsPsuData PUT {_CONSENT}/authorisations/{{authorisationId}} A+ U6 C2,PSU-Authoriser-ID 200 account
12 getAccountList GET {_AIS}/accounts A+ U6,Consent-ID C2,X-ISO-Fallback-Enabled 200,204 account
13 readAccountDetails GET {_AIS}/accounts/{{account-id}} A+ U6,Consent-ID C2,X-ISO-Fallback-Enabled 200 account
14 getBalances GET {_AIS}/accounts/{{account-id}}/balances A+ U6,Consent-ID C2,X-ISO-Fallback-Enabled 200 account
15 getTransactionList GET {_AIS}/accounts/{{account-id}}/transactions A+ U6,Consent-ID C2,X-ISO-Fallback-Enabled 200,204 account
16 getTransactionDetails GET {_AIS}/accounts/{{account-id}}/transactions/{{transactionId}} A+ U6,Consent-ID C2,X-ISO-Fallback-Enabled 200 account
17 getCardAccountList GET {_AIS}/card-accounts A U6,Consent-ID C2 200,204 account
18 readCardAccountDetails GET {_AIS}/card-accounts/{{account-id}} A U6,Consent-ID C2 200 account
19 getCardBalances GET {_AIS}/card-accounts/{{account-id}}/balances A U6,Consent-ID C2 200 account
20 getCardTransactionList GET {_AIS}/card-accounts/{{account-id}}/transactions A U6,Consent-ID C2 200,204 account
21 createSigningBasket POST /psd2/paymentinitiation/v1/signing-baskets P U6 C2,Consent-ID 201 basket
22 getSigningBasket GET {_BASKET} P U5 C2 200 basket
23 deleteSigningBasket DELETE {_BASKET} P U5 C2 202,204 basket
24 getSigningBasketStatus GET {_BASKET}/status P U5 C2 200 basket
25 startSigningBasketAuthorisation POST {_BASKET}/authorisations P U6 C2 201 basket
26 updateSigningBasketPsuData PUT {_BASKET}/authorisations/{{authorisationId}} P U5 C2,PSU-Authoriser-ID 200 basket
27 getSigningBasketScaStatus GET {_BASKET}/authorisations/{{authorisationId}} P U5 C2 200 basket
28 createFxQuote POST /psd2/paymentinitiation/v1/fx P U5 C2 201 fx
29 getFxQuote GET /psd2/paymentinitiation/v1/fx/{{fxQuoteId}} P X-BicFi,PSU-ID,PSU-User-Agent C2 200 fx404
30 confirmCrossBorderPaymentIntent PUT /psd2/paymentinitiation/v1/fx/{{fxQuoteId}} P X-BicFi,PSU-ID PSU-Corporate-ID 200 fx
31 initiatePayment POST /psd2/paymentinitiation/v1/{{payment-service}}/{{payment-product}} P U6 C2,X-AffiliatedASPSP-ID,Consent-ID,FX-Quote-Id 201 payment
32 getPaymentInformation GET {_PAY} P U6 C2 200 payment502
33 cancelPayment DELETE {_PAY} P U6 C2 202,204 payment
34 getPaymentInitiationStatus GET {_PAY}/status P U6 C2 200 payment502
35 startPaymentAuthorisation POST {_PAY}/authorisations P U6 C2 201 payment
36 getPaymentInitiationAuthorisation GET {_PAY}/authorisations P U6 C2 200 payment
37 getPaymentInitiationScaStatus GET {_PAY}/authorisations/{{authorisationId}} P U6 C2 200 payment
38 updatePaymentPsuData PUT {_PAY}/authorisations/{{authorisationId}} P U6 C2,PSU-Authoriser-ID 200 payment
39 startPaymentInitiationCancellationAuthorisation POST {_PAY}/cancellation-authorisations P U6 C2 201 payment
40 getPaymentInitiationCancellationAuthorisationInformation GET {_PAY}/cancellation-authorisations P U6 C2 200 payment
41 getPaymentCancellationScaStatus GET {_PAY}/cancellation-authorisations/{{cancellationId}} P U6 C2 200 payment
42 updatePaymentCancellationPsuData PUT {_PAY}/cancellation-authorisations/{{cancellationId}} P U6 C2,PSU-Authoriser-ID 200 payment
43 createKyc POST /kyc/integration/v1/new/{{PSU-Corporate-ID}} PC - - 201 kyc
44 getKycStatus GET /kyc/integration/v1/status/{{PSU-Corporate-ID}} PC - - 200 kyc
45 createIsoPayment POST /iso/payments PC U5 PSU-Corporate-ID,X-AffiliatedASPSP-ID,Consent-ID 201 iso
46 createIsoCrossBorderPayment POST /iso/payments/cross-border PC U5,FX-Quote-Id C2,X-AffiliatedASPSP-ID,Consent-ID 201 iso
47 confirmIsoPayments PUT /iso/payments/confirm PC U5 C2,X-AffiliatedASPSP-ID,Consent-ID 200 400,403
48 getIsoPayment GET /iso/payments/{{paymentId}} PC U5 C2,X-AffiliatedASPSP-ID,Consent-ID,FX-Quote-Id 200 iso
49 createSepaDirectDebitPayment POST /iso/beta/payments/sepa-direct-debit PC! U5 C2,X-AffiliatedASPSP-ID,Consent-ID 201 iso
50 submitVerificationOfPayee POST /premium/v1/payee-verifications PC PSU-ID PSU-Corporate-ID 200 400,401,409
51 submitBulkVerificationOfPayee POST /premium/v1/bulk-payee-verifications PC PSU-ID PSU-Corporate-ID 200 400,401,409
52 getCreditorName GET /premium/v1/creditor-name PC PSU-ID PSU-Corporate-ID 200 400,403,404,500
53 getGiroNumbers GET /premium/v1/giro-numbers PC PSU-ID PSU-Corporate-ID 200 400,403,404,500
54 createPayout POST /premium/v1/payouts PC! PSU-ID PSU-Corporate-ID 201 400
55 confirmPayouts PUT /premium/v1/payouts/confirm PC! PSU-ID PSU-Corporate-ID 200 400,403
56 getPayout GET /premium/v1/payouts/{{payoutId}} PC! PSU-ID PSU-Corporate-ID 200 403,404
"""  # noqa: E501

_U5 = {"X-BicFi", "PSU-ID", "PSU-IP-Address", "PSU-User-Agent"}
GROUPS: Final[Mapping[str, set[str]]] = {
    "-": set(),
    "U5": _U5,
    "U6": {*_U5, "TPP-Redirect-Preferred"},
    "C2": {"PSU-Corporate-ID", "PSU-Corporate-ID-Type"},
}


def _with_contexts(scope: str) -> list[list[str]]:
    return [[scope, "private"], [scope, "corporate"], [scope]]


_ACCOUNT = _with_contexts("accountinformation")
SCOPES: Final[Mapping[str, list[list[str]]]] = {
    # seen on the newer sandbox: accountinformation instead of aspspinformation; document 001: API scopes alone
    "B": [*_with_contexts("aspspinformation"), *_ACCOUNT[:2]],
    "A": _ACCOUNT,
    "A+": [*_ACCOUNT[:2], ["accountinformation", "bankgiroinformation", "corporate"], _ACCOUNT[2]],
    "P": _with_contexts("paymentinitiation"),
    "PC": [["paymentinitiation", "corporate"]],
    "PC!": [["paymentinitiation", "corporate"]],
}

_ALL = "400 401 403 404 405 406 408 409 415 429 500 503"
_NP = {"application/json": "ErrorBody", "application/problem+json": "Problem"}
_N = {"application/json": "ErrorBody"}
# statuses; those of them without a body; the models of the others
_ERRORS: Final[Mapping[str, tuple[str, str, dict[str, str]]]] = {
    "aspsp": (f"{_ALL} 412", "408 412 415 500 503", _N),
    "account": (_ALL, "408 415 500 503", _NP),
    "basket": (_ALL, "406 408 415 429 500 503", _NP),
    "payment": (_ALL, "406 408 415 429 500 503", _NP),
    "fx": ("400 401 403 500 503", "500 503", _NP),
    "fx404": ("400 401 403 404 500 503", "500 503", _NP),
    "kyc": ("401 404 500", "500", {"application/json": "ProblemDetails"}),
    "iso": ("400", "", _NP),
}


class Known(NamedTuple):
    """What is known of one operation."""

    number: str
    name: str
    route: str
    """Method and path."""
    scopes: list[list[str]]
    required: set[str]
    """Headers, beside X-Request-ID, which all have."""
    optional: set[str]
    successes: set[str]
    errors: dict[str, dict[str, str]]
    """By status the models of the body, by media type; empty without a body."""
    is_for_production_alone: bool

    @property
    def is_older(self) -> bool:
        """Whether it is in older sources alone."""
        return self.number.startswith("D")

    @property
    def is_at_bank(self) -> bool:
        """Whether a bank is asked."""
        return "X-BicFi" in self.required


def _headers(words: str) -> set[str]:
    return {header for word in words.split(",") for header in GROUPS.get(word, {word})}


def _errors(group: str) -> dict[str, dict[str, str]]:
    if group == "payment502":
        return _errors("payment") | {"502": _N}
    statuses, without, models = _ERRORS.get(group, (group.replace(",", " "), "", _N))
    return {status: {} if status in without.split() else models for status in statuses.split()}


def _read(line: str) -> Known:
    number, name, method, path, scopes, required, optional, successes, errors = line.split()
    return Known(
        number,
        name,
        f"{method} {path}",
        SCOPES[scopes],
        _headers(required),
        _headers(optional),
        {*successes.split(",")},
        _errors(errors),
        scopes.endswith("!"),
    )


INVENTORY: Final = {known.name: known for known in map(_read, _TABLE.strip().splitlines())}
