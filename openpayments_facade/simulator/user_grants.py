"""The two grants that a user stands behind: an authorization code, and a refresh token (facts 10-auth, section 1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .codes import Approval
from .errors import OAuthError
from .scopes import check_scope
from .token_form import required

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import Headers

    from .provider import Provider

__all__ = ["authorization_code", "refresh_token"]

# Facts 10-auth, section 1.2. The pair of a signing basket is only a guess there, so it is not known here.
_HEADERS: Mapping[Literal["consent", "payment"], tuple[str, str]] = {
    "consent": ("X-ConsentId", "X-ConsentAuthorisationId"),
    "payment": ("X-PaymentId", "X-PaymentAuthorisationId"),
}


def authorization_code(provider: Provider, form: Mapping[str, str], headers: Headers) -> dict[str, Any]:
    code, redirect_uri = required(form, "code"), required(form, "redirect_uri")
    asked = _scope(provider, required(form, "scope"))
    approval = _approval(headers)
    scope = provider.codes.redeem(code, approval, redirect_uri=redirect_uri)
    if scope is None:
        raise _invalid_grant()
    _check_part_of(scope, asked)
    if approval.kind == "consent":
        provider.consents.redeemed(approval.resource_id, approval.authorisation_id)
    answer = provider.tokens.answer(asked)
    return answer if provider.refresh_tokens is None else answer | provider.refresh_tokens.issue(scope)


def refresh_token(provider: Provider, form: Mapping[str, str], _: Headers) -> dict[str, Any]:
    assert provider.refresh_tokens is not None
    value = required(form, "refresh_token")
    scope = provider.refresh_tokens.scope_of(value)
    if scope is None:
        raise _invalid_grant()
    # the new access token may be narrower, its refresh token is as good as the old one (RFC 6749, section 6)
    asked = _scope(provider, form["scope"]) if "scope" in form else scope
    _check_part_of(scope, asked)
    fields = provider.refresh_tokens.replace(value)
    if fields is None:
        raise _invalid_grant()
    return provider.tokens.answer(asked) | fields


def _scope(provider: Provider, value: str) -> str:
    # the sources differ: API scope alone, with the context, or as it came back on the redirect URI
    return check_scope(value, allowed=provider.application.api_scopes, require_psu_context=False)


def _check_part_of(granted: str, asked: str) -> None:
    if more := [scope for scope in asked.split() if scope not in granted.split()]:
        raise OAuthError("invalid_scope", f"the user did not approve: {' '.join(more)}")


def _approval(headers: Headers) -> Approval:
    """Which authorisation the request says it completes."""
    sent = [kind for kind, names in _HEADERS.items() if any(name in headers for name in names)]
    if len(sent) != 1:
        raise OAuthError(
            "invalid_request", f"a code goes with {' or with '.join(' and '.join(pair) for pair in _HEADERS.values())}"
        )
    kind = sent[0]
    resource_id, authorisation_id = (_single(headers, name) for name in _HEADERS[kind])
    return Approval(kind, resource_id, authorisation_id)


def _single(headers: Headers, name: str) -> str:
    values = headers.getlist(name)
    if len(values) != 1 or not values[0]:
        raise OAuthError("invalid_request", f"{name} is {'sent more than once' if len(values) > 1 else 'missing'}")
    return values[0]


def _invalid_grant() -> OAuthError:
    # a sample client compares the whole body, which has no other key (facts 10-auth, section 1.5)
    return OAuthError("invalid_grant")
