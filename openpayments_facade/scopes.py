"""API scopes, PSU contexts, and how they are composed into one OAuth scope (document 000)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from ._checks import refuse
from .errors import MissingScopeError

__all__ = ["ApiScope", "PsuContext", "check_scope", "compose", "read_api_scopes", "read_psu_context"]


class ApiScope(StrEnum):
    """What an application may use; chosen when it is registered in the Developer Portal (document 000)."""

    ASPSP_INFORMATION = "aspspinformation"
    ACCOUNT_INFORMATION = "accountinformation"
    PAYMENT_INITIATION = "paymentinitiation"
    BANKGIRO_INFORMATION = "bankgiroinformation"


class PsuContext(StrEnum):
    """Whose accounts: personal or business (document 000)."""

    PRIVATE = "private"
    CORPORATE = "corporate"


def read_api_scopes(value: object, *, argument: str = "api_scopes") -> tuple[ApiScope, ...]:
    """Checks API scopes and puts them in one order without duplicates, so that the same set is always the same scope.

    None is the default, ASPSP information. Raises InvalidArgumentError if the value is not a list of known scopes, is
    empty, or has `bankgiroinformation` without `accountinformation` (document 000: used in combination with it).
    """
    known = ", ".join(ApiScope)
    if value is None:
        return (ApiScope.ASPSP_INFORMATION,)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise refuse(argument, f"must be a list of API scopes ({known})")
    given = list(value)
    if unknown := [scope for scope in given if not isinstance(scope, str) or scope not in set(ApiScope)]:
        raise refuse(argument, f"has {unknown[0]!r}; the API scopes are {known}")
    if not given:
        raise refuse(argument, f"is empty; name at least one of {known}")
    if ApiScope.BANKGIRO_INFORMATION in given and ApiScope.ACCOUNT_INFORMATION not in given:
        raise refuse(argument, "has bankgiroinformation, which only goes together with accountinformation: add it")
    return tuple(scope for scope in ApiScope if scope in given)


def read_psu_context(value: object, *, argument: str = "psu_context") -> PsuContext | None:
    """Checks a PSU context; None means that API scopes are sent alone, as document 001 does.

    Raises InvalidArgumentError if it is not a context.
    """
    if value is None or str(value) in set(PsuContext):
        return None if value is None else PsuContext(str(value))
    raise refuse(argument, f"is {value!r}; it is one of {', '.join(PsuContext)}, or none")


def compose(api_scopes: Iterable[ApiScope], psu_context: PsuContext | None) -> str:
    """The scope of a token request: API scopes first, then the PSU context, separated by spaces (document 000)."""
    return " ".join([*read_api_scopes(api_scopes), *([psu_context] if psu_context else [])])


def check_scope(alternatives: Iterable[Sequence[str]], granted: Sequence[ApiScope], call: str) -> None:
    """Raises MissingScopeError if a client was given the API scopes of none of the alternatives that a call needs."""
    wanted = [[ApiScope(word) for word in words if word in set(ApiScope)] for words in alternatives]
    if not any(set(scopes) <= set(granted) for scopes in wanted):
        scope = next(scope for scope in wanted[0] if scope not in granted)
        raise MissingScopeError(
            f"{call} needs the API scope {scope.value!r}, but this client has only "
            f"{', '.join(map(repr, map(str, granted)))}: add ApiScope.{scope.name} to api_scopes (or {scope.value} to "
            "OPENPAYMENTS_API_SCOPES); the application must have that API product",
            scope=scope,
        )
