"""Ctrl-C at any moment, SIGTERM, and streams that nobody reads: real processes and real signals."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.child_processes import child
from tests.cli.people import IP, NEVER_ENDS, PSU_ID, SCRIPT, TODAY, USER

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

ORDER = ["--amount", "125.50", "--name", "Example Shop", "--from", "SE4550000000058398257466"]
PAY = ["pay", "ESSESESS", *ORDER, "--to", "SE3550000000054910000003", "--psu-ip", IP, "--yes", "--app"]
CREATE = ["consent", "create", "--bank", "ESSESESS", "--psu-ip", IP]
# whoever runs the tests in the background has it ignored
HEARS_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
HIDES_THE_CURSOR, SHOWS_THE_CURSOR = "\x1b[?25l", "\x1b[?25h"
MAIN = "import sys; from openpayments_facade.cli import main; sys.exit(main())"


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"decoupled_reads": 1}


def spawned(
    *arguments: str, before: str = "", psu_id: str = PSU_ID, **options: Any
) -> AbstractContextManager[subprocess.Popen[str]]:
    environment = {**os.environ, "OPENPAYMENTS_PSU_ID": psu_id}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return child([sys.executable, "-c", f"{HEARS_CTRL_C}{before}{MAIN}", *arguments], env=environment, **options)


def until_it_says(stream: IO[str] | None, wanted: str) -> str:
    assert stream is not None
    read, deadline = "", time.monotonic() + 20
    while wanted not in read:
        assert select.select([stream], [], [], max(0, deadline - time.monotonic()))[0], f"no {wanted} in: {read}"
        read += os.read(stream.fileno(), 10_000).decode()
    return read


def until_asked(simulator: Simulator, path: str, method: str = "GET") -> None:
    deadline = time.monotonic() + 20
    while not any(path in each.path and each.method == method for each in simulator.requests):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a command writes after Ctrl-C, which ends it by the signal: a shell calls that 130, and ends its loop."""
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT, error
    assert "Traceback" not in error
    return out, error


