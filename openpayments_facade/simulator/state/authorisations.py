"""What users approve, and how: the same for everything that can be approved.

A subject is what an authorisation is for, such as a consent. The subject itself decides what follows from the user's
decision; all other code, here and on both hosts, only uses the interface of `Subject`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from .users import Fate, fate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .banks import Approach, Bank

__all__ = [
    "API_SCOPE_BY_KIND",
    "Approval",
    "Authorisation",
    "Authorisations",
    "Outcome",
    "ScaStatus",
    "SimulatedAuthorisation",
    "Subject",
]

Outcome = Literal["finalised", "failed", "exempted"]
ScaStatus = Literal["received", "started", "scaMethodSelected", "authenticationStarted"] | Outcome

_TERMINAL: frozenset[ScaStatus] = frozenset({"finalised", "failed", "exempted"})
_OUTCOME_BY_FATE: Final[Mapping[Fate, Outcome]] = {Fate.FAILS: "failed", Fate.EXEMPTED: "exempted"}

# Everything that a user can approve by redirect: its name in the link and in the headers of the token request, and the
# API scope that the redirect is for (the provider's guide of 2021, which does not mention baskets).
API_SCOPE_BY_KIND: Final[Mapping[str, str]] = {"consent": "accountinformation", "payment": "paymentinitiation"}


@dataclass(frozen=True)
class Approval:
    """The authorisation that an authorization code stands for, and its subject."""

    kind: str
    resource_id: str
    authorisation_id: str


@dataclass(frozen=True)
class SimulatedAuthorisation:
    """A snapshot of an authorisation. `method` is the id of an authentication method."""

    id: str
    approach: Approach
    sca_status: ScaStatus
    method: str | None
    psu_id: str | None


@dataclass(eq=False, kw_only=True)
class Subject(ABC):
    """What a user is asked to approve; a base class with a subclass for each kind.

    `kind` is one of `API_SCOPE_BY_KIND`; `context` is the PSU context of the token, `redirect_preferred` the header
    that it was created with; `psu_id` is the user, None if unknown.
    """

    kind: ClassVar[str]

    id: str
    bank: Bank
    context: str | None
    redirect_preferred: str | None
    psu_id: str | None
    status: str
    authorisations: dict[str, Authorisation] = field(default_factory=dict)

    @property
    @abstractmethod
    def waits_for_user(self) -> bool:
        """Whether it can still be approved or declined."""

    @property
    @abstractmethod
    def request_to_user(self) -> str:
        """What the bank's page asks of the user, as a sentence."""

    @abstractmethod
    def approve(self, psu_id: str | None) -> None:
        """Applies the consequences of this user's approval."""

    @abstractmethod
    def reject(self) -> None:
        """Applies the consequences of a refusal or a failed authorisation."""

    def touch(self) -> None:  # noqa: B027 - most subjects have nothing to note
        """Notes that it was used or changed."""

    def catch_up(self) -> None:  # noqa: B027
        """Does what has become due since the last time."""

    @property
    def approach(self) -> Approach:
        return self.bank.approach(self.redirect_preferred)

    def close_authorisations(self) -> None:
        """Ends all authorisations that are waiting for the user."""
        for authorisation in self.authorisations.values():
            if authorisation.is_open:
                authorisation.sca_status = "failed"


@dataclass(eq=False, kw_only=True)
class Authorisation:
    """A user's approval of a subject, by redirect or decoupled (in an app).

    `reads` counts the status reads since a method was selected. A decoupled one ends by itself at read number
    `last_read`; if that is None, it never does.
    """

    id: str
    subject: Subject
    approach: Approach
    sca_status: ScaStatus
    psu_id: str | None
    last_read: int | None
    method: str | None = None
    reads: int = 0

    @property
    def is_open(self) -> bool:
        return self.sca_status not in _TERMINAL

    @property
    def waits_for_app(self) -> bool:
        """Whether there is a challenge that the user has not answered yet."""
        return self.is_open and self.approach == "decoupled" and self.method is not None

    @property
    def approval(self) -> Approval:
        return Approval(self.subject.kind, self.subject.id, self.id)

    def select(self, method: str, psu_id: str | None) -> None:
        self.method = method
        self.psu_id = self.psu_id or psu_id
        if self.approach == "redirect":
            self.sca_status = "scaMethodSelected"
        elif not self.subject.bank.at_once:
            self.sca_status = "authenticationStarted"
        if fate_of(self.psu_id) is Fate.EXEMPTED:
            self.finish("exempted")

    def finish_at_once(self) -> None:
        """For a bank that does not wait for its user."""
        fate = fate_of(self.psu_id)
        if fate is not Fate.NEVER_ENDS:
            self.finish(_OUTCOME_BY_FATE.get(fate, "finalised"))

    def let_app_proceed(self) -> None:
        """Counts a status read, which brings a decoupled authorisation a step closer to its end."""
        if not self.waits_for_app:
            return
        self.reads += 1
        fate = fate_of(self.psu_id)
        if fate is not Fate.NEVER_ENDS and self.last_read is not None and self.reads >= self.last_read:
            self.finish("failed" if fate is Fate.FAILS else "finalised")
        elif self.reads >= (self.last_read or 4) / 2:
            self.sca_status = "started"

    def finish(self, outcome: Outcome) -> None:
        self.sca_status = outcome
        if outcome == "failed":
            self.subject.reject()
        else:
            self.subject.approve(self.psu_id)

    def view(self) -> SimulatedAuthorisation:
        return SimulatedAuthorisation(self.id, self.approach, self.sca_status, self.method, self.psu_id)


class Authorisations:
    """All authorisations. `new_id` makes their ids; decoupled ones end at read `decoupled_reads`."""

    def __init__(self, *, new_id: Callable[[], str], decoupled_reads: int | None) -> None:
        self._new_id = new_id
        self._decoupled_reads = decoupled_reads
        self._authorisations: dict[str, Authorisation] = {}

    def start(self, subject: Subject, psu_id: str | None) -> Authorisation:
        approach = subject.approach
        authorisation = Authorisation(
            id=self._new_id(),
            subject=subject,
            approach=approach,
            # in the provider's guide of 2021 redirects begin with `started`, in its notes about banks with `received`
            sca_status="started" if approach == "redirect" else "received",
            psu_id=psu_id or subject.psu_id,
            last_read=self._decoupled_reads,
        )
        self._authorisations[authorisation.id] = authorisation
        subject.authorisations[authorisation.id] = authorisation
        subject.touch()
        return authorisation

    def find(self, authorisation_id: str) -> Authorisation | None:
        authorisation = self._authorisations.get(authorisation_id)
        if authorisation is not None:
            authorisation.subject.catch_up()
        return authorisation

    def find_approved(self, approval: Approval) -> Authorisation | None:
        """The authorisation that an approval is for, if it belongs to the subject that the approval names."""
        authorisation = self.find(approval.authorisation_id)
        return authorisation if authorisation is not None and authorisation.approval == approval else None

    def activate(self, approval: Approval) -> None:
        """Completes an approval by redirect, whose code became a token (the provider's guide of 2021)."""
        authorisation = self.find_approved(approval)
        if authorisation is not None and authorisation.is_open:
            authorisation.finish("finalised")
