"""Fleets of real processes, forks, and the end of the interpreter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from tests.child_processes import child

from .conftest import run_valkey
from .endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE, Answer, Endpoint, answer, granted, token_value
from .worker import workers

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["file", "valkey"])
def shared_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file:{tmp_path}/tokens" if request.param == "file" else str(request.getfixturevalue("valkey_url"))


def test_eight_processes_with_eight_threads_each_make_one_request(endpoint: Endpoint, shared_store: str) -> None:
    endpoint.delay = 0.05
    with workers(8, endpoint.url, shared_store) as fleet:
        for worker in fleet:
            worker.ask(8)
        answers = [answer for worker in fleet for answer in worker.answers()]
    assert answers == [token_value(1)] * 64
    assert endpoint.count == 1


@pytest.mark.parametrize("kind", ["file", "valkey"])
def test_the_process_that_holds_the_lock_is_killed(
    endpoint: Endpoint, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = f"file:{tmp_path}/tokens" if kind == "file" else str(request.getfixturevalue("valkey_url"))
    life = None if kind == "file" else 0.5
    endpoint.gate.clear()
    with workers(4, endpoint.url, store, life) as (holder, *others):
        holder.ask(1)
        assert endpoint.arrived.wait(10)
        holder.process.kill()
        endpoint.gate.set()
        for worker in others:
            worker.ask(8)
        answers = [answer for worker in others for answer in worker.answers()]
        assert [text for worker in others for text in worker.logs()] == []  # nobody had to go on without the lock
    assert answers == [token_value(2)] * 24
    assert endpoint.count == 2


def test_valkey_stops_and_comes_back(endpoint: Endpoint) -> None:
    with run_valkey() as valkey, workers(4, endpoint.url, valkey.connection_url) as fleet:

        def everybody() -> list[str]:
            for worker in fleet:
                worker.ask(8)
            return [answer for worker in fleet for answer in worker.answers()]

        def an_hour_later() -> None:
            for worker in fleet:
                worker.advance(3600)

        assert everybody() == [token_value(1)] * 32
        valkey.stop()
        assert everybody() == [token_value(1)] * 32
        an_hour_later()
        assert all(answer.startswith("t0ken-") for answer in everybody())
        assert endpoint.count <= 1 + 4
        for worker in fleet:
            [said] = worker.logs()
            assert said.startswith(
                "The token store (RedisStore) failed; going on with this process's own memory: ConnectionError: "
            )
        an_hour_later()
        assert all(answer.startswith("t0ken-") for answer in everybody())
        assert all(worker.logs() == [] for worker in fleet)  # said once

        valkey.start()
        before = endpoint.count
        an_hour_later()
        assert everybody() == [token_value(before + 1)] * 32
        assert endpoint.count == before + 1
        for worker in fleet:
            assert worker.logs() == ["The token store (RedisStore) works again"]


# programs of their own

PROLOGUE = f"""
import atexit, os, sys, threading, time
import httpx
from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.token import Clock

ahead = 0.0
clock = Clock(lambda: time.time() + ahead, lambda: time.monotonic() + ahead)

clients = {{os.getpid(): httpx.Client(trust_env=False)}}

def send(exchange):
    if os.getpid() not in clients:  # connections are not for sharing with children
        clients[os.getpid()] = httpx.Client(trust_env=False)
    return pools.send(clients[os.getpid()], exchange)

fetcher = TokenFetcher(
    token_url=sys.argv[1], client_id={CLIENT_ID!r}, client_secret=Secret({CLIENT_SECRET!r}),
    send=send, clock=clock,
)
manager = TokenManager(fetcher, {SCOPE!r}, clock=clock)

def tell(who):
    print(who, manager.get(20).value.reveal(), flush=True)

