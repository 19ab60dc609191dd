"""Payments as they are sent: copied, put right, and checked for what would fail, or pay something else, at the bank."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeGuard

from attrs import field
from openpayments_client import models
from openpayments_client.operations import MODELS, OPERATIONS, Rule, is_id
from openpayments_client.reading import to_json
from openpayments_client.types import with_article

from .._attrs import frozen
from .._checks import check, refuse
from ..amounts import as_sent
from ..errors import InvalidArgumentError
from .arguments import as_code, as_day, as_iban, is_giro, is_past, problems_of_account
from .operation import as_json, plain

_MODELS: Final = OPERATIONS["initiate_payment"].body_by["payment_product"]
PRODUCTS: Final[Mapping[type, str]] = {getattr(models, name): product for product, name in _MODELS.items()}
"""The product of each model. Banks may have further ones."""
_CODES: Final = "bankgiro_number country creditor_agent currency giro_number giro_type ocr_ref plusgiro_number"
_PUT_RIGHT: Final[Mapping[str, Any]] = {**dict.fromkeys(_CODES.split(), as_code), "iban": as_iban}
_AS_TEXT: Final = 'as text: amount(Decimal("1.50"), "SEK") makes an amount'
_log = logging.getLogger("openpayments_facade")


@frozen
class Order:
    """A payment that is ready to be sent."""

    product: str
    body: Any = field(repr=False)
    """A copy: a model, or a dict for a product of a bank's own that was given as a mapping."""
    end_to_end_identification: str = field(repr=False)
    """The reference by which the payment is found again. It is in the body, too."""
    warnings: tuple[str, ...] = ()
    """What may be wrong, without account numbers and names."""


def as_order(payment: object, product: str | None = None) -> Order:
    """A payment as it is sent.

    Codes and numbers of accounts are put right, and the amount gets the decimals of its currency. A payment without
    `end_to_end_identification` gets one that nobody can guess.

    Args:
        payment: One of the four models; or a mapping with the names on the wire, in which an object may be a model.
        product: Needed for a mapping. Beside a model, it may be one of a bank's own. With a mapping for one of these,
            only its reference is checked, and that it is JSON without floats.

    Raises:
        InvalidArgumentError: Something is wrong; the message names the place as the caller wrote it, such as
            `payment.creditor_account.iban` of a model, and `payment.creditorAccount.iban` of a mapping.
    """
    own = next((PRODUCTS[cls] for cls in PRODUCTS if isinstance(payment, cls)), None)
    if own is None and not isinstance(payment, Mapping):
        raise refuse("payment", f"must be {' or '.join(map(with_article, _MODELS.values()))}, or a mapping")
    product = own if product is None else next((each for each in _MODELS if each == str(product).lower()), product)
    if not is_product(product):
        raise refuse("product", "must be a word such as domestic, and goes with every payment that is a mapping")
    if own is not None and product != own and product in _MODELS:
        raise refuse("payment", f"is for {own}, not for {product}")
    model = _MODELS.get(own or product)
    try:
        return _of_a_bank(payment, plain(product)) if model is None else _checked(payment, model, plain(product))
    except RecursionError:
        raise refuse("payment", "must not be nested that deeply") from None


def is_product(value: object) -> TypeGuard[str]:
    """Whether it can be the product in the path of a payment."""
    return isinstance(value, str) and value.split() == [value] and is_id(value)


def _of_a_bank(payment: Any, product: str) -> Order:
    body = as_json(_jsonable(payment, "payment"), "payment")
    rule = MODELS["DomesticPayment"]["end_to_end_identification"]
    if not str(body.get(rule.name) or "").strip():
        body[rule.name] = uuid.uuid4().hex
    check(rule, body[rule.name], f"payment.{rule.name}")
    return Order(product, body, body[rule.name])


