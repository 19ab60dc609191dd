"""The operations at a bank against the description: schemathesis sends what it allows, and what it forbids.

What is sent is filled in with a consent, an authorisation and an account that are there, or most of it would end at the
first check. Not every request that the description allows is a good one (dates in the past, lists that don't fit each
other), so refusing one is no failure here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import assume, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from openpayments_facade.simulator import Simulator
from tests.simulator.bank_caller import BankCaller

DESCRIPTION = Path(__file__).parents[2] / "openapi" / "openpayments.yaml"
REQUEST_ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"

schema = schemathesis.openapi.from_path(DESCRIPTION).include(path_regex="^/psd2/(consent|accountinformation)/")
# each of some twenty headers in every wrong form, for each operation: thousands of requests
schema.config.phases.coverage.enabled = False

repeatable = settings(max_examples=6, derandomize=True, deadline=None, database=None)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def good(simulator: Simulator) -> Iterator[BankCaller]:
    with httpx.Client(trust_env=False) as http:
        yield BankCaller(simulator, http)


def wrong_places(case: schemathesis.Case[Any]) -> list[ParameterLocation]:
    return [place for place in ParameterLocation if case.meta is not None and case.meta.is_negative_at(place)]


def consent_for(case: schemathesis.Case[Any], good: BankCaller) -> str:
    """One that waits for its user, or for accounts one that is valid."""
    status = "valid" if "/accountinformation/" in case.operation.path else "received"
    found = [consent.id for consent in good.simulator.consents if consent.status == status]
    if found:
        return found[0]
    consent_id = good.create(validUntil="9999-12-31", headers={"PSU-ID": None})
    if status == "valid":
        good.simulator.approve(consent_id)
    return consent_id


@schema.parametrize()
@repeatable
def test_bank_operations(
    case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session, good: BankCaller
) -> None:
    assume(not any(value in ("", []) for value in (case.query or {}).values()))
    wrong = wrong_places(case)
    headers = {"Authorization": good.headers["Authorization"]}
    if wrong != [ParameterLocation.HEADER]:
        headers |= {"X-Request-ID": REQUEST_ID, "X-BicFi": "ESSESESS", "PSU-IP-Address": "203.0.113.7"}
    consent_id = consent_for(case, good)
    if "Consent-ID" in (case.headers or {}) and ParameterLocation.HEADER not in wrong:
        headers["Consent-ID"] = consent_id
    if ParameterLocation.PATH not in wrong:
        known = {"consentId": consent_id}
        if "authorisationId" in (case.path_parameters or {}):
            known["authorisationId"] = good.start(consent_id).rpartition("/")[2]
        if "account-id" in (case.path_parameters or {}):
            known |= {"account-id": good.account_ids(consent_id)[0], "transactionId": "TESSESESS-11-000000000001"}
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    case.call_and_validate(
        base_url=simulator.api_url, session=session, headers=headers, excluded_checks=[positive_data_acceptance]
    )
