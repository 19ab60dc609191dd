"""A walk through everything with marked values: none is in a log, an exception, a frame, a repr, or the terminal.

A secret may be nowhere. What says who somebody is, or how much is paid, may be on the terminal of who asked for it, and
in what a caller gets from an answer; not in what error reporters and logs collect by themselves.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import pickle
import pkgutil
import re
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import is_dataclass
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

import openpayments_client
import pytest
import typer
from openpayments_client import models
from openpayments_client.api.kyc import get_kyc_status
from openpayments_client.api.payment_initiation import initiate_payment
from openpayments_client.reading import Unreadable
from typer.testing import CliRunner

import openpayments_facade
from openpayments_facade import (
    AsyncOpenPayments,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    Psu,
    UnreadableAmountError,
    UserToken,
    amount,
    money,
    payments,
    views,
)
from openpayments_facade.cli.app import app
from openpayments_facade.tokens import forget_all
from tests.canned_server import Canned, Given, canned

SECRET, TOKEN = "s3cret-0f-the-application", "t0ken-that-nobody-may-see"
CODE, STATE, REFRESH, PASSWORD = "k0de-of-a-callback", "st4te-of-a-callback", "r3fresh-of-a-user", "passw0rd"
SECRETS = (SECRET, TOKEN, CODE, STATE, REFRESH, PASSWORD)
IBAN, OTHER, PERSON, COMPANY = "SE4550000000058398257466", "SE3550000000054910000003", "197001019239", "5560160680"
NAME, TEXT, SUM, ADDRESS = "Marked Somebody", "marked message", "7654.32", "203.0.113.77"
PERSONAL = (IBAN, OTHER, PERSON, COMPANY, NAME, TEXT, SUM, ADDRESS)

ACCOUNT = {"iban": IBAN, "ownerName": NAME, "name": NAME, "currency": "SEK", "resourceId": "an-account", "own": NAME}
MONEY = {"currency": "SEK", "amount": SUM}
BALANCE = {"balanceAmount": MONEY, "balanceType": "interimBooked", "referenceDate": "2026-01-05"}
ENTRY = {
    "transactionId": "an-entry",
    "transactionAmount": MONEY,
    "creditorName": NAME,
    "creditorAccount": {"iban": OTHER},
    "remittanceInformationUnstructured": TEXT,
    "bookingDate": "2026-01-05",
    "nobodyKnows": [TEXT, {IBAN[:4]: SUM}, 5],
}
CARD = {"cardTransactionId": "c", "transactionAmount": MONEY, "maskedPAN": IBAN, "transactionDetails": TEXT}
SOME = {
    "accounts": [ACCOUNT],
    "account": ACCOUNT,
    "cardAccounts": [{"resourceId": "a-card", "maskedPan": IBAN, "currency": "SEK", "ownerName": NAME}],
    "balances": [BALANCE],
    "transactions": {"booked": [ENTRY], "pending": []},
    "cardTransactions": {"booked": [CARD], "pending": []},
    "consentId": "a-consent",
    "consentStatus": "valid",
    "paymentId": "a-payment",
    "basketId": "a-basket",
    "transactionStatus": "ACSC",
    "authorisationId": "an-authorisation",
    "scaStatus": "finalised",
    "challengeData": {"data": [TEXT], "image": NAME},
    "kycUrl": f"https://kyc.example.com/{COMPANY}",
    "kycStatus": "Valid",
    "psuCorporateId": COMPANY,
    "fxQuoteId": "8d9f9b9e-5c44-4d5f-9d0c-0f5a4d1f9b11",
    "totalAmount": SUM,
    "creditorName": NAME,
    "instructedAmount": MONEY,
    "aspsps": [{"bicFi": "ESSESESS", "name": "A Bank"}],
    "bicFi": "ESSESESS",
}
"""An answer with a field for whoever reads it."""
QUOTE = "8d9f9b9e-5c44-4d5f-9d0c-0f5a4d1f9b11"


def order() -> dict[str, Any]:
    return {
        "instructedAmount": MONEY,
        "debtorAccount": {"iban": IBAN},
        "creditorAccount": {"iban": OTHER},
        "creditorName": NAME,
        "remittanceInformationUnstructured": TEXT,
    }


def payment() -> models.DomesticPayment:
    return models.DomesticPayment.from_dict(order())


def abroad() -> dict[str, Any]:
    address = {"street": TEXT, "city": NAME, "country": "US", "postalCode": "1"}
    account = {"iban": "GB33BUKB20201555555555"}
    bank = {"creditorAgent": "BUKBGB22", "creditorAgentName": "A Bank"}
    return {**order(), "creditorAccount": account, "creditorAddress": address, **bank}


def bank(op: Any) -> Any:
    return op.at_bank("ESSESESS", Psu(id=PERSON, corporate_id=COMPANY, ip_address=ADDRESS, user_agent=TEXT))


def callback(op: Any) -> Any:
    link = f"{op.environment.auth_url}/connect/authorize?redirect_uri=[TPP_REDIRECT_URI]&state=[TPP_STATE]"
    saved = {"bic_fi": "ESSESESS", "consent_id": "c", "authorisation_id": "a", "approach": "oauth_redirect"}
    authorisation = op.at_bank("ESSESESS").consents.resume({**saved, "template": link})
    authorisation.redirect_url(redirect_uri="https://app.example.com/", state=STATE)
    return authorisation


BACK = f"https://app.example.com/?code={CODE}&state={STATE}"
USER_TOKEN = {"access_token": TOKEN, "refresh_token": REFRESH}
JOURNEYS: dict[str, Callable[[Any], Any]] = {
    "token": lambda op: op.token(),
    "banks": lambda op: op.aspsps.list(countries=["SE"]),
    "consent": lambda op: bank(op).consents.create(
        valid_until="9999-12-31",
        access=models.ConsentAccess(accounts=[models.AccountReference(iban=IBAN)]),
    ),
    "approval of a consent": lambda op: bank(op).consents.authorise("a-consent"),
    "waiting for a consent": lambda op: callback(op).wait(timeout=0.01),
    "poll": lambda op: callback(op).poll(),
    "callback": lambda op: callback(op).complete(BACK),
    "accounts": lambda op: bank(op).accounts("c").list(),
    "account": lambda op: bank(op).accounts("c").get(models.Account.from_dict(ACCOUNT)),
    "balances": lambda op: bank(op).accounts("c").balances("a"),
    "transactions": lambda op: bank(op).accounts("c").transactions("a"),
    "pages": lambda op: bank(op).accounts("c").transactions("a").pages(),
    "raw pages": lambda op: bank(op).with_raw_response.accounts("c").transactions("a").pages(),
    "cards": lambda op: bank(op).cards("c").list(),
    "card transactions": lambda op: bank(op).cards("c").transactions("a"),
    "payment": lambda op: bank(op).payments.create(payment()),
    "payment as a mapping": lambda op: bank(op).payments.create(order(), product="domestic", key=TEXT),
    "payment of an unknown product": lambda op: bank(op).payments.create(order(), product="x-domestic"),
    "raw payment": lambda op: bank(op).with_raw_response.payments.create(order(), product="domestic"),
    "payment again": lambda op: bank(op).payments.get("p", product="domestic"),
    "wait for a payment": lambda op: bank(op).payments.wait("p", product="domestic", timeout=0.01),
    "approval of a payment": lambda op: bank(op).payments.authorise("p", product="domestic"),
    "basket": lambda op: bank(op).signing_baskets.create(["p", "q"]),
    "quote": lambda op: bank(op).fx_quotes.create(
        source_currency="SEK", target_currency="USD", amount=Decimal(SUM), country_code="US"
    ),
    "confirmation": lambda op: bank(op).fx_quotes.confirm(QUOTE, abroad()),
    "kyc": lambda op: op.kyc.create(COMPANY, country_code="SE"),
    "kyc status": lambda op: op.kyc.status(Psu(corporate_id=COMPANY)),
    "call": lambda op: bank(op).call(initiate_payment, "payments", "domestic", body=payment()),
    "raw call": lambda op: bank(op).with_raw_response.call(initiate_payment, "payments", "domestic", body=payment()),
    "call of the client": lambda op: op.call(get_kyc_status, COMPANY),
    "request": lambda op: op.request("POST", "/x", json=order(), headers={"PSU-ID": PERSON}),
    "request at a bank": lambda op: bank(op).request("POST", "/x", json=order()),
    "code": lambda op: op.oauth.exchange_code(
        code=CODE, redirect_uri="https://app.example.com/", consent_id="c", authorisation_id="a"
    ),
    "refresh": lambda op: op.oauth.refresh(UserToken.from_dict(USER_TOKEN)),
}
NO_BODY: Any = object()
WRONG: dict[str, Callable[[Any], Any]] = {
    "psu": lambda _: Psu(id=f"{PERSON}\n", corporate_id=COMPANY),
    "headers of a psu": lambda _: Psu.from_headers({"User-Agent": TEXT}, client_ip=NAME),
    "token of a user": lambda _: UserToken.from_dict({"access_token": 5, "refresh_token": REFRESH}),
    "consent": lambda op: bank(op).consents.create(
        valid_until="9999-12-31", access=models.ConsentAccess(accounts=[models.AccountReference(iban=IBAN[:-1])])
    ),
    "payment": lambda op: bank(op).payments.create({**order(), "creditorName": NAME * 9}, product="domestic"),
    "payment without a body": lambda op: bank(op).payments.create({**order(), "x": NO_BODY}, product="domestic"),
    "quote": lambda op: bank(op).fx_quotes.create(
        source_currency="SEK", target_currency="x", amount=Decimal(SUM), country_code="US"
    ),
    "confirmation": lambda op: bank(op).fx_quotes.confirm(QUOTE, {**abroad(), "creditorName": NAME * 99}),
    "kyc": lambda op: op.kyc.create(f"{COMPANY}/..", country_code="SE"),
    "call": lambda op: bank(op).call(initiate_payment, "payments", "", body=payment()),
    "request": lambda op: op.request("POST", "/x", json={**order(), "x": NO_BODY}, headers={"PSU-ID": PERSON}),
    "saved": lambda op: bank(op).consents.resume({"state": STATE}),
    "callback": lambda op: callback(op).complete(BACK + "x"),
    "read callback": lambda op: op.oauth.read_callback(BACK, state="another"),
    "code": lambda op: op.oauth.exchange_code(code=f"{CODE}\n", redirect_uri="x", authorisation_id="a"),
    "refresh": lambda op: op.oauth.refresh(USER_TOKEN),
    "misspelt": lambda op: bank(op).payments.create(order(), prodct="domestic"),
    "amount": lambda _: amount(Decimal(SUM + "1"), "SEK"),
    "money": lambda _: money(models.MonetaryAmount(currency="SEK", amount=f"about {SUM}")),
    "view": lambda _: views.other_party(ENTRY, own=IBAN),  # type: ignore[arg-type]
    "views": lambda _: views.reconcile([ENTRY], []),
    "found": lambda _: payments.find([ENTRY], {}),
}


def given(content: object, status: int = 200, **headers: str) -> Given:
    return Given(status, {"Content-Type": "application/json", **headers}, json.dumps(content).encode())


def late(*_: object) -> Given:
    time.sleep(0.1)
    return given(SOME)


ECHO = f"Bearer {TOKEN} {SECRET} {IBAN}"
ECHOED = {"tppMessages": [{"category": "ERROR", "code": "FORMAT_ERROR", "text": f"Bearer {TOKEN}"}]}
OUTCOMES: dict[str, Given | Callable[[str, str], Given]] = {
    "success": given(SOME),
    "created": given(SOME, 201),
    "refused": given(ECHOED, 400, **{"X-Echo": f"Bearer {TOKEN}"}),
    "unauthorised": given({"tppMessages": [{"code": "TOKEN_INVALID"}]}, 401),
    "failed": given({}, 503),
    "unreadable": given([SUM, [IBAN]]),
    "no JSON": Given(200, {"Content-Type": "application/json"}, b"<html>"),
    "no encoding": Given(200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, ECHO.encode()),
    "late": late,
}
TOKEN_GIVEN = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
TOKENS: dict[str, Given] = {
    "no such client": given({"error": "invalid_client", "error_description": f"is not {SECRET}"}, 400),
    "no token": given({"token_type": "Bearer", "note": SECRET}),
    "odd token": given({"access_token": f"{TOKEN}\n{TOKEN}", "refresh_token": REFRESH}),
    "page": Given(200, {"Content-Type": "text/html"}, f"<html>{SECRET}".encode()),
    "failure": given({"error": SECRET}, 503),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with canned() as server:
        yield server


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each logger at its lowest level, those of all libraries too."""
    caplog.set_level(1)
    for name in [*logging.root.manager.loggerDict]:
        caplog.set_level(1, name)


