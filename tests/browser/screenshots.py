"""Takes the pictures of docs/bank-journey.md: `make screenshots`. Seed and clock are fixed, so they stay the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright

from openpayments_facade.simulator import Simulator
from tests.browser import pictures
from tests.browser.application import ROOT, Application
from tests.browser.chromium import DESK, PHONE, Device, started
from tests.browser.served import STILL
from tests.browser.steps import ask, fill_payment
from tests.browser.visitor import Visitor

FOLDER: Final = ROOT / "docs" / "screenshots"
SCALES: Final = {DESK: 1, PHONE: 2}


def main() -> None:
    os.environ["FONTCONFIG_FILE"] = str(Path(__file__).with_name("fonts.conf"))
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright, started(playwright) as browser:
        for device in (DESK, PHONE):
            _go_through(browser, device)


def _go_through(browser: Browser, device: Device) -> None:
    seconds = 0.0
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(
            seed=7,
            transactions=400,
            page_size=50,
            newest_first=True,
            decoupled_reads=None,
            clock=lambda: STILL.timestamp() + seconds,
        ) as simulator,
    ):
        application = Application(simulator, Path(folder), "--still")
        application.start()
        # no source has logos that may be shown: initials stand for them
        visitor = Visitor(browser, device, url=application.url, has_logos=False, scale=SCALES[device])
        blank = browser.new_page()

        def take(name: str) -> None:
            visitor.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
            for scheme in ("light", "dark"):
                visitor.page.emulate_media(color_scheme=scheme)
                picture = visitor.page.screenshot(animations="disabled")
                pictures.save(picture, FOLDER / f"{name}-{device.name}-{scheme}.png", blank)

        try:
            _steps(visitor, simulator, take)
            seconds = 10  # the payment is settled
            visitor.sees("Paid")
            expect(visitor.page.get_by_text("In your account")).not_to_contain_text("pending")
            take("payment")
        finally:
            visitor.close()
            blank.close()
            application.stop()


def _steps(visitor: Visitor, simulator: Simulator, take: Callable[[str], None]) -> None:
    visitor.go("/")
    visitor.sees("Where is your bank?")
    take("countries")
    visitor.press("Sweden")
    visitor.sees("Choose your bank")
    take("banks")
    for bic in ("SWEDSESS", "ESSESESS"):
        # the code in the picture is always the first one
        visitor.page.route("**/state", lambda route: route.fulfill(json={"over": False}))
        ask(visitor, bic=bic)
        visitor.sees("Approve at")
        if bic == "ESSESESS":
            take("approve")
        visitor.page.unroute("**/state")
        simulator.approve(simulator.consents[-1].id)
        visitor.sees("Accounts")
    take("accounts")
    visitor.press("Lönekonto")
    visitor.sees("Transactions")
    take("account")
    visitor.press("Pay from this account")
    fill_payment(visitor, payee="Exempel Bokhandel AB", amount="349")
    visitor.sees("Review the payment")
    visitor.press("Approve at")
    visitor.sees("Approve at")
    simulator.approve(simulator.payments[-1].id)
    visitor.sees("On its way")


if __name__ == "__main__":
    main()
