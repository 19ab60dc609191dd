from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.simulator.callers import Caller


def test_requests_in_the_order_of_their_arrival(caller: Caller) -> None:
    caller.ask_token(client_secret="wrong")
    token = caller.token()
    caller.get("/countries/SE", token=token, headers={"PSU-IP-Address": "203.0.113.7"})
    simulator = caller.simulator
    assert [(one.host, one.method, one.path, one.status) for one in simulator.requests] == [
        ("auth", "POST", "/connect/token", 400),
        ("auth", "POST", "/connect/token", 200),
        ("api", "GET", "/psd2/aspspinformation/v1/countries/SE", 200),
    ]
    assert simulator.token_requests == 2
    assert simulator.requests[-1].headers["psu-ip-address"] == "203.0.113.7"


def test_it_holds_no_credentials(caller: Caller) -> None:
    token = caller.token()
    caller.get("/countries", token=token, headers={"Cookie": "session=1", "Proxy-Authorization": "Basic x"})
    secret = caller.simulator.client_secret
    caller.http.post(f"{caller.simulator.auth_url}/connect/token?a=1&client_secret={secret}&b=2")
    requests = caller.simulator.requests
    assert requests[-1].query == "a=1&client_secret=***&b=2"
    everything = json.dumps([asdict(one) for one in requests])
    assert token not in everything
    assert secret not in everything
    assert not {"authorization", "cookie", "proxy-authorization"} & {name for one in requests for name in one.headers}


def test_a_request_without_an_answer_is_there_too(caller: Caller) -> None:
    caller.simulator.misbehave(close=True)
    with pytest.raises(httpx.RemoteProtocolError):
        caller.ask_token()
    assert [one.status for one in caller.simulator.requests] == [None]
    assert caller.simulator.token_requests == 1


def test_what_it_gave_out_does_not_change(caller: Caller) -> None:
    caller.ask_token()
    taken = caller.simulator.requests
    taken[0].status = 999
    taken.clear()
    assert [one.status for one in caller.simulator.requests] == [200]


def test_a_reset_forgets_requests_and_faults_but_no_token(caller: Caller) -> None:
    token = caller.token()
    caller.simulator.misbehave(status=500, times=None)
    caller.simulator.reset()
    assert (caller.simulator.requests, caller.simulator.token_requests) == ([], 0)
    assert caller.get("/countries", token=token).status_code == 200
    assert len(caller.simulator.requests) == 1
