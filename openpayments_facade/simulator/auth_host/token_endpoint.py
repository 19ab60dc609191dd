"""`POST /connect/token` on the auth host (documents 000 to 004; RFC 6749)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import OAuthError
from .scopes import check_scope
from .token_form import read_form, required
from .user_grants import authorization_code, refresh_token

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

    from ..state import Provider

__all__ = ["TOKEN_PATH", "token_routes"]

TOKEN_PATH = "/connect/token"  # noqa: S105

Grant = Callable[["Provider", Mapping[str, str], "Headers"], dict[str, Any]]


def token_routes(provider: Provider) -> list[Route]:
    grants: dict[str, Grant] = {"client_credentials": _client_credentials, "authorization_code": authorization_code}
    if provider.refresh_tokens is not None:
        grants["refresh_token"] = refresh_token

    async def token(request: Request) -> Response:
        content = await request.body()
        try:
            form = read_form(request, content)
            grant = grants.get(required(form, "grant_type"))
            if grant is None:
                raise OAuthError("unsupported_grant_type", f"grant_type is one of: {', '.join(grants)}")
            _authenticate(provider, form)
            with provider.lock:
                return JSONResponse(grant(provider, form, request.headers))
        except OAuthError as error:
            return error.response()

    return [Route(TOKEN_PATH, token, methods=["POST"])]


def _client_credentials(provider: Provider, form: Mapping[str, str], _: Headers) -> dict[str, Any]:
    if "scope" not in form:
        # a missing scope has a default or is invalid_scope (RFC 6749, section 3.3); no source mentions a default
        raise OAuthError("invalid_scope", "scope is missing")
    scope = check_scope(provider, form["scope"], require_psu_context=provider.require_psu_context)
    return provider.tokens.issue(scope)


def _authenticate(provider: Provider, form: Mapping[str, str]) -> None:
    # RFC 6749, section 5.2: missing or wrong credentials are invalid_client, with 400 unless they came in the header
    if not provider.application.accepts(form.get("client_id", ""), form.get("client_secret", "")):
        raise OAuthError("invalid_client", "unknown client_id or wrong client_secret")
