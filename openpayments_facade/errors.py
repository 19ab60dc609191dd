"""Every exception that the SDK raises. Each has the attributes that a program needs to decide what to do next.

    OpenPaymentsError
    ├── ConfigurationError                   a setting is missing or wrong
    ├── InvalidArgumentError                 an argument is wrong (also a ValueError)
    ├── ClientStateError                     closed, or another loop's (also a RuntimeError)
    ├── MissingScopeError                    the client lacks the API scope of the call
    ├── UnreadableAmountError                an amount is no number (also a ValueError)
    ├── RequestError                         about one request: may_have_taken_effect
    │   ├── ConnectionFailedError            there was no connection, or it broke
    │   ├── TimedOutError                    a time limit ran out
    │   ├── UnreadableResponseError          a success that doesn't fit the description
    │   ├── OutcomeUnknownError              no answer to what must not be repeated
    │   ├── TokenError                       the token endpoint refused
    │   │   ├── AuthenticationError          wrong id or secret, or not for this grant
    │   │   ├── InvalidScopeError            a scope is unknown or not granted
    │   │   └── ReauthorisationRequiredError the user has to authorise again
    │   └── APIError                         the API answered with an error status
    │       ├── BadRequestError              400
    │       ├── UnauthorizedError            401
    │       ├── PermissionDeniedError        403
    │       ├── NotFoundError                404
    │       ├── ConflictError                409
    │       ├── RateLimitedError             429
    │       │   └── AccessExceededError      429: the day's accesses without the user
    │       ├── ServerError                  500 to 599
    │       ├── CancellationRefusedError     405: not cancelled, or not any more
    │       ├── KycRequiredError             the organisation lacks its KYC
    │       └── ConsentError                 the consent doesn't allow the call
    │           ├── ConsentInvalidError      CONSENT_INVALID, CONSENT_UNKNOWN
    │           ├── ConsentExpiredError      CONSENT_EXPIRED
    │           └── ScaRequiredError         the user has to authenticate again
    ├── AuthorisationFailedError             the user declined, or the bank ended it
    │   └── CallbackRejectedError            a browser came back that does not belong to it
    ├── AuthorisationTimeoutError            the user did not finish in time
    │   └── AnotherSignatureNeededError      the user did, and others have to as well
    └── PaymentError                         a payment has not become what was waited for
        ├── PaymentRejectedError             the bank rejected it
        ├── PaymentCancelledError            it was cancelled
        └── PaymentTimeoutError              it is neither accepted nor settled in time

Exceptions never contain a token or a secret. The body of an error answer is an attribute, never part of a message. All
exceptions can be copied and pickled.

Sources: the provider's guide of 2021; RFC 6749, section 5.2.
"""

from __future__ import annotations

from copy import copy
from functools import cache, partial
from inspect import Parameter, Signature, cleandoc, get_annotations
from typing import TYPE_CHECKING, Any, Final

from ._attrs import Value, frozen
from ._redaction import printable, str_or_none

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST: Final = 4000
"""The number of characters that a message has at most."""
_ATTRIBUTES: Final = "\n\nAttributes:\n"


class _Late:
    """An attribute of classes that is made when somebody asks for it, since most programs never do."""

    def __init__(self, make: Callable[[type], Any]) -> None:
        self._make = make

    def __get__(self, _: object, owner: type) -> Any:
        return self._make(owner)


def _signature(cls: type) -> Signature:
    ours = [each for each in cls.__mro__ if each.__module__ == __name__]  # a user's subclass may annotate anything
    names = dict.fromkeys(name for each in ours for name in get_annotations(each))
    about = [Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(cls, name)) for name in names]
    return Signature([Parameter("message", Parameter.POSITIONAL_OR_KEYWORD, default=""), *about])


def _doc(doc: str | None, cls: type) -> str:
    """With the attributes of the class's base, for `help` shows the docstring of one class alone."""
    told, _, own = cleandoc(doc or "").partition(_ATTRIBUTES)
    attributes = [own, (cls.__mro__[1].__doc__ or "").partition(_ATTRIBUTES)[2]]
    return told + (_ATTRIBUTES if any(attributes) else "") + "\n".join(filter(None, attributes))


