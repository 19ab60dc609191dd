"""The provider's two hosts as ASGI applications: routing, faults, journal, common headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from .api_host.account_information import account_information_routes
from .api_host.aspsp_information import aspsp_information_routes
from .api_host.card_accounts import card_account_routes
from .api_host.consent import consent_routes
from .api_host.errors import ApiError
from .api_host.fx_quotes import fx_quote_routes
from .api_host.kyc import kyc_routes
from .api_host.payment_initiation import payment_initiation_routes
from .api_host.signing_baskets import signing_basket_routes
from .auth_host.authorise_page import authorise_routes
from .auth_host.errors import OAuthError
from .auth_host.kyc_page import kyc_page_routes
from .auth_host.token_endpoint import TOKEN_PATH, token_routes
from .control import CONTROL_PATH, control_routes
from .door import BodyTooLong, read_body, refusal, turn_away
from .request_ids import NO_REQUEST_ID, REQUEST_ID, request_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

    from .faults import Faults
    from .journal import Host, Journal
    from .state import Provider

__all__ = ["Hosts", "Wire"]


class Wire(Protocol):
    """What a host can do to its connections beyond ASGI."""

    async def pause(self, seconds: float) -> None: ...
    async def hang_up(self, scope: Scope, receive: Receive) -> None: ...


class Hosts:
    def __init__(self, provider: Provider, faults: Faults, journal: Journal) -> None:
        self._faults = faults
        self._journal = journal
        self._control = _application(control_routes(provider, faults, journal), _refuse_control_call)
        self._applications = {
            "auth": _application(
                [*token_routes(provider), *authorise_routes(provider), *kyc_page_routes(provider)], _refuse_auth_call
            ),
            "api": _application(
                [
                    *aspsp_information_routes(provider),
                    *consent_routes(provider),
                    *account_information_routes(provider),
                    *card_account_routes(provider),
                    *payment_initiation_routes(provider),
                    *signing_basket_routes(provider),
                    *fx_quote_routes(provider),
                    *kyc_routes(provider),
                ],
                _refuse_api_call,
            ),
        }

    async def __call__(self, host: Host, wire: Wire, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        control = scope["path"].startswith(CONTROL_PATH + "/")
        refusal = turn_away(request, control=control)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        try:
            if control:
                await _send(await _ask(self._control, scope, await read_body(request)), send)
            else:
                await self._play(host, wire, request, send)
        except ClientDisconnect:
            return
        except BodyTooLong as error:
            await error.response()(scope, receive, send)

    async def _play(self, host: Host, wire: Wire, request: Request, send: Send) -> None:
        scope, receive = request.scope, request.receive
        entry = self._journal.begin(request, host)
        fault = self._faults.take(request.method, scope["path"])
        try:
            body = await read_body(request)
        except BodyTooLong:
            entry.status = 413
            raise
        if fault is not None and fault.delay:
            await wire.pause(fault.delay)
        lost = fault is not None and fault.close and fault.truncate is None
        if fault is None or fault.carries_out:
            response = await _ask(self._applications[host], scope, body)
        if lost:
            await wire.hang_up(scope, receive)
            return
        if fault is not None and fault.answers:
            response = fault.answer(host)
        request_id = request_id_of(request.headers)
        if host == "api":
            # required in every answer of this host, even if the request had none
            response.headers[REQUEST_ID] = request_id or NO_REQUEST_ID
        else:
            if request_id is not None:
                response.headers[REQUEST_ID] = request_id
            # RFC 6749, section 5.1
            response.headers["Cache-Control"] = "no-store"
        if fault is not None:
            fault.spoil(response)
        entry.status = response.status_code
        await _send(response, send, cut=fault.truncate if fault is not None and fault.close else None)
        if fault is not None and fault.close:
            await wire.hang_up(scope, receive)


def _application(routes: list[Route], refuse: Callable[[str | None], Response]) -> Starlette:
    """`refuse` answers requests without a route. It gets the methods of the path, or None if there is no such path."""

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refuse(_allowed_methods(request) if error.status_code == 405 else None)

    application = Starlette(routes=routes, exception_handlers={HTTPException: answer})
    application.router.redirect_slashes = False
    return application


def _refuse_api_call(allowed: str | None) -> Response:
    if allowed is None:
        text = "the simulator plays nothing at this path, and neither ISO payments nor premium services"
        return ApiError(404, "RESOURCE_UNKNOWN", text).response()
    return ApiError(405, "SERVICE_INVALID", f"only {allowed}", headers={"Allow": allowed}).response()


def _refuse_auth_call(allowed: str | None) -> Response:
    if allowed is None:
        return refusal(f"nothing is at this path; tokens are at {TOKEN_PATH}", 404)
    return OAuthError("invalid_request", f"only {allowed}", status=405, headers={"Allow": allowed}).response()


def _refuse_control_call(allowed: str | None) -> Response:
    if allowed is None:
        return refusal("nothing is at this path of the simulator", 404)
    return refusal(f"only {allowed}", 405, {"Allow": allowed})


def _allowed_methods(request: Request) -> str:
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in routes for method in route.methods}))


async def _ask(application: Starlette, scope: Scope, body: bytes) -> Response:
    """The application's answer as an object, so that a fault can change it."""
    response = Response()
    chunks: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            response.status_code = message["status"]
            response.raw_headers = MutableHeaders(raw=list(message["headers"])).raw
        else:
            chunks.append(message.get("body", b""))

    await application(scope, receive, collect)
    response.body = b"".join(chunks)
    return response


async def _send(response: Response, send: Send, *, cut: int | None = None) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": bytes(response.body)[:cut], "more_body": cut is not None})
