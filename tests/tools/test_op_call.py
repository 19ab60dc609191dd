"""What `op.call` can express: bodies of alternatives, their rules, successes without a body."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from openpayments_client.operations import OPERATIONS

from openpayments_facade import InvalidArgumentError, UnreadableResponseError
from tests.tools.throwaway import generated

if TYPE_CHECKING:
    from openpayments_facade import OpenPayments
    from openpayments_facade.simulator import Simulator

# what the API's description has, and what it may come to have
THINGS = """
openapi: 3.1.0
info: {title: Throw-away, version: "1"}
servers:
  - {url: "https://api.sandbox.example", description: Sandbox}
  - {url: "https://api.example", description: Production}
tags: [{name: Things}]
paths:
  /psd2/things/{thing-kind}/{thing-id}:
    parameters:
      # the other way round than in the path
      - {name: thing-id, in: path, required: true, schema: {type: string}}
      - {name: thing-kind, in: path, required: true, schema: {type: string}}
      - {name: X-Request-ID, in: header, required: true, schema: {type: string}}
    post:
      operationId: makeThing
      tags: [Things]
      summary: Make a thing
      security: &security [{oauth2: [aspspinformation]}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              anyOf:
                - $ref: "#/components/schemas/Box"
                - $ref: "#/components/schemas/Basket"
                - $ref: "#/components/schemas/Bag"
            x-body-by: {thing-kind: {boxes: Box, baskets: Basket}}
      responses: &made
        "201":
          description: Made.
          content: &thing {application/json: {schema: {$ref: "#/components/schemas/Made"}}}
    put:
      operationId: changeThing
      tags: [Things]
      summary: Change a thing
      servers: [{url: "https://api.example"}]
      security: *security
      requestBody:
        content: {application/json: {schema: {$ref: "#/components/schemas/Bag"}}}
      responses: *made
    delete:
      operationId: dropThing
      tags: [Things]
      summary: Drop a thing
      security: *security
      responses:
        "200": {description: Dropped., content: *thing}
        "202": {description: It goes on., content: *thing}
        "204": {description: Gone.}
        "404": {description: Not here., content: {application/json: {schema: {$ref: "#/components/schemas/Fault"}}}}
components:
  securitySchemes:
    oauth2:
      type: oauth2
      flows: {clientCredentials: {tokenUrl: "https://auth.example/token", scopes: {aspspinformation: Banks.}}}
  schemas:
    Made: {type: object, required: [id], properties: {id: {type: string}}}
    Fault: {type: object, properties: {text: {type: string}}}
    Basket: {type: object, additionalProperties: false, required: [handle], properties: {handle: {type: boolean}}}
    Bag: {type: object, properties: {made: {type: string, format: date-time}}}
    Box:
      type: object
      additionalProperties: false
      required: [owner, owners]
      properties:
        owner: {$ref: "#/components/schemas/Owner"}
        owners: {type: array, minItems: 1, maxItems: 2, items: {$ref: "#/components/schemas/Owner"}}
        keys: {type: array, minItems: 2, items: {type: string, maxLength: 3}}
        number: {type: string, minLength: 5, maxLength: 7}
        price: {type: string, pattern: "^-?[0-9]+$", description: An amount. In whole units.}
        reference: {type: string, pattern: "RF[0-9]+$"}
        sides: {type: integer, minimum: 4, maximum: 6}
        made: {type: string, format: date-time}
        day: {type: string, format: date}
        opened: {type: boolean}
        secret: {type: string, format: password}
        size: {anyOf: [{$ref: "#/components/schemas/KnownSize"}, {type: string}, {type: "null"}]}
        shape: {$ref: "#/components/schemas/Shape"}
        content: {anyOf: [{$ref: "#/components/schemas/Basket"}, {$ref: "#/components/schemas/Bag"}]}
    Owner:
      type: object
      required: [name]
      properties: {name: {type: string}, postalCode: {type: string, maxLength: 6}}
    KnownSize: {type: string, enum: [small, large]}
    Shape: {type: string, enum: [cube, pyramid]}
"""

MADE = {"id": "t1"}
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The operations."""
    with generated(tmp_path_factory.mktemp("things"), THINGS, "things_client"):
        yield import_module("things_client.api.things")


@pytest.fixture
def op(
    things: ModuleType, openpayments_client: OpenPayments, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenPayments]:
    """A client that knows the operations."""
    for name, operation in import_module("things_client.operations").OPERATIONS.items():
        monkeypatch.setitem(OPERATIONS, name, operation)
    with openpayments_client:
        yield openpayments_client


@pytest.fixture
def models(things: ModuleType) -> Any:
    return import_module("things_client.models")


def box(models: Any, **changed: Any) -> Any:
    owner = models.Owner("Ada", "106 40")
    return models.Box(**{"owner": owner, "owners": [owner], **changed})


# --------------------------------------------------------------------------------------------- a body of alternatives


@pytest.mark.parametrize(
    ("kind", "name"), [("boxes", "Box"), ("baskets", "Basket"), ("bags", "Bag"), ("bags", "Box"), ("bags", "Basket")]
)
def test_a_body_of_each_alternative_is_sent(
    op: OpenPayments, things: Any, models: Any, simulator: Simulator, kind: str, name: str
) -> None:
    simulator.misbehave("/psd2/things", status=201, body=MADE)
    body = {"Box": box(models), "Basket": models.Basket(True), "Bag": models.Bag()}[name]
    assert op.call(things.make_thing, kind, "t1", body=body).id == "t1"
    (request,) = [each for each in simulator.requests if each.path.startswith("/psd2")]
    assert request.path == f"/psd2/things/{kind}/t1"


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("boxes", "Basket", "body must be a Box for thing_kind boxes"),
        ("baskets", "Box", "body must be a Basket for thing_kind baskets"),
        ("baskets", None, "body must be a Basket for thing_kind baskets"),
        ("bags", "Owner", "body must be a Box or a Basket or a Bag"),
        ("bags", "dict", "body must be a Box or a Basket or a Bag"),
    ],
)
def test_a_body_of_another_class_is_refused(
    op: OpenPayments, things: Any, models: Any, simulator: Simulator, kind: str, name: str | None, told: str
) -> None:
    wrong = {"Box": box(models), "Basket": models.Basket(True), "Owner": models.Owner("Ada"), "dict": {}, None: None}
    with pytest.raises(InvalidArgumentError) as caught:
        op.call(things.make_thing, kind, "t1", body=wrong[name])
    assert str(caught.value) == told
    assert simulator.requests == []


