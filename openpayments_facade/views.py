"""One view of a transaction: what every application looks for, wherever a bank has put it.

    from openpayments_facade import views

    views.day(transaction).value          # datetime.date(2026, 1, 5)
    views.text(transaction).value         # 'Invoice 1001'
    views.other_party(transaction).name   # 'Example Shop'

Pure functions. They take transactions of accounts and of cards, booked and pending, say by its name on the wire which
field they chose, and never raise because of what a bank sent: what it did not say is None. A blank, and the word
NOTPROVIDED, count as not said. Banks differ in nearly all of this (observed in 2026); each function says what can't be
known. What tells one transaction from another is in `openpayments_facade.readings`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypeVar

from attrs import frozen

from ._protocol.wire import NUMBERS, account_number, bare, day_of, decimal_of, text_of, value_of

if TYPE_CHECKING:
    from openpayments_client.models import Account, AccountReference, Balance, CardAccount, CardTransaction, Transaction

__all__ = [
    "Amount",
    "Chosen",
    "Party",
    "account_number",
    "amount",
    "available_balance",
    "booked_balance",
    "day",
    "other_party",
    "text",
]

AnyTransaction: TypeAlias = "Transaction | CardTransaction"
OwnAccount: TypeAlias = "Account | AccountReference | CardAccount | str | None"
Direction: TypeAlias = Literal["in", "out"]
Role: TypeAlias = Literal["debtor", "creditor", "acceptor"]
V = TypeVar("V")

_MESSAGE, _LINES = "remittanceInformationUnstructured", "remittanceInformationUnstructuredArray"
_REFERENCES: Final = ("remittanceInformationStructured", "remittanceInformationStructuredArray")
# what people write, and what the bank adds
TEXTS: Final = (_MESSAGE, _LINES, *_REFERENCES, "transactionDetails", "additionalInformation")
_KINDS_OF_DAY: Final = ("booking", "value", "transaction", "acceptorTransaction", "entry")
# the description has no times, and banks send them all the same
_DAYS: Final = tuple(f"{kind}{form}" for kind in _KINDS_OF_DAY for form in ("Date", "DateTime"))
# the names of a party, and the account
SIDES: Final[Mapping[Role, tuple[tuple[str, ...], str]]] = {
    "debtor": (("ultimateDebtor", "debtorName"), "debtorAccount"),
    "creditor": (("ultimateCreditor", "creditorName"), "creditorAccount"),
    "acceptor": (("cardAcceptorId",), ""),
}
_INDICATORS: Final[Mapping[str, Direction]] = {
    **dict.fromkeys(("crdt", "credit", "in"), "in"),
    **dict.fromkeys(("dbit", "debit", "out"), "out"),
}
_BOOKED: Final = ("interimBooked", "closingBooked", "openingBooked")
_AVAILABLE: Final = ("interimAvailable", "closingAvailable", "openingAvailable", "expected", "authorised")
_TO_COME: Final = "forwardAvailable"


@frozen
class Chosen(Generic[V]):
    """A value, and where it is from.

    Attributes:
        value: None if the bank sent none that can be read.
        source: The field that it was taken from, by its name on the wire.
        others: Further fields that say something, in the order in which they would have been taken.
    """

    value: V | None
    source: str | None
    others: tuple[str, ...] = ()


@frozen(kw_only=True)
class Amount:
    """An amount and its direction.

    Attributes:
        value: The number with the sign that the bank sent; None if it can't be read.
        currency: An ISO 4217 code.
        direction: "in" or "out"; None if it can't be known.
        source: What told the direction: the name of a field on the wire, or "own", the account that was given.
    """

    value: Decimal | None
    currency: str | None
    direction: Direction | None
    source: str | None

    @property
    def signed(self) -> Decimal | None:
        """The number with a minus if the money went out, without one if it came in; None if that isn't known."""
        if self.value is None or self.direction is None:
            return None
        size = self.value.copy_abs()
        return size if self.direction == "in" else size.copy_negate()


