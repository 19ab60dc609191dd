"""What a token may be asked for (document 000; facts 10-auth, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import OAuthError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["API_SCOPES", "PSU_CONTEXTS", "check_scope", "read_api_scopes"]

API_SCOPES = ("aspspinformation", "accountinformation", "paymentinitiation", "bankgiroinformation")
PSU_CONTEXTS = ("private", "corporate")


def read_api_scopes(api_scopes: Iterable[str]) -> frozenset[str]:
    """The API scopes that an application was registered for. Raises ValueError for one that does not exist."""
    if isinstance(api_scopes, str):
        raise ValueError(f"api_scopes is a list of scopes, not the string {str(api_scopes)!r}")
    scopes = frozenset(str(scope) for scope in api_scopes)
    if unknown := scopes.difference(API_SCOPES):
        raise ValueError(f"api_scopes has {', '.join(sorted(unknown))}; the API scopes are {', '.join(API_SCOPES)}")
    return scopes


def check_scope(value: str, *, allowed: Collection[str], require_psu_context: bool) -> str:
    """Judges the `scope` of a token request, whose order means nothing.

    Returns the granted scope, space-separated, in the order asked for. Raises OAuthError `invalid_scope`.
    """
    asked = value.split(" ")
    if "" in asked:
        raise _invalid("scopes are separated by one space (RFC 6749, section 3.3)")
    scopes = list(dict.fromkeys(asked))
    if unknown := [scope for scope in scopes if scope not in API_SCOPES + PSU_CONTEXTS]:
        raise _invalid(f"unknown scope: {' '.join(unknown)}")
    api_scopes = [scope for scope in scopes if scope in API_SCOPES]
    contexts = [scope for scope in scopes if scope in PSU_CONTEXTS]
    if not api_scopes:
        raise _invalid("no API scope was asked for")
    if refused := [scope for scope in api_scopes if scope not in allowed]:
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
