"""How long answers may be."""

from __future__ import annotations

from typing import Final

LONGEST_TOKEN: Final = 64 * 1024
"""Bytes of a token endpoint's answer. A token of a few kilobytes is a long one: it has to fit into a header."""
LONGEST_ERROR: Final = 128 * 1024
"""Bytes of an answer with an error status; what comes after them is not read. It is a few messages."""
LONGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes of any other answer: some 40,000 transactions on one page."""
