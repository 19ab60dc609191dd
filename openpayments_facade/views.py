"""One view of a transaction: what every application looks for, wherever a bank has put it.

    from openpayments_facade import views

    views.day(transaction).value          # datetime.date(2026, 1, 5)
    views.text(transaction).value         # 'Invoice 1001'
    views.other_party(transaction).name   # 'Example Shop'
    views.identity(transaction).value     # 'tx-1'

Pure functions. They take transactions of accounts and of cards, booked and pending, say by its name on the wire which
field they chose, and never raise because of what a bank sent: what it did not say is None. A blank, and the word
NOTPROVIDED, count as not said. Banks differ in nearly all of this, leave out ids, repeat them, and change them when a
transaction is booked (observed in 2026); each function says what can't be known. InvalidArgumentError is raised for
what is no transaction and no balance at all.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from attrs import define, frozen

from ._checks import refuse
from ._protocol.wire import bare, day_of, number_of, text_of, value_of

if TYPE_CHECKING:
    from openpayments_client.models import Account, AccountReference, Balance, CardAccount, CardTransaction, Transaction

__all__ = [
    "Amount",
    "Chosen",
    "Identity",
    "Party",
    "Reconciled",
    "account_number",
    "amount",
    "available_balance",
    "booked_balance",
    "day",
    "identity",
    "keys",
    "other_party",
    "reconcile",
    "text",
]

AnyTransaction: TypeAlias = "Transaction | CardTransaction"
OwnAccount: TypeAlias = "Account | AccountReference | CardAccount | str | None"
Direction: TypeAlias = Literal["in", "out"]
Role: TypeAlias = Literal["debtor", "creditor", "acceptor"]
By: TypeAlias = Literal["id", "paymentId", "entryReference", "endToEndId", "content", "likeness"]
V = TypeVar("V")
T = TypeVar("T", bound="Transaction | CardTransaction")

_MESSAGE, _LINES = "remittanceInformationUnstructured", "remittanceInformationUnstructuredArray"
_REFERENCES: Final = ("remittanceInformationStructured", "remittanceInformationStructuredArray")
# what people write, and what the bank adds
_TEXTS: Final = (_MESSAGE, _LINES, *_REFERENCES, "transactionDetails", "additionalInformation")
_KINDS_OF_DAY: Final = ("booking", "value", "transaction", "acceptorTransaction", "entry")
# the description has no times, and banks send them all the same
_DAYS: Final = tuple(f"{kind}{form}" for kind in _KINDS_OF_DAY for form in ("Date", "DateTime"))
# the names of a party, and the account
_SIDES: Final[Mapping[Role, tuple[tuple[str, ...], str]]] = {
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
_GIROS: Final = ("bankGiro", "plusGiro", "bankgiroNumber", "plusgiroNumber")
_NUMBERS: Final = ("iban", "bban", "accountNumber", *_GIROS, "maskedPan", "msisdn")
_IDS: Final = ("transactionId", "cardTransactionId")
_NAMED_BY: Final[Sequence[By]] = ("paymentId", "entryReference", "endToEndId")


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


@frozen(kw_only=True)
class Identity:
    """What names a transaction.

    Attributes:
        value: The id, or a fingerprint of the content.
        source: The field that it is from, by its name on the wire, or "content".
        kind: How far it can be relied on. "id" is meant for this transaction alone. "reference" is the bank's own, and
            at some banks repeated payments share it. "content" is made from what the transaction says, so that
            transactions which look alike share it. None of them is sure to last when a pending one is booked.
    """

    value: str
    source: str
    kind: Literal["id", "reference", "content"]


@frozen(kw_only=True)
class Reconciled(Generic[T]):
    """What became of one transaction between two readings.

    Attributes:
        kind: "same"; "changed", see `changed`; "booked", which was pending; "new"; "repeated", which is listed more
            than once in the fresh reading; "gone", a pending one that was booked unrecognisably or came to nothing;
            "missing", a booked one that the bank or the period of the reading left out.
        known: The one of the known transactions; None for "new" and "repeated".
        fresh: The one of the fresh reading; None for "gone" and "missing".
        by: What they were recognised by. "likeness" is a guess: the amount, near days, and a word in common.
        changed: What differs: "day", "amount", "currency", "party", "text", "id", "paymentId", "entryReference",
            "endToEndId".
        doubled: Its id also stands at another transaction of the same reading, so that it does not tell them apart.
    """

    kind: Literal["same", "changed", "booked", "new", "repeated", "gone", "missing"]
    known: T | None = None
    fresh: T | None = None
    by: By | None = None
    changed: tuple[str, ...] = ()
    doubled: bool = False


def text(transaction: AnyTransaction) -> Chosen[str]:
    """What it was for: the payer's message, else a reference, else what the bank added, else its code.

    The message as a list of lines goes before the message as one text where it says more: banks cut the latter at 140
    characters. Lines are joined with line breaks. At some banks the text is really the other party's name, which can't
    be known from one transaction: `others` tells where else to look.
    """
    _check(transaction)
    found = {
        name: said
        for name in (*_TEXTS, "proprietaryBankTransactionCode")
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
    _check(transaction)
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
    _check(transaction)
    sent = value_of(transaction, "transactionAmount")
    value, currency = number_of(sent), text_of(value_of(sent, "currency")) or None
    direction, source = _direction(transaction, own, _sides_of(transaction, own), signed=signed)
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
    _check(transaction)
    mine = _sides_of(transaction, own)
    direction, _ = _direction(transaction, own, mine, signed=signed)
    expected = {"in": "debtor", "out": "creditor"}.get(direction or "")
    for role in sorted(_SIDES, key=lambda role: role != expected):
        names, account = _SIDES[role]
        said = {each: text_of(value_of(transaction, each)).replace("\n", " ") for each in names}
        name = _first({each: found for each, found in said.items() if found})
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


def account_number(account: object) -> str | None:
    """The number that identifies an account, with the clearing number before a BBAN ("6000-000000017"), or None.

    Args:
        account: An account, a card account, or what a transaction says of one.
    """
    if account is None or isinstance(account, str):
        return text_of(account) or None
    for name in _NUMBERS:
        if number := text_of(value_of(account, name)):
            clearing = text_of(value_of(account, "clearingNumber")) if name in ("bban", "accountNumber") else ""
            return f"{clearing}-{number}" if clearing else number
    return None


def identity(transaction: AnyTransaction) -> Identity:
    """The best name that it has: its id, else the bank's reference, else what can be made from its content.

    Ids of nothing but zeros are none. `paymentId` names a payment made through this API and `endToEndId` what the payer
    wrote: they tell what a transaction belongs to, and a fee or a return may share them. Whether a bank keeps its
    promise can't be seen from one transaction; `keys` and `reconcile` look at a whole reading.
    """
    _check(transaction)
    for source in _IDS:
        if value := _id(transaction, source):
            return Identity(value=value, source=source, kind="id")
    if value := _id(transaction, "entryReference"):
        return Identity(value=value, source="entryReference", kind="reference")
    if value := _id(transaction, "transactionListId"):
        return Identity(value=value, source="transactionListId", kind="content")
    return Identity(value=_fingerprint(transaction), source="content", kind="content")


def keys(transactions: Iterable[AnyTransaction]) -> list[str]:
    """A key for each transaction of a reading, such as one under which a database keeps it.

    In whatever order they come, the keys are the same. Two are equal only if one id stands at two transactions that say
    the same: the bank listed it twice. Where different ones share an id, their content is part of their keys; those
    that look alike and have no id are numbered, which holds as long as a reading has all of a day. A key does not last
    when a pending transaction is booked or another one gets the same id, nor where a bank makes up new ids each time:
    see `reconcile`.
    """
    found = [(identity(each), _fingerprint(each)) for each in transactions]
    contents = defaultdict(set)
    for named, content in found:
        contents[named].add(content)
    made, count = [], Counter[str]()
    for named, content in found:
        key = f"{named.source}:{named.value}" + (f":{content}" if len(contents[named]) > 1 else "")
        count[key] += 1
        made.append(key if named.kind == "id" or count[key] == 1 else f"{key}:{count[key]}")
    return made


def reconcile(known: Iterable[T], fresh: Iterable[T], *, days: int = 7) -> list[Reconciled[T]]:
    """Tells a fresh reading of an account from what is known of it, transaction by transaction.

    They are recognised by their id; by their content; by `paymentId`, `entryReference` or `endToEndId` with the same
    amount; at last by likeness. Booked ones have to agree in the day, unless their ids do; pending ones may move by
    `days`. In which order the transactions come does not matter.

    It can't know what a bank does not say. A pending transaction that is booked with another amount and another id is
    "gone", and its booking "new". Of transactions that are alike in everything any may be taken for any other. If a
    bank gives one id to several transactions that say the same, the second is "repeated". Whether a "missing" one was
    taken back or lies outside of the period is for the caller to see: pass the known ones of the period that was read.

    Args:
        known: What earlier readings found, as models: `PendingTransaction.from_dict` and `BookedTransaction.from_dict`
            make them from stored `to_dict()`s. One without a booking status counts as booked.
        fresh: All pages of one reading.
        days: By how many days a pending transaction may move when it is booked.

    Returns:
        One for each of the fresh transactions, in their order, and then for each known one that is not among them.

    Raises:
        InvalidArgumentError: `days` is no number of days.
    """
    if not isinstance(days, int) or days < 0:
        raise refuse("days", "must be a whole number, from 0", days)
    before, after = _rows(known), _rows(fresh)
    old, new = sorted(before, key=_order), sorted(after, key=_order)
    shared = {row.id for row in old} & {row.id for row in new} - {""}

    def near(one: _Row, other: _Row) -> bool:
        apart = _apart(one, other)
        return apart == 0 or (one.pending and (apart is None or apart <= days))

    def pair(by: By, key: Callable[[_Row], object], fits: Callable[[_Row, _Row], bool] | None = None) -> None:
        """Pairs rows that have the same key: the first with the first, or the likeliest first of those that fit."""
        groups: defaultdict[object, tuple[list[_Row], list[_Row]]] = defaultdict(lambda: ([], []))
        for side, rows in enumerate((old, new)):
            for row in rows:
                if row.pair is None and (found := key(row)):
                    groups[found][side].append(row)
        for ours, theirs in groups.values():
            pairs: Iterable[tuple[_Row, _Row]] = zip(ours, theirs, strict=False)
            if fits:
                # what is booked stays booked
                likely = (two for two in product(ours, theirs) if two[0].pending >= two[1].pending)
                pairs = sorted((two for two in likely if fits(*two)), key=_distance)
            for one, other in pairs:
                if one.pair is None and other.pair is None:
                    one.pair, other.pair, other.by = other, one, by

    # the surest first. A pending one and its booking may be listed side by side with one id: the booking is the answer
    pair("id", lambda row: (row.doubled or not row.pending) and row.id and (row.pending, row.id, row.content))
    pair("content", lambda row: row.id not in shared and (row.day or not row.id) and (row.pending, row.content))
    pair("id", lambda row: row.own_id and (row.own_id, row.amount), lambda *two: near(*two) or _alike(*two))
    pair("content", lambda row: row.content, lambda one, other: bool(one.day or not (one.id and other.id)))
    pair("id", lambda row: row.own_id, _alike)
    for name in _NAMED_BY:
        pair(name, partial(_reference, name), near)
    pair("likeness", lambda row: row.day and (row.day, row.amount), lambda *two: not two[0].pending and _alike(*two))
    old = [row for row in old if row.pending]
    pair("likeness", lambda row: row.amount, lambda *two: near(*two) and _alike(*two))

    listed = {(row.id, row.content) for row in new if row.pair}
    booked = {(row.id, row.amount) for row in new if not row.pending}
    for row in (row for row in new if not row.pair):
        again = (row.id, row.content) in listed or (row.pending and (row.id, row.amount) in booked)
        row.repeated = bool(row.id) and again
        listed.add((row.id, row.content))
    return [*map(_outcome, after), *map(_loss, (row for row in before if not row.pair))]


def _check(transaction: AnyTransaction) -> None:
    if not hasattr(transaction, "transaction_amount"):
        raise refuse("transaction", "must be a transaction of an account or a card")


def _first(found: Mapping[str, V]) -> Chosen[V]:
    for source, value in found.items():
        return Chosen(value, source, (*found,)[1:])
    return Chosen(None, None)


def _numbers(account: object) -> set[str]:
    """Everything that an account may be named by, for comparing."""
    values = filter(None, (value_of(account, name) for name in _NUMBERS))
    found = [account_number(account) or "", *map(text_of, values)]
    return {"".join(filter(str.isalnum, number)).upper() for number in found} - {""}


def _sides_of(transaction: AnyTransaction, own: OwnAccount) -> set[str]:
    """The sides on which an account stands."""
    accounts = {role: value_of(transaction, name) for role, (_, name) in _SIDES.items()}
    if own is None or not any(accounts.values()):
        return set()
    numbers = _numbers(own)
    return {role for role, account in accounts.items() if account and numbers & _numbers(account)}


def _direction(
    transaction: AnyTransaction, own: OwnAccount, mine: set[str], *, signed: bool
) -> tuple[Direction | None, str | None]:
    value = number_of(value_of(transaction, "transactionAmount"))
    if indicated := _INDICATORS.get(bare(text_of(value_of(transaction, "creditDebitIndicator")))):
        return indicated, "creditDebitIndicator"
    debits_are_positive = value_of(own, "debitAccounting")
    if value and isinstance(debits_are_positive, bool):
        return "out" if (value > 0) is debits_are_positive else "in", "debitAccounting"
    if value and value < 0 and (signed or not hasattr(transaction, "card_transaction_id")):
        return "out", "transactionAmount"
    if len(mine) == 1:
        return "out" if "debtor" in mine else "in", "own"
    return ("in", "transactionAmount") if signed and value else (None, None)


def _balance(balances: Iterable[Balance] | None, types: Sequence[str], currency: str | None) -> Balance | None:
    balances = [*(balances or ())]
    if not all(hasattr(each, "balance_amount") for each in balances):
        raise refuse("balances", "must be balances, such as those of an account")
    found = [
        each
        for each in balances
        if each.balance_type in types
        and number_of(value_of(each, "balanceAmount")) is not None
        and currency in (None, each.balance_amount.currency)
    ]

    def rank(balance: Balance) -> tuple[int, int, str, bool]:
        of = day_of(value_of(balance, "referenceDate")) or day_of(value_of(balance, "lastChangeDateTime"))
        age = of.toordinal() if of else 0
        age = -age if balance.balance_type == _TO_COME else age
        changed = str(value_of(balance, "lastChangeDateTime") or "")
        return -types.index(balance.balance_type), age, changed, balance.credit_limit_included is not True

    is_clear = len({each.balance_amount.currency for each in found} - {None}) < 2
    return max(found, key=rank, default=None) if is_clear else None


def _id(transaction: AnyTransaction, name: str) -> str:
    said = text_of(value_of(transaction, name))
    return said if said.strip("0 -") else ""


def _facts(transaction: AnyTransaction) -> dict[str, str]:
    """What a transaction says, in a form in which details of writing make no difference."""
    sent = value_of(transaction, "transactionAmount")
    number = number_of(sent)
    digits = bare(text_of(sent)) if number is None else f"{number:f}"
    return {
        "day": str(day(transaction).value or ""),
        "amount": digits.rstrip("0").rstrip(".") if "." in digits else digits,
        "currency": text_of(value_of(sent, "currency")),
        "party": bare("|".join(_parties(transaction))),
        "text": bare(text(transaction).value or ""),
    }


def _parties(transaction: AnyTransaction) -> Iterator[str]:
    for names, account in _SIDES.values():
        yield from (text_of(value_of(transaction, name)) for name in names)
        yield account_number(value_of(transaction, account)) or ""


def _fingerprint(transaction: AnyTransaction) -> str:
    content = "\x1f".join(_facts(transaction).values())
    return sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:32]


@define(eq=False)
class _Row:
    """A transaction of one reading, and the one that it is in the other."""

    of: Any
    pending: bool
    said: dict[str, str]
    content: tuple[str, ...]
    day: date | None
    words: set[str]
    doubled: bool = False
    pair: _Row | None = None
    by: By | None = None
    repeated: bool = False

    @property
    def id(self) -> str:
        return self.said["id"]

    @property
    def own_id(self) -> str:
        return "" if self.doubled else self.id

    @property
    def amount(self) -> tuple[str, str]:
        return self.said["amount"], self.said["currency"]


def _rows(reading: Iterable[AnyTransaction]) -> list[_Row]:
    rows = []
    contents = defaultdict(set)
    for each in reading:
        facts = _facts(each)
        texts = [text_of(value_of(each, name)) for name in _TEXTS]
        row = _Row(
            of=each,
            pending=value_of(each, "bookingStatus") == "pending",
            said={
                **facts,
                "id": next(filter(None, (_id(each, name) for name in _IDS)), ""),
                **{name: _id(each, name) for name in _NAMED_BY},
            },
            content=(*facts.values(),),
            day=day(each).value,
            words={*re.findall(r"[^\W\d_]\w{2,}|[0-9]{5,}", " ".join([*texts, *_parties(each)]).casefold())},
        )
        contents[row.id, row.pending].add(row.content)
        rows.append(row)
    for row in rows:
        row.doubled = bool(row.id) and len(contents[row.id, row.pending]) > 1
    return rows


def _order(row: _Row) -> str:
    """For sorting, so that it makes no difference in which order a bank lists them; booked ones first."""
    return repr((row.pending, row.id, row.said))


def _apart(one: _Row, other: _Row) -> int | None:
    return abs((one.day - other.day).days) if one.day and other.day else None


def _alike(one: _Row, other: _Row) -> bool:
    return not one.words or not other.words or not one.words.isdisjoint(other.words)


def _reference(name: str, row: _Row) -> object:
    return row.said[name] and (row.said[name], row.amount)


def _distance(two: tuple[_Row, _Row]) -> tuple[bool, bool, int, int]:
    """For sorting: a booking first, then the same content, most words in common, the nearest day."""
    one, other = two
    common = len(one.words & other.words)
    return one.pending is other.pending, one.content != other.content, -common, _apart(one, other) or 0


def _outcome(row: _Row) -> Reconciled[Any]:
    """What became of a row of the fresh reading."""
    if (old := row.pair) is None:
        return Reconciled(kind="repeated" if row.repeated else "new", fresh=row.of, doubled=row.doubled)
    changed = tuple(name for name, said in row.said.items() if said != old.said[name])
    return Reconciled(
        kind="booked" if old.pending and not row.pending else "changed" if changed else "same",
        known=old.of,
        fresh=row.of,
        by=row.by,
        changed=changed,
        doubled=old.doubled or row.doubled,
    )


def _loss(row: _Row) -> Reconciled[Any]:
    return Reconciled(kind="gone" if row.pending else "missing", known=row.of, doubled=row.doubled)
