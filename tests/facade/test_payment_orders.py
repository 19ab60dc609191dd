"""Payments are put right, and refused with the name of the wrong place, before anything is sent."""

from __future__ import annotations

import copy
import json
import logging
import re
from collections import UserDict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_python_client.strings import PythonIdentifier
from openpayments_client.api.fx_quotes import confirm_cross_border_payment_intent
from openpayments_client.api.payment_initiation import initiate_payment

from openpayments_facade import InvalidArgumentError, amount, models
from openpayments_facade._protocol.arguments import today
from openpayments_facade._protocol.operation import Operation
from openpayments_facade._protocol.payment_orders import PRODUCTS, Order, as_order

PAYER, PAYEE = "SE5750000000000000000017", "SE3550000000000000000025"
NAME = "Åsas Bageri & Söner AB - 1. filialen"
ACCOUNTS = {"debtorAccount": {"iban": PAYER, "currency": "SEK"}, "creditorAccount": {"iban": PAYEE}}
BANK = {"creditorAgent": "ESSESESS", "creditorAgentName": "Example Bank"}
ABROAD = {"country": "US", "postalCode": "00000", "city": "Example", "street": "Example Street"}
COMMON = {"instructedAmount": {"currency": "SEK", "amount": "1.50"}, "creditorName": NAME}
GOOD: dict[str, dict[str, Any]] = {
    "domestic": {**COMMON, **ACCOUNTS},
    "sepa-credit-transfers": {**COMMON, **ACCOUNTS, **BANK, "creditorAddress": {"country": "FI"}},
    "swedish-giro": {
        **COMMON,
        "debtorAccount": {"iban": PAYER},
        "creditorGiro": {"giroNumber": "000-0000", "giroType": "BANKGIRO"},
        "ocrRef": "000018",
    },
    "cross-border": {
        **COMMON,
        **ACCOUNTS,
        **BANK,
        "creditorAddress": ABROAD,
        "regulatoryReporting": [{"detailsCode": "1"}, {"detailsCode": "2"}],
    },
}
MODELS = {product: cls for cls, product in PRODUCTS.items()}
DAY = today().date() + timedelta(days=7)
LONG_AGO = today().date() - timedelta(days=2)
KEYS = [*GOOD]
DOMESTIC, SEPA, GIRO, CROSS = KEYS


def model_of(product: str) -> Any:
    return MODELS[product].from_dict(copy.deepcopy(GOOD[product]))  # type: ignore[attr-defined]


def python_path(path: str) -> str:
    return ".".join(re.sub(r"^\w+", lambda name: PythonIdentifier(name[0], ""), step) for step in path.split("."))


def steps(path: str) -> Iterator[str | int]:
    for name, number in re.findall(r"(\w+)(?:\[(\d+)\])?", path):
        yield name
        if number:
            yield int(number)


def with_value(root: Any, path: str, value: object) -> Any:
    """A payment, a model or a mapping, with one value changed. `path` has the names on the wire."""
    target, is_mapping = root, isinstance(root, Mapping)
    *way, last = steps(path if is_mapping else python_path(path))
    for step in way:
        target = target[step] if isinstance(step, int) or is_mapping else getattr(target, step)
    if is_mapping or isinstance(last, int):
        target[last] = value
    else:
        setattr(target, str(last), value)
    return root


def sent(order: Order) -> Any:
    """The body as the request has it; the description's rules are held once more against it."""
    operation = Operation.of(initiate_payment, "payments", order.product, x_bic_fi="ESSESESS", body=order.body)
    return operation.request["json"]


def both(product: str) -> tuple[tuple[Any, str | None], tuple[Any, str | None]]:
    """A good payment as a model and as a mapping, with the product that has to be said."""
    return (model_of(product), None), (copy.deepcopy(GOOD[product]), product)


class Bad(NamedTuple):
    product: str
    path: str
    value: object
    refused: str = ""
    """The place that the message names, if it is another one than the path."""
    problem: str = ""


class Foreign:
    iban = PAYEE

    def __eq__(self, other: object) -> bool:
        raise AssertionError("nobody asked it")

    __hash__ = None  # type: ignore[assignment]


