"""X-Request-ID as the provider sees it: a UUID, sent back in every answer (the provider's description of 2026)."""

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
    """The request id; None if there is none, more than one, or one that is not a UUID.

    `headers.get(REQUEST_ID)` says whether there was any.
    """
    values = headers.getlist(REQUEST_ID)
    return values[0] if len(values) == 1 and UUID.fullmatch(values[0]) else None
