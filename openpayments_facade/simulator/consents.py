"""Consents and their authorisations: what the simulator remembers of them, and how one state follows another."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from .identifiers import Identifiers
from .users import Fate, fate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .banks import Approach, Bank

__all__ = [
    "Authorisation",
    "Consent",
    "ConsentStatus",
    "Consents",
    "ScaStatus",
    "SimulatedAuthorisation",
    "SimulatedConsent",
]

ConsentStatus = Literal["received", "rejected", "valid", "revokedByPsu", "expired", "terminatedByTpp"]
Outcome = Literal["finalised", "failed", "exempted"]
ScaStatus = Literal["received", "started", "scaMethodSelected", "authenticationStarted"] | Outcome

_TERMINAL: frozenset[ScaStatus] = frozenset({"finalised", "failed", "exempted"})
# no source says how long a consent can be; the European regulation allows 180 days between two authentications
_LONGEST = timedelta(days=180)


@dataclass(frozen=True)
class SimulatedAuthorisation:
    """An authorisation as it was when it was looked at; `method` is an authentication method id."""

    id: str
    approach: Approach
    sca_status: ScaStatus
    method: str | None
    psu_id: str | None


@dataclass(frozen=True)
class SimulatedConsent:
    """A consent as it was when it was looked at; `access` is as it was asked for, `context` a PSU context."""

    id: str
    bic: str
    status: ConsentStatus
    context: str | None
    access: Mapping[str, Any]
    valid_until: date
    authorisations: tuple[SimulatedAuthorisation, ...]


@dataclass
class Authorisation:
    id: str
    approach: Approach
    sca_status: ScaStatus
    psu_id: str | None
    method: str | None = None
    reads: int = 0

    @property
    def is_open(self) -> bool:
        return self.sca_status not in _TERMINAL

    @property
    def waits_for_app(self) -> bool:
        """Whether there is a challenge that the user has yet to meet."""
        return self.is_open and self.approach == "decoupled" and self.method is not None


@dataclass
class Consent:
    """`request` is the body that was sent; `redirect_preferred` the header that came with it."""

    id: str
    bank: Bank
    context: str | None
    request: Mapping[str, Any]
    redirect_preferred: str | None
    psu_id: str | None
    valid_until: date
    last_action: date
    status: ConsentStatus = "received"
    authorisations: dict[str, Authorisation] = field(default_factory=dict)
    accesses: Counter[object] = field(default_factory=Counter)
    reported: dict[str, int] = field(default_factory=dict)
    next_pages: deque[object] = field(default_factory=lambda: deque(maxlen=16))

    @property
    def approach(self) -> Approach:
        return self.bank.approach(self.redirect_preferred)


class Consents:
    """Whoever reads or changes anything here, or in a consent, holds `lock` meanwhile.

    `clock` counts seconds since 1970. A decoupled authorisation ends by itself at the status read number
    `decoupled_reads`, never if that is None.
    """

    def __init__(self, *, clock: Callable[[], float], seed: int, decoupled_reads: int | None) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._identifiers = Identifiers(seed)
        self._decoupled_reads = decoupled_reads
        self._consents: dict[str, Consent] = {}

    def now(self) -> datetime:
        """The bank's time; the simulated banks live in UTC."""
        return datetime.fromtimestamp(self._clock(), UTC)

    def create(
        self,
        bank: Bank,
        request: Mapping[str, Any],
        *,
        valid_until: date,
        context: str | None,
        redirect_preferred: str | None,
        psu_id: str | None,
    ) -> Consent:
        today = self.now().date()
        consent = Consent(
            id=self._identifiers.next(),
            bank=bank,
            context=context,
            request=request,
            redirect_preferred=redirect_preferred,
            psu_id=psu_id,
            valid_until=min(valid_until, today + _LONGEST),
            last_action=today,
        )
        self._consents[consent.id] = consent
        return consent

    def find(self, consent_id: str) -> Consent | None:
        consent = self._consents.get(consent_id)
        if consent is not None and consent.status in {"received", "valid"} and self.now().date() > consent.valid_until:
            self.end(consent, "expired")
        return consent

    def find_authorisation(self, authorisation_id: str) -> tuple[Consent, Authorisation] | None:
        for consent_id, consent in self._consents.items():
            if authorisation_id in consent.authorisations:
                self.find(consent_id)
                return consent, consent.authorisations[authorisation_id]
        return None

    def start_authorisation(self, consent: Consent, psu_id: str | None) -> Authorisation:
        # the guides show `started` for the redirect, the banks' notes `received` (facts 30, section 6)
        approach = consent.approach
        authorisation = Authorisation(
            id=self._identifiers.next(),
            approach=approach,
            sca_status="started" if approach == "redirect" else "received",
            psu_id=psu_id or consent.psu_id,
        )
        consent.authorisations[authorisation.id] = authorisation
        self._touch(consent)
        return authorisation

    def select_method(self, consent: Consent, authorisation: Authorisation, method: str, psu_id: str | None) -> None:
        authorisation.method = method
        authorisation.psu_id = authorisation.psu_id or psu_id
        if authorisation.approach == "redirect":
            authorisation.sca_status = "scaMethodSelected"
        elif not consent.bank.at_once:
            authorisation.sca_status = "authenticationStarted"
        if fate_of(authorisation.psu_id) is Fate.EXEMPTED:
            self.finish(consent, authorisation, "exempted")

    def approve_at_once(self, consent: Consent, authorisation: Authorisation) -> None:
        """For a bank that does not wait for its user."""
        fate = fate_of(authorisation.psu_id)
        if fate is not Fate.NEVER_ENDS:
            outcomes: dict[Fate, Outcome] = {Fate.FAILS: "failed", Fate.EXEMPTED: "exempted"}
            self.finish(consent, authorisation, outcomes.get(fate, "finalised"))

    def let_app_proceed(self, consent: Consent, authorisation: Authorisation) -> None:
        """What a status read does to a decoupled authorisation: it comes a step nearer to its end."""
        if not authorisation.waits_for_app:
            return
        authorisation.reads += 1
        fate = fate_of(authorisation.psu_id)
        reads, last = authorisation.reads, self._decoupled_reads
        if fate is not Fate.NEVER_ENDS and last is not None and reads >= last:
            self.finish(consent, authorisation, "failed" if fate is Fate.FAILS else "finalised")
        elif reads >= (last or 4) / 2:
            authorisation.sca_status = "started"

    def finish(self, consent: Consent, authorisation: Authorisation, outcome: Outcome) -> None:
        authorisation.sca_status = outcome
        if outcome == "failed":
            self.end(consent, "rejected")
        else:
            self.make_valid(consent, authorisation.psu_id)

    def redeemed(self, consent_id: str, authorisation_id: str) -> None:
        """The code of an approval became a token, which activates it (facts 10-auth, section 1.2)."""
        with self.lock:
            consent = self.find(consent_id)
            authorisation = None if consent is None else consent.authorisations.get(authorisation_id)
            if consent is not None and authorisation is not None and authorisation.is_open:
                self.finish(consent, authorisation, "finalised")

    def make_valid(self, consent: Consent, psu_id: str | None) -> None:
        consent.status = "valid"
        consent.psu_id = psu_id
        self._touch(consent)
        self._close_authorisations(consent)
        if psu_id is not None and consent.request["recurringIndicator"]:
            # Berlin Group: an older recurring consent of the same user expires (facts 30, section 2)
            for other in self._consents.values():
                same = (other.bank, other.context, other.psu_id) == (consent.bank, consent.context, psu_id)
                if other is not consent and same and other.status == "valid" and other.request["recurringIndicator"]:
                    self.end(other, "expired")

    def end(self, consent: Consent, status: ConsentStatus) -> None:
        consent.status = status
        self._touch(consent)
        self._close_authorisations(consent)

    def use(self, consent: Consent) -> None:
        """Notes that something was read with the consent."""
        self._touch(consent)

    def views(self) -> list[SimulatedConsent]:
        for consent_id in self._consents:
            self.find(consent_id)
        return [
            SimulatedConsent(
                id=consent.id,
                bic=consent.bank.bic,
                status=consent.status,
                context=consent.context,
                access=consent.request["access"],
                valid_until=consent.valid_until,
                authorisations=tuple(
                    SimulatedAuthorisation(one.id, one.approach, one.sca_status, one.method, one.psu_id)
                    for one in consent.authorisations.values()
                ),
            )
            for consent in self._consents.values()
        ]

    def _close_authorisations(self, consent: Consent) -> None:
        for authorisation in consent.authorisations.values():
            if authorisation.is_open:
                authorisation.sca_status = "failed"

    def _touch(self, consent: Consent) -> None:
        consent.last_action = self.now().date()
