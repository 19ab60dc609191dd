"""Proxies, a private CA, a client certificate, a custom transport."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from openpayments_facade import (
    AsyncOpenPayments,
    ConnectionFailedError,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    TimedOutError,
)
from openpayments_facade.simulator import Simulator
from openpayments_facade.tokens import forget_all
from tests.child_processes import child
from tests.raw_server import answering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openpayments_facade._settings import ClientOptions


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tls")
    server, client = ca.issue_cert("127.0.0.1", "auth.test", "api.test"), ca.issue_cert("client@example.com")
    paths = {name: folder / f"{name}.pem" for name in ("ca", "server", "server_key", "client", "client_key", "both")}
    ca.cert_pem.write_to_path(str(paths["ca"]))
    server.private_key_pem.write_to_path(str(paths["server_key"]))
    client.private_key_pem.write_to_path(str(paths["client_key"]))
    client.private_key_and_cert_chain_pem.write_to_path(str(paths["both"]))
    for name, issued in (("server", server), ("client", client)):
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(paths[name]), append=True)
    return paths


@pytest.fixture(scope="module")
def tls(files: dict[str, Path]) -> Iterator[Simulator]:
    with Simulator(
        ssl_certfile=files["server"], ssl_keyfile=files["server_key"], ssl_ca_certs=files["ca"]
    ) as simulator:
        yield simulator


def test_a_client_certificate_goes_to_both_hosts(tls: Simulator, files: dict[str, Path]) -> None:
    assert tls.auth_url.startswith("https://")
    for cert in (
        files["both"],
        (files["client"], files["client_key"]),
        (str(files["client"]), str(files["client_key"]), "x"),
    ):
        with tls.client(verify=files["ca"], client_cert=cert) as op:
            assert op.countries.get("SE").name == "Sweden"


async def test_an_async_client_too(tls: Simulator, files: dict[str, Path]) -> None:
    async with tls.async_client(verify=str(files["ca"]), client_cert=files["both"], psu_context="corporate") as op:
        assert (await op.countries.get("SE")).name == "Sweden"


def test_an_ssl_context_is_taken_as_it_is(tls: Simulator, files: dict[str, Path]) -> None:
    context = ssl.create_default_context(cafile=str(files["ca"]))
    context.load_cert_chain(str(files["both"]))
    with tls.client(verify=context) as op:
        assert op.countries.get("SE").name == "Sweden"
    with pytest.raises(InvalidArgumentError, match="client_cert"):
        tls.client(verify=context, client_cert=files["both"])


def test_the_ca_bundle_of_the_environment_counts(
    tls: Simulator, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files["ca"]))
    with tls.client(client_cert=files["both"]) as op:
        assert op.countries.get("SE").name == "Sweden"


def test_an_unknown_ca_or_a_missing_certificate_is_a_failed_connection(tls: Simulator, files: dict[str, Path]) -> None:
    trusting: ClientOptions = {"client_id": "unknown-1", "max_retries": 0, "verify": files["ca"]}
    unknowing: ClientOptions = {"client_id": "unknown-2", "max_retries": 0}
    for arguments in (unknowing, trusting):
        with (
            tls.client(**arguments) as op,
            pytest.raises(ConnectionFailedError),
        ):
            op.countries.list()


PLUGIN = """
from proxy.http.proxy import HttpProxyBasePlugin

class OnlyHere(HttpProxyBasePlugin):
    def resolve_dns(self, host, port):
        return "127.0.0.1", None
