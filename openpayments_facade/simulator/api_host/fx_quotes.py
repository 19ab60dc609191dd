"""FX Quotes: create, read and confirm them (the provider's description of 2026).

A quote is used once: by a payment that is created with it, or by its confirmation.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..state.exchange import WORTH
from .bank_call import BankCall, bank_operation
from .errors import ApiError, malformed
from .operation import Answer
from .payment_bodies import COUNTRY, CURRENCY, check_amount, check_execution_date, debtor_account, read_order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.routing import Route

    from ..state import Provider
    from ..state.fx_quotes import FxQuote

__all__ = ["fx_quote_routes", "quote_for"]

_QUOTES = "/psd2/paymentinitiation/v1/fx"
_QUOTE = f"{_QUOTES}/{{fxQuoteId}}"
_LONGEST_DAYS: Final = 30
# where to pay by own means; the account is invented
_CLIENT_FUNDS: Final = {
    "creditorAccount": {"iban": "SE3550000000000000000025", "currency": "SEK"},
    "creditorName": "Client Funds",
    "creditorAddress": {"country": "SE"},
}


def fx_quote_routes(provider: Provider) -> list[Route]:
    if not provider.of_2026:
        return []
    on = partial(bank_operation, provider, api_scopes=["paymentinitiation"])
    preference = ["TPP-Redirect-Preferred"]
    return [
        on("createFxQuote", "POST", _QUOTES, _create, json_body=True, optional=preference),
        on("getFxQuote", "GET", _QUOTE, _get, optional=preference),
        on(
            "confirmCrossBorderPaymentIntent",
            "PUT",
            _QUOTE,
            _confirm,
            json_body=True,
            optional=[*preference, "PSU-IP-Address", "PSU-User-Agent"],
        ),
    ]


def quote_for(call: BankCall, order: Mapping[str, Any], quote_id: str, *, header: str | None = None) -> FxQuote:
    """The quote that a payment is to be made with, which is used from now on. It is in this header, or in the path.

    Raises ApiError: 400 for one in a header that is of no use, 403 for one in the path (Berlin Group; the description
    of its confirmation has no 404).
    """
    path, status = header or "fxQuoteId", 400 if header else 403
    unknown = ApiError(status, "RESOURCE_UNKNOWN", f"{call.bank.name} knows no such quote", path=path)
    quote = call.check(call.provider.fx_quotes.find(quote_id), otherwise=unknown)
    if quote.used or call.provider.fx_quotes.has_expired(quote):
        text = "the quote was used before" if quote.used else "the quote has expired"
        raise ApiError(status, "RESOURCE_EXPIRED", text, path=path)
    amount = order["instructedAmount"]
    if (amount["currency"], Decimal(amount["amount"])) != (quote.target_currency, quote.amount):
        text = f"the quote is for {quote.amount} {quote.target_currency}"
        raise ApiError(400, "PARAMETER_NOT_CONSISTENT", text, path="instructedAmount")
    quote.used = True
    return quote


def _create(call: BankCall) -> Answer:
    body = call.body
    if not isinstance(body, dict):
        raise malformed(None, "the body is not a JSON object")
    currencies = ("sourceCurrency", "targetCurrency")
    for name, form in (*((name, CURRENCY) for name in currencies), ("countryCode", COUNTRY)):
        if not isinstance(body.get(name), str) or not form.fullmatch(body[name]):
            raise malformed(name, f"{name} is missing or malformed")
    check_amount(body.get("amount"), "amount")
    if body.get("requestedExecutionDate") is not None:
        check_execution_date(call, body["requestedExecutionDate"], most_days=_LONGEST_DAYS)
    for name in currencies:
        if body[name] not in WORTH:
            raise ApiError(400, "PARAMETER_NOT_SUPPORTED", f"{name} must be one of: {', '.join(WORTH)}", path=name)
    if body["sourceCurrency"] == body["targetCurrency"]:
        raise ApiError(400, "PARAMETER_NOT_CONSISTENT", "the currencies are the same", path="targetCurrency")
    quote = call.provider.fx_quotes.create(
        body["sourceCurrency"],
        body["targetCurrency"],
        Decimal(body["amount"]),
        execution_date=body.get("requestedExecutionDate"),
        origin=call.origin,
    )
    return Answer({**_describe(quote), "totalAmount": str(quote.total)}, 201, {"Location": f"{_QUOTES}/{quote.id}"})


def _get(call: BankCall) -> Answer:
    unknown = call.unknown("fxQuoteId", "no such quote")
    return Answer(_describe(call.check(call.provider.fx_quotes.find(call.path_value("fxQuoteId")), otherwise=unknown)))


def _confirm(call: BankCall) -> Answer:
    order = read_order(call, "cross-border")
    quote = quote_for(call, order, call.path_value("fxQuoteId"))
    return Answer(
        {
            "instructedAmount": {"currency": quote.source_currency, "amount": str(quote.total)},
            **debtor_account(order),
            **_CLIENT_FUNDS,
            "remittanceInformationUnstructured": quote.id,
            "requestedExecutionDate": quote.execution_date or call.today.isoformat(),
        }
    )


def _describe(quote: FxQuote) -> dict[str, str]:
    return {
        "fxQuoteId": quote.id,
        "fxRate": f"{quote.rate:f}",
        "fee": str(quote.fee),
        "validFrom": _time(quote.valid_from),
        "validTo": _time(quote.valid_to),
    }


def _time(time: datetime) -> str:
    """With seven decimals, as in the examples of the provider's description of 2026."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}0Z"
