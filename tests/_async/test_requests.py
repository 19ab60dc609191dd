"""`op.request` and `bank.request`: what the description does not have, with all that a call has."""

from __future__ import annotations

import logging
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from openpayments_client.api.consent import get_consent_authorisation, get_consent_status
from openpayments_client.models import SelectAuthenticationMethod

from openpayments_facade import (
    ApiScope,
    InvalidArgumentError,
    MissingScopeError,
    NotFoundError,
    OutcomeUnknownError,
    Psu,
    PsuContext,
)

if TYPE_CHECKING:
    from openpayments_facade import AsyncOpenPayments
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
ASPSPS = "/psd2/aspspinformation/v1/aspsps"
NEW = "/psd2/news/v1/things"
REQUEST_ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"


async def test_a_request_gives_the_answer_as_it_came(op: AsyncOpenPayments, simulator: Simulator) -> None:
    answer = await op.with_options(request_id=REQUEST_ID).request(
        "get", ASPSPS, params={"isoCountryCodes": ["SE", "FI"], "cityIds": None}, headers={"X-New": "1"}
    )
    assert answer.json["aspsps"][0]["bicFi"] == "ESSESESS"
    assert answer.parsed == answer.json
    assert (answer.status_code, answer.request_id, answer.method) == (200, REQUEST_ID, "GET")
    assert answer.content.startswith(b'{"aspsps"')
    [sent] = [each for each in simulator.requests if each.path == ASPSPS]
    assert sent.query == "isoCountryCodes=SE%2CFI"
    assert (sent.headers["x-new"], sent.headers["x-request-id"]) == ("1", REQUEST_ID)
    assert "content=" not in repr(answer)


