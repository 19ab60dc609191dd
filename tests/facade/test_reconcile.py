"""What names a transaction, and what becomes of it from one reading to the next."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpayments_facade import (
    BookedCardTransaction,
    BookedTransaction,
    InvalidArgumentError,
    PendingCardTransaction,
    PendingTransaction,
    views,
)
from openpayments_facade.models import Transaction


def made(
    model: Any, id_: Any = None, amount: str = "-10.00", text: str = "Coffee", day: Any = "2026-01-05", **f: Any
) -> Any:
    fields = {"transactionId": id_, "bookingDate": day, "remittanceInformationUnstructured": text, **f}
    return model.from_dict({"transactionAmount": {"amount": amount, "currency": "SEK"}, **fields})


def booked(*arguments: Any, **fields: Any) -> Any:
    return made(BookedTransaction, *arguments, **fields)


def pending(*arguments: Any, **fields: Any) -> Any:
    return made(PendingTransaction, *arguments, **fields)


def kinds(known: list[Any], fresh: list[Any], **options: Any) -> list[str]:
    return [each.kind for each in views.reconcile(known, fresh, **options)]


# identity


@pytest.mark.parametrize(
    ("fields", "source", "kind"),
    [
        ({"id_": "a", "entryReference": "b"}, "transactionId", "id"),
        ({"id_": " ", "entryReference": "b"}, "entryReference", "reference"),
        ({"id_": "0000", "entryReference": "NOTPROVIDED", "transactionListId": "c"}, "transactionListId", "content"),
        ({"paymentId": "p", "endToEndId": "e"}, "content", "content"),
    ],
)
def test_the_best_name_is_taken(fields: dict[str, Any], source: str, kind: str) -> None:
    found = views.identity(booked(**fields))
    assert (found.source, found.kind) == (source, kind)


def test_a_card_transaction_has_an_id_of_its_own() -> None:
    of_card = BookedCardTransaction.from_dict(
        {"transactionAmount": {"amount": "1.00", "currency": "SEK"}, "cardTransactionId": "a"}
    )
    assert views.identity(of_card).source == "cardTransactionId"


def test_a_fingerprint_is_of_the_content_alone() -> None:
    first = booked(amount="-10.00", text="Coffee  shop\n", balanceAfterTransaction={})
    again = booked(amount="-10.0", text="COFFEE SHOP", bankTransactionCode="PMNT")
    assert views.identity(first) == views.identity(again)
    others = [booked(text="Tea shop"), booked(amount="10.00"), booked(day="2026-01-06"), booked(creditorName="Shop")]
    assert len({views.identity(each) for each in others}) == 4
    # half an emoji
    assert views.identity(booked(text="Tack \ud83d")).kind == "content"


def test_keys_tell_transactions_of_a_reading_apart() -> None:
    reading = [
        booked("a", text="Coffee"),
        booked("a", text="Tea"),
        booked("b"),
        booked("b"),
        booked(),
        booked(),
        booked(entryReference="r"),
        booked(entryReference="r"),
    ]
    keys = views.keys(reading)
    assert len({*keys}) == 7
    assert keys[2] == keys[3] == "transactionId:b"
    assert keys[0] != keys[1]
    assert keys[6:] == ["entryReference:r", "entryReference#2:r"]
    assert Counter(views.keys(reading[::-1])) == Counter(keys)


@pytest.mark.parametrize(("name", "texts"), [("entryReference", ["Tea", "Tea"]), ("transactionId", ["Tea", "Coffee"])])
def test_no_id_looks_like_the_key_of_another(name: str, texts: list[str]) -> None:
    reading = [booked(text=text, **{name: "x"}) for text in texts]
    found = views.keys(reading)
    marks = {"2", *re.findall("[0-9a-f]{32}", "".join(found))}
    forms = ("x:{}", "x#{}", "x={}", "#{}:x", "={}:x", "{}:x")
    ids = {*found, *(form.format(mark) for form in forms for mark in marks)}
    reading += [booked(text="Tea", **{name: id_}) for id_ in ids]
    assert len({*views.keys(reading)}) == len(reading)


# two readings


def test_nothing_happened() -> None:
    [same] = views.reconcile([booked("a")], [booked("a", balanceAfterTransaction={})])
    assert (same.kind, same.by, same.changed, same.doubled) == ("same", "id", (), False)


@pytest.mark.parametrize(
    ("known", "fresh", "by", "changed"),
    [
        (booked("a"), booked("a", text="Coffee to go"), "id", ("text",)),
        (booked("a"), booked("a", text="Something else"), "id", ("text",)),
        (booked("a"), booked("a", day="2026-01-06"), "id", ("day",)),
        (booked("a"), booked("a", amount="-12.00"), "id", ("amount",)),
        (booked("a"), booked("a", creditorName="Shop", entryReference="r"), "id", ("party", "entryReference")),
        (booked("a"), booked("b"), "content", ("id",)),
        (booked(), booked("b"), "content", ("id",)),
        (booked("a"), booked("b", creditorName="Shop", text="COFFEE"), "likeness", ("party", "id")),
        (booked(paymentId="p"), booked(paymentId="p", text="Else"), "paymentId", ("text",)),
        (booked(entryReference="r"), booked(entryReference="r", text="Else"), "entryReference", ("text",)),
        (pending("a"), pending("b", day="2026-01-06"), "likeness", ("day", "id")),
    ],
)
def test_a_transaction_changed(known: Any, fresh: Any, by: str, changed: tuple[str, ...]) -> None:
    [found] = views.reconcile([known], [fresh])
    assert (found.kind, found.by, found.changed) == ("changed", by, changed)
    assert (found.known, found.fresh) == (known, fresh)


@pytest.mark.parametrize(
    ("known", "fresh", "by"),
    [
        (pending("a"), booked("a"), "id"),
        (pending("a"), booked("a", text="Something else", day="2026-01-09"), "id"),
        # with a tip
        (pending("a"), booked("a", amount="-12.00"), "id"),
        (pending("a"), booked("b"), "content"),
        (pending(), booked(), "content"),
        (pending("a"), booked("b", text="COFFEE, Card 0000", day="2026-01-09"), "likeness"),
        (pending("a", day=None), booked("b", text="Coffee shop"), "likeness"),
        (pending(text=""), booked("b", day="2026-01-09"), "likeness"),
        (pending(paymentId="p"), booked("b", paymentId="p", text="Else", day="2026-01-06"), "paymentId"),
        (pending(endToEndId="e"), booked("b", endToEndId="e", text="Else", day="2026-01-06"), "endToEndId"),
        (
            pending(text="Reservation", creditorAccount={"iban": "SE3550000000054910000003"}),
            booked("b", text="Else", creditorAccount={"iban": "SE3550000000054910000003"}),
            "likeness",
        ),
    ],
)
def test_a_pending_transaction_is_booked(known: Any, fresh: Any, by: str) -> None:
    [found] = views.reconcile([known], [fresh])
    assert (found.kind, found.by, found.known, found.fresh) == ("booked", by, known, fresh)


@pytest.mark.parametrize(
    ("known", "fresh", "found"),
    [
        (pending("a"), booked("b", amount="-12.00"), ["new", "gone"]),
        (pending("a"), booked("b", text="Tea"), ["new", "gone"]),
        (pending("a"), booked("b", day="2026-01-13", text="Coffee shop"), ["new", "gone"]),
        (booked("a"), booked("b", day="2026-01-06"), ["new", "missing"]),
        (booked("a"), pending("a"), ["new", "missing"]),
        (booked("a"), booked("a", amount="-12.00", text="Tea"), ["new", "missing"]),
        # without a text and a day nothing but the amount is left
        (booked("a", text="", day=None), booked("b", text="", day=None), ["new", "missing"]),
        # what banks write where they have no id
        (booked("0", text="Tea"), booked("0", day="2026-01-06"), ["new", "missing"]),
        (booked(endToEndId="NOTPROVIDED", text="Tea"), booked(endToEndId="NOTPROVIDED"), ["new", "missing"]),
        # each payment of a standing order has the same reference
        (booked(entryReference="r"), booked(entryReference="r", day="2026-02-05"), ["new", "missing"]),
    ],
)
def test_different_transactions_are_not_mixed_up(known: Any, fresh: Any, found: list[str]) -> None:
    assert kinds([known], [fresh]) == found


def test_a_pending_transaction_may_move_by_some_days() -> None:
    known, fresh = pending("a"), booked("b", day="2026-01-15", text="Coffee shop")
    assert kinds([known], [fresh]) == ["new", "gone"]
    assert kinds([known], [fresh], days=10) == ["booked"]
    for days in (-1, "7"):
        with pytest.raises(InvalidArgumentError, match="days"):
            views.reconcile([], [], days=days)  # type: ignore[arg-type]


def test_identical_transactions_are_counted() -> None:
    assert kinds([booked(), booked()], [booked(), booked(), booked()]) == ["same", "same", "new"]
    assert kinds([booked(), booked()], [booked()]) == ["same", "missing"]
    # the second coffee of a day
    assert kinds([booked("a")], [booked("b"), booked("a")]) == ["new", "same"]


def test_a_transaction_that_is_listed_twice() -> None:
    assert kinds([], [booked("a"), booked("a")]) == ["new", "repeated"]
    assert kinds([booked("a")], [booked("a"), booked("a")]) == ["same", "repeated"]
    assert kinds([], [pending("a"), booked("a", day="2026-01-06")]) == ["repeated", "new"]
    assert kinds([pending("a")], [pending("a"), booked("a", day="2026-01-06")]) == ["repeated", "booked"]


def test_an_id_that_different_transactions_share() -> None:
    tea, coffee = booked("tax", text="Tea"), booked("tax", text="Coffee")
    found = views.reconcile([tea], [coffee, tea])
    assert [(each.kind, each.doubled) for each in found] == [("new", True), ("same", True)]
    assert [each.kind for each in views.reconcile([tea, coffee], [coffee, tea])] == ["same", "same"]
    # it does not make of one what was the other
    assert kinds([tea, coffee], [coffee, booked("tax", text="Milk")]) == ["same", "new", "missing"]


def test_the_likeliest_is_taken() -> None:
    known = [pending("a", text="Coffee shop"), pending("b", text="Tea shop")]
    fresh = [booked("c", text="Tea shop 0000"), booked("d", text="Coffee shop 0000")]
    found = views.reconcile(known, fresh)
    assert [(each.known, each.fresh) for each in found] == [(known[1], fresh[0]), (known[0], fresh[1])]
    near = [booked("c", text="Shop", day="2026-01-09"), booked("d", text="Shop", day="2026-01-06")]
    assert kinds([known[0]], near) == ["new", "booked"]


def test_a_bank_that_makes_up_ids_each_time() -> None:
    known = [booked(str(number), text=f"Purchase {number}") for number in range(50)]
    fresh = [booked(str(100 + number), text=f"Purchase {number}") for number in range(50)]
    found = views.reconcile(known, [*reversed(fresh)])
    assert {(each.kind, each.by, each.changed) for each in found} == {("changed", "content", ("id",))}
    assert all(each.known and each.fresh and each.known.transaction_id for each in found)
    numbered = [booked(str(number), text=f"Purchase {number - 1}") for number in range(51)]
    assert Counter(kinds(known, numbered)) == {"changed": 50, "new": 1}


def test_transactions_of_cards_and_from_a_database() -> None:
    fields = {"transactionAmount": {"amount": "10.00", "currency": "SEK"}, "transactionDetails": "Coffee shop"}
    known = PendingCardTransaction.from_dict({**fields, "transactionDate": "2026-01-05"})
    fresh = BookedCardTransaction.from_dict({**fields, "transactionDate": "2026-01-05", "bookingDate": "2026-01-07"})
    assert kinds([known], [fresh]) == ["booked"]
    # a line of `openpayments transactions --json`
    stored = Transaction.from_dict({"bookingStatus": "pending", **pending("a").to_dict()})
    assert kinds([stored], [booked("a")]) == ["booked"]


def test_each_is_not_compared_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many are alike where members pay a fee."""
    compared: list[object] = []
    alike = views._alike

    def counted(*two: Any) -> bool:
        compared.append(two)
        return alike(*two)

    monkeypatch.setattr(views, "_alike", counted)
    january = [booked(str(number), text="Fee") for number in range(500)]
    february = [booked(str(number), text="Fee", day="2026-02-05") for number in range(500, 1000)]
    assert Counter(kinds(january, [*january, *february])) == {"same": 500, "new": 500}
    assert Counter(kinds(january, february)) == {"new": 500, "missing": 500}
    changed = [booked(str(number), text="Membership fee") for number in range(500)]
    assert Counter(kinds(january, [*february, *changed])) == {"changed": 500, "new": 500}
    assert len(compared) <= 500


