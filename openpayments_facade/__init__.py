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
    "AffiliatedAspsp",
    "ApiScope",
    "Aspsp",
    "AspspDetails",
    "AsyncOpenPayments",
    "AuthorizationMethod",
    "City",
    "Country",
    "Environment",
    "OpenPayments",
    "PsuContext",
    "RawResponse",
    "TokenEvent",
    "TokenStore",
    "UserToken",
]
__all__ += _errors.__all__

if TYPE_CHECKING:
    from openpayments_client.models import AffiliatedAspsp, Aspsp, AspspDetails, AuthorizationMethod, City, Country

    from ._async.client import AsyncOpenPayments
    from ._sync.client import OpenPayments
    from .operation import RawResponse
    from .tokens import TokenEvent, TokenStore, UserToken
else:
    _LAZY = {
        "AsyncOpenPayments": f"{__name__}._async.client",
        "OpenPayments": f"{__name__}._sync.client",
        "RawResponse": f"{__name__}.operation",
        "TokenEvent": f"{__name__}.tokens",
        "TokenStore": f"{__name__}.tokens",
        "UserToken": f"{__name__}.tokens",
        **dict.fromkeys(
            ["AffiliatedAspsp", "Aspsp", "AspspDetails", "AuthorizationMethod", "City", "Country"],
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
