"""What users meet on every page: objects where ids are taken, days, checks by the description, reprs, the token."""

from __future__ import annotations

import inspect
import pickle
import threading
import time
import traceback
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest
from attrs import evolve
from dateutil.relativedelta import relativedelta
from openpayments_client.api.account_information import get_balances, get_transaction_list
from openpayments_client.api.consent import create_consent, get_consent_status, update_consents_psu_data
from openpayments_client.models import ConsentRequest, SelectAuthenticationMethod

from openpayments_facade import (
    AccountReference,
    APIError,
    ApiScope,
    AsyncOpenPayments,
    AuthorisationFailedError,
    BookedTransaction,
    ConsentAccess,
    InvalidArgumentError,
    InvalidScopeError,
    MissingScopeError,
    NotFoundError,
    Psu,
    ReauthorisationRequiredError,
    UserToken,
    money,
)
from openpayments_facade.scopes import check_scope

if TYPE_CHECKING:
    from openpayments_facade.simulator import Simulator

T = TypeVar("T")
SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
REQUEST = ConsentRequest(ConsentAccess(), True, date(9999, 12, 31), 4, False)
BIC = {"x_bic_fi": "ESSESESS"}
BOOKED = {"consent_id": "c", "booking_status": "booked", **BIC}
NAMELESS = ConsentAccess(accounts=[AccountReference(currency="kr")])


async def consented(op: AsyncOpenPayments, simulator: Simulator) -> Any:
    consent = await op.at_bank("ESSESESS", SOMEBODY).consents.create(valid_until=timedelta(days=9))
    await op.at_bank("ESSESESS", SOMEBODY).consents.authorise(consent)
    simulator.approve(consent.consent_id)
    return consent


async def test_the_token_is_masked_and_tells_about_itself(op: AsyncOpenPayments) -> None:
    token = await op.token()
    assert token.value.reveal() == await op.access_token()
    assert await op.access_token() not in repr(token)
    assert {"accountinformation", "aspspinformation", "private"} <= set(token.scope.split())
    assert token.missing == ()
    assert 0 < token.expires_at - time.time() <= 3600


@pytest.mark.openpayments_simulator(api_scopes=["aspspinformation"])
async def test_the_token_tells_what_was_not_granted(simulator: Simulator) -> None:
    async with simulator.async_client(api_scopes=["aspspinformation", "accountinformation"]) as op:
        with pytest.raises(InvalidScopeError):
            await op.token()
    async with simulator.async_client(api_scopes=["aspspinformation"]) as op:
        body = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "scope": "private"}
        simulator.misbehave("/connect/token", body=body)
        assert (await op.token()).missing == ("aspspinformation",)


