"""A payment outlives every process that works on it, killed between any two steps.

That is `examples/outbox.py`, and a program that has a browser, cancels, and lets several people sign.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from openpayments_facade import Psu, money, payments
from openpayments_facade.simulator import Simulator
from tests.child_processes import child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openpayments_client.models import Transaction

    from openpayments_facade.simulator.state.payments import SimulatedPayment

ROOT: Final = Path(__file__).parents[2]
USER: Final[dict[str, Any]] = {"id": "example-user", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"}
# dies as it is told, and lets the test play the user
PROGRAM: Final = """
import os, signal, sys
sys.path.insert(0, "examples")
import outbox
from openpayments_facade._protocol import sca

point, *arguments = sys.argv[1:]
seen = set()

def reach(here):
    if here == point:
        os.kill(os.getpid(), signal.SIGKILL)

def saving(self, reference, step, value, save=outbox.Outbox.save):
    reach(f"before {step}")
    save(self, reference, step, value)
    reach(f"after {step}")

def adding(self, order, add=outbox.Outbox.add):
    reach("before the order")
    add(self, order)
    reach("after the order")

def showing(authorisation, show=outbox.show):
    if authorisation.approach != "decoupled":
        show(authorisation)
    if authorisation.authorisation_id not in seen:
        seen.add(authorisation.authorisation_id)
        print(authorisation.authorisation_id, flush=True)
        input()
        reach("approved")

sca.POLL_INTERVAL.update(dict.fromkeys(sca.POLL_INTERVAL, 0.01))
outbox.Outbox.save, outbox.Outbox.add, outbox.show = saving, adding, showing
sys.exit(outbox.main(*arguments))
"""

# works twice on what is in a file, each time in a process of its own; the first dies as it is told
STEPS: Final = """
import json, os, signal, sys
from pathlib import Path
import httpx
from openpayments_facade import AuthorisationFailedError, OpenPayments, Psu, ReauthorisationRequiredError

file = Path(sys.argv[1])

def work(op, point):
    state = json.loads(file.read_text())

    def save(step, value):
        for when in ("before", "after"):
            if when == "after":
                state[step] = value
                new = file.with_suffix(".new")
                new.write_text(json.dumps(state))
                new.replace(file)
            if point == f"{when} {step}":
                os.kill(os.getpid(), signal.SIGKILL)

    for number, (user, cancellation, needed) in enumerate(state["signatures"]):
        payments = op.at_bank(state["bic_fi"], Psu(**user), redirect_preferred=state["redirect"]).payments
        if "payment" not in state:
            save("payment", payments.create(state["order"], product="domestic").payment_id)
        about = {"payment_id": state["payment"], "product": "domestic"}

        def approvals():
            listed = payments.authorisations(**about, cancellation=cancellation)
            asked = [payments.sca_status(**about, cancellation=cancellation, authorisation_id=id) for id in listed]
            return sum(answer.sca_status == "finalised" for answer in asked)

        if f"signed {number}" in state:
            continue
        if cancellation and "asked" not in state and payments.status(**about) != "CANC":
            save("asked", payments.cancel(**about) is not None)
        step = f"authorisation {number}"
        if step not in state and approvals() < needed:
            authorisation = payments.authorise(**about, cancellation=cancellation)
            uri = "https://app.example.com/callback"
            url = authorisation.redirect_url(redirect_uri=uri) if state["redirect"] else None
            save(step, [authorisation.to_dict(), url])
        if step in state:
            saved, url = state[step]
            if url and "callback" not in state:  # the user approves, and the browser keeps the address it is sent to
                page, _, fields = url.partition("?")
                save("callback", httpx.post(page, content=f"{fields}&decision=approve").headers["location"])
            if url and "completed" not in state:
                for _ in range(2 if point == "twice" else 1):
                    try:
                        payments.resume(saved).complete(state["callback"])
                    except ReauthorisationRequiredError:  # the code was used before
                        pass
                save("completed", True)
            try:
                for _ in payments.resume(saved).updates(poll_interval=0.01):
                    pass
            except AuthorisationFailedError:
                if approvals() < needed:
                    raise
        save(f"signed {number}", True)
    save("outcome", payments.status(**about) if cancellation else payments.wait(**about))

def end(point):
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with OpenPayments.from_env(api_scopes=["paymentinitiation"]) as op:
        work(op, point)
    sys.exit()

