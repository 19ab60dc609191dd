"""Unofficial Python SDK for Open Payments, the European PSD2 aggregator (not Interledger's protocol of that name).

    from openpayments_facade import OpenPayments

    with OpenPayments.from_env() as op:
        for bank in op.aspsps.list(countries=["SE"]):
            print(bank.bic_fi, bank.name)

Clients and models are loaded when they are first used: importing the package is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from . import errors as _errors
from ._version import __version__ as __version__
from .environments import PRODUCTION, SANDBOX, Environment
from .errors import *  # noqa: F403 - all of them, as errors.__all__ has them
from .scopes import ApiScope, PsuContext

__all__ = [
    "PRODUCTION",
    "SANDBOX",
    "Account",
    "AccountReference",
    "Accounts",
    "AffiliatedAspsp",
    "ApiScope",
    "Approach",
    "Aspsp",
    "AspspDetails",
    "AsyncAccounts",
    "AsyncAuthorisation",
    "AsyncBank",
    "AsyncConsents",
    "AsyncOpenPayments",
    "AsyncTransactions",
    "Authorisation",
    "AuthorisationStarted",
    "AuthorisationUpdate",
    "AuthorisationUpdated",
    "AuthorizationMethod",
    "Balance",
    "Bank",
    "BookedTransaction",
    "Callback",
    "Challenge",
    "City",
    "Consent",
    "ConsentAccess",
    "ConsentCreated",
    "Consents",
    "Country",
    "Environment",
    "MonetaryAmount",
    "OpenPayments",
    "PendingTransaction",
    "Psu",
    "PsuContext",
    "RawResponse",
    "RedirectUrl",
    "ScaStatusAnswer",
    "TokenEvent",
    "TokenStore",
    "Transaction",
    "TransactionReport",
    "Transactions",
    "UserToken",
    "money",
    "request_ids",
]
__all__ += _errors.__all__

if TYPE_CHECKING:
    from openpayments_client.models import (
        Account,
        AccountReference,
        AffiliatedAspsp,
        Aspsp,
        AspspDetails,
        AuthorisationStarted,
        AuthorisationUpdated,
        AuthorizationMethod,
        Balance,
        City,
        Consent,
        ConsentAccess,
        ConsentCreated,
        Country,
        MonetaryAmount,
        ScaStatusAnswer,
        Transaction,
        TransactionReport,
    )

    from . import request_ids
    from ._async.accounts import AsyncAccounts
    from ._async.authorisation import AsyncAuthorisation
    from ._async.bank import AsyncBank
    from ._async.client import AsyncOpenPayments
    from ._async.consents import AsyncConsents
    from ._async.transactions import AsyncTransactions
    from ._protocol.answer import RawResponse
    from ._protocol.pages import BookedTransaction, PendingTransaction
    from ._protocol.redirect import Callback, RedirectUrl
    from ._protocol.sca import Approach, AuthorisationUpdate, Challenge
    from ._sync.accounts import Accounts
    from ._sync.authorisation import Authorisation
    from ._sync.bank import Bank
    from ._sync.client import OpenPayments
    from ._sync.consents import Consents
    from ._sync.transactions import Transactions
    from .amounts import money
    from .psu import Psu
    from .tokens import TokenEvent, TokenStore, UserToken
else:
    _LAZY = {
        "Accounts": f"{__name__}._sync.accounts",
        "Approach": f"{__name__}._protocol.sca",
        "AsyncAccounts": f"{__name__}._async.accounts",
        "AsyncAuthorisation": f"{__name__}._async.authorisation",
        "AsyncBank": f"{__name__}._async.bank",
        "AsyncConsents": f"{__name__}._async.consents",
        "AsyncOpenPayments": f"{__name__}._async.client",
        "AsyncTransactions": f"{__name__}._async.transactions",
        "Authorisation": f"{__name__}._sync.authorisation",
        "AuthorisationUpdate": f"{__name__}._protocol.sca",
        "Bank": f"{__name__}._sync.bank",
        "BookedTransaction": f"{__name__}._protocol.pages",
        "Callback": f"{__name__}._protocol.redirect",
        "Challenge": f"{__name__}._protocol.sca",
        "Consents": f"{__name__}._sync.consents",
        "OpenPayments": f"{__name__}._sync.client",
        "PendingTransaction": f"{__name__}._protocol.pages",
        "Psu": f"{__name__}.psu",
        "RawResponse": f"{__name__}._protocol.answer",
        "RedirectUrl": f"{__name__}._protocol.redirect",
        "TokenEvent": f"{__name__}.tokens",
        "TokenStore": f"{__name__}.tokens",
        "Transactions": f"{__name__}._sync.transactions",
        "UserToken": f"{__name__}.tokens",
        "money": f"{__name__}.amounts",
        **dict.fromkeys(
            [
                "Account",
                "AccountReference",
                "AffiliatedAspsp",
                "Aspsp",
                "AspspDetails",
                "AuthorisationStarted",
                "AuthorisationUpdated",
                "AuthorizationMethod",
                "Balance",
                "City",
                "Consent",
                "ConsentAccess",
                "ConsentCreated",
                "Country",
                "MonetaryAmount",
                "ScaStatusAnswer",
                "Transaction",
                "TransactionReport",
            ],
            "openpayments_client.models",
        ),
    }

    def __getattr__(name):
        if name == "request_ids":
            return import_module(f"{__name__}.{name}")
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value

    def __dir__():
        return sorted([*__all__, "__version__"])
