"""Payments: asking for one, approving it, what becomes of it, and how it is cancelled."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from openpayments_facade.simulator import SimulatedAuthorisation, Simulator
from tests.simulator.callers import (
    API_SCOPES,
    AS_JSON,
    OF_A_COMPANY,
    ORDERS,
    PAYMENTS,
    REDIRECT_URI,
    YEAR,
    Clock,
    Payer,
    fill,
    id_of,
    refused,
)
from tests.simulator.description import OPERATIONS, Operation
from tests.simulator.rules import BOTH, of_2021

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)

SIGNER, OTHER_SIGNER = {"PSU-ID": "99990101002"}, {"PSU-ID": "99990101000"}


@pytest.fixture
def handelsbanken(simulator: Simulator, http: httpx.Client) -> Payer:
    return Payer(simulator, http, "HANDSESS")


@pytest.fixture
def redirected(simulator: Simulator, http: httpx.Client) -> Payer:
    return Payer(simulator, http)


@pytest.mark.parametrize("rules", BOTH)
def test_a_payment_is_received_and_says_where_to_go(payer: Payer, rules: str) -> None:
    response = payer.pay()
    assert response.status_code == 201
    body = response.json()
    path = f"{PAYMENTS}/domestic/{body['paymentId']}"
    assert len(body.pop("scaMethods")) == (3 if rules == "2026" else 1)
    assert body == {
        "transactionStatus": "RCVD",
        "paymentId": body["paymentId"],
        "_links": {
            "self": {"href": path},
            "status": {"href": f"{path}/status"},
            "startAuthorisation": {"href": f"{path}/authorisations"},
        },
    }
    assert response.headers["Location"] == path
    assert payer.get(f"{path}/status").json() == {"transactionStatus": "RCVD"}


def test_a_payment_is_told_as_it_was_made(payer: Payer) -> None:
    details: dict[str, Any] = {
        "creditorAddress": {"country": "SE", "city": "Exempelstad"},
        "remittanceInformationUnstructured": "Invoice 42",
        "debtorAccountMessage": "rent",
        "requestedExecutionDate": "2026-03-01",
        "endToEndIdentification": "20260301-0042",
    }
    path = payer.new(**details)
    assert payer.get(path).json() == {"transactionStatus": "RCVD", **ORDERS["domestic"], **details}


def test_what_a_product_has_no_field_for_is_not_looked_at(payer: Payer) -> None:
    others: dict[str, Any] = {
        "somethingElse": 1,
        "creditorGiro": 2,
        "ocrRef": 3,
        "purposeCode": None,
        "invoiceRef": ["4"],
    }
    path = payer.approved(debtorAccount={"iban": "SE2550000000000000000011"}, **others)
    assert set(payer.get(path).json()) == {"transactionStatus", *ORDERS["domestic"]}
    consent_id = payer.valid()
    where = f"{payer.account_ids(consent_id)[0]}/transactions"
    entry = payer.read(consent_id, where, bookingStatus="pending").json()["transactions"]["pending"][-1]
    assert entry["paymentId"] == id_of(path)
    assert {"purposeCode", "remittanceInformationStructured"}.isdisjoint(entry)
    assert payer.simulator.payments[0].request["somethingElse"] == 1


@pytest.mark.parametrize("number", ["bankgiroNumber", "plusgiroNumber"])
def test_of_a_giro_payment_the_giros_are_not_told(swedish_payer: Payer, number: str) -> None:
    path = swedish_payer.new("swedish-giro", debtorAccount={number: "000-0000"}, creditorAccountMessage="42")
    assert swedish_payer.get(path).json() == {
        "transactionStatus": "RCVD",
        "instructedAmount": {"currency": "SEK", "amount": "150.00"},
        "creditorName": "Exempelföretaget AB",
    }


@pytest.mark.parametrize(
    ("bic", "products"),
    [
        ("ESSESESS", {"domestic", "sepa-credit-transfers"}),
        ("SWEDSESS", {"domestic", "swedish-giro", "cross-border"}),
        # their details have no list
        ("NDEASESS", {"domestic", "sepa-credit-transfers", "swedish-giro", "cross-border"}),
        ("HANDSESS", {"domestic", "sepa-credit-transfers", "swedish-giro", "cross-border"}),
        pytest.param("ESSESESS", {"domestic", "sepa-credit-transfers"}, marks=of_2021, id="2021-SEB"),
        pytest.param(
            "SWEDSESS",
            {"domestic", "sepa-credit-transfers", "swedish-giro", "international"},
            marks=of_2021,
            id="2021-Swedbank",
        ),
    ],
)
def test_banks_have_products(simulator: Simulator, http: httpx.Client, bic: str, products: set[str]) -> None:
    payer = Payer(simulator, http, bic)
    for product in ORDERS:
        response = payer.pay(product)
        if product not in products:
            refused(response, 404, "PRODUCT_UNKNOWN", "payment-product")
        elif product == "cross-border":
            refused(response, 400, "FORMAT_ERROR", "FX-Quote-Id")
        else:
            assert response.status_code == 201
    response = payer.call("POST", f"{PAYMENTS}/instant", json=ORDERS["domestic"])
    refused(response, 404, "PRODUCT_UNKNOWN", "payment-product")


AMOUNT, DAY = "instructedAmount.amount", "requestedExecutionDate"
EURO = {"currency": "EUR", "amount": "1.00"}


def amount(value: Any) -> dict[str, Any]:
    return {"instructedAmount": {"currency": "SEK", "amount": value}}


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        *(({name: None}, "FORMAT_ERROR", name) for name in ORDERS["domestic"]),
        *((amount(value), "FORMAT_ERROR", AMOUNT) for value in ("0", "0.00", "-1", "1,5", "1e2", "", 1.5, True, None)),
        ({"instructedAmount": "150 SEK"}, "FORMAT_ERROR", "instructedAmount"),
        ({"instructedAmount": {"currency": "sek", "amount": "1"}}, "FORMAT_ERROR", "instructedAmount.currency"),
        ({"debtorAccount": {}}, "FORMAT_ERROR", "debtorAccount"),
        ({"debtorAccount": {"iban": "SE1", "bban": "1"}}, "FORMAT_ERROR", "debtorAccount"),
        ({"debtorAccount": {"iban": "SE"}}, "FORMAT_ERROR", "debtorAccount.iban"),
        ({"debtorAccount": {"bban": "1", "clearingNumber": "600000"}}, "FORMAT_ERROR", "debtorAccount.clearingNumber"),
        ({"creditorAccount": {"bankgiroNumber": "000-0000"}}, "FORMAT_ERROR", "creditorAccount"),
        ({"creditorAccount": "SE1"}, "FORMAT_ERROR", "creditorAccount"),
        ({"creditorName": ""}, "FORMAT_ERROR", "creditorName"),
        ({"creditorName": "x" * 71}, "FORMAT_ERROR", "creditorName"),
        ({"creditorAgent": "essesess"}, "FORMAT_ERROR", "creditorAgent"),
        ({"creditorAddress": {"city": "Exempelstad"}}, "FORMAT_ERROR", "creditorAddress.country"),
        ({"remittanceInformationUnstructured": "x" * 141}, "FORMAT_ERROR", "remittanceInformationUnstructured"),
        ({"debtorAccountMessage": 1}, "FORMAT_ERROR", "debtorAccountMessage"),
        ({"endToEndIdentification": "x" * 36}, "FORMAT_ERROR", "endToEndIdentification"),
        ({DAY: "2026-02-30"}, "FORMAT_ERROR", DAY),
        ({DAY: "2026-02-28"}, "EXECUTION_DATE_INVALID", DAY),
    ],
)
def test_domestic_payments_that_are_wrong(payer: Payer, changes: dict[str, Any], code: str, path: str) -> None:
    refused(payer.pay(**changes), 400, code, path)
    assert payer.simulator.payments == []


@pytest.mark.parametrize(
    ("product", "changes", "code", "path"),
    [
        ("sepa-credit-transfers", {"creditorAgent": None}, "FORMAT_ERROR", "creditorAgent"),
        ("sepa-credit-transfers", {"creditorAgentName": None}, "FORMAT_ERROR", "creditorAgentName"),
        ("sepa-credit-transfers", amount("1"), "FORMAT_ERROR", "instructedAmount.currency"),
        ("sepa-credit-transfers", {"ocrRef": "1234567897"}, "FORMAT_ERROR", "ocrRef"),
        ("sepa-credit-transfers", {"ocrRef": "RF18539", "invoiceRef": "1"}, "PARAMETER_NOT_CONSISTENT", "ocrRef"),
        ("swedish-giro", {"creditorGiro": None}, "FORMAT_ERROR", "creditorGiro"),
        ("swedish-giro", {"creditorGiro": {"giroNumber": "000-0000"}}, "FORMAT_ERROR", "creditorGiro.giroType"),
        (
            "swedish-giro",
            {"creditorGiro": {"giroNumber": "0", "giroType": "BANKGIRO"}},
            "FORMAT_ERROR",
            "creditorGiro.giroNumber",
        ),
        (
            "swedish-giro",
            {"creditorGiro": {"giroNumber": "000-0000", "giroType": "SWISH"}},
            "FORMAT_ERROR",
            "creditorGiro.giroType",
        ),
        ("swedish-giro", {"ocrRef": None}, "FORMAT_ERROR", "ocrRef"),
        ("swedish-giro", {"ocrRef": "RF18539007547034"}, "FORMAT_ERROR", "ocrRef"),
        ("swedish-giro", {"ocrRef": "1"}, "FORMAT_ERROR", "ocrRef"),
        ("swedish-giro", {"invoiceRef": "42"}, "PARAMETER_NOT_CONSISTENT", "ocrRef"),
        ("swedish-giro", {"ocrRef": None, "invoiceRef": "x" * 26}, "FORMAT_ERROR", "invoiceRef"),
        ("cross-border", {"creditorAddress": None}, "FORMAT_ERROR", "creditorAddress"),
        ("cross-border", {"creditorAddress": {"country": "US"}}, "FORMAT_ERROR", "creditorAddress.city"),
        ("cross-border", {"purposeCode": "OTHER"}, "FORMAT_ERROR", "purposeCode"),
        ("cross-border", {"regulatoryReporting": {}}, "FORMAT_ERROR", "regulatoryReporting"),
        (
            "cross-border",
            {"regulatoryReporting": [{}, {"detailsCode": "x" * 36}]},
            "FORMAT_ERROR",
            "regulatoryReporting[1].detailsCode",
        ),
    ],
)
def test_other_payments_that_are_wrong(
    simulator: Simulator, http: httpx.Client, product: str, changes: dict[str, Any], code: str, path: str
) -> None:
    refused(Payer(simulator, http, "NDEASESS").pay(product, **changes), 400, code, path)


@pytest.mark.parametrize("body", [[], 1, "1"])
def test_a_payment_is_an_object(payer: Payer, body: Any) -> None:
    refused(payer.call("POST", f"{PAYMENTS}/domestic", json=body), 400, "FORMAT_ERROR")


def test_a_repeated_request_makes_a_second_payment(payer: Payer) -> None:
    headers = {"X-Request-ID": str(uuid.uuid4())}
    assert payer.new(headers=headers) != payer.new(headers=headers)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "paymentId" in one.examples], ids=str)
def test_a_payment_that_the_bank_does_not_know(payer: Payer, operation: Operation) -> None:
    path = payer.new()
    status = 403 if {"authorisationId", "cancellationId"} & operation.examples.keys() else 404
    for product, payment_id, bic in (
        ("domestic", str(uuid.uuid4()), "ESSESESS"),
        ("domestic", id_of(path), "NDEASESS"),
        ("sepa-credit-transfers", id_of(path), "ESSESESS"),
    ):
        address = operation.address(**{"payment-product": product, "paymentId": payment_id})
        response = payer.call(
            operation.method, address, headers={"X-BicFi": bic}, json={"authenticationMethodId": "mbid"}
        )
        refused(response, status, "RESOURCE_UNKNOWN", "paymentId")


def test_a_payment_belongs_to_its_company_and_context(simulator: Simulator, http: httpx.Client, payer: Payer) -> None:
    company = Payer(simulator, http, scope=f"{API_SCOPES} corporate", headers=OF_A_COMPANY)
    path = company.new()
    refused(
        company.get(path, headers={"PSU-Corporate-ID": "another"}), 400, "PARAMETER_NOT_CONSISTENT", "PSU-Corporate-ID"
    )
    refused(payer.get(path, headers={"PSU-Corporate-ID": "example-company"}), 401, "TOKEN_INVALID")
    assert company.get(path).status_code == 200


def test_swedbank_wants_the_redirect_preference_kept(swedish_payer: Payer) -> None:
    path = swedish_payer.new()
    response = swedish_payer.get(f"{path}/status", headers={"TPP-Redirect-Preferred": "true"})
    refused(response, 400, "PARAMETER_NOT_CONSISTENT", "TPP-Redirect-Preferred")


def test_handelsbanken_tells_no_status_without_the_user(handelsbanken: Payer) -> None:
    path = handelsbanken.new()
    response = handelsbanken.get(f"{path}/status", headers={"PSU-IP-Address": None})
    refused(response, 400, "FORMAT_ERROR", "PSU-IP-Address")
    assert handelsbanken.get(path, headers={"PSU-IP-Address": None}).status_code == 200


def test_a_payment_may_belong_to_the_session_of_a_consent(payer: Payer) -> None:
    consent_id = payer.create()
    refused(payer.pay(headers={"Consent-ID": consent_id}), 401, "CONSENT_INVALID")
    payer.simulator.approve(consent_id)
    assert payer.pay(headers={"Consent-ID": consent_id}).status_code == 201
    refused(payer.pay(headers={"Consent-ID": "nobody's"}), 400, "CONSENT_UNKNOWN", "Consent-ID")
    refused(payer.pay(headers={"X-AffiliatedASPSP-ID": "1"}), 400, "RESOURCE_UNKNOWN", "X-AffiliatedASPSP-ID")


def test_an_approved_payment_is_accepted_and_then_settled(payer: Payer, clock: Clock) -> None:
    path = payer.new()
    authorisation = payer.sign(path)
    assert (payer.sca_status(authorisation), payer.payment_status(path)) == ("finalised", "ACSP")
    clock.now += 1.9
    assert payer.payment_status(path) == "ACSP"
    clock.now += 0.1
    assert payer.payment_status(path) == "ACSC"
    refused(payer.call("POST", f"{path}/authorisations"), 409, "STATUS_INVALID")


@pytest.mark.simulator(settlement=3600)
def test_how_long_settlement_takes(payer: Payer, clock: Clock) -> None:
    first, second = payer.approved(), payer.approved()
    payer.simulator.settle_payment(id_of(second))
    clock.now += 3599
    assert [payer.payment_status(path) for path in (first, second)] == ["ACSP", "ACSC"]
    clock.now += 1
    assert payer.payment_status(first) == "ACSC"


def test_a_payment_is_not_settled_before_its_day(payer: Payer, clock: Clock) -> None:
    path = payer.approved(requestedExecutionDate="2026-03-03")
    clock.next_day()
    assert payer.payment_status(path) == "ACSP"
    clock.now += 43200
    assert payer.payment_status(path) == "ACSC"


def test_handelsbanken_approves_when_the_authorisation_starts(handelsbanken: Payer) -> None:
    path = handelsbanken.new()
    authorisation = handelsbanken.start(path)
    assert (handelsbanken.sca_status(authorisation), handelsbanken.payment_status(path)) == ("finalised", "ACSP")


def by_redirect(payer: Payer, authorisation: str) -> httpx.Response:
    """The user approves in the browser, and the code is exchanged. Shows first what the page asks."""
    template = payer.select(authorisation)["_links"]["scaOAuth"]["href"]
    link = fill(template, payer.simulator.client_id, REDIRECT_URI, "1")
    assert "150.00 SEK to Exempelföretaget AB from ...7466." in payer.http.get(link).text
    code = httpx.URL(payer.simulator.visit(link)).params["code"]
    payment_id, authorisation_id = authorisation.split("/")[-3::2]
    headers = {"X-PaymentId": payment_id, "X-PaymentAuthorisationId": authorisation_id}
    return payer.caller.exchange(code, headers, scope="paymentinitiation private")


def test_approving_by_redirect(redirected: Payer) -> None:
    path = redirected.new()
    authorisation = redirected.start(path)
    template = redirected.select(authorisation)["_links"]["scaOAuth"]["href"]
    assert "scope=paymentinitiation%20private&response_type=code" in template
    assert f"paymentId:{id_of(path)}%20paymentAuthorisationId:{id_of(authorisation)}" in template
    assert redirected.payment_status(path) == "RCVD"
    assert by_redirect(redirected, authorisation).json()["scope"] == "paymentinitiation private"
    assert (redirected.sca_status(authorisation), redirected.payment_status(path)) == ("finalised", "ACSP")


def test_approving_a_cancellation_by_redirect(simulator: Simulator, http: httpx.Client) -> None:
    payer = Payer(simulator, http, "SWEDSESS")
    path = payer.approved()
    payer.call("DELETE", path)
    response = payer.call("POST", f"{path}/cancellation-authorisations")
    cancellation = response.json()["_links"]["scaStatus"]["href"]
    assert by_redirect(payer, cancellation).status_code == 200
    assert (payer.sca_status(cancellation), payer.payment_status(path)) == ("finalised", "CANC")


@pytest.mark.parametrize("psu_id", ["99990101004", "99990101005", "example-fails", "example-has-no-rights"])
def test_after_a_failed_authorisation_another_can_follow(payer: Payer, psu_id: str) -> None:
    path = payer.new()
    authorisation = payer.sign(path, headers={"PSU-ID": psu_id})
    assert (payer.sca_status(authorisation), payer.payment_status(path)) == ("failed", "RCVD")
    payer.sign(path)
    assert payer.payment_status(path) == "ACSP"


@pytest.mark.simulator(sandbox_flaws=True)
def test_the_sandbox_accepts_a_payment_after_a_failed_authorisation(payer: Payer) -> None:
    path = payer.new(headers={"PSU-ID": "99990101004"})
    authorisation = payer.sign(path, headers={"PSU-ID": "99990101004"})
    body = payer.get(authorisation).json()
    assert (body["scaStatus"], body["tppMessages"][0]["code"]) == ("failed", "AUTHENTICATION_SESSION_EXPIRED")
    assert payer.payment_status(path) == "ACSP"


def test_somebody_else_has_to_sign_too(payer: Payer) -> None:
    path = payer.new()
    payer.sign(path, headers=SIGNER)
    body = payer.get(f"{path}/status").json()
    assert body["transactionStatus"] == "PATC"
    assert [(one["category"], one["code"]) for one in body["tppMessages"]] == [
        ("INFORMATION", "AUTHORISATION_PENDING_API")
    ]
    payer.sign(path, headers=SIGNER)
    assert payer.payment_status(path) == "PATC"
    payer.sign(path, headers=OTHER_SIGNER)
    assert payer.get(f"{path}/status").json() == {"transactionStatus": "ACSP"}


def test_two_approvals_from_outside_play_two_signers(payer: Payer) -> None:
    path = payer.new(headers=SIGNER)
    for status in ("PATC", "ACSP"):
        payer.simulator.approve(id_of(path))
        assert payer.payment_status(path) == status


@pytest.mark.parametrize("by", ["user", "bank"])
def test_a_payment_is_rejected_with_a_message(payer: Payer, by: str) -> None:
    path = payer.new(headers={"PSU-ID": "example-payment-rejected"} if by == "user" else None)
    payer.sign(path, headers={"PSU-ID": "example-payment-rejected"} if by == "user" else None)
    if by == "bank":
        payer.simulator.reject_payment(id_of(path))
    for where in (path, f"{path}/status"):
        body = payer.get(where).json()
        assert body["transactionStatus"] == "RJCT"
        assert [(one["category"], one["code"]) for one in body["tppMessages"]] == [("ERROR", "RAW")]
    with pytest.raises(ValueError, match="the payment is RJCT"):
        payer.simulator.reject_payment(id_of(path))
    with pytest.raises(ValueError, match="the payment is RJCT"):
        payer.simulator.settle_payment(id_of(path))


@pytest.mark.parametrize("status", ["RCVD", "PATC", "ACSP"])
def test_what_is_not_settled_can_be_cancelled(payer: Payer, status: str) -> None:
    headers = SIGNER if status == "PATC" else {}
    path = payer.new(headers=headers)
    if status != "RCVD":
        payer.simulator.approve(id_of(path))
    open_one = payer.start(path) if status != "ACSP" else None
    assert payer.payment_status(path) == status
    response = payer.call("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    assert payer.get(f"{path}/status").json() == {"transactionStatus": "CANC"}
    if open_one is not None:
        assert payer.get(open_one).json() == {"scaStatus": "failed"}
    refused(payer.call("DELETE", path), 405, "CANCELLATION_INVALID", "paymentId")


def test_what_is_over_cannot_be_cancelled(payer: Payer, clock: Clock) -> None:
    settled, rejected = payer.approved(), payer.approved()
    payer.simulator.reject_payment(id_of(rejected))
    clock.now += 2
    for path in (settled, rejected):
        refused(payer.call("DELETE", path), 405, "CANCELLATION_INVALID", "paymentId")


def test_handelsbanken_cancels_nothing(handelsbanken: Payer) -> None:
    refused(handelsbanken.call("DELETE", handelsbanken.new()), 405, "CANCELLATION_INVALID", "paymentId")


@of_2021
def test_in_2021_no_bank_cancelled_anything(payer: Payer) -> None:
    refused(payer.call("DELETE", payer.new()), 405, "SERVICE_INVALID")


def test_at_swedbank_a_cancellation_is_approved(swedish_payer: Payer) -> None:
    path = swedish_payer.approved()
    refused(swedish_payer.call("POST", f"{path}/cancellation-authorisations"), 409, "STATUS_INVALID")
    response = swedish_payer.call("DELETE", path)
    assert response.status_code == 202
    body = response.json()
    assert (body["transactionStatus"], len(body["scaMethods"])) == ("ACSP", 4)
    assert body["_links"] == {
        "self": {"href": path},
        "status": {"href": f"{path}/status"},
        "startAuthorisation": {"href": f"{path}/cancellation-authorisations"},
    }
    failed = swedish_payer.sign(path, kind="cancellation-authorisations", headers={"PSU-ID": "example-fails"})
    assert (swedish_payer.sca_status(failed), swedish_payer.payment_status(path)) == ("failed", "ACSP")
    done = swedish_payer.sign(path, kind="cancellation-authorisations")
    assert (swedish_payer.sca_status(done), swedish_payer.payment_status(path)) == ("finalised", "CANC")
    response = swedish_payer.get(f"{path}/cancellation-authorisations")
    assert response.json() == {"cancellationIds": [id_of(failed), id_of(done)]}
    assert swedish_payer.get(f"{path}/authorisations").json() == {"authorisationIds": []}
    response = swedish_payer.get(f"{path}/cancellation-authorisations/1")
    refused(response, 404, "RESOURCE_UNKNOWN", "cancellationId")


def test_at_swedbank_what_nobody_approved_is_cancelled_at_once(swedish_payer: Payer) -> None:
    path = swedish_payer.new()
    assert swedish_payer.call("DELETE", path).status_code == 204
    assert swedish_payer.payment_status(path) == "CANC"


def test_a_payment_is_not_settled_while_a_user_is_asked_to_cancel_it(swedish_payer: Payer, clock: Clock) -> None:
    path = swedish_payer.approved()
    swedish_payer.call("DELETE", path)
    asked = swedish_payer.call("POST", f"{path}/cancellation-authorisations").json()["authorisationId"]
    clock.now += 60
    assert swedish_payer.payment_status(path) == "ACSP"
    swedish_payer.simulator.decline(asked)
    assert swedish_payer.payment_status(path) == "ACSC"


def test_a_bank_does_not_wait_for_ever_for_who_is_asked_to_cancel(swedish_payer: Payer, clock: Clock) -> None:
    path = swedish_payer.approved()
    swedish_payer.call("DELETE", path)
    swedish_payer.call("POST", f"{path}/cancellation-authorisations")
    clock.now += 299
    assert swedish_payer.payment_status(path) == "ACSP"
    clock.now += 1
    assert swedish_payer.payment_status(path) == "ACSC"


def test_a_cancellation_may_come_too_late(swedish_payer: Payer) -> None:
    path = swedish_payer.approved()
    swedish_payer.call("DELETE", path)
    response = swedish_payer.call("POST", f"{path}/cancellation-authorisations")
    cancellation_id = response.json()["authorisationId"]
    swedish_payer.simulator.settle_payment(id_of(path))
    with pytest.raises(ValueError, match="the authorisation is failed"):
        swedish_payer.simulator.approve(cancellation_id)
    assert swedish_payer.payment_status(path) == "ACSC"


@pytest.mark.parametrize(("action", "status"), [("approve", "CANC"), ("decline", "ACSP")])
def test_deciding_about_a_cancellation_from_outside(swedish_payer: Payer, action: str, status: str) -> None:
    path = swedish_payer.approved()
    swedish_payer.call("DELETE", path)
    response = swedish_payer.call("POST", f"{path}/cancellation-authorisations")
    getattr(swedish_payer.simulator, action)(response.json()["authorisationId"])
    assert swedish_payer.payment_status(path) == status


def test_looking_at_the_payments(swedish_payer: Payer) -> None:
    path = swedish_payer.new()
    authorisation = swedish_payer.sign(path)
    swedish_payer.call("DELETE", path)
    cancellation = swedish_payer.sign(path, kind="cancellation-authorisations", headers={"PSU-ID": "somebody"})
    swedish_payer.new("swedish-giro")
    first, second = swedish_payer.simulator.payments
    assert (first.id, first.bic, first.product, first.status, first.context) == (
        id_of(path),
        "SWEDSESS",
        "domestic",
        "CANC",
        "private",
    )
    assert first.request == ORDERS["domestic"]
    assert first.authorisations == (
        SimulatedAuthorisation(id_of(authorisation), "decoupled", "finalised", "mbid", "example-user"),
    )
    assert first.cancellation_authorisations == (
        SimulatedAuthorisation(id_of(cancellation), "decoupled", "finalised", "mbid", "somebody"),
    )
    assert (second.product, second.status) == ("swedish-giro", "RCVD")
    told = swedish_payer.http.get(f"{swedish_payer.simulator.api_url}/simulator/payments").json()["payments"]
    assert [(one["id"], one["status"]) for one in told] == [(first.id, "CANC"), (second.id, "RCVD")]
    assert told[0]["cancellation_authorisations"][0]["sca_status"] == "finalised"


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("approve", "RCVD", "ACSP"),
        ("decline", "RCVD", "RCVD"),
        ("reject", "ACSP", "RJCT"),
        ("settle", "ACSP", "ACSC"),
    ],
)
def test_playing_from_another_process(payer: Payer, action: str, before: str, after: str) -> None:
    path = payer.new() if before == "RCVD" else payer.approved()
    control = f"{payer.simulator.api_url}/simulator/payments"
    assert payer.http.post(f"{control}/{id_of(path)}/{action}", headers=AS_JSON).status_code == 204
    assert payer.payment_status(path) == after
    assert payer.http.post(f"{control}/nobody/{action}", headers=AS_JSON).status_code == 404
    if after in {"RJCT", "ACSC"}:
        assert payer.http.post(f"{control}/{id_of(path)}/{action}", headers=AS_JSON).status_code == 409


def test_payments_are_made_and_approved_at_the_same_time(payer: Payer) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = [*pool.map(lambda _: payer.approved(), range(40))]
    assert len({*paths}) == 40
    assert {payment.status for payment in payer.simulator.payments} == {"ACSP"}


def test_a_payee_that_is_on_a_list_of_warnings(payer: Payer) -> None:
    body = payer.pay(creditorName="Example Flagged").json()
    assert [(one["category"], one["code"]) for one in body["tppMessages"]] == [("WARNING", "CREDITOR_ACCOUNT_FLAGGED")]
    assert "verificationOfPayee" not in body


@pytest.mark.parametrize(
    ("name", "match", "code"),
    [
        ("Example No Match", "NMTC", "CREDITOR_NAME_MISMATCH"),
        ("Example Close Match", "CMTC", "CREDITOR_NAME_CLOSE_MATCH"),
        ("Example Unverified", "NOAP", "CREDITOR_NAME_UNVERIFIED"),
        ("Example Flagged", "MTCH", None),
    ],
)
def test_the_payee_of_a_payment_in_euro_is_verified(payer: Payer, name: str, match: str, code: str | None) -> None:
    body = payer.pay("sepa-credit-transfers", creditorName=name).json()
    verification = body["verificationOfPayee"]
    assert verification["partyNameMatch"] == match
    assert [(one["category"], one["code"]) for one in verification.get("tppMessages", [])] == (
        [] if code is None else [("WARNING", code)]
    )
    assert ("matchedName" in verification) == (match == "CMTC")
    assert ("tppMessages" in body) == (name == "Example Flagged")


@of_2021
def test_in_2021_nobody_was_warned(payer: Payer) -> None:
    body = payer.pay("sepa-credit-transfers", creditorName="Example Flagged").json()
    assert {"tppMessages", "verificationOfPayee"}.isdisjoint(body)
