"""The state of the simulated provider."""

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
    """The state of the provider, and the settings of its behaviour.

    All reads and changes require holding `lock`: the hosts run in a thread of their own, and the methods of `Simulator`
    can be called from any thread.

    Attributes:
        refresh_tokens: None if the token endpoint issues none.
        redirect_uris: The redirect URIs that the application has registered; None for any.
        page_size: The number of booked transactions on a page.
        auth_url: Returns the auth host's origin while it runs.
        now: Returns the banks' time.
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
