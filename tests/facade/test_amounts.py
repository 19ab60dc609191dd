"""Amounts to pay are sent exactly as they are given."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpayments_facade import InvalidArgumentError, MonetaryAmount, amount, money


@pytest.mark.parametrize(
    ("value", "currency", "sent"),
    [
        (Decimal("1.50"), "SEK", "1.50"),
        (Decimal("1.5"), "SEK", "1.50"),
        (Decimal("1.5000"), "SEK", "1.50"),
        ("100.0", "JPY", "100"),
        ("1.5", "SEK", "1.50"),
        ("007", "EUR", "7.00"),
        ("0.01", "EUR", "0.01"),
        (1, "SEK", "1.00"),
        (1, "JPY", "1"),
        (Decimal("1E+3"), "SEK", "1000.00"),
        (Decimal("1E+3"), "KRW", "1000"),
        (Decimal("1E-2"), "SEK", "0.01"),
        ("1.5", "KWD", "1.500"),
        ("1.234", "BHD", "1.234"),
        ("99999999999999.99", "SEK", "99999999999999.99"),
        ("1", "QQQ", "1.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(value: Any, currency: str, sent: str) -> None:
    assert amount(value, currency) == MonetaryAmount(currency=currency, amount=sent)


@pytest.mark.parametrize("currency", ["sek", " SEK ", "Sek\n"])
def test_a_currency_is_put_right(currency: str) -> None:
    assert amount(1, currency).currency == "SEK"


@pytest.mark.parametrize(
    "value", [1.5, 1.0, float("nan"), True, None, b"1", Fraction(1, 2), [1], object(), amount(1, "SEK")]
)
def test_what_is_no_exact_number_is_refused_with_advice(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^value must be .*Decimal\(\"1\.50\"\)") as caught:
        amount(value, "SEK")
    assert caught.value.argument == "value"


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "1,50", "1 000", "1 000.00", " 1", "1.", ".5", "+1", "1e3", "1_000", "SEK 1", "٣", "1\n", "--1"),
        *("1.2.3", "NaN", "Infinity", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")),
        pytest.param("9" * 5000, id="long"),
    ],
)
def test_a_text_is_a_plain_number(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^value must be a plain number with a dot"):
        amount(value, "SEK")


@pytest.mark.parametrize("value", [0, -1, "0", "0.00", "-0.01", Decimal("-0"), Decimal("-1E+5")])
def test_it_is_above_zero(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^value must be above zero"):
        amount(value, "SEK")


@pytest.mark.parametrize(
    ("value", "currency", "problem"),
    [
        ("1.001", "SEK", "2 decimals in SEK"),
        ("1.501", "SEK", "2 decimals in SEK"),
        (Decimal("1E-9"), "SEK", "2 decimals in SEK"),
        ("1.5", "JPY", "0 decimals in JPY"),
        ("1.1", "isk", "0 decimals in ISK"),
        ("1.0001", "KWD", "3 decimals in KWD"),
        (10**14, "SEK", "14 digits"),
        pytest.param(10**5000, "SEK", "14 digits", id="huge"),
        (Decimal("1E+999999"), "SEK", "14 digits"),
    ],
)
def test_it_has_no_more_digits_than_can_be_sent(value: Any, currency: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^value must not have more than {problem}"):
        amount(value, currency)


@pytest.mark.parametrize("currency", ["", "SE", "SEKK", "S K", "kr", "12A", "ÅÄÖ", "ßE", None, 752, b"SEK", ["SEK"]])
def test_a_currency_is_three_letters(currency: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^currency must be an ISO 4217") as caught:
        amount(1, currency)
    assert caught.value.argument == "currency"


@given(st.decimals(min_value="0.01", max_value="99999999999999.99", places=2))
def test_nothing_is_rounded_whatever_the_context(value: Decimal) -> None:
    with localcontext(prec=3):
        sent = amount(value, "SEK")
    assert money(sent) == value
    assert amount(sent.amount or "", "SEK") == sent
