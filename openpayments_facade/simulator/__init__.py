"""A local server that plays the provider's two hosts, for programs and tests without an account.

    from openpayments_facade.simulator import Simulator

    with Simulator() as simulator, simulator.client() as op:
        op.aspsps.get("ESSESESS")

It is the other side of the wire: the server uses neither the facade nor generated code. Needs the extra `simulator`.

It plays tokens and the page where a user approves, ASPSP information, consents, accounts and cards, payments and their
cancellation, signing baskets, FX quotes and KYC, by the rules of 2026 or, with `Simulator(rules="2021")`, by the milder
ones of 2021. They are from the provider's description of 2026 and what was observed in 2026, and from the provider's
guide of 2021.

A payment is `RCVD`, and then:

| what happens | status |
|---|---|
| a user approves it, or a signing basket that it is in | `ACSP` |
| that is a user who does not sign alone | `PATC`, until another user approves it as well |
| time passes, `Simulator(settlement=2.0)` seconds, or until its day | `ACSC` |
| the account has too little money, or the user is one whose payments are rejected | `RJCT` with a message, once it is approved |
| an authorisation fails, or the user declines | as before: another authorisation can follow |
| it is cancelled before it is settled | `CANC`; at some banks not, or only once the user approves that |

If the account that pays is one of the user's, its transactions have the payment with its `paymentId`, pending while it
is `ACSP` and booked once it is `ACSC`. Users of a bank all have the same accounts, so all see it. A payment in another
currency is exchanged at fixed rates. Accounts that are nobody's, such as that of the sandbox's examples, can pay
whatever they like.

`openpayments_facade.simulator.api_host.payment_warnings` lists the payees that a bank warns of.

| | rules of 2026 | rules of 2021 |
|---|---|---|
| every bank call | needs `PSU-ID`, `TPP-Redirect-Preferred` (not where it is optional, of baskets and quotes) and, with a token of the PSU context corporate, `PSU-Corporate-ID` | only what the bank insists on |
| POST and PUT at a bank | need `PSU-IP-Address` and `PSU-User-Agent` | as above |
| GET and DELETE at a bank | need `PSU-User-Agent` with `PSU-IP-Address`; without them it is access without the user | access without the user is without `PSU-IP-Address` |
| what was created with a `PSU-Corporate-ID` | is only read and used with the same one | not checked |
| `X-AffiliatedASPSP-ID` of a new consent or payment | is one of `affiliatedAspsps` in the bank's details | not checked |
| `X-Consent-Type`, `PSU-Authoriser-ID`, `X-ISO-Fallback-Enabled` | where they are declared, their form is checked | not looked at |
| older PSU and TPP headers | not looked at | their form is checked |
| a query parameter that an operation lacks | not looked at | refused |
| ASPSP information | needs a token for `aspspinformation` or `accountinformation` | for `aspspinformation` |
| banks | four; the details tell capabilities and affiliated banks | the three of document 001, with what it says of them |
| an authorisation, decoupled | `received`, `started` with the challenge, then its end | `received`, `authenticationStarted` with the challenge, `started`, then its end |
| an authorisation by redirect | begins with `received` | begins with `started` |
| an authorisation that the user fails or declines | has a reason, in the `tppMessages` of its status | has none |
| the sandbox's test users | take their course, up to `partiallyAuthorised` | are users as any other |
| a consent that is read | leads to accounts and cards once it is valid | has its `consentId`, and no links |
| an empty list of accounts, cards or transactions | 204 without a body | 200 with an empty list |
| transactions | `dateFrom` is optional, and a next page has the same query with a `continuationKey`; no `deltaList`, `withBalance` and balances | `dateFrom` is required, unless there are `deltaList` or `entryReferenceFrom`; the latter leads to the next page |
| cards | at two banks | none |
| products of payments | `domestic`, `swedish-giro`, `sepa-credit-transfers`, `cross-border` | `international` instead of `cross-border`, without an FX quote |
| a payment's bank and reference | SEPA payments name the payee's bank, and have `invoiceRef` or `ocrRef` | neither |
| messages about a payment | of payees, of a signer who is missing, of a rejection | none |
| cancelling a payment | `HANDSESS` cancels none, `SWEDSESS` one that is approved only once the user approves that | refused |
| signing baskets, FX quotes, KYC | as described | none |
| `bankgiro` in a list of transactions | for business accounts at one bank, with a token for `bankgiroinformation` | never |

By either rules a token of another PSU context than a consent's is refused for it (`TOKEN_INVALID`), which no source says.
`PSU-IP-Address` may be IPv6: it is declared as IPv4, but nobody saw another one refused. Whatever the
details of a bank say of its history, each account has that of a year, and all of it can be read. ISO payments and
premium services are not played.
"""  # noqa: E501

try:
    import segno as _segno  # noqa: F401
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
except ImportError as error:
    needed = "pip install segno starlette uvicorn (the extra simulator)"
    raise ImportError(f"the simulator needs {error.name}: {needed}", name=error.name) from None

from .faults import Fault, Misbehaviour
from .journal import RecordedRequest
from .simulator import Simulator
from .state.authorisations import SimulatedAuthorisation
from .state.consents import SimulatedConsent
from .state.fx_quotes import SimulatedFxQuote
from .state.payments import SimulatedPayment
from .state.signing_baskets import SimulatedSigningBasket

__all__ = [
    "Fault",
    "Misbehaviour",
    "RecordedRequest",
    "SimulatedAuthorisation",
    "SimulatedConsent",
    "SimulatedFxQuote",
    "SimulatedPayment",
    "SimulatedSigningBasket",
    "Simulator",
]
