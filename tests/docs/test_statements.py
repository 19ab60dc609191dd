"""docs/statements.md: all statements are there, and what it names exists. And what no other test shows of them."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

import openpayments_facade
from openpayments_facade import (
    PRODUCTION,
    SANDBOX,
    Authorisation,
    AuthorisationFailedError,
    OpenPayments,
    Psu,
    RequestError,
)
from scripts.docs_blocks import ROOT

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

PAGE = (ROOT / "docs" / "statements.md").read_text("utf-8")
NUMBERED = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]
NEWER = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.partition("## What newer sources add")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| what they")
]
OF_THE_WIRE = {
    *("accountinformation", "aspspinformation", "corporate", "expires_in", "Authorization", "Consent-ID"),
    *("/connect/token", "partiallyAuthorised", "wait", "openpayments_facade"),
}
"""What is said in the words of the API, or is the name of a logger."""


def test_all_statements_are_there() -> None:
    assert [int(row[0]) for row in NUMBERED] == [*range(1, 67)]
    assert {len(row) for row in NUMBERED} == {4}
    documents = re.findall(r"^## Document (\d{3})", PAGE, re.MULTILINE)
    assert documents == ["000", "001", "002", "003", "004"]


@pytest.mark.parametrize("row", NUMBERED, ids=lambda row: f"statement {row[0]}")
def test_what_shows_it_exists(row: list[str]) -> None:
    tests, pages = re.findall(r"`(tests/[^`]+)::(\w+)`", row[3]), re.findall(r"\]\(([^)]+)\)", row[3])
    assert tests or pages
    for file, name in tests:
        assert re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), name
    for page in pages:
        assert (ROOT / "docs" / page).is_file(), page


@pytest.fixture
def names(openpayments_simulator: Simulator, openpayments_client: OpenPayments) -> dict[str, Any]:
    """What the tables call things."""
    return {
        **{name: getattr(openpayments_facade, name) for name in openpayments_facade.__all__},
        "op": openpayments_client,
        "bank": openpayments_client.at_bank("ESSESESS", Psu(id="example-user")),
        "authorisation": Authorisation,
        "consent": "a-consent",
        "account": "an-account",
    }


@pytest.mark.parametrize("row", [*NUMBERED, *NEWER], ids=lambda row: row[0])
def test_what_it_names_exists(row: list[str], names: dict[str, Any]) -> None:
    said = row[2] if len(row) == 4 else row[1]
    settings = {
        *inspect.signature(OpenPayments).parameters,
        *inspect.signature(names["bank"].consents.authorise).parameters,
    }
    for name in re.findall(r"`([^`]+)`", re.sub(r"\[.*?\]\(.*?\)", "", said)):
        if name not in OF_THE_WIRE and re.split(r"\W", name)[0] in names:
            assert eval(name, names) is not None
        elif name.partition("=")[0] not in settings:
            errors = (RequestError(), AuthorisationFailedError())
            assert name in OF_THE_WIRE or any(hasattr(error, name) for error in errors), name


def test_the_hosts_are_those_of_the_documents() -> None:
    """Documents 001 and 003."""
    assert (SANDBOX.auth_url, SANDBOX.api_url, PRODUCTION.auth_url, PRODUCTION.api_url) == (
        "https://auth.sandbox.openbankingplatform.com",
        "https://api.sandbox.openbankingplatform.com",
        "https://auth.openbankingplatform.com",
        "https://api.openbankingplatform.com",
    )


def test_the_simulator_has_the_countries_of_the_documents(openpayments_client: OpenPayments) -> None:
    """Document 001."""
    found = {country.iso_country_code: country.name for country in openpayments_client.countries.list()}
    assert found == {"SE": "Sweden", "FI": "Finland", "DE": "Germany", "DK": "Denmark"}


def test_the_token_is_in_a_header_alone(openpayments_simulator: Simulator, openpayments_env: None) -> None:
    """Documents 001 and 004."""
    with OpenPayments.from_env() as op:
        token = op.access_token()
        answer = op.with_raw_response.aspsps.list(countries=["SE"])
        assert token not in answer.url
        sent = [request for request in openpayments_simulator.requests if "/psd2/" in request.path]
    assert sent
    assert not [request for request in sent if token in f"{request.path}?{request.query}"]


def test_no_bank_and_no_user_is_named_where_no_bank_is_called(
    openpayments_simulator: Simulator, openpayments_client: OpenPayments
) -> None:
    """Document 001."""
    op = openpayments_client
    op.countries.list()
    op.cities.list()
    op.aspsps.get(op.aspsps.list(countries=["SE"])[0])
    sent = [request for request in openpayments_simulator.requests if "/psd2/" in request.path]
    assert len(sent) == 4
    assert not [name for request in sent for name in request.headers if name.startswith(("x-bic", "psu-", "tpp-"))]
