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

from scripts import contract as script
from scripts.contract import COVERED, NOT_YET_COVERED, UNCOVERED, UNKNOWN, Contract, leaks, main

ROOT = Path(__file__).parent.parent.parent
CASSETTES = ROOT / "cassettes"
DESCRIPTION = ROOT / "openapi" / "openpayments.yaml"

Interaction = dict[str, Any]
Planted = Callable[[Interaction], object]


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


def problem(**members: str) -> Planted:
    """An error in the form of RFC 7807."""

    def plant(interaction: Interaction) -> None:
        interaction["response"]["headers"]["content-type"] = ["application/problem+json"]
        interaction["response"]["body"]["string"] = json.dumps(members)

    return plant


def planted(contract: Contract, file: Path, number: int, change: Planted) -> list[str]:
    """The faults of one interaction of a cassette after a change, checked alone under the cassette's name."""
    content = load(CASSETTES / file.name)
    interaction = content["interactions"][number - 1]
    change(interaction)
    return faults_of(contract, file, {**content, "interactions": [interaction]})


def faults_of(contract: Contract, file: Path, content: dict[str, Any]) -> list[str]:
    file.write_text(yaml.safe_dump(content))
    return [fault for fault in contract.check(file.parent)[0] if fault.startswith(file.name)]


def load(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(file.read_text(), yaml.CSafeLoader)
    return content


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract(DESCRIPTION)


def test_the_cassettes_are_as_described(
    contract: Contract, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["contract.py"])
    assert main() == 0
    number = len(contract.operations)
    covered = number - len(NOT_YET_COVERED)
    assert capsys.readouterr().out.endswith(f"{covered} of {number} operations: all as described\n")


def test_without_cassettes_every_operation_is_named(
    contract: Contract, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "NOT_YET_COVERED", frozenset())
    monkeypatch.setattr("sys.argv", ["contract.py", "--cassettes", str(tmp_path)])
    assert main() == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines[0] == f"createToken (POST /connect/token): {UNCOVERED}"
    assert [line.partition(" (")[0] for line in lines] == [*contract.operations]
    number = len(contract.operations)
    assert last == f"0 cassettes, 0 interactions, 0 of {number} operations: {number} faults"


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
            lambda it: it["response"]["headers"].update({"x-request-id": ["6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"]}),
            "getCountryDetails: answer 200: another X-Request-ID than the request's",
            id="X-Request-ID of another request",
        ),
        pytest.param(
            "unknown_bank.yaml",
            2,
            lambda it: it["request"]["headers"].update({"x-request-id": ["6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"]}),
            "getASPSPDetails: answer 404: another X-Request-ID than the request's",
            id="error with the X-Request-ID of another request",
        ),
        pytest.param(
            "wrong_secret.yaml",
            1,
            lambda it: it["response"]["headers"].update({"x-request-id": ["6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"]}),
            "createToken: answer 400: another X-Request-ID than the request's",
            id="token with the X-Request-ID of another request",
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
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            2,
            lambda it: it["request"]["headers"].pop("x-bicfi"),
            "createConsent: request: Missing required header parameter: X-BicFi",
            id="consent without a bank",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            2,
            form('"frequencyPerDay": 4, ', ""),
            "createConsent: request: 'frequencyPerDay' is a required property",
            id="consent without a frequency",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            2,
            form('"frequencyPerDay": 4, ', '"frequencyPerDay": 4, "frequencyPerWeek": 28, '),
            "createConsent: request: Additional properties are not allowed ('frequencyPerWeek' was unexpected)",
            id="consent with an unknown property",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            2,
            lambda it: it["request"]["headers"].update({"psu-shoe-size": ["45"]}),
            "createConsent: request: unknown header 'psu-shoe-size'",
            id="unknown header",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            3,
            lambda it: it["request"].update(body="{}"),
            "startConsentAuthorisation: request: a body, but none is described",
            id="start of an authorisation with a body",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            4,
            body(lambda answer: answer.pop("scaStatus")),
            "updateConsentsPsuData: answer 200: 'scaStatus' is a required property",
            id="answer without an SCA status",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            12,
            lambda it: it["request"]["headers"].pop("consent-id"),
            "getTransactionList: request: Missing required header parameter: Consent-ID",
            id="transactions without a consent",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            12,
            body(lambda report: report["transactions"]["booked"][0]["transactionAmount"].update(amount=-1.5)),
            "getTransactionList: answer 200: transactions.booked.0.transactionAmount.amount:"
            " -1.5 is not of type 'string'",
            id="amount that is a number",
        ),
        pytest.param(
            "from_a_bank_to_its_transactions_by_redirect.yaml",
            16,
            lambda it: it["response"]["body"].update(string="{}"),
            "deleteConsent: answer 204: a body, but none is described",
            id="body of a deletion",
        ),
        pytest.param(
            "unknown_account.yaml",
            3,
            problem(code="RESOURCE_UNKNOWN"),
            "getBalances: answer 404: 'type' is a required property",
            id="problem without a type",
        ),
    ],
)
def test_a_planted_fault_is_found(
    contract: Contract, tmp_path: Path, cassette: str, number: int, change: Planted, fault: str
) -> None:
    faults = planted(contract, tmp_path / cassette, number, change)
    assert faults == [f"{cassette}, interaction 1, {fault}"]