def arguments(server: Canned) -> dict[str, Any]:
    forget_all()
    return {
        "client_id": "an-app",
        "client_secret": SECRET,
        "environment": Environment("walk", server.url, server.url),
        "api_scopes": ["aspspinformation", "accountinformation", "paymentinitiation"],
        "max_retries": 0,
        "timeout": 5,
    }


def texts_of(value: Any, depth: int = 3) -> Iterator[str]:
    """A value as an error reporter shows it: its repr, and those of what it holds."""
    yield repr(value)
    held: Iterable[Any] = ()
    if isinstance(value, dict):
        held = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set):
        held = value
    for each in held if depth else ():
        yield from texts_of(each, depth - 1)


def texts_of_error(error: BaseException) -> Iterator[str]:
    """What can be seen from an exception; but for the body and headers of the answer, which are the caller's."""
    waiting: list[BaseException | None] = [error]
    met: set[int] = set()
    while waiting:
        if (each := waiting.pop()) is None or id(each) in met:
            continue
        met.add(id(each))
        yield "".join(traceback.format_exception(each, chain=False))
        for name, value in vars(each).items():
            if name not in ("body", "headers"):
                yield from texts_of(value)
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename != __file__:
                for value in frame.f_locals.values():
                    yield from texts_of(value)
        waiting += [each.__cause__, each.__context__]


