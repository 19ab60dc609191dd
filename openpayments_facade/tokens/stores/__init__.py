"""Token stores: where processes share their tokens.

| `token_store` | kept in | shared by | extra |
|---|---|---|---|
| `"memory"` (default) | this process | all clients of the process | |
| `"file:PATH"` | a file that only its owner can read | the processes of one user on one machine | `file` |
| `"redis://..."`, `"rediss://..."`, `"unix://..."` | Redis or Valkey | all processes that can reach it | `redis` |
| a `TokenStore` of your own | wherever you like | whomever you like | |
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

_MODULES: Final = {"FileStore": "file", "RedisStore": "redis"}  # loaded on first use: each needs an extra


@runtime_checkable
class TokenStore(Protocol):
    """Keeps short strings for a limited time.

    It is called from the thread that fetches the token, so it may block. It may raise any exception: the client then
    goes on with its own memory, and tries the store again for its next token.
    """

    def get(self, key: str) -> str | None:
        """Reads a value.

        Args:
            key: A hexadecimal string.

        Returns:
            The value; None if there is none, or it has expired.
        """

    def set(self, key: str, value: str, seconds: float) -> None:
        """Stores a value.

        Args:
            key: A hexadecimal string. It contains no secret.
            value: A string that contains a token in the clear.
            seconds: How long to keep it.
        """

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Lets one process at a time inside.

        If a process dies inside, the lock must end at once or after a known time.

        Args:
            key: A hexadecimal string.

        Returns:
            A context manager; what it gives is not looked at.

        Raises:
            TimeoutError: On entering, if the lock is not available in time. The client then goes on without it.
        """


_opened: dict[str, TokenStore] = {}


def open_store(store: object, *, argument: str = "token_store") -> TokenStore | None:
    """Opens the store that a setting names. The clients of a process share it.

    Args:
        store: A TokenStore, "memory", "file:PATH", the URL of a Redis server, or None.
        argument: What the message calls the setting.

    Returns:
        The store; None for the process's own memory.

    Raises:
        ConfigurationError: It is anything else, its extra is not installed, or it is a file that others can read.
    """
    if store is None or store == "memory":
        return None
    if isinstance(store, str):
        # one atomic operation of the dict, since a lock could be held while another thread forks
        return _opened.setdefault(store, _new(store, argument))
    if isinstance(store, TokenStore):
        return store
    raise ConfigurationError(f"{argument} must be a string or have the methods of a TokenStore")


def _new(spec: str, argument: str) -> TokenStore:
    kind, _, rest = spec.partition(":")
    extra = "file" if kind == "file" and rest else "redis" if kind in {"redis", "rediss", "unix"} else None
    if extra is None:
        # the value is not shown: it may contain a password
        raise ConfigurationError(f"{argument} must be 'memory', 'file:PATH', or a URL such as redis://host:6379/0")
    try:
        store: TokenStore = __getattr__("FileStore")(rest) if extra == "file" else __getattr__("RedisStore")(spec)
    except ImportError as error:
        # not error.name: on an index, a package of that name may be somebody else's
        problem = f"needs {error.name}: pip install {'filelock' if extra == 'file' else extra} (the extra {extra})"
    except (ValueError, OSError, RuntimeError) as error:  # RuntimeError: the user in ~user has no home
        # a ValueError is not quoted: it may contain a URL with a password
        problem = f"can't be opened ({error})" if isinstance(error, OSError) else "can't be opened"
    else:
        return store
    raise ConfigurationError(f"{argument} {kind}: {problem}")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
