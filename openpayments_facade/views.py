"""One view of a transaction: what every application looks for, wherever a bank has put it.

    from openpayments_facade import views

    views.day(transaction).value          # datetime.date(2026, 1, 5)
    views.text(transaction).value         # 'Invoice 1001'
    views.other_party(transaction).name   # 'Example Shop'
    views.identity(transaction).value     # 'tx-1'

Pure functions. They take transactions of accounts and of cards, booked and pending, say by its name on the wire which
field they chose, and never raise because of what a bank sent: what it did not say is None. Blanks, characters that
nobody sees, and the word NOTPROVIDED count as not said. Banks differ in nearly all of this, leave out ids, repeat them,
and change them when a transaction is booked (observed in 2026); each function says what can't be known.
InvalidArgumentError is raised for what is no transaction, balance or account at all. None for a list is an empty one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from itertools import product
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from ._attrs import Value, define, frozen
from ._checks import refuse, veil
from ._protocol.wire import NUMBERS, account_number_of, bare, currency_of, day_of, number_of, text_of, value_of

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
    "balance_amount",
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
_CODE: Final = "proprietaryBankTransactionCode"
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
}
_SHOP: Final = "cardAcceptorId"
_IN: Final = ("crdt", "credit", "in")
_OUT: Final = ("dbit", "debit", "out")
# beside their codes of ISO 20022
_BOOKED: Final = ("interimbooked itbd", "closingbooked clbd", "openingbooked opbd")
_TO_COME: Final = "forwardavailable fwav"
_EXPECTED: Final = ("expected xpcd", "authorised", _TO_COME)
_AVAILABLE: Final = ("interimavailable itav", "closingavailable clav", "openingavailable opav", *_EXPECTED)
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
_IDS: Final = ("transactionId", "cardTransactionId")
_NO_IDS: Final[Mapping[str, Any]] = {"entryReference": "reference", "transactionListId": "content"}
_NAMED_BY: Final[Sequence[By]] = ("paymentId", "entryReference", "endToEndId")
# an attribute, and what has it
_TRANSACTION: Final = ("transaction_amount", "a transaction, as `BookedTransaction.from_dict` makes it of a dict")
_BALANCE: Final = ("balance_amount", "a balance, as `Balance.from_dict` makes it of a dict")


@frozen
class Chosen(Value, Generic[V]):
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
class Amount(Value):
    """An amount and its direction.

    Attributes:
        value: The number with the sign that the bank sent; None if it can't be read.
        currency: An ISO 4217 code.
        direction: "in" or "out"; None if it can't be known.
        source: What told the direction: the name of a field on the wire, or "own", the account that was given.
    """

    value: Decimal | None
    currency: str | None
    direction: Direction | None = None
    source: str | None = None

    _derived = ("signed",)

    @property
    def signed(self) -> Decimal | None:
        """The number with a minus if the money went out, without one if it came in; None if that isn't known."""
        if self.value is None or self.direction is None:
            return None
        size = self.value.copy_abs()
        return size if self.direction == "in" else size.copy_negate()


@frozen(kw_only=True)
class Party(Value):
    """The other party of a transaction.

    Attributes:
        name: Its name. The one behind it (`ultimateCreditor`) goes before a payment service. Card transactions have
            none as described; banks often put the shop's into their `text`.
        account: The number of its account, see `account_number`; of the payment service, if there is one.
        id: Of a card transaction the id that the shop has with its own bank (`cardAcceptorId`).
        role: What it is in the transaction. None if nobody is named.
        certain: Whether the direction, or the account that was given, says that it is this one.
        sources: The fields that were taken, by their names on the wire.
    """

    name: str | None = None
    account: str | None = None
    id: str | None = None
    role: Role | None = None
    certain: bool = False
    sources: tuple[str, ...] = ()


