# Written by `make unasync` from tests/_async/conftest.py; do not edit.
"""A client of the test's own simulator, open for as long as the test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade import OpenPayments


@pytest.fixture
def op(openpayments_client: OpenPayments) -> Iterator[OpenPayments]:
    with openpayments_client as op:
        yield op