@frozen(kw_only=True)
class Party:
    """The other party of a transaction.

    Attributes:
        name: Its name; of a card transaction the shop's id. The one behind it (`ultimateCreditor`) goes before a
            payment service.
        account: The number of its account, see `account_number`; of the payment service, if there is one.
        role: What it is in the transaction. None if nobody is named.
        certain: Whether the direction, or the account that was given, says that it is this one.
        sources: The fields that were taken, by their names on the wire.
    """

    name: str | None
    account: str | None
    role: Role | None
    certain: bool
    sources: tuple[str, ...]


def text(transaction: AnyTransaction) -> Chosen[str]:
    """What it was for: the payer's message, else a reference, else what the bank added, else its code.

    The message as a list of lines goes before the message as one text where it says more: banks cut the latter at 140
    characters. Lines are joined with line breaks. At some banks the text is really the other party's name, which can't
    be known from one transaction: `others` tells where else to look.
    """
    found = {
        name: said
        for name in (*TEXTS, "proprietaryBankTransactionCode")
        if (said := text_of(value_of(transaction, name)))
    }
    if len(bare(found.get(_LINES, ""))) > len(bare(found.get(_MESSAGE, ""))):
        found = {_LINES: found[_LINES], **found}
    return _first(found)


def day(transaction: AnyTransaction) -> Chosen[date]:
    """The day of booking, else of the value, else on which it was made or entered.

    Of a time it is the day as the bank wrote it, in whatever time zone that is. A pending transaction often has one of
    these alone, so the day may move when it is booked.
    """
    return _first({name: found for name in _DAYS if (found := day_of(value_of(transaction, name)))})


def amount(transaction: AnyTransaction, *, own: OwnAccount = None, signed: bool = False) -> Amount:
    """The amount, and whether the money came in or went out.

    `creditDebitIndicator` tells, where a bank sends it; else a minus, which means out; else the account. An amount
    without a minus is an incoming one only at a bank that sends signs, which one transaction alone can't tell: pass
    `signed=True` where it is known, for instance because the list has a minus somewhere. Of card transactions a sign
    says nothing without the card, since at some banks purchases are positive.

    Args:
        transaction: Of an account or a card.
        own: The account or the card that was read, or the account's number.
        signed: Whether this bank is known to send outgoing amounts with a minus.
    """
    sent = value_of(transaction, "transactionAmount")
    value, currency = decimal_of(sent), text_of(value_of(sent, "currency")) or None
    direction, source = _direction(transaction, value, own, signed=signed)
    return Amount(value=value, currency=currency, direction=direction, source=source)


def other_party(transaction: AnyTransaction, *, own: OwnAccount = None, signed: bool = False) -> Party:
    """Who got the money, or who sent it.

    The creditor of an outgoing transaction and the debtor of an incoming one; where a bank names one alone, that one,
    unless it is `own`. Without a direction (see `amount`) no minus is read as incoming, as the description has it, and
    `certain` is False. Some banks name the user in the other party's place: without `own` that can't be known, and with
    it only where account numbers are given.

    Args:
        transaction: Of an account or a card.
        own: The account that was read, or its number.
        signed: Whether this bank is known to send outgoing amounts with a minus.
    """
    direction = amount(transaction, own=own, signed=signed).direction
    mine = _sides_of(transaction, own)
    expected = {"in": "debtor", "out": "creditor"}.get(direction or "")
    for role in sorted(SIDES, key=lambda role: role != expected):
        names, account = SIDES[role]
        name = _first({each: said for each in names if (said := text_of(value_of(transaction, each)))})
        number = account_number(value_of(transaction, account))
        if role not in mine and (name.value or number):
            return Party(
                name=name.value,
                account=number,
                role=role,
                certain=role in (expected, "acceptor") or len(mine) == 1,
                sources=tuple(filter(None, (name.source, account if number else None))),
            )
    return Party(name=None, account=None, role=None, certain=False, sources=())


