"""How a user authorises: what is authorised, the bank's approach, what to show, and the result. Pure.

Sources: the provider's guide of 2021 (approaches, challenges, statuses); the provider's samples of 2022 (choice of the
method, polling intervals).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar
from urllib.parse import quote

from attrs import define, evolve, field, frozen
from openpayments_client import models
from openpayments_client.api import consent as api
from openpayments_client.operations import OPERATIONS

from .._checks import refuse
from .._redaction import str_or_none
from ..errors import AuthorisationFailedError, AuthorisationTimeoutError
from ..scopes import PsuContext, read_psu_context
from .operation import Endpoint, Operation

if TYPE_CHECKING:
    from .answer import RawResponse
    from .binding import BankBinding

T = TypeVar("T")
Verdict: TypeAlias = Literal["done", "wait", "lost"]

SUCCESSFUL: Final = frozenset({"finalised", "exempted"})
TERMINAL: Final = SUCCESSFUL | {"failed"}
POLL_INTERVAL: Final = {"decoupled": 1.0, "redirect": 2.0, "oauth_redirect": 2.0}
"""Seconds between two reads of the SCA status (the provider's samples of 2022)."""


_APPROACH: Final = "ASPSP-SCA-Approach"
_SAVED: Final = ("template", "method", "redirect_uri", "state")
"""The fields of a `Journey` that `to_dict` contains unchanged."""


class Approach(StrEnum):
    """How the user authorises."""

    OAUTH_REDIRECT = "oauth_redirect"
    """In the browser. The callback has a code that `complete(callback_url)` exchanges."""
    REDIRECT = "redirect"
    """In the browser. The callback has no code."""
    DECOUPLED = "decoupled"
    """In an app such as Mobile BankID: show the challenge, then wait."""


class Endpoints(NamedTuple):
    """The operations for one kind of resource."""

    start: Endpoint[..., Any]
    select: Endpoint[..., Any]
    sca_status: Endpoint[..., Any]
    read: Endpoint[..., Any]


@frozen
class Subject(Generic[T]):
    """The resource that a user authorises, and its operations. Each kind of resource is a small subclass."""

    id: str
    bank: BankBinding
    kind: ClassVar[str]
    """Its name in `to_dict` and in messages; `exchange_code` takes the id as `<kind>_id`."""
    endpoints: ClassVar[Endpoints]
    status_field: ClassVar[str]
    done: ClassVar[frozenset[str]]
    """Statuses of a resource that is authorised."""
    lost: ClassVar[frozenset[str]]
    """Statuses of a resource that can't be authorised any more."""

    def start(self) -> Operation[models.AuthorisationStarted]:
        """Starts an authorisation."""
        return Operation.at_bank(self.bank, self.endpoints.start, self.id)

    def select(self, authorisation_id: str, method: str) -> Operation[models.AuthorisationUpdated]:
        """Selects how the user authorises."""
        body = models.SelectAuthenticationMethod(authentication_method_id=method)
        return Operation.at_bank(self.bank, self.endpoints.select, self.id, authorisation_id, body=body)

    def sca_status(self, authorisation_id: str) -> Operation[models.ScaStatusAnswer]:
        """Reads how far the user has got."""
        return Operation.at_bank(self.bank, self.endpoints.sca_status, self.id, authorisation_id)

    def read(self) -> Operation[T]:
        """Reads the resource itself."""
        return Operation.at_bank(self.bank, self.endpoints.read, self.id)

    def verdict(self, resource: T) -> tuple[Verdict, str | None]:
        """Whether the resource is authorised, may still be, or never will be; and its status."""
        status = str_or_none(getattr(resource, self.status_field))
        return "done" if status in self.done else "lost" if status in self.lost else "wait", status

    def identify(self, resource: T) -> T:
        """The resource with its id, which the answer may lack."""
        return resource


class ConsentSubject(Subject["models.Consent"]):
    """A consent that a user authorises."""

    __slots__ = ()
    kind = "consent"
    endpoints = Endpoints(
        api.start_consent_authorisation,
        api.update_consents_psu_data,
        api.get_consent_sca_status,
        api.get_consent_information,
    )
    status_field = "consent_status"
    done = frozenset({"valid"})
    lost = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})

    def identify(self, resource: models.Consent) -> models.Consent:
        """The consent with its id."""
        resource.consent_id = resource.consent_id or self.id
        return resource


