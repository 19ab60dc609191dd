"""Options, raw answers, request ids, `call`, and opening and closing a client."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from openpayments_client.api.aspsp_information import get_aspsp_details, get_city_list, get_countries_list
from openpayments_client.api.consent import get_consent_status
from openpayments_client.api.oauth import create_token

from openpayments_facade import (
    AffiliatedAspsp,
    APIError,
    AspspDetails,
    AsyncOpenPayments,
    ClientStateError,
    Country,
    InvalidArgumentError,
    NotFoundError,
    Psu,
    UnreadableResponseError,
)
from openpayments_facade.request_ids import pass_on

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
ID = "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c"


async def test_every_call_has_a_fresh_request_id_and_so_has_the_token_request(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    for _ in range(3):
        await op.countries.list()
    ids = [request.headers["x-request-id"] for request in simulator.requests]
    assert len(set(ids)) == 4
    assert all(str(uuid.UUID(each)) == each for each in ids)


async def test_a_request_id_can_be_passed_on(op: AsyncOpenPayments, simulator: Simulator) -> None:
    other = uuid.uuid4()
    await op.access_token()
    await op.with_options(request_id=ID).countries.list()
    with pass_on(other):
        await op.countries.list()
        await op.with_options(request_id=ID).countries.list()
    await op.call(get_countries_list, x_request_id=ID)
    await op.countries.list()
    ids = [request.headers["x-request-id"] for request in simulator.requests][1:]
    assert ids[:4] == [ID, str(other), ID, ID]
    assert ids[4] not in {ID, str(other)}


async def test_a_raw_answer_has_everything_around_it(op: AsyncOpenPayments, simulator: Simulator) -> None:
    raw = await op.with_raw_response.aspsps.get("ESSESESS")
    assert (raw.status_code, raw.parsed.bic_fi) == (200, "ESSESESS")
    assert raw.headers["x-request-id"] == raw.request_id == simulator.requests[-1].headers["x-request-id"]
    assert [city.name for city in (await op.with_raw_response.cities.list(countries=["SE"])).parsed] == ["Stockholm"]
    assert (await op.with_raw_response.countries.get("SE")).parsed.name == "Sweden"
    countries = await op.with_options(request_id=ID).with_raw_response.call(get_countries_list)
    assert (countries.request_id, len(countries.parsed.countries)) == (ID, 4)
    with pytest.raises(NotFoundError):
        await op.with_raw_response.countries.get("NO")


async def test_any_operation_can_be_called(op: AsyncOpenPayments, simulator: Simulator) -> None:
    assert (await op.call(get_aspsp_details, "ESSESESS")).city == "Stockholm"
    assert [city.name for city in (await op.call(get_city_list, iso_country_codes=["SE", "FI"])).cities] == [
        "Stockholm",
        "Helsinki",
    ]
    assert simulator.requests[-1].query == "isoCountryCodes=SE%2CFI"


async def test_what_is_no_operation_of_the_api_host_is_refused(op: AsyncOpenPayments, simulator: Simulator) -> None:
    module: Any = pytest
    with pytest.raises(InvalidArgumentError, match="endpoint must be a module"):
        await op.call(module)
    body: Any = type("Body", (), {"to_dict": lambda self: {}})()
    with pytest.raises(InvalidArgumentError, match="not an operation of the API host"):
        await op.call(create_token, body=body)
    for bic in ("", ".", ".."):
        with pytest.raises(InvalidArgumentError):
            await op.call(get_aspsp_details, bic)
    with pytest.raises(InvalidArgumentError, match="x_request_id"):
        await op.call(get_countries_list, x_request_id="a\r\nb")
    assert simulator.requests == []


async def test_headers_are_added_and_views_build_on_each_other(op: AsyncOpenPayments, simulator: Simulator) -> None:
    view = op.with_options(headers={"X-One": "1"}).with_options(headers={"X-Two": "2"}, timeout=5)
    await view.countries.list()
    headers = simulator.requests[-1].headers
    assert (headers["x-one"], headers["x-two"]) == ("1", "2")
    assert headers["user-agent"].startswith("openpayments-facade/")
    await op.countries.list()
    assert "x-one" not in simulator.requests[-1].headers


async def test_a_header_is_sent_once_whatever_its_case(simulator: Simulator) -> None:
    async with simulator.async_client(api_scopes=["accountinformation"]) as op:
        view = op.with_options(headers={"x-bicfi": "HANDSESS"})
        with pytest.raises(APIError):
            await view.call(get_consent_status, "c1", x_bic_fi="ESSESESS")
    assert simulator.requests[-1].headers["x-bicfi"] == "HANDSESS"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", " a", "é", "", None, 5])
async def test_a_header_that_can_not_be_sent_is_refused_by_name(simulator: Simulator, value: Any) -> None:
    async with simulator.async_client(api_scopes=["accountinformation"]) as op:
        with pytest.raises(InvalidArgumentError, match="x_bic_fi"):
            await op.call(get_consent_status, "c1", x_bic_fi=value)
    assert simulator.requests == []


async def test_the_request_id_of_a_call_wins_over_that_of_its_view(op: AsyncOpenPayments, simulator: Simulator) -> None:
    other = "0f8fad5b-d9cb-469f-a165-70867728950e"
    await op.with_options(request_id=ID).call(get_countries_list, x_request_id=other)
    assert simulator.requests[-1].headers["x-request-id"] == other


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", 0),
        ("timeout", "5"),
        ("timeout", float("nan")),
        ("total_timeout", -1),
        ("total_timeout", None),
        ("max_retries", -1),
        ("max_retries", 1.5),
        ("max_retries", True),
        ("psu_context", "personal"),
        ("request_id", "not-a-uuid"),
        ("request_id", f"{ID}\r\nX-Evil: 1"),
        ("request_id", f"{ID}\n"),
        ("request_id", ""),
        ("request_id", None),
        ("headers", {"Authorization": "Bearer mine"}),
        ("headers", {"HOST": "elsewhere"}),
        ("headers", {"x-request-id": ID}),
        ("headers", {"Content-Length": "5"}),
        ("headers", {"transfer-encoding": "chunked"}),
        ("headers", {"X-Evil": "1\r\nX-More: 2"}),
        ("headers", {"X Evil": "1"}),
        ("headers", {"X-Umlaut": "ä"}),
        ("headers", {"X-Number": 1}),
        ("headers", ["X-One"]),
        ("colour", "blue"),
    ],
)
async def test_a_bad_option_is_refused_by_name(
    op: AsyncOpenPayments, simulator: Simulator, name: str, value: Any
) -> None:
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        await op.with_options(**{name: value}).countries.list()
    assert caught.value.argument == name
    assert simulator.requests == []


@pytest.mark.parametrize(
    "bic",
    [
        "",
        ".",
        "..",
        "a/b",
        "ESSE",
        "ESSESESSX",
        "ESSESESSXX",
        "ESSESESSXXXX",
        "ESSE5ESS",
        "ESSESES\u017f",
        "ESSESES\u00df",
        "ESSESES-",
        "ESSESESS\x00",
        5,
        None,
    ],
)
async def test_a_bic_that_is_none_is_refused(op: AsyncOpenPayments, simulator: Simulator, bic: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="bic_fi") as caught:
        await op.aspsps.get(bic)
    assert caught.value.argument == "bic_fi"
    assert isinstance(caught.value, ValueError)
    assert simulator.requests == []


@pytest.mark.parametrize(
    "written",
    [
        "essesess",
        " ESSESESS",
        "ESSE SE SS",
        "ESSE\u00a0SE\u202fSS",
        "\u3000ESSE\tSESS\r\n",
        "\ufeffESSESESS\u200b",
        "ESSE\u00adSESS",
        "\u2066EsSeSeSs\u2069",
        AspspDetails.from_dict({"bicFi": "esse sess", "name": "SEB"}),
    ],
)
async def test_a_bic_is_written_as_the_api_wants_it(op: AsyncOpenPayments, simulator: Simulator, written: Any) -> None:
    assert (await op.aspsps.get(written)).bic_fi == "ESSESESS"
    await op.at_bank(written, SOMEBODY).consents.create(valid_until=timedelta(days=1))
    assert simulator.requests[-1].headers["x-bicfi"] == "ESSESESS"
    # but not where the description is used as it is
    if isinstance(written, str):
        with pytest.raises(InvalidArgumentError, match="bic_fi"):
            await op.call(get_aspsp_details, written)


@pytest.mark.parametrize("bic", ["1234SE00", "A1B2SESO", "ESSESE01XXX", "0000SE1Oab0"])
async def test_a_bic_of_today_is_sent(op: AsyncOpenPayments, simulator: Simulator, bic: str) -> None:
    """ISO 9362 since 2014."""
    with pytest.raises(NotFoundError):
        await op.aspsps.get(bic)
    assert simulator.requests[-1].path.endswith(f"/{bic.upper()}")


async def test_a_bank_without_a_bic_is_no_mistake_of_the_caller(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank: Any = AspspDetails.from_dict({"bicFi": "SEB", "name": "SEB"})
    for bic in ("SEB", "", None, 5):
        bank.bic_fi = bic
        with pytest.raises(UnreadableResponseError, match="the bank gave this AspspDetails no usable bic_fi"):
            op.at_bank(bank)
        with pytest.raises(UnreadableResponseError, match="no usable bic_fi"):
            await op.aspsps.get(bank)
    affiliate: Any = AffiliatedAspsp.from_dict({"id": "08999"})
    assert op.at_bank("ESSESESS", affiliated_aspsp=affiliate) == op.at_bank("ESSESESS", affiliated_aspsp="08999")
    affiliate.id = None
    with pytest.raises(UnreadableResponseError, match="the bank gave this AffiliatedAspsp no usable id"):
        op.at_bank("ESSESESS", affiliated_aspsp=affiliate)
    assert simulator.requests == []


@pytest.mark.parametrize(
    "code", [" se", "S E", "s\u00a0E", "SE\u200b", Country.from_dict({"isoCountryCode": "se ", "name": "Sweden"})]
)
async def test_a_country_code_is_written_as_the_api_wants_it(op: AsyncOpenPayments, code: Any) -> None:
    assert (await op.countries.get(code)).name == "Sweden"
    assert [each.name for each in await op.countries.list(countries=[code])] == ["Sweden"]


@pytest.mark.parametrize("code", ["Sweden", "", "..", "S/", "1A", "SÉ", 5, None])
async def test_a_country_that_is_no_code_is_refused(op: AsyncOpenPayments, simulator: Simulator, code: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="iso_country_code"):
        await op.countries.get(code)
    for service in (op.countries, op.cities, op.aspsps):
        with pytest.raises(InvalidArgumentError, match="countries"):
            await service.list(countries=["SE", code])
    assert simulator.requests == []


@pytest.mark.parametrize("city", ["", "..", "a/b", "Stockholm", ID.replace("-", ""), f"{ID} ", f"{ID}\n", 5, None])
async def test_a_city_that_is_no_id_is_refused(op: AsyncOpenPayments, simulator: Simulator, city: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="city_id"):
        await op.cities.get(city)
    with pytest.raises(InvalidArgumentError, match="city_ids"):
        await op.aspsps.list(city_ids=[city])
    assert simulator.requests == []


@pytest.mark.parametrize("value", ["SE", "Sweden", b"SE", [], (), iter([]), 5, ["SE", 5], {"SE": None, 1: None}])
async def test_a_list_that_is_none_is_refused(op: AsyncOpenPayments, simulator: Simulator, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="countries"):
        await op.aspsps.list(countries=value)
    with pytest.raises(InvalidArgumentError, match="city_ids"):
        await op.cities.list(city_ids=value)
    assert simulator.requests == []


async def test_a_closed_client_says_so(simulator: Simulator) -> None:
    op = simulator.async_client()
    view = op.with_options(timeout=5)
    await view.countries.list()
    await view.aclose()
    await op.countries.list()
    await op.aclose()
    await op.aclose()
    sent = len(simulator.requests)
    for client in (op, view):
        with pytest.raises(ClientStateError, match="closed"):
            await client.countries.list()
        with pytest.raises(ClientStateError, match="closed"):
            await client.access_token()
        with pytest.raises(ClientStateError, match="closed"):
            async with client:
                pass
    assert len(simulator.requests) == sent


async def test_the_log_has_one_record_an_attempt_without_secrets(
    op: AsyncOpenPayments, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await op.countries.list()
    token = await op.access_token()
    ours = [record for record in caplog.records if record.name == "openpayments_facade"]
    assert [(record.__dict__["method"], record.__dict__["status"]) for record in ours] == [("POST", 200), ("GET", 200)]
    assert len({record.__dict__["request_id"] for record in ours}) == 2
    everything = "".join(str(record.__dict__) + record.getMessage() for record in caplog.records)
    assert simulator.client_secret not in everything
    assert token not in everything


async def test_settings_come_from_the_environment(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in simulator.exports():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value)
    async with AsyncOpenPayments.from_env() as op:
        assert (await op.countries.get("SE")).name == "Sweden"
    async with AsyncOpenPayments.from_env(psu_context="corporate") as op:
        assert await op.access_token()
    assert simulator.token_requests == 2


async def test_neither_repr_nor_pickle_shows_a_secret(op: AsyncOpenPayments, simulator: Simulator) -> None:
    import pickle

    token = await op.access_token()
    for shown in (repr(op), repr(op._sender.session.settings), repr(vars(op._sender.session.fetcher))):
        assert simulator.client_secret not in shown
        assert token not in shown
    assert simulator.client_id in repr(op)
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(op)
