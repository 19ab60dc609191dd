"""Payments: their data, and the transitions between their statuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Literal

from .authorisations import SimulatedAuthorisation, Subject
from .exchange import in_hundredths, rate
from .users import PAYMENT_REJECTED, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .accounts import Account
    from .book import Template
    from .fx_quotes import FxQuote
    from .ledger import Ledger
    from .resource import Origin

__all__ = ["Cancellation", "Payment", "PaymentStatus", "Payments", "SimulatedPayment"]

PaymentStatus = Literal["RCVD", "PATC", "ACSP", "ACSC", "RJCT", "CANC"]

_NUMBERS: Final = ("iban", "bban", "pan", "maskedPan", "msisdn", "accountNumber", "bankgiroNumber", "plusgiroNumber")
# of bank transaction codes (ISO 20022)
_FAMILIES: Final = {"domestic": "DMCT", "swedish-giro": "DMCT", "sepa-credit-transfers": "ESCT"}

# how long a bank waits for who is asked whether to cancel
_PATIENCE = timedelta(minutes=5)

_REJECTED_USER = Reason("RAW", "the bank rejected the payment")
_TOO_LITTLE = Reason("RAW", "there is too little money on the account")
_NO_SUCH_CURRENCY = Reason("RAW", "the bank does not exchange this currency")
_REJECTED = Reason("RAW", "the payment was rejected")


@dataclass(frozen=True)
class SimulatedPayment:
    """A snapshot of a payment.

    Attributes:
        id: Its id.
        bic: The bank.
        product: The payment product, such as "domestic".
        status: Its status, such as "RCVD" or "ACSC".
        context: The PSU context.
        request: The body that it was created with.
        authorisations: Those of the payment, in the order in which they started.
        cancellation_authorisations: Those of its cancellation.
    """

    id: str
    bic: str
    product: str
    status: PaymentStatus
    context: str | None
    request: Mapping[str, Any]
    authorisations: tuple[SimulatedAuthorisation, ...]
    cancellation_authorisations: tuple[SimulatedAuthorisation, ...]


@dataclass(eq=False, kw_only=True)
class Payment(Subject):
    """A payment. `request` is the body that it was created with, and `order` what its product knows of that.

    `quote` is the FX quote of one that is `cross-border`.

    `reason` says why it was rejected. From its approval on, `settles_at` says when it is settled, and `account` is the
    one that pays, None if it is none of the user's. `basket` is the signing basket that it is in.
    """

    kind = "payment"

    payments: Payments = field(repr=False)
    product: str
    request: Mapping[str, Any]
    order: Mapping[str, Any]
    quote: FxQuote | None = None
    status: PaymentStatus = "RCVD"
    reason: Reason | None = None
    settles_at: datetime | None = None
    account: Account | None = None
    basket: Subject | None = field(default=None, repr=False)
    cancellation: Cancellation = field(init=False, repr=False)

    def __post_init__(self) -> None:
        origin = {name: getattr(self, name) for name in ("bank", "context", "redirect_preferred", "corporate_id")}
        self.cancellation = Cancellation(id=self.id, psu_id=self.psu_id, payment=self, **origin)

    @property
    def waits_for_user(self) -> bool:
        return self.status in {"RCVD", "PATC"} and not self.is_blocked

    @property
    def is_blocked(self) -> bool:
        return self.basket is not None

    @property
    def is_alive(self) -> bool:
        """Whether it can still be cancelled or rejected."""
        return self.status in {"RCVD", "PATC", "ACSP"}

    @property
    def summary(self) -> str:
        amount = self.order["instructedAmount"]
        payer = next(value for name, value in self.order["debtorAccount"].items() if value and name in _NUMBERS)
        return f"{amount['amount']} {amount['currency']} to {self.order['creditorName']} from ...{payer[-4:]}"

    @property
    def request_to_user(self) -> str:
        return f"An application asks to pay {self.summary}."

    @property
    def execution_date(self) -> date:
        asked = self.order.get("requestedExecutionDate")
        return date.min if asked is None else date.fromisoformat(asked)

    @property
    def price(self) -> tuple[Decimal, str]:
        """What the payer pays: an amount and its currency."""
        if self.quote is not None:
            return self.quote.total, self.quote.source_currency
        amount = self.order["instructedAmount"]
        return Decimal(amount["amount"]), amount["currency"]

    def approve(self, psu_id: str | None, *, alone: bool) -> None:
        if self.sign(psu_id, alone=alone, partly="PATC"):
            self.payments.accept(self, rejected=psu_id == PAYMENT_REJECTED)

    def reject(self) -> None:
        # no source says so of the provider; a product of 2026 starts another authorisation of the same payment
        if self.payments.sandbox_flaws:
            self.payments.accept(self)

    def catch_up(self) -> None:
        self.payments.settle_due()

    def settle(self, status: PaymentStatus, reason: Reason | None = None) -> None:
        """Sets a status in which nothing is waiting for the user."""
        self.status, self.reason = status, reason
        self.close_authorisations()
        if not self.is_alive:
            self.cancellation.status = status
            self.cancellation.close_authorisations()
        self.payments.enter(self)

    def view(self) -> SimulatedPayment:
        return SimulatedPayment(
            id=self.id,
            bic=self.bank.bic,
            product=self.product,
            status=self.status,
            context=self.context,
            request=self.request,
            authorisations=tuple(one.view() for one in self.authorisations.values()),
            cancellation_authorisations=tuple(one.view() for one in self.cancellation.authorisations.values()),
        )


@dataclass(eq=False, kw_only=True)
class Cancellation(Subject):
    """The cancellation of a payment, where the user has to approve it. On the wire it goes by the payment's id.

    `status` ends with that of the payment.
    """

    kind = "payment"

    payment: Payment = field(repr=False)
    status: str = "not to be cancelled"
    asked: datetime | None = None

    @property
    def waits_for_user(self) -> bool:
        return self.status == "to be cancelled"

    @property
    def request_to_user(self) -> str:
        return f"An application asks to cancel the payment of {self.payment.summary}."

    @property
    def is_being_approved(self) -> bool:
        """Whether a user was asked some minutes ago and has not answered yet; until then the payment is not settled."""
        is_open = any(authorisation.is_open for authorisation in self.authorisations.values())
        return is_open and self.asked is not None and self.payment.payments.now() - self.asked < _PATIENCE

    def touch(self) -> None:
        self.asked = self.payment.payments.now()

    def ask(self) -> None:
        self.status = "to be cancelled"

    def approve(self, psu_id: str | None, *, alone: bool) -> None:  # noqa: ARG002 - one user is enough
        self.payment.settle("CANC")

    def reject(self) -> None:
        """The payment goes on, and its cancellation can be authorised again."""

    def catch_up(self) -> None:
        self.payment.catch_up()


class Payments:
    """All payments. `new_id` makes their ids, `now` is the banks' time.

    An approved one is in the `ledger`, and is settled `settlement` seconds later, but not before its day, nor while a
    user is asked whether to cancel it. With `sandbox_flaws`, it is accepted after a failed authorisation, too (observed
    in 2026).
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        now: Callable[[], datetime],
        ledger: Ledger,
        settlement: float,
        sandbox_flaws: bool,
    ) -> None:
        self.now = now
        self._ledger = ledger
        self.sandbox_flaws = sandbox_flaws
        self._new_id = new_id
        self._settlement = timedelta(seconds=settlement)
        self._payments: dict[str, Payment] = {}
        self._due: list[tuple[datetime, int, Payment]] = []
        self._order = count()

    def create(
        self,
        product: str,
        request: Mapping[str, Any],
        *,
        order: Mapping[str, Any],
        quote: FxQuote | None,
        origin: Origin,
    ) -> Payment:
        payment = Payment(
            id=self._new_id(), payments=self, product=product, request=request, order=order, quote=quote, **origin
        )
        self._payments[payment.id] = payment
        return payment

    def find(self, payment_id: str) -> Payment | None:
        self.settle_due()
        return self._payments.get(payment_id)

    def accept(self, payment: Payment, *, rejected: bool = False) -> None:
        """Applies the consequences of the last approval."""
        account = self._ledger.account(payment.bank, payment.context, payment.order["debtorAccount"])
        reason = _REJECTED_USER if rejected else self._refusal(account, payment)
        if reason is not None:
            payment.settle("RJCT", reason)
            return
        day = datetime.combine(payment.execution_date, time(), UTC)
        payment.settles_at = max(self.now() + self._settlement, day)
        payment.account = account
        payment.settle("ACSP")
        heappush(self._due, (payment.settles_at, next(self._order), payment))

    def settle_now(self, payment: Payment) -> None:
        payment.settles_at = self.now()
        payment.settle("ACSC")

    def enter(self, payment: Payment) -> None:
        """Enters a payment as its status has it into the books of the account that pays."""
        account = payment.account
        if account is None:
            return
        if payment.status == "ACSP":
            self._ledger.hold(account, payment.id, _entry(payment, account))
        elif payment.status == "ACSC":
            assert payment.settles_at is not None
            self._ledger.book(account, payment.id, payment.settles_at.date())
        else:
            self._ledger.release(account, payment.id)

    def reject(self, payment: Payment) -> None:
        payment.settle("RJCT", _REJECTED)

    def settle_due(self) -> None:
        """Settles what has become due since the last time."""
        held = []
        while self._due and self._due[0][0] <= self.now():
            entry = heappop(self._due)
            payment = entry[-1]
            if payment.status == "ACSP" and payment.cancellation.is_being_approved:
                held.append(entry)
            elif payment.status == "ACSP":
                payment.settle("ACSC")
        for entry in held:
            heappush(self._due, entry)

    def views(self) -> list[SimulatedPayment]:
        """Snapshots of all payments, in order of creation."""
        self.settle_due()
        return [payment.view() for payment in self._payments.values()]

    def _refusal(self, account: Account | None, payment: Payment) -> Reason | None:
        if account is None:
            return None
        try:
            price, _ = _entry(payment, account)
        except KeyError:
            return _NO_SUCH_CURRENCY
        return _TOO_LITTLE if -price > self._ledger.available(account, self.now().date()) else None


