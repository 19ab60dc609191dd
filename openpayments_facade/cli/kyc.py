"""`openpayments kyc`: what an organisation has to prove before it pays."""

from __future__ import annotations

from typing import Annotated

import typer

from ..environments import safe_link
from ..errors import UnreadableResponseError
from ..scopes import ApiScope
from .failures import EXIT_CODES
from .help import Group
from .output import cell, describe, say, write, write_json
from .run import Run, command

__all__ = ["app"]

app = typer.Typer(
    name="kyc",
    cls=Group,
    help="""Prove who an organisation is, before it pays.

    \b
      openpayments kyc start 556677-8899 --country SE
      openpayments kyc status 556677-8899
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Organisation = Annotated[str, typer.Argument(metavar="ORGNO", help="The organisation's number.")]


@command(app)
def start(
    run: Run,
    organisation: Organisation,
    country: Annotated[str, typer.Option("--country", metavar="CODE", help="Its country, such as SE.")],
) -> None:
    """Print the address of the form that the organisation has to complete.

    It works for 24 hours, for everybody who has it.

    \b
      openpayments kyc start 556677-8899 --country SE
    """
    with run.client(api_scopes=run.scopes(ApiScope.PAYMENT_INITIATION)) as (op, _):
        created = op.kyc.create(organisation, country_code=country)
    if run.as_json:
        return write_json(created.to_dict())
    link = safe_link(created.kyc_url)
    if link is None:
        raise UnreadableResponseError(f"the address of the form is no https link: {cell(created.kyc_url)}")
    say(
        "The simulator ends with this command, and the form with it:"
        if run.simulator
        else "Open this form in a browser. It works for 24 hours, for everybody who has its address:"
    )
    return write(f"{link}\n")


@command(app)
def status(run: Run, organisation: Organisation) -> None:
    """Show whether an organisation may pay (Valid), and until when.

    \b
      openpayments kyc status 556677-8899
    """
    with run.client(api_scopes=run.scopes(ApiScope.PAYMENT_INITIATION)) as (op, _):
        found = op.kyc.status(organisation)
    if run.as_json:
        return write_json(found.to_dict())
    return describe(
        [
            ("Organisation", found.psu_corporate_id or organisation),
            ("Status", found.kyc_status),
            ("Valid until", found.kyc_valid_until),
        ]
    )
