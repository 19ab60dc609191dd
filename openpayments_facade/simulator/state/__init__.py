"""The state of the simulated provider."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .authorisations import KINDS_WITH_CODE
from .banks import banks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from .authorisations import Authorisations, Subject
    from .banks import Bank
    from .consents import Consents
    from .credentials import AccessTokens, Application, Codes, RefreshTokens
    from .fx_quotes import FxQuotes
    from .kyc import Kyc
    from .ledger import Ledger
    from .payments import Payments
    from .signing_baskets import SigningBaskets

__all__ = ["RULES", "Provider", "Rules"]

Rules = Literal["2026", "2021"]
RULES: tuple[Rules, ...] = ("2026", "2021")


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The state of the provider, and the settings of its behaviour.

    All reads and changes require holding `lock`: the hosts run in a thread of their own, and the methods of `Simulator`
    can be called from any thread.

    Attributes:
        of_2026: Whether the rules are those of 2026, or those of 2021.
        refresh_tokens: None if the token endpoint issues none.
        redirect_uris: The redirect URIs that the application has registered; None for any.
        require_kyc: Whether payments of a company need its KYC.
        page_size: The number of booked transactions on a page.
        newest_first: Whether the first page has the newest of them.
        auth_url: Returns the auth host's origin while it runs.
        now: Returns the banks' time.
    """

    of_2026: bool
    application: Application
    tokens: AccessTokens
    codes: Codes
    refresh_tokens: RefreshTokens | None
    authorisations: Authorisations
    consents: Consents
    payments: Payments
    signing_baskets: SigningBaskets
    fx_quotes: FxQuotes
    kyc: Kyc
    ledger: Ledger
    now: Callable[[], datetime]
    auth_url: Callable[[], str]
    require_psu_context: bool
    require_kyc: bool
    page_size: int
    newest_first: bool
    plain_redirect: bool
    redirect_uris: frozenset[str] | None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def banks(self) -> Mapping[str, Bank]:
        """The banks, by BIC."""
        return banks(of_2026=self.of_2026)

    def find_subject(self, identifier: str) -> Subject | None:
        """What a user is asked to approve, by its id."""
        return self.consents.find(identifier) or self.payments.find(identifier) or self.signing_baskets.find(identifier)

    def comes_back_with_code(self, subject: Subject) -> bool:
        """Whether the browser that comes back from a redirect brings a code."""
        return subject.kind in KINDS_WITH_CODE and not self.plain_redirect
