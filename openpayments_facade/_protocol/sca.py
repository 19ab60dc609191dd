"""How a user authorises: the bank's approach, the method, what to show, and the result. Pure.

Sources: the provider's guide of 2021 (approaches, challenges, statuses); the provider's samples of 2022 (polling
intervals); observed in 2026 (choice of the method, reasons of failures).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from attrs import evolve, field
from openpayments_client.operations import MODELS, OPERATIONS

from .. import errors
from .._attrs import Value, define, frozen
from .._checks import refuse
from .._redaction import careful, printable, quoted, scrubber, str_or_none
from ..errors import AnotherSignatureNeededError, AuthorisationFailedError, AuthorisationTimeoutError, TppMessage
from ..scopes import PsuContext, read_psu_context
from .challenge import Challenge, text_or_none
from .initiation import reason_of
from .patience import Patience
from .redirect import TRYING_AGAIN_HELPS, is_metadata
from .subjects import same

if TYPE_CHECKING:
    from openpayments_client import models

    from .answer import RawResponse
    from .binding import BankBinding
    from .subjects import Subject, Verdict

T = TypeVar("T")

_APPROACH: Final = "ASPSP-SCA-Approach"
SUCCESSFUL: Final = frozenset({"finalised", "exempted"})
TERMINAL: Final = SUCCESSFUL | {"failed"}

HERE: Final = ("mbid_same_device", "mbid")
"""The methods for a user whose BankID is on this very device, the best one first."""
_ELSEWHERE: Final = ("mbid_animated_qr_image", "mbid_animated_qr_token", "mbid")
_BEGUN: Final = {"authenticationStarted", "psuAuthenticated", "scaMethodSelected"}
"""Statuses of an authorisation in which a method has been selected."""
POLL_INTERVAL: Final = {"decoupled": 1.0, "redirect": 2.0, "oauth_redirect": 2.0}
"""Seconds between two reads of the SCA status (the provider's samples of 2022)."""
STUCK: Final = 5
"""The number of reads in a row that tell nothing new, after which the resource itself is looked at."""
GRACE: Final = 10.0
"""Seconds that a bank may take to notice that nobody else has to sign."""

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


@frozen
class AuthorisationUpdate(Value):
    """The state of an authorisation after a change.

    Attributes:
        sca_status: How far the user has got, such as `started` or `finalised`.
        challenge: What to show to the user now; None if there is nothing to show.
    """

    sca_status: str | None
    challenge: Challenge | None
    _is_authorised: bool = field(default=False, repr=False)

    _derived = ("is_over",)

    @property
    def is_over(self) -> bool:
        """Whether the user has nothing more to do. `wait()` then gives the authorised resource.

        The SCA status is final, or what was to be authorised is usable, whatever that status says.
        """
        return self._is_authorised or self.sca_status in TERMINAL


@define(eq=False, repr=False, slots=False)
class Journey(Patience, Generic[T]):
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
    _messages: tuple[TppMessage, ...] = field(default=(), init=False)
    _is_authorised: bool = field(default=False, init=False)
    # reads in a row without an SCA status, and without another one
    _silent: int = field(default=0, init=False)
    _unchanged: int = field(default=0, init=False)
    # why no method could be selected
    _refusal: errors.OpenPaymentsError | None = field(default=None, init=False)

    @property
    def resource_id(self) -> str:
        """The id of what is authorised."""
        return self._subject.id

    @property
    def consent_id(self) -> str:
        """The id of what is authorised, if it is a consent; else an empty string."""
        return self._subject.id if self._subject.kind == "consent" else ""

    @property
    def _needs_a_look(self) -> bool:
        """Whether the SCA status tells so little that the resource itself has to be looked at."""
        is_stuck = self._unchanged > 0 and self._unchanged % STUCK == 0
        return not self._update().is_over and (self._silent == 1 or is_stuck)

    def _check_outcome(self) -> None:
        """Raises AuthorisationFailedError if the authorisation ended without success."""
        if self.sca_status in TERMINAL - SUCCESSFUL:
            said = f"authorisation {self.authorisation_id} of {self._subject.kind} {self.resource_id}"
            raise self._failure(f"{said} ended as {self.sca_status}", self.sca_status, self._messages)

    def _weigh(self, answer: RawResponse[T]) -> Verdict:
        """Whether the resource is authorised, partly or not yet. Raises the error about it if it is lost."""
        is_approved = self.sca_status in SUCCESSFUL
        verdict, self._status = self._subject.verdict(answer.parsed, is_approved=is_approved)
        if verdict == "lost":
            messages = messages_of(answer) or self._messages
            said = f"{self._subject.kind} {self.resource_id} is {self._status}"
            raise self._subject.failure(self._status, messages) or self._failure(said, self._status, messages)
        if verdict == "partly":  # the resource says what is missing, where the SCA status may say nothing
            self._messages = messages_of(answer) or self._messages
        return verdict

    def _notice(self, answer: RawResponse[T]) -> None:
        """Ends the authorisation if the resource is authorised. Raises the error about it if it never will be."""
        if self._weigh(answer) == "done":
            self._is_authorised, self.challenge = True, None

    def _failure(
        self, said: str, status: str | None = None, messages: tuple[TppMessage, ...] = ()
    ) -> AuthorisationFailedError:
        """The error of an authorisation that ended without success; `status` is its code if the bank gave none."""
        first, why = reason_of(messages)
        helps = (TRYING_AGAIN_HELPS.get((each.code or "").upper()) for each in (first, *messages))
        return AuthorisationFailedError(
            f"{said}: {why}" if why else said,
            code=first.code or status,
            text=first.text,
            messages=messages,
            trying_again_helps=next((each for each in helps if each is not None), None),
            **self._about,
        )

    def _note(self, failure: errors.OpenPaymentsError, *, is_look: bool) -> None:
        """Takes note of a read that failed. Raises it if it will not pass."""
        if isinstance(failure, errors.APIError) and (failure.code or "").upper() in TRYING_AGAIN_HELPS:
            raise self._failure(f"the bank answered {failure.status_code}", failure.code, failure.messages) from failure
        super()._note(failure, is_look=is_look)

    def _give_up(self, timeout: float, cause: Exception | None = None) -> NoReturn:
        """Raises the error at the end of `timeout` seconds; without another cause, why no method could be selected."""
        super()._give_up(timeout, cause or self._trouble or self._refusal)

    def _timeout_error(self, timeout: float) -> AuthorisationTimeoutError:
        """The error for an authorisation that was not finished within `timeout` seconds."""
        said = f"{self._subject.kind} {self.resource_id}"
        if self._update().is_over and self._status in self._subject.partly:
            why = f" ({why})" if (why := reason_of(self._messages)[1]) else ""
            said += f" is {self._status}{why}: others have to sign, each with an authorisation of their own"
            return AnotherSignatureNeededError(said, messages=self._messages, **self._ids)
        said += f" was not authorised within {timeout:g} s"
        status = f", status {self._status}" if self._status else ""  # such as partiallyAuthorised
        return AuthorisationTimeoutError(f"{said}; SCA status {self.sca_status}{status}", **self._ids)

    @property
    def _about(self) -> dict[str, Any]:
        return {"sca_status": self.sca_status, **self._ids}

    @property
    def _ids(self) -> dict[str, str | None]:
        ids: dict[str, str | None] = {"resource_id": self.resource_id, "authorisation_id": self.authorisation_id}
        kind = self._subject.exchanged_as
        return ids if kind is None else {**ids, f"{kind}_id": self.resource_id}

    def _begin(self, started: RawResponse[Any], updated: RawResponse[Any] | None, method: str | None) -> None:
        """Reads the answers that start the authorisation; `updated` is None if no method was selected.

        Raises AuthorisationFailedError if it has already failed, or the bank asks for an approach that this API lacks.
        """
        last: RawResponse[Any] = updated or started
        statuses = (_status_of(answer.parsed) for answer in (last, started))
        self.sca_status, self._method = next(filter(None, statuses), None), _chosen(last.parsed) or method
        self.challenge = Challenge.of(last.parsed.challenge_data, self._method)
        self._messages = messages_of(last) or messages_of(started)
        self._check_outcome()
        header, has_challenge = last.headers.get(_APPROACH), self.challenge is not None
        early, has_decided = started.headers.get(_APPROACH), has_challenge or any(_browser_links(last.parsed.links))
        if not header and (_is(early, "DECOUPLED") or not has_decided):
            header = early
        text = _text_for_the_user(last.parsed)
        if text and not has_challenge and not self._update().is_over:
            self.challenge = Challenge(text=text, method=self._method)
        try:
            self.approach, self._template = decide_approach(
                header, last.parsed.links, has_challenge=has_challenge, is_over=self._update().is_over
            )
        except AuthorisationFailedError as error:
            raise self._failure(str(error), None, self._messages) from None

    def _update_from(self, answer: RawResponse[models.ScaStatusAnswer]) -> bool:
        """Reads an answer about the SCA status. Returns whether anything changed."""
        before = (self.sca_status, self.challenge)
        challenge = Challenge.of(answer.parsed.challenge_data, self._method)
        self._messages, self._trouble = messages_of(answer), None
        told = _status_of(answer.parsed) or ("failed" if any(map(_ends_it, self._messages)) else None)
        self.sca_status = told or self.sca_status or "received"
        self._silent = 0 if told else self._silent + 1
        self._unchanged = self._unchanged + 1 if self.sca_status == before[0] else 0
        if challenge is not None or self.sca_status != before[0]:
            # the specification has no challenge in this answer; without one, the last one stays valid
            self.challenge = challenge
        return before != (self.sca_status, self.challenge)

    def _update(self) -> AuthorisationUpdate:
        """What the user's screen shows."""
        return AuthorisationUpdate(self.sca_status, self.challenge, self._is_authorised)

    def _save(self, psu_context: object) -> dict[str, Any]:
        """All that another process needs to continue, without tokens and user data."""
        return {
            "kind": self._subject.kind,
            "bic_fi": self._subject.bank.bic_fi,
            _id_name(self._subject): self.resource_id,
            **({} if self._subject.product is None else {"product": self._subject.product}),
            "authorisation_id": self.authorisation_id,
            "approach": str(self.approach),
            **{name: getattr(self, f"_{name}") for name in _SAVED},
            "affiliated_aspsp": self._subject.bank.affiliated_aspsp,
            "redirect_preferred": self._subject.bank.redirect_preferred,
            "psu_context": None if psu_context is None else str(psu_context),
        }

    @careful
    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.authorisation_id!r} of {self._subject.kind} {self.resource_id!r} "
            f"at {self._subject.bank.bic_fi}: {self.approach}, {self.sca_status}>"
        )


