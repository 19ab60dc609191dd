"""The low-level client, called directly, and the script that writes it.

The generator's templates are changed by text replacement, and a replacement that misses is silent: so each change is
tested here on what comes out.
"""

import datetime as dt
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import typing
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import attrs
import httpx
import openpayments_client
import pytest
import yaml
from openapi_python_client.strings import PythonIdentifier
from openpayments_client import AuthenticatedClient, Client, models
from openpayments_client.api.account_information import get_account_list, get_transaction_details, get_transaction_list
from openpayments_client.api.aspsp_information import (
    get_aspsp_details,
    get_aspsp_list,
    get_city_list,
    get_countries_list,
    get_country_details,
)
from openpayments_client.api.consent import (
    create_consent,
    delete_consent,
    get_consent_sca_status,
    start_consent_authorisation,
    update_consents_psu_data,
)
from openpayments_client.api.oauth import create_token
from openpayments_client.models import (
    AspspDetails,
    AuthorisationStarted,
    AuthorisationUpdated,
    Balance,
    BookedTransaction,
    ConsentAccess,
    ConsentCreated,
    ConsentRequest,
    Country,
    CountryList,
    ErrorBody,
    Link,
    Links,
    MonetaryAmount,
    OAuthError,
    ScaStatusAnswer,
    SelectAuthenticationMethod,
    Token,
    TokenRequest,
    Transaction,
    TransactionReport,
)
from openpayments_client.reading import Unreadable
from openpayments_client.types import Response

from scripts import generate
from scripts.operations import BOUND
from scripts.slips import argument_names
from tests.tools.throwaway import generated

MODULES = sorted(path for path in generate.PACKAGE.rglob("*.py"))
DESCRIPTION: dict[str, Any] = yaml.load(generate.DESCRIPTION.read_text("utf-8"), generate.YAML_LOADER)
SCHEMAS: dict[str, dict[str, Any]] = DESCRIPTION["components"]["schemas"]
CITY_ID = "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"


def identifier(name: str) -> str:
    """What the generator calls it in Python, with the prefix that openapi/generator.yaml sets."""
    return PythonIdentifier(name, "")


class Endpoint(NamedTuple):
    """An operation of the description, and the module that was made of it."""

    name: str
    module: ModuleType
    responses: dict[int, dict[str, Any]]
    described: list[dict[str, Any]]
    has_body: bool

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.module.sync).parameters

    def models(self, *statuses: int) -> list[type[Any]]:
        """The models of these statuses' bodies, the first of each where there are several media types."""
        contents = [next(iter(self.responses[status].get("content", {}).values()), None) for status in statuses]
        return [getattr(models, content["schema"]["$ref"].rpartition("/")[2]) for content in contents if content]


def endpoints() -> Iterator[Endpoint]:
    components = DESCRIPTION["components"]
    for item in DESCRIPTION["paths"].values():
        for method in {"get", "put", "post", "delete"} & item.keys():
            operation = item[method]
            name = identifier(operation["operationId"])
            module = import_module(f"openpayments_client.api.{identifier(operation['tags'][0])}.{name}")
            responses = {
                int(status): components["responses"][each["$ref"].rpartition("/")[2]]
                for status, each in operation["responses"].items()
            }
            parameters = [
                components["parameters"][each["$ref"].rpartition("/")[2]]
                for each in [*item.get("parameters", []), *operation["parameters"]]
            ]
            yield Endpoint(name, module, responses, parameters, "requestBody" in operation)


ENDPOINTS = sorted(endpoints(), key=lambda endpoint: endpoint.name)
MODELS = [getattr(models, name) for name in models.__all__ if "properties" in SCHEMAS[name]]
each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    content: bytes


