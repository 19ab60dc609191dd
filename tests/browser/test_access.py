"""The journey for people without a mouse, without a script, or who can't bear things that move."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from openpayments_facade.simulator import Simulator
from tests.browser.chromium import PHONE
from tests.browser.steps import ask, connect, pay, settle
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]

# what a keyboard reaches: of a group of radio buttons one, and nothing that a script alone puts the cursor into
CONTROLS: Final = """() => {
  const named = new Set();
  const controls = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
  return [...controls].filter(each => {
    if (!each.checkVisibility({visibilityProperty: true}) || each.tabIndex < 0 || each.disabled) return false;
    if (each.type !== "radio") return true;
    return !named.has(each.name) && named.add(each.name);
  }).length;
}"""
# where the cursor is: a number for each element, and whether it can be seen
CURSOR: Final = """() => {
  const at = document.activeElement;
  if (!at || at === document.body || at === document.documentElement) return null;
  window.reached ??= [];
  if (!window.reached.includes(at)) window.reached.push(at);
  const shown = [at, at.closest("label")].some(each => {
    if (!each) return false;
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = (at.closest("label") ?? at).getBoundingClientRect();
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 10));
  const isCovered = !(at.closest("label") ?? at).contains(middle) && !middle?.contains(at);
  return {number: window.reached.indexOf(at), shown, isCovered, what: at.outerHTML.slice(0, 120)};
}"""


def tab_to(page: Page, name: str) -> None:
    """Presses Tab until the cursor is at the control with this name."""
    for _ in range(60):
        page.keyboard.press("Tab")
        text = page.evaluate("() => document.activeElement.innerText ?? ''") or ""
        labels = page.evaluate("() => [...(document.activeElement.labels ?? [])].map(each => each.innerText).join(' ')")
        if name in f"{text} {labels}":
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_the_keyboard_alone(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    page, keyboard = visitor.page, visitor.page.keyboard
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)")

    visitor.go("/")
    tab_to(page, "Sweden")
    keyboard.press("Enter")
    visitor.sees("Choose your bank")
    tab_to(page, "Search for a bank")
    keyboard.type("swed")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    tab_to(page, "Swedbank")
    keyboard.press("Enter")
    visitor.sees("Connect Swedbank")
    tab_to(page, "Scan a QR code")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    expect(page.get_by_label("The bank's website")).to_be_checked()
    tab_to(page, "Continue")
    keyboard.press("Enter")
    visitor.sees("Approve at")
    tab_to(page, "Continue to Swedbank")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    tab_to(page, "Approve")
    keyboard.press("Enter")
    visitor.sees("Accounts")
    tab_to(page, "Disconnect")
    keyboard.press("Enter")
    tab_to(page, "Yes, disconnect")
    keyboard.press("Enter")
    expect(page.get_by_text("No bank is connected")).to_be_visible()
    assert simulator.consents[-1].status == "terminatedByTpp"


@pytest.mark.parametrize("way", ["desk", "phone"])
def test_every_control_is_reached_and_seen_and_none_is_a_trap(visit: Visit, simulator: Simulator, way: str) -> None:
    visitor = visit(PHONE) if way == "phone" else visit()
    page = visitor.page
    connect(visitor, simulator)
    account = page.get_by_role("link", name="Lönekonto").get_attribute("href")
    for path in ("/", "/banks?country=SE", "/banks/ESSESESS", "/accounts", account, "/payments/new"):
        assert path
        visitor.go(path)
        page.evaluate("() => document.activeElement.blur()")
        expected, reached = page.evaluate(CONTROLS), set[int]()
        for _ in range(expected + 2):
            page.keyboard.press("Tab")
            cursor = page.evaluate(CURSOR)
            if cursor:
                assert cursor["shown"], f"{path}: the cursor can't be seen at {cursor['what']}"
                assert not cursor["isCovered"], f"{path}: something covers {cursor['what']}"
                reached.add(cursor["number"])
        assert len(reached) == expected, path


def test_the_cursor_is_where_attention_is_needed(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    visitor.go("/payments/new")
    visitor.press("Continue")
    visitor.sees("Please check the form")
    assert "Please check the form" in visitor.page.evaluate("() => document.activeElement.innerText")
    visitor.page.get_by_role("link", name="Enter the name of the payee").click()
    expect(visitor.page.get_by_label("Payee", exact=True)).to_be_focused()


def test_without_scripts(visit: Visit, simulator: Simulator) -> None:
    visitor = visit(javascript=False)
    page = visitor.page
    visitor.press("Sweden")
    page.get_by_label("Search for a bank").fill("nordea")
    visitor.press("Search")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    visitor.press("Nordea")
    page.get_by_label("The bank's website").check()
    visitor.press("Continue")
    visitor.press("Continue to Nordea")
    visitor.press("Approve")
    visitor.sees("Accounts")
    visitor.press("Lönekonto")
    page.get_by_label("Search in transactions").fill("telefon")
    visitor.press("Search")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* found for"))).to_be_visible()
    pay(visitor)
    visitor.sees("Review the payment")
    visitor.press("Approve at Nordea")
    visitor.press("Continue to Nordea")
    visitor.press("Approve")
    settle(visitor, simulator)
    visitor.go("/accounts")
    page.get_by_text("Disconnect", exact=False).first.click()
    visitor.press("Yes, disconnect")
    expect(page.get_by_text("No bank is connected")).to_be_visible()


def test_a_qr_code_without_scripts(visit: Visit, simulator: Simulator) -> None:
    visitor = visit(javascript=False, path="/banks/ESSESESS")
    visitor.page.get_by_label("Scan a QR code").check()
    visitor.press("Continue")
    expect(visitor.page.get_by_role("img", name="QR code")).to_be_visible()
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")


def test_nothing_moves_for_who_asked_for_that(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    still(visitor)
    ask(visitor)
    visitor.sees("Approve at")
    still(visitor)  # though the page waits
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")
    still(visitor)


def still(visitor: Visitor) -> None:
    """Sees that no element moves, or would."""
    moving = visitor.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(each => {
            const style = getComputedStyle(each);
            const seconds = [style.transitionDuration, style.animationDuration].join().split(",");
            return seconds.some(each => parseFloat(each) > 0.01) || style.scrollBehavior === "smooth";
        }).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert moving == []
