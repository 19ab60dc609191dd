"""A journey outlives the process that began it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.child_processes import child

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

BEGIN = """
import json, sys, time
from datetime import date, timedelta
from openpayments_facade import OpenPayments, Psu

op = OpenPayments.from_env(api_scopes=["accountinformation"])
bank = op.at_bank("SWEDSESS", Psu(ip_address="203.0.113.7", user_agent="x", id="example-user"), redirect_preferred=True)
consent = bank.consents.create(valid_until=date.today() + timedelta(days=9))
authorisation = bank.consents.authorise(consent.consent_id)
url = authorisation.redirect_url(redirect_uri="https://app.example.com/callback")
print(json.dumps({"url": url, "saved": authorisation.to_dict()}), flush=True)
time.sleep(600)
"""
FINISH = """
import json, sys
from openpayments_facade import OpenPayments, Psu

given = json.load(sys.stdin)
with OpenPayments.from_env(api_scopes=["accountinformation"]) as op:
    bank = op.at_bank(given["saved"]["bic_fi"], Psu(ip_address="203.0.113.7", user_agent="x", id="example-user"))
    authorisation = bank.consents.resume(given["saved"])
    authorisation.complete(given["callback"])
    print(authorisation.wait(poll_interval=0.01).consent_status)
"""


def test_a_new_process_finishes_what_a_killed_one_began(openpayments_simulator: Simulator) -> None:
    exports = [line.removeprefix("export ").partition("=") for line in openpayments_simulator.exports()]
    environ = {**os.environ, **{name: value for name, _, value in exports}}
    with child([sys.executable, "-c", BEGIN], env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        begun = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    callback = openpayments_simulator.visit(begun["url"])
    given = json.dumps({"saved": begun["saved"], "callback": callback})
    finished = subprocess.run(
        [sys.executable, "-c", FINISH], env=environ, input=given, capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "valid"