class Server(ThreadingHTTPServer):
    """Answers every request alike and keeps what came in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body: Any = {}
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def client(self) -> AuthenticatedClient:
        return AuthenticatedClient(base_url=self.url, token="a-token", httpx_args={"trust_env": False})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append(Received(self.command, self.path, headers, content))
        body = b"" if self.server.body is None else json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# ------------------------------------------------------------------------------------------------ requests

BANK: dict[str, Any] = {"x_bic_fi": "ESSESESS"}
CONSENT: dict[str, Any] = {**BANK, "consent_id": "c1"}


def test_a_list_is_sent_once_and_comma_separated(server: Server) -> None:
    server.body = {"cities": []}
    with server.client() as client:
        get_city_list.sync(client=client, iso_country_codes=["SE", "FI"], city_ids=[CITY_ID])
    assert [call.path for call in server.received] == [
        f"/psd2/aspspinformation/v1/cities?isoCountryCodes=SE%2CFI&cityIds={CITY_ID}"
    ]


def test_what_is_absent_or_empty_is_not_sent(server: Server) -> None:
    server.body = {"aspsps": []}
    with server.client() as client:
        get_aspsp_list.sync(client=client)
        get_aspsp_list.sync(client=client, iso_country_codes=None, city_ids=[])
    assert [call.path for call in server.received] == ["/psd2/aspspinformation/v1/aspsps"] * 2


def test_a_call_sends_a_fresh_request_id_or_the_one_given(server: Server) -> None:
    given = str(uuid.uuid4())
    server.body = {"isoCountryCode": "SE", "name": "Sweden"}
    with server.client() as client:
        get_country_details.sync("SE", client=client)
        get_country_details.sync("SE", client=client)
        get_country_details.sync("SE", client=client, x_request_id=given)
    first, second, third = (call.headers["x-request-id"] for call in server.received)
    assert uuid.UUID(first).version == uuid.UUID(second).version == 4
    assert first != second
    assert third == given


async def test_the_async_call_sends_the_same(server: Server) -> None:
    server.body = {"countries": [{"isoCountryCode": "SE", "name": "Sweden"}]}
    async with server.client() as client:
        found = await get_countries_list.asyncio(client=client, iso_country_codes=["SE", "FI"])
    assert found == CountryList(countries=[Country(iso_country_code="SE", name="Sweden")])
    (call,) = server.received
    assert call.path == "/psd2/aspspinformation/v1/countries?isoCountryCodes=SE%2CFI"
    assert call.headers["authorization"] == "Bearer a-token"
    assert uuid.UUID(call.headers["x-request-id"])


def test_a_path_parameter_cannot_leave_its_place(server: Server) -> None:
    server.body = {"bicFi": "ESSESESS", "name": "SEB"}
    with server.client() as client:
        get_aspsp_details.sync("a/b?c", client=client)
        get_consent_sca_status.sync("a/b", "c?d#e", client=client, **BANK)
    assert [call.path for call in server.received] == [
        "/psd2/aspspinformation/v1/aspsps/a%2Fb%3Fc",
        "/psd2/consent/v1/consents/a%2Fb/authorisations/c%3Fd%23e",
    ]


def test_a_token_request_is_a_form_with_headers_for_what_was_approved(server: Server) -> None:
    server.body = {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
    form = TokenRequest(
        grant_type="authorization_code",
        client_id="id",
        client_secret="a&b+c",
        code="code",
        redirect_uri="https://app.example/",
        scope="accountinformation private",
    )
    with Client(base_url=server.url, httpx_args={"trust_env": False}) as client:
        token = create_token.sync(client=client, body=form, x_consent_id="c1", x_consent_authorisation_id="a1")
    assert token == Token(access_token="t", expires_in=3600, token_type="Bearer")
    ((_, path, headers, content),) = server.received
    assert path == "/connect/token"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert (headers["x-consentid"], headers["x-consentauthorisationid"]) == ("c1", "a1")
    assert not {"x-paymentid", "x-paymentauthorisationid", "authorization"} & headers.keys()
    assert uuid.UUID(headers["x-request-id"])
    assert parse_qs(content.decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "client_id": ["id"],
        "client_secret": ["a&b+c"],
        "code": ["code"],
        "redirect_uri": ["https://app.example/"],
        "scope": ["accountinformation private"],
    }


@each_endpoint
def test_only_what_must_be_sent_must_be_given(endpoint: Endpoint) -> None:
    """The parts of the path by position, in its order; all else by name.

    The request id is made where none is given; what a client binds to a bank is required by operations.py alone.
    """
    in_path = [identifier(each["name"]) for each in endpoint.described if each["in"] == "path"]
    names = argument_names([((), {}, each) for each in endpoint.described])
    described = dict(zip(names, endpoint.described, strict=True))
    others = {name: each for name, each in described.items() if each["in"] != "path"}
    may_be_left_out = ("X-Request-ID", *BOUND)
    must = {name for name, each in others.items() if each["required"] and not each["name"].startswith(may_be_left_out)}
    named = {name: each for name, each in endpoint.parameters.items() if each.kind is each.KEYWORD_ONLY}
    required = {name for name, each in named.items() if each.default is each.empty}
    assert required == {"client"} | must | ({"body"} if endpoint.has_body else set())
    assert named.keys() == required | others.keys()
    assert [name for name, each in named.items() if name not in required and each.default is not None] == []
    positional = [each for name, each in endpoint.parameters.items() if name not in named]
    assert {each.kind for each in positional} <= {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert [each.name for each in positional] == in_path


def test_a_call_to_a_bank_sends_what_it_needs_and_no_more(server: Server) -> None:
    server.body = {"accounts": []}
    with server.client() as client:
        get_account_list.sync(client=client, **CONSENT)
    (call,) = server.received
    assert (call.method, call.path) == ("GET", "/psd2/accountinformation/v1/accounts")
    assert (call.headers["x-bicfi"], call.headers["consent-id"]) == ("ESSESESS", "c1")
    ours = {name for name in call.headers if name.startswith(("x-", "psu-", "tpp-", "consent-"))}
    assert ours == {"x-bicfi", "consent-id", "x-request-id"}


def test_every_optional_header_is_sent_when_it_is_given(server: Server) -> None:
    server.status, server.body = 201, {"consentId": "c1", "consentStatus": "received"}
    body = ConsentRequest(ConsentAccess(), True, dt.date(9999, 12, 31), 4, False)
    required = {"client", "body", "x_bic_fi"}
    given = {
        name: f"value of {name}" for name in inspect.signature(create_consent.sync).parameters if name not in required
    }
    with server.client() as client:
        create_consent.sync(client=client, body=body, **BANK, **given)
    (call,) = server.received
    sent = {name.replace("-", ""): value for name, value in call.headers.items()}
    assert {name: sent.get(name.replace("_", "")) for name in given} == given
    assert {"psu_ip_address", "psu_user_agent", "psu_id", "psu_corporate_id", "tpp_redirect_preferred"} <= given.keys()
    assert {"x_affiliated_aspsp_id", "tpp_redirect_uri", "psu_id_type"} <= given.keys()


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"booking_status": "booked"}, "bookingStatus=booked"),
        (
            {"booking_status": "both", "date_from": dt.date(2026, 1, 1), "date_to": dt.date(2026, 1, 31)},
            "bookingStatus=both&dateFrom=2026-01-01&dateTo=2026-01-31",
        ),
        (
            {"booking_status": "pending", "delta_list": True, "with_balance": False},
            "bookingStatus=pending&deltaList=true&withBalance=false",
        ),
        (
            {"booking_status": "booked", "entry_reference_from": "a&b=c", "date_to": None},
            "bookingStatus=booked&entryReferenceFrom=a%26b%3Dc",
        ),
    ],
)
def test_the_query_of_a_transaction_list(server: Server, asked: dict[str, Any], query: str) -> None:
    with server.client() as client:
        get_transaction_list.sync("a1", client=client, **CONSENT, **asked)
    assert [call.path for call in server.received] == [f"/psd2/accountinformation/v1/accounts/a1/transactions?{query}"]


@pytest.mark.parametrize(
    ("access", "sent"),
    [(ConsentAccess(), {}), (ConsentAccess(accounts=[], all_psd_2=None), {"accounts": []})],
)
def test_a_consent_is_asked_for_in_json(server: Server, access: ConsentAccess, sent: dict[str, Any]) -> None:
    server.status, server.body = 201, {"consentId": "c1", "consentStatus": "received"}
    body = ConsentRequest(
        access=access,
        recurring_indicator=True,
        valid_until=dt.date(9999, 12, 31),
        frequency_per_day=4,
        combined_service_indicator=False,
    )
    with server.client() as client:
        created = create_consent.sync(client=client, body=body, **BANK)
    assert created == ConsentCreated(consent_id="c1", consent_status="received")
    (call,) = server.received
    assert (call.method, call.path) == ("POST", "/psd2/consent/v1/consents")
    assert call.headers["content-type"] == "application/json"
    assert json.loads(call.content) == {
        "access": sent,
        "recurringIndicator": True,
        "validUntil": "9999-12-31",
        "frequencyPerDay": 4,
        "combinedServiceIndicator": False,
    }


def test_an_authorisation_is_started_without_a_body_and_goes_on_with_one(server: Server) -> None:
    server.status, server.body = 201, {"authorisationId": "a1", "scaStatus": "started"}
    with server.client() as client:
        started = start_consent_authorisation.sync("c1", client=client, **BANK)
        server.status, server.body = 200, {"scaStatus": "scaMethodSelected"}
        method = SelectAuthenticationMethod(authentication_method_id="mbid")
        updated = update_consents_psu_data.sync("c1", "a1", client=client, body=method, **BANK)
    assert started == AuthorisationStarted(authorisation_id="a1", sca_status="started")
    assert updated == AuthorisationUpdated(sca_status="scaMethodSelected")
    assert [(call.method, call.path, call.content) for call in server.received] == [
        ("POST", "/psd2/consent/v1/consents/c1/authorisations", b""),
        ("PUT", "/psd2/consent/v1/consents/c1/authorisations/a1", b'{"authenticationMethodId":"mbid"}'),
    ]


def test_a_consent_that_was_deleted_is_none(server: Server) -> None:
    server.status, server.body = 204, None
    with server.client() as client:
        response = delete_consent.sync_detailed("c1", client=client, **BANK)
    assert (response.status_code, response.parsed) == (204, None)
    assert [(call.method, call.path) for call in server.received] == [("DELETE", "/psd2/consent/v1/consents/c1")]


async def test_transactions_are_the_same_asynchronously(server: Server) -> None:
    server.body = {"transactions": {"booked": [{"transactionAmount": AMOUNT, "bookingDate": "2026-02-27"}]}}
    async with server.client() as client:
        report = await get_transaction_list.asyncio("a1", client=client, booking_status="booked", **CONSENT)
    assert isinstance(report, TransactionReport)
    assert report.transactions
    assert report.transactions.booked == [
        BookedTransaction(MonetaryAmount(currency="SEK", amount="-120.00"), booking_date=dt.date(2026, 2, 27))
    ]
    assert (server.received[0].headers["consent-id"], server.received[0].headers["x-bicfi"]) == ("c1", "ESSESESS")


# ----------------------------------------------------------------------------------------------- responses

AMOUNT = {"currency": "SEK", "amount": "-120.00"}


def answer(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


def test_null_and_absent_read_as_none() -> None:
    bank = AspspDetails.from_dict({"bicFi": "ESSESESS", "name": "SEB", "globalPaymentProducts": None, "city": None})
    assert bank == AspspDetails(bic_fi="ESSESESS", name="SEB")
    assert {getattr(bank, name) for name in ("global_payment_products", "city", "phone", "id")} == {None}


def test_what_nobody_described_is_kept() -> None:
    sent = {
        "bicFi": "ESSESESS",
        "name": "SEB",
        "globalPaymentProducts": ["domestic", "instant-moon-transfers"],
        "supportedAuthorizationMethods": [{"name": "Telepathy", "uri": ""}],
        "affiliatedAspsps": [{"id": "08999", "name": "Swedbank"}],
        "rating": 5,
    }
    bank = AspspDetails.from_dict(sent)
    assert bank.global_payment_products == ["domestic", "instant-moon-transfers"]
    assert bank.supported_authorization_methods
    assert bank.supported_authorization_methods[0].name == "Telepathy"
    assert bank.additional_properties == {"rating": 5}
    assert bank.to_dict() == sent


def as_union(members: list[type[Any]]) -> Any:
    return typing.Union[tuple(members)]  # noqa: UP007


@each_endpoint
def test_return_types_are_the_model_the_error_or_none(endpoint: Endpoint) -> None:
    """`Any` in the union would turn every type that is inferred from it into `Any`."""
    parsed = as_union([*endpoint.models(*endpoint.responses)])
    module = endpoint.module
    for function in module._parse_response, module.sync, module.asyncio:
        assert typing.get_type_hints(function)["return"] == parsed | None
    for function in module._build_response, module.sync_detailed, module.asyncio_detailed:
        returned = typing.get_type_hints(function)["return"]
        assert (typing.get_origin(returned), typing.get_args(returned)) == (Response, (parsed,))
    assert typing.get_type_hints(Response)["status_code"] is int


@each_endpoint
def test_what_a_success_gives_is_its_model_or_none_without_a_body(endpoint: Endpoint) -> None:
    """Type checkers infer the result of `op.call` from this annotation."""
    successes = [status for status in endpoint.responses if 200 <= status < 300]
    given = as_union(endpoint.models(*successes)) if endpoint.models(*successes) else None
    if any("content" not in endpoint.responses[status] for status in successes):
        given = given | None if given else type(None)
    assert typing.get_type_hints(endpoint.module)["_success"] == given


@each_endpoint
def test_docstrings_say_what_is_returned_and_that_the_request_id_may_be_left_out(endpoint: Endpoint) -> None:
    doc = inspect.getdoc(endpoint.module.sync) or ""
    returned = {model.__name__ for model in endpoint.models(*endpoint.responses)}
    assert {*doc.rpartition("Returns:")[2].strip().split(" | ")} == returned
    assert "x_request_id (str | None; a fresh UUID when left out): A UUID" in doc


def without_null(value: Any) -> Any:
    if isinstance(value, list):
        return [without_null(item) for item in value]
    return (
        {key: without_null(item) for key, item in value.items() if item is not None}
        if isinstance(value, dict)
        else value
    )


@each_endpoint
def test_every_example_of_the_description_is_read_and_comes_back(endpoint: Endpoint) -> None:
    client = Client(base_url="http://127.0.0.1")
    for status, response in endpoint.responses.items():
        if "content" not in response:
            assert endpoint.module._parse_response(client=client, response=answer(status)) is None
            continue
        (model,) = endpoint.models(status)
        for example in response["content"]["application/json"]["examples"].values():
            parsed = endpoint.module._parse_response(client=client, response=answer(status, example["value"]))
            assert type(parsed) is model
            back = json.dumps(parsed.to_dict()).replace('+00:00"', 'Z"')
            sent = json.dumps(without_null(example["value"]))
            # one text where a list belongs is read as a list
            sent = re.sub(r'"challengeData": \{"data": ("[^"]*")', r'"challengeData": {"data": [\1]', sent)
            assert json.loads(back) == json.loads(sent)


LINK = {"href": "/psd2/accountinformation/v1/accounts/a1"}


def test_a_link_is_an_object_a_text_or_null() -> None:
    sent = {"self": LINK | {"type": "GET"}, "account": LINK["href"], "download": None, "of-the-bank": LINK}
    read = TransactionReport.from_dict({"transactions": {"_links": sent}, "_links": sent})
    assert read.transactions
    for links in read.links, read.transactions.links:
        assert links
        assert (links["account"], links["download"]) == (LINK["href"], None)
        assert links["of-the-bank"] == Link(href=LINK["href"])
        assert isinstance(links["self"], Link)
        assert (links["self"].href, links["self"].additional_properties) == (LINK["href"], {"type": "GET"})
        assert links.to_dict() == sent
    assert TransactionReport.from_dict({"_links": None}).links is None


def test_a_link_without_an_address_is_a_link_and_no_dictionary() -> None:
    found = Links.from_dict({"next": {"address": "/x"}}).additional_properties["next"]
    assert isinstance(found, Link)
    assert (found.href, found.additional_properties) == (None, {"address": "/x"})


@pytest.mark.parametrize("data", ["hide-me", ["hide-me", "hide-me-too"], [], None])
def test_a_challenge_is_a_text_a_list_or_null_and_never_shown(data: Any) -> None:
    challenge = {"data": data, "image": "hide-png", "imageLink": "https://hide.example", "sum": "hide-sum"}
    read = ScaStatusAnswer.from_dict({"scaStatus": "started", "challengeData": challenge})
    assert read.challenge_data
    listed = [data] if isinstance(data, str) else data
    assert read.challenge_data.data == listed
    assert read.challenge_data.additional_properties == {"sum": "hide-sum"}
    assert "hide" not in repr(read)
    assert "started" in repr(read)
    written = challenge | {"data": listed}
    assert read.challenge_data.to_dict() == {key: value for key, value in written.items() if value is not None}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("ConsentCreated", {"consentId": "c1", "consentStatus": "of-tomorrow"}),
        ("Consent", {"consentStatus": "of-tomorrow"}),
        ("ConsentStatusAnswer", {"consentStatus": "of-tomorrow"}),
        ("AuthorisationStarted", {"authorisationId": "a1", "scaStatus": "of-tomorrow"}),
        ("AuthorisationUpdated", {"scaStatus": "of-tomorrow"}),
        ("ScaStatusAnswer", {"scaStatus": "of-tomorrow"}),
        ("AuthenticationMethod", {"authenticationMethodId": "m1", "authenticationType": "of-tomorrow"}),
        ("ChallengeData", {"otpFormat": "of-tomorrow"}),
        ("Account", {"currency": "SEK", "status": "of-tomorrow", "usage": "of-tomorrow"}),
        ("Balance", {"balanceAmount": AMOUNT, "balanceType": "of-tomorrow"}),
        ("Transaction", {"transactionAmount": AMOUNT, "purposeCode": "of-tomorrow"}),
    ],
)
def test_values_that_nobody_listed_are_read(name: str, fields: dict[str, Any]) -> None:
    read = getattr(models, name).from_dict(fields)
    unlisted = [key for key, value in fields.items() if value == "of-tomorrow"]
    assert [getattr(read, identifier(key)) for key in unlisted] == ["of-tomorrow"] * len(unlisted)
    assert read.to_dict() == fields


def test_a_bank_says_more_than_is_described_at_any_depth() -> None:
    transaction = {
        "transactionAmount": {**AMOUNT, "rounded": True},
        "creditorAccount": {"iso": 1},
        "bankgiro": {"a": [1]},
    }
    sent = {"transactions": {"booked": [transaction], "future": []}, "asOf": "today"}
    report = TransactionReport.from_dict(sent)
    assert report.transactions
    assert report.transactions.booked
    (read,) = report.transactions.booked
    assert read.creditor_account
    more = [each.additional_properties for each in (report, report.transactions, read, read.creditor_account)]
    assert more == [{"asOf": "today"}, {"future": []}, {"bankgiro": {"a": [1]}}, {"iso": 1}]
    assert (read["bankgiro"], read.transaction_amount["rounded"]) == ({"a": [1]}, True)
    assert report.to_dict() == sent


def test_amounts_stay_the_texts_that_they_are() -> None:
    for text in "-0.10", "1", "12345678901234.123":
        read = Balance.from_dict({"balanceAmount": {"currency": "SEK", "amount": text}, "balanceType": "expected"})
        assert read.balance_amount.amount == text


def test_a_problem_of_a_bank_is_kept_as_it_came() -> None:
    """Both forms are described; the generator reads the first, and loses nothing of the second."""
    problem = {"type": "https://errors.example/x", "code": "CONSENT_EXPIRED", "_links": {"self": LINK}}
    client = Client(base_url="http://127.0.0.1")
    error = get_transaction_details._parse_response(client=client, response=answer(401, problem))
    assert isinstance(error, ErrorBody)
    assert (error.tpp_messages, error["code"]) == (None, "CONSENT_EXPIRED")
    assert models.Problem.from_dict(error.to_dict()) == models.Problem.from_dict(problem)


def test_errors_are_read() -> None:
    client = Client(base_url="http://127.0.0.1")
    body = {"tppMessages": [{"category": "ERROR", "code": "MADE_UP_YESTERDAY", "text": "x", "path": None}]}
    for status in 400, 401, 403, 404, 405, 406, 409, 429:
        for endpoint in get_countries_list, get_transaction_list, delete_consent:
            error = endpoint._parse_response(client=client, response=answer(status, body))
            assert isinstance(error, ErrorBody)
            assert error.tpp_messages
            assert error.tpp_messages[0].code == "MADE_UP_YESTERDAY"
    for status in 400, 401:
        refused = create_token._parse_response(client=client, response=answer(status, {"error": "invalid_client"}))
        assert refused == OAuthError(error="invalid_client")


def test_a_status_that_python_has_no_name_for(server: Server) -> None:
    server.status, server.body = 599, None
    with server.client() as client:
        response = get_countries_list.sync_detailed(client=client)
    assert (response.status_code, response.parsed) == (599, None)


# -------------------------------------------------------------------------------------------------- models


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def secrets(name: str) -> set[str]:
    """The properties of a schema that are `format: password`, in any branch of it."""

    def is_secret(schema: dict[str, Any]) -> bool:
        schema = resolved(schema)
        return schema.get("format") == "password" or any(map(is_secret, schema.get("anyOf", [])))

    return {key for key, schema in SCHEMAS[name].get("properties", {}).items() if is_secret(schema)}


def sample(schema: dict[str, Any]) -> Any:
    """The least that fits a schema: an object with its required fields only."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if schema["type"] == "object":
        return {key: sample(schema["properties"][key]) for key in schema.get("required", ())}
    dates = {"date": "2026-03-01", "date-time": "2026-03-01T12:00:00+00:00"}
    values = {"string": dates.get(schema.get("format", ""), "text"), "integer": 1, "boolean": True, "array": []}
    return values[schema["type"]]


