# Written by `make unasync` from tests/_async/test_consents.py; do not edit.
"""From a bank to its accounts: consents, and how a user authorises them, over real HTTP against the simulator."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import evolve
from dateutil.relativedelta import relativedelta

from openpayments_facade import (
    AccountReference,
    Approach,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    CallbackRejectedError,
    ConsentAccess,
    ConsentInvalidError,
    InvalidArgumentError,
    MissingScopeError,
    OpenPayments,
    OpenPaymentsError,
    OutcomeUnknownError,
    Psu,
    PsuContext,
    TimedOutError,
    UnreadableResponseError,
)
from openpayments_facade._protocol import arguments
from openpayments_facade._protocol.arguments import today

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

CALLBACK = "https://app.example.com/callback"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
TOMORROW = today().date() + timedelta(days=1)
A_MORNING = datetime(2026, 3, 2, 6, tzinfo=UTC)
SHOWN = Psu(id="example-exempted", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
IBAN = "SE5750000000000000000017"

CONSENTS = "/psd2/consent/v1/consents"
SAVED = {"bic_fi": "SWEDSESS", "consent_id": "c", "authorisation_id": "a", "approach": "decoupled"}


def started(**more: Any) -> dict[str, Any]:
    """The answer of a bank that was asked to start an authorisation."""
    return {"authorisationId": "a", "scaStatus": "started", **more}


def test_a_redirect_with_a_code_ends_in_a_valid_consent(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    assert consent.consent_status == "received"
    authorisation = bank.consents.authorise(consent.consent_id)
    assert authorisation.approach is Approach.OAUTH_REDIRECT
    assert authorisation.challenge is None
    url = authorisation.redirect_url(redirect_uri=CALLBACK)
    assert url.startswith(simulator.auth_url + "/connect/authorize?")
    token = authorisation.complete(simulator.visit(url))
    assert token is not None
    assert token.scope == "accountinformation private"
    valid = authorisation.wait(poll_interval=0.01)
    assert (valid.consent_id, valid.consent_status) == (consent.consent_id, "valid")
    assert bank.consents.status(consent.consent_id) == "valid"
    assert bank.consents.authorisations(consent.consent_id) == [authorisation.authorisation_id]
    assert len(bank.accounts(consent.consent_id).list()) == 3


@pytest.mark.openpayments_simulator(plain_redirect=True)
def test_a_plain_redirect_needs_no_exchange(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    assert authorisation.approach is Approach.REDIRECT
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    assert authorisation.complete(callback) is None
    assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
    assert simulator.token_requests == 1


@pytest.mark.openpayments_simulator(decoupled_reads=4)
@pytest.mark.parametrize("method", ["mbid", "mbid_animated_qr_token", None])
def test_a_decoupled_authorisation_shows_its_challenge_until_it_ends(
    op: OpenPayments, simulator: Simulator, method: str | None
) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id, method)
    assert authorisation.approach is Approach.DECOUPLED
    updates = [update for update in authorisation.updates(poll_interval=0.01)]
    assert updates[-1].sca_status == "finalised"
    shown = [update.challenge for update in updates if update.challenge]
    if method == "mbid":
        assert {challenge.app_link() for challenge in shown} == {shown[0].qr_content}
        assert "autostarttoken=" in str(shown[0].app_link())
    elif method == "mbid_animated_qr_token":
        assert len({challenge.qr_content for challenge in shown}) > 1
    else:
        assert len({challenge.qr_image for challenge in shown}) > 1
        assert str(shown[0].qr_image).startswith("data:image/png;base64,")
    assert authorisation.wait().consent_status == "valid"
    headers = [r.headers for r in simulator.requests if "/consents" in r.path]
    assert {each["tpp-redirect-preferred"] for each in headers} == {"false"}
    assert {each["x-bicfi"] for each in headers} == {"SWEDSESS"}


def test_a_bank_that_approves_at_once(op: OpenPayments) -> None:
    bank = op.at_bank("HANDSESS", SOMEBODY)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    assert authorisation.approach is Approach.DECOUPLED
    assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
    accounts = bank.accounts(consent.consent_id).list()
    assert all(account.iban is None and account.bban for account in accounts)


@pytest.mark.parametrize("bic", ["ESSESESS", "SWEDSESS"])
def test_an_exempted_user_counts_as_authorised(op: OpenPayments, bic: str) -> None:
    bank = op.at_bank(bic, SHOWN, redirect_preferred=False if bic == "SWEDSESS" else None)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
    assert authorisation.sca_status == "exempted"


def test_a_user_who_fails_or_declines(op: OpenPayments, simulator: Simulator) -> None:
    fails = Psu(id="example-fails", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
    bank = op.at_bank("SWEDSESS", fails, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    with pytest.raises(AuthorisationFailedError) as caught:
        authorisation.wait(poll_interval=0.01)
    assert caught.value.code == "failed"

    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK), approve=False)
    with pytest.raises(AuthorisationFailedError) as caught:
        authorisation.complete(callback)
    assert caught.value.code == "access_denied"
    with pytest.raises(AuthorisationFailedError):
        authorisation.wait(poll_interval=0.01)


def test_a_bank_that_ends_it_at_once(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("HANDSESS", Psu(id="example-fails", ip_address="203.0.113.7", user_agent="Mozilla/5.0"))
    consent = bank.consents.create(valid_until=TOMORROW)
    with pytest.raises(AuthorisationFailedError, match=consent.consent_id) as caught:
        bank.consents.authorise(consent.consent_id)
    assert caught.value.code == "failed"
    simulator.misbehave(CONSENTS, method="POST", body={**started(), "scaStatus": "failed"}, status=201)
    with pytest.raises(AuthorisationFailedError) as caught:
        bank.consents.authorise(consent.consent_id)
    assert caught.value.code == "failed"
    assert simulator.requests[-1].method == "POST"


def test_a_user_who_never_ends(op: OpenPayments) -> None:
    never = Psu(id="example-never-ends", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
    bank = op.at_bank("SWEDSESS", never, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    with pytest.raises(AuthorisationTimeoutError, match=consent.consent_id):
        authorisation.wait(timeout=0.1, poll_interval=0.02)


@pytest.mark.openpayments_simulator(decoupled_reads=1)
@pytest.mark.parametrize("first", [None, {"scaStatus": "finalised"}])
def test_a_slow_bank_does_not_make_the_time_longer(
    op: OpenPayments, simulator: Simulator, first: dict[str, Any] | None
) -> None:
    bank = op.at_bank("HANDSESS", SOMEBODY)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    authorisation = bank.consents.resume(authorisation.to_dict())
    if first is not None:
        simulator.misbehave(CONSENTS, body=first)
    simulator.misbehave(CONSENTS, times=None, delay=3)
    sent = len(simulator.requests)
    with pytest.raises(AuthorisationTimeoutError):
        authorisation.wait(timeout=1, poll_interval=0.01)
    assert len(simulator.requests) == sent + (1 if first is None else 2)
    simulator.behave()
    assert authorisation.wait().consent_status == "valid"


def test_a_time_limit_of_the_client_is_told_as_such(simulator: Simulator) -> None:
    with simulator.client() as op:
        op.access_token()
        hasty = op.with_options(total_timeout=0.05, max_retries=0)
        authorisation = hasty.at_bank("SWEDSESS", SOMEBODY).consents.resume(SAVED)
        simulator.misbehave(CONSENTS, times=None, delay=1)
        with pytest.raises(TimedOutError):
            authorisation.wait(timeout=60, poll_interval=0.01)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long an authorisation would have waited; it does not."""
    found: list[float] = []
    sleep = time.sleep

    def note(seconds: float) -> None:
        # the event loop's own parts sleep, too, and so do other threads
        if sys._getframe(1).f_globals["__name__"].endswith(".waiting"):
            found.append(seconds)
        else:
            sleep(seconds)

    monkeypatch.setattr("time.sleep", note)
    return found


