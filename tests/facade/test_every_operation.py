"""Every operation of the API host through `op.call` and `bank.call`. A server gives the examples of the description.

Most operations are not played by the simulator. What was sent and what came is then held against the description, as
cassettes are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from openpayments_facade import OpenPayments, Psu, PsuContext
from scripts.contract import Contract
from scripts.generate import DESCRIPTION
from tests.canned_server import Canned, canned
from tests.described import arguments, bodies, endpoint, product_of, successes
from tests.tools.inventory import INVENTORY, Known

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


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with canned() as server:
        yield server


@pytest.fixture(scope="module")
def op(server: Canned) -> Iterator[OpenPayments]:
    with server.client() as op:
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
