"""How often a fuzz test runs: a little in `make test`, always with the same cases, and a million in all in `make fuzz`.

`FUZZ` is how much of the million: FUZZ=0.1 runs a tenth of it.
"""

from __future__ import annotations

import functools
import math
import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

LONG: Final = float(os.environ["FUZZ"]) if os.environ.get("FUZZ") else None
LANE: Final = 5_000
"""Cases that one test runs at most: Hypothesis remembers all of a test, and parallel workers share the tests."""

RAN: Counter[str] = Counter()
"""The cases that ended as they should, by part."""


def how_many(short: int, long: int) -> int:
    return short if LONG is None else max(1, round(long * LONG))


def repeated(cases: int) -> settings:
    """What Hypothesis is told: the same cases every time, but in a long run always others."""
    return settings(
        max_examples=cases,
        deadline=None,
        derandomize=LONG is None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[Phase.explicit, Phase.generate, Phase.target, Phase.shrink],
        suppress_health_check=[*HealthCheck],
    )


def fuzzed(part: str, short: int, long: int, **strategies: st.SearchStrategy[Any]) -> Callable[[Any], Any]:
    """Runs a test with `short` cases, or in a long run with its share of `long`, and counts them."""

    def decorate(test: Any) -> Any:
        @functools.wraps(test)
        def counted(*args: Any, **kwargs: Any) -> None:
            test(*args, **kwargs)
            RAN[part] += 1

        cases = how_many(short, long)
        lanes = math.ceil(cases / LANE)
        found: Any = repeated(math.ceil(cases / lanes))(given(**strategies)(counted))
        found.fuzz_lanes = lanes
        return found

    return decorate
