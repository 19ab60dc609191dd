"""The ways to call an API with a token."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from httpx_auth import OAuth2, OAuth2ClientCredentials

from benchmarks.tokens.provider import COUNTRY, Provider
from openpayments_facade import AsyncOpenPayments, Environment, OpenPayments
from openpayments_facade.tokens import forget_all
from openpayments_facade.tokens.memory import PROCESS_MEMORY
from openpayments_facade.tokens.token import SYSTEM_CLOCK, AccessToken
from tests.tokens.endpoint import CLIENT_ID, CLIENT_SECRET, SCOPE


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