@frozen
class Challenge:
    """What to show to the user in a decoupled authorisation. Its repr shows only the method.

    Attributes:
        token: The token that starts the app, or the content of the QR code.
        image: A ready image: a data URI, or a PNG in Base64.
        image_link: The URL of a ready image.
        text: The bank's text for the user.
        method: The id of the authentication method.
    """

    token: str | None = field(default=None, repr=False)
    image: str | None = field(default=None, repr=False)
    image_link: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    method: str | None = None

    @classmethod
    def of(cls, data: models.ChallengeData | None, method: str | None) -> Challenge | None:
        """Reads `challengeData`. Its `data` is a string, or a list whose first item counts.

        Args:
            data: The bank's challenge data, if any.
            method: The id of the authentication method, if known.

        Returns:
            The challenge; None if there is nothing to show.
        """
        if data is None:
            return None
        token = data.data[0] if isinstance(data.data, list) and data.data else data.data
        given = [token, data.image, data.image_link, data.additional_information]
        token, image, image_link, text = (str_or_none(each) or None for each in given)
        return cls(token, image, image_link, text, method) if token or image or image_link or text else None

    def app_link(self, redirect: str | None = None) -> str | None:
        """The link that opens BankID on the user's own device.

        Args:
            redirect: The address that BankID opens afterwards. Required on iOS.

        Returns:
            The link; None if there is no token, or the QR code is animated.
        """
        if self.token is None or self.is_animated:
            return None
        back = "null" if redirect is None else quote(redirect, safe="")
        return f"https://app.bankid.com/?autostarttoken={quote(self.token, safe='')}&redirect={back}"

    @property
    def is_animated(self) -> bool:
        """Whether the QR code changes, and has to be redrawn each time."""
        return self.method is not None and self.method.startswith("mbid_animated")

    @property
    def qr_content(self) -> str | None:
        """The content of the QR code to draw; None if there is a ready image instead."""
        return self.token if self.is_animated else self.app_link()

    @property
    def qr_image(self) -> str | None:
        """The ready image as a URL for an HTML image; None if there is a QR code to draw instead."""
        if self.image is None:
            return self.image_link
        is_url = self.image.startswith(("data:", "https:", "http:"))
        return self.image if is_url else f"data:image/png;base64,{self.image}"


@frozen
class AuthorisationUpdate:
    """The state of an authorisation after a change.

    Attributes:
        sca_status: How far the user has got, such as `started` or `finalised`.
        challenge: What to show to the user now; None if there is nothing to show.
    """

    sca_status: str | None
    challenge: Challenge | None

    @property
    def is_over(self) -> bool:
        """Whether the user has nothing more to do. `wait()` then gives the authorised resource."""
        return self.sca_status in TERMINAL


