"""What the canned server answers: made-up objects, the same for each contender as far as their shapes allow."""

from __future__ import annotations

import functools
import json
from typing import Any

COUNT = 50


def _id(number: int) -> str:
    return f"7f3c1a52-9d0e-4c5b-8a11-{number:012}"


def _bank(number: int) -> dict[str, Any]:
    logo = f"https://openbankingplatform.example.com/image/BANKSE{number:02}.png"
    return {"bicFi": f"BANKSE{number:02}", "name": f"Bank number {number} AB (publ) ", "logoUrl": logo}


def _openai(number: int) -> dict[str, Any]:
    name = f"model-{number:04}-of-a-name-as-long-as-a-bank"
    return {"id": name, "object": "model", "created": 1_760_000_000 + number, "owned_by": "organisation-owner"}


def _stripe(number: int) -> dict[str, Any]:
    email = f"someone.{number:04}@example.com"
    return {"id": f"cus_{number:014}", "object": "customer", "name": f"Customer number {number}", "email": email}


def _plaid(number: int) -> dict[str, Any]:
    return {
        "institution_id": f"ins_{number:06}",
        "name": f"Bank number {number}",
        "products": ["auth"],
        "country_codes": ["SE"],
        "routing_numbers": [],
        "oauth": True,
        "connection_availability": "SUPPORTED",
    }


def _nordigen(number: int) -> dict[str, Any]:
    logo = f"https://openbankingplatform.example.com/image/BANKSE{number:02}.png"
    return {
        "id": f"BANK_{number:02}_BANKSE",
        "name": f"Bank number {number}",
        "bic": f"BANKSE{number:02}",
        "logo": logo,
    }


def _list_of(make: Any) -> list[dict[str, Any]]:
    return [make(number) for number in range(COUNT)]


_TOKEN = {"access_token": "t" * 800, "token_type": "Bearer", "expires_in": 3600, "scope": "aspspinformation private"}

LISTS: dict[str, Any] = {
    "/psd2/aspspinformation/v1/aspsps": {"aspsps": _list_of(_bank)},
    "/v1/models": {"object": "list", "data": _list_of(_openai)},
    "/v1/customers": {"object": "list", "url": "/v1/customers", "has_more": False, "data": _list_of(_stripe)},
    "/institutions/get": {"institutions": _list_of(_plaid), "total": COUNT, "request_id": "m8MDnv9okwxFNBV"},
    "/institutions": _list_of(_nordigen),
}
TOKENS: dict[str, Any] = {
    "/connect/token": _TOKEN,
    "/token/new/": {"access": "t" * 800, "access_expires": 86400, "refresh": "r" * 800, "refresh_expires": 2592000},
}
BANKS = "/psd2/aspspinformation/v1/aspsps"


def _transaction(number: int) -> dict[str, Any]:
    """A booked transaction as banks of the Berlin Group's framework send it."""
    amount = {"currency": "SEK", "amount": f"{(-1) ** number * (number * 7919 % 2_000_000) / 100:.2f}"}
    made: dict[str, Any] = {
        "transactionId": _id(number),
        "entryReference": f"2026{number:014}",
        "endToEndId": f"E2E-{number:08}",
        "bookingDate": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "valueDate": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "transactionAmount": amount,
        "creditorName": f"Shop number {number % 97} in Göteborg AB",
        "creditorAccount": {"iban": f"SE45500000000583982{number % 100_000:05}", "currency": "SEK"},
        "debtorName": "Anna Exempel",
        "debtorAccount": {"iban": "SE3550000000054910000003", "currency": "SEK"},
        "remittanceInformationUnstructured": f"Invoice {number:06}, thank you",
        "purposeCode": "GDDS",
        "bankTransactionCode": "PMNT-RCDT-ESCT",
        "proprietaryBankTransactionCode": "Insättning",
        "balanceAfterTransaction": {
            "balanceAmount": {"currency": "SEK", "amount": f"{number * 104_729 % 9_000_000 / 100:.2f}"},
            "balanceType": "interimBooked",
        },
    }
    if number % 10 == 0:
        rate = {"sourceCurrency": "EUR", "exchangeRate": "11.0342", "unitCurrency": "EUR", "targetCurrency": "SEK"}
        made["currencyExchange"] = [{**rate, "quotationDate": "2026-03-01"}]
    return made


def report(count: int) -> dict[str, Any]:
    """A page of the first transactions of an account."""
    number = {"iban": "SE3550000000054910000003", "currency": "SEK"}
    return {"account": number, "transactions": {"booked": [_transaction(number) for number in range(count)]}}


def account(transactions: int, on_a_page: int) -> str:
    """The id of an account that has so many transactions."""
    return f"7f3c1a52-9d0e-4c5b-{on_a_page:04}-{transactions:012}"


def page(path: str, query: str) -> bytes:
    """A page of the transactions of an account of `account(...)`."""
    on_a_page, total = map(int, path.split("/")[-2].split("-")[-2:])
    behind = int(query.partition("continuationKey=")[2] or 0) + on_a_page
    link = b"" if behind >= total else b'"next":{"href":"%s?continuationKey=%d"}' % (path.encode(), behind)
    return b'{"transactions":{"booked":%b,"_links":{%b}}}' % (_booked(on_a_page), link)


@functools.cache
def _booked(count: int) -> bytes:
    return json.dumps(report(count)["transactions"]["booked"], ensure_ascii=False).encode()
