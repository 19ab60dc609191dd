# Written by `make unasync` from openpayments_facade/_async/authorisation.py; do not edit.
"""A user's authorisation of a consent, or of any other resource that is authorised the same way."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from attrs import evolve
from openpayments_client import models
from openpayments_client.operations import MODELS, is_id
from openpayments_client.reading import json_text

from .._checks import check, refuse
from .._protocol.answer import unreadable
from .._protocol.arguments import id_of
from .._protocol.options import read_seconds
from .._protocol.redirect import RedirectUrl, fill_redirect_url, read_callback
from .._protocol.sca import (
    GRACE,
    HERE,
    POLL_INTERVAL,
    Approach,
    AuthorisationUpdate,
    Journey,
    goes_on_by_itself,
    method_to_select,
    read_saved,
)
from .._protocol.unknown import explain
from .._redaction import hiding_arguments
from ..errors import APIError
from .oauth import OAuth
from .service import BankService
from .waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from typing_extensions import TypeVar

    from .._protocol.answer import RawResponse
    from .._protocol.arguments import AnyAuthorisation, AnyMethod, AnyMethods
    from .._protocol.binding import BankBinding
    from .._protocol.operation import Operation
    from .._protocol.subjects import Subject
    from ..tokens import UserToken
    from .bank import Bank
    from .sender import Sender

    T = TypeVar("T", default=models.Consent)
    R = TypeVar("R")
    MakeBank: TypeAlias = Callable[[Sender, BankBinding], Bank]
else:
    from typing import TypeVar

    T = TypeVar("T")


class Authorisation(Waiting, Journey[T]):
    """One user's authorisation of one resource, such as a consent.

    `approach` says what to do. Decoupled: show `challenge`. Redirect: send the browser to `redirect_url(...)`, and pass
    the address it comes back to on to `complete(...)`. In both cases `wait()` then gives the authorised resource.

    Attributes:
        authorisation_id: The authorisation's id.
        approach: How the user authorises, an `Approach`.
        sca_status: How far the user had got at the last read, such as `started` or `finalised`.
        challenge: What to show to the user, a `Challenge`, as of the last read. None if there is nothing to show.
        resource_id: The id of what is authorised.
        consent_id: The same, if it is a consent; else an empty string.

    Raises:
        MissingScopeError: Every call can raise it: the client lacks the API scope; nothing was sent.
        ClientStateError: Also every call: the client is closed, or belongs to another event loop; nothing was sent.
    """

    def __init__(self, sender: Sender, make_bank: MakeBank, subject: Subject[T], **fields: Any) -> None:
        super().__init__(subject, **fields)
        self._sender = sender
        self._make_bank = make_bank

    @property
    def bank(self) -> Bank:
        """The bank to continue with: it has the user, redirect preference and PSU context of this authorisation.

        accounts = authorisation.bank.accounts(authorisation.consent_id)
        """
        return self._make_bank(self._sender, self._subject.bank)

    @hiding_arguments
    def redirect_url(
        self, *, redirect_uri: str, state: str | None = None, allow_elsewhere: bool = False
    ) -> RedirectUrl:
        """Where to send the user's browser. Sends nothing.

        Args:
            redirect_uri: The address the browser comes back to, whitelisted on the application. `complete` needs it
                and remembers it.
            state: An unguessable string that comes back with the browser. By default one is made. `complete` checks it.
            allow_elsewhere: Whether the link of a plain redirect (`Approach.REDIRECT`) may lead to another host than
                the provider's, by https: the bank's own page, for instance; or have no place for the state. Its
                `is_elsewhere` is then True. From there the browser may come back without the state, or not at all;
                `wait()` needs no callback.

        Returns:
            The address, a string with the attributes `state` and `is_elsewhere`.

        Raises:
            InvalidArgumentError: This is not a redirect, or an argument is wrong.
            AuthorisationFailedError: The bank's link does not lead to the auth host, or can't be filled.
        """
        if self._template is None:
            said = f"can't be used: this authorisation is {self.approach} and has no link; check `approach` first"
            raise refuse("redirect_uri", said)
        if not isinstance(allow_elsewhere, bool):
            raise refuse("allow_elsewhere", "must be True or False", allow_elsewhere)
        settings = self._sender.session.settings
        url = fill_redirect_url(
            self._template,
            environment=settings.environment,
            client_id=settings.client_id,
            redirect_uri=redirect_uri,
            state=state,
            bic_fi=self._subject.bank.bic_fi,
            allow_elsewhere=allow_elsewhere if self.approach is Approach.REDIRECT else None,
            blame=lambda problem: self._failure(f"the bank's link {problem}"),
        )
        self._redirect_uri, self._state = redirect_uri, url.state
        return url

    @hiding_arguments
    def complete(self, callback_url: str) -> UserToken | None:
        """Reads the address the browser came back to, and exchanges its code if the approach needs that.

        Args:
            callback_url: The whole address, with its query.

        Returns:
            The token of the user's approval. It belongs to you; the SDK does not need it for later calls. None after a
            plain redirect, which has no code, and for a signing basket, whose code no source says how to exchange.

        Raises:
            InvalidArgumentError: There is no callback to complete, or this is no string.
            CallbackRejectedError: The callback does not belong to this authorisation.
            AuthorisationFailedError: The callback reports an error, or has no code.
            ReauthorisationRequiredError: The code is wrong, has been used or has expired.
            OutcomeUnknownError: There is no answer; the code may have been used.
            TokenError, ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no token.
        """
        if self.approach is Approach.DECOUPLED:
            said = "can't be used: a decoupled authorisation has no callback; check `approach` first"
            raise refuse("callback_url", said)
        if self._state is None or self._redirect_uri is None:
            raise refuse("callback_url", "can't be used before redirect_url() was called")
        callback = read_callback(callback_url, state=self._state, argument="callback_url", **self._about)
        if self.approach is not Approach.OAUTH_REDIRECT:
            return None
        if callback.code is None:
            raise self._failure("the browser came back with neither a code nor an error")
        kind = self._subject.exchanged_as
        if kind is None:
            return None
        ids = {f"{kind}_id": self._subject.id, "authorisation_id": self.authorisation_id}
        return OAuth(self._sender).exchange_code(code=callback.code, redirect_uri=self._redirect_uri, **ids)

    def updates(self, *, timeout: float = 300.0, poll_interval: float | None = None) -> Iterator[AuthorisationUpdate]:
        """Follows the authorisation to its end: each new SCA status, and each new challenge to show.

            for update in authorisation.updates():
                if update.challenge:
                    draw(update.challenge.qr_content)

        The first update is what is already known. If the SCA status is missing or stays the same, what was to be
        authorised is looked at, too, and ends it.

        Args:
            timeout: Seconds until it gives up. A read that begins just before may take one second more.
            poll_interval: Seconds between two reads; by default 1 if decoupled, 2 for a redirect (the provider's
                samples of 2022).

        Yields:
            The SCA status and the challenge, whenever one of them has changed.

        Raises:
            InvalidArgumentError: `timeout` or `poll_interval` is not a number of seconds.
            AuthorisationFailedError: The user declined, or the bank ended the authorisation.
            AuthorisationTimeoutError: The user did not finish in time.
            APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError: Six reads in a row
                failed, of the SCA status and of what was to be authorised, or the last one before the timeout; or it
                will not pass.
        """
        return self._updates(read_seconds(timeout, "timeout"), self._interval(poll_interval))

    def _updates(self, timeout: float, interval: float) -> Iterator[AuthorisationUpdate]:
        deadline, self._failed = time.monotonic() + timeout, 0
        if self.sca_status is not None:
            yield self._update()
        # a user who is back from the browser may already be done
        pause = interval if self.sca_status is not None and self.approach is Approach.DECOUPLED else 0.0
        while not self._update().is_over:
            self._pause(deadline, pause, timeout)
            pause = interval
            answer = self._read_or_none(self._read_status(), deadline, timeout)
            if answer and self._update_from(answer):
                yield self._update()
            if not answer or self._needs_a_look:
                self._look(deadline, timeout)
                if self._update().is_over:
                    yield self._update()
        self._check_outcome()

    @hiding_arguments
    def poll(self) -> AuthorisationUpdate:
        """Reads the current SCA status and challenge once, for a web page that polls.

            authorisation = bank.consents.resume(saved)
            update = authorisation.poll()
            return {"over": update.is_over, "image": update.challenge and update.challenge.qr_image}

        Once `is_over` is True, `wait()` gives the authorised resource. Sends one request, and a second one to look at
        that resource if the first fails or its answer has no SCA status, if this object was resumed and has read none
        before, or has read the same one five times in a row.

        Returns:
            The SCA status and the challenge, as they are now.

        Raises:
            AuthorisationFailedError: The user declined, or the bank ended the authorisation.
            APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError: Neither of the two can
                be read at present, or it will not pass.
        """
        is_first, self._failed = self.sca_status is None, 0
        answer = self._read_or_none(self._read_status(), math.inf, 0.0)
        if answer:
            self._update_from(answer)
            self._check_outcome()
        if not self._update().is_over and (not answer or is_first or self._silent or self._needs_a_look):
            self._look(math.inf, 0.0)
            if not answer and self._failed:
                self._give_up(0.0)
        return self._update()

    @hiding_arguments
    def wait(self, *, timeout: float = 300.0, poll_interval: float | None = None) -> T:
        """Waits until the user has authorised and the resource is usable; for a consent, until it is valid.

        For a payment and a basket the authorisation alone decides. What becomes of the payment then is to be waited for
        with `bank.payments.wait`.

        Args:
            timeout: Seconds until it gives up. A read that begins just before may take one second more.
            poll_interval: Seconds between two reads; by default 1 if decoupled, 2 for a redirect (the provider's
                samples of 2022).

        Returns:
            The authorised resource: the consent, the status of the payment, the basket.

        Raises:
            InvalidArgumentError: `timeout` or `poll_interval` is not a number of seconds.
            AuthorisationFailedError: The user declined, the bank ended the authorisation, or the resource has become
                unusable.
            AnotherSignatureNeededError: The user has authorised, and ten seconds later the bank still waits for others.
            PaymentRejectedError, PaymentCancelledError: The payment can't be carried out any more.
            AuthorisationTimeoutError: The user did not finish in time. It can be called again.
            APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError: As `updates()`.
        """
        deadline = time.monotonic() + read_seconds(timeout, "timeout")
        interval = self._interval(poll_interval)
        for _ in self.updates(timeout=timeout, poll_interval=poll_interval):
            pass
        until = deadline
        while True:
            answer = self._read_or_none(self._subject.read(), deadline, timeout)
            verdict = self._weigh(answer) if answer else "wait"
            if answer and verdict == "done":
                return self._subject.identify(answer)
            # a bank may only be late, but the next signature may take days
            if answer:
                until = min(until, time.monotonic() + GRACE) if verdict == "partly" else deadline
            self._pause(until, interval, timeout)

    def to_dict(self) -> dict[str, Any]:
        """All that another process needs to go on with `resume(...)`.

        It finishes the authorisation with it, and later uses what was authorised, through `.bank`, for as long as that
        lives.

        Returns:
            A JSON-serialisable dict without tokens and without user data. It holds the `state` of the redirect: keep
            it in the user's session.
        """
        return self._save(self._sender.options.psu_context)

    def to_json(self) -> str:
        """The same as a JSON text, for storing: `resume(json.loads(text))` goes on with it.

        Returns:
            One line, with sorted names. It holds the `state` of the redirect, too.
        """
        return json_text(self.to_dict())

    def _read_status(self) -> Operation[Any]:
        return self._subject.sca_status(self.authorisation_id)

    def _interval(self, given: float | None) -> float:
        return POLL_INTERVAL[self.approach] if given is None else read_seconds(given, "poll_interval")

    def _look(self, deadline: float, timeout: float) -> None:
        """Looks at the resource itself. An error of the API alone is none of the authorisation's."""
        answer = self._read_or_none(self._subject.read(), deadline, timeout, is_look=True)
        if answer:
            self._notice(answer)


