"""A client certificate as PKCS#12, shown to hosts that require one; and what of its key reaches the disk."""

from __future__ import annotations

import os
import ssl
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from openpayments_facade import ConfigurationError, ConnectionFailedError, OpenPayments
from openpayments_facade.simulator import Simulator
from openpayments_facade.tokens import forget_all
from tests.tokens.leaks import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "the-pässword"


class Certificates:
    """A client's certificate from a CA that hosts know only by the CA above it."""

    def __init__(self, folder: Path) -> None:
        root = trustme.CA()
        between = root.create_child_ca()
        server, client = root.issue_cert("127.0.0.1"), between.issue_cert("client@example.com")
        self._folder = folder
        self.ca, self.server = folder / "ca.pem", folder / "server.pem"
        root.cert_pem.write_to_path(self.ca)
        server.private_key_and_cert_chain_pem.write_to_path(self.server)
        self.key = load_pem_private_key(client.private_key_pem.bytes(), None)
        self.own = x509.load_pem_x509_certificate(client.cert_chain_pems[0].bytes())
        above = (between.cert_pem, root.cert_pem)
        self.chain = [x509.load_pem_x509_certificate(pem.bytes()) for pem in above]

    def bundle(self, name: str, password: str = "", *, parts: str = "key own chain") -> Path:
        """A PKCS#12 file, whose chain is upside down."""
        encryption: KeySerializationEncryption = NoEncryption()
        if password:
            encryption = BestAvailableEncryption(password.encode())
        key: Any = self.key if "key" in parts else None
        others = self.chain[::-1] if "chain" in parts else None
        content = serialize_key_and_certificates(None, key, self.own if "own" in parts else None, others, encryption)
        return self.file(name, content)

    def file(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path

    def folder(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir()
        return path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def strict(certificates: Certificates) -> Iterator[Simulator]:
    """Hosts that require a client certificate."""
    with Simulator(ssl_certfile=certificates.server, ssl_ca_certs=certificates.ca) as simulator:
        yield simulator


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "given",
    [
        lambda certificates: certificates.bundle("open.p12"),
        lambda certificates: str(certificates.bundle("open.Pfx")),
        lambda certificates: (certificates.bundle("open.p12"),),
        lambda certificates: (certificates.bundle("open.p12"), ""),
        lambda certificates: (certificates.bundle("open.p12"), None),
        lambda certificates: (certificates.bundle("closed.P12", PASSWORD), PASSWORD),
        lambda certificates: [str(certificates.bundle("closed.pfx", PASSWORD)), PASSWORD],
    ],
)
def test_it_goes_to_both_hosts_with_its_chain(
    given: Callable[[Certificates], Any], certificates: Certificates, strict: Simulator
) -> None:
    forget_all()
    with strict.client(verify=certificates.ca, client_cert=given(certificates)) as op:
        assert op.countries.get("SE").name == "Sweden"
    alone = certificates.bundle("alone.p12", parts="key own")
    # without the CA between, the hosts can't tell whose certificate it is
    with (
        strict.client(verify=certificates.ca, client_cert=alone, max_retries=0) as op,
        pytest.raises(ConnectionFailedError),
    ):
        op.countries.get("SE")


async def test_an_async_client_too(certificates: Certificates, strict: Simulator) -> None:
    cert = (certificates.bundle("async.p12", PASSWORD), PASSWORD)
    async with strict.async_client(verify=certificates.ca, client_cert=cert, psu_context="corporate") as op:
        assert (await op.countries.get("SE")).name == "Sweden"


def test_the_variables_of_the_environment_name_it(
    certificates: Certificates, strict: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_CERT", str(certificates.bundle("variables.p12", PASSWORD)))
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_KEY_PASSWORD", PASSWORD)
    for line in strict.exports():
        monkeypatch.setenv(*line.removeprefix("export ").split("=", 1))
    with OpenPayments.from_env() as op:
        assert op.countries.get("SE").name == "Sweden"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that OpenSSL was asked to load. Each is examined at that moment: its key must be encrypted."""
    paths: list[Path] = []
    load = ssl.SSLContext.load_cert_chain

    def examine(context: ssl.SSLContext, certfile: str, keyfile: Any = None, password: Any = None) -> None:
        path = Path(certfile)
        paths.append(path)
        text = path.read_text()
        assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert text.count("PRIVATE KEY-----") == 2
        assert len(password) > 40
        assert password not in text
        if os.name == "posix":
            assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
        if "to be refused" in str(path.parent.parent):
            raise ssl.SSLError(f"as asked for, {password}")
        load(context, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", examine)
    return paths


def test_its_key_reaches_the_disk_encrypted_alone_and_is_gone_at_once(
    certificates: Certificates, temporary: Path, loaded: list[Path]
) -> None:
    for name in ("one.p12", "two.p12"):
        cert = (certificates.bundle(name, PASSWORD), PASSWORD)
        with OpenPayments(client_id="an-id", client_secret="a-secret", client_cert=cert):
            assert list(temporary.iterdir()) == []
    assert len(set(loaded)) == 2


def test_its_key_is_gone_if_it_can_not_be_loaded(
    certificates: Certificates, temporary: Path, loaded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = temporary / "to be refused"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(ConfigurationError, match="client_cert"):
        OpenPayments(client_id="an-id", client_secret="a-secret", client_cert=certificates.bundle("refused.p12"))
    assert len(loaded) == 1
    assert list(folder.iterdir()) == []


def test_its_chain_is_in_the_order_that_tls_wants(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    monkeypatch.setattr(
        ssl.SSLContext, "load_cert_chain", lambda _, certfile, *__: texts.append(Path(certfile).read_bytes())
    )
    with OpenPayments(
        client_id="an-id", client_secret="a-secret", client_cert=certificates.bundle("order.p12", parts="key own chain")
    ):
        pass
    assert x509.load_pem_x509_certificates(texts[0]) == [certificates.own, *certificates.chain]


def test_without_a_temporary_folder_it_says_so(
    certificates: Certificates, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "missing"))
    with pytest.raises(ConfigurationError, match="client_cert: PKCS#12 needs a temporary folder"):
        OpenPayments(client_id="an-id", client_secret="a-secret", client_cert=certificates.bundle("nowhere.p12"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_it_even_if_the_file_is_gone(certificates: Certificates, strict: Simulator) -> None:
    path = certificates.bundle("forked.p12", PASSWORD)
    with strict.client(verify=certificates.ca, client_cert=(path, PASSWORD)) as op:
        op.access_token()
        path.unlink()
        child = os.fork()
        if child == 0:
            forget_all()  # so that it also fetches a token
            os._exit(0 if op.countries.get("SE").name == "Sweden" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert op.countries.get("FI").name == "Finland"


WRONG: dict[str, tuple[str, Callable[[Certificates], Any]]] = {
    "wrong": ("its password is missing or wrong", lambda its: (its.bundle("wrong.p12", PASSWORD), "passw0rd")),
    "missing": ("its password is missing or wrong", lambda its: its.bundle("locked.p12", PASSWORD)),
    "surrogate": ("the file is not PKCS#12", lambda its: (its.bundle("odd.p12", PASSWORD), "\ud800passw0rd")),
    "NUL": ("its password is missing or wrong", lambda its: (its.bundle("nul.p12", PASSWORD), "passw0rd\0")),
    "empty": ("the file is not PKCS#12", lambda its: (its.file("empty.p12", b""), "passw0rd")),
    "PEM": ("the file is not PKCS#12", lambda its: (its.file("text.p12", its.server.read_bytes()), "passw0rd")),
    "cut": ("the file is not PKCS#12", lambda its: (its.file("cut.p12", b"0\x82\x01"), "passw0rd")),
    "no key": ("has no key", lambda its: (its.bundle("no-key.p12", "passw0rd", parts="own chain"), "passw0rd")),
    "no certificate": ("has no certificate", lambda its: its.bundle("no-own.p12", parts="key")),
    "no file": ("can't be read", lambda its: (its.ca.with_name("missing.p12"), "passw0rd")),
    "a folder": ("can't be read", lambda its: (its.folder("folder.p12"), "passw0rd")),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_it_is_said_without_its_password(case: str, certificates: Certificates) -> None:
    said, given = WRONG[case]
    with pytest.raises(ConfigurationError, match=f"^client_cert: .*{said}") as caught:
        OpenPayments(client_id="an-id", client_secret="a-secret", client_cert=given(certificates))
    assert not any(word in text for text in texts_of(caught.value) for word in ("passw0rd", PASSWORD))


def test_without_its_extra_it_says_what_to_install(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
    with pytest.raises(ConfigurationError, match=r"pip install cryptography \(the extra pkcs12\)"):
        OpenPayments(client_id="an-id", client_secret="a-secret", client_cert=certificates.bundle("extra.p12"))
