from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from openpayments_facade.simulator import Fault, Simulator
from tests.simulator.callers import ASPSP_INFORMATION, Caller, Payer, messages, until


def test_once_is_the_default(caller: Caller) -> None:
    token = caller.token()
    misbehaviour = caller.simulator.misbehave(status=500)
    assert misbehaviour.remaining == 1
    assert [caller.get("/countries", token=token).status_code for _ in range(3)] == [500, 200, 200]
    assert misbehaviour.remaining == 0


def test_a_status_alone_has_no_body_but_the_request_id(caller: Caller) -> None:
    token, request_id = caller.token(), str(uuid.uuid4())
    caller.simulator.misbehave(status=503)
    response = caller.get("/countries", token=token, headers={"X-Request-ID": request_id})
    assert (response.status_code, response.content) == (503, b"")
    assert response.headers["X-Request-ID"] == request_id


def test_too_many_requests(caller: Caller) -> None:
    caller.simulator.misbehave("/connect/token", status=429, headers={"Retry-After": "2"})
    response = caller.ask_token()
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert caller.ask_token().status_code == 200


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("TOKEN_EXPIRED", None, 401),
        ("ACCESS_EXCEEDED", None, 429),
        ("FORMAT_ERROR", None, 400),
        ("CERTIFICATE_INVALID", 403, 403),
        ("RESOURCE_UNKNOWN", 404, 404),
        ("NOT_INVENTED_YET", 418, 418),
    ],
)
def test_a_code_has_the_documented_body(caller: Caller, code: str, status: int | None, expected: int) -> None:
    token = caller.token()
    caller.simulator.misbehave(code=code, status=status)
    response = caller.get("/countries", token=token)
    assert response.status_code == expected
    assert response.headers["Content-Type"] == "application/json"
    assert messages(response) == [(code, None)]


def test_a_code_on_the_auth_host_is_oauths(caller: Caller) -> None:
    caller.simulator.misbehave("/connect/token", code="invalid_client")
    response = caller.ask_token()
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("fault", "content", "content_type"),
    [
        ({"body": "<h1>Bad gateway</h1>", "content_type": "text/html"}, b"<h1>Bad gateway</h1>", "text/html"),
        ({"body": ""}, b"", "application/json"),
        ({"body": b"\xff\x00"}, b"\xff\x00", "application/json"),
        ({"body": '{"countries": ['}, b'{"countries": [', "application/json"),
        ({"body": [{"å": None}]}, '[{"å": null}]'.encode(), "application/json"),
        ({"body": {}}, b"{}", "application/json"),
        ({"truncate": 12}, b'{"countries"', "application/json"),
        ({"truncate": 0}, b"", "application/json"),
        ({"body": "abc", "truncate": 2}, b"ab", "application/json"),
    ],
)
def test_a_broken_body(caller: Caller, fault: dict[str, Any], content: bytes, content_type: str) -> None:
    token = caller.token()
    caller.simulator.misbehave(**fault)
    response = caller.get("/countries", token=token)
    assert response.status_code == 200
    assert response.content == content
    assert response.headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("fault", "country"),
    [
        ({"change": {"name": 5}}, {"isoCountryCode": "SE", "name": 5}),
        ({"change": {"name": None, "å": ["é"]}}, {"isoCountryCode": "SE", "name": None, "å": ["é"]}),
        ({"without": ["name", "nothing"]}, {"isoCountryCode": "SE"}),
        ({"without": ("isoCountryCode", "name"), "change": {"name": "x"}}, {"name": "x"}),
        ({"change": {}}, {"isoCountryCode": "SE", "name": "Sweden"}),
        ({"body": {"a": 1, "b": 2}, "without": ["a"]}, {"b": 2}),
        (
            {
                "body": {"a": [{"b": 1}, {"b": 2, "c": {"b": 3, "d": 4}}]},
                "change": {"b": "x", "e": 0},
                "without": ["d"],
            },
            {"a": [{"b": "x"}, {"b": "x", "c": {"b": "x"}}], "e": 0},
        ),
        ({"body": [1], "without": ["a"], "change": {"a": 1}}, [1]),
    ],
)
def test_fields_of_a_good_answer_can_be_changed(caller: Caller, fault: dict[str, Any], country: Any) -> None:
    token = caller.token()
    caller.simulator.misbehave(**fault)
    response = caller.get("/countries/SE", token=token)
    assert (response.status_code, response.json()) == (200, country)
    assert response.headers["Content-Length"] == str(len(response.content))


