"""What a bank sends otherwise than described is shown as docs/accounts.md says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Reader


def test_odd_values(reader: Reader) -> None:
    block = reader.block("docs/accounts.md", "Odd values")
    for code in (block.code, block.async_code()):
        reader.simulator.misbehave("/psd2/accountinformation", change={"currency": ["SEK", "EUR"]})
        assert re.match(r"\('Account.currency',.*\)\nNone \['SEK', 'EUR'\]\n", reader.python(code))
