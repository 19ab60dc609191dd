"""The users of the simulator, so that every failure can be tried. A real bank has real ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A user of the simulator: the id that decides how an approval goes, and what it does in words."""

    id: str
    does: str


PEOPLE = (
    Person("example-user", "approves"),
    Person("example-fails", "does not approve"),
    Person("example-has-no-rights", "may not approve"),
    Person("example-never-ends", "never answers"),
    Person("99990101004", "is too slow"),
    Person("99990101005", "has no BankID"),
    Person("99990101002", "is the first of two who sign"),
    Person("example-payment-rejected", "approves; the bank rejects payments"),
    Person("example-exempted", "need not approve"),
)