@frozen(kw_only=True)
class Identity(Value):
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
class Reconciled(Value, Generic[T]):
    """What has become of one transaction between two readings.

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

    Args:
        transaction: Of an account or a card, booked or pending.

    Returns:
        The text, and the field that it is from.

    Raises:
        InvalidArgumentError: It is no transaction.
    """
    _check(transaction)
    found = {name: said for name in (*_TEXTS, _CODE) if (said := text_of(value_of(transaction, name)))}
    if len(bare(found.get(_LINES, ""))) > len(bare(found.get(_MESSAGE, ""))):
        found = {_LINES: found[_LINES], **found}
    return _first(found)


def day(transaction: AnyTransaction) -> Chosen[date]:
    """The day of booking, else of the value, else on which it was made or entered.

    Of a time it is the day as the bank wrote it, in whatever time zone that is. A pending transaction often has one of
    these alone, so the day may move when it is booked.

    Args:
        transaction: Of an account or a card, booked or pending.

    Returns:
        The day, and the field that it is from.

    Raises:
        InvalidArgumentError: It is no transaction.
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
        own: The account or the card that was read, or the account's number. Another text tells nothing.
        signed: Whether this bank is known to send outgoing amounts with a minus.

    Returns:
        The number as the bank sent it, the currency, and the direction. Its `signed` is the number with a sure sign.

    Raises:
        InvalidArgumentError: It is no transaction.
    """
    sent = value_of(transaction, "transactionAmount")
    direction, source = _direction(transaction, own, _side_of(transaction, own), signed=signed)
    return Amount(value=number_of(sent), currency=currency_of(sent) or None, direction=direction, source=source)


def other_party(transaction: AnyTransaction, *, own: OwnAccount = None, signed: bool = False) -> Party:
    """Who got the money, or who sent it.

    The creditor of an outgoing transaction and the debtor of an incoming one; where a bank names one alone, that one,
    unless it is `own`. Without a direction (see `amount`) no minus is read as incoming, as the description has it, and
    `certain` is False. Some banks name the user in the other party's place: without `own` that can't be known, and with
    it only where account numbers are given.

    Args:
        transaction: Of an account or a card.
        own: The account that was read, or its number. Another text tells nothing.
        signed: Whether this bank is known to send outgoing amounts with a minus.

    Returns:
        The name, the number of the account, and how sure that is; without a `role` if nobody is named.

    Raises:
        InvalidArgumentError: It is no transaction.
    """
    mine = _side_of(transaction, own)
    direction, _ = _direction(transaction, own, mine, signed=signed)
    expected = {"in": "debtor", "out": "creditor"}.get(direction or "")
    for role in sorted(_SIDES, key=lambda role: role != expected):
        names, account = _SIDES[role]
        said = {each: text_of(value_of(transaction, each)).replace("\n", " ") for each in names}
        name = _first({each: found for each, found in said.items() if found})
        number = account_number(value_of(transaction, account))
        if role != mine and (name.value or number):
            sources = tuple(filter(None, (name.source, account if number else None)))
            certain = role == expected or mine is not None
            return Party(name=name.value, account=number, role=role, certain=certain, sources=sources)
    shop = text_of(value_of(transaction, _SHOP))
    return Party(id=shop, role="acceptor", certain=True, sources=(_SHOP,)) if shop else Party()


def booked_balance(balances: Iterable[Balance] | None, *, currency: str | None = None) -> Balance | None:
    """The balance of what is booked: of the day so far, else at its end, else at its beginning.

    Of several of a type the newest is taken, and one without the credit limit before one with it. None if the bank
    sends none of these, or none that can be read, and also if it sends them in several currencies and none is asked
    for. `expected` is not among them, since it counts pending transactions.

    Args:
        balances: Those of an account, or of a page of transactions. Their types may be codes of ISO 20022, too.
        currency: An ISO 4217 code, for an account with several.

    Returns:
        One of the balances, or None.

    Raises:
        InvalidArgumentError: These are no balances, or `currency` is no text.
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

    Returns:
        One of the balances, or None.

    Raises:
        InvalidArgumentError: These are no balances, or `currency` is no text.
    """
    return _balance(balances, _AVAILABLE, currency)


