"""One view of a transaction, wherever banks put its text, its day, its parties and its balances."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpayments_facade import (
    Account,
    AccountReference,
    Balance,
    BookedCardTransaction,
    BookedTransaction,
    CardAccount,
    GiroReference,
    InvalidArgumentError,
    PendingTransaction,
    TransactionReport,
    views,
)

OWN, OTHER = "SE4550000000058398257466", "SE3550000000054910000003"


def booked(amount: Any = "-1.00", **fields: Any) -> BookedTransaction:
    return BookedTransaction.from_dict({"transactionAmount": {"amount": amount, "currency": "SEK"}, **fields})


def used(amount: str = "1.00", **fields: Any) -> BookedCardTransaction:
    return BookedCardTransaction.from_dict({"transactionAmount": {"amount": amount, "currency": "SEK"}, **fields})


def with_kept(transaction: Any, **fields: Any) -> Any:
    """With values that no JSON has, as those are kept that can't be read."""
    transaction.additional_properties.update(fields)
    return transaction


# text


@pytest.mark.parametrize(
    ("fields", "text", "source"),
    [
        ({"remittanceInformationUnstructured": "Rent"}, "Rent", "remittanceInformationUnstructured"),
        (
            {"remittanceInformationUnstructuredArray": ["CARD PURCHASE", "", " Card 0000 "]},
            "CARD PURCHASE\n Card 0000",
            "remittanceInformationUnstructuredArray",
        ),
        (
            {
                "remittanceInformationUnstructured": "Card  purchase",
                "remittanceInformationUnstructuredArray": ["Card", "purchase"],
            },
            "Card  purchase",
            "remittanceInformationUnstructured",
        ),
        ({"remittanceInformationUnstructured": ["one", "two"]}, "one\ntwo", "remittanceInformationUnstructured"),
        (
            {"remittanceInformationStructured": "RF18539007547034", "remittanceInformationUnstructured": " "},
            "RF18539007547034",
            "remittanceInformationStructured",
        ),
        (
            {"remittanceInformationStructured": {"reference": "1234567897", "referenceType": "SCOR"}},
            "1234567897",
            "remittanceInformationStructured",
        ),
        (
            {
                "remittanceInformationStructuredArray": {
                    "referredDocumentInformation": {"typeCode": "CINV", "number": "1001"},
                    "creditorReferenceInformation": {"reference": "RF18539007547034", "referenceTypeCode": "SCOR"},
                    "additionalRemittanceInformation": ["Second", "reminder"],
                }
            },
            "RF18539007547034\n1001\nSecond\nreminder",
            "remittanceInformationStructuredArray",
        ),
        (
            {"remittanceInformationStructuredArray": [{"creditorReferenceInformation": {"reference": {"code": "17"}}}]},
            "17",
            "remittanceInformationStructuredArray",
        ),
        ({"additionalInformation": "EXAMPLE SHOP"}, "EXAMPLE SHOP", "additionalInformation"),
        ({"proprietaryBankTransactionCode": "PURCHASE"}, "PURCHASE", "proprietaryBankTransactionCode"),
        ({"remittanceInformationUnstructured": "NOTPROVIDED"}, None, None),
        *(
            (
                {"remittanceInformationUnstructured": unseen, "additionalInformation": "SHOP"},
                "SHOP",
                "additionalInformation",
            )
            for unseen in ("\u200b", "\x00", " \ufeff\n", "\xad", "Not\u2060provided", ["\u200b", "\x00"])
        ),
        ({}, None, None),
    ],
)
def test_the_text_is_found_wherever_it_is(fields: dict[str, Any], text: str | None, source: str | None) -> None:
    found = views.text(booked(**fields))
    assert (found.value, found.source) == (text, source)


