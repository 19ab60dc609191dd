"""The simulator against the description: schemathesis sends what the description allows, and what it forbids.

What is sent to a bank is filled in with a consent, an authorisation and an account that are there, or most of it would
end at the first check. Not every request that the description allows is a good one (dates in the past, lists that don't
fit each other), so refusing one is not a failure there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import assume, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance, status_code_conformance

from openpayments_facade.simulator import Simulator
from tests.fuzz.fuzzing import LONG, RAN, how_many, repeated
from tests.simulator.callers import HEADERS, BankCaller, Payer, id_of
from tests.simulator.description import BANK_OPERATIONS, DESCRIPTION, OPERATIONS

REQUEST_ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"

KYC = [one for one in OPERATIONS if one.tag == "KYC"]

schema = schemathesis.openapi.from_path(DESCRIPTION)
form = schema.raw_schema["components"]["requestBodies"]["TokenRequest"]["content"]["application/x-www-form-urlencoded"]
example = form["examples"]["clientCredentials"]["value"]
at_banks = schemathesis.openapi.from_path(DESCRIPTION).include(operation_id=[one.id for one in BANK_OPERATIONS])
# each of some twenty headers in every wrong form, for each operation: thousands of requests
at_banks.config.phases.coverage.enabled = LONG is not None

few = settings(repeated(how_many(20, 200)), report_multiple_bugs=True)


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
    token = session.post(f"{simulator.auth_url}/connect/token", data=example).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def good(simulator: Simulator) -> Iterator[BankCaller]:
    with httpx.Client(trust_env=False) as http:
        yield BankCaller(simulator, http)


@pytest.fixture(scope="module")
def paying(simulator: Simulator) -> Iterator[Payer]:
    """At the bank that has cancellations to be approved."""
    with httpx.Client(trust_env=False) as http:
        yield Payer(simulator, http, "SWEDSESS")


def wrong_places(case: schemathesis.Case[Any]) -> list[ParameterLocation]:
    return [place for place in ParameterLocation if case.meta is not None and case.meta.is_negative_at(place)]


def good_headers(case: schemathesis.Case[Any], headers: dict[str, str]) -> dict[str, str]:
    """For cases that are not about headers: a bad one would be refused before anything else that is wrong."""
    return {} if wrong_places(case) == [ParameterLocation.HEADER] else {"X-Request-ID": REQUEST_ID, **headers}


def skip_some_queries(case: schemathesis.Case[Any]) -> None:
    """What the simulator does not look at, as long as the rules are those of 2026, can't be wrong either.

    An empty list is not sent at all (RFC 6570, section 2.3); `cityIds=` is a list of one empty id.
    """
    query = dict(case.query or {})
    assume(all(name in case.operation.query for name in query))
    assume(not any(value in ("", []) for value in query.values()))
    assume({"deltaList", "withBalance"}.isdisjoint(query) or not case.path.endswith("/transactions"))


def check(case: schemathesis.Case[Any], **how: Any) -> None:
    case.call_and_validate(**how)
    RAN["simulator"] += 1


@schema.include(operation_id="createToken").parametrize()
@few
def test_tokens(case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session) -> None:
    check(case, base_url=simulator.auth_url, session=session, headers=good_headers(case, {}))


@schema.include(operation_id=[one.id for one in OPERATIONS if not one.at_bank and one not in KYC]).parametrize()
@few
def test_operations(
    case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session, bearer: dict[str, str]
) -> None:
    skip_some_queries(case)
    check(case, base_url=simulator.api_url, session=session, headers=bearer | good_headers(case, {}))


@schema.include(operation_id=[one.id for one in KYC]).parametrize()
@few
def test_kyc(case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session, good: BankCaller) -> None:
    skip_some_queries(case)
    headers = {"Authorization": f"Bearer {good.caller.token('paymentinitiation corporate')}"} | good_headers(case, {})
    # what is wrong with a request is no declared answer there
    check(case, base_url=simulator.api_url, session=session, headers=headers, excluded_checks=[status_code_conformance])


def consent_for(case: schemathesis.Case[Any], good: BankCaller) -> str:
    """One that waits for its user or, where the call is made with it, one that is valid."""
    status = "valid" if "Consent-ID" in case.operation.headers else "received"
    bic = good.headers["X-BicFi"]
    found = [one.id for one in good.simulator.consents if (one.status, one.bic) == (status, bic)]
    if found:
        return found[0]
    # one that another consent would end must not be recurring
    consent_id = good.create(validUntil="9999-12-31", recurringIndicator=False)
    if status == "valid":
        good.simulator.approve(consent_id)
    return consent_id


def resources_for(case: schemathesis.Case[Any], good: BankCaller, paying: Payer) -> dict[str, str]:
    """The ids in the path of a call, of what was created for it."""
    names = case.path_parameters or {}
    if "consentId" in names:
        consent_id = consent_for(case, good)
        found = {"consentId": consent_id}
        return found | ({"authorisationId": id_of(good.start(consent_id))} if "authorisationId" in names else {})
    if "account-id" in names:
        account_id = good.account_ids(consent_for(case, good))[0]
        return {"account-id": account_id, "transactionId": "TESSESESS-11-000000000001"}
    found = {"payment-service": "payments", "payment-product": "domestic"}
    if "fxQuoteId" in names:
        return {"fxQuoteId": paying.new_quote()["FX-Quote-Id"]}
    if "paymentId" not in names and "basketId" not in names:
        return found
    path = paying.new()
    found["paymentId"] = id_of(path)
    if "basketId" in names:
        path = paying.new_basket(path)
        found["basketId"] = id_of(path)
    if "authorisationId" in names:
        found["authorisationId"] = id_of(paying.start(path))
    if "cancellation-authorisations" in case.path:
        paying.simulator.approve(id_of(path))
        paying.call("DELETE", path)
        response = paying.call("POST", f"{path}/cancellation-authorisations")
        assert response.status_code == 201, response.text
        found["cancellationId"] = response.json()["authorisationId"]
    return found


@at_banks.parametrize()
@settings(few, max_examples=how_many(6, 40))
def test_bank_operations(
    case: schemathesis.Case[Any], simulator: Simulator, session: requests.Session, good: BankCaller, paying: Payer
) -> None:
    skip_some_queries(case)
    wrong = wrong_places(case)
    headers = {"Authorization": good.headers["Authorization"]}
    caller = paying if "/paymentinitiation/" in case.path else good
    headers |= good_headers(case, {"X-BicFi": caller.headers["X-BicFi"], **HEADERS})
    if "Consent-ID" in (case.headers or {}) and ParameterLocation.HEADER not in wrong:
        headers["Consent-ID"] = consent_for(case, caller)
    if ParameterLocation.PATH not in wrong and case.path_parameters:
        case.path_parameters |= {
            name: value for name, value in resources_for(case, good, paying).items() if name in case.path_parameters
        }
    # what is no JSON is no declared answer of quotes
    excluded = [positive_data_acceptance, *([status_code_conformance] if "/v1/fx" in case.path else [])]
    check(case, base_url=simulator.api_url, session=session, headers=headers, excluded_checks=excluded)


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