@define(eq=False, repr=False, slots=False)
class Journey(Generic[T]):
    """The state of an authorisation: approach, challenge, SCA status."""

    _subject: Subject[T]
    authorisation_id: str
    approach: Approach = field(default=Approach.DECOUPLED, converter=Approach)
    _template: str | None = None
    _method: str | None = None
    _redirect_uri: str | None = None
    _state: str | None = None
    sca_status: str | None = None
    challenge: Challenge | None = None
    _status: str | None = field(default=None, init=False)

    @property
    def resource_id(self) -> str:
        """The id of what is authorised."""
        return self._subject.id

    @property
    def consent_id(self) -> str:
        """The id of what is authorised, if it is a consent."""
        return self._subject.id

    def _check_outcome(self) -> None:
        """Raises AuthorisationFailedError if the authorisation ended without success."""
        if self.sca_status in TERMINAL - SUCCESSFUL:
            said = f"authorisation {self.authorisation_id} of {self._subject.kind} {self.resource_id}"
            raise AuthorisationFailedError(f"{said} ended as {self.sca_status}", code=self.sca_status, **self._ids)

    def _is_done(self, resource: T) -> bool:
        """Whether the resource is authorised. Raises AuthorisationFailedError if it never will be."""
        verdict, self._status = self._subject.verdict(resource)
        if verdict == "lost":
            said = f"{self._subject.kind} {self.resource_id} is {self._status}"
            raise AuthorisationFailedError(said, code=self._status, **self._ids)
        return verdict == "done"

    def _timeout_error(self, timeout: float) -> AuthorisationTimeoutError:
        """The error for an authorisation that was not finished within `timeout` seconds."""
        said = f"{self._subject.kind} {self.resource_id} was not authorised within {timeout:g} s"
        status = f", status {self._status}" if self._status else ""  # such as partiallyAuthorised
        return AuthorisationTimeoutError(f"{said}; SCA status {self.sca_status}{status}", **self._ids)

    @property
    def _ids(self) -> dict[str, str | None]:
        consent_id = self.resource_id if self._subject.kind == "consent" else None
        return {"resource_id": self.resource_id, "consent_id": consent_id, "authorisation_id": self.authorisation_id}

    def _begin(self, started: RawResponse[Any], updated: RawResponse[Any] | None, method: str | None) -> None:
        """Reads the answers that start the authorisation; `updated` is None if no method was selected.

        Raises AuthorisationFailedError if it has already failed, or the bank asks for an approach that this API lacks.
        """
        answer: models.AuthorisationStarted | models.AuthorisationUpdated = (updated or started).parsed
        self.sca_status, self._method = str_or_none(answer.sca_status), _chosen(answer) or method
        self.challenge = Challenge.of(answer.challenge_data, self._method)
        self._check_outcome()
        header = (updated and updated.headers.get(_APPROACH)) or started.headers.get(_APPROACH)
        self.approach, self._template = decide_approach(
            header, answer.links, has_challenge=self.challenge is not None, is_over=self.sca_status in TERMINAL
        )

    def _update_from(self, answer: models.ScaStatusAnswer) -> bool:
        """Reads an answer about the SCA status. Returns whether anything changed."""
        before = (self.sca_status, self.challenge)
        challenge = Challenge.of(answer.challenge_data, self._method)
        self.sca_status = str_or_none(answer.sca_status) or self.sca_status or "received"
        if challenge is not None or self.sca_status != before[0]:
            # the specification has no challenge in this answer; without one, the last one stays valid
            self.challenge = challenge
        return before != (self.sca_status, self.challenge)

    def _update(self) -> AuthorisationUpdate:
        """What the user's screen shows."""
        return AuthorisationUpdate(self.sca_status, self.challenge)

    def _save(self, psu_context: object) -> dict[str, Any]:
        """All that another process needs to continue, without tokens and user data."""
        return {
            "kind": self._subject.kind,
            "bic_fi": self._subject.bank.bic_fi,
            f"{self._subject.kind}_id": self.resource_id,
            "authorisation_id": self.authorisation_id,
            "approach": str(self.approach),
            **{name: getattr(self, f"_{name}") for name in _SAVED},
            "affiliated_aspsp": self._subject.bank.affiliated_aspsp,
            "redirect_preferred": self._subject.bank.redirect_preferred,
            "psu_context": None if psu_context is None else str(psu_context),
        }

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.authorisation_id!r} of {self._subject.kind} {self.resource_id!r} "
            f"at {self._subject.bank.bic_fi}: {self.approach}, {self.sca_status}>"
        )


