"""The banks with consents and accounts, each with its peculiarities in the provider's sandbox.

| BIC | how the user approves | requires |
|---|---|---|
| `ESSESESS` | redirect with a code | `PSU-Corporate-ID` when a consent is created in the PSU context corporate |
| `NDEASESS` | redirect with a code | |
| `HANDSESS` | decoupled, approved at once when the authorisation starts | `PSU-IP-Address` when a method is selected and in every call for accounts |
| `SWEDSESS` | decoupled with `TPP-Redirect-Preferred: false` at the creation of the consent, otherwise redirect with a code | `PSU-IP-Address` and `PSU-User-Agent` when a consent is created, `PSU-ID` when an authorisation starts; the same `TPP-Redirect-Preferred` in every call about a consent that was created with one |

Only ESSESESS has transaction details. HANDSESS identifies its accounts by BBAN and clearing number, the others by IBAN.
All of this is from the provider's guide of 2021. SWEDSESS is not in the list of banks, which contains only the examples
of document 001, but it can be addressed all the same, since it has both approaches. When decoupled, it offers three
methods of Mobile BankID, more than the real bank, so that one bank shows every kind of challenge.
"""  # noqa: E501

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BANKS", "BIC", "Approach", "Bank"]

Approach = Literal["redirect", "decoupled"]

BIC = re.compile("[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")

_ACCOUNT_INFORMATION = (
    "getAccountList",
    "readAccountDetails",
    "getBalances",
    "getTransactionList",
    "getTransactionDetails",
)
_ONE_METHOD: Final[Mapping[str, str]] = {"mbid": "Mobile BankID"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Bank:
    """A bank and its peculiarities.

    `code` begins its IBANs. With `at_once`, everything is approved as soon as an authorisation starts. `methods` are
    the names of its decoupled authentication methods by id. `insists_on` are the headers that it requires, by
    operationId. With `keeps_preference`, a resource that was created with a `TPP-Redirect-Preferred` always requires
    the same one.
    """

    bic: str
    name: str
    code: str
    clearing_number: str | None = None
    redirect: bool = True
    decoupled: bool = False
    at_once: bool = False
    methods: Mapping[str, str] = field(default_factory=lambda: _ONE_METHOD)
    insists_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insists_on_in_corporate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_preference: bool = False
    transaction_details: bool = False

    def approach(self, redirect_preferred: str | None) -> Approach:
        if self.redirect and self.decoupled:
            return "decoupled" if redirect_preferred == "false" else "redirect"
        return "redirect" if self.redirect else "decoupled"

    def offers(self, approach: Approach) -> Mapping[str, str]:
        """The names of the authentication methods, by their ids."""
        return self.methods if approach == "decoupled" else _ONE_METHOD


BANKS: Final[Mapping[str, Bank]] = {
    bank.bic: bank
    for bank in (
        Bank(
            bic="ESSESESS",
            name="Skandinaviska Enskilda Banken AB",
            code="500",
            insists_on_in_corporate={"createConsent": ("PSU-Corporate-ID",)},
            transaction_details=True,
        ),
        Bank(bic="NDEASESS", name="Nordea Bank AB", code="300"),
        Bank(
            bic="HANDSESS",
            name="Handelsbanken",
            code="600",
            clearing_number="6000",
            redirect=False,
            decoupled=True,
            at_once=True,
            insists_on=dict.fromkeys((*_ACCOUNT_INFORMATION, "updateConsentsPsuData"), ("PSU-IP-Address",)),
        ),
        Bank(
            bic="SWEDSESS",
            name="Swedbank",
            code="800",
            decoupled=True,
            methods={
                "mbid": "Mobile BankID on this device",
                "mbid_animated_qr_image": "Mobile BankID, QR code as an image",
                "mbid_animated_qr_token": "Mobile BankID, QR code as a text",
            },
            insists_on={
                "createConsent": ("PSU-IP-Address", "PSU-User-Agent"),
                "startConsentAuthorisation": ("PSU-ID",),
            },
            keeps_preference=True,
        ),
    )
}
