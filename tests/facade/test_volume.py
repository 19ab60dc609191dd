"""Many transactions: all of them, in order, and no more memory than few."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from openpayments_facade import Psu
from openpayments_facade._protocol.arguments import today
from openpayments_facade.simulator import Simulator

READ = """
import json, resource, sys
from dateutil.relativedelta import relativedelta
from openpayments_facade import OpenPayments, Psu

with OpenPayments.from_env(api_scopes=["accountinformation"]) as op:
    psu = Psu(ip_address="203.0.113.7", user_agent="x", id="example-user")
    accounts = op.at_bank("ESSESESS", psu).accounts(sys.argv[1])
    account = accounts.list()[0]
    count, ordered, last = 0, True, None
    for transaction in accounts.transactions(account, date_from=relativedelta(months=-13)):
        count += 1
        ordered = ordered and (last is None or last <= transaction.booking_date)
        last = transaction.booking_date
    print(json.dumps({"count": count, "ordered": ordered, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def read(transactions: int) -> dict[str, int]:
    with Simulator(transactions=transactions, page_size=500) as simulator:
        exports = [line.removeprefix("export ").partition("=") for line in simulator.exports()]
        environ = {**os.environ, **{name: value for name, _, value in exports}}
        with simulator.client(api_scopes=["accountinformation"]) as op:
            consents = op.at_bank("ESSESESS", Psu(ip_address="203.0.113.7", user_agent="x", id="example-user")).consents
            consent = consents.create(valid_until=today().date() + timedelta(days=2))
        simulator.approve(consent.consent_id)
        outcome = subprocess.run(
            [sys.executable, "-c", READ, consent.consent_id], env=environ, capture_output=True, text=True, check=True
        )
        found: dict[str, int] = json.loads(outcome.stdout)
        return found


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage on this system")
def test_100_000_transactions_take_no_more_memory_than_1_000() -> None:
    few, many = read(1_000), read(100_000)
    assert (few["count"], many["count"]) == (1_000, 100_000)
    assert few["ordered"]
    assert many["ordered"]
    assert many["peak"] <= 1.2 * few["peak"]
