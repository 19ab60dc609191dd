# Written by `make unasync` from tests/_async/test_kyc.py; do not edit.
"""KYC: what an organisation has to complete before it pays, over real HTTP."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import (
    AccountReference,
    DebtorAccountReference,
    DomesticPayment,
    InvalidArgumentError,
    KycRequiredError,
    MissingScopeError,
    OpenPayments,
    OutcomeUnknownError,
    PermissionDeniedError,
    Psu,
    amount,
)
from openpayments_facade._protocol.arguments import today

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

NUMBER = "556677-8899"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id=NUMBER)
KYC, PAYMENTS = "/kyc/integration/v1", "/psd2/paymentinitiation/v1/payments"
ORDER = DomesticPayment(
    amount("12.50", "SEK"),
    DebtorAccountReference(iban="SE4550000000058398257466"),
    AccountReference(iban="SE3550000000054910000003"),
    "Example Shop",
)


@pytest.mark.openpayments_simulator(require_kyc=True, decoupled_reads=1, settlement=3600)
def test_an_organisation_pays_once_its_kyc_is_complete(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", COMPANY, redirect_preferred=False)
    with pytest.raises(KycRequiredError, match="TPP_KYC_INVALID") as caught:
        bank.payments.create(ORDER)
    assert isinstance(caught.value, KycRequiredError)
    assert (caught.value.status_code, caught.value.may_have_taken_effect) == (403, False)
    assert str(caught.value.kyc_url).startswith(f"{simulator.auth_url}/kyc/?instanceId=")
    assert simulator.payments == []

    before = op.kyc.status(COMPANY)
    assert (before.kyc_status, before.kyc_valid_until) == ("Invalid", None)
    created = op.kyc.create(COMPANY, country_code="SE")
    assert created.kyc_url.startswith(f"{simulator.auth_url}/kyc/?instanceId=")
    assert created.kyc_url != caught.value.kyc_url
    simulator.complete_kyc(NUMBER)
    for form in (COMPANY, NUMBER):
        status = op.kyc.status(form)
        assert status.kyc_status == "Valid"
        assert date.fromisoformat(status.kyc_valid_until or "") > today().date()

    payment = bank.payments.create(ORDER)
    authorisation = bank.payments.authorise(payment)
    assert authorisation.wait(poll_interval=0.01) == "ACSP"
    # a person needs none
    assert op.at_bank("ESSESESS", SOMEBODY).payments.create(ORDER).transaction_status == "RCVD"


@pytest.mark.parametrize(
    ("links", "url"),
    [
        ({"kycRedirect": {"href": "https://kyc.example/form"}}, "https://kyc.example/form"),
        ({"kycRedirect": "https://kyc.example/form"}, "https://kyc.example/form"),
        ({"kycRedirect": [{"href": "https://kyc.example/form"}]}, "https://kyc.example/form"),
        ({"kycRedirect": None}, None),
        ({"kycRedirect": {}}, None),
        ({"kycRedirect": {"href": 5}}, None),
        ({"kycRedirect": {"href": "javascript:alert(1)"}}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_address_of_the_form_is_there_if_the_bank_gave_one(
    op: OpenPayments, simulator: Simulator, links: Any, url: str | None
) -> None:
    messages = [{"category": "ERROR", "code": "TPP_KYC_INVALID", "text": "KYC"}]
    simulator.misbehave(PAYMENTS, status=403, body={"tppMessages": messages, "_links": links})
    with pytest.raises(KycRequiredError) as caught:
        op.at_bank("ESSESESS", COMPANY).payments.create(ORDER)
    assert caught.value.kyc_url == url
    assert "kyc.example" not in str(caught.value)


@pytest.mark.parametrize("messages", [[], [{"category": "ERROR", "code": "SERVICE_BLOCKED"}]])
def test_the_address_of_the_form_says_enough(op: OpenPayments, simulator: Simulator, messages: list[Any]) -> None:
    links = {"kycRedirect": {"href": "https://kyc.example/form"}}
    simulator.misbehave(PAYMENTS, status=403, body={"tppMessages": messages, "_links": links})
    with pytest.raises(KycRequiredError) as caught:
        op.at_bank("ESSESESS", COMPANY).payments.create(ORDER)
    assert caught.value.kyc_url == "https://kyc.example/form"


def test_another_refusal_is_none_about_kyc(op: OpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(PAYMENTS, status=403, body={"tppMessages": [{"category": "ERROR", "code": "PRODUCT_INVALID"}]})
    with pytest.raises(PermissionDeniedError) as caught:
        op.at_bank("ESSESESS", COMPANY).payments.create(ORDER)
    assert not isinstance(caught.value, KycRequiredError)


def test_kyc_takes_the_token_of_organisations_by_itself(op: OpenPayments, simulator: Simulator) -> None:
    op.kyc.create(NUMBER, country_code=op.countries.list(countries=["SE"])[0])
    op.kyc.create(NUMBER, country_code=" se ")
    assert [each.query for each in simulator.requests if each.path.startswith(KYC)] == ["countryCode=SE"] * 2
    raw = op.with_raw_response.kyc
    assert dir(raw) == dir(op.kyc) == ["create", "status"]
    answer = raw.create(NUMBER, country_code="SE")
    assert (answer.status_code, answer.parsed.kyc_url) == (201, answer.json["kycUrl"])
    assert raw.status(NUMBER).parsed.kyc_status == "Invalid"
    with simulator.client(api_scopes=["aspspinformation"]) as less:
        with pytest.raises(MissingScopeError, match="PAYMENT_INITIATION"):
            less.kyc.status(NUMBER)


@pytest.mark.parametrize("number", ["", "..", "../x", None, 5, SOMEBODY])
def test_what_is_no_organisation_is_refused(op: OpenPayments, simulator: Simulator, number: Any) -> None:
    for call in (op.kyc.status, lambda given: op.kyc.create(given, country_code="SE")):
        with pytest.raises(InvalidArgumentError, match=r"^psu_corporate_id ") as caught:
            call(number)
        assert caught.value.argument == "psu_corporate_id"
    assert simulator.requests == []


@pytest.mark.parametrize("code", ["SWE", "", None, 5, "S1"])
def test_what_is_no_country_is_refused(op: OpenPayments, simulator: Simulator, code: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^country_code ") as caught:
        op.kyc.create(NUMBER, country_code=code)
    assert caught.value.argument == "country_code"
    assert simulator.requests == []


def test_it_is_never_started_twice_by_itself(op: OpenPayments, simulator: Simulator) -> None:
    op.with_options(psu_context="corporate").access_token()
    before = len(simulator.requests)
    simulator.misbehave(KYC, close=True, carried_out=True)
    with pytest.raises(OutcomeUnknownError, match="create it again") as caught:
        op.kyc.create(NUMBER, country_code="SE")
    assert len(simulator.requests) == before + 1
    assert NUMBER not in str(caught.value)
