"""How a user authorises: what is authorised, which way the bank chose, what to show, and what has come of it. Pure.

Sources: the provider's guide of 2021 (approaches, challenges, statuses); the provider's samples of 2022 (which method,
how often to look).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from attrs import evolve, field, frozen
from openpayments_client.api.consent import (
    get_consent_information,
    get_consent_sca_status,
    start_consent_authorisation,
    update_consents_psu_data,
)
from openpayments_client.models import SelectAuthenticationMethod

from .._checks import refuse
from ..errors import AuthorisationFailedError, AuthorisationTimeoutError
from ..scopes import PsuContext, read_psu_context
from .operation import Endpoint, Operation

if TYPE_CHECKING:
    from openpayments_client.models import (
        AuthenticationMethod,
        AuthorisationStarted,
        AuthorisationUpdated,
        ChallengeData,
        Consent,
        Links,
        ScaStatusAnswer,
    )

    from .binding import BankBinding

__all__ = [
    "Approach",
    "AuthorisationState",
    "AuthorisationUpdate",
    "Challenge",
    "ConsentSubject",
    "Subject",
    "choose_method",
    "decide_approach",
    "link",
    "method_to_select",
    "str_or_none",
]

T = TypeVar("T")

SUCCESSFUL: Final = frozenset({"finalised", "exempted"})
TERMINAL: Final = SUCCESSFUL | {"failed"}
POLL_INTERVAL: Final = {"decoupled": 1.0, "redirect": 2.0, "oauth_redirect": 2.0}
"""Seconds between two reads of the SCA status (the provider's samples of 2022)."""


class Approach(StrEnum):
    """How the user authorises."""

    OAUTH_REDIRECT = "oauth_redirect"
    """In the browser; the callback brings a code that has to be exchanged: `complete(callback_url)`."""
    REDIRECT = "redirect"
    """In the browser; the callback brings no code."""
    DECOUPLED = "decoupled"
    """In an app, such as Mobile BankID: show the challenge, then wait."""


class Endpoints(NamedTuple):
    """The operations of a kind of resource that is authorised."""

    start: Endpoint[..., Any]
    select: Endpoint[..., Any]
    sca_status: Endpoint[..., Any]
    read: Endpoint[..., Any]


@frozen
class Subject(Generic[T]):
    """What a user authorises, and how it is asked about. A kind of resource is a subclass with little but names."""

    id: str
    bank: BankBinding
    kind: ClassVar[str]
    """The word in `to_dict` and in errors; `exchange_code` takes the id as `<kind>_id`."""
    endpoints: ClassVar[Endpoints]
    status_field: ClassVar[str]
    done: ClassVar[frozenset[str]]
    """Statuses of the resource that the authorisation is for."""
    lost: ClassVar[frozenset[str]]
    """Statuses of the resource that no authorisation mends."""

    def start(self) -> Operation[AuthorisationStarted]:
        """Starts an authorisation."""
        return Operation.at_bank(self.bank, self.endpoints.start, self.id)

    def select(self, authorisation_id: str, method: str) -> Operation[AuthorisationUpdated]:
        """Selects how the user authorises."""
        body = SelectAuthenticationMethod(authentication_method_id=method)
        return Operation.at_bank(self.bank, self.endpoints.select, self.id, authorisation_id, body=body)

    def sca_status(self, authorisation_id: str) -> Operation[ScaStatusAnswer]:
        """Reads how far the user is."""
        return Operation.at_bank(self.bank, self.endpoints.sca_status, self.id, authorisation_id)

    def read(self) -> Operation[T]:
        """Reads the resource itself."""
        return Operation.at_bank(self.bank, self.endpoints.read, self.id)

    def is_done(self, resource: T, authorisation_id: str) -> bool:
        """Whether the resource is as authorised. Raises AuthorisationFailedError if it never will be."""
        status = str_or_none(getattr(resource, self.status_field))
        if status in self.lost:
            raise self.failure(f"{self.kind} {self.id} is {status}", status, authorisation_id)
        return status in self.done

    def identify(self, resource: T) -> T:
        """The resource with its own id, which an answer about it may lack."""
        return resource

    def failure(self, message: str, code: str | None, authorisation_id: str) -> AuthorisationFailedError:
        """The error of an authorisation that came to nothing."""
        return AuthorisationFailedError(message, code=code, authorisation_id=authorisation_id, **self._ids())

    def timeout(self, seconds: float, state: AuthorisationState) -> AuthorisationTimeoutError:
        """The error of an authorisation that nobody finished."""
        return AuthorisationTimeoutError(
            f"{self.kind} {self.id} was not authorised in {seconds:g} s; SCA status {state.sca_status}",
            authorisation_id=state.authorisation_id,
            **self._ids(),
        )

    def _ids(self) -> dict[str, str]:
        return {"resource_id": self.id} | ({"consent_id": self.id} if self.kind == "consent" else {})


class ConsentSubject(Subject["Consent"]):
    """A consent that a user authorises."""

    __slots__ = ()
    kind = "consent"
    endpoints = Endpoints(
        start_consent_authorisation, update_consents_psu_data, get_consent_sca_status, get_consent_information
    )
    status_field = "consent_status"
    done = frozenset({"valid"})
    lost = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})

    def identify(self, resource: Consent) -> Consent:
        """The consent with its id."""
        resource.consent_id = resource.consent_id or self.id
        return resource


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
        """Reads `challengeData`; its `data` is a string, or a list whose first element counts."""
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


