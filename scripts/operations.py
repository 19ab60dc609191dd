"""Writes operations.py of the generated package: a table of what the description says about each operation.

The generator itself ignores scopes and hosts, and drops patterns, lengths and examples of what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.slips import (
    Place,
    Slip,
    argument_names,
    class_name,
    is_model,
    operations,
    parameters,
    python_name,
    resolved,
)

BOUND = ("X-BicFi", "PSU-", "TPP-")


class Table:
    """Renders the description's operations, parameters and request models as Python."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._models: dict[str, dict[str, str]] = {}
        servers = content.get("servers", ())
        self._production = {server["url"] for server in servers if server.get("description") == "Production"}
        self.slips: list[Slip] = []
        """What `render` found that a rule can't say."""

    def render(self) -> str:
        """The tables, to be formatted."""
        operations = dict(self._operations())
        lines = ["_PARAMETERS: Final[Mapping[str, Rule]] = {"]
        for key, parameter in self._content.get("components", {}).get("parameters", {}).items():
            lines.append(f"{key!r}: {self._parameter(parameter, ('components', 'parameters', key))},")
        lines += ["}", "MODELS: Final[Mapping[str, Mapping[str, Rule]]] = {"]
        for model, fields in sorted(self._models.items()):
            lines.append(f"{model!r}: {{{', '.join(f'{name!r}: {rule}' for name, rule in fields.items())}}},")
        lines += ["}", '"""The models of request bodies, by class and field."""', ""]
        lines.append("OPERATIONS: Final[Mapping[str, Operation]] = {")
        lines += [f"{name!r}: {operation}," for name, operation in operations.items()]
        lines += ["}", '"""All operations, by the names of their modules in `openpayments_client.api`."""', ""]
        return "\n".join(lines)

    def _operations(self) -> Iterator[tuple[str, str]]:
        for where, operation in operations(self._content):
            _, path, method = where
            item = self._content["paths"][path]
            scopes = tuple(tuple(each) for wanted in operation.get("security", ()) for each in wanted.values())
            # path parameters first, in the order of the path, as the generated functions take them
            found = sorted(parameters(self._content, where), key=lambda found: _position(found[2], str(path)))
            named = zip(argument_names(found), found, strict=True)
            arguments = ", ".join(f"{name!r}: {self._argument(*each)}" for name, each in named)
            said = (str(method).upper(), path, operation["tags"][0], operation.get("summary", ""), scopes)
            parts = [*map(repr, said), f"{{{arguments}}}"]
            if body := resolved(self._content, operation.get("requestBody", {})):
                [media_type] = body["content"].values()
                about = {"required": body.get("required", False)}
                parts.append(f"body={self._rule(media_type['schema'], 'body', 'body', about, where)}")
                if by := media_type.get("x-body-by"):
                    classes = {
                        python_name(name): {value: class_name(schema) for value, schema in schemas.items()}
                        for name, schemas in by.items()
                    }
                    parts.append(f"body_by={classes!r}")
            if envelope := operation.get("x-envelope"):
                parts.append(f"envelope={envelope!r}")
            served = {server["url"] for server in operation.get("servers", item.get("servers", ()))}
            if served and served <= self._production:
                parts.append("production_only=True")
            yield python_name(operation["operationId"]), f"Operation({', '.join(parts)})"

    def _argument(self, where: Place, written: Mapping[str, Any], parameter: Mapping[str, Any]) -> str:
        reference = written.get("$ref", "").rpartition("/")[2]
        return f"_PARAMETERS[{reference!r}]" if reference else self._parameter(parameter, where)

    def _parameter(self, parameter: Mapping[str, Any], where: Place) -> str:
        schema = {"description": parameter.get("description"), **resolved(self._content, parameter["schema"])}
        return self._rule(schema, parameter["name"], parameter["in"], parameter, where)

    def _rule(self, schema: Mapping[str, Any], name: str, place: str, about: Mapping[str, Any], where: Place) -> str:
        alternatives = self._alternatives(schema)
        schema = alternatives[0][1]
        types = schema.get("type", "")
        kind, *others = [types] if isinstance(types, str) else [each for each in types if each != "null"]
        models = {key: found for key, found in alternatives if key and is_model(found)}
        if others or "type" not in schema or len(alternatives) > max(1, len(models)):
            self.slips.append((where, f"no rule can say what {name} may be: one type, one enum, or models"))
        examples = schema.get("examples") or [None]
        values = {
            "required": about.get("required", False),
            "format": schema.get("format"),
            "enum": tuple(schema.get("enum", ())),
            "pattern": schema.get("pattern"),
            "min_length": schema.get("minLength", schema.get("minItems")),
            "max_length": schema.get("maxLength", schema.get("maxItems")),
            "minimum": schema.get("minimum"),
            "maximum": schema.get("maximum"),
            "models": tuple(map(class_name, models)),
            "meaning": schema.get("description") if schema.get("pattern") else None,
            "example": about.get("example", examples[0]) if kind != "array" else None,
        }
        # a minimum of 0 says something, as opposed to what is absent
        given = {key: value for key, value in values.items() if not (value is None or value is False or value == ())}
        said = [repr(name), repr(place), repr(kind), *(f"{key}={value!r}" for key, value in given.items())]
        if kind == "array":
            said.append(f"items={self._rule(schema['items'], name, place, {}, where)}")
        for model, found in models.items():
            self._read_model(model, found)
        return f"Rule({', '.join(said)})"

    def _read_model(self, key: str, schema: Mapping[str, Any]) -> None:
        if class_name(key) in self._models:
            return
        fields = self._models[class_name(key)] = {}
        if isinstance(schema.get("additionalProperties"), dict):
            self.slips.append((("components", "schemas", key), "no rule can hold what additionalProperties says"))
        for name, field in schema.get("properties", {}).items():
            about = {"required": name in schema.get("required", ())}
            where = ("components", "schemas", key, "properties", name)
            fields[python_name(name)] = self._rule(field, name, "body", about, where)

    def _alternatives(self, schema: Mapping[str, Any], key: str = "") -> list[tuple[str, Mapping[str, Any]]]:
        """What a value may be besides null, each with the key of its component. An open enum is a string."""
        if reference := schema.get("$ref"):
            return self._alternatives(resolved(self._content, schema), reference.rpartition("/")[2])
        members = [member for member in schema.get("anyOf", ()) if member != {"type": "null"}]
        if not members:
            return [(key, schema)]
        rest = {name: value for name, value in schema.items() if name != "anyOf"}
        known = [resolved(self._content, member) for member in members if member != {"type": "string"}]
        if len(known) < len(members) and all("enum" in each for each in known):
            return [("", {**rest, "type": "string"})]
        return [(key, {**found, **rest}) for member in members for key, found in self._alternatives(member)]


def is_given_by_a_bank(parameter: Mapping[str, Any]) -> bool:
    """Whether a client binds it to a bank and a user, so that calls need not repeat it even if it is required."""
    return parameter["in"] == "header" and str(parameter["name"]).startswith(BOUND)


def _position(parameter: Mapping[str, Any], path: str) -> int:
    return path.index(f"{{{parameter['name']}}}") if parameter["in"] == "path" else len(path)