def test_a_problem_is_described(contract: Contract, tmp_path: Path) -> None:
    change = problem(type="about:blank", code="RESOURCE_UNKNOWN")
    assert planted(contract, tmp_path / "unknown_account.yaml", 3, change) == []


@pytest.mark.parametrize("link", ['{"href":"?page=2"}', '"?page=2"'])
def test_the_query_of_a_link_to_the_next_page_is_the_banks_own(contract: Contract, tmp_path: Path, link: str) -> None:
    file = tmp_path / "from_a_bank_to_its_transactions_by_redirect.yaml"
    page, asked = load(CASSETTES / file.name)["interactions"][11:13]
    content = {"recorded_from": "sandbox, 2030-01-01", "interactions": [page, asked]}
    asked["request"]["uri"] = asked["request"]["uri"].partition("?")[0] + "?page=2"
    about = f"{file.name}, interaction 2, getTransactionList: request:"
    assert faults_of(contract, file, content) == [
        f"{about} Missing required query parameter: bookingStatus",
        f"{about} unknown query parameter 'page'",
    ]
    body(lambda report: report["transactions"]["_links"].update(next=json.loads(link)))(page)
    assert faults_of(contract, file, content) == []


def test_an_operation_that_no_cassette_covers_is_named(contract: Contract, tmp_path: Path) -> None:
    for name in ("from_a_bank_to_its_transactions_by_redirect", "from_countries_to_the_details_of_a_bank", "countries"):
        shutil.copy(CASSETTES / f"{name}.yaml", tmp_path)
    faults, summary = contract.check(tmp_path)
    assert f"getCityDetails (GET /psd2/aspspinformation/v1/cities/{{city-id}}): {UNCOVERED}" in faults
    missing = {fault.partition(" (")[0] for fault in faults if fault.endswith(UNCOVERED)}
    assert len(missing) == len(faults)
    assert {"getCityList", "getCityDetails"} <= missing
    assert not {"createToken", "getCountriesList", "getTransactionDetails"} & missing
    number = len(contract.operations)
    assert summary.endswith(f"{number - len(missing)} of {number} operations")


def test_the_list_of_what_is_not_covered_yet_empties_itself(tmp_path: Path) -> None:
    shutil.copy(CASSETTES / "countries.yaml", tmp_path)
    every = Contract(DESCRIPTION).operations
    uncovered = every.keys() - {"createToken", "getCountriesList", "getCountryDetails"}
    assert Contract(DESCRIPTION, uncovered).check(tmp_path)[0] == []
    faults, _ = Contract(DESCRIPTION, {*uncovered, "getCountriesList", "getMoon"}).check(tmp_path)
    assert faults == [f"getCountriesList ({every['getCountriesList']}): {COVERED}", f"getMoon: {UNKNOWN}"]
    (fault,) = Contract(DESCRIPTION, uncovered - {"getCityList"}).check(tmp_path)[0]
    assert fault == f"getCityList ({every['getCityList']}): {UNCOVERED}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "recorded_from: simulator\ninteractions: [{}]",
        "recorded_from: simulator\ninteractions: []",
        "recorded_from: a friend\ninteractions: [{}]",
        "interactions: [{}]",
        "interactions: [",
        "- 1",
    ],
)
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
def test_a_cassette_names_the_canonical_hosts(file: Path) -> None:
    hosts = re.findall(r"^    uri: (.*?\w)/", file.read_text(), re.MULTILINE)
    assert hosts
    assert set(hosts) <= {
        "https://auth.sandbox.openbankingplatform.com",
        "https://api.sandbox.openbankingplatform.com",
    }