def test_a_text_that_was_cut_is_read_from_its_lines() -> None:
    whole = "".join(f"word{number} " for number in range(40)).strip()
    lines = [whole[start : start + 140] for start in range(0, len(whole), 140)]
    found = views.text(
        booked(
            remittanceInformationUnstructured=whole[:140],
            remittanceInformationUnstructuredArray=lines,
            additionalInformation="Example Shop",
        )
    )
    assert found.value == whole
    assert found.source == "remittanceInformationUnstructuredArray"
    assert found.others == ("remittanceInformationUnstructured", "additionalInformation")


def test_what_was_kept_as_it_came_is_read() -> None:
    odd = booked(remittanceInformationUnstructured=["one", {"more": 2}], bookingDate="2026-02-30")
    assert views.text(odd).value == "one\n2"
    assert views.day(odd).value is None
    party = views.other_party(booked(creditorName=["A", "shop"], creditorAccount=OTHER))
    assert (party.name, party.account) == ("A shop", OTHER)


def test_the_text_of_a_card_transaction() -> None:
    assert views.text(used(transactionDetails="Example Shop")).source == "transactionDetails"


# day


@pytest.mark.parametrize(
    ("fields", "day", "source"),
    [
        ({"bookingDate": "2026-01-05", "valueDate": "2026-01-07"}, date(2026, 1, 5), "bookingDate"),
        ({"bookingDateTime": "2026-01-05T03:30:00Z"}, date(2026, 1, 5), "bookingDateTime"),
        ({"bookingDateTime": "2026-01-05T23:59:59.123456789-11:00"}, date(2026, 1, 5), "bookingDateTime"),
        ({"valueDate": "2026-01-07", "bookingDateTime": "2026-01-05 03:30"}, date(2026, 1, 5), "bookingDateTime"),
        ({"valueDateTime": "20260105T033000Z"}, date(2026, 1, 5), "valueDateTime"),
        ({"transactionDate": "2026-01-05"}, date(2026, 1, 5), "transactionDate"),
        ({"entryDate": " 2026-01-05 "}, date(2026, 1, 5), "entryDate"),
        ({"bookingDateTime": "2026-02-30T00:00:00Z", "entryDate": "2026-03-01"}, date(2026, 3, 1), "entryDate"),
        ({"bookingDateTime": 1767571200, "valueDateTime": "yesterday"}, None, None),
        ({"bookingDateTime": "1767571200"}, None, None),
    ],
)
def test_the_day_is_found_wherever_it_is(fields: dict[str, Any], day: date | None, source: str | None) -> None:
    found = views.day(booked(**fields))
    assert (found.value, found.source) == (day, source)


def test_the_day_of_a_card_transaction() -> None:
    assert views.day(used(transactionDate="2026-01-05")).value == date(2026, 1, 5)
    assert views.day(used(transactionDate="2026-01-05", bookingDate="2026-01-07")).source == "bookingDate"
    assert views.day(used(acceptorTransactionDateTime="2026-01-05T10:00:00Z")).value == date(2026, 1, 5)


# amount


@pytest.mark.parametrize(
    ("amount", "fields", "options", "signed", "source"),
    [
        ("-12.50", {}, {}, "-12.50", "transactionAmount"),
        ("12.50", {}, {}, None, None),
        ("12.50", {}, {"signed": True}, "12.50", "transactionAmount"),
        ("12.50", {"creditDebitIndicator": "DBIT"}, {"signed": True}, "-12.50", "creditDebitIndicator"),
        ("-12.50", {"creditDebitIndicator": "Credit"}, {}, "12.50", "creditDebitIndicator"),
        ("12.50", {"creditDebitIndicator": "OUT"}, {}, "-12.50", "creditDebitIndicator"),
        ("12.50", {"debtorAccount": {"iban": OWN}}, {"own": OWN}, "-12.50", "own"),
        ("12.50", {"creditorAccount": {"iban": OWN}}, {"own": AccountReference(iban=OWN)}, "12.50", "own"),
        ("12.50", {"creditorAccount": {"iban": OWN}, "debtorAccount": {"iban": OWN}}, {"own": OWN}, None, None),
        ("12.50", {"creditorAccount": {"iban": OWN}}, {"own": "an-id-of-no-number"}, None, None),
        ("0.00", {}, {"signed": True}, None, None),
        ("much", {"creditDebitIndicator": "DBIT"}, {}, None, "creditDebitIndicator"),
    ],
)
def test_the_direction_is_told_if_anything_tells_it(
    amount: str, fields: dict[str, Any], options: dict[str, Any], signed: str | None, source: str | None
) -> None:
    found = views.amount(booked(amount, **fields), **options)
    assert str(found.signed) == str(signed)
    assert found.source == source
    assert found.currency == "SEK"


