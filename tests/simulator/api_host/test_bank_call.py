"""What a call to a bank has to say of itself, and what some banks insist on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.simulator.callers import ACCOUNTS, BankCaller, messages, refused
from tests.simulator.description import BANK_OPERATIONS, Operation

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PSU-IP-Address", "203.0.113"),
        ("PSU-IP-Address", ""),
        ("PSU-IP-Port", "http"),
        ("PSU-ID", ""),
        ("PSU-Corporate-ID", ""),
        ("PSU-Http-Method", "get"),
        ("PSU-Device-ID", "1"),
        ("PSU-Geo-Location", "59.3;18.0"),
        ("TPP-Redirect-Preferred", "False"),
        ("TPP-Explicit-Authorisation-Preferred", "yes"),
        ("TPP-Notification-Content-Preferred", "status=ALL"),
    ],
)
def test_headers_that_are_malformed(seb: BankCaller, name: str, value: str) -> None:
    refused(seb.ask(headers={name: value}), 400, "FORMAT_ERROR", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PSU-IP-Address", "2001:db8::7"),
        ("PSU-IP-Port", "1234"),
        ("PSU-Http-Method", "GET"),
        ("PSU-Device-ID", "99435c7e-ad88-49ec-a2ad-99ddcb1f5555"),
        ("PSU-Geo-Location", "GEO:59.332580;-18.064900"),
        ("TPP-Redirect-Preferred", "true"),
        ("TPP-Notification-Content-Preferred", "status=SCA,LAST"),
        ("PSU-Accept-Language", ""),
        ("Content-Type", "application/json"),
    ],
)
def test_headers_that_are_in_order(seb: BankCaller, name: str, value: str) -> None:
    assert seb.get(seb.create(), headers={name: value}).status_code == 200


def test_a_header_that_is_sent_twice(seb: BankCaller) -> None:
    headers = [*seb.headers.items(), ("X-Request-ID", str(uuid.uuid4())), ("X-BicFi", "NDEASESS")]
    response = seb.http.get(f"{seb.simulator.api_url}{ACCOUNTS}", headers=headers)
    assert messages(response) == [("FORMAT_ERROR", "X-BicFi")]


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


def test_seb_insists_on_a_company_in_its_context(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="accountinformation corporate")
    refused(corporate.ask(), 400, "FORMAT_ERROR", "PSU-Corporate-ID")
    consent_id = corporate.valid(headers={"PSU-Corporate-ID": "example-company"})
    assert corporate.read(consent_id).status_code == 200


@pytest.mark.parametrize("name", ["PSU-IP-Address", "PSU-User-Agent"])
def test_swedbank_insists_on_headers_for_a_new_consent(swedbank: BankCaller, name: str) -> None:
    refused(swedbank.ask(headers={name: None}), 400, "FORMAT_ERROR", name)
    assert swedbank.get(swedbank.create(), headers={name: None}).status_code == 200


def test_swedbank_insists_on_a_user(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"PSU-ID": None})
    refused(
        swedbank.call("POST", f"{consent_id}/authorisations", headers={"PSU-ID": None}), 400, "FORMAT_ERROR", "PSU-ID"
    )


@pytest.mark.parametrize("changed", ["true", None])
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


def test_a_preference_that_was_never_said_can_come_later(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"TPP-Redirect-Preferred": None})
    assert swedbank.get(consent_id, headers={"TPP-Redirect-Preferred": "true"}).status_code == 200


@pytest.mark.parametrize("bic", ["ESSESESS", "NDEASESS"])
def test_other_banks_insist_on_nothing(simulator: Simulator, http: httpx.Client, bic: str) -> None:
    bank = BankCaller(simulator, http, bic, headers={})
    consent_id = bank.create(headers={"TPP-Redirect-Preferred": "true"})
    path = bank.start(consent_id)
    bank.select(path)
    simulator.approve(consent_id)
    assert bank.read(consent_id).status_code == 200
