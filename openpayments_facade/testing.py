"""pytest fixtures for applications that are built on the SDK. Needs the extra `simulator`.

# conftest.py
pytest_plugins = ["openpayments_facade.testing"]

# test_app.py
def test_banks(openpayments_simulator, openpayments_env):
    assert my_application.banks("SE")           # which calls OpenPayments.from_env()
    assert openpayments_simulator.token_requests == 1

What the simulator is made with, the test's marker says, or a fixture `openpayments_simulator_options` of your own:

@pytest.mark.openpayments_simulator(page_size=2)
def test_pages(openpayments_client):
    ...
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from .simulator import Simulator
from .tokens import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from . import AsyncOpenPayments, OpenPayments

__all__ = [
    "openpayments_async_client",
    "openpayments_client",
    "openpayments_env",
    "openpayments_simulator",
    "openpayments_simulator_options",
]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "openpayments_simulator(**options): arguments of the `Simulator` that the test's fixtures use."
    )


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    """Arguments of the `Simulator`; for tests to override."""
    return {}


@pytest.fixture
def openpayments_simulator(
    request: pytest.FixtureRequest, openpayments_simulator_options: dict[str, Any]
) -> Iterator[Simulator]:
    """A running `Simulator` of this test's own; no token of another test is known.

    It is made with `openpayments_simulator_options` and the arguments of the markers `openpayments_simulator`. A marker
    wins over the fixture, and the closest marker over the others.
    """
    options = dict(openpayments_simulator_options)
    for marker in reversed([*request.node.iter_markers("openpayments_simulator")]):
        options |= marker.kwargs
    forget_all()
    with Simulator(**options) as simulator:
        yield simulator


@pytest.fixture
def openpayments_env(openpayments_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables with which `from_env()` finds the simulator, and no other variable of this SDK."""
    for name in [name for name in os.environ if name.startswith("OPENPAYMENTS_")]:
        monkeypatch.delenv(name)
    for line in openpayments_simulator.exports():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)


@pytest.fixture
def openpayments_client(openpayments_simulator: Simulator) -> Iterator[OpenPayments]:
    """An `OpenPayments` of the simulator, with every API scope."""
    with openpayments_simulator.client() as client:
        yield client


@pytest.fixture
def openpayments_async_client(openpayments_simulator: Simulator) -> AsyncOpenPayments:
    """As `openpayments_client`, for a test that enters it itself: `async with openpayments_async_client as op:`."""
    return openpayments_simulator.async_client()