def read_saved(
    saved: object, kinds: Iterable[type[Subject[Any]]], bank: BankBinding, psu_context: PsuContext | None
) -> tuple[Subject[Any], PsuContext | None, dict[str, Any]]:
    """Reads a dict from `to_dict`: what is authorised, at the bank as it was bound; the PSU context; the other fields.

    `psu_context` is used if the dict has none. Raises InvalidArgumentError.
    """
    known = {kind.kind: kind for kind in kinds}
    kind = saved.get("kind", next(iter(known))) if isinstance(saved, Mapping) else None
    found = known.get(str_or_none(kind) or "")
    if not isinstance(saved, Mapping) or saved.get("bic_fi") != bank.bic_fi or found is None:
        raise refuse("saved", f"must be a dict from to_dict() of a {' or '.join(known)} at {bank.bic_fi}")
    texts = ("authorisation_id", id_name := _id_name(found), *(("product",) if found.exchanged_as == "payment" else ()))
    for name in (*texts, *_SAVED):
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
    return found(saved[id_name], bank, saved["product"] if found.exchanged_as == "payment" else None), context, fields


def _id_name(subject: Subject[Any] | type[Subject[Any]]) -> str:
    return f"{subject.exchanged_as or subject.kind}_id"


def messages_of(answer: RawResponse[Any]) -> tuple[TppMessage, ...]:
    """What the bank says in an answer about an authorisation; without anything else, its text for the user."""
    said, text = answer.messages, _text_for_the_user(answer.parsed)
    if text and not any(each.text for each in said):
        said = (*said, TppMessage(text=quoted(text, scrubber(*answer.secrets))))
    return said


