"""Consents: asking for one, reading and deleting it, and how it ends."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.simulator.callers import ACCOUNTS, CARDS, CONSENTS, OF_A_COMPANY, REQUEST, YEAR, BankCaller, Clock, refused
from tests.simulator.description import OPERATIONS, Operation
from tests.simulator.rules import BOTH, of_2021

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)

IBAN = {"iban": "SE2550000000000000000011"}
OTHER = {"iban": "SE9550000000000000000012", "currency": "SEK"}


@pytest.mark.parametrize("rules", BOTH)
def test_a_consent_is_received_and_says_where_to_go(seb: BankCaller, rules: str) -> None:
    response = seb.ask()
    assert response.status_code == 201
    body = response.json()
    path = f"{CONSENTS}/{body['consentId']}"
    assert body == {
        "consentStatus": "received",
        "consentId": body["consentId"],
        "scaMethods": [
            {"authenticationType": "PUSH_OTP", "authenticationMethodId": "mbid", "name": "Mobile BankID"},
        ],
        "_links": {
            "self": {"href": path},
            "status": {"href": f"{path}/status"},
            "startAuthorisation": {"href": f"{path}/authorisations"},
        },
    }
    assert response.headers["Location"] == path
    assert seb.get(body["_links"]["status"]["href"]).json() == {"consentStatus": "received"}
    assert seb.call("POST", body["_links"]["startAuthorisation"]["href"]).status_code == 201


@pytest.mark.parametrize("rules", BOTH)
def test_a_consent_tells_what_it_opens(seb: BankCaller, rules: str) -> None:
    access = {"accounts": [IBAN, OTHER], "balances": [IBAN]}
    consent_id = seb.create(access=access, frequencyPerDay=2, recurringIndicator=False)
    assert seb.get(consent_id).json() == {
        **({"consentId": consent_id} if rules == "2021" else {}),
        "access": access,
        "recurringIndicator": False,
        "validUntil": "2026-06-01",
        "frequencyPerDay": 2,
        "lastActionDate": "2026-03-01",
        "consentStatus": "received",
    }


def test_a_valid_consent_leads_to_accounts_and_cards(seb: BankCaller, handelsbanken: BankCaller) -> None:
    account, cards = {"account": {"href": ACCOUNTS}}, {"card-account": {"href": CARDS}}
    assert "_links" not in seb.get(seb.create()).json()
    consent_id = seb.valid()
    assert seb.get(consent_id).json()["_links"] == account | cards
    seb.simulator.revoke_consent(consent_id)
    assert "_links" not in seb.get(consent_id).json()
    assert handelsbanken.get(handelsbanken.valid()).json()["_links"] == account
    without = seb.valid(headers={"PSU-ID": "example-without-cards"})
    assert seb.get(without).json()["_links"] == account


@of_2021
def test_in_2021_a_consent_led_nowhere(seb: BankCaller) -> None:
    assert "_links" not in seb.get(seb.valid()).json()


@pytest.mark.parametrize("asked", ["2026-08-28", "2026-08-29", "9999-12-31"])
def test_a_bank_shortens_what_is_too_long(seb: BankCaller, asked: str) -> None:
    assert seb.get(seb.create(validUntil=asked)).json()["validUntil"] == "2026-08-28"


def test_ids_follow_from_the_seed_and_are_all_different(seb: BankCaller) -> None:
    first, second = seb.create(), seb.create()
    assert first != second
    assert str(uuid.UUID(first)) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"validUntil": "2026-03-01"},
        {"frequencyPerDay": 1},
        {"frequencyPerDay": 500},
        {"combinedServiceIndicator": True},
        {"access": {"accounts": []}},
        {"access": {"accounts": [], "balances": [], "transactions": []}},
        {"access": {"accounts": None, "allPsd2": "allAccounts"}},
        {"access": {"availableAccounts": "allAccountsWithBalances"}},
        {"access": {"availableAccounts": "selectAccounts"}},
        {"access": {"accounts": [{"accountNumber": "000000011", "clearingNumber": "6000"}]}},
        {"access": {"accounts": [{"bban": "1", "clearingNumber": "6000"}]}},
        {"access": {"accounts": [{"maskedPan": "1234********5678"}, {"msisdn": "+46700000000"}, {"pan": "1"}]}},
        {"access": {"accounts": [IBAN, OTHER], "balances": [OTHER], "transactions": [IBAN]}},
        {"somethingElse": 1},
    ],
)
def test_requests_that_are_in_order(seb: BankCaller, changes: dict[str, Any]) -> None:
    assert seb.ask(**changes).status_code == 201


@of_2021
@pytest.mark.parametrize(
    ("access", "code", "path"),
    [
        ({"availableAccounts": "selectAccounts"}, "PARAMETER_NOT_SUPPORTED", "access.availableAccounts"),
        ({"accounts": [{"accountNumber": "000000011"}]}, "FORMAT_ERROR", "access.accounts[0]"),
    ],
)
def test_what_2021_did_not_know(seb: BankCaller, access: dict[str, Any], code: str, path: str) -> None:
    refused(seb.ask(access=access), 400, code, path)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        *((({name: None}), "FORMAT_ERROR", name) for name in REQUEST),
        ({"access": []}, "FORMAT_ERROR", "access"),
        ({"recurringIndicator": "true"}, "FORMAT_ERROR", "recurringIndicator"),
        ({"combinedServiceIndicator": 0}, "FORMAT_ERROR", "combinedServiceIndicator"),
        ({"frequencyPerDay": 0}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": "4"}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": True}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"frequencyPerDay": 1.5}, "FORMAT_ERROR", "frequencyPerDay"),
        ({"validUntil": "2026-02-28"}, "PERIOD_INVALID", "validUntil"),
        ({"validUntil": "2026-02-30"}, "FORMAT_ERROR", "validUntil"),
        ({"validUntil": "20260601"}, "FORMAT_ERROR", "validUntil"),
        ({"validUntil": 20260601}, "FORMAT_ERROR", "validUntil"),
        ({"access": {"allPsd2": "all"}}, "PARAMETER_NOT_SUPPORTED", "access.allPsd2"),
        ({"access": {"availableAccounts": "some"}}, "PARAMETER_NOT_SUPPORTED", "access.availableAccounts"),
        ({"access": {"accounts": IBAN}}, "FORMAT_ERROR", "access.accounts"),
        ({"access": {"accounts": ["SE25"]}}, "FORMAT_ERROR", "access.accounts[0]"),
        ({"access": {"accounts": [IBAN, {}]}}, "FORMAT_ERROR", "access.accounts[1]"),
        ({"access": {"accounts": [{"currency": "SEK"}]}}, "FORMAT_ERROR", "access.accounts[0]"),
        ({"access": {"accounts": [{"iban": "SE25", "bban": "1"}]}}, "FORMAT_ERROR", "access.accounts[0]"),
        ({"access": {"accounts": [{"iban": "SE25 5000"}]}}, "FORMAT_ERROR", "access.accounts[0].iban"),
        ({"access": {"accounts": [{"iban": 25}]}}, "FORMAT_ERROR", "access.accounts[0].iban"),
        ({"access": {"accounts": [IBAN | {"currency": "sek"}]}}, "FORMAT_ERROR", "access.accounts[0].currency"),
        (
            {"access": {"accounts": [{"bban": "1", "clearingNumber": "600000"}]}},
            "FORMAT_ERROR",
            "access.accounts[0].clearingNumber",
        ),
        ({"access": {"accounts": [IBAN], "balances": [OTHER]}}, "PARAMETER_NOT_CONSISTENT", "access.balances"),
        ({"access": {"transactions": [IBAN]}}, "PARAMETER_NOT_CONSISTENT", "access.transactions"),
        ({"access": {"accounts": [IBAN], "balances": []}}, "PARAMETER_NOT_CONSISTENT", "access"),
    ],
)
def test_requests_that_are_refused(seb: BankCaller, changes: dict[str, Any], code: str, path: str) -> None:
    refused(seb.ask(**changes), 400, code, path)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1e400}', b'{"a": "\\ud800"}']
)
def test_a_body_that_is_not_json(seb: BankCaller, body: bytes) -> None:
    response = seb.call("POST", "", content=body, headers={"Content-Type": "application/json"})
    refused(response, 400, "FORMAT_ERROR")
    assert "JSON" in response.json()["tppMessages"][0]["text"]


def test_a_body_that_is_no_object(seb: BankCaller) -> None:
    refused(seb.call("POST", "", json=[]), 400, "FORMAT_ERROR")


@pytest.mark.parametrize("content_type", ["text/plain", None])
def test_a_body_of_another_type(seb: BankCaller, content_type: str | None) -> None:
    response = seb.call("POST", "", content=b"{}", headers={"Content-Type": content_type})
    assert (response.status_code, response.content) == (415, b"")


def test_deleting_ends_a_consent(seb: BankCaller) -> None:
    consent_id = seb.create()
    path = seb.start(consent_id)
    response = seb.call("DELETE", consent_id)
    assert (response.status_code, response.content) == (204, b"")
    assert seb.status(consent_id) == "terminatedByTpp"
    assert seb.sca_status(path) == "failed"
    refused(seb.call("POST", f"{consent_id}/authorisations"), 409, "STATUS_INVALID")


def test_a_valid_consent_can_be_deleted_and_deleting_twice_is_no_error(seb: BankCaller) -> None:
    consent_id = seb.valid()
    assert [seb.call("DELETE", consent_id).status_code for _ in range(2)] == [204, 204]
    assert seb.status(consent_id) == "terminatedByTpp"


def test_deleting_does_not_change_how_a_consent_came_to_its_end(seb: BankCaller) -> None:
    consent_id = seb.create()
    seb.simulator.decline(consent_id)
    assert seb.call("DELETE", consent_id).status_code == 204
    assert seb.status(consent_id) == "rejected"


@pytest.mark.parametrize("approved", [True, False])
def test_a_consent_expires_after_its_last_day(seb: BankCaller, clock: Clock, approved: bool) -> None:
    consent_id = seb.create(validUntil="2026-03-02")
    if approved:
        seb.simulator.approve(consent_id)
    clock.next_day()
    assert seb.status(consent_id) == ("valid" if approved else "received")
    clock.next_day()
    assert seb.status(consent_id) == "expired"
    assert [consent.status for consent in seb.simulator.consents] == ["expired"]


def test_a_new_recurring_consent_ends_the_old_one_of_the_same_user(seb: BankCaller) -> None:
    old, once = seb.valid(), seb.valid(recurringIndicator=False)
    others = seb.valid(headers={"PSU-ID": "someone-else"})
    unapproved = seb.create()
    assert [seb.status(one) for one in (old, once, others, unapproved)] == ["valid", "valid", "valid", "received"]
    new = seb.valid()
    assert [seb.status(one) for one in (old, once, others, unapproved, new)] == [
        "expired",
        "valid",
        "valid",
        "received",
        "valid",
    ]


def test_a_new_consent_for_one_company_does_not_end_that_for_another(company: BankCaller) -> None:
    first, second = (company.valid(headers={"PSU-Corporate-ID": each}) for each in ("5560000001", "5560000002"))
    of_first = company.call("GET", f"{first}/status", headers={"PSU-Corporate-ID": "5560000001"})
    of_second = company.call("GET", f"{second}/status", headers={"PSU-Corporate-ID": "5560000002"})
    assert [each.json()["consentStatus"] for each in (of_first, of_second)] == ["valid", "valid"]


def test_a_token_of_another_context_is_refused(seb: BankCaller, company: BankCaller) -> None:
    personal = seb.valid()
    refused(company.call("GET", f"{personal}/status"), 401, "TOKEN_INVALID")
    refused(company.read(personal), 401, "TOKEN_INVALID")
    assert seb.status(personal) == "valid"


@of_2021
def test_of_users_whom_nobody_named_none_is_the_same(seb: BankCaller) -> None:
    consents = [seb.valid(headers={"PSU-ID": None}) for _ in range(2)]
    assert [seb.status(one) for one in consents] == ["valid", "valid"]


def test_the_date_of_the_last_action_moves(seb: BankCaller, clock: Clock) -> None:
    consent_id = seb.valid()
    clock.next_day()
    assert seb.get(consent_id).json()["lastActionDate"] == "2026-03-01"
    assert seb.read(consent_id).status_code == 200
    assert seb.get(consent_id).json()["lastActionDate"] == "2026-03-02"


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "consentId" in one.examples], ids=str)
def test_a_consent_that_the_bank_does_not_know(seb: BankCaller, operation: Operation) -> None:
    body = {"authenticationMethodId": "mbid"} if operation.method == "PUT" else None
    for consent_id, bic in ((str(uuid.uuid4()), "ESSESESS"), (seb.create(), "NDEASESS")):
        address = operation.address(consentId=consent_id)
        refused(
            seb.call(operation.method, address, headers={"X-BicFi": bic}, json=body),
            403,
            "CONSENT_UNKNOWN",
            "consentId",
        )


def test_the_context_of_the_token_is_that_of_the_consent(seb: BankCaller) -> None:
    corporate = BankCaller(seb.simulator, seb.http, scope="corporate accountinformation", headers=OF_A_COMPANY)
    seb.create()
    corporate.create()
    assert [consent.context for consent in seb.simulator.consents] == ["private", "corporate"]


NEEDS_ANOTHER = {"PSU-ID": "99990101002"}


def sign(bank: BankCaller, consent_id: str, headers: dict[str, str]) -> str:
    """The user approves in the app. Returns the status of the consent."""
    path = bank.start(consent_id, headers=headers)
    bank.select(path, headers=headers)
    while bank.sca_status(path) == "started":
        pass
    assert bank.sca_status(path) == "finalised"
    return bank.status(consent_id)


def test_somebody_else_has_to_sign_too(swedbank: BankCaller) -> None:
    consent_id = swedbank.create(headers=NEEDS_ANOTHER)
    assert sign(swedbank, consent_id, NEEDS_ANOTHER) == "partiallyAuthorised"
    refused(swedbank.read(consent_id), 401, "CONSENT_INVALID")
    assert sign(swedbank, consent_id, NEEDS_ANOTHER) == "partiallyAuthorised"
    assert sign(swedbank, consent_id, {"PSU-ID": "99990101000"}) == "valid"
    assert swedbank.read(consent_id).status_code == 200
    refused(swedbank.call("POST", f"{consent_id}/authorisations"), 409, "STATUS_INVALID")


def test_the_other_signature_may_already_be_on_its_way(seb: BankCaller) -> None:
    consent_id = seb.create(headers=NEEDS_ANOTHER)
    first, second = seb.start(consent_id, headers=NEEDS_ANOTHER), seb.start(consent_id)
    ids = [path.rpartition("/")[2] for path in (first, second)]
    seb.simulator.approve(ids[0])
    assert (seb.status(consent_id), seb.sca_status(second)) == ("partiallyAuthorised", "received")
    seb.simulator.approve(ids[1])
    assert seb.status(consent_id) == "valid"


def test_who_signs_after_nobody_else_has_to(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    assert sign(swedbank, consent_id, {"PSU-ID": "99990101000"}) == "valid"


def test_approving_a_consent_twice_plays_both_users(seb: BankCaller) -> None:
    consent_id = seb.create(headers=NEEDS_ANOTHER)
    seb.simulator.approve(consent_id)
    assert seb.status(consent_id) == seb.simulator.consents[0].status == "partiallyAuthorised"
    seb.simulator.approve(consent_id)
    assert seb.status(consent_id) == "valid"


@pytest.mark.parametrize(
    ("end", "status"), [("decline", "rejected"), ("expire_consent", "expired"), (None, "terminatedByTpp")]
)
def test_how_a_consent_with_one_signature_ends(seb: BankCaller, end: str | None, status: str) -> None:
    consent_id = seb.create(headers=NEEDS_ANOTHER)
    seb.simulator.approve(consent_id)
    if end is None:
        seb.call("DELETE", consent_id)
    else:
        getattr(seb.simulator, end)(consent_id)
    assert seb.status(consent_id) == status


@of_2021
def test_in_2021_one_signature_was_enough(seb: BankCaller) -> None:
    assert seb.status(seb.valid(headers=NEEDS_ANOTHER)) == "valid"