def balance_amount(balance: Balance) -> Amount:
    """The amount of a balance, also where `money` can't read it: a bare number, or a text with the currency in it.

    It has no direction: the sign of `value` is the bank's.

    Args:
        balance: Of an account or a card.

    Returns:
        The number with the bank's sign, and the currency.

    Raises:
        InvalidArgumentError: It is no balance.
    """
    _check(balance, "balance", _BALANCE)
    sent = value_of(balance, "balanceAmount")
    return Amount(value=number_of(sent), currency=currency_of(sent) or None)


def account_number(account: object, *, grouped: bool = False, masked: bool = False) -> str | None:
    """The one number that identifies an account, as the bank wrote it or as people read it.

        views.account_number(account)                   # 'SE4550000000058398257466'
        views.account_number(account, grouped=True)     # 'SE45 5000 0000 0583 9825 7466'
        views.account_number(account, masked=True)      # '**** 7466'

    It is the IBAN, else the BBAN or account number, with the clearing number before it ("6000-000000017"), else a
    Bankgiro or Plusgiro number, else the masked number of a card, else a telephone number. Of the full number of a card
    in a field for one only the last four digits are ever given; a text by itself is taken for the number of an account.

    Args:
        account: An account, a card account, a payment's account or giro, or what a transaction says of one; also a
            number as a text, or None.
        grouped: Whether an IBAN or the number of a card is given in groups of four, for a page. It is no id then:
            compare and store the number without.
        masked: Whether to give the last four letters or digits alone, or none of a short number.

    Returns:
        The number; None if the account has none.
    """
    return account_number_of(account, grouped=grouped, masked=masked)


def identity(transaction: AnyTransaction) -> Identity:
    """The best name that it has: its id, else the bank's reference, else what can be made from its content.

    Ids of nothing but zeros are none. `paymentId` names a payment made through this API and `endToEndId` what the payer
    wrote: they tell what a transaction belongs to, and a fee or a return may share them. Whether a bank keeps its
    promise can't be seen from one transaction; `keys` and `reconcile` look at a whole reading.

    Args:
        transaction: Of an account or a card, booked or pending.

    Returns:
        The name, where it is from, and how far it can be relied on.

    Raises:
        InvalidArgumentError: It is no transaction.
    """
    _check(transaction)
    for source in (*_IDS, *_NO_IDS):
        if value := _id(transaction, source):
            return Identity(value=value, source=source, kind=_NO_IDS.get(source, "id"))
    return Identity(value=_fingerprint(transaction), source="content", kind="content")


def keys(transactions: Iterable[AnyTransaction] | None) -> list[str]:
    """A key for each transaction of a reading, such as one under which a database keeps it.

    In whatever order they come, the keys are the same. Two are equal only if one id stands at two transactions that say
    the same: the bank listed it twice. Where different ones share an id, their content is part of their keys; those
    that look alike and have no id are numbered, which holds as long as a reading has all of a day. A key does not last
    when a pending transaction is booked or another one gets the same id, nor where a bank makes up new ids each time:
    see `reconcile`.

    Args:
        transactions: All of one reading.

    Returns:
        A key for each of them, in their order.

    Raises:
        InvalidArgumentError: Something is no transaction.
    """
    found = [(identity(each), _fingerprint(each)) for each in _several(transactions, "transactions")]
    contents = defaultdict(set)
    for named, content in found:
        contents[named].add(content)
    made, count = [], Counter[tuple[str, str]]()
    for named, content in found:
        # the value comes last, since it may be like anything
        source = f"{named.source}={content}" if len(contents[named]) > 1 else named.source
        count[source, named.value] += 1
        number = count[source, named.value]
        made.append(f"{source if named.kind == 'id' or number == 1 else f'{source}#{number}'}:{named.value}")
    return made


