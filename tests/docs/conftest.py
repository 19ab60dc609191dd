"""A reader of the docs: has a simulator's variables in the environment, and pastes what a page says."""

from __future__ import annotations

import builtins
import contextlib
import io
import logging
import os
import re
import subprocess
import sys
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openpayments_facade import (
    AccountReference,
    Approach,
    DebtorAccountReference,
    DomesticPayment,
    Psu,
    amount,
)
from openpayments_facade.simulator.state.credentials import API_SCOPES
from scripts.docs_blocks import ROOT, Block, blocks

from ..tokens.conftest import run_valkey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade.simulator import Simulator


class Reader:
    """Runs blocks as they stand."""

    def __init__(self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
        self.simulator = simulator
        self._monkeypatch = monkeypatch
        self._request = request
        self.stdin = ""  # what a command is answered with, before its end

    def python(self, code: str, page: str = "block") -> str:
        """Runs a block of Python in a module of its own, and gives what it printed."""
        self._prepare(code)
        out = io.StringIO()

        def browse(prompt: object = "") -> str:
            """The user opens the last link that was printed, and approves."""
            links = re.findall(r"https?://\S+", out.getvalue())
            out.write(f"{prompt}\n")
            return self.simulator.visit(links[-1])

        self._monkeypatch.setattr(builtins, "input", browse)
        with contextlib.redirect_stdout(out), _logging_of_its_own():
            exec(compile(code, page, "exec"), {"__name__": "__main__"})
        return out.getvalue()

    def shell(self, code: str) -> str:
        """Runs a block of commands, and gives what they printed on stdout."""
        self._prepare(code)
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "100"}
        environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'generated'}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            env=environment,
            input=self.stdin,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def block(self, page: str, heading: str, number: int = 0) -> Block:
        """A block under a heading of a page."""
        return [block for block in blocks(page) if block.heading == heading][number]

    def _prepare(self, code: str) -> None:
        # what a reader has exported before, where a block asks for it
        for name in ("CONSENT", "ACCOUNT", "PAYMENT"):
            if re.search(rf"\b{name}\b", code) and name not in os.environ:
                self._monkeypatch.setenv(name, getattr(self, name.lower()))
        if "REDIS_URL" in code:
            self._monkeypatch.setenv("REDIS_URL", self._request.getfixturevalue("redis_url"))

    @cached_property
    def consent(self) -> str:
        with self.simulator.client() as op:
            bank = op.at_bank("ESSESESS", SOMEBODY)
            consent = bank.consents.create(valid_until=timedelta(days=90))
            bank.consents.authorise(consent)
            self.simulator.approve(consent.consent_id)
            return consent.consent_id

    @cached_property
    def account(self) -> str:
        with self.simulator.client() as op:
            [first, *_] = op.at_bank("ESSESESS", SOMEBODY).accounts(self.consent).list()
            assert first.resource_id
            return first.resource_id

    @cached_property
    def payment(self) -> str:
        payment = DomesticPayment(
            instructed_amount=amount("125.50", "SEK"),
            debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
            creditor_account=AccountReference(iban="SE3550000000054910000003"),
            creditor_name="Example Shop",
        )
        with self.simulator.client() as op:
            return op.at_bank("ESSESESS", SOMEBODY).payments.create(payment).payment_id


@contextlib.contextmanager
def _logging_of_its_own() -> Iterator[None]:
    """What a block sets about logging ends with it, and nothing is set at its beginning."""
    loggers = [logging.getLogger(name) for name in ("", "openpayments_facade", "httpx", "httpcore", "stamina")]
    before = [(logger, [*logger.handlers], logger.level) for logger in loggers]
    logging.root.handlers = []
    try:
        yield
    finally:
        for logger, handlers, level in before:
            logger.handlers = handlers
            logger.setLevel(level)


SOMEBODY = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with run_valkey() as server:
        yield server.connection_url


@pytest.fixture
def reader(
    openpayments_simulator: Simulator,
    openpayments_env: None,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Reader:
    """A reader in an empty folder, for whom nobody pauses for long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENPAYMENTS_API_SCOPES", " ".join(API_SCOPES))
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("OPENPAYMENTS_PSU_ID", "example-user")
    monkeypatch.setenv("OPENPAYMENTS_PSU_IP", "203.0.113.7")
    for half in ("_sync", "_async"):
        where = f"openpayments_facade.{half}"
        monkeypatch.setattr(f"{where}.authorisation.POLL_INTERVAL", dict.fromkeys(Approach, 0.01))
        monkeypatch.setattr(f"{where}.authorisation.GRACE", 0.01)
        monkeypatch.setattr(f"{where}.payments.FIRST_PAUSE", 0.05)
    return Reader(openpayments_simulator, monkeypatch, request)


def same(printed: str, expected: str) -> bool:
    """Whether an output is as the page says. `...` stands for anything."""

    def lines(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ".*".join(map(re.escape, lines(expected).split("...")))
    return re.fullmatch(pattern, lines(printed), re.DOTALL) is not None
