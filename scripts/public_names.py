"""Lists the names that programs may rely on: `python -m scripts.public_names` writes tests/facade/public_names.txt.

A line that disappears or changes breaks programs; a new line is an addition. Annotations are not listed: they may
widen, and tests/typing checks what type checkers must see.
"""

from __future__ import annotations

import enum
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

LISTING = Path(__file__).parent.parent / "tests" / "facade" / "public_names.txt"
FACADE = "openpayments_facade"
# in addition to the package's `__all__`: the names in these modules that the docs mention
DOCUMENTED = {
    "environments": ["PRODUCTION", "SANDBOX", "SANDBOX_OAUTH", "Environment", "is_loopback"],
    "errors": None,
    "request_ids": ["current_request_id", "new_request_id", "pass_on", "read_request_id"],
    "scopes": ["ApiScope", "PsuContext", "compose"],
    "simulator": None,
    "testing": None,
    "tokens": ["MemoryStore", "OnTokenEvent", "TokenEvent", "TokenStore", "UserToken", "forget_all"],
    "tokens.stores": ["FileStore", "MemoryStore", "RedisStore", "TokenStore"],
    "views": None,
}
# of these classes the SDK uses more than the docs name
DOCUMENTED_MEMBERS = {"AccessToken": ["value", "scope", "missing", "expires_at"]}


def listing() -> list[str]:
    """Every public name with its arguments, one per line."""
    lines = set(_of_module(import_module(FACADE)))
    for name, documented in DOCUMENTED.items():
        lines |= set(_of_module(import_module(f"{FACADE}.{name}"), documented))
    lines |= set(_of_module(import_module("openpayments_client.models")))
    api = import_module("openpayments_client.api")
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        if not found.ispkg:
            lines.add(found.name + _arguments(import_module(found.name)._get_kwargs))
    return sorted(lines)


def _of_module(module: ModuleType, names: list[str] | None = None) -> Iterator[str]:
    for name in module.__all__ if names is None else names:
        value = getattr(module, name)
        full_name = f"{module.__name__}.{name}"
        if inspect.isclass(value):
            yield from _of_class(full_name, value)
        else:
            yield full_name + (_arguments(value) if inspect.isfunction(value) else "")


def _of_class(full_name: str, cls: type) -> Iterator[str]:
    fields = {attribute.name for attribute in getattr(cls, "__attrs_attrs__", ())}
    options = {f"{name}: {kind}" for name, kind in getattr(cls, "__annotations__", {}).items()}
    is_made_of_fields = bool(fields) and not cls.__name__.endswith("Authorisation")
    if cls.__name__ in DOCUMENTED_MEMBERS:
        yield from (full_name, *(f"{full_name}.{name}" for name in DOCUMENTED_MEMBERS[cls.__name__]))
        return
    if issubclass(cls, enum.Enum):
        yield f"{full_name}: {', '.join(member.name for member in cls)}"
    elif issubclass(cls, dict):  # a TypedDict
        yield from (f"{full_name}[{option.split(':')[0]}]" for option in options)
    else:
        # only the SDK itself creates services and views
        made_by_users = is_made_of_fields or cls.__name__.endswith(("OpenPayments", "Simulator", "Store", "Error"))
        yield full_name + (_arguments(cls) if made_by_users else "")
    for name in vars(cls) if issubclass(cls, BaseException) else sorted({*dir(cls), *fields}):
        known = any(hasattr(base, name) for base in (object, BaseException, str, dict) if issubclass(cls, base))
        if name.startswith("_") or known or (name in fields and is_made_of_fields) or issubclass(cls, enum.Enum):
            continue
        value = inspect.getattr_static(cls, name, None)
        if isinstance(value, classmethod | staticmethod):
            value = getattr(cls, name)
        yield f"{full_name}.{name}" + (_arguments(value) if callable(value) and not inspect.isclass(value) else "")


def _arguments(function: object) -> str:
    try:
        signature = inspect.signature(function)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    bare = []
    for parameter in signature.parameters.values():
        default = parameter.default
        is_plain = default is parameter.empty or isinstance(default, str | int | float | None)
        bare.append(parameter.replace(annotation=parameter.empty, default=default if is_plain else _Something()))
    return str(inspect.Signature(bare))


class _Something:
    """A default that is an object; the listing does not say which."""

    def __repr__(self) -> str:
        return "..."


if __name__ == "__main__":
    lines = listing()
    LISTING.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    sys.stdout.write(f"{len(lines)} public names in {LISTING.name}\n")
