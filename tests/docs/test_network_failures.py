"""What docs/network-failures.md advises works when an answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import RequestError

from .conftest import SOMEBODY
from .test_blocks import check

if TYPE_CHECKING:
    from .conftest import Reader

PAGE = "docs/network-failures.md"
CREATE = ("POST", "/psd2/paymentinitiation/v1/payments/domestic")
LOST = {
    "What happens when the network fails": [CREATE],
    "Creating a payment": [CREATE],
    "Authorising": [("POST", "*/authorisations"), ("PUT", "*/authorisations/*")],
    "Cancelling": [("DELETE", "/psd2/paymentinitiation/v1/payments")],
    "Baskets": [("POST", "/psd2/paymentinitiation/v1/signing-baskets"), CREATE],
    "Quotes and KYC": [("POST", "/psd2/paymentinitiation/v1/fx")],
}
"""What the blocks under each heading live through."""


@pytest.mark.openpayments_simulator(settlement=600)
@pytest.mark.parametrize(
    "fault",
    [
        {"close": True},
        {"close": True, "carried_out": True},
        {"close": True, "truncate": 20},
        {"status": 502, "carried_out": True},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("heading", "method", "path"), [(heading, *each) for heading in LOST for each in LOST[heading]]
)
def test_a_lost_answer(heading: str, method: str, path: str, fault: dict[str, Any], reader: Reader) -> None:
    assert reader.payment  # before there is a fault
    simulator, block = reader.simulator, reader.block(PAGE, heading)
    lost = simulator.misbehave(path, method=method, **fault)
    printed = reader.python(block.code)
    assert lost.used == 1
    if heading == "What happens when the network fails":
        assert "create it again" in printed
    else:
        check(block, printed)
    statuses = [payment.status for payment in simulator.payments]
    assert statuses.count("ACSP") == (heading == "Authorising")
    assert statuses.count("CANC") == (heading == "Cancelling")


@pytest.mark.openpayments_simulator(settlement=600)
def test_an_approval_whose_start_was_lost(reader: Reader) -> None:
    block = reader.block(PAGE, "Authorising")
    reader.python(block.code)
    lost = reader.simulator.misbehave(method="POST", close=True)
    check(block, reader.python(block.code))
    [payment] = reader.simulator.payments
    assert (lost.used, len(payment.authorisations)) == (1, 1)


@pytest.mark.openpayments_simulator(settlement=600)
def test_a_lost_cancellation_that_the_user_approves(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader.simulator.client() as op:
        bank = op.at_bank("SWEDSESS", SOMEBODY)
        payment = bank.payments.create(bank_order(), product="domestic")
        bank.payments.authorise(payment).wait()
    monkeypatch.setenv("PAYMENT", payment.payment_id)
    lost = reader.simulator.misbehave(method="DELETE", close=True)
    block = reader.block(PAGE, "Cancelling")
    check(block, reader.python(block.code.replace("ESSESESS", "SWEDSESS")))
    assert lost.used == 1


def bank_order() -> dict[str, Any]:
    return {
        "instructedAmount": {"amount": "125.50", "currency": "SEK"},
        "debtorAccount": {"iban": "SE4550000000058398257466"},
        "creditorAccount": {"iban": "SE3550000000054910000003"},
        "creditorName": "Example Shop",
    }


def test_a_key(reader: Reader) -> None:
    reader.python(reader.block(PAGE, "A key against doing it twice").code)
    assert len(reader.simulator.payments) == 1


def test_a_key_in_a_handler(reader: Reader) -> None:
    code = reader.block(PAGE, "A key against doing it twice", 1).code
    names: dict[str, Any] = {"__name__": "handler"}
    exec(compile(code[: code.index("user = ")], PAGE, "exec"), names)
    create_once, simulator, row = names["create_once"], reader.simulator, {"order": "order-1235", "attempt": 1}
    simulator.misbehave(method="POST", path="/psd2", close=True)
    with simulator.client() as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(RequestError):
            create_once(bank, row)
        assert row["attempt"] == 2
        created = [create_once(bank, row).payment_id for _ in range(2)]
    assert created == [simulator.payments[-1].id] * 2
