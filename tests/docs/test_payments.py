"""What docs/payments.md and docs/payments-more.md say of payments that don't go as usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openpayments_facade import PaymentStatus
from scripts.docs_blocks import ROOT

from .conftest import SOMEBODY
from .test_blocks import check
from .test_network_failures import bank_order

if TYPE_CHECKING:
    from .conftest import Reader

PAGE = "docs/payments.md"


@pytest.mark.openpayments_simulator(settlement=600)
def test_a_callback_that_is_loaded_twice(reader: Reader) -> None:
    with reader.simulator.client() as op:
        op.token()  # the next token request is that for the code
    used = reader.simulator.misbehave(
        "/connect/token", status=400, body={"error": "invalid_grant"}, carried_out=True, times=None
    )
    block = reader.block(PAGE, "Approving")
    check(block, reader.python(block.code))
    assert used.used == 1


@pytest.mark.openpayments_simulator(settlement=600)
@pytest.mark.parametrize(("bank", "status"), [("SWEDSESS", "CANC"), ("HANDSESS", "ACSP")])
def test_cancelling_what_is_approved(bank: str, status: str, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader.simulator.client() as op:
        at = op.at_bank(bank, SOMEBODY).payments
        payment = at.create(bank_order(), product="domestic")
        at.authorise(payment).wait()
    monkeypatch.setenv("PAYMENT", payment.payment_id)
    printed = reader.python(reader.block(PAGE, "Cancelling").code.replace("ESSESESS", bank))
    assert printed.endswith(f"{status}\n")
    assert printed.startswith("It can't be cancelled") == (status != "CANC")


def test_one_payment_of_a_basket_is_rejected(reader: Reader) -> None:
    status = "/psd2/paymentinitiation/v1/payments/domestic/*/status"
    reader.simulator.misbehave(status, change={"transactionStatus": "RJCT"})
    printed = reader.python(reader.block("docs/payments-more.md", "Many payments, one signature").code)
    first, *others = printed.splitlines()
    assert first == "salary-0 RJCT"
    assert [line.split()[1][:3] for line in others] == ["ACS", "ACS"]


def test_every_status_is_as_the_table_says() -> None:
    rows = [
        [cell.strip("` ") for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs/payment-statuses.md").read_text("utf-8").splitlines()
        if line.startswith("| `") and line.count("|") == 7
    ]
    assert len(rows) == 14
    for code, _, *expected, _ in rows:
        status = PaymentStatus(code)
        flags = [status.is_accepted, status.is_final, status.is_failed]
        assert [("no", "yes")[flag] for flag in flags] == expected, code