"""


def run(program: str, endpoint: Endpoint, *, line_when: threading.Event | None = None) -> str:
    """What a program prints. It may say nothing on its standard error, and ends at once when it is done."""
    with child(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(program), endpoint.url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "generated")])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if line_when:
            assert line_when.wait(10)
        said, complained = process.communicate("\n", timeout=15)
    assert (process.returncode, complained) == (0, "")
    return said


@pytest.mark.skipif(os.name != "posix", reason="this system has no signal that can be ignored")
def test_a_child_that_ignores_being_asked_to_stop_is_stopped() -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with child([sys.executable, "-c", stubborn], grace=0.1, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_waits_for_nothing_of_its_parents(endpoint: Endpoint) -> None:
    """The fork happens while threads of the parent hold the lock and fetch."""

    def answer(number: int) -> Answer:
        while number == 1 and endpoint.count < 2:  # the parent's request is answered after the child's
            time.sleep(0.005)
        return granted(number)

    endpoint.answer = answer
    said = run(
        """
        import warnings
        warnings.simplefilter("ignore")      # newer Pythons don't like forks beside threads
        threading.Thread(target=manager.get).start()
        sys.stdin.readline()  # its request has arrived
        held, enough = threading.Event(), threading.Event()

        def hold():
            with manager._entry.lock:
                held.set()
                enough.wait()

        threading.Thread(target=hold).start()
        held.wait()
        child = os.fork()
        enough.set()
        if not child:
            tell("child")
            if not os.fork():
                tell("grandchild")
                os._exit(0)
            os.wait()
            os._exit(0)
        os.wait()
        tell("parent")
        """,
        endpoint,
        line_when=endpoint.arrived,
    )
    assert said.splitlines() == ["child t0ken-2", "grandchild t0ken-2", "parent t0ken-1"]
    assert endpoint.count == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_waits_for_the_end_of_a_pause_by_itself(endpoint: Endpoint) -> None:
    endpoint.answer = lambda number: answer(b"", 429, {"Retry-After": "1"}) if number == 1 else granted(number)
    said = run(
        """
        import warnings
        from openpayments_facade import TokenError
        warnings.simplefilter("ignore")      # newer Pythons don't like forks beside threads
        try:
            manager.get()
        except TokenError:
            pass

        def patient(who):
            print(who, manager.get(20, retries=1).value.reveal()[:5], flush=True)

        parent = threading.Thread(target=patient, args=["parent"])
        parent.start()
        while not manager._under_way():
            time.sleep(0.005)
        if not os.fork():
            patient("child")
            os._exit(0)
        parent.join()
        os.wait()
        """,
        endpoint,
    )
    assert sorted(said.splitlines()) == ["child t0ken", "parent t0ken"]
    assert endpoint.count == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_opens_a_store_while_its_parent_does(endpoint: Endpoint, tmp_path: Path) -> None:
    said = run(
        f"""
        import warnings
        warnings.simplefilter("ignore")      # newer Pythons don't like forks beside threads
        from openpayments_facade.tokens.stores import open_store
        from openpayments_facade.tokens.stores import file
        inside, enough = threading.Event(), threading.Event()
        read = file.FileStore._read

        def slow(store):
            inside.set()
            enough.wait()
            return read(store)

        file.FileStore._read = slow
        threading.Thread(target=open_store, args=["file:{tmp_path}/tokens"]).start()
        inside.wait()
        child = os.fork()
        enough.set()
        if not child:
            threading.Timer(5, os._exit, [1]).start()
            open_store("file:{tmp_path}/tokens")
            print("opened", flush=True)
            os._exit(0)
        os.wait()
        """,
        endpoint,
    )
    assert said == "opened\n"


def test_no_refresh_begins_while_the_interpreter_shuts_down(endpoint: Endpoint) -> None:
    def answer(number: int) -> Answer:
        if number > 1:
            endpoint.gate.clear()
            endpoint.gate.wait(30)
        return granted(number)

    endpoint.answer = answer
    said = run(
        """
        tell("main")
        ahead = 3500.0
        atexit.register(tell, "at exit")

        def outlive():
            threading.main_thread().join()
            tell("thread")

        threading.Thread(target=outlive).start()

        class Late:
            def __del__(self, tell=tell):
                tell("finalizer")

        late = Late()
        """,
        endpoint,
    )
    assert said.splitlines() == [f"{who} t0ken-1" for who in ("main", "thread", "at exit", "finalizer")]
    assert endpoint.count == 1


def test_a_refresh_under_way_does_not_hold_up_the_end(endpoint: Endpoint) -> None:
    refreshing = threading.Event()

    def answer(number: int) -> Answer:
        if number > 1:
            refreshing.set()
            endpoint.gate.clear()
            endpoint.gate.wait(30)
        return granted(number)

    endpoint.answer = answer
    run(  # the endpoint would take 30 seconds
        """
        tell("main")
        ahead = 3500.0
        tell("main")
        sys.stdin.readline()
        """,
        endpoint,
        line_when=refreshing,
    )
    assert endpoint.count == 2


def test_no_token_can_be_had_in_a_finalizer(endpoint: Endpoint) -> None:
    """No thread can be started any more: an error, not a hang."""
    said = run(
        """
        class Late:
            def __del__(self, tell=tell, print=print):
                try:
                    tell("finalizer")
                except Exception as error:
                    print(type(error).__name__, "shutting down" in str(error), flush=True)

        late = Late()
        """,
        endpoint,
    )
    assert said == "ConnectionFailedError True\n"
    assert endpoint.count == 0
