"""Writes operations.py of the generated package: a table of what the description says about each operation.

The generator itself ignores scopes, and drops patterns, lengths and examples of parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier

# a client binds these to a bank and a user, so callers need not repeat them even if they are required
BOUND = ("X-BicFi", "PSU-", "TPP-")


class Table:
    """Renders the description's operations, parameters and request models as Python."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._models: dict[str, dict[str, str]] = {}

    def render(self) -> str:
        """The tables, to be formatted."""
        operations = dict(self._operations())
        lines = ["_PARAMETERS: Final[Mapping[str, Rule]] = {"]
        for key, parameter in self._content["components"].get("parameters", {}).items():
            lines.append(f"{key!r}: {self._parameter(parameter)},")
        lines += ["}", "MODELS: Final[Mapping[str, Mapping[str, Rule]]] = {"]
        for model, fields in sorted(self._models.items()):
            lines.append(f"{model!r}: {{{', '.join(f'{name!r}: {rule}' for name, rule in fields.items())}}},")
        lines += ["}", '"""The models of request bodies, by class and field."""', ""]
        lines.append("OPERATIONS: Final[Mapping[str, Operation]] = {")
        lines += [f"{name!r}: {operation}," for name, operation in operations.items()]
        lines += ["}", '"""All operations, by the names of their modules in `openpayments_client.api`."""', ""]
        return "\n".join(lines)

    def _operations(self) -> Iterator[tuple[str, str]]:
        for item in self._content["paths"].values():
            for operation in item.values():
                if not isinstance(operation, dict):
                    continue
                scopes = tuple(tuple(each) for wanted in operation.get("security", ()) for each in wanted.values())
                parameters = [*operation.get("parameters", ()), *item.get("parameters", ())]
                parameters.sort(key=lambda parameter: self._resolve(parameter)["in"] != "path")
                arguments = ", ".join(map(self._argument, parameters))
                parts = [f"{scopes!r}", f"{{{arguments}}}"]
                if body := self._resolve(operation.get("requestBody", {})):
                    media_type = next(iter(body["content"].values()))
                    rule = self._rule(media_type["schema"], "body", "body", {"required": body.get("required", False)})
                    parts.append(f"body={rule}")
                if envelope := operation.get("x-envelope"):
                    parts.append(f"envelope={envelope!r}")
                yield self._python_name(operation["operationId"]), f"Operation({', '.join(parts)})"

    def _argument(self, parameter: Mapping[str, Any]) -> str:
        name = self._python_name(self._resolve(parameter)["name"])
        reference = parameter.get("$ref", "").rpartition("/")[2]
        return f"{name!r}: " + (f"_PARAMETERS[{reference!r}]" if reference else self._parameter(parameter))

    def _parameter(self, parameter: Mapping[str, Any]) -> str:
        schema = {"description": parameter.get("description"), **self._resolve(parameter["schema"])}
        return self._rule(schema, parameter["name"], parameter["in"], parameter)

    def _rule(self, schema: Mapping[str, Any], name: str, place: str, about: Mapping[str, Any]) -> str:
        model = self._model_of(schema)
        schema = self._resolve(schema)
        types = schema.get("type", "string")
        kind = types if isinstance(types, str) else next(each for each in types if each != "null")
        examples = schema.get("examples") or [None]
        values = {
            "required": about.get("required", False),
            "format": schema.get("format"),
            "enum": tuple(schema.get("enum", ())),
            "pattern": schema.get("pattern"),
            "min_length": schema.get("minLength", schema.get("minItems")),
            "max_length": schema.get("maxLength"),
            "minimum": schema.get("minimum"),
            "model": model if kind == "object" else None,
            "meaning": schema.get("description") if schema.get("pattern") else None,
            "example": about.get("example", examples[0]) if kind != "array" else None,
        }
        # a minimum of 0 says something, as opposed to what is absent
        given = {key: value for key, value in values.items() if not (value is None or value is False or value == ())}
        said = [repr(name), repr(place), repr(kind), *(f"{key}={value!r}" for key, value in given.items())]
        if kind == "array":
            said.append(f"items={self._rule(schema['items'], name, place, {})}")
        if kind == "object" and model is not None:
            self._read_model(model, schema)
        return f"Rule({', '.join(said)})"

    def _read_model(self, model: str, schema: Mapping[str, Any]) -> None:
        if model in self._models:
            return
        fields = self._models[model] = {}
        for name, field in schema.get("properties", {}).items():
            about = {"required": name in schema.get("required", ())}
            fields[self._python_name(name)] = self._rule(field, name, "body", about)

    def _resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The target of a reference; the other member of a union with null or with any string."""
        if "$ref" in node:
            target: Any = self._content
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return self._resolve(target)
        members = [member for member in node.get("anyOf", ()) if member != {"type": "null"}]
        if not members:
            return node
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        if {"type": "string"} in members:  # an open enum
            return {**rest, "type": "string"}
        return {**self._resolve(members[0]), **rest}

    def _model_of(self, schema: Mapping[str, Any]) -> str | None:
        references = [node["$ref"] for node in (schema, *schema.get("anyOf", ())) if "$ref" in node]
        return ClassName(references[0].rpartition("/")[2], "") if references else None

    @staticmethod
    def _python_name(name: str) -> str:
        return PythonIdentifier(name, "")
