"""What the simulated provider knows: the registered application and the tokens it was given."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .codes import IssuedCodes
    from .consents import Consents
    from .ledger import Ledger
    from .refresh_tokens import RefreshTokens
    from .tokens import IssuedTokens

__all__ = ["Application", "Provider"]


@dataclass(frozen=True)
class Application:
    """An application of the developer portal (facts 00-overview, section 4)."""

    client_id: str
    client_secret: str = field(repr=False)
    api_scopes: frozenset[str]

    def accepts(self, client_id: str, client_secret: str) -> bool:
        right_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        right_secret = hmac.compare_digest(client_secret.encode(), self.client_secret.encode())
        return right_id and right_secret


@dataclass(frozen=True)
class Provider:
    """`refresh_tokens` is None where the token endpoint gives none, as no source shows it giving any.

    `redirect_uris` are those that the application registered, None for any; `page_size` counts booked transactions;
    `auth_url` gives the auth host's origin while it runs.
    """

    application: Application
    tokens: IssuedTokens
    codes: IssuedCodes
    refresh_tokens: RefreshTokens | None
    require_psu_context: bool
    consents: Consents
    ledger: Ledger
    page_size: int
    plain_redirect: bool
    redirect_uris: frozenset[str] | None
    auth_url: Callable[[], str]
