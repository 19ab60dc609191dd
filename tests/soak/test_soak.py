"""The soak in a few seconds: it holds, and it finds what is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.__main__ import PLANTS, small

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell what is open")


def test_nothing_grows_and_nothing_fails_outside_windows_of_faults() -> None:
    status, failed, output = small()
    assert (status, failed) == (0, set()), output


def test_each_judge_finds_what_is_planted_for_it() -> None:
    status, failed, output = small(*PLANTS)
    assert (status, failed) == (1, {what for each in PLANTS.values() for what in each}), output
