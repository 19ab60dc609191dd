"""The further checks of every call to a bank: a known bank, well-formed headers, and a user who is known.

The headers and their forms are from the provider's description of 2026, and by the rules of 2021 from the provider's
guide of 2021. A header that is not declared for an operation is never refused there, whatever it holds.

By the rules of 2026 a bank call needs `PSU-ID` and `TPP-Redirect-Preferred`, and with a token of the PSU context
corporate `PSU-Corporate-ID`. `PSU-IP-Address` and `PSU-User-Agent` are declared as required, too. But a consent has a
`frequencyPerDay`, and ACCESS_EXCEEDED exists: so there is access without the user, and the only sign of it is that
there is no address (the provider's guide of 2021). This is how both are read here:

- POST and PUT happen because of the user: they need address and user agent.
- GET and DELETE without an address are access without the user, and need no user agent either. With an address they
  need the user agent.

An address is declared as IPv4. No source says what happens with IPv6; it is accepted.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..request_ids import UUID
from ..state.banks import BIC, Bank
from ..state.credentials import PSU_CONTEXTS
from .errors import ApiError, malformed
from .operation import Answer, Call, operation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

    from starlette.datastructures import Headers
    from starlette.routing import Route

    from ..state import Provider
    from ..state.resource import Origin, Resource

__all__ = ["BankCall", "bank_operation"]

_BOOLEAN = re.compile("true|false")
_NOT_EMPTY = re.compile(".+")
_CONTENT = "(SCA|PROCESS|LAST)"
_IP_ADDRESS = "PSU-IP-Address"
_FORMS: Final[dict[str, re.Pattern[str]]] = {
    "X-BicFi": BIC,
    "PSU-ID": _NOT_EMPTY,
    "PSU-Corporate-ID": _NOT_EMPTY,
    "PSU-Corporate-ID-Type": _NOT_EMPTY,
    "TPP-Redirect-Preferred": _BOOLEAN,
}
_FURTHER_FORMS_OF_2021: Final[dict[str, re.Pattern[str]]] = {
    "PSU-IP-Port": re.compile("[0-9]{1,5}"),
    "PSU-ID-Type": _NOT_EMPTY,
    "PSU-Http-Method": re.compile("GET|POST|PUT|PATCH|DELETE"),
    "PSU-Device-ID": UUID,
    "PSU-Geo-Location": re.compile(r"GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}"),
    "TPP-Redirect-URI": _NOT_EMPTY,
    "TPP-Nok-Redirect-URI": _NOT_EMPTY,
    "TPP-Explicit-Authorisation-Preferred": _BOOLEAN,
    "TPP-Notification-URI": _NOT_EMPTY,
    "TPP-Notification-Content-Preferred": re.compile(f"status={_CONTENT}(,{_CONTENT}){{0,2}}"),
}
# what only some operations have
_FORMS_OF_SOME: Final[dict[str, re.Pattern[str]]] = {
    "Consent-ID": _NOT_EMPTY,
    "X-AffiliatedASPSP-ID": _NOT_EMPTY,
    "FX-Quote-Id": _NOT_EMPTY,
}
_NEW_FORMS_OF_SOME: Final[dict[str, re.Pattern[str]]] = {
    "PSU-Authoriser-ID": _NOT_EMPTY,
    "X-Consent-Type": re.compile("sepaDirectDebit"),
    "X-ISO-Fallback-Enabled": _BOOLEAN,
}

R = TypeVar("R", bound="Resource")


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

    @property
    def origin(self) -> Origin:
        """For whom the call creates something."""
        return {
            "bank": self.bank,
            "context": self.context,
            "redirect_preferred": self.header("TPP-Redirect-Preferred"),
            "corporate_id": self.header("PSU-Corporate-ID"),
            "psu_id": self.header("PSU-ID"),
        }

    def flag(self, name: str) -> bool:
        """A boolean query parameter; false if it was not sent."""
        value = self.query(name)
        if value is not None and not _BOOLEAN.fullmatch(value):
            raise malformed(name, f"{name} must be true or false")
        return value == "true"

    def unknown(self, name: str, text: str) -> ApiError:
        """The refusal of a path that has an unknown id: 404 if it is the last one, else 403 (Berlin Group)."""
        last = [*self.request.path_params][-1]
        return ApiError(404 if last == name else 403, "RESOURCE_UNKNOWN", text, path=name)

    def check(self, subject: R | None, *, otherwise: ApiError) -> R:
        """The call's subject. Raises `otherwise` if the bank doesn't know it, ApiError if the call contradicts it.

        That it belongs to a company was observed in 2026.
        """
        if subject is None or subject.bank is not self.bank:
            raise otherwise
        if self.context is not None and subject.context not in (None, self.context):
            # no source says what becomes of it
            text = f"the token is {self.context}, but the {subject.kind} {subject.context}"
            raise ApiError(401, "TOKEN_INVALID", text)
        kept = {"TPP-Redirect-Preferred": subject.redirect_preferred if self.bank.keeps_preference else None}
        if self.provider.of_2026:
            kept["PSU-Corporate-ID"] = subject.corporate_id
        for name, created_with in kept.items():
            if created_with is not None and self.header(name) != created_with:
                text = f"send the same {name} as the {subject.kind} was created with"
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
    headers: Collection[str] = (),
    optional: Collection[str] = (),
    json_body: bool = False,
    silent: Collection[int] = (),
) -> Route:
    """As `operation`, for operations that a bank answers.

    Args:
        operation_id: Its operationId.
        headers: Those that only some operations have.
        optional: Those of the user that it does not need, though others do.
        json_body: Whether the call has its `body`.
    """
    forms = _forms(headers, of_2026=provider.of_2026)

    def answer(call: Call) -> Answer:
        sent = call.request.headers
        bank = _find_bank(sent, provider.banks)
        _check_forms(sent, forms)
        if provider.of_2026:
            _check_identity(sent, method, call.scopes, optional)
        insists_on = bank.insists_on.get(operation_id, ())
        if "corporate" in call.scopes:
            insists_on += bank.insists_on_in_corporate.get(operation_id, ())
        _check_presence(sent, insists_on, f"{bank.name} insists on {{}}")
        body = None
        if json_body:
            if sent.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                return Answer(status=415)
            body = _read_json(call.content)
        provider.payments.settle_due()
        return handler(BankCall(**vars(call), bank=bank, body=body))

    return operation(
        provider, method, path, answer, api_scopes=api_scopes, query=query, offers_problem=True, silent=silent
    )


def _forms(names: Collection[str], *, of_2026: bool) -> Mapping[str, re.Pattern[str]]:
    """The forms of the headers that an operation declares, if it has these beyond those of every bank call."""
    some = _FORMS_OF_SOME | _NEW_FORMS_OF_SOME if of_2026 else _FORMS_OF_SOME
    older = {} if of_2026 else _FURTHER_FORMS_OF_2021
    return _FORMS | older | {name: form for name, form in some.items() if name in names}


def _find_bank(headers: Headers, banks: Mapping[str, Bank]) -> Bank:
    bic = headers.get("X-BicFi")
    if bic is None:
        raise malformed("X-BicFi", "X-BicFi is missing")
    _check_form(headers, "X-BicFi", BIC)
    bank = banks.get(bic)
    if bank is None:
        raise ApiError(400, "RESOURCE_UNKNOWN", f"no such bank: {bic}; there are {', '.join(banks)}", path="X-BicFi")
    return bank


def _check_forms(headers: Headers, forms: Mapping[str, re.Pattern[str]]) -> None:
    for name, form in forms.items():
        _check_form(headers, name, form)
    address = headers.get(_IP_ADDRESS)
    if address is not None:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise malformed(_IP_ADDRESS, f"{_IP_ADDRESS} is not an IP address: {address!r}") from None


def _check_identity(headers: Headers, method: str, scopes: Collection[str], optional: Collection[str]) -> None:
    """What the rules of 2026 require of a call."""
    required = ["PSU-ID", "TPP-Redirect-Preferred"]
    if "corporate" in scopes:
        required.append("PSU-Corporate-ID")
    if method in {"POST", "PUT"} or _IP_ADDRESS in headers:
        required += [_IP_ADDRESS, "PSU-User-Agent"]
    _check_presence(headers, [name for name in required if name not in optional], "{} is missing")


def _check_presence(headers: Headers, required: Collection[str], text: str) -> None:
    for name in required:
        if not headers.get(name):
            raise malformed(name, text.format(name))


def _check_form(headers: Headers, name: str, form: re.Pattern[str]) -> None:
    values = headers.getlist(name)
    if len(values) > 1:
        raise malformed(name, f"{name} is sent more than once")
    if values and not form.fullmatch(values[0]):
        raise malformed(name, f"{name} is malformed")


def _read_json(content: bytes) -> Any:
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()  # what could not be answered with
        return body
    except (ValueError, RecursionError):
        raise malformed(None, "the body is not JSON") from None
