"""`openpayments consent`: create a consent, have the user authorise it, show it, end it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AnotherSignatureNeededError, AuthorisationFailedError, OpenPaymentsError
from .failures import EXIT_CODES
from .journey import Journey, authorised
from .output import cell, describe, printable, say, shell, write, write_json
from .run import Affiliate, BankRun, command, read_date

if TYPE_CHECKING:
    from .. import Consent

__all__ = ["app"]

DAYS: Final = 90

app = typer.Typer(
    name="consent",
    help="""Create, authorise, show and end consents.

    A consent is what a user lets the application see, and for how long.

    \b
      openpayments consent create --bank ESSESESS --psu-id ID --psu-ip ADDRESS
      openpayments accounts --bank ESSESESS --consent ID
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConsentId = Annotated[str, typer.Argument(metavar="CONSENT_ID", help="The consent's id.")]


@command(app)
def create(
    run: Journey,
    valid_until: Annotated[
        date | None, typer.Option(parser=read_date, metavar="DATE", help="The last day, such as 2026-12-31.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=0, max=36500, metavar="NUMBER", help=f"Instead of --valid-until: days from today. Default: {DAYS}."
        ),
    ] = None,
    frequency_per_day: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="How many times a day accounts may be read without the user.")
    ] = 4,
    affiliate: Affiliate = None,
) -> None:
    """Create a consent, and wait until the user has authorised it.

    In the browser: the bank's page opens, and the command waits for the browser to come back. Or in an app such as
    Mobile BankID: the QR code to scan is drawn in the terminal, and redrawn as it changes.

    Only the consent's id (with --json: the consent) goes to stdout:

    \b
      CONSENT=$(openpayments consent create --bank ESSESESS --psu-id ID --psu-ip ADDRESS)
    """
    if valid_until is not None and days is not None:
        raise typer.BadParameter("--valid-until and --days can't be used together")
    last_day = valid_until or timedelta(days=DAYS if days is None else days)
    with run.at_bank(affiliate=affiliate) as (bank, _):
        created = bank.consents.create(valid_until=last_day, frequency_per_day=frequency_per_day)
        say(f"Consent {created.consent_id} has been created. Now the user has to authorise it.")
        try:
            consent = authorised(run, partial(bank.consents.authorise, created.consent_id))
        except OpenPaymentsError as error:
            if not run.simulator and not isinstance(error, AuthorisationFailedError):
                options = ["--bank", run.bank, *run.where]
                again = shell("openpayments consent authorise", created.consent_id, options=options)
                is_signed = isinstance(error, AnotherSignatureNeededError)
                who = "the --psu-id of the next person" if is_signed else "the same --psu options"
                error.add_note(f"`{again}`, with {who}, continues with the same consent.")
            raise
    _finish(run, created.consent_id, consent)


@command(app)
def authorise(run: Journey, consent_id: ConsentId) -> None:
    """Have the user authorise an existing consent.

    For example after a timeout, or for a second signature.
    """
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _):
        consent = authorised(run, partial(bank.consents.authorise, consent_id))
    _finish(run, consent_id, consent)


@command(app)
def show(run: BankRun, consent_id: ConsentId) -> None:
    """Show a consent: status, last day, accesses per day."""
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _):
        consent = bank.consents.get(consent_id)
    if run.as_json:
        return write_json(consent.to_dict())
    return describe(
        [
            ("Consent", consent_id),
            ("Status", consent.consent_status),
            ("Last day", consent.valid_until),
            ("Accesses per day", consent.frequency_per_day),
            ("Recurring", consent.recurring_indicator),
            ("Last action", consent.last_action_date),
        ]
    )


@command(app)
def status(run: BankRun, consent_id: ConsentId) -> None:
    """Print a consent's status.

    It is received, partiallyAuthorised, valid, rejected, revokedByPsu, expired or terminatedByTpp.
    """
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _):
        found = bank.consents.status(consent_id)
    if run.as_json:
        return write_json({"consentStatus": found})
    return write(f"{cell(found)}\n")


@command(app)
def delete(run: BankRun, consent_id: ConsentId) -> None:
    """End a consent. It no longer gives access to anything."""
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _):
        bank.consents.delete(consent_id)
    say(f"Consent {consent_id} has ended.")


def _finish(run: Journey, consent_id: str, consent: Consent) -> None:
    until = f" until {consent.valid_until}" if consent.valid_until else ""
    say(f"The consent is {cell(consent.consent_status)}{until}.")
    if run.simulator:
        say("The simulator ends with this command, and the consent with it.")
    if run.as_json:
        return write_json(consent.to_dict())
    return write(f"{printable(consent_id)}\n")
