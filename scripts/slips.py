"""Slips in a description: what YAML, the generator or scripts/operations.py would lose in silence, or crash on.

openapi-spec-validator knows OpenAPI; here is what it does not look at.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from jsonschema import Draft202012Validator
from openapi_python_client.strings import ClassName, PythonIdentifier
from openapi_spec_validator import OpenAPIV31SpecValidator

Place: TypeAlias = tuple[str | int, ...]
Slip: TypeAlias = tuple[Place, str]

YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C version is ten times as fast, but not always there
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# what models or rules are made of, and what is for readers alone
KEYWORDS = {
    *("$ref", "type", "format", "enum", "default", "anyOf", "allOf", "x-constants", "x-needed"),
    *("properties", "required", "additionalProperties", "items"),
    *("pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"),
    *("description", "examples", "deprecated", "if", "then", "else"),
}
# no rule holds conditions, only tests and `make contract` do
CONDITIONS = KEYWORDS | {"const", "not"}
# what each keyword says something about; rules and models ignore it at all else
OWNERS = {
    **{key: {"string"} for key in ("pattern", "minLength", "maxLength", "format", "enum")},
    **{key: {"array"} for key in ("items", "minItems", "maxItems")},
    **{key: {"integer", "number"} for key in ("minimum", "maximum")},
    **{key: {"object"} for key in ("properties", "required", "additionalProperties")},
}
# what the generator does not read
IGNORED = {"callbacks", "webhooks", "links", "pathItems", "encoding"}
# their keys are names, no keywords
NAMED = {"headers", "parameters", "requestBodies", "responses"}
# docs/operations.md needs them all
NEEDED = ("operationId", "summary", "security", "responses")
BODIES = {"application/json", "application/x-www-form-urlencoded"}
# generated code reads the first
ANSWERS: tuple[list[str], ...] = ([], ["application/json"], ["application/json", "application/problem+json"])
# each with a key of what it extends; schemas have theirs above
EXTENSIONS = {"x-shared": "openapi", "x-envelope": "responses", "x-body-by": "schema"}
FORMATS = {"date", "date-time", "password"}
DATELESS = {"pattern", "minLength", "maxLength", "enum"}
# what the generated code uses itself
CLASSES = {
    "Any",
    "AuthenticatedClient",
    "ClassVar",
    "Client",
    "Literal",
    "Mapping",
    "Model",
    "Response",
    "T",
    "TypeVar",
}
ATTRIBUTES = {
    "additional_keys",
    "additional_properties",
    "cast",
    "cls",
    "d",
    "field_dict",
    "from_dict",
    "prop",
    "prop_name",
    "read_date",
    "read_datetime",
    "short_repr",
    "src_dict",
    "to_dict",
    "to_json",
}
ARGUMENTS = {
    "body",
    "client",
    "cookies",
    "endpoint",
    "headers",
    "kwargs",
    "params",
    "quote",
    "response",
    "url",
    "uuid4",
}

_TAG = "tag:yaml.org,2002"
_JSON = {f"{_TAG}:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")}
_UNREADABLE = (AssertionError, AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
_META = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


@contextmanager
def careful(found: list[Slip]) -> Iterator[None]:
    """Turns an error within, of a description that nobody foresaw, into a slip at the last place that was known."""
    try:
        yield
    except _UNREADABLE as error:
        known = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
        places = [each[name] for each in known for name in ("where", "place") if isinstance(each.get(name), tuple)]
        if not found:
            found.append((places[-1][:9] if places else (), f"can't be read: {type(error).__name__}"))


def parse(file: Path) -> tuple[Any, yaml.Node | None, list[Slip]]:
    """What a file of YAML says, its nodes (which know their lines), and what YAML would lose of it."""
    content: Any = None
    node: yaml.Node | None = None
    found: list[Slip] = []
    with file.open("rb") as stream:
        loader = YAML_LOADER(stream)
        try:
            with careful(found):
                node = loader.get_single_node()
                found.extend(_yaml_slips(node) if node else ())
                content = loader.construct_document(node) if node and not found else None
        finally:
            loader.dispose()
    return content, node, found


def told(slips: Iterable[Slip], file: Path, node: yaml.Node | None) -> str:
    """A line for each slip, with its place."""
    lines = {}
    for place, text in slips:
        line = _line(node, place)
        lines[f"{file}:{line}: {_spelt(place)}: {text}"] = line
    return "\n".join(sorted(lines, key=lambda each: lines[each]))


def _spelt(place: Place) -> str:
    if place[:1] != ("paths",) or len(place) == 1:
        return f"#/{'/'.join(map(str, place))}"
    _, path, *rest = map(str, place)
    operation = [f"{rest.pop(0).upper()} {path}"] if rest and rest[0] in METHODS else [path]
    return " ".join([*operation, *(["/".join(rest)] if rest else [])])


def _line(node: Any, place: Place) -> int:
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            # the last one wins, for merged keys come first
            found = next((pair for pair in reversed(node.value) if pair[0].value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = (node.value[part], node.value[part])
        else:
            found = None
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _yaml_slips(root: yaml.Node) -> Iterator[Slip]:
    """Keys that are written twice, merged from two blocks, or are no text; what JSON does not know, such as dates."""
    waiting: list[tuple[Place, Any, frozenset[int]]] = [((), root, frozenset())]
    seen = set()
    while waiting:
        place, node, above = waiting.pop()
        if id(node) in above:
            yield place, "contains itself"
        if id(node) in seen:
            continue
        seen.add(id(node))
        below: list[tuple[Place, Any]] = []
        if node.tag not in _JSON:
            what = node.value if isinstance(node.value, str) else node.tag.removeprefix(f"{_TAG}:")
            yield place, f"{what} is no text; put it in quotes"
        if isinstance(node, yaml.SequenceNode):
            below = [((*place, number), each) for number, each in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if key.tag not in (f"{_TAG}:str", f"{_TAG}:merge"):
                    yield (*place, name), "a key that is no text; put it in quotes"
                if name in lines:
                    yield place, f"{name} is written twice, in lines {lines[name]} and {line}"
                lines[name] = line
                if key.tag == f"{_TAG}:merge" and isinstance(value, yaml.SequenceNode):
                    blocks = [block.value for block in value.value if isinstance(block, yaml.MappingNode)]
                    merged = Counter(str(each.value) for block in blocks for each, _ in block)
                    yield from (((*place, name), f"merges {each} twice") for each, times in merged.items() if times > 1)
                below.append(((*place, name), value))
        # in the order of the file, in which nothing but what contains itself leads back
        waiting += [(where, each, above | {id(node)}) for where, each in reversed(below)]


def crashes(content: Mapping[str, Any]) -> list[Slip]:
    """What no tool can read: references that lead nowhere or elsewhere, operations of one name."""
    found: list[Slip] = []
    with careful(found):
        found.extend(_crashes(content))
    return found


def _crashes(content: Mapping[str, Any]) -> Iterator[Slip]:
    if not isinstance(content.get("paths", {}), dict):
        yield ("paths",), "is no mapping"
    for path, item in _mapping(content.get("paths")).items():
        if not isinstance(item, dict):
            yield ("paths", path), "is no mapping"
        elif "$ref" in item:
            yield ("paths", path), "is a reference, which the generator ignores"
    named = ((where, operation.get("operationId")) for where, operation in operations(content))
    yield from _clashes(((where, str(name)) for where, name in named if name), python_name)
    nodes: list[tuple[Place, Any]] = [((), content)]
    for place, node in nodes:
        children = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
        nodes += [((*place, key), value) for key, value in children if key not in ("example", "examples")]
        if place[-1:] == ("$ref",) and isinstance(node, str):
            kind = _kind(place[:-1])
            if resolved(content, {"$ref": node}) is None:
                yield place[:-1], f"{node} does not exist"
            elif kind and node.rpartition("/")[0] != f"#/components/{kind}":
                yield place[:-1], f"{node} is none of components/{kind}"
            elif kind not in (None, "schemas") and place[0] == "components" and len(place) == 4:
                yield place[:-1], "is itself a reference, which the generator does not follow"


def _kind(place: Place) -> str | None:
    """The components that a reference at a place may lead to."""
    if "schema" in place or place[:2] == ("components", "schemas"):
        return "schemas"
    if place[-1:] == ("requestBody",):
        return "requestBodies"
    return next((str(part) for part in place[-2:-1] if part in NAMED), None)


def slips(content: Mapping[str, Any]) -> list[Slip]:
    """What is not OpenAPI or, if all of it is, what the generator would lose or misread."""
    errors: list[Slip] = []
    further: list[Slip] = []
    with careful(errors):
        for error in OpenAPIV31SpecValidator(content).iter_errors():
            text = error.message.splitlines()[0].replace("Unevaluated properties are not allowed", "unknown keyword")
            errors.append((tuple(error.absolute_path), text))
    # of an error in a schema, and of some others, the validator does not know the place
    placed = [each for each in errors if each[0] and each[0][0] in content]
    if not placed:
        with careful(further):
            further.extend(_further_slips(content))
    return placed or further or errors


def _further_slips(content: Mapping[str, Any]) -> Iterator[Slip]:
    yield from _of_operations(content)
    for place, node in _nodes(content, ()):
        for key in node if NAMED.isdisjoint(place[-1:]) else ():
            if key.startswith("x-") and EXTENSIONS.get(key) not in node:
                yield (*place, key), "unknown extension"
            if key in IGNORED:
                yield (*place, key), "is ignored by the generator"
        if place[-2:-1] in (("content",), ("parameters",)) and node.keys().isdisjoint({"schema", "$ref"}):
            yield place, "has no schema"
        if place[-2:-1] == ("responses",) and [*node.get("content", ())] not in ANSWERS:
            yield place, "must be application/json, or that and then application/problem+json; only the first is read"
        if place[-2:-1] == ("parameters",) and "schema" in node:
            yield from ((place, problem) for problem in _problems_of_parameter(content, node))
    schemas = content.get("components", {}).get("schemas", {})
    yield from _clashes(((("components", "schemas", name), name) for name in schemas), _module_name)
    for name in schemas:
        if class_name(name) in CLASSES:
            yield ("components", "schemas", name), f"{class_name(name)} has another meaning in generated code"
    for place, schema in _schemas(content):
        # a schema that is wrong in itself would crash what is below
        wrong = [*_META.iter_errors(schema)]
        yield from (((*place, *error.absolute_path), error.message) for error in wrong)
        yield from () if wrong else _of_schema(content, schema, place)


def _problems_of_parameter(content: Mapping[str, Any], parameter: Mapping[str, Any]) -> Iterator[str]:
    usual = "form" if parameter["in"] in ("query", "cookie") else "simple"
    if parameter.get("style", usual) != usual:
        yield f"is sent with style {usual}, whatever is written here"
    if "array" in types_of(content, parameter["schema"]) and (
        parameter["in"] != "query" or parameter.get("explode", True)
    ):
        yield "a list goes in a query alone, with commas; write explode: false"


def _of_operations(content: Mapping[str, Any]) -> Iterator[Slip]:
    schemes = content.get("components", {}).get("securitySchemes", {})
    declared = {each["name"] for each in content.get("tags", ())}
    tags: dict[str, Place] = {}
    for where, operation in operations(content):
        yield from ((where, f"has no {key}") for key in NEEDED if operation.get(key) in (None, "", {}))
        if len(operation.get("tags", ())) != 1:
            yield where, "must have one tag; the generator uses the first alone"
        elif (tag := operation["tags"][0]) not in declared:
            yield where, f"its tag, {tag}, is none of the description's tags"
        else:
            tags.setdefault(tag, where)
        for each in operation.get("security") or ():
            if len(each) != 1:
                yield where, "security: one scheme in each alternative; more are read as alternatives"
            for scheme, scopes in each.items():
                flows = schemes.get(scheme, {}).get("flows", {}).values()
                for scope in sorted({*scopes} - {scope for flow in flows for scope in flow["scopes"]}):
                    yield where, f"security: {scope} is no scope of {scheme}"
                if scheme not in schemes:
                    yield where, f"security: {scheme} is no scheme"
        if "x-envelope" in operation:
            answers = [
                types_of(content, answer["schema"])
                for status, response in operation.get("responses", {}).items()
                for answer in resolved(content, response).get("content", {}).values()
                if status.startswith("2")
            ]
            if not answers or not all("object" in types for types in answers):
                yield where, "x-envelope is for answers that are objects"
        found = [*parameters(content, where)]
        arguments = [*zip((place for place, *_ in found), argument_names(found), strict=True)]
        yield from _clashes(arguments, str)
        known = {name for _, name in arguments}
        for place, name in arguments:
            if name in ARGUMENTS | _loop_variables(known) | {f"json_{other}" for other in known}:
                yield place, f"{name} has another meaning in the code of its operation"
        body = resolved(content, operation.get("requestBody", {}))
        if len(media_types := body.get("content", {"": {}})) != 1:
            yield where, "must have one media type for its body; operations.py would have the first alone"
        for name in sorted(media_types.keys() - BODIES - {""}):
            yield where, f"a body can't be {name}"
        for media_type in media_types.values():
            members = media_type.get("schema", {}).get("anyOf", ())
            known = {member.get("$ref", "").rpartition("/")[2] for member in members}
            for argument, schemas in media_type.get("x-body-by", {}).items():
                if argument not in {each["name"] for _, _, each in found}:
                    yield where, f"x-body-by names {argument}, which is no parameter"
                for schema in sorted({*schemas.values()} - known):
                    yield where, f"x-body-by names {schema}, which is none of the body's alternatives"
    yield from _clashes(((where, tag) for tag, where in tags.items()), python_name, "its tag's name")


def _of_schema(content: Mapping[str, Any], schema: Any, place: Place, is_condition: bool = False) -> Iterator[Slip]:
    if not isinstance(schema, dict):
        yield place, f"{str(schema).lower()} is no schema that a model or a rule can be made of"
        return
    for key in sorted(schema.keys() - (CONDITIONS if is_condition else KEYWORDS)):
        yield (*place, key), "unknown keyword"
    if "$ref" in schema and len(schema) > 1:
        yield place, "what stands beside $ref is ignored"
    properties = schema.get("properties", {})
    if not is_condition:
        yield from ((place, problem) for problem in _problems_of(content, schema, place))
        yield from _clashes((((*place, "properties", name), name) for name in properties), python_name)
        lists = {python_name(name) for name, below in properties.items() if "array" in types_of(content, below)}
        checks = {f"check_{_module_name(each)}" for each in re.findall(r"#/components/schemas/(\w+)", str(properties))}
        for name in properties:
            if python_name(name) in ATTRIBUTES | _loop_variables(lists) | checks or (
                len(place) == 3 and python_name(name) == _module_name(str(place[-1]))
            ):
                yield (*place, "properties", name), f"{python_name(name)} has another meaning in the code of its model"
    for key in ("items", "additionalProperties", "if", "then", "else", "not"):
        if key in schema and (key != "additionalProperties" or isinstance(schema[key], dict)):
            is_one = is_condition or key in ("if", "then", "else", "not")
            yield from _of_schema(content, schema[key], (*place, key), is_one)
    for key, below in properties.items():
        yield from _of_schema(content, below, (*place, "properties", key), is_condition)
    for key in ("anyOf", "allOf"):
        for number, below in enumerate(schema.get(key, ())):
            yield from _of_schema(content, below, (*place, key, number), is_condition)


def _problems_of(content: Mapping[str, Any], schema: Mapping[str, Any], place: Place) -> Iterator[str]:
    if schema.get("format", "date") not in FORMATS:
        yield f"unknown format {schema['format']}"
    types = types_of(content, schema) - {"null"}
    is_date = schema.get("format", "").startswith("date")
    for key, owners in OWNERS.items():
        if key in schema and types and (owners.isdisjoint(types) or (is_date and key in DATELESS)):
            yield f"{key} says nothing about {'a date' if is_date else ' or '.join(sorted(types))}"
    if "array" in schema.get("type", "") and "items" not in schema:
        yield "a list without items"
    if schema.get("enum") == []:
        yield "an enum without values"
    constants = schema.get("x-constants", {})
    inherited = {python_name(name) for name in _properties(content, schema)} if constants else set()
    for name, value in constants.items():
        if not isinstance(value, str) or python_name(name) in inherited:
            yield f"x-constants: {name} must be a new name, and its value a text"
    if (is_model(schema) or "enum" in schema) and len(place) > 3:
        yield "an object or enum without a name; make it a component"
    if not all(isinstance(value, str) for value in schema.get("enum", ())):
        yield "an enum of what is no text; put its values in quotes"
    for name in schema.get("required", ()):
        if is_model(schema) and name not in schema.get("properties", {}):
            yield f"requires {name}, which is none of its properties"
    for name in schema.get("x-needed", ()):
        if name not in schema.get("properties", {}):
            yield f"x-needed names {name}, which is none of its properties"
    base = schema.get("allOf", [{"$ref": ""}])
    if ("allOf" in schema) != ("x-constants" in schema) or [[*each] for each in base] != [["$ref"]]:
        yield "allOf is for x-constants, with one reference; write the properties of others out"


def operations(content: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Each operation, with its place."""
    for path, item in _mapping(content.get("paths")).items():
        for method in METHODS:
            if isinstance(operation := _mapping(item).get(method), dict):
                yield ("paths", path, method), operation