def marks(
    seen: Iterable[str], logged: Iterable[logging.LogRecord], error: BaseException | None = None
) -> list[tuple[str, str]]:
    """The marked values that are to be seen, each with what is before it."""
    texts = [*seen]
    for record in logged:
        texts += [record.getMessage(), *texts_of(vars(record))]
        if record.exc_info and record.exc_info[1]:
            texts += texts_of_error(record.exc_info[1])
    texts += texts_of_error(error) if error is not None else ()
    also = [] if error is None else [repr(vars(error)), repr(pickle.dumps(error))]
    found = [(mark, text) for mark in SECRETS for text in (*texts, *also) if mark in text]
    found += [(mark, text) for mark in PERSONAL for text in texts if mark in text]
    return sorted({(mark, text[max(0, text.index(mark) - 80) :][:200]) for mark, text in found})


async def finished(result: Any) -> Any:
    """What a call gives, and all that a list gives."""
    if inspect.isawaitable(result):
        return await result
    if isinstance(result, AsyncIterator) or hasattr(result, "__aiter__"):
        return [result, [each async for each in result]]
    return [result, [*result]] if hasattr(result, "__iter__") and not isinstance(result, str | list) else result


Ended: TypeAlias = tuple[BaseException | None, list[tuple[str, str]]]