class OpenPaymentsError(Exception):
    """Base of every exception of this SDK.

    Args:
        message: What went wrong, for people. It is kept in one line, without what controls a terminal, and cut.
        about: Values for the attributes of the class.

    Raises:
        TypeError: The class has no such attribute.
    """

    __signature__ = _Late(cache(_signature))

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ == __name__:
            cls.__doc__ = _Late(partial(_doc, cls.__doc__))  # type: ignore[assignment]

    def __init__(self, message: str = "", **about: Any) -> None:
        known = self.__signature__.bind(message, **about).signature.parameters
        # here for all that is quoted from a bank: a status, an id, a name
        said = printable(message)
        super().__init__(said if len(said) <= _LONGEST else f"{said[:_LONGEST]}...")
        vars(self).update({name: copy(each.default) for name, each in known.items() if name != "message"} | about)


class ConfigurationError(OpenPaymentsError):
    """A setting is missing or wrong. The message names the argument or the environment variable."""


class InvalidArgumentError(OpenPaymentsError, ValueError):
    """An argument is wrong. Nothing was sent.

    Attributes:
        argument: The name of the argument that the caller passed.
    """

    argument: str = ""


class UnreadableAmountError(OpenPaymentsError, ValueError):
    """An amount that the bank sent is missing, is no number, or may mean two numbers."""


class ClientStateError(OpenPaymentsError, RuntimeError):
    """The client is closed, or an AsyncOpenPayments was used on another event loop. Nothing was sent."""


class MissingScopeError(OpenPaymentsError):
    """The client was not created with the API scope that this call needs. Nothing was sent.

    Attributes:
        scope: The missing API scope; the first, where several would do.
    """

    scope: str = ""


class RequestError(OpenPaymentsError):
    """What went wrong with one HTTP request. Base of the exceptions about one.

    Where it is all the same which, catch this one, and look at `may_have_taken_effect`.

    Attributes:
        request_id: The X-Request-ID that was sent. Quote it when you ask the provider.
        method: The HTTP method of the request.
        url: The URL of the request.
        status_code: The HTTP status; None if there was no answer.
        retry_after: Seconds to wait before the next attempt, as the server asked (5 if that can't be read). For the
            application's own token: seconds until the SDK asks the token endpoint again. None if nobody said.
        may_have_taken_effect: Whether the request may have been carried out, though it must not be repeated: there is
            no answer, none that can be read, or one that says that a server failed.
        advice: What to do if it may have.
        sent: The body that was sent, by its names on the wire, if it may have. Amounts, names, account numbers and
            texts are masked.
        end_to_end_identification: The payer's reference in it, if it is a payment. `payments.find` finds the payment's
            entry with it.
    """

    request_id: str | None = None
    method: str | None = None
    url: str | None = None
    status_code: int | None = None
    retry_after: float | None = None
    may_have_taken_effect: bool = False
    advice: str = ""
    sent: Mapping[str, Any] = {}
    end_to_end_identification: str | None = None

    def __str__(self) -> str:
        about = f"{self.method} {self.url}" if self.method and self.url else ""
        about += f"{', ' if about else ''}request id {self.request_id}" if self.request_id else ""
        return f"{self.args[0]} ({about})" if about else str(self.args[0])


class ConnectionFailedError(RequestError):
    """The host could not be reached, or the connection broke before the answer was complete."""


class TimedOutError(RequestError):
    """A time limit ran out: that of one request (`timeout`) or that of the whole call (`total_timeout`)."""


class UnreadableResponseError(RequestError):
    """A successful answer that doesn't fit the API's description (HTML, truncated JSON, ...).

    Single values that can't be read don't raise it: they are None, and what came is in `additional_properties`.

    Attributes:
        path: The place in the answer's JSON that is to blame, such as `transactions.booked`; empty for the answer as a
            whole.
        body: The first 10,000 bytes of the answer, as a string. If it quotes the token, it is masked.
    """

    path: str = ""
    body: str = ""