UNTYPED: tuple[Any, ...] = (1, 1.5, True, b"x", [], {"x": 1}, object(), Foreign(), date(2026, 1, 1), Decimal("1.50"))
IBAN, BBAN = {"iban": PAYEE}, {"bban": "1"}
NO_IBAN = "is not a valid IBAN"
BAD = [
    # accounts
    Bad(DOMESTIC, "creditorAccount.iban", "SE3550000000000000000026", problem=NO_IBAN),
    Bad(SEPA, "debtorAccount.iban", "SE5850000000000000000017", problem=NO_IBAN),
    Bad(SEPA, "debtorAccount.iban", "SE575000000000000000001", problem=NO_IBAN),
    Bad(GIRO, "debtorAccount.iban", "5000", problem="must be an IBAN"),
    Bad(DOMESTIC, "creditorAccount.iban", None, "creditorAccount", "exactly one number"),
    Bad(DOMESTIC, "creditorAccount.bban", "1", "creditorAccount", "exactly one number"),
    Bad(DOMESTIC, "debtorAccount.bankgiroNumber", "000-0000", "debtorAccount", "exactly one number"),
    Bad(CROSS, "creditorAccount.clearingNumber", "5000", problem="goes with a BBAN"),
    Bad(DOMESTIC, "creditorAccount.currency", "kronor"),
    # giro numbers
    Bad(GIRO, "creditorGiro.giroNumber", "000-0001", problem="not a valid BANKGIRO number"),
    Bad(GIRO, "creditorGiro.giroNumber", "0000-0", problem="not a valid BANKGIRO number"),
    Bad(GIRO, "creditorGiro.giroNumber", "0000-00000", problem="not a valid BANKGIRO number"),
    Bad(GIRO, "creditorGiro.giroNumber", "OOO-OOOO", problem="must be a Swedish"),
    Bad(GIRO, "creditorGiro.giroNumber", "-------", problem="not a valid BANKGIRO number"),
    Bad(GIRO, "creditorGiro.giroNumber", None, problem="is missing"),
    Bad(GIRO, "creditorGiro.giroType", None, problem="is missing"),
    # references
    Bad(GIRO, "ocrRef", None, problem="and the invoice reference: give one"),
    Bad(GIRO, "invoiceRef", "F-1", "ocrRef", "and only one"),
    Bad(GIRO, "ocrRef", "F-1", problem="must be an OCR"),
    Bad(GIRO, "ocrRef", "1" * 26),
    Bad(SEPA, "ocrRef", "12345", problem="must be a reference"),
    # amounts
    *(
        Bad(DOMESTIC, "instructedAmount.amount", value, problem=r"amount\(Decimal")
        for value in (1, 1.5, Decimal(1), True)
    ),
    *(
        Bad(CROSS, "instructedAmount.amount", value)
        for value in ("0", "0.00", "-1.50", "1.505", "1,50", "1e3", "", " 1")
    ),
    Bad(DOMESTIC, "instructedAmount.amount", None, problem="is missing"),
    Bad(DOMESTIC, "instructedAmount.amount", "1" * 15),
    *(Bad(DOMESTIC, "instructedAmount.currency", value) for value in (None, "", "kr", "SEKK", 752)),
    # lengths, and what is required
    *(Bad(product, "creditorName", value) for product in KEYS for value in (None, "", " ", "x" * 71, "a\nb", "\ud800")),
    *(
        Bad(product, path, None, problem="is missing")
        for product in KEYS
        for path in ("instructedAmount", "debtorAccount")
    ),
    *(Bad(CROSS, f"creditorAddress.{name}", None, problem="is missing") for name in ABROAD),
    Bad(SEPA, "creditorAgent", "SEB"),
    Bad(SEPA, "creditorAgentName", "x" * 36),
    Bad(DOMESTIC, "remittanceInformationUnstructured", "x" * 141),
    Bad(GIRO, "creditorAccountMessage", "x" * 141),
    Bad(DOMESTIC, "endToEndIdentification", "x" * 36),
    Bad(CROSS, "regulatoryReporting[1].detailsCode", "x" * 36),
    Bad(CROSS, "regulatoryReporting[1].detailsCode", 1.5),
    Bad(CROSS, "regulatoryReporting[0]", "1"),
    # days
    *(Bad(DOMESTIC, "requestedExecutionDate", day) for day in (LONG_AGO, LONG_AGO.isoformat(), timedelta(-2))),
    *(
        Bad(GIRO, "requestedExecutionDate", day)
        for day in ("soon", "20260131", "2026-02-30", timedelta(hours=1), 5, today())
    ),
    # values of a wrong type
    *(Bad(DOMESTIC, path, value) for path in ("creditorName", "creditorAgentName") for value in UNTYPED),
    *(Bad(SEPA, "creditorAccount", value) for value in ("x", *UNTYPED) if not isinstance(value, dict)),
    *(Bad(SEPA, "creditorAccount.iban", value) for value in UNTYPED),
    *(Bad(GIRO, "creditorGiro.giroNumber", value) for value in UNTYPED),
    *(Bad(DOMESTIC, "endToEndIdentification", value) for value in UNTYPED),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.product}-{bad.path}-{type(bad.value).__name__}")
