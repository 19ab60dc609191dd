"""A payment outlives every process that works on it: `examples/outbox.py`, killed between any two steps."""

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
    from collections.abc import Iterator

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

def saving(self, reference, save=outbox.Outbox.save, **step):
    reach(f"before {[*step][0]}")
    save(self, reference, **step)
    reach(f"after {[*step][0]}")

def adding(self, order, add=outbox.Outbox.add):
    reach("before the order")
    add(self, order)
    reach("after the order")

def showing(authorisation):
    if authorisation.authorisation_id not in seen:
        seen.add(authorisation.authorisation_id)
        print(authorisation.authorisation_id, flush=True)
        input()
        reach("approved")

sca.POLL_INTERVAL.update(dict.fromkeys(sca.POLL_INTERVAL, 0.01))
outbox.Outbox.save, outbox.Outbox.add, outbox.show = saving, adding, showing
outbox.main(*arguments)
"""


@contextmanager
def working(simulator: Simulator, point: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, which dies at a point."""
    exports = [line.removeprefix("export ").partition("=") for line in simulator.exports()]
    environ = {**os.environ, **{name: value for name, _, value in exports}}
    files = [str(folder / name) for name in ("payments.db", "order.json")]
    command = [sys.executable, "-c", PROGRAM, point, *files]
    with child(command, env=environ, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def play(simulator: Simulator, process: subprocess.Popen[str]) -> int:
    """The user approves what is shown, until the program ends. Returns how."""
    assert process.stdin is not None
    assert process.stdout is not None
    for line in process.stdout:
        simulator.approve(line.strip())
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

    def write(self, bic: str) -> None:
        payment = {
            "instructedAmount": {"amount": "1.50", "currency": "SEK"},
            "debtorAccount": {"iban": self.account.iban},
            "creditorAccount": {"iban": "SE3550000000054910000003"},
            "creditorName": "Example Shop",
        }
        order = {"reference": self.reference, "bic_fi": bic, "product": "domestic", "user": USER, "payment": payment}
        (self.folder / "order.json").write_text(json.dumps(order))

    @property
    def made(self) -> list[SimulatedPayment]:
        """All payments that were created for it."""
        created = self.simulator.payments
        return [each for each in created if each.request["endToEndIdentification"] == self.reference]

    def finish(self) -> None:
        """A new process goes on, and then there is one payment that somebody approved, once."""
        with working(self.simulator, "nowhere", self.folder) as process:
            assert play(self.simulator, process) == 0
        (paid,) = [each for each in self.made if each.status == "ACSC"]
        assert {each.status for each in self.made} <= {"RCVD", "ACSC"}
        approved = [one for each in self.made for one in each.authorisations if one.sca_status == "finalised"]
        assert len(approved) == 1
        with closing(sqlite3.connect(self.folder / "payments.db")) as db:
            assert db.execute("SELECT reference, payment_id, outcome FROM outbox").fetchall() == [
                (self.reference, paid.id, "ACSC")
            ]

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
        assert play(bank, process) == -signal.SIGKILL
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
        playing = user.submit(play, bank, process)
        while not fault.used:
            assert not playing.done()
            time.sleep(0.005)
        process.kill()
        assert playing.result() == -signal.SIGKILL
        while any(request.status is None for request in bank.requests):  # it is carried out all the same
            time.sleep(0.005)
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
        assert play(bank, process) == -signal.SIGKILL
    order.finish()
    assert len(order.made) == 1


def test_two_processes_never_work_at_once(bank: Simulator, order: Order) -> None:
    with working(bank, "nowhere", order.folder) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with working(bank, "nowhere", order.folder) as second:
            assert play(bank, second) == 1
        first.kill()
