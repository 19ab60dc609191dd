"""What a bank, a payer, a web page or a variable has in it can hurt nobody who reads what the commands say."""

from __future__ import annotations

import csv
import io
import json
import shlex
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import typer

from openpayments_facade import AuthorisationTimeoutError, InvalidArgumentError, OpenPaymentsError
from openpayments_facade.cli.app import app
from openpayments_facade.cli.callback import listening
from tests.cli.people import run

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

STEERING = "a\x1b[2J\x00\x7f\x9bb\u200e\u200f\u202e\u2066\u2069\ufeff\U000e0041\u2028c"
PASSWORD = "a-password-17"


def banks(simulator: Simulator, *names: str) -> None:
    body = {"aspsps": [{"bicFi": "ESSESESS", "name": name} for name in names]}
    simulator.misbehave("/psd2/aspspinformation", status=200, body=body)


def unseen(text: str) -> str:
    return "".join(c for c in text if not c.isprintable() and c != "\n")


def test_json_is_exact_and_has_nothing_that_is_not_seen(simulator: Simulator) -> None:
    banks(simulator, STEERING, "Łódź 🦊")
    written = run("banks", "--json").stdout_bytes.decode()
    assert unseen(written) == ""
    assert "Łódź 🦊" in written
    assert [each["name"] for each in json.loads(written)] == [STEERING, "Łódź 🦊"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (STEERING, "a [2J   b        c"),
        ("[bold red]x[/] :fox: [link=https://elsewhere.example]y[/link]", None),
        ("a" + "\u0300" * 500 + "b", "a" + "\u0300" * 4 + "b"),
        ("x" * 1_000_000, "x..."),
    ],
)
def test_a_table_shows_text_and_no_more(simulator: Simulator, name: str, shown: str | None) -> None:
    banks(simulator, name)
    written = run("banks").stdout_bytes.decode()
    assert unseen(written) == ""
    assert len(written) < 5_000
    assert (shown or name) in written


def test_an_error_and_the_log_show_text_and_no_more(simulator: Simulator) -> None:
    said = {"tppMessages": [{"category": "ERROR", "code": STEERING, "text": f"{STEERING}\nError: " + "x" * 100_000}]}
    simulator.misbehave("/psd2/aspspinformation", status=400, body=said)
    result = run("banks", "--verbose")
    assert result.exit_code == 1
    assert unseen(result.stderr) == ""
    assert len(result.stderr) < 5_000
    assert result.stderr.count("\nError: ") == 1


@pytest.mark.parametrize("kind", [OpenPaymentsError, InvalidArgumentError, AuthorisationTimeoutError])
def test_no_message_of_an_exception_steers_a_terminal(kind: type[OpenPaymentsError]) -> None:
    said = str(kind(f"the status is {STEERING}\nError: " + "x" * 100_000))
    assert said.isprintable()
    assert len(said) < 5_000


CELLS = {
    '=HYPERLINK("https://elsewhere.example")': '\'=HYPERLINK("https://elsewhere.example")',
    "+1+cmd": "'+1+cmd",
    "-2+3": "'-2+3",
    "@SUM(1)": "'@SUM(1)",
    "\t=1": " '=1",
    "\r\n =1": "   '=1",
    "\ufeff=1": " '=1",
    "\uff1d1+1": "'\uff1d1+1",
    "\uff0d1+1": "'\uff0d1+1",
    "rent;=1+1": "rent;'=1+1",
    "-": "'-",
    "-12.50": "-12.50",
    "+4612345": "+4612345",
    "one\ntwo = 2-1": "one two = 2-1",
}


def test_csv_has_no_formulas(simulator: Simulator) -> None:
    amount = {"currency": "SEK", "amount": "-12.50"}
    booked = [{"transactionAmount": amount, "creditorName": sent} for sent in CELLS]
    simulator.misbehave("/psd2/accountinformation", status=200, body={"transactions": {"booked": booked}})
    written = run("transactions", "an-account", "--bank", "ESSESESS", "--consent", "c", "--csv").stdout_bytes.decode()
    assert len(written.splitlines()) == 1 + len(CELLS)
    assert unseen(written) == ""
    rows = [*csv.DictReader(io.StringIO(written, newline=""))]
    assert [row["creditorName"] for row in rows] == [*CELLS.values()]
    assert {row["amount"] for row in rows} == {"-12.50"}


@pytest.mark.parametrize("id_", ["a'b; touch x $(id) `id`", "--simulator"])
def test_a_command_to_copy_is_one_command(simulator: Simulator, id_: str) -> None:
    simulator.misbehave("/psd2/consent", change={"consentId": id_})
    simulator.misbehave("/psd2/consent", status=500, times=None)
    result = run("consent", "create", "--bank", "ESSESESS", "--psu-ip", "203.0.113.7", "--app")
    copied = result.stderr[
        result.stderr.index("`openpayments consent authorise") + 1 : result.stderr.rindex("` continues")
    ]
    words = shlex.split(copied)
    assert words.count(id_) == 1
    typed = {"--bank", "ESSESESS", "--psu-ip", "203.0.113.7", "--app"}
    assert set(words) == {"openpayments", "consent", "authorise", id_} | typed | (
        {"--"} if id_.startswith("-") else set()
    )
    assert not id_.startswith("-") or words[-2:] == ["--", id_]


