"""What `openpayments pay` is to pay: its options, and the payment that they describe."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from attrs import fields_dict

from .._attrs import frozen
from .failures import in_options
from .run import read_date

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Order", "Product"]


class Product(StrEnum):
    """`--product`."""

    DOMESTIC = "domestic"
    SEPA = "sepa-credit-transfers"
    GIRO = "swedish-giro"
    CROSS_BORDER = "cross-border"


_MODELS: Final = {
    Product.DOMESTIC: "DomesticPayment",
    Product.SEPA: "SepaCreditTransfer",
    Product.GIRO: "SwedishGiroPayment",
    Product.CROSS_BORDER: "CrossBorderPayment",
}


# a Swedish clearing number may have a fifth digit, after a hyphen
_NATIONAL: Final = re.compile(r"(?:([0-9]{4}(?:-?[0-9])?)[-,])?([0-9]{5,})")
_SAID: Final = {
    "iban": "",
    "clearing_number": "clearing ",
    "bban": "account ",
    "bankgiro_number": "Bankgiro ",
    "plusgiro_number": "Plusgiro ",
}


def _bare(text: str) -> str:
    """An account's number in capitals, without blanks, without what nobody sees, and without a word before an IBAN."""
    number = "".join(c for c in text if c.isprintable() and not c.isspace()).upper()
    return number.removeprefix("IBAN").removeprefix(":")


def _read_account(text: str, giro: str) -> dict[str, str]:
    """The number of an account: an IBAN, which the client checks, or a national one, maybe with its clearing number.

    `giro` is how a giro number is given instead. Raises BadParameter.
    """
    number = _bare(text)
    if re.match("[A-Z]{2}[0-9]{2}", number):
        return {"iban": number}
    if not (national := _NATIONAL.fullmatch(number)):
        raise typer.BadParameter(
            "must be an IBAN, or a national number of 5 digits or more, maybe after a clearing number of 4 or 5 digits "
            f"and a hyphen, such as 6000-000000017. {giro}"
        )
    clearing, bban = national.groups()
    return {**({"clearing_number": clearing.replace("-", "")} if clearing else {}), "bban": bban}


def _read_payee(text: str) -> dict[str, str]:
    return _read_account(text, "A giro number goes with --bankgiro or --plusgiro.")


def _read_payer(text: str) -> dict[str, str]:
    kind, _, number = text.partition(":")
    if (name := f"{_bare(kind).lower()}_number") in {"bankgiro_number", "plusgiro_number"}:
        return {name: _bare(number)}
    return _read_account(text, "A giro number is written bankgiro:NUMBER or plusgiro:NUMBER.")


def _said(account: dict[str, str]) -> str:
    return ", ".join(f"{_SAID[name]}{number}" for name, number in account.items())


