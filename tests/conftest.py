"""Fixtures of the whole suite: those that users get, and recorded traffic.

A test marked `vcr` talks to the provider through its cassette, `cassettes/<name of the test>.yaml`, which the async and
the sync half share. `make record` runs the same tests with --record-mode and --record-from instead.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import yaml
from pytest_recording import network
from vcr.filters import replace_text  # type: ignore[import-untyped]
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from openpayments_facade import request_ids
from openpayments_facade._protocol import arguments, call
from openpayments_facade.environments import SANDBOX, Environment
from openpayments_facade.simulator import Simulator
from openpayments_facade.tokens import forget_all

pytest_plugins = ["openpayments_facade.testing"]

CASSETTES = Path(__file__).parent.parent / "cassettes"
# when all that is recorded from the simulator happens, and when it is replayed
RECORDED_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEED = 1

# what a client sends for itself differs from run to run and from sync to async
VOLATILE_REQUEST_HEADERS = {"accept-encoding", "connection", "content-length", "cookie", "host", "user-agent"}
# a list of what is kept: nobody knows what the gateway of a real host adds
KEPT_RESPONSE_HEADERS = {
    "allow",
    "aspsp-sca-approach",
    "cache-control",
    "content-type",
    "location",
    "retry-after",
    "www-authenticate",
    "x-request-id",
}
SECRET_REQUEST_HEADERS = {"psu-id", "psu-corporate-id", "psu-authoriser-id"}
SECRET_FORM_FIELDS = {"client_id", "client_secret", "code", "refresh_token"}
SECRET_RESPONSE_FIELDS = {"access_token", "id_token", "refresh_token"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cassettes")
    group.addoption("--cassettes", default=str(CASSETTES), help="folder of the cassettes, an absolute path")
    group.addoption("--record-from", default="simulator", choices=["simulator", "sandbox"])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "simulator_only(**arguments): recorded from a Simulator with these arguments, never from the sandbox.",
    )


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    vcr.register_serializer("yaml", _ReadableYaml(config.getoption("--record-from")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--record-from") == "sandbox":
        others = [item for item in items if item.get_closest_marker("simulator_only")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


class _ReadableYaml:
    """YAML for people, which says where it comes from."""

    def __init__(self, source: str) -> None:
        self._source = source if source == "simulator" else f"{source}, {datetime.now(UTC).date()}"

    def serialize(self, cassette: dict[str, Any]) -> str:
        cassette = {"recorded_from": self._source, **cassette}
        return yaml.safe_dump(cassette, allow_unicode=True, sort_keys=False, width=120)

    deserialize = staticmethod(yamlserializer.deserialize)


@pytest.fixture
def simulator(openpayments_simulator: Simulator) -> Simulator:
    """What users get, under a shorter name."""
    return openpayments_simulator


class Provider:
    """Who answers a recorded test: its cassette or, while recording, the simulator or the provider's sandbox."""

    def __init__(
        self, environment: Environment, client_id: str, client_secret: str, simulator: Simulator | None = None
    ) -> None:
        self.arguments: dict[str, Any] = {
            "client_id": client_id,
            "client_secret": client_secret,
            "environment": environment,
        }
        self._hosts = {environment.auth_url: SANDBOX.auth_url, environment.api_url: SANDBOX.api_url}
        self._simulator = simulator
        self._placeholders = {client_id: "DUMMY_CLIENT_ID", client_secret: "DUMMY_CLIENT_SECRET"}

    @property
    def today(self) -> date:
        """The day of the recording, which replaying it has too."""
        return arguments.today().date()

    def simulate(self, change: Callable[[Simulator], object]) -> None:
        """Does something to the simulator if it is being recorded; a cassette has the consequences already."""
        if self._simulator is not None:
            change(self._simulator)

    def visit(self, url: str, *, approve: bool = True) -> str:
        """The user at the bank's page, whose browser is not recorded: the callback that it comes back with."""
        if self._simulator is not None:
            return self._simulator.visit(url, approve=approve)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        # a cassette does not know the code: it has this in its place
        outcome = {"code": "DUMMY_CODE", "scope": asked["scope"]} if approve else {"error": "access_denied"}
        return f"{asked['redirect_uri']}?{urlencode({**outcome, 'state': asked['state']})}"

    def as_recorded(self, request: Any) -> Any:
        """A request as cassettes know it, which is also what requests are matched by: with its canonical host."""
        for host, canonical in self._hosts.items():
            if request.uri.startswith(f"{host}/"):
                request.uri = canonical + request.uri.removeprefix(host)
        return request

    def scrub(self, request: Any, response: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What is written of an interaction: no secrets, and nothing that differs from run to run."""
        for name, value in self._secrets(response["body"]["string"]):
            dummy = f"DUMMY_{name.upper()}_"
            number = sum(known.startswith(dummy) for known in self._placeholders.values()) + 1
            self._placeholders.setdefault(value, f"{dummy}{number}")
        headers = {
            name: name.upper() if name.lower() in SECRET_REQUEST_HEADERS else value
            for name, value in request.headers.items()
            if name.lower() not in VOLATILE_REQUEST_HEADERS
        }
        if "authorization" in headers:
            scheme, _, token = headers["authorization"].partition(" ")
            headers["authorization"] = f"{scheme} {self._placeholders.get(token, 'UNKNOWN')}"
        response["headers"] = {
            name: values for name, values in response["headers"].items() if name.lower() in KEPT_RESPONSE_HEADERS
        }
        written = (request.uri, request.body, headers, response)
        for text, replacement in {**self._placeholders, **self._hosts}.items():
            written = replace_text(written, text, replacement)
        request.uri, request.body, request.headers, response = written
        return request, response

    @staticmethod
    def _secrets(body: bytes) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []

        def look(pairs: list[tuple[str, Any]]) -> None:
            found.extend((name, str(value)) for name, value in pairs if name in SECRET_RESPONSE_FIELDS and value)

        with suppress(ValueError):
            json.loads(body, object_pairs_hook=look)
        return found


@pytest.fixture
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing but 127.0.0.1 can be looked up or connected to."""
    look_up = socket.getaddrinfo

    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in {"127.0.0.1", b"127.0.0.1"}:
            raise RuntimeError(f"Network is disabled for host {host!r}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    with network.blocking_context(allowed_hosts=[r"127\.0\.0\.1$"]):
        yield


@pytest.fixture
def provider(
    request: pytest.FixtureRequest, record_mode: str, default_cassette_name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Provider]:
    """Recorded tests make their client with `provider.arguments`."""
    numbers = itertools.count(1)

    def new_request_id() -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{default_cassette_name}/{next(numbers)}"))

    for module in (request_ids, call):
        monkeypatch.setattr(module, "new_request_id", new_request_id)
    forget_all()  # each cassette has its own token request
    simulator_only = request.node.get_closest_marker("simulator_only")
    from_simulator = request.config.getoption("--record-from") == "simulator"
    if record_mode == "none" or from_simulator:
        monkeypatch.setattr(arguments, "today", lambda: RECORDED_AT)
    if record_mode == "none":
        yield Provider(SANDBOX, "DUMMY_CLIENT_ID", "DUMMY_CLIENT_SECRET")
    elif from_simulator:
        request.getfixturevalue("loopback_only")
        asked = simulator_only.kwargs if simulator_only else {}
        with Simulator(clock=RECORDED_AT.timestamp, seed=SEED, **asked) as simulator:
            yield Provider(simulator.environment, simulator.client_id, simulator.client_secret, simulator)
    else:
        yield Provider(SANDBOX, os.environ["OPENPAYMENTS_CLIENT_ID"], os.environ["OPENPAYMENTS_CLIENT_SECRET"])
    forget_all()


@pytest.fixture
def vcr_config(provider: Provider) -> dict[str, Any]:
    return {
        "decode_compressed_response": True,
        "filter_post_data_parameters": [(name, f"DUMMY_{name.upper()}") for name in SECRET_FORM_FIELDS],
        "match_on": ["method", "scheme", "host", "port", "path", "query", "body"],
        # functions: pytest-recording copies this deeply, and with a bound method its object
        "before_record_request": lambda request: provider.as_recorded(request),
        "before_save_interaction": lambda request, response: provider.scrub(request, response),
    }


@pytest.fixture(scope="module")
def vcr_cassette_dir(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--cassettes"))


@pytest.fixture
def default_cassette_name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name).removeprefix("test_")


@pytest.fixture(autouse=True)
def _whole_cassette(vcr: Any, record_mode: str) -> Iterator[None]:
    yield
    if vcr is not None and record_mode == "none":
        assert vcr.all_played, f"{vcr.play_count} of {len(vcr)} interactions of {vcr.path} were asked for"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI a skipped test is a failure: what it would show is promised."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and (skipped := reporter.stats.get("skipped")):
        for report in skipped:
            reporter.write_line(f"skipped on CI: {report.nodeid}: {report.longrepr}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
