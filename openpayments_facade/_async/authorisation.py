"""A user's authorisation of a consent, from the first challenge to a valid consent."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attrs import evolve
from openpayments_client.api.consent import get_consent_information, get_consent_sca_status

from .._protocol.operation import Operation
from .._protocol.options import read_seconds
from .._protocol.redirect import RedirectUrl, read_callback
from .._protocol.sca import LOST, POLL_INTERVAL, TERMINAL, Approach, AuthorisationUpdate, Challenge, check_outcome, text
from ..errors import AuthorisationFailedError, AuthorisationTimeoutError, InvalidArgumentError, TimedOutError
from .oauth import AsyncOAuth
from .sender import AsyncSender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openpayments_client.models import Consent, ScaStatusAnswer

    from .._protocol.binding import BankBinding
    from ..tokens import UserToken
    from .bank import AsyncBank

T = TypeVar("T")

LAST_LOOK: Final = 1.0
"""Seconds that a read which begins at the end of the time may still take."""


class AsyncAuthorisation:
    """One user's authorisation of one consent.

    `approach` says what to do: show `challenge` (decoupled), or send the browser to `redirect_url(...)` and hand the
    address that it comes back to to `complete(...)`. Then `wait()`. `sca_status` and `challenge` are the last ones
    that were read.
    """

    def __init__(
        self,
        sender: AsyncSender,
        bank: BankBinding,
        *,
        consent_id: str,
        authorisation_id: str,
        approach: Approach,
        template: str | None = None,
        method: str | None = None,
        redirect_uri: str | None = None,
        state: str | None = None,
        sca_status: str | None = None,
        challenge: Challenge | None = None,
    ) -> None:
        self.consent_id = consent_id
        self.authorisation_id = authorisation_id
        self.approach = approach
        self.sca_status = sca_status
        self.challenge = challenge
        self._sender = sender
        self._bank = bank
        self._template = template
        self._method = method
        self._redirect_uri = redirect_uri
        self._state = state

    @property
    def bank(self) -> AsyncBank:
        """The bank for what comes after: user, redirect preference and PSU context are those of this authorisation.

        accounts = authorisation.bank.accounts(authorisation.consent_id)
        """
        from .bank import AsyncBank

        return AsyncBank(self._sender, self._bank)

    def redirect_url(self, *, redirect_uri: str, state: str | None = None) -> RedirectUrl:
        """Where to send the user's browser; `redirect_uri` is where it comes back to, whitelisted on the application.

        Both it and the state (an unguessable one unless given) are kept for `complete`. Sends nothing. Raises
        InvalidArgumentError if the bank's link does not lead to the auth host, or this is no redirect.
        """
        if self._template is None:
            raise InvalidArgumentError(
                f"a {self.approach} authorisation has no link: look at `approach` first", argument="redirect_uri"
            )
        url = AsyncOAuth(self._sender).redirect_url(self._template, redirect_uri=redirect_uri, state=state)
        self._redirect_uri, self._state = redirect_uri, url.state
        return url

    async def complete(self, callback_url: str) -> UserToken | None:
        """Takes the address that the browser came back to, and exchanges its code if there is one to exchange.

        The token is proof that the authorisation counts; it is yours, and not needed for anything else. Raises
        InvalidArgumentError if the callback is not this authorisation's, AuthorisationFailedError if it brings an
        error, and what `op.oauth.exchange_code` raises.
        """
        if self.approach is Approach.DECOUPLED:
            raise InvalidArgumentError(
                "a decoupled authorisation has no callback: look at `approach` first", argument="callback_url"
            )
        if self._state is None or self._redirect_uri is None:
            raise InvalidArgumentError("callback_url comes before redirect_url() was called", argument="callback_url")
        try:
            callback = read_callback(callback_url, state=self._state, argument="callback_url")
        finally:
            del callback_url  # no frame that an error leads to shall show the code
        if self.approach is not Approach.OAUTH_REDIRECT:
            return None
        if callback.code is None:
            raise InvalidArgumentError("callback_url has no code", argument="callback_url")
        code = [callback.code]
        del callback
        return await AsyncOAuth(self._sender).exchange_code(
            code=code.pop(),
            redirect_uri=self._redirect_uri,
            consent_id=self.consent_id,
            authorisation_id=self.authorisation_id,
        )

    def updates(
        self, *, timeout: float = 300.0, poll_interval: float | None = None
    ) -> AsyncIterator[AuthorisationUpdate]:
        """What changes while the user authorises, until the end: a new SCA status, or a new challenge to show.

            async for update in authorisation.updates():
                if update.challenge:
                    draw(update.challenge.qr_content)

        `timeout` and `poll_interval` are seconds; by default 1 between two reads when decoupled, 2 for a redirect (as
        the provider's samples). No read outlives the time, but for the last, which has a second. The first update is
        what is known already. Raises AuthorisationFailedError if the bank ends it, AuthorisationTimeoutError when the
        time is over.
        """
        return self._updates(read_seconds(timeout, "timeout"), self._interval(poll_interval))

    async def _updates(self, timeout: float, interval: float) -> AsyncIterator[AuthorisationUpdate]:
        deadline = time.monotonic() + timeout
        if self.sca_status is not None:
            yield AuthorisationUpdate(self.sca_status, self.challenge)
        # who went to the browser and came back may be done
        pause = interval if self.sca_status is not None and self.approach is Approach.DECOUPLED else 0.0
        while self.sca_status not in TERMINAL:
            await self._pause(deadline, pause, timeout)
            pause = interval
            known = (self.sca_status, self.challenge)
            update = self._take(await self._read(self._sca_status(), deadline, timeout))
            if (self.sca_status, self.challenge) != known:
                yield update
        check_outcome(self.sca_status, self.consent_id, self.authorisation_id)

    async def poll(self) -> AuthorisationUpdate:
        """One look, for a page that asks again and again: the SCA status now, and the challenge to show. One request.

            authorisation = bank.consents.resume(saved)
            update = await authorisation.poll()
            return {"over": update.is_over, "image": update.challenge and update.challenge.qr_image}

        When it is over `wait()` gives the consent. Raises AuthorisationFailedError if the bank has ended it.
        """
        update = self._take(await self._sender.run(self._sca_status()))
        check_outcome(self.sca_status, self.consent_id, self.authorisation_id)
        return update

    def _sca_status(self) -> Operation[ScaStatusAnswer]:
        return Operation.of(
            get_consent_sca_status, self.consent_id, self.authorisation_id, x_bic_fi=self._bank.bic_fi
        ).with_headers(self._bank.headers())

    def _take(self, answer: ScaStatusAnswer) -> AuthorisationUpdate:
        before = self.sca_status
        self.sca_status = text(answer.sca_status) or self.sca_status or "received"
        challenge = Challenge.of(answer.challenge_data, self._method)
        if challenge is not None or self.sca_status != before:
            # the description of this answer has no challenge: without one, the last one holds
            self.challenge = challenge
        return AuthorisationUpdate(self.sca_status, self.challenge)

    async def wait(self, *, timeout: float = 300.0, poll_interval: float | None = None) -> Consent:
        """Waits until the user has authorised and the consent is valid, and gives it. `timeout` is in seconds.

        No read outlives the time, but for the last, which has a second.

        Raises AuthorisationFailedError if it will never be, AuthorisationTimeoutError when the time is over.
        """
        deadline = time.monotonic() + read_seconds(timeout, "timeout")
        interval = self._interval(poll_interval)
        async for _ in self.updates(timeout=timeout, poll_interval=poll_interval):
            pass
        operation = Operation.of(get_consent_information, self.consent_id, x_bic_fi=self._bank.bic_fi).with_headers(
            self._bank.headers()
        )
        while True:
            consent = await self._read(operation, deadline, timeout)
            if consent.consent_status == "valid":
                return consent
            if text(consent.consent_status) in LOST:
                raise AuthorisationFailedError(
                    f"consent {self.consent_id} is {consent.consent_status}",
                    code=consent.consent_status,
                    consent_id=self.consent_id,
                    authorisation_id=self.authorisation_id,
                )
            # a company may need more than one signature
            await self._pause(deadline, interval, timeout)

    def to_dict(self) -> dict[str, Any]:
        """All that another process needs to finish it with `bank.consents.resume(...)`: neither token nor user."""
        context = self._sender.options.psu_context
        return {
            "bic_fi": self._bank.bic_fi,
            "consent_id": self.consent_id,
            "authorisation_id": self.authorisation_id,
            "approach": str(self.approach),
            "template": self._template,
            "method": self._method,
            "redirect_uri": self._redirect_uri,
            "state": self._state,
            "redirect_preferred": self._bank.redirect_preferred,
            "psu_context": None if context is None else str(context),
        }

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.authorisation_id!r} of consent {self.consent_id!r} "
            f"at {self._bank.bic_fi}: {self.approach}, {self.sca_status}>"
        )

    def _interval(self, given: float | None) -> float:
        return POLL_INTERVAL[self.approach] if given is None else read_seconds(given, "poll_interval")

    async def _read(self, operation: Operation[T], deadline: float, timeout: float) -> T:
        options = self._sender.options
        total = min(options.total_timeout, max(deadline - time.monotonic(), LAST_LOOK))
        try:
            return await AsyncSender(self._sender.session, evolve(options, total_timeout=total)).run(operation)
        except TimedOutError as error:
            if time.monotonic() < deadline:
                raise
            raise self._late(timeout) from error

    async def _pause(self, deadline: float, interval: float, timeout: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._late(timeout)
        await asyncio.sleep(min(interval, left))

    def _late(self, timeout: float) -> AuthorisationTimeoutError:
        return AuthorisationTimeoutError(
            f"consent {self.consent_id} was not authorised in {timeout:g} s; SCA status {self.sca_status}",
            consent_id=self.consent_id,
            authorisation_id=self.authorisation_id,
        )