@pytest.mark.openpayments_simulator(decoupled_reads=3)
def test_how_long_it_waits_between_two_reads(op: OpenPayments, simulator: Simulator, waits: list[float]) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    waits.clear()
    authorisation.wait()
    assert waits == [1, 1, 1]
    # who comes back from a browser may be done
    waits.clear()
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    redirect = bank.consents.authorise(consent.consent_id)
    redirect.complete(simulator.visit(redirect.redirect_url(redirect_uri=CALLBACK)))
    redirect.wait()
    assert waits == [0]
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    # nobody knows what happened meanwhile: another process looks at once
    waits.clear()
    bank.consents.resume(authorisation.to_dict()).wait()
    assert waits == [0]

    never = Psu(id="example-never-ends", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
    bank = op.at_bank("ESSESESS", never, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    waits.clear()
    with pytest.raises(AuthorisationTimeoutError):
        authorisation.wait(timeout=0.2, poll_interval=600)
    assert waits
    assert max(waits) <= 0.2


@pytest.mark.openpayments_simulator(decoupled_reads=1)
@pytest.mark.parametrize("status", ["rejected", "revokedByPsu", "expired", "terminatedByTpp"])
def test_a_consent_that_is_lost_while_waiting(op: OpenPayments, simulator: Simulator, status: str) -> None:
    bank = op.at_bank("HANDSESS", SOMEBODY)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    if status == "revokedByPsu":
        simulator.revoke_consent(consent.consent_id)
    else:
        lost = {"consentId": consent.consent_id, "consentStatus": status}
        simulator.misbehave(f"{CONSENTS}/{consent.consent_id}", body=lost)
    with pytest.raises(AuthorisationFailedError) as caught:
        authorisation.wait(poll_interval=0.01)
    assert caught.value.code == status


@pytest.mark.openpayments_simulator(decoupled_reads=3)
def test_one_look_for_a_page_that_asks_again_and_again(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    consent = bank.consents.create(valid_until=TOMORROW)
    saved = bank.consents.authorise(consent.consent_id).to_dict()
    sent = len(simulator.requests)
    looks = [bank.consents.resume(saved).poll() for _ in range(3)]
    assert len(simulator.requests) == sent + 3 + 2  # without the end, the consent is looked at as well
    assert [look.is_over for look in looks] == [False, False, True]
    assert len({look.challenge.qr_image for look in looks if look.challenge}) == 2
    assert bank.consents.resume(saved).wait().consent_status == "valid"

    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    simulator.decline(consent.consent_id)
    with pytest.raises(AuthorisationFailedError) as caught:
        authorisation.poll()
    assert caught.value.sca_status == authorisation.sca_status == "failed"
    assert caught.value.consent_id == consent.consent_id
    assert caught.value.authorisation_id == authorisation.authorisation_id
    with pytest.raises(InvalidArgumentError, match="has no callback; check `approach`"):
        authorisation.complete(f"{CALLBACK}?code=c&state=s")


@pytest.mark.openpayments_simulator(decoupled_reads=1)
def test_a_status_that_is_no_text_is_none(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False)
    consents = bank.consents
    for odd in (None, True, ["valid", "expired"]):
        simulator.misbehave(CONSENTS, body={"consentStatus": odd})
        with pytest.raises(UnreadableResponseError, match="consentStatus is"):
            consents.status("c")
    id_ = consents.create(valid_until=TOMORROW).consent_id
    authorisation = consents.authorise(id_)
    odd_ones = ({"scaStatus": {"a": 1}}, {"consentStatus": {"a": 1}})
    for body in (*odd_ones, {"scaStatus": "finalised"}, {"consentStatus": ["valid"]}):
        simulator.misbehave(f"{CONSENTS}/{id_}", body=body)
    simulator.approve(id_)
    assert authorisation.wait(poll_interval=0.01).consent_status == "valid"
    simulator.misbehave(CONSENTS, status=201, body={"authorisationId": "a", "scaStatus": {"a": 1}})
    simulator.misbehave(CONSENTS, body={"scaStatus": "started"})
    assert consents.authorise(id_).sca_status == "started"
    assert simulator.requests[-1].method == "PUT"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"access": ConsentAccess(accounts=[AccountReference(bban="\ud800x")])}, r"access.accounts\[0\].bban"),
        (
            {"access": ConsentAccess(accounts=[AccountReference(bban="1", currency=cast("Any", object()))])},
            r"access.accounts\[0\].currency",
        ),
        ({"frequency_per_day": 10**5000}, "^body must be a model or what JSON can hold"),
    ],
)
def test_what_can_not_be_written_is_refused_before_anything_is_sent(
    op: OpenPayments, simulator: Simulator, values: dict[str, Any], problem: str
) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    with pytest.raises(InvalidArgumentError, match=problem):
        consents.create(valid_until=TOMORROW, **values)
    with pytest.raises(InvalidArgumentError, match="can't be put into a request"):
        consents.get("c" * 70_000)
    assert [request.path for request in simulator.requests if request.path.startswith(CONSENTS)] == []


