"""Signing baskets: several payments, and one signature."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.simulator.callers import (
    API_SCOPES,
    AS_JSON,
    BASKETS,
    OF_A_COMPANY,
    REDIRECT_URI,
    YEAR,
    Payer,
    fill,
    id_of,
    refused,
)
from tests.simulator.description import OPERATIONS, Operation
from tests.simulator.rules import of_2021

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)

OWN: dict[str, Any] = {"debtorAccount": {"iban": "SE2550000000000000000011"}}


def test_a_basket_is_received_and_says_where_to_go(payer: Payer) -> None:
    payments = [payer.new(), payer.new("sepa-credit-transfers")]
    response = payer.basket(*payments)
    assert response.status_code == 201
    body = response.json()
    path = f"{BASKETS}/{body['basketId']}"
    links = {
        "self": {"href": path},
        "status": {"href": f"{path}/status"},
        "startAuthorisation": {"href": f"{path}/authorisations"},
    }
    assert len(body.pop("scaMethods")) == 3
    assert body == {"transactionStatus": "RCVD", "basketId": body["basketId"], "_links": links}
    assert response.headers["Location"] == path
    assert payer.get(f"{path}/status").json() == {"transactionStatus": "RCVD"}
    assert payer.get(path).json() == {
        "transactionStatus": "RCVD",
        "paymentIds": [*map(id_of, payments)],
        "_links": links,
    }


@pytest.mark.parametrize("body", [[], {}, *({"paymentIds": ids} for ids in (None, [], "1", [1], [""], ["1", "1"]))])
def test_bodies_that_are_wrong(payer: Payer, body: Any) -> None:
    refused(payer.call("POST", BASKETS, json=body), 400, "FORMAT_ERROR", "paymentIds")


def test_payments_that_the_bank_does_not_know(payer: Payer, swedish_payer: Payer) -> None:
    for stranger in (str(uuid.uuid4()), swedish_payer.new()):
        refused(payer.basket(payer.new(), stranger), 400, "RESOURCE_UNKNOWN", "paymentIds")


def test_payments_of_one_user_and_account_go_together(payer: Payer) -> None:
    path = payer.new()
    for other in (payer.new(headers={"PSU-ID": "somebody"}), payer.new(**OWN)):
        refused(payer.basket(path, other), 400, "REFERENCE_MIX_INVALID", "paymentIds")
    corporate = Payer(payer.simulator, payer.http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)
    refused(corporate.basket(path), 400, "REFERENCE_MIX_INVALID", "paymentIds")
    same: dict[str, Any] = {"debtorAccount": {"iban": "SE4550000000058398257466", "currency": "SEK"}}
    assert payer.basket(path, payer.new(**same)).status_code == 201


def test_payments_that_are_approved_or_elsewhere_are_not_taken(payer: Payer) -> None:
    path = payer.new()
    basket = payer.new_basket(path)
    for other in (path, payer.approved()):
        refused(payer.basket(other), 409, "REFERENCE_STATUS_INVALID", "paymentIds")
    payer.call("DELETE", basket)
    assert payer.basket(path).status_code == 201


def test_seb_takes_a_hundred(payer: Payer) -> None:
    paths = [payer.new() for _ in range(101)]
    refused(payer.basket(*paths), 400, "FORMAT_ERROR", "paymentIds")
    basket = payer.new_basket(*paths[:100])
    payer.sign(basket)
    assert {payment.status for payment in payer.simulator.payments} == {"ACSP", "RCVD"}
    assert [payment.status for payment in payer.simulator.payments].count("ACSP") == 100


def test_one_signature_approves_them_all(payer: Payer) -> None:
    payments = [payer.new(), payer.new()]
    basket = payer.new_basket(*payments)
    authorisation = payer.sign(basket)
    assert (payer.sca_status(authorisation), payer.payment_status(basket)) == ("finalised", "ACTC")
    assert [*map(payer.payment_status, payments)] == ["ACSP", "ACSP"]
    refused(payer.call("POST", f"{basket}/authorisations"), 409, "STATUS_INVALID")


def test_a_payment_in_a_basket_is_not_approved_alone(payer: Payer) -> None:
    path = payer.new()
    earlier = payer.start(path)
    basket = payer.new_basket(path, payer.new())
    assert payer.sca_status(earlier) == "failed"
    refused(payer.call("POST", f"{path}/authorisations"), 400, "RESOURCE_BLOCKED")
    with pytest.raises(ValueError, match="the payment is in a signing basket"):
        payer.simulator.approve(id_of(path))
    payer.call("DELETE", basket)
    payer.sign(path)
    assert payer.payment_status(path) == "ACSP"


def test_the_basket_says_nothing_of_its_payments(payer: Payer) -> None:
    """One is too much for the account, another was cancelled before."""
    much = payer.new(**OWN, instructedAmount={"currency": "SEK", "amount": "99999999.00"})
    fine, cancelled = payer.new(**OWN), payer.new(**OWN)
    basket = payer.new_basket(much, fine, cancelled)
    assert payer.call("DELETE", cancelled).status_code == 204
    payer.simulator.approve(id_of(basket))
    assert payer.payment_status(basket) == "ACTC"
    assert [*map(payer.payment_status, (much, fine, cancelled))] == ["RJCT", "ACSP", "CANC"]


def test_somebody_else_has_to_sign_too(payer: Payer) -> None:
    path = payer.new()
    basket = payer.new_basket(path)
    payer.sign(basket, headers={"PSU-ID": "99990101002"})
    for where in (basket, f"{basket}/status"):
        body = payer.get(where).json()
        assert (body["transactionStatus"], body["tppMessages"][0]["code"]) == ("PATC", "AUTHORISATION_PENDING_API")
    payer.sign(basket, headers={"PSU-ID": "99990101002"})
    assert (payer.payment_status(basket), payer.payment_status(path)) == ("PATC", "PATC")
    payer.sign(basket, headers={"PSU-ID": "99990101000"})
    assert (payer.payment_status(basket), payer.payment_status(path)) == ("ACTC", "ACSP")


def test_after_a_failed_authorisation_another_can_follow(payer: Payer) -> None:
    path = payer.new()
    basket = payer.new_basket(path)
    authorisation = payer.sign(basket, headers={"PSU-ID": "99990101005"})
    assert payer.get(authorisation).json()["tppMessages"][0]["code"] == "BANKID_NOT_ACTIVATED"
    assert (payer.payment_status(basket), payer.payment_status(path)) == ("RCVD", "RCVD")
    payer.sign(basket)
    assert payer.payment_status(path) == "ACSP"


def test_a_basket_is_deleted_until_an_authorisation_has_started(payer: Payer) -> None:
    path = payer.new()
    basket = payer.new_basket(path)
    response = payer.call("DELETE", basket)
    assert (response.status_code, response.content) == (204, b"")
    assert (payer.payment_status(basket), payer.payment_status(path)) == ("CANC", "RCVD")
    refused(payer.call("DELETE", basket), 409, "STATUS_INVALID", "basketId")
    refused(payer.call("POST", f"{basket}/authorisations"), 409, "STATUS_INVALID")
    second = payer.new_basket(path)
    payer.start(second)
    refused(payer.call("DELETE", second), 409, "STATUS_INVALID", "basketId")
    assert payer.call("DELETE", path).status_code == 204


def test_a_redirect_comes_back_without_a_code(simulator: Simulator, http: httpx.Client) -> None:
    payer = Payer(simulator, http)
    path = payer.new()
    basket = payer.new_basket(path, payer.new("sepa-credit-transfers"))
    authorisation = payer.start(basket)
    links = payer.select(authorisation)["_links"]
    assert set(links) == {"scaStatus", "scaRedirect"}
    link = fill(links["scaRedirect"]["href"], simulator.client_id, REDIRECT_URI, "1")
    page = http.get(link).text
    payee = "to Exempelföretaget AB from ...7466"
    assert f"2 payments: 150.00 SEK {payee}; 12.50 EUR {payee}." in page
    assert "code" not in httpx.URL(simulator.visit(link)).params
    assert (payer.sca_status(authorisation), payer.payment_status(path)) == ("finalised", "ACSP")


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "basketId" in one.examples], ids=str)
def test_a_basket_that_the_bank_does_not_know(payer: Payer, operation: Operation) -> None:
    basket_id = id_of(payer.new_basket(payer.new()))
    status = 403 if "authorisationId" in operation.examples else 404
    for identifier, bic in ((str(uuid.uuid4()), "ESSESESS"), (basket_id, "NDEASESS")):
        address = operation.address(basketId=identifier)
        response = payer.call(
            operation.method, address, headers={"X-BicFi": bic}, json={"authenticationMethodId": "mbid"}
        )
        refused(response, status, "RESOURCE_UNKNOWN", "basketId")


def test_a_basket_belongs_to_its_company(payer: Payer) -> None:
    company = Payer(payer.simulator, payer.http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)
    basket = company.new_basket(company.new())
    response = company.get(basket, headers={"PSU-Corporate-ID": "another"})
    refused(response, 400, "PARAMETER_NOT_CONSISTENT", "PSU-Corporate-ID")
    refused(payer.get(basket, headers={"PSU-Corporate-ID": "example-company"}), 401, "TOKEN_INVALID")


def test_a_basket_may_belong_to_the_session_of_a_consent(payer: Payer) -> None:
    headers = {"Consent-ID": payer.valid()}
    assert payer.basket(payer.new(headers=headers), headers=headers).status_code == 201
    refused(payer.basket(payer.new(), headers={"Consent-ID": "1"}), 400, "CONSENT_UNKNOWN", "Consent-ID")


def test_looking_at_the_baskets(payer: Payer) -> None:
    paths = [payer.new(), payer.new()]
    basket = payer.new_basket(*paths)
    authorisation = payer.sign(basket)
    (view,) = payer.simulator.signing_baskets
    assert (view.id, view.bic, view.status, view.context) == (id_of(basket), "ESSESESS", "ACTC", "private")
    assert view.payment_ids == tuple(map(id_of, paths))
    assert [one.id for one in view.authorisations] == [id_of(authorisation)]
    control = f"{payer.simulator.auth_url}/simulator/signing-baskets"
    (told,) = payer.http.get(control).json()["signing_baskets"]
    assert (told["id"], told["status"]) == (view.id, "ACTC")
    another = payer.new_basket(payer.new())
    for action, status in (("decline", "RCVD"), ("approve", "ACTC")):
        assert payer.http.post(f"{control}/{id_of(another)}/{action}", headers=AS_JSON).status_code == 204
        assert payer.payment_status(another) == status
    assert payer.http.post(f"{control}/{id_of(another)}/approve", headers=AS_JSON).status_code == 409


@of_2021
def test_in_2021_there_were_no_baskets(payer: Payer) -> None:
    refused(payer.basket(payer.new()), 404, "RESOURCE_UNKNOWN")
