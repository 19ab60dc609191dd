"""The command line as users see it: stdout, stderr and exit codes."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate
from typer.testing import CliRunner, Result

import openpayments_facade
from openpayments_facade import PRODUCTION, ApiScope, Environment, environments
from openpayments_facade.cli import main
from openpayments_facade.cli.app import app
from openpayments_facade.cli.output import write_json
from openpayments_facade.simulator import Simulator
from openpayments_facade.tokens import forget_all
from tests.child_processes import child

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = Path(sys.executable).parent / "openpayments"
SECRET = "the-invented-secret"
TOKEN = "the-token-itself"
CLOSED = "http://127.0.0.1:1"
# a proxy, a terminal's width or a wish for colours of whoever runs the tests
FOREIGN = ("PROXY", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_", "SSL_CERT_")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("OPENPAYMENTS_") or any(part in name.upper() for part in FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "openpayments"


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"client_id": "an-app", "client_secret": SECRET, "token_factory": lambda: TOKEN}


def exported(simulator: Simulator) -> dict[str, str]:
    """The environment variables that describe a simulator."""
    return dict(line.removeprefix("export ").split("=", 1) for line in simulator.exports())


@pytest.fixture
def simulator(openpayments_simulator: Simulator, openpayments_env: None) -> Simulator:
    """A simulator that the environment variables describe."""
    return openpayments_simulator


def run(*arguments: str, **environment: str) -> Result:
    result = CliRunner().invoke(app, list(arguments), prog_name="openpayments", env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr
    return result


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0
    return [[cell.strip() for cell in line.split("   ") if cell] for line in result.stdout.splitlines()]


# what the commands show


def test_from_countries_to_a_bank_without_an_account() -> None:
    countries, cities, banks, bank = (
        rows(run(*arguments, "--simulator"))
        for arguments in (["countries"], ["cities"], ["banks", "--country", "SE"], ["bank", "essesess"])
    )
    assert countries[:2] == [["CODE", "COUNTRY"], ["SE", "Sweden"]]
    assert ["37efa883-c8ad-4ff7-927b-b11b02beb923", "Stockholm", "SE"] in cities
    assert ["ESSESESS", "Skandinaviska Enskilda Banken AB"] in banks
    assert ["Address", "Kungsträdgårdsgatan 8, 106 40 Stockholm, Sweden"] in bank
    assert ["Payment products", "sepa-credit-transfers"] in bank
    assert ["domestic"] in bank
    assert ["Authorisation", "OAuth2"] in bank


def test_the_environment_variables_say_which_api_is_asked(simulator: Simulator) -> None:
    assert ["HANDSESS", "Handelsbanken"] in rows(run("banks"))
    assert [request.path for request in simulator.requests] == ["/connect/token", "/psd2/aspspinformation/v1/aspsps"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["cities", "--country", "SE", "--city", "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"], ["Stockholm", "Helsinki"]),
        (["cities", "--country", "de", "--country", "DK"], ["Frankfurt", "Copenhagen"]),
        (
            ["banks", "--city", "37efa883-c8ad-4ff7-927b-b11b02beb923"],
            ["Skandinaviska Enskilda Banken AB "],  # as the document has it
        ),
        (["banks", "--country", "DE"], []),
    ],
)
def test_filters_are_a_union(simulator: Simulator, arguments: list[str], names: list[str]) -> None:
    result = run(*arguments, "--json")
    assert [each["name"] for each in json.loads(result.stdout)] == names
    assert result.stderr == ""


def test_json_has_the_names_of_the_api_and_nothing_else_is_on_stdout(simulator: Simulator) -> None:
    result = run("bank", "ESSESESS", "--json", "--verbose")
    bank = json.loads(result.stdout)
    assert bank["bicFi"] == "ESSESESS"
    assert bank["globalPaymentProducts"] == ["sepa-credit-transfers", "domestic"]
    assert "Kungsträdgårdsgatan" in result.stdout
    assert json.loads(run("countries", "--json").stdout)[0] == {"isoCountryCode": "SE", "name": "Sweden"}


def test_json_is_ascii_where_utf8_does_not_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252"))
    write_json({"name": "Kungsträdgården"})
    assert json.loads(written.getvalue().decode("ascii")) == {"name": "Kungsträdgården"}


def test_no_answer_is_said_beside_an_empty_stdout(simulator: Simulator) -> None:
    result = run("banks", "--country", "DE")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No banks found.\n")


def test_what_a_bank_leaves_out_is_left_out(simulator: Simulator) -> None:
    assert rows(run("bank", "HANDSESS")) == [["BIC", "HANDSESS"], ["Name", "Handelsbanken"]]
    simulator.misbehave(body={"bicFi": "HANDSESS", "name": "x", "postalCode": 10640, "city": ["Stockholm"]})
    assert ["Address", "10640 Stockholm"] in rows(run("bank", "HANDSESS"))
    affiliated = [{"id": "08999", "name": "Sparbanken Example"}, {"id": "08998"}]
    simulator.misbehave(body={"bicFi": "SWEDSESS", "name": "Swedbank", "affiliatedAspsps": affiliated})
    assert rows(run("bank", "SWEDSESS"))[2:] == [["Affiliated banks", "08999 Sparbanken Example"], ["08998"]]


def test_no_color_is_respected(simulator: Simulator) -> None:
    green = "\x1b[32m"
    assert green in run("doctor", FORCE_COLOR="1").stdout
    assert green not in run("doctor", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in run("doctor").stdout


def test_what_the_server_says_does_not_steer_the_terminal(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", body={"aspsps": [{"bicFi": "ESSESESS", "name": "\x1b]0;owned\x07[red]SEB"}]})
    assert "owned [red]SEB" in (table := run("banks").stdout)
    simulator.misbehave("/psd2", status=409, body={"tppMessages": [{"code": "X", "text": "\x1b[2Jcleared\n"}]})
    assert "cleared" in (error := run("banks").stderr)
    assert "\x1b" not in table + error


def test_verbose_logs_request_ids_to_stderr(simulator: Simulator) -> None:
    result = run("countries", "-v")
    token_request, api_request = simulator.requests
    for request in (token_request, api_request):
        assert request.headers["x-request-id"] in result.stderr
    assert rows(result)[1] == ["SE", "Sweden"]
    assert run("countries").stderr == ""


def test_the_help_names_every_command_and_exit_code() -> None:
    result = run("--help")
    for command in ("countries", "cities", "banks", "bank", "token", "doctor", "simulator"):
        assert f"\n  {command} " in result.stdout
    for page in (result.stdout, run("consent", "--help").stdout):
        assert "..." not in page.partition("Commands:")[2]
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert f"\n    {code} " in result.stdout
    assert run("--version").stdout == f"openpayments-facade {openpayments_facade.__version__}\n"
    assert run().exit_code == 2


# tokens


def test_a_token_is_kept_for_the_next_run(simulator: Simulator, cache: Path) -> None:
    for _ in range(3):
        assert run("countries").exit_code == 0
        forget_all()  # as a new process
    assert simulator.token_requests == 1
    assert stat.S_IMODE((cache / "tokens.json").stat().st_mode) == 0o600
    assert SECRET not in (cache / "tokens.json").read_text()
    assert run("countries", "--no-cache").exit_code == 0
    assert simulator.token_requests == 2


def test_without_the_cache_nothing_is_kept(simulator: Simulator, cache: Path) -> None:
    assert run("countries", "--no-cache").exit_code == 0
    assert run("doctor").exit_code == 0
    assert run("countries", OPENPAYMENTS_TOKEN_STORE="memory").exit_code == 0
    assert run("countries", "--simulator").exit_code == 0
    assert not cache.exists()


def test_a_cache_that_others_can_read_is_refused(simulator: Simulator, cache: Path) -> None:
    cache.mkdir()
    (cache / "tokens.json").touch(mode=0o644)
    result = run("countries")
    assert result.exit_code == 2
    assert "others" in result.stderr
    assert simulator.requests == []


def test_a_token_is_only_shown_when_it_is_asked_for(simulator: Simulator) -> None:
    hidden = [run("token", "-v"), run("token", "--json", "-v"), run("doctor", "-v"), run("banks", "-v")]
    for result in hidden:
        assert result.exit_code == 0
        assert TOKEN not in result.output
        assert SECRET not in result.output
    assert "aspspinformation private" in hidden[0].stdout
    assert "in 60 min" in hidden[0].stdout or "in 59 min" in hidden[0].stdout

    assert run("token", "--reveal").stdout == f"{TOKEN}\n"
    shown = json.loads(run("token", "--reveal", "--json").stdout)
    expires_in, expires_at = shown.pop("expires_in"), shown.pop("expires_at")
    assert shown == {"access_token": TOKEN, "token_type": "Bearer", "scope": "aspspinformation private"}
    assert 3500 < expires_in <= 3600
    assert expires_at.endswith("Z")
    assert SECRET not in run("token", "--reveal", "-v").output


@pytest.mark.parametrize(
    ("arguments", "scope"),
    [
        ([], "aspspinformation accountinformation private"),
        (["--psu-context", "corporate"], "aspspinformation accountinformation corporate"),
        (["--psu-context", "none"], "aspspinformation accountinformation"),
    ],
)
@pytest.mark.openpayments_simulator(require_psu_context=False, token_lifetime=30)
def test_the_psu_context_is_an_option(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, arguments: list[str], scope: str
) -> None:
    monkeypatch.setenv("OPENPAYMENTS_API_SCOPES", "accountinformation aspspinformation")
    shown = rows(run("token", *arguments))
    assert shown[0] == ["Scope", scope]
    assert shown[1][1].endswith(" s)")


def test_a_scope_that_was_not_granted_is_named(simulator: Simulator) -> None:
    grant = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": "private"}
    simulator.misbehave("/connect/token", body=grant)
    assert ["Not granted", "aspspinformation"] in rows(run("token"))
    forget_all()
    simulator.misbehave("/connect/token", body=grant)
    result = run("doctor")
    assert result.exit_code == 3
    assert "aspspinformation was not granted" in result.stdout


# how commands fail


def server_error(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", status=500, headers={"Retry-After": "60"})


def token_outage(simulator: Simulator) -> None:
    simulator.misbehave("/connect/token", status=503, headers={"Retry-After": "60"})


def html(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", body="<h1>Log in</h1>", content_type="text/html")


def forbidden(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", status=403)


@pytest.mark.parametrize(
    ("arguments", "environment", "fault", "code", "said"),
    [
        (["banks"], {}, server_error, 1, ["500", "request id", "Try again later"]),
        (["banks"], {}, token_outage, 1, ["503", "request id", "Try again later"]),
        (["bank", "nope"], {}, None, 2, ["the bank must be a BIC", "such as ESSESESS"]),
        (["banks", "--country", "Sweden"], {}, None, 2, ["--country must be", "'Sweden'"]),
        (["cities", "--city", "5"], {}, None, 2, ["--city must be"]),
        (["banks", "--psu-context", "personal"], {}, None, 2, ["--psu-context", "'private'"]),
        (["banks", "--simulator", "--environment", "sandbox"], {}, None, 2, ["can't be used together"]),
        (["bank"], {}, None, 2, ["Missing argument 'BIC'"]),
        (
            ["banks"],
            {"OPENPAYMENTS_CLIENT_ID": "", "OPENPAYMENTS_CLIENT_SECRET": ""},
            None,
            2,
            ["OPENPAYMENTS_CLIENT_ID", "OPENPAYMENTS_CLIENT_SECRET", "doctor"],
        ),
        (
            ["banks"],
            {"OPENPAYMENTS_ENVIRONMENT": "sandbox"},
            None,
            2,
            ["contradict", "`unset OPENPAYMENTS_ENVIRONMENT`"],
        ),
        (
            ["banks"],
            {"OPENPAYMENTS_CLIENT_SECRET": "mistyped"},
            None,
            3,
            ["invalid_client", "OPENPAYMENTS_CLIENT_SECRET"],
        ),
        (["banks"], {"OPENPAYMENTS_API_SCOPES": "paymentinitiation"}, None, 3, ["aspspinformation"]),
        (["token", "--psu-context", "none"], {}, None, 3, ["invalid_scope", "PSU context"]),
        (["banks"], {}, forbidden, 3, ["403", "request id", "Developer Portal"]),
        (["bank", "ABCDEFGH"], {}, None, 4, ["RESOURCE_UNKNOWN", "request id", "openpayments banks"]),
        (["banks"], {"OPENPAYMENTS_AUTH_URL": CLOSED}, None, 5, [CLOSED, "request id", "simulator running", "doctor"]),
        (["banks"], {}, html, 5, ["request id", "doctor"]),
    ],
)
def test_an_error_is_a_sentence_on_stderr_and_an_exit_code(
    simulator: Simulator,
    arguments: list[str],
    environment: dict[str, str],
    fault: Callable[[Simulator], None] | None,
    code: int,
    said: list[str],
) -> None:
    if fault:
        fault(simulator)
    result = run(*arguments, "--json", **environment)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Error: " in result.stderr
    for words in said:
        assert words in result.stderr
    assert SECRET not in result.stderr
    assert "mistyped" not in result.stderr


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_extra_the_command_says_what_to_install(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    # what a process of its own does about Ctrl-C would stay for the tests that follow
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    assert main() == 1
    assert capsys.readouterr().err == (
        f"Error: the command line needs {module}: pip install filelock platformdirs rich segno typer (the extra cli)\n"
    )


def test_without_its_extra_the_simulator_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "openpayments_facade.simulator")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    for arguments in (["banks", "--simulator"], ["simulator"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "pip install segno starlette uvicorn (the extra simulator)" in result.stderr


# doctor


def states(result: Result) -> dict[str, str]:
    report = json.loads(result.stdout)
    assert report["ok"] == (result.exit_code == 0)
    return {check["check"]: check["state"] for check in report["checks"] if check["state"] != "note"}


def settings(result: Result) -> dict[str, tuple[str | None, str]]:
    report = json.loads(result.stdout)
    return {each["variable"]: (each["value"], each["source"]) for each in report["configuration"]}


def test_the_doctor_finds_everything_in_order(simulator: Simulator) -> None:
    result = run("doctor", "--json")
    assert result.exit_code == 0
    assert set(states(result).values()) == {"ok"}
    assert settings(result) == {
        "OPENPAYMENTS_CLIENT_ID": ("an-app", "environment variable"),
        "OPENPAYMENTS_CLIENT_SECRET": (None, "environment variable"),
        "OPENPAYMENTS_ENVIRONMENT": ("custom", "from the URLs"),
        "OPENPAYMENTS_AUTH_URL": (simulator.auth_url, "environment variable"),
        "OPENPAYMENTS_API_URL": (simulator.api_url, "environment variable"),
        "OPENPAYMENTS_API_SCOPES": ("aspspinformation", "default"),
        "OPENPAYMENTS_PSU_CONTEXT": ("private", "default"),
    }
    timed = [check["milliseconds"] for check in json.loads(result.stdout)["checks"] if check["check"].endswith("host")]
    assert all(isinstance(milliseconds, int) for milliseconds in timed)
    assert len(timed) == 2


def test_the_doctor_examines_the_embedded_simulator(simulator: Simulator) -> None:
    result = run("doctor", "--simulator", "--psu-context", "corporate", "--json")
    assert result.exit_code == 0
    found = settings(result)
    assert found["OPENPAYMENTS_CLIENT_SECRET"] == (None, "--simulator")
    assert found["OPENPAYMENTS_ENVIRONMENT"] == ("simulator", "--simulator")
    assert found["OPENPAYMENTS_PSU_CONTEXT"] == ("corporate", "--psu-context")
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("environment", "fault", "code", "found", "advice"),
    [
        (
            {"OPENPAYMENTS_CLIENT_SECRET": ""},
            None,
            2,
            ["failed", "ok", "ok", "skipped", "skipped"],
            "Developer Portal",
        ),
        (
            {"OPENPAYMENTS_ENVIRONMENT": "sandbox"},
            None,
            2,
            ["failed", *["skipped"] * 4],
            "unset OPENPAYMENTS_ENVIRONMENT",
        ),
        ({"OPENPAYMENTS_API_URL": ""}, None, 2, ["failed", *["skipped"] * 4], "belong together"),
        ({"OPENPAYMENTS_PSU_CONTEXT": "personal"}, None, 2, ["failed", *["skipped"] * 4], "private, corporate"),
        ({"OPENPAYMENTS_CLIENT_SECRET": "mistyped"}, None, 3, ["ok", "ok", "ok", "failed", "skipped"], "CLIENT_SECRET"),
        ({"OPENPAYMENTS_AUTH_URL": CLOSED}, None, 5, ["ok", "failed", "ok", "skipped", "skipped"], "simulator running"),
        ({"OPENPAYMENTS_API_URL": CLOSED}, None, 5, ["ok", "ok", "failed", "ok", "skipped", "ok"], "simulator running"),
        ({}, lambda s: s.misbehave("/", times=2, status=502), 5, ["ok", "failed", "failed", *["skipped"] * 2], "502"),
        ({}, forbidden, 3, ["ok", "ok", "ok", "ok", "failed", "ok"], "Developer Portal"),
        (
            {"OPENPAYMENTS_API_SCOPES": "paymentinitiation"},
            None,
            0,
            ["ok", "ok", "ok", "ok", "skipped", "ok"],
            "needs the API scope 'aspspinformation'",
        ),
    ],
)
def test_the_doctor_says_what_is_wrong_and_what_to_do(
    simulator: Simulator,
    environment: dict[str, str],
    fault: Callable[[Simulator], object] | None,
    code: int,
    found: list[str],
    advice: str,
) -> None:
    if fault:
        fault(simulator)
    result = run("doctor", "--json", **environment)
    assert result.exit_code == code
    assert list(states(result).values()) == found
    assert advice in result.stdout
    assert SECRET not in result.output
    assert "mistyped" not in result.output


@pytest.mark.openpayments_simulator(api_scopes=["aspspinformation"])
def test_the_doctor_notices_that_accounts_can_not_be_read(simulator: Simulator) -> None:
    result = run("doctor", "--json")
    assert result.exit_code == 0
    notes = [check for check in json.loads(result.stdout)["checks"] if check["state"] == "note"]
    assert [note["check"] for note in notes] == ["accounts"]
    assert notes[0]["detail"].startswith("not available: ")
    assert "invalid_scope" in notes[0]["detail"]
    assert "API product accountinformation" in notes[0]["advice"]
    assert run("doctor").exit_code == 0


def test_the_doctor_without_any_configuration_is_a_list_of_findings() -> None:
    result = run("doctor", OPENPAYMENTS_AUTH_URL=CLOSED, OPENPAYMENTS_API_URL=CLOSED)
    assert result.exit_code == 2
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["OPENPAYMENTS_CLIENT_ID", "not", "set"] in lines
    assert ["OPENPAYMENTS_CLIENT_SECRET", "not", "set"] in lines
    assert ["configuration", "failed"] in [line[:2] for line in lines]
    assert f"{CLOSED} does not answer" in result.stdout
    assert result.stderr == ""


def test_the_doctor_notices_mistyped_variables_and_shows_no_password_of_a_url(simulator: Simulator) -> None:
    result = run(
        "doctor",
        "--json",
        OPENPAYMENTS_CLIENT_SECERT="of-a-typo",
        OPENPAYMENTS_SOMETHING_ELSE="x",
        https_proxy="http://someone:hush@127.0.0.1:9/?key=hush",
        OPENPAYMENTS_ENVIRONMENT="staging",
    )
    assert settings(result)["https_proxy"] == ("http://***@127.0.0.1:9/?***", "environment variable")
    notes = [check for check in json.loads(result.stdout)["checks"] if check["state"] == "note"]
    assert [note["advice"] for note in notes] == ["Did you mean OPENPAYMENTS_CLIENT_SECRET?", None]
    assert "hush" not in result.output
    assert "of-a-typo" not in result.output


def test_options_win_over_variables(simulator: Simulator) -> None:
    # through a proxy that is not there: nothing leaves this machine
    result = run("doctor", "--environment", "production", "--json", HTTPS_PROXY=CLOSED)
    assert result.exit_code == 5
    found = settings(result)
    assert found["OPENPAYMENTS_ENVIRONMENT"] == ("production", "--environment")
    assert found["OPENPAYMENTS_AUTH_URL"] == (PRODUCTION.auth_url, "--environment")
    assert found["OPENPAYMENTS_API_URL"] == (PRODUCTION.api_url, "--environment")
    assert "HTTPS_PROXY if you need" in result.stdout
    assert simulator.requests == []


def test_the_doctor_knows_that_a_variable_names_both_hosts() -> None:
    credentials = {"OPENPAYMENTS_CLIENT_ID": "an-app", "OPENPAYMENTS_CLIENT_SECRET": SECRET}
    found = settings(run("doctor", "--json", OPENPAYMENTS_ENVIRONMENT="production", HTTPS_PROXY=CLOSED, **credentials))
    assert found["OPENPAYMENTS_ENVIRONMENT"] == ("production", "environment variable")
    assert found["OPENPAYMENTS_AUTH_URL"] == (PRODUCTION.auth_url, "from OPENPAYMENTS_ENVIRONMENT")


def test_the_doctor_knows_what_to_do_about_a_private_ca(tmp_path: Path) -> None:
    certificate, ca = trustme.CA().issue_cert("127.0.0.1"), tmp_path / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(ca)
    with Simulator(ssl_certfile=ca) as simulator:
        result = run("doctor", "--json", **exported(simulator))
    assert list(states(result).values()) == ["ok", "failed", "failed", "skipped", "skipped"]
    assert "SSL_CERT_FILE" in result.stdout


def pkcs12(certificate: trustme.LeafCert, password: bytes) -> bytes:
    """Key and certificate in one file."""
    key: Any = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    own = load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    return serialize_key_and_certificates(None, key, own, None, BestAvailableEncryption(password))


def test_the_doctor_shows_the_hosts_the_client_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    ca, server, certificate, key = (tmp_path / f"{name}.pem" for name in ("ca", "server", "certificate", "key"))
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    client = authority.issue_cert("client@example.com")
    client.cert_chain_pems[0].write_to_path(certificate)
    client.private_key_pem.write_to_path(key)
    shown = {"OPENPAYMENTS_CLIENT_CERT": str(certificate), "OPENPAYMENTS_CLIENT_KEY": str(key)}
    bundle = tmp_path / "client.pfx"
    bundle.write_bytes(pkcs12(client, b"a-password"))
    as_pkcs12 = {"OPENPAYMENTS_CLIENT_CERT": str(bundle), "OPENPAYMENTS_CLIENT_KEY_PASSWORD": "a-password"}
    with Simulator(ssl_certfile=server, ssl_ca_certs=ca) as simulator:
        environment = {"SSL_CERT_FILE": str(ca), "HTTPS_PROXY": CLOSED, **exported(simulator)}
        assert set(states(run("doctor", "--json", **environment, **shown)).values()) == {"ok"}
        assert set(states(run("doctor", "--json", **environment, **as_pkcs12)).values()) == {"ok"}
        failed = run("doctor", "--json", **environment)
    assert list(states(failed).values()) == ["ok", "failed", "failed", "skipped", "skipped"]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Simulator]]:
    """Simulators in place of the provider's environments. They know the same application, or one with another secret.

    Nothing leaves this machine: whatever else would be asked, is asked through a proxy that is not there.
    """
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_ID", "an-app")
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("ALL_PROXY", CLOSED)

    def play(stack: ExitStack, **secrets: str | None) -> dict[str, Simulator]:
        simulators = {}
        for name, secret in secrets.items():
            scopes = ["accountinformation"] if name == "sandbox_oauth" else ["aspspinformation", "accountinformation"]
            simulator = Simulator(client_id="an-app", client_secret=secret or "another", api_scopes=scopes)
            simulators[name] = stack.enter_context(simulator)
            name = name.replace("_", "-")
            auth_url = CLOSED if secret is None else simulator.auth_url
            monkeypatch.setitem(environments._BY_NAME, name, Environment(name, auth_url, simulator.api_url))
        return simulators

    return play


def notes(result: Result, name: str) -> list[tuple[str, str | None]]:
    checks = json.loads(result.stdout)["checks"]
    return [(each["detail"], each["advice"]) for each in checks if (each["state"], each["check"]) == ("note", name)]


TO_NEWER = "`export OPENPAYMENTS_ENVIRONMENT=sandbox-oauth` (or --environment sandbox-oauth)"
TO_OLDER = "`export OPENPAYMENTS_ENVIRONMENT=sandbox` (or --environment sandbox)."


@pytest.mark.parametrize(
    ("older", "newer", "options", "environment", "code", "advice"),
    [
        ("another", SECRET, [], {}, 3, f"{TO_NEWER}."),
        (None, SECRET, [], {}, 5, f"{TO_NEWER}."),
        (
            "another",
            SECRET,
            ["--environment", "sandbox"],
            {"OPENPAYMENTS_API_SCOPES": "aspspinformation accountinformation"},
            3,
            f"{TO_NEWER} and `export OPENPAYMENTS_API_SCOPES=accountinformation`, for aspspinformation is not granted "
            "there.",
        ),
        # the application has not got it there
        (SECRET, SECRET, [], {"OPENPAYMENTS_API_SCOPES": "paymentinitiation"}, 3, None),
        (SECRET, "another", [], {"OPENPAYMENTS_ENVIRONMENT": "sandbox-oauth"}, 3, TO_OLDER),
        (SECRET, None, ["--environment", "sandbox-oauth"], {}, 5, TO_OLDER),
        ("another", "another", [], {}, 3, None),
    ],
)
def test_the_doctor_finds_out_which_auth_host_of_the_sandbox_answers(
    hosts: Callable[..., dict[str, Simulator]],
    older: str | None,
    newer: str | None,
    options: list[str],
    environment: dict[str, str],
    code: int,
    advice: str | None,
) -> None:
    with ExitStack() as stack:
        simulators = hosts(stack, sandbox=older, sandbox_oauth=newer)
        result = run("doctor", "--json", *options, **environment)
    assert result.exit_code == code
    ((detail, advised),) = notes(result, "other sandbox")
    assert advised == advice
    assert ("gives a token for accountinformation private" in detail or "aspspinformation" in detail) == bool(advice)
    assert ("gives no token either: " in detail) == (advice is None)
    assert sum(each.token_requests for each in simulators.values()) == 2 - (older is None or newer is None)
    assert SECRET not in result.output


def test_the_doctor_does_not_send_away_from_a_host_that_lacks_a_scope(
    hosts: Callable[..., dict[str, Simulator]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        hosts(stack, sandbox=SECRET, sandbox_oauth=SECRET)
        monkeypatch.setattr("openpayments_facade.scopes.SANDBOX_OAUTH", environments._BY_NAME["sandbox-oauth"])
        scopes = "aspspinformation accountinformation"
        result = run("doctor", "--json", "--environment", "sandbox-oauth", OPENPAYMENTS_API_SCOPES=scopes)
    assert states(result)["token"] == "failed"
    assert "leave it out" in result.stdout
    assert "Developer Portal" not in result.stdout
    assert notes(result, "other sandbox") == []


@pytest.mark.parametrize("name", ["sandbox", "sandbox-oauth", "production"])
def test_the_doctor_asks_one_auth_host_if_it_answers_or_is_not_of_the_sandbox(
    name: str, hosts: Callable[..., dict[str, Simulator]]
) -> None:
    with ExitStack() as stack:
        secret = "another" if name == "production" else SECRET
        simulators = hosts(stack, sandbox=SECRET, sandbox_oauth=SECRET, production=secret)
        result = run("doctor", "--json", "--environment", name, OPENPAYMENTS_API_SCOPES="accountinformation")
    assert states(result)["token"] == ("failed" if name == "production" else "ok")
    assert notes(result, "other sandbox") == []
    asked = {each for each, simulator in simulators.items() if simulator.requests}
    assert asked == {name.replace("-", "_")}


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"OPENPAYMENTS_CLIENT_SECRET": "mistyped"}, 3),
        ({"OPENPAYMENTS_CLIENT_SECRET": ""}, 2),
        ({"OPENPAYMENTS_AUTH_URL": CLOSED}, 5),
    ],
)
def test_the_doctor_sends_no_secret_from_ones_own_hosts_to_the_sandbox(
    environment: dict[str, str], code: int, hosts: Callable[..., dict[str, Simulator]]
) -> None:
    with ExitStack() as stack, Simulator(client_id="an-app", client_secret=SECRET) as custom:
        simulators = hosts(stack, sandbox=SECRET, sandbox_oauth=SECRET)
        result = run("doctor", "--json", **{**exported(custom), **environment})
    assert result.exit_code == code
    assert all(simulator.requests == [] for simulator in simulators.values())


def test_the_doctor_leaves_the_other_sandbox_alone_without_credentials_or_during_an_outage(
    hosts: Callable[..., dict[str, Simulator]],
) -> None:
    with ExitStack() as stack:
        simulators = hosts(stack, sandbox=SECRET, sandbox_oauth=SECRET)
        assert run("doctor", OPENPAYMENTS_CLIENT_ID="").exit_code == 2
        simulators["sandbox"].misbehave("/connect/token", status=503)
        assert run("doctor").exit_code == 1
    assert simulators["sandbox_oauth"].requests == []


def test_the_doctor_asks_for_a_client_certificate_in_production(
    hosts: Callable[..., dict[str, Simulator]], tmp_path: Path
) -> None:
    client = trustme.CA().issue_cert("client@example.com")
    path = tmp_path / "client.p12"
    path.write_bytes(pkcs12(client, b"a-password"))
    given = {"OPENPAYMENTS_CLIENT_CERT": str(path), "OPENPAYMENTS_CLIENT_KEY_PASSWORD": "a-password"}
    with ExitStack() as stack:
        hosts(stack, sandbox=SECRET, production=SECRET)
        ((detail, advice),) = notes(run("doctor", "--json", "--environment", "production"), "certificate")
        assert detail == "production requires a client certificate, and none is set"
        assert advice
        assert all(word in advice for word in ("OPENPAYMENTS_CLIENT_CERT", ".p12", "PEM"))
        assert notes(run("doctor", "--json", "--environment", "sandbox"), "certificate") == []
        assert notes(run("doctor", "--json", "--environment", "production", **given), "certificate") == []
        wrong = run(
            "doctor", "--json", "--environment", "production", **{**given, "OPENPAYMENTS_CLIENT_KEY_PASSWORD": ""}
        )
    assert wrong.exit_code == 2
    assert list(states(wrong).values()) == ["failed", *["skipped"] * 4]
    assert "its password is missing or wrong" in wrong.stdout


# the simulator


def test_the_simulator_prints_what_to_export(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Result] = []
    printed = io.StringIO()

    def use_it(simulator: Simulator) -> None:
        asked.append(run("token", "--json", "--psu-context", "none", **exported(simulator)))
        printed.writelines(f"{line}\n" for line in simulator.exports())

    monkeypatch.setattr(Simulator, "wait", use_it)
    elsewhere = {"OPENPAYMENTS_TOKEN_STORE": "memory", "OPENPAYMENTS_PSU_CONTEXT": "private"}
    given = {"OPENPAYMENTS_SIMULATOR_SECRET": SECRET, **elsewhere}
    options = ["--client-id", "an-app", "--token-lifetime", "60"]
    result = run("simulator", *options, "--api-scope", "aspspinformation", "--no-require-psu-context", **given)
    assert result.exit_code == 0
    more = "API_SCOPES=aspspinformation", "PSU_ID=example-user", "PSU_IP=127.0.0.1"
    assert result.stdout == f"unset {' '.join(sorted(elsewhere))}\n" + printed.getvalue() + "".join(
        f"export OPENPAYMENTS_{each}\n" for each in more
    )
    assert "example-user approves by itself" in result.stderr
    assert f"export OPENPAYMENTS_CLIENT_SECRET={SECRET}\n" in result.stdout
    assert "Ctrl-C" in result.stderr
    assert json.loads(asked[0].stdout)["scope"] == "aspspinformation"
    assert 50 < json.loads(asked[0].stdout)["expires_in"] <= 60


def test_what_the_simulator_prints_is_all_that_a_payment_needs(simulator: Simulator) -> None:
    with child([str(SCRIPT), "simulator", "--decoupled-reads", "1"], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        lines = [next(running.stdout).strip().removeprefix("export ") for _ in range(7)]
        printed = dict(shlex.split(line)[0].split("=", 1) for line in lines)
        assert printed["OPENPAYMENTS_API_SCOPES"] == " ".join(ApiScope)
        order = ["--amount", "125.50", "--name", "Example Shop", "--from", "SE4550000000058398257466"]
        paid = run("pay", "ESSESESS", *order, "--to", "SE3550000000054910000003", "--yes", **printed)
        assert paid.exit_code == 0, paid.stderr
        currencies = ["--from", "SEK", "--to", "USD", "--amount", "130", "--country", "US"]
        quoted = run("quote", "SWEDSESS", *currencies, **printed)
        assert quoted.exit_code == 0, quoted.stderr


def test_the_simulator_has_pages_and_users_as_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []
    create = Simulator.__init__

    def note(simulator: Simulator, **arguments: Any) -> None:
        made.append(arguments)
        create(simulator, **arguments)

    monkeypatch.setattr(Simulator, "__init__", note)
    monkeypatch.setattr(Simulator, "wait", lambda _: None)
    assert run("simulator", "--page-size", "30", "--decoupled-reads", "0", "--rules", "2021").exit_code == 0
    assert run("simulator").exit_code == 0
    payments = ["--settlement", "30", "--quote-lifetime", "5", "--require-kyc", "--sandbox-flaws"]
    assert run("simulator", *payments).exit_code == 0
    assert [(each["page_size"], each["decoupled_reads"], each["rules"]) for each in made] == [
        (30, None, "2021"),
        (500, 3, "2026"),
        (500, 3, "2026"),
    ]
    names = ("settlement", "quote_lifetime", "require_kyc", "sandbox_flaws")
    assert [[each[name] for name in names] for each in made[1:]] == [[2, 600, False, False], [30, 5, True, True]]


def test_the_simulator_refuses_what_it_cannot_do(simulator: Simulator) -> None:
    taken = run("simulator", "--auth-port", simulator.auth_url.rpartition(":")[2])
    assert (taken.exit_code, taken.stdout) == (1, "")
    assert "can't listen" in taken.stderr
    for arguments in (
        ["--page-size", "0"],
        ["--decoupled-reads", "-1"],
        ["--auth-port", "70000"],
        ["--token-lifetime", "0"],
        ["--client-id", ""],
        ["--api-scope", "x"],
        ["--rules", "2019"],
        ["--settlement", "inf"],
        ["--settlement", "nan"],
        ["--quote-lifetime", "nan"],
        ["--api-scope", "bankgiroinformation"],
    ):
        refused = run("simulator", *arguments)
        assert refused.exit_code == 2
        assert arguments[0].strip("-") in refused.stderr.replace("_", "-")


# processes of their own

WITH_CTRL_C = [
    # whoever runs the tests in the background has it ignored
    *(sys.executable, "-c"),
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from openpayments_facade.cli import main; raise SystemExit(main())",
]


def spawned(*command: str | Path, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    return child([str(each) for each in command], stdout=pipe, stderr=pipe, env={**os.environ, **environment})


def test_the_simulator_runs_until_ctrl_c_and_serves_other_processes() -> None:
    with spawned(*WITH_CTRL_C, "simulator") as simulator:
        assert simulator.stdout is not None
        lines = [simulator.stdout.readline() for _ in range(4)]
        environment = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines)
        with spawned(SCRIPT, "bank", "ESSESESS", PYTHONIOENCODING="ascii", **environment) as bank:
            out, error = bank.communicate(timeout=20)
        assert (bank.returncode, error) == (0, "")
        assert "Kungstr?dg?rdsgatan 8" in out
        simulator.send_signal(signal.SIGINT)
        out, error = simulator.communicate(timeout=20)
        assert (simulator.returncode, out) == (0, "")
        assert "Traceback" not in error


def test_ctrl_c_ends_a_command_quietly(simulator: Simulator) -> None:
    simulator.misbehave("/psd2", delay=60)
    with spawned(*WITH_CTRL_C, "banks") as banks:
        deadline = time.monotonic() + 20
        while not any(request.host == "api" for request in simulator.requests) and time.monotonic() < deadline:
            time.sleep(0.01)
        banks.send_signal(signal.SIGINT)
        assert banks.communicate(timeout=20) == ("", "")
        # which shells call 130
        assert banks.returncode == -signal.SIGINT


def test_a_closed_pipe_ends_a_command_quietly(simulator: Simulator) -> None:
    with spawned(SCRIPT, "banks") as banks:
        assert banks.stdout is not None
        assert banks.stderr is not None
        banks.stdout.close()
        assert banks.stderr.read() == ""
        assert banks.wait(timeout=20) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
@pytest.mark.parametrize(
    "arguments", [["banks"], ["banks", "--json"], ["banks", "--help"], ["--help"], ["--version"], ["consent", "-h"]]
)
def test_output_that_can_not_be_written_is_an_error(simulator: Simulator, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([SCRIPT, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device.\n")
    closed = subprocess.run(["sh", "-c", f"{SCRIPT} banks >&-"], stderr=subprocess.PIPE, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (1, "Error: stdout is closed.\n")


def test_the_help_loads_neither_httpx_nor_the_models() -> None:
    code = (
        "import sys; sys.argv = ['openpayments', '--help']; from openpayments_facade.cli import main\n"
        "main(); print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "typer" in modules
    assert {"httpx", "rich.console", "starlette", "openpayments_client"}.isdisjoint(modules)