"""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """A real proxy that finds every host on loopback."""
    (tmp_path / "only_here.py").write_text(PLUGIN)
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "proxy", "--port", "0", "--port-file", str(port_file), "--plugins"]
    options = ["only_here.OnlyHere", "--num-workers", "1", "--num-acceptors", "1", "--log-level", "CRITICAL"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    with child([*command, *options], env=environ) as process:
        while not (port_file.exists() and port_file.read_text().strip()):
            assert process.poll() is None
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_proxy_serves_calls_and_token(
    by: str, proxy: str, tls: Simulator, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # .test resolves nowhere: only the proxy knows the way
    hosts = [
        urlsplit(url)._replace(netloc=f"{name}.test:{urlsplit(url).port}")
        for name, url in (("auth", tls.auth_url), ("api", tls.api_url))
    ]
    environment = Environment(name="proxied", auth_url=hosts[0].geturl(), api_url=hosts[1].geturl())
    arguments: dict[str, Any] = {"proxy": proxy} if by == "argument" else {}
    if by == "environment":
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
    forget_all()
    before = tls.token_requests
    with tls.client(environment=environment, verify=files["ca"], client_cert=files["both"], **arguments) as op:
        assert op.countries.get("SE").name == "Sweden"
    assert tls.token_requests == before + 1


def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody_answers:
        url = f"http://127.0.0.1:{nobody_answers.getsockname()[1]}"
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
        with simulator.client() as op:
            assert op.countries.get("SE").name == "Sweden"
        with simulator.client(proxy=url, psu_context="corporate") as op:
            assert op.countries.get("SE").name == "Sweden"


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_direct"),
    [
        ("localhost,10.0.0.0/8, fd12:3456:789a::/48 ,.internal", "api.internal", True),
        ("localhost,10.0.0.0/8,fd12:3456:789a::/48,.internal", "api.example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("fd12:3456:789a::/48", "[fd12:3456:789a::7]", True),
        ("fd12:3456:789a::/48", "[fd12:3456:789b::7]", False),
        ("FD12::7", "[fd12::7]", True),
        ("[fd12::7]", "[fd12::7]", True),
        ("::/0", "10.1.2.3", False),
        ("0.0.0.0/0", "[fd12::7]", False),
        ("10.0.0.0/99,[::1]:80,fd12::/999,a b,http://[,http://passw0rd:port,api.example.com", "api.example.com", True),
        ("10.0.0.0/99,[::1]:80,fd12::/999,a b,http://[,http://passw0rd:port", "api.example.com", False),
        ("example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "api.example.org", False),
        ("https://api.example.com", "api.example.com", True),
        ("http://api.example.com", "api.example.com", False),
        ("api.example.com:8443", "api.example.com", False),
        ("*", "api.example.com", True),
        (",,", "api.example.com", False),
        ("", "api.example.com", False),
    ],
)
async def test_no_proxy_may_name_networks_and_what_is_not_understood(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, no_proxy: str, host: str, is_direct: bool
) -> None:
    asked = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> NoReturn:
        asked.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example.com:3128")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, no_proxy)
    environment = Environment(name="far", auth_url=f"https://{host}", api_url=f"https://{host}")
    id_ = f"near {no_proxy!r}"
    arguments: ClientOptions = {"client_id": id_, "client_secret": "s", "environment": environment, "max_retries": 0}
    async with AsyncOpenPayments(**arguments) as op:
        with pytest.raises(ConnectionFailedError):
            await op.access_token()
    with OpenPayments(**arguments) as op_sync, pytest.raises(ConnectionFailedError):
        op_sync.access_token()
    assert set(asked) == {host.strip("[]") if is_direct else "proxy.example.com"}
    assert "passw0rd" not in caplog.text


@pytest.mark.parametrize("no_proxy", ["fd12:3456:789a::/48", "::1", "http://["])
async def test_no_proxy_alone_keeps_no_client_from_being_made(monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, no_proxy)
    async with AsyncOpenPayments(client_id="x", client_secret="s"):
        pass
    with OpenPayments(client_id="x", client_secret="s"):
        pass


def test_the_environment_is_read_when_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda send: send(b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n")) as (url, requests):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with OpenPayments(client_id="x", client_secret="s", max_retries=0) as op:
            monkeypatch.setenv("HTTPS_PROXY", "http://passw0rd:port")
            with pytest.raises(ConnectionFailedError, match="502"):
                op.access_token()
    assert requests() == 1


def test_an_interrupt_in_a_transport_is_handed_on(simulator: Simulator) -> None:
    def interrupted(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with simulator.client() as op:
        op.access_token()
    with simulator.client(transport=httpx.MockTransport(interrupted)) as op, pytest.raises(KeyboardInterrupt):
        op.countries.list()


def test_loopback_has_an_address_of_version_6_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent_proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{silent_proxy.getsockname()[1]}")
        for api_url in ("http://[::1]:1", "https://api.example.com"):
            environment = Environment(name="six", auth_url="http://[::1]:1", api_url=api_url)
            with (
                OpenPayments(client_id=api_url, client_secret="s", environment=environment, timeout=1) as op,
                pytest.raises(ConnectionFailedError, match="ConnectError"),
            ):
                op.access_token()


def test_a_transport_of_ones_own_serves_calls_and_token() -> None:
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        if request.url.path == "/connect/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        return httpx.Response(200, json={"isoCountryCode": "SE", "name": "Sweden"})

    environment = Environment(name="t", auth_url="https://auth.example.com", api_url="https://api.example.com")
    with OpenPayments(
        client_id="transport", client_secret="s", environment=environment, transport=httpx.MockTransport(answer)
    ) as op:
        assert op.countries.get("SE").name == "Sweden"
    assert paths == ["/connect/token", "/psd2/aspspinformation/v1/countries/SE"]


def test_a_token_request_leaves_a_transport_of_ones_own_open() -> None:
    closed = []

    class Transport(httpx.MockTransport):
        def close(self) -> None:
            closed.append(self)

    transport = Transport(
        lambda _: httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
    )
    with OpenPayments(client_id="lent", client_secret="s", transport=transport) as op:
        assert op.access_token() == "t"
        assert not closed
    assert closed == [transport]


class _AsyncOnly(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.paths: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path)
        if request.url.path == "/connect/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        return httpx.Response(200, json={"isoCountryCode": "SE", "name": "Sweden"})


async def test_an_async_transport_of_ones_own_serves_calls_and_token_too() -> None:
    environment = Environment(name="t", auth_url="https://auth.example.com", api_url="https://api.example.com")
    transport = _AsyncOnly()
    arguments: dict[str, Any] = {"client_id": "async-only", "client_secret": "s", "environment": environment}
    async with AsyncOpenPayments(transport=transport, **arguments) as op:
        assert (await op.countries.get("SE")).name == "Sweden"
    assert transport.paths == ["/connect/token", "/psd2/aspspinformation/v1/countries/SE"]
    with pytest.raises(InvalidArgumentError, match="transport"):
        OpenPayments(transport=transport, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="transport"):
        AsyncOpenPayments(transport=httpx.HTTPTransport(), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", ["caller", "total_timeout"])
async def test_calls_that_are_cut_off_leave_their_connection_to_others(by: str, simulator: Simulator) -> None:
    async with simulator.async_client(limits=httpx.Limits(max_connections=2), timeout=5, max_retries=0) as op:
        await op.countries.list()
        for number in range(200):
            # at each point of a call
            seconds = 0.0002 + number % 50 * 0.0001
            with suppress(TimeoutError, TimedOutError):
                if by == "caller":
                    await asyncio.wait_for(op.countries.list(), seconds)
                else:
                    await op.with_options(total_timeout=seconds).countries.list()
        assert len(await asyncio.gather(*[op.countries.list() for _ in range(5)])) == 5