@frozen
class AuthorisationState:
    """Where an authorisation is: which way, what to show, how far. A step gives a new one."""

    authorisation_id: str
    approach: Approach
    template: str | None = None
    method: str | None = None
    redirect_uri: str | None = None
    state: str | None = field(default=None, repr=False)
    sca_status: str | None = None
    challenge: Challenge | None = None

    @classmethod
    def begun(
        cls,
        subject: Subject[Any],
        authorisation_id: str,
        answer: AuthorisationStarted | AuthorisationUpdated,
        header: str | None,
        method: str | None,
    ) -> AuthorisationState:
        """The state after the answer that decided about the approach, whose header ASPSP-SCA-Approach is `header`.

        Raises AuthorisationFailedError if it is over already, and not well.
        """
        sca_status, method = str_or_none(answer.sca_status), _chosen(answer) or method
        challenge = Challenge.of(answer.challenge_data, method)
        check_outcome(subject, authorisation_id, sca_status)
        approach, template = decide_approach(
            header, answer.links, has_challenge=challenge is not None, is_over=sca_status in TERMINAL
        )
        return cls(authorisation_id, approach, template, method, sca_status=sca_status, challenge=challenge)

    def after(self, answer: ScaStatusAnswer) -> AuthorisationState:
        """The state after a look at the SCA status."""
        sca_status = str_or_none(answer.sca_status) or self.sca_status or "received"
        challenge = Challenge.of(answer.challenge_data, self.method)
        if challenge is None and sca_status == self.sca_status:
            # the description of this answer has no challenge: without one, the last one holds
            challenge = self.challenge
        return evolve(self, sca_status=sca_status, challenge=challenge)

    @property
    def update(self) -> AuthorisationUpdate:
        """What the user's screen needs."""
        return AuthorisationUpdate(self.sca_status, self.challenge)

    def to_dict(self, subject: Subject[Any], psu_context: object) -> dict[str, Any]:
        """All that another process needs to go on: neither token nor user."""
        return {
            "kind": subject.kind,
            "bic_fi": subject.bank.bic_fi,
            f"{subject.kind}_id": subject.id,
            "authorisation_id": self.authorisation_id,
            "approach": str(self.approach),
            "template": self.template,
            "method": self.method,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "redirect_preferred": subject.bank.redirect_preferred,
            "psu_context": None if psu_context is None else str(psu_context),
        }

    @classmethod
    def from_dict(
        cls, saved: object, kind: str, bank: BankBinding, psu_context: PsuContext | None
    ) -> tuple[AuthorisationState, str, BankBinding, PsuContext | None]:
        """Reads what `to_dict` gave: the state, the id of what is authorised, the bank as it was bound, the context.

        Raises InvalidArgumentError.
        """
        if not isinstance(saved, Mapping) or saved.get("bic_fi") != bank.bic_fi or saved.get("kind", kind) != kind:
            raise refuse("saved", f"must be what to_dict() gave for a {kind} at {bank.bic_fi}")
        ids, rest = ("authorisation_id", f"{kind}_id"), ("template", "method", "redirect_uri", "state")
        for name in (*ids, *rest):
            if not isinstance(saved.get(name), str if name in ids else str | None):
                raise refuse("saved", f"must have a string as {name}")
        if saved.get("approach") not in set(Approach):
            raise refuse("saved", "must have a known approach")
        preferred = saved.get("redirect_preferred")
        if not isinstance(preferred, bool | None):
            raise refuse("saved", "must have True, False or None as redirect_preferred")
        # None is a context too: API scopes alone
        context = read_psu_context(saved.get("psu_context", psu_context), argument="saved")
        state = cls(saved["authorisation_id"], Approach(saved["approach"]), *(saved.get(name) for name in rest))
        bank = evolve(bank, psu=evolve(bank.psu, context=context), redirect_preferred=preferred)
        return state, saved[f"{kind}_id"], bank, context


