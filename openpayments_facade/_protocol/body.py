"""The body of an answer: decoded while it comes in, and never longer than it may be.

Only gzip and deflate are asked for: their decoder can be told when to stop.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

import httpx

ACCEPT_ENCODING: Final = "gzip, deflate"

_PIECE: Final = 1024 * 1024
_MANY_CHUNKS: Final = 256
_ZLIB: Final[dict[str, int]] = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class TooLongError(httpx.DecodingError):
    """A body is longer than it may be, encoded or decoded."""


class Body:
    """Takes the chunks of a body. Its repr does not show them."""

    def __init__(self, headers: httpx.Headers, limit: int) -> None:
        named = headers.get("content-encoding", "").lower().split(",")
        self._encodings = [name for each in named if (name := each.strip()) not in ("", "identity")]
        # nobody asked for one within another, in which a kilobyte can keep a decoder busy for hours
        is_known = len(self._encodings) == 1 and self._encodings[0] in _ZLIB
        self._decoder = _Inflate(self._encodings[0]) if is_known else None
        self._limit = limit
        self._raw = self._chunks = 0
        self._content = bytearray()

    @property
    def content(self) -> bytes:
        """What has come so far, decoded."""
        return bytes(self._content)

    def add(self, chunk: bytes) -> Iterator[None]:
        """Takes a chunk as it came. Yields now and then, so that an event loop can do something else.

        Raises TooLongError, httpx.DecodingError.
        """
        if self._encodings and self._decoder is None:
            raise httpx.DecodingError("a content encoding that was not asked for")
        self._raw += len(chunk)
        self._chunks += 1
        for number, piece in enumerate(self._decoder.pieces(chunk) if self._decoder else (chunk,)):
            room = self._limit - len(self._content)
            self._content += piece[:room]
            if len(piece) > room or self._raw > self._limit:
                raise TooLongError(f"the answer has more than {self._limit} bytes")
            if number or self._chunks % _MANY_CHUNKS == 0:
                yield


class _Inflate:
    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder: Any = zlib.decompressobj(_ZLIB[name])
        self._is_new = True

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        while chunk and not self._decoder.eof:
            try:
                piece = self._decoder.decompress(chunk, _PIECE)
            except zlib.error as error:
                if not self._is_new or self._name != "deflate":
                    raise httpx.DecodingError(str(error)) from None
                self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers leave the header out
                self._is_new = False
                continue
            self._is_new, chunk = False, self._decoder.unconsumed_tail
            yield piece
