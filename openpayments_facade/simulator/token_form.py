"""The form of a token request (RFC 6749, section 3.2; facts 10-auth, section 1)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .errors import OAuthError
from .request_ids import REQUEST_ID, request_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["read_form", "required"]

_FORM = "application/x-www-form-urlencoded"
# what an authorization code approves (facts 10-auth, section 1.2); the other grants may send them, to no effect
_RESOURCE_HEADERS = ("X-ConsentId", "X-ConsentAuthorisationId", "X-PaymentId", "X-PaymentAuthorisationId")


def read_form(request: Request, body: bytes) -> dict[str, str]:
    """The form's fields. One without a value counts as absent, a repeated one is refused (RFC 6749, section 3.2)."""
    if request.headers.get(REQUEST_ID) is not None and request_id_of(request.headers) is None:
        raise OAuthError("invalid_request", f"{REQUEST_ID} is not a UUID")
    if empty := [name for name in _RESOURCE_HEADERS if request.headers.get(name) == ""]:
        raise OAuthError("invalid_request", f"empty header: {', '.join(empty)}")
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


def required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]
