"""What a status means, what a bank warns of, and which entry of an account is that of a payment: pure functions."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

from openpayments_facade import (
    BookedTransaction,
    CreatedPayment,
    InvalidArgumentError,
    OutcomeUnknownError,
    PaymentStatus,
    PendingTransaction,
    payments,
)
from openpayments_facade.errors import TppMessage
from openpayments_facade.models import PaymentCreated

MEANINGS = ["is_final", "is_accepted", "is_settled", "is_failed", "needs_another_signature"]
ACCEPTED, SETTLED, FAILED = {"is_accepted"}, {"is_accepted", "is_settled", "is_final"}, {"is_failed", "is_final"}


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("RCVD", set[str]()),
        ("PDNG", set[str]()),
        ("ACTC", set[str]()),
        ("ACCP", set[str]()),
        ("ACFC", set[str]()),
        ("PATC", {"needs_another_signature"}),
        ("ACSP", ACCEPTED),
        ("ACWC", ACCEPTED),
        ("ACWP", ACCEPTED),
        ("ACSC", SETTLED),
        ("ACCC", SETTLED),
        ("PART", {"is_final"}),
        ("RJCT", FAILED),
        ("CANC", FAILED),
        ("XYZ9", set[str]()),
        ("", set[str]()),
        (" acsc ", SETTLED),
        ("rjct", FAILED),
    ],
)
def test_what_a_status_means(code: str, means: set[str]) -> None:
    status = PaymentStatus(code)
    assert {name for name in MEANINGS if getattr(status, name)} == means
    assert (status, str(status), status.code) == (code, code, code.strip().upper())
    assert status.messages == ()


def test_a_status_is_a_string_that_keeps_its_messages_when_it_is_copied() -> None:
    why = TppMessage("AUTHORISATION_PENDING_API", "another person has to authorise this", "INFORMATION")
    status = PaymentStatus("PATC", [why])
    for twin in (copy.copy(status), copy.deepcopy(status), pickle.loads(pickle.dumps(status))):
        assert type(twin) is PaymentStatus
        assert (twin, twin.messages, twin.needs_another_signature) == ("PATC", (why,), True)
    assert json.dumps({"status": status}) == '{"status": "PATC"}'
    assert {"PATC": 1}[status] == 1
    assert type(str(status)) is str


def warning(code: str | None, text: str | None = None, **more: str) -> dict[str, Any]:
    return {"category": "WARNING", "code": code, "text": text, **more}


def created(**fields: Any) -> PaymentCreated:
    return PaymentCreated.from_dict({"paymentId": "p", "transactionStatus": "RCVD", **fields})


def test_warnings_come_from_the_payment_and_from_the_check_of_the_payee() -> None:
    answer = created(
        tppMessages=[
            warning("CREDITOR_ACCOUNT_FLAGGED", "on a list", path="creditorAccount"),
            warning("SOMETHING_NEW"),
        ],
        verificationOfPayee={"partyNameMatch": "NMTC", "tppMessages": [warning("CREDITOR_NAME_MISMATCH", "no match")]},
    )
    assert [(each.code, each.text, each.category, each.path) for each in payments.warnings(answer)] == [
        ("CREDITOR_ACCOUNT_FLAGGED", "on a list", "WARNING", "creditorAccount"),
        ("SOMETHING_NEW", None, "WARNING", None),
        ("CREDITOR_NAME_MISMATCH", "no match", "WARNING", None),
    ]
    match = payments.payee_match(answer)
    assert match is not None
    assert (match.party_name_match, match.matched_name) == ("NMTC", None)


@pytest.mark.parametrize("nothing", [{}, {"tppMessages": None}, {"tppMessages": [], "verificationOfPayee": None}])
def test_a_bank_that_warns_of_nothing(nothing: dict[str, Any]) -> None:
    assert payments.warnings(created(**nothing)) == []
    assert payments.payee_match(created(**nothing)) is None


@pytest.mark.parametrize("odd", [None, "p", {"tppMessages": []}, object()])
def test_what_was_not_created_has_no_warnings(odd: Any) -> None:
    for look in (payments.warnings, payments.payee_match):
        with pytest.raises(InvalidArgumentError, match=r"^created must be what bank.payments.create returned"):
            look(odd)


# the entry in the account


def entry(payment_id: str | None = None, reference: str | None = None, *, pending: bool = False) -> Any:
    fields = {"paymentId": payment_id, "endToEndId": reference}
    given = {name: value for name, value in fields.items() if value is not None}
    model = PendingTransaction if pending else BookedTransaction
    return model.from_dict({"transactionAmount": {"amount": "-10.00", "currency": "SEK"}, **given})


MINE = CreatedPayment("p-1", product="domestic", end_to_end_identification="Ref 1")


@pytest.mark.parametrize(
    "transactions",
    [
        [entry("p-1")],
        [entry(reference="Ref 1")],
        [entry(reference="REF 1 ")],
        [entry("P-1")],
        # the id is better than the reference, and booked is better than pending
        [entry("p-1"), entry(reference="Ref 1")],
        [entry("p-1", pending=True), entry(reference="Ref 1")],
        [entry("p-1"), entry("p-1", pending=True)],
        [entry(reference="Ref 1"), entry(reference="Ref 1", pending=True)],
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_entry_of_a_payment(transactions: list[Any], backwards: bool) -> None:
    others = [entry(), entry("p-2"), entry(reference="Ref 2"), entry(pending=True)]
    listed = [*others, *transactions, *others]
    assert payments.find(reversed(listed) if backwards else iter(listed), MINE) is transactions[0]
    assert payments.find(others, MINE) is None


def test_of_several_entries_that_are_as_good_it_is_the_first() -> None:
    listed = [entry("p-1"), entry("p-1", "Ref 1"), entry("p-1")]
    assert payments.find(listed, MINE) is listed[0]


def test_a_payment_whose_answer_was_lost_is_found_by_its_reference() -> None:
    lost = OutcomeUnknownError("?", end_to_end_identification="Ref 1")
    assert payments.find([entry("p-9", "Ref 1"), entry()], lost) is not None
    assert payments.find([entry("p-1"), entry()], lost) is None


def test_a_reference_that_looks_like_nothing_finds_nothing() -> None:
    for reference in ("None", "none"):
        assert payments.find([entry(), entry("p-2")], OutcomeUnknownError(end_to_end_identification=reference)) is None


def test_an_entry_of_another_payment_with_the_same_reference_is_not_its_own() -> None:
    assert payments.find([entry("p-2", "Ref 1")], MINE) is None
    filler = CreatedPayment("p-1", end_to_end_identification="NOTPROVIDED")
    assert payments.find([entry(reference="NOTPROVIDED")], filler) is None


def test_a_payment_that_was_kept_as_json_is_found() -> None:
    kept = {"paymentId": "p-1", "endToEndIdentification": "Ref 1"}
    assert payments.find([entry("p-1")], kept) is not None
    assert payments.find([entry(reference="Ref 1")], {"end_to_end_identification": "Ref 1"}) is not None


@pytest.mark.parametrize("nothing", [None, 5, "p-1", {"paymentId": "p-1"}, object()])
def test_what_are_no_transactions(nothing: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^transactions must be a list"):
        payments.find(nothing, MINE)


@pytest.mark.parametrize("nothing", [None, "p-1", OutcomeUnknownError("?"), CreatedPayment(""), object()])
def test_a_payment_without_id_and_reference_is_refused(nothing: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^payment must have a payment_id or an end_to_end_identification"):
        payments.find([entry()], nothing)
