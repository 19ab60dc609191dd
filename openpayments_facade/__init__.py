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
from .environments import PRODUCTION, SANDBOX, Environment
from .errors import *  # noqa: F403 - all of them, as errors.__all__ has them
from .scopes import ApiScope, PsuContext

__version__ = "0.1.0"

__all__ = [
    "PRODUCTION",
    "SANDBOX",
    "Account",
    "AccountReference",
    "AffiliatedAspsp",
    "ApiScope",
    "Approach",
    "Aspsp",
    "AspspDetails",
    "AsyncOpenPayments",
    "AuthorisationUpdate",
    "AuthorizationMethod",
    "Balance",
    "BookedTransaction",
    "Challenge",
    "City",
    "Consent",
    "ConsentAccess",
    "ConsentCreated",
    "Country",
    "Environment",
    "MonetaryAmount",
    "OpenPayments",
    "PendingTransaction",
    "Psu",
    "PsuContext",
    "RawResponse",
    "TokenEvent",
    "TokenStore",
    "Transaction",
    "TransactionReport",
    "UserToken",
    "money",
]
__all__ += _errors.__all__

if TYPE_CHECKING:
    from openpayments_client.models import (
        Account,
        AccountReference,
        AffiliatedAspsp,
        Aspsp,
        AspspDetails,
        AuthorizationMethod,
        Balance,
        City,
        Consent,
        ConsentAccess,
        ConsentCreated,
        Country,
        MonetaryAmount,
        Transaction,
        TransactionReport,
    )

    from ._async.client import AsyncOpenPayments
    from ._sync.client import OpenPayments
    from .amounts import money
    from .authorisation import Approach, AuthorisationUpdate, Challenge
    from .operation import RawResponse
    from .psu import Psu
    from .tokens import TokenEvent, TokenStore, UserToken
    from .transactions import BookedTransaction, PendingTransaction
else:
    _LAZY = {
        "AsyncOpenPayments": f"{__name__}._async.client",
        "Approach": f"{__name__}.authorisation",
        "AuthorisationUpdate": f"{__name__}.authorisation",
        "BookedTransaction": f"{__name__}.transactions",
        "Challenge": f"{__name__}.authorisation",
        "OpenPayments": f"{__name__}._sync.client",
        "PendingTransaction": f"{__name__}.transactions",
        "Psu": f"{__name__}.psu",
        "money": f"{__name__}.amounts",
        "RawResponse": f"{__name__}.operation",
        "TokenEvent": f"{__name__}.tokens",
        "TokenStore": f"{__name__}.tokens",
        "UserToken": f"{__name__}.tokens",
        **dict.fromkeys(
            [
                "Account",
                "AccountReference",
                "AffiliatedAspsp",
                "Aspsp",
                "AspspDetails",
                "AuthorizationMethod",
                "Balance",
                "City",
                "Consent",
                "ConsentAccess",
                "ConsentCreated",
                "Country",
                "MonetaryAmount",
                "Transaction",
                "TransactionReport",
            ],
            "openpayments_client.models",
        ),
    }

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_LAZY[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *_LAZY})
