"""Packages that are generated from descriptions of the tests' own, for what the API's description has no use for."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from scripts import generate


@contextmanager
def generated(folder: Path, description: str, name: str) -> Iterator[ModuleType]:
    """A package of that name, imported as long as the context lasts."""
    (folder / "description.yaml").write_text(description)
    generate.generate(folder / name, folder / "description.yaml")
    spec = importlib.util.spec_from_file_location(name, folder / name / "__init__.py")
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[loaded]