def read_saved(
    saved: object, kind: str, bank: BankBinding, psu_context: PsuContext | None
) -> tuple[str, BankBinding, PsuContext | None, dict[str, Any]]:
    """Reads a dict from `to_dict`: the resource's id, the bank as it was bound, the PSU context, a journey's fields.

    `psu_context` is used if the dict has none. Raises InvalidArgumentError.
    """
    if not isinstance(saved, Mapping) or saved.get("bic_fi") != bank.bic_fi or saved.get("kind", kind) != kind:
        raise refuse("saved", f"must be a dict from to_dict() of a {kind} at {bank.bic_fi}")
    for name in ("authorisation_id", f"{kind}_id", *_SAVED):
        if not isinstance(saved.get(name), str | None if name in _SAVED else str):
            raise refuse("saved", f"must have a string for {name}")
    if saved.get("approach") not in list(Approach):
        raise refuse("saved", "must have a valid approach")
    preferred = saved.get("redirect_preferred")
    if not isinstance(preferred, bool | None):
        raise refuse("saved", "must have True, False or None for redirect_preferred")
    # None is a context too: it means API scopes alone
    context = read_psu_context(saved.get("psu_context", psu_context), argument="saved")
    affiliated = saved.get("affiliated_aspsp", bank.affiliated_aspsp)
    rule = OPERATIONS["create_consent"].arguments["x_affiliated_aspsp_id"]
    if affiliated is not None and [*rule.problems(affiliated, "")]:
        raise refuse("saved", "must have a valid id or None for affiliated_aspsp")
    psu = evolve(bank.psu, context=context)
    bank = evolve(bank, psu=psu, affiliated_aspsp=affiliated, redirect_preferred=preferred)
    fields = {name: saved.get(name) for name in ("authorisation_id", "approach", *_SAVED)}
    return saved[f"{kind}_id"], bank, context, fields


def link(links: models.Links | None, name: str) -> str | None:
    """The address of a link, which is an object or a string."""
    found = links.additional_properties.get(name) if links is not None else None
    return str_or_none(getattr(found, "href", found)) or None


def method_to_select(started: RawResponse[models.AuthorisationStarted], wanted: str | None) -> str | None:
    """The method to select next; None if the bank has already decided.

    Raises InvalidArgumentError if neither the caller nor the bank names a method.
    """
    answer, chosen = started.parsed, _chosen(started.parsed)
    is_decoupled = _is(started.headers.get(_APPROACH), "DECOUPLED")
    # the bank has already started the method that the caller wants
    goes_on = is_decoupled and answer.challenge_data and chosen and wanted in {None, chosen}
    if goes_on or str_or_none(answer.sca_status) in TERMINAL or any(_browser_links(answer.links)):
        return None
    return wanted or chosen or choose_method(answer.sca_methods)


def _chosen(answer: models.AuthorisationStarted | models.AuthorisationUpdated) -> str | None:
    """The method that the bank has chosen."""
    chosen = answer.chosen_sca_method
    return None if chosen is None else chosen.authentication_method_id or None


def _browser_links(links: models.Links | None) -> tuple[str | None, str | None]:
    return link(links, "scaOAuth"), link(links, "scaRedirect")


def _is(header: str | None, approach: str) -> bool:
    return (header or "").strip().upper() == approach


_PREFERRED: Final = ("mbid_animated_qr_image", "mbid_animated_qr_token", "mbid")


def choose_method(offered: Iterable[models.AuthenticationMethod] | None) -> str:
    """A QR code, else plain Mobile BankID, else the first one that is not for this very device (observed in 2026).

    Raises InvalidArgumentError if the bank offers none.
    """
    ids = [method.authentication_method_id for method in offered or []]
    if not ids:
        raise refuse("method", "is missing, and the bank offers none")
    elsewhere = [method for method in ids if method != "mbid_same_device"]
    return next((preferred for preferred in _PREFERRED if preferred in ids), [*elsewhere, *ids][0])


def decide_approach(
    header: str | None, links: models.Links | None, *, has_challenge: bool, is_over: bool
) -> tuple[Approach, str | None]:
    """The approach, and the template of the browser's link: from the header ASPSP-SCA-Approach, then from the links.

    Nothing is left to do in a browser once the authorisation is over. Raises AuthorisationFailedError for the embedded
    approach, which this API does not use (the provider's guide of 2021).
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
