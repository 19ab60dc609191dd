"""Whole journeys against the description: every request, every answer, and no property that nobody described."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from scripts.contract import UNCOVERED, Contract
from tests.simulator.callers import (
    ACCOUNTS,
    API_SCOPES,
    BASKETS,
    CARDS,
    OF_A_COMPANY,
    ORDERS,
    PAYMENTS,
    QUOTES,
    YEAR,
    BankCaller,
    Clock,
    Payer,
    id_of,
)
from tests.simulator.description import BANK_OPERATIONS, DESCRIBED, DESCRIPTION, NEW_IN_2026, OPERATIONS
from tests.simulator.rules import BOTH

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

HOSTS = {"auth": "https://auth.sandbox.openbankingplatform.com", "api": "https://api.sandbox.openbankingplatform.com"}

KYC = "/kyc/integration/v1"
# no bank cancelled a payment in 2021
CANCELLING = {
    "cancelPayment",
    "startPaymentInitiationCancellationAuthorisation",
    "getPaymentCancellationScaStatus",
    "updatePaymentCancellationPsuData",
}

pytestmark = pytest.mark.simulator(page_size=10, token_lifetime=YEAR)


class Tape:
    """Writes down what a client sends and gets, as a cassette of the provider's hosts."""

    def __init__(self, simulator: Simulator) -> None:
        self._origins = {simulator.auth_url: HOSTS["auth"], simulator.api_url: HOSTS["api"]}
        self.interactions: list[dict[str, Any]] = []

    def write_down(self, response: httpx.Response) -> None:
        request = response.request
        if request.url.path.startswith(("/simulator/", "/connect/authorize")):
            return
        response.read()
        url = str(request.url)
        for origin, host in self._origins.items():
            url = url.replace(origin, host)
        self.interactions.append(
            {
                "request": {
                    "method": request.method,
                    "uri": url,
                    "headers": {name: [value] for name, value in request.headers.items()},
                    "body": request.content.decode(),
                },
                "response": {
                    "status": {"code": response.status_code},
                    "headers": {name: [value] for name, value in response.headers.items()},
                    "body": {"string": response.text},
                },
            }
        )

    def faults(self, folder: Path) -> list[str]:
        cassette = {"recorded_from": "simulator", "interactions": self.interactions}
        (folder / "journey.yaml").write_text(yaml.safe_dump(cassette))
        faults, _ = contract().check(folder)
        return faults


@cache
def contract() -> Contract:
    return Contract(DESCRIPTION)


@pytest.fixture
def tape(simulator: Simulator, http: httpx.Client) -> Tape:
    tape = Tape(simulator)
    http.event_hooks = {"response": [tape.write_down]}
    return tape


def approve_by_redirect(bank: BankCaller) -> str:
    consent_id, path, link = bank.link(
        access={"accounts": [], "balances": [], "transactions": []},
        validUntil="9999-12-31",
        headers={"X-Consent-Type": "sepaDirectDebit"},
    )
    response = bank.exchange(path, httpx.URL(bank.simulator.visit(link)).params["code"])
    assert response.status_code == 200
    assert bank.sca_status(path) == "finalised"
    assert bank.status(consent_id) == "valid"
    return consent_id


def sign(bank: BankCaller, consent_id: str, method: str, headers: dict[str, str] | None = None) -> str:
    """The user approves in the app, or fails to. Returns the status of the consent."""
    path = bank.start(consent_id, headers=headers)
    bank.select(path, method, headers=headers)
    for _ in range(3):
        bank.sca_status(path)
    return bank.status(consent_id)


def approve_decoupled(bank: BankCaller, method: str) -> str:
    consent_id = bank.create()
    assert sign(bank, consent_id, method) == "valid"
    return consent_id


def read_everything(bank: BankCaller, consent_id: str) -> None:
    for account_id in bank.account_ids(consent_id)[:1]:
        bank.read(consent_id, account_id, withBalance="true")
        bank.read(consent_id, f"{account_id}/balances")
        query = {"bookingStatus": "both", "dateFrom": "2026-01-15", "dateTo": "2026-03-01"}
        report = bank.get(
            f"{ACCOUNTS}/{account_id}/transactions",
            headers={"Consent-ID": consent_id},
            params=query,
        ).json()["transactions"]
        while "next" in report["_links"]:
            report = bank.read(consent_id, report["_links"]["next"]["href"]).json()["transactions"]
        nothing = {"dateFrom": "2019-01-01", "dateTo": "2020-01-01"}
        bank.get(f"{ACCOUNTS}/{account_id}/transactions", headers={"Consent-ID": consent_id}, params=query | nothing)
        for transaction in [one for one in report["booked"] if "_links" in one][:1]:
            bank.read(consent_id, transaction["_links"]["transactionDetails"]["href"])


