"""A token store in a file that only its owner can read, for the processes of one user on one machine.

On Windows there is no file mode to check. The file is as private as its folder: in a user's profile, that user and
administrators can read it.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from ..token import read_json

_log = logging.getLogger("openpayments_facade")

_FORMAT: Final = "openpayments-tokens-1"
_LONGEST: Final = 1_000_000  # bytes; some hundred tokens


class FileStore:
    """Keeps values in one file with mode 0600, which is always replaced as a whole. Lock files lie beside it.

    A lock ends with its process.

    Args:
        path: The file. Its folder is created if necessary.
        patience: Seconds to wait for a lock.

    Raises:
        PermissionError: A part of the path is a link that belongs to another user. Also on every later use: the file
            belongs to another user, is not a regular file, or others can read or write it.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 20.0) -> None:
        wanted = Path(path).expanduser().absolute()
        _check_links(wanted)
        # resolved, since replacing a symbolic link would separate the processes that share its file
        self._path = wanted.resolve()
        self._patience = patience
        self._read()

    def get(self, key: str) -> str | None:
        """Reads a value, as `TokenStore.get`.

        Args:
            key: A hexadecimal string.

        Returns:
            The value; None if there is none, or it has expired.

        Raises:
            PermissionError: As for the class.
        """
        entry = self._read().get(key)
        return entry["value"] if entry and time.time() < entry["until"] else None

    def set(self, key: str, value: str, seconds: float) -> None:
        """Keeps a value, as `TokenStore.set`.

        Args:
            key: A hexadecimal string.
            value: The value.
            seconds: How long to keep it.

        Raises:
            PermissionError: As for the class.
            TimeoutError: Others were writing for `patience` seconds.
            OSError: The file can't be written.
        """
        now = time.time()
        with self._file_lock(""):
            entries = {old: entry for old, entry in self._read(complains=True).items() if now < entry["until"]}
            entries[key] = {"value": value, "until": now + seconds}
            self._write({"format": _FORMAT, "entries": entries})

    def lock(self, key: str) -> FileLock:
        """Lets one process at a time inside.

        Args:
            key: A hexadecimal string.

        Returns:
            A context manager.

        Raises:
            TimeoutError: On entering, after `patience` seconds.
        """
        return self._file_lock("." + key[:16])

    def _file_lock(self, name: str) -> FileLock:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(f"{self._path}{name}.lock", timeout=self._patience, mode=0o600)

    def _read(self, *, complains: bool = False) -> dict[str, Any]:
        try:
            with open(self._path, "rb", opener=_open) as file:
                _check_private(os.fstat(file.fileno()), self._path)
                content = file.read(_LONGEST)
        except FileNotFoundError:
            return {}
        except IsADirectoryError:
            raise PermissionError(f"{self._path} is not a file") from None
        match read_json(content):
            case {"format": str(name), "entries": dict(entries)} if name == _FORMAT:
                return {key: entry for key, entry in entries.items() if _is_entry(entry)}
        if content and complains:
            _log.warning("%s is not a token file of this SDK; it will be overwritten", self._path)
        return {}

    def _write(self, content: object) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")  # mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
            temporary.replace(self._path)
        finally:
            temporary.unlink(missing_ok=True)


def _open(path: str, flags: int) -> int:
    # a FIFO must not block; a link that appears later is somebody else's
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("value"), str) and type(entry.get("until")) in (int, float)


def _check_links(path: Path) -> None:
    """In a folder where others can write, a link of theirs would choose which file of this user is overwritten."""
    for part in (path, *path.parents):
        if os.name == "posix" and part.is_symlink() and part.lstat().st_uid not in {0, os.geteuid()}:
            raise PermissionError(f"{part} is a link that belongs to another user")


def _check_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PermissionError(f"{path} is not a file")
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")
    if os.name == "posix" and status.st_mode & 0o077:
        raise PermissionError(f"{path} can be read or written by others: chmod 600 it, or delete it")
