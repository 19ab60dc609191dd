"""`/simulator/...` on both hosts: the methods of `Simulator`, for other processes. The provider has nothing like it.

A POST needs `Content-Type: application/json`, even without a body: a web page can't send that unasked.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Fault, Faults
from .user_actions import approve, complete, decline, expire, issue_code, reject, revoke, revoke_tokens, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from .journal import Journal
    from .state import Provider

__all__ = ["CONTROL_PATH", "control_routes"]

CONTROL_PATH = "/simulator"
_CODE_FIELDS = ("redirect_uri", "consent_id", "payment_id", "authorisation_id", "scope")


def control_routes(provider: Provider, faults: Faults, journal: Journal) -> list[Route]:
    """The routes below `CONTROL_PATH`. Unless stated otherwise, the answer is an empty 204.

    - `POST faults` adds a fault, with the fields of `Fault`; 400 if they are wrong. `DELETE faults` removes all.
    - `GET requests` returns the journal. `DELETE requests` empties it.
    - `GET consents`, `GET payments`, `GET signing-baskets` and `GET fx-quotes` return all that there are.
    - `POST consents/{id}/approve` and `/decline` take the id of a consent or of an authorisation, `/expire` and
      `/revoke` that of a consent; 404 if there is none, 409 if its status does not allow it.
    - `POST payments/{id}/approve` and `/decline` take the id of a payment, of an authorisation or of one of its
      cancellation, `/reject` and `/settle` that of a payment.
    - `POST signing-baskets/{id}/approve` and `/decline` take the id of a basket or of an authorisation.
    - `POST kyc/{id}/complete` takes the id of an organisation.
    - `POST codes` takes the arguments of `Simulator.issue_code`; 201 `{"code": ...}`, 400 if they are wrong.
    - `POST tokens/revoke` revokes all tokens.
    """

    async def faults_endpoint(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
        else:
            try:
                faults.add(Fault.from_json(_read_json(await request.body())))
            except ValueError as error:
                return _refuse(400, error)
        return Response(status_code=204)

    async def requests_endpoint(request: Request) -> Response:
        if request.method == "DELETE":
            journal.clear()
            return Response(status_code=204)
        return JSONResponse(
            {"requests": [asdict(entry) for entry in journal.requests], "token_requests": journal.token_requests}
        )

    def views_endpoint(name: str, views: Callable[[], Sequence[Any]]) -> Route:
        async def endpoint(_: Request) -> Response:
            with provider.lock:
                found = [asdict(view) for view in views()]
            content = json.dumps({name.replace("-", "_"): found}, ensure_ascii=False, default=str)
            return Response(content, media_type="application/json")

        return Route(f"{CONTROL_PATH}/{name}", endpoint, methods=["GET"])

    def action_endpoint(name: str, action: Callable[[Provider, str], None]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                action(provider, str(request.path_params["id"]))
            except LookupError as error:
                return _refuse(404, error)
            except ValueError as error:
                return _refuse(409, error)
            return Response(status_code=204)

        return Route(f"{CONTROL_PATH}/{name}/{{id}}/{action.__name__}", endpoint, methods=["POST"])

    async def codes_endpoint(request: Request) -> Response:
        try:
            code = issue_code(provider, **_code_fields(_read_json(await request.body())))
        except ValueError as error:
            return _refuse(400, error)
        return JSONResponse({"code": code}, 201)

    async def tokens_endpoint(_: Request) -> Response:
        revoke_tokens(provider)
        return Response(status_code=204)

    return [
        Route(f"{CONTROL_PATH}/faults", faults_endpoint, methods=["POST", "DELETE"]),
        Route(f"{CONTROL_PATH}/requests", requests_endpoint, methods=["GET", "DELETE"]),
        views_endpoint("consents", provider.consents.views),
        views_endpoint("payments", provider.payments.views),
        views_endpoint("signing-baskets", provider.signing_baskets.views),
        views_endpoint("fx-quotes", provider.fx_quotes.views),
        *(action_endpoint("consents", action) for action in (approve, decline, expire, revoke)),
        *(action_endpoint("payments", action) for action in (approve, decline, reject, settle)),
        *(action_endpoint("signing-baskets", action) for action in (approve, decline)),
        action_endpoint("kyc", complete),
        Route(f"{CONTROL_PATH}/codes", codes_endpoint, methods=["POST"]),
        Route(f"{CONTROL_PATH}/tokens/revoke", tokens_endpoint, methods=["POST"]),
    ]


def _refuse(status: int, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error.args[0])}, status)


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None


def _code_fields(fields: Any) -> dict[str, str]:
    if not isinstance(fields, dict):
        raise ValueError("the body is not a JSON object")
    if unknown := [name for name in fields if name not in _CODE_FIELDS]:
        raise ValueError(f"unknown field: {', '.join(unknown)}; the fields of a code are {', '.join(_CODE_FIELDS)}")
    if wrong := [name for name, value in fields.items() if not isinstance(value, str)]:
        raise ValueError(f"{', '.join(wrong)} must be a string")
    return fields