def read_cards(bank: BankCaller, consent_id: str) -> None:
    for card_id in bank.card_ids(consent_id):
        card = f"{CARDS}/{card_id}"
        bank.read(consent_id, card, withBalance="true")
        bank.read(consent_id, f"{card}/balances")
        transactions = f"{card}/transactions"
        for status in ("pending", "both"):
            report = bank.read(consent_id, transactions, bookingStatus=status).json()["cardTransactions"]
        while "next" in report["_links"]:
            report = bank.read(consent_id, report["_links"]["next"]["href"]).json()["cardTransactions"]
        bank.read(consent_id, transactions, bookingStatus="booked", dateTo="2020-01-01")


def pay_and_cancel(seb: Payer, swedbank: Payer, rules: str) -> None:
    for payer, product in ((seb, "domestic"), (seb, "sepa-credit-transfers"), (swedbank, "swedish-giro")):
        path = payer.new(product, requestedExecutionDate="2026-03-05", endToEndIdentification="42")
        payer.sign(path)
        payer.get(f"{path}/authorisations")
        payer.get(path)
        payer.payment_status(path)
        payer.get(f"{path}/cancellation-authorisations")
    if rules == "2026":
        seb.call("DELETE", seb.new())
        assert swedbank.call("DELETE", path).status_code == 202
        swedbank.sign(path, kind="cancellation-authorisations")


def sign_together(payer: Payer) -> None:
    payer.call("DELETE", payer.new_basket(payer.new(), payer.new()))
    basket = payer.new_basket(payer.new(), payer.new())
    for psu_id in ("99990101002", "99990101000"):
        payer.sign(basket, headers={"PSU-ID": psu_id})
        payer.get(basket)
        payer.payment_status(basket)


def pay_abroad(payer: Payer) -> None:
    quote = payer.new_quote()
    payer.get(f"{QUOTES}/{quote['FX-Quote-Id']}")
    payer.get(payer.approved("cross-border", headers=quote))
    other = payer.new_quote(requestedExecutionDate="2026-03-31")["FX-Quote-Id"]
    payer.call("PUT", f"{QUOTES}/{other}", json=ORDERS["cross-border"])


def complete_kyc(company: BankCaller) -> None:
    nobody = {name: None for name in company.headers if name != "Authorization"}
    company.call("POST", f"{KYC}/new/123456-1234?countryCode=SE", headers=nobody)
    company.get(f"{KYC}/status/123456-1234", headers=nobody)
    company.simulator.complete_kyc("123456-1234")
    company.get(f"{KYC}/status/123456-1234", headers=nobody)


@pytest.mark.parametrize("rules", BOTH)
def test_journeys_agree_with_the_description(
    tape: Tape,
    seb: BankCaller,
    swedbank: BankCaller,
    handelsbanken: BankCaller,
    payer: Payer,
    swedish_payer: Payer,
    company: BankCaller,
    rules: str,
    tmp_path: Path,
) -> None:
    consents = {
        approve_by_redirect(seb): seb,
        approve_decoupled(swedbank, "mbid_animated_qr_image"): swedbank,
        approve_decoupled(handelsbanken, "mbid"): handelsbanken,
    }
    for method in ("mbid", "mbid_animated_qr_token"):
        approve_decoupled(swedbank, method)
    for consent_id, bank in consents.items():
        bank.get(f"{consent_id}/authorisations")
        bank.get(consent_id)
        if bank is not swedbank:
            read_everything(bank, consent_id)
        if bank is seb and rules == "2026":
            read_cards(bank, consent_id)
        bank.call("DELETE", consent_id)
    pay_and_cancel(payer, swedish_payer, rules)
    if rules == "2026":
        sign_together(payer)
        pay_abroad(swedish_payer)
        complete_kyc(company)
        handelsbanken.read(handelsbanken.valid(), CARDS)
    statuses = [interaction["response"]["status"]["code"] for interaction in tape.interactions]
    assert set(statuses) == {200, 201, 204} | ({202} if rules == "2026" else set())
    faults = tape.faults(tmp_path)
    others = [fault for fault in faults if not fault.endswith(UNCOVERED)]
    assert others == []
    # every operation at a bank, and nothing else but tokens and KYC
    played = [*BANK_OPERATIONS, *(one for one in OPERATIONS if one.tag == "KYC")]
    if rules == "2021":
        played = [one for one in played if not one.path.startswith(NEW_IN_2026) and one.id not in CANCELLING]
    uncovered = {fault.partition(" (")[0] for fault in faults}
    assert uncovered == {one.id for one in DESCRIBED if one not in played and one.id != "createToken"}


