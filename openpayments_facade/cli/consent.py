"""`openpayments consent`: create a consent, have the user authorise it, show it, end it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..errors import AnotherSignatureNeededError, AuthorisationFailedError, ConsentError, OpenPaymentsError
from .again import again
from .failures import EXIT_CODES
from .help import Group
from .journey import Journey, authorised
from .output import cell, describe, printable, say, write, write_json
from .run import Affiliate, BankRun, command, left, read_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .. import Consent

__all__ = ["app"]

DAYS: Final = 90

app = typer.Typer(
    name="consent",
    cls=Group,
    help="""Create, authorise, show and end consents.

    A consent is what a user lets the application see, and for how long.

    \b
      CONSENT=$(openpayments consent create --bank ESSESESS)
      openpayments accounts --bank ESSESESS --consent $CONSENT
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
      CONSENT=$(openpayments consent create --bank ESSESESS)
    """
    if valid_until is not None and days is not None:
        raise typer.BadParameter("--valid-until and --days can't be used together")
    last_day = valid_until or timedelta(days=DAYS if days is None else days)
    with run.at_bank(affiliate=affiliate) as (bank, _):
        with left("The consent may exist, but nobody has authorised it: the same command can be run again."):
            created = bank.consents.create(valid_until=last_day, frequency_per_day=frequency_per_day)
        say(f"Consent {created.consent_id} has been created. Now the user has to authorise it.")
        with _continuing(run, created.consent_id):
            consent = authorised(run, partial(bank.consents.authorise, created.consent_id))
    _finish(run, created.consent_id, consent)


@command(app)
def authorise(run: Journey, consent_id: ConsentId) -> None:
    """Have the user authorise an existing consent.

    For example after a timeout, or for a second signature.

    \b
      openpayments consent authorise $CONSENT --bank ESSESESS
    """
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _), _continuing(run, consent_id):
        consent = authorised(run, partial(bank.consents.authorise, consent_id))
    _finish(run, consent_id, consent)


@command(app)
def show(run: BankRun, consent_id: ConsentId) -> None:
    """Show a consent: status, last day, accesses per day.

    \b
      openpayments consent show $CONSENT --bank ESSESESS
    """
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

    \b
      openpayments consent status $CONSENT --bank ESSESESS
    """
    run.refuse_simulator("consents")
    with run.at_bank() as (bank, _):
        found = bank.consents.status(consent_id)
    if run.as_json:
        return write_json({"consentStatus": found})
    return write(f"{cell(found)}\n")


@command(app)
def delete(run: BankRun, consent_id: ConsentId) -> None:
    """End a consent. It no longer gives access to anything.

    With --json its id and the status that it has now are printed, otherwise nothing.

    \b
      openpayments consent delete $CONSENT --bank ESSESESS
    """
    run.refuse_simulator("consents")
    shown = f"{again('consent status', consent_id=consent_id)} shows whether it has ended."
    with run.at_bank() as (bank, _), left(shown):
        bank.consents.delete(consent_id)
    say(f"Consent {consent_id} has ended.")
    if run.as_json:
        write_json({"consentId": consent_id, "consentStatus": "terminatedByTpp"})


@contextmanager
def _continuing(run: Journey, consent_id: str) -> Iterator[None]:
    """When a command ends before its consent is authorised, says how to go on, unless it is gone with its simulator."""
    kept = not run.simulator
    goes_on = f"{again('consent authorise', consent_id=consent_id)} continues with the same consent."
    shown = f"{again('consent status', consent_id=consent_id)} shows whether it is valid;"
    try:
        with left(*([shown, goes_on] if kept else [])):
            yield
    except AnotherSignatureNeededError as error:
        if kept:
            next_ = again("consent authorise", consent_id=consent_id, psu_id=None)
            error.add_note(f"{next_}, with the --psu-id of the next person, continues with the same consent.")
        raise
    except OpenPaymentsError as error:
        is_over = isinstance(error, (AuthorisationFailedError, ConsentError)) or getattr(error, "status_code", 0) == 409
        if kept and not is_over:
            error.add_note(goes_on)
        raise


def _finish(run: Journey, consent_id: str, consent: Consent) -> None:
    until = f" until {consent.valid_until}" if consent.valid_until else ""
    say(f"The consent is {cell(consent.consent_status)}{until}.")
    if run.simulator:
        say("The simulator ends with this command, and the consent with it.")
    if run.as_json:
        return write_json(consent.to_dict())
    return write(f"{printable(consent_id)}\n")
