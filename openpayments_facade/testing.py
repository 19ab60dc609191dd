"""pytest fixtures for applications that use the SDK. Needs the extra `simulator`.

    # conftest.py
    pytest_plugins = ["openpayments_facade.testing"]

    # test_app.py
    def test_banks(openpayments_simulator, openpayments_env):
        assert my_application.banks("SE")           # which calls OpenPayments.from_env()
        assert openpayments_simulator.token_requests == 1

Arguments for the simulator come from the test's marker, or from a fixture `openpayments_simulator_options` of your own:

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
        "markers", "openpayments_simulator(**options): arguments for the `Simulator` that the test's fixtures use."
    )


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    """Arguments for the `Simulator`. Override it in your tests.

    Returns:
        An empty dict.
    """
    return {}


@pytest.fixture
def openpayments_simulator(
    request: pytest.FixtureRequest, openpayments_simulator_options: dict[str, Any]
) -> Iterator[Simulator]:
    """A running `Simulator` for this test alone. Tokens of other tests are forgotten.

    Its arguments come from `openpayments_simulator_options` and from the markers `openpayments_simulator`. A marker
    wins over the fixture, and the closest marker over the others.

    Yields:
        The simulator.
    """
    options = dict(openpayments_simulator_options)
    for marker in reversed([*request.node.iter_markers("openpayments_simulator")]):
        options |= marker.kwargs
    forget_all()
    with Simulator(**options) as simulator:
        yield simulator


@pytest.fixture
def openpayments_env(openpayments_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the environment variables so that `from_env()` finds the simulator. Removes all others of this SDK."""
    for name in [name for name in os.environ if name.startswith("OPENPAYMENTS_")]:
        monkeypatch.delenv(name)
    for line in openpayments_simulator.exports():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)


@pytest.fixture
def openpayments_client(openpayments_simulator: Simulator) -> Iterator[OpenPayments]:
    """An `OpenPayments` connected to the simulator, with every API scope.

    Yields:
        The client. It is closed after the test.
    """
    with openpayments_simulator.client() as client:
        yield client


@pytest.fixture
def openpayments_async_client(openpayments_simulator: Simulator) -> AsyncOpenPayments:
    """An `AsyncOpenPayments` connected to the simulator. The test enters it: `async with openpayments_async_client`.

    Returns:
        The client, not yet entered.
    """
    return openpayments_simulator.async_client()