def test_companies_and_their_signers_agree_with_the_description(
    tape: Tape, simulator: Simulator, http: httpx.Client, tmp_path: Path
) -> None:
    headers = {**OF_A_COMPANY, "TPP-Redirect-Preferred": "false"}
    bank = BankCaller(simulator, http, scope="accountinformation bankgiroinformation corporate", headers=headers)
    consent_id = bank.create()
    assert sign(bank, consent_id, "mbid_same_device", {"PSU-ID": "99990101002"}) == "partiallyAuthorised"
    assert sign(bank, consent_id, "mbid_animated_qr_token", {"PSU-ID": "99990101000"}) == "valid"
    read_everything(bank, consent_id)
    path = f"{bank.account_ids(consent_id)[0]}/transactions"
    report = bank.read(consent_id, path, bookingStatus="booked", dateTo="2025-03-31").json()
    assert report["transactions"]["bankgiro"]
    bank.call("DELETE", consent_id)
    for psu_id in ("99990101004", "99990101005"):
        assert sign(bank, bank.create(), "mbid", {"PSU-ID": psu_id}) == "rejected"
    faults = tape.faults(tmp_path)
    assert [fault for fault in faults if not fault.endswith(UNCOVERED)] == []


def test_errors_agree_with_the_description(tape: Tape, seb: BankCaller, clock: Clock, tmp_path: Path) -> None:
    received, valid, expired = seb.create(), seb.create(frequencyPerDay=1), seb.create(validUntil="2026-03-01")
    seb.simulator.approve(valid)
    for path in (received, f"{received}/authorisations"):
        seb.call("PUT", path)
    path = seb.start(received)
    seb.call("PUT", path, json={"authenticationMethodId": "x"})
    seb.call("PUT", path, content=b"")
    seb.get(f"{path}0")
    seb.get("nobody's")
    seb.get(path, headers={"Authorization": "Bearer x"})
    seb.ask(validUntil="2020-01-01")
    seb.simulator.decline(received)
    seb.call("PUT", path, json={"authenticationMethodId": "mbid"})
    clock.next_day()
    for consent_id in (received, expired, "nobody's"):
        seb.read(consent_id)
    for _ in range(2):
        seb.read(valid, headers={"PSU-IP-Address": None})
    seb.read(valid, "nothing")
    seb.read(valid, "nothing/transactions/1")
    seb.read(valid, f"{seb.account_ids(valid)[0]}/transactions")
    seb.read(valid, headers={"Accept": "application/xml"})
    statuses = {interaction["response"]["status"]["code"] for interaction in tape.interactions}
    assert statuses == {200, 201, 400, 401, 403, 404, 405, 406, 409, 415, 429}
    answers = [fault for fault in tape.faults(tmp_path) if "answer" in fault and UNCOVERED not in fault]
    assert answers == []


@pytest.mark.simulator(require_kyc=True)
@pytest.mark.parametrize("accept", ["application/json", "application/problem+json, application/json;q=0.5"])
def test_errors_of_companies_agree_with_the_description(
    tape: Tape, simulator: Simulator, http: httpx.Client, accept: str, tmp_path: Path
) -> None:
    company = Payer(simulator, http, scope=f"{API_SCOPES} corporate", headers={**OF_A_COMPANY, "Accept": accept})
    assert company.pay().status_code == 403
    company.get(f"{KYC}/status/1", headers={"Authorization": "Bearer x"})
    answers = [fault for fault in tape.faults(tmp_path) if "answer" in fault and UNCOVERED not in fault]
    assert answers == []


def test_errors_of_payments_agree_with_the_description(tape: Tape, payer: Payer, tmp_path: Path) -> None:
    payer.pay(creditorName=None)
    payer.pay(requestedExecutionDate="2020-01-01")
    payer.pay("swedish-giro")
    payer.call("POST", f"{PAYMENTS}/domestic")
    path = payer.new()
    payer.sign(path, headers={"PSU-ID": "example-payment-rejected"})
    payer.get(f"{path}/status")
    payer.call("POST", f"{path}/authorisations")
    payer.call("POST", f"{path}/cancellation-authorisations")
    payer.call("DELETE", path)
    payer.get(f"{path}0")
    payer.get(f"{path}0/authorisations/1")
    payer.get(f"{path}/cancellation-authorisations/1")
    for ids in ([], ["nobody's"], [id_of(path)]):
        payer.call("POST", BASKETS, json={"paymentIds": ids})
    basket = payer.new_basket(payer.new())
    payer.start(basket)
    payer.call("DELETE", basket)
    payer.get(f"{basket}0")
    payer.get(f"{basket}0/authorisations/1")
    payer.get(basket, headers={"Accept": "application/xml"})
    payer.quote(amount="0")
    payer.get(f"{QUOTES}/1")
    for body in ({}, ORDERS["cross-border"]):
        payer.call("PUT", f"{QUOTES}/1", json=body)
    payer.get(path, headers={"Authorization": "Bearer x"})
    payer.get(path, headers={"Accept": "application/xml"})
    statuses = {interaction["response"]["status"]["code"] for interaction in tape.interactions}
    assert statuses == {200, 201, 400, 401, 403, 404, 405, 406, 409, 415}
    answers = [fault for fault in tape.faults(tmp_path) if "answer" in fault and UNCOVERED not in fault]
    assert answers == []