def reconcile(known: Iterable[T] | None, fresh: Iterable[T] | None, *, days: int = 7) -> list[Reconciled[T]]:
    """Tells a fresh reading of an account from what is known of it, transaction by transaction.

    They are recognised by their id; by their content; by `paymentId`, `entryReference` or `endToEndId` with the same
    amount; at last by likeness. Booked ones have to agree in the day, unless their ids do; pending ones may move by
    `days`. In which order the transactions come does not matter.

    It can't know what a bank does not say. A pending transaction that is booked with another amount and another id is
    "gone", and its booking "new". Of transactions that are alike in everything any may be taken for any other. If a
    bank gives one id to several transactions that say the same, the second is "repeated". Whether a "missing" one was
    taken back or lies outside of the period is for the caller to see: pass the known ones of the period that was read.

    Args:
        known: What earlier readings found, as models: `Transaction.from_dict` (of a card `CardTransaction.from_dict`)
            makes them, booked and pending, from stored `to_dict()`s. One without a booking status counts as booked.
        fresh: All pages of one reading.
        days: By how many days a pending transaction may move when it is booked.

    Returns:
        One for each of the fresh transactions, in their order, and then for each known one that is not among them.

    Raises:
        InvalidArgumentError: `days` is no number of days, or something is no transaction.
    """
    if not isinstance(days, int) or days < 0:
        raise refuse("days", "must be a whole number, from 0", days)
    before, after = _rows(_several(known, "known")), _rows(_several(fresh, "fresh"))
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
    lost = (row for row in before if not row.pair)
    losses = (Reconciled(kind="gone" if it.pending else "missing", known=it.of, doubled=it.doubled) for it in lost)
    return [*map(_outcome, after), *losses]


def _check(thing: object, argument: str = "transaction", kind: tuple[str, str] = _TRANSACTION) -> None:
    if not hasattr(thing, kind[0]):
        raise refuse(argument, f"must be {kind[1]}")


def _several(things: Iterable[Any] | None, argument: str, kind: tuple[str, str] = _TRANSACTION) -> list[Any]:
    """A list; None, which answers have where nothing is, is an empty one."""
    if not isinstance(things, Iterable | None):
        raise refuse(argument, f"must be a list, or an iterator, each of it {kind[1]}")
    found = [*(things or ())]
    for number, each in enumerate(found):
        _check(each, f"{argument}[{number}]", kind)
    return found


def _first(found: Mapping[str, V]) -> Chosen[V]:
    for source, value in found.items():
        return Chosen(value, source, (*found,)[1:])
    return Chosen(None, None)


def _numbers(account: object) -> set[str]:
    """Everything that an account may be named by, for comparing."""
    values = filter(None, (value_of(account, name) for name in NUMBERS))
    found = [account_number(account) or "", *map(text_of, values)]
    return {"".join(filter(str.isalnum, number)).upper() for number in found} - {""}


def _side_of(transaction: AnyTransaction, own: OwnAccount) -> Role | None:
    """The side on which an account stands, if it does so on one alone."""
    _check(transaction)
    if own is None:
        return None
    is_account = (hasattr(own, "iban") or hasattr(own, "masked_pan")) and not hasattr(own, "transaction_amount")
    if not (is_account or isinstance(own, str)):
        raise refuse("own", "must be an account or a card, or the account's number")
    numbers = _numbers(own)
    found = [role for role, (_, name) in _SIDES.items() if numbers & _numbers(value_of(transaction, name))]
    return found[0] if len(found) == 1 else None


