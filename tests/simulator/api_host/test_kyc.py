"""KYC: who may pay for an organisation, the form, and what is refused without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulator.auth_host.test_authorise_page import Page, click
from tests.simulator.callers import API_SCOPES, AS_JSON, OF_A_COMPANY, YEAR, Clock, Payer, refused
from tests.simulator.rules import of_2021

if TYPE_CHECKING:
    import httpx

    from openpayments_facade.simulator import Simulator

pytestmark = pytest.mark.simulator(token_lifetime=2 * YEAR)

KYC = "/kyc/integration/v1"
needs_kyc = pytest.mark.simulator(token_lifetime=2 * YEAR, require_kyc=True)


@pytest.fixture
def company(simulator: Simulator, http: httpx.Client) -> Payer:
    return Payer(simulator, http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)


def start(company: Payer, corporate_id: str = "example-company") -> str:
    response = company.call("POST", f"{KYC}/new/{corporate_id}", params={"countryCode": "SE"})
    assert response.status_code == 201
    assert list(response.json()) == ["kycUrl"]
    return str(response.json()["kycUrl"])


def status(company: Payer, corporate_id: str = "example-company") -> tuple[str, str | None]:
    body = company.get(f"{KYC}/status/{corporate_id}").json()
    assert body["psuCorporateId"] == corporate_id
    return body["kycStatus"], body["kycValidUntil"]


def test_a_form_makes_an_organisation_valid_for_a_year(company: Payer, clock: Clock) -> None:
    assert status(company) == ("Invalid", None)
    link = start(company)
    assert link.startswith(f"{company.simulator.auth_url}/kyc/?instanceId=")
    page = company.http.get(link)
    assert "organisation example-company" in page.text
    assert list(Page(page).buttons) == ["Confirm"]
    assert status(company) == ("Invalid", None)
    assert click(company.http, link, "Confirm").status_code == 200
    assert status(company) == ("Valid", "2027-03-01")
    assert status(company, "another") == ("Invalid", None)
    clock.next_day(365)
    assert status(company) == ("Valid", "2027-03-01")
    clock.next_day()
    assert status(company) == ("Invalid", None)


def test_a_form_works_for_a_day(company: Payer, clock: Clock) -> None:
    link = start(company)
    page = Page(company.http.get(link))
    clock.now += 86400
    for response in (company.http.get(link), page.press(company.http, "Confirm")):
        assert response.status_code == 400
        assert "This link does not work" in response.text
    assert status(company) == ("Invalid", None)


@pytest.mark.parametrize("query", ["", "?instanceId=", "?instanceId=<b>"])
def test_a_form_that_does_not_exist(company: Payer, query: str) -> None:
    response = company.http.get(f"{company.simulator.auth_url}/kyc/{query}")
    assert response.status_code == 400
    assert "<b>" not in response.text


def test_the_page_shows_nothing_as_markup(company: Payer) -> None:
    assert "<b>" not in company.http.get(start(company, "%3Cb%3E")).text


def test_ids_are_the_same_without_a_hyphen(company: Payer) -> None:
    company.simulator.complete_kyc("123456-1234")
    for corporate_id in ("123456-1234", "1234561234"):
        assert status(company, corporate_id)[0] == "Valid"


@pytest.mark.parametrize("country", [None, "", "se", "SWE"])
def test_the_country_is_needed(company: Payer, country: str | None) -> None:
    response = company.call("POST", f"{KYC}/new/1", params={} if country is None else {"countryCode": country})
    refused(response, 400, "FORMAT_ERROR")
    assert "countryCode" in response.json()["detail"]


def test_it_is_for_companies(payer: Payer) -> None:
    for response in (
        payer.get(f"{KYC}/status/1"),
        payer.call("POST", f"{KYC}/new/1", params={"countryCode": "SE"}),
    ):
        refused(response, 401, "TOKEN_INVALID")


@needs_kyc
def test_a_company_pays_once_it_is_known(company: Payer, payer: Payer) -> None:
    response = company.pay()
    assert response.status_code == 403
    body = response.json()
    assert [message["code"] for message in body["tppMessages"]] == ["TPP_KYC_INVALID"]
    assert body["psuMessage"]
    assert company.simulator.payments == []
    assert payer.pay().status_code == 201
    click(company.http, body["_links"]["kycRedirect"]["href"], "Confirm")
    assert company.pay().status_code == 201
    assert company.pay(headers={"PSU-Corporate-ID": "another"}).status_code == 403


def test_by_default_nobody_asks(company: Payer) -> None:
    assert company.pay().status_code == 201


@needs_kyc
def test_completing_from_another_process(company: Payer) -> None:
    control = f"{company.simulator.api_url}/simulator/kyc/example-company/complete"
    assert company.http.post(control, headers=AS_JSON).status_code == 204
    assert company.pay().status_code == 201


@of_2021
def test_in_2021_there_was_no_kyc(company: Payer) -> None:
    refused(company.get(f"{KYC}/status/1"), 404, "RESOURCE_UNKNOWN")
