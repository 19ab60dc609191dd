"""An outbox: a database that knows how far each payment has got, so that a process may be killed at any moment.

    python examples/outbox.py payments.db order.json ...

It keeps the orders, and then goes on with every payment that has no outcome yet. The credentials come from the
environment (`OpenPayments.from_env`). An order is a JSON file:

    {"reference": "order-17", "bic_fi": "ESSESESS", "product": "domestic",
     "user": {"id": "example-user", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"},
     "payment": {"instructedAmount": {"amount": "125.50", "currency": "SEK"}, "creditorName": "Example Shop",
                 "debtorAccount": {"iban": "SE4550000000058398257466"},
                 "creditorAccount": {"iban": "SE3550000000054910000003"}}}
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

from openpayments_facade import (
    ApiScope,
    Approach,
    AuthorisationFailedError,
    OpenPayments,
    OpenPaymentsError,
    PaymentCancelledError,
    PaymentRejectedError,
    Psu,
)

TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    reference TEXT PRIMARY KEY,  -- your own: no order is in here twice
    job TEXT NOT NULL,           -- the order
    payment_id TEXT,             -- known: it can be approved
    authorisation TEXT,          -- started: the user may have seen it
    outcome TEXT                 -- the bank's status, or the error that ended it
)
"""
SAVE = """
UPDATE outbox SET
    payment_id = coalesce(:payment_id, payment_id),
    authorisation = coalesce(:authorisation, authorisation),
    outcome = coalesce(:outcome, outcome)
WHERE reference = :reference
"""


class Outbox:
    """The orders and their steps. What a method has saved survives the process."""

    def __init__(self, path: str) -> None:
        # two processes at once would not see what the other one is about to save; the lock ends with the process
        self._lock = sqlite3.connect(f"{path}.lock", timeout=0, isolation_level=None)
        self._lock.execute("BEGIN EXCLUSIVE")
        self._db = sqlite3.connect(path, isolation_level=None)  # each statement is a transaction of its own
        self._db.row_factory = sqlite3.Row
        self._db.execute(TABLE)

    def add(self, order: dict[str, Any]) -> None:
        """Keeps an order, once for its reference."""
        values = order["reference"], json.dumps(order)
        self._db.execute("INSERT OR IGNORE INTO outbox (reference, job) VALUES (?, ?)", values)

    def save(self, reference: str, **step: str) -> None:
        """Keeps a step of a payment: payment_id, authorisation or outcome."""
        none = dict.fromkeys(("payment_id", "authorisation", "outcome"))
        self._db.execute(SAVE, {**none, **step, "reference": reference})

    def unfinished(self) -> list[sqlite3.Row]:
        """The payments without an outcome."""
        return self._db.execute("SELECT * FROM outbox WHERE outcome IS NULL ORDER BY rowid").fetchall()


def pay(op: OpenPayments, outbox: Outbox, row: sqlite3.Row) -> None:
    """Goes on with a payment, from the last step that was saved."""
    reference, job = row["reference"], json.loads(row["job"])
    bank, product = op.at_bank(job["bic_fi"], Psu(**job["user"])), job["product"]

    payment_id = row["payment_id"]
    if payment_id is None:
        # one may have been created before; nobody knows its id, so nobody can approve it, and no money moves
        order = {**job["payment"], "endToEndIdentification": reference}
        payment_id = bank.payments.create(order, product=product).payment_id
        outbox.save(reference, payment_id=payment_id)

    saved = row["authorisation"]
    if saved is None and not is_approved(bank, payment_id, product):
        # one may have been started before; the user has not seen it
        saved = json.dumps(bank.payments.authorise(payment_id, product=product).to_dict())
        outbox.save(reference, authorisation=saved)
    if saved is not None:
        authorisation = bank.payments.resume(json.loads(saved))
        for update in authorisation.updates():
            if not update.is_over:
                show(authorisation)
        authorisation.wait()

    status = bank.payments.wait(payment_id, product=product)
    outbox.save(reference, outcome=str(status))


def is_approved(bank: Any, payment_id: str, product: str) -> bool:
    """Whether the user has approved a payment already. Some banks approve as soon as they are asked."""
    found = bank.payments.authorisations(payment_id, product=product)
    asked = (bank.payments.sca_status(payment_id, product=product, authorisation_id=each) for each in found)
    return any(answer.sca_status in {"finalised", "exempted"} for answer in asked)


def show(authorisation: Any) -> None:
    """Shows the user what to do. A web application would draw a QR code, or send the browser on."""
    if authorisation.approach is not Approach.DECOUPLED:
        raise SystemExit("this program has no browser, and this bank approves in one")
    if authorisation.challenge:
        print("Approve the payment in your app:", authorisation.challenge.qr_content or authorisation.challenge.text)


def run(op: OpenPayments, outbox: Outbox) -> None:
    """Goes on with every payment that has no outcome yet."""
    for row in outbox.unfinished():
        try:
            pay(op, outbox, row)
        except (AuthorisationFailedError, PaymentRejectedError, PaymentCancelledError) as error:
            outbox.save(row["reference"], outcome=type(error).__name__)
        except OpenPaymentsError as error:  # OutcomeUnknownError, too: the next run goes on from what was saved
            print(f"{row['reference']}: {error}", file=sys.stderr)


def main(path: str, *orders: str) -> None:
    outbox = Outbox(path)
    for each in orders:
        outbox.add(json.loads(Path(each).read_text("utf-8")))
    with OpenPayments.from_env(api_scopes=[ApiScope.PAYMENT_INITIATION]) as op:
        run(op, outbox)


if __name__ == "__main__":
    main(*sys.argv[1:])
