"""Bodies of requests: what the description refuses is refused before anything is sent, and the field is named."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from openapi_python_client.strings import PythonIdentifier

from openpayments_facade import InvalidArgumentError, OpenPayments
from tests.described import arguments, bodies, endpoint, product_of, resolve
from tests.tools.inventory import INVENTORY, Known

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

# what the sources require of the bodies of payments (the provider's description of 2026)
_EVERY = {"instructedAmount", "debtorAccount", "creditorName"}
_ABROAD = {"creditorAccount", "creditorAgent", "creditorAgentName", "creditorAddress"}
REQUIRED = {
    "DomesticPayment": {*_EVERY, "creditorAccount"},
    "SepaCreditTransfer": {*_EVERY, "creditorAccount", "creditorAgent", "creditorAgentName"},
    "SwedishGiroPayment": {*_EVERY, "creditorGiro"},
    "CrossBorderPayment": _EVERY | _ABROAD,
    "IsoDomesticPayment": {*_EVERY, "creditorAccount"},
    "IsoSepaCreditTransfer": {*_EVERY, "creditorAccount", "creditorAgent"},
    "IsoSwedishGiroPayment": {*_EVERY, "creditorGiro"},
    "IsoCrossBorderPayment": _EVERY | _ABROAD,
}


class Slip(NamedTuple):
    """A body with one mistake, and the field that has it."""

    body: Any
    field: str
    kind: str


def python_name(name: str) -> str:
    return PythonIdentifier(name, "")


def branch(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without its null and its references."""
    members = [member for member in schema.get("anyOf", ()) if member != {"type": "null"}]
    return resolve({**members[0], "x": None}) if len(members) == 1 and "$ref" in members[0] else resolve(schema)


def wrong_texts(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "maxLength" in schema:
        yield "too long", "1" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield "too short", "1" * (schema["minLength"] - 1)
    if "pattern" in schema:
        yield "pattern", "?"


def slips(body: Any, schema: dict[str, Any], root: Any, path: str) -> Iterator[Slip]:
    """Each way in which a body can be wrong, one at a time."""

    def with_value(name: str, value: object) -> Any:
        changed = copy.deepcopy(root)
        target = changed
        for step in filter(None, path.split(".")):
            target = getattr(target, step)
        setattr(target, name, value)
        return changed

    for name, described in schema["properties"].items():
        attribute = python_name(name)
        field = f"{path}.{attribute}" if path else attribute
        described = branch(described)
        if name in schema.get("required", ()):
            yield Slip(with_value(attribute, None), field, "left out")
        value = getattr(body, attribute)
        if "properties" in described:
            if value is not None:
                yield from slips(value, described, root, field)
        else:
            for kind, wrong in wrong_texts(described):
                yield Slip(with_value(attribute, wrong), field, kind)
            if "maxItems" in described and value:
                yield Slip(with_value(attribute, value * (described["maxItems"] + 1)), field, "too many")


CASES = [
    (known, name, slip)
    for known in INVENTORY.values()
    for name, body in bodies(known).items()
    for slip in slips(body, resolve({"$ref": f"#/components/schemas/{name}"}), body, "")
]


@pytest.mark.parametrize(
    ("known", "name", "slip"), [pytest.param(*case, id=f"{case[1]}-{case[2].field}-{case[2].kind}") for case in CASES]
)
def test_a_wrong_body_is_refused_before_it_is_sent(
    known: Known, name: str, slip: Slip, openpayments_client: OpenPayments, simulator: Simulator
) -> None:
    values = arguments(known) | {"body": slip.body} | product_of(known, slip.body)

    with pytest.raises(InvalidArgumentError, match=rf"^{slip.field} ") as caught:
        openpayments_client.call(endpoint(known), **values)

    assert caught.value.argument == slip.field.split(".")[0]
    assert simulator.requests == []
    assert "1111" not in str(caught.value)


def test_there_are_slips_of_each_kind_and_each_body() -> None:
    kinds = {(name, slip.kind) for _, name, slip in CASES}
    for name in REQUIRED:
        assert {(name, "left out"), (name, "too long"), (name, "pattern")} <= kinds


@pytest.mark.parametrize("name", REQUIRED)
def test_a_payment_requires_what_the_sources_require(name: str) -> None:
    assert {*resolve({"$ref": f"#/components/schemas/{name}"})["required"]} == REQUIRED[name]


def test_a_body_of_another_product_is_refused(openpayments_client: OpenPayments, simulator: Simulator) -> None:
    known = INVENTORY["initiatePayment"]
    payments = bodies(known)
    for product, right in (
        ("domestic", "DomesticPayment"),
        ("sepa-credit-transfers", "SepaCreditTransfer"),
        ("swedish-giro", "SwedishGiroPayment"),
        ("cross-border", "CrossBorderPayment"),
    ):
        for name, body in payments.items():
            if name == right:
                continue
            values = arguments(known) | {"body": body, "payment_product": product}
            with pytest.raises(InvalidArgumentError, match=f"^body .*{right}"):
                openpayments_client.call(endpoint(known), **values)
    assert simulator.requests == []
