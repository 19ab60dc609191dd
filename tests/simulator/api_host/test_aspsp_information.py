"""The six operations with the data of document 001, written out here once more: an expectation, not a copy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.callers import Caller, refused

SE = {"isoCountryCode": "SE", "name": "Sweden"}
FI = {"isoCountryCode": "FI", "name": "Finland"}
DE = {"isoCountryCode": "DE", "name": "Germany"}
DK = {"isoCountryCode": "DK", "name": "Denmark"}

STOCKHOLM = {"cityId": "37efa883-c8ad-4ff7-927b-b11b02beb923", "name": "Stockholm", "isoCountryCode": "SE"}
HELSINKI = {"cityId": "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c", "name": "Helsinki", "isoCountryCode": "FI"}
FRANKFURT = {"cityId": "bb97dd78-835c-9922-e700-a8b5b3f5cbba", "name": "Frankfurt", "isoCountryCode": "DE"}
COPENHAGEN = {"cityId": "8f64d9db-7f38-e13e-cbf8-809e6bc6175c", "name": "Copenhagen", "isoCountryCode": "DK"}

SEB = {
    "bicFi": "ESSESESS",
    "name": "Skandinaviska Enskilda Banken AB ",
    "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/ESSESESS.png",
}
NORDEA = {
    "bicFi": "NDEASESS",
    "name": "Nordea Bank AB",
    "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/NDEASESS.png",
}
HANDELSBANKEN = {
    "bicFi": "HANDSESS",
    "name": "Handelsbanken",
    "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/HANDSESS.png",
}
SEB_DETAILS = {
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


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/countries", {"countries": [SE, FI, DE, DK]}),
        ("/countries?isoCountryCodes=FI", {"countries": [FI]}),
        ("/countries?isoCountryCodes=DK,SE", {"countries": [SE, DK]}),
        ("/countries?isoCountryCodes=DK%2CSE", {"countries": [SE, DK]}),
        ("/countries?isoCountryCodes=se", {"countries": [SE]}),
        ("/countries?isoCountryCodes=NO", {"countries": []}),
        ("/countries/SE", SE),
        ("/countries/dk", DK),
        ("/cities", {"cities": [STOCKHOLM, HELSINKI, FRANKFURT, COPENHAGEN]}),
        ("/cities?isoCountryCodes=DE,NO", {"cities": [FRANKFURT]}),
        (f"/cities?cityIds={HELSINKI['cityId']}", {"cities": [HELSINKI]}),
        # the document's own example of a union
        (f"/cities?isoCountryCodes=SE&cityIds={HELSINKI['cityId']}", {"cities": [STOCKHOLM, HELSINKI]}),
        (f"/cities?isoCountryCodes=SE&cityIds={STOCKHOLM['cityId']}", {"cities": [STOCKHOLM]}),
        ("/cities?cityIds=00000000-0000-0000-0000-000000000000", {"cities": []}),
        (f"/cities/{STOCKHOLM['cityId']}", STOCKHOLM),
        (f"/cities/{COPENHAGEN['cityId'].upper()}", COPENHAGEN),
        ("/aspsps", {"aspsps": [SEB, NORDEA, HANDELSBANKEN]}),
        ("/aspsps?isoCountryCodes=SE", {"aspsps": [SEB, NORDEA, HANDELSBANKEN]}),
        ("/aspsps?isoCountryCodes=FI,DE,DK", {"aspsps": []}),
        # the documents name a city for SEB alone
        (f"/aspsps?cityIds={STOCKHOLM['cityId']}", {"aspsps": [SEB]}),
        (f"/aspsps?cityIds={HELSINKI['cityId']}", {"aspsps": []}),
        (f"/aspsps?isoCountryCodes=FI&cityIds={STOCKHOLM['cityId']}", {"aspsps": [SEB]}),
        (f"/aspsps?isoCountryCodes=SE&cityIds={HELSINKI['cityId']}", {"aspsps": [SEB, NORDEA, HANDELSBANKEN]}),
        ("/aspsps/ESSESESS", SEB_DETAILS),
        # nothing else is known of these two
        ("/aspsps/NDEASESS", NORDEA),
        ("/aspsps/HANDSESS", HANDELSBANKEN),
    ],
)
def test_the_documents_data(caller: Caller, path: str, expected: dict[str, Any]) -> None:
    response = caller.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == expected


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/countries/NO", "isoCountryCode"),
        ("/cities/00000000-0000-0000-0000-000000000000", "cityId"),
        ("/aspsps/SWEDSESS", "bicFi"),
        ("/aspsps/ESSESESSXXX", "bicFi"),
    ],
)
def test_what_does_not_exist(caller: Caller, path: str, parameter: str) -> None:
    refused(caller.get(path), 404, "RESOURCE_UNKNOWN", parameter)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/countries/Sweden", "isoCountryCode"),
        ("/countries/S1", "isoCountryCode"),
        ("/countries/SE%0A", "isoCountryCode"),
        ("/cities/Stockholm", "city-id"),
        ("/cities/37efa883c8ad4ff7927bb11b02beb923", "city-id"),
        ("/aspsps/essesess", "bicFi"),
        ("/aspsps/ESSESES", "bicFi"),
        ("/aspsps/ESSESESSXX", "bicFi"),
        ("/countries?isoCountryCodes=Sweden", "isoCountryCodes"),
        ("/countries?isoCountryCodes=SE,", "isoCountryCodes"),
        ("/countries?isoCountryCodes=SE,%20FI", "isoCountryCodes"),
        ("/countries?isoCountryCodes=", "isoCountryCodes"),
        ("/cities?cityIds=Helsinki", "cityIds"),
        ("/aspsps?isoCountryCodes=SE&cityIds=5", "cityIds"),
        ("/countries?isoCountryCodes=SE&isoCountryCodes=FI", "isoCountryCodes"),
    ],
)
def test_what_is_malformed(caller: Caller, path: str, parameter: str) -> None:
    refused(caller.get(path), 400, "FORMAT_ERROR", parameter)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/countries?cityIds=37efa883-c8ad-4ff7-927b-b11b02beb923", "cityIds"),
        ("/aspsps?countries=SE", "countries"),
        ("/countries/SE?name=Sweden", "name"),
    ],
)
def test_a_query_parameter_that_the_operation_does_not_have(caller: Caller, path: str, parameter: str) -> None:
    refused(caller.get(path), 400, "PARAMETER_NOT_SUPPORTED", parameter)