class OutcomeUnknownError(RequestError):
    """There is no answer to a request that must not be repeated. It may have taken effect.

    The SDK does not repeat it. `advice` says how to find out, or why it is safe to try again.
    """

    may_have_taken_effect: bool = True
    advice: str = "read the status of the resource before you try again"


class TokenError(RequestError):
    """The token endpoint answered with an error.

    Attributes:
        code: The OAuth error code (RFC 6749, section 5.2); None if the body had none.
        description: The server's explanation.
    """

    code: str | None = None
    description: str | None = None


class AuthenticationError(TokenError):
    """The client id or the client secret is wrong, or the client may not use this grant.

    OAuth codes `invalid_client`, `unauthorized_client`, `unsupported_grant_type` and `access_denied`.
    """


class InvalidScopeError(TokenError):
    """A scope is unknown, malformed, or not among the application's API products (OAuth code `invalid_scope`)."""


class ReauthorisationRequiredError(TokenError):
    """A code or refresh token is not accepted: the user has to authorise again (document 004).

    A code that was used is not accepted either, as after a callback page that was loaded twice. Then the authorisation
    may count: `authorisation.wait()` tells.

    OAuth code `invalid_grant`; for a refresh token also `access_denied` and `unsupported_grant_type`.
    """


@frozen
class TppMessage(Value):
    """One message of an error body (the provider's guide of 2021), or about a failed authorisation.

    Its texts are cut, in one line and without control characters; what the request carried in secret is masked. In an
    HTML page they have to be escaped all the same.

    Attributes:
        code: The provider's code, such as `FORMAT_ERROR`. New ones may appear.
        text: An explanation for people.
        category: `ERROR`, `WARNING` or `INFORMATION`.
        path: The part of the request that it is about.
    """

    code: str | None = None
    text: str | None = None
    category: str | None = None
    path: str | None = None

    _title = "Message"

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> TppMessage:
        """Reads a dict from `to_dict()`, also one that went through JSON.

        Args:
            saved: The dict. What is no text in it counts as absent.

        Returns:
            A message that equals the one that was saved.

        Raises:
            InvalidArgumentError: It is no mapping.
        """
        return cls(**texts_of(saved, "code", "text", "category", "path"))


def texts_of(saved: Mapping[str, Any], *names: str) -> dict[str, str | None]:
    """The texts of a dict that was saved. Raises InvalidArgumentError if it is none."""
    if not hasattr(saved, "get"):
        raise InvalidArgumentError("saved must be a dict from to_dict()", argument="saved")
    return {name: str_or_none(saved.get(name)) for name in names}


class APIError(RequestError):
    """The API answered with an error status.

    Attributes:
        code: The code of the first error message (`FORMAT_ERROR`, `RESOURCE_UNKNOWN`, ...; new ones may appear). None
            if the body had none.
        messages: All messages of the body.
        headers: The headers of the answer. If they quote the token, it is masked.
        body: The first 10,000 bytes of the answer, as a string. If it quotes the token, it is masked.
    """

    status_code: int = 0
    code: str | None = None
    messages: tuple[TppMessage, ...] = ()
    headers: Mapping[str, str] = {}
    body: str = ""


class BadRequestError(APIError):
    """400: the request is malformed or contradicts itself."""


class UnauthorizedError(APIError):
    """401: the token, the certificate, the signature or the user's credentials at the bank were refused."""


class PermissionDeniedError(APIError):
    """403: the application or the user may not do this."""


class NotFoundError(APIError):
    """404: there is no such resource."""


class ConflictError(APIError):
    """409: the status of the resource does not allow this."""


class RateLimitedError(APIError):
    """429: too many requests."""


class AccessExceededError(RateLimitedError):
    """429 `ACCESS_EXCEEDED`: the accesses without the user that the consent allows per day are used up."""


class ServerError(APIError):
    """500 to 599: the provider or the bank failed."""


class CancellationRefusedError(APIError):
    """405: the bank does not cancel this payment: it never does, or the payment is settled, rejected or cancelled."""


