"""Marks for tests of the rules: not in `callers`, which the conftest that declares the mark imports."""

from __future__ import annotations

import pytest

of_2021 = pytest.mark.simulator(rules="2021")
# values of a parameter `rules`, for what both have in common
BOTH = ["2026", pytest.param("2021", marks=of_2021)]
