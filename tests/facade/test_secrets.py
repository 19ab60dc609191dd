"""No secret and no token in anything that an exception, a log or a repr leads to."""

from __future__ import annotations

import html
import json
import logging
import pickle
import re
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, unquote_plus, urlencode

import httpx
import pytest
from openpayments_client import models
from openpayments_client.api.bankgiro_lookup import get_giro_numbers
from openpayments_client.api.kyc import get_kyc_status
from openpayments_client.api.payment_initiation import initiate_payment

from openpayments_facade import (
    AsyncOpenPayments,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    Psu,
    ReauthorisationRequiredError,
    UserToken,
)
from openpayments_facade._redaction import Secret, scrubber
from openpayments_facade.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

SECRET = "s3cret&with=form/characters"
TOKEN = "a-t0ken-that-nobody-may-see"
PSU = "s0mebody-who-nobody-may-know"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in seen:
            seen.append(each)
            waiting += [each.__cause__, each.__context__]
    return iter(seen)


def _inside(value: Any, depth: int = 0) -> Iterator[str]:
    """The repr of a value, and of what its attributes and items hold, as an error reporter would show them."""
    yield repr(value)
    if depth < 2:
        items = [*value.values()] if isinstance(value, dict) else [*value] if isinstance(value, list | tuple) else []
        for item in [*items, *getattr(value, "__dict__", {}).values()]:
            yield from _inside(item, depth + 1)


def shown(error: BaseException) -> str:
    """Everything that can be seen from an exception: texts, chains, frames with their locals."""
    texts = ["".join(traceback.format_exception(error)), str(pickle.dumps(error))]
    for each in _chain(error):
        texts += [repr(each), str(each), *map(repr, vars(each).values())]
        trace: TracebackType | None = each.__traceback__
        while trace is not None:
            if "/openpayments_facade/" in trace.tb_frame.f_code.co_filename or "httpx" in str(trace.tb_frame.f_code):
                for value in trace.tb_frame.f_locals.values():
                    texts += _inside(value)
            trace = trace.tb_next
    return "\n".join(texts)


def _echo(request: httpx.Request) -> str:
    return f"{request.headers.get('authorization')} {unquote_plus(request.content.decode())} {request.content!r}"


