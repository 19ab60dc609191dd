"""The text of a body, in whichever encoding it came."""

from __future__ import annotations

import codecs
import json
import re
from contextlib import suppress
from typing import Final

_CHARSET: Final = r"(?i)charset\s*=\s*[\"']?([\w.:-]+)"
_TOO_NARROW: Final = {"ascii", "iso8859-1"}
"""Who declares these often sends their superset, cp1252."""
_KNOWN: Final = r"(?a)utf-(8|8-sig|16|32)(-[lb]e)?|iso8859-\d+|cp\d+|koi8-[ru]|mac-roman"
"""What may be declared. Python knows others, such as punycode, that take minutes for what a server can send."""


def decoded(content: bytes, content_type: str = "") -> str:
    """The text without byte order marks and NULs at its ends.

    What is valid UTF-8, -16 or -32 is read as such, whatever the content type declares; the rest as declared; without a
    usable declaration as cp1252. Bytes that mean nothing are replaced.
    """
    while content.startswith(codecs.BOM_UTF8):
        content = content[len(codecs.BOM_UTF8) :]
    encoding: str = json.detect_encoding(content)
    if encoding == "utf-8":  # it is only assumed; the others are certain, by NULs or a byte order mark
        with suppress(UnicodeDecodeError):
            return content.decode().strip("\ufeff\0")
        declared = re.search(_CHARSET, content_type)
        encoding = declared[1] if declared else "cp1252"
    with suppress(LookupError, ValueError):
        name = codecs.lookup(encoding).name
        if name not in _TOO_NARROW and re.fullmatch(_KNOWN, name):
            return content.decode(encoding, "replace").strip("\ufeff\0")
    return content.decode("cp1252", "replace").strip("\ufeff\0")
