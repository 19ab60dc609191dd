"""While the user approves at the bank: `/approve/{id}`, its state for polling, and `/callback`.

Each request makes the authorisation anew from what was saved, so any process can go on at any step.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from openpayments_facade import (
    AnotherSignatureNeededError,
    Approach,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    CallbackRejectedError,
    Challenge,
    CreatedPayment,
    OpenPaymentsError,
    OutcomeUnknownError,
    PaymentError,
    PaymentStatus,
    ReauthorisationRequiredError,
)

from ..journey import callback_of
from ..progress import moves_nothing
from ..sentences import Sentence, say, undecided
from ..store import Approval, Connection, SavedPayment, new_id

if TYPE_CHECKING:
    from starlette.requests import Request

    from openpayments_facade import AsyncAuthorisation

    from ..journey import Journey


@dataclass(frozen=True)
class Look:
    """What there is to see of an approval.

    Attributes:
        approval: As it was saved last.
        challenge: What to show to the user.
        trouble: Why the bank could not be asked just now; the approval goes on.
        late: Why nobody waits any more. It is not saved: an approval that comes after all counts.
        is_new: Whether it has opened accounts just now: then the session gets another secret (`Journey.renewed`).
    """

    approval: Approval
    challenge: Challenge | None = None
    trouble: Sentence | None = None
    late: Sentence | None = None
    is_new: bool = False


def begin(
    journey: Journey, request: Request, owner: Connection | SavedPayment, authorisation: AsyncAuthorisation[Any]
) -> Approval:
    """Saves an authorisation that was started. With a redirect that is after its link was made: it has the state."""
    link = None
    if authorisation.approach is not Approach.DECOUPLED:
        link = authorisation.redirect_url(redirect_uri=callback_of(request))
    return journey.store.add(
        Approval(
            id=new_id(),
            session=owner.session,
            kind="consent" if isinstance(owner, Connection) else "payment",
            subject=owner.id,
            saved=authorisation.to_dict(),
            link=link and str(link),
            state=link and link.state,
            started=time.time(),
        )
    )


def approval_routes(journey: Journey) -> list[Route]:
    """The routes, for one application."""
    store = journey.store

    def own(request: Request) -> Approval:
        approval = store.find(Approval, id=request.path_params["id"], session=journey.owner(request))
        if approval is None:
            raise HTTPException(404)
        return approval

    async def approve(request: Request) -> Response:
        look = await look_at(journey, request, own(request))
        approval = look.approval
        if approval.outcome == "approved":
            return journey.renewed(request, RedirectResponse(_next(approval), 303), look.is_new)
        owner = owner_of(journey, approval)
        if isinstance(owner, SavedPayment) and PaymentStatus(owner.status or "").is_accepted:
            return RedirectResponse(_next(approval), 303)  # the bank has paid after all
        return journey.page(
            request,
            "approve.html",
            approval=approval,
            owner=owner,
            logo_url=owner.logo if isinstance(owner, Connection) else None,
            back=f"/payments/{owner.id}" if isinstance(owner, SavedPayment) else f"/banks/{owner.bic_fi}",
            sentence=Sentence(**approval.said) if approval.said else look.late,
            **_shown(request, look),
        )

    async def state(request: Request) -> Response:
        look = await look_at(journey, request, own(request))
        outcome = look.approval.outcome
        where = _next(look.approval) if outcome == "approved" else f"/approve/{look.approval.id}"
        is_over = outcome is not None or look.late is not None
        answer = JSONResponse({"over": is_over, "next": where if is_over else None, **_shown(request, look)})
        return journey.renewed(request, answer, look.is_new)

    async def callback(request: Request) -> Response:
        # only the browser that has begun an approval may end it
        state = request.query_params.get("state", "")
        approval = state and store.find(Approval, state=state, session=journey.session(request) or "")
        if not approval:
            return journey.problem(request, say(CallbackRejectedError()))
        if approval.outcome is None:
            authorisation = _resume(journey, request, approval)
            try:
                await authorisation.complete(str(request.url))
            except CallbackRejectedError as error:
                return journey.problem(request, say(error))
            except (ReauthorisationRequiredError, OutcomeUnknownError):
                pass  # the code may have been used before: what comes next asks the bank whether the approval counts
            except AuthorisationFailedError as error:
                # the bank's own reason, if it has one, says more than the callback
                look = await look_at(journey, request, approval)
                if look.approval.outcome is None:
                    await _fail(journey, request, look.approval, error)
        # on to an address without the code
        return RedirectResponse(f"/approve/{approval.id}", 303)

    return [
        Route("/approve/{id}", approve, name="approve"),
        Route("/approve/{id}/state", state, name="approve_state"),
        Route("/callback", callback, name="callback"),
    ]


def owner_of(journey: Journey, approval: Approval) -> Connection | SavedPayment:
    """What is to be approved."""
    where = {"id": approval.subject, "session": approval.session}
    owner: Connection | SavedPayment | None
    if approval.kind == "consent":
        owner = journey.store.find(Connection, **where)
    else:
        owner = journey.store.find(SavedPayment, **where)
    if owner is None:
        raise HTTPException(404)
    return owner


async def look_at(journey: Journey, request: Request, approval: Approval) -> Look:
    """Asks the bank once how far the user has got, and saves what came of it."""
    if approval.outcome:
        return Look(approval)
    try:
        look = await _ask(journey, request, approval)
    except OpenPaymentsError as error:
        look = Look(approval, trouble=say(error, owner_of(journey, approval).bank_name))
    if is_late(journey, look.approval):
        bank_name = owner_of(journey, approval).bank_name
        return Look(approval, late=look.trouble or say(AuthorisationTimeoutError(), bank_name))
    return look


async def _ask(journey: Journey, request: Request, approval: Approval) -> Look:
    authorisation = _resume(journey, request, approval)
    try:
        update = await authorisation.poll()
        if not update.is_over:
            return Look(approval, update.challenge)
        return await _conclude(journey, approval, authorisation)
    except (AuthorisationFailedError, AnotherSignatureNeededError, PaymentError) as error:
        return Look(await _fail(journey, request, approval, error))
    except AuthorisationTimeoutError:
        return Look(approval)  # the bank has not noticed yet that the user has approved


def is_late(journey: Journey, approval: Approval) -> bool:
    """Whether nobody waits for it any more."""
    return approval.outcome is None and time.time() - approval.started > journey.patience


async def _conclude(journey: Journey, approval: Approval, authorisation: AsyncAuthorisation[Any]) -> Look:
    """The user has approved: reads what that has made of the consent or the payment."""
    result = await authorisation.wait(timeout=1)  # not longer, since a browser waits
    store, owner = journey.store, owner_of(journey, approval)
    if isinstance(owner, SavedPayment):
        store.saw(owner, str(result))
        return Look(store.change(approval, outcome="approved"))
    until = result.valid_until
    with store.transaction():
        # not one that was disconnected meanwhile
        is_new = store.change_if(
            owner,
            {"status": ("new", "waiting", "partly", "failed")},
            status="valid",
            saved=authorisation.to_dict(),
            valid_until=until and until.isoformat(),
            note=None,
        )
        # the user has connected this bank before: the bank lets the new consent take the place of the old one
        same = {"session": owner.session, "bic_fi": owner.bic_fi, "user_id": owner.user_id}
        for old in store.all(Connection, **same, status=("valid", "expired")) if is_new else ():
            if old.id != owner.id:
                store.take_over(old, owner)
        return Look(store.change(approval, outcome="approved"), is_new=is_new)


async def _fail(journey: Journey, request: Request, approval: Approval, error: OpenPaymentsError) -> Approval:
    """Saves why it was not approved. Of a payment the bank's status decides, and not how the approval has ended."""
    owner = owner_of(journey, approval)
    said = say(error, owner.bank_name, approved=approval.kind)
    is_partly = isinstance(error, AnotherSignatureNeededError)
    if isinstance(owner, Connection):
        journey.store.change_if(owner, {"status": ("new", "waiting")}, status="partly" if is_partly else "failed")
    else:
        created = CreatedPayment.from_dict(owner.created or {})
        status = await journey.bank(request, owner).payments.status(created)
        journey.store.saw(owner, "PATC" if is_partly else str(status))
        if status.is_accepted:
            return journey.store.change(approval, outcome="approved")
        if not is_partly and not moves_nothing(status):
            said = undecided(said, owner.bank_name)
    # not if another request has found meanwhile that it counts
    journey.store.change_if(approval, {"outcome": None}, outcome="failed", said=said.to_dict())
    return journey.store.find(Approval, id=approval.id) or approval


def _resume(journey: Journey, request: Request, approval: Approval) -> AsyncAuthorisation[Any]:
    bank = journey.bank(request, owner_of(journey, approval))
    return (bank.consents if approval.kind == "consent" else bank.payments).resume(approval.saved)


def _next(approval: Approval) -> str:
    return "/accounts" if approval.kind == "consent" else f"/payments/{approval.subject}"


def _shown(request: Request, look: Look) -> dict[str, Any]:
    """What the page shows of a challenge, all of it safe in a page but `text`, which is to be escaped."""
    challenge, approval = look.challenge, look.approval
    back = str(request.url_for("approve", id=approval.id))
    return {
        "qr": challenge and challenge.qr_svg(),
        "picture": challenge and challenge.qr_image,
        "app": challenge and challenge.app_link(back),
        "text": challenge and challenge.text,
        "trouble": look.trouble and look.trouble.title,
    }