VALUES = [
    f"https://user:{PASSWORD}@host.example/path?a=b",
    f"user:{PASSWORD}@host.example",
    f"-----BEGIN PRIVATE KEY-----\n{PASSWORD}\n",
    PASSWORD * 500,
    f":{PASSWORD}@host.example:6379",
    f"redis://:{PASSWORD}",
    f"http://user:{PASSWORD}%40host.example",
    f"redis://:x?{PASSWORD}@host.example/0",
    f"redis://:x#{PASSWORD}@host.example/0",
    f"https://host.example/?password={PASSWORD}",
    f"https://host.example/?a=@{PASSWORD}",
    f"http://[{PASSWORD}@",
]


@pytest.mark.parametrize(
    ("variables", "value"),
    [
        *((["OPENPAYMENTS_AUTH_URL", "HTTPS_PROXY", "OPENPAYMENTS_TOKEN_STORE"], value) for value in VALUES),
        *((["OPENPAYMENTS_ENVIRONMENT", "http_proxy"], value) for value in VALUES[:4]),
        *((["OPENPAYMENTS_TOKEN_STORE", "NO_PROXY", "OPENPAYMENTS_CLIENT_KEY"], value) for value in VALUES[:4]),
        *((["OPENPAYMENTS_CLIENT_CERT", "OPENPAYMENTS_CLIENT_KEY", "https_proxy"], value) for value in VALUES[:4]),
        *((["https_proxy", "all_proxy", "no_proxy"], value) for value in VALUES[:4]),
    ],
    ids=range(28),
)
def test_the_doctor_shows_no_credentials(simulator: Simulator, variables: list[str], value: str) -> None:
    given = dict.fromkeys(variables, value)
    if "OPENPAYMENTS_ENVIRONMENT" in variables:
        given |= {"OPENPAYMENTS_API_URL": "", "OPENPAYMENTS_AUTH_URL": ""}
    result = run("doctor", **given)
    assert PASSWORD not in result.output
    assert result.exit_code in {0, 2}
    assert all(name in result.stdout for name in variables)


def test_what_can_be_shown_is_shown(simulator: Simulator) -> None:
    given = {
        "HTTPS_PROXY": "http://user:x@proxy.example:3128/",
        "NO_PROXY": "localhost,10.0.0.0/8,.example:80",
        "OPENPAYMENTS_TOKEN_STORE": "file:~/x/tokens.json?",
        "SSL_CERT_FILE": "/etc/a/b.pem",
    }
    found = {
        each["variable"]: each["value"] for each in json.loads(run("doctor", "--json", **given).stdout)["configuration"]
    }
    assert {name: found[name] for name in given} == {
        **given,
        "HTTPS_PROXY": "http://***@proxy.example:3128/",
        "OPENPAYMENTS_TOKEN_STORE": "file:~/x/tokens.json?***",
    }


def test_no_option_takes_a_secret() -> None:
    def names(command: Any) -> set[str]:
        own = {option for each in command.params for option in each.opts}
        return own.union(*map(names, getattr(command, "commands", {}).values()))

    found = names(typer.main.get_command(app))
    assert "--bank" in found
    assert [name for name in found if any(word in name for word in ("secret", "password", "token=", "key"))] == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET /callback?error=no HTTP/1.1\r\nHost: elsewhere.example", 421),
        ("GET /callback?error=no HTTP/1.1\r\nX-No-Host: 1", 421),
        ("GET /callback?error=no&state=S HTTP/1.1\r\nHost: {host}.elsewhere.example", 421),
        ("GET /callback?error=no HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Dest: image", 403),
        ("GET /callback?error=no HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Dest: iframe", 403),
        ("GET /callback?error=no&state=other HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Dest: document", 400),
        ("GET /callback?%00<script>=%ff HTTP/1.1\r\nHost: {host}", 400),
        ("GET /<script>/?error=no HTTP/1.1\r\nHost: {host}", 404),
        ("POST /callback?error=no HTTP/1.1\r\nHost: {host}", 501),
        ("<script> /callback?error=no HTTP/1.1\r\nHost: {host}", 501),
        ("GET /callback?error=no&x=" + "x" * 70_000 + " HTTP/1.1\r\nHost: {host}", 414),
        ("GET /callback?error=no HTTP/1.1\r\nHost: {host}\r\nX: " + "x" * 70_000, 431),
    ],
    ids=range(12),
)
def test_other_pages_can_not_end_an_authorisation(port: int, request_: str, status: int) -> None:
    uri = f"http://127.0.0.1:{port}/callback"
    host = urlsplit(uri).netloc

    def ask(request: str) -> str:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as browser:
            browser.sendall(f"{request}\r\n\r\n".encode())
            answer = b""
            while read := browser.recv(65536):
                answer += read
            return answer.decode()

    with listening(uri, "S") as callback:
        answer = ask(request_.replace("{host}", host))
        assert answer.startswith(f"HTTP/1.0 {status} ")
        assert "<script" not in answer
        assert "frame-ancestors 'none'" in answer
        assert ask(f"GET /callback?code=c&state=S HTTP/1.1\r\nHost: {host}").startswith("HTTP/1.0 200 ")
        assert callback.wait(10) == f"{uri}?code=c&state=S"