async def test_a_request_at_a_bank_carries_what_every_call_there_carries(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    simulator.misbehave(NEW, status=201, body={"made": True})
    bank = op.at_bank("SWEDSESS", SOMEBODY, affiliated_aspsp="08999", redirect_preferred=True)
    body = SelectAuthenticationMethod(authentication_method_id="mbid")
    answer = await bank.request("POST", NEW, json=body, params={"day": date(2026, 1, 31), "all": True, "n": 5})
    assert answer.json == {"made": True}
    sent = simulator.requests[-1]
    headers = {name: sent.headers[name] for name in sent.headers if name.startswith(("psu-", "tpp-", "x-b", "x-a"))}
    assert headers == {
        "x-bicfi": "SWEDSESS",
        "x-affiliatedaspsp-id": "08999",
        "psu-id": "example-user",
        "psu-ip-address": "203.0.113.7",
        "psu-user-agent": "Mozilla/5.0",
        "tpp-redirect-preferred": "true",
    }
    assert sent.query == "day=2026-01-31&all=true&n=5"


async def test_a_header_of_the_caller_wins(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(NEW, status=200, body={})
    await op.at_bank("SWEDSESS", SOMEBODY).request("GET", NEW, headers={"psu-id": "another-user"})
    assert simulator.requests[-1].headers["psu-id"] == "another-user"


async def test_headers_of_the_call_win_over_those_of_the_options_and_the_bank(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    simulator.misbehave(NEW, status=200, body={}, times=2)
    bank = op.with_options(headers={"PSU-ID": "of-the-options"}).at_bank("SWEDSESS", SOMEBODY)
    await bank.request("GET", NEW)
    assert simulator.requests[-1].headers["psu-id"] == "of-the-options"
    await bank.request("GET", NEW, headers={"psu-id": "of-the-call"})
    assert simulator.requests[-1].headers["psu-id"] == "of-the-call"


class Word(str, Enum):  # noqa: UP042 - str() of its members is not their value
    """Words of the API, as applications like to keep them."""

    BOOKED = "booked"
    SWEDEN = "SE"


async def test_members_of_an_enum_are_sent_as_their_values(op: AsyncOpenPayments, simulator: Simulator) -> None:
    assert await op.aspsps.list(countries=[Word.SWEDEN])
    assert simulator.requests[-1].query == "isoCountryCodes=SE"
    await op.request("GET", ASPSPS, params={"isoCountryCodes": [Word.SWEDEN], "x": Word.SWEDEN})
    assert simulator.requests[-1].query == "isoCountryCodes=SE&x=SE"
    simulator.misbehave("/psd2", status=204)
    listed = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a", booking_status=Word.BOOKED)  # type: ignore[arg-type]
    assert [each async for each in listed] == []
    assert simulator.requests[-1].query == "bookingStatus=booked"


async def test_a_scope_for_companies_takes_their_token(simulator: Simulator) -> None:
    async with simulator.async_client(psu_context="private") as op:
        simulator.misbehave(NEW, status=200, body={})
        await op.request("GET", NEW, scope="accountinformation bankgiroinformation")
        assert simulator.token_requests == 1
        assert "bankgiroinformation" in (await op.with_options(psu_context="corporate").token()).scope
        assert simulator.token_requests == 1


async def test_what_is_not_json_is_given_as_it_is(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(NEW, status=200, body="<camt/>", content_type="application/xml")
    answer = await op.request("GET", NEW)
    assert (answer.parsed, answer.content) == (None, b"<camt/>")
    simulator.misbehave(NEW, status=204)
    empty = await op.request("DELETE", NEW)
    assert (empty.parsed, empty.json, empty.content) == (None, None, b"")
    simulator.misbehave(NEW, status=201, body="{", content_type="application/json")
    broken = await op.request("POST", NEW)
    assert (broken.parsed, broken.content, broken.status_code) == (None, b"{", 201)
    with pytest.raises(ValueError, match="Expecting"):
        _ = broken.json


async def test_errors_and_retries_are_those_of_every_call(op: AsyncOpenPayments, simulator: Simulator) -> None:
    with pytest.raises(NotFoundError) as caught:
        await op.request("GET", NEW)
    assert caught.value.request_id == simulator.requests[-1].headers["x-request-id"]
    simulator.misbehave(ASPSPS, status=503)
    assert (await op.request("GET", ASPSPS)).status_code == 200
    before = len(simulator.requests)
    simulator.misbehave(NEW, close=True)
    with pytest.raises(OutcomeUnknownError):
        await op.request("POST", NEW, json={})
    assert len(simulator.requests) == before + 1


async def test_a_scope_is_checked_and_chooses_the_token(op: AsyncOpenPayments, simulator: Simulator) -> None:
    async with simulator.async_client(api_scopes=["aspspinformation"]) as few:
        with pytest.raises(MissingScopeError) as caught:
            await few.request("GET", NEW, scope="paymentinitiation")
    assert caught.value.scope is ApiScope.PAYMENT_INITIATION
    assert simulator.requests == []
    assert op.psu_context is PsuContext.PRIVATE
    simulator.misbehave(NEW, status=200, body={}, times=2)
    await op.request("GET", NEW, scope="paymentinitiation")
    assert simulator.token_requests == 1
    await op.request("GET", NEW, scope="paymentinitiation corporate")
    assert simulator.token_requests == 2


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("method", {"method": "BREW"}),
        ("method", {"method": 5}),
        ("path", {"path": "psd2/x"}),
        ("path", {"path": "//elsewhere.example/x"}),
        ("path", {"path": "https://elsewhere.example/x"}),
        ("path", {"path": "/a/../b"}),
        ("path", {"path": "/a/%2e%2E/b"}),
        ("path", {"path": "/a/%252e%252E%2fb"}),
        ("path", {"path": "/a?b=c"}),
        ("path", {"path": "/a#b"}),
        ("path", {"path": "/a\\b"}),
        ("path", {"path": "/å"}),
        ("path", {"path": "/a b"}),
        ("path", {"path": "/a\r\nX-Evil: 1"}),
        ("path", {"path": None}),
        ("params", {"params": "a=b"}),
        ("params", {"params": {"a": {"b": "c"}}}),
        ("params", {"params": {5: "c"}}),
        ("json", {"json": {"a": object()}}),
        ("json", {"json": float("nan")}),
        ("headers", {"headers": {"Authorization": "Bearer x"}}),
        ("headers", {"headers": {"X-New": "a\r\nb"}}),
        ("headers", {"headers": "X-New: 1"}),
        ("scope", {"scope": "everything"}),
        ("scope", {"scope": "paymentinitiation private corporate"}),
        ("json", {"json": {"a": "\ud800"}}),
        ("json", {"json": SelectAuthenticationMethod}),
        ("params", {"params": {"a": "\ud800"}}),
        pytest.param("params", {"params": {"a": 10**5000}}, id="very long"),
        ("scope", {"scope": ""}),
    ],
)
async def test_a_bad_argument_is_named_before_anything_is_sent(
    argument: str, values: dict[str, Any], op: AsyncOpenPayments, simulator: Simulator
) -> None:
    for request in (op.request, op.at_bank("ESSESESS", SOMEBODY).request):
        with pytest.raises(InvalidArgumentError, match=f"^{argument} ") as caught:
            await request(**{"method": "GET", "path": NEW, **values})
        assert caught.value.argument == argument
    assert simulator.requests == []


async def test_any_operation_can_be_called_at_a_bank(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    consent = await bank.consents.create(valid_until="9999-12-31")
    assert (await bank.call(get_consent_status, consent.consent_id)).consent_status == "received"
    raw = await bank.with_raw_response.call(get_consent_authorisation, consent.consent_id)
    assert (raw.status_code, raw.parsed.authorisation_ids) == (200, [])
    created, *others = [each for each in simulator.requests if each.path.startswith("/psd2/consent")]
    for name in ("x-bicfi", "psu-id", "psu-ip-address", "psu-user-agent", "tpp-redirect-preferred"):
        assert {each.headers[name] for each in others} == {created.headers[name]}


async def test_what_the_provider_requires_and_nobody_gave_is_logged_once(
    op: AsyncOpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    simulator.misbehave("/psd2/consent", times=None, status=200, body={"consentStatus": "received"})

    caplog.set_level(logging.INFO, "openpayments_facade")

    def told() -> list[str]:
        return [record.getMessage() for record in caplog.records if " lacks " in record.getMessage()]

    await op.at_bank("ESSESESS", SOMEBODY).consents.status("c")
    assert told() == []
    for _ in range(2):
        await op.at_bank("ESSESESS", Psu(id="example-user")).consents.status("c")
    [message] = told()
    assert message.startswith("get_consent_status lacks PSU-IP-Address, PSU-User-Agent, which the provider requires")
    assert "Psu(ip_address=..., user_agent=...) at op.at_bank" in message
    assert [record.levelname for record in caplog.records if record.getMessage() == message] == ["INFO"]
    company = op.with_options(psu_context=PsuContext.CORPORATE)
    await company.at_bank("ESSESESS", SOMEBODY).consents.status("c")
    await company.with_options(headers={"PSU-Corporate-ID": "c"}).at_bank("ESSESESS", SOMEBODY).consents.status("c")
    assert "lacks PSU-Corporate-ID," in told()[1]
    assert [record.levelname for record in caplog.records if record.getMessage() == told()[1]] == ["WARNING"]
    assert len(told()) == 2
    assert not any("example-user" in message for message in told())


async def test_surplus_arguments_are_refused_before_anything_is_sent(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    with pytest.raises(InvalidArgumentError, match=r"^endpoint takes by position consent_id, and 2 are given"):
        await bank.call(get_consent_status, "c", "d")  # type: ignore[call-arg]
    with pytest.raises(InvalidArgumentError, match=r"^consent_id is given twice"):
        await bank.call(get_consent_status, "c", consent_id="d")  # type: ignore[misc]
    with pytest.raises(InvalidArgumentError, match=r"^psu is not an argument of this operation, which has consent_id,"):
        await bank.call(get_consent_status, "c", psu="d")  # type: ignore[call-arg]
    assert simulator.requests == []
