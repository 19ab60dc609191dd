"""Every command's help has an example, and what the help says to run runs. The docs have the rest: see tests/docs."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer

from openpayments_facade.cli import payment
from openpayments_facade.cli.app import app
from openpayments_facade.simulator import Simulator
from scripts.commands_pages import commands, examples
from tests.cli.people import IP, PSU_ID, TODAY, USER, run

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = dict(commands())


def _texts(command: Any) -> Iterator[str]:
    yield command.help or ""
    yield from (each.help or "" for each in command.params)
    for each in getattr(command, "commands", {}).values():
        yield from _texts(each)


def _said() -> list[str]:
    """What texts have in backticks, apart from the examples."""
    texts = (re.sub(r"\x08\n.*?(?:\n\n|$)", "", text, flags=re.S) for text in _texts(typer.main.get_command(app)))
    return sorted({" ".join(each.split()) for text in texts for each in re.findall("`([^`]+)`", text)})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    assert any(f"openpayments {name}" in example for example in examples(COMMANDS[name]))
    shown = run(*name.split(), "--help").stdout
    assert all(line in shown for example in examples(COMMANDS[name]) for line in example.splitlines())


@pytest.mark.parametrize("said", _said())
def test_what_the_help_says_to_run_runs(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(Simulator, "wait", lambda _: None)
    program, *words = shlex.split(said)
    assert program == "openpayments"
    assert run(*words).exit_code == 0


QUESTIONS = [
    example
    for command in COMMANDS.values()
    for text in examples(command)
    for example in re.findall(r"^openpayments (.+)$", text.replace("\\\n", " "), re.MULTILINE)
    if re.match("pay |payment (authorise|cancel)", example) and "--yes" not in example
]


@pytest.mark.parametrize("example", QUESTIONS)
def test_an_example_that_asks(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    monkeypatch.setattr(payment, "can_ask", lambda: True)
    order = [
        "--amount",
        "1",
        "--name",
        "Shop",
        "--from",
        "SE4550000000058398257466",
        "--to",
        "SE3550000000054910000003",
    ]
    environment = {"OPENPAYMENTS_PSU_IP": IP, "OPENPAYMENTS_PSU_ID": PSU_ID}
    if "$PAYMENT" in example:
        assert run("pay", "ESSESESS", *order, typed="n\n", **environment).exit_code == 3
        example = example.replace("$PAYMENT", simulator.payments[0].id)
    if "$QUOTE" in example:
        with simulator.client() as op:
            quote = op.at_bank("SWEDSESS", USER).fx_quotes.create(
                source_currency="SEK",
                target_currency="USD",
                amount="130.00",
                country_code="US",
                requested_execution_date=TODAY + timedelta(days=1),
            )
        example = example.replace("$QUOTE", quote.fx_quote_id or "")
    result = run(*shlex.split(example), typed="y\n", **environment)
    assert result.exit_code == 0, result.output
    assert "[y/N]" in result.stderr


def test_there_are_examples_that_ask() -> None:
    assert len(QUESTIONS) == 4


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 1, "settlement": 3600.0}
