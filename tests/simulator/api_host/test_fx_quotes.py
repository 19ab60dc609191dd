"""FX quotes: what a payment into another currency costs, and how long that holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.callers import API_SCOPES, OF_A_COMPANY, ORDERS, QUOTE, QUOTES, YEAR, Clock, Payer, id_of, refused
from tests.simulator.rules import of_2021

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)


@pytest.fixture
def payer(swedish_payer: Payer) -> Payer:
    return swedish_payer


def confirm(payer: Payer, quote: dict[str, str], **changes: Any) -> Any:
    return payer.call("PUT", f"{QUOTES}/{quote['FX-Quote-Id']}", json={**ORDERS["cross-border"], **changes})


def test_a_quote_has_a_rate_a_fee_and_an_end(payer: Payer) -> None:
    response = payer.quote()
    assert response.status_code == 201
    body = response.json()
    assert body == {
        "fxQuoteId": body["fxQuoteId"],
        "fxRate": "10.54321000",
        "fee": "25.00",
        "totalAmount": "1395.62",
        "validFrom": "2026-03-01T12:00:00.0000000Z",
        "validTo": "2026-03-01T12:10:00.0000000Z",
    }
    path = f"{QUOTES}/{body['fxQuoteId']}"
    assert response.headers["Location"] == path
    del body["totalAmount"]
    assert payer.get(path).json() == body
    again = payer.quote().json()
    assert again["fxQuoteId"] != body["fxQuoteId"]
    assert again["fxRate"] == body["fxRate"]


@pytest.mark.parametrize("source", ["SEK", "EUR", "JPY"])
def test_the_total_is_the_amount_at_the_rate_and_the_fee(payer: Payer, source: str) -> None:
    body = payer.quote(sourceCurrency=source, amount="1000").json()
    cost = Decimal(body["totalAmount"]) - Decimal(body["fee"])
    assert abs(cost - 1000 * Decimal(body["fxRate"])) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        *(({name: None}, "FORMAT_ERROR", name) for name in QUOTE),
        ({"sourceCurrency": "sek"}, "FORMAT_ERROR", "sourceCurrency"),
        ({"targetCurrency": 1}, "FORMAT_ERROR", "targetCurrency"),
        ({"countryCode": "USA"}, "FORMAT_ERROR", "countryCode"),
        ({"amount": "0"}, "FORMAT_ERROR", "amount"),
        ({"amount": 130}, "FORMAT_ERROR", "amount"),
        ({"targetCurrency": "XTS"}, "PARAMETER_NOT_SUPPORTED", "targetCurrency"),
        ({"targetCurrency": "SEK"}, "PARAMETER_NOT_CONSISTENT", "targetCurrency"),
        ({"requestedExecutionDate": "tomorrow"}, "FORMAT_ERROR", "requestedExecutionDate"),
        ({"requestedExecutionDate": "2026-02-28"}, "EXECUTION_DATE_INVALID", "requestedExecutionDate"),
        ({"requestedExecutionDate": "2026-04-01"}, "EXECUTION_DATE_INVALID", "requestedExecutionDate"),
    ],
)
def test_quotes_that_are_not_given(payer: Payer, changes: dict[str, Any], code: str, path: str) -> None:
    refused(payer.quote(**changes), 400, code, path)


def test_up_to_thirty_days_ahead(payer: Payer) -> None:
    assert payer.quote(requestedExecutionDate="2026-03-31").status_code == 201
    refused(payer.call("POST", QUOTES, json=[]), 400, "FORMAT_ERROR")


def test_a_payment_abroad_costs_what_the_quote_said(payer: Payer, clock: Clock) -> None:
    consent_id = payer.valid()
    account = payer.accounts(consent_id)[0]
    quote = payer.new_quote()
    path = payer.approved("cross-border", headers=quote, debtorAccount={"iban": account["iban"]})
    clock.now += 2
    assert payer.payment_status(path) == "ACSC"
    report = payer.read(consent_id, f"{account['resourceId']}/transactions", bookingStatus="booked").json()
    entry = report["transactions"]["booked"][-1]
    assert (entry["paymentId"], entry["transactionAmount"]) == (
        id_of(path),
        {"currency": "SEK", "amount": "-1395.62"},
    )


def test_the_payment_has_to_fit_the_quote(payer: Payer) -> None:
    quote = payer.new_quote()
    for amount in ({"currency": "USD", "amount": "130.01"}, {"currency": "SEK", "amount": "130.00"}):
        response = payer.pay("cross-border", headers=quote, instructedAmount=amount)
        refused(response, 400, "PARAMETER_NOT_CONSISTENT", "instructedAmount")
        refused(confirm(payer, quote, instructedAmount=amount), 400, "PARAMETER_NOT_CONSISTENT", "instructedAmount")
    amount = {"currency": "USD", "amount": "130"}
    assert payer.pay("cross-border", headers=quote, instructedAmount=amount).status_code == 201


def test_a_quote_expires(payer: Payer, clock: Clock) -> None:
    quote = payer.new_quote()
    clock.now += 600
    refused(payer.pay("cross-border", headers=quote), 400, "RESOURCE_EXPIRED", "FX-Quote-Id")
    refused(confirm(payer, quote), 403, "RESOURCE_EXPIRED", "fxQuoteId")
    assert payer.get(f"{QUOTES}/{quote['FX-Quote-Id']}").status_code == 200
    assert payer.simulator.payments == []


@pytest.mark.simulator(token_lifetime=YEAR, quote_lifetime=5)
def test_how_long_a_quote_holds(payer: Payer, clock: Clock) -> None:
    quote = payer.new_quote()
    clock.now += 4
    assert payer.pay("cross-border", headers=quote).status_code == 201
    assert payer.simulator.fx_quotes[0].valid_to.isoformat() == "2026-03-01T12:00:05+00:00"


@pytest.mark.parametrize("first", ["pay", "confirm"])
def test_a_quote_is_used_once(payer: Payer, first: str) -> None:
    quote = payer.new_quote()
    done = payer.pay("cross-border", headers=quote) if first == "pay" else confirm(payer, quote)
    assert done.status_code in {200, 201}
    refused(payer.pay("cross-border", headers=quote), 400, "RESOURCE_EXPIRED", "FX-Quote-Id")
    refused(confirm(payer, quote), 403, "RESOURCE_EXPIRED", "fxQuoteId")


def test_quotes_that_nobody_knows(payer: Payer) -> None:
    unknown = {"FX-Quote-Id": "Q1"}
    refused(payer.pay("cross-border", headers=unknown), 400, "RESOURCE_UNKNOWN", "FX-Quote-Id")
    refused(confirm(payer, unknown), 403, "RESOURCE_UNKNOWN", "fxQuoteId")
    refused(payer.get(f"{QUOTES}/Q1"), 404, "RESOURCE_UNKNOWN", "fxQuoteId")
    quote = payer.new_quote()
    response = payer.get(f"{QUOTES}/{quote['FX-Quote-Id']}", headers={"X-BicFi": "ESSESESS"})
    refused(response, 404, "RESOURCE_UNKNOWN", "fxQuoteId")
    # other products have none
    assert payer.pay("domestic", headers=unknown).status_code == 201
    refused(payer.pay("cross-border", headers={"FX-Quote-Id": ""}), 400, "FORMAT_ERROR", "FX-Quote-Id")


def test_a_quote_belongs_to_its_company(payer: Payer) -> None:
    company = Payer(payer.simulator, payer.http, "NDEASESS", scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)
    quote = company.new_quote()
    response = company.pay("cross-border", headers={**quote, "PSU-Corporate-ID": "another"})
    refused(response, 400, "PARAMETER_NOT_CONSISTENT", "PSU-Corporate-ID")
    assert company.pay("cross-border", headers=quote).status_code == 201


def test_a_confirmed_quote_is_paid_by_own_means(payer: Payer) -> None:
    quote = payer.new_quote()
    response = confirm(payer, quote, debtorAccount={"plusgiroNumber": "0000-0"})
    assert response.status_code == 200
    assert response.json() == {
        "instructedAmount": {"currency": "SEK", "amount": "1395.62"},
        "creditorAccount": {"iban": "SE3550000000000000000025", "currency": "SEK"},
        "creditorName": "Client Funds",
        "creditorAddress": {"country": "SE"},
        "remittanceInformationUnstructured": quote["FX-Quote-Id"],
        "requestedExecutionDate": "2026-03-01",
    }
    refused(confirm(payer, quote, creditorAddress={"country": "US"}), 400, "FORMAT_ERROR", "creditorAddress.city")
    later = payer.new_quote(requestedExecutionDate="2026-03-31")
    body = confirm(payer, later).json()
    assert body["requestedExecutionDate"] == "2026-03-31"
    assert body["debtorAccount"] == ORDERS["cross-border"]["debtorAccount"]


def test_looking_at_the_quotes(payer: Payer) -> None:
    quote = payer.new_quote()
    payer.new_quote(sourceCurrency="EUR")
    payer.new("cross-border", headers=quote)
    first, second = payer.simulator.fx_quotes
    assert (first.id, first.bic, first.context, first.used) == (quote["FX-Quote-Id"], "SWEDSESS", "private", True)
    assert (first.amount, first.fx_rate, first.fee, first.total_amount) == (
        "130.00",
        "10.54321000",
        "25.00",
        "1395.62",
    )
    assert (second.source_currency, second.target_currency, second.used) == ("EUR", "USD", False)
    told = payer.http.get(f"{payer.simulator.api_url}/simulator/fx-quotes").json()["fx_quotes"]
    assert [one["used"] for one in told] == [True, False]


@of_2021
def test_in_2021_there_were_no_quotes(payer: Payer) -> None:
    refused(payer.quote(), 404, "RESOURCE_UNKNOWN")
