"""Errors as sentences: what happened, what the user can do, and a reference to quote. The one place that words them.

What a bank says goes along as `details`, which the template escapes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from openpayments_facade import errors, request_ids

CONNECT, AGAIN, WAIT, NOTHING = "connect", "again", "wait", "nothing"
"""What helps: connecting the bank again, trying again at once, trying again later, or nothing that we know."""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """What a page says about something that went wrong.

    Attributes:
        title: What happened, in few words.
        text: What happened, and what it means.
        advice: What the user can do.
        helps: CONNECT, AGAIN, WAIT or NOTHING, for the button beside it.
        status: The HTTP status of a page that has nothing else to say.
        details: The bank's own words.
        reference: The id of the request, which all logs have.
    """

    title: str
    text: str
    advice: str
    helps: str = AGAIN
    status: int = 502
    details: str | None = None
    reference: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)


_UNHARMED: Final = {"consent": "Nothing was shared.", "payment": "No money moves."}
_DECLINED = Sentence(
    title="You declined",
    text="The approval was cancelled at {bank}. {unharmed}",
    advice="If that was a mistake, try again.",
    status=403,
)
_BY_CODE: Final = {
    "USER_CANCEL": _DECLINED,
    "access_denied": _DECLINED,
    "AUTHENTICATION_SESSION_EXPIRED": Sentence(
        title="That took too long",
        text="{bank} stopped waiting for your approval. {unharmed}",
        advice="Try again, and have your BankID ready.",
        status=403,
    ),
    "BANKID_NOT_ACTIVATED": Sentence(
        title="Your BankID does not work here",
        text="{bank} says that you have no active BankID.",
        advice="Activate it with your bank first. Trying again does not help until then.",
        helps=NOTHING,
        status=403,
    ),
    "PSU_RIGHTS_MISSING": Sentence(
        title="You may not approve this",
        text="{bank} says that you lack the right to approve this.",
        advice="Ask whoever manages your account for the right, or approve as somebody who has it.",
        helps=NOTHING,
        status=403,
    ),
}
_BY_CLASS: Final[tuple[tuple[type[Exception], Sentence], ...]] = (
    # the first that fits counts, so a class comes before the one it is made from
    (
        errors.CallbackRejectedError,
        Sentence(
            title="That is not the page that we wait for",
            text="The address does not belong to an approval that you have begun in this browser.",
            advice="Go back to the tab in which you began, or begin again.",
            helps=NOTHING,
            status=400,
        ),
    ),
    (
        errors.AuthorisationFailedError,
        Sentence(
            title="The approval did not work out",
            text="{bank} ended it without an approval. {unharmed}",
            advice="Try again, or choose another way to approve.",
            status=403,
        ),
    ),
    (
        errors.AnotherSignatureNeededError,
        Sentence(
            title="Somebody else has to approve as well",
            text="Your own approval counts. {bank} waits for another person.",
            advice="Ask them to approve at the bank; nothing more is needed from you.",
            helps=NOTHING,
            status=403,
        ),
    ),
    (
        errors.AuthorisationTimeoutError,
        Sentence(
            title="Nobody approved in time",
            text="We stopped waiting for {bank}.",
            advice="Try again when you have your BankID at hand. If you do approve it after all, it counts.",
            status=403,
        ),
    ),
    (
        errors.PaymentRejectedError,
        Sentence(
            title="The bank rejected the payment",
            text="{bank} did not carry it out. No money moves.",
            advice="Check the amount and the payee, and make another payment.",
            helps=NOTHING,
        ),
    ),
    (
        errors.PaymentCancelledError,
        Sentence(
            title="The payment was cancelled",
            text="{bank} did not carry it out. No money moves.",
            advice="Make another payment if you want it after all.",
            helps=NOTHING,
        ),
    ),
    (
        errors.ConsentExpiredError,
        Sentence(
            title="The connection has expired",
            text="The time for which you let us see your accounts at {bank} is over, or you connected again elsewhere.",
            advice="Connect again to go on.",
            helps=CONNECT,
            status=403,
        ),
    ),
    (
        errors.ScaRequiredError,
        Sentence(
            title="{bank} wants to see you again",
            text="The bank shows this only after you have approved again.",
            advice="Connect again to go on.",
            helps=CONNECT,
            status=403,
        ),
    ),
    (
        errors.ConsentError,
        Sentence(
            title="The connection does not work any more",
            text="{bank} does not know your approval any more, or it does not cover this.",
            advice="Connect again to go on.",
            helps=CONNECT,
            status=403,
        ),
    ),
    (
        errors.AccessExceededError,
        Sentence(
            title="Read often enough for today",
            text="{bank} lets us read your accounts only a few times a day while you are not here.",
            advice="Open the page yourself, or wait until tomorrow.",
            helps=WAIT,
            status=503,
        ),
    ),
    (
        errors.RateLimitedError,
        Sentence(
            title="Too many requests",
            text="{bank} asks us to slow down.",
            advice="Try again in a minute.",
            helps=WAIT,
            status=503,
        ),
    ),
    (
        errors.KycRequiredError,
        Sentence(
            title="We may not pay for you yet",
            text="The provider has to check the company behind this application first.",
            advice="Tell us, with the reference below.",
            helps=NOTHING,
            status=503,
        ),
    ),
    (
        errors.OutcomeUnknownError,
        Sentence(
            title="We don't know whether it worked",
            text="The connection was lost before {bank} answered. No money moves without your approval.",
            advice="Try again: that can't pay twice.",
            status=504,
        ),
    ),
    (
        errors.TimedOutError,
        Sentence(
            title="{bank} takes too long",
            text="There was no answer in time.",
            advice="Try again in a minute.",
            helps=WAIT,
            status=504,
        ),
    ),
    (
        errors.ServerError,
        Sentence(
            title="{bank} is out of order",
            text="The bank can't answer at the moment. That is not your fault.",
            advice="Try again in a few minutes.",
            helps=WAIT,
            status=503,
        ),
    ),
    (
        errors.ConnectionFailedError,
        Sentence(
            title="{bank} can't be reached",
            text="There is no connection to the bank at the moment.",
            advice="Try again in a few minutes.",
            helps=WAIT,
            status=503,
        ),
    ),
    (
        errors.NotFoundError,
        Sentence(
            title="{bank} does not know this",
            text="It is not there any more, or never was.",
            advice="Go back to your accounts.",
            helps=NOTHING,
            status=404,
        ),
    ),
    (
        errors.APIError,
        Sentence(
            title="{bank} refused this",
            text="The bank does not do what was asked.",
            advice="Read what the bank says, and try again.",
        ),
    ),
    (
        errors.UnreadableResponseError,
        Sentence(
            title="We did not understand {bank}",
            text="The bank's answer can't be read.",
            advice="Try again; if it stays like this, tell us, with the reference below.",
        ),
    ),
    (
        errors.TokenError,
        Sentence(
            title="We can't sign in to the provider",
            text="That is our fault and not yours.",
            advice="Try again later, or tell us, with the reference below.",
            helps=WAIT,
            status=503,
        ),
    ),
    (
        sqlite3.Error,
        Sentence(
            title="We can't get at our own records",
            text="That is our fault and not yours.",
            advice="Try again in a minute, or tell us, with the reference below.",
            helps=WAIT,
            status=503,
        ),
    ),
)
_ELSE: Final = Sentence(
    title="Something went wrong",
    text="That is our fault and not yours.",
    advice="Try again, or tell us, with the reference below.",
    status=500,
)


def say(error: BaseException, bank: str | None = None, *, approved: str = "consent") -> Sentence:
    """What to tell the user about an error.

    Args:
        error: Whatever went wrong.
        bank: The bank's name, if it is about one.
        approved: What was to be approved, if it is about an approval: "consent" or "payment".
    """
    code = getattr(error, "code", None) if isinstance(error, errors.AuthorisationFailedError) else None
    by_class = next((said for kind, said in _BY_CLASS if isinstance(error, kind)), _ELSE)
    known = _BY_CODE.get(code or "", by_class)
    reference = getattr(error, "request_id", None) or request_ids.current_request_id.get()
    name = bank or "The bank"
    return Sentence(
        title=known.title.format(bank=name),
        text=known.text.format(bank=name, unharmed=_UNHARMED[approved]),
        advice=known.advice.format(bank=name),
        helps=known.helps,
        status=known.status,
        details=_words(error),
        reference=reference,
    )


def undecided(said: Sentence, bank: str) -> Sentence:
    """The same about a payment of which the bank does not say that it is not carried out."""
    text = f"{bank} has ended the approval, but not decided about the payment."
    return replace(said, text=text, advice="Look at its status before you make another payment.")


def _words(error: BaseException) -> str | None:
    """What the bank itself says, if anything."""
    messages: tuple[errors.TppMessage, ...] = getattr(error, "messages", ())
    texts = [each.text for each in messages if each.text]
    return " ".join(dict.fromkeys(texts)) or None
