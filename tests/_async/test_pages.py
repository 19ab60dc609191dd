"""Lists in pages: the links that lead on, cursors to go on later, and what stands beside the transactions."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

import pytest
from dateutil.relativedelta import relativedelta

from openpayments_facade import (
    AsyncOpenPayments,
    InvalidArgumentError,
    MissingScopeError,
    Psu,
    ServerError,
    UnreadableResponseError,
    money,
)
from openpayments_facade._protocol.arguments import today
from openpayments_facade._protocol.pages import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openpayments_facade import AsyncAccounts, AsyncCards
    from openpayments_facade._protocol.operation import Operation
    from openpayments_facade.simulator import Simulator

SOMEBODY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user")
COMPANY = Psu(ip_address="203.0.113.7", user_agent="Mozilla/5.0", id="example-user", corporate_id="example-company")
TODAY = today().date()
PATH = "/psd2/accountinformation"
ALL: dict[str, Any] = {"date_from": relativedelta(months=-13), "booking_status": "both"}


async def opened(op: AsyncOpenPayments, simulator: Simulator, psu: Psu = SOMEBODY) -> tuple[AsyncAccounts, str]:
    """The accounts of a new consent, and the id of one in SEK."""
    bank = op.at_bank("ESSESESS", psu)
    consent = await bank.consents.create(valid_until=TODAY + timedelta(days=9))
    simulator.approve(consent.consent_id)
    accounts = bank.accounts(consent)
    return accounts, next(each.resource_id or "" for each in await accounts.list() if each.currency == "SEK")


def transaction(reference: str) -> dict[str, Any]:
    return {"entryReference": reference, "transactionAmount": {"currency": "SEK", "amount": "1.00"}}


def page(*references: str, next_: object = None) -> dict[str, Any]:
    return {"transactions": {"booked": [*map(transaction, references)], "_links": {"next": next_}}}


def queries(simulator: Simulator) -> list[str]:
    return [request.query for request in simulator.requests if request.path.startswith(PATH)]


async def first_of(listed: Any, count: int) -> AsyncIterator[Any]:
    """As many of a list, and no look at what comes after them."""
    if count:
        async for each in listed:
            yield each
            count -= 1
            if not count:
                break


HREF = "?page=2"


@pytest.mark.parametrize("next_", [HREF, {"href": HREF}, [HREF], [{"href": HREF}], {"href": [HREF]}])
@pytest.mark.parametrize("where", ["lists", "report", "named", "named among others"])
@pytest.mark.parametrize("kind", ["accounts", "cards"])
async def test_the_next_page_is_found_wherever_its_link_stands(
    op: AsyncOpenPayments, simulator: Simulator, kind: str, where: str, next_: object
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    name = "transactions" if kind == "accounts" else "cardTransactions"
    answers: list[dict[str, Any]] = [{"next": next_}, {"next": None}, {}]
    for number, links in enumerate(answers):
        lists = {"booked": [{"transactionAmount": {"currency": "SEK", "amount": f"{number}"}}]}
        odd: Any = links
        if where.startswith("named"):
            next_one = {"rel": "next", **links["next"]} if isinstance(links.get("next"), dict) else links
            odd = [next_one, {"rel": "self", "href": "?page=9"}] if "others" in where else [next_one]
        body = {name: lists, "_links": odd} if where == "report" else {name: {**lists, "_links": odd}}
        simulator.misbehave(PATH, body=body)
    service: AsyncAccounts | AsyncCards = bank.accounts("c") if kind == "accounts" else bank.cards("c")
    listed: Any = service.transactions("a", date_from=TODAY)
    assert [each.transaction_amount.amount async for each in listed] == ["0", "1"]
    assert queries(simulator)[1:] == ["page=2"]


@pytest.mark.parametrize(
    "header",
    [
        '<?page=2>; rel="next"',
        "</psd2/x?page=1>; rel=prev, </psd2/x?page=2>; rel=next",
        '<?page=2>; rel="last NEXT"; title="the next, maybe"',
    ],
)
async def test_a_header_leads_to_the_next_page_if_nothing_else_does(
    op: AsyncOpenPayments, simulator: Simulator, header: str
) -> None:
    simulator.misbehave(PATH, body=page("a"), headers={"Link": header})
    simulator.misbehave(PATH, body=page("b", next_="?page=3"), headers={"Link": '<?page=9>; rel="next"'})
    simulator.misbehave(PATH, body=page("c"), headers={"Link": "<<>;;; rel=, <?page=8>; rel=nextish, <>; rel=next"})
    found = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a", date_from=TODAY)
    assert [each.entry_reference async for each in found] == ["a", "b", "c"]
    assert queries(simulator)[1:] == ["page=2", "page=3"]


@pytest.mark.parametrize("key", ["continuationKey=k", "bookingStatus=booked&continuationKey=k", "continuationKey=k&x="])
async def test_a_continuation_key_alone_takes_the_query_of_the_request_along(
    op: AsyncOpenPayments, simulator: Simulator, key: str
) -> None:
    """The provider's description of 2026: the query of the request plus `continuationKey`."""
    simulator.misbehave(PATH, body=page("a", next_=f"?{key}"))
    simulator.misbehave(PATH, body=page("b", next_="?continuationKey=l%2Bm"))
    simulator.misbehave(PATH, body=page("c"))
    found = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a", date_from=TODAY)
    assert [each.entry_reference async for each in found] == ["a", "b", "c"]
    first, second, third = queries(simulator)
    if key == "continuationKey=k":
        assert second == f"{first}&{key}"
        assert third == f"{first}&continuationKey=l%2Bm"
    else:
        assert second == key
        assert parse_qs(third)["continuationKey"] == ["l+m"]