class KycRequiredError(APIError):
    """`TPP_KYC_INVALID`: payments need the completed KYC of the organisation (observed in 2026).

    Attributes:
        kyc_url: The address of the form to complete, if the bank gave one. Without one `op.kyc.create` gets it.
    """

    kyc_url: str | None = None


class ConsentError(APIError):
    """The consent doesn't allow the call."""


class ConsentInvalidError(ConsentError):
    """`CONSENT_INVALID` or `CONSENT_UNKNOWN`: it is not valid yet, not valid for this account, or does not exist."""


class ConsentExpiredError(ConsentError):
    """`CONSENT_EXPIRED`: the consent has to be renewed."""


class ScaRequiredError(ConsentError):
    """The bank wants strong customer authentication for this call (the provider's guide of 2021)."""


class _AuthorisationError(OpenPaymentsError):
    """Base of the exceptions about one authorisation, which describe its attributes."""

    resource_id: str | None = None
    consent_id: str | None = None
    payment_id: str | None = None
    authorisation_id: str | None = None


class AuthorisationFailedError(_AuthorisationError):
    """The user declined, or the bank ended the authorisation.

    Attributes:
        code: The bank's own code (`USER_CANCEL`, `BANKID_NOT_ACTIVATED`, ...; new ones may appear). Without one: the
            OAuth error of the callback (`access_denied`, ...), the SCA status (`failed`), or the status of what was to
            be authorised (`rejected`, `expired`, `revokedByPsu`, `terminatedByTpp`). None if none is known.
        text: The bank's explanation, as it came: to be escaped like any foreign text.
        messages: All messages of the bank's answer.
        sca_status: How far the user had got.
        trying_again_helps: Whether another authorisation may end well (observed in 2026): True if the user declined or
            was too slow, False if the user lacks BankID or the right to approve. None if it is unknown.
        resource_id: The id of what was to be authorised.
        consent_id: The same id, if it is a consent.
        payment_id: The same id, if it is a payment.
        authorisation_id: The id of the authorisation.
    """

    code: str | None = None
    text: str | None = None
    messages: tuple[TppMessage, ...] = ()
    sca_status: str | None = None
    trying_again_helps: bool | None = None


class CallbackRejectedError(AuthorisationFailedError):
    """The callback does not belong to this authorisation: its state is missing or another, or a parameter is repeated.

    It may be old, or forged. The authorisation itself may still go on, so don't end it because of this.
    """


class AuthorisationTimeoutError(_AuthorisationError):
    """The user did not finish the authorisation in time. They still may: call `authorisation.wait()` again.

    Attributes:
        resource_id: The id of what was to be authorised.
        consent_id: The same id, if it is a consent.
        payment_id: The same id, if it is a payment.
        authorisation_id: The id of the authorisation.
    """


class AnotherSignatureNeededError(AuthorisationTimeoutError):
    """The user has authorised, and others have to sign as well, such as the second of two people in a company.

    Start another authorisation for the next person, or call the same `wait()` again later.

    Attributes:
        messages: What the bank says is missing.
    """

    messages: tuple[TppMessage, ...] = ()


class PaymentError(OpenPaymentsError):
    """What became of a payment is not what was waited for.

    Attributes:
        payment_id: The payment's id.
        status: Its status, as the bank sent it.
        code: The bank's own code, which says why. None if it gave none.
        messages: All messages of the bank's answer.
    """

    payment_id: str | None = None
    status: str | None = None
    code: str | None = None
    messages: tuple[TppMessage, ...] = ()


class PaymentRejectedError(PaymentError):
    """`RJCT`: the bank rejected the payment. No money moves."""


class PaymentCancelledError(PaymentError):
    """`CANC`: the payment was cancelled before it was carried out. No money moves."""


class PaymentTimeoutError(PaymentError):
    """The payment was not accepted, or not settled, in time. It still may be: call `payments.wait` again."""


_classes = [value for value in globals().values() if isinstance(value, type) and value.__module__ == __name__]
__all__ = [each.__name__ for each in _classes if not each.__name__.startswith("_")]
