"""The further checks of every call to a bank: a known bank, and well-formed headers.

The headers and their forms are from the provider's guide of 2021.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..request_ids import UUID
from ..state.banks import BANKS, BIC, Bank
from ..state.credentials import PSU_CONTEXTS
from .errors import ApiError, malformed
from .operation import Answer, Call, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

    from starlette.datastructures import Headers
    from starlette.routing import Route

    from ..state import Provider
    from ..state.authorisations import Subject

__all__ = ["BankCall", "bank_operation"]

_BOOLEAN = re.compile("true|false")
_NOT_EMPTY = re.compile(".+")
_CONTENT = "(SCA|PROCESS|LAST)"
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "X-BicFi": BIC,
    "X-AffiliatedASPSP-ID": _NOT_EMPTY,
    "Consent-ID": _NOT_EMPTY,
    "PSU-IP-Port": re.compile("[0-9]{1,5}"),
    "PSU-ID": _NOT_EMPTY,
    "PSU-ID-Type": _NOT_EMPTY,
    "PSU-Corporate-ID": _NOT_EMPTY,
    "PSU-Corporate-ID-Type": _NOT_EMPTY,
    "PSU-Http-Method": re.compile("GET|POST|PUT|PATCH|DELETE"),
    "PSU-Device-ID": UUID,
    "PSU-Geo-Location": re.compile(r"GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}"),
    "TPP-Redirect-Preferred": _BOOLEAN,
    "TPP-Redirect-URI": _NOT_EMPTY,
    "TPP-Nok-Redirect-URI": _NOT_EMPTY,
    "TPP-Explicit-Authorisation-Preferred": _BOOLEAN,
    "TPP-Notification-URI": _NOT_EMPTY,
    "TPP-Notification-Content-Preferred": re.compile(f"status={_CONTENT}(,{_CONTENT}){{0,2}}"),
}

S = TypeVar("S", bound="Subject")


@dataclass(frozen=True)
class BankCall(Call):
    """A call to a bank that passed the checks. `body` is the JSON that was sent; None if the operation reads none."""

    bank: Bank
    body: Any

    @property
    def context(self) -> str | None:
        """The token's PSU context."""
        return next((scope for scope in PSU_CONTEXTS if scope in self.scopes), None)

    @property
    def today(self) -> date:
        """Today's date at the bank."""
        return self.provider.now().date()

    def flag(self, name: str) -> bool:
        """A boolean query parameter; false if it was not sent."""
        value = self.query(name)
        if value is not None and not _BOOLEAN.fullmatch(value):
            raise malformed(name, f"{name} must be true or false")
        return value == "true"

    def check(self, subject: S | None, *, otherwise: ApiError) -> S:
        """The call's subject. Raises `otherwise` if the bank doesn't know it, ApiError if the call contradicts it."""
        if subject is None or subject.bank is not self.bank:
            raise otherwise
        name, created_with = "TPP-Redirect-Preferred", subject.redirect_preferred
        if self.bank.keeps_preference and created_with is not None and self.header(name) != created_with:
            text = f"the {subject.kind} was created with {name}: {created_with}"
            raise ApiError(400, "PARAMETER_NOT_CONSISTENT", text, path=name)
        return subject


def bank_operation(
    provider: Provider,
    operation_id: str,
    method: str,
    path: str,
    handler: Callable[[BankCall], Answer],
    *,
    api_scopes: Collection[str],
    query: Collection[str] = (),
    json_body: bool = False,
) -> Route:
    """As `operation`, for operations that a bank answers. With `json_body` the call has its `body`."""

    def answer(call: Call) -> Answer:
        headers = call.request.headers
        bank = _find_bank(headers)
        required = bank.insists_on.get(operation_id, ())
        if "corporate" in call.scopes:
            required += bank.insists_on_in_corporate.get(operation_id, ())
        _check_headers(headers, required, bank)
        body = None
        if json_body:
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return Answer(status=415)
            body = _read_json(call.content)
        return handler(BankCall(**vars(call), bank=bank, body=body))

    return operation(provider, method, path, answer, api_scopes=api_scopes, query=query, offers_problem=True)


def _find_bank(headers: Headers) -> Bank:
    bic = headers.get("X-BicFi")
    if bic is None:
        raise malformed("X-BicFi", "X-BicFi is missing")
    _check_form(headers, "X-BicFi")
    bank = BANKS.get(bic)
    if bank is None:
        raise ApiError(400, "RESOURCE_UNKNOWN", f"no such bank: {bic}; there are {', '.join(BANKS)}", path="X-BicFi")
    return bank


def _check_headers(headers: Headers, required: Collection[str], bank: Bank) -> None:
    for name in _FORMS:
        _check_form(headers, name)
    address = headers.get("PSU-IP-Address")
    if address is not None:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise malformed("PSU-IP-Address", f"PSU-IP-Address is not an IP address: {address!r}") from None
    for name in required:
        if not headers.get(name):
            raise malformed(name, f"{bank.name} insists on {name}")


def _check_form(headers: Headers, name: str) -> None:
    values = headers.getlist(name)
    if len(values) > 1:
        raise malformed(name, f"{name} is sent more than once")
    if values and not _FORMS[name].fullmatch(values[0]):
        raise malformed(name, f"{name} is malformed")


def _read_json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise malformed(None, "the body is not JSON") from None
