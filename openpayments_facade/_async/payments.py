"""Payments: create them, have the user approve them, and see what becomes of them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from attrs import evolve, field
from openpayments_client import models
from openpayments_client.api import payment_initiation as api

from .. import payments
from .._attrs import define
from .._checks import refuse
from .._protocol import initiation
from .._protocol.keys import result_of
from .._protocol.operation import Operation
from .._protocol.options import read_seconds
from .._protocol.payment_orders import as_order
from .._protocol.subjects import CancellationSubject, PaymentSubject
from ..errors import OutcomeUnknownError, PaymentTimeoutError
from ..payments import CreatedPayment, PaymentStatus
from .aspsp_information import details_of
from .authorisation import AsyncAuthorisation, AsyncAuthorisingService
from .service import AsyncRawService, raw
from .waiting import AsyncWaiting

if TYPE_CHECKING:
    from .._protocol.answer import RawResponse
    from .._protocol.arguments import AnyAuthorisation, AnyMethod, AnyMethods, AnyPayment, AnyQuote
    from ..payments import AnyOrder, Until
    from .sender import AsyncSender

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""The pauses of `wait` between two reads, in seconds: each is half as long again as the one before."""


class AsyncPayments(AsyncAuthorisingService[PaymentStatus]):
    """`bank.payments`. Needs the API scope `paymentinitiation`.

        created = await bank.payments.create(payment)
        authorisation = await bank.payments.authorise(created)
        show(authorisation.challenge)
        await authorisation.wait()
        status = await bank.payments.wait(created)

    Nothing that creates, authorises or cancels is ever sent twice. If the answer is lost, OutcomeUnknownError says so.

    Every method but `create` takes a payment as `create` returned it; or its id, and then its `product`. With
    `cancellation=True`, the methods about authorisations are about that of a payment's cancellation.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error; for instance NotFoundError, PermissionDeniedError or KycRequiredError.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        OutcomeUnknownError: There is no answer to a request that creates or changes something; it may have taken
            effect.
    """

    _subjects = (PaymentSubject, CancellationSubject)
    find = staticmethod(payments.find)
    """`payments.find`: a payment's entry in an account. Sends nothing."""

    async def create(
        self,
        payment: AnyOrder,
        *,
        product: str | None = None,
        fx_quote: AnyQuote | None = None,
        check_product: bool = False,
        key: str | None = None,
    ) -> CreatedPayment:
        """Creates a payment. No money moves until the user has approved it.

            created = await bank.payments.create(
                DomesticPayment(
                    instructed_amount=amount(Decimal("125.50"), "SEK"),
                    debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
                    creditor_account=AccountReference(iban="SE3550000000054910000003"),
                    creditor_name="Example Shop",
                )
            )

        It is checked before it is sent: amount, currency, account numbers with their check digits, references, lengths,
        the day. A reference (`end_to_end_identification`) is made if there is none.

        Args:
            payment: A DomesticPayment, SepaCreditTransfer, SwedishGiroPayment or CrossBorderPayment; or a mapping with
                the fields' names on the wire, together with `product`. It is not changed.
            product: The payment product. By default it follows from the type of the payment.
            fx_quote: The quote of a cross-border payment, or its id.
            check_product: Whether to ask first, once for each bank, which products it has. Needs an API scope that
                reads banks.
            key: Your own name for this payment, such as an order's id, of at most 255 characters: an idempotency key
                within this client, for its last 10,000 keys. The same key and payment give the same CreatedPayment
                again; after an unknown outcome, the same error: what its `advice` says then needs another key. A
                payment whose day or quote has passed is refused, as without a key.

        Returns:
            The new payment: its id, its product, its status, and the bank's warnings (`payments.warnings`).

        Raises:
            InvalidArgumentError: Something is wrong with the payment; the message names the field. The quote is past
                its `valid_to`; the bank lacks the product; the key was used for another payment.
            KycRequiredError: The organisation has to complete its KYC.
            OutcomeUnknownError: There is no answer. It has the reference, what was sent, and what to do.
        """
        order = as_order(payment, product)
        quote = None if fx_quote is None else initiation.quote_of(fx_quote)
        operation = initiation.creation_of(self._bank, order, quote)
        # the first call may ask for the bank's products before
        keys, deadline = (
            self._sender.session.keys,
            time.monotonic() + 2 * self._sender.options.total_timeout,
        )
        outcome, is_first = keys.claim(key, initiation.content_of(self._bank, order, payment, quote))
        if is_first:
            try:
                if check_product:
                    initiation.check_offer(await details_of(self._sender, self._bank.bic_fi), order.product)
                created = await self._run_identified(operation, "payment_id")
                outcome.set_result(evolve(created, parsed=CreatedPayment.of(created, order), secrets=()))
            except BaseException as error:
                keys.fail(key, outcome, error, operation)
                raise
        while not outcome.done():
            if time.monotonic() > deadline:
                advice = "ask again with the same key, and not with another one"
                raise OutcomeUnknownError(f"another call creates it, and has not ended yet; {advice}", advice=advice)
            await asyncio.sleep(0.05)
        answer: RawResponse[CreatedPayment] = result_of(outcome)
        self._sender.remember(answer)
        return answer.parsed

    async def get(self, payment_id: AnyPayment, *, product: str | None = None) -> models.Payment:
        """Reads a payment. What banks leave out is None; of a giro payment they leave out the giro number.

        Args:
            payment_id: The payment, or its id.
            product: Its product, if this is an id.

        Returns:
            The payment: what was asked for, and its status.

        Raises:
            NotFoundError: There is no such payment.
        """
        return await self._call(api.get_payment_information, *self._of(payment_id, product).path)

    async def status(self, payment_id: AnyPayment, *, product: str | None = None) -> PaymentStatus:
        """Reads a payment's status.

        Args:
            payment_id: The payment, or its id.
            product: Its product, if this is an id.

        Returns:
            The bank's code, such as `RCVD`, with `is_accepted`, `is_settled`, `is_failed`, `is_final`,
            `needs_another_signature` and `messages`.

        Raises:
            NotFoundError: There is no such payment.
        """
        subject = self._of(payment_id, product)
        return subject.identify(await self._run(subject.read()))

    async def wait(
        self, payment_id: AnyPayment, until: Until = "accepted", *, product: str | None = None, timeout: float = 300.0
    ) -> PaymentStatus:
        """Waits until a payment is accepted or settled. Call it once the user has approved.

        The pauses between two reads grow from 1 to 30 seconds. Five reads in a row may fail.

        Args:
            payment_id: The payment, or its id.
            until: "accepted": the bank carries it out. "settled": the money has left the payer's account, which for
                some banks and for days to come takes long.
            product: Its product, if this is an id.
            timeout: Seconds until it gives up.

        Returns:
            The status that was waited for; or another one that is final and not failed (`PART`).

        Raises:
            InvalidArgumentError: `until` or `timeout` is wrong.
            PaymentRejectedError, PaymentCancelledError: It has failed.
            AnotherSignatureNeededError: Somebody else has to approve as well (`PATC`); `messages` say what is missing.
            PaymentTimeoutError: It was not in time. It can be called again.
            APIError, ConnectionFailedError, TimedOutError, TokenError, UnreadableResponseError: Six reads in a row
                failed, or the last one before the timeout; or it will not pass.
        """
        if until not in ("accepted", "settled"):
            raise refuse("until", "must be accepted or settled", until)
        seconds = read_seconds(timeout, "timeout")
        return await AsyncPaymentWait(self._sender, self._of(payment_id, product), until).wait(seconds)

    async def cancel(self, payment_id: AnyPayment, *, product: str | None = None) -> models.PaymentCancelled | None:
        """Cancels a payment, if its bank can, and it is not settled yet.

        Args:
            payment_id: The payment, or its id.
            product: Its product, if this is an id.

        Returns:
            None if it is cancelled. Otherwise the user has to approve that: `authorise(payment, cancellation=True)`; or
            its `transaction_status` says that it has ended, such as `ACSC` or `RJCT`.

        Raises:
            CancellationRefusedError: The bank does not cancel it, or not any more.
            OutcomeUnknownError: There is no answer; read the status.
        """
        answer = await self._run(Operation.at_bank(self._bank, api.cancel_payment, *self._of(payment_id, product).path))
        # 204 says that it is done, and so may another answer, which may also be empty
        found = answer.parsed or models.PaymentCancelled()
        is_done = answer.status_code == 204 or PaymentStatus(found.transaction_status or "").code == "CANC"
        return None if is_done else found

    async def authorise(
        self,
        payment_id: AnyPayment,
        method: AnyMethods = None,
        *,
        product: str | None = None,
        same_device: bool = False,
        cancellation: bool = False,
    ) -> AsyncAuthorisation[PaymentStatus]:
        """Starts the user's authorisation of a payment. With BankID the user has 30 s, so show the challenge at once.

            authorisation = await bank.payments.authorise(created)
            if authorisation.approach is Approach.DECOUPLED:
                show(authorisation.challenge)
            else:
                send_browser_to(authorisation.redirect_url(redirect_uri=...))
            await authorisation.wait()

        Sends two requests: one starts the authorisation, one selects the method. If the bank goes on by itself, only
        the first is sent. The outcome is that of the authorisation, whatever the payment's status says.

        Args:
            payment_id: The payment, or its id.
            method: An authentication method that the bank offers, or its id, or a list of them: as for consents.
            product: Its product, if this is an id.
            same_device: Whether the user's BankID is on the device that shows your application.
            cancellation: Whether the user is to approve that it is cancelled.

        Returns:
            The authorisation. Its `approach` says what to do next. Its `wait()` gives the payment's status.

        Raises:
            InvalidArgumentError: The method is not an id, or contradicts `same_device`.
            AuthorisationFailedError: The bank ended the authorisation at once, or asks for something that this API
                does not support.
            OutcomeUnknownError: There is no answer; an authorisation may have been started.
        """
        return await self._authorise(self._of(payment_id, product, cancellation), method, same_device=same_device)

    async def start_authorisation(
        self, payment_id: AnyPayment, *, product: str | None = None, cancellation: bool = False
    ) -> models.AuthorisationStarted:
        """Starts an authorisation, and nothing more. `authorise` also selects the method.

        Args:
            payment_id: The payment, or its id.
            product: Its product, if this is an id.
            cancellation: Whether it is that of the payment's cancellation.

        Returns:
            The bank's answer: the authorisation's id and the methods offered.

        Raises:
            NotFoundError: There is no such payment.
            OutcomeUnknownError: There is no answer; an authorisation may have been started.
        """
        return (await self._start(self._of(payment_id, product, cancellation))).parsed

    async def select_method(
        self,
        payment_id: AnyPayment,
        *,
        authorisation_id: AnyAuthorisation,
        authentication_method_id: AnyMethod,
        product: str | None = None,
        cancellation: bool = False,
    ) -> models.AuthorisationUpdated:
        """Selects how the user authorises, after `start_authorisation`. `authorise` does both.

        The bank's approach is in the header ASPSP-SCA-Approach of the raw response.

        Args:
            payment_id: The payment, or its id.
            authorisation_id: The authorisation's id, or what `start_authorisation` returned.
            authentication_method_id: One of the methods offered, or its id.
            product: Its product, if this is an id.
            cancellation: Whether it is that of the payment's cancellation.

        Returns:
            The bank's answer: the challenge to show, or links.

        Raises:
            NotFoundError: There is no such payment or authorisation.
            OutcomeUnknownError: There is no answer; read the SCA status.
        """
        subject = self._of(payment_id, product, cancellation)
        return await self._select(subject, authorisation_id, authentication_method_id)

    async def sca_status(
        self,
        payment_id: AnyPayment,
        *,
        authorisation_id: AnyAuthorisation,
        product: str | None = None,
        cancellation: bool = False,
    ) -> models.ScaStatusAnswer:
        """Reads how far the user has got, with the current challenge of a decoupled authorisation.

        Args:
            payment_id: The payment, or its id.
            authorisation_id: The authorisation's id, or what `start_authorisation` returned.
            product: Its product, if this is an id.
            cancellation: Whether it is that of the payment's cancellation.

        Returns:
            The bank's answer: `sca_status`, and `challenge_data` if there is a challenge.

        Raises:
            NotFoundError: There is no such payment or authorisation.
        """
        return await self._sca_status(self._of(payment_id, product, cancellation), authorisation_id)

    async def authorisations(
        self, payment_id: AnyPayment, *, product: str | None = None, cancellation: bool = False
    ) -> list[str]:
        """Lists the ids of a payment's authorisations. A company may need several.

        Args:
            payment_id: The payment, or its id.
            product: Its product, if this is an id.
            cancellation: Whether to list those of the payment's cancellation.

        Returns:
            Their ids; an empty list if there are none.

        Raises:
            NotFoundError: There is no such payment.
        """
        path = self._of(payment_id, product, cancellation).path
        if cancellation:
            found = await self._call(api.get_payment_initiation_cancellation_authorisation_information, *path)
            return found.cancellation_ids or []
        return (await self._call(api.get_payment_initiation_authorisation, *path)).authorisation_ids or []

    def _of(self, payment: AnyPayment, product: str | None, cancellation: bool = False) -> PaymentSubject:
        if not isinstance(cancellation, bool):
            raise refuse("cancellation", "must be True or False", cancellation)
        id_, product = initiation.payment_of(payment, product)
        return (CancellationSubject if cancellation else PaymentSubject)(id_, self._bank, product)


