"""Ids that look random but derive from a seed, so that the same requests always give the same recording."""

from __future__ import annotations

import itertools
import uuid
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["derived_uuid", "derived_uuids"]


def derived_uuid(*parts: object) -> str:
    """A UUID derived from the parts, which must not contain line breaks."""
    digest = blake2b("\n".join(map(str, parts)).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def derived_uuids(seed: int) -> Iterator[str]:
    """A sequence of UUIDs derived from a seed."""
    return (derived_uuid(seed, "identifier", number) for number in itertools.count(1))
