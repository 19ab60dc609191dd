from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from openpayments_facade.simulator import Simulator

if TYPE_CHECKING:
    import httpx

    from tests.simulator.callers import Caller

FORM = "application/x-www-form-urlencoded"
EVERYTHING = "aspspinformation accountinformation paymentinitiation bankgiroinformation private"


def refused(response: httpx.Response, error: str, *, status: int = 400) -> str:
    """Asserts an error of RFC 6749, section 5.2, and gives its description."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error
    return str(body["error_description"])


def test_a_token_for_an_hour(caller: Caller) -> None:
    response = caller.ask_token()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    token = body.pop("access_token")
    assert body == {"expires_in": 3600, "token_type": "Bearer", "scope": "aspspinformation private"}
    assert caller.get("/countries", token=token).status_code == 200


def test_every_token_is_another(caller: Caller) -> None:
    assert len({caller.token() for _ in range(5)}) == 5


@pytest.mark.parametrize(
    "scope",
    [
        "aspspinformation private",
        "private aspspinformation",
        "corporate accountinformation",
        "bankgiroinformation corporate accountinformation",
        EVERYTHING,
    ],
)
def test_scopes_in_any_order(caller: Caller, scope: str) -> None:
    assert caller.ask_token(scope=scope).json()["scope"] == scope


def test_a_scope_asked_twice_is_granted_once(caller: Caller) -> None:
    response = caller.ask_token(scope="aspspinformation private aspspinformation")
    assert response.json()["scope"] == "aspspinformation private"


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("aspspinformation", "PSU context"),
        ("private", "no API scope"),
        ("aspspinformation private corporate", "one PSU context"),
        ("aspspinformation everything private", "unknown scope: everything"),
        ("ASPSPinformation private", "unknown scope: ASPSPinformation"),
        ("bankgiroinformation private", "accountinformation"),
        ("aspspinformation  private", "one space"),
        (" aspspinformation private", "one space"),
        (None, "missing"),
        ("", "missing"),
    ],
)
def test_scopes_that_are_refused(caller: Caller, scope: str | None, reason: str) -> None:
    assert reason in refused(caller.ask_token(scope=scope), "invalid_scope")


@pytest.mark.simulator(require_psu_context=False)
def test_a_psu_context_can_be_optional(caller: Caller) -> None:
    assert caller.ask_token(scope="aspspinformation").json()["scope"] == "aspspinformation"
    assert caller.ask_token(scope="aspspinformation private").status_code == 200
    refused(caller.ask_token(scope="aspspinformation private corporate"), "invalid_scope")


@pytest.mark.simulator(api_scopes=["accountinformation"])
def test_an_application_gets_what_it_is_registered_for(caller: Caller) -> None:
    assert caller.ask_token(scope="accountinformation private").status_code == 200
    description = refused(caller.ask_token(scope="aspspinformation accountinformation private"), "invalid_scope")
    assert "aspspinformation" in description
    assert "accountinformation" not in description.split(": ")[1].split()


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"client_secret": "fel hemlighet å"},
        {"client_id": str(uuid.uuid4())},
        {"client_secret": None},
        {"client_id": None},
        {"client_id": None, "client_secret": None},
    ],
)
def test_wrong_or_absent_credentials(caller: Caller, changes: dict[str, str | None]) -> None:
    refused(caller.ask_token(**changes), "invalid_client")


def test_credentials_of_another_simulator(caller: Caller) -> None:
    other = Simulator()
    refused(caller.ask_token(client_id=other.client_id, client_secret=other.client_secret), "invalid_client")


@pytest.mark.simulator(client_secret="a b+c&d=e%20å")
def test_credentials_that_need_form_encoding(caller: Caller) -> None:
    assert caller.ask_token().status_code == 200


def test_credentials_in_the_authorization_header(caller: Caller) -> None:
    simulator = caller.simulator
    response = caller.http.post(
        f"{simulator.auth_url}/connect/token",
        auth=(simulator.client_id, simulator.client_secret),
        data={"grant_type": "client_credentials", "scope": "aspspinformation private"},
    )
    refused(response, "invalid_client", status=401)
    assert response.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("grant_type", ["password", "Client_Credentials", "client_credentials "])
def test_grants_that_do_not_exist(caller: Caller, grant_type: str) -> None:
    refused(caller.ask_token(grant_type=grant_type), "unsupported_grant_type")


@pytest.mark.parametrize("grant_type", [None, ""])
def test_a_grant_is_needed(caller: Caller, grant_type: str | None) -> None:
    assert "grant_type" in refused(caller.ask_token(grant_type=grant_type), "invalid_request")


@pytest.mark.parametrize("field", ["client_id", "client_secret", "grant_type", "scope", "else"])
def test_a_repeated_field(caller: Caller, field: str) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token", content=f"{field}=a&{field}=a", headers={"Content-Type": FORM}
    )
    assert field in refused(response, "invalid_request")


def test_fields_that_nobody_knows_are_ignored(caller: Caller) -> None:
    assert caller.ask_token(audience="nobody").status_code == 200


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x", None])
def test_a_wrong_content_type(caller: Caller, content_type: str | None) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token",
        content="grant_type=client_credentials",
        headers={} if content_type is None else {"Content-Type": content_type},
    )
    assert "Content-Type" in refused(response, "invalid_request")


def test_a_content_type_with_a_charset(caller: Caller) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token",
        content=b"grant_type=password",
        headers={"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"},
    )
    refused(response, "unsupported_grant_type")


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"grant_type=%ff", b"a=1&" * 200])
def test_a_body_that_is_no_form(caller: Caller, body: bytes) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token", content=body, headers={"Content-Type": FORM}
    )
    assert "form" in refused(response, "invalid_request")


def test_parameters_in_the_url(caller: Caller) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token?client_secret=a", data={"grant_type": "client_credentials"}
    )
    assert "URL" in refused(response, "invalid_request")


def test_a_request_id_is_optional_and_echoed(caller: Caller) -> None:
    url = f"{caller.simulator.auth_url}/connect/token"
    request_id = str(uuid.uuid4())
    assert "X-Request-ID" not in caller.ask_token().headers
    response = caller.http.post(url, headers={"X-Request-ID": request_id}, data={"grant_type": "password"})
    assert response.headers["X-Request-ID"] == request_id
    response = caller.http.post(url, headers={"X-Request-ID": "mine"}, data={"grant_type": "password"})
    assert "X-Request-ID" in refused(response, "invalid_request")
    assert "X-Request-ID" not in response.headers


def test_a_header_of_an_approved_resource_is_not_empty(caller: Caller) -> None:
    response = caller.http.post(
        f"{caller.simulator.auth_url}/connect/token",
        headers={"X-ConsentId": "", "X-ConsentAuthorisationId": "1"},
        data={"grant_type": "client_credentials"},
    )
    assert refused(response, "invalid_request") == "empty header: X-ConsentId"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods(caller: Caller, method: str) -> None:
    response = caller.http.request(method, f"{caller.simulator.auth_url}/connect/token")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/connect", "/connect/token/", "/psd2/aspspinformation/v1/countries"])
def test_the_auth_host_serves_nothing_else(caller: Caller, path: str) -> None:
    assert caller.http.get(caller.simulator.auth_url + path).status_code == 404
