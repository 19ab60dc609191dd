"""An outbox: a database that knows how far each payment has got, so that a process may be killed at any moment.

    python examples/outbox.py payments.db order.json ...

It keeps the orders, and then goes on with every payment that is not at its end. One that is accepted is read again by
each run until it is settled or rejected. What goes wrong with one is said on stderr and does not stop the others; the
exit code is then 1. The credentials come from the environment (`OpenPayments.from_env`). An order is a JSON file:

    {"reference": "order-17", "bic_fi": "ESSESESS", "product": "domestic",
     "user": {"id": "example-user", "ip_address": "203.0.113.7", "user_agent": "Mozilla/5.0"},
     "payment": {"instructedAmount": {"amount": "125.50", "currency": "SEK"}, "creditorName": "Example Shop",
                 "debtorAccount": {"iban": "SE4550000000058398257466"},
                 "creditorAccount": {"iban": "SE3550000000054910000003"}}}

Until the bank has given its payment an id, a file with the same reference and another content replaces the order.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from openpayments_facade import (
    ApiScope,
    Approach,
    AuthorisationFailedError,
    OpenPayments,
    PaymentCancelledError,
    PaymentRejectedError,
    PaymentStatus,
    Psu,
)

TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    reference TEXT PRIMARY KEY,  -- your own: no order is in here twice
    job TEXT NOT NULL,           -- the order
    payment_id TEXT,             -- known: it can be approved
    authorisation TEXT,          -- started: the user may have seen it
    outcome TEXT                 -- the bank's status, final or not, or the error that ended it
)
"""
ADD = """
INSERT INTO outbox (reference, job) VALUES (?, ?)
ON CONFLICT (reference) DO UPDATE SET job = excluded.job WHERE payment_id IS NULL
"""
SAVE = {
    "payment_id": "UPDATE outbox SET payment_id = ? WHERE reference = ?",
    "authorisation": "UPDATE outbox SET authorisation = ? WHERE reference = ?",
    "outcome": "UPDATE outbox SET outcome = ? WHERE reference = ?",
}


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
        """Keeps an order, once for its reference.

        Raises ValueError: There is a payment for this reference, of another content.
        """
        reference = order["reference"]
        self._db.execute(ADD, (reference, json.dumps(order)))
        row = self._db.execute("SELECT job FROM outbox WHERE reference = ?", (reference,)).fetchone()
        if json.loads(row["job"]) != order:
            raise ValueError(f"there is a payment for another order with the reference {reference}")

    def save(self, reference: str, step: str, value: str | None) -> None:
        """Keeps a step of a payment: payment_id, authorisation or outcome."""
        self._db.execute(SAVE[step], (value, reference))

    def unfinished(self) -> list[sqlite3.Row]:
        """The payments that are not at their end."""
        rows = self._db.execute("SELECT * FROM outbox ORDER BY rowid").fetchall()
        return [row for row in rows if not is_finished(row["outcome"])]


def is_finished(outcome: str | None) -> bool:
    """Whether nothing will change any more: a final status, or the name of the error that ended the payment."""
    return outcome is not None and (PaymentStatus(outcome).is_final or outcome.endswith("Error"))


def pay(op: OpenPayments, outbox: Outbox, row: sqlite3.Row) -> None:
    """Goes on with a payment, from the last step that was saved."""
    reference, job = row["reference"], json.loads(row["job"])
    bank, product = op.at_bank(job["bic_fi"], Psu(**job["user"])), job["product"]

    payment_id = row["payment_id"]
    if payment_id is None:
        # one may have been created before; nobody knows its id, so nobody can approve it, and no money moves
        order = {**job["payment"], "endToEndIdentification": reference}
        payment_id = bank.payments.create(order, product=product).payment_id
        outbox.save(reference, "payment_id", payment_id)

    if row["outcome"] is None:  # else it was accepted, and may have been settled or rejected since
        approve(bank, outbox, row, payment_id)
    status = bank.payments.wait(payment_id, product=product)
    outbox.save(reference, "outcome", str(status))


def approve(bank: Any, outbox: Outbox, row: sqlite3.Row, payment_id: str) -> None:
    """Has the user approve a payment, unless that is done."""
    product, saved = json.loads(row["job"])["product"], row["authorisation"]
    if saved is None and not is_approved(bank, payment_id, product):
        # one may have been started before: whoever approves both pays once
        saved = json.dumps(bank.payments.authorise(payment_id, product=product).to_dict())
        outbox.save(row["reference"], "authorisation", saved)
    if saved is not None:
        try:
            ask(bank.payments.resume(json.loads(saved)))
        except AuthorisationFailedError:  # unless the user has approved another one
            if not is_approved(bank, payment_id, product):
                raise


def is_approved(bank: Any, payment_id: str, product: str) -> bool:
    """Whether the user has approved a payment already. Some banks approve as soon as they are asked."""
    found = bank.payments.authorisations(payment_id, product=product)
    asked = (bank.payments.sca_status(payment_id, product=product, authorisation_id=each) for each in found)
    return any(answer.sca_status in {"finalised", "exempted"} for answer in asked)


def ask(authorisation: Any) -> None:
    """Shows the user what there is to approve, until that is done."""
    for update in authorisation.updates():
        if not update.is_over:
            show(authorisation)
    authorisation.wait()


def show(authorisation: Any) -> None:
    """Shows the user what to do. A web application would draw a QR code, or send the browser on."""
    if authorisation.approach is not Approach.DECOUPLED:
        # the browser comes back to a page of a web application, which calls `complete`
        raise RuntimeError("this bank's users approve in a browser, and this program has no page to come back to")
    if authorisation.challenge:
        print("Approve the payment in your app:", authorisation.challenge.qr_content or authorisation.challenge.text)


def run(op: OpenPayments, outbox: Outbox) -> bool:
    """Goes on with every payment that is not at its end. Whether all went well."""
    went_well = True
    for row in outbox.unfinished():
        reference = row["reference"]
        try:
            pay(op, outbox, row)
        except Exception as error:  # whatever it is, the others go on; the next run starts from what was saved
            went_well = False
            say(reference, error)
            if is_the_end(error):
                outbox.save(reference, "outcome", type(error).__name__)
            elif isinstance(error, AuthorisationFailedError):
                outbox.save(reference, "authorisation", None)  # the next run starts another one
    return went_well


def is_the_end(error: Exception) -> bool:
    """Whether a payment is over. A user who has declined is not asked again; one who was too slow is."""
    if isinstance(error, AuthorisationFailedError):
        return error.code == "USER_CANCEL" or error.trying_again_helps is False
    return isinstance(error, PaymentRejectedError | PaymentCancelledError)


def say(about: str, error: Exception) -> None:
    print(f"{about}: {type(error).__name__}: {error}", file=sys.stderr)


def main(path: str, *orders: str) -> int:
    os.umask(0o077)  # orders are nobody else's business
    try:
        outbox = Outbox(path)
    except sqlite3.Error as error:
        print(f"{path} can't be opened, or another process works on it: {error}", file=sys.stderr)
        return 1
    went_well = True
    for each in orders:
        try:
            outbox.add(json.loads(Path(each).read_text("utf-8")))
        except Exception as error:
            went_well = False
            say(each, error)
    with OpenPayments.from_env(api_scopes=[ApiScope.PAYMENT_INITIATION]) as op:
        went_well = run(op, outbox) and went_well
    return 0 if went_well else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
