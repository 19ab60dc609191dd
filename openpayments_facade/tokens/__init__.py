"""Tokens: one active token per application and PSU context (document 000), however often it is asked for."""

from __future__ import annotations

from ..events import OnTokenEvent, TokenEvent
from .fetcher import TokenFetcher
from .manager import TokenManager
from .memory import PROCESS_MEMORY
from .stores import MemoryStore, TokenStore, open_store
from .token import AccessToken
from .user import UserToken

__all__ = [
    "AccessToken",
    "MemoryStore",
    "OnTokenEvent",
    "TokenEvent",
    "TokenFetcher",
    "TokenManager",
    "TokenStore",
    "UserToken",
    "forget_all",
    "open_store",
]


def forget_all() -> None:
    """Makes clients that are created from now on share no token with earlier ones; for tests."""
    PROCESS_MEMORY.forget()
