"""The core stays thin: lines of code without blank lines, comments and docstrings."""

from __future__ import annotations

import pytest

from scripts.size import core, lines_of_code

ALL, LARGEST = 6_873, 350


def test_the_core_is_thin() -> None:
    modules = core()
    assert {"_async/client.py", "_protocol/operation.py", "tokens/manager.py", "errors.py"} <= modules.keys()
    assert not any(name.startswith(("_sync", "simulator", "cli", "testing")) for name in modules)
    assert sum(modules.values()) <= ALL
    assert {name: lines for name, lines in modules.items() if lines > LARGEST} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("", 0),
        ('"""A docstring\n\nof three lines."""\n', 0),
        ("x = 1  # why\n\n# a comment\ny = 2\n", 2),
        ('def f():\n    """What it does."""\n    return [\n        1,\n    ]\n', 4),
        ('class C:\n    x: int\n    """What x is."""\n', 2),
        ('x = """a\n\n# no comment\n"""\n', 4),
        ("x = 1; y = 2\n", 1),
    ],
)
def test_what_counts(source: str, lines: int) -> None:
    assert lines_of_code(source) == lines