print(end(sys.argv[2]), end("nowhere"))
"""


def environ(simulator: Simulator) -> dict[str, str]:
    exports = [line.removeprefix("export ").partition("=") for line in simulator.exports()]
    return {**os.environ, **{name: value for name, _, value in exports}}


@contextmanager
def working(simulator: Simulator, point: str, folder: Path, *orders: str) -> Iterator[subprocess.Popen[str]]:
    """The outbox, which dies at a point."""
    files = [str(folder / name) for name in ("payments.db", *(orders or ["order.json"]))]
    command = [sys.executable, "-c", PROGRAM, point, *files]
    with child(command, env=environ(simulator), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def play(user: Callable[[str], object], process: subprocess.Popen[str]) -> int:
    """The user decides on what is shown, until the program ends. Returns how."""
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        user(line.strip())
        process.stdin.write("\n")
        process.stdin.flush()
    return process.wait()


@pytest.fixture(scope="module")
def bank() -> Iterator[Simulator]:
    with Simulator(decoupled_reads=None, settlement=0) as simulator:
        yield simulator


class Order:
    """An order for the program, in a file, and what has become of it."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator, self.folder = simulator, folder
        self.reference = self.end_to_end_identification = uuid.uuid4().hex
        with simulator.client() as op:
            at = op.at_bank("ESSESESS", Psu(**USER))
            self.consent = at.consents.create(valid_until=timedelta(days=1))
            simulator.approve(self.consent.consent_id)
            self.account = at.accounts(self.consent).list()[0]
        self.write("ESSESESS")

    def write(self, bic: str, reference: str | None = None, amount: str = "1.50", **user: str) -> str:
        """Writes an order. Returns its file's name."""
        payment = {
            "instructedAmount": {"amount": amount, "currency": "SEK"},
            "debtorAccount": {"iban": self.account.iban},
            "creditorAccount": {"iban": "SE3550000000054910000003"},
            "creditorName": "Example Shop",
        }
        order = {"reference": reference or self.reference, "bic_fi": bic, "product": "domestic", "payment": payment}
        name = f"{reference or 'order'}.json"
        (self.folder / name).write_text(json.dumps({**order, "user": USER | user}))
        return name

    @property
    def made(self) -> list[SimulatedPayment]:
        """All payments that were created for it."""
        created = self.simulator.payments
        return [each for each in created if each.request["endToEndIdentification"] == self.reference]

    def finish(self) -> None:
        """A new process goes on, and then there is one payment that somebody approved, once."""
        with working(self.simulator, "nowhere", self.folder) as process:
            assert play(self.simulator.approve, process) == 0
        (paid,) = [each for each in self.made if each.status == "ACSC"]
        assert {each.status for each in self.made} <= {"RCVD", "ACSC"}
        approved = [one for each in self.made for one in each.authorisations if one.sca_status == "finalised"]
        assert len(approved) == 1
        assert self.rows() == [(self.reference, paid.id, "ACSC")]

    def rows(self) -> list[tuple[str, str | None, str | None]]:
        """What the outbox knows."""
        with closing(sqlite3.connect(self.folder / "payments.db")) as db:
            return db.execute("SELECT reference, payment_id, outcome FROM outbox ORDER BY rowid").fetchall()

    def entries(self) -> list[Transaction]:
        """Its entries in the account."""
        with self.simulator.client() as op:
            listed = op.at_bank("ESSESESS", Psu(**USER)).accounts(self.consent).transactions(self.account)
            return [each for each in listed if each.payment_id in {one.id for one in self.made}]


@pytest.fixture
def order(bank: Simulator, tmp_path: Path) -> Order:
    return Order(bank, tmp_path)


@pytest.mark.parametrize(
    "point",
    [
        f"{when} {step}"
        for step in ("the order", "payment_id", "authorisation", "outcome")
        for when in ("before", "after")
    ]
    + ["approved"],
)
def test_killed_between_two_steps(bank: Simulator, order: Order, point: str) -> None:
    with working(bank, point, order.folder) as process:
        assert play(bank.approve, process) == -signal.SIGKILL
    order.finish()
    (entry,) = order.entries()
    assert money(entry.transaction_amount) == Decimal("-1.50")
    assert payments.find([entry], order) is entry


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/psd2/paymentinitiation/v1/payments/domestic"),
        ("POST", "*/authorisations"),
        ("PUT", "*/authorisations/*"),
        ("GET", "*/authorisations/*"),
        ("GET", "*/status"),
    ],
)
def test_killed_while_a_request_is_under_way(bank: Simulator, order: Order, method: str, path: str) -> None:
    with (
        bank.misbehave(path, method=method, delay=0.2) as fault,
        working(bank, "nowhere", order.folder) as process,
        ThreadPoolExecutor(1) as user,
    ):
        playing = user.submit(play, bank.approve, process)
        while not fault.used:
            assert not playing.done()
            time.sleep(0.005)
        process.kill()
        assert playing.result() == -signal.SIGKILL
        # it is carried out all the same, unless its body was not sent yet
        patience = time.monotonic() + 2
        while any(request.status is None for request in bank.requests) and time.monotonic() < patience:
            time.sleep(0.005)
    bank.reset()
    order.finish()
    assert len(order.entries()) == 1


