"""Fixtures of the simulator's tests. Every simulator lives on `clock`; `@pytest.mark.simulator(...)` adds arguments."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.simulator.callers import API_SCOPES, HEADERS, OF_A_COMPANY, BankCaller, Caller, Clock, Payer

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator


def pytest_configure(config: pytest.Config) -> None:
    # here and not in `pytest_plugins`, which pytest wants at the top alone
    config.pluginmanager.import_plugin("openpayments_facade.testing")
    config.addinivalue_line("markers", "simulator(**arguments): what the simulator of the test is made with.")


@pytest.fixture(scope="session")
def ssl_context() -> ssl.SSLContext:
    """Reading the CA bundle is what a new httpx client costs."""
    return ssl.create_default_context()


@pytest.fixture
def http(ssl_context: ssl.SSLContext) -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10, verify=ssl_context) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def openpayments_simulator_options(request: pytest.FixtureRequest, clock: Clock) -> dict[str, Any]:
    options: dict[str, Any] = {"clock": clock}
    # the closest marker comes first, and wins
    for marker in reversed(list(request.node.iter_markers("simulator"))):
        options |= marker.kwargs
    return options


@pytest.fixture
def simulator(openpayments_simulator: Simulator) -> Simulator:
    return openpayments_simulator


@pytest.fixture
def caller(simulator: Simulator, http: httpx.Client) -> Caller:
    return Caller(simulator, http)


@pytest.fixture
def seb(simulator: Simulator, http: httpx.Client) -> BankCaller:
    return BankCaller(simulator, http)


@pytest.fixture
def company(simulator: Simulator, http: httpx.Client) -> BankCaller:
    """At SEB, for somebody's company."""
    return BankCaller(simulator, http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)


@pytest.fixture
def swedbank(simulator: Simulator, http: httpx.Client) -> BankCaller:
    """Decoupled, as its calls prefer."""
    caller = BankCaller(simulator, http, "SWEDSESS")
    caller.headers["TPP-Redirect-Preferred"] = "false"
    return caller


@pytest.fixture
def handelsbanken(simulator: Simulator, http: httpx.Client) -> BankCaller:
    return BankCaller(simulator, http, "HANDSESS")


@pytest.fixture
def payer(simulator: Simulator, http: httpx.Client) -> Payer:
    """At SEB, decoupled."""
    return Payer(simulator, http, headers={**HEADERS, "TPP-Redirect-Preferred": "false"})


@pytest.fixture
def swedish_payer(simulator: Simulator, http: httpx.Client) -> Payer:
    """At Swedbank, decoupled."""
    return Payer(simulator, http, "SWEDSESS", headers={**HEADERS, "TPP-Redirect-Preferred": "false"})