def test_lists_that_are_null_are_empty(op: OpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(CONSENTS, body={"authorisationIds": None})
    assert op.at_bank("ESSESESS").consents.authorisations("c") == []


def test_another_process_can_finish_it(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    saved = json.loads(json.dumps(authorisation.to_dict()))
    for secret in ("example-user", "203.0.113.7", op.access_token(), simulator.client_secret):
        assert secret not in str(saved)
    with simulator.client() as another:
        bank = another.at_bank(saved["bic_fi"], SOMEBODY)
        resumed = bank.consents.resume(saved)
        assert resumed.sca_status is None
        resumed.complete(callback)
        assert resumed.wait(poll_interval=0.01).consent_status == "valid"
        assert simulator.requests[-1].headers["tpp-redirect-preferred"] == "true"
        with pytest.raises(InvalidArgumentError, match="saved"):
            another.at_bank("ESSESESS").consents.resume(saved)
        broken: Any
        for broken in (
            {},
            None,
            {**saved, "approach": "pigeon"},
            {**saved, "state": 5},
            {**saved, "redirect_preferred": "no"},
        ):
            with pytest.raises(InvalidArgumentError, match="saved"):
                bank.consents.resume(broken)
        with pytest.raises(InvalidArgumentError, match="consent_id"):
            bank.consents.resume({**saved, "consent_id": "../x"})


def test_another_process_goes_on_as_it_was_begun(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", COMPANY, affiliated_aspsp="08999", redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    callback = simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK))
    saved = json.loads(json.dumps(authorisation.to_dict()))
    assert saved["psu_context"] == "corporate"
    assert "example-company" not in str(saved)
    # whoever comes back knows who the user is, but neither context nor preference nor affiliated bank
    again = evolve(COMPANY, context=PsuContext.PRIVATE)
    resumed = op.at_bank(saved["bic_fi"], again).consents.resume(saved)
    token = resumed.complete(callback)
    assert token is not None
    assert token.scope == "accountinformation corporate"
    assert resumed.wait(poll_interval=0.01).consent_status == "valid"
    accounts = resumed.bank.accounts(consent.consent_id).list()
    assert {account.usage for account in accounts} == {"ORGA"}
    assert simulator.requests[-1].headers["tpp-redirect-preferred"] == "true"
    resumed.bank.consents.create(valid_until=TOMORROW)
    assert simulator.requests[-1].headers["x-affiliatedaspsp-id"] == "08999"
    assert resumed.to_dict() == saved
    for affiliated in (8999, "x\r\nPSU-ID: 1", ""):
        with pytest.raises(InvalidArgumentError, match=r"^saved must have a valid id or None for affiliated_aspsp"):
            bank.consents.resume({**saved, "affiliated_aspsp": affiliated})
    with pytest.raises(InvalidArgumentError, match="saved"):
        bank.consents.resume({**saved, "psu_context": "pigeon"})


def test_what_was_begun_without_a_preference_goes_on_with_the_default(op: OpenPayments, simulator: Simulator) -> None:
    resumed = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=True).consents.resume(SAVED)
    simulator.misbehave(CONSENTS, body={"scaStatus": "finalised"})
    simulator.misbehave(CONSENTS, body={"consentId": "c", "consentStatus": "valid"})
    resumed.wait()
    assert simulator.requests[-1].headers["tpp-redirect-preferred"] == "false"


def test_no_failure_leads_to_the_code(op: OpenPayments, simulator: Simulator) -> None:
    authorisation = op.at_bank("SWEDSESS", SOMEBODY).consents.resume(
        {**SAVED, "approach": "oauth_redirect", "redirect_uri": CALLBACK, "state": "mine"}
    )
    simulator.misbehave("/connect/token", status=500)
    for callback in (f"{CALLBACK}?code=k0de&state=mine", f"{CALLBACK}?code=k0de&state=yours"):
        with pytest.raises(OpenPaymentsError) as caught:
            authorisation.complete(callback)
        traceback = caught.value.__traceback__
        frames = []
        while traceback:
            frames.append(traceback.tb_frame)
            traceback = traceback.tb_next
        mine = [frame for frame in frames if frame.f_code.co_name == "complete"]
        assert len(mine) == 1
        kept = mine[0].f_locals
        assert "k0de" not in str({**kept, "code": getattr(kept.get("callback"), "code", None)})


def test_a_consent_can_be_looked_at_and_ended(op: OpenPayments) -> None:
    bank = op.at_bank("HANDSESS", SOMEBODY)
    account = AccountReference(iban=IBAN)
    created = bank.consents.create(
        valid_until=TOMORROW,
        access=ConsentAccess(accounts=[account], balances=[account]),
        recurring_indicator=False,
        frequency_per_day=1,
    )
    consent = bank.consents.get(created.consent_id)
    assert (consent.valid_until, consent.frequency_per_day, consent.recurring_indicator) == (TOMORROW, 1, False)
    assert consent.access is not None
    assert consent.access.accounts is not None
    assert consent.access.accounts[0].iban == IBAN
    bank.consents.delete(created.consent_id)
    assert bank.consents.status(created.consent_id) == "terminatedByTpp"
    with pytest.raises(ConsentInvalidError) as caught:
        bank.consents.get("nobody-has-this-id")
    assert caught.value.code == "CONSENT_UNKNOWN"


def test_the_steps_can_be_taken_alone(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    raw = bank.with_raw_response.consents.create(valid_until=TOMORROW)
    assert raw.status_code == 201
    id_ = raw.parsed.consent_id
    started = bank.consents.start_authorisation(id_)
    assert simulator.requests[-1].headers["content-type"] == "application/json"
    assert simulator.requests[-1].headers["psu-id"] == "example-user"
    method = (started.sca_methods or [])[0].authentication_method_id
    selected = bank.with_raw_response.consents.select_method(
        id_, authorisation_id=started.authorisation_id, authentication_method_id=method
    )
    assert selected.headers["aspsp-sca-approach"] == "REDIRECT"
    status = bank.consents.sca_status(id_, authorisation_id=started.authorisation_id)
    assert status.sca_status == selected.parsed.sca_status == "scaMethodSelected"
    assert simulator.requests[-1].headers["psu-id"] == "example-user"


def test_a_bank_may_give_its_link_at_once(op: OpenPayments, simulator: Simulator) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    simulator.misbehave(CONSENTS, body=started(_links={"scaRedirect": "/r?state=[TPP_STATE]"}), status=201)
    authorisation = consents.authorise("c")
    assert authorisation.approach is Approach.REDIRECT
    assert authorisation.redirect_url(redirect_uri=CALLBACK, state="s") == f"{simulator.auth_url}/r?state=s"
    assert simulator.requests[-1].method == "POST"


def test_a_bank_may_say_early_which_way(op: OpenPayments, simulator: Simulator) -> None:
    offered = [{"authenticationMethodId": "mbid"}]
    simulator.misbehave(
        CONSENTS,
        body=started(scaMethods=offered),
        status=201,
        headers={"ASPSP-SCA-Approach": "DECOUPLED"},
    )
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", "_links": {"scaOAuth": "/o?[TPP_STATE]"}})
    authorisation = op.at_bank("ESSESESS", SOMEBODY).consents.authorise("c")
    assert authorisation.approach is Approach.DECOUPLED
    assert simulator.requests[-1].method == "PUT"


CHOSEN = {
    "chosenScaMethod": {"authenticationType": "PUSH_OTP", "authenticationMethodId": "mbid_animated_qr_token"},
    "challengeData": {"data": ["t0ken"]},
}


@pytest.mark.parametrize("method", [None, "mbid_animated_qr_token"])
def test_a_bank_may_choose_the_method_by_itself(op: OpenPayments, simulator: Simulator, method: str | None) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    decoupled = {"ASPSP-SCA-Approach": "DECOUPLED"}
    simulator.misbehave(CONSENTS, body=started(**CHOSEN), status=201, headers=decoupled)
    authorisation = consents.authorise("c", method)
    assert authorisation.approach is Approach.DECOUPLED
    assert authorisation.challenge is not None
    assert authorisation.challenge.qr_content == "t0ken"
    assert simulator.requests[-1].method == "POST"


def test_another_method_than_the_bank_chose_is_selected(op: OpenPayments, simulator: Simulator) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    decoupled = {"ASPSP-SCA-Approach": "DECOUPLED"}
    simulator.misbehave(CONSENTS, body=started(**CHOSEN), status=201, headers=decoupled)
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", "challengeData": {"data": ["t0ken"]}})
    authorisation = consents.authorise("c", "mbid")
    assert authorisation.challenge is not None
    assert "autostarttoken=t0ken" in str(authorisation.challenge.app_link())
    # and without saying which way, the one that the bank chose is selected
    simulator.misbehave(CONSENTS, body=started(chosenScaMethod=CHOSEN["chosenScaMethod"]), status=201)
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHOSEN})
    authorisation = consents.authorise("c")
    assert authorisation.challenge is not None
    assert authorisation.challenge.is_animated


@pytest.mark.parametrize("id_", [None, "", "..", "../x", "a/..", True])
def test_an_answer_with_an_id_that_is_none_is_unreadable(op: OpenPayments, simulator: Simulator, id_: Any) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    simulator.misbehave(CONSENTS, body={**started(), "authorisationId": id_}, status=201, times=2)
    for call in (consents.authorise, consents.start_authorisation):
        with pytest.raises(UnreadableResponseError, match=r"authorisation(Id|_id)") as caught:
            call("c")
        assert caught.value.status_code == 201
        assert caught.value.request_id == simulator.requests[-1].headers["x-request-id"]
    simulator.misbehave(CONSENTS, body={"consentId": id_, "consentStatus": "received"}, status=201)
    with pytest.raises(UnreadableResponseError, match=r"consent(Id|_id)"):
        consents.create(valid_until=TOMORROW)
    assert {request.method for request in simulator.requests} == {"POST"}


def test_what_a_read_says_and_does_not_say(op: OpenPayments, simulator: Simulator) -> None:
    reads: list[dict[str, Any]] = [
        {"scaStatus": None},
        {"scaStatus": "started", "challengeData": {"data": ["1"]}},
        {"scaStatus": "started"},  # the last challenge holds
        {"scaStatus": "started", "challengeData": {}},
        {"scaStatus": None, "challengeData": {"data": ["2"]}},
        {"scaStatus": "authenticationStarted"},
        {"scaStatus": "finalised"},
    ]
    authorisation = op.at_bank("SWEDSESS", SOMEBODY).consents.resume({**SAVED, "method": "mbid_animated_qr_token"})
    for body in reads:
        simulator.misbehave(f"{CONSENTS}/c/authorisations", body=body)
    updates = [update for update in authorisation.updates(poll_interval=0.01)]
    assert [(one.sca_status, one.challenge and one.challenge.qr_content) for one in updates] == [
        ("received", None),
        ("started", "1"),
        ("started", "2"),
        ("authenticationStarted", None),
        ("finalised", None),
    ]
    for bad in ({"timeout": -1}, {"poll_interval": 0}):
        with pytest.raises(InvalidArgumentError):
            authorisation.updates(**bad)


def test_every_call_of_a_consents_life_says_who_the_user_is(op: OpenPayments, simulator: Simulator) -> None:
    always = {"x-bicfi", "tpp-redirect-preferred", "psu-ip-address", "psu-user-agent", "psu-id", "psu-corporate-id"}
    bank = op.at_bank("SWEDSESS", COMPANY, affiliated_aspsp="08999", redirect_preferred=False)
    consents = bank.consents
    id_ = consents.create(valid_until=TOMORROW).consent_id
    started = consents.start_authorisation(id_).authorisation_id
    consents.select_method(id_, authorisation_id=started, authentication_method_id="mbid")
    consents.sca_status(id_, authorisation_id=started)
    consents.authorisations(id_)
    consents.status(id_)
    consents.get(id_)
    simulator.approve(id_)
    bank.accounts(id_).list()
    consents.delete(id_)
    sent = [request for request in simulator.requests if "token" not in request.path]
    assert [
        {name for name in request.headers if name.startswith(("x-bic", "x-aff", "psu-", "tpp-", "consent-"))}
        for request in sent
    ] == [always | {"x-affiliatedaspsp-id"}, *[always] * 6, always | {"consent-id"}, always]
    for name in always:
        assert len({request.headers[name] for request in sent}) == 1


def test_an_iban_is_sent_without_spaces(op: OpenPayments, simulator: Simulator) -> None:
    spaced = "SE57 5000 0000 0000 0000 0017"
    access = ConsentAccess(
        accounts=[AccountReference(iban=spaced, currency="SEK")],
        balances=[AccountReference(iban=IBAN.lower(), currency="SEK")],
    )
    op.at_bank("ESSESESS", SOMEBODY).consents.create(valid_until=TOMORROW, access=access)
    assert simulator.consents[-1].access == {
        "accounts": [{"iban": IBAN, "currency": "SEK"}],
        "balances": [{"iban": IBAN, "currency": "SEK"}],
    }
    assert access.accounts is not None
    assert access.accounts[0].iban == spaced


@pytest.mark.openpayments_simulator(clock=(A_MORNING - timedelta(hours=12)).timestamp)
def test_the_last_day_may_be_past_here_and_may_be_counted(
    op: OpenPayments, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "today", lambda: A_MORNING)
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    consents.create(valid_until=date(2026, 3, 1))
    assert simulator.consents[-1].valid_until == date(2026, 3, 1)
    with pytest.raises(InvalidArgumentError, match="past"):
        consents.create(valid_until=date(2026, 2, 28))
    consents.create(valid_until=relativedelta(months=1))
    assert simulator.consents[-1].valid_until == date(2026, 4, 2)


def test_the_context_of_the_psu_wins(op: OpenPayments, simulator: Simulator) -> None:
    op.at_bank("ESSESESS", COMPANY).consents.create(valid_until=TOMORROW)
    assert simulator.consents[-1].context == "corporate"


def test_a_consent_is_never_asked_for_twice_by_itself(op: OpenPayments, simulator: Simulator) -> None:
    op.access_token()
    simulator.misbehave("/psd2/consent", close=True)
    with pytest.raises(OutcomeUnknownError):
        op.at_bank("ESSESESS", SOMEBODY).consents.create(valid_until=TOMORROW)
    assert len(simulator.requests) == 2


def test_a_missing_scope_is_told_by_the_call(simulator: Simulator) -> None:
    with simulator.client(api_scopes=["aspspinformation"]) as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        with pytest.raises(MissingScopeError, match="ACCOUNT_INFORMATION"):
            bank.consents.create(valid_until=TOMORROW)
        with pytest.raises(MissingScopeError):
            bank.accounts("c").list()
    assert simulator.requests == []


ACCOUNT = AccountReference(iban=IBAN)
IN_EUR = AccountReference(iban=IBAN, currency="EUR")
BBAN = AccountReference(bban="1", clearing_number="6000")
CLEARED = AccountReference(iban=IBAN, clearing_number="6000")


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("valid_until", {"valid_until": date(2020, 1, 1)}),
        ("valid_until", {"valid_until": "2020-01-01"}),
        ("valid_until", {"valid_until": "2030-02-30"}),
        ("valid_until", {"valid_until": "20300101"}),
        ("valid_until", {"valid_until": today()}),
        ("frequency_per_day", {"frequency_per_day": 0}),
        ("frequency_per_day", {"frequency_per_day": True}),
        ("recurring_indicator", {"recurring_indicator": "true"}),
        ("combined_service_indicator", {"combined_service_indicator": None}),
        ("valid_until", {"valid_until": relativedelta(days=-3)}),
        ("valid_until", {"valid_until": timedelta(days=-3)}),
        ("valid_until", {"valid_until": timedelta(hours=36)}),
        ("access", {"access": {}}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(bban="")])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(bban=" ")])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(iban=cast("Any", 57))])}),
        ("access", {"access": ConsentAccess(accounts=cast("Any", [{"iban": IBAN}]))}),
        ("access", {"access": ConsentAccess(accounts=cast("Any", [IBAN]))}),
        ("access", {"access": ConsentAccess(accounts=cast("Any", IBAN))}),
        ("access", {"access": ConsentAccess(accounts=cast("Any", AccountReference(iban=IBAN)))}),
        ("access", {"access": ConsentAccess(accounts=[ACCOUNT], balances=cast("Any", {"iban": IBAN}))}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(iban="SE5750000000000000000018")])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(iban="SE57")])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference()])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(iban=IBAN, bban="1")])}),
        (r"access\.accounts\[1\]\.iban", {"access": ConsentAccess(accounts=[BBAN, AccountReference(iban="SE57")])}),
        (r"access\.accounts\[0\]\.clearing_number", {"access": ConsentAccess(accounts=[CLEARED])}),
        ("access", {"access": ConsentAccess(balances=[ACCOUNT])}),
        ("access", {"access": ConsentAccess(accounts=[BBAN], transactions=[evolve(BBAN, clearing_number="6001")])}),
        ("access", {"access": ConsentAccess(accounts=[evolve(ACCOUNT, currency="SEK")], balances=[IN_EUR])}),
        ("access", {"access": ConsentAccess(accounts=[AccountReference(bban="1")], transactions=[ACCOUNT])}),
    ],
)
def test_a_bad_consent_is_refused_before_anything_is_sent(
    op: OpenPayments, simulator: Simulator, argument: str, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{argument}") as caught:
        op.at_bank("ESSESESS", SOMEBODY).consents.create(**{"valid_until": TOMORROW, **values})
    assert {caught.value.argument} == values.keys()
    assert "SE57" not in str(caught.value)
    assert simulator.requests == []


@pytest.mark.parametrize("id_", ["", ".", "..", "a/..", "..\\b", "a\r\nb", "\ud800", None, 5])
def test_a_bad_id_is_refused_before_anything_is_sent(op: OpenPayments, simulator: Simulator, id_: Any) -> None:
    consents = op.at_bank("ESSESESS", SOMEBODY).consents
    for call in (
        consents.get,
        consents.status,
        consents.delete,
        consents.authorise,
        consents.start_authorisation,
        consents.authorisations,
    ):
        with pytest.raises(InvalidArgumentError, match="consent_id"):
            call(id_)
    with pytest.raises(InvalidArgumentError, match="authorisation_id"):
        consents.sca_status("c", authorisation_id=id_)
    with pytest.raises(InvalidArgumentError, match="authorisation_id"):
        consents.select_method("c", authorisation_id=id_, authentication_method_id="mbid")
    assert simulator.requests == []


def test_a_callback_or_link_of_somebody_else_is_refused(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True)
    consent = bank.consents.create(valid_until=TOMORROW)
    authorisation = bank.consents.authorise(consent.consent_id)
    with pytest.raises(InvalidArgumentError, match="callback_url can't be used before"):
        authorisation.complete(f"{CALLBACK}?code=c&state=s")
    authorisation.redirect_url(redirect_uri=CALLBACK, state="mine")
    sent = len(simulator.requests)
    for callback in (f"{CALLBACK}?code=c&state=yours", f"{CALLBACK}?code=c"):
        with pytest.raises(CallbackRejectedError) as caught:
            authorisation.complete(callback)
        assert caught.value.authorisation_id == authorisation.authorisation_id
    saved = {**authorisation.to_dict(), "template": "https://evil.example/?state=[TPP_STATE]"}
    with pytest.raises(AuthorisationFailedError, match="auth host"):
        bank.consents.resume(saved).redirect_url(redirect_uri=CALLBACK)
    decoupled = bank.consents.resume({**saved, "approach": "decoupled", "template": None})
    with pytest.raises(InvalidArgumentError, match="no link"):
        decoupled.redirect_url(redirect_uri=CALLBACK)
    for bad in ({"timeout": 0}, {"poll_interval": -1}):
        with pytest.raises(InvalidArgumentError):
            decoupled.wait(**bad)
    assert len(simulator.requests) == sent
