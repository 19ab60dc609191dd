"""The two grants of a user: authorization code and refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..state.authorisations import Approval
from .errors import OAuthError
from .scopes import check_scope
from .token_form import RESOURCE_HEADERS, required

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import Headers

    from ..state import Provider

__all__ = ["authorization_code", "refresh_token"]


def authorization_code(provider: Provider, form: Mapping[str, str], headers: Headers) -> dict[str, Any]:
    """Completes an approval by redirect (the provider's guide of 2021)."""
    code, redirect_uri = required(form, "code"), required(form, "redirect_uri")
    # the sources differ: API scope alone, with the context, or as it came back to the redirect URI
    asked = check_scope(provider, required(form, "scope"))
    approval = _read_approval(headers)
    scope = provider.codes.redeem(code, approval, redirect_uri=redirect_uri)
    if scope is None:
        raise _invalid_grant()
    _check_part_of(scope, asked)
    provider.authorisations.activate(approval)
    fields = provider.tokens.issue(asked)
    return fields if provider.refresh_tokens is None else fields | provider.refresh_tokens.issue(scope)


def refresh_token(provider: Provider, form: Mapping[str, str], _: Headers) -> dict[str, Any]:
    """A new access token, and a new refresh token (documents 002 and 004; RFC 6749, section 6)."""
    assert provider.refresh_tokens is not None
    value = required(form, "refresh_token")
    scope = provider.refresh_tokens.scope_of(value)
    if scope is None:
        raise _invalid_grant()
    # the new access token may have a narrower scope; its refresh token keeps the old one's
    asked = check_scope(provider, form["scope"]) if "scope" in form else scope
    _check_part_of(scope, asked)
    fields = provider.refresh_tokens.replace(value)
    return provider.tokens.issue(asked) | fields


def _check_part_of(granted: str, asked: str) -> None:
    if more := [scope for scope in asked.split() if scope not in granted.split()]:
        raise OAuthError("invalid_scope", f"the user did not approve: {' '.join(more)}")


def _read_approval(headers: Headers) -> Approval:
    """The authorisation that the request claims to complete."""
    sent = [kind for kind, names in RESOURCE_HEADERS.items() if any(name in headers for name in names)]
    if len(sent) != 1:
        pairs = " or with ".join(" and ".join(pair) for pair in RESOURCE_HEADERS.values())
        raise OAuthError("invalid_request", f"a code goes with {pairs}")
    kind = sent[0]
    resource_id, authorisation_id = (_read_single(headers, name) for name in RESOURCE_HEADERS[kind])
    return Approval(kind, resource_id, authorisation_id)


def _read_single(headers: Headers, name: str) -> str:
    values = headers.getlist(name)
    if len(values) != 1 or not values[0]:
        raise OAuthError("invalid_request", f"{name} is {'sent more than once' if len(values) > 1 else 'missing'}")
    return values[0]


def _invalid_grant() -> OAuthError:
    # a sample in the provider's guide of 2021 compares the whole body, which has no other key
    return OAuthError("invalid_grant")