async def test_objects_are_taken_where_their_ids_are(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    created = await consented(op, simulator)
    consent = await bank.consents.get(created)
    assert consent.consent_id == created.consent_id
    assert await bank.consents.status(consent) == "valid"
    assert len(await bank.consents.authorisations(consent)) == 1
    accounts = bank.accounts(consent)
    account = (await accounts.list())[0]
    assert (await accounts.get(account)).resource_id == account.resource_id
    assert await accounts.balances(account)
    transactions = [each async for each in accounts.transactions(account, date_from="2020-01-31")]
    assert (await accounts.transaction(account, transaction_id=transactions[0])).transaction_id
    await bank.consents.delete(consent)
    assert await bank.consents.status(created) == "terminatedByTpp"


async def test_the_directory_takes_what_it_gave(op: AsyncOpenPayments, simulator: Simulator) -> None:
    [country] = await op.countries.list(countries=["se"])
    assert await op.countries.list(countries=[country]) == [await op.countries.get(country)]
    cities = await op.cities.list(countries=[country])
    assert await op.cities.list(city_ids=cities) == cities
    assert await op.cities.get(cities[0]) == cities[0]
    banks = await op.aspsps.list(countries=[country], city_ids=cities)
    details = [await op.aspsps.get(bank) for bank in banks]
    assert [each.bic_fi for each in details] == [each.bic_fi for each in banks]
    swedbank = next(each for each in details if each.affiliated_aspsps)
    [affiliate, *_] = swedbank.affiliated_aspsps or []
    bank = op.at_bank(swedbank, SOMEBODY, affiliated_aspsp=affiliate)
    await bank.consents.create(valid_until=timedelta(days=9))
    sent = simulator.requests[-1].headers
    assert (sent["x-bicfi"], sent["x-affiliatedaspsp-id"]) == (swedbank.bic_fi, affiliate.id)


async def test_what_looks_like_an_id_by_chance_is_not_sent(op: AsyncOpenPayments, simulator: Simulator) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^affiliated_aspsp must be"):
        op.at_bank("ESSESESS", affiliated_aspsp=SOMEBODY)  # type: ignore[arg-type]
    assert simulator.requests == []


async def test_the_steps_of_an_authorisation_take_each_other(op: AsyncOpenPayments) -> None:
    consents = op.at_bank("SWEDSESS", SOMEBODY, redirect_preferred=False).consents
    consent = await consents.create(valid_until="9999-12-31")
    started = await consents.start_authorisation(consent)
    method = next(each for each in started.sca_methods or [] if each.authentication_method_id == "mbid")
    await consents.select_method(consent, authorisation_id=started, authentication_method_id=method)
    assert (await consents.sca_status(consent, authorisation_id=started)).sca_status
    assert (await consents.authorise(consent, method)).challenge
    with pytest.raises(ReauthorisationRequiredError):
        await op.oauth.exchange_code(
            code="k0de", redirect_uri="https://app.example.com/", consent_id=consent, authorisation_id=started
        )


async def test_an_object_of_another_kind_is_refused_and_not_shown(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    accounts = bank.accounts(await consented(op, simulator))
    [account, *_] = await accounts.list()
    [transaction, *_] = [each async for each in accounts.transactions(account, date_from=timedelta(days=-90))]
    with pytest.raises(InvalidArgumentError, match=r"not an Account$"):
        await bank.consents.get(account)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match=r"not a BookedTransaction$"):
        await accounts.balances(transaction)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match=r"not an Account$"):
        accounts.transactions(account, date_from=account)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match=r"countries must be a list, not an Account$"):
        await op.aspsps.list(countries=account)  # type: ignore[arg-type]
    for refused in (
        lambda: op.with_options(request_id=account),  # type: ignore[arg-type]
        lambda: op.with_options(psu_context=account),  # type: ignore[arg-type]
        lambda: op.with_options(timeout=account),  # type: ignore[arg-type]
        lambda: op.with_options(max_retries=account),  # type: ignore[arg-type]
        lambda: money(account),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidArgumentError, match=r"not an Account$"):
            refused()
    with pytest.raises(InvalidArgumentError, match=r"'x{199}\.\.\.$"):
        op.at_bank("x" * 10_000)


async def test_a_message_does_not_contradict_itself(op: AsyncOpenPayments) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"^countries must not be empty; leave it out to ask for everything$"
    ):
        await op.aspsps.list(countries=[])
    with pytest.raises(InvalidArgumentError, match=r"^consent_id must not be empty$"):
        op.at_bank("ESSESESS").accounts(" ")


async def test_a_uuid_is_taken_as_an_id(op: AsyncOpenPayments, simulator: Simulator) -> None:
    consent = await consented(op, simulator)
    assert await op.at_bank("ESSESESS", SOMEBODY).consents.status(uuid.UUID(consent.consent_id)) == "valid"


def test_a_refused_option_can_be_shown(op: AsyncOpenPayments) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        op.with_options(timeout=-1)
    assert traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack


async def test_days_are_dates_iso_dates_or_counted(op: AsyncOpenPayments, simulator: Simulator) -> None:
    day = datetime.now(UTC).date() - timedelta(days=9)
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts(await consented(op, simulator))
    [account, *_] = await accounts.list()
    for date_from in (day, day.isoformat(), timedelta(days=-9), relativedelta(days=-9)):
        _ = [each async for each in accounts.transactions(account, date_from=date_from)]
        assert f"dateFrom={day}" in simulator.requests[-1].query