def _direction(
    transaction: AnyTransaction, own: OwnAccount, mine: Role | None, *, signed: bool
) -> tuple[Direction | None, str | None]:
    if not isinstance(signed, bool):
        raise refuse("signed", "must be True or False")
    value = number_of(value_of(transaction, "transactionAmount"))
    if (indicated := bare(text_of(value_of(transaction, "creditDebitIndicator")))) in (*_IN, *_OUT):
        return "in" if indicated in _IN else "out", "creditDebitIndicator"
    debits_are_positive = value_of(own, "debitAccounting")
    if value and isinstance(debits_are_positive, bool):
        return "out" if (value > 0) is debits_are_positive else "in", "debitAccounting"
    if value and value < 0 and (signed or not hasattr(transaction, "card_transaction_id")):
        return "out", "transactionAmount"
    if mine:
        return "out" if mine == "debtor" else "in", "own"
    return ("in", "transactionAmount") if signed and value else (None, None)


def _balance(balances: Iterable[Balance] | None, types: Sequence[str], currency: str | None) -> Balance | None:
    if not isinstance(currency, str | None):
        raise refuse("currency", "must be an ISO 4217 code")
    found: list[tuple[tuple[Any, ...], str, Balance]] = []
    for each in _several(balances, "balances", _BALANCE):
        sent, said = value_of(each, "balanceAmount"), bare(text_of(value_of(each, "balanceType")))
        kind, its_currency = next((names for names in types if said in names.split()), None), currency_of(sent)
        if kind and number_of(sent) is not None and (not currency or bare(currency) == bare(its_currency)):
            changed, of = value_of(each, "lastChangeDateTime"), day_of(value_of(each, "referenceDate"))
            is_time = isinstance(changed, datetime)
            since = changed.replace(tzinfo=changed.tzinfo or UTC) - _BEGINNING if is_time else timedelta()
            age = of.toordinal() if of else since.days + 1
            rank = -types.index(kind), -age if kind == _TO_COME else age, since, each.credit_limit_included is not True
            found.append((rank, its_currency, each))
    is_clear = len({its_currency for _, its_currency, _ in found} - {""}) < 2
    return max(found, key=itemgetter(0))[2] if found and is_clear else None


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
        "currency": currency_of(sent),
        "party": bare("|".join(_parties(transaction))),
        "text": bare(text(transaction).value or ""),
    }


def _parties(transaction: AnyTransaction) -> Iterator[str]:
    for names, account in _SIDES.values():
        yield from (text_of(value_of(transaction, name)) for name in names)
        yield account_number(value_of(transaction, account)) or ""
    yield text_of(value_of(transaction, _SHOP))


def _fingerprint(transaction: AnyTransaction) -> str:
    content = "\x1f".join(_facts(transaction).values())
    return sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:32]


@define(eq=False)
class _Row:
    """A transaction of one reading, and the one that it is in the other."""

    of: Any
    id: str
    amount: tuple[str, str]
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
    def own_id(self) -> str:
        return "" if self.doubled else self.id


def _rows(reading: list[AnyTransaction]) -> list[_Row]:
    rows = []
    contents = defaultdict(set)
    for each in reading:
        facts = _facts(each)
        texts = [text_of(value_of(each, name)) for name in _TEXTS]
        id_ = next(filter(None, (_id(each, name) for name in _IDS)), "")
        row = _Row(
            of=each,
            id=id_,
            amount=(facts["amount"], facts["currency"]),
            pending=value_of(each, "bookingStatus") == "pending",
            said={**facts, "id": id_, **{name: _id(each, name) for name in _NAMED_BY}},
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
    """What has become of a row of the fresh reading."""
    if (old := row.pair) is None:
        return Reconciled(kind="repeated" if row.repeated else "new", fresh=row.of, doubled=row.doubled)
    changed = tuple(name for name, said in row.said.items() if said != old.said[name])
    kind: Any = "booked" if old.pending and not row.pending else "changed" if changed else "same"
    doubled = old.doubled or row.doubled
    return Reconciled(kind=kind, known=old.of, fresh=row.of, by=row.by, changed=changed, doubled=doubled)


veil(globals(), __all__)
