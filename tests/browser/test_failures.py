"""What goes wrong ends in a sentence, with what to do and a number to quote, and never in a dead end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from openpayments_facade.simulator import Simulator
from tests.browser.application import Application
from tests.browser.chromium import DESK
from tests.browser.steps import ask, connect, fill_payment, pay, settle, told
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
CONSENT, ACCOUNTS, PAYMENTS = "/psd2/consent", "/psd2/accountinformation", "/psd2/paymentinitiation"


def test_declined_at_the_bank(visit: Visit) -> None:
    visitor = visit()
    ask(visitor, way="browser")
    visitor.press("Continue to")
    visitor.press("Decline")
    told(visitor, "You declined", advice="try again")
    visitor.press("Try again")
    visitor.sees("Connect Skandinaviska")


def test_declined_in_the_app(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    ask(visitor)
    visitor.sees("Approve at")
    simulator.decline(simulator.consents[-1].id)
    told(visitor, "You declined", advice="try again")


@pytest.mark.parametrize(
    ("user", "title", "advice"),
    [
        ("example-fails", "The approval did not work out", "Try again"),
        ("example-has-no-rights", "You may not approve this", "Ask whoever manages your account"),
        ("99990101004", "That took too long", "Try again"),
        ("99990101005", "Your BankID does not work here", "Activate it"),
        ("99990101002", "Somebody else has to approve as well", "Ask them"),
    ],
)
def test_an_approval_that_does_not_work_out(visit: Visit, user: str, title: str, advice: str) -> None:
    visitor = visit()
    ask(visitor, user=user, way="browser")
    visitor.press("Continue to")
    visitor.press("Approve")
    told(visitor, title, advice=advice)


def test_nobody_approves_in_time(visit: Visit, application: Application) -> None:
    visitor = visit()
    ask(visitor, user="example-never-ends")
    visitor.sees("Approve at")
    application.let_time_pass(600)
    told(visitor, "Nobody approved in time", advice="Try again")
    visitor.press("Try again")
    visitor.sees("Connect Skandinaviska")


def test_the_bank_is_down_when_it_is_connected(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    simulator.misbehave(CONSENT, status=503, times=None)
    ask(visitor)
    told(visitor, "is out of order", advice="Try again in a few minutes")
    simulator.behave()
    connect(visitor, simulator)


def test_the_bank_is_down_while_the_user_approves(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    ask(visitor)
    visitor.sees("Approve at")
    simulator.misbehave(CONSENT, status=503, times=None)
    expect(visitor.page.get_by_role("status")).to_contain_text("is out of order", timeout=15_000)
    visitor.look("approve, bank down")
    simulator.behave()
    expect(visitor.page.get_by_role("status")).to_contain_text("Waiting for your approval", timeout=15_000)
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")


def test_the_bank_is_down_when_accounts_are_read(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    simulator.misbehave(ACCOUNTS, status=503, times=None)
    visitor.go("/accounts")
    told(visitor, "is out of order", advice="Try again in a few minutes")
    simulator.behave()
    visitor.press("Try again")
    expect(visitor.page.get_by_text("Lönekonto")).to_be_visible()


def test_the_bank_can_not_be_reached_for_one_account(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    simulator.misbehave(f"{ACCOUNTS}/v1/accounts/*/transactions", close=True, times=None)
    visitor.press("Lönekonto")
    told(visitor, "can't be reached", advice="Try again in a few minutes")
    simulator.behave()
    visitor.press("Try again")
    visitor.sees("Transactions")


def test_a_bank_next_to_one_that_does_not_work(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    consent = connect(visitor, simulator)
    ask(visitor, bic="HANDSESS")
    expect(visitor.page.get_by_text("Lönekonto")).to_have_count(2)
    visitor.look("two banks")
    simulator.revoke_consent(consent)
    visitor.go("/accounts")
    visitor.sees("The connection")
    expect(visitor.page.get_by_text("Lönekonto")).to_have_count(1)


def test_a_callback_that_is_loaded_again(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    ask(visitor, way="browser")
    visitor.press("Continue to")
    with visitor.page.expect_request("**/callback?**") as callback:
        visitor.press("Approve")
    visitor.sees("Accounts")
    tokens = simulator.token_requests
    visitor.go(callback.value.url)
    visitor.sees("Accounts")
    expect(visitor.page.get_by_text("Lönekonto")).to_be_visible()
    assert simulator.token_requests == tokens


@pytest.mark.parametrize(
    "query", ["state=foreign&code=made-up", "code=made-up", "", "state=foreign&error=access_denied"]
)
def test_a_callback_that_nobody_waits_for(visit: Visit, query: str, simulator: Simulator) -> None:
    visitor = visit()
    ask(visitor, way="browser")
    visitor.sees("Approve at")
    waiting = visitor.page.url
    visitor.go(f"/callback?{query}")
    told(visitor, "That is not the page that we wait for", advice="begin again")
    visitor.go(waiting)
    visitor.press("Continue to")
    visitor.press("Approve")
    visitor.sees("Accounts")


def test_a_callback_in_the_browser_of_somebody_else(visit: Visit) -> None:
    visitor, stranger = visit(), visit()
    ask(visitor, way="browser")
    link = visitor.page.get_by_role("link", name="Continue to").get_attribute("href")
    assert link
    stranger.go(link)
    stranger.press("Approve")
    told(stranger, "That is not the page that we wait for", advice="begin again")
    visitor.go("/accounts")
    expect(visitor.page.get_by_text("No bank is connected")).to_be_visible()


def test_a_session_that_is_gone(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    visitor.press("Lönekonto")
    visitor.sees("Transactions")
    visitor.context.clear_cookies()
    visitor.page.reload()
    told(visitor, "Your session has ended", advice="Go back to the start")
    visitor.press("start")
    visitor.sees("Where is your bank?")
    ask(visitor, user="example-never-ends")
    visitor.sees("Approve at")
    visitor.context.clear_cookies()
    told(visitor, "Your session has ended", advice="Go back to the start")  # the page that waits says so by itself


def test_a_server_that_is_restarted_at_every_step(visit: Visit, mortal: Application, simulator: Simulator) -> None:
    def restart() -> None:
        mortal.kill()
        mortal.start()

    visitor = visit(url=mortal.url)
    ask(visitor, way="browser")
    visitor.press("Continue to")
    restart()
    visitor.press("Approve")  # the callback reaches another process than the one that began
    visitor.sees("Accounts")

    with visitor.page.expect_response("**/state"):
        ask(visitor, bic="SWEDSESS")
    mortal.kill()
    expect(visitor.page.get_by_role("status")).to_contain_text("We keep trying", timeout=15_000)
    mortal.start()
    expect(visitor.page.get_by_role("status")).to_contain_text("Waiting for your approval")
    simulator.approve(simulator.consents[-1].id)
    visitor.sees("Accounts")

    restart()
    count = len(simulator.payments)
    pay(visitor)
    visitor.sees("Review the payment")
    restart()
    visitor.press("Approve at")
    visitor.sees("Approve at")
    visitor.press("Continue to")
    restart()
    with visitor.page.expect_response("**/state"):  # the page has its script now, and lives on
        visitor.press("Approve")
    restart()
    settle(visitor, simulator)
    assert len(simulator.payments) == count + 1


@pytest.mark.parametrize("how", ["expire_consent", "revoke_consent"])
def test_a_consent_that_is_over(visit: Visit, simulator: Simulator, how: str) -> None:
    visitor = visit()
    consent = connect(visitor, simulator)
    getattr(simulator, how)(consent)
    visitor.go("/accounts")
    told(visitor, "The connection", advice="Connect again to go on")
    visitor.press("Connect again")
    visitor.sees("Connect Skandinaviska")


def test_the_accesses_of_the_day_are_used_up(visit: Visit, simulator: Simulator, application: Application) -> None:
    visitor = visit()
    connect(visitor, simulator)
    simulator.misbehave(ACCOUNTS, code="ACCESS_EXCEEDED", times=None)
    visitor.go("/accounts")
    told(visitor, "Read often enough for today", advice="tomorrow")
    told_at_night = application.nightly()
    assert told_at_night.returncode == 1, told_at_night.stderr
    simulator.behave()
    visitor.go("/accounts")
    expect(visitor.page.get_by_text("Lönekonto")).to_be_visible()
    expect(visitor.page.get_by_text("The last nightly reading stopped")).to_be_visible()
    visitor.look("accounts, after a bad night")


def test_a_payment_that_the_bank_rejects(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator, user="example-payment-rejected")
    pay(visitor)
    visitor.press("Approve at")
    visitor.sees("Approve at")
    simulator.approve(simulator.payments[-1].id)
    told(visitor, "rejected the payment", advice="make another payment")


def test_a_payment_that_is_declined_and_then_approved(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    consent = connect(visitor, simulator)
    pay(visitor)
    visitor.press("Change")
    expect(visitor.page.get_by_label("Payee", exact=True)).to_have_value("Example Shop")
    fill_payment(visitor, amount="100")
    expect(visitor.page.get_by_role("main")).to_contain_text("100.00 SEK")
    visitor.press("Approve at")
    visitor.sees("Approve at")
    simulator.decline(simulator.payments[-1].id)
    told(visitor, "You declined", advice="try again")
    count = len(simulator.payments)
    visitor.press("Try again")
    visitor.press("Try again")
    visitor.sees("Approve at")
    simulator.approve(simulator.payments[-1].id)
    visitor.sees("On its way")
    simulator.expire_consent(consent)
    settle(visitor, simulator)
    expect(visitor.page.get_by_role("status")).to_contain_text("The payment is not affected")
    visitor.look("payment, connection expired")
    visitor.press("Connect again")
    visitor.sees("Connect Skandinaviska")
    assert len(simulator.payments) == count


def test_the_answer_is_lost_when_a_payment_is_created(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    simulator.misbehave(PAYMENTS, method="POST", close=True, carried_out=True)
    pay(visitor)
    visitor.sees("We don't know")
    expect(visitor.page.get_by_role("main")).to_contain_text("can't pay twice")
    expect(visitor.page.get_by_text("Reference")).to_be_visible()  # of the payment: our own, which is saved
    visitor.look("payment, answer lost")
    visitor.press("Send it again")
    visitor.sees("Review the payment")
    visitor.press("Approve at")
    visitor.sees("Approve at")
    simulator.approve(simulator.payments[-1].id)
    settle(visitor, simulator)


def test_a_payment_form_that_is_sent_twice(visit: Visit, simulator: Simulator) -> None:
    visitor = visit()
    connect(visitor, simulator)
    count = len(simulator.payments)
    visitor.go("/payments/new")
    fill_payment(visitor, presses=2)
    visitor.sees("Review the payment")
    assert len(simulator.payments) == count + 1


def test_logos_that_do_not_load(chromium: Browser, application: Application) -> None:
    visitor = Visitor(chromium, DESK, url=application.url, has_logos=False)
    visitor.go("/banks?country=SE")
    expect(visitor.page.get_by_text("SE", exact=True).first).to_be_visible()
    visitor.look("banks without logos")
    visitor.close()


def test_a_page_that_is_not_there(visit: Visit) -> None:
    visitor = visit(path="/nowhere")
    told(visitor, "There is no such page", advice="Go back to the start")
