"""A payment: the form, the review with the bank's warnings, the approval, and what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import (
    Account,
    ConflictError,
    ConsentError,
    ConsentExpiredError,
    CreatedPayment,
    InvalidArgumentError,
    MonetaryAmount,
    OpenPaymentsError,
    PaymentStatus,
    RequestError,
    money,
    payments,
)

from ..orders import FIELDS, PRODUCTS, Order, field_of, form_of, is_same, missing, order_of, saved
from ..progress import has_begun, moves_nothing, progress_of
from ..reading import row_of
from ..rendering import day
from ..sentences import CONNECT, Sentence, say, undecided
from ..store import Approval, Connection, SavedAccount, SavedPayment, new_id
from .accounts import mark, opened_by
from .approvals import begin, is_late

if TYPE_CHECKING:
    from starlette.requests import Request

    from openpayments_facade import AsyncBank

    from ..journey import Journey
    from ..reading import Row

log = logging.getLogger(__name__)
LONGEST = 120.0
"""Seconds after which a request that has sent a payment is dead: more than the client's `total_timeout`."""
PAUSE = 0.5
"""Seconds between two looks at whether another request has got its answer."""
UNSEEN = "The payment is not affected. To see its entry in the account, connect again."
"""What ends with a connection, once the bank has accepted a payment."""


@dataclass(frozen=True)
class Look:
    """What there is to see of a payment.

    Attributes:
        payment: As it is now.
        entry: Its entry in the account.
        trouble: Why the bank could not be asked.
        connect: Where the user connects again, if that helps.
    """

    payment: SavedPayment
    entry: Row | None = None
    trouble: str | None = None
    connect: str | None = None