@pytest.mark.parametrize(
    "report",
    [
        {"transactions": {}, "links": {"next": {"href": HREF}}},
        {"transactions": {}, "account": {"_links": {"next": HREF}}},
        {"transactions": {"next": {"href": HREF}}},
        {"transactions": {"_links": {"Next": {"Href": HREF}}}},
        {"transactions": {}, "_links": {"next": {"url": HREF}}},
    ],
)
async def test_a_link_is_found_wherever_it_stands(op: AsyncOpenPayments, simulator: Simulator, report: Any) -> None:
    found = {"booked": [transaction("a")], **report["transactions"]}
    simulator.misbehave(PATH, body={**report, "transactions": found})
    simulator.misbehave(PATH, body=page("b"))
    listed = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a")
    assert [each.entry_reference async for each in listed] == ["a", "b"]


@pytest.mark.parametrize(("link", "is_told"), [({}, False), ({"href": None}, False), ({"to": "?p=2"}, True), (1, True)])
async def test_a_link_without_an_address_is_told(
    op: AsyncOpenPayments, simulator: Simulator, link: Any, is_told: bool
) -> None:
    simulator.misbehave(PATH, body=page("a", next_=link))
    listed = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a")
    with pytest.raises(UnreadableResponseError, match="link to the next page") if is_told else nullcontext():
        assert [each.entry_reference async for each in listed] == ["a"]


async def test_the_raw_list_has_what_all_pages_had_to_say(op: AsyncOpenPayments, simulator: Simulator) -> None:
    first = {
        "accounts": [{"resourceId": "1", "currency": {}}],
        "_links": {"next": HREF},
        "tppMessages": [{"code": "A"}],
    }
    simulator.misbehave(PATH, body=first)
    simulator.misbehave(PATH, body={"accounts": [{"resourceId": "2"}], "tppMessages": ["B"]})
    raw = await op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("c").list()
    assert [each.resource_id for each in raw.parsed] == ["1", "2"]
    assert [each.code or each.text for each in raw.messages] == ["A", "B"]
    assert raw.odd == ("Account.currency", "AccountList.tppMessages")


@pytest.mark.parametrize("links", [{"next": HREF}, {"next": {"href": HREF}}, [{"next": [HREF]}]])
async def test_lists_of_cards_have_pages_too(op: AsyncOpenPayments, simulator: Simulator, links: object) -> None:
    cards = [{"maskedPan": f"**** {number}", "currency": "SEK"} for number in range(3)]
    simulator.misbehave(PATH, body={"cardAccounts": cards[:2], "_links": links})
    simulator.misbehave(PATH, body={"cardAccounts": cards[2:]})
    bank = op.at_bank("ESSESESS", SOMEBODY)
    assert [card.masked_pan for card in await bank.cards("c").list()] == ["**** 0", "**** 1", "**** 2"]
    assert queries(simulator) == ["", "page=2"]
    for number in (1, 2, 1, 2) * 2:
        simulator.misbehave(PATH, body={"cardAccounts": cards, "_links": {"next": f"?page={number}"}})
    with pytest.raises(UnreadableResponseError, match="back to a page"):
        await bank.cards("c").list()
    answer = await bank.with_raw_response.cards("c").list()
    with pytest.raises(UnreadableResponseError, match="back to a page"):
        _ = answer.parsed


