"""Where the processes of a fleet share their tokens: one small protocol, and stores that follow it.

| `token_store` | kept in | shared by | extra |
|---|---|---|---|
| `"memory"` (default) | this process | all clients of the process | |
| `"file:PATH"` | a file that only its owner can read | the processes of one user on one machine | `file` |
| `"redis://..."`, `"rediss://..."`, `"unix://..."` | Redis or Valkey | everybody who can reach it | `redis` |
| a `TokenStore` | what you write | what you make of it | |
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from ...errors import ConfigurationError
from .memory import MemoryStore

if TYPE_CHECKING:
    from .file import FileStore
    from .redis import RedisStore

__all__ = ["FileStore", "MemoryStore", "RedisStore", "TokenStore", "open_store"]

_MODULES: Final = {"FileStore": "file", "RedisStore": "redis"}  # loaded when they are used: each needs an extra


@runtime_checkable
class TokenStore(Protocol):
    """Keeps short strings for a while.

    It is called from the token fetch's own thread, so it may block. It may raise anything: the client then goes on with
    its own memory, and tries the store again at its next token.
    """

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none or it has expired."""

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keeps a value for some seconds. The value holds a token in the clear; a key does not."""

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Lets one process at a time inside.

        Must not outlive a process that dies inside, or only for a known time. Entering raises TimeoutError when the
        lock could not be had in that time; the client then goes on without.
        """


_opened: dict[str, TokenStore] = {}


def open_store(store: object, *, argument: str = "token_store") -> TokenStore | None:
    """The store that a setting names, one for all clients of a process; None is the process's own memory.

    Args:
        store: A store, the name of one, or None.
        argument: What errors call it.

    Raises:
        ConfigurationError: It names none, its extra is not installed, or it is a file that others can read.
    """
    if store is None or store == "memory":
        return None
    if isinstance(store, str):
        # one dict operation: a lock could be held while another thread forks
        return _opened.setdefault(store, _new(store, argument))
    if isinstance(store, TokenStore):
        return store
    raise ConfigurationError(f"{argument} must be a string or have the methods of a TokenStore")


def _new(spec: str, argument: str) -> TokenStore:
    kind, _, rest = spec.partition(":")
    extra = "file" if kind == "file" and rest else "redis" if kind in {"redis", "rediss", "unix"} else None
    if extra is None:
        # the value is not shown: it may hold a password
        raise ConfigurationError(f"{argument} must be 'memory', 'file:PATH', or a URL such as redis://host:6379/0")
    try:
        store: TokenStore = __getattr__("FileStore")(rest) if extra == "file" else __getattr__("RedisStore")(spec)
    except ImportError as error:
        problem = f'needs {error.name}: pip install "openpayments-facade[{extra}]"'
    except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: `~nobody` has no home
        # a ValueError is not quoted: it may show a URL with a password
        problem = f"can't be opened ({error})" if isinstance(error, OSError) else "can't be opened"
    else:
        return store
    raise ConfigurationError(f"{argument} {kind}: {problem}")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