def _entry(payment: Payment, account: Account) -> Template:
    """The entry of a payment in the books of its account. Raises KeyError for a currency without a rate."""
    order = payment.order
    price, currency = payment.price
    price *= rate(account.currency, currency)
    fields = {
        "paymentId": payment.id,
        "endToEndId": order.get("endToEndIdentification"),
        "creditorName": order["creditorName"],
        "creditorAccount": _creditor_account(order),
        "debtorAccount": account.reference(),
        "remittanceInformationUnstructured": order.get("remittanceInformationUnstructured") or order.get("invoiceRef"),
        "remittanceInformationStructured": order.get("ocrRef"),
        "purposeCode": order.get("purposeCode"),
        "bankTransactionCode": f"PMNT-ICDT-{_FAMILIES.get(payment.product, 'XBCT')}",
    }
    return -in_hundredths(price), {name: value for name, value in fields.items() if value is not None}


def _creditor_account(order: Mapping[str, Any]) -> dict[str, str]:
    """As a transaction names it: with giros, and without `accountNumber` and `clearingNumber`."""
    if "creditorGiro" in order:
        giro = order["creditorGiro"]
        return {"bankGiro" if giro["giroType"] == "BANKGIRO" else "plusGiro": giro["giroNumber"]}
    names = {"accountNumber": "bban", "clearingNumber": None}
    given = {names.get(name, name): value for name, value in order["creditorAccount"].items() if value is not None}
    return {name: value for name, value in given.items() if name is not None}
