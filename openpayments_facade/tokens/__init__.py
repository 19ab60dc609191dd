"""Tokens: one active token per application and PSU context (document 000), shared by everybody who needs it."""

from __future__ import annotations

from ..events import OnTokenEvent, TokenEvent
from .memory import PROCESS_MEMORY
from .stores import MemoryStore, TokenStore
from .token import AccessToken
from .user import UserToken

__all__ = ["AccessToken", "MemoryStore", "OnTokenEvent", "TokenEvent", "TokenStore", "UserToken", "forget_all"]


def forget_all() -> None:
    """Makes clients that are created from now on share no tokens with earlier ones. For tests."""
    PROCESS_MEMORY.forget()
