"""What every call to a bank asks for before it is answered (facts 10-auth, section 4; 60, sections 1, 2 and 5)."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .api import check_call
from .banks import BANKS, Bank
from .errors import ApiError
from .problems import wants_problem
from .request_ids import UUID
from .scopes import PSU_CONTEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from starlette.datastructures import Headers
    from starlette.requests import Request

    from .consents import Consent
    from .provider import Provider

__all__ = ["Answer", "BankCall", "bank_operation", "check_preference"]

_BOOLEAN = re.compile("true|false")
_NOT_EMPTY = re.compile(".+")
_CONTENT = "(SCA|PROCESS|LAST)"
# facts 10-auth, section 4.2
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "X-BicFi": re.compile("[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?"),
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


@dataclass(frozen=True)
class BankCall:
    """A call that may be answered: its token, headers and query are in order. `body` is None where there is none."""

    request: Request
    bank: Bank
    scopes: frozenset[str]
    body: Any

    @property
    def context(self) -> str | None:
        """The token's PSU context."""
        return next((scope for scope in PSU_CONTEXTS if scope in self.scopes), None)

    def header(self, name: str) -> str | None:
        value: str | None = self.request.headers.get(name)
        return value


@dataclass(frozen=True)
class Answer:
    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        return JSONResponse(self.body, self.status, self.headers)


def bank_operation(
    provider: Provider,
    operation_id: str,
    method: str,
    path: str,
    handler: Callable[[Provider, BankCall], Answer],
    *,
    query: Collection[str] = (),
    json_body: bool = False,
) -> Route:
    """An operation of the scope `accountinformation`; `query` names the parameters that it knows."""

    async def endpoint(request: Request) -> Response:
        try:
            scopes = check_call(provider, request, api_scope="accountinformation", query=query)
            bank = _bank(request.headers)
            required = bank.insists_on.get(operation_id, ())
            if "corporate" in scopes:
                required += bank.insists_on_in_corporate.get(operation_id, ())
            _check_headers(request.headers, required, bank)
            body = None
            if json_body:
                if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                    return Response(status_code=415)
                body = _read_json(await request.body())
            with provider.consents.lock:
                return handler(provider, BankCall(request, bank, scopes, body)).response()
        except ApiError as error:
            return error.response(as_problem=wants_problem(request.headers))

    return Route(path, endpoint, methods=[method])


def check_preference(call: BankCall, consent: Consent) -> None:
    """Swedbank's rule: what a consent was created with stays as it was (facts 10-auth, section 4.2)."""
    created_with, sent = consent.redirect_preferred, call.header("TPP-Redirect-Preferred")
    if call.bank.keeps_preference and created_with is not None and sent != created_with:
        raise ApiError(
            400,
            "PARAMETER_NOT_CONSISTENT",
            f"the consent was created with TPP-Redirect-Preferred: {created_with}",
            path="TPP-Redirect-Preferred",
        )


def _bank(headers: Headers) -> Bank:
    bic = headers.get("X-BicFi")
    if bic is None:
        raise ApiError(400, "FORMAT_ERROR", "X-BicFi is missing", path="X-BicFi")
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
            raise ApiError(
                400, "FORMAT_ERROR", f"PSU-IP-Address is no IP address: {address!r}", path="PSU-IP-Address"
            ) from None
    for name in required:
        if not headers.get(name):
            raise ApiError(400, "FORMAT_ERROR", f"{bank.name} insists on {name}", path=name)


def _check_form(headers: Headers, name: str) -> None:
    values = headers.getlist(name)
    if len(values) > 1:
        raise ApiError(400, "FORMAT_ERROR", f"{name} is sent more than once", path=name)
    if values and not _FORMS[name].fullmatch(values[0]):
        raise ApiError(400, "FORMAT_ERROR", f"{name} is malformed", path=name)


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "FORMAT_ERROR", "the body is not JSON") from None
