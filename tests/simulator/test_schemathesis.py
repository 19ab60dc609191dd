"""The simulator against the description: schemathesis sends what the description allows, and what it forbids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import assume, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation

from openpayments_facade.simulator import Simulator

DESCRIPTION = Path(__file__).parents[2] / "openapi" / "openpayments.yaml"
TOKEN_PATH = "/connect/token"
REQUEST_ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"

schema = schemathesis.openapi.from_path(DESCRIPTION)
forms = schema.raw_schema["components"]["requestBodies"]["TokenRequest"]["content"]["application/x-www-form-urlencoded"]
example = forms["examples"]["clientCredentials"]["value"]

repeatable = settings(max_examples=20, derandomize=True, deadline=None, database=None)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    # the examples of the description are a registered application's
    with Simulator(
        client_id=example["client_id"],
        client_secret=example["client_secret"],
        require_psu_context=False,
        refresh_tokens=True,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def bearer(simulator: Simulator, session: requests.Session) -> dict[str, str]:
    token = session.post(simulator.auth_url + TOKEN_PATH, data=example).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def good_request_id(case: schemathesis.Case[Any]) -> dict[str, str]:
    """Unless the headers alone are wrong: a bad id would be refused before anything else that is wrong."""
    wrong = [place for place in ParameterLocation if case.meta is not None and case.meta.is_negative_at(place)]
    return {} if wrong == [ParameterLocation.HEADER] else {"X-Request-ID": REQUEST_ID}


@schema.include(path=TOKEN_PATH).parametrize()
@repeatable
def test_tokens(case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session) -> None:
    case.call_and_validate(base_url=simulator.auth_url, session=session, headers=good_request_id(case))


@schema.include(path_regex="^/psd2/aspspinformation/").parametrize()
@repeatable
def test_operations(
    case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session, bearer: dict[str, str]
) -> None:
    # an empty list is not sent at all (RFC 6570, section 2.3); `cityIds=` is a list of one empty id
    assume(not any(value in ("", []) for value in (case.query or {}).values()))
    case.call_and_validate(base_url=simulator.api_url, session=session, headers=bearer | good_request_id(case))


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"body": {"countries": [{"isoCountryCode": "SE"}]}}, '"name" is a required property'),
        ({"body": {"countries": []}, "content_type": "text/html"}, "Undocumented Content-Type"),
        ({"status": 418}, "Undocumented status code"),
        ({"status": 500}, "Server error"),
    ],
)
def test_it_notices_what_is_wrong(
    simulator: Simulator, session: requests.Session, bearer: dict[str, str], fault: dict[str, Any], failure: str
) -> None:
    case = schema["/psd2/aspspinformation/v1/countries"]["GET"].Case(headers={"X-Request-ID": REQUEST_ID})
    case.call_and_validate(base_url=simulator.api_url, session=session, headers=bearer)
    with simulator.misbehave("*/countries", times=None, **fault), pytest.raises(FailureGroup) as caught:
        case.call_and_validate(base_url=simulator.api_url, session=session, headers=bearer)
    assert failure in str(caught.value)
