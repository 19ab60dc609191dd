"""A payment: the form, the review with the bank's warnings, the approval, and what becomes of it."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import (
    Account,
    AccountReference,
    ConflictError,
    CreatedPayment,
    DebtorAccountReference,
    DomesticPayment,
    InvalidArgumentError,
    MonetaryAmount,
    OpenPaymentsError,
    PaymentStatus,
    RequestError,
    SepaCreditTransfer,
    amount,
    money,
    payments,
)

from ..progress import progress_of
from ..reading import row_of
from ..rendering import day
from ..sentences import Sentence, say
from ..store import Approval, Connection, SavedAccount, SavedPayment, new_id
from .accounts import opened_by
from .approvals import begin

if TYPE_CHECKING:
    from starlette.requests import Request

    from openpayments_facade import AsyncBank

    from ..journey import Journey
    from ..reading import Row

FIELDS = ("account", "creditor_name", "creditor_iban", "amount", "message", "creditor_agent", "creditor_agent_name")
PRODUCTS: dict[str, type[DomesticPayment | SepaCreditTransfer]] = {
    "domestic": DomesticPayment,
    "sepa-credit-transfers": SepaCreditTransfer,
}
# the SDK names the field of the payment that is wrong: what the form calls it
_PATHS = {
    "payment.creditor_account": "creditor_iban",
    "payment.creditor_agent_name": "creditor_agent_name",
    "payment.creditor_agent": "creditor_agent",
    "payment.creditor_name": "creditor_name",
    "payment.remittance_information_unstructured": "message",
    "payment.instructed_amount": "amount",
    "value": "amount",
}


class FormError(Exception):
    """A field of the form is wrong."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def payment_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""
    store = journey.store

    def choices(session: str) -> list[SavedAccount]:
        """The accounts that a payment may come from."""
        valid = {each.id for each in store.all(Connection, session=session) if each.status == "valid"}
        return [each for each in store.all(SavedAccount, session=session) if each.connection in valid]

    def own(request: Request) -> SavedPayment:
        payment = store.find(SavedPayment, id=request.path_params["id"], session=journey.owner(request))
        if payment is None:
            raise HTTPException(404)
        return payment

    def show_form(
        request: Request, session: str, form: dict[str, str], errors: dict[str, str], status: int = 200
    ) -> Response:
        return journey.page(
            request, "payment_form.html", status=status, form=form, errors=errors, accounts=choices(session)
        )

    async def new(request: Request) -> Response:
        session = journey.owner(request)
        form = {name: request.query_params.get(name, "") for name in FIELDS}
        # the payment's id is made before it is sent, so that a form that is sent twice makes one payment
        return show_form(request, session, form | {"id": new_id()}, {})

    async def create(request: Request) -> Response:
        session = journey.owner(request)
        sent = await request.form()
        form = {name: str(sent.get(name, "")).strip() for name in (*FIELDS, "id")}
        account = next((each for each in choices(session) if each.id == form["account"]), None)
        try:
            if account is None:
                raise FormError("account", "Choose the account to pay from.")
            order = _order(form, account)
            connection = store.find(Connection, id=account.connection, session=session)
            assert connection is not None
            payment = store.add(_saved(form["id"] or new_id(), connection, account, order))
            payment = store.find(SavedPayment, id=payment.id, session=session) or payment
            if payment.created is None:
                try:
                    await _create(journey, request, payment)
                except InvalidArgumentError:  # nothing was sent
                    store.remove(payment)
                    raise
        except FormError as error:
            return show_form(request, session, form, {error.field: str(error)}, 422)
        except InvalidArgumentError as error:
            field, text = _field_of(error)
            if field is None:
                raise
            return show_form(request, session, form | {"id": new_id()}, {field: text}, 422)
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def create_again(request: Request) -> Response:
        payment = own(request)
        if payment.created is None:
            await _create(journey, request, payment)
        return RedirectResponse(f"/payments/{payment.id}", 303)

    async def show(request: Request) -> Response:
        payment = own(request)
        approval = store.find(Approval, id=payment.approval) if payment.approval else None
        created = CreatedPayment.from_dict(payment.created) if payment.created else None
        return journey.page(
            request,
            "payment.html",
            payment=payment,
            amount=money(MonetaryAmount.from_dict(payment.sent["order"]["instructedAmount"])),
            account=store.find(SavedAccount, id=payment.account),
            match=created and payments.payee_match(created),
            failed=Sentence(**approval.said) if approval and approval.said else None,
            is_waiting=approval is not None and approval.outcome is None,
            approval=approval,
            progress=progress_of(payment),
        )

    async def state(request: Request) -> Response:
        payment = own(request)
        trouble = None
        try:
            payment, entry = await _follow(journey, request, payment)
        except OpenPaymentsError as error:
            entry, trouble = None, say(error, payment.bank_name).title
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
        if payment.approval is None and await _is_approved(bank, created):
            # an approval was begun, and the process ended before it was saved; the user has approved it all the same
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


