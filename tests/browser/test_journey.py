"""The journey from a country to a payment's status, at a desk and on a phone, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from openpayments_facade.simulator import Simulator
from tests.browser.chromium import PHONE, Device
from tests.browser.steps import ask, fill_payment, settle
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]


def test_from_a_country_to_transactions_by_the_banks_website(
    visit: Visit, device: Device, simulator: Simulator
) -> None:
    visitor = visit(device)
    page = visitor.page
    visitor.sees("Where is your bank?")
    visitor.look("countries")

    visitor.press("Sweden")
    visitor.sees("Choose your bank in Sweden")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    visitor.look("banks")
    page.get_by_label("Search for a bank").fill("swedb")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    visitor.look("banks found")

    visitor.press("Swedbank")
    visitor.sees("Connect Swedbank")
    visitor.look("bank")
    page.get_by_label("The bank's website").check()
    visitor.press("Continue")
    visitor.sees("Approve at Swedbank")
    visitor.look("approve")
    visitor.press("Continue to Swedbank")
    visitor.look("the bank's page")
    visitor.press("Approve")

    visitor.sees("Accounts")
    expect(page.get_by_text("Total in SEK")).to_be_visible()
    visitor.look("accounts")
    visitor.press("Lönekonto")
    visitor.sees("Balance over 90 days")
    expect(page.locator("svg.chart:visible").first).to_be_visible()
    page.get_by_text("The numbers as a table").click()
    visitor.look("account")

    rows = page.locator("table.transactions tbody tr")
    newest = rows.all_inner_texts()
    visitor.press("Earlier")
    visitor.page.wait_for_url("**cursor=**")
    assert newest
    earlier = rows.all_inner_texts()
    assert earlier
    assert set(earlier).isdisjoint(newest)
    visitor.look("earlier transactions")
    told = page.get_by_role("status").element_handle()  # the same afterwards: a new one is not read out
    page.get_by_label("Search in transactions").fill("telefon")
    expect(page.get_by_role("status").filter(has_text="found for")).to_be_visible()
    assert told
    assert "found for" in told.inner_text()
    found = rows.all_inner_texts()
    assert found
    assert all("Telefon" in text for text in found)
    visitor.look("transactions found")
    page.get_by_label("Search in transactions").fill("no such thing")
    expect(page.get_by_text("Nothing has")).to_be_visible()
    visitor.look("no transactions found")

    visitor.press("Accounts")
    page.locator("summary").filter(has_text="Disconnect").click()
    visitor.press("Yes, disconnect")
    expect(page.get_by_text("No bank is connected")).to_be_visible()
    visitor.look("no accounts")
    assert simulator.consents[-1].status == "terminatedByTpp"


def test_a_payment_with_its_live_status(visit: Visit, device: Device, simulator: Simulator) -> None:
    visitor = visit(device)
    page = visitor.page
    ask(visitor, bic="SWEDSESS", way="browser")
    visitor.press("Continue to Swedbank")
    visitor.press("Approve")
    visitor.press("Lönekonto")
    visitor.press("Pay from this account")
    amount = f"1 250,{device.width % 100}"
    visitor.sees("New payment")
    visitor.press("Continue")
    visitor.sees("Please check the form")
    expect(page.get_by_label("Payee", exact=True)).to_have_attribute("aria-invalid", "true")
    visitor.look("payment, with errors")
    fill_payment(visitor, payee="Example Flagged", amount=amount)
    visitor.sees("Review the payment")
    expect(page.get_by_text("The bank warns")).to_be_visible()
    visitor.look("payment, review")
    visitor.press("Approve at Swedbank")
    visitor.sees("Approve at Swedbank")
    visitor.press("Continue to Swedbank")
    visitor.press("Approve")
    visitor.sees("On its way")
    visitor.look("payment, on its way")
    expect(page.get_by_text("In your account")).to_contain_text("pending")
    settle(visitor, simulator)
    expect(page.get_by_text("In your account")).not_to_contain_text("pending")
    visitor.look("payment, paid")

    visitor.press("To the account")
    rows = page.locator("table.transactions tbody tr")
    entry = rows.filter(has_text="Example Flagged").filter(has_text=amount.replace(",", ".").replace(" ", ","))
    expect(entry).to_have_count(1)


def test_by_a_qr_code_that_renews_itself(visit: Visit, device: Device, simulator: Simulator) -> None:
    visitor = visit(device, path="/banks/ESSESESS")
    visitor.page.get_by_label("Scan a QR code").check()
    visitor.press("Continue")
    code = visitor.page.locator("#qr")
    expect(code).to_be_visible()
    first = code.inner_html()
    visitor.look("approve, QR code")
    expect(code).not_to_have_js_property("innerHTML", first)
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")
    expect(visitor.page.get_by_text("Lönekonto")).to_be_visible()


def test_by_the_app_on_the_same_device(visit: Visit, simulator: Simulator) -> None:
    visitor = visit(PHONE, path="/banks/ESSESESS")
    expect(visitor.page.get_by_label("App on this device")).to_be_checked()  # a phone can't scan itself
    visitor.press("Continue")
    link = visitor.page.get_by_role("link", name="Open the app")
    expect(link).to_have_attribute("href", re.compile("^(bankid:|https:)"))
    visitor.look("approve, app")
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")


@pytest.mark.parametrize("bic", ["HANDSESS", "NDEASESS"])
def test_a_bank_that_does_not_offer_what_was_chosen(visit: Visit, bic: str) -> None:
    visitor = visit(path=f"/banks/{bic}")
    visitor.page.get_by_label("Scan a QR code").check()
    visitor.press("Continue")
    if bic == "NDEASESS":  # it has its website alone
        visitor.press("Continue to Nordea")
        visitor.press("Approve")
    visitor.sees("Accounts")
    expect(visitor.page.get_by_text("Lönekonto")).to_be_visible()
