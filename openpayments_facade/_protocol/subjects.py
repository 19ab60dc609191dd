"""What a user authorises: consents, payments, their cancellations and signing baskets. Pure.

Sources: the provider's description of 2026 (operations, statuses); observed in 2026 (whose status decides).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from openpayments_client import models
from openpayments_client.api import consent, payment_initiation, signing_baskets

from .._attrs import frozen
from .._redaction import str_or_none
from ..payments import FAILED, PaymentStatus
from .initiation import SERVICE, failure_of
from .operation import Operation

if TYPE_CHECKING:
    from ..errors import OpenPaymentsError, TppMessage
    from .answer import RawResponse
    from .binding import BankBinding

T = TypeVar("T")
Verdict: TypeAlias = Literal["done", "partly", "wait", "lost"]


@frozen
class Subject(Generic[T]):
    """The resource that a user authorises, and its operations. Each kind of resource is a small subclass."""

    id: str
    bank: BankBinding
    product: str | None = None
    """Of a payment."""
    kind: ClassVar[str]
    """Its name in `to_dict` and in messages."""
    exchanged_as: ClassVar[str | None] = None
    """`exchange_code` and `to_dict` take the id as `<exchanged_as>_id`. None if no source says how a code is exchanged;
    then it is `<kind>_id`."""
    api: ClassVar[Any]
    """The module with its operations, each of which is loaded when it is first needed."""
    steps: ClassVar[str]
    """Its operations that start an authorisation, select how, and read how far the user has got."""
    reads: ClassVar[str]
    """Its operation that reads the resource, or its status."""
    status_field: ClassVar[str] = "transaction_status"
    follows_sca: ClassVar[bool] = True
    """Whether the outcome of its authorisation is the SCA status alone."""
    done: ClassVar[frozenset[str]] = frozenset()
    """Statuses of a resource that is authorised."""
    partly: ClassVar[frozenset[str]] = frozenset({"PATC"})
    """Statuses of a resource that others have to authorise as well."""
    lost: ClassVar[frozenset[str]] = FAILED
    """Statuses of a resource that can't be authorised any more."""

    @property
    def path(self) -> tuple[str, ...]:
        """The ids in its path."""
        return (self.id,) if self.product is None else (SERVICE, self.product, self.id)

    def start(self) -> Operation[models.AuthorisationStarted]:
        """Starts an authorisation."""
        return self._operation(self.steps.split()[0])

    def select(self, authorisation_id: str, method: str) -> Operation[models.AuthorisationUpdated]:
        """Selects how the user authorises."""
        body = models.SelectAuthenticationMethod(authentication_method_id=method)
        return self._operation(self.steps.split()[1], authorisation_id, body=body)

    def sca_status(self, authorisation_id: str) -> Operation[models.ScaStatusAnswer]:
        """Reads how far the user has got."""
        return self._operation(self.steps.split()[2], authorisation_id)

    def read(self) -> Operation[Any]:
        """Reads the resource itself, or its status."""
        return self._operation(self.reads)

    def _operation(self, name: str, *ids: str, **body: Any) -> Operation[Any]:
        return Operation.at_bank(self.bank, getattr(self.api, name), *self.path, *ids, **body)

    def verdict(self, resource: object, *, is_approved: bool) -> tuple[Verdict, str | None]:
        """Whether the resource is authorised, may still be, or never will be; and its status."""
        status = str_or_none(getattr(resource, self.status_field))
        known: dict[Verdict, frozenset[str]] = {"done": self.done, "partly": self.partly, "lost": self.lost}
        found = ((verdict, each) for verdict, statuses in known.items() for each in statuses if same(each, status))
        return next(found, ("done" if self.follows_sca and is_approved else "wait", status))

    def identify(self, answer: RawResponse[T]) -> T:
        """The resource, with its id, which the answer may lack."""
        return answer.parsed

    def failure(self, status: str | None, messages: tuple[TppMessage, ...]) -> OpenPaymentsError | None:
        """The error for a resource that is lost, if it has one of its own."""


class ConsentSubject(Subject["models.Consent"]):
    """A consent that a user authorises."""

    __slots__ = ()
    kind = exchanged_as = "consent"
    api: ClassVar[Any] = consent
    steps = "start_consent_authorisation update_consents_psu_data get_consent_sca_status"
    reads = "get_consent_information"
    status_field = "consent_status"
    follows_sca = False
    done = frozenset({"valid"})
    partly = frozenset({"partiallyAuthorised"})
    lost = frozenset({"rejected", "revokedByPsu", "expired", "terminatedByTpp"})

    def identify(self, answer: RawResponse[models.Consent]) -> models.Consent:
        """The consent with its id."""
        found = answer.parsed
        found.consent_id = found.consent_id or self.id
        return found


class PaymentSubject(Subject[PaymentStatus]):
    """A payment that a user authorises. Its status may say the opposite of the SCA status (observed in 2026)."""

    __slots__ = ()
    kind = exchanged_as = "payment"
    api: ClassVar[Any] = payment_initiation
    steps = "start_payment_authorisation update_payment_psu_data get_payment_initiation_sca_status"
    reads = "get_payment_initiation_status"  # some banks have no operation that reads the payment

    def identify(self, answer: RawResponse[Any]) -> PaymentStatus:
        """The payment's status."""
        return PaymentStatus(answer.parsed.transaction_status or "", answer.messages)

    def failure(self, status: str | None, messages: tuple[TppMessage, ...]) -> OpenPaymentsError | None:
        """PaymentRejectedError or PaymentCancelledError."""
        return failure_of(self.id, PaymentStatus(status or "", messages))


class CancellationSubject(PaymentSubject):
    """The cancellation of a payment that a user authorises."""

    __slots__ = ()
    kind = "cancellation"
    steps = (
        "start_payment_initiation_cancellation_authorisation update_payment_cancellation_psu_data "
        "get_payment_cancellation_sca_status"
    )
    follows_sca = False
    done = frozenset({"CANC"})
    partly = frozenset()
    lost = frozenset({"ACSC", "ACCC", "RJCT"})


class BasketSubject(Subject["models.SigningBasket"]):
    """A signing basket that a user authorises. Its status says nothing about a single payment (observed in 2026)."""

    __slots__ = ()
    kind = "basket"
    api: ClassVar[Any] = signing_baskets
    steps = "start_signing_basket_authorisation update_signing_basket_psu_data get_signing_basket_sca_status"
    reads = "get_signing_basket"


def same(known: str, status: str | None) -> bool:
    """Whether a bank means a known status."""
    return status is not None and known.lower() == status.strip().lower()