class AuthorisingService(BankService, Generic[T]):
    """Base of the services with resources that a user authorises."""

    _subjects: ClassVar[tuple[type[Subject[Any]], ...]]

    def __init__(self, sender: Sender, bank: BankBinding, make_bank: MakeBank) -> None:
        super().__init__(sender, bank)
        self._make_bank = make_bank

    def _authorise(self, subject: Subject[T], methods: AnyMethods, *, same_device: bool = False) -> Authorisation[T]:
        wanted: Sequence[Any] = methods if isinstance(methods, list | tuple) else [methods]
        ids = [id_of(each, "authentication_method_id", "method") for each in wanted]
        method, best = (None, ids) if wanted is methods else (ids[0], [])
        if not isinstance(same_device, bool):
            raise refuse("same_device", "must be True or False", same_device)
        for each in best if method is None else (method,):
            check(MODELS["SelectAuthenticationMethod"]["authentication_method_id"], each, "method")
        if method is not None and same_device and method.lower() not in HERE:
            raise refuse("method", f"contradicts same_device=True, which is for {' and '.join(HERE)}")
        started = self._start(subject)
        id_ = started.parsed.authorisation_id
        selected = method_to_select(started, method, same_device=same_device, best=best)
        authorisation = Authorisation(self._sender, self._make_bank, subject, authorisation_id=id_)
        updated = None
        try:
            updated = None if selected is None else self._run(subject.select(id_, selected))
        except APIError as failure:
            if method is not None or not goes_on_by_itself(started.parsed, failure, same_device=same_device):
                raise
            authorisation._refusal = failure
        if updated is not None and not updated.content.strip():
            updated = evolve(updated, parsed=models.AuthorisationUpdated())
        authorisation._begin(started, updated, selected or method)
        return authorisation

    def resume(self, saved: Mapping[str, Any]) -> Authorisation[T]:
        """Continues an authorisation that another process started. Sends nothing.

        It keeps the redirect preference, the affiliated bank and the PSU context that it was started with. Its `.bank`
        is good for the whole life of what was authorised, also for a nightly run.

        Args:
            saved: The dict from its `to_dict()`.

        Returns:
            The authorisation. `poll()`, `updates()` and `wait()` read where it stands.

        Raises:
            InvalidArgumentError: It is not such a dict, or belongs to another bank.
        """
        subject, context, fields = read_saved(saved, self._subjects, self._bank, self._sender.options.psu_context)
        sender = self._sender.replace(psu_context=context)
        authorisation = Authorisation(sender, self._make_bank, subject, **fields)
        authorisation._read_status()  # refuses malformed ids
        return authorisation

    def _start(self, subject: Subject[T]) -> RawResponse[models.AuthorisationStarted]:
        return self._run_identified(subject.start(), "authorisation_id")

    def _select(
        self, subject: Subject[T], authorisation_id: AnyAuthorisation, method: AnyMethod
    ) -> models.AuthorisationUpdated:
        ids = id_of(authorisation_id, "authorisation_id"), id_of(method, "authentication_method_id")
        return (self._run(subject.select(*ids))).parsed

    def _sca_status(self, subject: Subject[T], authorisation_id: AnyAuthorisation) -> models.ScaStatusAnswer:
        return (self._run(subject.sca_status(id_of(authorisation_id, "authorisation_id")))).parsed

    def _run_identified(self, operation: Operation[R], name: str) -> RawResponse[R]:
        """An answer with an id, checked because later paths contain it."""
        answer = self._run(operation)
        if not is_id(getattr(answer.parsed, name)):
            raise explain(unreadable(answer, f"an answer whose {name} is not an id"), operation)
        return answer
