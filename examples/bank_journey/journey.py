"""What all pages share: the client, the database, who the user is, and how a page is made."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from openpayments_facade import Psu

from . import rendering
from .store import VALID_FOR

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from openpayments_facade import AsyncBank, AsyncOpenPayments

    from .directory import Directory
    from .sentences import Sentence
    from .store import Connection, SavedPayment, Store

COOKIE = "bank_journey"


@dataclass(frozen=True)
class Journey:
    """What the pages are made with.

    Attributes:
        op: The one client of the process. It shares connections and tokens among all requests.
        store: The database.
        directory: Countries and banks, kept for a while.
        simulated: Whether the simulator plays the banks; then a page offers its users.
        patience: Seconds after which an approval that nobody ends counts as too late.
    """

    op: AsyncOpenPayments
    store: Store
    directory: Directory
    simulated: bool = False
    patience: float = 180.0

    def session(self, request: Request) -> str | None:
        """The session of a request; None before the first form was sent."""
        return self.store.session_of(request.cookies.get(COOKIE, ""))

    def owner(self, request: Request) -> str:
        """The session of a request that can't do without one.

        Raises:
            HTTPException: There is none.
        """
        session = self.session(request)
        if session is None:
            raise HTTPException(403, "It is too old, or was begun in another browser.")
        return session

    def bank(self, request: Request, owner: Connection | SavedPayment) -> AsyncBank:
        """The bank of a connection or a payment, for the user who sits in front of the screen."""
        psu = user(request, owner.user_id)
        return self.op.at_bank(owner.bic_fi, psu, redirect_preferred=prefers_redirect(owner.way))

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        **context: Any,
    ) -> Response:
        """A page from a template."""
        try:
            has_session = self.session(request) is not None
        except sqlite3.Error:  # a page may be about just that
            has_session = False
        context |= {"simulated": self.simulated, "has_session": has_session}
        return rendering.TEMPLATES.TemplateResponse(request, template, context, status_code=status)

    def renewed(self, request: Request, response: Response, is_new: bool) -> Response:
        """Gives the session another secret if it has got accounts just now: whoever planted the old one sees none."""
        session = self.session(request) if is_new else None
        if session:
            set_cookie(request, response, self.store.open_session(session))
        return response

    def problem(self, request: Request, sentence: Sentence, *, connect: str = "/", again: str = "") -> Response:
        """A page that has nothing but a sentence about what went wrong.

        Args:
            request: The request that is answered.
            sentence: What to say.
            connect: Where a user connects again, if that helps.
            again: Where a user tries again, if that helps; by default the same page, unless it was a form.
        """
        if not again and request.method == "GET":
            again = f"{request.url.path}?{request.url.query}".rstrip("?")
        return self.page(
            request, "problem.html", status=sentence.status, sentence=sentence, connect=connect, again=again
        )


def user(request: Request, user_id: str) -> Psu:
    """The user who sent a request: their id at the bank, their address and their browser.

    Behind a proxy `request.client` has to be the user and not the proxy: see uvicorn's `--forwarded-allow-ips`.

    Raises:
        InvalidArgumentError: The id can't be one.
    """
    address = request.client.host if request.client else ""
    return Psu.from_headers(request.headers, client_ip=address, id=user_id)


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Hands a session's secret to the browser, for as long as what it opens."""
    seconds, is_secure = int(VALID_FOR.total_seconds()), request.url.scheme == "https"
    response.set_cookie(COOKIE, secret, max_age=seconds, httponly=True, samesite="lax", secure=is_secure)


def prefers_redirect(way: str) -> bool:
    """The redirect preference of a way to approve. It has to stay the same for the life of a consent or payment."""
    return way == "browser"


def callback_of(request: Request) -> str:
    """The redirect URI: to be whitelisted for the application."""
    return str(request.url_for("callback"))
