"""The examples of the help run on the simulator."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from openpayments_facade.cli import payment
from openpayments_facade.cli.app import app
from tests.cli.people import IP, PSU_ID, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade.simulator import Simulator


def _helps(command: Any) -> Iterator[str]:
    yield command.help or ""
    for each in getattr(command, "commands", {}).values():
        yield from _helps(each)


EXAMPLES = [
    example.rstrip(")")
    for text in _helps(typer.main.get_command(app))
    for example in re.findall(r"^ *(?:\w+=\$\()?openpayments (.+)$", text.replace("\\\n", " "), re.MULTILINE)
    if not example.startswith("simulator ")  # which runs until it is stopped
]
PLACEHOLDERS = re.compile("--psu-id ID|--consent ID|ADDRESS|PAYMENT_ID|QUOTE_ID")


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 1, "settlement": 3600.0}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    monkeypatch.setattr(payment, "can_ask", lambda: True)

    def made(like: str) -> Any:
        """What the example that begins like this makes."""
        command = next(each for each in EXAMPLES if each.startswith(like))
        return json.loads(follow(f"{command.replace('--simulator', '')} --json"))

    def meant(placeholder: re.Match[str]) -> str:
        match placeholder[0]:
            case "--psu-id ID":
                return f"--psu-id {PSU_ID}"
            case "ADDRESS":
                return IP
            case "--consent ID":
                return f"--consent {made('consent create')['consentId']}"
            case "QUOTE_ID":
                return str(made("quote")["fxQuoteId"])
            case _:
                id_ = str(made("pay ESSESESS")["paymentId"])
                if "settled" in example:
                    simulator.settle_payment(id_)
                return id_

    def follow(command: str) -> str:
        words = shlex.split(PLACEHOLDERS.sub(meant, command))
        result = run(*words, typed="y\n", OPENPAYMENTS_PSU_IP=IP)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert follow(example) or "cancel" in example
