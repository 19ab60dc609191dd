"""Checks the scope of a token request (document 000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..state.credentials import API_SCOPES, PSU_CONTEXTS
from .errors import OAuthError

if TYPE_CHECKING:
    from ..state import Provider

__all__ = ["check_scope"]


def check_scope(provider: Provider, scope: str, *, require_psu_context: bool = False) -> str:
    """The granted scope, in the order of the request. Raises OAuthError `invalid_scope`.

    Sources differ on the order, and on whether a PSU context is required; after a user's approval it never is.
    """
    asked = scope.split(" ")
    if "" in asked:
        raise _invalid("scopes are separated by one space (RFC 6749, section 3.3)")
    scopes = list(dict.fromkeys(asked))
    if unknown := [scope for scope in scopes if scope not in API_SCOPES + PSU_CONTEXTS]:
        raise _invalid(f"unknown scope: {' '.join(unknown)}")
    api_scopes = [scope for scope in scopes if scope in API_SCOPES]
    contexts = [scope for scope in scopes if scope in PSU_CONTEXTS]
    if not api_scopes:
        raise _invalid("no API scope was asked for")
    if refused := [scope for scope in api_scopes if scope not in provider.application.api_scopes]:
        raise _invalid(f"the application is not registered for: {' '.join(refused)}")
    if "bankgiroinformation" in api_scopes and "accountinformation" not in api_scopes:
        raise _invalid("bankgiroinformation goes together with accountinformation")
    if len(contexts) > 1:
        raise _invalid("a token has one PSU context: private or corporate")
    if require_psu_context and not contexts:
        raise _invalid("a PSU context is needed: private or corporate")
    return " ".join(scopes)


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_scope", description)
