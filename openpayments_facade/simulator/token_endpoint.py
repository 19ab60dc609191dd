"""`POST /connect/token` on the auth host (facts 10-auth, section 1; RFC 6749)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import OAuthError
from .request_ids import REQUEST_ID, request_id_of
from .scopes import check_scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from .provider import Provider

__all__ = ["TOKEN_PATH", "token_routes"]

TOKEN_PATH = "/connect/token"  # noqa: S105
_FORM = "application/x-www-form-urlencoded"


def token_routes(provider: Provider) -> list[Route]:
    async def token(request: Request) -> Response:
        form = _read_form(request, await request.body())
        grant = _GRANTS.get(_required(form, "grant_type"))
        if grant is None:
            raise OAuthError("unsupported_grant_type", f"grant_type is one of: {', '.join(_GRANTS)}")
        _authenticate(provider, form)
        return JSONResponse(grant(provider, form))

    return [Route(TOKEN_PATH, token, methods=["POST"])]


def _client_credentials(provider: Provider, form: Mapping[str, str]) -> dict[str, Any]:
    if "scope" not in form:
        # a scope left out has a default or is invalid_scope (RFC 6749, section 3.3); no source knows of a default
        raise OAuthError("invalid_scope", "scope is missing")
    scope = check_scope(
        form["scope"], allowed=provider.application.api_scopes, require_psu_context=provider.require_psu_context
    )
    return {
        "access_token": provider.tokens.issue(scope),
        "expires_in": provider.tokens.lifetime,
        "token_type": "Bearer",
        "scope": scope,
    }


_GRANTS: dict[str, Callable[[Provider, Mapping[str, str]], dict[str, Any]]] = {
    "client_credentials": _client_credentials,
}


def _read_form(request: Request, body: bytes) -> dict[str, str]:
    """The form's fields. One without a value counts as absent, a repeated one is refused (RFC 6749, section 3.2)."""
    if request.headers.get(REQUEST_ID) is not None and request_id_of(request.headers) is None:
        raise OAuthError("invalid_request", f"{REQUEST_ID} is not a UUID")
    if "authorization" in request.headers:
        # whoever tried a scheme of the Authorization header is told so by a 401 (RFC 6749, section 5.2)
        raise OAuthError(
            "invalid_client",
            "client_id and client_secret belong in the form, not in the Authorization header",
            status=401,
            headers={"WWW-Authenticate": "Basic"},
        )
    if request.query_params:
        raise OAuthError("invalid_request", "parameters belong in the form, never in the URL (RFC 6749, section 2.3.1)")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"Content-Type is not {_FORM}")
    try:
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=100)
    except ValueError:
        raise OAuthError("invalid_request", "the body is not a form") from None
    if repeated := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
        raise OAuthError("invalid_request", f"sent more than once: {', '.join(sorted(repeated))}")
    return dict(pairs)


def _required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]


def _authenticate(provider: Provider, form: Mapping[str, str]) -> None:
    # RFC 6749, section 5.2: absent or wrong credentials are invalid_client, and 400 unless they came in the header
    if not provider.application.accepts(form.get("client_id", ""), form.get("client_secret", "")):
        raise OAuthError("invalid_client", "unknown client_id or wrong client_secret")
