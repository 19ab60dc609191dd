"""An outbox: a database that knows how far each payment has got, so that a process may be killed at any moment.

    python examples/outbox.py payments.db order.json ...

It keeps the orders, and then goes on with every payment that has no outcome yet. What goes wrong with one is said on
stderr and does not stop the others; the exit code is then 1. The credentials come from the environment
(`OpenPayments.from_env`). An order is a JSON file:

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
        """Keeps an order, once for its reference."""
        values = order["reference"], json.dumps(order)
        self._db.execute("INSERT OR IGNORE INTO outbox (reference, job) VALUES (?, ?)", values)

    def save(self, reference: str, step: str, value: str | None) -> None:
        """Keeps a step of a payment: payment_id, authorisation or outcome."""
        self._db.execute(SAVE[step], (value, reference))

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
        outbox.save(reference, "payment_id", payment_id)

    saved = row["authorisation"]
    if saved is None and not is_approved(bank, payment_id, product):
        # one may have been started before: whoever approves both pays once
        saved = json.dumps(bank.payments.authorise(payment_id, product=product).to_dict())
        outbox.save(reference, "authorisation", saved)
    if saved is not None:
        try:
            ask(bank.payments.resume(json.loads(saved)))
        except AuthorisationFailedError:  # unless the user has approved another one
            if not is_approved(bank, payment_id, product):
                raise

    status = bank.payments.wait(payment_id, product=product)
    outbox.save(reference, "outcome", str(status))


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
        raise NotImplementedError("this bank approves in a browser, and this program has none")
    if authorisation.challenge:
        print("Approve the payment in your app:", authorisation.challenge.qr_content or authorisation.challenge.text)


def run(op: OpenPayments, outbox: Outbox) -> bool:
    """Goes on with every payment that has no outcome yet. Whether all went well."""
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
    outbox = Outbox(path)
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
