"""Connecting a bank, and disconnecting it: `POST /consents`, `POST /disconnect`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import ConsentError, InvalidArgumentError, NotFoundError, OpenPaymentsError, RequestError

from ..journey import COOKIE, prefers_redirect, set_cookie, user
from ..sentences import say
from ..store import VALID_FOR, Connection, new_id
from .approvals import begin
from .banks import show_bank

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..journey import Journey

log = logging.getLogger(__name__)
WAYS = ("qr", "app", "browser")


def connection_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""
    op, store = journey.op, journey.store

    async def connect(request: Request) -> Response:
        form = await request.form()
        bic_fi, user_id, way = (str(form.get(name, "")).strip() for name in ("bic_fi", "user_id", "way"))
        details = await journey.directory.bank(bic_fi)
        try:
            psu = user(request, user_id or "?")
        except InvalidArgumentError as error:
            return show_bank(journey, request, details, problem=f"This is no user id: it {_rule(error)}.", way=way)
        if not user_id or way not in WAYS:
            problem = "Enter the id that you have at the bank." if way in WAYS else "Choose a way to approve."
            return show_bank(journey, request, details, problem=problem, user_id=user_id)

        secret = request.cookies.get(COOKIE, "")
        session = store.session_of(secret)
        if session is None:
            secret = store.open_session()
            session = store.session_of(secret) or ""
        name = (details.name or details.bic_fi).strip()
        connection = store.add(
            Connection(
                id=new_id(),
                session=session,
                bic_fi=details.bic_fi,
                bank_name=name,
                logo=details.logo_url,
                user_id=user_id,
                way=way,
            )
        )
        # the form is answered with a redirect, so that loading the page again sends nothing twice
        bank = op.at_bank(details, psu, redirect_preferred=prefers_redirect(way))
        try:
            # a consent whose answer is lost opens nothing, since nobody can approve it: trying again is safe
            consent = await bank.consents.create(valid_until=VALID_FOR)
            connection = store.change(connection, consent_id=consent.consent_id, status="waiting")
            authorisation = await bank.consents.authorise(consent, same_device=way == "app")
        except OpenPaymentsError as error:
            log.warning("no consent at %s: %s", details.bic_fi, error)
            store.change_if(connection, {"status": ("new", "waiting")}, status="failed")
            return journey.problem(request, say(error, name), again=f"/banks/{details.bic_fi}")
        approval = begin(journey, request, connection, authorisation)
        store.change(connection, saved=approval.saved)
        response = RedirectResponse(f"/approve/{approval.id}", 303)
        set_cookie(request, response, secret)
        return response

    async def disconnect(request: Request) -> Response:
        form = await request.form()
        session = journey.owner(request)
        connection = store.find(Connection, id=str(form.get("connection", "")), session=session)
        if connection and connection.consent_id and connection.status not in ("ended", "failed"):
            consents = journey.bank(request, connection).consents
            try:
                await consents.delete(connection.consent_id)
            except (ConsentError, NotFoundError):
                pass  # it is over already
            except RequestError as error:
                if not error.may_have_taken_effect:
                    raise
                if await consents.status(connection.consent_id) == "valid":
                    raise
        if connection:
            with store.transaction():
                store.change(connection, status="ended", note=None)
                store.forget(connection.id)
        return RedirectResponse("/accounts", 303)

    return [
        Route("/consents", connect, methods=["POST"], name="connect"),
        Route("/disconnect", disconnect, methods=["POST"], name="disconnect"),
    ]


def _rule(error: InvalidArgumentError) -> str:
    """What the SDK says about an argument, without the argument's name."""
    return str(error).removeprefix(error.argument).strip()
