"""How a user authorises: which way the bank chose, what to show, and what has come of it. Pure.

Sources: facts 30-consent sections 6 to 8, facts 60-errors-and-flows sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from attrs import field, frozen

from ..errors import AuthorisationFailedError, InvalidArgumentError
from ..scopes import read_psu_context
from .arguments import read_id

if TYPE_CHECKING:
    from openpayments_client.models import AuthenticationMethod, ChallengeData, Links

__all__ = [
    "Approach",
    "AuthorisationUpdate",
    "Challenge",
    "check_outcome",
    "choose_method",
    "decide_approach",
    "link",
    "read_saved",
    "text",
]

TERMINAL: Final = frozenset({"finalised", "failed", "exempted"})
SUCCESSFUL: Final = frozenset({"finalised", "exempted"})  # facts 30-consent, section 8
LOST: Final = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})
"""Consent statuses that no authorisation mends."""

POLL_INTERVAL: Final = {"decoupled": 1.0, "redirect": 2.0, "oauth_redirect": 2.0}
"""Seconds between two reads of the SCA status, as the provider's samples have them (facts 60, section 4.1)."""


class Approach(StrEnum):
    """How the user authorises."""

    OAUTH_REDIRECT = "oauth_redirect"
    """In the browser; the callback brings a code that has to be exchanged: `complete(callback_url)`."""
    REDIRECT = "redirect"
    """In the browser; the callback brings no code."""
    DECOUPLED = "decoupled"
    """In an app, such as Mobile BankID: show the challenge, then wait."""


@frozen
class Challenge:
    """What to show to the user in a decoupled authorisation. Its repr shows none of it.

    `token` starts the app or is the content of the QR code, `image` is a ready image (a data URI, or bare base64 PNG),
    `image_link` a URL of one, `method` the authentication method that was chosen.
    """

    token: str | None = field(default=None, repr=False)
    image: str | None = field(default=None, repr=False)
    image_link: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    method: str | None = None

    @classmethod
    def of(cls, data: ChallengeData | None, method: str | None) -> Challenge | None:
        """Reads `challengeData`; its `data` is a text or a list whose first element counts (facts 30, section 7)."""
        if data is None:
            return None
        token = data.data[0] if isinstance(data.data, list) and data.data else data.data
        given = (token, data.image, data.image_link, data.additional_information)
        texts = [text if isinstance(text, str) and text else None for text in given]
        if not any(texts):
            return None
        token, image, image_link, text = texts
        return cls(token, image, image_link, text, method)

    def app_link(self, redirect: str | None = None) -> str | None:
        """The link that opens BankID on the same device; `redirect` is where it goes afterwards (needed on iOS)."""
        if self.token is None or self.is_animated:
            return None
        back = "null" if redirect is None else quote(redirect, safe="")
        return f"https://app.bankid.com/?autostarttoken={quote(self.token, safe='')}&redirect={back}"

    @property
    def is_animated(self) -> bool:
        """Whether the QR code has to be drawn anew whenever it changes."""
        return self.method is not None and self.method.startswith("mbid_animated")

    @property
    def qr_content(self) -> str | None:
        """What to draw as a QR code; None where a ready image is to be shown."""
        return self.token if self.is_animated else self.app_link()

    @property
    def qr_image(self) -> str | None:
        """A ready image, as a URL that an HTML image takes; None where a QR code is to be drawn."""
        if self.image is None:
            return self.image_link
        is_url = self.image.startswith(("data:", "https:", "http:"))
        return self.image if is_url else f"data:image/png;base64,{self.image}"


@frozen
class AuthorisationUpdate:
    """Something changed: a new SCA status, or a new challenge to show."""

    sca_status: str | None
    challenge: Challenge | None

    @property
    def is_over(self) -> bool:
        """Whether the user has nothing more to do; `wait()` then gives the consent."""
        return self.sca_status in TERMINAL


def check_outcome(sca_status: str | None, consent_id: str, authorisation_id: str) -> None:
    """Raises AuthorisationFailedError if an authorisation has ended, and not well."""
    if sca_status in TERMINAL - SUCCESSFUL:
        raise AuthorisationFailedError(
            f"authorisation {authorisation_id} of consent {consent_id} ended as {sca_status}",
            code=sca_status,
            consent_id=consent_id,
            authorisation_id=authorisation_id,
        )


def text(value: object) -> str | None:
    """A status; what is no text counts as none."""
    return value if isinstance(value, str) else None


def link(links: Links | None, name: str) -> str | None:
    """The address of a link that is an object or a text (facts 40-account-information, section 6)."""
    found = links.additional_properties.get(name) if links is not None else None
    href = getattr(found, "href", found)
    return href if isinstance(href, str) and href else None


def choose_method(offered: Iterable[AuthenticationMethod] | None) -> str:
    """The method that the provider's sample takes: an animated QR image, else plain Mobile BankID, else the first.

    Raises InvalidArgumentError if the bank offers none.
    """
    ids = [method.authentication_method_id for method in offered or []]
    for preferred in ("mbid_animated_qr_image", "mbid"):
        if preferred in ids:
            return preferred
    if not ids:
        raise InvalidArgumentError("the bank offers no method: name one with method=...", argument="method")
    return ids[0]


def decide_approach(
    header: str | None, links: Links | None, *, has_challenge: bool, is_over: bool
) -> tuple[Approach, str | None]:
    """Which way, and the template of the browser's link: by the header ASPSP-SCA-Approach first, then by the links.

    What is over already leaves nothing to do in a browser. Raises AuthorisationFailedError for the embedded
    approach, which the provider says is not applicable.
    """
    oauth, plain = link(links, "scaOAuth"), link(links, "scaRedirect")
    said = (header or "").strip().upper()
    if said == "EMBEDDED":
        raise AuthorisationFailedError("the bank asks for the embedded approach, which this API does not use")
    if is_over or said == "DECOUPLED" or (said != "REDIRECT" and (has_challenge or not (oauth or plain))):
        return Approach.DECOUPLED, None
    if oauth is None and plain is None:
        raise AuthorisationFailedError("the bank asks for a redirect but gave no link")
    return (Approach.OAUTH_REDIRECT, oauth) if oauth else (Approach.REDIRECT, plain)


def read_saved(saved: object, bic_fi: str) -> dict[str, Any]:
    """Checks what `to_dict` gave, maybe in another process. Raises InvalidArgumentError."""
    if not isinstance(saved, Mapping) or saved.get("bic_fi") != bic_fi:
        raise InvalidArgumentError(f"saved must be what to_dict() gave, for {bic_fi}", argument="saved")
    try:
        approach = Approach(saved.get("approach"))  # type: ignore[arg-type]
    except ValueError:
        raise InvalidArgumentError("saved has no known approach", argument="saved") from None
    texts = {}
    for name in ("template", "redirect_uri", "state", "method"):
        value = saved.get(name)
        if value is not None and not isinstance(value, str):
            raise InvalidArgumentError(f"saved: {name} must be a text", argument="saved")
        texts[name] = value
    preferred = saved.get("redirect_preferred")
    if preferred is not None and not isinstance(preferred, bool):
        raise InvalidArgumentError("saved: redirect_preferred must be True, False or None", argument="saved")
    values = {
        **texts,
        "consent_id": read_id(saved.get("consent_id"), "consent_id"),
        "authorisation_id": read_id(saved.get("authorisation_id"), "authorisation_id"),
        "approach": approach,
        "redirect_preferred": preferred,
    }
    if "psu_context" in saved:  # None is a context too: API scopes alone
        values["psu_context"] = read_psu_context(saved["psu_context"], argument="saved")
    return values
