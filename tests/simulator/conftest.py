from __future__ import annotations

import ssl
from collections.abc import Iterator

import httpx
import pytest

from openpayments_facade.simulator import Simulator
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
