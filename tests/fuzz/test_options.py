"""Users, options, hosts, credentials and requests of one's own: what is accepted is sent as it is, and nothing else."""

from __future__ import annotations

import functools
import ipaddress
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
from attrs import fields_dict
from hypothesis import strategies as st
from openpayments_client.operations import OPERATIONS

from openpayments_facade import (
    ConfigurationError,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    Psu,
    TimedOutError,
)
from openpayments_facade.request_ids import pass_on
from openpayments_facade.tokens import forget_all
from tests.fuzz.carrier import REQUEST, Carrier, check_text, is_at_home, said
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import cases_of, like, pieces, spliced, texts, things
from tests.fuzz.test_inputs import differences

BIC, ID = "ESSESESS", "3f1d0c7e-8a52-4a1e-9a44-6f0a1f6f2f10"
KNOWN: dict[str, Any] = {
    "id": "PSU-ID",
    "ip_address": "203.0.113.7",
    "user_agent": "Mozilla/5.0",
    "corporate_id": "5560000000",
}
RESERVED = {"authorization", "connection", "content-length", "host", "transfer-encoding", "upgrade", "x-request-id"}
HEADERS = {
    name[4:]: rule for name, rule in OPERATIONS["update_consents_psu_data"].arguments.items() if name.startswith("psu_")
}


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(lambda _: httpx.Response(200, json={"consentStatus": "valid"}))
    return carrier, carrier.client()


def ask(op: OpenPayments, psu: Psu) -> httpx.Request:
    carrier, _ = carried()
    carrier.requests.clear()
    op.at_bank(BIC, psu).consents.status(ID)
    [request] = carrier.requests
    assert is_at_home(request)
    return request


@functools.cache
def base() -> dict[Any, Any]:
    return said(ask(carried()[1], Psu(**KNOWN)))


USERS = {name: like(HEADERS[name].example) if name in HEADERS else things for name in fields_dict(Psu)}
addresses = st.ip_addresses().map(str) | spliced("::ffff:203.0.113.7")


@fuzzed("options", 300, 45_000, passed=cases_of({**USERS, "ip_address": USERS["ip_address"] | addresses}))
def test_a_field_of_a_user_is_its_header_and_nothing_else(passed: tuple[str, Any]) -> None:
    name, value = passed
    try:
        psu = Psu(**{**KNOWN, name: value})
    except InvalidArgumentError as error:
        return check_text(error, None if name == "context" else value)
    after = said(ask(carried()[1], psu))
    if name in ("context", "authoriser_id", "id_type"):
        assert after == base()
        return None
    place = ("header", HEADERS[name].name.lower())
    assert differences(base(), after) <= {place}
    if name == "ip_address" and value is not None:
        given = ipaddress.ip_address(value)
        assert ipaddress.ip_address(after[place]) == getattr(given, "ipv4_mapped", None) or given
    else:
        assert after.get(place) == (None if value is None else str.__str__(str(value)))
    return None


@fuzzed("options", 100, 15_000, headers=st.dictionaries(spliced("User-Agent"), like("an agent"), max_size=3) | things)
def test_only_the_user_agent_is_taken_from_the_headers_of_a_user(headers: Any) -> None:
    try:
        psu = Psu.from_headers(headers, client_ip="203.0.113.7")
    except InvalidArgumentError as error:
        return check_text(error)
    ask(carried()[1], psu)
    return None


names = st.sampled_from(["X-A", *RESERVED, "Cookie", "Accept", "PSU-ID", "Content-Type"]).flatmap(spliced)


@fuzzed("options", 350, 45_000, name=names | texts, value=like("a value"))
def test_a_header_is_itself_alone(name: str, value: Any) -> None:
    try:
        op = carried()[1].with_options(headers={name: value})
    except InvalidArgumentError as error:
        return check_text(error)
    assert name.lower() not in RESERVED
    after = said(ask(op, Psu(**KNOWN)))
    assert differences(base(), after) <= {("header", name.lower())}
    assert after["header", name.lower()] == value
    return None


@fuzzed("options", 100, 15_000, value=like(ID))
def test_a_request_id_is_one_or_is_refused(value: Any) -> None:
    _, op = carried()
    try:
        with pass_on(value) as passed:
            one = said(ask(op, Psu(**KNOWN)), with_id=True)
    except InvalidArgumentError as error:
        return check_text(error)
    other = said(ask(op.with_options(request_id=value), Psu(**KNOWN)), with_id=True)
    assert one["header", "x-request-id"] == other["header", "x-request-id"] == passed == str(value)
    return None