def test_killed_while_the_user_looks(bank: Simulator, order: Order) -> None:
    with working(bank, "nowhere", order.folder) as process:
        assert process.stdout is not None
        shown = process.stdout.readline().strip()
        process.kill()
    bank.approve(shown)
    order.finish()
    assert len(order.entries()) == 1


@pytest.mark.parametrize("point", ["before authorisation", "after authorisation"])
def test_killed_at_a_bank_that_approves_as_soon_as_it_is_asked(bank: Simulator, order: Order, point: str) -> None:
    order.write("HANDSESS")
    with working(bank, point, order.folder) as process:
        assert play(bank.approve, process) == -signal.SIGKILL
    order.finish()
    assert len(order.made) == 1


def test_two_processes_never_work_at_once(bank: Simulator, order: Order, capfd: pytest.CaptureFixture[str]) -> None:
    with working(bank, "nowhere", order.folder) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with working(bank, "nowhere", order.folder) as second:
            assert play(bank.approve, second) == 1
        first.kill()
    (line,) = capfd.readouterr().err.splitlines()
    assert "another process works on it" in line


def test_another_order_for_the_same_reference(bank: Simulator, order: Order, capfd: pytest.CaptureFixture[str]) -> None:
    order.finish()
    (paid,) = order.made
    file = order.folder / "order.json"
    same = json.loads(file.read_text())
    file.write_text(json.dumps(dict(reversed(same.items())), indent=2))
    with working(bank, "nowhere", order.folder) as process:
        assert play(bank.approve, process) == 0
    order.write("ESSESESS", amount="999.00")
    with working(bank, "nowhere", order.folder) as process:
        assert play(bank.approve, process) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"{file}: ValueError: there is a payment for another order ")
    assert order.made == [paid]
    assert order.rows() == [(order.reference, paid.id, "ACSC")]


def test_an_order_is_mended_while_it_has_no_payment(bank: Simulator, order: Order) -> None:
    order.write("ESSESESS", amount="one")
    with working(bank, "nowhere", order.folder) as process:
        assert play(bank.approve, process) == 1
    assert order.rows() == [(order.reference, None, None)]
    order.write("ESSESESS")
    order.finish()
    assert len(order.made) == 1


def test_one_order_does_not_stop_the_others(bank: Simulator, order: Order, capfd: pytest.CaptureFixture[str]) -> None:
    broken = order.folder / "broken.json"
    broken.write_text("{")
    names = [order.write("NDEASESS", "browser"), order.write("ESSESESS", "odd", unknown="x"), "order.json"]
    with working(bank, "nowhere", order.folder, broken.name, *names) as process:
        assert play(bank.approve, process) == 1
    assert [(name, outcome) for name, _, outcome in order.rows()] == [
        ("browser", None),
        ("odd", None),
        (order.reference, "ACSC"),
    ]
    assert [line.partition(": ")[0] for line in capfd.readouterr().err.splitlines()] == [str(broken), "browser", "odd"]


def test_authorisations_that_fail(bank: Simulator, order: Order) -> None:
    users = {"declines": "example-user", "unable": "99990101005", "slow": "99990101004", "unknown": "example-fails"}
    names = [order.write("ESSESESS", reference, id=user) for reference, user in users.items()]
    end = "AuthorisationFailedError"
    for decide, code, outcomes in (
        (bank.decline, 1, [end, end, None, None]),
        (bank.approve, 0, [end, end, *["ACSC"] * 2]),
    ):
        with working(bank, "nowhere", order.folder, *names) as process:
            assert play(decide, process) == code
        assert [outcome for *_, outcome in order.rows()] == outcomes
    made = [each for each in bank.payments if each.request["endToEndIdentification"] in users]
    assert [len(each.authorisations) for each in made] == [1, 1, 2, 2]


