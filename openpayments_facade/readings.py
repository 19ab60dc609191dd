"""Telling transactions apart: what names one, and what became of it from one reading of an account to the next.

    from openpayments_facade import readings

    for each in readings.reconcile(known, accounts.transactions(account, booking_status="both")):
        print(each.kind, each.known, each.fresh)

Pure functions. They take transactions of accounts and of cards, booked and pending, and never raise because of what a
bank sent. Banks leave out ids, repeat them and change them when a transaction is booked (observed in 2026); each
function says what can't be known.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from attrs import define, frozen

from ._checks import refuse
from ._protocol.wire import account_number, bare, decimal_of, text_of, value_of
from .views import SIDES, TEXTS, day, text

if TYPE_CHECKING:
    from openpayments_client.models import CardTransaction, Transaction

    from .views import AnyTransaction

__all__ = ["Identity", "Reconciled", "identity", "keys", "reconcile"]

By: TypeAlias = Literal["id", "paymentId", "entryReference", "endToEndId", "content", "likeness"]
T = TypeVar("T", bound="Transaction | CardTransaction")

_IDS: Final = ("transactionId", "cardTransactionId")
_REFERENCES: Final[Sequence[By]] = ("paymentId", "entryReference", "endToEndId")


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


def identity(transaction: AnyTransaction) -> Identity:
    """The best name that it has: its id, else the bank's reference, else what can be made from its content.

    Ids of nothing but zeros are none. `paymentId` names a payment made through this API and `endToEndId` what the payer
    wrote: they tell what a transaction belongs to, and a fee or a return may share them. Whether a bank keeps its
    promise can't be seen from one transaction; `keys` and `reconcile` look at a whole reading.
    """
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
    when a pending transaction is booked, and can't where a bank makes up new ids each time: see `reconcile`.
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
    old, new = _rows(known), _rows(fresh)
    _pair_exactly(old, new, "id", lambda row: row.id and (row.doubled or not row.pending) and (row.id, row.content))
    shared = {row.id for row in old} & {row.id for row in new} - {""}
    _pair_exactly(old, new, "content", lambda row: row.id not in shared and (row.day or not row.id) and row.content)
    _pair_by_grade(old, new, days)
    listed = {(row.id, row.content) for row in new if row.pair}
    booked = {(row.id, row.amount) for row in new if not row.pending}
    for row in sorted((row for row in new if not row.pair), key=_order):
        again = (row.id, row.content) in listed or (row.pending and (row.id, row.amount) in booked)
        row.repeated = bool(row.id) and again
        listed.add((row.id, row.content))
    lost = [row for row in old if not row.pair]
    return [
        *map(_outcome, new),
        *(Reconciled(kind="gone" if r.pending else "missing", known=r.of, doubled=r.doubled) for r in lost),
    ]


def _id(transaction: AnyTransaction, name: str) -> str:
    said = text_of(value_of(transaction, name))
    return said if said.strip("0 -") else ""


def _facts(transaction: AnyTransaction) -> dict[str, str]:
    """What a transaction says, in a form in which details of writing make no difference."""
    sent = value_of(transaction, "transactionAmount")
    number = decimal_of(sent)
    digits = bare(text_of(sent)) if number is None else f"{number:f}"
    return {
        "day": str(day(transaction).value or ""),
        "amount": digits.rstrip("0").rstrip(".") if "." in digits else digits,
        "currency": text_of(value_of(sent, "currency")),
        "party": bare("|".join(_parties(transaction))),
        "text": bare(text(transaction).value or ""),
    }


def _parties(transaction: AnyTransaction) -> Iterator[str]:
    for names, account in SIDES.values():
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
    id: str
    references: dict[By, str]
    facts: dict[str, str]
    words: set[str]
    day: date | None
    pair: _Row | None = None
    by: By | None = None
    doubled: bool = False
    repeated: bool = False

    @property
    def content(self) -> tuple[str, ...]:
        return tuple(self.facts.values())

    @property
    def amount(self) -> tuple[str, ...]:
        return self.facts["amount"], self.facts["currency"]


def _rows(reading: Iterable[AnyTransaction]) -> list[_Row]:
    rows = []
    contents = defaultdict(set)
    for each in reading:
        said = [text_of(value_of(each, name)) for name in TEXTS]
        row = _Row(
            of=each,
            pending=value_of(each, "bookingStatus") == "pending",
            id=next(filter(None, (_id(each, name) for name in _IDS)), ""),
            references={name: _id(each, name) for name in _REFERENCES},
            facts=_facts(each),
            words={*re.findall(r"[^\W\d_]\w{2,}|[0-9]{5,}", " ".join([*said, *_parties(each)]).casefold())},
            day=day(each).value,
        )
        contents[row.id, row.pending].add(row.content)
        rows.append(row)
    for row in rows:
        row.doubled = bool(row.id) and len(contents[row.id, row.pending]) > 1
    return rows


def _order(row: _Row) -> str:
    """For sorting, so that it makes no difference in which order a bank lists them; booked ones first."""
    return repr((row.pending, row.id, row.references, row.facts))


def _pair_exactly(old: list[_Row], new: list[_Row], by: By, key: Callable[[_Row], object]) -> None:
    """Pairs rows of one status that have the same key, the first with the first."""
    groups: defaultdict[object, tuple[list[_Row], list[_Row]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((old, new)):
        for row in rows:
            if row.pair is None and (found := key(row)):
                groups[row.pending, found][side].append(row)
    for before, after in groups.values():
        for one, other in zip(sorted(before, key=_order), sorted(after, key=_order), strict=False):
            one.pair, other.pair, one.by, other.by = other, one, by, by


def _pair_by_grade(old: list[_Row], new: list[_Row], days: int) -> None:
    """Pairs what is left: the surest first, then a booking, then those with most words in common, then the nearest."""
    candidates: defaultdict[object, list[_Row]] = defaultdict(list)
    for row in new:
        if row.pair is None:
            for key in {(row.id, not row.doubled), row.amount, (row.amount, row.day)}:
                candidates[key].append(row)
    found = []
    for one in old:
        if one.pair is None:
            likely = candidates[one.amount if one.pending else (one.amount, one.day)]
            same = candidates[one.id, True] if one.id and not one.doubled else []
            for other in {id(row): row for row in (*same, *likely)}.values():
                if grade := _grade(one, other, days):
                    apart = abs((one.day - other.day).days) if one.day and other.day else 0
                    order = (one.content != other.content, -len(one.words & other.words), apart)
                    rank = (grade[0], one.pending is other.pending, *order, _order(one), _order(other))
                    found.append((rank, grade[1], one, other))
    for _, by, one, other in sorted(found, key=lambda each: each[0]):
        if one.pair is None and other.pair is None:
            one.pair, other.pair, one.by, other.by = other, one, by, by


def _grade(old: _Row, new: _Row, days: int) -> tuple[int, By] | None:
    """How surely a row is the other, the surest being 0, and by what; None if it isn't. A booked one stays booked."""
    if new.pending and not old.pending:
        return None
    is_near = old.pending and not (old.day and new.day and abs((old.day - new.day).days) > days)
    is_near = is_near or (old.day is not None and old.day == new.day)
    is_alike = not old.words or not new.words or not old.words.isdisjoint(new.words)
    has_id = bool(old.id) and old.id == new.id and not old.doubled and not new.doubled
    has_amount = old.amount == new.amount
    if has_id and has_amount and (is_near or is_alike):
        return 0, "id"
    if old.content == new.content and (old.day or not (old.id and new.id)):
        return 1, "content"
    if has_id and is_alike:
        return 2, "id"
    if has_amount and is_near:
        for name, reference in old.references.items():
            if reference and reference == new.references[name]:
                return 3, name
        if is_alike:
            return 4, "likeness"
    return None


def _outcome(row: _Row) -> Reconciled[Any]:
    """What became of a row of the fresh reading."""
    if (old := row.pair) is None:
        return Reconciled(kind="repeated" if row.repeated else "new", fresh=row.of, doubled=row.doubled)
    before, after = ({**each.facts, "id": each.id, **each.references} for each in (old, row))
    changed = tuple(name for name in after if after[name] != before[name])
    return Reconciled(
        kind="booked" if old.pending and not row.pending else "changed" if changed else "same",
        known=old.of,
        fresh=row.of,
        by=row.by,
        changed=changed,
        doubled=old.doubled or row.doubled,
    )
