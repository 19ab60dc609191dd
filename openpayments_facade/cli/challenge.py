"""Shows the challenge of the decoupled approach in a terminal: a changing QR code, or a link that opens the app."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from .output import cell, fits, is_interactive, say

if TYPE_CHECKING:
    from rich.text import Text

    from .. import Authorisation, AuthorisationUpdate, Challenge

__all__ = ["follow"]

_BLOCKS: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def follow(authorisation: Authorisation[Any], *, timeout: float) -> None:
    """Shows on stderr what the user needs, until the authorisation has succeeded.

    Raises AuthorisationFailedError, AuthorisationTimeoutError.
    """
    from rich.console import Console
    from rich.live import Live

    is_drawn, shown = is_interactive(), None
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, vertical_overflow="visible")
    try:
        with live if is_drawn else nullcontext():
            for update in authorisation.updates(timeout=timeout):
                words = _words(update.challenge, is_drawn=is_drawn) if update.challenge else None
                if words and words != shown:
                    if is_drawn:
                        # not wrapped, so that a link can be copied
                        console.print(cell(words), soft_wrap=True)
                    else:
                        say(cell(words))
                    shown = words
                if is_drawn:
                    live.update(_drawing(update), refresh=True)
    finally:
        # Ctrl-C may have come while `live` hid it
        console.show_cursor()


def _drawing(update: AuthorisationUpdate) -> Text:
    from rich.text import Text

    content = update.challenge.qr_content if update.challenge else None
    code = _qr_code(content) if content else None
    return code or Text(f"SCA status: {cell(update.sca_status)}")


def _qr_code(content: str) -> Text | None:
    """A QR code of half blocks: each character is two modules, one above the other. None if there is no room for it."""
    import segno
    from rich.text import Text

    try:
        # the least error correction gives the smallest code, and a screen needs no more
        code = segno.make_qr(content, error="l")
    except ValueError:  # also segno's DataOverflowError
        return None
    rows = [list(row) for row in code.matrix_iter(border=2)]
    if not fits(len(rows[0]), sys.stderr):
        return None
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    pairs = (zip(upper, lower, strict=True) for upper, lower in zip(rows[::2], rows[1::2], strict=True))
    lines = ("".join(_BLOCKS[pair] for pair in line) for line in pairs)
    # dark on light in every colour scheme
    return Text("\n".join(lines), style="#000000 on #ffffff", no_wrap=True, overflow="crop")


def _words(challenge: Challenge, *, is_drawn: bool) -> str | None:
    """What to do, in words; None if there is nothing to show."""
    is_drawn = is_drawn and bool(challenge.qr_content and _qr_code(challenge.qr_content))
    if link := challenge.app_link():
        if challenge.qr_content is None:
            return f"Open this link on the device that has BankID: {link}"
        where = "Scan the code with your phone, or open this link on it" if is_drawn else "Open this link on your phone"
        return f"{where}: {link}"
    if challenge.qr_content:
        without = "The QR code can't be drawn here; with --method mbid there is a link instead."
        return "Scan the code with the BankID app." if is_drawn else without
    if (image := challenge.qr_image) and not image.lower().startswith("data:"):
        return f"The bank shows an image: {image}"
    if image:
        return "The bank sent an image, which a terminal can't show: try --method mbid_animated_qr_token, or mbid."
    return cell(challenge.text) or None