@each_model
def test_what_is_optional_may_be_null_or_absent(model: type[Any]) -> None:
    least = sample(SCHEMAS[model.__name__])
    read = model.from_dict(least)
    optional = SCHEMAS[model.__name__].get("properties", {}).keys() - least.keys()
    assert {name: getattr(read, identifier(name)) for name in optional} == dict.fromkeys(optional)
    assert model.from_dict(least | dict.fromkeys(optional)) == read
    assert read.to_dict() == least


@each_model
def test_an_object_can_be_read_without_all_that_is_not_needed(model: type[Any]) -> None:
    """What is needed is named; objects and lists are empty then, and anything else is None."""
    schema = SCHEMAS[model.__name__]
    least, needed = sample(schema), set(schema.get("x-needed", ()))
    for name in least:
        without = {key: value for key, value in least.items() if key != name}
        if name in needed & set(schema.get("required", ())):
            with pytest.raises(Unreadable) as caught:
                model.from_dict(without)
            assert caught.value.path == name
            continue
        for source in (without, without | {name: None}):
            value = getattr(model.from_dict(source), identifier(name))
            inner = resolved(schema["properties"][name])
            assert value == ([] if inner.get("type") == "array" else None) or value.to_dict() == {}


SECRETS = {name: found for name in SCHEMAS if (found := secrets(name))}