def test_an_optional_body_may_be_left_out(op: OpenPayments, things: Any, models: Any, simulator: Simulator) -> None:
    simulator.misbehave("/psd2/things", status=201, body=MADE, times=2)
    op.call(things.change_thing, "bags", "t1")
    op.call(things.change_thing, "bags", "t1", body=models.Bag(made=NOON))
    sent = [each.headers["content-length"] for each in simulator.requests if each.path.startswith("/psd2")]
    assert sent == ["0", str(len('{"made":"2026-03-01T12:00:00+00:00"}'))]
    with pytest.raises(InvalidArgumentError, match=r"^body must be a Bag$"):
        op.call(things.change_thing, "bags", "t1", body=models.Owner("Ada"))


# ------------------------------------------------------------------------------------------------ the rules of a body

RIGHT: list[dict[str, Any]] = [
    {"keys": ["a", "b"], "number": "12345", "price": "-10", "reference": "see RF12", "sides": 4, "opened": False},
    {"number": "1234567", "sides": 6, "made": NOON, "day": dt.date(2026, 3, 1), "shape": "cube", "size": "of-tomorrow"},
]


@pytest.mark.parametrize("given", RIGHT)
def test_a_right_body_has_no_problem(models: Any, given: dict[str, Any]) -> None:
    rule = import_module("things_client.operations").OPERATIONS["make_thing"].body
    assert [*rule.problems(box(models, **given), "")] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"owner": None}, "owner is missing"),
        ({"owner": {"name": "Ada"}}, "owner must be an Owner"),
        ({"owners": None}, "owners is missing"),
        ({"owners": []}, "owners must not be empty"),
        ({"owners": 3 * ["Ada"]}, "owners must not have more than 2 items"),
        ({"owners": ["Ada"]}, "owners[0] must be an Owner"),
        ({"owners": "Ada"}, "owners must be a list"),
        ({"keys": ["a"]}, "keys must not have fewer than 2 items"),
        ({"keys": ["a", "bcde"]}, "keys[1] must not have more than 3 characters"),
        ({"number": "1234"}, "number must not have fewer than 5 characters"),
        ({"number": "12345678"}, "number must not have more than 7 characters"),
        ({"number": 12345}, "number must be a string"),
        ({"price": "1,50"}, "price must be an amount"),
        ({"price": 150}, "price must be an amount"),
        ({"reference": "12"}, "reference must be text that matches RF[0-9]+$"),
        ({"reference": "RF12\n"}, "reference must be printable"),
        ({"sides": 3}, "sides must be 4 or more"),
        ({"sides": 7}, "sides must be 6 or less"),
        ({"sides": True}, "sides must be a whole number"),
        ({"made": NOON.replace(tzinfo=None)}, "made must be a date and time with a time zone"),
        ({"made": "2026-03-01T12:00:00Z"}, "made must be a date and time with a time zone"),
        ({"day": NOON}, "day must be a date"),
        ({"opened": "true"}, "opened must be True or False"),
        ({"size": 5}, "size must be a string"),
        ({"shape": "sphere"}, "shape must be one of cube, pyramid"),
        ({"content": "apples"}, "content must be a Basket or a Bag"),
    ],
)
def test_a_broken_rule_is_told_by_the_name_of_its_field(models: Any, changed: dict[str, Any], told: str) -> None:
    rule = import_module("things_client.operations").OPERATIONS["make_thing"].body
    assert [f"{path} {problem}" for path, problem in rule.problems(box(models, **changed), "")][:1] == [told]