def test_what_is_wrong_is_refused_by_the_name_that_the_caller_uses(bad: Bad) -> None:
    wire = f"payment.{bad.refused or bad.path}"
    for (payment, product), place in zip(both(bad.product), (python_path(wire), wire), strict=True):
        with pytest.raises(InvalidArgumentError, match=rf"^{re.escape(place)} .*{bad.problem}") as caught:
            as_order(with_value(payment, bad.path, bad.value), product)

        said = str(caught.value)
        assert caught.value.argument == "payment"
        assert not any(personal in said for personal in (PAYER[4:], PAYEE[4:-1], NAME, "000-", "xxxx"))


def test_the_reference_that_is_missing_or_too_much_is_named() -> None:
    for payment, product in both(SEPA):
        payment = with_value(payment, "ocrRef", "RF74000001")
        with pytest.raises(InvalidArgumentError, match=r"^payment.(ocr_ref|ocrRef) and the invoice reference"):
            as_order(with_value(payment, "invoiceRef", "F-1"), product)


@pytest.mark.parametrize(
    "name", ["instructed_amount", "creditor_account", "creditor_name", "end_to_end_identification"]
)
def test_a_model_that_was_taken_apart_is_no_reason_to_break(name: str) -> None:
    payment = model_of(SEPA)
    delattr(payment, name)
    if name == "end_to_end_identification":
        assert as_order(payment).end_to_end_identification
    else:
        with pytest.raises(InvalidArgumentError, match=f"^payment.{name} is missing"):
            as_order(payment)


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("creditorAccount.iban", "se35 5000 0000 0000 0000 0025", PAYEE),
        ("debtorAccount.currency", "sek", "SEK"),
        ("instructedAmount", {"amount": "1.5", "currency": " sek"}, {"amount": "1.50", "currency": "SEK"}),
        ("instructedAmount", {"amount": "1000", "currency": "JPY"}, {"amount": "1000", "currency": "JPY"}),
        ("instructedAmount", amount(Decimal("0.5"), "KWD"), {"amount": "0.500", "currency": "KWD"}),
        ("creditorAgent", "esse sess", "ESSESESS"),
        ("creditorAddress", {"country": "fi"}, {"country": "FI"}),
        ("requestedExecutionDate", DAY, DAY.isoformat()),
        ("requestedExecutionDate", DAY.isoformat(), DAY.isoformat()),
        ("requestedExecutionDate", timedelta(days=7), DAY.isoformat()),
        ("requestedExecutionDate", None, None),
        ("creditorName", "Ö" * 70, "Ö" * 70),
        ("ocrRef", "rf74 0000 01", "RF74000001"),
        ("invoiceRef", "F-1", "F-1"),
        ("endToEndIdentification", "my reference", "my reference"),
    ],
)
def test_what_can_be_put_right_is(path: str, given: Any, expected: Any) -> None:
    for payment, product in both(SEPA):
        if isinstance(given, dict) and product is None:
            given = {"instructedAmount": models.MonetaryAmount, "creditorAddress": models.Address}[path](**given)
        order = as_order(with_value(payment, path, given), product)
        found: Any = order.body.to_dict()
        for step in path.split("."):
            found = found.get(step)
        assert found == expected
        assert order.warnings == ()


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        ("BANKGIRO", "0000000", "0000000"),
        ("BANKGIRO", " 000-0000 ", "000-0000"),
        ("bankgiro", "0000-0018", "0000-0018"),
        ("PLUSGIRO", "00 00-0", "0000-0"),
        ("PLUSGIRO", "0001-8", "0001-8"),
        ("GIRO OF TOMORROW", "00001", "00001"),
    ],
)
def test_a_giro_number(kind: str, number: str, expected: str) -> None:
    for payment, product in both(GIRO):
        payment = with_value(with_value(payment, "creditorGiro.giroNumber", number), "creditorGiro.giroType", kind)
        assert as_order(payment, product).body.creditor_giro.giro_number == expected