def test_the_secrets_are_known() -> None:
    assert {
        "Token": {"access_token", "refresh_token"},
        "TokenRequest": {"client_secret", "code", "refresh_token"},
        "ChallengeData": {"data", "image", "imageLink"},
        "KycCreated": {"kycUrl"},
    } == SECRETS


@pytest.mark.parametrize("name", SECRETS)
def test_reprs_hide_secrets(name: str) -> None:
    properties = SCHEMAS[name]["properties"]
    data: dict[str, Any] = {key: f"hide-{key}" if key in SECRETS[name] else f"show-{key}" for key in properties}
    others = {"grant_type": "refresh_token", "expires_in": 5, "refresh_token_expires_in": 6}
    others |= {"refresh_token_issued_at": 7, "refresh_count": 8, "otpMaxLength": 9}
    data |= {key: value for key, value in others.items() if key in data}
    shown = repr(getattr(models, name).from_dict(data | {"id_token": "hide-what-nobody-described"}))
    assert "hide-" not in shown
    for key in properties.keys() - SECRETS[name] - {"additionalInformation"}:
        assert f"{identifier(key)}={data[key]!r}" in shown


def test_reprs_of_clients_hide_tokens() -> None:
    secret = {"X-Key": "a-secret"}
    clients: list[Client | AuthenticatedClient] = [
        Client(base_url="http://127.0.0.1", headers=secret, cookies=secret, httpx_args={"params": secret}),
        AuthenticatedClient(base_url="http://127.0.0.1", token="a-secret", headers=secret, cookies=secret),
    ]
    for client in clients:
        with client:
            assert "a-secret" in str(client.get_httpx_client().headers.raw)
            assert "a-secret" not in repr(client)
            assert "http://127.0.0.1" in repr(client)


