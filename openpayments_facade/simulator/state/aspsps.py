"""Countries, cities and banks as ASPSP Information lists them: the exact examples of document 001.

They contain only what the document says. For Nordea and Handelsbanken it gives BIC, name and logo, so their details
have no more than that. The trailing space in SEB's name is from the document.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["ASPSPS", "ASPSP_CITY_IDS", "ASPSP_DETAILS", "CITIES", "COUNTRIES"]

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

ASPSPS: Final[list[dict[str, str]]] = [
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

# A bank's country is in its BIC (letters 5 and 6, ISO 9362). Its city is only known if the document names it: SEB's
# details say Stockholm. The other two are found by country or without a filter, never by city.
ASPSP_CITY_IDS: Final[dict[str, str]] = {"ESSESESS": "37efa883-c8ad-4ff7-927b-b11b02beb923"}

ASPSP_DETAILS: Final[dict[str, dict[str, Any]]] = {aspsp["bicFi"]: dict(aspsp) for aspsp in ASPSPS} | {
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
