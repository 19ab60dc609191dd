"""What the simulated provider remembers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .authorisations import Authorisations, Subject
    from .consents import Consents
    from .credentials import AccessTokens, Application, Codes, RefreshTokens
    from .ledger import Ledger

__all__ = ["Provider"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Everything that is remembered, and how the provider was told to behave.

    Whoever reads or changes anything in here holds `lock`: the hosts run in a thread of their own, and the methods of
    `Simulator` are called from any.

    `refresh_tokens` is None where the token endpoint gives none; `redirect_uris` are those that the application has
    registered, None for any; `page_size` counts booked transactions; `auth_url` gives the auth host's origin while it
    runs; `now` is the banks' time.
    """

    application: Application
    tokens: AccessTokens
    codes: Codes
    refresh_tokens: RefreshTokens | None
    authorisations: Authorisations
    consents: Consents
    ledger: Ledger
    now: Callable[[], datetime]
    auth_url: Callable[[], str]
    require_psu_context: bool
    page_size: int
    plain_redirect: bool
    redirect_uris: frozenset[str] | None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find_subject(self, identifier: str) -> Subject | None:
        """What a user is asked to approve, by its id."""
        return self.consents.find(identifier)
