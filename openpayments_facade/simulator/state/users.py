"""Users whose authorisation does not go the usual way, by `PSU-ID`.

| PSU-ID | authorisation |
|---|---|
| `example-fails` | fails, whatever is pressed on the page: SCA status `failed`, consent `rejected` |
| `example-exempted` | is not needed: SCA status `exempted` once a method is selected, consent `valid` |
| `example-never-ends` | never ends: the status stays as it is, and the page has no effect |
| any other, or none | the user decides on the page; decoupled ones end well by themselves |

The user is named when the authorisation starts, else when the consent is created, else when a method is selected.

These ids can't be anybody's: they don't have the form of a personal identity number.
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
