"""The grants that a user stands behind: an authorization code, and a refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.callers import AS_JSON, REDIRECT_URI, Caller, Clock

if TYPE_CHECKING:
    import httpx

CONSENT = {"X-ConsentId": "consent-1", "X-ConsentAuthorisationId": "authorisation-1"}
PAYMENT = {"X-PaymentId": "payment-1", "X-PaymentAuthorisationId": "authorisation-1"}
REFRESH_FIELDS = {"refresh_token", "refresh_token_expires_in", "refresh_token_issued_at", "refresh_count", "status"}
DAY = 86400

refreshing = pytest.mark.simulator(refresh_tokens=True)


def issue(caller: Caller, **changes: Any) -> str:
    arguments = {"redirect_uri": REDIRECT_URI, "consent_id": "consent-1", "authorisation_id": "authorisation-1"}
    return caller.simulator.issue_code(**{**arguments, **changes})


def exchange(
    caller: Caller, code: str | None, headers: dict[str, str] | list[tuple[str, str]] = CONSENT, **changes: str | None
) -> httpx.Response:
    return caller.exchange(code, headers, **changes)


def refresh(caller: Caller, token: str, **changes: str | None) -> httpx.Response:
    return caller.ask_token(**{"grant_type": "refresh_token", "refresh_token": token, "scope": None, **changes})


def refused(response: httpx.Response, error: str) -> str:
    assert response.status_code == 400
    body = response.json()
    assert body["error"] == error
    return str(body.get("error_description"))


def not_granted(response: httpx.Response) -> None:
    """The one error that the sources show: a sample client compares the whole body."""
    assert response.status_code == 400
    assert response.text == '{"error":"invalid_grant"}'


def test_a_code_becomes_a_token(caller: Caller) -> None:
    response = exchange(caller, issue(caller))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert body.pop("access_token")
    assert body == {"expires_in": 3600, "token_type": "Bearer", "scope": "accountinformation private"}


def test_the_token_of_a_code_is_as_good_as_any(caller: Caller) -> None:
    code = issue(caller, scope="aspspinformation private")
    token = exchange(caller, code, scope="aspspinformation private").json()["access_token"]
    assert caller.get("/countries", token=token).status_code == 200
    caller.simulator.revoke_tokens()
    assert caller.get("/countries", token=token).status_code == 401


@pytest.mark.parametrize("scope", ["accountinformation", "accountinformation private", "private accountinformation"])
def test_every_form_of_scope_that_the_sources_show(caller: Caller, scope: str) -> None:
    response = exchange(caller, issue(caller), scope=scope)
    assert response.json()["scope"] == scope


def test_a_code_for_a_payment(caller: Caller) -> None:
    code = issue(caller, consent_id=None, payment_id="payment-1")
    response = exchange(caller, code, PAYMENT, scope="paymentinitiation private")
    assert response.json()["scope"] == "paymentinitiation private"


def test_a_code_is_good_once(caller: Caller) -> None:
    code = issue(caller)
    assert exchange(caller, code).status_code == 200
    not_granted(exchange(caller, code))


def test_a_code_that_nobody_issued(caller: Caller) -> None:
    not_granted(exchange(caller, "nobody's"))


@pytest.mark.parametrize("redirect_uri", ["https://app.example/Callback", "https://app.example/callback?a=b"])
def test_another_redirect_uri(caller: Caller, redirect_uri: str) -> None:
    code = issue(caller)
    not_granted(exchange(caller, code, redirect_uri=redirect_uri))
    not_granted(exchange(caller, code))


@pytest.mark.parametrize(
    "headers",
    [
        CONSENT | {"X-ConsentId": "consent-2"},
        CONSENT | {"X-ConsentAuthorisationId": "authorisation-2"},
        {"X-PaymentId": "consent-1", "X-PaymentAuthorisationId": "authorisation-1"},
    ],
)
def test_a_code_for_something_else(caller: Caller, headers: dict[str, str]) -> None:
    not_granted(exchange(caller, issue(caller), headers))


@refreshing
def test_an_old_code(caller: Caller, clock: Clock) -> None:
    young, old = issue(caller), issue(caller)
    clock.now += 599
    assert exchange(caller, young).status_code == 200
    clock.now += 1
    not_granted(exchange(caller, old))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "X-ConsentId"),
        ({"X-ConsentId": "consent-1"}, "X-ConsentAuthorisationId is missing"),
        ({"X-ConsentAuthorisationId": "authorisation-1"}, "X-ConsentId is missing"),
        ({"X-ConsentId": "", "X-ConsentAuthorisationId": "authorisation-1"}, "X-ConsentId"),
        ({"X-PaymentId": "payment-1"}, "X-PaymentAuthorisationId is missing"),
        (CONSENT | PAYMENT, "or with"),
        ([*CONSENT.items(), ("X-ConsentId", "consent-2")], "X-ConsentId is sent more than once"),
    ],
)
def test_headers_that_name_no_authorisation(
    caller: Caller, headers: dict[str, str] | list[tuple[str, str]], reason: str
) -> None:
    code = issue(caller)
    assert reason in refused(exchange(caller, code, headers), "invalid_request")
    assert exchange(caller, code).status_code == 200


@pytest.mark.parametrize("value", [None, ""])
def test_what_an_exchange_needs(caller: Caller, value: str | None) -> None:
    code = issue(caller)
    assert "redirect_uri is missing" in refused(exchange(caller, code, redirect_uri=value), "invalid_request")
    assert "scope is missing" in refused(exchange(caller, code, scope=value), "invalid_request")
    assert "code is missing" in refused(exchange(caller, value), "invalid_request")
    assert exchange(caller, code).status_code == 200


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("accountinformation corporate", "corporate"),
        ("accountinformation paymentinitiation private", "paymentinitiation"),
        ("everything", "unknown"),
    ],
)
def test_more_than_the_user_approved(caller: Caller, scope: str, reason: str) -> None:
    assert reason in refused(exchange(caller, issue(caller), scope=scope), "invalid_scope")


def test_an_exchange_needs_the_credentials(caller: Caller) -> None:
    code = issue(caller)
    refused(exchange(caller, code, client_secret="wrong"), "invalid_client")
    assert exchange(caller, code).status_code == 200


def test_refresh_tokens_are_off_unless_asked_for(caller: Caller) -> None:
    assert REFRESH_FIELDS.isdisjoint(exchange(caller, issue(caller)).json())
    description = refused(refresh(caller, "token"), "unsupported_grant_type")
    assert description == "grant_type is one of: client_credentials, authorization_code"


@refreshing
def test_only_a_user_gives_a_refresh_token(caller: Caller) -> None:
    assert REFRESH_FIELDS.isdisjoint(caller.ask_token().json())
    body = exchange(caller, issue(caller)).json()
    assert body["refresh_token"] != body["access_token"]
    assert {name: body[name] for name in REFRESH_FIELDS - {"refresh_token"}} == {
        "status": "approved",
        "refresh_token_expires_in": 30 * DAY,
        "refresh_token_issued_at": 1_772_366_400,
        "refresh_count": 0,
    }


@refreshing
def test_a_refresh_replaces_both_tokens(caller: Caller, clock: Clock) -> None:
    code = issue(caller, scope="aspspinformation private")
    first = exchange(caller, code, scope="aspspinformation private").json()
    clock.now += 3600
    assert caller.get("/countries", token=first["access_token"]).status_code == 401
    response = refresh(caller, first["refresh_token"])
    assert response.headers["Cache-Control"] == "no-store"
    second = response.json()
    assert set(second) == set(first)
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["scope"], second["refresh_count"]) == ("aspspinformation private", 1)
    assert second["refresh_token_issued_at"] == first["refresh_token_issued_at"] + 3600
    assert caller.get("/countries", token=second["access_token"]).status_code == 200
    not_granted(refresh(caller, first["refresh_token"]))
    assert refresh(caller, second["refresh_token"]).json()["refresh_count"] == 2


@refreshing
def test_a_refreshed_token_can_be_narrower_for_once(caller: Caller) -> None:
    body = exchange(caller, issue(caller)).json()
    body = refresh(caller, body["refresh_token"], scope="accountinformation").json()
    assert body["scope"] == "accountinformation"
    body = refresh(caller, body["refresh_token"]).json()
    assert body["scope"] == "accountinformation private"
    wider = refresh(caller, body["refresh_token"], scope="accountinformation paymentinitiation private")
    assert "paymentinitiation" in refused(wider, "invalid_scope")
    assert refresh(caller, body["refresh_token"]).status_code == 200


@refreshing
def test_an_old_refresh_token(caller: Caller, clock: Clock) -> None:
    young, old = (exchange(caller, issue(caller)).json()["refresh_token"] for _ in range(2))
    clock.now += 30 * DAY - 1
    assert refresh(caller, young).status_code == 200
    clock.now += 1
    not_granted(refresh(caller, old))


@refreshing
def test_refresh_tokens_that_are_not_good(caller: Caller) -> None:
    body = exchange(caller, issue(caller)).json()
    not_granted(refresh(caller, body["access_token"]))
    assert "refresh_token is missing" in refused(refresh(caller, ""), "invalid_request")
    refused(refresh(caller, body["refresh_token"], client_secret="wrong"), "invalid_client")
    caller.simulator.revoke_tokens()
    not_granted(refresh(caller, body["refresh_token"]))


def test_codes_and_refresh_tokens_come_from_the_factory(http: httpx.Client) -> None:
    names = iter(["a code", "an access token", "a refresh token"])
    with Simulator(refresh_tokens=True, token_factory=names.__next__) as simulator:
        caller = Caller(simulator, http)
        code = issue(caller)
        body = exchange(caller, code).json()
    assert (code, body["access_token"], body["refresh_token"]) == ("a code", "an access token", "a refresh token")


@pytest.mark.parametrize("host", ["auth_url", "api_url"])
def test_a_code_by_a_control_call(caller: Caller, host: str) -> None:
    url = f"{getattr(caller.simulator, host)}/simulator/codes"
    fields = {"redirect_uri": REDIRECT_URI, "consent_id": "consent-1", "authorisation_id": "authorisation-1"}
    response = caller.http.post(url, json=fields)
    assert response.status_code == 201
    assert exchange(caller, response.json()["code"]).status_code == 200
    assert caller.http.get(url).status_code == 405


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"redirect_uri": ""}, "redirect_uri is missing"),
        ({"authorisation_id": ""}, "authorisation_id is missing"),
        ({"consent_id": None}, "either consent_id or payment_id"),
        ({"payment_id": "payment-1"}, "either consent_id or payment_id"),
        ({"consent_id": ""}, "consent_id is empty"),
        ({"scope": "everything"}, "scope: unknown scope: everything"),
    ],
)
def test_codes_that_make_no_sense(caller: Caller, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        issue(caller, **changes)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"state": "x"}', "unknown field: state"),
        (b'{"scope": 7}', "scope must be a string"),
        (b"{}", "redirect_uri is missing"),
    ],
)
def test_control_calls_that_make_no_sense(caller: Caller, body: bytes, reason: str) -> None:
    response = caller.http.post(f"{caller.simulator.auth_url}/simulator/codes", content=body, headers=AS_JSON)
    assert response.status_code == 400
    assert reason in response.json()["error"]
