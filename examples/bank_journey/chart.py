"""The balance over time, as the points and lines of an inline SVG. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from openpayments_facade import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openpayments_facade import Account, BookedTransaction

LEFT, RIGHT, TOP, BOTTOM = 48, 10, 12, 28
WIDE, SMALL = (880, 260), (340, 200)
"""Width and height, for a desk and for a phone: letters stay as large as those around the picture."""
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Point:
    """The balance at the end of a day, and where that is in the picture."""

    day: date
    balance: Decimal
    x: float
    y: float


@dataclass(frozen=True)
class Tick:
    """A line of the grid, and what it says."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What the template draws.

    Attributes:
        points: One for each day, the oldest first.
        line: The path of the balance, in steps, since it stays the same until something is booked.
        area: The path of what is below.
        across: Horizontal lines, with amounts.
        down: Where days stand below.
    """

    points: Sequence[Point]
    line: str
    area: str
    across: Sequence[Tick]
    down: Sequence[Tick]
    width: int
    height: int

    @property
    def lowest(self) -> Point:
        """The day with the lowest balance."""
        return min(self.points, key=lambda point: point.balance)

    @property
    def highest(self) -> Point:
        """The day with the highest balance."""
        return max(self.points, key=lambda point: point.balance)


def balances_by_day(
    account: Account,
    balance: Decimal,
    booked: Iterable[BookedTransaction],
    *,
    currency: str,
    first: date,
    today: date,
) -> list[tuple[date, Decimal]]:
    """Counts back from today's booked balance.

    Returns:
        The balance at the end of each day. Empty if a transaction is in another currency, or does not tell its day, or
        whether it came in or went out: then no balance before it can be known.
    """
    changes: defaultdict[date, Decimal] = defaultdict(Decimal)
    for transaction in booked:
        day, amount = views.day(transaction).value, views.amount(transaction, own=account, signed=True)
        if day is None or amount.signed is None or amount.currency != currency:
            return []
        changes[day] += amount.signed
    found: list[tuple[date, Decimal]] = []
    day = today
    while day >= first:
        found.append((day, balance))
        balance -= changes[day]
        day -= timedelta(days=1)
    return found[::-1]


def draw(balances: Sequence[tuple[date, Decimal]], size: tuple[int, int] = WIDE) -> Chart | None:
    """The picture; None if there are too few days for one."""
    if len(balances) < 2:
        return None
    width, height = size
    values = [float(balance) for _, balance in balances]
    low, high, step = _scale(min(values), max(values))
    wide, tall = width - LEFT - RIGHT, height - TOP - BOTTOM

    def y_of(value: float) -> float:
        return round(TOP + tall * (high - value) / (high - low), 1)

    def x_of(index: int) -> float:
        return round(LEFT + wide * index / (len(balances) - 1), 1)

    points = [Point(day, value, x_of(at), y_of(float(value))) for at, (day, value) in enumerate(balances)]
    line = f"M{points[0].x} {points[0].y}" + "".join(f"H{point.x}V{point.y}" for point in points[1:])
    floor = height - BOTTOM
    lines = range(round((high - low) / step) + 1)
    every = max(1, len(points) // 4)
    return Chart(
        points=points,
        line=line,
        area=f"{line}V{floor}H{points[0].x}Z",
        across=[Tick(y_of(low + each * step), _short(low + each * step)) for each in lines],
        down=[Tick(point.x, f"{point.day.day} {point.day:%b}") for point in points[every // 2 :: every]],
        width=width,
        height=height,
    )


def _scale(low: float, high: float) -> tuple[float, float, float]:
    """The ends of the scale, and its step: a round number, of which three to six fit."""
    size = (high - low) or abs(high) or 1.0
    power = 10.0 ** _power(size / 4)
    step = next(each * power for each in STEPS if each * power >= size / 4)
    bottom, top = step * (low // step), step * -(-high // step)
    return bottom, top if top > bottom else bottom + step, step


def _power(size: float) -> int:
    power = 0
    while size >= 10:
        size, power = size / 10, power + 1
    while size < 1:
        size, power = size * 10, power - 1
    return power


def _short(value: float) -> str:
    """125000 as "125k"."""
    for least, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= least:
            return f"{value / least:g}{letter}".replace("-", "\N{MINUS SIGN}")
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
