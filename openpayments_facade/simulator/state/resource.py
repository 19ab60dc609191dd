"""What an application creates at a bank, such as a consent or an FX quote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict

if TYPE_CHECKING:
    from .banks import Bank

__all__ = ["Origin", "Resource"]


class Origin(TypedDict):
    """For whom something is created: fields of a `Resource`."""

    bank: Bank
    context: str | None
    redirect_preferred: str | None
    corporate_id: str | None
    psu_id: str | None


@dataclass(eq=False, kw_only=True)
class Resource:
    """A base class. `kind` says what it is.

    `context` is the PSU context of the token, `redirect_preferred` and `corporate_id` are headers that it was created
    with; `psu_id` is the user, None if unknown.
    """

    kind: ClassVar[str]

    id: str
    bank: Bank
    context: str | None
    redirect_preferred: str | None
    corporate_id: str | None
    psu_id: str | None
