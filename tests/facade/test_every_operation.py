"""Every operation of the API host through `op.call` and `bank.call`. A server gives the examples of the description.

Most operations are not played by the simulator. What was sent and what came is then held against the description, as
cassettes are.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from openapi_python_client.strings import PythonIdentifier
from openpayments_client import models

from openpayments_facade import ApiScope, Environment, OpenPayments, Psu, PsuContext
from scripts.contract import Contract
from scripts.generate import DESCRIPTION, load
from scripts.slips import argument_names
from tests.tools.inventory import INVENTORY, Known

DOCUMENT = load(DESCRIPTION)
OPERATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    operation["operationId"]: ([*item.get("parameters", []), *operation.get("parameters", [])], operation)
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict)
}
API = "https://api.openbankingplatform.com"
SOMEBODY = Psu(id="PSU-ID", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
A_COMPANY = Psu(
    id="PSU-ID",
    ip_address="203.0.113.7",
    user_agent="Mozilla/5.0",
    corporate_id="PSU-CORPORATE-ID",
    corporate_id_type="type",
    authoriser_id="PSU-AUTHORISER-ID",
)
NOBODY = Psu()

each_known = pytest.mark.parametrize("known", INVENTORY.values(), ids=lambda known: known.name)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def python_name(name: str) -> str:
    return PythonIdentifier(name, "")


def endpoint(known: Known) -> Any:
    tag = OPERATIONS[known.name][1]["tags"][0]
    return import_module(f"openpayments_client.api.{python_name(tag)}.{python_name(known.name)}")


def arguments(known: Known, places: tuple[str, ...] = ("path", "query", "header")) -> dict[str, Any]:
    """What a call has to have, from the examples of the description; strings of its lists and dates as they are."""
    described = [*map(resolve, OPERATIONS[known.name][0])]
    names = argument_names([((), {}, each) for each in described])
    return {
        name: each["example"]
        for name, each in zip(names, described, strict=True)
        if each["in"] in places and each["required"] and each["name"] != "X-Request-ID"
    }


def bodies(known: Known) -> dict[str, Any]:
    """The bodies that an operation takes, by the names of their models: the first example that fits each."""
    request_body = resolve(OPERATIONS[known.name][1].get("requestBody", {}))
    if not request_body:
        return {}
    media_type = request_body["content"]["application/json"]
    values = [example["value"] for example in media_type["examples"].values()]
    found = {}
    for reference in media_type["schema"].get("anyOf", [media_type["schema"]]):
        schema = resolve(reference)
        fitting = [
            value for value in values if {*schema.get("required", ())} <= value.keys() <= schema["properties"].keys()
        ]
        name = reference["$ref"].rpartition("/")[2]
        found[name] = getattr(models, name).from_dict(fitting[0])
    return found


class Given(NamedTuple):
    """An answer of the canned server."""

    status: int
    headers: dict[str, str]
    content: bytes


def successes(known: Known) -> Iterator[Given]:
    """The successful answers of an operation: each example of each status."""
    for status, response in sorted(OPERATIONS[known.name][1]["responses"].items()):
        if status >= "400":
            continue
        content = resolve(response).get("content", {}).get("application/json")
        headers = {name: "REDIRECT" for name in resolve(response).get("headers", {}) if name == "ASPSP-SCA-Approach"}
        if content is None:
            yield Given(int(status), headers, b"")
            continue
        for example in content["examples"].values():
            yield Given(
                int(status), {**headers, "Content-Type": "application/json"}, json.dumps(example["value"]).encode()
            )


class Canned(ThreadingHTTPServer):
    """Gives tokens, and to every other request the answer that is set; remembers both as a cassette does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.given = Given(204, {}, b"")
        self.interactions: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Canned

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given = self.server.given
        if self.path == "/connect/token":
            token = {"access_token": "DUMMY_ACCESS_TOKEN_1", "expires_in": 3600, "token_type": "Bearer"}
            given = Given(200, {"Content-Type": "application/json"}, json.dumps(token).encode())
        headers = {**given.headers, "X-Request-ID": self.headers.get("X-Request-ID", "")}
        if self.path != "/connect/token":
            self.server.interactions.append(
                {
                    "request": {
                        "method": self.command,
                        "uri": API + self.path,
                        "body": body.decode() or None,
                        "headers": {name.lower(): [value] for name, value in self.headers.items()},
                    },
                    "response": {
                        "status": {"code": given.status, "message": ""},
                        "headers": {name.lower(): [value] for name, value in headers.items()},
                        "body": {"string": given.content.decode()},
                    },
                }
            )
        self.send_response(given.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if given.status != 204:
            self.send_header("Content-Length", str(len(given.content)))
        self.end_headers()
        self.wfile.write(given.content)

    do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with Canned() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def op(server: Canned) -> Iterator[OpenPayments]:
    scopes = [ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION]
    environment = Environment("canned", server.url, server.url)
    with OpenPayments(client_id="id", client_secret="secret", environment=environment, api_scopes=scopes) as op:
        yield op


def check_contract(server: Canned, folder: Path, known: Known) -> None:
    """Holds what was sent and answered against the description."""
    cassette = {"recorded_from": "simulator", "interactions": server.interactions}
    (folder / "one.yaml").write_text(yaml.safe_dump(cassette))
    faults, _ = contract().check(folder)
    assert [fault for fault in faults if fault.startswith("one.yaml")] == []
    assert not any(fault.startswith(f"{known.name} ") for fault in faults)


CONTRACTS: list[Contract] = []


def contract() -> Contract:
    """Made once for all tests: it takes a second."""
    if not CONTRACTS:
        CONTRACTS.append(Contract(DESCRIPTION))
    return CONTRACTS[0]


@each_known
def test_an_operation_can_be_called_and_answers_with_its_model(
    known: Known, op: OpenPayments, server: Canned, tmp_path: Path
) -> None:
    server.interactions.clear()
    for body in bodies(known).values() or [None]:
        for given in successes(known):
            server.given = given
            values = arguments(known)
            if body is not None:
                values["body"] = body
                values |= product_of(known, body)
            answer = op.call(endpoint(known), **values)
            if given.content:
                assert type(answer).__module__.startswith("openpayments_client.models.")
                assert is_same(answer.to_dict(), json.loads(given.content))
            else:
                assert answer is None
    check_contract(server, tmp_path, known)


def is_same(written: Any, given: Any) -> bool:
    """Whether two JSON values are the same; a time may be written in two ways, null is nothing, a list one object."""
    if isinstance(written, list) and not isinstance(given, list):
        given = [given]
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if value is not None}
        return written.keys() == given.keys() and all(is_same(written[key], given[key]) for key in given)
    if isinstance(given, list):
        return len(written) == len(given) and all(map(is_same, written, given))
    return written == given or datetime.fromisoformat(written) == datetime.fromisoformat(given)