@pytest.mark.parametrize(
    ("sent", "value", "currency"),
    [
        ({"amount": "5", "currency": "sek"}, "5", "SEK"),
        ({"amount": "5 SEK"}, "5", "SEK"),
        ({"amount": "EUR 5", "currency": "SEK"}, "5", "SEK"),
        ("-5 SEK", "-5", "SEK"),
        ("eur 5,00", "5.00", "EUR"),
        (12.5, "12.5", None),
        ("five SEK", None, None),
        ([{"amount": "1"}, {"amount": "234"}], None, None),
        ({"amount": ["1", "234"]}, None, None),
        ({"amount": {"integer": 1, "fraction": 250}}, None, None),
        (None, None, None),
    ],
)
def test_an_amount_is_read_wherever_it_is(sent: Any, value: str | None, currency: str | None) -> None:
    models = BookedTransaction.from_dict({"transactionAmount": sent}), Balance.from_dict({"balanceAmount": sent})
    for found in (views.amount(models[0]), views.balance_amount(models[1])):
        assert (found.value, found.currency) == (value and Decimal(value), currency)


def test_a_number_of_any_length_keeps_its_digits() -> None:
    found = views.amount(booked("-1234567890123456789012345678901234567890.12"))
    assert str(found.signed) == "-1234567890123456789012345678901234567890.12"


@pytest.mark.parametrize(
    ("amount", "debits_are_positive", "direction"),
    [
        ("1.00", True, "out"),
        ("-1.00", True, "in"),
        ("1.00", False, "in"),
        ("-1.00", False, "out"),
        ("1.00", None, None),
        ("-1.00", None, None),
    ],
)
def test_the_card_says_what_a_sign_means(amount: str, debits_are_positive: bool | None, direction: str | None) -> None:
    card = CardAccount(masked_pan="1234****5678", currency="SEK", debit_accounting=debits_are_positive)
    assert views.amount(used(amount), own=card).direction == direction
    assert views.amount(used("-1.00"), signed=True).direction == "out"


# the other party


BOTH = {
    "creditorName": "Shop",
    "creditorAccount": {"iban": OTHER},
    "debtorName": "User",
    "debtorAccount": {"iban": OWN},
}
TURNED = {
    "debtorName": "Shop",
    "debtorAccount": {"iban": OTHER},
    "creditorName": "User",
    "creditorAccount": {"iban": OWN},
}


