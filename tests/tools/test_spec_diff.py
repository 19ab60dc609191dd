"""`make spec-diff`, in a git repository of its own."""

from __future__ import annotations

import copy
import functools
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.generate import load
from scripts.spec_diff import DESCRIPTION, compare, main
from tests.tools.inventory import SCOPES

BEFORE = """\
openapi: 3.1.0
info: {title: Banks, version: "1"}
paths:
  /banks:
    get:
      parameters:
        - {$ref: "#/components/parameters/Countries"}
        - {name: limit, in: query, schema: {type: integer}}
      responses: {"200": {description: Banks.}}
components:
  parameters:
    Countries: {name: countries, in: query, explode: false, schema: {type: array, items: {type: string}}}
"""


TODAY = Path(__file__).parent.parent.parent / DESCRIPTION


@functools.cache
def today() -> dict[str, Any]:
    """The description, not to be changed: reading it takes longer than comparing it."""
    return load(TODAY)


def _operation(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["paths"]["/psd2/aspspinformation/v1/countries"]["get"].update(values)


def _by_product(d: dict[str, Any]) -> Any:
    [product] = [
        media_type["x-body-by"]["payment-product"]
        for body in d["requestBodies"].values()
        for media_type in body["content"].values()
        if "x-body-by" in media_type
    ]
    return product


def _answers_without(status: str) -> Callable[[dict[str, Any]], object]:
    return lambda d: d["paths"]["/psd2/aspspinformation/v1/countries"]["get"]["responses"].pop(status)


@pytest.fixture
def description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The description in a repository whose only commit has it as it was before."""
    monkeypatch.chdir(tmp_path)
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set when a hook of git runs the tests
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / DESCRIPTION
    file.parent.mkdir()
    file.write_text(BEFORE)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "."], [*author, "commit", "--quiet", "--message=Before"]):
        subprocess.run(["git", *command], check=True)
    return file


@pytest.mark.parametrize(
    ("old", "new", "status", "told"),
    [
        ("", "", 0, "No differences found"),
        ("description: Banks.", "description: All banks.", 0, "What differs does not reach users.\n"),
        ("name: limit, in: query,", "name: limit, in: query, required: true,", 1, "Parameter 'limit' is now required"),
        ("/banks:", "/aspsps:", 1, "[BREAKING] /banks"),
        ("explode: false", "explode: true", 1, "style form, explode false became type array, items type string"),
        ("explode: false", "style: spaceDelimited", 1, "style spaceDelimited, explode false"),
    ],
)
def test_what_changed_and_what_of_it_breaks_users(
    old: str,
    new: str,
    status: int,
    told: str,
    description: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    description.write_text(BEFORE.replace(old, new))
    monkeypatch.setattr("sys.argv", ["spec_diff.py", "HEAD"])
    assert main() == status
    assert told in capsys.readouterr().out


def test_the_description_of_today_is_as_it_is() -> None:
    assert compare(today(), today()) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["schemas"]["AspspDetails"]["properties"].pop("phone"), "property 'phone'"),
        (lambda d: d["schemas"]["Country"]["properties"].pop("name"), "property 'name'"),
        (lambda d: d["schemas"]["Token"]["properties"]["expires_in"].update(type="string"), "became"),
        (lambda d: d["schemas"]["Transaction"]["properties"]["bookingDate"].pop("format"), "format date"),
        (lambda d: d["schemas"]["Country"].update(required=[]), "became optional"),
        (lambda d: d["schemas"]["Aspsp"].update({"x-needed": []}), "'bicFi': always there became maybe None"),
        (lambda d: d["schemas"].update(BankDetails=d["schemas"].pop("AspspDetails")), "model AspspDetails"),
        (lambda d: d["schemas"]["ConsentRequest"]["properties"].pop("combinedServiceIndicator"), "became gone"),
        (lambda d: d["schemas"]["ConsentRequest"]["properties"]["frequencyPerDay"].update(minimum=4), "minimum"),
        (lambda d: d["schemas"]["TokenRequest"]["required"].append("redirect_uri"), "became required"),
        (lambda d: d["parameters"]["CityIds"].update(required=True), "'cityIds' is now required"),
        (
            lambda d: d["paths"]["/psd2/aspspinformation/v1/countries"]["get"]["responses"].update(
                {"204": {"description": "None."}}
            ),
            "CountryList or nothing",
        ),
        (
            lambda d: _by_product(d).update(domestic="InternationalPayment"),
            "body for payment-product domestic: DomesticPayment became InternationalPayment",
        ),
        (lambda d: d["parameters"]["CityIds"].update(name="cities"), "'cityIds'"),
        (lambda d: d["responses"]["AuthorisationUpdated"]["headers"].pop("ASPSP-SCA-Approach"), "became gone"),
        (lambda d: d["responses"]["Country"]["content"].clear(), "application/json"),
        (lambda d: d["schemas"]["Country"]["properties"]["name"].update(enum=["Sweden"]), "'name': any value became"),
        (lambda d: d["schemas"]["Transaction"]["properties"]["entryReference"].update(enum=["a", None]), "any value"),
        (lambda d: d["schemas"]["ConsentRequest"]["properties"]["frequencyPerDay"].update(enum=[4]), "any value"),
        (lambda d: d["parameters"]["DateFrom"]["schema"].update(enum=["2026-01-01"]), "'dateFrom': any value became"),
        (lambda d: d["schemas"]["BookingStatus"]["enum"].remove("both"), "Enum values removed: ['both']"),
        (lambda d: d["schemas"]["GrantType"]["enum"].remove("refresh_token"), "Enum values removed"),
        (lambda d: d["schemas"]["ConsentRequest"]["properties"]["validUntil"].update(type="integer"), "became"),
        (lambda d: d["schemas"]["Country"]["properties"]["name"].update(type=["string", "null"]), "required or null"),
        (lambda d: d["schemas"]["AccountReference"].update(required=["iban"]), "optional became required"),
        (_operation(security=[{"oauth2": ["aspspinformation", "private"]}]), "aspspinformation is not enough"),
        (_operation(operationId="listCountries"), "became operation listCountries"),
        (_operation(tags=["banks"]), "became operation getCountriesList of banks"),
        (_operation(security=[{"oauth2": ["corporate"]}]), "security"),
        (
            _operation(servers=[{"url": "https://api.example.com"}]),
            "https://api.sandbox.openbankingplatform.com is gone",
        ),
    ],
)
def test_what_breaks_users_of_the_description_of_today(
    change: Callable[[dict[str, Any]], object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = today()
    after = copy.deepcopy(before)
    change(after["components"] | {"paths": after["paths"]})
    assert compare(before, after) == 1
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda d: d["parameters"]["PsuAuthoriserId"].update(required=True),
            "'PSU-Authoriser-ID' is now required; a client at a bank gives it",
        ),
        (lambda d: d["servers"].append({"url": "https://api.example.com"}), "New server URL added"),
        (
            lambda d: d["schemas"]["Aspsp"].update({"x-needed": ["bicFi", "name"]}),
            "'name': what lacks it is now refused",
        ),
        (
            _operation(
                servers=[{"url": f"https://api.{host}openbankingplatform.com"} for host in ("", "sandbox.", "new.")]
            ),
            "",
        ),
        (_operation(security=[{"oauth2": scopes} for scopes in [*SCOPES["B"], ["banks"]]]), ""),
        (_operation(security=[]), "authentication requirement for this operation has been removed"),
        (lambda d: d["schemas"]["Country"]["required"].append("id"), "always guaranteed"),
        (lambda d: d["schemas"]["ConsentRequest"]["required"].remove("frequencyPerDay"), "is now optional"),
        (lambda d: d["schemas"]["Token"]["properties"]["refresh_token"].update(type="string"), "not reach users"),
        (lambda d: d["schemas"]["Aspsp"]["properties"]["bicFi"].update(description="A BIC."), "not reach users"),
        (lambda d: d["schemas"]["Country"]["properties"]["id"]["anyOf"].pop(), "not reach users"),
        (
            lambda d: d["schemas"]["KnownScaStatus"]["enum"].append("late"),
            "[INFO] model KnownScaStatus :: new in its list",
        ),
        (lambda d: d["schemas"]["KnownScaStatus"]["enum"].remove("exempted"), "gone in its list: exempted"),
        (lambda d: d["schemas"]["BookingStatus"]["enum"].append("late"), "New enum values added"),
        (
            lambda d: d["responses"]["Country"]["headers"].update(Late={"schema": {"type": "string"}}),
            "'Late' of answer 200",
        ),
        (_answers_without("503"), "Response '503' has been removed"),
    ],
)
def test_what_does_not_break_users_of_the_description_of_today(
    change: Callable[[dict[str, Any]], object], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = today()
    after = copy.deepcopy(before)
    change(after["components"] | {"paths": after["paths"], "servers": after["servers"]})
    assert before != after
    assert compare(before, after) == 0
    output = capsys.readouterr().out
    assert told in output
    assert "No differences found" not in output


def test_of_an_answer_that_is_gone_the_headers_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    before = today()
    after = copy.deepcopy(before)
    _answers_without("200")({"paths": after["paths"]})
    assert compare(before, after) == 1
    output = capsys.readouterr().out
    assert "Response '200' has been removed" in output
    assert "header" not in output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: BASE"),
        (["v0"], "'v0' is no revision of this git repository"),
        (["--", "--all"], "'--all' is no revision of this git repository"),
        (["HEAD"], "openapi/openpayments.yaml"),
    ],
)
def test_without_anything_to_compare_with(
    arguments: list[str],
    told: str,
    description: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    description.unlink()
    monkeypatch.setattr("sys.argv", ["spec_diff.py", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("#/components/parameters/Gone", "openapi/openpayments.yaml:7: GET /banks parameters/0: #/components/par"),
        ('#/components: "', 'in "openapi/openpayments.yaml", line 7'),
    ],
)
def test_a_slip_in_the_description_is_one_line(
    new: str, told: str, description: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    description.write_text(BEFORE.replace("#/components/parameters/Countries", new))
    monkeypatch.setattr("sys.argv", ["spec_diff.py", "HEAD"])
    with pytest.raises(SystemExit):
        main()
    _, line = capsys.readouterr().err.splitlines()
    assert told in line
