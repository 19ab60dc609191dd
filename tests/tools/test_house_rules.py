"""House rules of the description that make good models of it, each with a slip that it sees."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from openpayments_client.operations import MODELS, OPERATIONS, Rule

from scripts.generate import DESCRIPTION, load
from scripts.slips import is_model, resolved

Document = dict[str, Any]


@cache
def description() -> Document:
    """Not to be changed: reading it takes longer than each test."""
    return load(DESCRIPTION)


def walk(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object outside of examples, with its place."""
    if isinstance(node, dict):
        yield "/".join(place), node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        if key not in ("example", "examples"):
            yield from walk(child, (*place, str(key)))


def reached(document: Document, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the bodies of this kind (responses, requestBodies) and of the schemas that they lead to."""
    key = {"requestBodies": "requestBody"}.get(kind, kind)
    waiting = [(place, node[key]) for place, node in walk(document["paths"]) if key in node]
    waiting.append((f"#/components/{kind}", document["components"][kind]))
    seen = set[str]()
    for start, root in waiting:
        for place, node in walk(root, (start,)):
            yield place, node
            if (reference := node.get("$ref")) and reference not in seen:
                seen.add(reference)
                waiting.append((reference, resolved(document, node)))


def models_in_a_union(document: Document, node: dict[str, Any]) -> int:
    """Those of a union in it count as well, and those that have a base."""
    members = [resolved(document, member) for member in node.get("anyOf", ())]
    return sum(is_model(each) or "allOf" in each or models_in_a_union(document, each) for each in members)


def answers_with_alternatives(document: Document) -> list[str]:
    """An answer is one model with optional fields: what it is can't be known before it is read."""
    return [place for place, node in reached(document, "responses") if models_in_a_union(document, node) > 1]


def answers_that_are_closed(document: Document) -> list[str]:
    """What nobody described is kept."""
    return [place for place, node in reached(document, "responses") if node.get("additionalProperties") is False]


def alternatives_within_a_request(document: Document) -> list[str]:
    """A request has a model for each product, as a whole."""
    requests = document["components"]["requestBodies"].values()
    bodies = [media["schema"] for request in requests for media in request["content"].values()]
    return [
        place
        for place, node in reached(document, "requestBodies")
        if models_in_a_union(document, node) > 1 and not any(node is body for body in bodies)
    ]


def requests_that_are_no_references(document: Document) -> list[str]:
    return [
        f"{name}/content/{media_type}"
        for name, request in document["components"]["requestBodies"].items()
        for media_type, content in request["content"].items()
        for member in content["schema"].get("anyOf", [content["schema"]])
        if [*member] != ["$ref"]
    ]


def answers_without_json_first(document: Document) -> list[str]:
    """The generated parser reads the first media type."""
    return [
        place
        for place, node in reached(document, "responses")
        if next(iter(node.get("content", ["application/json"])), "application/json") != "application/json"
    ]


def enums_without_a_name(document: Document) -> list[str]:
    named = [id(schema) for schema in document["components"]["schemas"].values()]
    return [place for place, node in walk(document) if isinstance(node.get("enum"), list) and id(node) not in named]


def tags_that_nobody_explains(document: Document) -> list[str]:
    explained = {tag["name"] for tag in document["tags"]}
    return [place for place, node in walk(document["paths"]) if {*node.get("tags", ())} - explained]


def schemas(document: Document) -> Any:
    return document["components"]["schemas"]


RULES: dict[Callable[[Document], list[str]], Callable[[Document], object]] = {
    answers_with_alternatives: lambda d: schemas(d)["Account"]["properties"].update(
        link={"anyOf": [{"$ref": "#/components/schemas/Link"}, {"$ref": "#/components/schemas/Links"}]}
    ),
    answers_that_are_closed: lambda d: schemas(d)["Account"].update(additionalProperties=False),
    alternatives_within_a_request: lambda d: schemas(d)["ConsentRequest"]["properties"].update(
        access={"anyOf": [{"$ref": "#/components/schemas/ConsentAccess"}, {"$ref": "#/components/schemas/Link"}]}
    ),
    requests_that_are_no_references: lambda d: d["components"]["requestBodies"]["ConsentRequest"]["content"].update(
        {"application/json": {"schema": {"type": "string"}}}
    ),
    answers_without_json_first: lambda d: d["components"]["responses"]["BankBadRequest"].update(
        content=dict(reversed(d["components"]["responses"]["BankBadRequest"]["content"].items()))
    ),
    enums_without_a_name: lambda d: schemas(d)["Account"]["properties"].update(size={"type": "string", "enum": ["s"]}),
    tags_that_nobody_explains: lambda d: d["tags"].pop(),
}


ACCOUNT, LINK = ({"$ref": f"#/components/schemas/{name}"} for name in ("Account", "Link"))


@pytest.mark.parametrize(
    "union",
    [
        [ACCOUNT, LINK],
        [ACCOUNT, {"anyOf": [LINK, {"type": "null"}]}],
        [{"$ref": f"#/components/schemas/{name}Transaction"} for name in ("Booked", "Pending")],
    ],
)
@pytest.mark.parametrize("is_of_an_operation", [True, False])
def test_alternatives_are_seen_wherever_an_answer_has_them(union: list[Any], is_of_an_operation: bool) -> None:
    slip = copy.deepcopy(description())
    answer = {"description": "x", "content": {"application/json": {"schema": {"anyOf": union}}}}
    if is_of_an_operation:
        slip["paths"]["/psd2/aspspinformation/v1/countries"]["get"]["responses"]["200"] = answer
    else:
        schemas(slip)["Account"]["properties"]["x"] = {"anyOf": union}
    assert answers_with_alternatives(slip)


@pytest.mark.parametrize(("broken", "plant"), RULES.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_the_rule_is_kept_and_a_slip_is_seen(
    broken: Callable[[Document], list[str]], plant: Callable[[Document], object]
) -> None:
    assert broken(description()) == []
    slip = copy.deepcopy(description())
    plant(slip)
    assert broken(slip)


def patterns(rules: Iterator[Rule]) -> Iterator[Rule]:
    for rule in rules:
        if rule.pattern:
            yield rule
        if rule.items:
            yield from patterns(iter([rule.items]))


def test_what_has_a_pattern_is_described_as_a_or_an() -> None:
    """Messages say "must be a ..."."""
    arguments = (rule for operation in OPERATIONS.values() for rule in operation.arguments.values())
    fields = (rule for model in MODELS.values() for rule in model.values())
    found = [*patterns(arguments), *patterns(fields)]
    assert found
    assert [rule.name for rule in found if not (rule.meaning or "").startswith(("A ", "An "))] == []
