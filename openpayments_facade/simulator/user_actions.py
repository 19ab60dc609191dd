"""What a user does outside the API, done at once: by methods of `Simulator`, and by calls of `/simulator/...`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .codes import Approval
from .control import CONTROL_PATH
from .errors import OAuthError
from .scopes import check_scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from .provider import Provider

__all__ = ["issue_code", "user_action_routes"]

_CODE_FIELDS = ("redirect_uri", "consent_id", "payment_id", "authorisation_id", "scope")


def user_action_routes(provider: Provider) -> list[Route]:
    """`POST` of `codes`, with the arguments of `issue_code` as a JSON object; answers 201 `{"code": ...}`."""

    async def codes_endpoint(request: Request) -> Response:
        try:
            code = issue_code(provider, **_fields(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"code": code}, 201)

    return [Route(f"{CONTROL_PATH}/codes", codes_endpoint, methods=["POST"])]


def issue_code(
    provider: Provider,
    *,
    redirect_uri: str | None = None,
    consent_id: str | None = None,
    payment_id: str | None = None,
    authorisation_id: str | None = None,
    scope: str | None = None,
) -> str:
    """The arguments are those of `Simulator.issue_code`. Raises ValueError, which names the argument."""
    if not redirect_uri:
        raise ValueError("redirect_uri is missing")
    if not authorisation_id:
        raise ValueError("authorisation_id is missing")
    if (consent_id is None) == (payment_id is None):
        raise ValueError("either consent_id or payment_id says what the user approved")
    if consent_id is not None:
        approval = Approval("consent", consent_id, authorisation_id)
    else:
        assert payment_id is not None
        approval = Approval("payment", payment_id, authorisation_id)
    if not approval.resource_id:
        raise ValueError(f"{approval.kind}_id is empty")
    asked = scope or {"consent": "accountinformation private", "payment": "paymentinitiation private"}[approval.kind]
    try:
        checked = check_scope(asked, allowed=provider.application.api_scopes, require_psu_context=False)
    except OAuthError as error:
        raise ValueError(f"scope: {error.body['error_description']}") from None
    return provider.codes.issue(approval, redirect_uri=redirect_uri, scope=checked)


def _fields(body: bytes) -> dict[str, str]:
    try:
        fields: Any = json.loads(body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("the body is not a JSON object")
    if unknown := [name for name in fields if name not in _CODE_FIELDS]:
        raise ValueError(f"{', '.join(unknown)} is no field of a code; those are {', '.join(_CODE_FIELDS)}")
    if wrong := [name for name, value in fields.items() if not isinstance(value, str)]:
        raise ValueError(f"{', '.join(wrong)} is not text")
    return fields
