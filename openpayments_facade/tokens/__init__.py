"""Tokens: one active token per application and PSU context (document 000), shared by everybody who needs it."""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..events import OnTokenEvent, TokenEvent
    from .stores import MemoryStore, TokenStore
    from .token import AccessToken
    from .user import UserToken

__all__ = ["AccessToken", "MemoryStore", "OnTokenEvent", "TokenEvent", "TokenStore", "UserToken", "forget_all"]


def forget_all() -> None:
    """Makes clients that are created from now on share no tokens with earlier ones. For tests."""
    from .memory import PROCESS_MEMORY

    PROCESS_MEMORY.forget()


# most programs need none of them by name
_HOMES = {
    "AccessToken": ".token",
    "MemoryStore": ".stores",
    "OnTokenEvent": "..events",
    "TokenEvent": "..events",
    "TokenStore": ".stores",
    "UserToken": ".user",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(_HOMES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