def parameters(
    content: Mapping[str, Any], where: Place
) -> Iterator[tuple[Place, Mapping[str, Any], Mapping[str, Any]]]:
    """Of each parameter of an operation the place, what is written there, and what that refers to.

    One of the operation itself stands for one of its path that has the same name.
    """
    _, path, method = where
    item, own = content["paths"][path], set()
    for place, node in ((where, item[method]), (where[:2], item)):
        for number, written in enumerate(node.get("parameters", ())):
            parameter = resolved(content, written)
            key = (parameter["name"], parameter["in"])
            if node is not item:
                own.add(key)
            if node is not item or key not in own:
                yield (*place, "parameters", number), written, parameter


def argument_names(found: Sequence[tuple[Place, Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """What the parameters of an operation are called in Python; the place tells apart those of the same name."""
    names = [python_name(parameter["name"]) for _, _, parameter in found]
    return [
        f"{name}_{parameter['in']}" if names.count(name) > 1 else name
        for name, (_, _, parameter) in zip(names, found, strict=True)
    ]


def resolved(content: Mapping[str, Any], node: Any) -> Any:
    """What a reference leads to; None if it leads nowhere."""
    for _ in range(9):  # some lead to others, and a circle nowhere
        if not isinstance(node, dict) or "$ref" not in node:
            return node
        target: Any = content
        for part in node["$ref"].removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            target = target.get(key) if isinstance(target, dict) else None
        node = target
    return None


def types_of(content: Mapping[str, Any], schema: Any) -> set[str]:
    """The types that a value may have, as far as they are said."""
    schema = _mapping(resolved(content, schema))
    types = schema.get("type", [])
    members = [member for key in ("anyOf", "allOf") for member in schema.get(key, ())]
    return {*([types] if isinstance(types, str) else types)}.union(*(types_of(content, each) for each in members))


def _properties(content: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of the model that one with constants extends."""
    return {
        name: each
        for base in schema.get("allOf", ())[:1]
        for name, each in resolved(content, base)["properties"].items()
    }


def _loop_variables(lists: Iterable[str]) -> set[str]:
    """What generated code calls the items of lists of these names, and of lists in them."""
    return {f"{name}{end}" for name in lists for end in ("_item", "_item_data", "_item_item", "_item_item_data")}


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, dict) else {}


def is_model(schema: Mapping[str, Any]) -> bool:
    """Whether a schema is that of an object, so that it has to become a class."""
    return "properties" in schema or "object" in schema.get("type", "")


def python_name(name: str) -> str:
    """The name of an operation, argument or attribute."""
    return PythonIdentifier(name, "")


def class_name(schema: str) -> str:
    """The name of a schema's class."""
    return ClassName(schema, "")


def _module_name(schema: str) -> str:
    return python_name(class_name(schema))


def _clashes(
    names: Iterable[tuple[Place, str]], convert: Callable[[str], str], what: str = "its name"
) -> Iterator[Slip]:
    first: dict[str, Place] = {}
    for place, name in names:
        if (python := convert(name)) in first:
            yield place, f"{what} in Python, {python}, is that of {_spelt(first[python])}"
        if not python.isidentifier():
            yield place, f"{what} can't be one in Python: {name}"
        first.setdefault(python, place)


def _nodes(node: Any, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every object outside of schemas and examples."""
    if isinstance(node, dict):
        yield place, node
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, below in children:
        if key not in ("example", "examples", "schema") and place != ("components", "schemas"):
            yield from _nodes(below, (*place, key))


def _schemas(content: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The schemas of components, parameters, headers and media types."""
    for place, node in _nodes(content, ()):
        if place == ("components", "schemas"):
            yield from (((*place, name), schema) for name, schema in node.items())
        elif "schema" in node:
            yield (*place, "schema"), node["schema"]