@frozen(kw_only=True)
class Order:
    """The options that say what is paid, to whom and from where."""

    amount: Annotated[str, typer.Option("--amount", metavar="NUMBER", help="How much, such as 125.50.")]
    payer: Annotated[
        Any,
        typer.Option(
            "--from",
            parser=_read_payer,
            metavar="ACCOUNT",
            help="The account that pays: an IBAN, a national number (6000-000000017 with its clearing number), or "
            "bankgiro:NUMBER or plusgiro:NUMBER.",
        ),
    ]
    name: Annotated[str, typer.Option("--name", metavar="PAYEE", help="The payee's name.")]
    to: Annotated[
        Any,
        typer.Option(
            "--to", parser=_read_payee, metavar="ACCOUNT", help="The payee's account: an IBAN or a national number."
        ),
    ] = None
    bankgiro: Annotated[str | None, typer.Option(metavar="NUMBER", help="Instead of --to: a Bankgiro number.")] = None
    plusgiro: Annotated[str | None, typer.Option(metavar="NUMBER", help="Instead of --to: a Plusgiro number.")] = None
    currency: Annotated[str, typer.Option(metavar="CODE", help="The currency to pay in.")] = "SEK"
    message: Annotated[str | None, typer.Option(metavar="TEXT", help="What the payee reads.")] = None
    ocr: Annotated[str | None, typer.Option(metavar="NUMBER", help="The OCR number of an invoice.")] = None
    invoice: Annotated[str | None, typer.Option(metavar="TEXT", help="Instead of --ocr: an invoice's number.")] = None
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Your own reference (end to end), by which the payment is found again. Default: one is made.",
        ),
    ] = None
    day: Annotated[
        date | None,
        typer.Option("--date", parser=read_date, metavar="DATE", help="The day to pay on. Default: at once."),
    ] = None
    bic: Annotated[str | None, typer.Option("--bic", metavar="CODE", help="The BIC of the payee's bank.")] = None
    bank_name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the payee's bank.")] = None
    country: Annotated[str | None, typer.Option(metavar="CODE", help="The payee's address: its country.")] = None
    street: Annotated[str | None, typer.Option(metavar="TEXT", help="Its street.")] = None
    building: Annotated[str | None, typer.Option(metavar="TEXT", help="Its building's number.")] = None
    postal_code: Annotated[str | None, typer.Option(metavar="CODE", help="Its postal code.")] = None
    city: Annotated[str | None, typer.Option(metavar="NAME", help="Its city.")] = None
    state: Annotated[str | None, typer.Option(metavar="TEXT", help="Its state or region.")] = None
    quote: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The quote of a cross-border payment; the command quote asks for one."),
    ] = None
    wanted: Annotated[
        Product | None,
        typer.Option(
            "--product",
            help="Default: swedish-giro with --bankgiro or --plusgiro, cross-border with --quote, "
            "sepa-credit-transfers in EUR, otherwise domestic.",
        ),
    ] = None

    @property
    def product(self) -> Product:
        """The payment product."""
        return self._chosen[0]

    @property
    def _chosen(self) -> tuple[Product, str]:
        """The payment product, and what has chosen it, as it was typed."""
        if self.wanted is not None:
            return self.wanted, f"--product {self.wanted}"
        if self.bankgiro is not None or self.plusgiro is not None:
            return Product.GIRO, "--plusgiro" if self.bankgiro is None else "--bankgiro"
        if self.quote is not None:
            return Product.CROSS_BORDER, "--quote"
        if self.currency.strip().upper() == "EUR":
            return Product.SEPA, "--currency EUR"
        return Product.DOMESTIC, "a domestic payment, which this is by default"

    def payment(self) -> Any:
        """The payment, of one of the four models. The client checks it.

        Raises:
            BadParameter: An option does not go with the product, or with another one.
            InvalidArgumentError: The amount or the currency is wrong.
        """
        from .. import models
        from ..amounts import amount

        payees = [f"--{name}" for name in ("to", "bankgiro", "plusgiro") if getattr(self, name) is not None]
        if len(payees) > 1:
            raise typer.BadParameter(f"{' and '.join(payees)} can't be used together")
        product, chosen = self._chosen
        if self.quote is not None and product is not Product.CROSS_BORDER:
            raise typer.BadParameter(f"--quote does not go with {chosen}")
        given: dict[str, Any] = {
            "instructed_amount": amount(self.amount, self.currency),
            "debtor_account": models.DebtorAccountReference(**self.payer),
            "creditor_account": None if self.to is None else models.AccountReference(**self.to),
            "creditor_giro": self._giro(),
            "creditor_name": self.name,
            "creditor_address": self._address(),
            "creditor_agent": self.bic,
            "creditor_agent_name": self.bank_name,
            "remittance_information_unstructured": self.message,
            "ocr_ref": self.ocr,
            "invoice_ref": self.invoice,
            "end_to_end_identification": self.reference,
            "requested_execution_date": self.day,
        }
        return self._made(getattr(models, _MODELS[product]), given, "payment")

    def summary(self) -> Iterator[tuple[str, object]]:
        """What is paid, as people read it."""
        payment = self.payment()
        giro = getattr(payment, "creditor_giro", None)
        address = [self.street, self.building, self.postal_code, self.city, self.state, self.country]
        yield "Pay", f"{payment.instructed_amount.amount} {payment.instructed_amount.currency}"
        yield "To", self.name
        yield "Account", self.to and _said(self.to)
        yield "Account", giro and f"{giro.giro_type.capitalize()} {giro.giro_number}"
        yield "Their bank", ", ".join(filter(None, (self.bank_name, self.bic))) or None
        yield "Address", " ".join(filter(None, address)) or None
        yield "Message", self.message
        yield "OCR", self.ocr
        yield "Invoice", self.invoice
        yield "From", _said(self.payer)
        yield "Day", self.day or "at once"
        yield "Product", self.product.value
        yield "Quote", self.quote

    def in_options(self, text: str) -> str:
        """What the client says about the payment, with the names of the options that were given."""
        giro = next((f"--{name}" for name in ("bankgiro", "plusgiro") if getattr(self, name) is not None), None)
        return in_options(re.sub(r"^payment\.creditor_giro[.\w]*", giro, text) if giro else text)

    def _giro(self) -> Any:
        from ..models import GiroReference

        number, kind = (self.plusgiro, "PLUSGIRO") if self.bankgiro is None else (self.bankgiro, "BANKGIRO")
        return None if number is None else GiroReference(giro_number=number, giro_type=kind)

    def _address(self) -> Any:
        from ..models import Address, InternationalAddress

        given = {
            "country": self.country,
            "street": self.street,
            "building_number": self.building,
            "postal_code": self.postal_code,
            "city": self.city,
            "state": self.state,
        }
        if not any(value is not None for value in given.values()):
            return None
        kind = InternationalAddress if self.product is Product.CROSS_BORDER else Address
        return self._made(kind, given, "payment.creditor_address")

    def _made(self, kind: type[Any], given: dict[str, Any], path: str) -> Any:
        """A model of what is given. Raises BadParameter for what it has no field for."""
        known = fields_dict(kind)
        for name, value in given.items():
            if value is not None and name not in known:
                raise typer.BadParameter(f"{self.in_options(f'{path}.{name}')} does not go with {self._chosen[1]}")
        return kind(**{name: value for name, value in given.items() if name in known})
