"""Starting, stopping, several at once, and what the object tells about itself."""

from __future__ import annotations

import logging
import shlex
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
from tests.simulator.caller import Caller, until


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
        assert set(threading.enumerate()) == before
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
        leaver.sendall(b"POST /connect/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nscope=")
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
    with pytest.raises(RuntimeError, match="running already"):
        simulator.start()
    assert connects(port_of(simulator.api_url))


@pytest.mark.parametrize("name", ["auth_url", "api_url", "environment", "exports"])
def test_a_stopped_simulator_has_no_address(name: str) -> None:
    simulator = Simulator()
    with pytest.raises(RuntimeError, match="does not run"):
        getattr(simulator, name)()


def test_ports_can_be_given(simulator: Simulator, http: httpx.Client) -> None:
    auth_port, api_port = port_of(simulator.auth_url), port_of(simulator.api_url)
    with pytest.raises(OSError, match="in use"):
        Simulator(api_port=api_port).start()
    simulator.stop()
    with Simulator(auth_port=auth_port, api_port=api_port) as other:
        assert (port_of(other.auth_url), port_of(other.api_url)) == (auth_port, api_port)
        assert Caller(other, http).get("/countries").status_code == 200


def test_two_simulators_share_nothing(http: httpx.Client) -> None:
    with Simulator() as one, Simulator() as two:
        assert one.client_id != two.client_id
        assert one.client_secret != two.client_secret
        token = Caller(one, http).token()
        assert Caller(one, http).get("/countries", token=token).status_code == 200
        assert Caller(two, http).get("/countries", token=token).status_code == 401
        one.misbehave(status=500, times=None)
        assert Caller(two, http).get("/countries").status_code == 200
        assert (one.token_requests, two.token_requests) == (1, 1)


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
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = port_of(process.stdout.readline().strip())
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
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
    assert set(threading.enumerate()) == before
    monkeypatch.undo()
    with simulator:
        assert connects(port_of(simulator.api_url))


def test_neither_repr_nor_log_shows_the_secret(caplog: pytest.LogCaptureFixture, http: httpx.Client) -> None:
    caplog.set_level(logging.DEBUG)
    simulator = Simulator()
    assert "stopped" in repr(simulator)
    with simulator:
        token = Caller(simulator, http).token()
        assert simulator.api_url in repr(simulator)
        assert simulator.client_secret not in repr(simulator) + repr(vars(simulator))
        assert simulator.client_secret not in caplog.text
        assert token not in caplog.text


def test_exports_are_lines_for_a_shell() -> None:
    with Simulator(client_id="me", client_secret="a b'c$d") as simulator:
        words = shlex.split(" ".join(simulator.exports()))
        assert [word for word in words if word != "export"] == [
            "OPENPAYMENTS_CLIENT_ID=me",
            "OPENPAYMENTS_CLIENT_SECRET=a b'c$d",
            f"OPENPAYMENTS_AUTH_URL={simulator.auth_url}",
            f"OPENPAYMENTS_API_URL={simulator.api_url}",
        ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"api_scopes": ["everything"]}, "everything"),
        ({"api_scopes": "aspspinformation"}, "list of scopes"),
        ({"token_lifetime": 0}, "token_lifetime"),
        ({"client_secret": ""}, "client_secret"),
        ({"ssl_ca_certs": "ca.pem"}, "ssl_certfile"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Simulator(**arguments)  # type: ignore[arg-type]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_extra_the_import_says_what_to_install() -> None:
    output = run_python(
        "import sys; sys.modules['uvicorn'] = None\n"
        "try: import openpayments_facade.simulator\n"
        "except ImportError as error: print(error)"
    )
    assert 'pip install "openpayments-facade[simulator]"' in output
    assert "uvicorn" in output


def test_the_server_uses_nothing_of_the_facade() -> None:
    """One mistake can't be made twice and cancel out."""
    output = run_python(
        "import sys, openpayments_facade\n"
        "before = set(sys.modules)\n"
        "from openpayments_facade.simulator import Simulator\n"
        "import urllib.request\n"
        "opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))\n"
        "with Simulator() as simulator:\n"
        "    opener.open(simulator.api_url + '/simulator/requests').close()\n"
        "print(*(name for name in set(sys.modules) - before if name.startswith('openpayments')), sep='\\n')"
    )
    loaded = output.split()
    assert "openpayments_facade.simulator.server" in loaded
    assert [name for name in loaded if not name.startswith("openpayments_facade.simulator")] == []
