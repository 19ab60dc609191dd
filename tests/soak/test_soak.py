"""The soak in a few seconds, and its judges. `make soak ARGS=--self-test` has each find what is planted for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from tests.soak.__main__ import small
from tests.soak.judges import Sample, judge_growth, most_failures, most_tokens

# growth, and failures in the quiet, are for the long run: in a few seconds on a busy machine they may be anything
ALWAYS = {
    "answers of others",
    "payments made twice",
    "requests sent twice that must not be",
    "undocumented exceptions",
    "calls that did not end",
}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell what is open")
def test_nothing_is_mixed_up_and_nothing_made_twice() -> None:
    _, failed, output = small()
    assert all(what in output for what in ALWAYS), output
    assert not failed & ALWAYS, output


REST = Sample("cuts", 100, 60.0, 70_000, 290_000, 18, 201, 4, 12)


@pytest.mark.parametrize(
    ("grown", "found"),
    [
        ({}, set()),
        ({"memory": 0.1, "objects": 20, "blocks": 60}, set()),  # as much as between two rests of the same state
        ({"memory": 0.5}, {"memory, MiB"}),
        ({"objects": 200}, {"objects"}),
        ({"blocks": 500}, {"blocks"}),
        ({"threads": 1, "tasks": 1}, {"threads", "tasks"}),
        ({"sockets": 1, "descriptors": 1}, {"sockets", "file descriptors"}),
    ],
)
def test_what_grows_steadily_is_found(grown: dict[str, Any], found: set[str]) -> None:
    rests = [
        evolve(REST, **{name: getattr(REST, name) + number * each for name, each in grown.items()})
        for number in range(24)
    ]
    assert {each.what for each in judge_growth(rests) if not each.holds} == found


def test_one_odd_rest_is_no_growth() -> None:
    odd = evolve(REST, memory=200.0, threads=30)
    assert all(each.holds for each in judge_growth([*[REST] * 20, odd, *[REST] * 3]))


def test_how_many_tokens_may_be_fetched() -> None:
    assert most_tokens(60, 20, 0) == (1 + 15) + (1 + 4)
    assert most_tokens(60, 20, 2) == (1 + 15) + (1 + 4) + 4
    assert most_failures(1, 0.25, 1) == 2
    assert most_failures(4, 3.5, 2) == 4 * 2 * 5
