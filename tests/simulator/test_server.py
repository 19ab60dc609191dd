"""Starting and stopping, and many callers at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from openpayments_facade.simulator import Simulator
from tests.child_processes import child
from tests.simulator.callers import Caller, until


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_two_hosts_on_loopback(simulator: Simulator) -> None:
    assert urlsplit(simulator.auth_url).hostname == urlsplit(simulator.api_url).hostname == "127.0.0.1"
    assert simulator.auth_url != simulator.api_url
    assert connects(port_of(simulator.auth_url))
    assert connects(port_of(simulator.api_url))


def test_a_stopped_simulator_refuses_and_leaves_nothing() -> None:
    before = set(threading.enumerate())
    simulator = Simulator()
    with httpx.Client(trust_env=False) as http:
        with simulator:
            ports = [port_of(simulator.auth_url), port_of(simulator.api_url)]
            assert Caller(simulator, http).get("/countries").status_code == 200
            assert set(threading.enumerate()) - before
        assert set(threading.enumerate()) <= before
        assert [connects(port) for port in ports] == [False, False]
    simulator.stop()


def test_stopping_does_not_wait_for_a_delay(simulator: Simulator) -> None:
    simulator.misbehave(delay=3600)
    with httpx.Client(trust_env=False) as http, ThreadPoolExecutor(1) as pool:
        pool.submit(http.get, simulator.api_url)
        until(lambda: simulator.requests)
        begin = time.monotonic()
        simulator.stop()
        assert time.monotonic() - begin < 5


def test_a_client_that_leaves_in_the_middle_of_a_request(caller: Caller) -> None:
    simulator = caller.simulator
    with socket.create_connection(("127.0.0.1", port_of(simulator.auth_url))) as leaver:
        leaver.sendall(b"POST /connect/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nscope=")
        until(lambda: simulator.requests)
    assert caller.ask_token().status_code == 200
    assert [request.status for request in simulator.requests] == [None, 200]


def test_started_again_it_remembers(http: httpx.Client) -> None:
    simulator = Simulator()
    with simulator:
        token = Caller(simulator, http).token()
    with simulator:
        assert Caller(simulator, http).get("/countries", token=token).status_code == 200
        assert simulator.token_requests == 1


def test_a_running_simulator_does_not_start_again(simulator: Simulator) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        simulator.start()
    assert connects(port_of(simulator.api_url))


def test_ports_can_be_given(simulator: Simulator, http: httpx.Client) -> None:
    auth_port, api_port = port_of(simulator.auth_url), port_of(simulator.api_url)
    with pytest.raises(OSError, match="in use"):
        Simulator(api_port=api_port).start()
    simulator.stop()
    with Simulator(auth_port=auth_port, api_port=api_port) as other:
        assert (port_of(other.auth_url), port_of(other.api_url)) == (auth_port, api_port)
        assert Caller(other, http).get("/countries").status_code == 200


def test_many_callers_at_once(caller: Caller) -> None:
    token = caller.token()
    with ThreadPoolExecutor(16) as pool:
        statuses = set(pool.map(lambda _: caller.get("/aspsps", token=token).status_code, range(64)))
    assert statuses == {200}
    assert len(caller.simulator.requests) == 65


def test_waiting_ends_when_it_is_stopped(simulator: Simulator) -> None:
    waiter = threading.Thread(target=simulator.wait)
    waiter.start()
    assert waiter.is_alive()
    simulator.stop()
    waiter.join(timeout=10)
    assert not waiter.is_alive()


def test_waiting_ends_with_ctrl_c() -> None:
    code = (
        "from openpayments_facade.simulator import Simulator\n"
        "with Simulator() as simulator:\n"
        "    print(simulator.api_url, flush=True)\n"
        "    simulator.wait()\n"
        "print('stopped')"
    )
    pipe = subprocess.PIPE
    with child([sys.executable, "-W", "error", "-c", code], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        port = port_of(process.stdout.readline().strip())
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (output, errors, process.returncode) == ("stopped\n", "", 0)
    assert not connects(port)


def test_a_server_that_can_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OSError("no more files")

    monkeypatch.setattr(uvicorn.Server, "startup", fail)
    before = set(threading.enumerate())
    simulator = Simulator()
    with pytest.raises(OSError, match="no more files"):
        simulator.start()
    assert set(threading.enumerate()) <= before
    monkeypatch.undo()
    with simulator:
        assert connects(port_of(simulator.api_url))
