"""Unofficial Python SDK for Open Payments, the European PSD2 aggregator (not Interledger's protocol of that name).

    from openpayments_facade import OpenPayments

    with OpenPayments.from_env() as op:
        for bank in op.aspsps.list(countries=["SE"]):
            print(bank.bic_fi, bank.name)

Clients and models are loaded on first use, so importing the package is cheap.
"""

from importlib import import_module as _import_module

from . import errors as _errors
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
    "errors": " ".join(_errors.__all__),
    "events": "OnTokenEvent TokenEvent",
    "models": """
        Account AccountReference AffiliatedAspsp Aspsp AspspDetails AuthorisationStarted AuthorisationUpdated
        AuthorizationMethod Balance BankgiroTransaction BookedCardTransaction BookedTransaction BookingStatus
        CardAccount CardTransaction CardTransactionReport City Consent ConsentAccess ConsentCreated Country
        MonetaryAmount PendingCardTransaction PendingTransaction ScaStatusAnswer Transaction TransactionReport
    """,
    "psu": "Psu",
    "scopes": "ApiScope PsuContext",
    "tokens": "AccessToken TokenStore UserToken",
}
_MODULES = ("request_ids", "views")
# each of these also exists with the prefix Async
_TWINS = {
    "accounts": "Accounts",
    "aspsp_information": "Aspsps Cities Countries",
    "authorisation": "Authorisation",
    "bank": "Bank",
    "cards": "Cards",
    "client": "OpenPayments",
    "consents": "Consents",
    "oauth": "OAuth",
    "transactions": "BankgiroTransactions CardTransactions Transactions",
}
_HOMES = {
    **{name: module for module, names in _NAMES.items() for name in names.split()},
    **{name: f"_sync.{module}" for module, names in _TWINS.items() for name in names.split()},
    **{f"Async{name}": f"_async.{module}" for module, names in _TWINS.items() for name in names.split()},
}

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
