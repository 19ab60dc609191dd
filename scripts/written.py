"""Imports a generated package, all of it, and prints what is in it as JSON: `python written.py FOLDER`.

It runs in an interpreter of its own, where no other package of that name has been imported.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import attrs


def main(folder: Path) -> None:
    sys.path.insert(0, str(folder.parent))
    package = import_module(folder.name)
    modules = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    for name in modules:
        try:
            module = import_module(name)
            for each in ("_get_kwargs", "_parse_response"):
                get_type_hints(getattr(module, each, main))  # models, which are loaded late
        except (AttributeError, ImportError, NameError, SyntaxError, TypeError) as error:
            sys.exit(f"{name} can't be imported: {type(error).__name__}: {error}")
    models = import_module(f"{package.__name__}.models")
    kinds = {name: getattr(models, name) for name in models.__all__}
    classes = {
        name: [each.name for each in attrs.fields(kind)] if attrs.has(kind) else [] for name, kind in kinds.items()
    }
    functions = {
        name.rpartition(".")[2]: [*inspect.signature(module._get_kwargs).parameters]
        for name in modules
        if hasattr(module := sys.modules[name], "_get_kwargs")
    }
    sys.stdout.write(json.dumps({"classes": classes, "operations": functions}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