@define(eq=False, repr=False, slots=False)
class AsyncPaymentWait(AsyncWaiting):
    """Waits for one payment."""

    _sender: AsyncSender
    _subject: PaymentSubject
    _until: str
    _status: PaymentStatus | None = field(default=None, init=False)

    async def wait(self, timeout: float) -> PaymentStatus:
        """The status that was waited for."""
        deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
        while True:
            answer = await self._read_or_none(self._subject.read(), deadline, timeout)
            if answer:
                self._status = self._subject.identify(answer)
                if initiation.is_reached(self._subject.id, self._status, self._until):
                    return self._status
            await self._pause(deadline, pause, timeout)
            pause = min(1.5 * pause, LONGEST_PAUSE)

    def _timeout_error(self, timeout: float) -> PaymentTimeoutError:
        said = f"payment {self._subject.id} was not {self._until} within {timeout:g} s; its status is {self._status}"
        about = {"status": self._status, "messages": getattr(self._status, "messages", ())}
        return PaymentTimeoutError(said, payment_id=self._subject.id, **about)


class AsyncRawPayments(AsyncRawService[AsyncPayments]):
    """`bank.with_raw_response.payments`: the same methods, each giving a `RawResponse`."""

    create = raw(AsyncPayments.create)
    get = raw(AsyncPayments.get)
    status = raw(AsyncPayments.status)
    cancel = raw(AsyncPayments.cancel)
    start_authorisation = raw(AsyncPayments.start_authorisation)
    select_method = raw(AsyncPayments.select_method)
    sca_status = raw(AsyncPayments.sca_status)
    authorisations = raw(AsyncPayments.authorisations)
