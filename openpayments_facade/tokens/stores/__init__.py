"""Where the processes of a fleet share their tokens: one small protocol, and stores that follow it.

| `token_store` | kept in | shared by | extra |
|---|---|---|---|
| `"memory"` (default) | this process | all clients of the process | |
| `"file:PATH"` | a file that only its owner can read | the processes of one user on one machine | `file` |
| `"redis://..."`, `"rediss://..."`, `"unix://..."` | Redis or Valkey | everybody who can reach it | `redis` |
| a `TokenStore` | what you write | what you make of it | |
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..._forks import reset_after_fork
from ...errors import ConfigurationError
from .memory import MemoryStore

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .file import FileStore
    from .redis import RedisStore

__all__ = ["FileStore", "MemoryStore", "RedisStore", "TokenStore", "open_store"]


@runtime_checkable
class TokenStore(Protocol):
    """Keeps short texts for a while.

    Called from the token fetch's own thread, so it may block. It may raise anything: the client then goes on with its
    own memory, and tries the store again at its next token.
    """

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none, or its time is over."""

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keeps a value for so many seconds. The value holds a token in the clear; a key does not."""

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Makes sure that one process at a time is inside.

        Must not outlive a process that dies inside, or only for a known time. Entering raises TimeoutError when the
        lock could not be had in that time; the client then goes on without.
        """


class _Opened:
    """The stores of a process by the names they were opened with."""

    def __init__(self) -> None:
        self.stores: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self.reset()
        reset_after_fork(self)

    def reset(self) -> None:
        """After a fork: a lock that was held is the parent's."""
        self.lock = threading.RLock()


_opened = _Opened()


def open_store(store: object, *, argument: str = "token_store") -> TokenStore | None:
    """The store that a setting names, one for all clients of a process; None is the process's own memory.

    Raises ConfigurationError, which says `argument`, if it names none, if its extra is not installed, and if a file is
    one that others can read.
    """
    if store is None or store == "memory":
        return None
    if not isinstance(store, str):
        if isinstance(store, TokenStore):
            return store
        raise ConfigurationError(f"{argument} is neither a text nor has it the methods of a TokenStore")
    with _opened.lock:
        found = _opened.stores.get(store)
        if found is None:
            found = _opened.stores[store] = _new(store, argument)
    return found


def _new(spec: str, argument: str) -> TokenStore:
    kind, _, rest = spec.partition(":")
    try:
        if kind == "file" and rest:
            from .file import FileStore

            return FileStore(rest)
        if kind in {"redis", "rediss", "unix"}:
            from .redis import RedisStore

            return RedisStore(spec)
    except ImportError as error:
        extra = "file" if kind == "file" else "redis"
        raise ConfigurationError(
            f'{argument} {kind}: needs {error.name}: pip install "openpayments-facade[{extra}]"'
        ) from None
    except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: `~nobody` has no home
        # the text of a ValueError is not shown: it may quote a URL with a password
        said = f" ({error})" if isinstance(error, OSError) else ""
        raise ConfigurationError(f"{argument} {kind}: can't be opened{said}") from None
    # the value is not shown: it may hold a password
    raise ConfigurationError(f"{argument} must be 'memory', 'file:PATH', or a URL such as redis://host:6379/0")


def __getattr__(name: str) -> object:
    if name == "FileStore":
        from .file import FileStore

        return FileStore
    if name == "RedisStore":
        from .redis import RedisStore

        return RedisStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
