"""The banks with consents, accounts and payments, each with its peculiarities.

| BIC | how the user approves | requires |
|---|---|---|
| `ESSESESS` | rules of 2026: decoupled with `TPP-Redirect-Preferred: false`, otherwise redirect with a code; of 2021: redirect with a code | of 2021: `PSU-Corporate-ID` when a consent is created in the PSU context corporate |
| `NDEASESS` | redirect with a code | |
| `HANDSESS` | decoupled, approved at once when the authorisation starts | `PSU-IP-Address` when a method is selected, in every call for accounts, and in those for the status and the authorisations of a payment |
| `SWEDSESS` | decoupled with `TPP-Redirect-Preferred: false` at the creation of the consent, otherwise redirect with a code | the same `TPP-Redirect-Preferred` in every call about a consent or payment that was created with one; of 2021: `PSU-IP-Address` and `PSU-User-Agent` when a consent or payment is created, `PSU-ID` when an authorisation starts |

That is besides what the rules of 2026 require of every call: see `openpayments_facade.simulator`.

A payment that nobody has approved can be cancelled, and by the rules of 2026 one that is approved and not yet settled.
At `SWEDSESS` the user has to approve that (202). `HANDSESS` cancels none, and by the rules of 2021 no bank does. Which
products a bank has is in its details; those whose details have none take all.

| BIC | accounts | cards, of 2026 | Bankgiro entries, of 2026 |
|---|---|---|---|
| `ESSESESS` | by IBAN, with transaction details | debits are positive (`debitAccounting`) | on business accounts |
| `NDEASESS` | by IBAN | none | none |
| `HANDSESS` | by BBAN and clearing number | none | none |
| `SWEDSESS` | by IBAN | debits are negative | none |

Who has cards and Bankgiro entries, and who cancels payments, is our own choice; the rest is from the provider's guide of 2021. There SEB's sandbox
had the redirect alone; the sandbox was observed in 2026 with the decoupled approach there. By the rules of 2021
SWEDSESS is not in the list of banks, which contains only the examples of document 001, but it can be addressed all the
same, since it has both approaches. When decoupled, it offers every method of Mobile BankID, more than the real bank, so
that one bank shows every kind of challenge.
"""  # noqa: E501

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BIC", "Approach", "Bank", "Method", "banks"]

Approach = Literal["redirect", "decoupled"]

BIC = re.compile("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")  # ISO 9362

_ACCOUNT_INFORMATION = (
    "getAccountList",
    "readAccountDetails",
    "getBalances",
    "getTransactionList",
    "getTransactionDetails",
)
_OF_A_PAYMENT = (
    "getPaymentInitiationStatus",
    "startPaymentAuthorisation",
    "getPaymentInitiationAuthorisation",
    "getPaymentInitiationScaStatus",
    "updatePaymentPsuData",
)


@dataclass(frozen=True)
class Method:
    """A way to authenticate: an `authenticationMethodId`, a name for the user, and an `authenticationType`."""

    id: str
    name: str
    type: str = "PUSH_OTP"


_ONE_METHOD: Final = (Method("mbid", "Mobile BankID"),)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bank:
    """A bank and its peculiarities.

    `code` begins its IBANs. With `at_once`, everything is approved as soon as an authorisation starts. `methods` are
    its decoupled authentication methods. `insists_on` are the headers that it requires, by operationId. With
    `keeps_preference`, a resource that was created with a `TPP-Redirect-Preferred` always requires the same one.
    `cards` says whether it has cards, and `debits_are_positive` how their transactions count. With `bankgiro`,
    companies are paid in lump sums. `cancels` says whether it cancels payments, and `cancellation_is_signed` whether
    the user has to approve that, once the payment is approved.
    """

    bic: str
    name: str
    code: str
    clearing_number: str | None = None
    redirect: bool = True
    decoupled: bool = False
    at_once: bool = False
    methods: tuple[Method, ...] = _ONE_METHOD
    insists_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    insists_on_in_corporate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keeps_preference: bool = False
    transaction_details: bool = False
    cards: bool = False
    debits_are_positive: bool = False
    bankgiro: bool = False
    cancels: bool = True
    cancellation_is_signed: bool = False

    def approach(self, redirect_preferred: str | None) -> Approach:
        if self.redirect and self.decoupled:
            return "decoupled" if redirect_preferred == "false" else "redirect"
        return "redirect" if self.redirect else "decoupled"

    def offers(self, approach: Approach) -> tuple[Method, ...]:
        """The authentication methods."""
        return self.methods if approach == "decoupled" else _ONE_METHOD


_SEB: Final = Bank(
    bic="ESSESESS",
    name="Skandinaviska Enskilda Banken AB",
    code="500",
    insists_on_in_corporate={"createConsent": ("PSU-Corporate-ID",)},
    transaction_details=True,
)
_NORDEA: Final = Bank(bic="NDEASESS", name="Nordea Bank AB", code="300")
_HANDELSBANKEN: Final = Bank(
    bic="HANDSESS",
    name="Handelsbanken",
    code="600",
    clearing_number="6000",
    redirect=False,
    decoupled=True,
    at_once=True,
    insists_on=dict.fromkeys((*_ACCOUNT_INFORMATION, "updateConsentsPsuData", *_OF_A_PAYMENT), ("PSU-IP-Address",)),
    cancels=False,
)
_SWEDBANK: Final = Bank(
    bic="SWEDSESS",
    name="Swedbank",
    code="800",
    decoupled=True,
    methods=(
        Method("mbid", "Mobile BankID on this device"),
        Method("mbid_animated_qr_image", "Mobile BankID, QR code as an image"),
        Method("mbid_animated_qr_token", "Mobile BankID, QR code as a text"),
    ),
    insists_on={
        "createConsent": ("PSU-IP-Address", "PSU-User-Agent"),
        "startConsentAuthorisation": ("PSU-ID",),
        "initiatePayment": ("PSU-IP-Address", "PSU-User-Agent"),
    },
    keeps_preference=True,
    cancellation_is_signed=True,
)
# These three types were observed in 2026. Nobody saw that of an image: by the provider's description of 2026 an image
# comes with this one or with CHIP_OTP.
_METHODS_OF_2026: Final = (
    Method("mbid", "Mobile BankID"),
    Method("mbid_same_device", "Mobile BankID on this device", "CHIP_OTP"),
    Method("mbid_animated_qr_token", "Mobile BankID, QR code as a text", "PHOTO_OTP"),
)
_IMAGE: Final = Method("mbid_animated_qr_image", "Mobile BankID, QR code as an image", "PHOTO_OTP")

_OF_2021: Final = (_SEB, _NORDEA, _HANDELSBANKEN, _SWEDBANK)
_OF_2026: Final = (
    replace(_SEB, decoupled=True, methods=_METHODS_OF_2026, cards=True, debits_are_positive=True, bankgiro=True),
    _NORDEA,
    _HANDELSBANKEN,
    replace(_SWEDBANK, methods=(*_METHODS_OF_2026, _IMAGE), cards=True),
)


def banks(*, of_2026: bool) -> Mapping[str, Bank]:
    """The banks, by BIC."""
    return {bank.bic: bank for bank in (_OF_2026 if of_2026 else _OF_2021)}
