"""What a client shares with its views: settings, connection pool, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._http.pools import AsyncPool
from .._protocol.keys import Keys
from .._protocol.quota import Quota
from ..scopes import PsuContext, compose
from ..tokens.fetcher import TokenFetcher
from ..tokens.manager import LONGEST_FLIGHT, TokenManager

if TYPE_CHECKING:
    from openpayments_client import models

    from .._protocol.options import Options
    from .._settings import Settings


class AsyncSession:
    """Owns the connection pool and the token managers of one client."""

    def __init__(self, settings: Settings, options: Options) -> None:
        self.settings = settings
        self.pool = AsyncPool(settings)
        self.fetcher = TokenFetcher(
            token_url=f"{settings.environment.auth_url}/connect/token",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            send=self.pool.send_blocking,
            # of the client, not of a view: its callers share the fetch
            timeout=options.timeout,
            total_timeout=min(options.total_timeout, LONGEST_FLIGHT),
        )
        self.quota = Quota()
        self.keys = Keys()
        self.aspsps: dict[str, models.AspspDetails] = {}
        """What payments have asked about banks."""
        self.told: set[tuple[str, ...]] = set()
        """Which missing headers have been logged."""
        self.contexts: dict[tuple[tuple[tuple[str, ...], ...], PsuContext | None], PsuContext | None] = {}
        """The PSU contexts of tokens, by the scopes of a call and the context that is wanted."""
        self._tokens: dict[PsuContext | None, TokenManager] = {}

    def tokens(self, psu_context: PsuContext | None) -> TokenManager:
        """The token manager of a PSU context: one active token for each (document 000).

        Raises:
            ClientStateError: The client is closed or belongs to another loop.
        """
        self.pool.client()  # raises if the client is closed or belongs to another loop
        if psu_context not in self._tokens:
            # two threads may each create one; that is harmless, for managers of the same scope share their state
            self._tokens[psu_context] = TokenManager(
                self.fetcher,
                compose(self.settings.token_scopes, psu_context),
                store=self.settings.token_store,
                on_event=self.settings.on_token_event,
                needs_loop=self.pool.needs_loop,
            )
        return self._tokens[psu_context]

    async def aclose(self) -> None:
        """Waits for running token fetches, then closes the connections, even if the waiting is interrupted."""
        self.pool.refuse()
        try:
            for manager in self._tokens.values():
                await manager.aclose()
        finally:
            await self.pool.aclose()
