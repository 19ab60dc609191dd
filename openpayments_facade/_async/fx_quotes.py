"""FX quotes: what a payment into another currency costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client import models
from openpayments_client.api import fx_quotes as api
from openpayments_client.operations import OPERATIONS

from .._checks import check
from .._protocol.arguments import as_coming_day, as_country, id_of
from .._protocol.initiation import quote_of
from .._protocol.payment_orders import as_order
from ..amounts import as_sent
from .service import AsyncBankService, AsyncRawService, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any

    from .._protocol.arguments import AnyCountry, AnyQuote, Day


class AsyncFxQuotes(AsyncBankService):
    """`bank.fx_quotes`. Needs the API scope `paymentinitiation`.

        quote = await bank.fx_quotes.create(
            source_currency="SEK", target_currency="USD", amount=Decimal("130.00"), country_code="US"
        )
        created = await bank.payments.create(payment, fx_quote=quote)

    Nothing that creates or confirms is ever sent twice.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error; for instance BadRequestError or NotFoundError.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        OutcomeUnknownError: There is no answer to a request that creates or confirms something; it may have taken
            effect.
    """

    async def create(
        self,
        *,
        source_currency: str,
        target_currency: str,
        amount: Decimal | int | str,
        country_code: AnyCountry,
        requested_execution_date: Day | None = None,
    ) -> models.FxQuote:
        """Asks for a quote.

        Args:
            source_currency: The currency to pay with, an ISO 4217 code.
            target_currency: The currency to pay in, an ISO 4217 code.
            amount: How much, in the target currency. Never a float.
            country_code: The country to pay to, or its ISO 3166-1 alpha-2 code.
            requested_execution_date: The day to pay on, if it is a later one; up to 30 days ahead.

        Returns:
            The quote: its id, rate, fee, total amount, and until when it can be used. Amounts are strings, as the
            provider wrote them.

        Raises:
            InvalidArgumentError: The amount is not above zero, has too many decimals or is a float; a code is not one;
                the day is past.
        """
        country, day = as_country(country_code, "country_code"), requested_execution_date
        day = None if day is None else as_coming_day(day, "requested_execution_date")
        check(OPERATIONS["create_kyc"].arguments["country_code"], country, "country_code")
        _, source = as_sent(1, source_currency, "amount", "source_currency")
        value, target = as_sent(amount, target_currency, "amount", "target_currency")
        return await self._call(api.create_fx_quote, body=models.FxQuoteRequest(source, target, value, country, day))

    async def get(self, fx_quote_id: AnyQuote) -> models.FxQuote:
        """Reads a quote. Its total amount is only told when it is created.

        Args:
            fx_quote_id: The quote, or its id.

        Returns:
            The quote, as `create` gives it, without its total amount.

        Raises:
            NotFoundError: There is no such quote.
        """
        return await self._call(api.get_fx_quote, id_of(fx_quote_id, "fx_quote_id"))

    async def confirm(
        self, fx_quote_id: AnyQuote, payment: models.CrossBorderPayment | Mapping[str, Any]
    ) -> models.CrossBorderPaymentIntent:
        """Locks the rate of a quote for a payment that you then make by own means, instead of `bank.payments.create`.

        Args:
            fx_quote_id: The quote, or its id.
            payment: What is to be paid, checked as by `bank.payments.create`.

        Returns:
            What to pay, to which account, and with which reference.

        Raises:
            InvalidArgumentError: Something is wrong with the payment, or the quote is past its `valid_to`.
            OutcomeUnknownError: There is no answer; the quote may be confirmed, and does not tell. Confirm it again; if
                that is refused, another.
        """
        id_, order = quote_of(fx_quote_id, "fx_quote_id"), as_order(payment, "cross-border")
        return await self._call(api.confirm_cross_border_payment_intent, id_, body=order.body)


class AsyncRawFxQuotes(AsyncRawService[AsyncFxQuotes]):
    """`bank.with_raw_response.fx_quotes`: the same methods, each giving a `RawResponse`."""

    create = raw(AsyncFxQuotes.create)
    get = raw(AsyncFxQuotes.get)
    confirm = raw(AsyncFxQuotes.confirm)
