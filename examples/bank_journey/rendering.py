"""How values look in a page: amounts, days, logos, names of banks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from openpayments_facade import environments

MINUS, NO_BREAK = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


def number(value: Decimal, *, plus: bool = False) -> str:
    """1234.5 as "1,234.50". Never rounded: what has more decimals shows them."""
    sign = MINUS if value < 0 else "+" if plus and value > 0 else ""
    size = abs(value)
    decimals = max(2, -int(size.as_tuple().exponent)) if size.is_finite() else 2
    return f"{sign}{size:,.{decimals}f}"


def day(value: date | str | None) -> str:
    """2026-11-05 as "5 Nov 2026"."""
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found.day}{NO_BREAK}{found:%b}{NO_BREAK}{found.year}" if found else ""


def moment(value: str) -> str:
    """A time as SQLite has it, as "5 Nov 2026, 14:05 UTC"."""
    return f"{day(value[:10])}, {value[11:16]}{NO_BREAK}UTC"


def initials(name: str | None) -> str:
    """Of a bank's name, for a bank whose logo does not load."""
    words = [word for word in (name or "?").split() if word[0].isalnum() and word.upper() not in {"AB", "AG", "BANK"}]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def hue(text: str) -> str:
    """One of the eight colours of initials, always the same for a bank."""
    return f"hue-{sum(text.encode()) % 8}"


def grouped(account_number: str) -> str:
    """An IBAN in groups of four, which people can compare; other numbers as they are."""
    if not account_number[:2].isalpha():
        return account_number
    return " ".join(account_number[at : at + 4] for at in range(0, len(account_number), 4))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,  # of everything: banks write names and texts as they like
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "number": number,
        "day": day,
        "moment": moment,
        "initials": initials,
        "hue": hue,
        "grouped": grouped,
        # a link that a bank sent leads somewhere by https, or it is none
        "safe_link": environments.safe_link,
    }
    environment.filters.update(filters)  # pyright: ignore[reportUnknownMemberType] - jinja2 says no more
    return environment


TEMPLATES = Jinja2Templates(env=_environment())