def check_outcome(subject: Subject[Any], authorisation_id: str, sca_status: str | None) -> None:
    """Raises AuthorisationFailedError if an authorisation has ended, and not well."""
    if sca_status in TERMINAL - SUCCESSFUL:
        said = f"authorisation {authorisation_id} of {subject.kind} {subject.id} ended as {sca_status}"
        raise subject.failure(said, sca_status, authorisation_id)


def str_or_none(value: object) -> str | None:
    """A status; anything but a string counts as none."""
    return value if isinstance(value, str) else None


def link(links: Links | None, name: str) -> str | None:
    """The address of a link that is an object or a string."""
    found = links.additional_properties.get(name) if links is not None else None
    return str_or_none(getattr(found, "href", found)) or None


def method_to_select(started: AuthorisationStarted, header: str | None, wanted: str | None) -> str | None:
    """The method to select next, None if the bank has decided by itself.

    Raises InvalidArgumentError if neither the caller nor the bank names one.
    """
    chosen = _chosen(started)
    # the bank went on with what the caller would have asked for
    goes_on = _is(header, "DECOUPLED") and started.challenge_data and chosen and wanted in {None, chosen}
    if goes_on or str_or_none(started.sca_status) in TERMINAL or any(_browser_links(started.links)):
        return None
    return wanted or chosen or choose_method(started.sca_methods)


def _chosen(answer: AuthorisationStarted | AuthorisationUpdated) -> str | None:
    """The method that the bank says is chosen."""
    chosen = answer.chosen_sca_method
    return None if chosen is None else chosen.authentication_method_id or None


def _browser_links(links: Links | None) -> tuple[str | None, str | None]:
    return link(links, "scaOAuth"), link(links, "scaRedirect")


def _is(header: str | None, approach: str) -> bool:
    return (header or "").strip().upper() == approach


def choose_method(offered: Iterable[AuthenticationMethod] | None) -> str:
    """An animated QR image, else plain Mobile BankID, else the first (the provider's samples of 2022).

    Raises InvalidArgumentError if the bank offers none.
    """
    ids = [method.authentication_method_id for method in offered or []]
    if not ids:
        raise refuse("method", "is missing: the bank offers none")
    return next((preferred for preferred in ("mbid_animated_qr_image", "mbid") if preferred in ids), ids[0])


def decide_approach(
    header: str | None, links: Links | None, *, has_challenge: bool, is_over: bool
) -> tuple[Approach, str | None]:
    """Which way, and the template of the browser's link: by the header ASPSP-SCA-Approach first, then by the links.

    What is over already leaves nothing to do in a browser. Raises AuthorisationFailedError for the embedded
    approach, which does not apply (the provider's guide of 2021).
    """
    oauth, plain = _browser_links(links)
    if _is(header, "EMBEDDED"):
        raise AuthorisationFailedError("the bank asks for the embedded approach, which this API does not use")
    is_redirect = _is(header, "REDIRECT")
    if is_over or _is(header, "DECOUPLED") or not (is_redirect or (not has_challenge and (oauth or plain))):
        return Approach.DECOUPLED, None
    if oauth is None and plain is None:
        raise AuthorisationFailedError("the bank asks for a redirect but gave no link")
    return (Approach.OAUTH_REDIRECT, oauth) if oauth else (Approach.REDIRECT, plain)
