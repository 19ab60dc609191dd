"""How long a server asks to wait."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx

UNREADABLE_RETRY_AFTER: Final = 5.0
"""Seconds that a Retry-After means that can't be read."""
# compiled when they are needed: few answers have such a header
_SPAN: Final = (
    r"(?a)(\d*\.?\d+(?:E\d+)?)\s*"
    r"(?:(MILLISECOND|MS|SECOND|SEC|S|MINUTE|MIN|M|HOUR|HR|H|DAY|D|WEEK|W)S?(?![A-Z]))?\s*"
)
_UNITS: Final = {"": 1, "MS": 0.001, "MILLISECOND": 0.001, "S": 1, "M": 60, "H": 3600, "D": 86_400, "W": 604_800}
_GROUPED: Final = r"(?a)(?<=\d)[ ,](?=\d{3}\b)"
_CLOCK: Final = r"(?a)\d{1,4}(:\d\d){1,2}"
_SINCE_EPOCH: Final = 1e9
"""From here on a number is a moment, in seconds, milli- or microseconds since the epoch: no span is that long."""


def retry_after(headers: httpx.Headers) -> float | None:
    """The seconds that Retry-After asks to wait: the longest of all that it can mean. None without the header.

    Beside whole numbers and dates (RFC 9110, section 10.2.3) gateways send fractions, units, lists, and words around a
    number.
    """
    value = headers.get("retry-after", "")
    if not value.strip():
        return None
    # a date counts from when the server sent it: its clock is not ours
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    # a comma is that of a date, of a list, of a fraction or of thousands
    found = [_seconds(wish, now) for wish in (value.replace(",", "."), re.sub(_GROUPED, "", value))]
    for wish in value.split(","):
        seconds = _seconds(wish, now)
        found.append(_largest(wish) if seconds is None else seconds)
    return max((seconds for seconds in found if seconds is not None), default=UNREADABLE_RETRY_AFTER)


def _seconds(wish: str, now: datetime) -> float | None:
    wish = wish.strip(" \t\"'").rstrip(".").upper()
    span = wish.lstrip("+-")
    if span.startswith("P"):  # a duration of ISO 8601
        span = span[1:].replace("T", "", 1)
    if re.fullmatch(_CLOCK, span):
        return float(sum(int(part) * 60**power for power, part in enumerate(reversed(span.split(":")))))
    if span and not re.sub(_SPAN, "", span):
        seconds = _total(span)
        if seconds >= _SINCE_EPOCH:
            seconds = seconds / (1e6 if seconds >= 1e14 else 1e3 if seconds >= 1e11 else 1) - now.timestamp()
        return 0.0 if wish.startswith("-") else min(max(0.0, seconds), _SINCE_EPOCH)
    at = _moment(wish)
    return max(0.0, (at - now).total_seconds()) if at else None


def _total(span: str) -> float:
    return sum(float(number) * (_UNITS.get(unit) or _UNITS[unit[0]]) for number, unit in re.findall(_SPAN, span))


def _largest(wish: str) -> float | None:
    """The largest number among words, in seconds; None if there is none that can be a span."""
    spans = [_total(match[0]) for match in re.finditer(_SPAN, wish.upper())]
    return max((max(span, UNREADABLE_RETRY_AFTER) for span in spans if span < _SINCE_EPOCH), default=None)


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, OverflowError):
            at = read(text)
            return at.replace(tzinfo=at.tzinfo or UTC)
    return None
