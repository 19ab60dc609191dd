# Written by `make unasync` from openpayments_facade/_async/bank.py; do not edit.
"""One bank for one user: `op.at_bank(...)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .accounts import Accounts, RawAccounts
from .consents import Consents, RawConsents
from .service import service

if TYPE_CHECKING:
    from .._protocol.arguments import AnyConsent
    from .._protocol.binding import BankBinding
    from .sender import Sender


class Bank:
    """What every call to a bank needs: bank, user, redirect preference. A value; making it sends nothing."""

    def __init__(self, sender: Sender, binding: BankBinding) -> None:
        context = binding.psu.context
        self._sender = sender if context is None else sender.replace(psu_context=context)
        self._binding = binding

    consents = service(lambda bank: Consents(bank._sender, bank._binding, Bank))
    """Consents, and how the user authorises them."""

    def accounts(self, consent_id: AnyConsent) -> Accounts:
        """The accounts that a valid consent opens.

        Args:
            consent_id: The consent's id, or the consent itself.

        Raises:
            InvalidArgumentError: It is not an id.
        """
        return Accounts(self._sender, self._binding, consent_id)

    @property
    def with_raw_response(self) -> RawBank:
        """The same calls, each giving a `RawResponse`."""
        return RawBank(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._binding.bic_fi}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bank) and (self._sender, self._binding) == (other._sender, other._binding)

    def __hash__(self) -> int:
        return hash((id(self._sender.session), self._binding))


class RawBank:
    """`bank.with_raw_response`."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    consents = service(lambda raw: RawConsents(raw._bank.consents))
    """Consents."""

    def accounts(self, consent_id: AnyConsent) -> RawAccounts:
        """The accounts that a valid consent opens."""
        return RawAccounts(self._bank.accounts(consent_id))
