"""Arguments of every public method that sends: what goes out is what was meant, or an argument is refused before."""

from __future__ import annotations

import copy
import functools
import inspect
import json
from collections.abc import Callable
from itertools import islice
from typing import Any

import httpx
from hypothesis import strategies as st
from openpayments_client.operations import OPERATIONS

from openpayments_facade import (
    AccountReference,
    Authorisation,
    AuthorisationFailedError,
    ConsentAccess,
    InvalidArgumentError,
    OpenPayments,
    Psu,
)
from tests.described import python_name, successes
from tests.facade.test_mutations import ABROAD, PAYMENT
from tests.fuzz.carrier import REQUEST, Carrier, check_text, is_at_home, known_of, response, said
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import cases_of, like, texts, things

BIC, ID, IBAN = "ESSESESS", "3f1d0c7e-8a52-4a1e-9a44-6f0a1f6f2f10", "SE4550000000058398257466"
CITY, COMPANY = "37efa883-c8ad-4ff7-927b-b11b02beb923", "5560000000"
USER = Psu(id="PSU-ID", ip_address="203.0.113.7", user_agent="Mozilla/5.0", corporate_id=COMPANY)
BACK = "https://shop.example/back"
ACCESS = ConsentAccess(accounts=[AccountReference(iban=IBAN)], balances=[AccountReference(iban=IBAN)])
PAYMENT_ID: dict[str, Any] = {"payment_id": ID, "product": "domestic"}
PERIOD = {"date_from": "2026-01-01", "date_to": "2026-01-31", "entry_reference_from": "1", "booking_status": "both"}

SERVICES: dict[str, Callable[[OpenPayments], Any]] = {
    "op": lambda op: op,
    "bank": lambda op: op.at_bank(BIC, USER),
    "accounts": lambda op: op.at_bank(BIC, USER).accounts(ID),
    "cards": lambda op: op.at_bank(BIC, USER).cards(ID),
    **{name: lambda op, name=name: getattr(op, name) for name in ("countries", "cities", "aspsps", "kyc", "oauth")},  # type: ignore[misc]
    **{
        name: lambda op, name=name: getattr(op.at_bank(BIC, USER), name)  # type: ignore[misc]
        for name in ("consents", "payments", "signing_baskets", "fx_quotes")
    },
}
SAVED = {
    "consents": {"consent_id": ID},
    "payments": {"payment_id": ID, "product": "domestic"},
    "signing_baskets": {"basket_id": ID},
}
# each method with good arguments
GOOD: dict[tuple[str, str], dict[str, Any]] = {
    ("op", "at_bank"): {"bic_fi": BIC, "psu": USER, "affiliated_aspsp": "08999", "redirect_preferred": True},
    ("op", "request"): {**REQUEST, "path": "/psd2/consent/v1/consents/x"},
    ("bank", "accounts"): {"consent_id": ID},
    ("bank", "cards"): {"consent_id": ID},
    ("countries", "list"): {"countries": ["SE"]},
    ("countries", "get"): {"iso_country_code": "SE"},
    ("cities", "list"): {"countries": ["SE"], "city_ids": [CITY]},
    ("cities", "get"): {"city_id": CITY},
    ("aspsps", "list"): {"countries": ["SE"], "city_ids": [CITY]},
    ("aspsps", "get"): {"bic_fi": BIC},
    ("kyc", "create"): {"psu_corporate_id": COMPANY, "country_code": "SE"},
    ("kyc", "status"): {"psu_corporate_id": COMPANY},
    ("oauth", "exchange_code"): {"code": "c0de", "redirect_uri": BACK, "authorisation_id": ID, "consent_id": ID},
    ("consents", "create"): {
        "valid_until": "9999-12-31",
        "access": ACCESS,
        "recurring_indicator": True,
        "frequency_per_day": 4,
        "combined_service_indicator": False,
    },
    **{
        ("consents", name): {"consent_id": ID}
        for name in ("get", "status", "delete", "authorisations", "start_authorisation")
    },
    ("payments", "create"): {"payment": PAYMENT, "product": "domestic", "fx_quote": None, "check_product": False}
    | {"key": None},
    **{("payments", name): PAYMENT_ID for name in ("get", "status", "cancel")},
    **{("payments", name): {**PAYMENT_ID, "cancellation": False} for name in ("authorisations", "start_authorisation")},
    ("payments", "wait"): {**PAYMENT_ID, "until": "accepted", "timeout": 1.0},
    ("signing_baskets", "create"): {"payment_ids": [ID], "check_limit": False},
    **{("signing_baskets", name): {"basket_id": ID} for name in ("get", "status", "delete")},
    ("fx_quotes", "create"): {
        "source_currency": "SEK",
        "target_currency": "USD",
        "amount": "1.10",
        "country_code": "US",
        "requested_execution_date": None,
    },
    ("fx_quotes", "get"): {"fx_quote_id": ID},
    ("fx_quotes", "confirm"): {"fx_quote_id": ID, "payment": ABROAD},
    **{(service, "authorise"): {**given, "method": "mbid", "same_device": False} for service, given in SAVED.items()},
    **{
        (service, "sca_status"): {**given, "authorisation_id": ID}
        for service, given in SAVED.items()
        if service != "signing_baskets"
    },
    **{
        (service, "select_method"): {**given, "authorisation_id": ID, "authentication_method_id": "mbid"}
        for service, given in SAVED.items()
        if service != "signing_baskets"
    },
    **{
        (service, name): {"account_id": ID, **given}
        for service in ("accounts", "cards")
        for name, given in (("get", {"with_balance": True}), ("balances", {}), ("transactions", PERIOD))
    },
    **{(service, "list"): {"with_balance": True} for service in ("accounts", "cards")},
    ("accounts", "transaction"): {"account_id": ID, "transaction_id": ID},
}
# without arguments, or tested by their own: endpoints with all arguments, templates, callbacks, saved authorisations
ELSEWHERE = {"call", "close", "from_env", "token", "access_token", "with_options", "limit", "find", "request"}
ELSEWHERE |= {"redirect_url", "read_callback", "refresh", "resume"}


