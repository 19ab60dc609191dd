"""A token store in Redis or Valkey, for processes on any number of machines."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import LockNotOwnedError, ResponseError
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "openpayments:token:"
_PATIENCE: Final = 2.0  # seconds; a new token is quicker than a longer wait


class RedisStore:
    """Keeps values under the keys `openpayments:token:*`.

    Args:
        server: A URL (`redis://`, `rediss://` or `unix://`, with options of redis-py in its query), or a client of
            redis-py.
        lock_life: Seconds after which a lock ends if its process has died. It should be longer than a token request
            usually takes.

    Raises:
        ValueError: The URL is malformed.
    """

    def __init__(self, server: str | redis.Redis, *, lock_life: float = 10.0) -> None:
        self._redis: Any = server  # redis-py types every result as possibly awaitable
        if isinstance(server, str):
            self._redis = redis.Redis.from_url(
                server,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                retry=Retry(NoBackoff(), 1),  # one retry, for a connection that broke while idle
            )
        self._lock_life = lock_life

    def get(self, key: str) -> str | None:
        """Reads a value, as `TokenStore.get`.

        Args:
            key: A hexadecimal string.

        Returns:
            The value; None if there is none, or it has expired.

        Raises:
            redis.exceptions.RedisError: The server can't be reached, or refuses.
        """
        try:
            value = self._redis.get(_PREFIX + key)
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            return ""
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keeps a value, as `TokenStore.set`.

        Args:
            key: A hexadecimal string.
            value: The value.
            seconds: How long to keep it.

        Raises:
            redis.exceptions.RedisError: The server can't be reached, or refuses.
        """
        self._redis.set(_PREFIX + key, value, px=max(1, int(seconds * 1000)))

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Lets one process at a time inside, for at most `lock_life` seconds.

        Args:
            key: A hexadecimal string.

        Yields:
            Nothing.

        Raises:
            redis.exceptions.RedisError: The server can't be reached, or refuses.
            TimeoutError: On entering, after twice that time.
        """
        lock = self._redis.lock(
            f"{_PREFIX}{key}:lock",
            timeout=self._lock_life,
            blocking_timeout=2 * self._lock_life,  # enough for a dead process's lock and then a token request
            sleep=0.05,
            thread_local=False,
        )
        if not lock.acquire():
            raise TimeoutError
        try:
            yield
        finally:
            with suppress(LockNotOwnedError):  # the token request took longer than `lock_life`
                lock.release()

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()
