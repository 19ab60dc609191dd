"""Counts the lines of code of the core, without blank lines, comments and docstrings: `python -m scripts.size`."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

FACADE = Path(__file__).parent.parent / "openpayments_facade"
# written by a tool, or beside the core
OTHERS = {"_sync", "simulator", "cli", "__main__.py", "testing.py", "telemetry.py"}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def lines_of_code(source: str) -> int:
    """How many lines have code on them. A string that stands alone counts as a docstring."""
    documentation = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - documentation)


def core() -> dict[str, int]:
    """The lines of code of each module of the core, by its path in the facade."""
    files = {file.relative_to(FACADE): file for file in sorted(FACADE.rglob("*.py"))}
    return {
        name.as_posix(): lines_of_code(file.read_text("utf-8"))
        for name, file in files.items()
        if name.parts[0] not in OTHERS
    }


if __name__ == "__main__":
    found = core()
    for name, lines in found.items():
        sys.stdout.write(f"{lines:5} {name}\n")
    sys.stdout.write(f"{sum(found.values()):5} in all\n")
