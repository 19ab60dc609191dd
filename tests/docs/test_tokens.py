"""What docs/tokens.md says of processes that share their tokens, and of a token endpoint that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openpayments_facade.tokens import forget_all

if TYPE_CHECKING:
    from .conftest import Reader

PAGE = "docs/tokens.md"


@pytest.mark.parametrize("number", [0, 1], ids=["file", "redis"])
def test_two_processes_share_a_token(number: int, reader: Reader) -> None:
    code = reader.block(PAGE, "Share tokens between processes", number).code
    for _ in range(2):
        assert reader.python(code).endswith("countries\n")
        forget_all()  # as another process
    assert reader.simulator.token_requests == 1


def test_a_second_call_asks_nobody(reader: Reader) -> None:
    reader.python(reader.block(PAGE, "When the token endpoint fails").code)
    assert reader.simulator.token_requests == 1
