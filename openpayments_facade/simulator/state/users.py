"""Users whose authorisation takes a special course, by `PSU-ID`.

| PSU-ID | authorisation |
|---|---|
| `example-fails` | fails, whichever button is pressed: SCA status `failed`, consent `rejected` |
| `example-exempted` | is not needed: SCA status `exempted` once a method is selected, consent `valid` |
| `example-never-ends` | never ends: the status stays the same, and the page has no effect |
| any other, or none | is decided on the page; decoupled ones succeed by themselves |

The id counts that is sent when the authorisation starts, else when the consent is created, else when a method is
selected.

These are nobody's real ids: they don't have the form of a personal identity number.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Fate", "fate_of"]


class Fate(Enum):
    USUAL = None
    FAILS = "example-fails"
    EXEMPTED = "example-exempted"
    NEVER_ENDS = "example-never-ends"


def fate_of(psu_id: str | None) -> Fate:
    return next((fate for fate in Fate if fate.value == psu_id), Fate.USUAL)
