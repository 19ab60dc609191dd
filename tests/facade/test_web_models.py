"""Models in web applications: as JSON, stored and read back, and in FastAPI."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from openpayments_client.reading import Model, Unreadable, loads
from pydantic import BaseModel, TypeAdapter, ValidationError

from openpayments_facade import (
    Account,
    AccountReference,
    AuthorisationUpdate,
    BankgiroTransaction,
    BookedCardTransaction,
    BookedTransaction,
    CardAccount,
    CardTransaction,
    Challenge,
    CreatedPayment,
    DomesticPayment,
    InvalidArgumentError,
    PaymentStatus,
    PendingCardTransaction,
    PendingTransaction,
    Psu,
    Transaction,
    TransactionReport,
    UserToken,
    models,
    payments,
    views,
)
from openpayments_facade.errors import TppMessage
from tests.described import DOCUMENT, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpayments_facade import OpenPayments
    from openpayments_facade.simulator import Simulator

AMOUNT = {"amount": "-12.50", "currency": "SEK"}
NAMES: list[str] = models.__all__  # type: ignore[attr-defined]
CLASSES = [each for name in NAMES if isinstance(each := getattr(models, name), type) and issubclass(each, Model)]
# a number with more digits than a float has, and one that is too large for it
ODD = loads('[{"a": [1]}, "ö\\ud800\\u0000", 5, true, null, [], {}, 0.12345678901234567890123, 1e999, "2026-13-45"]')


def through_json(model: Any) -> Any:
    return type(model).from_dict(json.loads(model.to_json()))


def sample(schema: dict[str, Any], depth: int = 0) -> Any:
    """A value as it is described."""
    schema = resolve(schema)
    for union in ("anyOf", "allOf"):
        if union in schema:
            return sample(schema[union][0], depth)
    if "properties" in schema:
        found = {name: sample(each, depth + 1) for name, each in schema["properties"].items() if depth < 9}
        return {**found, **({} if schema.get("additionalProperties") is False else {"nobody": ["described", 1.5]})}
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [sample(schema["items"], depth + 1)]
    texts = {"date": "2026-03-01", "date-time": "2026-03-01T12:00:00.25+01:00"}
    text = schema.get("enum", [texts.get(schema.get("format", ""), "åäö-1")])[0]
    return {"string": text, "integer": 7, "number": 1.25, "boolean": True, "object": {}}[kind]


SAMPLES = {cls.__name__: sample(DOCUMENT["components"]["schemas"][cls.__name__]) for cls in CLASSES}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_model_is_the_same_when_it_was_stored(cls: Any) -> None:
    said = SAMPLES[cls.__name__]
    model = cls.from_dict(said)
    assert type(model) is cls
    assert cls.from_dict(model.to_dict()) == through_json(model) == model
    assert json.loads(model.to_json()) == model.to_dict()


@pytest.mark.parametrize("cls", CLASSES)
def test_every_model_is_the_same_with_odd_values_in_it(cls: Any) -> None:
    said, kept = SAMPLES[cls.__name__], 0
    for name, odd in itertools.product([*said, "somethingNew"], ODD):
        try:
            model = cls.from_dict({**said, name: odd})
        except Unreadable as error:
            assert name in str(error)  # noqa: PT017
            continue
        assert cls.from_dict(model.to_dict()) == through_json(model) == model
        model.to_json().encode()
        kept += 1
    assert kept


def test_a_json_text_is_stable_and_readable() -> None:
    one, other = Account(name="Lönekonto", iban="SE1"), Account.from_dict({"b": 1, "name": "Lönekonto", "a": 2})
    other.iban = "SE1"
    del other["a"], other["b"]
    assert one.to_json() == other.to_json() == '{"iban": "SE1", "name": "Lönekonto"}'
    for odd, error in ((float("nan"), ValueError), (Decimal(1), TypeError)):
        one["weight"] = odd
        with pytest.raises(error, match="JSON"):
            one.to_json()


def test_digits_are_not_lost() -> None:
    account = Account.from_dict(loads('{"rate": 0.12345678901234567890123, "half": 0.5}'))
    assert account.to_dict() == {"rate": "0.12345678901234567890123", "half": 0.5}
    rate, half = account["rate"], account["half"]
    assert {rate, half} == {"0.12345678901234567890123", 0.5}
    assert rate != 0.12345678901234567890123
    assert rate == loads("0.12345678901234567890123") != half


# whether a transaction was booked

LISTS = {
    "booked": [{"transactionId": "a", "transactionAmount": AMOUNT, "bookingDate": "2026-01-05"}],
    "pending": [{"transactionId": "b", "transactionAmount": AMOUNT}],
    "bankgiro": [{"transactionId": "c", "transactionAmount": AMOUNT}],
}
OF_ACCOUNTS = [BookedTransaction, PendingTransaction, BankgiroTransaction]
OF_CARDS = [BookedCardTransaction, PendingCardTransaction]


@pytest.mark.parametrize("cls", [*OF_ACCOUNTS, *OF_CARDS])
def test_a_stored_transaction_tells_whether_it_was_booked(cls: Any) -> None:
    base: Any = Transaction if cls in OF_ACCOUNTS else CardTransaction
    entry = cls.from_dict({"transactionAmount": AMOUNT, "somethingNew": 1})
    assert entry.to_dict()["bookingStatus"] == entry.booking_status
    assert "bookingStatus" not in entry
    for again in (base.from_dict(entry.to_dict()), through_json(entry)):
        assert type(again) is cls
        assert again == entry
    other = next(each for each in (OF_ACCOUNTS if base is Transaction else OF_CARDS) if each is not cls)
    with pytest.raises(ValueError, match=r"^bookingStatus is '.*', and that of "):
        other.from_dict(entry.to_dict())


def test_a_report_is_written_as_the_bank_sent_it() -> None:
    sent = {"transactions": LISTS}
    assert TransactionReport.from_dict(sent).to_dict() == sent


def test_the_list_knows_better_than_what_stands_in_an_entry() -> None:
    sent = {"booked": [{**LISTS["booked"][0], "bookingStatus": "pending"}], "pending": [], "bankgiro": []}
    report = TransactionReport.from_dict({"transactions": sent})
    assert report.transactions
    assert report.transactions.booked
    [entry] = report.transactions.booked
    assert Transaction.from_dict(entry.to_dict()) == entry
    [outcome] = views.reconcile([entry], [entry])
    assert (type(entry), outcome.kind) == (BookedTransaction, "same")


def test_a_status_that_nobody_described_is_kept() -> None:
    entry = Transaction.from_dict({"bookingStatus": "information", "transactionAmount": AMOUNT})
    assert type(entry) is Transaction
    assert Transaction.from_dict(entry.to_dict()) == entry
    assert entry["bookingStatus"] == "information"


def test_a_reading_that_was_stored_is_reconciled(op: OpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", Psu(id="example-user", ip_address="203.0.113.7", user_agent="x"))
    consent = bank.consents.create(valid_until=timedelta(days=9))
    bank.consents.authorise(consent)
    simulator.approve(consent.consent_id)
    accounts = bank.accounts(consent)
    [account, *_] = accounts.list()
    fresh = [*accounts.transactions(account, booking_status="both")]
    assert {type(each) for each in fresh} == {BookedTransaction, PendingTransaction}
    stored = json.dumps([each.to_dict() for each in fresh])
    known = [Transaction.from_dict(each) for each in json.loads(stored)]
    assert known == fresh
    assert views.keys(known) == views.keys(fresh)
    assert {each.kind for each in views.reconcile(known, fresh)} == {"same"}
    booked = [BookedTransaction.from_dict({**each.to_dict(), "bookingStatus": "booked"}) for each in fresh]
    outcomes = views.reconcile(known, booked)
    assert [each.kind == "booked" for each in outcomes] == [type(each) is PendingTransaction for each in fresh]


# the SDK's own values


def created() -> CreatedPayment:
    made = CreatedPayment.from_dict({"paymentId": "p", "transactionStatus": "RCVD", "somethingNew": [1]})
    made.product, made.end_to_end_identification = "domestic", "e2e-1"
    made.messages = (TppMessage("FLAGGED", "Håll utkik", "WARNING", "creditor"), TppMessage(text="own"))
    return made


CHALLENGE = Challenge("bankid.1", text="Öppna BankID", method="mbid")


@pytest.mark.parametrize(
    "value",
    [
        created(),
        CreatedPayment(payment_id="p", transaction_status="RCVD"),
        CHALLENGE,
        TppMessage("A", "b", "ERROR"),
        UserToken.from_dict({"access_token": "å", "received_at": 5.0, "more": {"x": 1}}),
    ],
)
def test_a_value_of_the_sdk_is_the_same_when_it_was_stored(value: Any) -> None:
    assert type(value).from_dict(value.to_dict()) == through_json(value) == value
    assert type(value.from_dict(value.to_dict())) is type(value)


def test_the_warnings_of_a_new_payment_are_kept() -> None:
    again = CreatedPayment.from_dict(json.loads(created().to_json()))
    assert payments.warnings(again) == payments.warnings(created())
    assert (again.product, again.end_to_end_identification) == ("domestic", "e2e-1")


def test_an_authorisation_is_stored_as_a_text(op: OpenPayments) -> None:
    bank = op.at_bank("ESSESESS", Psu(id="example-user", ip_address="203.0.113.7", user_agent="x"))
    consent = bank.consents.create(valid_until=timedelta(days=9))
    authorisation = bank.consents.authorise(consent)
    saved = json.loads(authorisation.to_json())
    assert saved == authorisation.to_dict()
    assert bank.consents.resume(saved).to_json() == authorisation.to_json()


@pytest.mark.parametrize("cls", [Challenge, TppMessage])
@pytest.mark.parametrize("saved", [None, "text", 5])
def test_what_is_no_dict_is_refused(cls: Any, saved: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^saved must be a dict"):
        cls.from_dict(saved)
    assert cls.from_dict({"text": 5}) == cls()


def test_what_views_say_is_told_as_json() -> None:
    entry = BookedTransaction.from_dict({**LISTS["booked"][0], "creditorName": "Äpple AB"})
    assert views.amount(entry).to_dict() == {
        "value": "-12.50",
        "currency": "SEK",
        "direction": "out",
        "source": "transactionAmount",
        "signed": "-12.50",
    }
    assert views.day(entry).to_json() == '{"others": [], "source": "bookingDate", "value": "2026-01-05"}'
    assert json.loads(views.other_party(entry).to_json())["name"] == "Äpple AB"
    [outcome] = views.reconcile([], [entry])
    assert outcome.to_dict()["fresh"] == entry.to_dict()


# FastAPI


class Page(BaseModel):
    account: Account | None
    entries: list[BookedTransaction | PendingTransaction] = []
    status: PaymentStatus | None = None


app = FastAPI()
ACCOUNT = {"iban": "SE1", "balances": [{"balanceAmount": AMOUNT, "referenceDate": "soon"}], "somethingNew": {"ö": 1}}
ENTRIES: list[BookedTransaction | PendingTransaction] = [
    BookedTransaction.from_dict(LISTS["booked"][0]),
    PendingTransaction.from_dict(LISTS["pending"][0]),
]


@app.get("/accounts")
def accounts() -> list[Account]:
    return [Account.from_dict(ACCOUNT)]


@app.get("/account", response_model=Account)
def account() -> Any:
    return Account.from_dict(ACCOUNT)


@app.get("/without", response_model=Account, response_model_exclude={"iban", "balances"})
def without() -> Any:
    return Account.from_dict(ACCOUNT)


@app.get("/alone", response_model=list[Account], response_model_include={"__all__": {"iban"}})
def alone() -> Any:
    return [Account.from_dict(ACCOUNT)]


@app.get("/odd")
def odd() -> Account:
    return Account.from_dict({"name": "\ud800ö", "rate": float("nan"), "more": [float("-inf")]})


@app.get("/nothing")
def nothing() -> Account | None:
    return None


@app.get("/page")
def page() -> Page:
    return Page(account=Account.from_dict(ACCOUNT), entries=ENTRIES, status=PaymentStatus("ACSC"))


@app.get("/entries")
def entries() -> list[Transaction]:
    return [*ENTRIES]


@app.get("/created")
def payment() -> CreatedPayment:
    return created()


@app.get("/update")
def update() -> AuthorisationUpdate:
    return AuthorisationUpdate("started", CHALLENGE)


@app.get("/amount")
def its_amount() -> views.Amount:
    return views.amount(ENTRIES[0])


@app.get("/day")
def its_day() -> views.Chosen[date]:
    return views.day(ENTRIES[0])


@app.get("/text")
def its_text() -> views.Chosen[str]:
    return views.text(ENTRIES[0])


@app.get("/outcomes")
def outcomes() -> list[views.Reconciled[Transaction]]:
    return [*views.reconcile([], entries())]


@app.get("/status")
def status() -> PaymentStatus:
    return PaymentStatus("ACSC", [TppMessage("A")])


@app.post("/payments")
def pay(order: Annotated[DomesticPayment, Body()]) -> DomesticPayment:
    assert isinstance(order, DomesticPayment)
    return order


@app.post("/entries")
def kinds(stored: list[BookedTransaction | PendingTransaction]) -> list[str]:
    return [type(each).__name__ for each in stored]


@app.post("/statuses")
def is_settled(given: Annotated[PaymentStatus, Body()]) -> bool:
    return given.is_settled


@pytest.fixture
def browser() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def op(openpayments_client: OpenPayments) -> Iterator[OpenPayments]:
    with openpayments_client as op:
        yield op


@dataclass
class Answer:
    path: str
    value: Any


@pytest.mark.parametrize(
    "answer",
    [
        Answer("/accounts", [ACCOUNT]),
        Answer("/account", ACCOUNT),
        Answer("/without", {"somethingNew": {"ö": 1}}),
        Answer("/alone", [{"iban": "SE1"}]),
        Answer("/odd", {"name": "\N{REPLACEMENT CHARACTER}ö", "rate": "NaN", "more": ["-Infinity"]}),
        Answer("/nothing", None),
        Answer("/page", {"account": ACCOUNT, "entries": [each.to_dict() for each in ENTRIES], "status": "ACSC"}),
        Answer("/entries", [each.to_dict() for each in ENTRIES]),
        Answer("/created", created().to_dict()),
        Answer("/update", {"sca_status": "started", "challenge": CHALLENGE.to_dict(), "is_over": False}),
        Answer("/amount", views.amount(ENTRIES[0]).to_dict()),
        Answer("/day", {"value": "2026-01-05", "source": "bookingDate", "others": []}),
        Answer("/text", {"value": None, "source": None, "others": []}),
        Answer("/outcomes", [each.to_dict() for each in views.reconcile([], ENTRIES)]),
        Answer("/status", "ACSC"),
    ],
    ids=lambda answer: answer.path,
)
def test_fastapi_answers_with_what_to_dict_gives(browser: TestClient, answer: Answer) -> None:
    response = browser.get(answer.path)
    assert (response.status_code, response.json()) == (200, answer.value)


ORDER: dict[str, Any] = {
    "instructedAmount": {"amount": "1.00", "currency": "SEK"},
    "debtorAccount": {"iban": "SE4550000000058398257466"},
    "creditorAccount": {"iban": "SE3550000000054910000003"},
    "creditorName": "Äpple AB",
    "requestedExecutionDate": "2026-03-01",
}


def test_fastapi_reads_a_body(browser: TestClient) -> None:
    response = browser.post("/payments", json={**ORDER, "somethingNew": 1})
    assert (response.status_code, response.json()) == (200, {**ORDER, "somethingNew": 1})
    assert browser.post("/statuses", json="ACSC").json() is True


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"creditorName": None}, ["creditorName"]),
        ({"creditorName": 5}, ["creditorName"]),
        ({"instructedAmount": "1.00"}, ["instructedAmount"]),
        ({"debtorAccount": {"iban": ["SE1"]}}, ["debtorAccount", "iban"]),
        ({"requestedExecutionDate": "tomorrow"}, ["requestedExecutionDate"]),
        ({"requestedExecutionDate": 0}, ["requestedExecutionDate"]),
        ({"requestedExecutionDate": "0001-01-01"}, ["requestedExecutionDate"]),
    ],
)
def test_a_bad_body_is_a_422_that_names_the_field(browser: TestClient, change: Any, place: list[str]) -> None:
    response = browser.post("/payments", json={**ORDER, **change})
    assert response.status_code == 422
    [problem] = response.json()["detail"]
    assert problem["loc"] == ["body", *place]
    assert problem["input"] == "***"


@pytest.mark.parametrize(
    ("kind", "name", "odd"),
    [
        *((CardAccount, "debitAccounting", odd) for odd in ("yes", "on", 1.0)),
        *((models.Token, "expires_in", odd) for odd in ("1_000", True)),
        (Account, "iban", b"SE1"),
    ],
)
def test_what_pydantic_would_guess_is_refused(kind: Any, name: str, odd: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python({**SAMPLES[kind.__name__], name: odd})
    [problem] = caught.value.errors()
    assert problem["loc"] == (name,)


def test_python_gives_dates_and_models() -> None:
    order = TypeAdapter(DomesticPayment).validate_python(
        {
            **ORDER,
            "requestedExecutionDate": date(2026, 3, 1),
            "creditorAccount": AccountReference.from_dict(ORDER["creditorAccount"]),
        }
    )
    assert order == DomesticPayment.from_dict(ORDER)


def test_an_error_does_not_show_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(list[Account]).validate_python([{"iban": ["SE4550000000058398257466"], "name": "Anna {x}"}, "Anna"])
    assert [each["loc"] for each in caught.value.errors()] == [(0, "iban"), (1,)]
    assert not re.search("Anna|SE45", str(caught.value))


@pytest.mark.parametrize(
    "chosen",
    [
        {"exclude": {"name", "balances"}},
        {"exclude": {"name": True, "balances": {"__all__": {"balanceAmount", "reference_date"}}}},
        {"include": {"iban", "links", "somethingNew"}},
        {"include": {"iban": True, "_links": True, "balances": {0: {"balance_type"}}}},
    ],
)
def test_what_is_excluded_is_left_out(chosen: Any) -> None:
    account = Account.from_dict({**ACCOUNT, "name": "Anna", "_links": {"balances": {"href": "/b"}}})
    whole, several = Page(account=account), TypeAdapter(list[Account])
    of_each: Any = {key: {"__all__": each} for key, each in chosen.items()}
    of_page: Any = {key: {"account": each} for key, each in chosen.items()}
    [written] = json.loads(several.dump_json([account], **of_each))
    assert written == TypeAdapter(Account).dump_python(account, **chosen) == whole.model_dump(**of_page)["account"]
    assert {"name", "balanceAmount", "referenceDate"}.isdisjoint([*written, *(written.get("balances") or [{}])[0]])
    assert {"iban", "_links"} <= written.keys()


def test_a_missing_field_is_named(browser: TestClient) -> None:
    without = {name: value for name, value in ORDER.items() if name != "creditorName"}
    [problem] = browser.post("/payments", json=without).json()["detail"]
    assert (problem["type"], problem["loc"]) == ("missing", ["body", "creditorName"])
    [problem] = browser.post("/payments", json=[1]).json()["detail"]
    assert problem["loc"] == ["body"]


def test_a_body_of_both_kinds_keeps_them_apart(browser: TestClient) -> None:
    given = [each.to_dict() for each in reversed(ENTRIES)]
    assert browser.post("/entries", json=given).json() == ["PendingTransaction", "BookedTransaction"]
    response = browser.post("/entries", json=[{**given[0], "bookingStatus": "information"}])
    assert {(each["loc"][-1], each["type"]) for each in response.json()["detail"]} == {
        ("bookingStatus", "literal_error")
    }


def test_what_the_sdk_alone_makes_is_no_body() -> None:
    with pytest.raises(ValueError, match="Input should be an instance of Amount"):
        TypeAdapter(views.Amount).validate_python({"value": "1", "currency": "SEK"})
    amount = views.amount(ENTRIES[0])
    assert TypeAdapter(views.Amount).validate_python(amount) is amount


def test_the_page_of_the_api_tells_names_types_and_what_they_mean(browser: TestClient) -> None:
    described = browser.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    account = schemas["Account"]["properties"]
    assert schemas["Account"]["description"] == "An account."
    assert account["iban"]["description"] == "An IBAN without spaces (ISO 13616)."
    assert {each["type"] for each in account["iban"]["anyOf"]} == {"string", "null"}
    assert account["balances"]["anyOf"][0]["items"] == {"$ref": "#/components/schemas/Balance"}
    assert schemas["Balance"]["properties"]["referenceDate"]["anyOf"][0]["format"] == "date"
    assert schemas["PendingTransaction"]["properties"]["bookingStatus"]["const"] == "pending"
    assert schemas["DomesticPayment"]["required"] == [
        "instructedAmount",
        "debtorAccount",
        "creditorAccount",
        "creditorName",
    ]
    assert schemas["Amount"]["properties"]["value"]["anyOf"][0]["type"] == "string"
    assert schemas["Chosen_date"]["properties"]["value"] != schemas["Chosen_str"]["properties"]["value"]
    assert {
        "CreatedPayment",
        "AuthorisationUpdate",
        "Challenge",
        "Reconciled_Transaction",
        "TppMessage",
        "Message",
    } <= schemas.keys()


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@pytest.mark.parametrize("cls", CLASSES)
def test_every_model_is_known_to_pydantic(cls: Any, mode: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(cls)
    schema = adapter.json_schema(mode=mode)
    top = schema["$defs"][cls.__name__] if "$ref" in schema else schema
    wire = {name for name, _ in cls._fields.names}
    assert wire <= top["properties"].keys()
    model = cls.from_dict(SAMPLES[cls.__name__])
    assert adapter.validate_python(model) is model
    assert adapter.dump_python(model) == model.to_dict()
    assert adapter.validate_json(adapter.dump_json(model)) == model


def test_what_a_repr_hides_is_in_the_answer() -> None:
    token = models.Token.from_dict({"access_token": "s3cret", "token_type": "Bearer", "expires_in": 1})
    reference = AccountReference(iban="SE4550000000058398257466")
    assert "s3cret" not in repr(token)
    assert "SE45" not in repr(reference)
    assert TypeAdapter(models.Token).dump_python(token) == token.to_dict()
    assert TypeAdapter(AccountReference).dump_python(reference) == {"iban": "SE4550000000058398257466"}


def test_pydantic_is_loaded_by_pydantic_alone() -> None:
    code = (
        "import sys, openpayments_facade as o\n"
        "from openpayments_client import models\n"
        "[getattr(models, name) for name in models.__all__]; [getattr(o, name) for name in o.__all__]\n"
        "o.Account(iban='x').to_json()\n"
        "print({'pydantic', 'pydantic_core', 'openpayments_client.schemas'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
