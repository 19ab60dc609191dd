"""What holds for every call of the API host."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING

import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.caller import ASPSP_INFORMATION, Caller, messages

if TYPE_CHECKING:
    import httpx

CITY = "/cities/37efa883-c8ad-4ff7-927b-b11b02beb923"
OPERATIONS = ["/countries", "/countries/SE", "/cities", CITY, "/aspsps", "/aspsps/ESSESESS"]


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_bearer_token_is_needed(caller: Caller, path: str) -> None:
    url = f"{caller.simulator.api_url}{ASPSP_INFORMATION}{path}"
    response = caller.http.get(url, headers={"X-Request-ID": str(uuid.uuid4())})
    assert response.status_code == 401
    assert messages(response) == [("TOKEN_UNKNOWN", None)]
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer never-issued", "Basic dTpw", "{token}"])
def test_a_token_that_is_not_known(caller: Caller, authorization: str) -> None:
    response = caller.get("/countries", headers={"Authorization": authorization.format(token=caller.token())})
    assert response.status_code == 401
    assert messages(response) == [("TOKEN_UNKNOWN", None)]


def test_the_scheme_may_be_in_any_case(caller: Caller) -> None:
    assert caller.get("/countries", headers={"Authorization": f"bearer {caller.token()}"}).status_code == 200


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_token_of_another_scope(caller: Caller, path: str) -> None:
    response = caller.get(path, token=caller.token("accountinformation paymentinitiation private"))
    assert response.status_code == 401
    assert messages(response) == [("TOKEN_INVALID", None)]


def test_either_context_will_do(caller: Caller) -> None:
    assert caller.get("/countries", token=caller.token("aspspinformation corporate")).status_code == 200


def test_a_token_ends_when_its_time_is_over(http: httpx.Client) -> None:
    now = 1_700_000_000.0
    with Simulator(clock=lambda: now, token_lifetime=60) as simulator:
        caller = Caller(simulator, http)
        assert caller.ask_token().json()["expires_in"] == 60
        token = caller.token()
        now += 59.9
        assert caller.get("/countries", token=token).status_code == 200
        now += 0.1
        response = caller.get("/countries", token=token)
        assert response.status_code == 401
        assert messages(response) == [("TOKEN_EXPIRED", None)]


def test_revoked_tokens_are_not_known(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.revoke_tokens()
    assert messages(caller.get("/countries", token=token)) == [("TOKEN_UNKNOWN", None)]
    assert caller.get("/countries", token=caller.token()).status_code == 200


def test_tokens_can_be_made_to_order(http: httpx.Client) -> None:
    numbers = itertools.count()
    with Simulator(token_factory=lambda: f"token-{next(numbers)}") as simulator:
        caller = Caller(simulator, http)
        assert [caller.token(), caller.token()] == ["token-0", "token-1"]
        assert caller.get("/countries", token="token-1").status_code == 200


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_request_id_is_needed(caller: Caller, path: str) -> None:
    url = f"{caller.simulator.api_url}{ASPSP_INFORMATION}{path}"
    response = caller.http.get(url, headers={"Authorization": f"Bearer {caller.token()}"})
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", "X-Request-ID")]


@pytest.mark.parametrize(
    "request_id", ["", "1", "6ff9e7ee2ac242d3a188c7314d434b9c", "{6ff9e7ee-2ac2-42d3-a188-c7314d434b9c}"]
)
def test_a_request_id_is_a_uuid(caller: Caller, request_id: str) -> None:
    response = caller.get("/countries", headers={"X-Request-ID": request_id})
    assert response.status_code == 400
    assert messages(response) == [("FORMAT_ERROR", "X-Request-ID")]
    assert response.headers["X-Request-ID"] == "00000000-0000-0000-0000-000000000000"


def test_two_request_ids_are_none(caller: Caller) -> None:
    headers = [("Authorization", f"Bearer {caller.token()}"), *[("X-Request-ID", str(uuid.uuid4()))] * 2]
    response = caller.http.get(f"{caller.simulator.api_url}{ASPSP_INFORMATION}/countries", headers=headers)
    assert messages(response) == [("FORMAT_ERROR", "X-Request-ID")]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/countries", "GET", 200),
        ("/countries?isoCountryCodes=1", "GET", 400),
        ("/aspsps/SWEDSESS", "GET", 404),
        ("/nothing", "GET", 404),
        ("/countries", "POST", 405),
    ],
)
def test_the_request_id_comes_back(caller: Caller, path: str, method: str, status: int) -> None:
    # not a UUID by RFC 4122, but 8-4-4-4-12, in capitals
    request_id = "BB97DD78-835C-9922-E700-A8B5B3F5CBBA"
    response = caller.get(path, method=method, headers={"X-Request-ID": request_id})
    assert response.status_code == status
    assert response.headers["X-Request-ID"] == request_id


@pytest.mark.parametrize("path", OPERATIONS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(caller: Caller, path: str, method: str) -> None:
    response = caller.get(path, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert messages(response) == [("SERVICE_INVALID", None)]


@pytest.mark.parametrize(
    "path", ["/", "/psd2", f"{ASPSP_INFORMATION}/countries/", f"{ASPSP_INFORMATION}/countries/SE/x", "/connect/token"]
)
def test_the_api_host_serves_nothing_else(caller: Caller, path: str) -> None:
    response = caller.http.post(caller.simulator.api_url + path)
    assert response.status_code == 404
    assert messages(response) == [("RESOURCE_UNKNOWN", None)]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("application/problem+json;q=0.9, */*;q=0.1", 200),
        ("", 200),
        ("text/html", 406),
        ("application/problem+json", 406),
        ("application/json;q=0", 406),
        ("*/*, application/json;q=0.000", 406),
        ("nonsense", 406),
    ],
)
def test_only_json_is_offered(caller: Caller, accept: str, status: int) -> None:
    response = caller.get("/countries", headers={"Accept": accept})
    assert response.status_code == status
    if status == 406:
        assert messages(response) == [("REQUESTED_FORMATS_INVALID", "Accept")]