def _token(request: httpx.Request) -> httpx.Response | None:
    if request.url.path == "/connect/token":
        return httpx.Response(200, json={"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})
    return None


def _refused(request: httpx.Request) -> httpx.Response:
    text = {"tppMessages": [{"category": "ERROR", "code": "FORMAT_ERROR", "text": _echo(request)}]}
    return _token(request) or httpx.Response(400, json=text)


def _unreadable(request: httpx.Request) -> httpx.Response:
    return _token(request) or httpx.Response(200, json={"name": _echo(request)})


def _broken(request: httpx.Request) -> httpx.Response:
    if answer := _token(request):
        return answer
    raise httpx.ReadError("broken", request=request)


def _protocol(request: httpx.Request) -> httpx.Response:
    if answer := _token(request):
        return answer
    raise httpx.LocalProtocolError(f"Illegal header value {request.headers['authorization']!r}", request=request)


def _no_token(request: httpx.Request) -> httpx.Response:
    return httpx.Response(400, json={"error": "invalid_client", "error_description": _echo(request)})


def _token_error(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"broken {request.content!r}", request=request)


def _odd_token(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"access_token": TOKEN, "token_type": "mac", "note": SECRET})


@pytest.mark.parametrize(
    "answer", [_refused, _unreadable, _broken, _protocol, _no_token, _token_error, _odd_token], ids=lambda f: f.__name__
)
def test_an_exception_leads_to_no_secret(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    environment = Environment(name="t", auth_url="https://auth.example.com", api_url="https://api.example.com")
    op = OpenPayments(
        client_id=answer.__name__,
        client_secret=SECRET,
        environment=environment,
        transport=httpx.MockTransport(answer),
        max_retries=0,
    )
    with op, pytest.raises(OpenPaymentsError) as caught:
        op.countries.get("SE")
    everything = shown(caught.value) + "".join(str(vars(record)) + record.getMessage() for record in caplog.records)
    assert "openpayments_facade" in everything
    for secret in (SECRET, TOKEN, "s3cret", "form%2Fcharacters"):
        assert secret not in everything


QUOTED = 'a"k0de/with\\quotes&more'
USER_TOKEN = UserToken.from_dict({"access_token": f"old-{TOKEN}", "refresh_token": f"r3fresh{QUOTED}"})


def _explaining(explain: Callable[[dict[str, str]], str]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        said = explain({name: form[name] for name in ("client_secret", "code", "refresh_token") if name in form})
        return httpx.Response(400, json={"error": f"bad {said}", "error_description": said})

    return answer


_error_of_a_repr = _explaining(str)
_error_of_json = _explaining(json.dumps)
_error_of_escaped_json = _explaining(lambda form: json.dumps(form).replace("/", "\\/"))
_error_of_a_form = _explaining(lambda form: urlencode(form).lower())
_error_of_a_page = _explaining(lambda form: html.escape(" ".join(form.values())))


def _unusable_token(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"access_token": f"{TOKEN} {TOKEN}", "token_type": "Bearer"})


@pytest.mark.parametrize(
    "answer",
    [
        _error_of_a_repr,
        _error_of_json,
        _error_of_escaped_json,
        _error_of_a_form,
        _error_of_a_page,
        _odd_token,
        _unusable_token,
    ],
    ids=["repr", "json", "escaped", "form", "page", "odd", "unusable"],
)
def test_an_exception_of_a_user_grant_leads_to_no_secret(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    op = OpenPayments(
        client_id="x",
        client_secret=f'{SECRET}"/\\',
        api_scopes=["accountinformation"],
        transport=httpx.MockTransport(answer),
    )
    ids = {"consent_id": "c", "authorisation_id": "a"}
    asks: list[Callable[[], UserToken]] = [
        lambda: op.oauth.exchange_code(code=QUOTED, redirect_uri="https://app.example.com/", **ids),
        lambda: op.oauth.refresh(USER_TOKEN),
    ]
    with op:
        for ask in asks:
            with pytest.raises(OpenPaymentsError) as caught:
                ask()
            everything = shown(caught.value) + "".join(map(str, map(vars, caplog.records)))
            for secret in (SECRET, TOKEN, "k0de", "r3fresh", "s3cret", "form%2Fcharacters"):
                assert secret not in everything


def test_a_short_code_does_not_hide_what_went_wrong() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json={"error": "invalid_grant"}))
    with (
        OpenPayments(client_id="x", client_secret="s", api_scopes=["accountinformation"], transport=transport) as op,
        pytest.raises(ReauthorisationRequiredError, match="invalid_grant"),
    ):
        op.oauth.exchange_code(code="i", redirect_uri="https://app.example.com/", consent_id="c", authorisation_id="a")


@pytest.mark.parametrize(
    "query", ["code=k0de&state=s3cret", "code=k0de", "code=k0de&code=k0de&state=s", "error=no&code=k0de&state=s"]
)
def test_an_exception_of_a_callback_leads_to_no_code(query: str) -> None:
    with OpenPayments(client_id="x", client_secret="s") as op, pytest.raises(OpenPaymentsError) as caught:
        _read_callback(op, query)
    everything = shown(caught.value)
    assert "read_callback" in everything
    assert "k0de" not in everything
    assert "s3cret" not in everything


def _read_callback(op: OpenPayments, query: str) -> None:
    op.oauth.read_callback("https://app.example.com/cb?" + query, state="s")


LINK = "https://auth.sandbox.openbankingplatform.com/connect/authorize?state=[TPP_STATE]"


@pytest.mark.parametrize("state", ["s3cret", "s3cret\ud800", None])
@pytest.mark.parametrize("link", ["", f"{LINK}&[ODD]", LINK.split("?")[0], LINK.replace("sandbox", "evil"), LINK])
def test_an_exception_of_a_link_leads_to_no_state(
    link: str, state: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda: "s3cret")
    uri = "/relative" if link == LINK else "https://app.example.com/"
    with OpenPayments(client_id="x", client_secret="s") as op:
        saved = {"bic_fi": "ESSESESS", "consent_id": "c", "authorisation_id": "a", "approach": "oauth_redirect"}
        authorisation = op.at_bank("ESSESESS").consents.resume({**saved, "template": link})
        for redirect_url in (partial(op.oauth.redirect_url, link), authorisation.redirect_url):
            with pytest.raises(OpenPaymentsError) as caught:
                redirect_url(redirect_uri=uri, state=state)
            everything = shown(caught.value)
            assert "/openpayments_facade/" in everything
            assert "s3cret" not in everything


@pytest.mark.parametrize("client", [OpenPayments, AsyncOpenPayments])
@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": -1},
        {"environment": "nowhere"},
        {"client_cert": ("/nowhere", "/nowhere", "passw0rd")},
        {"client_cert": "passw0rd\0"},
        {"client_cert": ("/nowhere.p12", "passw0rd")},
        {"client_cert": ("/nowhere.p12", "/nowhere", "passw0rd")},
        {"verify": "a\0b"},
        {"token_store": "redis+nothing://:passw0rd@127.0.0.1"},
        {"proxy": "passw0rd"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_client_that_can_not_be_made_leads_to_no_secret(
    client: type[OpenPayments | AsyncOpenPayments], wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_ID", "x")
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_SECRET", SECRET)
    for make in (client.from_env, partial(client, client_id="x", client_secret=SECRET)):
        with pytest.raises(OpenPaymentsError) as caught:
            make(**wrong)
        everything = shown(caught.value)
        assert "_redaction.py" in everything
        assert SECRET not in everything
        assert "passw0rd" not in everything


@pytest.mark.parametrize("client", [OpenPayments, AsyncOpenPayments])
def test_a_misspelt_argument_leads_to_no_secret(
    client: type[OpenPayments | AsyncOpenPayments], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_ID", "x")
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_SECRET", SECRET)
    misspelt: Any = {"enviroment": "production"}
    for make in (client.from_env, partial(client, client_id="x", client_secret=SECRET)):
        with pytest.raises(TypeError, match="enviroment") as caught:
            make(**misspelt)
        assert SECRET not in shown(caught.value)


@pytest.mark.parametrize("wrong", [{"id": f"{PSU}\n"}, {"context": "x"}, {"heaven": 1}], ids=lambda x: next(iter(x)))
def test_a_psu_that_can_not_be_made_leads_to_nobody(wrong: Any) -> None:
    for make in (Psu, partial(Psu.from_headers, {"User-Agent": PSU}, client_ip=PSU)):
        with pytest.raises((OpenPaymentsError, TypeError)) as caught:
            make(**{"id": PSU, **wrong})
        everything = shown(caught.value)
        assert "_redaction.py" in everything
        assert PSU not in everything


@pytest.mark.parametrize(
    "refused",
    [
        lambda bank: bank.consents.get(".."),
        lambda bank: bank.consents.create(valid_until="9999-12-31", frequency_per_day=0),
        lambda bank: bank.consents.authorise("c", "m" * 36),
        lambda bank: bank.accounts("é").list(),
        lambda bank: bank.accounts("c").balances(""),
    ],
)
def test_a_refused_call_leads_to_no_psu(refused: Any) -> None:
    somebody = Psu(id=PSU, corporate_id=PSU, ip_address="203.0.113.77")
    op = OpenPayments(client_id="x", client_secret=SECRET, api_scopes=["accountinformation"])
    with op, pytest.raises(InvalidArgumentError) as caught:
        refused(op.at_bank("ESSESESS", somebody))
    everything = shown(caught.value)
    assert PSU not in everything
    assert "203.0.113.77" not in everything


@pytest.mark.parametrize("api_scopes", [["aspspinformation"], ["accountinformation"]])
@pytest.mark.parametrize(
    "wrong",
    [{"consent_id": "a/b"}, {"payment_id": "p"}, {"code": "k0de\n"}, {"redirect_uri": "no"}, {}],
    ids=lambda wrong: next(iter(wrong), "scope"),
)
def test_a_code_that_is_not_sent_is_nowhere(wrong: Any, api_scopes: list[str]) -> None:
    arguments = {
        "code": "k0de",
        "redirect_uri": "https://app.example.com/",
        "consent_id": "c",
        "authorisation_id": "a",
        **wrong,
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(500))
    with (
        OpenPayments(client_id="x", client_secret=SECRET, api_scopes=api_scopes, transport=transport) as op,
        pytest.raises(OpenPaymentsError) as caught,
    ):
        _exchange(op, arguments)
    assert "exchange_code" in shown(caught.value)
    assert "k0de" not in shown(caught.value)


def _exchange(op: OpenPayments, arguments: dict[str, Any]) -> None:
    arguments, kept = {}, arguments
    op.oauth.exchange_code(**kept)


def test_what_is_no_token_of_a_user_is_nowhere() -> None:
    with OpenPayments(client_id="x", client_secret=SECRET) as op, pytest.raises(OpenPaymentsError) as caught:
        op.oauth.refresh({"access_token": TOKEN})  # type: ignore[arg-type]
    assert TOKEN not in shown(caught.value)


def test_what_holds_no_token_leads_to_no_other() -> None:
    with pytest.raises(OpenPaymentsError) as caught:
        UserToken.from_dict({"access_token": 5, "refresh_token": TOKEN})
    assert TOKEN not in shown(caught.value)


@pytest.mark.parametrize("field", ["access_token", "refresh_token"])
def test_a_token_that_can_not_be_encoded_is_refused_and_nowhere(field: str) -> None:
    with pytest.raises(InvalidArgumentError, match=field) as caught:
        UserToken.from_dict({"access_token": TOKEN, "refresh_token": TOKEN, field: f"{TOKEN}\ud800"})
    assert caught.value.argument == "stored"
    assert TOKEN not in shown(caught.value)


def test_a_refresh_token_that_can_not_be_encoded_is_not_sent() -> None:
    token = UserToken(
        access_token=Secret(f"{TOKEN}\udfff"), refresh_token=Secret(f"{TOKEN}\ud800"), token_type="Bearer"
    )
    with OpenPayments(client_id="x", client_secret=SECRET) as op, pytest.raises(InvalidArgumentError) as caught:
        op.oauth.refresh(token)
    assert TOKEN not in shown(caught.value)
    assert SECRET not in shown(caught.value)


def test_a_refresh_token_that_can_not_be_encoded_counts_as_absent_when_a_server_sends_it() -> None:
    body = {"access_token": TOKEN, "refresh_token": "\ud800", "token_type": "Bearer"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=json.dumps(body)))
    with OpenPayments(client_id="x", client_secret=SECRET, transport=transport) as op:
        assert op.oauth.refresh(USER_TOKEN).refresh_token == USER_TOKEN.refresh_token


def test_a_body_that_can_not_be_written_leads_to_no_secret() -> None:
    with OpenPayments(client_id="x", client_secret=SECRET) as op:
        op._sender.session.fetcher.client_secret = Secret(f"{SECRET}\ud800")
        with pytest.raises(OpenPaymentsError) as caught:
            op.oauth.refresh(USER_TOKEN)
    assert SECRET not in shown(caught.value)
    assert "r3fresh" not in shown(caught.value)


def test_secrets_that_can_not_be_encoded_are_compared() -> None:
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("\udfff")


def _payment(iban: str) -> models.DomesticPayment:
    account = models.AccountReference(iban=iban)
    return models.DomesticPayment(
        instructed_amount=models.MonetaryAmount(currency="SEK", amount="1.00"),
        debtor_account=models.DebtorAccountReference(iban=iban),
        creditor_account=account,
        creditor_name="Somebody",
    )


IBAN = "SE4550000000058398257466"
WHO = {"x_bic_fi": "ESSESESS", "psu_id": PSU, "psu_ip_address": "203.0.113.99", "tpp_redirect_preferred": "false"}
CALLS_OF_SOMEBODY: dict[str, Callable[[OpenPayments], object]] = {
    "call": lambda op: op.call(initiate_payment, "payments", "domestic", body=_payment(IBAN), **WHO),
    "raw call": lambda op: (
        op.with_raw_response.call(initiate_payment, "payments", "domestic", body=_payment(IBAN), **WHO).parsed
    ),
    "call at a bank": lambda op: op.at_bank("ESSESESS", Psu(id=PSU)).call(
        initiate_payment, "payments", "domestic", body=_payment(IBAN)
    ),
    "request": lambda op: op.request("POST", "/x", json={"iban": IBAN}, headers={"PSU-ID": PSU}, params={"p": PSU}),
    "request at a bank": lambda op: op.at_bank("ESSESESS", Psu(id=PSU)).request("POST", "/x", json={"iban": IBAN}),
    "kyc": lambda op: op.call(get_kyc_status, PSU),
    "lookup": lambda op: op.call(get_giro_numbers, psu_corporate_id_query=PSU, psu_id=PSU),
}
WRONG_CALLS_OF_SOMEBODY: dict[str, Callable[[OpenPayments], object]] = {
    "call": lambda op: op.call(initiate_payment, "payments", "", body=_payment(IBAN), **WHO),
    "call at a bank": lambda op: op.at_bank("ESSESESS", Psu(id=PSU)).call(
        initiate_payment, "payments", "", body=_payment(IBAN)
    ),
    "another id": lambda op: op.at_bank("ESSESESS").call(
        initiate_payment, "a", "b", psu_id=f"{PSU}\n", body=_payment(IBAN)
    ),
    "request": lambda op: op.request("POST", "/x", json={"iban": IBAN, "x": object()}, headers={"PSU-ID": PSU}),
    "params": lambda op: op.request("GET", "/x", params=PSU),  # type: ignore[arg-type]
    "kyc": lambda op: op.call(get_kyc_status, f"{PSU}/.."),
    "lookup": lambda op: op.call(get_giro_numbers, psu_corporate_id_query=f"{PSU}\n"),
}


@pytest.mark.parametrize("answer", ["error", "connection", "unreadable", "scope"])
@pytest.mark.parametrize("call", CALLS_OF_SOMEBODY)
def test_a_call_that_fails_leads_to_nobody(call: str, answer: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openpayments_facade")

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/connect/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        if answer == "connection":
            raise httpx.ReadError("broken")
        return httpx.Response(400 if answer == "error" else 201, json=[] if answer == "unreadable" else {})

    scopes = ["aspspinformation"] if answer == "scope" else ["paymentinitiation"]
    arguments: Any = {"client_id": f"id-{call}-{answer}", "client_secret": SECRET, "max_retries": 0}
    with OpenPayments(transport=httpx.MockTransport(respond), api_scopes=scopes, **arguments) as op:
        try:
            CALLS_OF_SOMEBODY[call](op)
        except OpenPaymentsError as error:
            seen = shown(error)
        else:
            assert "request" in call
            seen = ""
    logged = "\n".join(record.getMessage() + str(vars(record)) for record in caplog.records)
    for personal in (PSU, IBAN, "203.0.113.99"):
        # the query of a request that nobody has described is logged as that of every other call
        assert personal not in seen.replace(f"?p={PSU}", "")
        assert personal not in logged.replace(f"?p={PSU}", "")


@pytest.mark.parametrize("call", WRONG_CALLS_OF_SOMEBODY)
def test_a_wrong_call_leads_to_nobody(call: str) -> None:
    client = OpenPayments(client_id="an-id", client_secret=SECRET, api_scopes=["paymentinitiation"])
    with client as op, pytest.raises(InvalidArgumentError) as caught:
        WRONG_CALLS_OF_SOMEBODY[call](op)
    assert caught.value.argument
    seen = shown(caught.value)
    for personal in (PSU, IBAN, "203.0.113.99"):
        assert personal not in seen


# what the user's own code raises


@dataclass(frozen=True)
class Theirs(Exception):
    """An exception that refuses attributes."""

    text: str = ""


def _listing(fail: Callable[[], object]) -> BaseException:
    """What a method raises if an argument of the user's fails."""

    def countries() -> Iterator[Any]:
        yield fail()

    with OpenPayments(client_id="an-id", client_secret=SECRET) as op, pytest.raises(Exception) as caught:
        op.aspsps.list(countries=countries())
    return caught.value


def _raise(error: BaseException, cause: BaseException | None = None) -> NoReturn:
    raise error from cause


def _in_a_generator() -> Iterator[object]:
    try:
        raise ValueError("known to two")
    except ValueError as error:
        yield error
        yield "goes on"


def _in_a_coroutine() -> Iterator[object]:
    @types.coroutine
    def give(value: object) -> Iterator[object]:
        yield value

    async def handle() -> None:
        try:
            raise ValueError("known to two")
        except ValueError as error:
            await give(error)
            await give("goes on")

    running = handle()
    return iter(lambda: running.send(None), None)


@pytest.mark.parametrize("suspended", [_in_a_generator, _in_a_coroutine])
@pytest.mark.parametrize("is_cause", [False, True])
def test_what_is_suspended_with_an_error_goes_on(suspended: Callable[[], Iterator[Any]], is_cause: bool) -> None:
    going = suspended()
    error = next(going)
    raised = _listing(partial(_raise, *([Theirs(), error] if is_cause else [error])))
    assert (raised.__cause__ if is_cause else raised) is error
    assert next(going) == "goes on"


def test_an_error_of_the_users_own_keeps_what_led_to_it() -> None:
    def hook(_: object) -> NoReturn:
        raise ValueError("raised by their hook")

    def fail() -> object:
        try:
            return json.loads('{"x": 1}', object_hook=hook)
        except ValueError as error:
            raise Theirs("kept") from error

    raised = _listing(fail)
    assert (raised, repr(raised.__cause__)) == (Theirs("kept"), "ValueError('raised by their hook')")
    assert raised.__cause__ is raised.__context__
    assert raised.__cause__ is not None
    frames = [frame for frame, _ in traceback.walk_tb(raised.__cause__.__traceback__)]
    assert [frame.f_code.co_name for frame in frames if frame.f_locals] == ["fail", "hook"]


@pytest.mark.parametrize(
    "fail",
    [
        lambda: _raise(httpx.ReadError("x", request=httpx.Request("GET", f"https://example.com/?{TOKEN}"))),
        lambda: json.loads(f"[{TOKEN}"),
    ],
    ids=["of a library", "raised in a library"],
)
def test_what_a_library_raised_does_not_come_with_it(fail: Callable[[], object]) -> None:
    def fail_too() -> object:
        try:
            return fail()
        except Exception as error:
            raise Theirs("alone") from error

    raised = _listing(fail_too)
    assert (raised, raised.__cause__, raised.__context__) == (Theirs("alone"), None, None)


def test_the_search_would_find_a_secret() -> None:
    def leak() -> None:
        body = {"client_secret": SECRET}
        raise ValueError(len(body))

    with pytest.raises(ValueError) as caught:
        exec(compile("leak()", "/openpayments_facade/x.py", "exec"), {"leak": leak, "__name__": "x"}, {"kept": [TOKEN]})
    assert TOKEN in shown(caught.value)


def test_generated_models_hide_secrets_in_their_repr() -> None:
    from openpayments_client import AuthenticatedClient
    from openpayments_client.models import Token, TokenRequest

    token = Token.from_dict({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 1, "refresh_token": TOKEN})
    request = TokenRequest.from_dict({"client_id": "x", "client_secret": SECRET, "grant_type": "client_credentials"})
    for value in (token, request, AuthenticatedClient(base_url="https://api.example.com", token=TOKEN)):
        assert TOKEN not in repr(value)
        assert SECRET not in repr(value)


def test_the_simulator_hides_its_secret() -> None:
    simulator = Simulator(client_secret=SECRET)
    assert SECRET not in repr(simulator)


def test_no_library_keeps_what_was_masked() -> None:
    secret = "kept-by-nobody-else"
    assert scrubber(Secret(secret))(f"a {secret.upper()} b") == "a *** b"
    caches = [each for name, each in vars(re).items() if "cache" in name and isinstance(each, dict)]
    assert caches
    assert secret not in repr(caches)
