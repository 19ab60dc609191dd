"""The example application without a browser: its steps, its failures, and that its process may end at any moment."""

from __future__ import annotations

import asyncio
import html
import os
import re
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import AsyncExitStack, ExitStack, closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from examples.bank_journey import chart, nightly
from examples.bank_journey.app import create_app
from examples.bank_journey.pages import payments
from examples.bank_journey.people import PEOPLE
from examples.bank_journey.store import Approval, Connection, Cursor, SavedAccount, SavedPayment, Store
from openpayments_facade import Account, BookedTransaction
from openpayments_facade.simulator.state.users import courses
from tests.child_processes import child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_facade.simulator import Simulator

ROOT = Path(__file__).parents[2]
BASE = "http://127.0.0.1:8766"
PAYEE = {"creditor_name": "Example Shop", "creditor_iban": "SE35 5000 0000 0549 1000 0003", "message": "Invoice 1001"}


class Visitor:
    """A browser without a picture: cookies, forms, and pages as texts. The server may be started anew at each step."""

    def __init__(self, simulator: Simulator, database: Path, *, patience: float = 60.0, restarts: bool = False) -> None:
        self.simulator, self.database, self.patience, self.restarts = simulator, database, patience, restarts
        self.cookies: dict[str, str] = {}
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.restart()

    def restart(self) -> None:
        """Ends the process of the server, as far as a test can: all that is left is the database."""
        self._runner.run(self._restart())

    async def _restart(self) -> None:
        await self._stack.aclose()
        self.store = Store(str(self.database))
        self._stack.callback(self.store.close)
        app = create_app(self.simulator.async_client(), self.store, simulated=True, patience=self.patience)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app, client=("203.0.113.7", 50000), raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=BASE, follow_redirects=True, cookies=self.cookies)
        self._client = await self._stack.enter_async_context(client)

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def get(self, address: str, **headers: str) -> httpx.Response:
        return self.send("GET", address, headers=headers)

    def post(self, address: str, **form: str) -> httpx.Response:
        return self.send("POST", address, data=form, headers={"Origin": BASE})

    def send(self, method: str, address: str, **options: Any) -> httpx.Response:
        if self.restarts:
            self.restart()
        answer = self._runner.run(self._client.request(method, address, **options))
        self.cookies = {each.name: each.value or "" for each in self._client.cookies.jar}
        return answer

    def pay_at_once(self, form: dict[str, str], meanwhile: Callable[[], None]) -> list[tuple[httpx.Response, str]]:
        """Sends a form twice, the answers with what is saved then. `meanwhile` comes when the first is at the bank."""

        async def post() -> tuple[httpx.Response, str]:
            answer = await self._client.post("/payments/new", data=form, headers={"Origin": BASE})
            created = self.store.all(SavedPayment)[-1].created
            return answer, created["paymentId"] if created else ""

        async def send() -> list[tuple[httpx.Response, str]]:
            asked = len(self.simulator.requests)
            first = asyncio.create_task(post())
            while len(self.simulator.requests) == asked:  # noqa: ASYNC110 - it runs in another thread
                await asyncio.sleep(0.005)
            meanwhile()
            second = await post()
            return [await first, second]

        return self._runner.run(send())

    def connect(self, bic: str = "SWEDSESS", *, way: str = "qr", user: str = "example-user") -> httpx.Response:
        """Connects a bank, and follows the approval to its end as a page's script does."""
        answer = self.post("/consents", bic_fi=bic, user_id=user, way=way)
        return self.follow(answer)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        page = answer.url.path
        link = re.search(r'id="link" href="([^"]+)"', answer.text)
        if link:
            return self.get(self.simulator.visit(html.unescape(link[1])))
        for _ in range(10):
            state = self.get(f"{page}/state").json() if page.startswith("/approve/") else {"over": False}
            if state["over"]:
                return self.get(str(state["next"]))
        return answer

    def accounts(self) -> list[str]:
        return list(dict.fromkeys(re.findall(r'href="(/accounts/[\w-]{20,})"', self.get("/accounts").text)))

    def pay(self, account: str, amount: str = "12.50", **form: str) -> httpx.Response:
        form_id = re.search(r'name="id" value="([^"]+)"', self.get("/payments/new").text)
        assert form_id
        values = {"account": account.rpartition("/")[2], "amount": amount, "id": form_id[1], **PAYEE, **form}
        return self.post("/payments/new", **values)


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 2, "settlement": 0, "newest_first": True, "transactions": 400, "page_size": 30}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "bank_journey.db"