@pytest.mark.parametrize("name", ["bankgiroNumber", "plusgiroNumber"])
def test_a_payer_may_be_named_by_a_giro_number(name: str) -> None:
    for payment, product in both(GIRO):
        payment = with_value(with_value(payment, "debtorAccount.iban", None), f"debtorAccount.{name}", "000 0000")
        assert getattr(as_order(payment, product).body.debtor_account, python_path(name)) == "0000000"
        said = rf"^payment\.(debtorAccount\.{name}|debtor_account\.{python_path(name)}) is not a valid giro number"
        with pytest.raises(InvalidArgumentError, match=said):
            as_order(with_value(payment, f"debtorAccount.{name}", "0000001"), product)


@pytest.mark.parametrize("number", ["bban", "accountNumber"])
def test_a_clearing_number_goes_with_a_national_number(number: str) -> None:
    for payment, product in both(DOMESTIC):
        payment = with_value(with_value(payment, "creditorAccount.iban", None), f"creditorAccount.{number}", "1")
        order = as_order(with_value(payment, "creditorAccount.clearingNumber", "6000"), product)
        assert order.body.creditor_account.to_dict() == {number: "1", "clearingNumber": "6000"}


@pytest.mark.parametrize("product", KEYS)
def test_a_good_payment_is_copied_and_can_be_sent(product: str) -> None:
    for payment, said in both(product):
        before = copy.deepcopy(payment)
        order = as_order(payment, said)

        assert payment == before
        assert (order.product, order.warnings) == (product, ())
        assert re.fullmatch(r"[a-z0-9]{32}", order.end_to_end_identification)
        assert order.body.to_dict() == {**GOOD[product], "endToEndIdentification": order.end_to_end_identification}
        assert order.body.creditor_name == NAME
        assert order.body.debtor_account is not getattr(payment, "debtor_account", None)
        assert sent(order) == order.body.to_dict()
        assert as_order(order.body).body == order.body
        assert not any(secret in repr(order) for secret in (PAYER, NAME, order.end_to_end_identification))


def test_each_payment_gets_a_reference_of_its_own_and_keeps_a_given_one() -> None:
    payment = model_of(DOMESTIC)
    assert len({as_order(payment).end_to_end_identification for _ in range(100)}) == 100
    payment.end_to_end_identification = "mine"
    order = as_order(payment)
    assert order.end_to_end_identification == order.body.end_to_end_identification == "mine"


@pytest.mark.parametrize(
    ("product", "wrong", "right"), [(GIRO, "000017", "000018"), (SEPA, "RF74000002", "RF74000001")]
)
def test_a_check_digit_of_a_reference_is_a_warning(
    product: str, wrong: str, right: str, caplog: pytest.LogCaptureFixture
) -> None:
    for payment, said in both(product):
        caplog.clear()
        assert as_order(with_value(payment, "ocrRef", right), said).warnings == ()
        assert caplog.records == []
        (warning,) = as_order(with_value(payment, "ocrRef", wrong), said).warnings
        (record,) = caplog.records
        assert warning.startswith("payment.ocrRef has" if said else "payment.ocr_ref has")
        assert (record.levelno, record.getMessage()) == (logging.WARNING, warning)
        assert wrong not in warning


