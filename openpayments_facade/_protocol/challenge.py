"""What to show to a user who authorises in an app: a QR code, an image, or a link that opens the app. Pure.

Source: the provider's samples of 2022 (the forms of Mobile BankID).
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from attrs import field

from .._attrs import Value, frozen
from .._checks import refuse
from .._redaction import Secret
from ..environments import encoded, safe_link
from ..errors import ConfigurationError, texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpayments_client import models


_PICTURE: Final = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[\w+/=%-]+", re.IGNORECASE | re.ASCII)


def text_or_none(value: object) -> str | None:
    """A text that can be sent and drawn; None for anything else."""
    return value if isinstance(value, str) and value and Secret(value).is_text else None


def _read(value: str | None) -> str | None:
    return text_or_none(value)


@frozen
class Challenge(Value):
    """What to show to the user in a decoupled authorisation. Its repr shows only the method.

    Attributes:
        token: The token that starts the app, or the content of the QR code. Raw: `app_link()` and `qr_svg()` are safe.
        image: A ready image: a data URI, or a PNG in Base64. Raw, it may be anything: `qr_image` is safe.
        image_link: The URL of a ready image. Raw: `qr_image` is safe.
        text: The bank's text for the user; without one for this challenge, that for the authorisation. Raw: escape it
            before it goes into a page.
        method: The id of the authentication method.
    """

    token: str | None = field(default=None, repr=False, converter=_read)
    image: str | None = field(default=None, repr=False, converter=_read)
    image_link: str | None = field(default=None, repr=False, converter=_read)
    text: str | None = field(default=None, repr=False, converter=_read)
    method: str | None = None

    @classmethod
    def of(cls, data: models.ChallengeData | None, method: str | None) -> Challenge | None:
        """Reads `challengeData`. The first text of its `data` counts.

        Args:
            data: The bank's challenge data, if any.
            method: The id of the authentication method, if known.

        Returns:
            The challenge; None if there is nothing to show.
        """
        if data is None:
            return None
        given = [next(filter(None, data.data or ()), None), data.image, data.image_link, data.additional_information]
        token, image, image_link, text = map(text_or_none, given)
        return cls(token, image, image_link, text, method) if token or image or image_link or text else None

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Challenge:
        """Reads a dict from `to_dict()`, also one that went through JSON.

        Args:
            saved: The dict. What is no text in it counts as absent.

        Returns:
            A challenge that equals the one that was saved.

        Raises:
            InvalidArgumentError: It is no mapping.
        """
        return cls(**texts_of(saved, "token", "image", "image_link", "text", "method"))

    def app_link(self, redirect: str | None = None) -> str | None:
        """The link that opens BankID on the user's own device.

        Args:
            redirect: The address that BankID opens afterwards. Required on iOS.

        Returns:
            The link, percent-encoded, so that it may stand in a page; None if there is no token, or the QR code is
            animated. A token that is a link already, `bankid:` or `https:`, is given; None if it names no host, or a
            user.

        Raises:
            InvalidArgumentError: `redirect` is not a string.
        """
        if not isinstance(redirect, str | None):
            raise refuse("redirect", "must be a string or None", redirect)
        if self.token is None or self.is_animated:
            return None
        if (scheme := self.token.partition(":")[0].lower()) in {"bankid", "https"}:
            return encoded(self.token) if scheme == "bankid" else safe_link(self.token)
        back = "null" if redirect is None else quote(redirect, safe="")
        return f"https://app.bankid.com/?autostarttoken={quote(self.token, safe='')}&redirect={back}"

    @property
    def is_animated(self) -> bool:
        """Whether the QR code changes, and has to be redrawn each time."""
        return self.method is not None and self.method.lower().startswith("mbid_animated")

    @property
    def qr_content(self) -> str | None:
        """The content of the QR code to draw; None if there is a ready image instead, or BankID is on this device."""
        if self.is_animated:
            return self.token
        return None if (self.method or "").lower() == "mbid_same_device" else self.app_link()

    def qr_svg(self) -> str | None:
        """The QR code as SVG, for an HTML page or a file. It has no size of its own: it fills what it is put into.

            page = f'<div style="width: 14rem">{challenge.qr_svg()}</div>'

        Returns:
            The SVG, of lines alone, without any text of the bank's; None if there is no `qr_content`, or it is too
            long for a QR code.

        Raises:
            ConfigurationError: The extra `qr` is not installed.
        """
        if not self.qr_content:
            return None
        try:
            import segno
        except ImportError:
            raise ConfigurationError("qr_svg needs segno: pip install segno (the extra qr)") from None
        written = io.BytesIO()
        try:
            # the least error correction gives the largest modules, and a screen needs no more
            code = segno.make_qr(self.qr_content, error="l")
        except ValueError:  # also segno's DataOverflowError
            return None
        # light is not transparent, for a dark page would make the code unreadable
        code.save(
            written, kind="svg", light="#fff", xmldecl=False, nl=False, omitsize=True, svgclass=None, lineclass=None
        )
        return written.getvalue().decode()

    @property
    def qr_image(self) -> str | None:
        """The ready image as a URL for an HTML image; None if there is a QR code to draw instead.

        It is a `data:` URL of a PNG, JPEG, GIF or WebP in Base64, or an https URL, percent-encoded. None as well for
        what is neither, such as SVG, which may have scripts in it.
        """
        return _picture(self.image) or _picture(self.image_link)


def _picture(image: str | None) -> str | None:
    data = "".join((image or "").split())
    data = data if ":" in data else f"data:image/png;base64,{data}"
    if _PICTURE.fullmatch(data):
        return data
    return safe_link(image) if data[:6].lower() == "https:" else None
