"""docs/errors.md has every error at its place in the tree, and what it catches is what is raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import errors
from scripts.docs_blocks import ROOT, blocks

if TYPE_CHECKING:
    from .conftest import Reader

PAGE = "docs/errors.md"


def test_the_tree() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    tree = text[text.index("## The tree") : text.index("## What they carry")]
    parents: list[str] = []
    found = set()
    for line in re.findall(r"^ *- .*(?:\n +[^- ].*)*", tree, re.MULTILINE):
        depth = (len(line) - len(line.lstrip())) // 4
        names = re.findall(r"`(\w+Error)`", line.partition(": ")[0])
        for name in names:
            parent = getattr(errors, parents[depth - 1]) if depth else Exception
            assert getattr(errors, name).__bases__[0] in (parent, errors._AuthorisationError), name
        parents[depth:] = names[:1]
        found |= set(names)
    assert found == {*errors.__all__} - {"TppMessage"}


def test_what_they_carry() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    rows = re.findall(r"^\| `(\w+Error)`[^|]*\| (.*) \|$", text[text.index("## What they carry") :], re.MULTILINE)
    assert len(rows) > 8
    for name, about in rows:
        kind: Any = getattr(errors, name)
        plain = re.sub(r"\([^)]*\)", "", about)
        said = {word for word in re.findall(r"`(\w+)`", plain) if not word.endswith("Error")}
        own = {each for base in kind.__mro__ for each in vars(base).get("__annotations__", {})}
        assert said <= own | {"messages"}, name
        assert own - said <= {each for base in kind.__mro__[1:] for each in vars(base).get("__annotations__", {})}


FAULTS = [
    ({"code": "CONSENT_EXPIRED"}, 409),
    ({"status": 429, "code": "ACCESS_EXCEEDED"}, 429),
    ({"status": 503, "times": None}, 503),
    ({"close": True, "times": None}, 503),
    ({"status": 403}, 500),
    ({"method": "DELETE", "close": True}, 504),
]


@pytest.mark.parametrize(("fault", "status"), FAULTS, ids=str)
def test_a_web_request(fault: dict[str, Any], status: int, reader: Reader) -> None:
    code = reader.block(PAGE, "In a web request").code
    if fault.get("method"):
        code = code.replace("    try:\n", "").replace('    bank.consents.delete(os.environ["CONSENT"])\n', "    try:\n")
        code = code.replace("bank.accounts(os.environ", "bank.consents.delete(os.environ").replace(".list()", "")
    else:
        code = code.replace('    bank.consents.delete(os.environ["CONSENT"])\n', "")
    code = code.replace("from_env()", "from_env(max_retries=0)")
    assert reader.consent  # before there is a fault
    path = "/psd2/consent" if fault.get("method") else "/psd2/accountinformation"
    reader.simulator.misbehave(path, **fault)
    assert reader.python(code).startswith(f"{status} ")


def test_a_callback_that_does_not_belong(reader: Reader) -> None:
    [block] = [block for block in blocks(PAGE) if block.heading == "In a callback"]
    code = block.code.replace("url = input(", "url = 'https://app.example.com/callback?state=x&code=y' or input(")
    assert reader.python(code).count("This is not the page") == 2
