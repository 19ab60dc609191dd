"""Unofficial Python SDK for Open Payments, the European PSD2 aggregator (not Interledger's protocol of that name).

    from openpayments_facade import OpenPayments

    with OpenPayments.from_env() as op:
        for bank in op.aspsps.list(countries=["SE"]):
            print(bank.bic_fi, bank.name)

Clients and models are loaded on first use, so importing the package is cheap.
"""

from importlib import import_module as _import_module

from ._version import __version__ as __version__

# `make unasync` writes __init__.pyi for type checkers from these tables
_NAMES = {
    "_protocol.answer": "RawResponse",
    "_protocol.challenge": "Challenge",
    "_protocol.options": "CallOptions",
    "_protocol.redirect": "Callback RedirectUrl",
    "_protocol.sca": "Approach AuthorisationUpdate",
    "_settings": "ClientCert ClientOptions",
    "amounts": "amount money",
    "environments": "PRODUCTION SANDBOX SANDBOX_OAUTH Environment",
    "errors": """
        OpenPaymentsError ConfigurationError InvalidArgumentError UnreadableAmountError ClientStateError
        MissingScopeError RequestError ConnectionFailedError TimedOutError UnreadableResponseError OutcomeUnknownError
        TokenError AuthenticationError InvalidScopeError ReauthorisationRequiredError TppMessage APIError
        BadRequestError UnauthorizedError PermissionDeniedError NotFoundError ConflictError RateLimitedError
        AccessExceededError ServerError CancellationRefusedError KycRequiredError ConsentError ConsentInvalidError
        ConsentExpiredError ScaRequiredError AuthorisationFailedError CallbackRejectedError AuthorisationTimeoutError
        AnotherSignatureNeededError PaymentError PaymentRejectedError PaymentCancelledError PaymentTimeoutError
    """,
    "events": "OnTokenEvent TokenEvent",
    "models": """
        Account AccountReference Address AffiliatedAspsp Aspsp AspspDetails AuthorisationStarted
        AuthorisationUpdated AuthorizationMethod Balance BankgiroTransaction BookedCardTransaction
        BookedTransaction BookingStatus CardAccount CardTransaction CardTransactionReport City Consent
        ConsentAccess ConsentCreated Country CrossBorderPayment CrossBorderPaymentIntent DebtorAccountReference
        DomesticPayment FxQuote GiroReference InternationalAddress KycCreated KycStatusAnswer MonetaryAmount
        Payment PaymentCancelled PendingCardTransaction PendingTransaction RegulatoryReporting ScaStatusAnswer
        SepaCreditTransfer SigningBasket SigningBasketCreated SwedishGiroPayment Transaction TransactionReport
    """,
    "payments": "CreatedPayment PaymentStatus",
    "psu": "Psu",
    "scopes": "ApiScope PsuContext",
    "tokens": "AccessToken TokenStore UserToken",
}
_MODULES = ("errors", "payments", "request_ids", "views")
_OTHERS = ("amounts", "environments", "events", "models", "psu", "scopes", "tokens")
# each of these also exists with the prefix Async
_TWINS = {
    "accounts": "Accounts",
    "aspsp_information": "Aspsps Cities Countries",
    "authorisation": "Authorisation",
    "bank": "Bank",
    "cards": "Cards",
    "client": "OpenPayments",
    "consents": "Consents",
    "fx_quotes": "FxQuotes",
    "kyc": "Kyc",
    "oauth": "OAuth",
    "payments": "Payments",
    "signing_baskets": "SigningBaskets",
    "transactions": "BankgiroTransactions CardTransactions Transactions",
}
_HOMES = {
    **{name: module for module, names in _NAMES.items() for name in names.split()},
    **{name: f"_sync.{module}" for module, names in _TWINS.items() for name in names.split()},
    **{f"Async{name}": f"_async.{module}" for module, names in _TWINS.items() for name in names.split()},
}

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str) -> object:
    if name in (*_MODULES, *_OTHERS):
        return _import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