def test_the_rules_hold_in_models_of_models_and_in_lists_of_them(models: Any) -> None:
    rule = import_module("things_client.operations").OPERATIONS["make_thing"].body
    ada, nobody = models.Owner("Ada", "too long"), models.Owner(None)
    body = box(models, owner=ada, owners=[models.Owner("Eva"), nobody], content=models.Basket(None))
    assert [*rule.problems(body, "")] == [
        ("owner.postal_code", "must not have more than 6 characters"),
        ("owners[1].name", "is missing"),
        ("content.handle", "is missing"),
    ]


# ------------------------------------------------------------------------------------------- a closed model of a body


def test_a_model_without_further_properties(models: Any) -> None:
    basket = models.Basket(handle=True)
    assert not hasattr(basket, "additional_properties")
    assert basket.to_dict() == {"handle": True}
    assert models.Basket.from_dict({"handle": True, "lid": False}) == basket
    assert repr(basket) == "Basket(handle=True)"
    shown = repr(box(models, secret="hide-me", sides=4))
    assert shown == f"Box(owner={box(models).owner!r}, owners={box(models).owners!r}, sides=4)"


# --------------------------------------------------------------------------------------- a success that has no body


@pytest.mark.parametrize(("status", "given"), [(200, "t1"), (202, "t1"), (204, None)])
def test_a_success_gives_its_model_or_none_without_a_body(
    op: OpenPayments, things: Any, models: Any, simulator: Simulator, status: int, given: str | None
) -> None:
    simulator.misbehave("/psd2/things", status=status, body=None if given is None else MADE, times=2)
    dropped = op.call(things.drop_thing, "boxes", "t1")
    answer = op.with_raw_response.call(things.drop_thing, "boxes", "t1")
    assert (answer.status_code, answer.parsed) == (status, dropped)
    assert dropped == (None if given is None else models.Made(given))
    assert get_type_hints(things.drop_thing)["_success"] == models.Made | None
    assert get_type_hints(things.make_thing)["_success"] == models.Made


@pytest.mark.parametrize("status", [200, 202])
def test_an_empty_answer_is_unreadable_unless_something_was_to_be_dropped(
    op: OpenPayments, things: Any, models: Any, simulator: Simulator, status: int
) -> None:
    simulator.misbehave("/psd2/things", status=status, body="", times=2)
    with pytest.raises(UnreadableResponseError, match="an empty body"):
        op.call(things.make_thing, "boxes", "t1", body=box(models))
    assert op.call(things.drop_thing, "boxes", "t1") is None


# ------------------------------------------------------------------------------------------ what is said of operations


def test_an_operation_tells_what_it_is(things: ModuleType) -> None:
    operations = import_module("things_client.operations").OPERATIONS
    make, change = operations["make_thing"], operations["change_thing"]
    assert (make.method, make.path) == ("POST", "/psd2/things/{thing-kind}/{thing-id}")
    assert (make.tag, make.summary, change.summary) == ("Things", "Make a thing", "Change a thing")
    assert list(make.arguments) == ["thing_kind", "thing_id", "x_request_id"]
    assert (make.production_only, change.production_only) == (False, True)