def _text_for_the_user(answer: Any) -> str | None:
    """`psuMessage`, which the description lacks for some of the answers."""
    return text_or_none(getattr(answer, "psu_message", None) or answer.additional_properties.get("psuMessage"))


def _ends_it(message: TppMessage) -> bool:
    """Whether a message says by itself that the authorisation has failed."""
    return (message.code or "").upper() in TRYING_AGAIN_HELPS and (message.category or "").upper() == "ERROR"


def _status_of(
    answer: models.AuthorisationStarted | models.AuthorisationUpdated | models.ScaStatusAnswer,
) -> str | None:
    """The SCA status of an answer. Those that end an authorisation are recognised in any case."""
    status = str_or_none(answer.sca_status) or None
    return next((known for known in TERMINAL if same(known, status)), status)


def link(links: models.Links | None, name: str) -> str | None:
    """The address of a link, which is an object, a string, or one of these in a list."""
    found = links.additional_properties.get(name) if links is not None else None
    if isinstance(found, list) and len(found) == 1:
        found = found[0].get("href") if isinstance(found[0], dict) else found[0]
    return (str_or_none(getattr(found, "href", found)) or "").strip() or None


def method_to_select(
    started: RawResponse[models.AuthorisationStarted], wanted: str | None, *, same_device: bool, best: Sequence[str]
) -> str | None:
    """The method to select next, of those in `best` the first; None if the bank has already decided."""
    answer, chosen = started.parsed, _chosen(started.parsed)
    is_decoupled = _is(started.headers.get(_APPROACH), "DECOUPLED")
    status = _status_of(answer)
    if status in TERMINAL or (any(_browser_links(answer.links)) and not is_decoupled):
        return None
    offered = _offered(answer)
    has_challenge = Challenge.of(answer.challenge_data, chosen) is not None
    has_decided = is_decoupled or has_challenge or status in _BEGUN
    has_begun = is_decoupled and has_challenge if offered else has_decided
    if wanted is not None:
        return None if has_begun and has_challenge and chosen == wanted else wanted
    is_preferred = any(method.lower() in {*map(str.lower, best)} and _suits(method, same_device) for method in offered)
    if chosen and _suits(chosen, same_device) and not is_preferred:
        return None if has_begun else chosen
    return None if has_begun and not offered else choose_method(offered, same_device=same_device, best=best)


