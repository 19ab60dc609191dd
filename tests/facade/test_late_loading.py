"""What is loaded late must be there when it is needed, and must not cost what is known by then."""

from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import suppress

import httpx
import pytest

from openpayments_facade import OpenPaymentsError
from tests.canned_server import Canned, Given, canned

JSON = {"Content-Type": "application/json"}
WITHOUT_DESCRIPTORS = """
import logging, os, resource, sys
from openpayments_client.api.payouts import confirm_payouts
from openpayments_client.models import PayoutConfirmation
from openpayments_facade import *

url, what = sys.argv[1:]
op = OpenPayments(
    client_id="id", client_secret="secret", environment=Environment("canned", url, url),
    api_scopes=[ApiScope.ASPSP_INFORMATION, ApiScope.PAYMENT_INITIATION], psu_context="corporate",
)
order = DomesticPayment(
    instructed_amount=amount("125.50", "SEK"),
    debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
    creditor_account=AccountReference(iban="SE3550000000054910000003"),
    creditor_name="Example Shop",
)
user = Psu(id="example-user", corporate_id="1", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
bank = op.at_bank("ESSESESS", user)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = []

class Full(logging.Handler):
    "Uses up what is left once the request has left and when its connection is closed, as other threads may."
    def emit(self, record):
        if record.getMessage().startswith(("send_request_body.complete", "close.complete")):
            try:
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                pass

op.countries.list(), bank.payments.status("warm", product="domestic")
full = Full()
for name in ("httpcore.http11", "httpcore.connection"):
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).addHandler(full)
try:
    if what == "payment":
        bank.payments.create(order)
    elif what == "payouts":
        op.call(confirm_payouts, body=PayoutConfirmation(payout_ids=["p1"]), psu_id="example-user")
    else:
        op.countries.list()
    said = "answered"
except BaseException as error:
    said = type(error).__name__
for each in held:
    os.close(each)
print(said)
"""


def run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def answering(server: Canned, third: Given) -> None:
    asked: list[str] = []

    def answer(method: str, path: str) -> Given:
        asked.append(path)
        if len(asked) <= 2:
            return Given(200, JSON, b'{"countries": [], "transactionStatus": "RCVD"}')
        return third if len(asked) == 3 else Given(200, JSON, b'{"countries": []}')

    server.given = answer


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    ("what", "status", "expected"),
    [
        ("payment", 400, "BadRequestError"),
        ("payment", 500, "ServerError"),
        ("read", 503, "ServerError"),
        ("payouts", 200, "answered"),
    ],
)
def test_an_outcome_is_told_where_no_file_can_be_opened_any_more(what: str, status: int, expected: str) -> None:
    with canned() as server:
        body = b'{"tppMessages": [{"category": "ERROR", "code": "FORMAT_ERROR", "text": "x"}]}'
        answering(server, Given(status, JSON, body))
        assert run(WITHOUT_DESCRIPTORS, server.url, what) == expected


WHILE_ASYNCIO_LOADS = """
import importlib.abc, importlib.machinery, sys, threading
from openpayments_facade import ApiScope, Environment, OpenPayments

url = sys.argv[1]
in_the_middle, go_on = threading.Event(), threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "asyncio.format_helpers":  # asyncio.events imports it
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (in_the_middle.set(), go_on.wait(10), load(module))
        return spec

def another():
    import asyncio

sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=another)
thread.start()
assert in_the_middle.wait(10)
try:
    environment = Environment("canned", url, url)
    op = OpenPayments(client_id="id", client_secret="s", environment=environment)
    print(len(op.countries.list()))
finally:
    go_on.set()
    thread.join()
"""


def test_a_call_while_another_thread_loads_asyncio() -> None:
    with canned() as server:
        server.given = Given(200, JSON, b'{"countries": [{"isoCountryCode": "SE"}]}')
        assert run(WHILE_ASYNCIO_LOADS, server.url) == "1"


FIRST_CALL = """
import sys
from openpayments_facade import OpenPayments

print("httpx" in sys.modules, "attrs" in sys.modules)
from openpayments_facade import Environment

with OpenPayments(client_id="id", client_secret="s", environment=Environment("canned", *sys.argv[1:] * 2)) as op:
    op.countries.list()
print(*{"asyncio", "stamina", "openpayments_client.client", "openpayments_client.models.error_body"} & {*sys.modules})
"""


def test_a_sync_call_that_succeeds_loads_no_event_loop_no_retries_and_no_other_model() -> None:
    with canned() as server:
        server.given = Given(200, JSON, b'{"countries": []}')
        assert run(FIRST_CALL, server.url) == "False False"


def test_no_url_of_a_person_outlives_its_client() -> None:
    number = "5560360793-of-nobody"
    with canned() as server:
        server.given = Given(200, JSON, b"{}")
        with server.client() as op, suppress(OpenPaymentsError):
            op.kyc.status(number)
        assert any(number in each["request"]["uri"] for each in server.interactions)
    del op
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, httpx.URL) and number in str(each)]


def test_the_module_of_tokens_lists_what_it_has() -> None:
    code = "import pydoc, openpayments_facade.tokens as t; said = pydoc.render_doc(t, renderer=pydoc.plaintext)"
    assert run(f"{code}; print(*[name for name in t.__all__ if name not in said or name not in dir(t)])") == ""


@pytest.mark.parametrize("name", ["amounts", "environments", "events", "models", "psu", "scopes", "tokens"])
def test_a_public_module_is_an_attribute_of_the_package(name: str) -> None:
    code = f"import openpayments_facade as op; print(op.{name}.__name__)"
    assert run(code) == f"openpayments_facade.{name}"