@pytest.mark.parametrize("payment", [None, "x", 1, [], [GOOD[DOMESTIC]], object(), models.DomesticPayment, models.City])
def test_what_is_no_payment_is_refused(payment: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^payment must be a DomesticPayment or .* or a mapping") as caught:
        as_order(payment, DOMESTIC)
    assert caught.value.argument == "payment"


@pytest.mark.parametrize("product", [None, "", " ", "swedish giro", " domestic", 5, b"domestic", ["domestic"]])
def test_the_product_of_a_mapping_has_to_be_said(product: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^product must be a word") as caught:
        as_order(GOOD[DOMESTIC], product)
    assert caught.value.argument == "product"


def test_a_product_beside_a_model_must_not_contradict_it() -> None:
    for one in KEYS:
        assert as_order(model_of(one), one).product == one
        assert as_order(model_of(one), "international").product == "international"
        for other in {*KEYS} - {one}:
            with pytest.raises(InvalidArgumentError, match=f"^payment is for {one}, not for {other}"):
                as_order(model_of(one), other)


def test_a_product_of_a_banks_own_is_sent_as_it_is() -> None:
    payment = UserDict({"paid": amount(1, "SEK"), "on": [DAY], "deep": {"a": (1, None, True)}})
    order = as_order(payment, "instant")

    assert (order.product, order.warnings) == ("instant", ())
    assert order.body == {
        "paid": {"currency": "SEK", "amount": "1.00"},
        "on": [DAY.isoformat()],
        "deep": {"a": [1, None, True]},
        "endToEndIdentification": order.end_to_end_identification,
    }
    assert json.loads(json.dumps(order.body)) == order.body
    assert "endToEndIdentification" not in payment
    assert as_order({"endToEndIdentification": "mine"}, "instant").end_to_end_identification == "mine"


@pytest.mark.parametrize(
    ("payment", "place"),
    [
        ({"a": {"my_own": [1, 1.5]}}, r"payment.a.my_own\[1\]"),
        ({"paid": models.MonetaryAmount("SEK", 1.5)}, "payment.paid.amount"),  # type: ignore[arg-type]
        ({"a": float("nan")}, "payment.a"),
        ({"a": [object()]}, r"payment.a\[0\]"),
        ({"a": models.MonetaryAmount}, "payment.a"),
        ({"a": Decimal(1)}, "payment.a"),
        ({"a": "\ud800"}, "payment.a"),
        ({("a",): 1}, "payment"),
        ({"endToEndIdentification": "x" * 36}, "payment.endToEndIdentification"),
        ({"endToEndIdentification": 5}, "payment.endToEndIdentification"),
    ],
)
def test_of_a_banks_own_what_is_no_json_or_a_float_is_refused(payment: Any, place: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{place} "):
        as_order(payment, "instant")


def test_what_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["more"] = endless
    for payment, product in ((endless, "instant"), ({**GOOD[DOMESTIC], "more": endless}, DOMESTIC)):
        with pytest.raises(InvalidArgumentError, match=r"^payment must not be nested that deeply"):
            as_order(payment, product)


def test_fields_of_a_banks_own_are_sent_with_a_payment() -> None:
    for payment, product in both(DOMESTIC):
        (payment if product else payment.additional_properties)["urgent"] = {"now": [True]}
        assert as_order(payment, product).body.to_dict()["urgent"] == {"now": [True]}
        (payment if product else payment.additional_properties)["urgent"] = {"now": [1.5]}
        with pytest.raises(InvalidArgumentError, match=r"^payment.urgent.now\[0\] must not be a float"):
            as_order(payment, product)


def test_a_field_under_another_name_would_be_sent_unchecked() -> None:
    mapping = {**GOOD[DOMESTIC], "requested_execution_date": DAY}
    with pytest.raises(InvalidArgumentError, match=r"^payment.requested_execution_date is not given as the field"):
        as_order(mapping, DOMESTIC)
    # what can't be read stays in `additional_properties`, from where it would be sent
    unreadable = models.DomesticPayment.from_dict({**GOOD[DOMESTIC], "requestedExecutionDate": "tomorrow"})
    with pytest.raises(InvalidArgumentError, match=r"^payment.requestedExecutionDate .* is not what that must be"):
        as_order(unreadable)
    extras: tuple[Any, ...] = ([], 5, "x")
    for extra in extras:
        with pytest.raises(InvalidArgumentError, match=r"^payment.additional_properties must be a dict"):
            as_order(with_value(model_of(DOMESTIC), "additional_properties", extra))


def test_a_quote_is_confirmed_by_a_cross_border_payment() -> None:
    for payment, _ in both(CROSS):
        order = as_order(payment, "cross-border")
        operation = Operation.of(confirm_cross_border_payment_intent, "quote", x_bic_fi="ESSESESS", body=order.body)
        assert operation.request["json"] == order.body.to_dict()
    with pytest.raises(InvalidArgumentError, match=r"^payment is for domestic, not for cross-border"):
        as_order(model_of(DOMESTIC), "cross-border")
    with pytest.raises(InvalidArgumentError, match=r"^payment.creditorAddress.city is missing"):
        as_order(with_value(copy.deepcopy(GOOD[CROSS]), "creditorAddress.city", None), "cross-border")


def places(value: Any, path: str = "") -> Iterator[str]:
    for key, each in value.items() if isinstance(value, dict) else ():
        here = f"{path}.{key}".lstrip(".")
        yield here
        yield from places(each, here)


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.binary(max_size=3)
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.decimals()
    | st.sampled_from(
        ["1.50", PAYER, "000-0000", "SEK", "ESSESESS", models.MonetaryAmount(), Foreign(), models.Address]
    )
)
ANYTHING = st.recursive(
    ATOMS, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=9), some, max_size=3)
)
PLACES = [(product, path) for product in KEYS for path in [*places(GOOD[product]), "endToEndIdentification", "unknown"]]


