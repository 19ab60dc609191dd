"""The six operations with the data of the sources, written out here once more: an expectation, not a copy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.callers import Caller, refused
from tests.simulator.rules import BOTH, of_2021

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
SEB_CAPABILITIES = {
    "accountInformation": {
        "transactionHistoryMaxDays": 90,
        "extendedTransactionHistoryMaxDays": 760,
        "extendedTransactionHistoryAvailableWindowMinutes": 5,
        "transactionHistoryMaxCount": 1000,
    },
    "paymentInitiation": {"signingBasketsSupported": True, "signingBasketLimit": 100},
}
SWEDBANK = {
    "bicFi": "SWEDSESS",
    "name": "Swedbank",
    "logoUrl": "https://openbankingplatform.blob.core.windows.net/image/SWEDSESS.png",
}
SWEDBANK_DETAILS = {
    "bicFi": "SWEDSESS",
    "name": "Swedbank",
    "logoUrl": "https://opeopenbanking.blob.core.windows.net/images/SWEDSESS.png",
    "companyNumber": "502017-7753",
    "postalCode": "105 34",
    "streetAddress": "Landsvägen 40",
    "phone": "+46-8-585 900 00",
    "websiteUrl": "https://www.swedbank.se",
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
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/countries", {"countries": [SE, FI, DE, DK]}),
        ("/countries?isoCountryCodes=FI", {"countries": [FI]}),
        ("/countries?isoCountryCodes=DK,SE", {"countries": [SE, DK]}),
        ("/countries?isoCountryCodes=DK%2CSE", {"countries": [SE, DK]}),
        ("/countries?isoCountryCodes=se", {"countries": [SE]}),
        ("/countries?isoCountryCodes=SE&isoCountryCodes=FI", {"countries": [SE, FI]}),
        ("/countries?isoCountryCodes=DE&isoCountryCodes=SE,FI", {"countries": [SE, FI, DE]}),
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
        ("/aspsps?isoCountryCodes=FI,DE,DK", {"aspsps": []}),
        # the documents name a city for SEB alone
        (f"/aspsps?cityIds={STOCKHOLM['cityId']}", {"aspsps": [SEB]}),
        (f"/aspsps?cityIds={HELSINKI['cityId']}", {"aspsps": []}),
        (f"/aspsps?isoCountryCodes=FI&cityIds={STOCKHOLM['cityId']}", {"aspsps": [SEB]}),
        # nothing else is known of these two
        ("/aspsps/NDEASESS", NORDEA),
        ("/aspsps/HANDSESS", HANDELSBANKEN),
    ],
)
@pytest.mark.parametrize("rules", BOTH)
def test_the_documents_data(caller: Caller, rules: str, path: str, expected: dict[str, Any]) -> None:
    response = caller.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == expected


LISTS = ("/aspsps", "/aspsps?isoCountryCodes=SE", f"/aspsps?isoCountryCodes=SE&cityIds={HELSINKI['cityId']}")


@of_2021
@pytest.mark.parametrize("path", LISTS)
def test_the_banks_of_2021_are_the_documents(caller: Caller, path: str) -> None:
    assert caller.get(path).json() == {"aspsps": [SEB, NORDEA, HANDELSBANKEN]}
    assert caller.get("/aspsps/ESSESESS").json() == SEB_DETAILS
    refused(caller.get("/aspsps/SWEDSESS"), 404, "RESOURCE_UNKNOWN", "bicFi")


@pytest.mark.parametrize("path", LISTS)
def test_the_banks_of_2026_are_one_more(caller: Caller, path: str) -> None:
    assert caller.get(path).json() == {"aspsps": [SEB, NORDEA, HANDELSBANKEN, SWEDBANK]}


def test_the_details_of_2026_tell_what_a_bank_can_do(caller: Caller) -> None:
    assert caller.get("/aspsps/ESSESESS").json() == SEB_DETAILS | SEB_CAPABILITIES
    assert caller.get("/aspsps/SWEDSESS").json() == SWEDBANK_DETAILS


@pytest.mark.parametrize("context", ["private", "corporate"])
def test_a_token_for_accounts_will_do(caller: Caller, context: str) -> None:
    token = caller.token(f"accountinformation {context}")
    for path in ("/countries", "/countries/SE", "/cities", f"/cities/{STOCKHOLM['cityId']}", "/aspsps/ESSESESS"):
        assert caller.get(path, token=token).status_code == 200


@of_2021
def test_a_token_for_accounts_would_not_do(caller: Caller) -> None:
    refused(caller.get("/countries", token=caller.token("accountinformation private")), 401, "TOKEN_INVALID")


@pytest.mark.simulator(api_scopes=["accountinformation", "paymentinitiation"])
def test_an_application_of_the_newer_auth_host(caller: Caller) -> None:
    response = caller.ask_token(scope="aspspinformation corporate")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_scope")
    token = caller.token("accountinformation paymentinitiation corporate")
    assert caller.get("/aspsps", token=token).status_code == 200


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/countries/NO", "isoCountryCode"),
        ("/cities/00000000-0000-0000-0000-000000000000", "cityId"),
        ("/aspsps/OPBKSE21", "bicFi"),
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
        ("/countries?isoCountryCodes=SE&isoCountryCodes=", "isoCountryCodes"),
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
@of_2021
def test_a_query_parameter_that_the_operation_does_not_have(caller: Caller, path: str, parameter: str) -> None:
    refused(caller.get(path), 400, "PARAMETER_NOT_SUPPORTED", parameter)


def test_a_query_parameter_that_does_not_exist_is_no_error(caller: Caller) -> None:
    everything = caller.get("/aspsps").json()
    assert caller.get("/aspsps?country=FI&country=DE&country=").json() == everything
