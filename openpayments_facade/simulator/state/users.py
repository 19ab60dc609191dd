"""Users whose authorisation takes a special course, by `PSU-ID`.

| PSU-ID | authorisation |
|---|---|
| `example-fails` | fails, whichever button is pressed: SCA status `failed` without a reason, consent `rejected`; a payment stays `RCVD` |
| `example-has-no-rights` | the same, with the reason `PSU_RIGHTS_MISSING` |
| `example-exempted` | is not needed: SCA status `exempted` once a method is selected, consent `valid`, payment `ACSP` |
| `example-never-ends` | never ends: the status stays the same, and the page has no effect |
| `example-without-cards` | as any other; but this user has no card accounts |
| `example-payment-rejected` | as of any user; but then the bank rejects the payment: `RJCT`, with a message |
| any other, or none | is decided on the page; decoupled ones succeed by themselves |

The id counts that is sent when the authorisation starts, else when the consent, payment or basket is created, else when
a method is selected.

By the rules of 2026 there are the test users of the provider's sandbox as well (observed in 2026, at `ESSESESS`, with
`PSU-Corporate-ID: 9999999990`). Here they are the same at every bank, in both PSU contexts, and with any corporate id.

| PSU-ID | authorisation |
|---|---|
| `99990101000` | as of any user |
| `99990101002` | as of any user; but somebody else has to sign, too: consent `partiallyAuthorised`, payment and signing basket `PATC`, until an authorisation that was started with another `PSU-ID` is finalised |
| `99990101004` | fails, with the reason `AUTHENTICATION_SESSION_EXPIRED` |
| `99990101005` | fails, with the reason `BANKID_NOT_ACTIVATED` |

In the sandbox the payment of the last two becomes `ACSP` all the same. `Simulator(sandbox_flaws=True)` plays that for
every authorisation that fails.

The reason of a failure is in the `tppMessages` of the SCA status, by the rules of 2026 alone. A user who declines gives
the reason `USER_CANCEL`.

None of these is a real personal identity number.
"""  # noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DECLINED", "NO_CARDS", "PAYMENT_REJECTED", "USUAL", "Course", "Outcome", "Reason", "courses"]

Outcome = Literal["finalised", "failed", "exempted"]

NO_CARDS: Final = "example-without-cards"
PAYMENT_REJECTED: Final = "example-payment-rejected"


@dataclass(frozen=True)
class Reason:
    """Why an authorisation failed: a code that was observed in 2026, and a text of our own."""

    code: str
    text: str


@dataclass(frozen=True)
class Course:
    """How a user's authorisation goes, unless the user decides otherwise.

    `outcome` is None if it never ends. With `signs_alone` false, an approval needs that of somebody else, too.
    """

    outcome: Outcome | None = "finalised"
    reason: Reason | None = None
    signs_alone: bool = True


USUAL: Final = Course()
DECLINED: Final = Reason("USER_CANCEL", "the user declined")

_OWN: Final[dict[str, Course]] = {
    "example-fails": Course("failed"),
    "example-has-no-rights": Course(
        "failed", Reason("PSU_RIGHTS_MISSING", "the user may not approve this; trying again does not help")
    ),
    "example-exempted": Course("exempted"),
    "example-never-ends": Course(None),
}
_OF_THE_SANDBOX: Final[dict[str, Course]] = {
    "99990101000": USUAL,
    "99990101002": Course(signs_alone=False),
    "99990101004": Course("failed", Reason("AUTHENTICATION_SESSION_EXPIRED", "the user took too long")),
    "99990101005": Course(
        "failed", Reason("BANKID_NOT_ACTIVATED", "the user has no usable BankID; trying again does not help")
    ),
}


def courses(*, of_2026: bool) -> Mapping[str, Course]:
    """The courses of the users who have a special one, by `PSU-ID`."""
    return _OWN | _OF_THE_SANDBOX if of_2026 else _OWN
