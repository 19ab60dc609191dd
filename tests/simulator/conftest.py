from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from openpayments_facade.simulator import Simulator
from tests.simulator.bank_caller import BankCaller, Clock
from tests.simulator.caller import Caller


@pytest.fixture(scope="session")
def ssl_context() -> ssl.SSLContext:
    """Reading the CA bundle is what a new httpx client costs."""
    return ssl.create_default_context()


@pytest.fixture
def http(ssl_context: ssl.SSLContext) -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10, verify=ssl_context) as client:
        yield client


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def caller(simulator: Simulator, http: httpx.Client) -> Caller:
    return Caller(simulator, http)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dated(clock: Clock) -> Iterator[Simulator]:
    """A simulator that lives on `clock`, with pages of ten."""
    with Simulator(clock=clock, page_size=10, token_lifetime=365 * 86400) as running:
        yield running


@pytest.fixture
def seb(dated: Simulator, http: httpx.Client) -> BankCaller:
    return BankCaller(dated, http)


@pytest.fixture
def swedbank(dated: Simulator, http: httpx.Client) -> BankCaller:
    """Decoupled, as its calls prefer."""
    caller = BankCaller(dated, http, "SWEDSESS")
    caller.headers["TPP-Redirect-Preferred"] = "false"
    return caller


@pytest.fixture
def handelsbanken(dated: Simulator, http: httpx.Client) -> BankCaller:
    return BankCaller(dated, http, "HANDSESS")
