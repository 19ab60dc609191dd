"""The form of a token request, and the headers that go with it (RFC 6749, section 3.2)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from ..request_ids import REQUEST_ID, request_id_of
from ..state.authorisations import KINDS_WITH_CODE
from .errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["RESOURCE_HEADERS", "read_form", "required"]

_FORM = "application/x-www-form-urlencoded"
# By kind, the two headers that say what an authorization code approves: `X-ConsentId`, `X-ConsentAuthorisationId` and
# so on (the provider's guide of 2021). In the other grants they have no effect.
RESOURCE_HEADERS = {
    kind: (f"X-{kind.capitalize()}Id", f"X-{kind.capitalize()}AuthorisationId") for kind in KINDS_WITH_CODE
}


def read_form(request: Request, body: bytes) -> dict[str, str]:
    """The form's fields. One without a value counts as absent, repeated ones are refused (RFC 6749, section 3.2)."""
    if request.headers.get(REQUEST_ID) is not None and request_id_of(request.headers) is None:
        raise OAuthError("invalid_request", f"{REQUEST_ID} is not a UUID")
    if empty := [name for pair in RESOURCE_HEADERS.values() for name in pair if request.headers.get(name) == ""]:
        raise OAuthError("invalid_request", f"empty header: {', '.join(empty)}")
    if "authorization" in request.headers:
        # a client that used the Authorization header gets a 401 (RFC 6749, section 5.2)
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