def test_user_who_approves_what_a_killed_process_has_asked(bank: Simulator, order: Order) -> None:
    with working(bank, "before authorisation", order.folder) as process:
        assert play(bank.approve, process) == -signal.SIGKILL
    ((first,),) = [each.authorisations for each in order.made]
    with working(bank, "nowhere", order.folder) as process:
        assert play(lambda _: bank.approve(first.id), process) == 0
    order.finish()
    assert len(order.entries()) == 1


@pytest.fixture(scope="module")
def patient_bank() -> Iterator[Simulator]:
    with Simulator(decoupled_reads=2, settlement=3600) as simulator:
        yield simulator


@pytest.mark.parametrize(("later", "outcome"), [("settle", "ACSC"), ("reject", "PaymentRejectedError")])
def test_an_accepted_payment_is_read_again(
    patient_bank: Simulator, tmp_path: Path, later: str, outcome: str, capfd: pytest.CaptureFixture[str]
) -> None:
    order = Order(patient_bank, tmp_path)

    def again() -> tuple[int, str | None, list[str]]:
        """How a run ends, what it makes of the payment, and which requests it sends to the API."""
        before = len(patient_bank.requests)
        with working(patient_bank, "nowhere", tmp_path) as process:
            code = play(lambda _: None, process)
        ((_, _, known),) = order.rows()
        sent = [each.path for each in patient_bank.requests[before:] if each.path.startswith("/psd2/")]
        return code, known, sent

    code, known, _ = again()
    assert (code, known) == (0, "ACSP")
    (payment,) = order.made
    read = [f"/psd2/paymentinitiation/v1/payments/domestic/{payment.id}/status"]
    assert again() == (0, "ACSP", read)
    if later == "settle":
        patient_bank.settle_payment(payment.id)
    else:
        patient_bank.reject_payment(payment.id)
    assert again() == (int(later == "reject"), outcome, read)
    assert (f"{order.reference}: PaymentRejectedError: " in capfd.readouterr().err) == (later == "reject")
    assert again() == (0, outcome, [])


COMPANY: Final = {**USER, "corporate_id": "example-company", "context": "corporate"}
JOURNEYS: Final[dict[str, dict[str, Any]]] = {
    "redirect": {"bic_fi": "SWEDSESS", "redirect": True, "signatures": [(USER, False, 1)]},
    "cancellation": {"bic_fi": "SWEDSESS", "redirect": False, "signatures": [(USER, False, 1), (USER, True, 1)]},
    "two people": {
        "bic_fi": "ESSESESS",
        "redirect": False,
        "signatures": [
            ({**COMPANY, "id": "99990101002"}, False, 1),
            ({**COMPANY, "id": "example-colleague"}, False, 2),
        ],
    },
}
POINTS: Final = {
    "redirect": ["before authorisation 0", "after authorisation 0", "after callback", "before completed", "twice"],
    "cancellation": ["after signed 0", "before asked", "before authorisation 1"],
    "two people": ["after signed 0", "before authorisation 1"],
}


@pytest.mark.parametrize(("journey", "point"), [(name, point) for name, points in POINTS.items() for point in points])
def test_killed_on_another_journey(patient_bank: Simulator, tmp_path: Path, journey: str, point: str) -> None:
    reference, file = uuid.uuid4().hex, tmp_path / "state.json"
    order = {
        "instructedAmount": {"amount": "1.50", "currency": "SEK"},
        "debtorAccount": {"iban": "SE4550000000058398257466"},
        "creditorAccount": {"iban": "SE3550000000054910000003"},
        "creditorName": "Example Shop",
        "endToEndIdentification": reference,
    }
    file.write_text(json.dumps({**JOURNEYS[journey], "order": order}))
    command = [sys.executable, "-c", STEPS, str(file), point]
    ends = subprocess.check_output(command, env=environ(patient_bank), cwd=ROOT, text=True).split()
    assert ends == ["0" if point == "twice" else str(-signal.SIGKILL), "0"]
    (payment,) = [each for each in patient_bank.payments if each.request["endToEndIdentification"] == reference]
    outcome = "CANC" if journey == "cancellation" else "ACSP"
    assert (payment.status, json.loads(file.read_text())["outcome"]) == (outcome, outcome)
    groups = payment.authorisations, payment.cancellation_authorisations
    signers = [[each.psu_id for each in group if each.sca_status == "finalised"] for group in groups]
    signatures = JOURNEYS[journey]["signatures"]
    assert signers == [[user["id"] for user, later, _ in signatures if later is kind] for kind in (False, True)]
