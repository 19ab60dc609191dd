"""What holds for every operation of the API host."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING

import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.callers import ASPSP_INFORMATION, BankCaller, Caller, Clock, messages, refused
from tests.simulator.description import API_SCOPES, METHODS, OPERATIONS, Operation

if TYPE_CHECKING:
    import httpx

ADDRESSES = sorted({operation.address() for operation in OPERATIONS})


@pytest.fixture(params=OPERATIONS, ids=str)
def operation(request: pytest.FixtureRequest) -> Operation:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def calling(caller: Caller, operation: Operation) -> BankCaller:
    """A caller with a token for the operation, and a bank in case that it asks for one."""
    return BankCaller(caller.simulator, caller.http, scope=f"{min(operation.api_scopes)} private")


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer never-issued", "Basic dTpw", "{token}"])
def test_a_bearer_token_is_needed(calling: BankCaller, operation: Operation, authorization: str | None) -> None:
    token = calling.headers["Authorization"].removeprefix("Bearer ")
    headers = {"Authorization": authorization and authorization.format(token=token)}
    response = calling.call(operation.method, operation.address(), headers=headers)
    refused(response, 401, "TOKEN_UNKNOWN")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_of_other_scopes(calling: BankCaller, caller: Caller, operation: Operation) -> None:
    others = API_SCOPES - operation.api_scopes
    if "accountinformation" not in others:
        others.discard("bankgiroinformation")
    headers = {"Authorization": f"Bearer {caller.token(' '.join([*sorted(others), 'private']))}"}
    refused(calling.call(operation.method, operation.address(), headers=headers), 401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "request_id", [None, "", "1", "6ff9e7ee2ac242d3a188c7314d434b9c", "{6ff9e7ee-2ac2-42d3-a188-c7314d434b9c}"]
)
def test_a_request_id_is_needed(calling: BankCaller, operation: Operation, request_id: str | None) -> None:
    response = calling.call(operation.method, operation.address(), headers={"X-Request-ID": request_id})
    refused(response, 400, "FORMAT_ERROR", "X-Request-ID")
    assert response.headers["X-Request-ID"] == "00000000-0000-0000-0000-000000000000"


def test_the_request_id_comes_back(calling: BankCaller, operation: Operation) -> None:
    response = calling.call(operation.method, operation.address())
    assert response.headers["X-Request-ID"] == response.request.headers["X-Request-ID"]


def test_only_json_is_offered(calling: BankCaller, operation: Operation) -> None:
    response = calling.call(operation.method, operation.address(), headers={"Accept": "application/xml"})
    if 406 in operation.silent:
        assert (response.status_code, response.content) == (406, b"")
    else:
        refused(response, 406, "REQUESTED_FORMATS_INVALID", "Accept")


def test_unknown_query_parameters_are_not_looked_at(calling: BankCaller, operation: Operation) -> None:
    without = calling.call(operation.method, operation.address())
    response = calling.call(operation.method, operation.address(), params={"page": ["1", "2"]})
    assert (response.status_code, response.text) == (without.status_code, without.text)


@pytest.mark.parametrize("address", ADDRESSES)
def test_other_methods(caller: Caller, address: str) -> None:
    allowed = {operation.method for operation in OPERATIONS if operation.address() == address}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in (METHODS | {"PATCH", "OPTIONS"}) - allowed:
        response = caller.http.request(method, caller.simulator.api_url + address)
        refused(response, 405, "SERVICE_INVALID")
        assert response.headers["Allow"] == ", ".join(sorted(allowed))


def test_the_scheme_may_be_in_any_case(caller: Caller) -> None:
    assert caller.get("/countries", headers={"Authorization": f"bearer {caller.token()}"}).status_code == 200


def test_either_context_will_do(caller: Caller) -> None:
    assert caller.get("/countries", token=caller.token("aspspinformation corporate")).status_code == 200


@pytest.mark.simulator(token_lifetime=60)
def test_a_token_ends_when_its_time_is_over(caller: Caller, clock: Clock) -> None:
    assert caller.ask_token().json()["expires_in"] == 60
    token = caller.token()
    clock.now += 59.9
    assert caller.get("/countries", token=token).status_code == 200
    clock.now += 0.1
    refused(caller.get("/countries", token=token), 401, "TOKEN_EXPIRED")


def test_revoked_tokens_are_not_known(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.revoke_tokens()
    refused(caller.get("/countries", token=token), 401, "TOKEN_UNKNOWN")
    assert caller.get("/countries", token=caller.token()).status_code == 200


def test_tokens_can_be_made_to_order(http: httpx.Client) -> None:
    numbers = itertools.count()
    with Simulator(token_factory=lambda: f"token-{next(numbers)}") as simulator:
        caller = Caller(simulator, http)
        assert [caller.token(), caller.token()] == ["token-0", "token-1"]
        assert caller.get("/countries", token="token-1").status_code == 200


def test_two_request_ids_are_none(caller: Caller) -> None:
    headers = [("Authorization", f"Bearer {caller.token()}"), *[("X-Request-ID", str(uuid.uuid4()))] * 2]
    response = caller.http.get(f"{caller.simulator.api_url}{ASPSP_INFORMATION}/countries", headers=headers)
    refused(response, 400, "FORMAT_ERROR", "X-Request-ID")


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/countries", "GET", 200),
        ("/countries?isoCountryCodes=1", "GET", 400),
        ("/aspsps/OPBKSE21", "GET", 404),
        ("/nothing", "GET", 404),
        ("/countries", "POST", 405),
    ],
)
def test_the_request_id_comes_back_whatever_the_answer(caller: Caller, path: str, method: str, status: int) -> None:
    # not a UUID by RFC 4122, but 8-4-4-4-12, in capitals
    request_id = "BB97DD78-835C-9922-E700-A8B5B3F5CBBA"
    response = caller.get(path, method=method, headers={"X-Request-ID": request_id})
    assert response.status_code == status
    assert response.headers["X-Request-ID"] == request_id


@pytest.mark.parametrize(
    "path", ["/", "/psd2", f"{ASPSP_INFORMATION}/countries/", f"{ASPSP_INFORMATION}/countries/SE/x", "/connect/token"]
)
def test_the_api_host_serves_nothing_else(caller: Caller, path: str) -> None:
    refused(caller.http.post(caller.simulator.api_url + path), 404, "RESOURCE_UNKNOWN")


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
def test_what_accept_lets_through(caller: Caller, accept: str, status: int) -> None:
    response = caller.get("/countries", headers={"Accept": accept})
    assert response.status_code == status
    if status == 406:
        assert messages(response) == [("REQUESTED_FORMATS_INVALID", "Accept")]


@pytest.mark.parametrize(
    "accept",
    [
        "application/problem+json, application/json;q=0.5",
        "application/problem+json, */*;q=0.1",
        "application/problem+json",
    ],
)
def test_errors_of_banks_in_the_other_form(seb: BankCaller, accept: str) -> None:
    response = seb.get("1", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["type"] == f"urn:open-payments:{body['code']}"
    assert set(body) == {"type", "code", "title", "detail"}
    # nobody who can't read JSON is sent any
    expected = (406, "REQUESTED_FORMATS_INVALID") if "," not in accept else (403, "CONSENT_UNKNOWN")
    assert (response.status_code, body["code"]) == expected


@pytest.mark.parametrize("accept", ["application/json, application/problem+json", "*/*", "application/*;q=x"])
def test_errors_of_banks_in_the_usual_form(seb: BankCaller, accept: str) -> None:
    assert seb.get("1", headers={"Accept": accept}).headers["Content-Type"] == "application/json"