OPTIONS = {name: like(1.5) for name in ("timeout", "total_timeout", "max_retries")} | {"psu_context": like("private")}


@fuzzed("options", 100, 15_000, passed=cases_of({**OPTIONS, "headers": things}))
def test_an_option_is_taken_or_refused(passed: tuple[str, Any]) -> None:
    name, value = passed
    try:
        after = said(ask(carried()[1].with_options(**{name: value}), Psu(**KNOWN)))
    except (InvalidArgumentError, TimedOutError) as error:
        return check_text(error)
    assert name == "headers" or differences(base(), after) <= {("header", "authorization")}
    return None


hosts = st.lists(
    st.sampled_from(["https://", "http://", "api.example.com", "127.0.0.1", "[::1]", "localhost", ":8080", "/x", "@"])
    | pieces,
    max_size=6,
).map("".join)


@fuzzed("options", 300, 40_000, url=spliced("https://api.example.com:8443/x") | hosts | things)
def test_a_host_is_the_one_that_was_given(url: Any) -> None:
    try:
        environment = Environment("mine", "https://auth.fuzzed.example", url)
    except ConfigurationError as error:
        return check_text(error)
    carrier = Carrier(lambda _: httpx.Response(200, json={"countries": []}))
    with carrier.client(environment=environment) as op:
        try:
            op.countries.list()
        except InvalidArgumentError as error:
            assert carrier.requests == []
            return check_text(error)
    [request] = carrier.requests
    wanted = urlsplit(url)
    host = request.url.host
    assert unquote(host) == unquote(str(wanted.hostname)).lower() or not str(wanted.hostname).isascii()
    assert request.url.scheme == wanted.scheme == ("http" if wanted.scheme == "http" else "https")
    assert request.url.scheme == "https" or host in ("localhost", "::1") or ipaddress.ip_address(host).is_loopback
    default = {"https": 443, "http": 80}[wanted.scheme]
    assert (request.url.port or default) == (wanted.port or default)
    assert not request.url.userinfo
    assert request.url.path.endswith("/psd2/aspspinformation/v1/countries")
    assert not request.url.query
    return None


@fuzzed("options", 100, 10_000, passed=cases_of({name: like("an-id") for name in ("client_id", "client_secret")}))
def test_credentials_arrive_as_they_are(passed: tuple[str, Any]) -> None:
    name, value = passed
    carrier = Carrier(lambda _: httpx.Response(404))
    forget_all()
    try:
        with carrier.client(**{name: value}) as op:
            op.token()
            assert name == "client_id" or len(value) < 8 or value not in repr(op)
    except InvalidArgumentError as error:
        return check_text(error, value)
    [request] = carrier.tokens
    form = parse_qsl(request.content.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert {each for each, _ in form} == {"grant_type", "client_id", "client_secret", "scope"}
    assert len(form) == 4
    assert dict(form)[name] == value
    return None


PARTS = {
    **{name: like(REQUEST[name]) for name in ("method", "scope")},
    "path": like("/psd2/%2Fx/y"),
    "params": st.dictionaries(texts, like("a,b"), max_size=3) | things,
    "json": st.dictionaries(texts, things, max_size=3) | things,
    "headers": st.dictionaries(names, like("a"), max_size=2) | things,
}


@fuzzed("options", 350, 45_000, passed=cases_of(PARTS))
def test_a_request_of_ones_own_goes_where_it_says(passed: tuple[str, Any]) -> None:
    name, value = passed
    carrier, op = carried()
    carrier.requests.clear()
    try:
        op.request(**{**REQUEST, name: value})
    except InvalidArgumentError as error:
        assert carrier.requests == []
        return check_text(error)
    [request] = carrier.requests
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    assert is_at_home(request)
    assert unquote(path) == "/prefix" + unquote(value if name == "path" else "/psd2/x")
    assert path.count("/") == 1 + (value if name == "path" else "/psd2/x").count("/")
    assert request.method == (str.__str__(value).upper() if name == "method" else "GET")
    found = parse_qsl(query, keep_blank_values=True)
    wanted = value if name == "params" else REQUEST["params"]
    assert [each for each, _ in found] == [each for each, it in (wanted or {}).items() if it is not None]
    assert all(it == wanted[each] for each, it in found if isinstance(wanted[each], str))
    if name == "headers":
        assert not {each.lower() for each in value or ()} & RESERVED
        assert all(request.headers[each] == it for each, it in (value or {}).items())
    if name == "json" and isinstance(value, str | bool | int | None):
        assert json.loads(request.content or b"null") == value
    return None