@pytest.mark.parametrize(
    ("amount", "fields", "options", "name", "role", "certain"),
    [
        ("-1.00", BOTH, {}, "Shop", "creditor", True),
        ("1.00", TURNED, {"signed": True}, "Shop", "debtor", True),
        ("1.00", TURNED, {}, "Shop", "debtor", False),
        # a bank without signs
        ("1.00", BOTH, {}, "User", "debtor", False),
        ("1.00", BOTH, {"own": OWN}, "Shop", "creditor", True),
        ("1.00", TURNED, {"own": OWN}, "Shop", "debtor", True),
        ("1.00", {"creditorName": "Shop"}, {}, "Shop", "creditor", False),
        # the other party on the wrong side, and the user there
        ("-1.00", {"debtorName": "Shop"}, {}, "Shop", "debtor", False),
        ("-1.00", {"debtorName": "User", "debtorAccount": {"iban": OWN}}, {"own": OWN}, None, None, False),
        ("-1.00", TURNED, {"own": OWN}, "Shop", "debtor", True),
        ("-1.00", {}, {"own": OWN}, None, None, False),
        # from an account to itself
        ("1.00", {**BOTH, "creditorAccount": {"iban": OWN}}, {"own": OWN}, "User", "debtor", False),
        ("-1.00", {**BOTH, "creditorAccount": {"iban": OWN}}, {"own": OWN}, "Shop", "creditor", True),
        # behind a payment service
        ("-1.00", {**BOTH, "ultimateCreditor": "Café"}, {}, "Café", "creditor", True),
        ("-1.00", {"creditorName": "NOTPROVIDED", "debtorName": "Shop"}, {}, "Shop", "debtor", False),
    ],
)
def test_the_other_party_is_told_by_sign_or_account(
    amount: str,
    fields: dict[str, Any],
    options: dict[str, Any],
    name: str | None,
    role: str | None,
    certain: bool,
) -> None:
    found = views.other_party(booked(amount, **fields), **options)
    assert (found.name, found.role, found.certain) == (name, role, certain)


def test_the_sources_of_a_party_are_named() -> None:
    found = views.other_party(booked("-1.00", **BOTH))
    assert (found.account, found.sources) == (OTHER, ("creditorName", "creditorAccount"))


def test_the_other_party_of_a_card_transaction_is_the_shop() -> None:
    found = views.other_party(used(cardAcceptorId="4711", transactionDetails="Example Shop"))
    assert (found.name, found.account, found.id) == (None, None, "4711")
    assert (found.role, found.certain, found.sources) == ("acceptor", True, ("cardAcceptorId",))
    assert views.other_party(used(cardAcceptorId="4711", creditorName="Shop")).name == "Shop"


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ({"iban": "SE45 5000 0000 0583 9825 7466"}, {"iban": OWN.lower()}),
        ({"bban": "000000017", "clearingNumber": "6000"}, {"bban": "6000000000017"}),
        ({"bban": "000000017", "clearingNumber": "6000"}, {"bban": "000000017"}),
        ({"bankgiroNumber": "5555-5555"}, {"bankGiro": "55555555"}),
    ],
)
def test_an_account_is_known_in_any_spelling(own: dict[str, str], theirs: dict[str, str]) -> None:
    account = Account.from_dict({"currency": "SEK", **own})
    assert views.other_party(booked("1.00", creditorAccount=theirs, debtorName="A"), own=account).certain
    assert views.amount(booked("1.00", creditorAccount=theirs), own=account).direction == "in"


@pytest.mark.parametrize(
    ("account", "number"),
    [
        ({"iban": OWN, "bban": "1"}, OWN),
        ({"bban": "000000017", "clearingNumber": "6000"}, "6000-000000017"),
        ({"accountNumber": "17"}, "17"),
        ({"bankGiro": "5555-5555"}, "5555-5555"),
        ({"iban": 7}, "7"),
        ({"currency": "SEK"}, None),
        (OWN, OWN),
        (None, None),
    ],
)
def test_an_account_has_a_number(account: Any, number: str | None) -> None:
    assert views.account_number(account) == number
    if isinstance(account, dict):
        assert views.account_number(AccountReference.from_dict(account)) == number