def broken(model: Any) -> st.SearchStrategy[Any]:
    """A model with something else in one of its fields."""

    def put(change: tuple[str, Any]) -> Any:
        changed = copy.deepcopy(model)
        setattr(changed, *change)
        return changed

    olds = {name: getattr(model, name) for _, name in model._fields.names}
    return cases_of({name: like(it) if isinstance(it, str | list) else things for name, it in olds.items()}).map(put)


def values(example: Any) -> st.SearchStrategy[Any]:
    return broken(example) | things if hasattr(example, "_fields") else like("a-text" if example is None else example)


def answer(request: httpx.Request) -> httpx.Response:
    known = known_of(request)
    if known is None:
        return httpx.Response(404)
    if b"continuationKey" in request.url.query:  # the example of a page links to itself
        return httpx.Response(204)
    given = next(successes(known))
    if given.content:
        content = json.loads(given.content)
        # so that nobody waits
        content |= {"transactionStatus": "ACSC", "scaStatus": "finalised", "consentStatus": "valid"}
        given = given._replace(content=json.dumps(content | {"_links": {}}).encode())
    return response(given)


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(answer)
    return carrier, carrier.client()


def sent(service: str, method: str, given: dict[str, Any]) -> list[httpx.Request]:
    carrier, op = carried()
    carrier.requests.clear()
    found = getattr(SERVICES[service](op), method)(**given)
    if hasattr(found, "consents"):
        found.consents.status(ID)
    elif hasattr(found, "pages"):
        [*islice(found, 3)]
    elif hasattr(found, "balances") and service == "bank":
        found.balances(ID)
    return carrier.requests


def check_names(request: httpx.Request) -> None:
    """Nothing has a name that its operation does not have."""
    known = known_of(request)
    assert known is not None
    rules = [*OPERATIONS[python_name(known.name)].arguments.values()]
    query = {each.name for each in rules if each.place == "query"} | {"continuationKey"}
    headers = {each.name.lower() for each in rules if each.place == "header"}
    headers |= {"accept", "accept-encoding", "authorization", "connection", "content-type", "host", "user-agent"}
    for place in said(request):
        assert place[0] != "query" or place[1] in query
        assert place[0] != "header" or place[1] in headers


def core(value: Any) -> str:
    """What blanks and punctuation are taken off, as codes may be written with them, in small letters."""
    flat = value if isinstance(value, list | tuple) else [value]
    return "".join(c for each in flat for c in str.__str__(each) if c.isalnum()).casefold()


def is_text(value: Any) -> bool:
    is_list = isinstance(value, list | tuple) and bool(value) and all(isinstance(each, str) for each in value)
    return is_list or isinstance(value, str)


PARAMETERS = [(key, name) for key, given in GOOD.items() for name in given if key[1] != "request"]


@functools.cache
def base(service: str, method: str) -> list[dict[Any, Any]]:
    return [said(request) for request in sent(service, method, GOOD[service, method])]


@fuzzed("methods", 600, 65_000, passed=cases_of({each: values(GOOD[each[0]][each[1]]) for each in PARAMETERS}))
def test_an_argument_of_a_method_changes_what_it_is_for(passed: tuple[Any, Any]) -> None:
    ((service, method), name), value = passed
    before = base(service, method)
    try:
        requests = sent(service, method, {**GOOD[service, method], name: value})
    except InvalidArgumentError as error:
        # whether a bank can do it is asked before
        assert {each.method for each in carried()[0].requests} <= ({"GET"} if name.startswith("check_") else set())
        check_text(error)
        return
    for request in requests:
        assert is_at_home(request)
        check_names(request)
    # amounts get the decimals of their currency
    if not is_text(value) or len(requests) != len(before) or name == "amount":
        return
    intact = {core(value), *map(core, value)} if isinstance(value, list | tuple) else {core(value)}
    for old, request in zip(before, requests, strict=True):
        new = said(request)
        # a payment without one is given one
        for place in (old.keys() | new.keys()) - {("body", "endToEndIdentification")}:
            assert old.get(place) == new.get(place) or place not in new or core(new[place]) in intact


def test_every_method_has_its_turn() -> None:
    _, op = carried()
    for name, service in SERVICES.items():
        methods = inspect.getmembers(service(op), inspect.ismethod)
        assert {method for method, _ in methods if method[0] != "_" and (name, method) not in GOOD} <= ELSEWHERE, name


def saved(service: str) -> st.SearchStrategy[Any]:
    _, op = carried()
    whole = SERVICES[service](op).authorise(**SAVED[service]).to_dict()
    changes = cases_of({name: like(it) for name, it in whole.items()}).map(
        lambda change: {**whole, change[0]: change[1]}
    )
    return changes | st.dictionaries(st.sampled_from([*whole]) | texts, things) | things


@fuzzed("methods", 200, 15_000, passed=cases_of({service: saved(service) for service in SAVED}))
def test_a_saved_authorisation_leads_nowhere_else(passed: tuple[str, Any]) -> None:
    service, given = passed
    carrier, op = carried()
    carrier.requests.clear()
    try:
        authorisation: Authorisation[Any] = SERVICES[service](op).resume(given)
        authorisation.poll()
        authorisation.redirect_url(redirect_uri=BACK)
    except (InvalidArgumentError, AuthorisationFailedError) as error:
        check_text(error)
    for request in carrier.requests:
        assert is_at_home(request)
        check_names(request)