async def walk(journey: Callable[[Any], Any], op: Any, caplog: pytest.LogCaptureFixture) -> Ended:
    """What it ended with, and the marks that it left."""
    caplog.clear()
    failure: BaseException | None = None
    seen: list[str] = []
    try:
        seen += texts_of(await finished(journey(op)))
    except (OpenPaymentsError, TypeError) as error:
        failure = error
    return failure, marks(seen, caplog.records, failure)


async def walk_all(
    server: Canned, kind: type, journeys: dict[str, Any], caplog: pytest.LogCaptureFixture, **options: Any
) -> dict[str, BaseException | None]:
    op = kind(**{**arguments(server), **options})
    try:
        ended = {name: await walk(journey, op, caplog) for name, journey in journeys.items()}
        assert {name: found for name, (_, found) in ended.items() if found} == {}
        return {name: failure for name, (failure, _) in ended.items()}
    finally:
        await op.aclose() if isinstance(op, AsyncOpenPayments) else op.close()


KINDS = pytest.mark.parametrize("kind", [OpenPayments, AsyncOpenPayments])


@KINDS
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_no_answer_leads_to_a_mark(
    outcome: str, kind: type, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.token, server.given = given(TOKEN_GIVEN), OUTCOMES[outcome]
    options = {"timeout": 0.02, "total_timeout": 0.05} if outcome == "late" else {}
    found = await walk_all(server, kind, JOURNEYS, caplog, **options)
    if outcome == "success":
        ended = {name for name, failure in found.items() if failure is None}
        assert len(ended) > len(JOURNEYS) * 0.8, {name: repr(found[name]) for name in found.keys() - ended}


@KINDS
@pytest.mark.parametrize("answer", TOKENS)
async def test_no_answer_of_the_token_endpoint_leads_to_a_mark(
    answer: str, kind: type, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.token, server.given = TOKENS[answer], given(SOME)
    names = ("token", "payment", "transactions", "callback", "code", "refresh")
    found = await walk_all(server, kind, {name: JOURNEYS[name] for name in names}, caplog)
    assert None not in (found["token"], found["payment"])


@KINDS
async def test_no_wrong_input_leads_to_a_mark(kind: type, server: Canned, caplog: pytest.LogCaptureFixture) -> None:
    found = await walk_all(server, kind, WRONG, caplog)
    assert [name for name, failure in found.items() if failure is None] == []


@KINDS
async def test_no_broken_connection_leads_to_a_mark(
    kind: type, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = given(TOKEN_GIVEN)
    nowhere = Environment("walk", server.url, "http://127.0.0.1:1")
    found = await walk_all(server, kind, JOURNEYS, caplog, environment=nowhere)
    assert isinstance(found["payment"], OpenPaymentsError)


async def test_no_cancelled_call_leads_to_a_mark(server: Canned, caplog: pytest.LogCaptureFixture) -> None:
    server.token, server.given = given(TOKEN_GIVEN), late
    async with AsyncOpenPayments(**arguments(server)) as op:
        await op.token()

        async def run(journey: Callable[[Any], Any]) -> BaseException | None:
            task = asyncio.ensure_future(finished(journey(op)))
            with suppress(OpenPaymentsError):
                await asyncio.wait([task], timeout=0.03)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError as error:
                    return error
            return None

        found = await asyncio.gather(*map(run, JOURNEYS.values()))
    cancelled = [error for error in found if error is not None]
    assert len(cancelled) > len(JOURNEYS) / 2
    assert [found for error in cancelled for found in marks((), (), error)] == []
    assert marks((), caplog.records) == []


CLIENTS: dict[str, dict[str, Any]] = {
    "proxy": {"proxy": f"socks9://user:{PASSWORD}@127.0.0.1"},
    "certificate": {"client_cert": ("/nowhere", "/nowhere", PASSWORD)},
    "PKCS#12": {"client_cert": ("/nowhere.p12", PASSWORD)},
    "store": {"token_store": f"redis+nothing://:{PASSWORD}@127.0.0.1"},
    "environment": {"environment": f"https://user:{PASSWORD}@example.com"},
    "store without a scheme": {"token_store": f":{PASSWORD}@127.0.0.1"},
}


@KINDS
@pytest.mark.parametrize("wrong", CLIENTS)
def test_no_client_that_can_not_be_made_leads_to_a_mark(
    wrong: str, kind: type, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OpenPaymentsError) as caught:
        kind(**{**arguments(server), **CLIENTS[wrong]})
    assert marks((), caplog.records, caught.value) == []


LOG = "openpayments_facade"
COMMANDS = (
    "banks",
    "accounts --bank ESSESESS --consent a-consent",
    "transactions an-account --bank ESSESESS --consent a-consent",
    f"pay ESSESESS --yes --amount {SUM} --from {IBAN} --to {OTHER} --name x",
    "payment status ESSESESS a-payment --product domestic",
    f"kyc status {COMPANY}",
    "token",
    "doctor",
)


@pytest.mark.parametrize("outcome", ["success", "refused", "no JSON", "no encoding", "no such client"])
def test_no_command_shows_a_secret(
    outcome: str, server: Canned, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server.token, server.given = TOKENS.get(outcome, given(TOKEN_GIVEN)), OUTCOMES.get(outcome, given(SOME))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    environment = {
        "OPENPAYMENTS_CLIENT_ID": "an-app",
        "OPENPAYMENTS_CLIENT_SECRET": SECRET,
        "OPENPAYMENTS_AUTH_URL": server.url,
        "OPENPAYMENTS_API_URL": server.url,
        "OPENPAYMENTS_API_SCOPES": "aspspinformation accountinformation paymentinitiation",
        "HTTPS_PROXY": f"http://user:{PASSWORD}@127.0.0.1:1",
        "https_proxy": f"http://user:{PASSWORD}@127.0.0.1:1",
    }
    for command in COMMANDS:
        forget_all()
        caplog.clear()
        for options in ([], ["--verbose"]):
            ran = CliRunner().invoke(app, [*command.split(), *options], prog_name="openpayments", env=environment)
            assert isinstance(ran.exception, SystemExit | None)
            assert ran.stdout + ran.stderr
            texts = [ran.stdout, ran.stderr, *(repr(vars(each)) for each in caplog.records if each.name == LOG)]
            assert [(command, mark) for mark in SECRETS for text in texts if mark in text] == []
    for path in (each for each in tmp_path.rglob("*") if each.is_file()):
        assert path.stat().st_mode & 0o077 == 0
        assert not any(mark in path.read_text(errors="replace") for mark in (SECRET, PASSWORD))


def options_of(command: Any) -> Iterator[str]:
    for parameter in command.params:
        yield from parameter.opts
    for each in getattr(command, "commands", {}).values():
        yield from options_of(each)


def test_no_secret_is_a_process_argument() -> None:
    """Other users of the machine can read them: so no option takes one."""
    options = {*options_of(typer.main.get_command(app))}
    assert {"--client-id", "--consent", "--token-lifetime"} <= options
    secret = re.compile("secret|password|passphrase|(?<!id)token(?!-lifetime)|credential|private", re.IGNORECASE)
    assert [each for each in options if secret.search(each)] == []


# reprs


def classes() -> Iterator[Any]:
    for package in (openpayments_facade, openpayments_client):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                for each in vars(import_module(module.name)).values():
                    if isinstance(each, type) and each.__module__ == module.name:
                        yield each


def test_what_is_not_yet_made_can_be_shown() -> None:
    shown = 0
    for each in classes():
        # those of dataclasses are made at once
        if getattr(each.__repr__, "__module__", "").startswith("openpayments") and not (
            is_dataclass(each) or inspect.isabstract(each)
        ):
            shown += bool(repr(each.__new__(each)))
    assert shown > 200


def test_a_client_of_a_user_that_is_not_yet_made_can_be_shown() -> None:
    class Client(OpenPayments):
        def __init__(self) -> None:
            super().__init__(client_id="", client_secret=SECRET)

    with pytest.raises(InvalidArgumentError) as caught:
        Client()
    assert "Client" in "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())


def test_a_traceback_names_what_was_called(server: Canned) -> None:
    server.token, server.given = given(TOKEN_GIVEN), given({}, 400)
    with OpenPayments(**arguments(server)) as op, pytest.raises(OpenPaymentsError) as caught:
        bank(op).payments.create(order(), product="domestic")
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert {"create", "_run", "run_raw", "judge"} <= {*names}


def test_an_error_keeps_what_was_going_on_around_the_call(server: Canned) -> None:
    server.token, server.given = given(TOKEN_GIVEN), given({}, 400)
    with OpenPayments(**arguments(server)) as op, pytest.raises(OpenPaymentsError) as caught:
        _call_within(op)
    assert repr(caught.value.__context__) == "KeyError('of the caller')"


def _call_within(op: OpenPayments) -> None:
    try:
        raise KeyError("of the caller")
    except KeyError:
        op.countries.list()


def test_reprs_tell_things_apart_and_values_are_whole() -> None:
    account = models.Account.from_dict(ACCOUNT)
    assert repr(account) == (
        "Account(resource_id='an-account', iban='***7466', currency='SEK', name='***', owner_name='***', "
        "additional_properties={'own': '***'})"
    )
    assert (account.iban, account.to_dict()) == (IBAN, ACCOUNT)
    assert repr(models.Country.from_dict({"isoCountryCode": "SE", "name": "Sweden"})).endswith("name='Sweden')")
    entry = models.BookedTransaction.from_dict(ENTRY)
    assert "transaction_id='an-entry'" in repr(entry)
    assert "booking_date=datetime.date(2026, 1, 5)" in repr(entry)
    assert repr(views.other_party(entry)) == (
        "Party(name='***', account='***0003', role='creditor', certain=False, sources=('creditorName', "
        "'creditorAccount'))"
    )


def test_every_view_hides_what_it_is_about() -> None:
    entry, balance = models.BookedTransaction.from_dict(ENTRY), models.Balance.from_dict(BALANCE)
    made = [view(entry) for view in (views.text, views.day, views.amount, views.other_party, views.identity)]
    everything = "".join(texts_of([*made, views.balance_amount(balance), views.reconcile([entry], [])]))
    assert [mark for mark in PERSONAL if mark in everything] == []
    with pytest.raises(UnreadableAmountError):
        money(f"about {SUM}")


# what is nested without end


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("field", ["nobodyKnows", "creditorName", "transactionAmount", "valueDate"])
def test_what_is_nested_too_deeply_is_refused(field: str) -> None:
    assert models.BookedTransaction.from_dict({"transactionId": "x", field: nested(90)}).to_dict()
    with pytest.raises(Unreadable, match="nested too deeply"):
        models.BookedTransaction.from_dict({"transactionId": "x", field: nested(10_000)})


@KINDS
@pytest.mark.parametrize("levels", [200, 900, 50_000])
async def test_an_answer_that_is_nested_too_deeply_is_unreadable(
    levels: int, kind: type, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    content = b'{"accounts": [], "x": ' + b"[" * levels + b"]" * levels + b"}"
    server.token, server.given = given(TOKEN_GIVEN), Given(200, {"Content-Type": "application/json"}, content)
    found = await walk_all(server, kind, {"accounts": JOURNEYS["accounts"]}, caplog)
    assert type(found["accounts"]).__name__ == "UnreadableResponseError"


def test_the_walk_would_find_a_mark() -> None:
    def leak(body: dict[str, Any]) -> None:
        raise OpenPaymentsError(str(len(body)))

    for body in ({"x": [NAME]}, {"client_secret": SECRET}, {SUM: None}):
        with pytest.raises(OpenPaymentsError) as caught:
            exec(compile("leak(body)", "/x.py", "exec"), {}, {"leak": partial(leak), "body": body})
        assert marks((), (), caught.value)
    assert marks((), [logging.makeLogRecord({"msg": "%s", "args": (IBAN,)})])
