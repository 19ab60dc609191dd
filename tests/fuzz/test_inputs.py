"""Arguments of every operation: none changes more of a request than its own place.

Whatever is passed, nothing is sent and an InvalidArgumentError names the argument, or exactly one request goes to the
right place and has the value intact.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import httpx
import pytest
from hypothesis import strategies as st
from openpayments_client.operations import OPERATIONS, Rule

from openpayments_facade import InvalidArgumentError, OpenPayments
from tests.described import arguments, bodies, endpoint, product_of, python_name, successes
from tests.fuzz.carrier import Carrier, check_text, is_at_home, known_of, response, said
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import cases_of, like, texts, things
from tests.tools.inventory import INVENTORY, Known


class Argument(NamedTuple):
    known: Known
    name: str
    rule: Rule
    given: dict[str, Any]


class Field(NamedTuple):
    known: Known
    given: dict[str, Any]
    path: tuple[str, ...]
    wire: tuple[str, ...]


def good(known: Known) -> Iterator[dict[str, Any]]:
    """The arguments of calls that work, one for each kind of body."""
    for body in bodies(known).values() or [None]:
        yield arguments(known) | ({} if body is None else {"body": body, **product_of(known, body)})


def fields(model: Any, path: tuple[str, ...] = (), wire: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any]]:
    for on_wire, name in model._fields.names:
        yield (*path, name), (*wire, on_wire)
        if hasattr(getattr(model, name), "_fields"):
            yield from fields(getattr(model, name), (*path, name), (*wire, on_wire))


ARGUMENTS = [
    Argument(known, name, rule, next(good(known)))
    for known in INVENTORY.values()
    for name, rule in OPERATIONS[python_name(known.name)].arguments.items()
]
FIELDS = [
    Field(known, given, *place)
    for known in INVENTORY.values()
    for given in good(known)
    if "body" in given
    for place in fields(given["body"])
]


def answer(request: httpx.Request) -> httpx.Response:
    known = known_of(request)
    return response(next(successes(known))) if known else httpx.Response(404)


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(answer)
    return carrier, carrier.client()


def sent(known: Known, given: dict[str, Any]) -> list[httpx.Request]:
    carrier, op = carried()
    carrier.requests.clear()
    op.call(endpoint(known), **given)
    return carrier.requests


BASE: dict[int, dict[Any, Any]] = {}


def base(known: Known, given: dict[str, Any], *, with_id: bool) -> dict[Any, Any]:
    """What the call with good arguments says."""
    if id(given) not in BASE:
        BASE[id(given)] = said(*sent(known, given), with_id=True)
    return {place: it for place, it in BASE[id(given)].items() if with_id or place != ("header", "x-request-id")}


def written(value: Any) -> str:
    """A value as it is sent in path, query and headers."""
    if isinstance(value, list | tuple):
        return ",".join(map(written, value))
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str.__str__(value)


def own_place(argument: Argument) -> tuple[Any, ...]:
    rule = argument.rule
    if rule.place == "path":
        template = ("/prefix" + argument.known.route.split()[1]).split("/")
        return "path", template.index(f"{{{rule.name}}}")
    return rule.place, rule.name if rule.place == "query" else rule.name.lower()


def differences(one: dict[Any, Any], other: dict[Any, Any]) -> set[Any]:
    return {place for place in one.keys() | other.keys() if one.get(place, ...) != other.get(place, ...)}


def check_refusal(error: InvalidArgumentError, names: set[str], value: object) -> None:
    assert carried()[0].requests == []
    assert error.argument in names
    check_text(error, value)


@functools.cache
def values(rule: Rule) -> st.SearchStrategy[Any]:
    """What could be passed as an argument: right values, wrong ones, and some that are nearly right."""
    if rule.format == "date":
        return st.dates() | things
    if rule.items is not None:
        return st.lists(values(rule.items), max_size=3) | things
    right = [st.from_regex(rule.pattern, fullmatch=True)] if rule.pattern else []
    return st.one_of(*map(like, rule.enum or [rule.example]), *right)


@fuzzed("inputs", 1500, 200_000, passed=cases_of({n: values(each.rule) for n, each in enumerate(ARGUMENTS)}))
def test_an_argument_changes_its_own_place_alone(passed: tuple[int, Any]) -> None:
    argument, value = ARGUMENTS[passed[0]], passed[1]
    known, name, rule, given = argument
    is_id = name == "x_request_id" and value is not None  # without one, each call gets a fresh one
    before = base(known, given, with_id=is_id)
    try:
        requests = sent(known, given | {name: value})
    except InvalidArgumentError as error:
        # a product that is not the body's is told of the body
        names = {name, "body"} if rule.place == "path" and "body" in given else {name}
        check_refusal(error, names, value if rule.is_personal else None)
        return
    [request] = requests
    assert is_at_home(request)
    after = said(request, with_id=is_id)
    place = own_place(argument)
    assert differences(before, after) <= {place}
    assert after.get(place) == (None if value is None else written(value))


def old(field: Field) -> Any:
    found = functools.reduce(getattr, field.path, field.given["body"])
    return found if isinstance(found, str | int | list | tuple) else "a text"


@fuzzed("inputs", 900, 90_000, passed=cases_of({n: like(old(each)) for n, each in enumerate(FIELDS)}))
def test_a_field_of_a_body_changes_itself_alone(passed: tuple[int, Any]) -> None:
    (known, given, path, wire), value = FIELDS[passed[0]], passed[1]
    body = copy.deepcopy(given["body"])
    setattr(functools.reduce(getattr, path[:-1], body), path[-1], value)
    try:
        requests = sent(known, given | {"body": body})
    except InvalidArgumentError as error:
        check_refusal(error, {"body", path[0]}, value)
        return
    [request] = requests
    assert is_at_home(request)
    after = said(request)
    place = ("body", *wire)
    changed = differences(base(known, given, with_id=False), after)
    # an object that was empty is none any more
    assert all(each[: len(place)] == place[: len(each)] for each in changed)
    if isinstance(value, str | bool | int):
        assert after.get(place) == value


@fuzzed("inputs", 100, 10_000, known=st.sampled_from([*INVENTORY.values()]), name=texts, value=things)
def test_an_argument_that_an_operation_does_not_have_is_refused(known: Known, name: str, value: Any) -> None:
    given = next(good(known))
    with pytest.raises(InvalidArgumentError):
        sent(known, given | {f"{name}!": value})
    assert carried()[0].requests == []
