"""X-Request-ID as the provider sees it: a UUID, sent back in every answer (facts 10-auth, sections 4.2 and 5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

__all__ = ["NO_REQUEST_ID", "REQUEST_ID", "UUID", "request_id_of"]

REQUEST_ID = "X-Request-ID"
# the nil UUID stands for no value (RFC 9562, section 5.9)
NO_REQUEST_ID = "00000000-0000-0000-0000-000000000000"
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def request_id_of(headers: Headers) -> str | None:
    """The request id; None if there is none, or one that can't be taken (no UUID, or more than one).

    `headers.get(REQUEST_ID)` tells the two apart.
    """
    values = headers.getlist(REQUEST_ID)
    return values[0] if len(values) == 1 and UUID.fullmatch(values[0]) else None
