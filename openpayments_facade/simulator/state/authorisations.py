"""What users approve, and how: the same for everything that can be approved.

A subject is what an authorisation is for, such as a consent. The subject itself decides what follows from the user's
decision; all other code, here and on both hosts, only uses the interface of `Subject`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from .resource import Resource
from .users import DECLINED, USUAL, Course, Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .banks import Approach

__all__ = [
    "API_SCOPE_BY_KIND",
    "KINDS_WITH_CODE",
    "Approval",
    "Authorisation",
    "Authorisations",
    "ScaStatus",
    "SimulatedAuthorisation",
    "Subject",
]

ScaStatus = Literal["received", "started", "scaMethodSelected", "authenticationStarted"] | Outcome

_TERMINAL: frozenset[ScaStatus] = frozenset({"finalised", "failed", "exempted"})

# Everything that a user can approve by redirect: its name in the link, and the API scope that the redirect is for. The
# provider's guide of 2021 does not mention baskets.
API_SCOPE_BY_KIND: Final[Mapping[str, str]] = {
    "consent": "accountinformation",
    "payment": "paymentinitiation",
    "basket": "paymentinitiation",
}
# those whose redirect comes back with a code; no source has the headers that exchange that of a basket
KINDS_WITH_CODE: Final = ("consent", "payment")


@dataclass(frozen=True)
class Approval:
    """The authorisation that an authorization code stands for, and its subject."""

    kind: str
    resource_id: str
    authorisation_id: str


@dataclass(frozen=True)
class SimulatedAuthorisation:
    """A snapshot of an authorisation.

    Attributes:
        id: Its id.
        approach: "redirect" or "decoupled".
        sca_status: How far the user has got, such as "started" or "finalised".
        method: The id of the authentication method; None if none is selected.
        psu_id: The user; None if unknown.
    """

    id: str
    approach: Approach
    sca_status: ScaStatus
    method: str | None
    psu_id: str | None


@dataclass(eq=False, kw_only=True)
class Subject(Resource, ABC):
    """What a user is asked to approve; a base class with a subclass for each kind, one of `API_SCOPE_BY_KIND`.

    `signed_by` is the user who approved first.
    """

    status: str
    signed_by: str | None = None
    authorisations: dict[str, Authorisation] = field(default_factory=dict)

    @property
    @abstractmethod
    def waits_for_user(self) -> bool:
        """Whether it can still be approved or declined."""

    @property
    @abstractmethod
    def request_to_user(self) -> str:
        """What the bank's page asks of the user, as a sentence."""

    @property
    def is_blocked(self) -> bool:
        """Whether it can't be authorised by itself now."""
        return False

    @property
    def next_signer(self) -> str | None:
        """The user whose approval it waits for; None if unknown."""
        return self.psu_id if self.signed_by is None else None

    @abstractmethod
    def approve(self, psu_id: str | None, *, alone: bool) -> None:
        """Applies the consequences of this user's approval. `alone` says whether that of nobody else is needed."""

    @abstractmethod
    def reject(self) -> None:
        """Applies the consequences of a refusal or a failed authorisation."""

    def sign(self, psu_id: str | None, *, alone: bool, partly: str) -> bool:
        """Notes an approval. Whether it was the last that is needed; `partly` is the status otherwise."""
        if self.status == partly:
            return psu_id != self.signed_by  # the approval of somebody else is missing
        self.signed_by = psu_id
        if not alone:
            self.status = partly
        return alone

    def touch(self) -> None:
        """Notes that it was used or changed."""

    def catch_up(self) -> None:
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
    `last_read`; if that is None, it never does. `challenged` is its status from the challenge on, `reason` says why it
    failed.
    """

    id: str
    subject: Subject
    approach: Approach
    sca_status: ScaStatus
    psu_id: str | None
    last_read: int | None
    challenged: ScaStatus
    courses: Mapping[str, Course]
    method: str | None = None
    reads: int = 0
    reason: Reason | None = None

    @property
    def is_open(self) -> bool:
        return self.sca_status not in _TERMINAL

    @property
    def waits_for_app(self) -> bool:
        """Whether there is a challenge that the user has not answered yet."""
        return self.is_open and self.approach == "decoupled" and self.method is not None

    @property
    def course(self) -> Course:
        """How it goes for its user."""
        return USUAL if self.psu_id is None else self.courses.get(self.psu_id, USUAL)

    @property
    def approval(self) -> Approval:
        return Approval(self.subject.kind, self.subject.id, self.id)

    def select(self, method: str, psu_id: str | None) -> None:
        self.method = method
        self.psu_id = self.psu_id or psu_id
        if self.approach == "redirect":
            self.sca_status = "scaMethodSelected"
        elif not self.subject.bank.at_once:
            self.sca_status = self.challenged
        if self.course.outcome == "exempted":
            self.end()

    def end(self) -> None:
        """Ends as it does for its user; not at all, if it never does."""
        if self.course.outcome is not None:
            self.finish(self.course.outcome, self.course.reason)

    def decline(self) -> None:
        """The user declines, or is one whose authorisation fails anyway."""
        if self.course.outcome == "failed":
            self.end()
        else:
            self.finish("failed", DECLINED)

    def let_app_proceed(self) -> None:
        """Counts a status read, which brings a decoupled authorisation a step closer to its end."""
        if not self.waits_for_app:
            return
        self.reads += 1
        if self.course.outcome is not None and self.last_read is not None and self.reads >= self.last_read:
            self.end()
        elif self.reads >= (self.last_read or 4) / 2:
            self.sca_status = "started"

    def finish(self, outcome: Outcome, reason: Reason | None = None) -> None:
        self.sca_status, self.reason = outcome, reason
        if outcome == "failed":
            self.subject.reject()
        else:
            self.subject.approve(self.psu_id, alone=self.course.signs_alone)

    def view(self) -> SimulatedAuthorisation:
        return SimulatedAuthorisation(self.id, self.approach, self.sca_status, self.method, self.psu_id)


class Authorisations:
    """All authorisations. `new_id` makes their ids; decoupled ones end at read `decoupled_reads`.

    `courses` are those of the users who have a special one. `of_2026` says whether the statuses follow each other as in
    the provider's sandbox (observed in 2026), or as in the provider's guide of 2021.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        decoupled_reads: int | None,
        courses: Mapping[str, Course],
        of_2026: bool,
    ) -> None:
        self._new_id = new_id
        self._decoupled_reads = decoupled_reads
        self._courses = courses
        self._of_2026 = of_2026
        self._authorisations: dict[str, Authorisation] = {}

    def start(self, subject: Subject, psu_id: str | None) -> Authorisation:
        approach = subject.approach
        authorisation = Authorisation(
            id=self._new_id(),
            subject=subject,
            approach=approach,
            # in the provider's guide of 2021 redirects begin with `started`, in its notes about banks with `received`,
            # as in the provider's description of 2026
            sca_status="started" if approach == "redirect" and not self._of_2026 else "received",
            psu_id=psu_id or subject.psu_id,
            last_read=self._decoupled_reads,
            challenged="started" if self._of_2026 else "authenticationStarted",
            courses=self._courses,
        )
        self._authorisations[authorisation.id] = authorisation
        subject.authorisations[authorisation.id] = authorisation
        subject.touch()
        return authorisation

    def approve_unstarted(self, subject: Subject) -> None:
        """The next signer approves, without an authorisation."""
        psu_id = subject.next_signer
        subject.approve(psu_id, alone=self._courses.get(psu_id or "", USUAL).signs_alone)

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