# any readings


IDS = st.sampled_from([None, "a", "b", "c", " ", "0", "NOTPROVIDED"])
ANY = st.builds(
    made,
    st.sampled_from([BookedTransaction, PendingTransaction]),
    IDS,
    st.sampled_from(["-10.00", "-10", "10.00", "much"]),
    st.sampled_from(["Coffee", "Coffee shop", "Tea", ""]),
    st.sampled_from([None, "2026-01-05", "2026-01-06", "2026-01-20"]),
    entryReference=IDS,
    creditorName=st.sampled_from([None, "Shop"]),
)
READING = st.lists(ANY, max_size=7)


@settings(max_examples=300, deadline=None)
@given(READING)
def test_a_reading_is_the_same_as_itself(reading: list[Any]) -> None:
    assert kinds(reading, random.Random(0).sample(reading, len(reading))) == ["same"] * len(reading)


@settings(max_examples=300, deadline=None)
@given(READING, READING, st.randoms(use_true_random=False))
def test_the_order_makes_no_difference(known: list[Any], fresh: list[Any], chance: random.Random) -> None:
    def said(first: list[Any], second: list[Any]) -> Counter[str]:
        found = views.reconcile(first, second)
        return Counter(f"{each.kind} {each.by} {each.changed} {each.doubled}" for each in found)

    expected = said(known, fresh), Counter(views.keys(fresh))
    chance.shuffle(known)
    chance.shuffle(fresh)
    assert (said(known, fresh), Counter(views.keys(fresh))) == expected


@settings(max_examples=300, deadline=None)
@given(READING, READING)
def test_each_transaction_is_told_once(known: list[Any], fresh: list[Any]) -> None:
    found = views.reconcile(known, fresh)
    assert [id(each.fresh) for each in found[: len(fresh)]] == [*map(id, fresh)]
    assert all(each.fresh is None for each in found[len(fresh) :])
    assert Counter(id(each.known) for each in found if each.known is not None) == Counter(map(id, known))
    for each in found:
        assert (each.known is None) == (each.kind in ("new", "repeated"))
        assert (each.by is None) == (each.known is None or each.fresh is None)
        assert each.kind not in ("same", "new", "repeated", "gone", "missing") or each.changed == ()
