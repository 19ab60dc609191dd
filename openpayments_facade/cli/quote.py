"""`openpayments quote`: what a payment into another currency costs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from .. import amounts
from .._attrs import frozen
from ..scopes import ApiScope
from .output import describe, write_json
from .run import BankArgument, BankRun, read_date

__all__ = ["quote"]


@frozen(kw_only=True)
class QuoteRun(BankRun):
    """One run of `quote`."""

    bank: BankArgument


def quote(
    run: QuoteRun,
    source: Annotated[str, typer.Option("--from", metavar="CODE", help="The currency to pay with, such as SEK.")],
    target: Annotated[str, typer.Option("--to", metavar="CODE", help="The currency to pay in, such as USD.")],
    amount: Annotated[str, typer.Option("--amount", metavar="NUMBER", help="How much, in the currency of --to.")],
    country: Annotated[str, typer.Option("--country", metavar="CODE", help="The country to pay to, such as US.")],
    day: Annotated[
        date | None, typer.Option("--date", parser=read_date, metavar="DATE", help="The day to pay on, if later.")
    ] = None,
) -> None:
    """Ask what a payment into another currency costs.

    \b
      openpayments quote SWEDSESS --from SEK --to USD --amount 130.00 --country US

    Then pay with its id, as long as it is valid:

    \b
      QUOTE=$(openpayments quote SWEDSESS --from SEK --to USD --amount 130.00 --country US | awk '/^Quote/ {print $2}')
      openpayments pay SWEDSESS --quote $QUOTE --amount 130.00 --currency USD --name "Example Shop" \\
        --from SE4550000000058398257466 --to 000000017 --bic CHASUS33 --bank-name "Example Bank" \\
        --country US --street "Example Street" --postal-code 10001 --city "Example City"
    """
    with run.at_bank(scope=ApiScope.PAYMENT_INITIATION) as (bank, _):
        found = bank.fx_quotes.create(
            source_currency=source,
            target_currency=target,
            amount=amount,
            country_code=country,
            requested_execution_date=day,
        )
    if run.as_json:
        return write_json(found.to_dict())
    paid, bought = source.strip().upper(), amounts.amount(amount, target)
    return describe(
        [
            ("Quote", found.fx_quote_id),
            ("Rate", found.fx_rate and f"{found.fx_rate} ({paid} to {bought.currency})"),
            ("Fee", found.fee and f"{found.fee} {paid}"),
            ("Total", found.total_amount and f"{found.total_amount} {paid} for {bought.amount} {bought.currency}"),
            ("Valid from", found.valid_from),
            ("Valid until", found.valid_to),
        ]
    )
