"""Ids that look random and follow from a seed, so that a recording of the same requests is the same again."""

from __future__ import annotations

import itertools
import uuid
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["derived_uuid", "derived_uuids"]


def derived_uuid(*parts: object) -> str:
    """The same UUID for the same parts, which contain no line breaks."""
    digest = blake2b("\n".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def derived_uuids(seed: int) -> Iterator[str]:
    """One after another, the same ones for the same seed."""
    return (derived_uuid(seed, "identifier", number) for number in itertools.count(1))
