"""How a user authorises: which method, what a failure says, and what is done about banks that say too little."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from openpayments_facade import (
    AnotherSignatureNeededError,
    APIError,
    Approach,
    AsyncOpenPayments,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    AuthorisationUpdate,
    CallbackRejectedError,
    InvalidArgumentError,
    Psu,
    ReauthorisationRequiredError,
    ServerError,
    TimedOutError,
)
from openpayments_facade._protocol.arguments import today
from openpayments_facade._protocol.patience import PATIENCE
from openpayments_facade._protocol.sca import STUCK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from openpayments_facade import AsyncAuthorisation
    from openpayments_facade.simulator import Simulator

CALLBACK = "https://app.example.com/callback"
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
FIRST_OF_TWO = evolve(SOMEBODY, id="99990101002", corporate_id="9999999990")
TOMORROW = today().date() + timedelta(days=1)
CONSENTS = "/psd2/consent/v1/consents"
STARTS, STATUSES = f"{CONSENTS}/*/authorisations", f"{CONSENTS}/*/authorisations/*"
DECOUPLED = {"ASPSP-SCA-Approach": "DECOUPLED"}
CHALLENGE = {"challengeData": {"data": ["t0ken"]}}


def methods(*ids: object) -> list[dict[str, object]]:
    return [{"authenticationType": "PUSH_OTP", "authenticationMethodId": id_} for id_ in ids]


def started(**more: Any) -> dict[str, Any]:
    """The answer of a bank that was asked to start an authorisation."""
    return {"authorisationId": "a", "scaStatus": "received", **more}


async def in_an_app(op: AsyncOpenPayments, psu: Psu = SOMEBODY, bic: str = "SWEDSESS") -> AsyncAuthorisation:
    bank = op.at_bank(bic, psu, redirect_preferred=False)
    return await bank.consents.authorise(await bank.consents.create(valid_until=TOMORROW))


async def to_the_end(authorisation: AsyncAuthorisation) -> list[AuthorisationUpdate]:
    return [update async for update in authorisation.updates(poll_interval=0.01)]


def asked(simulator: Simulator) -> list[str]:
    """What was asked of the bank about consents, without ids: `GET consent`, `GET authorisation`, ..."""
    found = []
    for request in simulator.requests:
        parts = request.path.removeprefix(CONSENTS).strip("/").split("/")
        if request.path.startswith(CONSENTS):
            found.append(f"{request.method} {'authorisation' if 'authorisations' in parts else 'consent'}")
    return found


# methods


@pytest.mark.parametrize(
    ("offered", "same_device", "selected"),
    [
        (["mbid", "mbid_animated_qr_token", "mbid_animated_qr_image"], False, "mbid_animated_qr_image"),
        (["mbid_same_device", "mbid", "mbid_animated_qr_token"], False, "mbid_animated_qr_token"),
        (["mbid_same_device", "mbid"], False, "mbid"),
        (["mbid_same_device", "a-card"], False, "a-card"),
        (["mbid_same_device"], False, "mbid"),
        (["a-card", "an-sms"], False, "a-card"),
        (["mbid", "mbid_animated_qr_token", "mbid_same_device"], True, "mbid_same_device"),
        (["mbid_animated_qr_token", "a-card", "mbid"], True, "mbid"),
        (["mbid_animated_qr_token", "a-card"], True, "a-card"),
        (["mbid_animated_qr_image", "mbid_animated_qr_token"], True, "mbid"),
        (["MBID_SAME_DEVICE", "MBID"], False, "MBID"),
        (["MBID", "MBID_SAME_DEVICE"], True, "MBID_SAME_DEVICE"),
        (["mbid", " mbid_animated_qr_token "], False, "mbid_animated_qr_token"),
    ],
)
@pytest.mark.parametrize("as_texts", [False, True])
async def test_the_method_suits_the_device(
    op: AsyncOpenPayments,
    simulator: Simulator,
    offered: list[str],
    same_device: bool,
    selected: str,
    as_texts: bool,
) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=offered if as_texts else methods(*offered)))
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHALLENGE}, headers=DECOUPLED)
    authorisation = await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c", same_device=same_device)
    assert authorisation.challenge is not None
    assert authorisation.challenge.method == selected
    assert asked(simulator) == ["POST authorisation", "PUT authorisation"]


async def test_on_the_same_device_there_is_a_link_and_no_code(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    authorisation = await bank.consents.authorise(await bank.consents.create(valid_until=TOMORROW), same_device=True)
    assert simulator.consents[-1].authorisations[-1].method == "mbid_same_device"
    assert authorisation.challenge is not None
    assert "autostarttoken=" in str(authorisation.challenge.app_link())
    assert (authorisation.challenge.qr_content, authorisation.challenge.qr_svg()) == (None, None)
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


NO_METHODS = [
    {},
    {"scaMethods": None},
    {"scaMethods": []},
    {"scaMethods": methods(None)},
    {"scaMethods": methods("")},
    {"scaMethods": methods({"id": 5})},
    {"scaMethods": methods("m" * 36)},
    {"scaMethods": methods(None), "chosenScaMethod": methods("m" * 36)[0]},
]


@pytest.mark.parametrize("same_device", [False, True])
@pytest.mark.parametrize("nothing", NO_METHODS)
async def test_without_methods_one_is_selected_by_its_name(
    op: AsyncOpenPayments, simulator: Simulator, nothing: dict[str, Any], same_device: bool
) -> None:
    simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change=nothing)
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=TOMORROW)
    authorisation = await bank.consents.authorise(consent, same_device=same_device)
    assert simulator.consents[-1].authorisations[-1].method == "mbid"
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


@pytest.mark.parametrize("nothing", NO_METHODS)
async def test_without_methods_a_bank_that_has_decided_goes_on_by_itself(
    op: AsyncOpenPayments, simulator: Simulator, nothing: dict[str, Any]
) -> None:
    # the header says so, or a challenge is there
    simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change=nothing, headers=DECOUPLED)
    simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change={**nothing, **CHALLENGE})
    bank = op.at_bank("HANDSESS", SOMEBODY)
    for status in ("authenticationStarted", "psuAuthenticated", "scaMethodSelected"):
        change = {**nothing, "scaStatus": status}
        simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change=change)
    for challenge in (False, True, False, False, False):
        consent = await bank.consents.create(valid_until=TOMORROW)
        authorisation = await bank.consents.authorise(consent)
        assert authorisation.approach is Approach.DECOUPLED
        assert (authorisation.challenge is not None) == challenge
        assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert "PUT authorisation" not in asked(simulator)


@pytest.mark.parametrize("code", ["BANKID_NOT_ACTIVATED", "PSU_CREDENTIALS_INVALID", "CONSENT_EXPIRED"])
async def test_a_refusal_that_has_a_reason_is_raised(op: AsyncOpenPayments, simulator: Simulator, code: str) -> None:
    consents = op.at_bank("HANDSESS", SOMEBODY).consents
    consent = await consents.create(valid_until=TOMORROW)
    simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change={"scaStatus": "started"})
    reason = {"tppMessages": [{"category": "ERROR", "code": code}]}
    simulator.misbehave(STATUSES, method="PUT", status=400, body=reason)
    with pytest.raises(APIError, match=code):
        await consents.authorise(consent)


@pytest.mark.parametrize("status", [400, 404, 405, 409])
async def test_a_bank_that_offers_nothing_and_refuses_a_method_goes_on_by_itself(
    op: AsyncOpenPayments, simulator: Simulator, status: int
) -> None:
    bank = op.at_bank("HANDSESS", SOMEBODY)
    simulator.misbehave(STARTS, method="POST", without=["scaMethods"], change={"scaStatus": "started"}, times=3)
    simulator.misbehave(STATUSES, method="PUT", status=status, times=3)
    consent = await bank.consents.create(valid_until=TOMORROW)
    authorisation = await bank.consents.authorise(consent)
    assert (authorisation.approach, authorisation.challenge) == (Approach.DECOUPLED, None)
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    # unless the caller has named it; and if nothing comes of it, the error says why
    with pytest.raises(APIError):
        await bank.consents.authorise(consent, "mbid")
    never = op.at_bank("SWEDSESS", evolve(SOMEBODY, id="example-never-ends"))
    authorisation = await never.consents.authorise(await never.consents.create(valid_until=TOMORROW))
    with pytest.raises(AuthorisationTimeoutError) as caught:
        await authorisation.wait(timeout=0.05, poll_interval=0.01)
    assert isinstance(caught.value.__cause__, APIError)
    assert caught.value.__cause__.status_code == status


@pytest.mark.parametrize(("offered", "same_device"), [("mbid_same_device", False), ("mbid_animated_qr_token", True)])
async def test_a_bank_that_offers_nothing_that_suits_is_told(
    op: AsyncOpenPayments, simulator: Simulator, offered: str, same_device: bool
) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods(offered)))
    simulator.misbehave(CONSENTS, status=400, code="SCA_METHOD_UNKNOWN")
    with pytest.raises(APIError) as caught:
        await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c", same_device=same_device)
    (note,) = caught.value.__notes__
    assert note == f"The bank offers only {offered}, for authorise(..., same_device={not same_device})."


@pytest.mark.parametrize(
    ("offered", "wanted", "same_device", "selected"),
    [
        (["mbid_animated_qr_image", "mbid_animated_qr_token"], ["mbid_animated_qr_token", "mbid"], False, 1),
        (["mbid_animated_qr_image", "MBID"], ("mbid_animated_qr_token", "mbid"), False, 1),
        (["a-card", "mbid_animated_qr_image"], ["mbid"], False, 0),
        (["mbid_same_device", "mbid"], ["mbid_same_device"], False, 1),
        (["mbid_animated_qr_token", "mbid_same_device", "mbid"], ["mbid_animated_qr_token", "mbid"], True, 2),
        (["mbid", "mbid_animated_qr_token"], [], False, 1),
    ],
)
async def test_of_several_methods_the_first_that_is_offered_is_selected(
    op: AsyncOpenPayments,
    simulator: Simulator,
    offered: list[str],
    wanted: Sequence[str],
    same_device: bool,
    selected: int,
) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods(*offered)))
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHALLENGE}, headers=DECOUPLED)
    consents = op.at_bank("SWEDSESS", SOMEBODY).consents
    authorisation = await consents.authorise("c", wanted, same_device=same_device)
    assert authorisation.challenge is not None
    assert authorisation.challenge.method == offered[selected]


@pytest.mark.parametrize("nothing", [{"body": ""}, {"status": 202, "body": " "}, {"status": 204}])
async def test_a_selection_may_be_answered_with_nothing(
    op: AsyncOpenPayments, simulator: Simulator, nothing: dict[str, Any]
) -> None:
    simulator.misbehave(STATUSES, method="PUT", **nothing)
    authorisation = await in_an_app(op)
    assert (authorisation.approach, authorisation.sca_status) == (Approach.DECOUPLED, "received")


async def test_a_bank_may_only_have_words_for_the_user(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods("mbid")))
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", "psuMessage": "Open your app and enter 42"})
    authorisation = await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c")
    assert authorisation.challenge is not None
    assert (authorisation.challenge.text, authorisation.challenge.token) == ("Open your app and enter 42", None)


LINK = {"href": "/r?state=[TPP_STATE]"}
METADATA = {"href": "/.well-known/oauth-authorization-server"}


@pytest.mark.parametrize(
    ("start", "begun", "select", "selected", "approach"),
    [
        # links only decide if the bank does not say that it is decoupled
        ("DECOUPLED", {"_links": {"scaRedirect": LINK}}, None, CHALLENGE, "decoupled"),
        # what comes later counts for more than what was announced, and a challenge for more than a word
        ("REDIRECT", {}, None, CHALLENGE, "decoupled"),
        ("EMBEDDED", {}, None, CHALLENGE, "decoupled"),
        ("EMBEDDED", {}, None, {"_links": {"scaRedirect": LINK}}, "redirect"),
        (None, {}, "REDIRECT", CHALLENGE, "decoupled"),
        (None, {}, "REDIRECT", {**CHALLENGE, "_links": {"scaRedirect": LINK}}, "redirect"),
        (None, {}, None, {"_links": {"scaRedirect": LINK}, "psuMessage": "Follow it"}, "redirect"),
        # the address of metadata is no page
        (None, {}, "REDIRECT", {"_links": {"scaOAuth": METADATA, "scaRedirect": LINK}}, "redirect"),
        (None, {"_links": {"scaOAuth": METADATA}}, None, CHALLENGE, "decoupled"),
        (None, {}, None, {"_links": {"scaOAuth": [LINK]}}, "oauth_redirect"),
    ],
)
async def test_the_way_is_told_by_what_can_be_used(
    op: AsyncOpenPayments,
    simulator: Simulator,
    start: str | None,
    begun: dict[str, Any],
    select: str | None,
    selected: dict[str, Any],
    approach: str,
) -> None:
    said = [{"ASPSP-SCA-Approach": each} if each else {} for each in (start, select)]
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods("mbid"), **begun), headers=said[0])
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **selected}, headers=said[1])
    authorisation = await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c")
    assert authorisation.approach == approach
    if authorisation.approach is Approach.DECOUPLED:
        assert authorisation.challenge is not None
    else:
        assert authorisation.redirect_url(redirect_uri=CALLBACK, state="s") == f"{simulator.auth_url}/r?state=s"


@pytest.mark.parametrize("headers", [{}, {"ASPSP-SCA-Approach": "REDIRECT"}])
async def test_a_link_to_metadata_alone_is_told(
    op: AsyncOpenPayments, simulator: Simulator, headers: dict[str, str]
) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods("mbid")))
    answer = {"scaStatus": "scaMethodSelected", "_links": {"scaOAuth": METADATA}}
    simulator.misbehave(CONSENTS, body=answer, headers=headers)
    with pytest.raises(AuthorisationFailedError, match="only the address of an OAuth server's metadata"):
        await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c")


async def test_a_method_that_the_caller_names_is_always_selected(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(), headers=DECOUPLED)
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHALLENGE})
    authorisation = await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c", "a-card")
    assert authorisation.challenge is not None
    assert authorisation.challenge.method == "a-card"


async def test_what_the_bank_chose_for_another_device_is_not_taken(op: AsyncOpenPayments, simulator: Simulator) -> None:
    consents = op.at_bank("SWEDSESS", SOMEBODY).consents
    offered = methods("mbid_same_device", "mbid_animated_qr_token")
    for same_device in (False, True):
        chosen: Any = offered[0 if same_device is False else 1]
        begun = started(scaMethods=offered, chosenScaMethod=chosen, **CHALLENGE)
        simulator.misbehave(CONSENTS, status=201, body=begun, headers=DECOUPLED)
        simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHALLENGE})
        authorisation = await consents.authorise("c", same_device=same_device)
        assert authorisation.challenge is not None
        assert authorisation.challenge.is_animated is not same_device
    # but a bank that has chosen well, in whichever form, is taken as it is
    begun = started(scaMethods=offered, chosenScaMethod="mbid_animated_qr_token", **CHALLENGE)
    simulator.misbehave(CONSENTS, status=201, body=begun, headers=DECOUPLED)
    assert (await consents.authorise("c")).challenge is not None
    assert simulator.requests[-1].method == "POST"
    # unless the caller prefers another
    offered = methods("mbid_animated_qr_image", "mbid_animated_qr_token")
    begun = started(scaMethods=offered, chosenScaMethod="mbid_animated_qr_image")
    simulator.misbehave(CONSENTS, status=201, body=begun, headers=DECOUPLED)
    simulator.misbehave(CONSENTS, body={"scaStatus": "started", **CHALLENGE})
    authorisation = await consents.authorise("c", ["mbid_animated_qr_token"])
    assert authorisation.challenge is not None
    assert authorisation.challenge.method == "mbid_animated_qr_token"
    # and so is one that offers nothing else
    offered = methods("mbid_same_device")
    begun = started(chosenScaMethod=offered[0], **CHALLENGE)
    simulator.misbehave(CONSENTS, status=201, body=begun, headers=DECOUPLED)
    assert (await consents.authorise("c")).challenge is not None
    assert simulator.requests[-1].method == "POST"


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("method", {"method": "mbid_animated_qr_token", "same_device": True}),
        ("method", {"method": "a-card", "same_device": True}),
        ("method", {"method": "m" * 36}),
        ("method", {"method": ["mbid", "m" * 36]}),
        ("method", {"method": ["mbid", None]}),
        ("method", {"method": {"mbid"}}),
        ("same_device", {"same_device": "yes"}),
        ("same_device", {"same_device": None}),
    ],
)
async def test_arguments_that_contradict_each_other_are_refused(
    op: AsyncOpenPayments, simulator: Simulator, argument: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c", **wrong)
    assert caught.value.argument == argument
    assert simulator.requests == []


@pytest.mark.parametrize("method", ["mbid", "mbid_same_device"])
async def test_arguments_may_agree(op: AsyncOpenPayments, simulator: Simulator, method: str) -> None:
    bank = op.at_bank("SWEDSESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=TOMORROW)
    await bank.consents.authorise(consent, method, same_device=True)
    assert simulator.consents[-1].authorisations[-1].method == method


# failures


@pytest.mark.parametrize(
    ("psu_id", "code", "helps"),
    [
        ("99990101004", "AUTHENTICATION_SESSION_EXPIRED", True),
        ("99990101005", "BANKID_NOT_ACTIVATED", False),
        ("example-has-no-rights", "PSU_RIGHTS_MISSING", False),
        ("example-fails", "failed", None),
    ],
)
@pytest.mark.parametrize("bic", ["SWEDSESS", "HANDSESS"])
async def test_a_failure_says_why_and_whether_trying_again_helps(
    op: AsyncOpenPayments, bic: str, psu_id: str, code: str, helps: bool | None
) -> None:
    with pytest.raises(AuthorisationFailedError) as caught:
        # at HANDSESS it has failed before there is anything to wait for
        await (await in_an_app(op, evolve(SOMEBODY, id=psu_id), bic)).wait(poll_interval=0.01)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.code, error.sca_status, error.trying_again_helps) == (code, "failed", helps)
    assert error.consent_id in str(error)
    if helps is None:
        assert (error.text, error.messages) == (None, ())
        assert str(error).endswith("ended as failed")
    else:
        (message,) = error.messages
        assert (message.code, message.text) == (code, error.text)
        assert str(error).endswith(f"ended as failed: {code}: {error.text}")


async def test_a_user_who_declines_may_decide_anew(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    simulator.decline(authorisation.consent_id)
    with pytest.raises(AuthorisationFailedError, match="USER_CANCEL") as caught:
        await authorisation.poll()
    assert caught.value.trying_again_helps is True
    with pytest.raises(AuthorisationFailedError, match="USER_CANCEL"):
        await to_the_end(authorisation)


CANCEL = {"category": "ERROR", "code": "USER_CANCEL", "text": "no, thanks"}
RIGHTS = {"category": "ERROR", "code": "PSU_RIGHTS_MISSING", "text": "not yours"}
WARNING = {"category": "WARNING", "code": "SLOW", "text": "the bank is slow"}


@pytest.mark.parametrize(
    ("body", "code", "text", "helps"),
    [
        ({"tppMessages": [CANCEL, RIGHTS]}, "USER_CANCEL", "no, thanks", True),
        ({"tppMessages": [WARNING, RIGHTS]}, "PSU_RIGHTS_MISSING", "not yours", False),
        ({"tppMessages": [WARNING]}, "SLOW", "the bank is slow", None),
        ({"tppMessage": CANCEL}, "USER_CANCEL", "no, thanks", True),
        ({"tppMessage": [CANCEL]}, "USER_CANCEL", "no, thanks", True),
        ({"tppMessages": [], "tppMessage": [CANCEL]}, "USER_CANCEL", "no, thanks", True),
        ({"tppMessages": [{"category": "ERROR", "code": "NEW_ONE"}]}, "NEW_ONE", None, None),
        ({"tppMessages": [{"category": "ERROR", "code": "NEW"}, CANCEL]}, "NEW", "no, thanks", True),
        ({"tppMessages": [{"category": 1, "code": 17, "text": 4.5}]}, "failed", None, None),
        (CANCEL, "USER_CANCEL", "no, thanks", True),
        ({"tppMessages": [CANCEL], "scaStatus": "FAILED"}, "USER_CANCEL", "no, thanks", True),
        # such a code says it by itself
        ({"tppMessages": [CANCEL], "scaStatus": None}, "USER_CANCEL", "no, thanks", True),
        ({"psuMessage": "Ring your bank", "tppMessages": [{"code": "X"}]}, "X", "Ring your bank", None),
        ({"tppMessages": [{"category": "ERROR", "code": None, "text": ["x"]}]}, "failed", None, None),
        ({"tppMessage": 5.5}, "failed", None, None),
        ({"tppMessages": [{"category": "ERROR", "code": "C", "text": "x" * 9999}]}, "C", "x" * 512, None),
    ],
)
async def test_whatever_shape_a_reason_has(
    op: AsyncOpenPayments,
    simulator: Simulator,
    body: dict[str, Any],
    code: str,
    text: str | None,
    helps: bool | None,
) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, body={"scaStatus": "failed", **body})
    with pytest.raises(AuthorisationFailedError) as caught:
        await authorisation.wait(poll_interval=0.01)
    assert (caught.value.code, caught.value.text, caught.value.trying_again_helps) == (code, text, helps)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"psuMessage": "Ring your bank"}, "failed", "Ring your bank"),
        ({"psuMessage": "Ring your bank", "tppMessages": [CANCEL]}, "USER_CANCEL", "no, thanks"),
        ({"psuMessage": "x" * 9999}, "failed", "x" * 512),
        ({"psuMessage": ""}, "failed", None),
        ({"psuMessage": {"a": 1}}, "failed", None),
    ],
)
async def test_a_text_for_the_user_is_a_reason_without_another(
    op: AsyncOpenPayments, simulator: Simulator, body: dict[str, Any], code: str, text: str | None
) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods("mbid")))
    simulator.misbehave(CONSENTS, body={"scaStatus": "failed", **body})
    with pytest.raises(AuthorisationFailedError) as caught:
        await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c")
    assert (caught.value.code, caught.value.text) == (code, text)


async def test_a_reason_does_not_show_a_token(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    token = await op.access_token()
    odd = {"category": "ERROR", "code": "C", "text": f"not with Bearer {token}"}
    simulator.misbehave(STATUSES, body={"scaStatus": "failed", "tppMessages": [odd]})
    with pytest.raises(AuthorisationFailedError, match="not with Bearer") as caught:
        await authorisation.wait(poll_interval=0.01)
    for said in (str(caught.value), caught.value.text, caught.value.messages[0].text):
        assert token not in str(said)


async def test_a_reason_can_not_steer_a_terminal(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    odd = {"category": "ERROR", "code": "A\nB", "text": "\x1b[31mred"}
    simulator.misbehave(STATUSES, body={"scaStatus": "failed", "tppMessages": [odd]})
    with pytest.raises(AuthorisationFailedError) as caught:
        await authorisation.poll()
    assert str(caught.value).isprintable()
    assert caught.value.text == "[31mred"


async def test_a_consent_that_is_lost_says_why(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, body={"scaStatus": "finalised", "tppMessages": [WARNING]}, times=2)
    for more, code in ({"tppMessages": [RIGHTS]}, "PSU_RIGHTS_MISSING"), ({}, "SLOW"):
        simulator.misbehave(CONSENTS, method="GET", body={"consentStatus": "rejected", **more})
        with pytest.raises(AuthorisationFailedError, match="is rejected: ") as caught:
            await authorisation.wait(poll_interval=0.01)
        assert (caught.value.code, caught.value.sca_status) == (code, "finalised")


async def test_a_bank_that_asks_for_what_there_is_not_says_why(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(CONSENTS, status=201, body=started(scaMethods=methods("mbid")))
    answer = {"scaStatus": "started", "tppMessages": [WARNING]}
    simulator.misbehave(CONSENTS, body=answer, headers={"ASPSP-SCA-Approach": "EMBEDDED"})
    with pytest.raises(AuthorisationFailedError, match="embedded approach") as caught:
        await op.at_bank("SWEDSESS", SOMEBODY).consents.authorise("c")
    assert (caught.value.consent_id, caught.value.authorisation_id) == ("c", "a")
    assert (caught.value.code, caught.value.messages[0].text) == ("SLOW", "the bank is slow")


# banks that say too little


@pytest.mark.openpayments_simulator(decoupled_reads=2)
async def test_a_missing_status_is_looked_for_in_the_consent(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, method="GET", times=None, without=["scaStatus"])
    before = len(asked(simulator))
    updates = await to_the_end(authorisation)
    assert (updates[-1].is_over, updates[-1].challenge) == (True, None)
    assert not any(update.is_over for update in updates[:-1])
    # the consent is looked at once when the status is missing, and then every few reads
    reads = asked(simulator)[before:]
    assert reads == ["GET authorisation", "GET consent", *["GET authorisation"] * (STUCK - 1), "GET consent"]
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert asked(simulator)[before + len(reads) :] == ["GET consent"]


@pytest.mark.openpayments_simulator(decoupled_reads=2)
async def test_a_status_that_is_stuck_is_looked_for_in_the_consent(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, method="GET", times=None, change={"scaStatus": "started"})
    before = len(asked(simulator))
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert asked(simulator)[before:] == [*["GET authorisation"] * STUCK, *["GET consent"] * 2]
    assert authorisation.sca_status == "started"


async def test_a_user_who_takes_their_time_costs_few_looks(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op, evolve(SOMEBODY, id="example-never-ends"))
    before = len(asked(simulator))
    reads: list[str] = []
    while reads.count("GET authorisation") < 3 * STUCK:
        with pytest.raises(AuthorisationTimeoutError, match="SCA status started"):
            await authorisation.wait(timeout=0.1, poll_interval=0.01)
        reads = asked(simulator)[before:]
    assert 3 <= reads.count("GET consent") <= reads.count("GET authorisation") / STUCK


@pytest.mark.parametrize(
    "odd", [{"without": ["scaStatus", "tppMessages"]}, {"change": {"scaStatus": "started", "tppMessages": []}}]
)
async def test_a_consent_that_is_lost_ends_it(op: AsyncOpenPayments, simulator: Simulator, odd: dict[str, Any]) -> None:
    for follow in (lambda one: one.wait(poll_interval=0.01), to_the_end):
        authorisation = await in_an_app(op)
        fault = simulator.misbehave(STATUSES, method="GET", times=None, **odd)
        simulator.decline(authorisation.consent_id)
        with pytest.raises(AuthorisationFailedError, match=r"is rejected$") as caught:
            await follow(authorisation)
        assert caught.value.code == "rejected"
        fault.cancel()


async def test_a_page_that_asks_again_and_again_sees_the_end(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    consents = op.at_bank("SWEDSESS", SOMEBODY).consents
    simulator.misbehave(STATUSES, method="GET", times=None, change={"scaStatus": None})
    first = await consents.resume(authorisation.to_dict()).poll()
    assert (first.is_over, first.challenge is None) == (False, False)
    simulator.approve(authorisation.consent_id)
    resumed = consents.resume(authorisation.to_dict())
    last = await resumed.poll()
    assert (last.is_over, last.challenge) == (True, None)
    assert (await resumed.wait()).consent_status == "valid"
    assert (await consents.resume(authorisation.to_dict()).wait()).consent_status == "valid"
    other = await in_an_app(op)
    simulator.decline(other.consent_id)
    with pytest.raises(AuthorisationFailedError, match="ended as failed: USER_CANCEL"):
        await other.poll()


async def test_a_page_that_keeps_the_authorisation_sees_a_status_that_is_stuck(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, method="GET", times=None, change={"scaStatus": "started"})
    simulator.approve(authorisation.consent_id)
    before = len(asked(simulator))
    updates = [await authorisation.poll() for _ in range(STUCK)]
    assert [update.is_over for update in updates] == [*[False] * (STUCK - 1), True]
    assert asked(simulator)[before:] == [*["GET authorisation"] * STUCK, "GET consent"]
    # one that resumes it each time can't count, and looks each time
    assert (await op.at_bank("SWEDSESS", SOMEBODY).consents.resume(authorisation.to_dict()).poll()).is_over


@pytest.mark.parametrize("status", ["VALID", "Valid"])
async def test_statuses_are_recognised_in_any_case(op: AsyncOpenPayments, simulator: Simulator, status: str) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, change={"scaStatus": "FINALISED"})
    simulator.misbehave(CONSENTS, method="GET", body={"consentStatus": status})
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == status
    for lost in ("REJECTED", "Revokedbypsu"):
        simulator.misbehave(CONSENTS, method="GET", body={"consentStatus": lost})
        with pytest.raises(AuthorisationFailedError, match=f"(?i)is {lost}"):
            await authorisation.wait(poll_interval=0.01)


# banks and networks that fail for a moment

EMPTY: list[Any] = []
ODD_ANSWERS: list[dict[str, Any]] = [
    *({"status": status} for status in (204, 400, 403, 404, 409, 500)),
    {"code": "FORMAT_ERROR"},
    *({"body": body} for body in ("", "null", '"finalised"', EMPTY, {"status": "finalised"})),
    {"body": "<h1>Busy</h1>", "content_type": "text/html"},
    {"close": True},
]


@pytest.fixture
async def hasty(simulator: Simulator) -> AsyncIterator[AsyncOpenPayments]:
    """A client that tries nothing again by itself."""
    async with simulator.async_client(max_retries=0) as op:
        yield op


@pytest.mark.parametrize("odd", ODD_ANSWERS)
async def test_one_odd_answer_ends_nothing(hasty: AsyncOpenPayments, simulator: Simulator, odd: dict[str, Any]) -> None:
    authorisation = await in_an_app(hasty)
    fault = simulator.misbehave(STATUSES, method="GET", **odd)
    before = len(asked(simulator))
    assert not (await authorisation.poll()).is_over
    assert (fault.used, asked(simulator)[before:]) == (1, ["GET authorisation", "GET consent"])
    # also when the status is never read again, once it is finished
    simulator.approve(authorisation.consent_id)
    fault = simulator.misbehave(STATUSES, method="GET", times=None, **odd)
    updates = await to_the_end(authorisation)
    assert (updates[-1].is_over, fault.used) == (True, 1)
    # and when the consent itself is read in the end
    fault.cancel()
    fault = simulator.misbehave(CONSENTS, method="GET", times=PATIENCE - 1, **odd)
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert fault.used == PATIENCE - 1


@pytest.mark.parametrize("code", ["USER_CANCEL", "user_cancel"])
async def test_the_banks_reason_ends_it_also_in_an_error_status(
    hasty: AsyncOpenPayments, simulator: Simulator, code: str
) -> None:
    authorisation = await in_an_app(hasty)
    reason = {"tppMessages": [{"category": "ERROR", "code": code}]}
    simulator.misbehave(STATUSES, method="GET", status=403, body=reason)
    with pytest.raises(AuthorisationFailedError) as caught:
        await authorisation.wait()
    assert (caught.value.code, caught.value.trying_again_helps) == (code, True)


async def test_a_failure_that_lasts_is_not_waited_out(hasty: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(hasty)
    fault = simulator.misbehave(CONSENTS, method="GET", times=None, status=503)
    for _ in range(2):  # each time anew
        before = fault.used
        with pytest.raises(ServerError):
            await authorisation.wait(poll_interval=0.01)
        assert fault.used == before + PATIENCE
    with pytest.raises(ServerError):
        await authorisation.poll()
    fault.cancel()
    # a page that polls waits for one call alone
    slow = simulator.misbehave(CONSENTS, method="GET", times=None, delay=1)
    at = hasty.with_options(total_timeout=0.1).at_bank("SWEDSESS", SOMEBODY).consents
    with pytest.raises(TimedOutError):
        await at.resume(authorisation.to_dict()).poll()
    assert slow.used == 1
    slow.cancel()
    fault = simulator.misbehave(CONSENTS, method="GET", times=None, status=503)
    # what ran out of time says why
    with pytest.raises(ServerError):
        await authorisation.wait(timeout=0.01, poll_interval=60)
    fault.cancel()
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


async def test_everybody_who_waits_raises_an_error_of_their_own(hasty: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(hasty)
    raised = []

    async def watch() -> None:
        async for _ in authorisation.updates(timeout=0.001):
            simulator.misbehave(CONSENTS, method="GET", times=None, status=503)
            for _ in range(2):
                with pytest.raises(ServerError) as polled:
                    await authorisation.poll()
                raised.append(polled.value)

    with pytest.raises(ServerError) as caught:
        await watch()
    raised.append(caught.value)
    assert len({id(error) for error in raised}) == 3
    assert raised[2].request_id == raised[1].request_id  # though it says the same


@pytest.mark.parametrize(
    ("status", "code"), [(429, "ACCESS_EXCEEDED"), (403, "CONSENT_UNKNOWN"), (401, "CERTIFICATE_EXPIRED")]
)
async def test_a_refusal_that_will_not_pass_ends_it(
    hasty: AsyncOpenPayments, simulator: Simulator, status: int, code: str
) -> None:
    authorisation = await in_an_app(hasty)
    fault = simulator.misbehave(STATUSES, method="GET", times=None, status=status, code=code)
    with pytest.raises(APIError, match=code):
        await authorisation.wait(poll_interval=0.01)
    assert fault.used == 1


async def test_a_timeout_says_that_the_status_could_not_be_read(hasty: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(hasty, evolve(SOMEBODY, id="example-never-ends"))
    simulator.misbehave(STATUSES, method="GET", times=None, code="FORMAT_ERROR")
    with pytest.raises(AuthorisationTimeoutError) as caught:
        await authorisation.wait(timeout=0.3, poll_interval=0.01)
    assert isinstance(caught.value.__cause__, APIError)


async def test_a_failure_of_the_token_endpoint_that_passes_ends_nothing(
    hasty: AsyncOpenPayments, simulator: Simulator
) -> None:
    authorisation = await in_an_app(hasty)
    simulator.misbehave(STATUSES, method="GET", code="TOKEN_EXPIRED")
    fault = simulator.misbehave("/connect/token", status=503, headers={"Retry-After": "0"})
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert fault.used == 1


async def test_a_look_that_fails_ends_nothing(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation = await in_an_app(op)
    simulator.misbehave(STATUSES, method="GET", times=STUCK, without=["scaStatus"])
    refusals = [simulator.misbehave(CONSENTS, method="GET", code="CONSENT_INVALID")]
    refusals.append(simulator.misbehave(CONSENTS, method="GET", body="<h1>Busy</h1>", content_type="text/html"))
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"
    assert [refusal.used for refusal in refusals] == [1, 1]


# several signatures


def grace(monkeypatch: pytest.MonkeyPatch, authorisation: AsyncAuthorisation, seconds: float) -> None:
    monkeypatch.setattr(sys.modules[type(authorisation).__module__], "GRACE", seconds)


async def test_the_first_of_two_does_not_wait_for_the_second(
    op: AsyncOpenPayments, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    authorisation = await in_an_app(op, FIRST_OF_TWO)
    grace(monkeypatch, authorisation, 0.05)
    for _ in range(2):
        with pytest.raises(AnotherSignatureNeededError, match="others have to sign") as caught:
            await authorisation.wait(timeout=600, poll_interval=0.01)
        assert caught.value.authorisation_id == authorisation.authorisation_id
        assert caught.value.consent_id == authorisation.consent_id
    assert isinstance(copy.copy(caught.value), AuthorisationTimeoutError)
    second = evolve(FIRST_OF_TWO, id="99990101000")
    another = await op.at_bank("SWEDSESS", second).consents.authorise(authorisation.consent_id)
    assert (await another.wait(poll_interval=0.01)).consent_status == "valid"
    assert (await authorisation.wait()).consent_status == "valid"


async def test_the_timeout_may_be_shorter_than_the_grace(op: AsyncOpenPayments) -> None:
    authorisation = await in_an_app(op, FIRST_OF_TWO)
    await to_the_end(authorisation)
    with pytest.raises(AnotherSignatureNeededError):
        await authorisation.wait(timeout=0.1, poll_interval=0.01)


async def test_a_bank_may_only_be_late_to_notice_the_last_signature(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    authorisation = await in_an_app(op)
    partly = {"consentStatus": "partiallyAuthorised"}
    await to_the_end(authorisation)
    simulator.misbehave(CONSENTS, times=3, body=partly)
    assert (await authorisation.wait(poll_interval=0.01)).consent_status == "valid"


async def test_who_has_not_signed_yet_is_not_told_that_others_have_to(op: AsyncOpenPayments) -> None:
    first = await in_an_app(op, FIRST_OF_TWO)
    await to_the_end(first)
    never = evolve(FIRST_OF_TWO, id="example-never-ends")
    second = await op.at_bank("SWEDSESS", never).consents.authorise(first.consent_id)
    for _ in range(STUCK):  # now it knows the consent
        await second.poll()
    with pytest.raises(AuthorisationTimeoutError, match="status partiallyAuthorised") as caught:
        await second.wait(timeout=0.1, poll_interval=0.01)
    assert not isinstance(caught.value, AnotherSignatureNeededError)


# callbacks


async def in_the_browser(op: AsyncOpenPayments, bic: str = "ESSESESS") -> tuple[AsyncAuthorisation, str]:
    """An authorisation by redirect, and the address that its browser comes back to."""
    bank = op.at_bank(bic, SOMEBODY, redirect_preferred=True)
    authorisation = await bank.consents.authorise(await bank.consents.create(valid_until=TOMORROW))
    url = authorisation.redirect_url(redirect_uri=CALLBACK)
    return authorisation, f"{CALLBACK}?state={url.state}"


@pytest.mark.parametrize(
    ("more", "code", "helps", "said"),
    [
        ("", None, None, "neither a code nor an error"),
        ("&code=", None, None, "neither a code nor an error"),
        ("&scope=accountinformation", None, None, "neither a code nor an error"),
        ("#code=c", None, None, "neither a code nor an error"),
        ("&code=a%0Ab", None, None, "can't be used"),
        ("&error=access_denied&error_description=no", "access_denied", None, r"\(access_denied: no\)"),
        ("&error=access_denied&error_description=USER_CANCEL+(1)", "access_denied", True, "USER_CANCEL"),
        ("&Error=access_denied&Error_Description=PSU_RIGHTS_MISSING", "access_denied", False, "PSU_RIGHTS"),
        ("&amp;error=server_error", "server_error", None, r"\(server_error\)"),
        ("&error=", None, None, "neither a code nor an error"),
        ("&error_description=too+late", None, None, "too late"),
        ("&code=c&error=access_denied", "access_denied", None, "access_denied"),
    ],
)
async def test_a_callback_without_a_code_is_a_failure(
    op: AsyncOpenPayments, simulator: Simulator, more: str, code: str | None, helps: bool | None, said: str
) -> None:
    authorisation, callback = await in_the_browser(op)
    sent = len(simulator.requests)
    with pytest.raises(AuthorisationFailedError, match=said) as caught:
        await authorisation.complete(callback + more)
    error = caught.value
    assert not isinstance(error, CallbackRejectedError)
    assert (error.code, error.trying_again_helps, error.sca_status) == (code, helps, "scaMethodSelected")
    assert (error.consent_id, error.authorisation_id) == (authorisation.consent_id, authorisation.authorisation_id)
    assert len(simulator.requests) == sent
    # it may all have been a mistake of the browser's
    assert await authorisation.complete(simulator.visit(authorisation.redirect_url(redirect_uri=CALLBACK)))


@pytest.mark.openpayments_simulator(plain_redirect=True)
async def test_a_plain_redirect_comes_back_with_nothing(op: AsyncOpenPayments) -> None:
    authorisation, callback = await in_the_browser(op, "NDEASESS")
    assert await authorisation.complete(callback) is None
    with pytest.raises(AuthorisationFailedError, match="no thanks"):
        await authorisation.complete(f"{callback}&error_description=no+thanks")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=k0de",
        "?code=k0de&state=",
        "?code=k0de&state=of-another",
        "?code=k0de&state=mine&state=mine",
        "?code=k0de&state=mine&State=mine",
        "?code=k0de&code=k0de&state=mine",
        "?error=access_denied",
        "?error=a&error=b&state=mine",
        "#code=k0de&state=mine",
        "?code=k0de\udcff&state=mine",
        "//ex\u2100mple/?code=k0de&state=mine",
    ],
)
async def test_a_callback_of_somebody_else_is_rejected(op: AsyncOpenPayments, simulator: Simulator, query: str) -> None:
    authorisation, _ = await in_the_browser(op)
    authorisation.redirect_url(redirect_uri=CALLBACK, state="mine")
    sent = len(simulator.requests)
    with pytest.raises(CallbackRejectedError, match="may still go on") as caught:
        await authorisation.complete(query if query.startswith("//") else CALLBACK + query)
    assert "k0de" not in str(caught.value)
    assert (caught.value.code, caught.value.trying_again_helps) == (None, None)
    assert caught.value.consent_id == authorisation.consent_id
    assert len(simulator.requests) == sent


@pytest.mark.parametrize(
    "query",
    ["?code=k0de&amp;state=mine", "?state=mine&amp;code=k0de", "?Code=k0de&STATE=mine", "?code=k0de&state=mine&error="],
)
async def test_a_callback_may_be_spelt_in_other_ways(op: AsyncOpenPayments, simulator: Simulator, query: str) -> None:
    authorisation, _ = await in_the_browser(op)
    authorisation.redirect_url(redirect_uri=CALLBACK, state="mine")
    with pytest.raises(ReauthorisationRequiredError):  # it is sent, and the simulator knows no such code
        await authorisation.complete(CALLBACK + query)
    assert simulator.requests[-1].path == "/connect/token"


async def test_a_callback_that_quotes_its_secrets_is_masked(op: AsyncOpenPayments) -> None:
    authorisation, callback = await in_the_browser(op)
    state = callback.partition("state=")[2]
    callback += f"&code=a-long-code&error=a-long-code&error_description=no {state} for a-long-code"
    with pytest.raises(AuthorisationFailedError) as caught:
        await authorisation.complete(callback)
    assert (caught.value.code, caught.value.text) == ("***", "no *** for ***")
    assert state not in str(caught.value)


@pytest.mark.parametrize("callback", [None, 5, b"x?state=mine"])
async def test_what_is_no_string_is_the_callers_mistake(op: AsyncOpenPayments, callback: Any) -> None:
    authorisation, _ = await in_the_browser(op)
    with pytest.raises(InvalidArgumentError, match="callback_url"):
        await authorisation.complete(callback)


# links that lead elsewhere


@pytest.mark.openpayments_simulator(plain_redirect=True)
async def test_a_link_that_leads_elsewhere_can_be_had(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("NDEASESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=TOMORROW)
    links = {"scaRedirect": {"href": "https://bank.example/sign?id=1"}}
    simulator.misbehave(STATUSES, method="PUT", change={"_links": links})
    authorisation = await bank.consents.authorise(consent)
    with pytest.raises(AuthorisationFailedError, match="allow_elsewhere=True") as caught:
        authorisation.redirect_url(redirect_uri=CALLBACK)
    assert caught.value.consent_id == consent.consent_id
    resumed = bank.consents.resume(json.loads(json.dumps(authorisation.to_dict())))
    url = resumed.redirect_url(redirect_uri=CALLBACK, allow_elsewhere=True)
    assert (url, url.is_elsewhere) == ("https://bank.example/sign?id=1", True)
    # the browser does not come back, and nobody needs it to
    simulator.approve(consent.consent_id)
    assert (await resumed.wait(poll_interval=0.01)).consent_status == "valid"


async def test_a_link_to_the_auth_host_is_not_elsewhere(op: AsyncOpenPayments, simulator: Simulator) -> None:
    authorisation, _ = await in_the_browser(op)
    url = authorisation.redirect_url(redirect_uri=CALLBACK, allow_elsewhere=True)
    assert not url.is_elsewhere
    assert await authorisation.complete(simulator.visit(url))