@pytest.fixture
def arrive(simulator: Simulator, database: Path) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors, and has them leave at the end."""
    with ExitStack() as stack:

        def make(**options: Any) -> Visitor:
            visitor = Visitor(simulator, database, **options)
            stack.callback(visitor.close)
            return visitor

        yield make


@pytest.fixture
def visitor(arrive: Callable[..., Visitor]) -> Visitor:
    return arrive()


def words(answer: httpx.Response) -> str:
    """What people read of a page."""
    text = re.sub(r"<title>.*?</title>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def test_the_journey_goes_on_in_another_process_at_every_step(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive(restarts=True)
    assert "Sweden" in words(visitor.get("/"))
    found = words(visitor.get("/banks?country=SE&q=swed"))
    assert "1 bank for “swed”" in found
    assert "Nordea" not in found
    assert "Scan a QR code" in words(visitor.get("/banks/SWEDSESS"))
    assert visitor.connect().url.path == "/accounts"
    assert visitor.connect("NDEASESS", way="browser").url.path == "/accounts"
    listed = words(visitor.get("/accounts"))
    assert re.search(r"Total in SEK [\d,.]+ SEK Total in EUR [\d,.]+ EUR S Swedbank Lönekonto .* Nordea", listed)

    account = visitor.accounts()[0]
    page = visitor.get(account)
    assert re.search(r"Lowest [\d,.]+ SEK on .*, highest [\d,.]+ SEK on", words(page))
    following = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert following
    days = [re.findall(r'class="day">(\d[^<]+)<', each) for each in (page.text, visitor.get(following[1]).text)]
    assert len(days[0]) == len(days[1]) == 20
    assert days[0][-1] != days[1][0]  # no two fall on one day here
    results = visitor.get(f"{account}?q=rent", **{"X-Part": "results"})
    assert set(re.findall(r"<strong>(.*?)</strong>", results.text)) == {"Exempel Bostad AB"}
    assert "<h1>" not in results.text

    review = visitor.pay(account, creditor_name="Example Flagged")
    assert "12.50 SEK To Example Flagged" in words(review)
    assert "The bank warns the payee is on a list of warnings" in words(review)
    paid = visitor.follow(visitor.post(f"{review.url.path}/approve"))
    assert paid.url.path == review.url.path
    state = visitor.get(f"{paid.url.path}/state").json()
    assert (state["title"], state["entry"]["title"], state["over"]) == ("Paid", "Example Flagged", True)
    assert "Example Flagged" in words(visitor.get(account))


def test_a_running_server_fetches_one_token_and_sends_one_payment_for_a_form_that_is_sent_twice(
    simulator: Simulator, visitor: Visitor
) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    first, second = visitor.pay(account, id="form-1"), visitor.pay(account, id="form-1")
    assert first.url == second.url
    changed = visitor.pay(account, "13", id="form-1")  # with the browser's back button
    assert changed.url != first.url
    assert [payment.request["instructedAmount"]["amount"] for payment in simulator.payments] == ["12.50", "13.00"]
    assert simulator.token_requests == 1


def test_two_processes_that_send_one_form_make_one_payment(
    simulator: Simulator, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "PAUSE", 0.01)
    visitor.connect()
    form = {"account": visitor.accounts()[0].rpartition("/")[2], "amount": "5", **PAYEE}
    simulator.misbehave("/psd2/paymentinitiation", method="POST", delay=0.2, times=1)
    # nothing but the database tells the second request of the first
    (first, _), (second, _) = visitor.pay_at_once({**form, "id": "form-1"}, lambda: None)
    assert first.url == second.url
    assert "Approve at Swedbank" in words(second)
    assert len(simulator.payments) == 1

    def give_up() -> None:  # so late that the first one counts as dead
        visitor.store.change(visitor.store.all(SavedPayment)[-1], sending_since=0.0)

    simulator.misbehave("/psd2/paymentinitiation", method="POST", delay=0.2, times=1)
    (first, saved_late), (second, saved) = visitor.pay_at_once({**form, "id": "form-2"}, give_up)
    assert first.url == second.url
    assert len(simulator.payments) == 3
    assert saved_late == saved  # so no one but this can be approved


@pytest.mark.parametrize(
    ("user", "way", "title"),
    [
        ("example-fails", "qr", "The approval did not work out"),
        ("example-fails", "browser", "The approval did not work out"),
        ("example-has-no-rights", "qr", "You may not approve this"),
        ("99990101004", "qr", "That took too long"),
        ("99990101005", "qr", "Your BankID does not work here"),
        ("99990101002", "qr", "Somebody else has to approve as well"),
    ],
)
def test_an_approval_that_fails_ends_in_a_sentence_with_a_reference(
    visitor: Visitor, user: str, way: str, title: str
) -> None:
    page = visitor.connect(user=user, way=way)
    said = words(page)
    assert title in said
    assert "Swedbank" in said
    reference = re.search(r"Reference: ([\w-]+)", said)
    assert reference
    assert uuid.UUID(reference[1])
    assert words(visitor.get(page.url.path)) == said  # it is kept, and no bank is asked again


def test_a_user_who_declines_and_one_who_never_answers(
    simulator: Simulator, visitor: Visitor, arrive: Callable[..., Visitor]
) -> None:
    answer = visitor.post("/consents", bic_fi="SWEDSESS", user_id="example-user", way="browser")
    found = re.search(r'id="link" href="([^"]+)"', answer.text)
    assert found
    said = words(visitor.get(simulator.visit(html.unescape(found[1]), approve=False)))
    assert "You declined The approval was cancelled at Swedbank. Nothing was shared. If that" in said
    hasty = arrive(patience=0.0)
    answer = hasty.post("/consents", bic_fi="SWEDSESS", user_id="example-never-ends", way="qr")
    assert "Nobody approved in time" in words(answer)
    # whoever approves after all has approved
    answer = hasty.post("/consents", bic_fi="SWEDSESS", user_id="example-user", way="browser")
    assert "Nobody approved in time" in words(answer)
    late = hasty.store.all(Approval)[-1].link
    assert late
    assert hasty.get(simulator.visit(late)).url.path == "/accounts"
    # a payment shares nothing
    hasty.post(f"{hasty.pay(hasty.accounts()[0]).url.path}/approve")
    link = hasty.store.all(Approval)[-1].link
    assert link
    said = words(hasty.get(simulator.visit(link, approve=False)))
    assert "You declined The approval was cancelled at Swedbank. No money moves. If" in said


def test_a_callback_that_is_loaded_twice_is_no_failure_and_another_browser_cant_load_it(
    simulator: Simulator, visitor: Visitor, arrive: Callable[..., Visitor]
) -> None:
    answer = visitor.post("/consents", bic_fi="NDEASESS", user_id="example-user", way="browser")
    link = re.search(r'id="link" href="([^"]+)"', answer.text)
    assert link
    callback = simulator.visit(html.unescape(link[1]))
    refused = arrive().get(callback)
    assert (refused.status_code, "not the page that we wait for" in words(refused)) == (400, True)
    assert visitor.get(callback).url.path == "/accounts"
    assert visitor.get(callback).url.path == "/accounts"
    # the process ended after the code was used, and before that was saved
    approval = visitor.store.all(Approval)[0]
    visitor.store.change(approval, outcome=None)
    assert visitor.get(callback).url.path == "/accounts"


def test_a_bank_that_is_down_stands_beside_the_others(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    visitor.connect("NDEASESS", way="browser")
    # each of the two is asked three times at most, so one of them answers at last
    fault = simulator.misbehave("/psd2/accountinformation/v1/accounts", status=503, times=5)
    said = words(visitor.get("/accounts"))
    assert fault.used == 5
    assert said.count("is out of order") == 1
    assert re.search(r"Total in SEK [\d,.]+ SEK .* Without (Swedbank|Nordea Bank AB): see below", said)
    assert len(visitor.accounts()) == 6
    simulator.misbehave("/psd2/consent", status=500, times=1)
    answer = visitor.post("/consents", bic_fi="ESSESESS", user_id="example-user", way="qr")
    assert (answer.status_code, "Skandinaviska Enskilda Banken AB is out of order" in words(answer)) == (503, True)


def test_an_expired_consent_is_connected_again_and_its_links_go_on_working(
    simulator: Simulator, visitor: Visitor
) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    consent_id = visitor.store.all(Connection)[0].consent_id
    assert consent_id
    review = visitor.pay(account).url.path
    visitor.follow(visitor.post(f"{review}/approve"))
    simulator.expire_consent(consent_id)
    for _ in range(2):  # the first finds out, and the second knows
        state = visitor.get(f"{review}/state").json()
        assert (state["title"], state["connect"], state["over"]) == ("Paid", "/banks/SWEDSESS", True)
        said = words(visitor.get(review))
        assert "The payment is not affected. To see its entry in the account, connect again. Connect again" in said
    assert visitor.store.all(Connection)[0].status == "expired"
    visitor.store.change(visitor.store.all(Connection)[0], status="valid")
    page = visitor.get(account)
    assert (page.status_code, "The connection has expired" in words(page)) == (403, True)
    assert '<a class="button" href="/banks/SWEDSESS">Connect again</a>' in visitor.get("/accounts").text
    visitor.store.change(visitor.store.all(Connection)[0], status="valid")
    said = words(visitor.get("/accounts"))  # the first page that meets the error
    assert "is over, or you connected again elsewhere. Connect again" in said
    assert "Connected until" not in said
    visitor.connect()
    assert "Total in SEK" in words(visitor.get("/accounts"))
    assert "In your account on" in words(visitor.get(review))
    assert [each.status for each in visitor.store.all(Connection)] == ["ended", "valid"]
    assert visitor.get(account).status_code == 200
    visitor.connect()
    assert [consent.status for consent in simulator.consents] == ["expired", "expired", "valid"]
    assert visitor.get(account).status_code == 200


def test_disconnecting_ends_the_consent_and_forgets_what_was_read(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    connection = visitor.store.all(Connection)[0]
    assert "No bank is connected" in words(visitor.post("/disconnect", connection=connection.id))
    assert [consent.status for consent in simulator.consents] == ["terminatedByTpp"]
    assert visitor.get(account).status_code == 404


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"creditor_iban": "SE35 5000 0000 0549 1000 0004"}, "creditor_iban", "This is not a valid IBAN"),
        ({"amount": "12.345"}, "amount", "must not have more than 2 decimals in SEK"),
        ({"amount": ""}, "amount", "Enter an amount"),
        ({"creditor_name": ""}, "creditor_name", "Enter the name"),
        ({"message": "x" * 150}, "message", "must not have more than 140 characters"),
    ],
)
def test_what_is_wrong_with_a_payment_stands_at_its_field(
    simulator: Simulator, visitor: Visitor, form: dict[str, str], field: str, said: str
) -> None:
    visitor.connect()
    page = visitor.pay(visitor.accounts()[0], **form)
    assert page.status_code == 422
    at_field = re.search(rf'id="{field}-error">([^<]+)<', page.text)
    assert at_field
    assert said in at_field[1]
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true" aria-describedby="{field}-error', page.text)
    assert not simulator.payments
    assert not visitor.store.all(SavedPayment)


def test_a_payment_is_changed_before_it_is_approved(
    simulator: Simulator, visitor: Visitor, arrive: Callable[..., Visitor]
) -> None:
    visitor.connect("ESSESESS")
    euro = visitor.store.find(SavedAccount, currency="EUR")
    assert euro
    bank = {"creditor_agent": "NDEAFIHH", "creditor_agent_name": "Example Bank"}
    for account, more in (visitor.accounts()[0], {}), (euro.id, bank):
        review = visitor.pay(account, "12,5", **more)
        change = re.search(r'href="(/payments/new\?change=[\w-]+)"', review.text)
        assert change
        address = change[1]
        page = visitor.get(address).text
        form = dict(re.findall(r'name="(\w+)" type="text" value="([^"]*)"', page))
        assert form["amount"] == "12.50"
        assert re.search(rf'value="{account.rpartition("/")[2]}" data-currency="..." selected', page)
        assert "2.00" in words(visitor.pay(account, **form | {"amount": "2"}))
        assert 'value="12.50"' not in visitor.get("/payments/new").text
        visitor.post(f"{review.url.path}/approve")
        assert "?change=" not in visitor.get(review.url.path).text
    assert [payment.request["instructedAmount"]["amount"] for payment in simulator.payments] == ["12.50", "2.00"] * 2
    sent = [{**payment.request, "instructedAmount": 0, "endToEndIdentification": 0} for payment in simulator.payments]
    assert sent[::2] == sent[1::2]
    stranger = arrive()
    stranger.connect()
    assert 'value="12.50"' not in stranger.get(address).text


def test_all_that_is_missing_is_said_at_once(visitor: Visitor) -> None:
    visitor.connect()
    euro = visitor.store.find(SavedAccount, currency="EUR")
    assert euro
    empty = dict.fromkeys(("account", "creditor_name", "creditor_iban", "amount", "message"), "")
    fields = ["creditor_name", "creditor_iban", "amount"]
    for account, expected in ("", ["account", *fields]), (euro.id, [*fields, "creditor_agent", "creditor_agent_name"]):
        page = visitor.post("/payments/new", **empty | {"account": account})
        assert page.status_code == 422
        assert re.findall(r'<li><a href="#(\w+)">', page.text) == expected
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', page.text) == expected


def test_a_payment_whose_answer_is_lost_is_sent_again_and_paid_once(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    simulator.misbehave("/psd2/paymentinitiation", method="POST", close=True, carried_out=True)
    page = visitor.pay(visitor.accounts()[0])
    assert re.search("We don't know whether the bank got this payment .* quote [0-9a-f-]{36} . Send it", words(page))
    visitor.restart()
    again = visitor.post(f"{page.url.path}/create")
    assert "Approve at Swedbank" in words(again)
    simulator.misbehave(
        "/psd2/paymentinitiation/v1/payments/domestic/*/authorisations", method="POST", close=True, carried_out=True
    )
    lost = visitor.post(f"{page.url.path}/approve")
    assert (lost.status_code, "that can't pay twice" in words(lost)) == (504, True)
    visitor.follow(visitor.post(f"{page.url.path}/approve"))
    assert visitor.get(f"{page.url.path}/state").json()["title"] == "Paid"
    assert [payment.status for payment in simulator.payments] == ["RCVD", "ACSC"]


def test_a_payment_waits_for_its_user_whatever_status_the_bank_begins_with(
    simulator: Simulator, visitor: Visitor
) -> None:
    visitor.connect()
    simulator.misbehave("/psd2/paymentinitiation", method="POST", change={"transactionStatus": "ACTC"})
    assert "Approve at Swedbank" in words(visitor.pay(visitor.accounts()[0]))


def test_a_payment_that_the_bank_rejects(visitor: Visitor) -> None:
    visitor.connect(user="example-payment-rejected")
    review = visitor.pay(visitor.accounts()[0])
    assert "The bank rejected the payment" in words(visitor.follow(visitor.post(f"{review.url.path}/approve")))
    page = words(visitor.get(review.url.path))
    assert "Not paid Swedbank did not carry it out. No money moves." in page
    assert "Try again" not in page


@pytest.mark.parametrize("openpayments_simulator_options", [{"decoupled_reads": 1, "sandbox_flaws": True}])
def test_the_bank_decides_whether_money_moves_and_not_how_an_approval_has_ended(
    simulator: Simulator, visitor: Visitor
) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    visitor.store.change(visitor.store.all(Connection)[0], user_id="99990101004")
    review = visitor.pay(account)
    paid = words(visitor.follow(visitor.post(f"{review.url.path}/approve")))
    assert simulator.payments[0].status in ("ACSP", "ACSC")
    assert re.search("Payment (Paid|On its way) ", paid)
    assert "No money moves" not in paid
    # a status that says nothing of the kind
    simulator.misbehave("/psd2/paymentinitiation", method="GET", change={"transactionStatus": "ACTC"}, times=None)
    review = visitor.pay(account)
    said = words(visitor.follow(visitor.post(f"{review.url.path}/approve")))
    assert "That took too long Swedbank has ended the approval, but not decided about the payment." in said
    assert "No money moves" not in said


def test_a_payment_that_is_approved_after_the_page_has_given_up(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    visitor.store.change(visitor.store.all(Connection)[0], user_id="example-never-ends")
    visitor.patience = 0.0
    visitor.restart()
    review = visitor.pay(account)
    assert "Nobody approved in time" in words(visitor.post(f"{review.url.path}/approve"))
    simulator.approve(simulator.payments[0].id)
    assert "Payment Paid" in words(visitor.get(review.url.path))
    assert visitor.post(f"{review.url.path}/approve").url.path == review.url.path
    assert re.search(r"Example Shop [^·]+ · status of .+ UTC Paid", words(visitor.get("/accounts")))
    assert len(simulator.payments[0].authorisations) == 1


def test_totals_say_what_is_missing_and_count_an_account_once(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    total = re.search(r"Total in SEK [\d,.]+ SEK", words(visitor.get("/accounts")))
    assert total
    visitor.connect(user="example-exempted")  # who sees the same accounts
    both = words(visitor.get("/accounts"))
    assert both.count("Lönekonto") == 2
    assert total[0] in both
    visitor.post("/disconnect", connection=visitor.store.all(Connection)[0].id)
    account = visitor.store.all(SavedAccount)[2]
    simulator.misbehave("/psd2/accountinformation/v1/accounts", without=["balances"], times=1)
    simulator.misbehave(f"/psd2/accountinformation/v1/accounts/{account.resource_id}/balances", status=403, times=None)
    said = words(visitor.get("/accounts"))
    assert f"{total[0]} Without Valutakonto: see below." in said
    assert re.search(r"Valutakonto [SE\d ]+ Swedbank refused this", said)


def test_one_refused_account_does_not_end_a_connection(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    account = visitor.accounts()[0]
    simulator.misbehave("/psd2/accountinformation/v1/accounts/*/transactions", code="CONSENT_INVALID", times=None)
    assert "The connection does not work any more" in words(visitor.get(account))
    assert "Total in SEK" in words(visitor.get("/accounts"))


def test_a_bank_that_was_disconnected_does_not_come_back(
    simulator: Simulator, database: Path, visitor: Visitor
) -> None:
    visitor.connect()
    visitor.get(visitor.accounts()[0])
    begun = visitor.store.all(Connection)[0]  # as a job has read it

    def finish() -> None:
        async def read() -> None:
            async with simulator.async_client() as op:
                report = await nightly.read_connection(op, visitor.store, begun)
                assert report.problem is None

        asyncio.run(read())
        assert visitor.store.all(Connection)[0].status == "ended"
        assert not visitor.store.known_transactions(begun.id, account.resource_id)

    account = visitor.store.all(SavedAccount)[0]
    visitor.store.change(begun, status="ended")
    finish()  # its answers are good
    visitor.store.change(begun, status="valid")
    visitor.post("/disconnect", connection=begun.id)
    finish()  # the bank refuses them
    assert not visitor.store.all(SavedAccount)
    assert not visitor.store.all(Cursor)


def test_a_session_gets_another_secret_with_its_accounts_and_ends_after_90_days(
    visitor: Visitor, arrive: Callable[..., Visitor], database: Path
) -> None:
    thief = arrive()
    visitor.cookies["bank_journey"] = thief.cookies["bank_journey"] = visitor.store.open_session()  # planted
    visitor.restart()
    thief.restart()
    visitor.connect()
    assert "Total in SEK" in words(visitor.get("/accounts"))
    assert "No bank is connected" in words(thief.get("/accounts"))
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("UPDATE sessions SET started = datetime('now', '-91 days')")
    assert "No bank is connected" in words(visitor.get("/accounts"))
    ended = visitor.get("/payments/new")
    assert (ended.status_code, "Your session has ended It is too old" in words(ended)) == (403, True)


def test_a_database_that_can_not_be_written(visitor: Visitor) -> None:
    visitor.connect()
    visitor.get("/accounts")
    visitor.store._db.execute("PRAGMA query_only = 1")
    assert "Total in SEK" in words(visitor.get("/accounts"))  # nothing has changed
    refused = visitor.post("/consents", bic_fi="SWEDSESS", user_id="example-user", way="qr")
    assert (refused.status_code, "We can't get at our own records" in words(refused)) == (503, True)


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({}, "qr"),
        ({"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"}, "app"),
        ({"User-Agent": "Mozilla/5.0 (Android 15; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"}, "app"),
        ({"Sec-CH-UA-Mobile": "?1"}, "app"),
        ({"Sec-CH-UA-Mobile": "?0"}, "qr"),
    ],
)
def test_a_phone_opens_the_app_and_scans_nothing(visitor: Visitor, headers: dict[str, str], way: str) -> None:
    page = visitor.get("/banks/SWEDSESS", **headers)
    assert re.findall(r'name="way" value="(\w+)" checked', page.text) == [way]


def test_a_bank_without_a_name_and_one_that_is_none(simulator: Simulator, visitor: Visitor) -> None:
    assert visitor.get("/banks/no-bic").status_code == 404
    simulator.misbehave("/psd2/aspspinformation/v1/aspsps", without=["name"], times=None)
    assert "4 banks E ESSESESS" in words(visitor.get("/banks?country=SE"))
    assert "Connect SWEDSESS" in words(visitor.get("/banks/SWEDSESS"))


def test_what_every_request_passes(simulator: Simulator, visitor: Visitor) -> None:
    request_id = str(uuid.uuid4())
    answer = visitor.get("/", **{"X-Request-ID": request_id})
    assert answer.headers["X-Request-ID"] == request_id
    assert request_id in {request.headers.get("x-request-id") for request in simulator.requests}
    assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        refused = visitor.send("POST", "/consents", data={"bic_fi": "SWEDSESS"}, headers=origin)
        assert (refused.status_code, refused.headers["Cache-Control"]) == (403, "no-store")
    long = visitor.send("POST", "/consents", data={"user_id": "x" * 20_000}, headers={"Origin": BASE})
    assert long.status_code == 413
    assert visitor.get("/", Host="evil.example").status_code == 400
    sent = visitor.post("/consents", bic_fi="SWEDSESS", user_id="example-user", way="qr").history[0]
    assert "HttpOnly" in sent.headers["Set-Cookie"]
    assert "SameSite=lax" in sent.headers["Set-Cookie"]
    bank_calls = [each for each in simulator.requests if each.path.startswith("/psd2/consent")]
    assert {each.headers.get("psu-ip-address") for each in bank_calls} == {"203.0.113.7"}
    assert visitor.get("/payments/new").status_code == 200
    visitor.cookies["bank_journey"] = visitor.store.open_session()
    visitor.restart()
    approval = visitor.store.all(Approval)[0]
    assert visitor.get(f"/approve/{approval.id}").status_code == 404


def test_texts_of_banks_are_escaped(simulator: Simulator, visitor: Visitor) -> None:
    visitor.connect()
    markup = "<script>alert(1)</script>"
    simulator.misbehave("/psd2/accountinformation", times=None, change={"name": markup, "creditorName": markup})
    simulator.misbehave("/psd2/aspspinformation", times=None, change={"name": markup, "logoUrl": "javascript:alert(1)"})
    account = visitor.accounts()[0]
    for address in ("/accounts", account, "/banks?country=SE", "/banks/HANDSESS", "/payments/new"):
        page = visitor.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "javascript:" not in page.text
    assert html.escape(markup) in visitor.get(account).text


def test_the_nightly_job_tells_what_is_new_and_marks_what_went_wrong(
    simulator: Simulator, database: Path, visitor: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> tuple[int, str, str]:
        store = Store(str(database))
        code = asyncio.run(nightly.read_all(simulator.async_client(), store))
        store.close()
        return code, *capsys.readouterr()

    visitor.connect()
    before = len(simulator.requests)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert re.search(
        r"Swedbank of example-user: 3 accounts, \d+ new\n1 connection, 0 problems, \d+ new transactions\.\n$", out
    )
    assert not any("psu-ip-address" in each.headers for each in simulator.requests[before:])

    review = visitor.pay(visitor.accounts()[0])
    visitor.follow(visitor.post(f"{review.url.path}/approve"))
    visitor.get(f"{review.url.path}/state")
    code, out, err = run()
    assert "Swedbank of example-user: 3 accounts, 1 new\n" in out

    visitor.connect("NDEASESS", way="browser")
    fault = simulator.misbehave("/psd2/accountinformation/v1/accounts", code="ACCESS_EXCEEDED", times=1)
    simulator.expire_consent(next(each.id for each in simulator.consents if each.bic == "NDEASESS"))
    code, out, err = run()
    assert fault.used == 1
    assert code == 1
    assert "Swedbank of example-user: Read often enough for today." in err
    assert "Nordea Bank AB of example-user: The connection has expired. Connect again to go on." in err
    assert "2 connections, 2 problems, 0 new transactions.\n1 connection to be made again by the user.\n" in out
    said = words(visitor.get("/accounts"))
    assert "The last nightly reading stopped: Read often enough for today." in said
    assert "The connection has expired" in said
    code, out, err = run()
    assert (code, err) == (3, "")  # until the user has been there
    assert "1 connection, 0 problems, 0 new transactions.\n1 connection to be made again by the user.\n" in out
    assert "The last nightly reading stopped" not in words(visitor.get("/accounts"))

    connection = visitor.store.all(Connection, status="valid")[0]
    visitor.store.change(connection, bank_name="Swed\x1b[2Jbank")
    account = visitor.store.all(SavedAccount, connection=connection.id)[0].resource_id
    before_it = len(visitor.store.known_transactions(connection.id, account))
    simulator.misbehave("/psd2/accountinformation", change={"booked": []}, times=None)
    visitor.connect("NDEASESS", way="browser")
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "again by the user" not in out
    assert re.search(r"Swed \[2Jbank of example-user: 3 accounts, \d+ missing\n", out)
    assert len(visitor.store.known_transactions(connection.id, account)) == before_it


def test_the_chart_counts_back_from_the_balance_of_today_and_draws_nothing_that_it_cant_know() -> None:
    account = Account(iban="SE4550000000058398257466", currency="SEK")
    today = date(2026, 3, 5)

    def booked(day: str, amount: str) -> BookedTransaction:
        sent = {"transactionAmount": {"amount": amount, "currency": "SEK"}, "bookingDate": day}
        return BookedTransaction.from_dict(sent)

    both = [booked("2026-03-05", "-20.00"), booked("2026-03-03", "100.00"), booked("2026-03-03", "-0.50")]

    def days_of(found: list[BookedTransaction]) -> list[tuple[date, Decimal]]:
        first = date(2026, 3, 2)
        return chart.balances_by_day(account, Decimal(500), found, currency="SEK", first=first, today=today)

    days = days_of(both)
    assert [str(balance) for _, balance in days] == ["420.50", "520.00", "520.00", "500"]
    picture = chart.draw(days)
    assert picture
    assert (picture.lowest.day.day, picture.highest.day.day) == (2, 3)
    assert [tick.label for tick in picture.across] == ["400", "450", "500", "550"]
    dayless = BookedTransaction.from_dict({"transactionAmount": {"amount": "1", "currency": "SEK"}})
    foreign = BookedTransaction.from_dict(
        {"transactionAmount": {"amount": "1", "currency": "EUR"}, "bookingDate": "2026-03-04"}
    )
    for unclear in (dayless, foreign):
        assert days_of([*both, unclear]) == []
    assert chart.draw([]) is None
    flat = chart.draw([(date(2026, 3, day), Decimal(0)) for day in (1, 2)])
    assert flat
    assert {point.y for point in flat.points} == {flat.points[0].y}


def test_every_simulated_user_that_is_offered_has_a_course_of_its_own() -> None:
    ordinary = {"example-user", "example-payment-rejected"}
    assert {person.id for person in PEOPLE} - ordinary == courses(of_2026=True).keys() - {"99990101000"}


@pytest.mark.parametrize("started", [["-m", "examples.bank_journey"], ["examples/bank_journey"]])
def test_one_command_starts_it(started: list[str], tmp_path: Path) -> None:
    command = [sys.executable, *started, "--port"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with child([*command, "0"], cwd=ROOT, **pipes) as server:
        assert server.stdout
        told = [server.stdout.readline()]
        while told[-1] and not told[-1].startswith("Open "):
            told.append(server.stdout.readline())
        address = urlsplit(told.pop().removeprefix("Open ").strip())
        assert address.hostname == "127.0.0.1"
        if started[0] == "-m":
            taken = subprocess.run(
                [*command, str(address.port)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
            )
            assert (taken.returncode, taken.stdout) == (2, "")
            assert f"The port {address.port} or the database can't be used" in taken.stderr
            # what it says about the nightly job is true in another shell, which has no environment of Python's
            shell = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(sys.path)}
            job = ["sh", "-ec", "".join(told[1:])]
            done = subprocess.run(job, cwd=tmp_path, env=shell, capture_output=True, text=True, check=False, timeout=30)
            assert (done.returncode, done.stderr) == (0, "")
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=30)
    assert "Traceback" not in err
    assert server.returncode == 130


def test_the_nightly_job_needs_a_database_and_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["nightly", "--database", str(tmp_path / "none.db")])
    assert nightly.main() == 2
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "other.db").write_text("no database" * 100)
    monkeypatch.setattr(sys, "argv", ["nightly", "--database", str(tmp_path / "other.db")])
    assert nightly.main() == 2
    assert "other.db can't be used" in capsys.readouterr().err