def _order(form: dict[str, str], account: SavedAccount) -> DomesticPayment | SepaCreditTransfer:
    """The payment that a form describes. The SDK checks it before it is sent."""
    for field, text in (
        ("creditor_name", "Enter the name of the payee."),
        ("creditor_iban", "Enter the account of the payee."),
        ("amount", "Enter an amount, such as 125.50."),
    ):
        if not form[field]:
            raise FormError(field, text)
    own = Account.from_dict(account.data)
    debtor = (
        DebtorAccountReference(iban=own.iban)
        if own.iban
        else DebtorAccountReference(bban=own.bban, clearing_number=own.clearing_number)
    )
    common: dict[str, Any] = {
        "instructed_amount": amount(form["amount"].replace(" ", "").replace(",", "."), account.currency),
        "debtor_account": debtor,
        "creditor_account": AccountReference(iban=form["creditor_iban"].replace(" ", "").upper()),
        "creditor_name": form["creditor_name"],
        "remittance_information_unstructured": form["message"] or None,
        # ours: it is saved with the order, and finds the entry if the bank's answer is lost
        "end_to_end_identification": _new_reference(),
    }
    if account.currency != "EUR":
        return DomesticPayment(**common)
    for field, text in (
        ("creditor_agent", "Enter the BIC of the payee's bank."),
        ("creditor_agent_name", "Enter the name of the payee's bank."),
    ):
        if not form[field]:
            raise FormError(field, text)
    return SepaCreditTransfer(
        **common, creditor_agent=form["creditor_agent"].upper(), creditor_agent_name=form["creditor_agent_name"]
    )


def _new_reference() -> str:
    """A name for a payment that people can read out: no letter in it looks like a digit."""
    return "BJ" + "".join(secrets.choice("ACDEFHJKLMNPRTUVWXY3479") for _ in range(12))


def _saved(
    id_: str, connection: Connection, account: SavedAccount, order: DomesticPayment | SepaCreditTransfer
) -> SavedPayment:
    product = "domestic" if isinstance(order, DomesticPayment) else "sepa-credit-transfers"
    return SavedPayment(
        id=id_,
        session=connection.session,
        connection=connection.id,
        account=account.id,
        bic_fi=connection.bic_fi,
        bank_name=connection.bank_name,
        user_id=connection.user_id,
        way=connection.way,
        sent={"product": product, "order": order.to_dict()},
        started=datetime.now(UTC).isoformat(),
    )


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
            journey.store.change(payment, attempt=payment.attempt + 1)
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


def _field_of(error: InvalidArgumentError) -> tuple[str | None, str]:
    """The field of the form that an error is about, and a sentence."""
    said = str(error)
    for path, field in _PATHS.items():
        if said.startswith(path):
            rest = said.partition(" ")[2]
            return field, f"This {rest}."
    return None, said
