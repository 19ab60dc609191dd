"""Consents: their data, and the transitions between their statuses."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from .authorisations import SimulatedAuthorisation, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .resource import Origin

__all__ = ["Consent", "ConsentStatus", "Consents", "SimulatedConsent"]

ConsentStatus = Literal[
    "received", "rejected", "partiallyAuthorised", "valid", "revokedByPsu", "expired", "terminatedByTpp"
]

# no source says how long a consent can be; the European regulation allows 180 days between two authentications
_LONGEST = timedelta(days=180)
# whose consent it is
_USER = ("bank", "affiliate", "context", "psu_id", "corporate_id")


@dataclass(frozen=True)
class SimulatedConsent:
    """A snapshot of a consent.

    Attributes:
        id: Its id.
        bic: The bank.
        status: Its status, such as "received" or "valid".
        context: The PSU context.
        access: The access that was asked for.
        valid_until: The last day on which it can be used.
        authorisations: In the order in which they started.
    """

    id: str
    bic: str
    status: ConsentStatus
    context: str | None
    access: Mapping[str, Any]
    valid_until: date
    authorisations: tuple[SimulatedAuthorisation, ...]


@dataclass(eq=False, kw_only=True)
class Consent(Subject):
    """A consent. `request` is the body that it was created with.

    `accesses` counts a day's accesses without the user, `reported` the entries that each account has already listed,
    `next_pages` are the queries of the links to next pages. `iso_fallback` says whether it was read with
    `X-ISO-Fallback-Enabled` while it was valid.
    """

    kind = "consent"

    consents: Consents = field(repr=False)
    affiliate: str | None
    request: Mapping[str, Any]
    valid_until: date
    last_action: date
    status: ConsentStatus = "received"
    accesses: Counter[object] = field(default_factory=Counter)
    reported: dict[str, int] = field(default_factory=dict)
    next_pages: deque[object] = field(default_factory=lambda: deque(maxlen=16))
    iso_fallback: bool = False

    @property
    def is_alive(self) -> bool:
        return self.waits_for_user or self.status == "valid"

    @property
    def waits_for_user(self) -> bool:
        return self.status in {"received", "partiallyAuthorised"}

    @property
    def request_to_user(self) -> str:
        return f"An application asks to read your accounts until {self.valid_until.isoformat()}."

    def approve(self, psu_id: str | None, *, alone: bool) -> None:
        if self.signed_by is None:
            self.psu_id = psu_id
        if self.sign(psu_id, alone=alone, partly="partiallyAuthorised"):
            self.settle("valid")
            self.consents.expire_older(self)
        else:
            self.touch()

    def reject(self) -> None:
        self.settle("rejected")

    def settle(self, status: ConsentStatus) -> None:
        """Sets a status in which nothing is waiting for the user."""
        self.status = status
        self.touch()
        self.close_authorisations()

    def touch(self) -> None:
        self.last_action = self.consents.now().date()

    def catch_up(self) -> None:
        if self.is_alive and self.consents.now().date() > self.valid_until:
            self.settle("expired")

    def view(self) -> SimulatedConsent:
        return SimulatedConsent(
            id=self.id,
            bic=self.bank.bic,
            status=self.status,
            context=self.context,
            access=self.request["access"],
            valid_until=self.valid_until,
            authorisations=tuple(authorisation.view() for authorisation in self.authorisations.values()),
        )


class Consents:
    """All consents. `new_id` makes their ids, `now` is the banks' time."""

    def __init__(self, *, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self.now = now
        self._new_id = new_id
        self._consents: dict[str, Consent] = {}

    def create(
        self, request: Mapping[str, Any], *, origin: Origin, valid_until: date, affiliate: str | None
    ) -> Consent:
        today = self.now().date()
        consent = Consent(
            id=self._new_id(),
            affiliate=affiliate,
            consents=self,
            request=request,
            valid_until=min(valid_until, today + _LONGEST),
            last_action=today,
            **origin,
        )
        self._consents[consent.id] = consent
        return consent

    def find(self, consent_id: str) -> Consent | None:
        consent = self._consents.get(consent_id)
        if consent is not None:
            consent.catch_up()
        return consent

    def expire_older(self, consent: Consent) -> None:
        """Once a recurring consent is valid, older ones of the same user expire (Berlin Group)."""
        if consent.psu_id is None or not consent.request["recurringIndicator"]:
            return
        for other in self._consents.values():
            same = all(getattr(other, name) == getattr(consent, name) for name in _USER)
            if other is not consent and same and other.status == "valid" and other.request["recurringIndicator"]:
                other.settle("expired")

    def views(self) -> list[SimulatedConsent]:
        """Snapshots of all consents, in order of creation."""
        for consent in self._consents.values():
            consent.catch_up()
        return [consent.view() for consent in self._consents.values()]
