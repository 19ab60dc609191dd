"""The application: routes, what is around them, and what happens to errors."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from openpayments_facade import OpenPaymentsError, request_ids

from .directory import Directory
from .guards import HEADERS, Guards
from .journey import Journey
from .pages.accounts import account_routes
from .pages.approvals import approval_routes
from .pages.banks import bank_routes
from .pages.connections import connection_routes
from .pages.payments import payment_routes
from .sentences import NOTHING, Sentence, say

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from openpayments_facade import AsyncOpenPayments

    from .store import Store

log = logging.getLogger(__name__)


def create_app(
    op: AsyncOpenPayments,
    store: Store,
    *,
    simulated: bool = False,
    patience: float = 180.0,
    hosts: Sequence[str] = ("127.0.0.1", "localhost"),
) -> Starlette:
    """The application.

    Args:
        op: The client, which the application enters when it starts and closes when it ends.
        store: The database.
        simulated: Whether the simulator plays the banks.
        patience: Seconds after which an approval that nobody ends counts as too late.
        hosts: The names under which the application is reached. The address of the callback is made from them.
    """
    journey = Journey(op, store, Directory(op), simulated=simulated, patience=patience)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with op:
            yield

    async def sdk_error(request: Request, error: Exception) -> Response:
        sentence = say(error)
        log.warning("%s %s: %s", request.method, request.url.path, error)
        return journey.problem(request, sentence)

    async def store_error(request: Request, error: Exception) -> Response:
        log.error("%s %s", request.method, request.url.path, exc_info=error)
        return journey.problem(request, say(error))

    async def other_error(request: Request, error: Exception) -> Response:
        # Starlette answers this outside of all middleware; the server logs the traceback
        sentence = replace(say(error), reference=request.state.request_id)
        response = journey.problem(request, sentence)
        response.headers.update(HEADERS | {"X-Request-ID": request.state.request_id})
        return response

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title, text = {
            403: ("Your session has ended", str(error.detail)),
            404: ("There is no such page", "The address is wrong, or what was here is gone."),
        }.get(error.status_code, ("That does not work", str(error.detail)))
        sentence = Sentence(
            title=title,
            text=text,
            advice="Go back to the start.",
            helps=NOTHING,
            status=error.status_code,
            reference=request_ids.current_request_id.get(),
        )
        return journey.problem(request, sentence)

    return Starlette(
        routes=[
            *bank_routes(journey),
            *connection_routes(journey),
            *approval_routes(journey),
            *account_routes(journey),
            *payment_routes(journey),
            Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static"),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)), Middleware(Guards)],
        exception_handlers={
            OpenPaymentsError: sdk_error,
            HTTPException: http_error,
            sqlite3.Error: store_error,
            Exception: other_error,
        },
        lifespan=lifespan,
    )
