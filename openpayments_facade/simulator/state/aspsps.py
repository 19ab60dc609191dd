"""Countries, cities and banks as ASPSP Information lists them.

By the rules of 2021 these are the exact examples of document 001, and contain only what it says. For Nordea and
Handelsbanken it gives BIC, name and logo, so their details have no more than that. The trailing space in SEB's name is
from the document.

By the rules of 2026 SEB's details also have its capabilities, and Swedbank is listed after the three: its data is from
the provider's guide of 2021 and the provider's description of 2026, whose example it is. Nothing is invented for the
others.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ASPSP_CITY_IDS", "CITIES", "COUNTRIES", "aspsp_details", "aspsps"]

COUNTRIES: Final[list[dict[str, str]]] = [
    {"isoCountryCode": "SE", "name": "Sweden"},
    {"isoCountryCode": "FI", "name": "Finland"},
    {"isoCountryCode": "DE", "name": "Germany"},
    {"isoCountryCode": "DK", "name": "Denmark"},
]

CITIES: Final[list[dict[str, str]]] = [
    {"cityId": "37efa883-c8ad-4ff7-927b-b11b02beb923", "name": "Stockholm", "isoCountryCode": "SE"},
    {"cityId": "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c", "name": "Helsinki", "isoCountryCode": "FI"},
    {"cityId": "bb97dd78-835c-9922-e700-a8b5b3f5cbba", "name": "Frankfurt", "isoCountryCode": "DE"},
    {"cityId": "8f64d9db-7f38-e13e-cbf8-809e6bc6175c", "name": "Copenhagen", "isoCountryCode": "DK"},
]

_ASPSPS_OF_2021: Final[list[dict[str, str]]] = [
    {
        "bicFi": "ESSESESS",
        "name": "Skandinaviska Enskilda Banken AB ",
        "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/ESSESESS.png",
    },
    {
        "bicFi": "NDEASESS",
        "name": "Nordea Bank AB",
        "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/NDEASESS.png",
    },
    {
        "bicFi": "HANDSESS",
        "name": "Handelsbanken",
        "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/HANDSESS.png",
    },
]

# A bank's country is in its BIC (letters 5 and 6, ISO 9362). Its city is only known if a source names it: SEB's
# details say Stockholm. The others are found by country or without a filter, never by city.
ASPSP_CITY_IDS: Final[dict[str, str]] = {"ESSESESS": "37efa883-c8ad-4ff7-927b-b11b02beb923"}

_DETAILS_OF_2021: Final[dict[str, dict[str, Any]]] = {aspsp["bicFi"]: dict(aspsp) for aspsp in _ASPSPS_OF_2021} | {
    "ESSESESS": {
        "city": "Stockholm",
        "country": "Sweden",
        "postalCode": "106 40",
        "streetAddress": "Kungsträdgårdsgatan 8",
        "companyNumber": "502032-9081",
        "phone": "+46-771 365 365",
        "websiteUrl": "https://seb.se/",
        "globalPaymentProducts": ["sepa-credit-transfers", "domestic"],
        "paymentProducts": [
            "swedish-domestic-private-credit-transfers",
            "swedish-domestic-private-own-accounts-transfers",
            "swedish-domestic-private-bankgiros",
            "swedish-domestic-private-plusgiros",
            "sepa-credit-transfers",
            "cross-border-credit-transfers",
            "high-value-credit-transfers",
            "dk-domestic-credit-transfers",
            "intra-company-credit-transfers",
            "no-domestic-credit-transfers",
            "pl-domestic-credit-transfers",
            "se-domestic-credit-transfers",
            "uk-domestic-credit-transfers",
        ],
        "supportedAuthorizationMethods": [
            {"name": "OAuth2", "uri": "https://auth.dev.openbankingplatform.com/.well-known/openid-configuration"}
        ],
        "bicFi": "ESSESESS",
        "name": "Skandinaviska Enskilda Banken AB ",
        "logoUrl": "https://opeopenbanking.blob.core.windows.net/images/ESSESESS.jpg",
    }
}

_ASPSPS_OF_2026: Final = [
    *_ASPSPS_OF_2021,
    {
        "bicFi": "SWEDSESS",
        "name": "Swedbank",
        # no source has this bank's logo; the address is made like the others
        "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/SWEDSESS.png",
    },
]
_DETAILS_OF_2026: Final = _DETAILS_OF_2021 | {
    # Document 001 has the rest, word for word. That SEB's capabilities are filled in was observed in 2026, and that its
    # baskets take 100 payments; the other numbers are the examples in the provider's description of 2026.
    "ESSESESS": _DETAILS_OF_2021["ESSESESS"]
    | {
        "accountInformation": {
            "transactionHistoryMaxDays": 90,
            "extendedTransactionHistoryMaxDays": 760,
            "extendedTransactionHistoryAvailableWindowMinutes": 5,
            "transactionHistoryMaxCount": 1000,
        },
        "paymentInitiation": {"signingBasketsSupported": True, "signingBasketLimit": 100},
    },
    "SWEDSESS": {
        "bicFi": "SWEDSESS",
        "name": "Swedbank",
        "logoUrl": "https://opeopenbanking.blob.core.windows.net/images/SWEDSESS.png",
        "websiteUrl": "https://www.swedbank.se",
        "companyNumber": "502017-7753",
        "phone": "+46-8-585 900 00",
        "streetAddress": "Landsvägen 40",
        "postalCode": "105 34",
        "globalPaymentProducts": ["domestic", "swedish-giro", "cross-border"],
        "supportedAuthorizationMethods": [
            {"name": "OAuth2", "uri": "https://auth.openbankingplatform.com/.well-known/openid-configuration"},
            {"name": "Decoupled", "uri": ""},
        ],
        "affiliatedAspsps": [
            {"id": "08999", "name": "Swedbank"},
            {"id": "08191", "name": "Sparbanken Bergslagen AB"},
            {"id": "08024", "name": "Bjursås Sparbank"},
        ],
        "accountInformation": {
            "transactionHistoryMaxDays": 88,
            "extendedTransactionHistoryMaxDays": 760,
            "extendedTransactionHistoryAvailableWindowMinutes": 60,
        },
        "paymentInitiation": {"signingBasketsSupported": True, "signingBasketLimit": 100},
    },
}


def aspsps(*, of_2026: bool) -> list[dict[str, str]]:
    """The list of banks."""
    return _ASPSPS_OF_2026 if of_2026 else _ASPSPS_OF_2021


def aspsp_details(*, of_2026: bool) -> dict[str, dict[str, Any]]:
    """The details of the banks, by BIC."""
    return _DETAILS_OF_2026 if of_2026 else _DETAILS_OF_2021
