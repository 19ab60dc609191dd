# Written by `make unasync` from openpayments_facade/_async/bank.py; do not edit.
"""One bank for one user: `op.at_bank(...)`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .._protocol.operation import Operation
from .._redaction import careful, hiding_arguments
from .accounts import Accounts, RawAccounts
from .cards import Cards, RawCards
from .consents import Consents, RawConsents
from .fx_quotes import FxQuotes, RawFxQuotes
from .payments import Payments, RawPayments
from .signing_baskets import RawSigningBaskets, SigningBaskets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._protocol.answer import RawResponse
    from .._protocol.arguments import AnyConsent
    from .._protocol.binding import BankBinding
    from .._protocol.operation import Endpoint
    from .sender import Sender

P = ParamSpec("P")
T = TypeVar("T")


class Bank:
    """One bank for one user: `op.at_bank(...)` makes it, without sending anything.

    Every call made with it carries the bank, the user and the redirect preference.
    """

    def __init__(self, sender: Sender, binding: BankBinding) -> None:
        context = binding.psu.context
        self._sender = sender if context is None else sender.replace(psu_context=context)
        self._binding = binding

    consents = cached_property(lambda bank: Consents(bank._sender, bank._binding, Bank))
    """Consents: create them, and have the user authorise them."""
    payments = cached_property(lambda bank: Payments(bank._sender, bank._binding, Bank))
    """Payments: create them, have the user approve them, and see what becomes of them."""
    signing_baskets = cached_property(lambda bank: SigningBaskets(bank._sender, bank._binding, Bank))
    """Signing baskets: many payments that are approved at once."""
    fx_quotes = cached_property(lambda bank: FxQuotes(bank._sender, bank._binding))
    """FX quotes: what a payment into another currency costs."""

    @hiding_arguments
    def accounts(self, consent_id: AnyConsent) -> Accounts:
        """The accounts that a valid consent opens. Sends nothing.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            The service with what can be read of them.

        Raises:
            InvalidArgumentError: It is neither an id nor a consent that has one.
        """
        return Accounts(self._sender, self._binding, consent_id)

    @hiding_arguments
    def cards(self, consent_id: AnyConsent) -> Cards:
        """The card accounts that a valid consent opens. Sends nothing.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            The service with what can be read of them.

        Raises:
            InvalidArgumentError: It is neither an id nor a consent that has one.
        """
        return Cards(self._sender, self._binding, consent_id)

    @hiding_arguments
    def call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls any operation, as `op.call` does, with all that a call to this bank carries.

            from openpayments_client.api.consent import get_consent_authorisation
            bank.call(get_consent_authorisation, consent.consent_id).authorisation_ids

        Args:
            endpoint: The operation, a module of `openpayments_client.api`.
            args: The operation's positional arguments.
            kwargs: Its other arguments. They win over what the bank binds.

        Returns:
            The model that the description gives for a successful answer; None for one without a body.

        Raises:
            InvalidArgumentError: An argument is missing or breaks a rule of the description; the message names it.
            MissingScopeError: The client lacks the API scope; nothing was sent.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            RequestError: The API or the token endpoint answered with an error, or there is no usable answer.
        """
        return self._sender.run(Operation.at_bank(self._binding, endpoint, *args, **kwargs))

    @hiding_arguments
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        scope: str | None = None,
    ) -> RawResponse[Any]:
        """Sends a request that the SDK does not know, with the headers that every call to this bank carries.

            answer = bank.request("GET", "/psd2/consent/v1/consents/" + consent.consent_id)
            answer.json["consentStatus"]

        Token, request id, retries, logs and errors work as for every other call; only GET and HEAD are sent twice.

        Args:
            method: The HTTP method.
            path: The path on the API host, quoted, such as "/psd2/...".
            params: The query. A list goes comma-separated, and None is left out.
            json: The body: a model, or what JSON can hold.
            headers: Further headers.
            scope: The API scopes that the token must have, separated by spaces, such as "paymentinitiation"; with a PSU
                context, such as "paymentinitiation corporate", the token of that context is sent. By default nothing
                is checked.

        Returns:
            The answer, with `.content`, `.json`, status and headers. `.parsed` is its JSON, if it is JSON.

        Raises:
            InvalidArgumentError: An argument is wrong; the message names it.
            MissingScopeError: The client lacks an API scope; nothing was sent.
            ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
            RequestError: The API or the token endpoint answered with an error, or there is no usable answer.
        """
        from .._protocol.request import read_request

        operation = read_request(
            method, path, params=params, json=json, headers=headers, scope=scope, bank=self._binding
        )
        return self._sender.run_raw(operation)

    @property
    def with_raw_response(self) -> RawBank:
        """The same calls, each giving a `RawResponse`."""
        return RawBank(self)

    @careful
    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._binding.bic_fi}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bank) and (self._sender, self._binding) == (other._sender, other._binding)

    def __hash__(self) -> int:
        return hash((id(self._sender.session), self._binding))


class RawBank:
    """`bank.with_raw_response`: the same calls, each giving a `RawResponse`."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    @hiding_arguments
    def call(self, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> RawResponse[T]:
        """Calls any operation, as `bank.call` does."""
        return self._bank._sender.run_raw(Operation.at_bank(self._bank._binding, endpoint, *args, **kwargs))

    consents = cached_property(lambda raw: RawConsents(raw._bank.consents))
    """Consents."""
    payments = cached_property(lambda raw: RawPayments(raw._bank.payments))
    """Payments."""
    signing_baskets = cached_property(lambda raw: RawSigningBaskets(raw._bank.signing_baskets))
    """Signing baskets."""
    fx_quotes = cached_property(lambda raw: RawFxQuotes(raw._bank.fx_quotes))
    """FX quotes."""

    def accounts(self, consent_id: AnyConsent) -> RawAccounts:
        """The accounts that a valid consent opens, as in `bank.accounts`."""
        return RawAccounts(self._bank.accounts(consent_id))

    def cards(self, consent_id: AnyConsent) -> RawCards:
        """The card accounts that a valid consent opens, as in `bank.cards`."""
        return RawCards(self._bank.cards(consent_id))