def loaded_by(code: str) -> set[str]:
    """The modules of the package's models that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(generate.PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    prefix = "openpayments_client.models."
    return {name.removeprefix(prefix) for name in done.stdout.split() if name.startswith(prefix)}


def test_an_endpoint_loads_the_models_that_it_reads() -> None:
    code = "from openpayments_client.api.aspsp_information import get_countries_list as api"
    assert loaded_by(code) == set()
    assert loaded_by(f"{code}; api._bodies[200]()") == {"country_list", "country"}


def test_the_models_package_loads_none_until_asked() -> None:
    assert loaded_by("import openpayments_client.models") == set()
    assert loaded_by("from openpayments_client.models import City, Country") == {"city", "country"}


def test_the_models_package_has_every_name_and_no_other() -> None:
    written = {"properties", "additionalProperties", "enum", "x-constants"}
    assert {*models.__all__} == {name for name, schema in SCHEMAS.items() if written & schema.keys()}
    assert {*models.__all__} <= {*dir(models)}
    assert [name for name in models.__all__ if getattr(models, name) is None] == []
    with pytest.raises(AttributeError, match="Cuontry"):
        models.Cuontry  # type: ignore[attr-defined]  # noqa: B018


# -------------------------------------------------------------------------------------------------- the tree


def test_every_module_says_where_it_comes_from_and_none_knows_unset() -> None:
    assert len(MODULES) > 80
    for module in MODULES:
        code = module.read_text("utf-8")
        assert code.startswith(generate.HEADER), module
        assert "unset" not in code.lower(), module
    assert (generate.PACKAGE / "py.typed").exists()
    assert openpayments_client.__file__ == str(generate.PACKAGE / "__init__.py")


def test_it_is_what_the_description_gives_wherever_the_script_runs(tmp_path: Path) -> None:
    """A second run gives the same bytes, whatever the hash seed, the current folder's ruff settings, and PATH."""
    (tmp_path / "ruff.toml").write_text("line-length = 40\nindent-width = 2\n")
    done = subprocess.run(
        [sys.executable, generate.__file__, "--check"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(generate.ROOT), "PYTHONHASHSEED": "4711", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["ruff.toml"]


def test_the_check_names_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = generate.PACKAGE
    copy = tmp_path / "openpayments_client"
    shutil.copytree(fresh, copy)
    monkeypatch.setattr(generate, "PACKAGE", copy)
    monkeypatch.setattr(generate, "generate", lambda output: shutil.copytree(fresh, output))
    assert generate.main(["--check"]) == 0

    with (copy / "client.py").open("a") as client:
        client.write("# a hand edit\n")
    (copy / "models" / "city.py").unlink()
    (copy / "models" / "village.py").touch()
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  differs: client.py",
        "  missing: models/city.py",
        "  stray: models/village.py",
        "Run `make generate`; never edit generated/ by hand.",
    ]

    for told in ("changed: client.py\nadded: models/city.py\nremoved: models/village.py\n", "nothing changed\n"):
        assert generate.main([]) == 0
        assert capsys.readouterr().out == told
        assert generate.main(["--check"]) == 0


# ----------------------------------------------------------------------------------------------- the templates

DAY = dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
BALANCE = {"balanceAmount": AMOUNT, "balanceType": "expected"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "20260301",
        "2026-03-01T23:59:59.5+01:00",
        "2026-060",
        "2026-03-01Z",
        "2026-03-01 +01:00",
        " 2026-03-01 ",
    ],
)
def test_dates_are_read_tolerantly(text: str) -> None:
    read = Transaction.from_dict({"transactionAmount": AMOUNT, "bookingDate": text, "valueDate": None})
    assert (type(read.booking_date), read.booking_date, read.value_date) == (dt.date, DAY, None)
    assert read.to_dict()["bookingDate"] == "2026-03-01"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00.0000000+01:00",
        "20260301T1200Z",
        "2026-060T12:00Z",
        "2026-03-01 14:00:00 +02:00",
    ],
)
def test_times_are_read_tolerantly(text: str) -> None:
    assert Balance.from_dict(BALANCE | {"lastChangeDateTime": text}).last_change_date_time == NOON


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "2026-03", "2026-03-01/2026-03-05", "26-03-01", True, {}])
def test_what_is_no_date_is_none_and_kept(text: Any) -> None:
    for key in "referenceDate", "lastChangeDateTime":
        read = Balance.from_dict(BALANCE | {key: text})
        assert getattr(read, identifier(key)) is None
        assert read.additional_properties == {key: text}
        assert read.to_dict() == BALANCE | {key: text}