@pytest.mark.parametrize("id_", ["a/b", "a b", "a?b", "a#b", "a%2Fb", "é", "a\\b"])
async def test_any_id_but_one_with_dot_segments_is_quoted(
    op: AsyncOpenPayments, simulator: Simulator, id_: str
) -> None:
    with pytest.raises(APIError):
        await op.at_bank("ESSESESS", SOMEBODY).consents.status(id_)
    raw_path = simulator.requests[-1].path
    assert raw_path.startswith("/psd2/consent/v1/consents/")
    assert raw_path.endswith("/status")


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("x_bic_fi", (get_consent_status, "c")),
        ("x_bic_fi", (get_consent_status, "c", {"x_bic_fi": "SEB"})),
        ("consent_id", (get_consent_status, "..", BIC)),
        ("consent_id", (get_consent_status, " ", BIC)),
        ("consent", (get_consent_status, "c", {"consent": "c", **BIC})),
        ("consent_id", (get_balances, "a", {"consent_id": "é", **BIC})),
        ("psu_ip_port", (get_consent_status, "c", {"psu_ip_port": "65536", **BIC})),
        ("psu_http_method", (get_consent_status, "c", {"psu_http_method": "BREW", **BIC})),
        ("booking_status", (get_transaction_list, "a", {"consent_id": "c", "booking_status": "all", **BIC})),
        (
            "date_from",
            (get_transaction_list, "a", {"consent_id": "c", "booking_status": "both", "date_from": "x", **BIC}),
        ),
        ("body", (create_consent, {"body": {"access": {}}, **BIC})),
        (
            "frequency_per_day",
            (create_consent, {"body": ConsentRequest(ConsentAccess(), True, date.max, 0, False), **BIC}),
        ),
        ("access", (create_consent, {"body": evolve(REQUEST, access=NAMELESS), **BIC})),
        (
            "authentication_method_id",
            (update_consents_psu_data, "c", "a", {"body": SelectAuthenticationMethod("m" * 36), **BIC}),
        ),
    ],
)
async def test_an_operation_is_checked_by_the_description(
    op: AsyncOpenPayments, simulator: Simulator, argument: str, call: tuple[Any, ...]
) -> None:
    endpoint, *arguments = call
    named = arguments.pop() if isinstance(arguments[-1], dict) else {}
    with pytest.raises(InvalidArgumentError, match=argument) as caught:
        await op.call(endpoint, *arguments, **named)
    assert caught.value.argument == argument
    assert simulator.requests == []


async def test_a_field_deep_in_a_body_is_named_by_its_path(op: AsyncOpenPayments) -> None:
    access = ConsentAccess(accounts=[AccountReference(iban="SE5750000000000000000017", currency="kr")])
    with pytest.raises(InvalidArgumentError, match=r"^access.accounts\[0\].currency must be") as caught:
        await op.at_bank("ESSESESS").consents.create(valid_until=timedelta(days=9), access=access)
    assert caught.value.argument == "access"
    assert "kr" not in str(caught.value)


def test_a_call_is_allowed_by_any_of_its_alternatives() -> None:
    alternatives = [("aspspinformation", "private"), ("accountinformation", "private"), ("accountinformation",)]
    check_scope(alternatives, [ApiScope.ACCOUNT_INFORMATION], "GET /")
    with pytest.raises(MissingScopeError) as caught:
        check_scope(alternatives, [ApiScope.PAYMENT_INITIATION], "GET /")
    assert caught.value.scope == ApiScope.ASPSP_INFORMATION


async def test_what_is_saved_says_what_it_is_of_and_so_does_an_error(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=timedelta(days=9))
    authorisation = await bank.consents.authorise(consent)
    saved = authorisation.to_dict()
    assert (saved["kind"], saved["consent_id"]) == ("consent", consent.consent_id)
    with pytest.raises(InvalidArgumentError, match="saved"):
        bank.consents.resume({**saved, "kind": "payment"})
    before_kinds = {name: value for name, value in saved.items() if name != "kind"}
    assert bank.consents.resume(before_kinds).resource_id == authorisation.resource_id == consent.consent_id
    simulator.decline(consent.consent_id)
    with pytest.raises(AuthorisationFailedError) as caught:
        await authorisation.wait(poll_interval=0.01)
    assert caught.value.resource_id == caught.value.consent_id == consent.consent_id
    assert caught.value.authorisation_id == authorisation.authorisation_id


