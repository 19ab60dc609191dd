"""What changed in the description since a git revision, and what of it breaks users: `make spec-diff BASE=<git rev>`.

    python scripts/spec_diff.py BASE        in the root of the repository

specshift compares what goes over the wire. It follows no reference to a body or an answer and no parameters of a path,
so these are put in place first. What breaks users of the generated client although the wire may stay the same (a model,
a property, a keyword or an operation that is gone or has another name or type) is compared here. The exit code is 1 for
a breaking change, 2 if there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import copy
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from specshift import Change, ChangeType, Severity, diff_specs, load_spec  # type: ignore[import-untyped]
from specshift.differ import HTTP_METHODS  # type: ignore[import-untyped]
from specshift.git_utils import GitError, load_spec_from_git  # type: ignore[import-untyped]
from specshift.reporter import render_plain_text_report  # type: ignore[import-untyped]
from specshift.spec_loader import SpecLoadError, resolve_schema  # type: ignore[import-untyped]

DESCRIPTION = "openapi/openpayments.yaml"
Spec = dict[str, Any]


def flattened(spec: Spec) -> Spec:
    """The same with the parameters of a path in each of its operations, and bodies and answers in place."""
    spec = copy.deepcopy(spec)
    for _, item, operation in _operations(spec):
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        operation["parameters"] = [resolve_schema(each, spec) for each in parameters]
        operation["responses"] = {status: resolve_schema(each, spec) for status, each in operation["responses"].items()}
        if "requestBody" in operation:
            operation["requestBody"] = resolve_schema(operation["requestBody"], spec)
    return spec


def broken_promises(old: Spec, new: Spec) -> Iterator[Change]:
    """What the generated client promises its users, and now has no more or has differently."""
    before, after = dict(_promises(old)), dict(_promises(new))
    for (holder, name), promise in before.items():
        # of what is gone altogether the parts are not told
        if (holder, "") in after or not name:
            found = after.get((holder, name), "gone")
            if found != promise:
                yield Change(
                    severity=Severity.BREAKING,
                    change_type=ChangeType.MODIFIED,
                    location=holder,
                    message=f"{name or holder}: {promise} became {found}.",
                    category="client",
                )


def _promises(spec: Spec) -> Iterator[tuple[tuple[str, str], str]]:
    """The modules, keywords, models and attributes of the generated client, and what each of them is."""
    for holder, item, operation in _operations(flattened(spec)):
        tag = next(iter(operation.get("tags", [])), "default")
        yield (holder, ""), f"operation {operation.get('operationId', 'without a name')} of {tag}"
        servers = operation.get("servers") or item.get("servers") or spec.get("servers", [])
        yield (holder, "servers"), ", ".join(server["url"] for server in servers)
        yield (holder, "security"), str(operation.get("security", spec.get("security", [])))
        for parameter in operation["parameters"]:
            style = parameter.get("style", "form" if parameter["in"] in {"query", "cookie"} else "simple")
            explode = str(parameter.get("explode", style == "form")).lower()
            shape = f"{_shape(parameter.get('schema'))}, style {style}, explode {explode}"
            yield (holder, f"{parameter['in']} parameter {parameter['name']!r}"), shape
        for status, response in operation["responses"].items():
            for header in response.get("headers", {}):
                yield (holder, f"header {header!r} of answer {status}"), "sent"
    for name, schema in spec.get("components", {}).get("schemas", {}).items():
        holder = f"model {name}"
        yield (holder, ""), _shape(schema)
        for attribute, value in schema.get("properties", {}).items():
            needed = "required" if attribute in schema.get("required", []) else "optional"
            yield (holder, f"property {attribute!r}"), f"{needed} {_shape(value)}"


def _shape(schema: Any) -> str:
    """What decides the type that a user sees."""
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
    parser = argparse.ArgumentParser(usage="make spec-diff BASE=<git rev>, or python scripts/spec_diff.py BASE")
    parser.add_argument("base", metavar="BASE", help="a git revision, such as v1.0.0 or HEAD~3")
    base = parser.parse_args().base
    verify = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}"]
    commit = subprocess.run(verify, capture_output=True, text=True, check=False).stdout.strip()
    if not commit:
        parser.error(f"{base!r} is no revision of this git repository")
    try:
        old, new = load_spec_from_git(DESCRIPTION, commit), load_spec(DESCRIPTION)
    except (GitError, SpecLoadError) as error:
        parser.error(str(error))
    return compare(old, new)


def compare(old: Spec, new: Spec) -> int:
    """Prints what changed. 1 if it breaks users, otherwise 0."""
    result = diff_specs(flattened(old), flattened(new))
    for change in broken_promises(old, new):
        result.add(change)
    print(render_plain_text_report(result))
    return int(result.has_breaking_changes)


if __name__ == "__main__":
    sys.exit(main())
