"""Tokens: one active one per application and PSU context (document 000), whoever asks and however often."""

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
    """Clients made from now on share no token with earlier ones; for tests."""
    PROCESS_MEMORY.forget()
