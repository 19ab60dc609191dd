"""What the figures of some rounds say. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.rows import OURS, Row

Found = dict[str, list[dict[str, float]]]
"""The figures of each contender, round by round."""


@dataclass(frozen=True)
class Spread:
    low: float
    median: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.2f} to {self.high:.2f}"


def spread(values: list[float]) -> Spread:
    """The median and the quartiles."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(found: Found, contender: str, reference: str, figure: str) -> Spread | None:
    """The contender's figure in each round as a multiple of the reference's in the same one; None if there is none."""
    pairs = zip(found[contender], found[reference], strict=True)
    values = [theirs[figure] / its[figure] for theirs, its in pairs if figure in theirs]
    return spread(values) if values else None


def main_figure(found: Found) -> str:
    return "memory" if any("memory" in figures for each in found.values() for figures in each) else "wall"


def cost(row: Row, found: Found, contender: str) -> Spread:
    """The ratios of what the row is about."""
    ratio = ratios(found, contender, row.reference, main_figure(found))
    assert ratio is not None
    return ratio


def is_missed(row: Row, found: Found) -> bool:
    """Whether the SDK costs more than it may. A ratio counts as it is printed, with two digits."""
    return OURS in found and row.target is not None and round(cost(row, found, OURS).median, 2) > row.target


def ahead(row: Row, found: Found) -> dict[str, bool]:
    """The SDKs whose median is less than this one's, which none should be, and whether the spreads are apart, too."""
    if OURS not in found:
        return {}
    ours, costs = cost(row, found, OURS), {name: cost(row, found, name) for name in found if name in row.sdks}
    return {name: its.high < ours.low for name, its in costs.items() if its.median < ours.median}
