"""Faults and journal for other processes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.callers import AS_JSON, Caller, messages


@pytest.fixture(params=["auth", "api"])
def control(request: pytest.FixtureRequest, caller: Caller) -> str:
    simulator = caller.simulator
    return f"{simulator.auth_url if request.param == 'auth' else simulator.api_url}/simulator"


def test_faults_come_and_go(caller: Caller, control: str) -> None:
    token = caller.token()
    fault = {
        "path": "/psd2",
        "method": "GET",
        "times": None,
        "code": "ACCESS_EXCEEDED",
        "headers": {"Retry-After": "1"},
    }
    assert caller.http.post(f"{control}/faults", json=fault).status_code == 204
    response = caller.get("/countries", token=token)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert messages(response) == [("ACCESS_EXCEEDED", None)]
    assert caller.http.delete(f"{control}/faults").status_code == 204
    assert caller.get("/countries", token=token).status_code == 200


def test_fields_are_changed_from_another_process(caller: Caller, control: str) -> None:
    token = caller.token()
    fault = {"path": "/psd2", "change": {"name": None}, "without": ["isoCountryCode"]}
    assert caller.http.post(f"{control}/faults", json=fault).status_code == 204
    assert caller.get("/countries/SE", token=token).json() == {"name": None}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        (b"\xff", "not JSON"),
        ("[" * 500_000, "not JSON"),
        ('{"body": ' + "[" * 500_000 + "]" * 500_000 + "}", "not JSON"),
        ("[]", "JSON object"),
        ('"x"', "JSON object"),
        ('{"status": 500, "state": 1}', "unknown field: state"),
        ('{"status": 42}', "status "),
        ('{"path": "x", "status": 500}', "path "),
        ('{"times": "once", "status": 500}', "times "),
        ('{"delay": NaN}', "delay "),
        ('{"body": 7}', "body "),
        ('{"code": "WHAT"}', "code "),
        ("{}", "status "),
    ],
)
def test_a_bad_fault_is_refused(caller: Caller, control: str, fault: str | bytes, reason: str) -> None:
    response = caller.http.post(f"{control}/faults", content=fault, headers=AS_JSON)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert caller.ask_token().status_code == 200


def test_the_journal(caller: Caller, control: str) -> None:
    caller.get("/aspsps?isoCountryCodes=SE%2CFI")
    answer: dict[str, Any] = caller.http.get(f"{control}/requests").json()
    assert answer["token_requests"] == 1
    assert [(one["host"], one["method"], one["path"], one["query"], one["status"]) for one in answer["requests"]] == [
        ("auth", "POST", "/connect/token", "", 200),
        ("api", "GET", "/psd2/aspspinformation/v1/aspsps", "isoCountryCodes=SE%2CFI", 200),
    ]
    assert caller.http.delete(f"{control}/requests").status_code == 204
    assert caller.http.get(f"{control}/requests").json() == {"requests": [], "token_requests": 0}


def test_tokens_are_revoked(caller: Caller, control: str) -> None:
    token = caller.token()
    assert caller.http.post(f"{control}/tokens/revoke", headers=AS_JSON).status_code == 204
    assert messages(caller.get("/countries", token=token)) == [("TOKEN_UNKNOWN", None)]
    assert caller.get("/countries", token=caller.token()).status_code == 200


def test_the_control_path_never_misbehaves(caller: Caller, control: str) -> None:
    caller.simulator.misbehave(status=500, times=None)
    assert caller.http.delete(f"{control}/faults").status_code == 204
    assert caller.ask_token().status_code == 200


def test_other_paths_and_methods(caller: Caller, control: str) -> None:
    assert caller.http.get(f"{control}/nothing").status_code == 404
    response = caller.http.put(f"{control}/faults")
    assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, POST")
