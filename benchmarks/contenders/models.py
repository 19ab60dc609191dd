"""The models that other contenders parse transactions into: the fields of the SDK's models, from one table.

`tests/tools/test_benchmarks.py` compares the table with the SDK's. Objects that the canned transactions lack are dicts
here: nobody reads any.
"""

from __future__ import annotations

import datetime as dt
from json import loads
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.measure import Call

Fields = dict[str, Any]


def fields(made: dict[str, Any]) -> dict[str, Fields]:
    """The fields of each model, by their names in Python, in an order that puts what others need first.

    `made` are the models made so far.
    """
    text, any_list, any_dict = str | None, list[dict[str, Any]] | None, dict[str, Any] | None
    flag, day = bool | None, dt.date | None

    def a(name: str) -> Any:
        return made.get(name, object) | None

    numbers = dict.fromkeys(("iban", "bban", "pan", "masked_pan", "msisdn", "currency"), text)
    return {
        "MonetaryAmount": {"currency": text, "amount": text},
        "AccountReference": numbers | {"clearing_number": text, "account_number": text},
        "CreditorAccountReference": numbers | {"bank_giro": text, "plus_giro": text},
        "BalanceAfterTransaction": {"balance_amount": a("MonetaryAmount"), "balance_type": text},
        "CurrencyExchange": {
            "source_currency": text,
            "exchange_rate": text,
            "unit_currency": text,
            "target_currency": text,
            "quotation_date": day,
            "contract_identification": text,
        },
        "Transaction": {
            "transaction_amount": a("MonetaryAmount"),
            "transaction_id": text,
            "entry_reference": text,
            "end_to_end_id": text,
            "mandate_id": text,
            "check_id": text,
            "creditor_id": text,
            "booking_date": day,
            "value_date": day,
            "currency_exchange": list[made.get("CurrencyExchange", object)] | None,  # type: ignore[misc]
            "creditor_name": text,
            "creditor_account": a("CreditorAccountReference"),
            "ultimate_creditor": text,
            "debtor_name": text,
            "debtor_account": a("AccountReference"),
            "ultimate_debtor": text,
            "remittance_information_unstructured": text,
            "remittance_information_structured": text,
            "additional_information": text,
            "purpose_code": text,
            "bank_transaction_code": text,
            "proprietary_bank_transaction_code": text,
            "transaction_list_id": text,
            "payment_id": text,
            "is_enriched": flag,
            "transaction_fees": any_list,
            "balance_after_transaction": a("BalanceAfterTransaction"),
            "remittance_information_unstructured_array": list[str] | None,
            "remittance_information_structured_array": any_list,
            "is_alias_payin": flag,
            "is_alias_payout": flag,
            "aggregate_transaction_id": text,
            "aggregate_transaction_list_id": text,
            "aggregate_id": int | None,
            "aggregate_amount": text,
            "aggregate_remittance_information_unstructured": text,
            "debtor_organisation_id": text,
            "debtor_address": any_dict,
            "links": any_dict,
            "tpp_messages": any_list,
        },
        "TransactionLists": {"booked": list[made.get("Transaction", object)] | None},  # type: ignore[misc]
        "TransactionReport": {"account": a("AccountReference"), "transactions": a("TransactionLists")},
    }


def _all(make: Any) -> dict[str, Any]:
    """The models that `make` makes of their names and fields."""
    made: dict[str, Any] = {}
    for name in fields({}):
        made[name] = make(name, fields(made)[name])
    return made


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _pydantic(extra: str) -> Any:
    from pydantic import ConfigDict, create_model

    config: Any = ConfigDict(alias_generator=camel, extra=extra)  # type: ignore[typeddict-item]

    def make(name: str, fields: Fields) -> Any:
        given: Any = {field: (kind, None) for field, kind in fields.items()}
        return create_model(name, __config__=config, **given)

    return _all(make)["TransactionReport"]


def pydantic(body: bytes) -> Call:
    """It keeps what is not described, as the SDK does."""
    report = _pydantic("allow")
    return lambda: report.model_validate_json(body).transactions.booked


def pydantic_objects(body: bytes) -> Call:
    """The same from what `json.loads` gives, as the SDK reads it."""
    report = _pydantic("allow")
    return lambda: report.model_validate(loads(body)).transactions.booked


def pydantic_ignoring(body: bytes) -> Call:
    """It drops what is not described, which is pydantic's default."""
    report = _pydantic("ignore")
    return lambda: report.model_validate_json(body).transactions.booked


def msgspec(body: bytes) -> Call:
    """It drops what is not described."""
    import msgspec as library

    def make(name: str, fields: Fields) -> Any:
        return library.defstruct(name, [(field, kind, None) for field, kind in fields.items()], rename="camel")

    decoder = library.json.Decoder(_all(make)["TransactionReport"])
    return lambda: decoder.decode(body).transactions.booked


def cattrs(body: bytes) -> Call:
    """It drops what is not described. Without detailed validation, which is slower."""
    import attrs
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, override

    def make(name: str, fields: Fields) -> Any:
        return attrs.make_class(name, {field: attrs.field(default=None, type=kind) for field, kind in fields.items()})

    def reader(kind: Any) -> Any:
        names = {field.name: override(rename=camel(field.name)) for field in attrs.fields(kind)}
        return make_dict_structure_fn(kind, converter, **names)

    converter = Converter(detailed_validation=False)
    converter.register_structure_hook(dt.date, lambda text, _: dt.date.fromisoformat(text))
    converter.register_structure_hook_factory(attrs.has, reader)
    report = _all(make)["TransactionReport"]
    return lambda: converter.structure(loads(body), report).transactions.booked


def json_alone(body: bytes) -> Call:
    """No models: what parsing costs at least with the standard library."""
    return lambda: loads(body)["transactions"]["booked"]
