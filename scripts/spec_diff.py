"""What changed in the description since a git revision, and what of it breaks users: `make spec-diff BASE=<git rev>`.

    python scripts/spec_diff.py BASE        in the root of the repository

specshift compares; it does not look at `style` and `explode` of parameters, which are compared here. The exit code is 1
for a breaking change, 2 if there is nothing to compare with.
"""

from __future__ import annotations

import argparse
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


def changed_styles(old: Spec, new: Spec) -> Iterator[Change]:
    """Parameters that both know and that go over the wire in another form."""
    before, after = dict(_styles(old)), dict(_styles(new))
    for key in before.keys() & after.keys():
        if before[key] != after[key]:
            operation, name, _ = key
            yield Change(
                severity=Severity.BREAKING,
                change_type=ChangeType.MODIFIED,
                location=f"{operation} > parameter '{name}'",
                message=f"Parameter '{name}' is written differently: {before[key]} became {after[key]}.",
                category="parameter",
            )


def _styles(spec: Spec) -> Iterator[tuple[tuple[str, str, str], str]]:
    for path, item in spec.get("paths", {}).items():
        for method in HTTP_METHODS:
            for reference in [*item.get("parameters", []), *item.get(method, {}).get("parameters", [])]:
                parameter = resolve_schema(reference, spec)
                name, place = parameter["name"], parameter["in"]
                style = parameter.get("style", "form" if place in {"query", "cookie"} else "simple")
                explode = parameter.get("explode", style == "form")
                yield (f"{method.upper()} {path}", name, place), f"style {style}, explode {str(explode).lower()}"


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
    result = diff_specs(old, new)
    for change in changed_styles(old, new):
        result.add(change)
    print(render_plain_text_report(result))
    return int(result.has_breaking_changes)


if __name__ == "__main__":
    sys.exit(main())
