"""What the object can be made with, what it tells of itself, and the clients that it hands out."""

from __future__ import annotations

import ast
import logging
import shlex
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import httpx
import pytest

from openpayments_facade import AuthenticationError, OpenPayments, PsuContext
from openpayments_facade.simulator import Simulator
from tests.simulator.callers import Caller

PACKAGE = Path(__file__).parents[2] / "openpayments_facade" / "simulator"


def test_a_client(simulator: Simulator, openpayments_client: OpenPayments) -> None:
    assert openpayments_client.aspsps.get("ESSESESS").name == "Skandinaviska Enskilda Banken AB "
    assert [country.iso_country_code for country in openpayments_client.countries.list()] == ["SE", "FI", "DE", "DK"]
    assert simulator.token_requests == 1


async def test_an_async_client(simulator: Simulator) -> None:
    async with simulator.async_client() as op:
        assert (await op.cities.list(countries=["SE"]))[0].name == "Stockholm"


def test_overrides_win(simulator: Simulator) -> None:
    wrong = simulator.client(psu_context=PsuContext.CORPORATE, client_secret="wrong")
    with wrong as op, pytest.raises(AuthenticationError):
        op.countries.list()


def test_the_environment(simulator: Simulator) -> None:
    environment = simulator.environment
    assert (environment.name, environment.auth_url, environment.api_url) == (
        "simulator",
        simulator.auth_url,
        simulator.api_url,
    )


def test_the_exports_are_what_from_env_reads(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in simulator.exports():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)
    with OpenPayments.from_env() as op:
        assert op.countries.get("SE").name == "Sweden"


def test_the_query_is_on_the_wire_as_sent(simulator: Simulator, openpayments_client: OpenPayments) -> None:
    openpayments_client.aspsps.list(countries=["SE", "FI"])
    assert httpx.QueryParams(simulator.requests[-1].query)["isoCountryCodes"] == "SE,FI"


@pytest.mark.parametrize("name", ["auth_url", "api_url", "environment", "exports"])
def test_a_stopped_simulator_has_no_address(name: str) -> None:
    simulator = Simulator()
    with pytest.raises(RuntimeError, match="is not running"):
        getattr(simulator, name)()


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


@pytest.mark.simulator(client_id="me", client_secret="a b'c$d")
def test_exports_are_lines_for_a_shell(simulator: Simulator) -> None:
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
        ({"rules": "2019"}, "rules must be one of: 2026, 2021, not '2019'"),
        ({"rules": 2026}, "rules must be one of"),
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


@pytest.mark.parametrize("name", ["transactions", "page_size", "decoupled_reads", "settlement", "quote_lifetime"])
def test_numbers_that_are_too_small(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Simulator(**{name: -1})  # type: ignore[arg-type]


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
    assert "pip install segno starlette uvicorn (the extra simulator)" in output
    assert "uvicorn" in output


def test_no_module_imports_anything_of_the_facade() -> None:
    """One mistake can't be made twice and cancel out. The clients alone are of the facade, imported when asked for."""
    foreign = {
        (file.name, name)
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _imported(node, ".".join(file.parent.relative_to(PACKAGE.parents[1]).parts))
        if name.startswith("openpayments_") and not name.startswith("openpayments_facade.simulator")
    }
    assert {name for name, _ in foreign} <= {"simulator.py"}
    assert not any(name.startswith("openpayments_client") for _, name in foreign)


def _imported(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_the_server_loads_nothing_of_the_facade() -> None:
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
