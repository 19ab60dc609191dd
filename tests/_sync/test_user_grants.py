# Written by `make unasync` from tests/_async/test_user_grants.py; do not edit.
"""The grants that involve a user, against the simulator's token endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openpayments_facade import (
    ApiScope,
    AuthenticationError,
    ClientStateError,
    InvalidArgumentError,
    MissingScopeError,
    OpenPayments,
    OutcomeUnknownError,
    ReauthorisationRequiredError,
    RequestError,
    TokenError,
    UnreadableResponseError,
    UserToken,
)

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

CALLBACK = "https://app.example.com/callback"
BOTH = [ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION]


def test_a_code_for_a_consent_is_exchanged(simulator: Simulator) -> None:
    code = simulator.issue_code(redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
    with simulator.client(api_scopes=BOTH) as op:
        token = op.oauth.exchange_code(code=code, redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
        assert token.scope == "accountinformation private"
        assert token.expires_in == 3600
        assert (token.refresh_token, token.refresh_count, token.status) == (None, None, None)
        headers = simulator.requests[-1].headers
        assert (headers["x-consentid"], headers["x-consentauthorisationid"]) == ("c", "a")
        assert token.access_token.reveal() != op.access_token()
        with pytest.raises(ReauthorisationRequiredError) as caught:
            op.oauth.exchange_code(code=code, redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
        assert (caught.value.code, caught.value.status_code) == ("invalid_grant", 400)
        assert code not in str(caught.value)


def test_a_code_for_a_payment_is_exchanged(simulator: Simulator) -> None:
    code = simulator.issue_code(
        redirect_uri=CALLBACK, payment_id="p", authorisation_id="a", scope="paymentinitiation corporate"
    )
    with simulator.client(api_scopes=BOTH, psu_context="corporate") as op:
        token = op.oauth.exchange_code(code=code, redirect_uri=CALLBACK, payment_id="p", authorisation_id="a")
    assert token.scope == "paymentinitiation corporate"
    headers = simulator.requests[-1].headers
    assert (headers["x-paymentid"], headers["x-paymentauthorisationid"]) == ("p", "a")


@pytest.mark.openpayments_simulator(refresh_tokens=True)
def test_a_users_token_is_refreshed_and_rotated(simulator: Simulator) -> None:
    code = simulator.issue_code(redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
    with simulator.client(api_scopes=BOTH) as op:
        first = op.oauth.exchange_code(code=code, redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
        assert first.refresh_token is not None
        assert first.refresh_token_expires_in is not None
        second = op.oauth.refresh(UserToken.from_dict(first.to_dict()))
        assert second.refresh_token not in {None, first.refresh_token}
        assert second.access_token != first.access_token
        assert second.refresh_count == 1
        with pytest.raises(ReauthorisationRequiredError):
            op.oauth.refresh(first)
        simulator.revoke_tokens()
        with pytest.raises(ReauthorisationRequiredError):
            op.oauth.refresh(second)


@pytest.mark.openpayments_simulator(refresh_tokens=True)
def test_the_headers_of_a_view_go_with_both_grants(simulator: Simulator) -> None:
    code = simulator.issue_code(redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
    with simulator.client(api_scopes=BOTH) as op:
        view = op.with_options(headers={"X-Mine": "1", "ACCEPT": "text/html"})
        token = view.oauth.exchange_code(code=code, redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
        view.oauth.refresh(token)
    sent = [request.headers for request in simulator.requests]
    assert [(headers["x-mine"], headers["accept"]) for headers in sent] == [("1", "application/json")] * 2


def test_a_server_that_does_not_rotate_leaves_the_refresh_token(op: OpenPayments, simulator: Simulator) -> None:
    old = UserToken.from_dict({"access_token": "a", "refresh_token": "r", "refresh_token_expires_in": 5})
    simulator.misbehave("/connect/token", body={"access_token": "b", "token_type": "bearer", "expires_in": 10})
    new = op.oauth.refresh(old)
    assert (new.access_token.reveal(), new.refresh_token) == ("b", old.refresh_token)
    assert (new.refresh_token_expires_in, new.expires_in) == (5, 10)


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_error_of_nothing_does_not_spend_the_code(simulator: Simulator, nothing: object) -> None:
    body = {"access_token": "t", "expires_in": 3600, "token_type": "Bearer", "error": nothing, "refresh_token": nothing}
    simulator.misbehave("/connect/token", body=body)
    with simulator.client(api_scopes=BOTH) as op:
        assert _exchange(op).access_token.reveal() == "t"


def test_a_server_without_refresh_tokens_means_a_new_authorisation(op: OpenPayments) -> None:
    old = UserToken.from_dict({"access_token": "a", "refresh_token": "r"})
    with pytest.raises(ReauthorisationRequiredError):
        op.oauth.refresh(old)
    with pytest.raises(InvalidArgumentError, match="no refresh token"):
        op.oauth.refresh(UserToken.from_dict({"access_token": "a"}))


def _exchange(op: OpenPayments) -> UserToken:
    return op.oauth.exchange_code(code="k0de", redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")


def _refresh(op: OpenPayments) -> UserToken:
    return op.oauth.refresh(UserToken.from_dict({"access_token": "a", "refresh_token": "r3fresh"}))


@pytest.mark.parametrize(
    ("fault", "kind", "may_be_used_up"),
    [
        ({"close": True}, OutcomeUnknownError, True),
        ({"status": 200, "body": "<p>", "content_type": "text/html"}, UnreadableResponseError, True),
        ({"status": 500, "body": ""}, TokenError, True),
        ({"status": 302, "body": ""}, TokenError, True),
        ({"status": 401, "body": {"error": "invalid_client"}}, AuthenticationError, False),
        ({"status": 200, "body": {"access_token": "a", "token_type": "mac"}}, UnreadableResponseError, True),
    ],
)
def test_what_goes_wrong_is_said_and_never_sent_twice(
    simulator: Simulator, fault: dict[str, Any], kind: type[RequestError], may_be_used_up: bool
) -> None:
    with simulator.client(api_scopes=BOTH) as op:
        for exchange in (True, False):
            simulator.reset()
            simulator.misbehave("/connect/token", **fault)
            with pytest.raises(kind) as caught:
                (_exchange(op) if exchange else _refresh(op))
            assert simulator.token_requests == 1
            assert caught.value.may_have_taken_effect is may_be_used_up
            for secret in ("r3fresh", "k0de", simulator.client_secret):
                assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("code", ""),
        ("code", "a\nb"),
        ("code", None),
        ("redirect_uri", "/callback"),
        ("consent_id", ""),
        ("consent_id", " a"),
        ("consent_id", "a\r\nX-Evil: 1"),
        ("consent_id", None),
        ("authorisation_id", ""),
        ("authorisation_id", "é"),
        ("payment_id", "p"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_sent(simulator: Simulator, argument: str, value: Any) -> None:
    good: dict[str, Any] = {"code": "c", "redirect_uri": CALLBACK, "consent_id": "c", "authorisation_id": "a"}
    with simulator.client(api_scopes=BOTH) as op:
        with pytest.raises(InvalidArgumentError) as caught:
            op.oauth.exchange_code(**{**good, argument: value})
        assert caught.value.argument == ("consent_id" if argument == "payment_id" else argument)
        token: Any = "a token"
        with pytest.raises(InvalidArgumentError, match="UserToken"):
            op.oauth.refresh(token)
    assert simulator.requests == []


def test_a_missing_scope_or_a_closed_client_is_refused_before_anything_is_sent(simulator: Simulator) -> None:
    op = simulator.client(api_scopes=["aspspinformation"])
    with pytest.raises(MissingScopeError, match="accountinformation"):
        op.oauth.exchange_code(code="c", redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
    op.close()
    with pytest.raises(ClientStateError):
        op.oauth.refresh(UserToken.from_dict({"access_token": "a", "refresh_token": "r"}))
    assert simulator.requests == []