def _checked(payment: object, model: str, product: str) -> Order:
    from stdnum import iso11649, luhn

    def say(path: str) -> str:
        """What the caller calls a field."""
        return re.sub("_(.)", lambda found: found[1].upper(), path) if isinstance(payment, Mapping) else path

    body = _copy(payment, model, "payment", say)
    with suppress(InvalidArgumentError):  # then the next rule says it without showing the value
        body.requested_execution_date = as_day(body.requested_execution_date, "")
    for path, problem in Rule("payment", "body", "object", models=(model,)).problems(body, "payment"):
        raise refuse(say(path), f"{problem}, {_AS_TEXT}" if path.endswith("_amount.amount") else problem)
    paid = body.instructed_amount
    arguments = [say(f"payment.instructed_amount.{part}") for part in ("amount", "currency")]
    paid.amount, paid.currency = as_sent(paid.amount, paid.currency, *arguments)
    for path, problem in _problems(body):
        raise refuse(say(path), problem)
    if not (body.end_to_end_identification or "").strip():
        body.end_to_end_identification = uuid.uuid4().hex
    ocr, warnings = getattr(body, "ocr_ref", None), tuple[str, ...]()
    is_right = luhn.is_valid if isinstance(body, models.SwedishGiroPayment) else iso11649.is_valid
    if ocr is not None and not is_right(ocr):
        warnings = (f"{say('payment.ocr_ref')} has wrong check digits; the payee may not know what it is for",)
        _log.warning("%s", *warnings)
    return Order(product, body, body.end_to_end_identification, warnings)


def _copy(source: Any, model: str, path: str, say: Callable[[str], str]) -> Any:
    """A new model of a model or a mapping, put right, or a list of them.

    Anything else stays as it is, for the description's rules to refuse.
    """
    if isinstance(source, list | tuple):
        return [_copy(each, model, f"{path}[{number}]", say) for number, each in enumerate(source)]
    is_mapping, rules = isinstance(source, Mapping), MODELS[model]
    if not is_mapping and not isinstance(source, getattr(models, model)):
        return source
    extra = source if is_mapping else getattr(source, "additional_properties", {})
    if not isinstance(extra, Mapping):
        raise refuse(f"{path}.additional_properties", "must be a dict")
    wires = {rule.name for rule in rules.values()}
    rest = {key: value for key, value in extra.items() if not is_mapping or key not in wires}
    for key in sorted(rest.keys() & {*wires, *rules}):
        raise refuse(f"{say(path)}.{key}", "is not given as the field that it is, or is not what that must be")
    values: dict[str, Any] = {}
    for name, rule in rules.items():
        value = source.get(rule.name) if is_mapping else getattr(source, name, None)
        for each in (rule.items or rule).models:
            value = _copy(value, each, f"{path}.{name}", say)
        values[name] = _PUT_RIGHT.get(name, plain)(value) if isinstance(value, str) else value
    copy = getattr(models, model)(**values)
    copy.additional_properties = as_json(_jsonable(rest, say(path)), say(path))
    return copy


def _jsonable(value: Any, said: str) -> Any:
    """A copy of what JSON can hold; objects as dicts. Refuses floats, for they may be meant as amounts."""
    if isinstance(value, float):
        raise refuse(said, f"must not be a float. Send it {_AS_TEXT}")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise refuse(said, "must have strings as names")
        return {key: _jsonable(each, f"{said}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each, f"{said}[{number}]") for number, each in enumerate(value)]
    with suppress(AttributeError, TypeError, ValueError):  # a model that was taken apart stays, and is refused
        value = to_json(plain(value))
    return _jsonable(value, said) if isinstance(value, dict) else as_json(value, said)


def _problems(body: Any) -> Iterator[tuple[str, str]]:
    """What the description's rules don't say about a body that keeps them: pairs of a path and what to say after it."""
    for name in ("debtor_account", "creditor_account"):
        if account := getattr(body, name, None):
            yield from ((f"payment.{name}{place}", problem) for place, problem in problems_of_account(account))
    giro = getattr(body, "creditor_giro", None)
    if giro and not is_giro(giro.giro_number, giro.giro_type):
        yield "payment.creditor_giro.giro_number", f"is not a valid {giro.giro_type} number"
    references = [name for name in ("ocr_ref", "invoice_ref") if getattr(body, name, None) is not None]
    if len(references) > 1 or (giro and not references):
        yield "payment.ocr_ref", "and the invoice reference: give one of them, and only one"
    if body.requested_execution_date is not None and is_past(body.requested_execution_date):
        yield "payment.requested_execution_date", f"is {body.requested_execution_date}, which is in the past"
