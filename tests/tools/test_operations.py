"""The table of operations is what the description says, and what the generated functions take."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest
from attrs import fields_dict
from openpayments_client import api, models
from openpayments_client.operations import MODELS, OPERATIONS, Rule

from scripts.generate import DESCRIPTION, load
from scripts.operations import Table

CONTENT = load(DESCRIPTION)
DESCRIBED = {
    operation["operationId"]: operation
    for item in CONTENT["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict)
}


def module(name: str) -> Any:
    for tag in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        if hasattr(import_module(tag.name), name):
            return import_module(f"{tag.name}.{name}")
    raise AssertionError(f"there is no module {name}")


def test_every_operation_is_in_the_table() -> None:
    assert sorted(name.replace("_", "") for name in OPERATIONS) == sorted(name.lower() for name in DESCRIBED)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_arguments_are_those_that_the_function_takes(name: str) -> None:
    operation = OPERATIONS[name]
    parameters = inspect.signature(module(name)._get_kwargs).parameters
    assert {*operation.arguments, *(["body"] if operation.body else [])} == {*parameters}
    in_path = [argument for argument, rule in operation.arguments.items() if rule.place == "path"]
    assert [each for each, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD] == in_path
    assert list(operation.arguments)[: len(in_path)] == in_path


def test_the_operations_of_a_tag_are_attributes_of_its_package() -> None:
    for tag in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        package = import_module(tag.name)
        assert {*package.__all__} <= {*dir(package)}
        assert all(hasattr(getattr(package, name), "_get_kwargs") for name in package.__all__)
        assert not any(hasattr(package, name) for name in ("..", "get.it", "get_nothing"))


def test_a_minimum_of_zero_is_a_rule() -> None:
    offset = {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0}}
    operation = {"operationId": "listThings", "tags": ["Things"], "parameters": [offset]}
    rendered = Table({"paths": {"/things": {"get": operation}}, "components": {}}).render()
    assert "'offset': Rule('offset', 'query', 'integer', minimum=0)" in rendered


def test_what_is_wrong_in_a_list_of_a_body_has_its_number() -> None:
    ids = Rule("ids", "body", "array", min_length=1, items=Rule("ids", "body", "string", min_length=1))
    assert [*ids.problems(["a", ""], "ids")] == [("ids[1]", "must not be empty")]
    assert [*ids.problems([], "ids")] == [("ids", "must not be empty")]
    asked = ids._replace(place="query", items=Rule("ids", "query", "string", min_length=1))
    assert [path for path, _ in asked.problems(["a", ""], "ids")] == ["ids"]


def test_scopes_are_alternatives() -> None:
    account_information = (
        ("accountinformation", "private"),
        ("accountinformation", "corporate"),
        ("accountinformation", "bankgiroinformation", "corporate"),
        ("accountinformation",),
    )
    assert OPERATIONS["create_consent"].scopes == account_information
    assert OPERATIONS["create_token"].scopes == ()


def test_the_fields_of_a_body_are_those_of_its_model() -> None:
    assert MODELS
    for name, rules in MODELS.items():
        assert {*rules} == {*fields_dict(getattr(models, name))} - {"additional_properties"}


RULES = [(f"{name}.{argument}", rule) for name, each in OPERATIONS.items() for argument, rule in each.arguments.items()]


@pytest.mark.parametrize("rule", [rule for _, rule in RULES], ids=[name for name, _ in RULES])
def test_a_rule_lets_its_own_example_pass_and_names_what_it_refuses(rule: Rule) -> None:
    if rule.example is not None and rule.format != "date":
        assert [*rule.problems(rule.example, "x")] == []
    for wrong in (object(), 5.5, "a\r\nb" if rule.place != "body" else 5):
        assert [path for path, _ in rule.problems(wrong, "x")] == ["x"]


def test_personal_values_are_in_no_message() -> None:
    psu_id = OPERATIONS["create_consent"].arguments["psu_id"]
    [(_, problem)] = psu_id.problems("191212121212\n", "psu_id")
    assert "1912" not in problem
    [(_, problem)] = OPERATIONS["get_aspsp_details"].arguments["bic_fi"].problems("SEB", "bic_fi")
    assert problem.endswith("not 'SEB'")
