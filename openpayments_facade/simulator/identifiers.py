"""Ids that look random and follow from a seed, so that a recording of the same requests is the same again."""

from __future__ import annotations

import uuid
from hashlib import blake2b

__all__ = ["Identifiers", "derived_uuid"]


def derived_uuid(*parts: object) -> str:
    """The same UUID for the same parts, whose texts have no line breaks."""
    digest = blake2b("\n".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))


class Identifiers:
    """Not thread-safe."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made = 0

    def next(self) -> str:
        self._made += 1
        return derived_uuid(self._seed, "identifier", self._made)
