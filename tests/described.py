"""What the description says of each operation: what a call has to have, and what its answers are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from openapi_python_client.strings import PythonIdentifier
from openpayments_client import models

from scripts.generate import DESCRIPTION, load
from scripts.slips import argument_names
from tests.canned_server import Given

if TYPE_CHECKING:
    from tests.tools.inventory import Known

DOCUMENT = load(DESCRIPTION)
OPERATIONS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    operation["operationId"]: ([*item.get("parameters", []), *operation.get("parameters", [])], operation)
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict)
}


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


def failures(known: Known) -> Iterator[Given]:
    """The errors of an operation: each example of each status, of each content type."""
    for status, response in sorted(OPERATIONS[known.name][1]["responses"].items()):
        for media_type, content in resolve(response).get("content", {}).items() if status >= "400" else ():
            for example in content["examples"].values():
                yield Given(int(status), {"Content-Type": media_type}, json.dumps(resolve(example)["value"]).encode())


def product_of(known: Known, body: object) -> dict[str, str]:
    """The path parameter that goes with a body."""
    media_type = resolve(OPERATIONS[known.name][1]["requestBody"])["content"]["application/json"]
    return {
        python_name(parameter): value
        for parameter, bodies in media_type.get("x-body-by", {}).items()
        for value, name in bodies.items()
        if name == type(body).__name__
    }
