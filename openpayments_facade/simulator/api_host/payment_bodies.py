"""The bodies of payments, one for each product.

By the rules of 2026 they are those of the provider's description of 2026; by the rules of 2021 `international` takes
the place of `cross-border`, and all but `swedish-giro` have the same body. What a product has no field for is not
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..state.aspsps import aspsp_details
from ..state.banks import BIC
from .consent import read_date
from .errors import ApiError, malformed
from .references import GIRO_NUMBER, IDENTIFIERS_OF_2026, IDENTIFIERS_OF_A_PAYER, check_reference

if TYPE_CHECKING:
    from .bank_call import BankCall

__all__ = [
    "COUNTRY",
    "CURRENCY",
    "check_amount",
    "check_execution_date",
    "check_product",
    "debtor_account",
    "read_order",
]

Check = Callable[[Any, str], object]
_Fields = dict[str, Check]

_AMOUNT = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,3})?")
CURRENCY: Final = re.compile("[A-Z]{3}")
COUNTRY: Final = re.compile("[A-Z]{2}")


def _text(most: int, *, least: int = 0, form: re.Pattern[str] | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise malformed(path, f"{path} must be a text of {least} to {most} characters")
        if form is not None and not form.fullmatch(value):
            raise malformed(path, f"{path} is malformed")

    return check


@dataclass(frozen=True)
class _Object:
    """The check of an object with these fields."""

    required: _Fields
    optional: _Fields

    def __call__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise malformed(path or None, f"{path or 'the body'} is not a JSON object")
        for name, check_field in (self.required | self.optional).items():
            where = f"{path}.{name}" if path else name
            if value.get(name) is not None:
                check_field(value[name], where)
            elif name in self.required:
                raise malformed(where, f"{where} is missing")

    def known(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """What it has a field for."""
        names = self.required.keys() | self.optional.keys()
        return {name: each for name, each in value.items() if name in names and each is not None}


def _list(check_item: Check) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise malformed(path, f"{path} must be a list")
        for position, item in enumerate(value):
            check_item(item, f"{path}[{position}]")

    return check


def check_amount(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value) or Decimal(value) <= 0:
        raise malformed(path, f"{path} must be a decimal number above zero, as a text")


def _either(*values: str) -> Check:
    return _text(35, form=re.compile("|".join(values)))


_ANY: Final = _text(512)
_STREET: Final[_Fields] = {"street": _text(70), "buildingNumber": _ANY}
_PLACE: Final[_Fields] = {"city": _ANY, "postalCode": _ANY}
_COUNTRY: Final[_Fields] = {"country": _text(2, form=COUNTRY)}
_ADDRESS: Final = _Object(_COUNTRY, _PLACE | _STREET)
_INTERNATIONAL_ADDRESS: Final = _Object(
    _COUNTRY | _PLACE | {"street": _text(70)}, {"buildingNumber": _ANY, "state": _ANY}
)
_REPORTING: Final = _list(_Object({}, {"detailsCode": _text(35), "detailsInformation": _text(140)}))

_PAYER: Final[_Fields] = {
    "instructedAmount": _Object({"currency": _text(3, form=CURRENCY), "amount": check_amount}, {}),
    "debtorAccount": partial(check_reference, identifiers=IDENTIFIERS_OF_A_PAYER),
    "creditorName": _text(70, least=1),
}
_EVERY: Final[_Fields] = _PAYER | {"creditorAccount": partial(check_reference, identifiers=IDENTIFIERS_OF_2026)}
_AGENT: Final[_Fields] = {"creditorAgent": _text(11, form=BIC), "creditorAgentName": _text(35)}
_DETAILS: Final[_Fields] = {
    "requestedExecutionDate": read_date,
    "debtorAccountMessage": _text(140),
    "endToEndIdentification": _text(35),
}
_OPTIONAL: Final[_Fields] = _DETAILS | {
    "creditorAddress": _ADDRESS,
    "remittanceInformationUnstructured": _text(140),
}
_GIRO: Final[_Fields] = _PAYER | {
    "creditorGiro": _Object(
        {"giroNumber": _text(35, form=GIRO_NUMBER), "giroType": _either("BANKGIRO", "PLUSGIRO")}, {}
    )
}
_OF_A_GIRO: Final[_Fields] = _DETAILS | {
    "creditorAddress": _ADDRESS,
    "creditorAccountMessage": _text(140),
}
_GIROS: Final = ("bankgiroNumber", "plusgiroNumber")
_DIGITS: Final = re.compile("[0-9]+")
_DOMESTIC: Final = _Object(_EVERY, _AGENT | _OPTIONAL)

_OF_2026: Final[Mapping[str, _Object]] = {
    "domestic": _DOMESTIC,
    "sepa-credit-transfers": _Object(
        _EVERY | _AGENT,
        _OPTIONAL
        | {"invoiceRef": _text(35, least=1), "ocrRef": _text(25, least=5, form=re.compile("RF[0-9]{2}[A-Z0-9]+"))},
    ),
    "swedish-giro": _Object(
        _GIRO, _AGENT | _OF_A_GIRO | {"invoiceRef": _text(25, least=1), "ocrRef": _text(25, least=2, form=_DIGITS)}
    ),
    "cross-border": _Object(
        _EVERY | _AGENT | {"creditorAddress": _INTERNATIONAL_ADDRESS},
        _DETAILS
        | {
            "remittanceInformationUnstructured": _text(140),
            "purposeCode": _text(4, form=re.compile("[A-Z0-9]{4}")),
            "regulatoryReporting": _REPORTING,
        },
    ),
}
_OF_2021: Final[Mapping[str, _Object]] = {
    **dict.fromkeys(("domestic", "sepa-credit-transfers", "international"), _DOMESTIC),
    "swedish-giro": _Object(
        _GIRO, _OF_A_GIRO | {"invoiceRef": _text(140, least=5), "ocrRef": _text(140, least=5, form=_DIGITS)}
    ),
}


def check_product(call: BankCall) -> str:
    """The product in the path. Raises ApiError 404 if the bank does not have it; one that tells none has all."""
    product, of_2026 = call.path_value("payment-product"), call.provider.of_2026
    known = aspsp_details(of_2026=of_2026).get(call.bank.bic, {}).get("globalPaymentProducts")
    if product not in (_OF_2026 if of_2026 else _OF_2021) or (known is not None and product not in known):
        raise ApiError(404, "PRODUCT_UNKNOWN", f"{call.bank.name} has no such product", path="payment-product")
    return product


def read_order(call: BankCall, product: str) -> dict[str, Any]:
    """What the product knows of the body. Raises ApiError 400."""
    described = (_OF_2026 if call.provider.of_2026 else _OF_2021)[product]
    described(call.body, "")
    body = described.known(call.body)
    references = body.keys() & {"invoiceRef", "ocrRef"}
    if len(references) == 2:
        raise ApiError(400, "PARAMETER_NOT_CONSISTENT", "either invoiceRef or ocrRef", path="ocrRef")
    if not references and product == "swedish-giro":
        raise malformed("ocrRef", "ocrRef is missing, and so is invoiceRef")
    if product == "sepa-credit-transfers" and body["instructedAmount"]["currency"] != "EUR":
        raise malformed("instructedAmount.currency", "instructedAmount.currency must be EUR")
    if "requestedExecutionDate" in body:
        check_execution_date(call, body["requestedExecutionDate"])
    return body


def check_execution_date(call: BankCall, value: Any, *, most_days: int | None = None) -> None:
    """Raises ApiError 400."""
    name = "requestedExecutionDate"
    days = (read_date(value, name) - call.today).days
    if days < 0 or (most_days is not None and days > most_days):
        text = "is in the past" if days < 0 else f"is more than {most_days} days ahead"
        raise ApiError(400, "EXECUTION_DATE_INVALID", f"{name} {text}", path=name)


def debtor_account(order: Mapping[str, Any]) -> dict[str, Any]:
    """The account of the payer, as an answer has it: without giro numbers."""
    told = {name: value for name, value in order["debtorAccount"].items() if name not in _GIROS}
    return {"debtorAccount": told} if told else {}