def test_well_formed_dates_do_without_dateutil() -> None:
    fields = BALANCE | {"referenceDate": "2026-03-01", "lastChangeDateTime": "2026-03-01T12:00:00Z"}
    code = f"from openpayments_client.models import Balance\nBalance.from_dict({fields})\n"
    assert "balance" in loaded_by(code + "import sys\nassert 'dateutil' not in sys.modules")


def assert_read_in_the_order_of_the_class(model: type[Any]) -> None:
    names = [name for _, name in model._fields.names]
    assert names == [each.name for each in attrs.fields(model) if each.init]


@each_model
def test_the_table_of_a_model_has_its_fields_in_order(model: type[Any]) -> None:
    """Objects are made by position: naming every argument would take a third of the time that parsing takes."""
    assert_read_in_the_order_of_the_class(model)


# ---------------------------------------------------------------------------------- what is not there yet

# What the API's description has no use for: circles, required lists in a query, required fields that may be null or
# that have a default, lists of dates, a model or a text as a field of its own.
THROWAWAY = """
openapi: 3.1.0
info: { title: Throw-away, version: "1" }
tags: [{ name: things }]
paths:
  /things/{thing-id}:
    parameters:
      - { name: thing-id, in: path, required: true, schema: { type: string } }
      - { name: X-Request-ID, in: header, required: true, schema: { type: string } }
    get:
      operationId: getThing
      tags: [things]
      summary: A thing
      security: []
      parameters:
        - { name: kinds, in: query, required: true, explode: false, schema: { type: array, items: { type: string } } }
        - { name: from, in: query, schema: { type: string, format: date } }
      responses:
        "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } }
components:
  schemas:
    Box: { type: object, properties: { owner: { $ref: "#/components/schemas/Thing" } } }
    Thing:
      type: object
      required: [size, day, note]
      properties:
        size: { type: integer, default: 3 }
        day: { type: string, format: date }
        note: { type: [string, "null"] }
        days: { type: array, items: { type: string, format: date } }
        pin: { anyOf: [{ type: string, format: password }, { type: "null" }] }
        child: { anyOf: [{ $ref: "#/components/schemas/Thing" }, { type: "null" }] }
        box: { $ref: "#/components/schemas/Box" }
        label: { anyOf: [{ $ref: "#/components/schemas/Box" }, { type: string }, { type: "null" }] }
"""


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A package from another description, imported as `throwaway_client`."""
    with generated(tmp_path_factory.mktemp("throwaway"), THROWAWAY, "throwaway_client") as module:
        yield module


@pytest.fixture
def thing(throwaway: ModuleType) -> Any:
    return import_module("throwaway_client.models.thing").Thing


def test_models_in_a_circle_and_their_way_back(thing: Any) -> None:
    sent = {
        "size": 3,
        "day": "2026-03-01",
        "note": None,
        "days": ["2026-03-01"],
        "child": {"size": 4, "day": "2026-03-02", "note": "x", "label": "text"},
        "box": {"owner": {"size": 5, "day": "2026-03-03", "note": "y"}},
        "label": {"owner": {"size": 6, "day": "2026-03-04", "note": "z"}},
    }
    read = thing.from_dict(sent)
    assert read.days == [DAY]
    assert read.child.label == "text"
    assert read.box.owner.day == dt.date(2026, 3, 3)
    assert read.label.owner.note == "z"
    assert read.to_dict() == without_null(sent)
    odd = thing.from_dict(sent | {"days": ["2026-03-01", "soon"], "child": 5, "label": {"owner": {}}})
    assert (odd.days, odd.child, odd.label.owner.day) == ([DAY], None, None)
    assert odd.additional_properties == {"days": ["2026-03-01", "soon"], "child": 5}


def test_a_required_field_with_a_default_does_not_upset_the_order(thing: Any) -> None:
    assert_read_in_the_order_of_the_class(thing)
    read = thing.from_dict({"size": 4, "day": "2026-03-01", "note": "x"})
    assert (read.size, read.day, read.note) == (4, DAY, "x")


def test_a_nullable_secret_is_hidden_too(thing: Any) -> None:
    assert "1234" not in repr(thing(day=DAY, note=None, pin="1234"))


def test_a_required_list_in_a_query(throwaway: ModuleType) -> None:
    endpoint = import_module("throwaway_client.api.things.get_thing")
    assert endpoint._get_kwargs("1", kinds=["a", "b"])["params"] == {"kinds": "a,b"}


def test_mypy_strict_has_nothing_to_say_but_about_misspelt_names(
    throwaway: ModuleType, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache  # reading the standard library's types anew would take longer than all else here
    package = Path(throwaway.__path__[0])
    use = tmp_path / "use.py"
    use.write_text("from throwaway_client.models import Box, Thing\nfrom throwaway_client.models import Thnig\n")
    strict = ["--strict", "--config-file=", f"--cache-dir={pytestconfig.cache.mkdir('mypy')}"]
    done = subprocess.run([sys.executable, "-m", "mypy", *strict, package, use], capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert "use.py:2" in errors[0]
    assert '"Thnig"' in errors[0]


def test_a_warning_of_the_generator_is_an_error(tmp_path: Path) -> None:
    """It warns about a date in a header, leaves the whole operation out, and would go on."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(THROWAWAY.replace("name: from, in: query", "name: From, in: header"))
    with pytest.raises(generate.GenerationError, match="Warning"):
        generate.generate(tmp_path / "package", broken)


def test_slips_in_the_description_are_a_line_each(tmp_path: Path) -> None:
    file = tmp_path / "slip.yaml"
    for content, told in (
        ("a: b: c", f'mapping values are not allowed in this context in "{file}", line 1, column 5'),
        ("1", f"{file}: not a description"),
        (
            "paths: {/a: {get: {operationId: a}, put: {operationId: a}}, /b: {get: {x: [{$ref: '#/y~1z'}]}}}",
            f"{file}:1: PUT /a: its name in Python, a, is that of GET /a\n{file}:1: GET /b x/0: #/y~1z does not exist",
        ),
    ):
        file.write_text(content)
        with pytest.raises(generate.GenerationError) as caught:
            generate.generate(tmp_path / "package", file)
        assert str(caught.value) == told


def test_a_failure_leaves_the_package_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "openpayments_client"
    copy.mkdir()
    (copy / "kept.py").touch()

    def fail(_: Path) -> None:
        raise generate.GenerationError("the generator warned")

    monkeypatch.setattr(generate, "PACKAGE", copy)
    monkeypatch.setattr(generate, "generate", fail)
    assert generate.main([]) == 1
    assert "the generator warned" in capsys.readouterr().err
    assert [path.name for path in copy.iterdir()] == ["kept.py"]