def product_of(known: Known, body: object) -> dict[str, str]:
    """The path parameter that goes with a body."""
    media_type = resolve(OPERATIONS[known.name][1]["requestBody"])["content"]["application/json"]
    return {
        python_name(parameter): value
        for parameter, bodies in media_type.get("x-body-by", {}).items()
        for value, name in bodies.items()
        if name == type(body).__name__
    }


@pytest.mark.parametrize(
    ("psu", "context"),
    [(SOMEBODY, PsuContext.PRIVATE), (A_COMPANY, PsuContext.CORPORATE), (NOBODY, PsuContext.PRIVATE)],
    ids=["a private user", "a company", "nobody"],
)
@pytest.mark.parametrize(
    "known", [known for known in INVENTORY.values() if known.is_at_bank], ids=lambda known: known.name
)
def test_a_call_to_a_bank_has_every_header_for_which_there_is_a_value(
    known: Known, psu: Psu, context: PsuContext, op: OpenPayments, server: Canned
) -> None:
    server.given = next(successes(known))
    server.interactions.clear()
    values = arguments(known)
    for name in list(values):
        if name.startswith(("psu_", "tpp_", "x_bic")):
            del values[name]
    for body in [*bodies(known).values()][:1]:
        values["body"] = body
        values |= product_of(known, body)

    op.with_options(psu_context=context).at_bank("ESSESESS", psu, affiliated_aspsp="08999").call(
        endpoint(known), **values
    )

    [interaction] = server.interactions
    sent = {name.lower() for name in interaction["request"]["headers"]}
    user = {name.lower() for name in psu.headers()}
    required = {name.lower() for name in known.required}
    assert required - sent == {name for name in required if name.startswith("psu-")} - user
    assert user - sent <= {"psu-authoriser-id"}
    assert sent & user == user & (
        {name.lower() for name in known.required | known.optional} | user - {"psu-authoriser-id"}
    )
    assert ("x-affiliatedaspsp-id" in sent) is ("X-AffiliatedASPSP-ID" in known.optional)
