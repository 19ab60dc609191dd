"""Answers with one thing changed: whatever it is, the call ends in a value or in UnreadableResponseError."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any, NamedTuple

import pytest
from hypothesis import note
from hypothesis import strategies as st
from openpayments_client.reading import loads

from openpayments_facade import (
    SANDBOX,
    AccountReference,
    APIError,
    Approach,
    Authorisation,
    Bank,
    ConfigurationError,
    CrossBorderPayment,
    DebtorAccountReference,
    DomesticPayment,
    InternationalAddress,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    PaymentStatus,
    Psu,
    UnreadableAmountError,
    UnreadableResponseError,
    money,
    payments,
    views,
)
from openpayments_facade import amount as to_pay
from tests.canned_server import Canned, Given, canned
from tests.described import DOCUMENT, OPERATIONS, arguments, bodies, endpoint, failures, product_of, successes
from tests.fuzz.fuzzing import fuzzed
from tests.tools.inventory import INVENTORY, Known

NEEDED = {name for schema in DOCUMENT["components"]["schemas"].values() for name in schema.get("x-needed", ())}
MISSING = object()
USER = Psu(id="PSU-ID", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
DESCRIBED: dict[bytes, Any] = {}
Path = tuple[str | int, ...]


class Place(NamedTuple):
    known: Known
    answer: Given
    example: Any
    path: Path


class Mutation(NamedTuple):
    """An answer with something else at a place."""

    known: Known
    answer: Given
    path: Path
    new: Any
    mutated: Given


# what banks have been seen to send, and neighbours of it
ODD_NUMBERS = [
    "0", "1", "-1", "1.0", "12.5", "1,5", "1e400", "NaN", "1" * 5000, "\u0661", 10**400, 1e308, -0.0, 1.5
]  # fmt: skip
ODD_DAYS = [
    "2026-02-30", "2026-13-01", "0000-00-00", "99999-01-01", "2026-03", "20260302", "2026-W10-1", "2.3.2026", "10:00",
    "2026-03-02T25:00:00Z", "2026-03-02T23:00:00-05:00", "2026-03-02+01:00", "2026-03-02 10:00", "-1", 20260302
]  # fmt: skip
ODD_FLAGS = ["true", "False", "yes", "", 0, 1, 2]
ODD_TEXTS = [
    "", " ", "null", "\u0000", "\ud800", "REDIRECT", "finalised", "valid", "received", "../x", "https://[", "//x/y",
    "[CLIENT_ID]", "x" * 5000
]  # fmt: skip
texts = st.sampled_from(ODD_TEXTS) | st.text(max_size=20)
odd = st.sampled_from([*ODD_NUMBERS, *ODD_DAYS, *ODD_FLAGS])
numbers = st.integers() | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | texts | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def kin(old: Any, path: Path) -> list[Any]:
    """What a bank might rather send where something else is expected."""
    found = [[old], [old, old], [], {}, {"x": old}, None, str(old), json.dumps(old), *([MISSING] if path else [])]
    if isinstance(old, list):
        found += [*old[:1], [*old, None], [*old, {}], [*old, "x"]]
    if isinstance(old, dict):
        found += [*old.values(), {**old, "x": 1}, {**old, "": None}]
    if isinstance(old, bool):
        found += ODD_FLAGS
    elif isinstance(old, int | float):
        found += ODD_NUMBERS
    if isinstance(old, str) and old[:4].isdigit():
        found += ODD_DAYS
    return found


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def changed(value: Any, path: Path, new: Any) -> Any:
    """The same with something else at a place, or without it."""
    if not path:
        return new
    value = copy.deepcopy(value)
    around = at(value, path[:-1])
    if new is MISSING:
        del around[path[-1]]
    else:
        around[path[-1]] = new
    return value


def by_field(answers: Callable[[Known], Iterator[Given]]) -> list[list[Place]]:
    """The places of all examples by their field, so that each field has its turn."""
    found: dict[Any, list[Place]] = {}
    for known in INVENTORY.values():
        for answer in answers(known):
            example = json.loads(answer.content or "null")
            for path in places(example) if answer.content else ():
                field = type(at(example, path)), *[key for key in path if isinstance(key, str)][-2:], len(path) == 0
                found.setdefault(field, []).append(Place(known, answer, example, path))
    return [*found.values()]


@st.composite
def mutations(draw: st.DrawFn, fields: list[list[Place]]) -> Mutation:
    known, answer, example, path = draw(st.sampled_from(draw(st.sampled_from(fields))))
    new = draw(st.sampled_from(kin(at(example, path), path)) | values)
    note(f"{known.name} {path} {new!r}")
    mutated = answer._replace(content=json.dumps(changed(example, path, new)).encode())
    return Mutation(known, answer, path, new, mutated)


@pytest.fixture(scope="module")
def server() -> Iterator[Canned]:
    with canned() as server:
        yield server


@pytest.fixture(scope="module")
def op(server: Canned) -> Iterator[OpenPayments]:
    with server.client(max_retries=0) as op:
        yield op


def call(op: OpenPayments, server: Canned, known: Known, answer: Given) -> Any:
    server.given = answer
    server.interactions.clear()
    sent = arguments(known)
    for body in [*bodies(known).values()][:1]:
        sent |= {"body": body, **product_of(known, body)}
    return op.call(endpoint(known), **sent)


def as_described(op: OpenPayments, server: Canned, known: Known, answer: Given) -> Any:
    if answer.content not in DESCRIBED:
        DESCRIBED[answer.content] = call(op, server, known, answer)
    return DESCRIBED[answer.content]


@fuzzed("mutations", 2000, 34_000, mutation=mutations(by_field(successes)))
def test_a_changed_answer_is_read_but_for_what_was_changed(
    op: OpenPayments, server: Canned, mutation: Mutation
) -> None:
    known, answer, path, new, mutated = mutation
    whole = as_described(op, server, known, answer)
    try:
        read = call(op, server, known, mutated)
    except UnreadableResponseError as error:
        may_be_refused = is_about_all(path, known) or NEEDED & {*error.path.split("."), path[-1]}
        assert error.body and may_be_refused, error  # noqa: PT017, PT018
        return
    if read is None:  # nothing is expected here, and nothing was read
        return
    assert type(read) is type(whole)
    assert type(read).from_dict(read.to_dict()) == read
    inner = path[1:] if path[:1] == (envelope(known),) else path
    if inner and not is_about_all(path, known):
        assert [*differences(whole, read, inner)] == []
        assert has_kept(read, inner, loads(json.dumps(new)) if new is not MISSING else None)


@fuzzed("mutations", 200, 3_000, mutation=mutations(by_field(failures)))
def test_a_changed_error_is_told_by_its_status(op: OpenPayments, server: Canned, mutation: Mutation) -> None:
    known, answer, _, _, mutated = mutation
    with pytest.raises(APIError) as caught:
        call(op, server, known, mutated)
    assert caught.value.status_code == answer.status
    assert repr(caught.value)
    assert caught.value.body


BIC, ID = "ESSESESS", "3f1d0c7e-8a52-4a1e-9a44-6f0a1f6f2f10"
PAYMENT = DomesticPayment(
    instructed_amount=to_pay("125.50", "SEK"),
    debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
    creditor_account=AccountReference(iban="SE3550000000054910000003"),
    creditor_name="Example Shop",
)
ABROAD = CrossBorderPayment(
    instructed_amount=to_pay("130", "USD"),
    debtor_account=PAYMENT.debtor_account,
    creditor_account=AccountReference(account_number="1234567890"),
    creditor_name="Example Books Inc",
    creditor_agent="CHASUS33",
    creditor_agent_name="Example Bank",
    creditor_address=InternationalAddress(
        country="US", postal_code="10001", city="New York", street="Example Street 1"
    ),
)


def read_banks(op: OpenPayments) -> None:
    for country in op.countries.list()[:1]:
        op.countries.get(country)
        op.cities.list(countries=[country])
    for city in op.cities.list()[:1]:
        op.cities.get(city)
        op.aspsps.list(city_ids=[city])
    for aspsp in op.aspsps.list()[:1]:
        op.aspsps.get(aspsp)
        op.at_bank(aspsp, USER)


def ask_for_consent(op: OpenPayments) -> None:
    consents = op.at_bank(BIC, USER).consents
    consent = consents.create(valid_until=timedelta(days=90))
    for read in (consents.get, consents.status, consents.authorisations, consents.start_authorisation):
        read(consent)
    started = consents.start_authorisation(consent)
    for method in (started.sca_methods or [])[:1]:
        consents.select_method(consent, authorisation_id=started, authentication_method_id=method)
    consents.sca_status(consent, authorisation_id=started)


def authorise(op: OpenPayments) -> None:
    authorisation = op.at_bank(BIC, USER).consents.authorise(ID)
    repr((authorisation.challenge, authorisation.approach, authorisation.sca_status))
    op.at_bank(BIC, USER).consents.resume(json.loads(json.dumps(authorisation.to_dict())))
    if authorisation.approach is not Approach.DECOUPLED:
        authorisation.redirect_url(redirect_uri="https://shop.example/back")
    authorisation.poll()


def read_accounts(op: OpenPayments) -> None:
    accounts = op.at_bank(BIC, USER).accounts(ID)
    read_all(accounts)
    use([accounts.transaction("1", transaction_id="2")])


def read_cards(op: OpenPayments) -> None:
    read_all(op.at_bank(BIC, USER).cards(ID))


def read_all(service: Any) -> None:
    for account in service.list()[:2]:
        service.get(account)
        use(service.balances(account))
        for transaction in islice(service.transactions(account), 5):
            use([transaction])


def use(values: list[Any]) -> None:
    for value in values:
        for amount in (getattr(value, "transaction_amount", None), getattr(value, "balance_amount", None)):
            with suppress(UnreadableAmountError):
                money(amount)
        if hasattr(value, "transaction_amount"):
            repr([views.text(value), views.day(value), views.amount(value), views.other_party(value)])
            repr([views.identity(value), views.reconcile([value], [value])])
    views.booked_balance([value for value in values if hasattr(value, "balance_amount")])
    views.available_balance([value for value in values if hasattr(value, "balance_amount")])


def pay(op: OpenPayments) -> None:
    bank = op.at_bank(BIC, USER)
    quote = bank.fx_quotes.get(ID)
    with suppress(InvalidArgumentError):  # the bank may not have it
        bank.payments.create(PAYMENT, check_product=True)
    created = bank.payments.create(PAYMENT)
    repr((payments.warnings(created), payments.payee_match(created), pickle.loads(pickle.dumps(created))))
    for each in (created, created.payment_id):
        status = bank.payments.status(each, product="domestic")
        repr((status.is_final, status.is_accepted, status.is_failed, status.needs_another_signature, status.messages))
    bank.payments.get(created)
    started = bank.payments.start_authorisation(created)
    for method in (started.sca_methods or [])[:1]:
        bank.payments.select_method(created, authorisation_id=started, authentication_method_id=method)
    bank.payments.sca_status(created, authorisation_id=started)
    bank.payments.authorisations(created)
    follow(bank, bank.payments.authorise(created))
    bank.payments.cancel(created)
    repr(quote)


def cancel(op: OpenPayments) -> None:
    bank = op.at_bank(BIC, USER)
    bank.payments.cancel(ID, product="domestic")
    bank.payments.authorisations(ID, product="domestic", cancellation=True)
    follow(bank, bank.payments.authorise(ID, product="domestic", cancellation=True))


def sign_together(op: OpenPayments) -> None:
    bank = op.at_bank(BIC, USER)
    with suppress(InvalidArgumentError):  # the bank may not have any
        bank.signing_baskets.create([ID], check_limit=True)
    basket = bank.signing_baskets.create([ID])
    bank.signing_baskets.get(basket)
    bank.signing_baskets.status(basket)
    authorisation = bank.signing_baskets.authorise(basket)
    bank.signing_baskets.resume(json.loads(json.dumps(authorisation.to_dict())))
    authorisation.poll()
    bank.signing_baskets.delete(basket)


def quote(op: OpenPayments) -> None:
    bank = op.at_bank(BIC, USER)
    made = bank.fx_quotes.create(source_currency="SEK", target_currency="USD", amount=1, country_code="US")
    made.valid_to = (made.valid_to or "").replace("2026", "2999", 1)  # the example is of the past
    with suppress(InvalidArgumentError):  # another change may be one as well
        bank.fx_quotes.confirm(made, ABROAD)
    bank.fx_quotes.confirm(ID, ABROAD)


def prove_who_pays(op: OpenPayments) -> None:
    op.kyc.create("5560000000", country_code="SE")
    op.kyc.status("5560000000")


def follow(bank: Bank, authorisation: Authorisation[PaymentStatus]) -> None:
    bank.payments.resume(json.loads(json.dumps(authorisation.to_dict())))
    if authorisation.approach is not Approach.DECOUPLED:
        authorisation.redirect_url(redirect_uri="https://shop.example/back")
    authorisation.poll()


JOURNEYS = {
    pay: "getFxQuote initiatePayment getASPSPDetails getPaymentInitiationStatus getPaymentInformation "
    "startPaymentAuthorisation updatePaymentPsuData getPaymentInitiationScaStatus getPaymentInitiationAuthorisation "
    "cancelPayment",
    cancel: "cancelPayment getPaymentInitiationCancellationAuthorisationInformation getPaymentInitiationStatus "
    "startPaymentInitiationCancellationAuthorisation updatePaymentCancellationPsuData getPaymentCancellationScaStatus",
    sign_together: "createSigningBasket getASPSPDetails getSigningBasket getSigningBasketStatus deleteSigningBasket "
    "startSigningBasketAuthorisation updateSigningBasketPsuData getSigningBasketScaStatus",
    quote: "createFxQuote confirmCrossBorderPaymentIntent",
    prove_who_pays: "createKyc getKycStatus",
    read_banks: "getCountriesList getCountryDetails getCityList getCityDetails getASPSPList getASPSPDetails",
    ask_for_consent: "createConsent getConsentInformation getConsentStatus getConsentAuthorisation "
    "startConsentAuthorisation updateConsentsPsuData getConsentScaStatus",
    authorise: "startConsentAuthorisation updateConsentsPsuData getConsentScaStatus getConsentStatus",
    read_accounts: "getAccountList readAccountDetails getBalances getTransactionList getTransactionDetails",
    read_cards: "getCardAccountList readCardAccountDetails getCardBalances getCardTransactionList",
}


def route(known: Known) -> tuple[str, re.Pattern[str]]:
    method, path = known.route.split()
    return method, re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path))


@fuzzed("mutations", 200, 3_000, data=st.data())
def test_what_goes_on_with_a_changed_answer_never_blames_its_caller(
    op: OpenPayments, server: Canned, data: st.DataObject
) -> None:
    journey = data.draw(st.sampled_from([*JOURNEYS]))
    names = JOURNEYS[journey].split()
    place = mutations(by_field(lambda known: successes(known) if known.name in names else iter(())))
    mutation = data.draw(place)
    routes = [(route(INVENTORY[name]), next(successes(INVENTORY[name])), name) for name in names]

    def answer(method: str, path: str) -> Given:
        if "continuationKey" in path:  # the example of a page links to itself
            return Given(204, {}, b"")
        for (verb, pattern), found, name in routes:
            if verb == method and pattern.fullmatch(path.partition("?")[0]):
                given_now = mutation.mutated if name == mutation.known.name else found
                return given_now._replace(content=given_now.content.replace(SANDBOX.auth_url.encode(), at_home))
        return Given(404, {}, b"")

    at_home = server.url.encode()
    server.given = answer
    server.interactions.clear()
    try:
        journey(op)
    except OpenPaymentsError as error:
        assert not isinstance(error, InvalidArgumentError | ConfigurationError), repr(error)  # noqa: PT017
        note(repr(error))


def envelope(known: Known) -> str | None:
    return OPERATIONS[known.name][1].get("x-envelope")


def is_about_all(path: Path, known: Known) -> bool:
    """Whether the change is to the shape of the answer as a whole."""
    return path in {(), (envelope(known),)}


def differences(one: Any, other: Any, path: Path) -> Iterator[str]:
    """Where two values differ, but for what is at the path, and the object that has it."""
    if not path:
        return
    if isinstance(one, list) and isinstance(other, list) and isinstance(path[0], int):
        if len(other) == len(one) - 1 and len(path) <= 2:
            other = [*other[: path[0]], one[path[0]], *other[path[0] :]]
        if len(one) != len(other):
            yield f"{len(one)} elements, {len(other)} elements"
            return
        for index, (each, twin) in enumerate(zip(one, other, strict=True)):
            if index == path[0]:
                yield from differences(each, twin, path[1:])
            elif each != twin:
                yield f"[{index}]: {each} {twin}"
    elif hasattr(one, "_fields") and type(one) is type(other):
        for wire, name in one._fields.names:
            each, twin = getattr(one, name), getattr(other, name)
            if wire == path[0]:
                yield from differences(each, twin, path[1:])
            elif each != twin:
                yield f".{name}: {each} {twin}"
        for key in {*one.additional_properties} - {path[0]}:
            if one.additional_properties[key] != other.additional_properties.get(key):
                yield f"[{key!r}]"
    elif not (len(path) == 1 or one == other):
        yield f"{one} {other}"


def has_kept(read: Any, path: Path, new: Any) -> bool:
    """Whether what came is there: as the value of its field, or beside it."""
    for key in path[:-1]:
        if isinstance(read, list) and isinstance(key, int):
            read = read[key] if key < len(read) else None
        else:
            read = getattr(read, dict(read._fields.names).get(key, ""), None) if hasattr(read, "_fields") else None
    if not hasattr(read, "_fields") or read._fields.is_closed:
        return True
    written = read.to_dict().get(path[-1])
    if path[-1] not in dict(read._fields.names):
        return new in (None, written, [written])
    value = getattr(read, dict(read._fields.names)[path[-1]])
    is_lost = value is None or (isinstance(new, list) and isinstance(value, list) and len(new) != len(value))
    return not is_lost or new is None or bool(written == new)
