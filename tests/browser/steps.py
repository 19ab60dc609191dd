"""Steps that several tests take."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from openpayments_facade.simulator import Simulator
from tests.browser.visitor import Visitor

WAYS = {"qr": "Scan a QR code", "app": "App on this device", "browser": "The bank's website"}
REFERENCE = re.compile(r"Reference:\s*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def ask(visitor: Visitor, *, bic: str = "ESSESESS", user: str = "example-user", way: str = "qr") -> None:
    """Chooses a bank, and how to approve."""
    visitor.go(f"/banks/{bic}")
    visitor.page.get_by_label("Simulated user").select_option(user)
    visitor.page.get_by_label(WAYS[way]).check()
    visitor.press("Continue")


def connect(visitor: Visitor, simulator: Simulator, *, user: str = "example-user") -> str:
    """Connects a bank, and gives the id of the consent."""
    ask(visitor, user=user)
    visitor.sees("Approve at")
    consent = simulator.consents[-1].id
    simulator.approve(consent)
    visitor.sees("Accounts")
    return consent


def fill_payment(visitor: Visitor, *, payee: str = "Example Shop", amount: str = "125.50", presses: int = 1) -> None:
    """Fills in the form of a payment, and sends it."""
    page = visitor.page
    page.get_by_label("Payee", exact=True).fill(payee)
    page.get_by_label("Payee's account (IBAN)").fill("SE35 5000 0000 0549 1000 0003")
    page.get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Continue").click(click_count=presses)


def pay(visitor: Visitor) -> None:
    """Makes a payment, up to its review."""
    visitor.go("/payments/new")
    fill_payment(visitor)


def settle(visitor: Visitor, simulator: Simulator) -> None:
    """Sees that a payment is accepted, and then that it is settled."""
    visitor.sees("On its way")
    simulator.settle_payment(simulator.payments[-1].id)
    visitor.sees("Paid")


def told(visitor: Visitor, title: str, *, advice: str) -> None:
    """Sees what went wrong, what to do, and the number to quote."""
    visitor.sees(title)
    main = visitor.page.get_by_role("main")
    expect(main).to_contain_text(advice)
    expect(main).to_contain_text(REFERENCE)
    visitor.look(title)