@pytest.mark.parametrize(
    ("account", "grouped", "masked"),
    [
        ({"iban": OWN}, "SE45 5000 0000 0583 9825 7466", "**** 7466"),
        ({"iban": "se45 5000 0000058398257466"}, "SE45 5000 0000 0583 9825 7466", "**** 7466"),
        ({"iban": "no iban at all"}, "no iban at all", "**** tall"),
        ({"bban": "000000017", "clearingNumber": "6000"}, "6000-000000017", "**** 0017"),
        ({"giroNumber": "5555-5555", "giroType": "BANKGIRO"}, "5555-5555", "**** 5555"),
        ({"maskedPan": "123456xxxxxx1234"}, "1234 56xx xxxx 1234", "**** 1234"),
        ({"pan": "4111111111111111"}, "**** **** **** 1111", "**** 1111"),
        ({"bankgiroNumber": "123-4567"}, "123-4567", "****"),
        ({"currency": "SEK"}, None, None),
        (OWN, "SE45 5000 0000 0583 9825 7466", "**** 7466"),
        ("6000-000000017", "6000-000000017", "**** 0017"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_an_account_has_a_number_for_people(account: Any, grouped: str | None, masked: str | None) -> None:
    assert views.account_number(account, grouped=True) == grouped
    assert views.account_number(account, masked=True) == views.account_number(account, masked=True, grouped=True)
    assert views.account_number(account, masked=True) == masked
    if isinstance(account, dict):
        for model in (Account, AccountReference, CardAccount, GiroReference):
            assert views.account_number(model.from_dict(account), grouped=True) == grouped


def test_the_number_of_a_card_is_never_given_in_full() -> None:
    for field, number in itertools.product(["pan", "maskedPan"], ["4111111111111111", "4111 1111 1111 1111"]):
        assert views.account_number({field: number}) == "************1111"
        assert views.account_number({field: number}, grouped=True) == "**** **** **** 1111"
    assert views.account_number({"maskedPan": "4111-1111-1111-1111"}, masked=True) == "**** 1111"
    assert views.account_number({"maskedPan": "411111 ****** 1111"}) == "411111 ****** 1111"


def test_blanks_do_not_make_a_number_long() -> None:
    assert views.account_number({"bban": "1234 5678"}, masked=True) == "****"


# balances


def balance(kind: str, amount: str = "1.00", currency: str = "SEK", **fields: Any) -> Balance:
    return Balance.from_dict({"balanceType": kind, "balanceAmount": {"amount": amount, "currency": currency}, **fields})


@pytest.mark.parametrize(
    ("kinds", "of_booked", "of_available"),
    [
        (["closingBooked", "expected"], "closingBooked", "expected"),
        (["expected", "interimAvailable", "closingBooked"], "closingBooked", "interimAvailable"),
        (["openingBooked", "closingBooked", "interimBooked"], "interimBooked", None),
        (["forwardAvailable", "authorised"], None, "authorised"),
        (["forwardAvailable"], None, "forwardAvailable"),
        (["InterimBooked", "closingBooked", "INTERIMAVAILABLE"], "InterimBooked", "INTERIMAVAILABLE"),
        (["OPBD", "ITBD", "CLBD", "OPAV", "ITAV", "CLAV", "XPCD", "FWAV"], "ITBD", "ITAV"),
        (["OPBD", "clbd", "FWAV", "XPCD"], "clbd", "XPCD"),
        (["FWAV"], None, "FWAV"),
        (["information", "nonInvoiced", "whatever"], None, None),
        ([], None, None),
    ],
)
def test_balances_are_chosen_by_type(kinds: list[str], of_booked: str | None, of_available: str | None) -> None:
    for ordered in (kinds, kinds[::-1]):
        found = views.booked_balance(map(balance, ordered)), views.available_balance(map(balance, ordered))
        assert [each and each.balance_type for each in found] == [of_booked, of_available]


def test_the_newest_balance_of_a_type_is_taken() -> None:
    balances = [
        balance("closingBooked", "1.00"),
        balance("closingBooked", "2.00", lastChangeDateTime="2026-01-04T10:00:00Z"),
        balance("closingBooked", "3.00", referenceDate="2026-01-05"),
        balance("interimAvailable", "4.00", lastChangeDateTime="2026-01-04T10:00:00Z"),
        balance("interimAvailable", "5.00", lastChangeDateTime="2026-01-04T12:00:00Z"),
        balance("forwardAvailable", "6.00", referenceDate="2026-01-07"),
        balance("forwardAvailable", "7.00", referenceDate="2026-01-06"),
    ]
    for ordered in (balances, balances[::-1]):
        assert views.booked_balance(ordered) == balances[2]
        assert views.available_balance(ordered) == balances[4]
        assert (
            views.available_balance(each for each in ordered if each.balance_type == "forwardAvailable") == balances[6]
        )


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-01-05T12:00:00+05:00", "2026-01-05T10:00:00Z"),
        ("2026-01-06T01:00:00Z", "2026-01-05T23:00:00-05:00"),
        ("2026-01-05T10:00:00", "2026-01-05T10:00:01Z"),
        ("at noon", "2026-01-05T10:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_times_are_compared_across_zones(older: str, newer: str) -> None:
    balances = [balance("interimBooked", "1.00", lastChangeDateTime=each) for each in (older, newer)]
    for ordered in (balances, balances[::-1]):
        assert views.booked_balance(ordered) == balances[1]


def test_ones_own_money_goes_before_credit() -> None:
    balances = [
        balance("interimAvailable", "9000.00", creditLimitIncluded=True),
        balance("interimAvailable", "10.00", creditLimitIncluded=False),
    ]
    for ordered in (balances, balances[::-1]):
        assert views.available_balance(ordered) == balances[1]


def test_of_several_currencies_none_is_picked_in_silence() -> None:
    balances = [balance("interimBooked", "1.00", "SEK"), balance("closingBooked", "2.00", "EUR")]
    assert views.booked_balance(balances) is None
    assert views.booked_balance(balances, currency="EUR") == balances[1]
    assert views.booked_balance(balances, currency="eur") == balances[1]
    assert views.booked_balance(balances, currency="NOK") is None
    assert views.booked_balance(None) is None
    small = [balance("interimBooked", "1.00", "sek"), balance("closingBooked", "2.00", "SEK")]
    assert views.booked_balance(small) == views.booked_balance(small, currency="SEK") == small[0]
    kept = Balance.from_dict({"balanceType": "interimBooked", "balanceAmount": "1.00 SEK"})
    assert views.booked_balance([kept, *balances], currency="SEK") == kept


def test_a_balance_that_cannot_be_read_is_none() -> None:
    readable = balance("closingBooked")
    assert views.booked_balance([balance("interimBooked", "much"), readable]) == readable


# whatever a bank sends


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=9), each, max_size=3),
    max_leaves=8,
)
EXAMPLE: dict[str, Any] = {
    "transactionAmount": {"amount": "-12.50", "currency": "SEK"},
    "transactionId": "tx-1",
    "entryReference": "ref-1",
    "bookingDate": "2026-01-05",
    "bookingDateTime": "2026-01-05T03:30:00Z",
    "creditDebitIndicator": "DBIT",
    **BOTH,
    "remittanceInformationUnstructured": "Rent",
    "remittanceInformationUnstructuredArray": ["Rent", "January"],
    "remittanceInformationStructuredArray": [{"creditorReferenceInformation": {"reference": "RF18"}}],
    "additionalInformation": "More",
}
CARD: dict[str, Any] = {
    "transactionAmount": {"amount": "12.50", "currency": "SEK"},
    "cardTransactionId": "tx-1",
    "transactionDate": "2026-01-05",
    "cardAcceptorId": "4711",
    "transactionDetails": "Example Shop",
}


def places(value: Any, *path: Any) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in items for place in places(each, *path, key))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def look_at(transaction: Any) -> None:
    """Everything that can be asked."""
    for own in (None, OWN, AccountReference(iban=OWN)):
        assert isinstance(views.amount(transaction, own=own).value, Decimal | None)
        assert isinstance(views.other_party(transaction, own=own, signed=True).name, str | None)
    assert isinstance(views.text(transaction).value, str | None)
    assert isinstance(views.day(transaction).value, date | None)
    assert isinstance(views.identity(transaction).value, str)
    assert len(views.keys([transaction, transaction])) == 2
    assert [each.kind for each in views.reconcile([transaction], [transaction])] == ["same"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_value_of_a_field_raises(data: st.DataObject) -> None:
    model, example = data.draw(st.sampled_from([(PendingTransaction, EXAMPLE), (BookedCardTransaction, CARD)]))
    changed = put(example, data.draw(st.sampled_from(places(example)[1:])), data.draw(JSON))
    look_at(model.from_dict(changed))


def test_no_number_is_too_large() -> None:
    for number in (10**6000, -(10**6000), float("inf"), float("nan"), Decimal("1E+999999"), True):
        look_at(with_kept(booked(), transactionAmount={"amount": number}, transactionId=number, creditorName=number))


def test_no_text_is_too_deep() -> None:
    deep: Any = "text"
    for _ in range(5000):
        deep = [deep]
    look_at(with_kept(booked(), remittanceInformationUnstructured=deep, creditorAccount={"iban": deep}))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["balanceType", "balanceAmount", "referenceDate", "lastChangeDateTime"]), JSON))