async def test_lists_of_accounts_have_pages(op: AsyncOpenPayments, simulator: Simulator) -> None:
    simulator.misbehave(PATH, body={"accounts": [{"currency": "SEK"}], "_links": {"next": HREF}})
    simulator.misbehave(PATH, body={"accounts": [{"currency": "EUR"}]})
    found = await op.at_bank("ESSESESS", SOMEBODY).accounts("c").list(with_balance=True)
    assert [account.currency for account in found] == ["SEK", "EUR"]


@pytest.mark.openpayments_simulator(transactions=10, page_size=4)
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 11, 12])
async def test_a_cursor_goes_on_after_the_last_transaction(
    op: AsyncOpenPayments, simulator: Simulator, count: int
) -> None:
    accounts, id_ = await opened(op, simulator)
    everything = [each async for each in accounts.transactions(id_, **ALL)]
    assert len(everything) == 12
    first = accounts.transactions(id_, **ALL)
    found = [each async for each in first_of(first, count)]
    cursor = first.cursor
    if count == 12:
        assert cursor is None
        return
    assert cursor is not None
    assert quote(cursor, safe="") == cursor == json.loads(json.dumps(cursor))
    before = len(simulator.requests)
    async with simulator.async_client(api_scopes=["accountinformation"]) as another:
        later = another.at_bank("ESSESESS", SOMEBODY).accounts(accounts._consent_id)
        rest = later.transactions(id_, cursor=cursor)
        assert rest.cursor == cursor
        found += [each async for each in rest]
        assert rest.cursor is None
        # iterating again begins where the cursor stands
        assert len([each async for each in rest]) == 12 - count
    assert found == everything
    # the first page is only read again if some of it is missing
    sent = [request for request in simulator.requests[before:] if request.path.startswith(PATH)]
    assert len(sent) == 2 * (3 - count // 4)


@pytest.mark.openpayments_simulator(transactions=10, page_size=4)
async def test_a_cursor_goes_on_after_the_last_page(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts, id_ = await opened(op, simulator)
    everything = [each async for each in accounts.transactions(id_, **ALL)]
    for raw in (False, True):
        source: Any = op.at_bank("ESSESESS", SOMEBODY)
        source = (source.with_raw_response if raw else source).accounts(accounts._consent_id)
        first = source.transactions(id_, **ALL)
        found, cursors = [], []
        async for each in first.pages():
            found.append(each)
            cursors.append(first.cursor)
            if len(found) == 2:
                break
        second = source.transactions(id_, cursor=cursors[-1])
        found += [each async for each in second.pages()]
        assert second.cursor is None
        reports = [each.parsed if raw else each for each in found]
        lists = [report.transactions for report in reports]
        assert [each for part in lists for each in [*part.booked, *part.pending]] == everything
        # after a page stands the same as after its last transaction
        assert [each async for each in accounts.transactions(id_, cursor=cursors[0])] == everything[4:]


@pytest.mark.openpayments_simulator(transactions=10, page_size=4)
async def test_a_page_in_which_a_cursor_stands_is_given_whole(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts, id_ = await opened(op, simulator)
    first = accounts.transactions(id_, **ALL)
    assert [each async for each in first_of(first, 1)]
    reports = [each async for each in accounts.transactions(id_, cursor=first.cursor).pages()]
    assert len(reports) == 3


@pytest.mark.openpayments_simulator(transactions=12, page_size=4)
async def test_a_cursor_has_the_filters(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts, id_ = await opened(op, simulator)
    cursor = accounts.transactions(id_, **ALL).cursor
    found = [
        each async for each in accounts.transactions(id_, cursor=cursor, date_from=TODAY, booking_status="pending")
    ]
    assert len(found) == 14
    assert all("bookingStatus=both" in query and f"dateFrom={TODAY}" not in query for query in queries(simulator)[1:])
    with pytest.raises(InvalidArgumentError, match="booking_status"):
        accounts.transactions(id_, cursor=cursor, booking_status="all")  # type: ignore[arg-type]


@pytest.mark.openpayments_simulator(transactions=10, page_size=4)
async def test_a_list_that_broke_off_goes_on(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts, id_ = await opened(op.with_options(max_retries=0), simulator)
    listed = accounts.transactions(id_, **ALL)
    found = [each async for each in first_of(listed, 4)]
    cursor = listed.cursor
    simulator.misbehave(PATH, status=503)
    with pytest.raises(ServerError):
        assert [each async for each in accounts.transactions(id_, cursor=cursor)] == []
    found += [each async for each in accounts.transactions(id_, cursor=listed.cursor)]
    assert found == [each async for each in accounts.transactions(id_, **ALL)]


async def test_a_link_that_leads_astray_costs_nothing_that_was_given(
    op: AsyncOpenPayments, simulator: Simulator
) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("c")
    simulator.misbehave(PATH, times=None, body=page("a", "b", next_="https://evil.example?page=2"))
    by_one, by_page = accounts.transactions("a"), accounts.transactions("a")
    assert len([each async for each in first_of(by_one, 2)]) == 2
    assert len([each async for each in first_of(by_page.pages(), 1)]) == 1
    assert by_one.cursor == by_page.cursor
    for listed in (accounts.transactions("a", cursor=by_one.cursor), accounts.transactions("a", cursor=by_page.cursor)):
        with pytest.raises(UnreadableResponseError, match="another host"):
            assert [each async for each in listed] == []
        with pytest.raises(UnreadableResponseError, match="another host"):
            assert [each async for each in listed.pages()] == []
    simulator.behave()
    simulator.misbehave(PATH, body=page("a", "b", next_=HREF))
    simulator.misbehave(PATH, body=page("c"))
    assert [each.entry_reference async for each in accounts.transactions("a", cursor=by_one.cursor)] == ["c"]


async def test_a_cursor_does_not_go_round_in_circles(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("c")
    simulator.misbehave(PATH, body=page("a", next_=HREF))
    listed = accounts.transactions("a", date_from=TODAY)
    assert [each.entry_reference async for each in first_of(listed, 1)] == ["a"]
    beginning = queries(simulator)[0]
    for next_ in (HREF, f"?{beginning}"):
        simulator.misbehave(PATH, body=page("b", next_=next_))
        with pytest.raises(UnreadableResponseError, match="back to a page"):
            _ = [each async for each in accounts.transactions("a", date_from=TODAY, cursor=listed.cursor)]


async def test_a_page_that_has_shrunk_gives_what_is_left(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("c")
    simulator.misbehave(PATH, body=page("a", "b", "c"))
    listed = accounts.transactions("a")
    assert len([each async for each in first_of(listed, 2)]) == 2
    simulator.misbehave(PATH, body=page("b", next_=HREF))
    simulator.misbehave(PATH, body=page("c"))
    assert [each.entry_reference async for each in accounts.transactions("a", cursor=listed.cursor)] == ["c"]


async def test_a_cursor_of_something_else_is_refused(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    mine = bank.accounts("c").transactions("a", date_from=TODAY)
    cursor = mine.cursor
    assert cursor is not None
    # another consent may open the same account
    assert bank.accounts("d").transactions("a", cursor=cursor).cursor == cursor
    other: Any
    for other in (
        lambda given: bank.accounts("c").transactions("b", cursor=given),
        lambda given: bank.cards("c").transactions("a", cursor=given),
        lambda given: bank.with_raw_response.cards("c").transactions("a", cursor=given),
        lambda given: op.at_bank("NDEASESS", SOMEBODY).accounts("c").transactions("a", cursor=given),
    ):
        with pytest.raises(InvalidArgumentError, match=r"^cursor must be") as caught:
            other(cursor)
        assert caught.value.argument == "cursor"
    changed = [cursor[:at] + ("A" if sign != "A" else "B") + cursor[at + 1 :] for at, sign in enumerate(cursor)]
    cut = [cursor[:at] for at in range(len(cursor))]
    malformed: Any
    for malformed in (*changed, *cut, cursor + "=", cursor + "\n", f" {cursor}", "é", "[]", "W10", 5, b"x", [cursor]):
        with pytest.raises(InvalidArgumentError, match=r"^cursor must be") as caught:
            bank.accounts("c").transactions("a", cursor=malformed)
        assert str(malformed) not in str(caught.value) or malformed == ""
    assert simulator.requests == []


@pytest.mark.parametrize("query", ["a=1#b", "a=\x00", "a=" + 70_000 * "1"])
async def test_a_cursor_that_somebody_made_can_not_be_sent(
    op: AsyncOpenPayments, simulator: Simulator, query: str
) -> None:
    accounts = op.at_bank("ESSESESS", SOMEBODY).accounts("c")
    first: Operation[Any] = accounts.transactions("a")._first
    with pytest.raises(InvalidArgumentError, match=r"^cursor must be"):
        accounts.transactions("a", cursor=Place(query).cursor(first))
    assert simulator.requests == []


@pytest.mark.openpayments_simulator(transactions=36, page_size=9)
async def test_bankgiro_payments_have_their_own_way(op: AsyncOpenPayments, simulator: Simulator) -> None:
    accounts, id_ = await opened(op, simulator, COMPANY)
    listed = accounts.transactions(id_, **ALL)
    reports = [each async for each in listed.pages()]
    assert len(reports) == 4
    single: list[Any] = [each async for each in listed.bankgiro()]
    assert single == [each for report in reports if report.transactions for each in report.transactions.bankgiro or []]
    assert len(single) > 1
    async with simulator.async_client(api_scopes=["accountinformation"]) as poor:
        refused = poor.at_bank("ESSESESS", COMPANY).accounts("c").transactions(id_).bankgiro()
        with pytest.raises(MissingScopeError, match="bankgiroinformation"):
            _ = [each async for each in refused]
    assert {entry.is_alias_payin for entry in single} == {True}
    assert not [each async for each in listed if each in single]
    # each list counts its own entries
    for count in range(1, len(single)):
        payments = accounts.transactions(id_, **ALL).bankgiro()
        found = [each async for each in first_of(payments, count)]
        rest = accounts.transactions(id_, cursor=payments.cursor)
        assert found + [each async for each in rest.bankgiro()] == single
        assert sum(money(each.transaction_amount) for each in found) != 0
    middle = accounts.transactions(id_, **ALL)
    assert [each async for each in first_of(middle, 1)]
    before = len(simulator.requests)
    with pytest.raises(InvalidArgumentError, match=r"^cursor stands among other entries than these, bankgiro"):
        assert [each async for each in accounts.transactions(id_, cursor=middle.cursor).bankgiro()]
    assert len(simulator.requests) == before


DOWNLOAD = "https://files.example/report.xml?signature=s3cret"


@pytest.mark.parametrize(
    "body",
    [
        {"_links": {"download": {"href": DOWNLOAD}}},
        {"_links": {"download": DOWNLOAD}, "transactions": None},
        {"transactions": {"_links": {"download": [{"href": DOWNLOAD}], "account": "/a"}}},
        {"balances": [], "_links": {"download": DOWNLOAD, "next": HREF}},
        {"transactions": {"booked": [], "pending": None}, "_links": {"download": {"href": DOWNLOAD}}},
        {"transactions": {}, "_links": [{"rel": "download", "href": DOWNLOAD}, {"rel": "self"}]},
    ],
)
async def test_a_file_instead_of_transactions_is_told(
    op: AsyncOpenPayments, simulator: Simulator, body: dict[str, Any]
) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    of_cards = {name.replace("transactions", "cardTransactions"): value for name, value in body.items()}
    simulator.misbehave(f"{PATH}/v1/accounts", body=body, times=None)
    simulator.misbehave(f"{PATH}/v1/card-accounts", body=of_cards, times=None)
    listed = bank.accounts("c").transactions("a")
    for each in (listed, listed.bankgiro(), bank.cards("c").transactions("a")):
        with pytest.raises(UnreadableResponseError, match="a file to download instead of transactions") as caught:
            assert [transaction async for transaction in each] == []
        assert "signature" not in str(caught.value)
        assert caught.value.status_code == 200
        assert caught.value.path.endswith("_links.download")
    [report] = [each async for each in first_of(listed.pages(), 1)]
    assert "download" in str(report.to_dict())


@pytest.mark.parametrize("lists", [{"booked": [transaction("a")]}, {"pending": [transaction("a")], "booked": []}])
async def test_a_file_beside_transactions_changes_nothing(
    op: AsyncOpenPayments, simulator: Simulator, lists: dict[str, Any]
) -> None:
    simulator.misbehave(PATH, body={"transactions": lists, "_links": {"download": {"href": DOWNLOAD}}}, times=None)
    found = op.at_bank("ESSESESS", SOMEBODY).accounts("c").transactions("a")
    assert len([each async for each in found]) == 1
    assert [each async for each in found.bankgiro()] == []


async def test_an_empty_answer_is_an_empty_list(op: AsyncOpenPayments, simulator: Simulator) -> None:
    bank = op.at_bank("ESSESESS", SOMEBODY)
    simulator.misbehave(PATH, status=204, times=None)
    assert await bank.cards("c").list() == []
    assert await bank.accounts("c").list() == []
    listed = bank.accounts("c").transactions("a")
    assert [each async for each in listed] == []
    assert [each async for each in listed.bankgiro()] == []
    assert [each async for each in listed.pages()] == []
    assert listed.cursor is None
    [answer] = [each async for each in bank.with_raw_response.accounts("c").transactions("a").pages()]
    assert answer.status_code == 204
    assert not answer.parsed


async def test_the_cursor_can_be_shown(op: AsyncOpenPayments) -> None:
    transactions = op.at_bank("ESSESESS", SOMEBODY).with_raw_response.accounts("c").transactions("a")
    assert re.fullmatch("[A-Za-z0-9_-]+", transactions.cursor or "")