def goes_on_by_itself(started: models.AuthorisationStarted, failure: errors.APIError, *, same_device: bool) -> bool:
    """Whether a bank that refuses `mbid`, which it did not offer, may have begun without it."""
    if offered := _offered(started):
        if not any(_suits(method, same_device) for method in offered):
            said = printable(", ".join(offered))
            failure.add_note(f"The bank offers only {said}, for authorise(..., same_device={not same_device}).")
        return False
    is_about_user = failure.code in TRYING_AGAIN_HELPS or (failure.code or "").startswith("PSU_")
    is_final = isinstance(failure, errors.ConsentError) or is_about_user
    return failure.status_code in {400, 404, 405, 409} and not is_final


def _offered(answer: models.AuthorisationStarted) -> list[str]:
    """The ids of the methods that the bank offers."""
    texts = answer.additional_properties.get("scaMethods")
    found = [*(answer.sca_methods or []), *(texts if isinstance(texts, list) else [])]
    return [id_ for id_ in dict.fromkeys(map(_method_id, found)) if id_]


def _method_id(method: object) -> str | None:
    """The id of a method, which is an object or a string; None without one that can be sent."""
    id_ = text_or_none(getattr(method, "authentication_method_id", method))
    id_ = id_ and id_.strip()
    rule = MODELS["SelectAuthenticationMethod"]["authentication_method_id"]
    return None if [*rule.problems(id_, "")] else id_


def _chosen(answer: models.AuthorisationStarted | models.AuthorisationUpdated) -> str | None:
    """The method that the bank has chosen."""
    return _method_id(answer.chosen_sca_method or answer.additional_properties.get("chosenScaMethod"))


def _suits(method: str, same_device: bool) -> bool:
    """Whether the user can go on with a method: not with a QR code on this device, nor with this one elsewhere."""
    known = method.lower()
    return known == "mbid" or known not in (_ELSEWHERE if same_device else HERE)


def choose_method(offered: Iterable[str], *, same_device: bool, best: Sequence[str] = ()) -> str:
    """The first of `best` that is offered and suits, else another one that does.

    By default for a user at another device a QR code, else Mobile BankID; on the same device BankID there (observed in
    2026). If none suits, plain Mobile BankID by name (the provider's samples of 2022).
    """
    order = [method.lower() for method in best or (HERE if same_device else _ELSEWHERE)]
    suitable = [method for method in offered if _suits(method, same_device)]
    return min(suitable, key=lambda method: [*order, method.lower()].index(method.lower()), default="mbid")


def _browser_links(links: models.Links | None) -> tuple[str | None, str | None]:
    oauth, plain = link(links, "scaOAuth"), link(links, "scaRedirect")
    return (None if oauth and is_metadata(oauth) else oauth), plain


def _is(header: str | None, approach: str) -> bool:
    return (header or "").strip().upper() == approach


def decide_approach(
    header: str | None, links: models.Links | None, *, has_challenge: bool, is_over: bool
) -> tuple[Approach, str | None]:
    """The approach, and the template of the browser's link: from the header ASPSP-SCA-Approach, then from the links.

    Nothing is left to do in a browser once the authorisation is over. Raises AuthorisationFailedError for the embedded
    approach, which this API does not use (the provider's guide of 2021).
    """
    oauth, plain = _browser_links(links)
    is_link = bool(oauth or plain)
    is_metadata = not is_link and link(links, "scaOAuth") is not None
    if _is(header, "EMBEDDED"):
        raise AuthorisationFailedError("the bank asks for the embedded approach, which this API does not use")
    is_redirect = _is(header, "REDIRECT") and (is_link or not has_challenge)
    if is_over or _is(header, "DECOUPLED") or not (is_redirect or (not has_challenge and (is_link or is_metadata))):
        return Approach.DECOUPLED, None
    if not is_link:
        but = ", only the address of an OAuth server's metadata" if is_metadata else ""
        raise AuthorisationFailedError(f"the bank asks for a redirect but gave no link{but}")
    return (Approach.OAUTH_REDIRECT, oauth) if oauth else (Approach.REDIRECT, plain)