def test_no_balance_raises(fields: dict[str, Any]) -> None:
    odd = with_kept(balance("interimBooked"), **fields)
    assert views.booked_balance([odd, odd]) in (odd, None)
    assert views.available_balance([odd, balance("expected")]) is not None


@pytest.mark.parametrize("wrong", [None, "Jane Doe", {"creditorName": "Jane Doe"}, [booked()], 5])
@pytest.mark.parametrize(
    ("view", "argument", "model"),
    [
        *((view, "transaction", "BookedTransaction") for view in (views.text, views.day, views.amount)),
        *((view, "transaction", "BookedTransaction") for view in (views.other_party, views.identity)),
        (views.balance_amount, "balance", "Balance"),
        (lambda each: views.keys([booked(), each]), "transactions", "BookedTransaction"),
        (lambda each: views.reconcile([each], []), "known", "BookedTransaction"),
        (lambda each: views.reconcile([], iter([each])), "fresh", "BookedTransaction"),
        (lambda each: views.booked_balance([each]), "balances", "Balance"),
    ],
)
def test_what_is_something_else_is_refused(view: Any, argument: str, model: str, wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^{argument}\b.* must be a .*`{model}.from_dict`") as refused:
        view(wrong)
    assert refused.value.argument == argument
    assert "Jane" not in str(refused.value)


@pytest.mark.parametrize("wrong", [booked(creditorName="Jane Doe"), balance("expected"), TransactionReport(), 5])
@pytest.mark.parametrize(
    ("view", "argument"),
    [
        (views.keys, "transactions"),
        (lambda several: views.reconcile(several, []), "known"),
        (lambda several: views.reconcile([], several), "fresh"),
        (views.booked_balance, "balances"),
        (views.available_balance, "balances"),
    ],
)
def test_one_for_several_is_refused(view: Any, argument: str, wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument} must be a list") as refused:
        view(wrong)
    assert refused.value.argument == argument
    assert "Jane" not in str(refused.value)


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        *(("own", wrong) for wrong in (5, booked(), used(maskedPan="1234****5678"), {"iban": OWN}, [OWN])),
        *(("signed", wrong) for wrong in ("yes", 1, None)),
    ],
)
def test_what_is_no_account_and_no_answer_is_refused(argument: str, wrong: Any) -> None:
    for view in (views.amount, views.other_party):
        with pytest.raises(InvalidArgumentError, match=f"^{argument} must be") as refused:
            view(booked(), **{argument: wrong})
        assert OWN not in str(refused.value)


def test_a_currency_is_a_text() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^currency must be"):
        views.booked_balance([], currency=752)  # type: ignore[arg-type]
