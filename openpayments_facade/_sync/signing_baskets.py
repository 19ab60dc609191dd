# Written by `make unasync` from openpayments_facade/_async/signing_baskets.py; do not edit.
"""Signing baskets: many payments that a user approves at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client import models
from openpayments_client.api import signing_baskets as api

from .._checks import refuse
from .._protocol.arguments import as_list, id_of
from .._protocol.initiation import basket_limit
from .._protocol.operation import Operation
from .._protocol.subjects import BasketSubject
from .aspsp_information import details_of
from .authorisation import Authorisation, AuthorisingService
from .service import RawService, raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .._protocol.arguments import AnyBasket, AnyMethods, AnyPayment


class SigningBaskets(AuthorisingService["models.SigningBasket"]):
    """`bank.signing_baskets`. Needs the API scope `paymentinitiation`.

        basket = bank.signing_baskets.create(created_payments)
        authorisation = bank.signing_baskets.authorise(basket)
        show(authorisation.challenge)
        authorisation.wait()
        for payment in created_payments:
            try:
                print(payment.payment_id, bank.payments.wait(payment))
            except PaymentError as error:
                print(payment.payment_id, error.status)

    A basket takes new payments of one bank, one user and one debtor account. Its status says nothing about a single
    payment: read that of each (observed in 2026), with `payments.status` for a look at once. Nothing that creates,
    authorises or deletes is ever sent twice.

    Every method takes a basket as `create` returned it, or its id, as `basket_id`.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error; for instance NotFoundError or ConflictError.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        OutcomeUnknownError: There is no answer to a request that creates or changes something; it may have taken
            effect.
    """

    _subjects = (BasketSubject,)

    def limit(self) -> int | None:
        """The number of payments that a basket may have at this bank. The client asks once, and remembers it.

        Needs an API scope that reads banks.

        Returns:
            0 if the bank has no baskets, None if it does not say.

        Raises:
            NotFoundError: There is no such bank.
        """
        return basket_limit(details_of(self._sender, self._bank.bic_fi))

    def create(self, payment_ids: Iterable[AnyPayment], *, check_limit: bool = False) -> models.SigningBasketCreated:
        """Creates a basket of payments that nobody has approved yet. A payment in a basket can't be approved alone.

        Args:
            payment_ids: The payments, or their ids; at least one.
            check_limit: Whether to ask first, once for each bank, how many it may have (`limit`).

        Returns:
            The new basket: its id, its status, and the bank's links.

        Raises:
            InvalidArgumentError: There is no payment, one is named twice, or there are more than the limit.
            BadRequestError, ConflictError: The payments don't go together, or one is already approved.
            OutcomeUnknownError: There is no answer. A basket has no effect until it is approved: create it
                again, with new payments if the bank refuses these.
        """
        ids = as_list(payment_ids, "payment_ids", lambda each, name: id_of(each, "payment_id", name))
        if not ids or len({*ids}) < len(ids):
            raise refuse("payment_ids", "must have at least one payment, and none twice")
        body = models.SigningBasketRequest(payment_ids=[*ids])
        operation = Operation.at_bank(self._bank, api.create_signing_basket, body=body)
        most = self.limit() if check_limit else None
        if most is not None and len(ids) > most:
            raise refuse("payment_ids", f"must have at most {most} payments at {self._bank.bic_fi}")
        return self._run_identified(operation, "basket_id").parsed

    def get(self, basket_id: AnyBasket) -> models.SigningBasket:
        """Reads a basket: its status and the ids of its payments.

        Args:
            basket_id: The basket, or its id.

        Returns:
            The basket.

        Raises:
            NotFoundError: There is no such basket.
        """
        return self._call(api.get_signing_basket, *self._of(basket_id).path)

    def status(self, basket_id: AnyBasket) -> str:
        """Reads a basket's status alone. It says nothing about a single payment.

        Args:
            basket_id: The basket, or its id.

        Returns:
            `RCVD`, `ACTC`, `PATC` (others have to sign as well), `RJCT` or `CANC`; banks may use other words.

        Raises:
            NotFoundError: There is no such basket.
        """
        return (self._call(api.get_signing_basket_status, *self._of(basket_id).path)).transaction_status

    def delete(self, basket_id: AnyBasket) -> models.TppMessage | None:
        """Deletes a basket whose authorisation has not been started. Its payments stay.

        Args:
            basket_id: The basket, or its id.

        Returns:
            What the bank has to say about it, if anything.

        Raises:
            NotFoundError: There is no such basket.
            ConflictError: An authorisation has been started.
            OutcomeUnknownError: There is no answer; read the status.
        """
        return self._call(api.delete_signing_basket, *self._of(basket_id).path)

    def authorise(
        self, basket_id: AnyBasket, method: AnyMethods = None, *, same_device: bool = False
    ) -> Authorisation[models.SigningBasket]:
        """Starts the user's authorisation of all payments in a basket, as that of a single one.

        Args:
            basket_id: The basket, or its id.
            method: An authentication method that the bank offers, or its id, or a list of them: as for consents.
            same_device: Whether the user's BankID is on the device that shows your application.

        Returns:
            The authorisation. Its `approach` says what to do next. Its `wait()` gives the basket.

        Raises:
            InvalidArgumentError: The method is not an id, or contradicts `same_device`.
            AuthorisationFailedError: The bank ended the authorisation at once, or asks for something that this API
                does not support.
            OutcomeUnknownError: There is no answer; an authorisation may have been started.
        """
        return self._authorise(self._of(basket_id), method, same_device=same_device)

    def _of(self, basket: AnyBasket) -> BasketSubject:
        return BasketSubject(id_of(basket, "basket_id"), self._bank)


class RawSigningBaskets(RawService[SigningBaskets]):
    """`bank.with_raw_response.signing_baskets`: the same methods, each giving a `RawResponse`."""

    create = raw(SigningBaskets.create)
    get = raw(SigningBaskets.get)
    status = raw(SigningBaskets.status)
    delete = raw(SigningBaskets.delete)
