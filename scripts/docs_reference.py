"""What the site's reference adds to the docstrings: names in them become links. Griffe calls it."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any, Final

import griffe

import openpayments_facade
from openpayments_facade import errors

PACKAGE: Final = "openpayments_facade"
# what examples call the objects
_CALLED: Final = {
    "op": "OpenPayments",
    "bank": "Bank",
    "authorisation": "Authorisation",
    "challenge": "Challenge",
    "simulator": "simulator.Simulator",
}
_SECTION: Final = re.compile(r"^(?:Args|Attributes|Returns|Yields|Raises):$", re.MULTILINE)
EXAMPLE: Final = re.compile(r"(?:^ {4}.*\n*)+", re.MULTILINE)
"""In the first half of a docstring."""
_CODE: Final = re.compile(r"(?<![`\w])`([A-Za-z_][\w.]*)(\((?:\.\.\.)?\))?`(?!`)")


class Links(griffe.Extension):
    """Makes `op.aspsps.get`, `Aspsps` or, in a class, the name of a method a link, wherever the reference has it."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Adds the links to every docstring, and the errors to the names that each module knows."""
        if pkg.path == PACKAGE:
            self._visit(pkg)

    def _visit(self, found: griffe.Object) -> None:
        if found.docstring:
            owner = found if found.is_class or found.is_module or found.parent is None else found.parent
            linked = (_CODE.sub(lambda code: _linked(code, owner.path), each) for each in halves(found.docstring))
            said, sections = linked
            found.docstring.value = EXAMPLE.sub(_fenced, said) + sections
        if isinstance(found, griffe.Class) and not (found.docstring and "Args:" in found.docstring.value):
            found.members.pop("__init__", None)  # only the SDK makes it
        if isinstance(found, griffe.Module):
            for name in errors.__all__:
                if name not in found.members:
                    found.imports[name] = f"{PACKAGE}.errors.{name}"
                    found.set_member(name, griffe.Alias(name, found.imports[name]))
        for member in [*found.members.values()]:
            if isinstance(member, griffe.Object):
                self._visit(member)


def halves(docstring: griffe.Docstring) -> tuple[str, str]:
    """What a docstring says, and its sections."""
    text, start = docstring.value, _SECTION.search(docstring.value)
    return (text[: start.start()], text[start.start() :]) if start else (text, "")


def _fenced(example: re.Match[str]) -> str:
    """An example, or a drawing, in a fence that says what it is."""
    return f"```{'text' if '──' in example[0] else 'python'}\n{dedent(example[0]).rstrip()}\n```\n\n"


def _linked(code: re.Match[str], owner: str) -> str:
    """The name as a link. It stays as it is where the reference has nothing of that name."""
    first, *rest = code[1].split(".")
    if first in _CALLED and len(rest) > 1:
        first, rest = "OAuth" if rest[0] == "oauth" else rest[0].title().replace("_", ""), rest[1:]
    elif rest:
        first = _CALLED.get(first, first)
    path = PACKAGE if first in openpayments_facade.__all__ or "." in first else owner
    target = code[1] if first == PACKAGE else ".".join([path, first, *rest])
    return f'<autoref identifier="{target}" optional><code>{code[1]}{code[2] or ""}</code></autoref>'
