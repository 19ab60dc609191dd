"""API scopes and PSU contexts, and how they form one OAuth scope (document 000).

The sandbox's newer auth host refuses tokens for `aspspinformation`; there banks are read with a token for
`accountinformation` (observed in 2026). So that is the default in the environment "sandbox-oauth".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from ._checks import refuse
from .environments import SANDBOX_OAUTH
from .errors import MissingScopeError

__all__ = [
    "ApiScope",
    "PsuContext",
    "advice_on_refusal",
    "check_scope",
    "compose",
    "context_for",
    "default_api_scopes",
    "read_api_scopes",
    "read_psu_context",
]


class ApiScope(StrEnum):
    """A part of the API that an application may use, chosen in the Developer Portal (document 000)."""

    ASPSP_INFORMATION = "aspspinformation"
    """Countries, cities and banks."""
    ACCOUNT_INFORMATION = "accountinformation"
    """Consents, accounts and cards, and banks as well (the provider's description of 2026)."""
    PAYMENT_INITIATION = "paymentinitiation"
    """Payments, signing baskets, FX quotes and KYC."""
    BANKGIRO_INFORMATION = "bankgiroinformation"
    """Only with `accountinformation` (document 000), and only for business accounts in production (the provider's
    description of 2026): tokens for personal accounts, and those of the sandbox, are requested without it."""


class PsuContext(StrEnum):
    """Personal or business accounts (document 000)."""

    PRIVATE = "private"
    """Personal accounts."""
    CORPORATE = "corporate"
    """Business accounts."""


def default_api_scopes(auth_url: str) -> tuple[ApiScope, ...]:
    """The API scopes of a client that names none: what it takes to read banks.

    Args:
        auth_url: The auth host of the environment.
    """
    is_newer_sandbox = auth_url == SANDBOX_OAUTH.auth_url
    return (ApiScope.ACCOUNT_INFORMATION if is_newer_sandbox else ApiScope.ASPSP_INFORMATION,)


def read_api_scopes(value: object, *, argument: str = "api_scopes") -> tuple[ApiScope, ...]:
    """Checks API scopes, and sorts them without duplicates so that the same set always gives the same OAuth scope.

    Args:
        value: A list of scopes.
        argument: What the message calls the value.

    Raises:
        InvalidArgumentError: It is not a list, is empty, has an unknown scope, or has `bankgiroinformation` without
            `accountinformation` (document 000: used in combination with it).
    """
    known = ", ".join(ApiScope)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise refuse(argument, f"must be a list of API scopes ({known})")
    given = list(value)
    if unknown := [scope for scope in given if not isinstance(scope, str) or scope not in set(ApiScope)]:
        raise refuse(argument, f"must contain nothing but API scopes ({known})", unknown[0])
    if not given:
        raise refuse(argument, f"must not be empty; name at least one of {known}")
    if ApiScope.BANKGIRO_INFORMATION in given and ApiScope.ACCOUNT_INFORMATION not in given:
        raise refuse(argument, "contains bankgiroinformation, which also requires accountinformation: add it")
    return tuple(scope for scope in ApiScope if scope in given)


def read_psu_context(value: object, *, argument: str = "psu_context") -> PsuContext | None:
    """Checks a PSU context.

    Args:
        value: "private" or "corporate"; None to request API scopes alone, as in document 001.
        argument: What the message calls the value.

    Raises:
        InvalidArgumentError: It is anything else.
    """
    if value is None or (isinstance(value, str) and value in set(PsuContext)):
        return None if value is None else PsuContext(value)
    raise refuse(argument, f"must be one of {', '.join(PsuContext)}, or none", value)


def compose(api_scopes: Iterable[ApiScope], psu_context: PsuContext | None) -> str:
    """The scope of a token request: the API scopes, then the PSU context, separated by spaces (document 000).

    With the private context `bankgiroinformation` is left out: it is declared together with `corporate` alone (the
    provider's description of 2026).

    Args:
        api_scopes: What the application may use.
        psu_context: Personal or business accounts; None for the API scopes alone.

    Returns:
        The scope, such as "aspspinformation private".

    Raises:
        InvalidArgumentError: The API scopes are wrong: none, an unknown one, or `bankgiroinformation` without
            `accountinformation`.
    """
    left_out = {ApiScope.BANKGIRO_INFORMATION} if psu_context == PsuContext.PRIVATE else set()
    scopes = [scope for scope in read_api_scopes(api_scopes) if scope not in left_out]
    return " ".join([*scopes, *([psu_context] if psu_context else [])])


def _api_scopes_of(words: Sequence[str]) -> list[ApiScope]:
    return [scope for scope in ApiScope if scope in words]


def check_scope(alternatives: Iterable[Sequence[str]], granted: Sequence[ApiScope], call: str) -> None:
    """Checks that a client has the API scopes that a call needs.

    Args:
        alternatives: Sets of scopes. One of them must be granted completely; PSU contexts in them don't count. Without
            any, nothing is needed.
        granted: The client's API scopes.
        call: What the message calls the call.

    Raises:
        MissingScopeError: None of the alternatives is granted.
    """
    wanted = [_api_scopes_of(words) for words in alternatives]
    if not wanted or any(set(scopes) <= set(granted) for scopes in wanted):
        return
    # the first that is missing of each alternative
    missing = list(dict.fromkeys(next(each for each in scopes if each not in granted) for scopes in wanted))
    needed = " or ".join(repr(str(scope)) for scope in missing)
    names = " or ".join(f"ApiScope.{scope.name}" for scope in missing)
    raise MissingScopeError(
        f"{call} needs the API scope {needed}, but this client has only {', '.join(map(repr, map(str, granted)))}: add "
        f"{names} to api_scopes, or the scope itself to OPENPAYMENTS_API_SCOPES; the application must have that API "
        "product",
        scope=missing[0],
    )


def context_for(
    alternatives: Iterable[Sequence[str]], granted: Sequence[ApiScope], wanted: PsuContext | None
) -> PsuContext | None:
    """The PSU context of the token for a call. Some are possible for business accounts alone, such as ISO payments.

    Args:
        alternatives: Sets of scopes, as in `check_scope`. Those that are not granted don't count.
        granted: The client's API scopes.
        wanted: The client's PSU context.

    Returns:
        The only context that the alternatives allow, if they don't allow the one that is wanted. Otherwise that one.
    """
    usable = [words for words in alternatives if set(_api_scopes_of(words)) <= set(granted)]
    contexts = {context for context in PsuContext for words in usable if context in words}
    is_allowed = any(wanted in words if wanted else contexts.isdisjoint(words) for words in usable)
    return contexts.pop() if len(contexts) == 1 and not is_allowed else wanted


def advice_on_refusal(scope: str, token_url: str) -> str | None:
    """What to do when a token endpoint refuses a scope, if that is known.

    Args:
        scope: The scope of the token request.
        token_url: The URL of the token endpoint.
    """
    if ApiScope.ASPSP_INFORMATION not in scope.split() or not token_url.startswith(f"{SANDBOX_OAUTH.auth_url}/"):
        return None
    return (
        "this auth host grants no aspspinformation: leave it out of api_scopes, or of OPENPAYMENTS_API_SCOPES; banks "
        "are read with accountinformation"
    )
