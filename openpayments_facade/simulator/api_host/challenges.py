"""The challenges of the decoupled approach: the forms of Mobile BankID (the provider's samples of 2022)."""

from __future__ import annotations

import base64
import hmac
import io
from typing import Any

import segno

from ..state.identifiers import derived_uuid

__all__ = ["challenge"]


def challenge(method: str, authorisation_id: str, step: int) -> dict[str, Any]:
    """`challengeData` at status read number `step`. Only the animated methods change it from step to step."""
    if method in {"mbid", "mbid_same_device"}:
        # an autostart token, the same until the authorisation ends
        return {"data": [derived_uuid("autostart", authorisation_id)]}
    code = hmac.new(authorisation_id.encode(), str(step).encode(), "sha256").hexdigest()
    token = f"bankid.{derived_uuid('animated', authorisation_id)}.{step}.{code}"
    if method == "mbid_animated_qr_token":
        return {"data": [token]}
    # a complete data URI, as the provider's samples of 2022 expect, though the schema says Base64
    return {"image": f"data:image/png;base64,{base64.b64encode(_png(token)).decode()}"}


def _png(token: str) -> bytes:
    """The QR code of a token, as an image."""
    written = io.BytesIO()
    # not compressed, so that it is the same with every zlib
    segno.make_qr(token, error="l").save(written, kind="png", scale=3, compresslevel=0)
    return written.getvalue()
