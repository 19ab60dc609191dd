"""The reference of the site has every public name, each once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import griffe

from scripts.public_names import DOCUMENTED
from tests.tools.test_docstrings import PACKAGE, look_up

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def public() -> Iterator[str]:
    documented = {f"{PACKAGE}.{module}": names for module, names in DOCUMENTED.items()}
    for module, names in {PACKAGE: None, "openpayments_client.models": None, **documented}.items():
        yield from (f"{module}.{name}" for name in names or import_module(module).__all__)


def shown(name: str, *, alone: bool) -> Iterator[str]:
    """What a page gets from a name, by its path: of a module the members as well, unless it is to stand alone."""
    found = look_up(name)
    yield found.canonical_path
    if isinstance(found, griffe.Module) and not alone:
        for member in found.members.values():
            if member.is_public and (found.exports or not member.is_alias):
                yield member.final_target.canonical_path if isinstance(member, griffe.Alias) else member.canonical_path


def test_every_public_name_stands_there_once() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES.glob("*.md"))
    given = re.findall(r"^::: (\S+)$((?:\n    .+)*)", text, re.MULTILINE)
    assert given
    counted = Counter(path for name, options in given for path in shown(name, alone="members: []" in options))
    wanted = {look_up(name).canonical_path for name in public()}
    assert (wanted - counted.keys(), [path for path, times in counted.items() if times > 1]) == (set(), [])
