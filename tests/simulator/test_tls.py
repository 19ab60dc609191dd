"""https with a private CA, and client certificates as production wants them (the provider's guide of 2021)."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from openpayments_facade.simulator import Simulator
from tests.simulator.callers import Caller


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_files(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate = ca.issue_cert("127.0.0.1")
    certfile, keyfile, ca_certs = folder / "server.pem", folder / "server.key", folder / "ca.pem"
    certificate.cert_chain_pems[0].write_to_path(certfile)
    certificate.private_key_pem.write_to_path(keyfile)
    ca.cert_pem.write_to_path(ca_certs)
    return certfile, keyfile, ca_certs


@pytest.fixture
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


@pytest.fixture
def https(server_files: tuple[Path, Path, Path]) -> Iterator[Simulator]:
    certfile, keyfile, _ = server_files
    with Simulator(ssl_certfile=certfile, ssl_keyfile=keyfile) as simulator:
        yield simulator


@pytest.fixture
def mutual(server_files: tuple[Path, Path, Path]) -> Iterator[Simulator]:
    certfile, keyfile, ca_certs = server_files
    with Simulator(ssl_certfile=certfile, ssl_keyfile=keyfile, ssl_ca_certs=ca_certs) as simulator:
        yield simulator


def test_https_for_those_who_trust_the_ca(https: Simulator, trusting: ssl.SSLContext) -> None:
    assert https.auth_url.startswith("https://")
    assert https.api_url.startswith("https://")
    with httpx.Client(verify=trusting, trust_env=False) as http:
        assert Caller(https, http).get("/countries").status_code == 200
    with httpx.Client(trust_env=False) as http, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        Caller(https, http).ask_token()


def test_web_pages_over_https(https: Simulator, trusting: ssl.SSLContext) -> None:
    # the browser has compared the name with the certificate
    page, named = f"{https.auth_url}/connect/authorize", {"Host": "auth.example"}
    with httpx.Client(verify=trusting, trust_env=False) as http:
        assert http.get(page, headers=named).status_code == 400
        assert http.post(page, headers={"Origin": "https://auth.example", **named}).status_code == 400
        assert http.post(page, headers={"Origin": "http://auth.example", **named}).status_code == 403


def test_a_client_certificate(mutual: Simulator, ca: trustme.CA, trusting: ssl.SSLContext) -> None:
    ca.issue_cert("client.example").configure_cert(trusting)
    with httpx.Client(verify=trusting, trust_env=False) as http:
        assert Caller(mutual, http).get("/countries").status_code == 200


def test_no_client_certificate(mutual: Simulator, trusting: ssl.SSLContext) -> None:
    with httpx.Client(verify=trusting, trust_env=False) as http, pytest.raises(httpx.TransportError):
        Caller(mutual, http).ask_token()
    assert mutual.requests == []


def test_a_client_certificate_of_another_ca(mutual: Simulator, trusting: ssl.SSLContext) -> None:
    trustme.CA().issue_cert("client.example").configure_cert(trusting)
    with httpx.Client(verify=trusting, trust_env=False) as http, pytest.raises(httpx.TransportError):
        Caller(mutual, http).ask_token()
    assert mutual.requests == []


def test_a_closed_connection(https: Simulator, trusting: ssl.SSLContext) -> None:
    with httpx.Client(verify=trusting, trust_env=False) as http:
        caller = Caller(https, http)
        https.misbehave(close=True)
        with pytest.raises(httpx.TransportError):
            caller.ask_token()
        https.misbehave(close=True, truncate=3)
        with pytest.raises(httpx.TransportError):
            caller.ask_token()
        assert caller.ask_token().status_code == 200


def test_stopping_does_not_wait_for_a_handshake(https: Simulator) -> None:
    port = urlsplit(https.api_url).port
    with socket.create_connection(("127.0.0.1", port or 0)) as silent:
        begin = time.monotonic()
        https.stop()
        assert time.monotonic() - begin < 10
        assert silent.recv(1) == b""


def test_stopping_does_not_wait_for_a_client_that_keeps_its_connection(
    https: Simulator, trusting: ssl.SSLContext
) -> None:
    port = urlsplit(https.api_url).port
    with (
        socket.create_connection(("127.0.0.1", port or 0)) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as idle,
    ):
        idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 404"
        begin = time.monotonic()
        https.stop()
        assert time.monotonic() - begin < 10


def test_unusable_certificates_are_told_at_the_start(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    with pytest.raises(ssl.SSLError):
        Simulator(ssl_certfile=broken).start()
    with pytest.raises(FileNotFoundError):
        Simulator(ssl_certfile=tmp_path / "absent.pem").start()