@pytest.mark.parametrize("method", ["", "m" * 36, "a\r\nX: 1", "\u202eabc", "\ud800"])
async def test_an_invalid_method_is_named_as_the_caller_does_and_starts_nothing(
    op: AsyncOpenPayments, simulator: Simulator, method: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^method must") as caught:
        await op.at_bank("ESSESESS", SOMEBODY).consents.authorise("c", method)
    assert caught.value.argument == "method"
    assert simulator.requests == []


@pytest.mark.parametrize("approach", [[], {}, None, "embedded"])
async def test_a_saved_approach_that_is_none_is_refused(op: AsyncOpenPayments, approach: object) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    consent = await bank.consents.create(valid_until=timedelta(days=9))
    saved = (await bank.consents.authorise(consent)).to_dict()
    with pytest.raises(InvalidArgumentError, match=r"^saved must have a valid approach"):
        bank.consents.resume({**saved, "approach": approach})


async def test_tests_can_replace_a_method_of_a_service(
    op: AsyncOpenPayments, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing() -> list[Any]:
        return []

    bank = op.at_bank("ESSESESS")
    monkeypatch.setattr(op.aspsps, "list", nothing)
    monkeypatch.setattr(bank.consents, "create", nothing)
    assert await op.aspsps.list() == await bank.consents.create() == []  # type: ignore[comparison-overlap, call-arg]
    assert simulator.requests == []


@pytest.mark.parametrize("name", ["countries", "cities", "aspsps"])
def test_a_class_has_its_services(name: str) -> None:
    assert hasattr(AsyncOpenPayments, name)


def test_exceptions_can_be_made_with_their_attributes() -> None:
    error = NotFoundError("gone", code="RESOURCE_UNKNOWN", status_code=404)
    assert (error.code, error.status_code, error.messages, dict(error.headers)) == ("RESOURCE_UNKNOWN", 404, (), {})
    assert vars(pickle.loads(pickle.dumps(error))) == vars(error)
    assert [*inspect.signature(NotFoundError).parameters][:3] == ["message", "status_code", "code"]
    assert NotFoundError("gone").headers is not error.headers
    lock = threading.Lock()  # what is given is kept, not copied
    assert NotFoundError("gone", body=lock).body is lock  # type: ignore[comparison-overlap]
    assert str(NotFoundError()) == ""  # as in `raise NotFoundError`
    for unknown in ("cod", "args", "add_note"):
        with pytest.raises(TypeError, match=unknown):
            NotFoundError("gone", **{unknown: "x"})


def test_exceptions_can_be_subclassed() -> None:
    class Tagged:
        def __init_subclass__(cls, tag: str) -> None:
            super().__init_subclass__()
            cls.tag = tag  # type: ignore[attr-defined]

    class Gone(NotFoundError, Tagged, Generic[T], tag="gone"):
        tenant: str
        shelf: Nowhere  # type: ignore[name-defined]  # noqa: F821

        def __init__(self, tenant: str) -> None:
            super().__init__(f"{tenant} is gone", status_code=404)
            self.tenant = tenant

    error = Gone[int]("acme")
    assert Gone.tag == "gone"  # type: ignore[attr-defined]
    assert (str(error), error.tenant, error.status_code) == ("acme is gone", "acme", 404)


async def test_reprs_say_what_is_there(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    assert repr(bank) == f"<{type(bank).__name__} ESSESESS>"
    accounts = bank.accounts(await consented(op, simulator))
    account = (await accounts.list())[0]
    [transaction, *_] = [each async for each in accounts.transactions(account, date_from=timedelta(days=-90))]
    for shown in map(repr, (account, transaction, (await op.aspsps.list())[0], await op.aspsps.get("ESSESESS"))):
        assert "None" not in shown
        assert "additional_properties={}" not in shown
    assert repr(op.aspsps) == f"<{type(op.aspsps).__name__}>"
    assert repr(Psu(id_type="a")) == "Psu(id_type='a')"
    assert "None" not in repr(UserToken.from_dict({"access_token": "t"}))
    assert isinstance(transaction, BookedTransaction)
    assert repr(transaction).startswith("BookedTransaction(booking_status='booked', ")


async def test_dir_of_a_service_has_its_methods_only(op: AsyncOpenPayments) -> None:
    assert dir(op.aspsps) == dir(op.with_raw_response.aspsps) == ["get", "list"]
    assert all(not name.startswith("_") for name in dir(op.at_bank("ESSESESS").consents))


def test_a_half_made_client_can_be_shown() -> None:
    assert "not yet made" in repr(AsyncOpenPayments.__new__(AsyncOpenPayments))
