"""Many transactions: all of them, in order, in one process or several, and no more memory than few."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import NamedTuple

import pytest

from openpayments_facade import Psu
from openpayments_facade._protocol.arguments import today
from openpayments_facade.simulator import Simulator

# prints day and id of each transaction, and at last its memory and the cursor
READ = """
import resource, sys
from itertools import islice
from dateutil.relativedelta import relativedelta
from openpayments_facade import OpenPayments, Psu

consent, cursor, limit = sys.argv[1:]
with OpenPayments.from_env(api_scopes=["accountinformation"]) as op:
    psu = Psu(ip_address="203.0.113.7", user_agent="x", id="example-user")
    accounts = op.at_bank("ESSESESS", psu).accounts(consent)
    account = accounts.list()[0]
    listed = accounts.transactions(account, date_from=relativedelta(months=-13), cursor=cursor or None)
    for transaction in islice(listed, int(limit)):
        print(transaction.booking_date, transaction.transaction_id)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, listed.cursor or "")
"""


class Reading(NamedTuple):
    transactions: list[str]
    peak: int


def read(transactions: int, *limits: int) -> Reading:
    """What processes read one after the other, each going on where the one before has stopped."""
    with Simulator(transactions=transactions, page_size=500) as simulator:
        exports = [line.removeprefix("export ").partition("=") for line in simulator.exports()]
        environ = {**os.environ, **{name: value for name, _, value in exports}}
        with simulator.client(api_scopes=["accountinformation"]) as op:
            consents = op.at_bank("ESSESESS", Psu(ip_address="203.0.113.7", user_agent="x", id="example-user")).consents
            consent = consents.create(valid_until=today().date() + timedelta(days=2))
        simulator.approve(consent.consent_id)
        found, peak, cursor = [], 0, ""
        for limit in limits:
            command = [sys.executable, "-c", READ, consent.consent_id, cursor, str(limit)]
            outcome = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
            *lines, last = outcome.stdout.splitlines()
            memory, _, cursor = last.partition(" ")
            found += lines
            peak = max(peak, int(memory))
        assert not cursor
        return Reading(found, peak)


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage on this system")
def test_100_000_transactions_in_two_processes_take_no_more_memory_than_1_000() -> None:
    few, many = read(1_000, 2_000), read(100_000, 41_237, 100_000)
    for found, count in ((few.transactions, 1_000), (many.transactions, 100_000)):
        assert len(found) == len({*found}) == count
        days = [line.split()[0] for line in found]
        assert days == sorted(days)
    assert many.peak <= 1.2 * few.peak