@pytest.mark.parametrize(
    "module", ["openpayments_facade.errors", "typer", "httpx", "openpayments_facade.cli.failures", "rich.console"]
)
def test_while_something_is_imported(simulator: Simulator, module: str) -> None:
    find = f"""
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""
    with spawned(*CREATE, before=f"exec({find!r}); ") as creating:
        out, error = creating.communicate(timeout=20)
    assert (creating.returncode, out) == (-signal.SIGINT, "")
    assert "Traceback" not in error


def test_while_connecting() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.MonkeyPatch.context() as patch,
    ):
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name, value in {"CLIENT_ID": "x", "CLIENT_SECRET": "x", "AUTH_URL": url, "API_URL": url}.items():
            patch.setenv(f"OPENPAYMENTS_{name}", value)
        with spawned("banks", "--no-cache") as banks, silent.accept()[0]:
            assert interrupted(banks) == ("", "")


def test_while_a_payment_is_created(simulator: Simulator) -> None:
    simulator.misbehave("/psd2/paymentinitiation", method="POST", delay=60)
    with spawned(*PAY) as paying:
        until_asked(simulator, "/payments/domestic", "POST")
        out, error = interrupted(paying)
    assert out == ""
    assert "The payment may exist, but nobody has approved it: no money moves, and the same command can" in error


def test_while_a_consent_is_created_or_ended(simulator: Simulator) -> None:
    simulator.misbehave("/psd2/consent", method="POST", delay=60)
    with spawned(*CREATE) as creating:
        until_asked(simulator, "/consents", "POST")
        _, error = interrupted(creating)
    assert error == "\nThe consent may exist, but nobody has authorised it: the same command can be run again.\n"
    simulator.behave()
    with simulator.client() as op:
        id_ = op.at_bank("ESSESESS", USER).consents.create(valid_until=TODAY).consent_id
    simulator.misbehave("/psd2/consent", method="DELETE", delay=60)
    with spawned("consent", "delete", id_, "--bank", "ESSESESS") as deleting:
        until_asked(simulator, id_, "DELETE")
        _, error = interrupted(deleting)
    assert error == f"\n`openpayments consent status {id_} --bank ESSESESS` shows whether it has ended.\n"


def test_while_the_user_approves_in_an_app(simulator: Simulator) -> None:
    with spawned(*CREATE, psu_id=NEVER_ENDS) as creating:
        until_asked(simulator, "/authorisations/")
        out, error = interrupted(creating)
    assert out == ""
    at = f"{simulator.consents[-1].id} --bank ESSESESS --psu-ip {IP}"
    assert f"`openpayments consent status {at}` shows whether it is valid;" in error
    assert f"`openpayments consent authorise {at}` continues with the same consent." in error


def test_sigterm_while_a_code_is_shown(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    main, terminal = os.openpty()
    with (
        spawned(*CREATE, psu_id=NEVER_ENDS, stderr=terminal) as creating,
        os.fdopen(main, "rb", buffering=0) as screen,
    ):
        os.close(terminal)
        until_it_says(screen, HIDES_THE_CURSOR)  # type: ignore[arg-type]
        creating.terminate()
        assert creating.wait(20) == -signal.SIGTERM
        assert SHOWS_THE_CURSOR in until_it_says(screen, "continues with the same consent.")  # type: ignore[arg-type]


def test_while_the_browser_is_waited_for(simulator: Simulator, port: int) -> None:
    uri = f"http://127.0.0.1:{port}/callback"
    with spawned(*CREATE, "--browser", "--no-browser", "--redirect-uri", uri) as creating:
        until_it_says(creating.stderr, "/connect/authorize")
        _, error = interrupted(creating)
    assert "continues with the same consent" in error


def test_while_printing(simulator: Simulator) -> None:
    banks = [{"bicFi": "ESSESESS", "name": "x" * 1000}] * 1000
    simulator.misbehave("/psd2/aspspinformation", status=200, body={"aspsps": banks})
    with spawned("banks") as listing:
        # more than a pipe holds
        assert listing.stdout is not None
        assert listing.stdout.read(10) == "BIC       "
        time.sleep(0.05)
        listing.send_signal(signal.SIGINT)
        assert listing.wait(20) == -signal.SIGINT
        assert listing.stderr is not None
        assert listing.stderr.read() == ""


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_at_a_question(simulator: Simulator, key: bytes) -> None:
    main, terminal = os.openpty()
    # a session of its own, for which the terminal makes the signal
    take = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    options: dict[str, Any] = {"stdin": terminal, "stderr": terminal, "start_new_session": True}
    with spawned(*PAY[:-2], before=take, **options) as paying:
        os.close(terminal)
        with os.fdopen(main, "r+b", buffering=0) as screen:
            until_it_says(screen, "[y/N]")  # type: ignore[arg-type]
            screen.write(key)
            code = paying.wait(20)
            read = until_it_says(screen, "\n")  # type: ignore[arg-type]
    assert code == (-signal.SIGINT if key == b"\x03" else 3)
    assert "Traceback" not in read
    assert [each.status for each in simulator.payments] == ["RCVD"]


def test_what_ignores_ctrl_c_goes_on(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", delay=0.5)
    with spawned("banks", before="signal.signal(signal.SIGINT, signal.SIG_IGN); ") as banks:
        until_asked(simulator, "/aspsps")
        banks.send_signal(signal.SIGINT)
        assert banks.wait(20) == 0


def test_a_shell_sees_130_and_ends_its_loop(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", delay=60)
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(HEARS_CTRL_C + MAIN)} banks"
    with child(["bash", "-c", f"{command} & wait $!; echo $?"], stdout=subprocess.PIPE) as shell:
        until_asked(simulator, "/aspsps")
        pids = subprocess.run(["pgrep", "-P", str(shell.pid)], capture_output=True, text=True, check=True).stdout
        os.kill(int(pids), signal.SIGINT)
        assert shell.communicate(timeout=20)[0] == "130\n"


# the simulator


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_simulator_is_stopped(number: signal.Signals) -> None:
    with spawned("simulator") as simulator:
        until_it_says(simulator.stderr, "Ctrl-C stops it")
        simulator.send_signal(number)
        _, error = simulator.communicate(timeout=20)
    assert (simulator.returncode, error.strip()) == (0, "")


def test_the_simulator_runs_a_command() -> None:
    lines = {"openpayments banks --country SE; exit 7": 7, "kill -TERM $$": 143}
    path = f"{SCRIPT.parent}:{os.environ['PATH']}"
    elsewhere = {"OPENPAYMENTS_ENVIRONMENT": "sandbox", "OPENPAYMENTS_CLIENT_CERT": "client.p12"}
    for line, code in lines.items():
        done = subprocess.run(
            [SCRIPT, "simulator", "--", "sh", "-c", line],
            env={**os.environ, "PATH": path, **elsewhere},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith("BIC        BANK\nESSESESS   ") == (code == 7)
    for command, code in {"no-such": 127, "": 127, "/": 126}.items():
        refused = subprocess.run([SCRIPT, "simulator", "--", command], capture_output=True, text=True, check=False)
        assert refused.returncode == code
        assert refused.stderr.startswith(f"Error: can't run {shlex.quote(command)}: ")


def test_a_command_of_the_simulator_ends_with_it() -> None:
    with spawned("simulator", "--", "sh", "-c", "echo $$; exec sleep 60") as simulator:
        pid = int(until_it_says(simulator.stdout, "\n"))
        simulator.terminate()
        assert simulator.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# streams that nobody reads


def in_a_shell(line: str) -> tuple[int, str, str]:
    environment = {**os.environ, "PATH": f"{SCRIPT.parent}:{os.environ['PATH']}", "OPENPAYMENTS_PSU_IP": IP}
    environment["OPENPAYMENTS_PSU_ID"] = PSU_ID
    done = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("command", ["banks", "banks --json", "--help", "consent --help", "--version"])
def test_the_reader_of_stdout_has_gone(simulator: Simulator, command: str) -> None:
    _, out, error = in_a_shell(f"{{ sleep 0.05; openpayments {command}; echo $? >&2; }} | true")
    assert (out, error) == ("", "141\n")


def test_head_gets_its_lines(simulator: Simulator) -> None:
    assert in_a_shell("openpayments banks | head -n 1") == (0, "BIC        BANK\n", "")


@pytest.mark.parametrize("stderr", ["2>&-", "2> >(true)", "2>/dev/full"])
def test_nobody_reads_stderr(simulator: Simulator, stderr: str) -> None:
    code, out, _ = in_a_shell(f"sleep 0.05; openpayments consent create --bank ESSESESS --verbose {stderr}")
    assert (code, out.strip()) == (0, simulator.consents[-1].id)
    assert in_a_shell(f"openpayments bnks {stderr}")[0] == 2
    assert in_a_shell(f"openpayments bank ABCDEFGH {stderr}")[0] == 4


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_stdout_is_closed(simulator: Simulator, closed: str) -> None:
    for command in ("banks", "--help"):
        code, _, error = in_a_shell(f"openpayments {command} {closed}")
        assert (code, error) == (1, "Error: stdout is closed.\n" if "2>" not in closed else "")


def test_stdin_is_closed(simulator: Simulator) -> None:
    assert in_a_shell("openpayments countries <&-")[0] == 0
    assert in_a_shell(f"openpayments {shlex.join(PAY[:-2])} <&-")[0] == 2


def test_python_runs_the_command_as_well(simulator: Simulator) -> None:
    python, name = f"{shlex.quote(sys.executable)} -m openpayments_facade", "python -m openpayments_facade"
    code, out, _ = in_a_shell(f"{python} banks")
    assert (code, out.splitlines()[0]) == (0, "BIC        BANK")
    assert in_a_shell(f"{python} banks --help")[1].startswith("Usage: python -m openpayments_facade banks [OPTIONS]\n")
    assert f"\n    {name} banks --country SE --simulator\n" in in_a_shell(f"{python} --help")[1]
    assert f"`{name} banks` lists the banks" in in_a_shell(f"{python} bank ABCDEFGH")[2]
    code, _, error = in_a_shell(f"{python} --install-completion")
    assert (code, error) == (2, "Error: a shell completes the command `openpayments`, and not what `python -m` runs.\n")
    code, _, error = in_a_shell(f"{python} bnks")
    assert code == 2
    assert re.match(r"Usage: python -m openpayments_facade .*\nTry 'python -m openpayments_facade -h' for help", error)
