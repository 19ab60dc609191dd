"""Docstrings are complete, as griffe reads them for the reference: parameters, results, errors, attributes."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pkgutil import resolve_name
from textwrap import dedent, indent
from typing import Any

import griffe

from openpayments_facade import errors
from scripts.docs_reference import EXAMPLE, halves
from scripts.public_names import LISTING

PACKAGE = "openpayments_facade"
# without a section about it, since these neither send nor check anything; sync and async
RAISE_NOTHING = """
    Authorisation.to_dict Authorisation.to_json Challenge.of CreatedPayment.of Fault.answer Fault.matches Fault.spoil
    MemoryStore.get MemoryStore.reset MemoryStore.set Misbehaviour.cancel OpenPayments.aclose OpenPayments.close
    Psu.headers Psu.values RedisStore.close Simulator.behave Simulator.complete_kyc Simulator.reset
    Simulator.revoke_tokens Simulator.stop TokenStore.get TokenStore.set Transactions.bankgiro UserToken.to_dict
    UserToken.to_json Value.to_dict Value.to_json environments.is_loopback request_ids.new_request_id tokens.forget_all
    views.account_number
"""


@cache
def packages() -> griffe.ModulesCollection:
    """The facade and the generated client, as the reference reads them."""
    loader = griffe.GriffeLoader(search_paths=sys.path, docstring_parser="google", allow_inspection=False)
    for name in (PACKAGE, "openpayments_client"):
        loader.load(name)
    loader.resolve_aliases(implicit=True)
    return loader.modules_collection


def names() -> list[str]:
    """The public names, each once, without those of generated code."""
    listed = (re.match(r"([\w.]+\b)(?:\[\w+\])?", line) for line in LISTING.read_text("utf-8").splitlines())
    return [name for found in listed if found and found[0].startswith(PACKAGE) for name in (found[1], found[0])]


def look_up(name: str) -> griffe.Object:
    """What a name stands for, maybe in a base class."""
    first, *parts = re.split(r"[.\[]", name.rstrip("]"))
    here: Any = packages()[first]
    for part in parts:
        members = here.all_members if here.is_class else here.members
        here = members[part]
        here = here.final_target if here.is_alias else here
    found: griffe.Object = here
    return found


@cache
def objects() -> dict[str, griffe.Object]:
    """What the public names stand for. Reading it takes as long as many tests."""
    found = {name: look_up(name) for name in names()}
    return {name: each for name, each in found.items() if not each.canonical_path.startswith("openpayments_client")}


def functions() -> set[griffe.Function]:
    return {found for found in objects().values() if isinstance(found, griffe.Function)}


def classes() -> set[griffe.Class]:
    return {found for found in objects().values() if isinstance(found, griffe.Class)}


def sections(found: griffe.Object) -> dict[str, Any]:
    if found.docstring is None:
        return {}
    return {section.kind.value: section.value for section in found.docstring.parse("google", warnings=False)}


def described(found: griffe.Object, *kinds: str) -> list[str]:
    return [each.name for kind in kinds for each in sections(found).get(kind, [])]


def options() -> list[str]:
    return described(objects()[f"{PACKAGE}.OpenPayments"], "parameters")


def of_class_and_bases(found: griffe.Class) -> list[str]:
    return [name for each in (found, *found.mro()) for name in described(each, "attributes", "parameters")]


def parameters(found: griffe.Function) -> list[str]:
    return [each.name for each in found.parameters if each.name not in ("self", "cls")]


def is_fixture(found: griffe.Function) -> bool:
    return any(str(each.value) == "pytest.fixture" for each in found.decorators)


def raised(found: griffe.Object) -> list[str]:
    return [
        name
        for each in sections(found).get("raises", [])
        for name in re.split(r",\s*", str(each.annotation).strip("()"))
    ]


def place(found: griffe.Object) -> str:
    return f"{found.relative_filepath}:{found.lineno} {found.path}"


def test_every_public_name_says_what_it_is() -> None:
    silent = set()
    for name, found in objects().items():
        owner = objects().get(re.split(r"[.\[]\w+\]?$", name)[0])
        told = of_class_and_bases(owner) if isinstance(owner, griffe.Class) else []
        if not found.docstring and found.name not in told and not (name.endswith("]") and found.name in options()):
            silent.add(name)
    enums = [each for each in classes() if "StrEnum" in map(str, each.bases)]
    silent |= {member.path for each in enums for member in each.attributes.values() if not member.docstring}
    assert silent == set()
    assert enums


def test_every_function_describes_its_arguments() -> None:
    told = {place(each): described(each, "parameters") for each in functions()}
    # pytest gives fixtures their arguments
    assert told == {place(each): [] if is_fixture(each) else parameters(each) for each in functions()}


def test_every_function_describes_its_result() -> None:
    told = {place(each): bool({"returns", "yields"} & sections(each).keys()) for each in functions()}
    assert told == {place(each): str(each.returns) not in ("None", "NoReturn") for each in functions()}


def test_every_function_says_what_it_raises() -> None:
    ends = {
        each: ".".join(each.path.split(".")[-2:]).removeprefix("Async") for each in functions() if not is_fixture(each)
    }
    silent = {end for each, end in ends.items() if "raises" not in sections(each)}
    assert silent == {*RAISE_NOTHING.split()}


def test_every_class_describes_its_fields() -> None:
    for found in classes():
        told, init = of_class_and_bases(found), found.members.get("__init__")
        if isinstance(init, griffe.Function) and "parameters" in sections(found):
            assert described(found, "parameters") == parameters(init), place(found)
        fields = [
            name
            for name, member in found.members.items()
            if isinstance(member, griffe.Attribute) and member.annotation and not name.startswith("_")
            if "property" not in member.labels and not member.docstring
        ]
        told += options() if found.name.endswith("Options") else []
        assert [name for name in fields if name not in told] == [], place(found)
        known = {*found.all_members, *(parameters(init) if isinstance(init, griffe.Function) else ())}
        assert {*described(found, "attributes", "parameters")} <= known, place(found)


def test_the_examples_are_python_and_async_in_the_async_half_alone() -> None:
    examples = {
        (place(found), dedent(example), "._async." in found.path)
        for found in objects().values()
        for example in (EXAMPLE.findall(halves(found.docstring)[0]) if found.docstring else ())
    }
    assert len(examples) > 40
    for where, example, is_async in examples:
        if "├──" in example:  # the tree of the errors
            continue
        ast.parse("async def example():\n" + indent(example, "    "), where)
        assert is_async or not re.search(r"\b(await|async|Async\w+)\b", example), where


def test_the_errors_exist() -> None:
    for found in (*functions(), *classes()):
        for name in raised(found):
            if name not in errors.__all__:
                assert issubclass(resolve_name(name if "." in name else f"builtins.{name}"), Exception), place(found)
