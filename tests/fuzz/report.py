"""The table at the end of `make fuzz`, and the splitting of long tests among workers: a plugin of pytest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests.fuzz.fuzzing import RAN


@pytest.fixture
def fuzz_lane(request: pytest.FixtureRequest) -> Any:
    """The number of a part of a test that is too long for one worker."""
    return request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    lanes = getattr(metafunc.function, "fuzz_lanes", 1)
    if lanes > 1:
        metafunc.fixturenames.append("fuzz_lane")
        metafunc.parametrize("fuzz_lane", range(lanes), indirect=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    RAN.clear()
    try:
        return (yield)
    finally:
        item.user_properties.append(("fuzzed", dict(RAN)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    cases, seconds, failed = Counter[str](), Counter[str](), Counter[str]()
    for report in (each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())):
        for part, count in dict(report.user_properties).get("fuzzed", {}).items():
            cases[part] += count
            seconds[part] += report.duration
            failed[part] += report.failed
    terminalreporter.section("fuzzed")
    line = "{:<14} {:>10} {:>10} {:>10}".format
    terminalreporter.write_line(line("part", "cases", "seconds", "failures"))
    for part in sorted(cases):
        terminalreporter.write_line(line(part, f"{cases[part]:,}", f"{seconds[part]:,.0f}", failed[part]))
    totals = (f"{cases.total():,}", f"{seconds.total():,.0f}", failed.total())
    terminalreporter.write_line(line("in all", *totals))
