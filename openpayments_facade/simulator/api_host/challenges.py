"""The challenges of the decoupled approach: the forms of Mobile BankID (the provider's samples of 2022)."""

from __future__ import annotations

import base64
import hmac
import struct
import zlib
from typing import Any

from ..state.identifiers import derived_uuid

__all__ = ["challenge"]

_SIDE = 33


def challenge(method: str, authorisation_id: str, step: int) -> dict[str, Any]:
    """`challengeData` at status read number `step`. Only the animated methods change it from step to step."""
    if method in {"mbid", "mbid_same_device"}:
        # an autostart token, the same until the authorisation ends
        return {"data": [derived_uuid("autostart", authorisation_id)]}
    token = derived_uuid("animated", authorisation_id)
    code = hmac.new(authorisation_id.encode(), str(step).encode(), "sha256").hexdigest()
    if method == "mbid_animated_qr_token":
        return {"data": [f"bankid.{token}.{step}.{code}"]}
    # a complete data URI, as the provider's samples of 2022 expect, though the schema says Base64
    return {"image": f"data:image/png;base64,{base64.b64encode(_png(code)).decode()}"}


def _png(code: str) -> bytes:
    """A black-and-white image of the code's bits. It is not a QR code, since no app could use it anyway."""
    bits = int(code * 5, 16)
    rows = (bits >> (row * _SIDE) & ((1 << _SIDE) - 1) for row in range(_SIDE))
    width = -(-_SIDE // 8)
    pixels = b"".join(b"\0" + (row << (width * 8 - _SIDE)).to_bytes(width, "big") for row in rows)
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