def test_what_has_no_fields_is_not_changed(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(body="<h1>Hello</h1>", without=["a"])
    assert caller.get("/countries/SE", token=token).text == "<h1>Hello</h1>"
    caller.simulator.misbehave(status=204, change={"a": 1})
    response = caller.get("/countries/SE", token=token)
    assert (response.status_code, response.content) == (204, b"")


def test_headers_of_a_good_answer_can_be_changed(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(headers={"x-request-id": "another", "X-More": "1"}, content_type="text/plain")
    response = caller.get("/countries/SE", token=token)
    assert response.json() == {"isoCountryCode": "SE", "name": "Sweden"}
    assert response.headers.get_list("X-Request-ID") == ["another"]
    assert response.headers["X-More"] == "1"
    assert response.headers["Content-Type"] == "text/plain"


def test_a_closed_connection(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(close=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        caller.get("/countries", token=token)
    assert caller.get("/countries", token=token).status_code == 200


def test_a_connection_closed_in_the_middle_of_an_answer(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(close=True, truncate=5)
    with pytest.raises(httpx.RemoteProtocolError, match="received 5 bytes"):
        caller.get("/countries", token=token)
    assert caller.get("/countries", token=token).status_code == 200


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ({"close": True}, 0),
        ({"close": True, "truncate": 5}, 1),
        ({"close": True, "carried_out": True}, 1),
        ({"status": 502}, 0),
        ({"status": 502, "carried_out": True}, 1),
        ({"code": "FORMAT_ERROR", "carried_out": True}, 1),
    ],
)
def test_whether_the_request_is_carried_out(payer: Payer, fault: dict[str, Any], made: int) -> None:
    payer.simulator.misbehave("/psd2", method="POST", **fault)
    if "close" in fault:
        with pytest.raises(httpx.RemoteProtocolError):
            payer.pay()
    else:
        assert payer.pay().status_code in {400, 502}
    assert len(payer.simulator.payments) == made
    payer.new()


def test_only_the_connection_that_asked_is_closed(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave("*/countries", close=True)
    caller.simulator.misbehave("*/cities", delay=0.2)
    with httpx.Client(trust_env=False) as other, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(Caller(caller.simulator, other).get, "/cities", token=token)
        until(lambda: any(request.path.endswith("/cities") for request in caller.simulator.requests))
        with pytest.raises(httpx.RemoteProtocolError):
            caller.get("/countries", token=token)
        assert slow.result().status_code == 200


def test_a_delay_holds_up_one_request_alone(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave("*/countries", delay=3600)
    with pytest.raises(httpx.ReadTimeout):
        caller.http.get(f"{caller.simulator.api_url}{ASPSP_INFORMATION}/countries", timeout=0.05)
    assert caller.get("/countries", token=token).status_code == 200


def test_after_a_delay_the_answer_is_right(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(delay=0.05)
    begin = time.monotonic()
    response = caller.get("/countries/SE", token=token)
    assert time.monotonic() - begin >= 0.05
    assert response.json() == {"isoCountryCode": "SE", "name": "Sweden"}


@pytest.mark.parametrize(
    ("path", "method", "hit"),
    [
        ("/", None, True),
        ("/psd2", None, True),
        ("/psd2/", None, True),
        ("/psd2/aspspinformation/v1/countries", "get", True),
        ("*/countries", None, True),
        ("/psd2/*/v1/c*", None, True),
        ("/psd", None, False),
        ("/connect/token", None, False),
        ("/psd2/aspspinformation/v1/countries/SE", None, False),
        ("/", "POST", False),
    ],
)
def test_which_requests_a_fault_hits(caller: Caller, path: str, method: str | None, hit: bool) -> None:
    token = caller.token()
    caller.simulator.misbehave(path, method=method, status=500)
    assert (caller.get("/countries", token=token).status_code == 500) is hit


def test_faults_apply_in_their_order(caller: Caller) -> None:
    token = caller.token()
    for status, times in [(500, 2), (502, 1), (503, 1)]:
        caller.simulator.misbehave(status=status, times=times)
    assert [caller.get("/countries", token=token).status_code for _ in range(5)] == [500, 500, 502, 503, 200]


def test_until_it_is_told_to_behave(caller: Caller) -> None:
    token = caller.token()
    misbehaviour = caller.simulator.misbehave(status=500, times=None)
    assert {caller.get("/countries", token=token).status_code for _ in range(5)} == {500}
    assert misbehaviour.remaining is None
    caller.simulator.behave()
    assert caller.get("/countries", token=token).status_code == 200


def test_a_fault_can_be_cancelled(caller: Caller) -> None:
    token = caller.token()
    keeps = caller.simulator.misbehave("*/cities", status=502, times=None)
    with caller.simulator.misbehave(status=500, times=None):
        assert caller.get("/cities", token=token).status_code == 502
        assert caller.get("/countries", token=token).status_code == 500
    assert caller.get("/countries", token=token).status_code == 200
    keeps.cancel()
    keeps.cancel()
    assert caller.get("/cities", token=token).status_code == 200


def test_a_fault_is_counted_right_under_load(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(status=500, times=10)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: caller.get("/countries", token=token).status_code, range(40)))
    assert (statuses.count(500), statuses.count(200)) == (10, 30)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("path", {"path": "countries", "status": 500}),
        ("path", {"path": None, "status": 500}),
        ("method", {"method": "", "status": 500}),
        ("times", {"times": 0, "status": 500}),
        ("times", {"times": True, "status": 500}),
        ("delay", {"delay": -1}),
        ("delay", {"delay": float("nan")}),
        ("delay", {"delay": "1"}),
        ("status", {"status": 101}),
        ("status", {"status": 600}),
        ("status", {"status": "500"}),
        ("status", {"status": 204, "body": "x"}),
        ("status", {}),
        ("body", {"body": 5}),
        ("body", {"body": {"a": {1, 2}}}),
        ("body", {"body": "\ud800"}),
        ("content_type", {"content_type": "text/html\r\nX: y"}),
        ("headers", {"headers": {"Retry-After": 5}}),
        ("headers", {"headers": {"X": "a\nb"}}),
        ("headers", {"headers": {"X Y": "a"}}),
        ("headers", {"headers": ["X"]}),
        ("headers", {"headers": {"Content-length": "5"}}),
        ("change", {"change": ["name"]}),
        ("change", {"change": {1: "x"}}),
        ("change", {"change": {"name": {1, 2}}}),
        ("change", {"change": {"name": "\ud800"}}),
        ("without", {"without": "name"}),
        ("without", {"without": [1]}),
        ("without", {"without": {"name": 1}}),
        ("code", {"code": ""}),
        ("code", {"code": "NOT_KNOWN"}),
        ("code", {"code": "RESOURCE_UNKNOWN"}),
        ("code", {"code": "TOKEN_EXPIRED", "body": "x"}),
        ("close", {"close": 1}),
        ("truncate", {"truncate": -1}),
        ("carried_out", {"carried_out": 1, "close": True}),
        ("carried_out", {"carried_out": True}),
        ("carried_out", {"carried_out": True, "delay": 1}),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{field} "):
        Fault(**arguments)
    with pytest.raises(ValueError, match=f"^{field} "):
        Simulator().misbehave(**arguments)
