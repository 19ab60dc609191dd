"""Slips in a description: what YAML, the generator or scripts/operations.py would lose in silence, or crash on.

openapi-spec-validator knows OpenAPI; here is what it does not look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    *("$ref", "type", "format", "enum", "default", "anyOf", "allOf", "x-constants"),
    *("properties", "required", "additionalProperties", "items"),
    *("pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"),
    *("description", "examples", "deprecated", "if", "then", "else"),
}
# no rule holds conditions, only tests and `make contract` do
CONDITIONS = KEYWORDS | {"const", "not"}
# each with a key of what it extends; schemas have theirs above
EXTENSIONS = {"x-shared": "openapi", "x-envelope": "responses", "x-body-by": "schema"}
FORMATS = {"date", "date-time", "password"}
# what the generated code uses itself
CLASSES = {"Any", "AuthenticatedClient", "ClassVar", "Client", "Literal", "Mapping", "Response", "T", "TypeVar"}
ATTRIBUTES = {
    "additional_keys",
    "additional_properties",
    "cast",
    "cls",
    "d",
    "field_dict",
    "from_dict",
    "src_dict",
    "to_dict",
}

_TAG = "tag:yaml.org,2002"
_META = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def parse(file: Path) -> tuple[Any, yaml.Node | None, list[Slip]]:
    """What a file of YAML says, its nodes (which know their lines), and what YAML would lose of it."""
    with file.open("rb") as stream:
        loader = YAML_LOADER(stream)
        try:
            node = loader.get_single_node()
            found = [] if node is None else [*_yaml_slips(node)]
            return None if node is None else loader.construct_document(node), node, found
        finally:
            loader.dispose()


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
    """Keys that are written twice, merged from two blocks, or are no text; dates, which JSON does not know."""
    waiting: list[tuple[Place, Any]] = [((), root)]
    seen = set()
    for place, node in waiting:
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += [((*place, number), each) for number, each in enumerate(node.value)]
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
                    merged = Counter(str(each.value) for block in value.value for each, _ in block.value)
                    yield from (((*place, name), f"merges {each} twice") for each, times in merged.items() if times > 1)
                waiting.append(((*place, name), value))
        elif node.tag == f"{_TAG}:timestamp":
            yield place, f"{node.value} is no text; put it in quotes"


def crashes(content: Mapping[str, Any]) -> Iterator[Slip]:
    """What no tool can read: references that lead nowhere, operations of one name."""
    for path, item in (content.get("paths") or {}).items():
        if "$ref" in (item or {}):
            yield ("paths", path), "is a reference, which the generator ignores"
    named = ((where, operation.get("operationId")) for where, operation in operations(content))
    yield from _clashes(((where, str(name)) for where, name in named if name), str)
    nodes: list[tuple[Place, Any]] = [((), content)]
    for place, node in nodes:
        children = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
        nodes += [((*place, key), value) for key, value in children if key not in ("example", "examples")]
        if place[-1:] == ("$ref",) and isinstance(node, str) and resolved(content, {"$ref": node}) is None:
            yield place[:-1], f"{node} does not exist"


def slips(content: Mapping[str, Any]) -> list[Slip]:
    """What is not OpenAPI or, if all of it is, what the generator would lose or misread."""
    errors = [
        (
            tuple(error.absolute_path),
            error.message.splitlines()[0].replace("Unevaluated properties are not allowed", "unknown keyword"),
        )
        for error in OpenAPIV31SpecValidator(content).iter_errors()
    ]
    # of an error in a schema the validator does not know the place
    return [each for each in errors if not each[0] or each[0][0] in content] or [*_further_slips(content)] or errors


def _further_slips(content: Mapping[str, Any]) -> Iterator[Slip]:
    yield from _of_operations(content)
    for place, node in _nodes(content, ()):
        for key in node if place[-1:] != ("headers",) else ():
            if key.startswith("x-") and EXTENSIONS.get(key) not in node:
                yield (*place, key), "unknown extension"
        if place[-2:-1] in (("content",), ("parameters",)) and node.keys().isdisjoint({"schema", "$ref"}):
            yield place, "has no schema"
    schemas = content.get("components", {}).get("schemas", {})
    yield from _clashes(((("components", "schemas", name), name) for name in schemas), _module_name)
    for name in schemas:
        if class_name(name) in CLASSES:
            yield ("components", "schemas", name), f"{class_name(name)} has another meaning in generated code"
    for place, schema in _schemas(content):
        # a schema that is wrong in itself would crash what is below
        wrong = [*_META.iter_errors(schema)]
        yield from (((*place, *error.absolute_path), error.message) for error in wrong)
        yield from () if wrong else _of_schema(schema, place)


def _of_operations(content: Mapping[str, Any]) -> Iterator[Slip]:
    tags: dict[str, Place] = {}
    names: list[tuple[Place, str]] = []
    for where, operation in operations(content):
        if name := operation.get("operationId"):
            names.append((where, name))
        else:
            yield where, "has no operationId"
        if len(operation.get("tags", ())) == 1:
            tags.setdefault(operation["tags"][0], where)
        else:
            yield where, "must have one tag; the generator uses the first alone"
        found = [*parameters(content, where)]
        yield from _clashes(zip((place for place, *_ in found), argument_names(found), strict=True), str)
        body = resolved(content, operation.get("requestBody", {}))
        if len(media_types := body.get("content", {"": {}})) != 1:
            yield where, "must have one media type for its body; operations.py would have the first alone"
        for media_type in media_types.values():
            members = media_type.get("schema", {}).get("anyOf", ())
            known = {member.get("$ref", "").rpartition("/")[2] for member in members}
            for argument, schemas in media_type.get("x-body-by", {}).items():
                if argument not in {each["name"] for _, _, each in found}:
                    yield where, f"x-body-by names {argument}, which is no parameter"
                for schema in sorted({*schemas.values()} - known):
                    yield where, f"x-body-by names {schema}, which is none of the body's alternatives"
    yield from _clashes(names, python_name)
    yield from _clashes(((where, tag) for tag, where in tags.items()), python_name, "its tag's name")


def _of_schema(schema: Mapping[str, Any], place: Place, is_condition: bool = False) -> Iterator[Slip]:
    for key in sorted(schema.keys() - (CONDITIONS if is_condition else KEYWORDS)):
        yield (*place, key), "unknown keyword"
    if "$ref" in schema and len(schema) > 1:
        yield place, "what stands beside $ref is ignored"
    properties = schema.get("properties", {})
    if not is_condition:
        yield from ((place, problem) for problem in _problems_of(schema, place))
        yield from _clashes((((*place, "properties", name), name) for name in properties), python_name)
        for name in properties:
            if python_name(name) in ATTRIBUTES or (
                len(place) == 3 and python_name(name) == _module_name(str(place[-1]))
            ):
                yield (*place, "properties", name), f"{python_name(name)} has another meaning in the code of its model"
    for key in ("items", "additionalProperties", "if", "then", "else", "not"):
        if isinstance(below := schema.get(key), dict):
            yield from _of_schema(below, (*place, key), is_condition or key in ("if", "then", "else", "not"))
    for key, below in properties.items():
        yield from _of_schema(below, (*place, "properties", key), is_condition)
    for key in ("anyOf", "allOf"):
        for number, below in enumerate(schema.get(key, ())):
            yield from _of_schema(below, (*place, key, number), is_condition)


def _problems_of(schema: Mapping[str, Any], place: Place) -> Iterator[str]:
    if schema.get("format", "date") not in FORMATS:
        yield f"unknown format {schema['format']}"
    if (is_model(schema) or "enum" in schema) and len(place) > 3:
        yield "an object or enum without a name; make it a component"
    if not all(isinstance(value, str) for value in schema.get("enum", ())):
        yield "an enum of what is no text; put its values in quotes"
    for name in schema.get("required", ()):
        if is_model(schema) and name not in schema.get("properties", {}):
            yield f"requires {name}, which is none of its properties"
    base = schema.get("allOf", [{"$ref": ""}])
    if ("allOf" in schema) != ("x-constants" in schema) or [[*each] for each in base] != [["$ref"]]:
        yield "allOf is for x-constants, with one reference; write the properties of others out"


def operations(content: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Each operation, with its place."""
    for path, item in (content.get("paths") or {}).items():
        for method in METHODS:
            if isinstance(operation := (item or {}).get(method), dict):
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