def booked_balance(balances: Iterable[Balance] | None, *, currency: str | None = None) -> Balance | None:
    """The balance of what is booked: of the day so far, else at its end, else at its beginning.

    Of several of a type the newest is taken, and one without the credit limit before one with it. None if the bank
    sends none of these, or none that can be read, and also if it sends them in several currencies and none is asked
    for. `expected` is not among them, since it counts pending transactions.

    Args:
        balances: Those of an account, or of a page of transactions.
        currency: An ISO 4217 code, for an account with several.
    """
    return _balance(balances, _BOOKED, currency)


def available_balance(balances: Iterable[Balance] | None, *, currency: str | None = None) -> Balance | None:
    """The balance of what can be spent: what the bank calls available, else what it expects with pending transactions.

    As `booked_balance`. Look at `balance_type` for what it is, and at `credit_limit_included`: at some banks an
    available balance holds the credit, whether they say so or not. One for days to come (`forwardAvailable`) is taken
    if there is nothing else, the nearest first.

    Args:
        balances: Those of an account, or of a page of transactions.
        currency: An ISO 4217 code, for an account with several.
    """
    return _balance(balances, (*_AVAILABLE, _TO_COME), currency)


def _first(found: Mapping[str, V]) -> Chosen[V]:
    for source, value in found.items():
        return Chosen(value, source, (*found,)[1:])
    return Chosen(None, None)


def _numbers(account: object) -> set[str]:
    """Everything that an account may be named by, for comparing."""
    found = [account_number(account) or "", *(text_of(value_of(account, name)) for name in NUMBERS)]
    return {"".join(filter(str.isalnum, number)).upper() for number in found} - {""}


def _sides_of(transaction: AnyTransaction, own: OwnAccount) -> set[str]:
    """The sides on which an account stands."""
    if not (numbers := _numbers(own)):
        return set()
    return {role for role, (_, name) in SIDES.items() if numbers & _numbers(value_of(transaction, name))}


def _direction(
    transaction: AnyTransaction, value: Decimal | None, own: OwnAccount, *, signed: bool
) -> tuple[Direction | None, str | None]:
    if indicated := _INDICATORS.get(bare(text_of(value_of(transaction, "creditDebitIndicator")))):
        return indicated, "creditDebitIndicator"
    debits_are_positive = value_of(own, "debitAccounting")
    if value and isinstance(debits_are_positive, bool):
        return "out" if (value > 0) is debits_are_positive else "in", "debitAccounting"
    if value and value < 0 and (signed or not hasattr(transaction, "card_transaction_id")):
        return "out", "transactionAmount"
    mine = _sides_of(transaction, own)
    if len(mine) == 1:
        return "out" if "debtor" in mine else "in", "own"
    return ("in", "transactionAmount") if signed and value else (None, None)


def _balance(balances: Iterable[Balance] | None, types: Sequence[str], currency: str | None) -> Balance | None:
    found = [
        each
        for each in balances or ()
        if each.balance_type in types
        and decimal_of(value_of(each, "balanceAmount")) is not None
        and currency in (None, each.balance_amount.currency)
    ]

    def rank(balance: Balance) -> tuple[int, int, str, bool]:
        of = day_of(value_of(balance, "referenceDate")) or day_of(value_of(balance, "lastChangeDateTime"))
        age = of.toordinal() if of else 0
        age = -age if balance.balance_type == _TO_COME else age
        changed = str(value_of(balance, "lastChangeDateTime") or "")
        return -types.index(balance.balance_type), age, changed, balance.credit_limit_included is not True

    is_clear = len({text_of(value_of(each.balance_amount, "currency")) for each in found}) < 2
    return max(found, key=rank, default=None) if is_clear else None
