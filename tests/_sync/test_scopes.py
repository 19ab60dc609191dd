# Written by `make unasync` from tests/_async/test_scopes.py; do not edit.
"""Which token a call takes: any of the alternatives of its operation, in the PSU context that they allow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openpayments_client.operations import OPERATIONS

from openpayments_facade import InvalidScopeError, MissingScopeError, OpenPayments, TokenError, TokenEvent

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

Declare = Callable[..., None]


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Changes the alternatives of listing countries, written as in the description."""

    def change(*alternatives: str) -> None:
        scopes = tuple(tuple(words.split()) for words in alternatives)
        changed = OPERATIONS["get_countries_list"]._replace(scopes=scopes)
        monkeypatch.setitem(OPERATIONS, "get_countries_list", changed)

    return change


def scopes_of_tokens(simulator: Simulator, **options: Any) -> list[str]:
    """The scopes of the tokens that a client fetches to list countries."""
    events: list[TokenEvent] = []
    with simulator.client(on_token_event=events.append, **options) as op:
        op.countries.list()
        op.with_raw_response.countries.list()
    return [event.scope for event in events if event.kind == "fetched"]


@pytest.mark.parametrize("context", ["private", "corporate", None])
@pytest.mark.openpayments_simulator(require_psu_context=False)
def test_where_one_context_alone_is_allowed_the_call_takes_it(
    context: str | None, declare: Declare, simulator: Simulator
) -> None:
    declare("aspspinformation corporate")
    scopes = scopes_of_tokens(simulator, api_scopes=["aspspinformation"], psu_context=context)
    assert scopes == ["aspspinformation corporate"]


@pytest.mark.openpayments_simulator(require_psu_context=False)
@pytest.mark.parametrize(
    ("alternatives", "context", "taken"),
    [
        (["aspspinformation private", "aspspinformation corporate", "aspspinformation"], "corporate", "corporate"),
        (["aspspinformation private", "aspspinformation corporate", "aspspinformation"], None, ""),
        (["aspspinformation private", "aspspinformation corporate"], None, ""),
        (["aspspinformation corporate", "aspspinformation"], "private", "corporate"),
        (["aspspinformation corporate", "aspspinformation"], None, ""),
        (["aspspinformation"], "private", "private"),
        # what the application has not got does not count
        (["aspspinformation corporate", "paymentinitiation private"], "private", "corporate"),
    ],
)
def test_the_clients_context_is_kept_where_it_can_be(
    alternatives: list[str], context: str | None, taken: str, declare: Declare, simulator: Simulator
) -> None:
    declare(*alternatives)
    scopes = scopes_of_tokens(simulator, api_scopes=["aspspinformation"], psu_context=context)
    assert scopes == [f"aspspinformation {taken}".rstrip()]


def test_a_view_takes_it_too_and_other_calls_keep_theirs(
    declare: Declare, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "openpayments_facade")
    declare("aspspinformation corporate")
    with simulator.client() as op:
        op.with_options(psu_context="private").countries.list()
        said = [record.getMessage() for record in caplog.records if "context" in record.getMessage()]
        op.aspsps.list()
        assert op.token().scope.endswith(" private")
        assert op.psu_context == "private"
    assert said == ["get_countries_list takes a token with the context corporate, the only one that it allows"]
    assert simulator.token_requests == 2


def test_a_call_is_allowed_with_any_alternative(declare: Declare, simulator: Simulator) -> None:
    declare("paymentinitiation private", "paymentinitiation corporate", "aspspinformation private")
    assert scopes_of_tokens(simulator, api_scopes=["aspspinformation"]) == ["aspspinformation private"]


def test_a_missing_scope_names_all_that_would_do(declare: Declare, simulator: Simulator) -> None:
    declare(
        "aspspinformation private",
        "aspspinformation corporate",
        "accountinformation private",
        "accountinformation bankgiroinformation corporate",
    )
    with simulator.client(api_scopes=["paymentinitiation"]) as op:
        with pytest.raises(MissingScopeError) as caught:
            op.countries.list()
    assert caught.value.scope == "aspspinformation"
    assert str(caught.value) == (
        "GET /psd2/aspspinformation/v1/countries needs the API scope 'aspspinformation' or 'accountinformation', but "
        "this client has only 'paymentinitiation': add ApiScope.ASPSP_INFORMATION or ApiScope.ACCOUNT_INFORMATION to "
        "api_scopes, or the scope itself to OPENPAYMENTS_API_SCOPES; the application must have that API product"
    )
    assert simulator.requests == []


def test_bankgiro_details_are_asked_for_in_the_corporate_context(simulator: Simulator) -> None:
    with simulator.client(api_scopes=["accountinformation", "bankgiroinformation"]) as op:
        assert op.token().scope == "accountinformation private"
        company = op.with_options(psu_context="corporate")
        assert company.token().scope == "accountinformation bankgiroinformation corporate"


ADVICE = "leave it out of api_scopes, or of OPENPAYMENTS_API_SCOPES; banks are read with accountinformation"


@pytest.mark.parametrize(
    ("environment", "api_scopes", "code", "is_advised"),
    [
        ("sandbox-oauth", ["aspspinformation", "accountinformation"], "invalid_scope", True),
        # no source shows the body of that refusal
        ("sandbox-oauth", ["aspspinformation"], None, True),
        ("sandbox-oauth", ["aspspinformation"], "invalid_client", False),
        ("sandbox-oauth", None, "invalid_scope", False),
        ("sandbox", ["aspspinformation"], "invalid_scope", False),
        ("production", ["aspspinformation"], "invalid_scope", False),
    ],
)
def test_a_scope_that_the_newer_sandbox_does_not_grant_is_named(
    environment: str, api_scopes: list[str] | None, code: str | None, is_advised: bool
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": code}) if code else httpx.Response(400)

    about = f"{environment}, {api_scopes}, {code}"  # no two of these tests share what they know of a token
    with OpenPayments(
        client_id=about,
        client_secret="a-secret",
        environment=environment,
        api_scopes=api_scopes,
        transport=httpx.MockTransport(refuse),
    ) as op:
        with pytest.raises(TokenError) as caught:
            op.token()
    assert isinstance(caught.value, InvalidScopeError) == (code == "invalid_scope")
    assert (ADVICE in str(caught.value)) == is_advised
