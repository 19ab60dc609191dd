"""Every block of README and docs runs as it stands, sync and async, and prints what the page says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from scripts.docs_blocks import ROOT, Block, blocks, pages

from .conftest import same

if TYPE_CHECKING:
    from .conftest import Reader

EVERY = [block for page in pages() for block in blocks(page)]
NOT_RUN = 19
"""How many blocks are not run. Each says why."""
WIDTH = 88
"""Columns of code that the site shows without cutting them off."""


def name(block: object) -> str:
    return f"{block.page}:{block.line}" if isinstance(block, Block) else ""


def of(language: str) -> list[Block]:
    return [block for block in EVERY if block.language == language and not block.not_run]


def too_long(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line) > WIDTH]


def check(block: Block, printed: str) -> None:
    if block.output is not None:
        assert same(printed, block.output), f"it prints\n{printed}\nand the page says\n{block.output}"


@pytest.mark.parametrize("block", of("python"), ids=name)
def test_python(block: Block, reader: Reader) -> None:
    check(block, reader.python(block.code, name(block)))


@pytest.mark.parametrize("block", [block for block in of("python") if block.has_async_half], ids=name)
def test_its_async_half(block: Block, reader: Reader) -> None:
    code = block.async_code()
    assert not too_long(code)
    check(block, reader.python(code, name(block)))


# users approve as soon as they are asked: a command pauses between two looks
@pytest.mark.openpayments_simulator(decoupled_reads=1)
# (tools/test_five_minutes.py runs those of the README, with real pauses)
@pytest.mark.parametrize("block", [each for each in of("sh") if each.page != "README.md"], ids=name)
def test_commands(block: Block, reader: Reader) -> None:
    check(block, reader.shell(block.code))


def test_no_block_is_overlooked() -> None:
    """Written otherwise, a block would be in no list."""
    found = {
        (page, fence.strip())
        for page in pages()
        for fence in re.findall(r"^ *(?:`{3,}|~~~)[^`\n]*$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    }
    odd = {each for each in found if not re.fullmatch(r'```((python|sh|text|json|http)( title="[^"]+")?)?', each[1])}
    assert not odd
    count = sum((ROOT / page).read_text("utf-8").count(f"```{each}") for page in pages() for each in ("python", "sh"))
    assert len(EVERY) + sum(block.by_hand is not None for block in EVERY) == count


def test_few_blocks_are_not_run() -> None:
    not_run = [name(block) for block in EVERY if block.not_run]
    assert len(not_run) == NOT_RUN, not_run


def test_no_line_is_cut_off() -> None:
    long = [
        f"{name(block)}: {line}"
        for block in EVERY
        if not block.page.startswith("docs/commands/")  # as wide as help and terminals; the site wraps it
        for line in too_long(block.code + (block.output or ""))
    ]
    assert not long, "\n".join(long)


def test_credentials_are_obviously_made_up() -> None:
    text = "\n".join((ROOT / page).read_text("utf-8") for page in pages())
    given = re.findall(r"(?:\bBearer |(?i:client_id|client_secret|password)=)([^\s&`]+)", text)
    made_up = re.compile(r"""DUMMY_|\.\.\.|\[CLIENT_ID\]|"[a-z]+",?|\{""")
    assert "DUMMY_CLIENT_SECRET" in given
    assert [each for each in given if not made_up.match(each)] == []