def payment_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""
    store = journey.store

    def choices(session: str) -> list[tuple[str, list[SavedAccount]]]:
        """The accounts that a payment may come from, by bank."""
        connections = store.all(Connection, session=session, status="valid")
        return [(each.bank_name, store.all(SavedAccount, connection=each.id)) for each in connections]

    def own(request: Request) -> SavedPayment:
        payment = store.find(SavedPayment, id=request.path_params["id"], session=journey.owner(request))
        if payment is None:
            raise HTTPException(404)
        return payment

    def show_form(
        request: Request,
        session: str,
        form: dict[str, str],
        errors: dict[str, str],
        problem: Sentence | None = None,
    ) -> Response:
        """The form, with what was typed before, and with what is wrong: at the fields, or as a whole."""
        status = 422 if errors else problem.status if problem else 200
        return journey.page(
            request,
            "payment_form.html",
            status=status,
            form=form,
            errors=errors,
            problem=problem,
            banks=choices(session),
        )

    def kept(session: str, id_: str, account: SavedAccount, order: Order) -> SavedPayment:
        """Saves the order before it is sent. Sending a form twice makes one; a changed form makes another."""
        connection = store.find(Connection, id=account.connection, session=session)
        assert connection is not None
        store.add(saved(id_, connection, account, order))
        payment = store.find(SavedPayment, id=id_, session=session)
        if payment is None or not is_same(payment, order):
            return store.add(saved(new_id(), connection, account, order))
        return payment

    async def new(request: Request) -> Response:
        session = journey.owner(request)
        # a payment that is changed is another one; nobody approves the first. No name or number is in an address
        changed = store.find(SavedPayment, id=request.query_params.get("change"), session=session)
        form = form_of(changed) if changed else {name: request.query_params.get(name, "") for name in FIELDS}
        # the payment's id is made before it is sent, so that a form that is sent twice makes one payment
        return show_form(request, session, form | {"id": new_id()}, {})

    async def create(request: Request) -> Response:
        session = journey.owner(request)
        sent = await request.form()
        form = {name: str(sent.get(name, "")).strip() for name in FIELDS}
        form["id"] = str(sent.get("id", "")) or new_id()
        offered = [(name, each) for name, accounts in choices(session) for each in accounts]
        bank_name, account = next((pair for pair in offered if pair[1].id == form["account"]), (None, None))
        errors, payment = missing(form, account), None
        if account is None or errors:
            return show_form(request, session, form, errors)
        try:
            order = order_of(form, account)
            payment = kept(session, form["id"], account, order)
            while payment.created is None and not await _create(journey, request, payment):
                await asyncio.sleep(PAUSE)
                payment = kept(session, form["id"], account, order)
        except RequestError as error:
            log.warning("no payment: %s", error)
            if payment is None or not error.may_have_taken_effect:
                return show_form(request, session, form | {"id": new_id()}, {}, say(error, bank_name))
        except InvalidArgumentError as error:
            field, text = field_of(error)
            return show_form(request, session, form | {"id": new_id()}, {field: text})
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def create_again(request: Request) -> Response:
        payment = own(request)
        while payment.created is None and not await _create(journey, request, payment):
            await asyncio.sleep(PAUSE)
            payment = own(request)
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def show(request: Request) -> Response:
        payment = own(request)
        look = Look(payment)
        approval = store.find(Approval, id=payment.approval) if payment.approval else None
        is_approved = approval is not None and approval.outcome == "approved"
        if payment.approval or has_begun(payment):
            # the user may have approved after we stopped waiting; and a page without scripts looks in no other way
            look = await _look_at(journey, request, payment)
            payment = look.payment
        is_open = payment.created is not None and not is_approved and not has_begun(payment)
        created = CreatedPayment.from_dict(payment.created) if payment.created else None
        failed = Sentence(**approval.said) if approval and approval.said else None
        if failed and not moves_nothing(payment.status):
            failed = undecided(failed, payment.bank_name)
        return journey.page(
            request,
            "payment.html",
            payment=payment,
            amount=money(MonetaryAmount.from_dict(payment.sent["order"]["instructedAmount"])),
            account=store.find(SavedAccount, id=payment.account),
            match=created and payments.payee_match(created),
            failed=failed,
            is_waiting=approval is not None and approval.outcome is None and not is_late(journey, approval),
            approval=approval,
            is_open=is_open,
            is_being_sent=is_being_sent(payment),
            progress=progress_of(payment),
            look=look,
        )

    async def state(request: Request) -> Response:
        look = await _look_at(journey, request, own(request))
        progress, entry = progress_of(look.payment), look.entry
        # nothing more comes of asking again
        is_seen = entry is not None or look.connect is not None or not PaymentStatus(progress.status).is_settled
        return JSONResponse(
            {
                "status": progress.status,
                "title": progress.title,
                "text": progress.text,
                "step": progress.step,
                "over": progress.is_final and is_seen,
                "entry": entry and {"day": day(entry.day), "title": entry.title, "pending": entry.is_pending},
                "trouble": look.trouble,
                "connect": look.connect,
            }
        )

    async def approve(request: Request) -> Response:
        payment = own(request)
        is_approved = store.find(Approval, subject=payment.id, session=payment.session, outcome="approved") is not None
        if payment.created is None or is_approved or PaymentStatus(payment.status or "").is_accepted:
            return RedirectResponse(f"/payments/{payment.id}", 303)
        bank, created = journey.bank(request, payment), CreatedPayment.from_dict(payment.created)
        if await _is_approved(bank, created):
            # the user has approved it already: an answer was lost, or the process ended before it was saved
            store.saw(payment, str(await bank.payments.status(created)))
            return RedirectResponse(f"/payments/{payment.id}", 303)
        try:
            authorisation = await bank.payments.authorise(created, same_device=payment.way == "app")
        except ConflictError:  # it needs no approval any more
            store.saw(payment, str(await bank.payments.status(created)))
            return RedirectResponse(f"/payments/{payment.id}", 303)
        approval = begin(journey, request, payment, authorisation)
        store.change(payment, approval=approval.id)
        return RedirectResponse(f"/approve/{approval.id}", 303)

    return [
        Route("/payments/new", new, name="payment_form"),
        Route("/payments/new", create, methods=["POST"], name="payment_create"),
        Route("/payments/{id}", show, name="payment"),
        Route("/payments/{id}/state", state, name="payment_state"),
        Route("/payments/{id}/create", create_again, methods=["POST"], name="payment_create_again"),
        Route("/payments/{id}/approve", approve, methods=["POST"], name="payment_approve"),
    ]


