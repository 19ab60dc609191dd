"""What changed in the description since a git revision, and what of it breaks users: `make spec-diff BASE=<git rev>`.

    python -m scripts.spec_diff BASE        in the root of the repository

specshift compares what goes over the wire. It ignores references to bodies and answers, and the parameters of a path,
so these are resolved first. This script compares what breaks users of the generated client even if the wire stays the
same: models, properties, keywords and operations that are removed, renamed or of another type. It also compares what
specshift ignores or takes for harmless: values that must now be one of a list, servers, scopes and headers. The exit
code is 1 for a breaking change, 2 if there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from specshift import Change, ChangeType, Severity, diff_specs  # type: ignore[import-untyped]
from specshift.differ import HTTP_METHODS  # type: ignore[import-untyped]
from specshift.git_utils import GitError, load_spec_from_git  # type: ignore[import-untyped]
from specshift.reporter import render_plain_text_report  # type: ignore[import-untyped]
from specshift.spec_loader import SpecLoadError, resolve_schema  # type: ignore[import-untyped]

from scripts.generate import GenerationError, load, without_null
from scripts.operations import is_given_by_a_bank

DESCRIPTION = "openapi/openpayments.yaml"
Spec = dict[str, Any]


# fewer of these is compatible in requests, more of them in answers
NEEDED = ("optional", "required or null", "required")


def flattened(spec: Spec) -> Spec:
    """The description with the parameters of a path in each of its operations, and with bodies and answers resolved.

    `null` is removed from all properties: users see None for both null and absent values.
    """
    spec = copy.deepcopy(spec)
    for schema in _models(spec).values():
        for name, value in schema.get("properties", {}).items():
            schema["properties"][name] = without_null(value)
    for _, item, operation in _operations(spec):
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        operation["parameters"] = [_as_asked(resolve_schema(each, spec)) for each in parameters]
        operation["responses"] = {status: resolve_schema(each, spec) for status, each in operation["responses"].items()}
        operation["servers"] = operation.get("servers") or item.get("servers") or spec.get("servers", [])
        operation["security"] = operation.get("security", spec.get("security", []))
        if "requestBody" in operation:
            operation["requestBody"] = resolve_schema(operation["requestBody"], spec)
    return spec


def _as_asked(parameter: Spec) -> Spec:
    """A parameter as the generated functions ask for it: what a client binds to a bank may always be left out."""
    if is_given_by_a_bank(parameter) and parameter.get("required"):
        return parameter | {"required": False, "x-required": True}
    return parameter


def client_changes(old: Spec, new: Spec) -> Iterator[Change]:
    """What has been removed from the generated client, or changed in it."""
    old_flat, new_flat = flattened(old), flattened(new)
    before, after = dict(_promises(old_flat)), dict(_promises(new_flat))
    for (holder, name), promise in before.items():
        # the parts of something that is removed as a whole are not listed
        if (holder, "") in after or not name:
            found = after.get((holder, name), "gone")
            if found != promise:
                yield _change(holder, f"{name or holder}: {promise} became {found}.")
    values, values_now = dict(_values(old_flat)), dict(_values(new_flat))
    for holder, name in sorted(values.keys() & values_now.keys()):
        if _is_closed(values_now[holder, name], new_flat) and not _is_closed(values[holder, name], old_flat):
            yield _change(holder, f"{name}: any value became one of a list.")
    yield from _changes_of_operations(old_flat, new_flat)
    yield from _changes_of_models(old, new)


def _changes_of_operations(old: Spec, new: Spec) -> Iterator[Change]:
    today = {holder: operation for holder, _, operation in _operations(new)}
    for holder, _, before in _operations(old):
        if not (after := today.get(holder)):
            continue
        offered = [server["url"] for server in after["servers"]]
        for server in before["servers"]:
            if server["url"] not in offered:
                yield _change(holder, f"server {server['url']} is gone.")
        for token in _accepted(before):
            if not any(enough <= token for enough in _accepted(after)):
                yield _change(holder, f"security: {' '.join(sorted(token)) or 'no token'} is not enough any more.")
        was_required = {_name(each) for each in before["parameters"] if "x-required" in each}
        for name in (_name(each) for each in after["parameters"] if "x-required" in each):
            if name not in was_required:
                yield _change(holder, f"{name} is now required; a client at a bank gives it.", Severity.INFO)
        for status in sorted(before["responses"].keys() & after["responses"].keys()):
            sent, sent_now = (each["responses"][status].get("headers", {}).keys() for each in (before, after))
            for name in sorted(sent ^ sent_now):
                about = f"header {name!r} of answer {status}"
                if name in sent:
                    yield _change(holder, f"{about}: sent became gone.")
                else:
                    yield _change(holder, f"{about} is new.", Severity.INFO)


def _accepted(operation: Spec) -> list[set[str]]:
    """The alternatives for a token, each as its scopes. More alternatives do no harm."""
    return [{scope for scopes in each.values() for scope in scopes} for each in operation["security"] or [{}]]


def _changes_of_models(old: Spec, new: Spec) -> Iterator[Change]:
    (sent, answered), (sent_now, answered_now) = _directions(flattened(old)), _directions(flattened(new))
    for model in sorted(_models(old).keys() & _models(new).keys()):
        before, after = _models(old)[model], _models(new)[model]
        for name in sorted(before.get("properties", {}).keys() & after.get("properties", {}).keys()):
            was, now = _need(before, name), _need(after, name)
            asks_more, promises_less = now > was, now < was == NEEDED.index("required")
            if (asks_more and model in sent | sent_now) or (promises_less and model in answered | answered_now):
                yield _change(f"model {model}", f"property {name!r}: {NEEDED[was]} became {NEEDED[now]}.")
        needed, needed_now = {*before.get("x-needed", [])}, {*after.get("x-needed", [])}
        for name in sorted((needed - needed_now) & after.get("properties", {}).keys()):
            yield _change(f"model {model}", f"property {name!r}: always there became maybe None.")
        for name in sorted(needed_now - needed):
            yield _change(f"model {model}", f"property {name!r}: what lacks it is now refused.", Severity.INFO)
        known, known_now = {*before.get("enum", [])}, {*after.get("enum", [])}
        for word, values in (("new", known_now - known), ("gone", known - known_now)):
            if values:
                yield _change(
                    f"model {model}", f"{word} in its list: {', '.join(sorted(map(str, values)))}.", Severity.INFO
                )


def _need(model: Spec, name: str) -> int:
    if name not in model.get("required", []):
        return NEEDED.index("optional")
    value = model["properties"][name]
    return NEEDED.index("required" if without_null(value) == value else "required or null")


def _directions(spec: Spec) -> tuple[set[str], set[str]]:
    """The models that are used in requests, and those that are used in answers."""
    operations = [operation for _, _, operation in _operations(spec)]
    requests = [[operation["parameters"], operation.get("requestBody")] for operation in operations]
    return _reached(requests, spec, set()), _reached([each["responses"] for each in operations], spec, set())


def _reached(node: Any, spec: Spec, found: set[str]) -> set[str]:
    if isinstance(node, list):
        for each in node:
            _reached(each, spec, found)
    elif isinstance(node, dict):
        name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
        if name in _models(spec) and name not in found:
            found.add(name)
            _reached(_models(spec)[name], spec, found)
        _reached(list(node.values()), spec, found)
    return found


def _change(holder: str, message: str, severity: Severity = Severity.BREAKING) -> Change:
    return Change(
        severity=severity, change_type=ChangeType.MODIFIED, location=holder, message=message, category="client"
    )


def _promises(spec: Spec) -> Iterator[tuple[tuple[str, str], str]]:
    """The modules, keywords, models and attributes of the generated client, each with its type."""
    for holder, _, operation in _operations(spec):
        tag = next(iter(operation.get("tags", [])), "default")
        yield (holder, ""), f"operation {operation.get('operationId', 'without a name')} of {tag}"
        for parameter in operation["parameters"]:
            style = parameter.get("style", "form" if parameter["in"] in {"query", "cookie"} else "simple")
            explode = str(parameter.get("explode", style == "form")).lower()
            shape = f"{_shape(parameter.get('schema'))}, style {style}, explode {explode}"
            yield (holder, _name(parameter)), shape
        yield (holder, "what a success gives"), " or ".join(sorted(_given(operation)))
        for media_type in operation.get("requestBody", {}).get("content", {}).values():
            for argument, schemas in media_type.get("x-body-by", {}).items():
                yield from (((holder, f"body for {argument} {value}"), schemas[value]) for value in schemas)
    for name, schema in _models(spec).items():
        yield (f"model {name}", ""), _shape(schema)
        for attribute, value in schema.get("properties", {}).items():
            yield (f"model {name}", f"property {attribute!r}"), _shape(value)


def _given(operation: Spec) -> set[str]:
    """What its successes give, of the first media type."""
    answers = [answer.get("content", {}) for status, answer in operation["responses"].items() if status[0] == "2"]
    return {_shape(next(iter(each.values())).get("schema")) if each else "nothing" for each in answers}


def _values(spec: Spec) -> Iterator[tuple[tuple[str, str], Spec]]:
    for holder, _, operation in _operations(spec):
        yield from (((holder, _name(each)), each.get("schema", {})) for each in operation["parameters"])
    for name, schema in _models(spec).items():
        for attribute, value in schema.get("properties", {}).items():
            yield (f"model {name}", f"property {attribute!r}"), value


def _is_closed(schema: Spec, spec: Spec) -> bool:
    """Whether only listed values are allowed, alone or in a list."""
    schema = resolve_schema(schema, spec)
    members = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if members:
        return all(_is_closed(member, spec) for member in members)
    return "enum" in schema or ("items" in schema and _is_closed(schema["items"], spec))


def _name(parameter: Spec) -> str:
    return f"{parameter['in']} parameter {parameter['name']!r}"


def _models(spec: Spec) -> dict[str, Spec]:
    found: dict[str, Spec] = spec.get("components", {}).get("schemas", {})
    return found


def _shape(schema: Any) -> str:
    """The parts of a schema that determine the type that users see."""
    if isinstance(schema, dict):
        words = ("$ref", "type", "format", "const", "items", "anyOf", "oneOf", "allOf")
        shown = [f"{word} {_shape(schema[word])}" for word in words if word in schema]
        return ", ".join(shown) or "anything"
    return f"[{'; '.join(map(_shape, schema))}]" if isinstance(schema, list) else str(schema)


def _operations(spec: Spec) -> Iterator[tuple[str, Spec, Spec]]:
    for path, item in spec.get("paths", {}).items():
        for method in HTTP_METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item, item[method]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make spec-diff", usage="make spec-diff BASE=<git rev>")
    parser.add_argument("base", metavar="BASE", help="a git revision, such as v1.0.0 or HEAD~3")
    base = parser.parse_args().base
    verify = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"]
    commit = subprocess.run(verify, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        parser.error(f"{base!r} is no revision of this git repository")
    try:
        old, new = load_spec_from_git(DESCRIPTION, commit), load(Path(DESCRIPTION))
    except (GitError, SpecLoadError, GenerationError, OSError) as error:
        parser.error(str(error))
    return compare(old, new)


def compare(old: Spec, new: Spec) -> int:
    """Prints what changed. Returns 1 if it breaks users, otherwise 0."""
    result = diff_specs(flattened(old), flattened(new))
    for change in client_changes(old, new):
        result.add(change)
    if result.is_empty and old != new:
        print("What differs does not reach users.")
    else:
        print(render_plain_text_report(result))
    return int(result.has_breaking_changes)


if __name__ == "__main__":
    sys.exit(main())
