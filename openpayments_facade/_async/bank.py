"""One bank for one user: `op.at_bank(...)`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .accounts import AsyncAccounts, AsyncRawAccounts
from .consents import AsyncConsents, AsyncRawConsents

if TYPE_CHECKING:
    from .._protocol.arguments import AnyConsent
    from .._protocol.binding import BankBinding
    from .sender import AsyncSender


class AsyncBank:
    """One bank for one user: `op.at_bank(...)` makes it, without sending anything.

    Every call made with it carries the bank, the user and the redirect preference.
    """

    def __init__(self, sender: AsyncSender, binding: BankBinding) -> None:
        context = binding.psu.context
        self._sender = sender if context is None else sender.replace(psu_context=context)
        self._binding = binding

    consents = cached_property(lambda bank: AsyncConsents(bank._sender, bank._binding, AsyncBank))
    """Consents: create them, and have the user authorise them."""

    def accounts(self, consent_id: AnyConsent) -> AsyncAccounts:
        """The accounts that a valid consent opens.

        Args:
            consent_id: The consent's id, or the consent itself.

        Raises:
            InvalidArgumentError: It is neither an id nor a consent that has one.
        """
        return AsyncAccounts(self._sender, self._binding, consent_id)

    @property
    def with_raw_response(self) -> AsyncRawBank:
        """The same calls, each giving a `RawResponse`."""
        return AsyncRawBank(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._binding.bic_fi}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncBank) and (self._sender, self._binding) == (other._sender, other._binding)

    def __hash__(self) -> int:
        return hash((id(self._sender.session), self._binding))


class AsyncRawBank:
    """`bank.with_raw_response`: the same calls, each giving a `RawResponse`."""

    def __init__(self, bank: AsyncBank) -> None:
        self._bank = bank

    consents = cached_property(lambda raw: AsyncRawConsents(raw._bank.consents))
    """Consents."""

    def accounts(self, consent_id: AnyConsent) -> AsyncRawAccounts:
        """The accounts that a valid consent opens, as in `bank.accounts`."""
        return AsyncRawAccounts(self._bank.accounts(consent_id))
