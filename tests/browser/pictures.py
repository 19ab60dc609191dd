"""Screenshots as small PNG files: with a palette. The browser counts the colours, and zlib does the rest."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

# the 256 colours that most pixels have, and for each pixel the number of its colour, or else of the one that is nearest
_COUNT: Final = """async (data) => {
  const image = new Image();
  image.src = "data:image/png;base64," + data;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const each of pixels) counts.set(each, (counts.get(each) ?? 0) + 1);
  const colours = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([each]) => each);
  const palette = colours.slice(0, 256), numbers = new Map(palette.map((each, number) => [each, number]));
  const part = (colour, number) => (colour >>> (8 * number)) & 255;
  const far = (a, b) => [0, 1, 2].reduce((sum, each) => sum + (part(a, each) - part(b, each)) ** 2, 0);
  for (const each of colours.slice(256)) {
    let nearest = 0;
    palette.forEach((other, number) => { if (far(each, other) < far(each, palette[nearest])) nearest = number; });
    numbers.set(each, nearest);
  }
  const rows = Uint8Array.from(pixels, each => numbers.get(each));
  let text = "";
  for (let at = 0; at < rows.length; at += 32768) text += String.fromCharCode(...rows.subarray(at, at + 32768));
  return {width: image.width, height: image.height, palette: palette.map(each => [0, 1, 2].map(n => part(each, n))),
          rows: btoa(text)};
}"""


def save(screenshot: bytes, path: Path, blank: Page) -> None:
    """Writes a screenshot to a file. `blank` is a page of no site, which does the counting."""
    found = blank.evaluate(_COUNT, b64encode(screenshot).decode())
    width, height, rows = found["width"], found["height"], b64decode(found["rows"])
    # each row begins with how it is filtered: not at all
    lines = b"".join(b"\0" + rows[at : at + width] for at in range(0, width * height, width))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", bytes(part for colour in found["palette"] for part in colour))
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
