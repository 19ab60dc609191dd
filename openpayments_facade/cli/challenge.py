"""What a user is shown in the decoupled approach, in a terminal: a QR code that changes, or a link into the app."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from .._redaction import printable

if TYPE_CHECKING:
    from rich.text import Text

    from .._protocol.sca import AuthorisationUpdate, Challenge
    from .._sync.authorisation import Authorisation

__all__ = ["follow", "is_interactive"]

_BLOCKS: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def is_interactive() -> bool:
    """Whether stderr is a terminal on which something can be drawn anew."""
    from rich.console import Console

    console = Console(stderr=True)
    return console.is_terminal and not console.is_dumb_terminal


def follow(authorisation: Authorisation, *, timeout: float) -> None:
    """Shows on stderr what the user needs, until the authorisation has ended well.

    Raises AuthorisationFailedError, AuthorisationTimeoutError.
    """
    from rich.console import Console
    from rich.live import Live

    is_drawn, shown = is_interactive(), None
    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, vertical_overflow="visible")
    with live if is_drawn else nullcontext():
        for update in authorisation.updates(timeout=timeout):
            words = _words(update.challenge, is_drawn=is_drawn)
            if words is not None and words != shown:
                # whole, so that a link can be copied
                console.print(words, soft_wrap=True)
                shown = words
            if is_drawn:
                live.update(_drawing(update), refresh=True)


def _drawing(update: AuthorisationUpdate) -> Text:
    from rich.text import Text

    content = update.challenge.qr_content if update.challenge else None
    return qr_code(content) if content else Text(f"SCA status: {printable(str(update.sca_status))}")


def qr_code(content: str) -> Text:
    """A QR code of half blocks: two modules above each other are one character."""
    import segno
    from rich.text import Text

    # with the least redundancy it is the smallest: a screen has no scratches
    rows = [list(row) for row in segno.make_qr(content, error="l").matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    code = Text(no_wrap=True, overflow="crop")
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        # dark on light in every colour scheme
        code.append("".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)), style="#000000 on #ffffff")
        code.append("\n")
    code.right_crop(1)
    return code


def _words(challenge: Challenge | None, *, is_drawn: bool) -> str | None:
    """What to do, in words; None if there is nothing to show."""
    if challenge is None:
        return None
    link = challenge.app_link()
    if link is not None:
        beginning = (
            "Scan the code with your phone, or open this link on it:" if is_drawn else "Open this link on the phone:"
        )
        return f"{beginning} {link}"
    if challenge.qr_content is not None:
        return (
            "Scan the code with the BankID app."
            if is_drawn
            else "The QR code needs a terminal: --method mbid has a link."
        )
    if challenge.qr_image is not None:
        where = challenge.image_link
        return (
            f"The bank shows a picture: {printable(where)}"
            if where
            else "The bank gives a picture, which a terminal can't show: try --method mbid_animated_qr_token, or mbid."
        )
    return printable(challenge.text) if challenge.text else None
