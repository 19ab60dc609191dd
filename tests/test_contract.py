"""`make contract`, and what must never be in a cassette."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.contract import Contract, main

ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "cassettes"
DESCRIPTION = ROOT / "openapi" / "openpayments.yaml"

Interaction = dict[str, Any]
Planted = Callable[[Interaction], object]

LEAKS = {
    "a credential in a form": re.compile(
        r"\b(client_id|client_secret|code|refresh_token)=(?!CLIENT_ID\b|CLIENT_SECRET\b)"
    ),
    "a token in an answer": re.compile(r'"(access|refresh|id)_token": ?"(?!(ACCESS|REFRESH|ID)_TOKEN_\d+")'),
    "a token in a request": re.compile(r"(?<=- )(Bearer|Basic) (?!ACCESS_TOKEN_\d+$|error=)", re.MULTILINE),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]+\.[\w-]"),
    "a host on this machine": re.compile(r"127\.\d+\.\d+\.\d+|localhost|\[?::1\]?(?=[:/\s])"),
    "a personal identity number": re.compile(r"(?<![-\w])(19|20)\d{6}-?\d{4}(?![-\w])"),
    "a volatile header": re.compile(
        r"^ +(accept-encoding|connection|content-length|cookie|date|host|server|set-cookie|user-agent):",
        re.MULTILINE | re.IGNORECASE,
    ),
}


def leaks(text: str) -> list[str]:
    return [what for what, pattern in LEAKS.items() if pattern.search(text)]


def body(change: Callable[[Any], object]) -> Planted:
    def plant(interaction: Interaction) -> None:
        content = json.loads(interaction["response"]["body"]["string"])
        change(content)
        interaction["response"]["body"]["string"] = json.dumps(content)

    return plant


def uri(old: str, new: str) -> Planted:
    return lambda interaction: interaction["request"].update(uri=interaction["request"]["uri"].replace(old, new))


def form(old: str, new: str) -> Planted:
    return lambda interaction: interaction["request"].update(body=interaction["request"]["body"].replace(old, new))


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(DESCRIPTION)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    return shutil.copytree(CASSETTES, tmp_path, dirs_exist_ok=True)


def test_the_cassettes_are_as_described(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["contract.py"])
    assert main() == 0
    assert capsys.readouterr().out.endswith("7 of 7 operations: all as described\n")


def test_without_cassettes_every_operation_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["contract.py", "--cassettes", str(tmp_path)])
    assert main() == 1
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "createToken (POST /connect/token): no cassette has a successful answer"
    assert last == "0 cassettes, 0 interactions, 0 of 7 operations: 7 faults"


@pytest.mark.parametrize(
    ("cassette", "number", "change", "fault"),
    [
        pytest.param(
            "unknown_bank.yaml",
            2,
            lambda it: it["response"]["status"].update(code=418),
            "getASPSPDetails: answer 418: Unknown response http status: 418",
            id="undocumented status",
        ),
        pytest.param(
            "countries.yaml",
            4,
            body(lambda country: country.update(isoCountryCode=46)),
            "getCountryDetails: answer 200: isoCountryCode: 46 is not of type 'string'",
            id="wrong type",
        ),
        pytest.param(
            "countries.yaml",
            4,
            body(lambda country: country.pop("name")),
            "getCountryDetails: answer 200: 'name' is a required property",
            id="missing property",
        ),
        pytest.param(
            "countries.yaml",
            4,
            body(lambda country: country.update(continent="Europe")),
            "getCountryDetails: answer 200: Additional properties are not allowed ('continent' was unexpected)",
            id="undocumented property",
        ),
        pytest.param(
            "countries.yaml",
            3,
            uri("isoCountryCodes=", "continent=Europe&isoCountryCodes="),
            "getCountriesList: request: unknown query parameter 'continent'",
            id="unknown query parameter",
        ),
        pytest.param(
            "countries.yaml",
            3,
            uri("SE%2CFI", "SE&isoCountryCodes=FI"),
            "getCountriesList: request: query parameter 'isoCountryCodes' is sent more than once",
            id="repeated key",
        ),
        pytest.param(
            "countries.yaml",
            3,
            uri("SE%2CFI", "Sweden"),
            "getCountriesList: request: isoCountryCodes: 0: 'Sweden' does not match '^[a-zA-Z]{2}$'",
            id="malformed query parameter",
        ),
        pytest.param(
            "countries.yaml",
            4,
            uri("/SE", "/Sweden"),
            "getCountryDetails: request: isoCountryCode: 'Sweden' does not match '^[a-zA-Z]{2}$'",
            id="malformed path parameter",
        ),
        pytest.param(
            "countries.yaml",
            4,
            lambda it: it["request"]["headers"].pop("x-request-id"),
            "getCountryDetails: request: Missing required header parameter: X-Request-ID",
            id="request without X-Request-ID",
        ),
        pytest.param(
            "countries.yaml",
            4,
            lambda it: it["response"]["headers"].pop("x-request-id"),
            "getCountryDetails: answer 200: Missing required header: X-Request-ID",
            id="answer without X-Request-ID",
        ),
        pytest.param(
            "countries.yaml",
            4,
            lambda it: it["request"]["headers"].pop("authorization"),
            "getCountryDetails: request: no bearer token in the Authorization header",
            id="request without a token",
        ),
        pytest.param(
            "countries.yaml",
            4,
            lambda it: it["request"].update(body="SE"),
            "getCountryDetails: request: a body, but none is described",
            id="undocumented body of a request",
        ),
        pytest.param(
            "unavailable_service_is_asked_again.yaml",
            2,
            lambda it: it["response"]["body"].update(string="Back soon"),
            "getCountryDetails: answer 503: a body, but none is described",
            id="undocumented body of an answer",
        ),
        pytest.param(
            "unknown_bank.yaml",
            2,
            lambda it: it["response"]["headers"].update({"content-type": ["text/html"]}),
            "getASPSPDetails: answer 404: Content for the following mimetype not found: text/html."
            " Valid mimetypes: ['application/json']",
            id="wrong content type",
        ),
        pytest.param(
            "wrong_secret.yaml",
            1,
            form("&scope=", "&audience=banks&scope="),
            "createToken: request: unknown form field 'audience'",
            id="unknown form field",
        ),
        pytest.param(
            "wrong_secret.yaml",
            1,
            form("&scope=", "&scope=aspspinformation&scope="),
            "createToken: request: form field 'scope' is sent more than once",
            id="repeated form field",
        ),
        pytest.param(
            "wrong_secret.yaml",
            1,
            form("scope=aspspinformation+private", ""),
            "createToken: request: 'scope' is a required property",
            id="missing form field",
        ),
        pytest.param(
            "countries.yaml",
            4,
            uri("api.sandbox", "auth.sandbox"),
            "GET https://auth.sandbox.openbankingplatform.com/psd2/aspspinformation/v1/countries/SE:"
            " the description has no such operation on this host",
            id="wrong host",
        ),
    ],
)
def test_a_planted_fault_is_found(
    contract: Contract, tmp_path: Path, cassette: str, number: int, change: Planted, fault: str
) -> None:
    content = yaml.safe_load((CASSETTES / cassette).read_text())
    change(content["interactions"][number - 1])
    (tmp_path / cassette).write_text(yaml.safe_dump(content))
    faults, _ = contract.check(tmp_path)
    assert [found for found in faults if found.startswith(cassette)] == [f"{cassette}, interaction {number}, {fault}"]


def test_an_operation_that_no_cassette_covers_is_named(contract: Contract, copies: Path) -> None:
    (copies / "cities.yaml").unlink()
    faults, summary = contract.check(copies)
    assert faults == [
        "getCityList (GET /psd2/aspspinformation/v1/cities): no cassette has a successful answer",
        "getCityDetails (GET /psd2/aspspinformation/v1/cities/{city-id}): no cassette has a successful answer",
    ]
    assert summary.endswith("5 of 7 operations")


@pytest.mark.parametrize("text", ["", "interactions: [{}]", "interactions: [", "- 1"])
def test_a_file_that_is_no_cassette_is_named(contract: Contract, tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.yaml").write_text(text)
    faults, _ = contract.check(tmp_path)
    assert faults[0].startswith("broken.yaml: not a cassette that can be read")


def test_a_real_host_may_send_more_than_is_described(contract: Contract, tmp_path: Path) -> None:
    file = tmp_path / "countries.yaml"
    text = (CASSETTES / file.name).read_text().replace('"name":"Sweden"}', '"name":"Sweden","continent":"Europe"}')
    for source, found in (("simulator", text.count("continent")), ("sandbox, 2030-01-01", 0)):
        file.write_text(text.replace("recorded_from: simulator", f"recorded_from: {source}"))
        faults, _ = contract.check(tmp_path)
        assert sum(fault.startswith(file.name) for fault in faults) == found


@pytest.mark.parametrize("file", sorted(CASSETTES.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_cassette_has_no_secrets_and_names_the_canonical_hosts(file: Path) -> None:
    text = file.read_text()
    assert leaks(text) == []
    hosts = re.findall(r"^    uri: (.*?\w)/", text, re.MULTILINE)
    assert hosts
    assert set(hosts) <= {
        "https://auth.sandbox.openbankingplatform.com",
        "https://api.sandbox.openbankingplatform.com",
    }


@pytest.mark.parametrize(
    ("leak", "clean", "leaky"),
    [
        ("a credential in a form", "client_secret=CLIENT_SECRET", "client_secret=hunter2"),
        ("a credential in a form", "client_id=CLIENT_ID", "client_id=7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("a token in an answer", '"access_token":"ACCESS_TOKEN_1"', '"access_token":"ACCESS_TOKEN_1x"'),
        ("a token in a request", "Bearer ACCESS_TOKEN_1", "Bearer uN9Ty_algRSPwlClMPqgfRB0crhmZ6JcXi9GCX1mCis"),
        ("a JSON Web Token", '"name":"Sweden"', '"name":"eyJhbGciOi.eyJzdWIi"'),
        ("a host on this machine", "https://api.sandbox.openbankingplatform.com", "http://127.0.0.1:8001"),
        ("a host on this machine", "https://api.sandbox.openbankingplatform.com", "http://localhost:8001"),
        ("a personal identity number", '"name":"Sweden"', '"psuId":"19121212-1212"'),
        ("a personal identity number", '"name":"Sweden"', '"psuId":"201212121212"'),
        ("a volatile header", "      cache-control:", "      Date:"),
    ],
)
def test_a_planted_leak_is_found(leak: str, clean: str, leaky: str) -> None:
    text = (CASSETTES / "countries.yaml").read_text()
    assert clean in text
    assert leaks(text.replace(clean, leaky)) == [leak]
