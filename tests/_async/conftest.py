"""A client of the test's own simulator, open for as long as the test runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openpayments_facade import AsyncOpenPayments


@pytest.fixture
async def op(openpayments_async_client: AsyncOpenPayments) -> AsyncIterator[AsyncOpenPayments]:
    async with openpayments_async_client as op:
        yield op
