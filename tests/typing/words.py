"""What type checkers see of errors, settings, the simulator and what lies beside the clients. Never run."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, assert_type

from openpayments_facade import (
    PRODUCTION,
    AccessExceededError,
    Account,
    AnotherSignatureNeededError,
    APIError,
    ApiScope,
    AspspDetails,
    AsyncOpenPayments,
    AuthorisationFailedError,
    BookedTransaction,
    CallbackRejectedError,
    Challenge,
    CreatedPayment,
    Environment,
    InvalidArgumentError,
    MonetaryAmount,
    OpenPayments,
    OpenPaymentsError,
    PendingTransaction,
    PsuContext,
    TokenError,
    TokenEvent,
    TokenStore,
    Transaction,
    amount,
    money,
    request_ids,
    views,
)
from openpayments_facade.errors import TppMessage
from openpayments_facade.simulator import Misbehaviour, Simulator
from openpayments_facade.tokens.stores import FileStore, MemoryStore


def models(account: Account, entry: BookedTransaction | PendingTransaction) -> None:
    assert_type(account.to_dict(), dict[str, Any])
    assert_type(account.to_json(), str)
    assert_type(Account.from_dict({}), Account)
    assert_type(PendingTransaction.from_dict(entry.to_dict()), PendingTransaction)
    stored = Transaction.from_dict(entry.to_dict())
    assert_type(stored, Transaction)
    if isinstance(stored, BookedTransaction):
        assert_type(stored.booking_status, Literal["booked"])
    assert_type(CreatedPayment.from_dict({}), CreatedPayment)
    assert_type(Challenge.from_dict({}), Challenge)
    assert_type(views.amount(entry).to_dict(), dict[str, Any])
    assert_type(views.account_number(account, grouped=True), str | None)


def errors(op: OpenPayments) -> AspspDetails | None:
    try:
        return op.aspsps.get("ESSESESS")
    except AccessExceededError as error:
        assert_type(error.retry_after, float | None)
    except APIError as error:
        assert_type(error.status_code, int)
        assert_type(error.code, str | None)
        assert_type(error.messages, tuple[TppMessage, ...])
        assert_type(error.headers, Mapping[str, str])
        assert_type(error.body, str)
        assert_type(error.request_id, str | None)
    except TokenError as error:
        assert_type(error.description, str | None)
    except CallbackRejectedError as error:
        assert_type(error.code, str | None)
    except AuthorisationFailedError as error:
        assert_type(error.consent_id, str | None)
        assert_type(error.code, str | None)
        assert_type(error.text, str | None)
        assert_type(error.messages, tuple[TppMessage, ...])
        assert_type(error.sca_status, str | None)
        assert_type(error.trying_again_helps, bool | None)
    except AnotherSignatureNeededError as error:
        assert_type(error.authorisation_id, str | None)
    except InvalidArgumentError as error:
        assert_type(error.argument, str)
    except OpenPaymentsError as error:
        assert_type(str(error), str)
    return None


def amounts(one: MonetaryAmount) -> None:
    assert_type(one.amount, str | None)
    assert_type(one.currency, str | None)
    assert_type(money(one), Decimal)
    assert_type(money("1.50"), Decimal)
    assert_type(amount(Decimal("1.50"), "SEK"), MonetaryAmount)
    amount("1.50", "SEK")
    amount(1, "SEK")


def settings(token_store: TokenStore) -> None:
    def note(event: TokenEvent) -> None:
        assert_type(event.expires_at, float | None)
        assert_type(event.error, OpenPaymentsError | None)

    OpenPayments(
        client_id="id",
        client_secret="secret",
        environment=Environment(name="test", auth_url="http://127.0.0.1:1", api_url="http://127.0.0.1:2"),
        api_scopes=[ApiScope.ASPSP_INFORMATION, "accountinformation"],
        psu_context="corporate",
        token_store=token_store,
        on_token_event=note,
    )
    OpenPayments(client_id="id", client_secret="secret", token_store=FileStore("tokens"), psu_context=None)
    OpenPayments(client_id="id", client_secret="secret", token_store=MemoryStore(), environment=PRODUCTION)
    assert_type(PRODUCTION.auth_url, str)
    assert_type(PsuContext("private"), PsuContext)
    assert_type(request_ids.new_request_id(), str)


def simulator() -> None:
    with Simulator(page_size=10) as simulator:
        assert_type(simulator, Simulator)
        assert_type(simulator.client(timeout=5), OpenPayments)
        assert_type(simulator.async_client(), AsyncOpenPayments)
        assert_type(simulator.environment, Environment)
        assert_type(simulator.token_requests, int)
        assert_type(simulator.misbehave(change={"scaStatus": None}, without=["scaMethods"]), Misbehaviour)
