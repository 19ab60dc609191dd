"""KYC of organisations: forms that somebody fills in, and until when the organisation is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Kyc", "KycForm"]

# the provider's description of 2026
_FORM_LIFETIME: Final = timedelta(hours=24)
# no source says how long a KYC is valid
_VALID: Final = timedelta(days=365)


@dataclass(frozen=True)
class KycForm:
    """A form for an organisation. `id` is in its address."""

    id: str
    corporate_id: str
    expires_at: datetime


class Kyc:
    """The KYC of all organisations. `new_id` makes the ids of forms, `now` is the provider's time.

    Ids of organisations are the same with and without a hyphen.
    """

    def __init__(self, *, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._new_id = new_id
        self._now = now
        self._forms: dict[str, KycForm] = {}
        self._valid_until: dict[str, date] = {}

    def start(self, corporate_id: str) -> KycForm:
        """A new form."""
        form = KycForm(self._new_id(), corporate_id, self._now() + _FORM_LIFETIME)
        self._forms[form.id] = form
        return form

    def find_form(self, form_id: str) -> KycForm | None:
        """A form that can still be filled in."""
        form = self._forms.get(form_id)
        return form if form is not None and self._now() < form.expires_at else None

    def complete(self, corporate_id: str) -> None:
        """The organisation is known for a year."""
        self._valid_until[_plain(corporate_id)] = self._now().date() + _VALID

    def valid_until(self, corporate_id: str) -> date | None:
        """The last day; None if the organisation is not known, or not any more."""
        last = self._valid_until.get(_plain(corporate_id))
        return last if last is not None and last >= self._now().date() else None


def _plain(corporate_id: str) -> str:
    return corporate_id.replace("-", "")