@settings(max_examples=1000, deadline=None, database=None, derandomize=True)
@given(st.sampled_from(PLACES), ANYTHING)
def test_whatever_is_changed_it_ends_in_an_order_or_in_a_refusal(place: tuple[str, str], value: object) -> None:
    product, path = place
    for payment, said in both(product):
        if path == "unknown" and said is None:
            payment.additional_properties = {"unknown": value}
        else:
            payment = with_value(payment, path, value)
        try:
            order = as_order(payment, said)
        except InvalidArgumentError as error:
            refused = error
        else:
            body = sent(order)
            json.dumps(body, allow_nan=False)
            assert 1 <= len(body["endToEndIdentification"]) <= 35
            continue
        assert re.match(r"payment[. ]", str(refused))
        assert refused.argument == "payment"


@pytest.mark.parametrize("product", ["Domestic", "DOMESTIC"])
def test_a_product_in_capitals_is_checked_as_well(product: str) -> None:
    assert as_order(copy.deepcopy(GOOD[DOMESTIC]), product).product == "domestic"
    with pytest.raises(InvalidArgumentError, match=r"^payment.instructedAmount.amount must be above zero"):
        as_order(with_value(copy.deepcopy(GOOD[DOMESTIC]), "instructedAmount.amount", "-5"), product)


@pytest.mark.parametrize("key", [5, None, True])
def test_names_are_strings(key: Any) -> None:
    given: list[tuple[Any, str]] = [(copy.deepcopy(GOOD[DOMESTIC]), "domestic"), ({}, "own"), ({"x": {}}, "own")]
    for payment, product in given:
        payment.get("x", payment)[key] = 1
        with pytest.raises(InvalidArgumentError, match=r"^payment\S* must have strings as names"):
            as_order(payment, product)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_reference_for_a_banks_own_product_is_made(blank: Any) -> None:
    order = as_order({"endToEndIdentification": blank}, "instant")
    assert order.body["endToEndIdentification"] == order.end_to_end_identification != blank
