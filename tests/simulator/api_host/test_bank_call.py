"""What a call to a bank has to say of itself, and what some banks insist on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.simulator.callers import ACCOUNTS, API_SCOPES, CARDS, OF_A_COMPANY, UNATTENDED, BankCaller, messages, refused
from tests.simulator.description import BANK_OPERATIONS, NEW_IN_2026, Operation
from tests.simulator.rules import BOTH, of_2021

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

OF_2021 = [one for one in BANK_OPERATIONS if not one.path.startswith(NEW_IN_2026)]
IDENTITY = {"PSU-ID", "PSU-Corporate-ID", "PSU-IP-Address", "PSU-User-Agent", "TPP-Redirect-Preferred"}


@pytest.mark.parametrize("operation", BANK_OPERATIONS, ids=str)
def test_every_call_needs_a_bank(seb: BankCaller, operation: Operation) -> None:
    for bic, code in ((None, "FORMAT_ERROR"), ("essesess", "FORMAT_ERROR"), ("ESSESES1", "RESOURCE_UNKNOWN")):
        response = seb.call(operation.method, operation.address(), headers={"X-BicFi": bic})
        refused(response, 400, code, "X-BicFi")


def test_the_token_of_a_user_is_as_good(seb: BankCaller) -> None:
    consent_id, path, link = seb.link()
    response = seb.exchange(path, httpx.URL(seb.simulator.visit(link)).params["code"])
    token = f"Bearer {response.json()['access_token']}"
    assert seb.read(consent_id, headers={"Authorization": token}).status_code == 200
    assert seb.read(consent_id).status_code == 200


FORMS = [
    ("PSU-IP-Address", "203.0.113"),
    ("PSU-IP-Address", ""),
    ("PSU-ID", ""),
    ("PSU-Corporate-ID", ""),
    ("PSU-Corporate-ID-Type", ""),
    ("TPP-Redirect-Preferred", "False"),
    ("X-AffiliatedASPSP-ID", ""),
]
FURTHER_FORMS_OF_2021 = [
    ("PSU-IP-Port", "http"),
    ("PSU-Http-Method", "get"),
    ("PSU-Device-ID", "1"),
    ("PSU-Geo-Location", "59.3;18.0"),
    ("TPP-Explicit-Authorisation-Preferred", "yes"),
    ("TPP-Notification-Content-Preferred", "status=ALL"),
]


@pytest.mark.parametrize(("name", "value"), [*FORMS, ("X-Consent-Type", ""), ("X-Consent-Type", "SepaDirectDebit")])
def test_headers_that_are_malformed(seb: BankCaller, name: str, value: str) -> None:
    refused(seb.ask(headers={name: value}), 400, "FORMAT_ERROR", name)


@of_2021
@pytest.mark.parametrize(("name", "value"), [*FORMS, *FURTHER_FORMS_OF_2021])
def test_headers_that_were_malformed_in_2021(seb: BankCaller, name: str, value: str) -> None:
    refused(seb.ask(headers={name: value}), 400, "FORMAT_ERROR", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *FURTHER_FORMS_OF_2021,
        ("Consent-ID", ""),
        ("PSU-Authoriser-ID", ""),
        ("X-ISO-Fallback-Enabled", "yes"),
        ("TPP-Redirect-URI", ""),
        ("X-Feature-Flags", "new-statuses"),
        ("FX-Quote-Id", ""),
    ],
)
def test_headers_that_are_not_declared_are_not_looked_at(seb: BankCaller, name: str, value: str) -> None:
    assert seb.ask(headers={name: value}).status_code == 201


@of_2021
@pytest.mark.parametrize("name", ["X-Consent-Type", "PSU-Authoriser-ID", "X-ISO-Fallback-Enabled", "Consent-ID"])
def test_nor_were_they_in_2021(seb: BankCaller, name: str) -> None:
    assert seb.ask(headers={name: ""}).status_code == 201


@pytest.mark.parametrize("rules", BOTH)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        # declared as IPv4 in 2026; nobody saw an IPv6 address refused
        ("PSU-IP-Address", "2001:db8::7"),
        ("PSU-IP-Port", "1234"),
        ("PSU-Http-Method", "GET"),
        ("PSU-Device-ID", "99435c7e-ad88-49ec-a2ad-99ddcb1f5555"),
        ("PSU-Geo-Location", "GEO:59.332580;-18.064900"),
        ("PSU-Corporate-ID-Type", "KVK"),
        ("TPP-Redirect-Preferred", "true"),
        ("TPP-Notification-Content-Preferred", "status=SCA,LAST"),
        ("PSU-Accept-Language", ""),
        ("X-Consent-Type", "sepaDirectDebit"),
        ("Content-Type", "application/json"),
    ],
)
def test_headers_that_are_in_order(seb: BankCaller, rules: str, name: str, value: str) -> None:
    assert seb.ask(headers={name: value}).status_code == 201
    assert seb.get(seb.create(), headers={name: value}).status_code == 200


def test_a_header_that_is_sent_twice(seb: BankCaller) -> None:
    headers = [*seb.headers.items(), ("X-Request-ID", str(uuid.uuid4())), ("X-BicFi", "NDEASESS")]
    response = seb.http.get(f"{seb.simulator.api_url}{ACCOUNTS}", headers=headers)
    assert messages(response) == [("FORMAT_ERROR", "X-BicFi")]


def lacking(bank: BankCaller, operation: Operation, *names: str) -> httpx.Response:
    """A call without these headers. It ends there, or at a consent that nobody knows."""
    headers = {"Consent-ID": "nobody's", "Content-Type": "application/json", **dict.fromkeys(names)}
    return bank.call(operation.method, operation.address(), headers=headers, content=b"{}")


@pytest.mark.parametrize("operation", BANK_OPERATIONS, ids=str)
@pytest.mark.parametrize("name", ["PSU-ID", "TPP-Redirect-Preferred", "PSU-User-Agent"])
def test_every_call_says_who_the_user_is(seb: BankCaller, operation: Operation, name: str) -> None:
    if name in operation.headers:
        refused(lacking(seb, operation, name), 400, "FORMAT_ERROR", name)
    else:
        assert messages(lacking(seb, operation, name))[0][1] not in IDENTITY
    assert messages(lacking(seb, operation))[0][1] not in IDENTITY


@pytest.mark.parametrize("operation", BANK_OPERATIONS, ids=str)
def test_every_call_for_a_company_says_which(simulator: Simulator, http: httpx.Client, operation: Operation) -> None:
    corporate = BankCaller(simulator, http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)
    refused(lacking(corporate, operation, "PSU-Corporate-ID"), 400, "FORMAT_ERROR", "PSU-Corporate-ID")
    assert messages(lacking(corporate, operation))[0][1] not in IDENTITY


@pytest.mark.parametrize("operation", BANK_OPERATIONS, ids=str)
def test_the_user_is_there_when_something_is_changed(seb: BankCaller, operation: Operation) -> None:
    response = lacking(seb, operation, "PSU-IP-Address", "PSU-User-Agent")
    if operation.method in {"POST", "PUT"} and "PSU-IP-Address" in operation.headers:
        refused(response, 400, "FORMAT_ERROR", "PSU-IP-Address")
    else:
        assert messages(response)[0][1] not in IDENTITY


@of_2021
@pytest.mark.parametrize("operation", OF_2021, ids=str)
def test_in_2021_nobody_asked_for_the_user(simulator: Simulator, http: httpx.Client, operation: Operation) -> None:
    for context in ("private", "corporate"):
        nordea = BankCaller(simulator, http, "NDEASESS", scope=f"{API_SCOPES} {context}")
        assert messages(lacking(nordea, operation, *IDENTITY))[0][1] not in IDENTITY


@pytest.mark.parametrize("scope", ["accountinformation corporate", "accountinformation private"])
@pytest.mark.parametrize("other", [None, "another-company"])
def test_what_belongs_to_a_company_is_read_with_its_id(
    simulator: Simulator, http: httpx.Client, scope: str, other: str | None
) -> None:
    company = BankCaller(simulator, http, scope=scope, headers=OF_A_COMPANY)
    consent_id = company.valid()
    path = company.start(company.create())
    headers = {"PSU-Corporate-ID": other}
    for response in (
        company.get(f"{consent_id}/status", headers=headers),
        company.call("DELETE", consent_id, headers=headers),
        company.get(path, headers=headers),
        company.call("PUT", path, json={"authenticationMethodId": "mbid"}, headers=headers),
        company.read(consent_id, headers=headers),
        company.read(consent_id, CARDS, headers=headers),
    ):
        missing = other is None and scope.endswith("corporate")
        code = "FORMAT_ERROR" if missing else "PARAMETER_NOT_CONSISTENT"
        refused(response, 400, code, "PSU-Corporate-ID")
        assert missing or "send the same PSU-Corporate-ID" in response.json()["tppMessages"][0]["text"]
    assert company.read(consent_id).status_code == 200


@of_2021
def test_in_2021_nobody_compared_the_companies(simulator: Simulator, http: httpx.Client) -> None:
    company = BankCaller(simulator, http, scope="accountinformation corporate", headers=OF_A_COMPANY)
    consent_id = company.valid()
    assert company.read(consent_id, headers={"PSU-Corporate-ID": None}).status_code == 200
    assert company.status(consent_id) == "valid"


def test_banks_know_the_banks_behind_them(swedbank: BankCaller, seb: BankCaller) -> None:
    name = "X-AffiliatedASPSP-ID"
    for affiliate in ("08999", "08191", "08024"):
        assert swedbank.ask(headers={name: affiliate}).status_code == 201
    for bank, affiliate in ((swedbank, "8999"), (swedbank, "08114"), (seb, "08999")):
        refused(bank.ask(headers={name: affiliate}), 400, "RESOURCE_UNKNOWN", name)
    # it is declared nowhere else
    assert seb.get(seb.create(), headers={name: "08999"}).status_code == 200


@of_2021
def test_in_2021_any_affiliate_would_do(seb: BankCaller) -> None:
    assert seb.ask(headers={"X-AffiliatedASPSP-ID": "08999"}).status_code == 201


@of_2021
def test_handelsbanken_insists_on_an_ip_address_here_and_there(handelsbanken: BankCaller) -> None:
    without = {"PSU-IP-Address": None}
    consent_id = handelsbanken.create(headers=without)
    path = handelsbanken.start(consent_id, headers=without)
    assert handelsbanken.get(path, headers=without).status_code == 200
    for response in (
        handelsbanken.call("PUT", path, json={"authenticationMethodId": "mbid"}, headers=without),
        handelsbanken.read(consent_id, headers=without),
        handelsbanken.read(consent_id, "1/transactions", headers=without),
    ):
        refused(response, 400, "FORMAT_ERROR", "PSU-IP-Address")
    assert handelsbanken.read(consent_id).status_code == 200


def test_handelsbanken_gives_no_accounts_without_the_user(handelsbanken: BankCaller) -> None:
    consent_id = handelsbanken.valid()
    assert handelsbanken.get(f"{consent_id}/status", headers=UNATTENDED).status_code == 200
    refused(handelsbanken.read(consent_id, headers=UNATTENDED), 400, "FORMAT_ERROR", "PSU-IP-Address")


@of_2021
def test_seb_insists_on_a_company_in_its_context(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="accountinformation corporate")
    refused(corporate.ask(), 400, "FORMAT_ERROR", "PSU-Corporate-ID")
    consent_id = corporate.valid(headers={"PSU-Corporate-ID": "example-company"})
    assert corporate.read(consent_id).status_code == 200


@of_2021
@pytest.mark.parametrize("name", ["PSU-IP-Address", "PSU-User-Agent"])
def test_swedbank_insists_on_headers_for_a_new_consent(swedbank: BankCaller, name: str) -> None:
    refused(swedbank.ask(headers={name: None}), 400, "FORMAT_ERROR", name)
    assert swedbank.get(swedbank.create(), headers={name: None}).status_code == 200


@of_2021
def test_swedbank_insists_on_a_user(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"PSU-ID": None})
    refused(
        swedbank.call("POST", f"{consent_id}/authorisations", headers={"PSU-ID": None}), 400, "FORMAT_ERROR", "PSU-ID"
    )


@pytest.mark.parametrize(
    "changed",
    ["true", pytest.param(None, marks=of_2021, id="none"), pytest.param("true", marks=of_2021, id="true-2021")],
)
def test_swedbank_wants_the_redirect_preference_kept(swedbank: BankCaller, changed: str | None) -> None:
    consent_id = swedbank.valid()
    headers = {"TPP-Redirect-Preferred": changed}
    for response in (
        swedbank.get(consent_id, headers=headers),
        swedbank.call("DELETE", consent_id, headers=headers),
        swedbank.read(consent_id, headers=headers),
    ):
        refused(response, 400, "PARAMETER_NOT_CONSISTENT", "TPP-Redirect-Preferred")
    assert swedbank.read(consent_id).status_code == 200


@of_2021
def test_a_preference_that_was_never_said_can_come_later(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"TPP-Redirect-Preferred": None})
    assert swedbank.get(consent_id, headers={"TPP-Redirect-Preferred": "true"}).status_code == 200


@of_2021
@pytest.mark.parametrize("bic", ["ESSESESS", "NDEASESS"])
def test_other_banks_insist_on_nothing(simulator: Simulator, http: httpx.Client, bic: str) -> None:
    bank = BankCaller(simulator, http, bic, headers={})
    consent_id = bank.create(headers={"TPP-Redirect-Preferred": "true"})
    path = bank.start(consent_id)
    bank.select(path)
    simulator.approve(consent_id)
    assert bank.read(consent_id).status_code == 200
