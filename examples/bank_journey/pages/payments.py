"""A payment: the form, the review with the bank's warnings, the approval, and what becomes of it."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import (
    Account,
    ConflictError,
    CreatedPayment,
    InvalidArgumentError,
    MonetaryAmount,
    OpenPaymentsError,
    PaymentStatus,
    RequestError,
    money,
    payments,
)

from ..orders import FIELDS, PRODUCTS, FormError, Order, field_of, is_same, order_of, saved
from ..progress import has_begun, progress_of
from ..reading import row_of
from ..rendering import day
from ..sentences import Sentence, say
from ..store import Approval, Connection, SavedAccount, SavedPayment, new_id
from .accounts import opened_by
from .approvals import begin, is_late

if TYPE_CHECKING:
    from starlette.requests import Request

    from openpayments_facade import AsyncBank

    from ..journey import Journey
    from ..reading import Row

log = logging.getLogger(__name__)


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
        form = {name: request.query_params.get(name, "") for name in FIELDS}
        # the payment's id is made before it is sent, so that a form that is sent twice makes one payment
        return show_form(request, session, form | {"id": new_id()}, {})

    async def create(request: Request) -> Response:
        session = journey.owner(request)
        sent = await request.form()
        form = {name: str(sent.get(name, "")).strip() for name in FIELDS}
        form["id"] = str(sent.get("id", "")) or new_id()
        offered = [(name, each) for name, accounts in choices(session) for each in accounts]
        bank_name, account = next((pair for pair in offered if pair[1].id == form["account"]), (None, None))
        payment = None
        try:
            if account is None:
                raise FormError("account", "Choose the account to pay from.")
            order = order_of(form, account)
            payment = kept(session, form["id"], account, order)
            if payment.created is None:
                await _create(journey, request, payment)
        except RequestError as error:
            log.warning("no payment: %s", error)
            if payment is None or not error.may_have_taken_effect:
                return show_form(request, session, form | {"id": new_id()}, {}, say(error, bank_name))
        except FormError as error:
            return show_form(request, session, form, {error.field: str(error)})
        except InvalidArgumentError as error:
            field, text = field_of(error)
            return show_form(request, session, form | {"id": new_id()}, {field: text})
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def create_again(request: Request) -> Response:
        payment = own(request)
        if payment.created is None:
            await _create(journey, request, payment)
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def show(request: Request) -> Response:
        payment, entry, trouble = own(request), None, None
        approval = store.find(Approval, id=payment.approval) if payment.approval else None
        is_approved = approval is not None and approval.outcome == "approved"
        is_open = payment.created is not None and not is_approved and not has_begun(payment)
        if payment.created and not is_open:  # a page without scripts has no other way to learn of it
            payment, entry, trouble = await _look_at(journey, request, payment)
        created = CreatedPayment.from_dict(payment.created) if payment.created else None
        return journey.page(
            request,
            "payment.html",
            payment=payment,
            amount=money(MonetaryAmount.from_dict(payment.sent["order"]["instructedAmount"])),
            account=store.find(SavedAccount, id=payment.account),
            match=created and payments.payee_match(created),
            failed=Sentence(**approval.said) if approval and approval.said else None,
            is_waiting=approval is not None and approval.outcome is None and not is_late(journey, approval),
            approval=approval,
            is_open=is_open,
            progress=progress_of(payment),
            entry=entry,
            trouble=trouble,
        )

    async def state(request: Request) -> Response:
        payment, entry, trouble = await _look_at(journey, request, own(request))
        progress = progress_of(payment)
        return JSONResponse(
            {
                "status": progress.status,
                "title": progress.title,
                "text": progress.text,
                "step": progress.step,
                "over": progress.is_final and (entry is not None or not PaymentStatus(progress.status).is_settled),
                "entry": entry and {"day": day(entry.day), "title": entry.title, "pending": entry.is_pending},
                "trouble": trouble,
            }
        )

    async def approve(request: Request) -> Response:
        payment = own(request)
        if payment.created is None or PaymentStatus(payment.status or "").is_accepted:
            return RedirectResponse(f"/payments/{payment.id}", 303)
        bank, created = journey.bank(request, payment), CreatedPayment.from_dict(payment.created)
        if await _is_approved(bank, created):
            # the user has approved it already: an answer was lost, or the process ended before it was saved
            store.change(payment, status=str(await bank.payments.status(created)))
            return RedirectResponse(f"/payments/{payment.id}", 303)
        try:
            authorisation = await bank.payments.authorise(created, same_device=payment.way == "app")
        except ConflictError:  # it needs no approval any more
            store.change(payment, status=str(await bank.payments.status(created)))
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


async def _create(journey: Journey, request: Request, payment: SavedPayment) -> None:
    """Creates a payment at the bank and saves its id.

    If an answer was lost, one may have been created before. Nobody knows its id, so nobody can approve it: creating
    another one can't pay twice.
    """
    sent = payment.sent
    bank = journey.bank(request, payment)
    try:
        # a form that is sent twice at the same moment meets the key, and creates one payment
        key = f"{payment.id}/{payment.attempt}"
        created = await bank.payments.create(PRODUCTS[sent["product"]].from_dict(sent["order"]), key=key)
    except RequestError as error:
        if error.may_have_taken_effect:
            if error.sent:  # else another request is at it, with the same key
                journey.store.change(payment, attempt=payment.attempt + 1)
        elif payment.attempt == 0:
            journey.store.remove(payment)  # nothing was carried out, now or before
        raise
    except InvalidArgumentError:  # nothing was sent
        journey.store.remove(payment)
        raise
    warnings = [said.text or said.code or "" for said in payments.warnings(created)]
    journey.store.change(
        payment, created=created.to_dict(), warnings=warnings, status=created.transaction_status or "RCVD"
    )


async def _is_approved(bank: AsyncBank, created: CreatedPayment) -> bool:
    """Whether the user has approved a payment already."""
    for id_ in await bank.payments.authorisations(created):
        answer = await bank.payments.sca_status(created, authorisation_id=id_)
        if answer.sca_status in {"finalised", "exempted"}:
            return True
    return False


async def _look_at(
    journey: Journey, request: Request, payment: SavedPayment
) -> tuple[SavedPayment, Row | None, str | None]:
    """The payment as it is now, its entry in the account, and why the bank could not be asked."""
    try:
        return *await _follow(journey, request, payment), None
    except OpenPaymentsError as error:
        return payment, None, say(error, payment.bank_name).title


async def _follow(journey: Journey, request: Request, payment: SavedPayment) -> tuple[SavedPayment, Row | None]:
    """Reads the status once, and looks for the entry once the payment is accepted."""
    if payment.created is None:
        return payment, None
    created = CreatedPayment.from_dict(payment.created)
    status = PaymentStatus(payment.status or "")
    if not status.is_final:
        status = await journey.bank(request, payment).payments.status(created)
        payment = journey.store.change(payment, status=str(status))
    if not status.is_accepted:
        return payment, None
    account = journey.store.find(SavedAccount, id=payment.account)
    connection = journey.store.find(Connection, id=payment.connection)
    if account is None or connection is None or connection.status != "valid":
        return payment, None
    own = Account.from_dict(account.data)
    listed = opened_by(journey, request, connection).transactions(
        own, booking_status="both", date_from=timedelta(days=-2)
    )
    entry = payments.find([each async for each in listed], created)
    return payment, row_of(entry, own) if entry else None
