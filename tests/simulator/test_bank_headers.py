"""What a call to a bank has to say of itself, and what some banks insist on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.simulator.bank_caller import ACCOUNTS, BankCaller
from tests.simulator.caller import Caller, messages

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

CALLS = [
    ("POST", ""),
    ("GET", "1"),
    ("DELETE", "1"),
    ("GET", "1/status"),
    ("POST", "1/authorisations"),
    ("GET", "1/authorisations"),
    ("GET", "1/authorisations/2"),
    ("PUT", "1/authorisations/2"),
    ("GET", ACCOUNTS),
    ("GET", f"{ACCOUNTS}/1"),
    ("GET", f"{ACCOUNTS}/1/balances"),
    ("GET", f"{ACCOUNTS}/1/transactions"),
    ("GET", f"{ACCOUNTS}/1/transactions/2"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_needs_token_request_id_and_bank(seb: BankCaller, method: str, path: str) -> None:
    caller = Caller(seb.simulator, seb.http)
    for headers, status, message in (
        ({"Authorization": None}, 401, ("TOKEN_UNKNOWN", None)),
        ({"Authorization": f"Bearer {caller.token('aspspinformation private')}"}, 401, ("TOKEN_INVALID", None)),
        ({"X-Request-ID": None}, 400, ("FORMAT_ERROR", "X-Request-ID")),
        ({"X-Request-ID": "1"}, 400, ("FORMAT_ERROR", "X-Request-ID")),
        ({"X-BicFi": None}, 400, ("FORMAT_ERROR", "X-BicFi")),
        ({"X-BicFi": "essesess"}, 400, ("FORMAT_ERROR", "X-BicFi")),
        ({"X-BicFi": "ESSESES1"}, 400, ("RESOURCE_UNKNOWN", "X-BicFi")),
        ({"Accept": "application/xml"}, 406, ("REQUESTED_FORMATS_INVALID", "Accept")),
    ):
        response = seb.call(method, path, headers=headers)
        assert response.status_code == status
        assert messages(response) == [message]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_unknown_query_parameters(seb: BankCaller, method: str, path: str) -> None:
    response = seb.call(method, path, params={"page": "2"})
    assert response.status_code == 400
    assert messages(response) == [("PARAMETER_NOT_SUPPORTED", "page")]


def test_the_request_id_comes_back(seb: BankCaller) -> None:
    request_id = str(uuid.uuid4())
    assert seb.get("1", headers={"X-Request-ID": request_id}).headers["X-Request-ID"] == request_id


def test_the_token_of_a_user_is_as_good(seb: BankCaller) -> None:
    consent_id, path, link = seb.link()
    code = httpx.URL(seb.simulator.visit(link)).params["code"]
    authorisation_id = path.rpartition("/")[2]
    response = seb.http.post(
        f"{seb.simulator.auth_url}/connect/token",
        data={
            "client_id": seb.simulator.client_id,
            "client_secret": seb.simulator.client_secret,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": "https://app.example/callback",
            "scope": "accountinformation",
        },
        headers={"X-ConsentId": consent_id, "X-ConsentAuthorisationId": authorisation_id},
    )
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
    response = seb.ask(headers={name: value})
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", name)]


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


@pytest.mark.parametrize(
    "accept",
    [
        "application/problem+json, application/json;q=0.5",
        "application/problem+json, */*;q=0.1",
        "application/problem+json",
    ],
)
def test_errors_in_the_other_form(seb: BankCaller, accept: str) -> None:
    response = seb.get("1", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"urn:open-payments:{body['code']}"
    assert set(body) == {"type", "code", "title", "detail"}
    # nobody who can't read JSON is sent any
    expected = (406, "REQUESTED_FORMATS_INVALID") if "," not in accept else (403, "CONSENT_UNKNOWN")
    assert (response.status_code, body["code"]) == expected


@pytest.mark.parametrize("accept", ["application/json, application/problem+json", "*/*", "application/*;q=x"])
def test_errors_in_the_usual_form(seb: BankCaller, accept: str) -> None:
    assert seb.get("1", headers={"Accept": accept}).headers["Content-Type"] == "application/json"


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
        assert response.status_code == 400
        assert messages(response) == [("FORMAT_ERROR", "PSU-IP-Address")]
    assert handelsbanken.read(consent_id).status_code == 200


def test_seb_insists_on_a_company_in_its_context(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="accountinformation corporate")
    response = corporate.ask()
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", "PSU-Corporate-ID")]
    consent_id = corporate.valid(headers={"PSU-Corporate-ID": "example-company"})
    assert corporate.read(consent_id).status_code == 200


@pytest.mark.parametrize("name", ["PSU-IP-Address", "PSU-User-Agent"])
def test_swedbank_insists_on_headers_for_a_new_consent(swedbank: BankCaller, name: str) -> None:
    response = swedbank.ask(headers={name: None})
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", name)]
    assert swedbank.get(swedbank.create(), headers={name: None}).status_code == 200


def test_swedbank_insists_on_a_user(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"PSU-ID": None})
    response = swedbank.call("POST", f"{consent_id}/authorisations", headers={"PSU-ID": None})
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", "PSU-ID")]


@pytest.mark.parametrize("changed", ["true", None])
def test_swedbank_wants_the_redirect_preference_kept(swedbank: BankCaller, changed: str | None) -> None:
    consent_id = swedbank.valid()
    headers = {"TPP-Redirect-Preferred": changed}
    for response in (
        swedbank.get(consent_id, headers=headers),
        swedbank.call("DELETE", consent_id, headers=headers),
        swedbank.read(consent_id, headers=headers),
    ):
        assert response.status_code == 400
        assert messages(response) == [("PARAMETER_NOT_CONSISTENT", "TPP-Redirect-Preferred")]
    assert swedbank.read(consent_id).status_code == 200


def test_a_preference_that_was_never_said_can_come_later(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers={"TPP-Redirect-Preferred": None})
    assert swedbank.get(consent_id, headers={"TPP-Redirect-Preferred": "true"}).status_code == 200


@pytest.mark.parametrize("bic", ["ESSESESS", "NDEASESS"])
def test_other_banks_insist_on_nothing(dated: Simulator, http: httpx.Client, bic: str) -> None:
    bank = BankCaller(dated, http, bic, headers={})
    consent_id = bank.create(headers={"TPP-Redirect-Preferred": "true"})
    path = bank.start(consent_id)
    bank.select(path)
    dated.approve(consent_id)
    assert bank.read(consent_id).status_code == 200
