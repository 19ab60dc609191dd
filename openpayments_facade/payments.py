"""Payments: the status of one, what the bank had to say about a new one, and its entry in an account.

    from openpayments_facade import payments

    payments.warnings(created)                # the bank's warnings, before the user signs
    payments.payee_match(created)             # whether the account is the payee's
    payments.find(transactions, created)      # its entry in the account

Pure functions: they send nothing. Sources: the provider's description of 2026 (statuses, warnings, payee check);
observed in 2026 (which statuses are final).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypeVar

from attrs import fields
from openpayments_client import models
from openpayments_client.reading import Field, Fields, Unreadable, text

from ._attrs import define
from ._checks import refuse
from ._redaction import hiding_arguments
from .errors import InvalidArgumentError, TppMessage

__all__ = ["CreatedPayment", "PaymentStatus", "find", "payee_match", "warnings"]

AnyOrder: TypeAlias = (
    models.DomesticPayment
    | models.SepaCreditTransfer
    | models.SwedishGiroPayment
    | models.CrossBorderPayment
    | Mapping[str, Any]
)
"""What to pay: a model, or a mapping with the names on the wire."""
Until: TypeAlias = Literal["accepted", "settled"]
Entry = TypeVar("Entry", bound=models.Transaction)

_SETTLED: Final = frozenset({"ACSC", "ACCC"})
_ACCEPTED: Final = _SETTLED | {"ACSP", "ACWC", "ACWP"}
FAILED: Final = frozenset({"RJCT", "CANC"})


class PaymentStatus(str):
    """The status of a payment: the bank's code, a string, with what it means.

    A code that nobody described is neither final, accepted nor failed. A text becomes one by
    `PaymentStatus(created.transaction_status)`.

    Attributes:
        messages: What the bank has to say about it, as `TppMessage`s; with `PATC`, what is missing.
    """

    __slots__ = ("messages",)
    messages: tuple[TppMessage, ...]

    def __new__(cls, code: str, messages: Iterable[TppMessage] = ()) -> PaymentStatus:
        self = super().__new__(cls, code)
        self.messages = tuple(messages)
        return self

    # web sessions copy and pickle their values
    def __getnewargs__(self) -> tuple[str, tuple[TppMessage, ...]]:  # type: ignore[override]
        return str(self), self.messages

    # in JSON it is its code, and so it is for pydantic
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_wrap_validator_function(
            lambda value, read: value if isinstance(value, cls) else cls(read(value)),
            handler.generate_schema(str),
            serialization=core_schema.plain_serializer_function_ser_schema(str.__str__),
        )

    @property
    def code(self) -> str:
        """The code in capitals, without blanks around it."""
        return self.strip().upper()

    @property
    def is_final(self) -> bool:
        """Whether it will not change any more: `ACSC`, `ACCC`, `RJCT`, `CANC` or `PART`."""
        return self.code in _SETTLED | FAILED | {"PART"}

    @property
    def is_accepted(self) -> bool:
        """Whether the bank carries it out, or has: `ACSP`, `ACWC`, `ACWP`, `ACSC` or `ACCC`."""
        return self.code in _ACCEPTED

    @property
    def is_settled(self) -> bool:
        """Whether the money has left the payer's account: `ACSC`, or `ACCC`, at which it has reached the payee's."""
        return self.code in _SETTLED

    @property
    def is_failed(self) -> bool:
        """Whether it was rejected or cancelled: `RJCT` or `CANC`."""
        return self.code in FAILED

    @property
    def needs_another_signature(self) -> bool:
        """Whether somebody else has to approve as well: `PATC`."""
        return self.code == "PATC"


@define(repr=False)
class CreatedPayment(models.PaymentCreated):
    """A payment that was just created: the bank's answer, and what later calls need beside its id.

    `to_dict()` and `to_json()` have all of it, so that another process goes on with what `from_dict` makes of them.

    Attributes:
        product: The payment product of its path, such as `domestic`. Keep it with the id.
        end_to_end_identification: The payer's reference that was sent; made by the SDK if you left it out.
        messages: What the bank had to say, and the SDK before it was sent, such as about an OCR number with a wrong
            check digit; `warnings` gives them together with those about the payee.
    """

    product: str = ""
    end_to_end_identification: str | None = None
    messages: tuple[TppMessage, ...] | None = None

    @classmethod
    def of(cls, answer: Any, order: Any) -> CreatedPayment:
        """What was answered, and what is known from the order beside it. For the SDK.

        Args:
            answer: The bank's answer, a `RawResponse`.
            order: What was sent.

        Returns:
            The payment.
        """
        created = answer.parsed
        sent = {each.name: getattr(created, each.name) for each in fields(models.PaymentCreated) if each.init}
        self = cls(**sent, product=order.product, end_to_end_identification=order.end_to_end_identification)
        kept, own = created.additional_properties, order.warnings
        self.additional_properties = {name: value for name, value in kept.items() if name not in _OWN}
        self.messages = (*answer.messages, *(TppMessage(text=each, category="WARNING") for each in own))
        return self


def _messages_in(saved: object) -> tuple[TppMessage, ...]:
    try:
        return tuple(map(TppMessage.from_dict, saved if isinstance(saved, list) else [saved]))
    except InvalidArgumentError:
        raise Unreadable("is no list of messages") from None


_OWN: Final = {
    "product": Field("product", lambda value: value if isinstance(value, str) else "", always=True),
    "endToEndIdentification": Field("end_to_end_identification", text),
    "messages": Field("messages", _messages_in),
}
CreatedPayment._fields = Fields({**models.PaymentCreated._fields.described, **_OWN})


def warnings(created: models.PaymentCreated) -> list[TppMessage]:
    """What there is to say about a new payment before the user signs: flagged creditors, the check of the payee.

        for warning in payments.warnings(created):
            print(warning.code, warning.text)

    Args:
        created: What `create` returned.

    Returns:
        The messages of the bank (`CREDITOR_ACCOUNT_FLAGGED`, `CREDITOR_NAME_MISMATCH`, ...; new ones may appear), and
        those of the SDK, without a code. Empty if there is nothing to say.

    Raises:
        InvalidArgumentError: It is no new payment.
    """
    payee, said = payee_match(created), getattr(created, "messages", None)
    if said is None:
        said = map(_message, created.tpp_messages or [])
    return [*said, *map(_message, (payee and payee.tpp_messages) or [])]


def payee_match(created: models.PaymentCreated) -> models.PayeeMatch | None:
    """Whether the account is that of the payee, as far as the bank has checked it (`verificationOfPayee`).

    Args:
        created: What `create` returned.

    Returns:
        `party_name_match` (`MTCH`, `CMTC`: close, `NMTC`: no match, `NOAP`: not possible), `matched_name` (the holder's
        name, where it is close) and `tpp_messages`; None if the bank checked nothing.

    Raises:
        InvalidArgumentError: It is no new payment.
    """
    if not isinstance(created, models.PaymentCreated):
        raise refuse("created", "must be what bank.payments.create returned")
    return created.verification_of_payee


@hiding_arguments
def find(transactions: Iterable[Entry], payment: object) -> Entry | None:
    """The entry of a payment in an account's transactions, by the payment's id, else by the payer's reference.

        entry = payments.find(bank.accounts(consent).transactions(account, booking_status="both"), created)

    Args:
        transactions: Transactions of the account, booked and pending; of an async client, a list of them. Booked ones
            are preferred.
        payment: What `create` returned, or an OutcomeUnknownError, or anything else with a `payment_id` or an
            `end_to_end_identification`, also as a mapping.

    Returns:
        The transaction; None if there is none. Some banks send neither of the two. An entry with the id of another
        payment is never given, whatever its reference.

    Raises:
        InvalidArgumentError: The payment has neither an id nor a reference, or these are no transactions.
    """
    if isinstance(transactions, str | Mapping) or not isinstance(transactions, Iterable):
        raise refuse("transactions", "must be a list of transactions; of an async client [each async for each in ...]")
    id_ = _folded(payment, "payment_id", "paymentId")
    reference = _folded(payment, "end_to_end_identification", "endToEndIdentification")
    if not id_ and not reference:
        raise refuse("payment", "must have a payment_id or an end_to_end_identification")
    found: list[tuple[bool, bool, Entry]] = []
    for entry in transactions:
        theirs = _folded(entry, "payment_id")
        # an entry that names another payment is none of this one, whatever its reference
        if theirs == id_ if theirs and id_ else reference and _folded(entry, "end_to_end_id") == reference:
            found.append((not theirs, isinstance(entry, models.PendingTransaction), entry))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _folded(source: object, *names: str) -> str:
    """A field as it is compared: banks change case and blanks. Empty if it says nothing."""
    found = (source.get(name) if isinstance(source, Mapping) else getattr(source, name, None) for name in names)
    folded = str(next(filter(None, found), "")).strip().casefold()
    return "" if folded == "notprovided" else folded


def _message(sent: Any) -> TppMessage:
    return TppMessage(sent.code, sent.text, sent.category, getattr(sent, "path", None))
