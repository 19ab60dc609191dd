"""`make record`: from the simulator, and from the sandbox with its hosts played by a simulator behind a proxy."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

import pytest
import trustme
from vcr.request import Request  # type: ignore[import-untyped]

from openpayments_facade.environments import SANDBOX
from openpayments_facade.simulator import Simulator
from scripts import record as recording

if TYPE_CHECKING:
    from tests.conftest import Provider

ROOT = Path(__file__).parent.parent.parent
CASSETTES = ROOT / "cassettes"
CLIENT_ID, CLIENT_SECRET = "the-id-of-an-application", "a secret/with+odd&characters"


async def record(*arguments: str, into: Path, **environment: str) -> tuple[int, str]:
    """The exit code and the output of scripts/record.py."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENPAYMENTS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "scripts" / "record.py"), *arguments, "--into", str(into)),
        env={**kept, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


@asynccontextmanager
async def proxy(ports: Mapping[str, int]) -> AsyncIterator[str]:
    """An HTTP proxy whose tunnels all end on this machine, at the port that a host is given."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, *_ = (await reader.readuntil(b"\r\n\r\n")).decode().split()
        assert method == "CONNECT"
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", ports[target])
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    async with await asyncio.start_server(tunnel, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_recording_from_the_simulator_gives_the_committed_bytes(tmp_path: Path) -> None:
    (tmp_path / "of_a_test_that_is_gone.yaml").write_text("")
    status, output = await record(into=tmp_path)
    assert status == 0, output
    assert contents(tmp_path) == contents(CASSETTES)


async def test_recording_from_the_sandbox(tmp_path: Path) -> None:
    authority = trustme.CA()
    hosts = [str(urlsplit(url).hostname) for url in (SANDBOX.auth_url, SANDBOX.api_url)]
    certificate, trusted = tmp_path / "host.pem", tmp_path / "authority.pem"
    authority.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(trusted))
    cassettes = shutil.copytree(CASSETTES, tmp_path / "cassettes")
    tokens = iter(f"token-{number}-of-the-sandbox" for number in range(1000))
    with Simulator(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        token_factory=lambda: next(tokens),
        ssl_certfile=certificate,
    ) as played:
        ports = [urlsplit(url).port or 0 for url in (played.auth_url, played.api_url)]
        async with proxy({f"{host}:443": port for host, port in zip(hosts, ports, strict=True)}) as address:
            status, output = await record(
                "sandbox",
                into=cassettes,
                OPENPAYMENTS_CLIENT_ID=CLIENT_ID,
                OPENPAYMENTS_CLIENT_SECRET=CLIENT_SECRET,
                HTTPS_PROXY=address,
                SSL_CERT_FILE=str(trusted),
            )
    assert status == 0, output
    assert {request.headers["host"] for request in played.requests} == set(hosts)
    recorded = contents(cassettes)
    readme = recorded.pop("README.md")
    fresh = {name for name, text in recorded.items() if text.startswith("recorded_from: sandbox, 20")}
    assert {"countries.yaml", "cities.yaml", "banks.yaml", "wrong_secret.yaml", "unknown_bank.yaml"} <= fresh
    for name, text in recorded.items():
        committed = (CASSETTES / name).read_text()
        assert re.sub(r"^recorded_from: sandbox, \S+", "recorded_from: simulator", text) == committed
        assert ("| sandbox, 20" in next(line for line in readme.splitlines() if name in line)) == (name in fresh)
    for secret in (CLIENT_ID, CLIENT_SECRET, quote_plus(CLIENT_SECRET), "of-the-sandbox"):
        assert not [name for name, text in recorded.items() if secret in text]


async def test_a_recording_that_fails_changes_nothing(tmp_path: Path) -> None:
    cassettes = shutil.copytree(CASSETTES, tmp_path / "cassettes")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    status, output = await record(
        "sandbox",
        into=cassettes,
        OPENPAYMENTS_CLIENT_ID=CLIENT_ID,
        OPENPAYMENTS_CLIENT_SECRET=CLIENT_SECRET,
        HTTPS_PROXY=address,
    )
    assert status == 1
    assert "The recording failed; the cassettes are as they were." in output
    assert CLIENT_SECRET not in output
    assert contents(cassettes) == contents(CASSETTES)


@pytest.mark.parametrize("secret", ["hunter2", ""])
def test_a_recording_with_a_secret_changes_nothing(
    secret: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(*_: str, cassettes: Path) -> bool:
        text = (CASSETTES / "wrong_secret.yaml").read_text()
        text = text.replace("client_secret=DUMMY_CLIENT_SECRET", f"client_secret={secret or 'DUMMY_CLIENT_SECRET'}")
        (cassettes / "wrong_secret.yaml").write_text(text)
        return True

    cassettes = shutil.copytree(CASSETTES, tmp_path / "cassettes")
    monkeypatch.setattr(recording, "_pytest", play)
    assert recording.record("simulator", cassettes) == (not secret)
    assert (contents(cassettes) == contents(CASSETTES)) == bool(secret)
    output = capfd.readouterr().out
    assert ("wrong_secret.yaml, line 7: a credential in a form\n" in output) == bool(secret)


@pytest.mark.parametrize("given", [{}, {"OPENPAYMENTS_CLIENT_ID": CLIENT_ID, "OPENPAYMENTS_CLIENT_SECRET": ""}])
async def test_the_sandbox_wants_credentials(given: dict[str, str], tmp_path: Path) -> None:
    status, output = await record("sandbox", into=tmp_path, **given)
    assert status == 2
    assert ("set OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET" in output) == (not given)
    assert "OPENPAYMENTS_CLIENT_SECRET" in output
    assert contents(tmp_path) == {}


def test_what_is_written_has_no_secrets_wherever_they_stand(provider: Provider) -> None:
    token = {"access_token": "1st", "refresh_token": "2nd", "more": [{"access_token": "3rd"}], "id_token": None}
    _, answer = provider.scrub(*interaction(body=json.dumps(token), headers={"Set-Cookie": ["4th"], "Server": ["5th"]}))
    assert answer["headers"] == {}
    assert json.loads(answer["body"]["string"]) == {
        "access_token": "DUMMY_ACCESS_TOKEN_2",
        "refresh_token": "DUMMY_REFRESH_TOKEN_1",
        "more": [{"access_token": "DUMMY_ACCESS_TOKEN_1"}],
        "id_token": None,
    }
    headers = {"Authorization": "Bearer 3rd", "Cookie": "4th", "PSU-ID": "191212121212", "X-Request-ID": "5th"}
    request, answer = provider.scrub(*interaction(body="1st is unknown", sent=headers, path="/echo?token=2nd"))
    assert request.uri == f"{SANDBOX.api_url}/echo?token=DUMMY_REFRESH_TOKEN_1"
    assert dict(request.headers) == {
        "Authorization": "Bearer DUMMY_ACCESS_TOKEN_1",
        "PSU-ID": "PSU-ID",
        "X-Request-ID": "5th",
    }
    assert answer["body"]["string"] == b"DUMMY_ACCESS_TOKEN_2 is unknown"
    request, _ = provider.scrub(*interaction(body="[]", sent={"authorization": "Bearer of-another-test"}))
    assert request.headers["authorization"] == "Bearer UNKNOWN"


def interaction(
    *, body: str, sent: dict[str, str] | None = None, headers: dict[str, list[str]] | None = None, path: str = "/"
) -> tuple[Request, dict[str, Any]]:
    """A request and its answer, as vcrpy hands them over."""
    answer = {"status": {"code": 200, "message": "OK"}, "headers": headers or {}, "body": {"string": body.encode()}}
    return Request("GET", SANDBOX.api_url + path, b"", sent or {}), answer


async def test_recording_from_the_simulator_reaches_nothing_but_loopback(
    loopback_only: None, simulator: Simulator
) -> None:
    async with simulator.async_client() as op:
        assert await op.countries.list()
    async with simulator.async_client(environment="sandbox") as op:
        with pytest.raises(Exception, match="Network is disabled for host"):
            await op.countries.list()
    with pytest.raises(RuntimeError, match="Network is disabled for host"):
        socket.create_connection(("192.0.2.1", 443))
    with socket.socket() as direct, pytest.raises(RuntimeError, match="Network is disabled for host"):
        direct.connect(("192.0.2.1", 443))