@pytest.mark.parametrize(
    ("leak", "clean", "leaky"),
    [
        ("a credential in a form", "client_secret=DUMMY_CLIENT_SECRET", "client_secret=hunter2"),
        ("a credential in a form", "client_id=DUMMY_CLIENT_ID", "client_id=7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("a credential in a form", "client_secret=DUMMY_CLIENT_SECRET", "code=SplxlOBeZQQYbYS6WxSbIA"),
        ("a credential in a form", "client_secret=DUMMY_CLIENT_SECRET", "refresh_token=8xLOxBtZp8"),
        ("a token in an answer", '"access_token":"DUMMY_ACCESS_TOKEN_1"', '"access_token":"DUMMY_ACCESS_TOKEN_1x"'),
        ("a token in a request", "Bearer DUMMY_ACCESS_TOKEN_1", "Bearer uN9Ty_algRSPwlClMPqgfRB0crhmZ6JcXi9GCX1mCis"),
        ("a JSON Web Token", '"name":"Sweden"', '"name":"eyJhbGciOi.eyJzdWIi"'),
        ("a host on this machine", "https://api.sandbox.openbankingplatform.com", "http://127.0.0.1:8001"),
        ("a host on this machine", "https://api.sandbox.openbankingplatform.com", "http://localhost:8001"),
        ("a personal identity number", '"name":"Sweden"', '"psuId":"19121212-1212"'),
        ("a personal identity number", '"name":"Sweden"', '"psuId":"190001019801"'),
        ("the id of a user", "      authorization:", "      psu-id:\n      - somebody\n      authorization:"),
        (
            "the address of a user",
            "      authorization:",
            "      psu-ip-address:\n      - 192.0.2.1\n      authorization:",
        ),
        ("a volatile header", "      cache-control:", "      Date:"),
    ],
)
def test_a_planted_leak_is_found_and_not_shown(
    leak: str,
    clean: str,
    leaky: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (CASSETTES / "countries.yaml").read_text()
    start = text.index(clean)
    (tmp_path / "countries.yaml").write_text(text[:start] + leaky + text[start + len(clean) :])
    assert leaks(CASSETTES) == []
    (found,) = leaks(tmp_path)
    lines = text[:start].count("\n")
    line = next(line for line, part in enumerate(leaky.splitlines(), lines + 1) if "psu-" not in part)
    assert found == f"countries.yaml, line {line}: {leak}"
    for option in ([], ["--secrets-only"]):
        monkeypatch.setattr("sys.argv", ["contract.py", "--cassettes", str(tmp_path), *option])
        assert main() == 1
        first, last = capsys.readouterr().out.splitlines()
        assert first == found
        assert last == "Not held against the description while there are secrets."


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  version: 20", "  version: 20: ", "mapping values are not allowed"),
        ("#/components/responses/CountryList", "#/components/responses/Gone", "#/components/responses/Gone"),
        (
            "operationId: getCityList",
            "operationId: getCountriesList",
            "its name in Python, get_countries_list, is that of GET",
        ),
        ("\npaths:", "\npath:", "'path' was unexpected"),
        (DESCRIPTION.read_text(), "- 1", "not a description"),
    ],
)
def test_a_slip_in_the_description_is_one_line(
    old: str, new: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "slip.yaml"
    file.write_text(DESCRIPTION.read_text().replace(old, new, 1))
    monkeypatch.setattr("sys.argv", ["contract.py", "--description", str(file)])
    assert main() == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert told in line
    assert str(file) in line