async def _create(journey: Journey, request: Request, payment: SavedPayment) -> bool:
    """Creates a payment at the bank and saves its id. Returns False if another request is at it.

    A form may be sent twice at once, to two processes. So a request claims the row before it sends anything, and saves
    what it gets only if nobody else has claimed it since. If an answer was lost, a payment may have been created that
    is not the one saved. Nobody knows its id, so nobody can approve it: creating another one can't pay twice.
    """
    store, sent, mine = journey.store, payment.sent, payment.attempt + 1
    still = {"created": None, "attempt": payment.attempt}
    if is_being_sent(payment) or not store.change_if(payment, still, attempt=mine, sending_since=time.time()):
        return False
    still = {"created": None, "attempt": mine}
    try:
        created = await journey.bank(request, payment).payments.create(
            PRODUCTS[sent["product"]].from_dict(sent["order"])
        )
    except OpenPaymentsError as error:
        if isinstance(error, RequestError) and error.may_have_taken_effect:
            store.change_if(payment, still, sending_since=None, lost=error.request_id)
        elif payment.attempt:  # an answer was lost before
            store.change_if(payment, still, sending_since=None)
        else:
            store.remove_if(payment, still)  # nothing was carried out
        raise
    warnings = [said.text or said.code or "" for said in payments.warnings(created)]
    status = created.transaction_status or "RCVD"
    store.change_if(payment, still, created=created.to_dict(), warnings=warnings, status=status, sending_since=None)
    return True


def is_being_sent(payment: SavedPayment) -> bool:
    """Whether a request waits for the bank to create it."""
    return payment.sending_since is not None and time.time() - payment.sending_since < LONGEST


async def _is_approved(bank: AsyncBank, created: CreatedPayment) -> bool:
    """Whether the user has approved a payment already."""
    for id_ in await bank.payments.authorisations(created):
        answer = await bank.payments.sca_status(created, authorisation_id=id_)
        if answer.sca_status in {"finalised", "exempted"}:
            return True
    return False


async def _look_at(journey: Journey, request: Request, payment: SavedPayment) -> Look:
    """Reads the status once, and looks for the entry once the payment is accepted."""
    if payment.created is None:
        return Look(payment)
    created = CreatedPayment.from_dict(payment.created)
    status = PaymentStatus(payment.status or "")
    try:
        if not status.is_final:
            status = await journey.bank(request, payment).payments.status(created)
            payment = journey.store.saw(payment, str(status))
        return Look(payment, await _entry(journey, request, payment, created) if status.is_accepted else None)
    except OpenPaymentsError as error:
        said = say(error, payment.bank_name)
        if said.helps == CONNECT and status.is_accepted:
            return Look(payment, trouble=UNSEEN, connect=f"/banks/{payment.bic_fi}")
        return Look(payment, trouble=f"{said.title}.")


async def _entry(journey: Journey, request: Request, payment: SavedPayment, created: CreatedPayment) -> Row | None:
    """The payment's entry in the account.

    Raises:
        ConsentError: The account can't be seen any more.
    """
    account = journey.store.find(SavedAccount, id=payment.account)
    connection = journey.store.find(Connection, id=payment.connection, status="valid")
    if account is None or connection is None:
        raise ConsentExpiredError
    own = Account.from_dict(account.data)
    listed = opened_by(journey.bank(request, connection), connection).transactions(
        own, booking_status="both", date_from=timedelta(days=-2)
    )
    try:
        entry = payments.find([each async for each in listed], created)
    except ConsentError as error:
        await mark(journey.bank(request, connection), journey.store, connection, error)
        raise
    return row_of(entry, own) if entry else None
